package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"syncd/internal/config"
)

func newDemoCommand() *cobra.Command {
	var dir, listen string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Simulated networks, an embedded ClickHouse and the daemon; until Ctrl-C",
		Long: `demo shows syncd at work without any credentials: simulated platforms (Affise,
Perform[cb], 24metrics, OffersLook and KMA) with some weeks of history and traffic that
goes on, an embedded ClickHouse, and the daemon that pulls the ones into the other and
takes KMA's postbacks.
It writes to a folder that is removed when it ends, unless --dir names one.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), cmd.OutOrStdout(), dir, listen)
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "folder to keep the data in; empty: a temporary one")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "address of the status page; a taken port is replaced by a free one")
	return c
}

func demo(ctx context.Context, out io.Writer, dir, listen string) error {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "syncd-demo-")
		if err != nil {
			return fmt.Errorf("making the demo's folder: %w", err)
		}
		defer os.RemoveAll(temporary)
		dir = temporary
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the demo's folder: %w", err)
	}
	networks, stop, err := startDemoNetworks(time.Now())
	if err != nil {
		return err
	}
	defer stop()
	cfg, err := demoConfig(dir, listen, networks)
	if err != nil {
		return err
	}
	logs, err := os.OpenFile(filepath.Join(dir, "syncd.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("making the demo's log: %w", err)
	}
	defer logs.Close()
	for _, n := range networks {
		fmt.Fprintf(out, "%s, simulated, answers at %s\n", n.title, n.url)
		if n.note != "" {
			fmt.Fprintf(out, "  %s\n", n.note)
		}
	}
	return runDemo(ctx, out, cfg, logs, networks)
}

// runDemo runs the daemon and tells what happens, until ctx ends.
func runDemo(ctx context.Context, out io.Writer, cfg *config.Config, logs io.Writer, networks []demoNetwork) error {
	a, err := newApp(cfg, logs)
	if err != nil {
		return err
	}
	defer a.close()
	fmt.Fprintln(out, "starting ClickHouse ...")
	watch := &demoWatch{out: out, began: time.Now()}
	s, err := a.startSync(ctx, nil, false, watch)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "ClickHouse is up after %s; pulling what the networks have\n\n", time.Since(watch.began).Round(100*time.Millisecond))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var watching sync.WaitGroup
	var unshown error
	watching.Go(func() { watch.tell(ctx) })
	for _, n := range networks {
		if n.sends != nil {
			watching.Go(func() { n.sends(ctx, "http://"+cfg.HTTP.Listen) })
		}
	}
	watching.Go(func() {
		if err := s.showDemo(ctx, out, watch, networks); err != nil && ctx.Err() == nil {
			unshown = err
			stop()
		}
	})
	err = s.daemon(ctx)
	stop()
	watching.Wait()
	fmt.Fprintln(out, "\nstopping ClickHouse ...")
	return errors.Join(err, unshown)
}
