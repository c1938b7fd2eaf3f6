package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"syncd/extractors"
	"syncd/internal/pipeline"
	"syncd/state"
)

func newPlanCommand() *cobra.Command {
	var file, backfill string
	var only []string
	c := &cobra.Command{
		Use:   "plan",
		Short: "What a run would pull, in windows, calls and hours; makes no call",
		Long: `plan prints what is due now, or what a backfill would pull: windows, calls, the time
that they take at the network's pace, the rows expected and the tables touched.
Calls and rows are estimated from what was published before; where nothing was,
one call a window is counted and marked with "at least".`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := loadApp(file, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer a.close()
			if err := a.check(only); err != nil {
				return err
			}
			var days *dayRange
			if backfill != "" {
				d, err := parseDays(backfill)
				if err != nil {
					return err
				}
				days = &d
			}
			store, err := a.readState()
			if err != nil {
				return err
			}
			prices, err := a.price(cmd.Context(), store, only, days, time.Now())
			if err != nil {
				return err
			}
			printPrices(cmd.OutOrStdout(), prices)
			return nil
		},
	}
	configFlag(c, &file)
	onlyFlag(c, &only)
	c.Flags().StringVar(&backfill, "backfill", "", "FROM..TO, report days, both included")
	return c
}

// price is what one stream's work costs.
type price struct {
	account, stream string
	windows, calls  int
	// guessed says that calls rest on nothing but the number of windows.
	guessed bool
	// took is how long the calls take at the account's pace.
	took   time.Duration
	rows   int64
	tables []string
	from   time.Time
	to     time.Time
}

// price computes the cost of what is due now, or of a range of days.
func (a *app) price(ctx context.Context, store state.Store, only selection, days *dayRange, now time.Time) ([]price, error) {
	var prices []price
	var held []state.HeldWindow
	if store != nil {
		var err error
		if held, err = store.HeldWindows(ctx, ""); err != nil {
			return nil, fmt.Errorf("reading what is held back: %w", err)
		}
	}
	for _, one := range a.accounts {
		for _, s := range one.source.Streams() {
			if !only.has(one.run.Name, s.Name) {
				continue
			}
			var published []state.Checkpoint
			if store != nil {
				var err error
				if published, err = store.Checkpoints(ctx, one.run.Name, s.Name); err != nil {
					return nil, fmt.Errorf("reading what is published of account %s, stream %s: %w", one.run.Name, s.Name, err)
				}
			}
			var pulls []state.NewPull
			if days != nil {
				from, to := days.in(one.run.Location)
				pulls = pipeline.BackfillPulls(one.run.Name, s, published, from, to, now, now)
			} else {
				pulls = pipeline.Pulls(one.run.Name, s, published, held, now)
			}
			prices = append(prices, one.priceOf(s, published, pulls))
		}
	}
	return prices, nil
}

// callEstimate is how long a call takes where nothing is known; a page of 500
// records of a healthy platform is there in about a second.
const callEstimate = time.Second

func (a *account) priceOf(s *extractors.Stream, published []state.Checkpoint, pulls []state.NewPull) price {
	p := price{account: a.run.Name, stream: s.Name, windows: len(pulls)}
	for _, out := range s.Outputs {
		p.tables = append(p.tables, out.Table.Name)
	}
	for _, x := range pulls {
		if p.from.IsZero() || x.From.Before(p.from) {
			p.from = x.From
		}
		if x.To.After(p.to) {
			p.to = x.To
		}
	}
	var rows int64
	for _, c := range published {
		rows += c.Rows
	}
	perWindow := 1
	if len(published) == 0 {
		p.guessed = true
	} else {
		average := rows / int64(len(published))
		p.rows = average * int64(len(pulls))
		if size := a.pageSize(s.Name); size > 0 {
			perWindow = max(1, int((average+int64(size)-1)/int64(size)))
		}
	}
	p.calls = perWindow * len(pulls)
	p.took = time.Duration(p.calls) * (a.run.MinDelay + callEstimate) / time.Duration(max(a.run.Parallel, 1))
	return p
}

// pageSize is the number of records that a call of a stream brings at most; 0 if unknown.
func (a *account) pageSize(stream string) int {
	for _, s := range a.network.Streams {
		if s.Name == stream || strings.HasPrefix(stream, s.Name+"/") && s.Slices != nil {
			return s.Paging.Size
		}
	}
	return 0
}

func printPrices(out io.Writer, prices []price) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "ACCOUNT\tSTREAM\tWINDOWS\tFROM\tTO\tCALLS\tTIME AT THE PACE\tROWS EXPECTED\tTABLES")
	total := map[string]*price{}
	var order []string
	for _, p := range prices {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", p.account, p.stream, p.windows, day(p.from), day(p.to),
			p.callsText(), p.took.Round(time.Second), p.rowsText(), strings.Join(p.tables, " "))
		t := total[p.account]
		if t == nil {
			t = &price{account: p.account, stream: "total"}
			total[p.account] = t
			order = append(order, p.account)
		}
		t.windows += p.windows
		t.calls += p.calls
		t.took += p.took
		t.rows += p.rows
		t.guessed = t.guessed || p.guessed
	}
	for _, name := range order {
		t := total[name]
		fmt.Fprintf(w, "%s\t%s\t%d\t\t\t%s\t%s\t%s\t\n", t.account, t.stream, t.windows, t.callsText(), t.took.Round(time.Second), t.rowsText())
	}
}

func (p *price) callsText() string {
	if p.guessed && p.calls > 0 {
		return fmt.Sprintf("at least %d", p.calls)
	}
	return fmt.Sprint(p.calls)
}

func (p *price) rowsText() string {
	if p.guessed && p.rows == 0 {
		return "not known yet"
	}
	return fmt.Sprintf("about %d", p.rows)
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("2006-01-02 15:04")
}
