package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/schema"
	"syncd/state"
)

// tenADay is an account of a platform that writes ten files a day.
func tenADay() Account {
	return Account{
		MinDelay: 0, Parallel: 1,
		Budgets: map[string]state.Budget{"exports": {Name: "exports", Calls: 10, Per: 24 * time.Hour}},
	}
}

// daily brings a number of rows a day, so many a call.
func daily(rows int64, size int) Volume {
	v := VolumeOf(&extractors.Stream{PageSize: size}, nil, nil)
	if rows >= 0 {
		v.PerHour, v.Known = float64(rows)/24, true
	}
	return v
}

func TestRoutes(t *testing.T) {
	now := june(30).Add(12 * time.Hour)
	day := func(tier state.Tier, days ...int) (due []Due) {
		for _, d := range days {
			due = append(due, Due{Window: schema.Window{From: june(d), To: june(d + 1)}, Tier: tier})
		}
		return due
	}
	run := func(tier state.Tier, from, to int) (due []Due) {
		for d := to; d >= from; d-- { // in the planner's order, the newest first
			due = append(due, day(tier, d)...)
		}
		return due
	}
	pull := func(route state.Route, tier state.Tier, from, to int) state.Pull {
		return state.Pull{ID: int64(from), Kind: state.Windowed, Route: route, Tier: tier, From: june(from), To: june(to)}
	}
	tests := []struct {
		name     string
		rule     *extractors.ExportRule
		volume   Volume
		due      []Due
		open     []state.Pull
		standing []Standing
		want     []string
	}{
		{
			"a network without files is asked a window at a time, in the order that was planned",
			nil, daily(1000, 10), append(day(state.Hot, 30, 29), day(state.Warm, 28)...), nil, nil,
			[]string{"direct hot 30", "direct hot 29", "direct warm 28"},
		},
		{
			"hot days go directly, days that touch in one file of unknown size",
			&extractors.ExportRule{Budget: "exports"}, daily(-1, 10), append(day(state.Hot, 30, 29), run(state.Backfill, 1, 28)...), nil, nil,
			[]string{"direct hot 30", "direct hot 29", "export backfill 1..28"},
		},
		{
			"of unknown rows a file holds a week, counted from the oldest day",
			&extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}, daily(-1, 10), run(state.Backfill, 1, 16), nil, nil,
			[]string{"export backfill 15..16", "export backfill 8..14", "export backfill 1..7"},
		},
		{
			"of known rows a file is half full",
			&extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}, daily(200_000, 10), run(state.Cold, 1, 12), nil, nil,
			[]string{"export cold 11..12", "export cold 6..10", "export cold 1..5"},
		},
		{
			"a day alone that is more than half a file is still one file",
			&extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}, daily(1_500_000, 10), run(state.Cold, 1, 2), nil, nil,
			[]string{"export cold 2", "export cold 1"},
		},
		{
			"days that do not touch are files of their own",
			&extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}, daily(200_000, 10), day(state.Cold, 9, 8, 5, 4), nil, nil,
			[]string{"export cold 8..9", "export cold 4..5"},
		},
		{
			"few rows go page by page",
			&extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}, daily(5_000, 10), day(state.Warm, 9, 8), nil, nil,
			[]string{"direct warm 9", "direct warm 8"},
		},
		{
			"a file is as urgent as the most urgent of its days",
			&extractors.ExportRule{Budget: "exports"}, daily(900_000, 10), append(day(state.Warm, 9), append(day(state.Cold, 8), day(state.Backfill, 7)...)...), nil, nil,
			[]string{"export warm 7..9"},
		},
		{
			"where files are the only way hot days are in them, however few the rows",
			&extractors.ExportRule{Budget: "exports", Only: true}, daily(10, 10), append(day(state.Hot, 30, 29), day(state.Warm, 28)...), nil, nil,
			[]string{"export hot 28..30"},
		},
		{
			"no file covers more than 31 days",
			&extractors.ExportRule{Budget: "exports", Only: true}, daily(10, 10), run(state.Backfill, 1, 40), nil, nil,
			[]string{"export backfill 32..40", "export backfill 1..31"},
		},
		{
			"days inside an open file are not asked for again, the hot ones are",
			&extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}, daily(200_000, 10),
			append(day(state.Hot, 9), append(day(state.Backfill, 8, 7), day(state.Backfill, 3)...)...),
			[]state.Pull{pull(state.Export, state.Backfill, 6, 10)}, nil,
			[]string{"direct hot 9", "export backfill 3"},
		},
		{
			"a hot day that was held back is asked again directly, however many its rows",
			&extractors.ExportRule{Budget: "exports"}, daily(900_000, 10), day(state.Hot, 30), nil,
			[]Standing{{Window: schema.Window{From: june(30), To: june(31)}, Ask: true}},
			[]string{"direct hot 30"},
		},
		{
			"an open file that is wanted sooner is given again with the new tier",
			&extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}, daily(200_000, 10), day(state.Warm, 8, 7),
			[]state.Pull{pull(state.Export, state.Backfill, 6, 10)}, nil,
			[]string{"export warm 6..9"},
		},
		{
			"a day that is asked for page by page is left out of the file around it",
			&extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}, daily(200_000, 10), run(state.Warm, 1, 5),
			[]state.Pull{pull(state.Direct, state.Hot, 3, 4)}, nil,
			[]string{"export warm 4..5", "export warm 1..2"},
		},
		{
			"an open snapshot covers no window",
			&extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}, daily(200_000, 10), day(state.Warm, 2),
			[]state.Pull{{Kind: state.Changes, From: june(1), To: june(20)}}, nil,
			[]string{"export warm 2"},
		},
		{
			"a window that stands alone is not put into a group",
			&extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}, daily(200_000, 10), run(state.Warm, 1, 5), nil,
			[]Standing{{Window: schema.Window{From: june(3), To: june(4)}}},
			[]string{"export warm 4..5", "export warm 3", "export warm 1..2"},
		},
		{
			"a file that stands is asked for as it was, even if pages are cheaper now",
			&extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}, daily(10, 10), day(state.Warm, 5, 4), nil,
			[]Standing{{Window: schema.Window{From: june(3), To: june(6)}, Export: true}},
			[]string{"export warm 3..5"},
		},
		{
			"a file that stands waits while one of its days is asked for",
			&extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}, daily(10, 10), day(state.Warm, 5, 4),
			[]state.Pull{pull(state.Direct, state.Hot, 3, 4)},
			[]Standing{{Window: schema.Window{From: june(3), To: june(6)}, Export: true}},
			nil,
		},
		{
			"what has to be asked again is, though nothing is due",
			&extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}, daily(10, 10), nil, nil,
			[]Standing{{Window: schema.Window{From: june(3), To: june(6)}, Export: true, Ask: true}, {Window: schema.Window{From: june(8), To: june(9)}, Ask: true}, {Window: schema.Window{From: june(9), To: june(12)}, Export: true}},
			[]string{"direct warm 8", "export warm 3..5"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Stream{Step: extractors.Day, Location: time.UTC, PageSize: 100, Export: tt.rule}
			var got []string
			for _, c := range s.Routes(tt.due, tt.open, tt.standing, tt.volume, tenADay(), now) {
				route, days := "direct", fmt.Sprint(1+int(c.Window.From.Sub(june(1)).Hours()/24))
				if c.Route == state.Export {
					route = "export"
				}
				if last := fmt.Sprint(int(c.Window.To.Sub(june(1)).Hours() / 24)); last != days {
					days += ".." + last
				}
				got = append(got, fmt.Sprintf("%s %s %s", route, c.Tier, days))
				if n := s.Steps(c.Window); c.Steps != n {
					t.Errorf("%s: %d steps, it has %d", days, c.Steps, n)
				}
				if (c.Why == "") != (tt.rule == nil) {
					t.Errorf("%s: why: %q", days, c.Why)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("pulls (-want +got):\n%s", d)
			}
		})
	}
}

func TestTheCheaperRouteIsSaidInWords(t *testing.T) {
	now := june(30)
	tests := []struct {
		name    string
		rows    int64
		account Account
		want    string
		calls   int
	}{
		{
			"calls a second, so many that the pages take less than a file",
			600_000, tenADay(),
			"6,000 calls (6.9 % of a day) against 1 of 10 exports (10 %): report", 6000,
		},
		{
			"more of them take more",
			900_000, tenADay(),
			"9,000 calls (10 % of a day) against 1 of 10 exports (10 %): export", exportCalls,
		},
		{
			"two at a time take half",
			900_000, Account{Parallel: 2, Budgets: tenADay().Budgets},
			"9,000 calls (5.2 % of a day) against 1 of 10 exports (10 %): report", 9000,
		},
		{
			"a quota of calls makes them dear",
			5_000, Account{Quotas: []state.Budget{{Calls: 10, Per: time.Hour}}, Budgets: tenADay().Budgets},
			"50 calls (21 % of a day) against 1 of 10 exports (10 %): export", exportCalls,
		},
		{
			"a slow pace makes the calls of an export count as well",
			100, Account{MinDelay: 5 * time.Minute, Budgets: tenADay().Budgets},
			"1 call (0.3 % of a day) against 1 of 10 exports (10 %): report", 1,
		},
		{
			"files without a budget cost their calls",
			2_000, Account{},
			"20 calls (under 0.1 % of a day) against 1 export (under 0.1 %): export", exportCalls,
		},
		{
			"a day of more rows than a file holds is asked for in halves",
			5_000_000, tenADay(),
			"50,000 calls (58 % of a day) against 7 of 10 exports (70 %): report", 50_000,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Stream{Step: extractors.Day, Location: time.UTC, PageSize: 100, Export: &extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}}
			due := []Due{{Window: schema.Window{From: june(3), To: june(4)}, Tier: state.Cold}}
			got := s.Routes(due, nil, nil, daily(tt.rows, 100), tt.account, now)
			if len(got) != 1 || got[0].Why != tt.want || got[0].Calls != tt.calls || got[0].Rows != tt.rows {
				t.Errorf("got %+v\nwant %q, %d calls", got, tt.want, tt.calls)
			}
			if export := strings.HasSuffix(tt.want, "export"); len(got) == 1 && (got[0].Route == state.Export) != export {
				t.Errorf("route %q", got[0].Route)
			}
		})
	}
}

func TestVolume(t *testing.T) {
	day := func(d int, rows int64) state.Checkpoint {
		c := pulledAt(d, d+1, june(30))
		c.Rows = rows
		return c
	}
	half := day(10, 500)
	half.PulledAt = june(10).Add(12 * time.Hour)
	tests := []struct {
		name      string
		stream    extractors.Stream
		published []state.Checkpoint
		parent    []state.Checkpoint
		rows      int64 // of a day
		calls     int
		least     bool
	}{
		{"nothing published", extractors.Stream{PageSize: 100}, nil, nil, -1, 1, true},
		{"every day the same", extractors.Stream{PageSize: 100}, []state.Checkpoint{day(1, 1000), day(2, 1000)}, nil, 1000, 10, false},
		{"a day that had not ended counts by its hours", extractors.Stream{PageSize: 100}, []state.Checkpoint{half}, nil, 1000, 10, false},
		{"the week before weighs half", extractors.Stream{PageSize: 100}, []state.Checkpoint{day(1, 0), day(8, 900)}, nil, 600, 6, false},
		{"a file of many days is an hour's rate like a day", extractors.Stream{PageSize: 100}, []state.Checkpoint{{Kind: state.Windowed, From: june(1), To: june(11), PulledAt: june(20), Rows: 10_000}}, nil, 1000, 10, false},
		{"no rows are one call", extractors.Stream{PageSize: 100}, []state.Checkpoint{day(1, 0)}, nil, 0, 1, false},
		{"a network that says nothing of pages", extractors.Stream{}, []state.Checkpoint{day(1, 1000)}, nil, 1000, 1, false},
		{
			"a list of values, some a call", extractors.Stream{PageSize: 100, ForEach: &extractors.ForEachRule{Values: []string{"a", "b", "c"}, Batch: 2}},
			[]state.Checkpoint{day(1, 150)}, nil, 150, 2, false,
		},
		{
			"the live rows of another stream, a call each", extractors.Stream{PageSize: 100, ForEach: &extractors.ForEachRule{Stream: "offers", Batch: 1}},
			[]state.Checkpoint{day(1, 1000)}, []state.Checkpoint{{Kind: state.Snapshot, Rows: 40}}, 1000, 40, false,
		},
		{
			"those of a stream that is not known yet", extractors.Stream{PageSize: 100, ForEach: &extractors.ForEachRule{Stream: "offers", Batch: 1}},
			[]state.Checkpoint{day(1, 1000)}, nil, 1000, 10, true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := VolumeOf(&tt.stream, tt.published, tt.parent)
			rows := v.Rows(schema.Window{From: june(20), To: june(21)}, june(30))
			calls, least := v.Calls(rows)
			if rows != tt.rows || calls != tt.calls || least != tt.least {
				t.Errorf("got %d rows, %d calls, least %v; want %d, %d, %v", rows, calls, least, tt.rows, tt.calls, tt.least)
			}
		})
	}
}

func TestEachItemOfAListIsAFileOfItsOwn(t *testing.T) {
	stream := &extractors.Stream{
		Name: "clicks", PageSize: 100, Window: &extractors.WindowRule{Step: extractors.Day, Location: time.UTC},
		ForEach: &extractors.ForEachRule{Values: []string{"a", "b", "c"}, Batch: 1},
		Export:  &extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000},
	}
	published := []state.Checkpoint{pulledAt(1, 2, june(20))}
	published[0].Rows = 1_500_000
	volume := VolumeOf(stream, published, nil)
	var due []Due
	for d := 1; d <= 4; d++ {
		due = append(due, Due{Window: schema.Window{From: june(d), To: june(d + 1)}, Tier: state.Cold})
	}
	// Three files of 500,000 rows a day hold two days each before they are half full.
	got := Of(stream).Routes(due, nil, nil, volume, tenADay(), june(30))
	if len(got) != 2 || got[0].Steps != 2 || got[0].Exports != 3 || got[0].Calls != 3*exportCalls ||
		got[0].Why != "30,000 calls (35 % of a day) against 3 of 10 exports (30 %): export" {
		t.Errorf("got %+v", got)
	}
	volume.PerHour *= 10 // files of 10 million rows in two days, of 5 million in one
	if n, _ := volume.Exports(15_000_000, 2_000_000); n != 3*7 {
		t.Errorf("got %d exports of 5 million rows for each of three items, want 1, 2 and 4 of each", n)
	}
}

func TestWhatAnAccountMayAsk(t *testing.T) {
	tests := []struct {
		name    string
		account Account
		perDay  float64
		hundred time.Duration // what 100 calls take
	}{
		{"five minutes after the end of a call of two seconds", Account{MinDelay: 5 * time.Minute, CallTime: 2 * time.Second}, 286.09, 100 * 302 * time.Second},
		{"no delay, a second a call", Account{}, 86400, 100 * time.Second},
		{"side by side", Account{MinDelay: time.Second, CallTime: 9 * time.Second, Parallel: 5}, 43200, 200 * time.Second},
		{"side by side, but no closer than the delay", Account{MinDelay: time.Minute, Parallel: 4}, 1440, 100 * time.Minute},
		{"a quota of thirty an hour, thirty at once", Account{Quotas: []state.Budget{{Calls: 30, Per: time.Hour}}}, 720, 3 * time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.account.CallsPerDay(); got < tt.perDay-0.01 || got > tt.perDay+0.01 {
				t.Errorf("got %v calls a day, want %v", got, tt.perDay)
			}
			if got := tt.account.Takes(100); got != tt.hundred {
				t.Errorf("100 calls take %s, want %s", got, tt.hundred)
			}
		})
	}
}
