package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"syncd/internal/strictyaml"
)

func newNetworksCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "networks [NAME]",
		Short: "The catalogue: what every network gives and needs",
		Long: `networks lists the networks that syncd knows. With a name it says everything that an
account at that network needs to know: credentials, variables, roles, pace, streams
with their tables, windows and routes, and what of it no public document says.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			known, err := loadCatalogue()
			if err != nil {
				return err
			}
			var entries []networkEntry
			for _, name := range sortedKeys(known) {
				if len(args) == 0 || args[0] == name {
					entries = append(entries, entryOf(known[name]))
				}
			}
			if len(entries) == 0 {
				hint := "syncd knows " + strings.Join(sortedKeys(known), ", ")
				if s := strictyaml.Suggest(args[0], sortedKeys(known)); s != "" {
					hint = "did you mean " + s + "?"
				}
				return &usageError{fmt.Errorf("no network is called %s; %s", args[0], hint)}
			}
			switch {
			case asJSON:
				out := json.NewEncoder(cmd.OutOrStdout())
				out.SetIndent("", "  ")
				return out.Encode(entries)
			case len(args) == 0:
				printNetworks(cmd.OutOrStdout(), entries)
			default:
				printNetwork(cmd.OutOrStdout(), &entries[0])
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}
