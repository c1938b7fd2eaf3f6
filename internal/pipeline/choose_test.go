package pipeline

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/state"
)

func TestChoosePicksWhatGoesTogether(t *testing.T) {
	day := func(id int64, first, days int) *entry {
		p := state.Pull{ID: id, Account: "a", Stream: "clicks", Kind: state.Windowed, From: firstDay.AddDate(0, 0, first)}
		p.To = p.From.AddDate(0, 0, days)
		if days > 1 {
			p.Route = state.Export
		}
		return &entry{pull: p}
	}
	other := func(e *entry, stream string) *entry {
		e.pull.Stream = stream
		return e
	}
	kind := func(e *entry, k state.Kind) *entry {
		e.pull.Kind = k
		return e
	}
	sized := func(e *entry, records, bytes int64) *entry {
		e.pull.Records, e.pull.Bytes = records, bytes
		return e
	}
	for name, tt := range map[string]struct {
		waiting, busy []*entry
		want          []int64
	}{
		"steps of one calendar, in any order": {[]*entry{day(1, 5, 1), day(2, 4, 1), day(3, 6, 1), day(4, 0, 1)}, nil, []int64{1, 2, 3, 4}},
		"an export without the days it has":   {[]*entry{day(1, 3, 4), day(2, 3, 1), day(3, 6, 1), day(4, 7, 1), day(5, 2, 1)}, nil, []int64{1, 4, 5}},
		"a day without the export around it":  {[]*entry{day(1, 5, 1), day(2, 3, 4), day(3, 8, 1)}, nil, []int64{1, 3}},
		"exports that overlap":                {[]*entry{day(1, 0, 4), day(2, 3, 4), day(3, 4, 4)}, nil, []int64{1, 3}},
		"the same range twice":                {[]*entry{day(1, 0, 4), day(2, 0, 4)}, nil, []int64{1}},
		"nothing beside an overlapping slot":  {[]*entry{day(2, 3, 1), day(3, 4, 1)}, []*entry{day(1, 0, 4)}, []int64{3}},
		"the days of another stream":          {[]*entry{day(1, 3, 4), other(day(2, 3, 1), "conversions")}, nil, []int64{1, 2}},
		"changes alone":                       {[]*entry{kind(day(1, 0, 1), state.Changes), day(2, 0, 1), other(day(3, 0, 1), "x")}, nil, []int64{1, 3}},
		"no changes beside a window":          {[]*entry{day(1, 0, 1), kind(day(2, 0, 1), state.Changes), day(3, 1, 1)}, nil, []int64{1, 3}},
		"a large file alone":                  {[]*entry{sized(day(1, 0, 2), 5_000_000, 1<<30), day(2, 3, 1), sized(day(3, 4, 1), 10, 0)}, nil, []int64{1}},
		"a file of unknown length by its size": {
			[]*entry{sized(day(1, 0, 1), 10, 100), sized(day(2, 1, 2), 0, 1<<30), sized(day(3, 4, 1), 10, 100)}, nil, []int64{1},
		},
		"a window of leads alone":                  {[]*entry{other(day(1, 0, 1), "leads"), other(day(2, 1, 1), "leads"), day(3, 0, 1)}, nil, []int64{1, 3}},
		"postbacks alone":                          {[]*entry{other(kind(day(1, 0, 1), state.Changes), "postbacks"), other(day(2, 1, 1), "leads")}, nil, []int64{1}},
		"no leads beside a window that they share": {[]*entry{other(day(1, 0, 1), "shared"), other(day(2, 1, 1), "leads"), other(day(3, 1, 1), "shared")}, nil, []int64{1, 3}},
		"no leads beside those of another slot":    {[]*entry{other(day(2, 1, 1), "leads"), other(day(3, 1, 1), "shared")}, []*entry{other(kind(day(1, 0, 1), state.Changes), "postbacks")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []int64
			for _, e := range choose(tt.waiting, tt.busy, ownsOfTest) {
				got = append(got, e.pull.ID)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("chosen (-want +got):\n%s", d)
			}
		})
	}
}

// ownsOfTest is an account whose streams leads and postbacks are about leads, and whose
// stream shared writes the same table.
func ownsOfTest(p state.Pull) (target, bool) {
	switch p.Stream {
	case "leads", "postbacks":
		return target{account: p.Account, leads: true}, true
	case "shared":
		return target{account: p.Account, leads: true}, false
	}
	return target{account: p.Account, stream: p.Stream}, false
}

func TestOnlyWindowsThatTheStreamStillHasAreTakenOver(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, berlin) }
	for _, tt := range []struct {
		name     string
		kind     state.Kind
		route    state.Route
		from, to time.Time
		exports  bool
		want     bool
	}{
		{"a day", state.Windowed, state.Direct, at(1, 0), at(2, 0), true, true},
		{"a day of 23 hours", state.Windowed, state.Direct, at(29, 0), at(30, 0), true, true},
		{"several days of pages", state.Windowed, state.Direct, at(1, 0), at(4, 0), true, false},
		{"an export of a day", state.Windowed, state.Export, at(1, 0), at(2, 0), true, true},
		{"an export of several days", state.Windowed, state.Export, at(1, 0), at(31, 0), true, true},
		{"an export that begins within a day", state.Windowed, state.Export, at(1, 1), at(31, 0), true, false},
		{"an export that ends within a day", state.Windowed, state.Export, at(1, 0), at(30, 23), true, false},
		{"an export, which the stream no longer makes", state.Windowed, state.Export, at(1, 0), at(2, 0), false, false},
		{"changes", state.Changes, state.Direct, at(1, 5), at(2, 7), true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := windowed("clicks")
			s.Window.Location = berlin
			if tt.exports {
				s.Export = &extractors.ExportRule{}
			}
			p := state.Pull{Kind: tt.kind, Route: tt.route, From: tt.from.UTC(), To: tt.to.UTC()}
			if got := stillOf(p, s); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
