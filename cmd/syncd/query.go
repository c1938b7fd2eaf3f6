package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"syncd/internal/config"
	"syncd/internal/embedded"
	"syncd/loaders"
)

func newQueryCommand() *cobra.Command {
	var file, format string
	c := &cobra.Command{
		Use:   `query "SQL"`,
		Short: "Ask the warehouse, embedded or not",
		Long: `query asks the configured ClickHouse and prints the answer. The embedded one is
asked beside a running daemon; without one it is started for the question.
Names without a database are those of the BI views.`,
		Example: `  syncd query "SELECT * FROM daily_performance ORDER BY day DESC LIMIT 20"
  syncd query --format json "SELECT * FROM freshness"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := loadApp(file, io.Discard)
			if err != nil {
				return err
			}
			defer a.close()
			w, err := a.openForQuery(cmd.Context())
			if err != nil {
				return err
			}
			err = w.Query(cmd.Context(), args[0], format, cmd.OutOrStdout())
			if e, ok := errors.AsType[*loaders.Error](err); ok && e.Code == codeReadonly {
				return errors.New("syncd query only reads; change things with a ClickHouse client")
			}
			return err
		},
	}
	configFlag(c, &file)
	c.Flags().StringVar(&format, "format", "table", "table, tsv, csv, json (one object a line) or vertical")
	return c
}

// codeReadonly is ClickHouse's exception for a statement that changes something.
const codeReadonly = 164

// openForQuery connects to the warehouse without changing anything in it.
func (a *app) openForQuery(ctx context.Context) (*loaders.Warehouse, error) {
	dsn := a.config.Warehouse.DSN.Reveal()
	if dsn == config.Embedded {
		var err error
		if dsn, err = a.embeddedForQuery(ctx); err != nil {
			return nil, err
		}
	}
	w, err := loaders.Open(ctx, loaders.Options{DSN: dsn, Database: a.config.Warehouse.Database, Asking: true, Log: a.log})
	if err != nil {
		return nil, fmt.Errorf("connecting to the warehouse: %w", err)
	}
	a.onClose(func() { _ = w.Close() })
	return w, nil
}

// embeddedForQuery finds the engine of a running daemon, or starts one.
func (a *app) embeddedForQuery(ctx context.Context) (string, error) {
	store, err := a.readState()
	if err != nil {
		return "", err
	}
	if store == nil {
		return "", fmt.Errorf("nothing was pulled yet: start syncd run, or syncd run --once, with this configuration")
	}
	password, err := store.Secret(ctx, engineSecret)
	if err != nil {
		return "", fmt.Errorf("reading the embedded engine's password: %w", err)
	}
	dsn, running, err := embedded.Running(a.config.DataDir, password)
	if err != nil || running {
		return dsn, err
	}
	engine, err := a.startEngine(ctx, store)
	if err != nil {
		return "", err
	}
	return engine.DSN(), nil
}
