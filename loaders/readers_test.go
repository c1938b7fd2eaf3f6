package loaders

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"syncd/schema"
)

const (
	readers = 8
	// crowdRows are the conversions of the window.
	crowdRows = 1_000_000
	// crowdMoved are how many of them a restatement leaves out at one end, and brings new
	// at the other.
	crowdMoved = 10_000
)

// crowdUnit is a pull of the month that the crowd lies in.
func crowdUnit(generation int) Unit {
	return unitOf(uint64(generation)*10, "conversions", "created_at", "2026-03-01", "2026-04-01")
}

// crowdQuestions are what the readers ask, in turn.
var crowdQuestions = []string{
	"SELECT count(), sum(payout) FROM {db}.conversions",
	"SELECT sum(conversions), sum(approved), sum(payout), sum(open_payout) FROM {db}.daily_performance",
	"SELECT sum(payout), countIf(status = 'approved') FROM {db}.conversions WHERE account = 'main' AND report_date >= '2026-03-10' AND report_date < '2026-03-20'",
}

// crowd counts what a generation of the window is, beside filling it.
type crowd struct {
	rows, approved, tens, tensApproved       int
	units, unitsApproved, unitsOpen, tenUnit int64 // payouts in whole units
}

// answers are those to crowdQuestions.
func (c *crowd) answers() []string {
	return []string{
		fmt.Sprintf("%d\t%d.0000000000", c.rows, c.units),
		fmt.Sprintf("%d\t%d\t%d.0000000000\t%d.0000000000", c.rows, c.approved, c.unitsApproved, c.unitsOpen),
		fmt.Sprintf("%d.0000000000\t%d", c.tenUnit, c.tensApproved),
	}
}

// stageCrowd stages a generation of the window over two connections. Each generation
// has other payouts and statuses in every row, lacks rows of the one before and has new ones.
func stageCrowd(t testing.TB, b *Batch, generation int) *crowd {
	t.Helper()
	table, _ := schema.Lookup("conversions")
	column := func(name string) int { return table.Index(name) }
	account, id, status, payout := column("account"), column("conversion_id"), column("status"), column("payout")
	created, date, version := column("created_at"), column("report_date"), column(schema.ColumnVersion)
	statuses := []string{schema.StatusApproved, schema.StatusPending, schema.StatusRejected}
	first := at("2026-03-01")
	c := &crowd{}
	block, text := schema.NewBlock(table), []byte(nil)
	for n := range crowdRows {
		i := n + generation*crowdMoved
		day, word, amount := i%31, (i+generation)%len(statuses), int64(i%97+1000*generation)
		text = strconv.AppendInt(append(text[:0], 'c'), int64(i), 10)
		block.SetBytes(account, []byte("main"))
		block.SetBytes(id, text)
		block.SetBytes(status, []byte(statuses[word]))
		block.SetDecimal(payout, schema.Int128{Low: uint64(amount) * 10_000_000_000})
		block.SetTime(created, first.AddDate(0, 0, day).UnixMilli())
		block.SetDate(date, uint16(first.Unix()/86400)+uint16(day))
		block.SetUint(version, uint64(generation)*10+1)
		block.EndRow()
		c.rows++
		c.units += amount
		ten := day >= 9 && day < 19
		if ten {
			c.tens++
			c.tenUnit += amount
		}
		switch word {
		case 0:
			c.approved++
			c.unitsApproved += amount
			if ten {
				c.tensApproved++
			}
		case 1:
			c.unitsOpen += amount
		}
		if block.Rows() == schema.BlockRows || n == crowdRows-1 {
			must(t, b.WriteOn(t.Context(), n/schema.BlockRows%2, block))
			block.Reset()
		}
	}
	return c
}

// crowdReader asks all the time, and holds every answer against what is true.
type crowdReader struct {
	w *Warehouse
	// before and after are the answers to the questions as they were and as they become.
	before, after []string
	crowding      *crowding
	// old and new count the answers that were the one and the other.
	old, new int
}

// crowding is how far the publication is, as its readers know it.
type crowding struct {
	// turns has room for the one reader that asks until all do.
	turns chan struct{}
	// all is closed when what the publication brings is compared and about to become
	// visible. Until then the readers take turns: nothing can change, and to compare beside
	// all of them takes minutes.
	all chan struct{}
	// asking has a reader's place when it asks for the first time after that.
	asking sync.WaitGroup
	// published is set once Publish has returned.
	published atomic.Bool
}

// read asks until it has asked once after the publication.
func (r *crowdReader) read(ctx context.Context, turn int) error {
	began := sync.OnceFunc(r.crowding.asking.Done)
	defer began()
	for ; ; turn++ {
		late := r.crowding.published.Load()
		alone := false
		select {
		case <-r.crowding.all:
			began()
		case r.crowding.turns <- struct{}{}:
			alone = true
		case <-ctx.Done():
			return nil
		}
		question := turn % len(crowdQuestions)
		got, err := r.ask(ctx, crowdQuestions[question])
		if alone {
			<-r.crowding.turns
		}
		if err != nil {
			return err
		}
		switch was, is := r.before[question], r.after[question]; {
		case got == is:
			r.new++
		case got != was:
			return fmt.Errorf("%s: got %q, which is neither what was (%q) nor what is (%q)", crowdQuestions[question], got, was, is)
		case late:
			return fmt.Errorf("%s: got what was (%q) after the publication", crowdQuestions[question], got)
		case r.new > 0:
			return fmt.Errorf("%s: got what was (%q) after another answer had been new", crowdQuestions[question], got)
		default:
			r.old++
		}
		if late {
			return nil
		}
	}
}

func (r *crowdReader) ask(ctx context.Context, question string) (string, error) {
	var out bytes.Buffer
	err := r.w.Query(ctx, strings.ReplaceAll(question, "{db}", quote(r.w.Database())), "tsv", &out)
	_, rows, _ := strings.Cut(out.String(), "\n")
	return strings.TrimSuffix(rows, "\n"), err
}

func TestAMillionRowsAreRestatedUnderTheEyesOfReaders(t *testing.T) {
	w := setup(t)
	// Readers have their own connections, as BI has.
	asked, err := Open(t.Context(), Options{DSN: engine.DSN(), Database: w.Database(), Asking: true})
	must(t, err)
	t.Cleanup(func() { must(t, asked.Close()) })
	stage := func(generation int) (*Batch, []string) {
		b, err := w.Begin(t.Context(), 0)
		must(t, err)
		t.Cleanup(func() { b.Abort(context.WithoutCancel(t.Context())) })
		return b, stageCrowd(t, b, generation).answers()
	}
	b, before := stage(1)
	_, err = b.Publish(t.Context(), []Unit{crowdUnit(1)})
	must(t, err)
	for q := range crowdQuestions {
		equal(t, crowdQuestions[q], ask(t, w, "%s", crowdQuestions[q]), before[q])
	}
	b, after := stage(2)

	ctx, fail := context.WithCancelCause(t.Context())
	defer fail(nil)
	state := &crowding{turns: make(chan struct{}, 1), all: make(chan struct{})}
	state.asking.Add(readers)
	var reading sync.WaitGroup
	all := make([]crowdReader, readers)
	for i := range all {
		all[i] = crowdReader{w: asked, before: before, after: after, crowding: state}
		reading.Go(func() {
			if err := all[i].read(ctx, i); err != nil {
				fail(fmt.Errorf("reader %d: %w", i, err))
			}
		})
	}
	// From when the rows are about to become visible the month is merged again and again.
	var merging sync.WaitGroup
	mergeable, enough := context.WithCancel(ctx)
	defer enough()
	w.after = func(step string) error {
		switch step {
		case "insert":
			if parts := ask(t, w, "SELECT count() < 4 FROM system.parts WHERE database = '%s' AND table = 'staging_0_conversions' AND active", w.Store()); parts != "0" {
				t.Error("the window is staged in fewer than 4 parts, which is not what this test is about")
			}
			return nil
		case "record":
		default:
			return nil
		}
		close(state.all)
		merging.Go(func() {
			for mergeable.Err() == nil {
				err := w.exec(mergeable, "merging", "OPTIMIZE TABLE "+w.ddl.target("conversions")+" FINAL")
				// An ATTACH ends the merges of its partition, which begin again afterwards.
				if err != nil && mergeable.Err() == nil && !strings.Contains(err.Error(), "Cancelled merging parts") {
					fail(err)
				}
			}
		})
		state.asking.Wait()
		return nil
	}
	result, err := b.Publish(ctx, []Unit{crowdUnit(2)})
	state.published.Store(true)
	if err != nil {
		fail(err)
	}
	reading.Wait()
	enough()
	merging.Wait()
	if err := context.Cause(ctx); err != nil {
		t.Fatal(err)
	}
	old, fresh := 0, 0
	for i := range all {
		old, fresh = old+all[i].old, fresh+all[i].new
	}
	t.Logf("%d answers were of before, %d of after", old, fresh)
	if u := result.Units[0]; u.Added != crowdMoved || u.Removed != crowdMoved || u.Changed != crowdRows-crowdMoved {
		t.Errorf("got %+v, want every row changed and %d gone at one end and come at the other", u, crowdMoved)
	}
	for q := range crowdQuestions {
		equal(t, crowdQuestions[q]+" in the end", ask(t, w, "%s", crowdQuestions[q]), after[q])
	}
}

// TestAWindowOfTwoMonthsBecomesVisibleAMonthAtATime holds what readers may see of one
// (README, Limits): each month as it was or as it is.
func TestAWindowOfTwoMonthsBecomesVisibleAMonthAtATime(t *testing.T) {
	w := setup(t)
	load := func(version uint64, status string) error {
		_, err := tryPublish(t.Context(), w, []Unit{unitOf(version, "conversions", "created_at", "2026-03-30", "2026-04-03")}, conversions(t,
			conv{id: "a", created: "2026-03-31 10:00:00", status: status, payout: "1", revenue: "2", currency: "USD", version: version + 1},
			conv{id: "b", created: "2026-04-01 10:00:00", status: status, payout: "1", revenue: "2", currency: "USD", version: version + 1},
		))
		return err
	}
	must(t, load(10, "pending"))
	var seen []string
	w.after = func(step string) error {
		seen = append(seen, step+": "+strings.ReplaceAll(ask(t, w, "SELECT status FROM {db}.conversions ORDER BY conversion_id"), "\n", ", "))
		return nil
	}
	must(t, load(20, "approved"))
	equal(t, "what a reader sees after each step", lines(seen...), lines(
		"insert: pending, pending", "compare: pending, pending", "record: pending, pending",
		"attach: approved, pending", "attach: approved, approved"))
}
