package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// newRoot makes the command line.
func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "syncd",
		Short: "Affiliate networks into ClickHouse, exactly and for ever",
		Long: `syncd pulls offers, clicks, conversions and reports from affiliate networks into
ClickHouse, on a schedule, and keeps the warehouse equal to what the networks say.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
		Args:          cobra.ArbitraryArgs, // a command that does not exist comes as an argument
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			hint := "see syncd --help"
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				hint = "did you mean " + near[0] + "?"
			}
			return &usageError{fmt.Errorf("there is no command %s; %s", args[0], hint)}
		},
		SuggestionsMinimumDistance: 2,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		newRunCommand(), newPlanCommand(), newCheckCommand(), newNetworksCommand(),
		newStatusCommand(), newRemapCommand(), newQueryCommand(), newDemoCommand(),
	)
	for _, c := range root.Commands() {
		args := c.Args
		c.Args = func(cmd *cobra.Command, given []string) error {
			if args == nil {
				return nil
			}
			if err := args(cmd, given); err != nil {
				return &usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
			}
			return nil
		}
	}
	return root
}

// configFlag adds --config to a command.
func configFlag(c *cobra.Command, file *string) {
	fallback := os.Getenv("SYNCD_CONFIG")
	if fallback == "" {
		fallback = "config.yaml"
	}
	c.Flags().StringVarP(file, "config", "c", fallback, "configuration file (SYNCD_CONFIG)")
}

// onlyFlag adds --only to a command.
func onlyFlag(c *cobra.Command, only *[]string) {
	c.Flags().StringArrayVar(only, "only", nil, "ACCOUNT or ACCOUNT/STREAM, repeatable: nothing else")
}
