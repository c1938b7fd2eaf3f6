package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"syncd/internal/status"
	"syncd/state"
	"syncd/state/sqlite"
)

func newStatusCommand() *cobra.Command {
	var file string
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Where every stream stands, in words",
		Long:  "status reads the state, beside a running daemon or without one. It makes no call.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := loadApp(file, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer a.close()
			store, err := a.readState()
			if err != nil {
				return err
			}
			lines, err := a.readLines(cmd, store)
			if err != nil {
				return err
			}
			if asJSON {
				out := json.NewEncoder(cmd.OutOrStdout())
				out.SetIndent("", "  ")
				return out.Encode(lines)
			}
			printLines(cmd.OutOrStdout(), lines)
			return nil
		},
	}
	configFlag(c, &file)
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

// readState opens the state for reading, beside whoever holds it. It is nil when
// nothing was ever stored.
func (a *app) readState() (state.Store, error) {
	store, err := sqlite.OpenReadOnly(a.config.State.DSN.Reveal())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a.onClose(func() { _ = store.Close() })
	return store, nil
}

func (a *app) readLines(cmd *cobra.Command, store state.Store) ([]status.Line, error) {
	streams := a.statusStreams()
	if store == nil {
		lines := make([]status.Line, len(streams))
		for i, s := range streams {
			lines[i] = status.Line{Account: s.Account, Network: s.Network, Stream: s.Name, State: status.Never, Words: "not pulled yet: syncd has not run with this configuration"}
		}
		return lines, nil
	}
	return status.Read(cmd.Context(), store, streams, time.Now())
}

func printLines(out io.Writer, lines []status.Line) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "ACCOUNT\tSTREAM\tSTATE\tIN WORDS")
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.Account, l.Stream, l.State, l.Words)
	}
}
