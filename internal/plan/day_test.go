package plan

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/state"
)

// each is a schedule: every so often, some time after midnight UTC.
func each(every, after time.Duration) func(time.Time) time.Time {
	return func(t time.Time) time.Time { return t.Add(-after).Truncate(every).Add(every + after) }
}

const dayLong = 24 * time.Hour

// conversions, offers and subids are the streams of Perform[cb], whose key has one
// call each five minutes, failed ones included.
func conversions() *extractors.Stream {
	return &extractors.Stream{
		Name: "conversions", Window: &extractors.WindowRule{Step: extractors.Day, Location: time.UTC},
		Restate: []extractors.TierRule{{Last: dayLong, Every: 30 * time.Minute}, {Last: 35 * dayLong, Every: dayLong}, {Last: 90 * dayLong, Every: 7 * dayLong}},
	}
}

func subids() *extractors.Stream {
	s := conversions()
	s.Name, s.Restate = "subaffiliates", []extractors.TierRule{{Last: dayLong, Every: 2 * time.Hour}, {Last: 35 * dayLong, Every: dayLong}}
	return s
}

func TestADayOfAKeyWithOneCallInFiveMinutes(t *testing.T) {
	account := Account{MinDelay: 5 * time.Minute, CallTime: 2 * time.Second, Parallel: 1}
	now := june(20).Add(9 * time.Hour)
	offers := &extractors.Stream{Name: "offers", PageSize: 1000}
	loads := map[string]Load{
		"offers": Day(offers, VolumeOf(offers, []state.Checkpoint{{Kind: state.Snapshot, Rows: 2600}}, nil), account, each(6*time.Hour, 0), now),
		"conversions": Day(conversions(), VolumeOf(conversions(), []state.Checkpoint{{Kind: state.Windowed, From: june(1), To: june(2), PulledAt: june(3), Rows: 800}}, nil),
			account, each(30*time.Minute, 5*time.Minute), now),
		"subaffiliates": Day(subids(), VolumeOf(subids(), nil, nil), account, each(2*time.Hour, 10*time.Minute), now),
	}
	want := map[string]Load{
		// Three pages of 1,000, four times.
		"offers": {Runs: 4, Pulls: 4, Calls: 12},
		// Today and yesterday every half hour, 34 days once, and those that left the daily
		// tier a multiple of seven days ago.
		"conversions":   {Runs: 48, Pulls: 2*48 + 34 + 7, Calls: 2*48 + 34 + 7},
		"subaffiliates": {Runs: 12, Pulls: 2*12 + 34, Calls: 2*12 + 34, Least: true},
	}
	if d := cmp.Diff(want, loads); d != "" {
		t.Errorf("loads (-want +got):\n%s", d)
	}
	var all Load
	for _, l := range loads {
		all.Add(l)
	}
	if most := account.CallsPerDay(); float64(all.Calls) > most || most > 288 {
		t.Errorf("%d calls a day; the network allows %.0f", all.Calls, most)
	}
}

func TestTheLongRunAgreesWithRunningLong(t *testing.T) {
	s, account := conversions(), Account{}
	s.Restate = []extractors.TierRule{{Last: dayLong, Every: 2 * time.Hour}, {Last: 5 * dayLong, Every: dayLong}, {Last: 22 * dayLong, Every: 7 * dayLong}}
	next := each(2*time.Hour, 5*time.Minute)
	axis := Of(s)
	// Seven weeks by the planner itself, from nothing; then a week of the simulation.
	start := june(1)
	axis.Start = start
	published := map[time.Time]state.Checkpoint{}
	const days, counted = 49, 14
	calls := 0
	for at := next(start); at.Before(start.Add(days * dayLong)); at = next(at) {
		known := slices.Collect(maps.Values(published))
		for _, d := range axis.DueWindows(at, known) {
			published[d.Window.From] = state.Checkpoint{Kind: state.Windowed, From: d.Window.From, To: d.Window.To, PulledAt: at}
			if at.After(start.Add((days - counted) * dayLong)) {
				calls++
			}
		}
	}
	simulated := 0
	for d := range 7 {
		simulated += Day(s, VolumeOf(s, nil, nil), account, next, start.Add((days+time.Duration(d))*dayLong)).Pulls
	}
	if want := calls / 2; simulated < want-1 || simulated > want+1 {
		t.Errorf("a week has %d pulls by the simulation, %d by the planner", simulated, want)
	}
}

func TestExportsADayStayWithinWhatIsGranted(t *testing.T) {
	account := tenADay()
	clicks := &extractors.Stream{
		Name: "clicks", PageSize: 100, Window: &extractors.WindowRule{Step: extractors.Day, Location: time.UTC, Settle: time.Hour},
		Restate: []extractors.TierRule{{Last: dayLong, Every: time.Hour}, {Last: 4 * dayLong, Every: dayLong}},
		Export:  &extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000},
	}
	logs := &extractors.Stream{
		Name: "postback_logs", Window: &extractors.WindowRule{Step: extractors.Day, Location: time.UTC},
		Restate: []extractors.TierRule{{Last: dayLong, Every: 6 * time.Hour}},
		Export:  &extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000, Only: true},
	}
	rows := []state.Checkpoint{{Kind: state.Windowed, From: june(1), To: june(2), PulledAt: june(3), Rows: 900_000}}
	now := june(20).Add(9 * time.Hour)
	got := Day(clicks, VolumeOf(clicks, rows, nil), account, each(time.Hour, 0), now)
	if got.Exports < 1 || got.Exports > 3 {
		t.Errorf("warm clicks: got %+v, want a file for two or three days", got)
	}
	got = Day(logs, VolumeOf(logs, nil, nil), account, each(6*time.Hour, 0), now)
	if d := cmp.Diff(Load{Runs: 4, Pulls: 4, Calls: 4 * exportCalls, Exports: 4, Least: true}, got); d != "" {
		t.Errorf("logs, today and yesterday in one file each time (-want +got):\n%s", d)
	}
}

func TestRowsThatAreNotKnownYetMakeAsFewFilesAsTheyCan(t *testing.T) {
	s := conversions()
	s.Restate = []extractors.TierRule{{Last: dayLong, Every: time.Hour}, {Last: 30 * dayLong, Every: dayLong}}
	s.Export = &extractors.ExportRule{Budget: "exports", MaxRows: 2_000_000}
	got := Day(s, VolumeOf(s, nil, nil), tenADay(), each(time.Hour, 0), june(20).Add(9*time.Hour))
	if got.Exports != 1 || !got.Least {
		t.Errorf("29 days once a day: got %+v, want at least one file", got)
	}
}

func TestADayCountsEveryKindOfPull(t *testing.T) {
	s := &extractors.Stream{Name: "offers", Changes: true, PageSize: 10, ForEach: &extractors.ForEachRule{Stream: "countries", Batch: 5}}
	v := VolumeOf(s, []state.Checkpoint{{Kind: state.Snapshot, Rows: 60}, {Kind: state.Changes, Rows: 3}}, []state.Checkpoint{{Kind: state.Snapshot, Rows: 12}})
	// Snapshots: 3 batches of 2 pages; changes: 3 batches.
	if d := cmp.Diff(Load{Runs: 2, Pulls: 4, Calls: 2*6 + 2*3}, Day(s, v, Account{}, each(12*time.Hour, 0), june(20).Add(time.Hour))); d != "" {
		t.Errorf("load (-want +got):\n%s", d)
	}
	never := func(time.Time) time.Time { return time.Time{} }
	if d := cmp.Diff(Load{}, Day(s, v, Account{}, never, june(20))); d != "" {
		t.Errorf("a schedule that is never due (-want +got):\n%s", d)
	}
}
