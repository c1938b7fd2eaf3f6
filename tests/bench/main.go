package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"syncd/internal/embedded"
)

// options are the flags.
type options struct {
	only    string
	rounds  int
	scale   float64
	json    bool
	profile string
	keep    bool
}

// part is one thing that is measured.
type part struct {
	name string
	run  func(ctx context.Context, b *bench) error
}

var parts = []part{
	{"normalize", benchNormalize},
	{"backfill", benchBackfill},
	{"export", benchExport},
	{"publish", benchPublish},
	{"final", benchFinal},
	{"postbacks", benchPostbacks},
	{"idle", benchIdle},
}

func main() {
	embedded.HostIfAsked() // the child process that hosts ClickHouse never returns from here
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.StringVar(&o.only, "only", "", "`parts` to measure, joined by commas: normalize, backfill, export, publish, final, postbacks, idle")
	fs.IntVar(&o.rounds, "rounds", 3, "rounds of which the median counts")
	fs.Float64Var(&o.scale, "scale", 1, "share of the rows of a full run")
	fs.BoolVar(&o.json, "json", false, "print JSON instead of a table")
	fs.StringVar(&o.profile, "profile", "", "`directory` for CPU and heap profiles of syncd's backfill")
	fs.BoolVar(&o.keep, "keep", false, "keep the working directory, and say where it is")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if o.rounds < 1 || o.scale <= 0 {
		return errors.New("-rounds and -scale have to be positive")
	}
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer b.close()
	for _, p := range chosen {
		b.note("%s ...", p.name)
		if err := p.run(ctx, b); err != nil {
			return fmt.Errorf("measuring %s: %w", p.name, err)
		}
	}
	return b.report.print(os.Stdout, o.json)
}

func choose(only string) ([]part, error) {
	if only == "" {
		return parts, nil
	}
	var chosen []part
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-only %s: there is no such part", name)
		}
		chosen = append(chosen, parts[i])
	}
	return chosen, nil
}

// bench is what the parts share.
type bench struct {
	options
	dir    string // of the run; removed at its end
	report report
}

func newBench(o options) (*bench, error) {
	if _, err := os.Stat("go.mod"); err != nil {
		return nil, errors.New("run it from the root of the repository: go run ./tests/bench")
	}
	dir, err := os.MkdirTemp("", "syncd-bench-")
	if err != nil {
		return nil, err
	}
	return &bench{options: o, dir: dir}, nil
}

func (b *bench) close() {
	if b.keep {
		b.note("kept %s", b.dir)
		return
	}
	if err := os.RemoveAll(b.dir); err != nil {
		b.note("not removed: %v", err)
	}
}

// note tells on stderr how far the run is.
func (b *bench) note(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// scaled is the scaled number of rows of a full run, at least one.
func (b *bench) scaled(n int) int { return max(int(float64(n)*b.scale), 1) }
