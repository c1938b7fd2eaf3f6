package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"syncd/internal/pipeline"
)

func newCheckCommand() *cobra.Command {
	var file string
	var only []string
	var offline, streams bool
	c := &cobra.Command{
		Use:   "check",
		Short: "Configuration, credentials, warehouse and state: every fault at once",
		Long: `check reads the configuration, opens the state and the warehouse and makes, for
every account, the cheapest call that proves its credentials, at the network's
pace. Streams that rest on something inferred (a path, a spelling: ` + "`syncd networks NAME`" + `
marks it) are asked for one page each where the network takes a call in two seconds
or less, and check says what the answer contradicts; with --streams every stream is
asked, however long that takes. Nothing is stored. With --offline it makes no call
and opens nothing but the configuration.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := loadApp(file, io.Discard)
			if err != nil {
				return err
			}
			defer a.close()
			if err := a.check(only); err != nil {
				return err
			}
			report := &checkReport{out: cmd.OutOrStdout()}
			report.say("configuration", nil, counted(len(a.accounts), "account")+", "+counted(a.countStreams(), "stream"))
			a.checkReach(only, report)
			if !offline {
				a.checkOnline(cmd.Context(), only, streams, report)
			}
			if report.faults > 0 {
				return fmt.Errorf("%d of %d checks found a fault", report.faults, report.checks)
			}
			return nil
		},
	}
	configFlag(c, &file)
	onlyFlag(c, &only)
	c.Flags().BoolVar(&offline, "offline", false, "only the configuration")
	c.Flags().BoolVar(&streams, "streams", false, "ask every stream for a page, at the network's pace")
	c.MarkFlagsMutuallyExclusive("offline", "streams")
	return c
}

type checkReport struct {
	out            io.Writer
	checks, faults int
}

// say prints one line: what was checked and what was found, or what is wrong.
func (r *checkReport) say(what string, err error, found string) {
	r.checks++
	if err != nil {
		r.faults++
		fmt.Fprintf(r.out, "FAULT  %s: %v\n", what, err)
		return
	}
	fmt.Fprintf(r.out, "ok     %s: %s\n", what, found)
}

// note prints a line that is neither.
func (r *checkReport) note(what, text string) { fmt.Fprintf(r.out, "-      %s: %s\n", what, text) }

// checkOnline goes on after a fault: who mends one wants to know of the others.
func (a *app) checkOnline(ctx context.Context, only selection, streams bool, report *checkReport) {
	store, err := a.openState()
	report.say("state", err, a.config.State.DSN.Redacted())
	if err != nil {
		return // without the state the network's pace is not known, so no call may be made
	}
	a.patience = checkPatience
	w, _, err := a.openWarehouse(ctx, store)
	found, untested := "", ""
	if err == nil {
		server, probeErr := w.Probe(ctx)
		err, found = probeErr, "ClickHouse "+server.Version
		untested = server.Untested
	}
	report.say("warehouse", err, found)
	if untested != "" {
		report.note("warehouse", untested)
	}
	var accounts []*pipeline.Account
	var asked []*account
	for _, one := range a.accounts {
		if only.has(one.run.Name, "") {
			accounts = append(accounts, one.run)
			asked = append(asked, one)
		}
	}
	p, err := pipeline.New(ctx, pipeline.Options{Store: store, Accounts: accounts, Log: a.log})
	if err != nil {
		report.say("accounts", err, "")
		return
	}
	probes := &prober{pipeline: p, report: report, all: streams, now: time.Now()}
	if found != "" {
		probes.warehouse = w
	}
	for _, one := range asked {
		if one.source.Check().URL == "" {
			continue // there is nothing to call; checkReach said what there is
		}
		began := time.Now()
		err := p.Check(ctx, one.run.Name)
		report.say("account "+one.run.Name, err, fmt.Sprintf("%s accepts the key (%s)", one.network.Title, time.Since(began).Round(time.Millisecond)))
		if err == nil {
			probes.probe(ctx, one, only)
		}
	}
}

func (a *app) countStreams() int {
	n := 0
	for _, one := range a.accounts {
		n += len(one.source.Streams())
	}
	return n
}
