package loaders

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeptAnswersAreFoundByTheirPulls(t *testing.T) {
	w := setup(t)
	ctx := t.Context()
	page := func(pull int64, version uint64, seq int64, received string) RawPage {
		return RawPage{
			Network: "affise", Account: "main", Stream: "conversions", PullID: pull, Seq: seq, Request: "GET /x", ReceivedAt: at(received),
			Kind: "window", PullVersion: version, PulledAt: at("2026-03-01 09:00:00"), PullPages: 2, WindowFrom: at("2026-03-01"), WindowTo: at("2026-03-02"),
			RunID: "run", Version: uint64(seq), Records: 2, RawBytes: 30, Body: []byte("body"),
		}
	}
	file := page(8, 30, 31, "2026-04-02 10:00:00")
	file.File, file.Body, file.Request = "main/export.csv", nil, "GET /y (file main/export.csv)"
	old := RawPage{Network: "affise", Account: "main", Stream: "conversions", PullID: 1, Seq: 3, Version: 3, Request: "GET /z (file main/old.csv)", ReceivedAt: at("2026-01-01 10:00:00")}
	other := page(7, 20, 22, "2026-03-01 10:00:00")
	other.Stream = "clicks"
	for range 2 { // the second time as after a crash
		b, err := w.Begin(ctx, 0)
		must(t, err)
		// The month ends within the pull 7. The state was lost, and counts pulls anew.
		for _, p := range []RawPage{page(7, 20, 21, "2026-03-31 23:59:59"), page(7, 20, 25, "2026-04-01 00:00:00"), page(7, 40, 41, "2026-04-03 00:00:00"), file, old, other} {
			must(t, b.Raw(ctx, p))
		}
		_, err = b.Publish(ctx, []Unit{dayUnit(10, "2026-03-01")})
		must(t, err)
	}
	got, err := w.RawPulls(ctx, "main", "conversions")
	must(t, err)
	pull := func(id int64, version uint64, refs ...RawRef) RawPull {
		return RawPull{
			PullID: id, Kind: "window", Version: version, PulledAt: at("2026-03-01 09:00:00"), Announced: 2, From: at("2026-03-01"), To: at("2026-03-02"),
			RunID: "run", Pages: refs, Files: []string{}, Records: 2 * int64(len(refs)), Bytes: 30 * int64(len(refs)),
		}
	}
	withFile := pull(8, 30, RawRef{31, 31, at("2026-04-02 10:00:00")})
	withFile.Files = []string{"main/export.csv"}
	want := []RawPull{
		{PullID: 1, Pages: []RawRef{{3, 3, at("2026-01-01 10:00:00")}}, Files: []string{"main/old.csv"}},
		pull(7, 20, RawRef{21, 21, at("2026-03-31 23:59:59")}, RawRef{25, 25, at("2026-04-01")}),
		withFile,
		pull(7, 40, RawRef{41, 41, at("2026-04-03")}),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("pulls (-want +got):\n%s", diff)
	}
	refs := []RawRef{got[1].Pages[1], got[2].Pages[0], got[1].Pages[0]}
	pages, err := w.RawPages(ctx, "main", "conversions", refs)
	must(t, err)
	file.Request = "GET /y"
	file.Body = []byte{}
	if diff := cmp.Diff([]RawPage{page(7, 20, 25, "2026-04-01 00:00:00"), file, page(7, 20, 21, "2026-03-31 23:59:59")}, pages); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	if _, err := w.RawPages(ctx, "main", "conversions", append(refs, RawRef{99, 99, at("2026-04-01")})); err == nil {
		t.Error("a page that is not there is no error")
	}
	none, err := w.RawPulls(ctx, "main", "offers")
	must(t, err)
	if len(none) > 0 {
		t.Errorf("pulls of a stream without any: %v", none)
	}
}

func TestRecordsThatWereReadOnceMoreLeaveTheQuarantine(t *testing.T) {
	w := setup(t)
	ctx := t.Context()
	row := func(stream string, seq int64, index int, version uint64) QuarantineRow {
		return QuarantineRow{Network: "affise", Account: "main", Stream: stream, Table: "conversions", PullID: 1, Seq: seq, Index: index, Reason: "no", At: at("2026-03-01"), Version: version}
	}
	b, err := w.Begin(ctx, 0)
	must(t, err)
	for _, r := range []QuarantineRow{
		row("conversions", 1, 0, 11), row("conversions", 1, 1, 11), row("conversions", 2, 0, 12), row("clicks", 1, 0, 11),
		row("conversions", 1, 1, 21), // read once more, and bad again
		row("conversions", 3, 0, 22), // bad now
	} {
		must(t, b.Quarantine(ctx, r))
	}
	must(t, b.Keep(ctx))
	b.Abort(ctx)
	seqs, err := w.QuarantinedPages(ctx, "main", "conversions", 20)
	must(t, err)
	if diff := cmp.Diff([]int64{1, 2}, seqs); diff != "" {
		t.Errorf("pages with records from before (-want +got):\n%s", diff)
	}
	for range 2 {
		must(t, w.Release(ctx, "main", "conversions", []int64{1}, 20))
	}
	equal(t, "quarantine", ask(t, w, "SELECT stream, page_seq, record_index FROM {db}.quarantine ORDER BY ALL"), lines(
		"clicks	1	0", "conversions	1	1", "conversions	2	0", "conversions	3	0"))
	must(t, w.Release(ctx, "main", "conversions", nil, 20))
}

// A pull of version 10 is loaded again as 110. Since then a younger one answered for the
// last hour, of which b is, and was not loaded again; and a younger list of changes has d,
// and was, as 113.
func TestAUnitThatIsLoadedAgainBuriesNothingOfYoungerCalls(t *testing.T) {
	for name, loose := range map[string]bool{"a window": false, "a window of leads": true} {
		t.Run(name, func(t *testing.T) {
			w := setup(t)
			created := func(id string) string {
				if id == "b" {
					return "2026-03-01 23:00:00"
				}
				return "2026-03-01 22:59:59"
			}
			c := func(id string, version uint64) conv {
				return conv{id: id, created: created(id), status: "pending", payout: "1", revenue: "1", currency: "USD", version: version, window: "2026-03-01"}
			}
			unit := dayUnit(10, "2026-03-01")
			unit.Outputs[0].Loose = loose
			publish(t, w, []Unit{unit}, conversions(t, c("a", 11), c("gone", 12), c("old key", 12)))
			change := dayUnit(14, "2026-03-01")
			change.Complete = false
			publish(t, w, []Unit{change}, conversions(t, c("b", 15), c("d", 15)))
			change.Version = 112
			publish(t, w, []Unit{change}, conversions(t, c("d", 113)))

			unit.Version, unit.Again = 110, true
			unit.Outputs[0].Except = []Part{{From: at("2026-03-01 23:00:00"), To: at("2026-03-02"), FromDay: at("2026-03-01"), ToDay: at("2026-03-02")}}
			r := publish(t, w, []Unit{unit}, conversions(t, c("a", 111), c("new key", 111))).Units[0]
			equal(t, "conversions", ask(t, w, "SELECT conversion_id FROM {db}.conversions ORDER BY ALL"), lines("a", "b", "d", "new key"))
			if r.Added != 1 || r.Changed != 0 || r.Removed != 2 {
				t.Errorf("it changed %+v, want 1 added and 2 removed", r)
			}
			equal(t, "arrivals", ask(t, w, "SELECT count() FROM {store}.arrivals WHERE pull_version = 110"), "0")
			told, err := w.RestatedBy(t.Context(), "main", 100, 200)
			must(t, err)
			if diff := cmp.Diff([]Restated{{Stream: "conversions", Table: "conversions", Added: 1, Removed: 2}}, told); diff != "" {
				t.Errorf("restatements (-want +got):\n%s", diff)
			}
		})
	}
}
