package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"syncd/internal/strictyaml"
)

func newNetworksCommand() *cobra.Command {
	var asJSON bool
	var file, receiver string
	c := &cobra.Command{
		Use:   "networks [NAME]",
		Short: "The catalogue: what every network gives and needs",
		Long: `networks lists the networks that syncd knows. With a name it says everything that an
account at that network needs to know: credentials, variables, roles, pace, streams
with their tables, windows and routes, what it sends by postback, and what of it no
public document says. With --postback it prints the addresses of a configured account
to paste into the network's panel. They have the account's token in them.`,
		Example: `  syncd networks
  syncd networks kma
  syncd networks kma --postback kma-main`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if receiver != "" {
				return showAddresses(cmd, file, receiver, args)
			}
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
	configFlag(c, &file)
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	c.Flags().StringVar(&receiver, "postback", "", "ACCOUNT: the addresses for its network's panel")
	c.MarkFlagsMutuallyExclusive("json", "postback")
	return c
}

// showAddresses prints the addresses of an account of the configuration.
func showAddresses(cmd *cobra.Command, file, receiver string, args []string) error {
	a, err := loadApp(file, io.Discard)
	if err != nil {
		return err
	}
	defer a.close()
	one, err := a.addressesOf(strings.Join(args, ""), receiver)
	if err != nil {
		return err
	}
	printAddresses(cmd.OutOrStdout(), one, a.config)
	return nil
}
