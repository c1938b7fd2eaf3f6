// Command performcbsim serves a simulated Perform[cb] on its own, for trying things
// by hand.
//
//	performcbsim -listen 127.0.0.1:9080 -min-interval 5s -restless
//
// It prints the address as its first line of output once it serves, and ends on
// SIGINT or SIGTERM with the calls that came too early or were writes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"syncd/tests/performcbsim"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "performcbsim:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()

	var o performcbsim.Options
	a := performcbsim.Account{}
	fs := flag.NewFlagSet("performcbsim", flag.ContinueOnError)
	listen := fs.String("listen", "127.0.0.1:9080", "`address` to serve on")
	fs.Uint64Var(&o.Seed, "seed", 1, "decides everything that is generated")
	fs.IntVar(&a.UserID, "user-id", 90017, "the partner's id")
	fs.StringVar(&a.APIKey, "api-key", "performcbsim-key", "the partner's key")
	fs.IntVar(&o.Offers, "offers", 0, "offers (default 40)")
	fs.IntVar(&o.ConversionsPerDay, "conversions", 0, "conversions a day (default 60, negative: none)")
	fs.DurationVar(&o.MinInterval, "min-interval", 0, "pause between calls that is enforced (default 5m, negative: none)")
	fs.BoolVar(&o.Restless, "restless", false, "let history restate itself as time goes on")
	fs.Float64Var(&o.Faults.Rate, "fault-rate", 0, "share of calls, 0 to 1, that fail at random")
	fs.StringVar((*string)(&o.OnEarly), "on-early", "", "answer to a call that comes too early: status_-1, http_429 or close_connection")
	fs.StringVar((*string)(&o.CampaignTag), "campaign-tag", "", "how a conversion's campaign is written: campaign_id, campaign or mismatched")
	zone := fs.String("zone", "America/New_York", "the platform's time `zone`")
	from := fs.String("from", "", "first `day` of the history, UTC (default 40 days ago)")
	if err := fs.Parse(args); err != nil {
		return err
	}
	var err error
	if o.Zone, err = time.LoadLocation(*zone); err != nil {
		return fmt.Errorf("reading -zone: %w", err)
	}
	if *from != "" {
		if o.From, err = time.Parse(time.DateOnly, *from); err != nil {
			return fmt.Errorf("reading -from: %w", err)
		}
	}
	o.Accounts = []performcbsim.Account{a}
	n := performcbsim.New(o)
	url, stop, err := n.Start(*listen)
	if err != nil {
		return err
	}
	fmt.Println(url)
	<-ctx.Done()
	stop()
	for _, b := range n.Violations(n.Options().MinInterval) {
		fmt.Printf("call %d (%s): %s\n", b.Call.Number, b.Call.Get, b.Reason)
	}
	return nil
}
