// Command affisesim serves a simulated Affise tenant on its own, for
// benchmarks and for trying things by hand.
//
//	affisesim -listen 127.0.0.1:9070 -conversions 1000000 -clicks 2000000 \
//	    -from 2026-01-01 -to 2026-04-01 -clicks-max-age -1h -premake UTC
//
// It prints the address as its first line of output once it serves. The
// control paths are those of affisesim.Network.ControlHandler; it ends on
// POST /_sim/stop, SIGINT or SIGTERM.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"syncd/tests/affisesim"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "affisesim:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()

	var o affisesim.Options
	fs := flag.NewFlagSet("affisesim", flag.ContinueOnError)
	listen := fs.String("listen", "127.0.0.1:9070", "`address` to serve on")
	fs.Uint64Var(&o.Seed, "seed", 1, "decides everything that is generated")
	fs.StringVar(&o.AdminKey, "admin-key", "", "the key that sees all")
	fs.IntVar(&o.Conversions, "conversions", 0, "conversions in the history (default 2000)")
	fs.IntVar(&o.Clicks, "clicks", 0, "clicks in the history (default 20000)")
	fs.IntVar(&o.Offers, "offers", 0, "offers (default 40)")
	fs.IntVar(&o.Partners, "partners", 0, "affiliates (default 25)")
	fs.IntVar(&o.Advertisers, "advertisers", 0, "advertisers (default 10)")
	fs.IntVar(&o.Users, "users", 0, "managers (default 6)")
	fs.IntVar(&o.MaxLimit, "max-limit", 0, "largest page (default 500, negative: none)")
	fs.DurationVar(&o.ClicksMaxAge, "clicks-max-age", 0, "how far back clicks are served (default 168h, negative: no limit)")
	fs.IntVar(&o.Live.ClicksPerHour, "live-clicks", 0, "clicks an hour that arrive from now on")
	fs.IntVar(&o.Live.ConversionsPerHour, "live-conversions", 0, "conversions an hour that arrive from now on")
	fs.DurationVar(&o.Live.Decide, "live-decide", 0, "mean time until a live conversion is decided")
	fs.BoolVar(&o.Modern, "modern", false, "send the keys of newer installations")
	fs.BoolVar(&o.Strict, "strict", false, "refuse parameters that the documents do not name")
	platform := fs.String("platform", "Europe/Moscow", "time `zone` of the platform")
	from := fs.String("from", "", "first `day` of the history, UTC (default 30 days before -to)")
	to := fs.String("to", "", "`day` after the last of the history, UTC (default now)")
	premake := fs.String("premake", "", "render the pages of this time `zone` beforehand")
	limit := fs.Int("premake-limit", 500, "size of the premade pages")
	dir := fs.String("premake-dir", "", "`directory` of the premade pages (default a temporary one)")
	logFile := fs.String("log", "", "`file` to which each call is written as a line of JSON")
	if err := fs.Parse(args); err != nil {
		return err
	}
	var err error
	if o.Platform, err = time.LoadLocation(*platform); err != nil {
		return fmt.Errorf("reading -platform: %w", err)
	}
	if o.From, err = day(*from); err != nil {
		return fmt.Errorf("reading -from: %w", err)
	}
	if o.To, err = day(*to); err != nil {
		return fmt.Errorf("reading -to: %w", err)
	}
	n := affisesim.New(o)
	defer n.Close()
	if *premake != "" {
		made, err := n.Premake(affisesim.PremakeOptions{Zone: *premake, Limit: *limit, Dir: *dir})
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "premade %d pages, %d rows, %d MB in %s\n", made.Pages, made.Rows, made.Bytes>>20, made.Took.Round(time.Millisecond))
	}
	if *logFile != "" {
		f, err := os.Create(*logFile)
		if err != nil {
			return fmt.Errorf("opening the log: %w", err)
		}
		defer f.Close()
		n.OnCall(writeCalls(f))
	}
	url, stop, err := n.StartControlled(*listen, cancel)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Println(url)
	<-ctx.Done()
	return nil
}

// writeCalls writes calls as lines of JSON, one at a time.
func writeCalls(f *os.File) func(affisesim.Call) {
	var mu sync.Mutex
	enc := json.NewEncoder(f)
	return func(c affisesim.Call) {
		mu.Lock()
		defer mu.Unlock()
		_ = enc.Encode(c) // the log is a help; a full disk must not fail the benchmark
	}
}

func day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateOnly, s)
}
