package remap

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/loaders"
	"syncd/schema"
	"syncd/state"
)

// midnight is the beginning of a day of March 2026.
func midnight(d int) time.Time { return time.Date(2026, 3, d, 0, 0, 0, 0, time.UTC) }

// conversions is a stream with windows of a day, lists of changes and files.
func conversions() *extractors.Stream {
	table, _ := schema.Lookup("conversions")
	return &extractors.Stream{
		Name: "conversions", Window: &extractors.WindowRule{By: "created_at", Step: extractors.Day, Location: time.UTC}, Changes: true,
		Outputs: []extractors.Output{{Table: table}}, Export: &extractors.ExportRule{Outputs: []extractors.Output{{Table: table}}},
	}
}

// kept is a pull of which n pages are kept, the first with the version after its own.
func kept(kind state.Kind, version uint64, from, to time.Time, n int) loaders.RawPull {
	p := loaders.RawPull{PullID: int64(version), Kind: string(kind), Version: version, PulledAt: at(version), Announced: n, From: from, To: to, Records: int64(10 * n)}
	for i := range n {
		v := version + 1 + uint64(i)
		p.Pages = append(p.Pages, loaders.RawRef{Seq: int64(v), Version: v, ReceivedAt: at(v)})
	}
	return p
}

// at is when the page of a version was received.
func at(version uint64) time.Time { return midnight(1).Add(time.Duration(version) * time.Hour) }

func window(version uint64, from, to int) loaders.RawPull {
	return kept(state.Windowed, version, midnight(from), midnight(to), 2)
}

func changes(version uint64) loaders.RawPull {
	return kept(state.Changes, version, at(version).Add(-time.Hour), at(version), 1)
}

func file(p loaders.RawPull, name string) loaders.RawPull {
	p.Files = []string{name}
	return p
}

func TestWhatIsReadOnceMore(t *testing.T) {
	t.Parallel()
	published := func(version uint64, from, to int) state.Checkpoint {
		return state.Checkpoint{Kind: state.Windowed, Version: version, From: midnight(from), To: midnight(to)}
	}
	partly := window(30, 1, 2)
	partly.Announced = 3
	old := window(30, 1, 2)
	old.Kind, old.Version, old.PulledAt, old.Announced = "", 0, time.Time{}, 0
	oldChanges := changes(40)
	oldChanges.Kind, oldChanges.Version = "", 0
	spooled := func(name string) bool { return name == "there" }
	for name, test := range map[string]struct {
		raw       []loaders.RawPull
		published []state.Checkpoint
		held      []state.HeldWindow
		filter    filter
		// want is what is read: windows by their versions, the youngest first, pages of
		// changes by theirs, the oldest first, what is replaced, and what is left.
		want string
	}{
		"of each window the youngest": {
			raw:  []loaders.RawPull{window(10, 1, 2), window(20, 2, 3), window(30, 1, 2)},
			want: "windows 30 20; replaced 10",
		},
		"all lists of changes": {
			raw:  []loaders.RawPull{changes(10), window(20, 1, 2), changes(30)},
			want: "windows 20; changes 11 31",
		},
		"a month of which a day was pulled since": {
			raw:  []loaders.RawPull{file(window(10, 1, 9), "there"), window(20, 2, 3)},
			want: "windows 20 10",
		},
		"a month that has all of a day": {
			raw:  []loaders.RawPull{window(10, 2, 3), file(window(20, 1, 9), "there")},
			want: "windows 20; replaced 10",
		},
		"days that together have all of a month": {
			raw:  []loaders.RawPull{file(window(10, 1, 3), "there"), window(20, 1, 2), window(30, 2, 3)},
			want: "windows 30 20; replaced 10",
		},
		"nothing older in the place of a file that is gone": {
			raw: []loaders.RawPull{window(10, 1, 2), file(window(20, 1, 9), "gone")}, published: []state.Checkpoint{published(20, 1, 9)},
			want: "replaced 10; left: its file is no longer in the spool",
		},
		"the older one in the place of a file that is gone and was never published": {
			raw: []loaders.RawPull{window(10, 1, 2), file(window(20, 1, 9), "gone")}, published: []state.Checkpoint{published(10, 1, 2)},
			want: "windows 10; left: its file is no longer in the spool",
		},
		"no pull of which answers are gone": {
			raw: []loaders.RawPull{window(20, 1, 2), partly}, published: []state.Checkpoint{published(30, 1, 2)},
			want: "replaced 20; left: answers of it are older than retention.raw_pages and gone",
		},
		"what was published and not what is held back": {
			raw: []loaders.RawPull{window(20, 1, 2), window(30, 1, 2)}, published: []state.Checkpoint{published(20, 1, 2)},
			held: []state.HeldWindow{{From: midnight(1), To: midnight(2)}},
			want: "windows 20; left: its last answer is held back",
		},
		"what was refused": {
			raw: []loaders.RawPull{window(20, 1, 2), window(30, 1, 2)}, published: []state.Checkpoint{published(20, 1, 2)},
			want: "windows 30; replaced 20",
		},
		"no window of another calendar": {
			raw:  []loaders.RawPull{kept(state.Windowed, 20, midnight(1).Add(time.Hour), midnight(2).Add(time.Hour), 1)},
			want: "left: the stream's windows or the account's time zone are others by now",
		},
		"answers that were kept before it was written down of what pulls they are": {
			raw:  []loaders.RawPull{window(20, 1, 2), old, oldChanges},
			want: "windows 31; changes 41; replaced 20",
		},
		"what was received since, and changes that are younger than any of it": {
			raw:    []loaders.RawPull{changes(5), window(10, 1, 2), changes(15), window(20, 2, 3), changes(30)},
			filter: filter{since: at(22)},
			want:   "windows 20; changes 31",
		},
		"what is in the quarantine, and changes that are younger than any of it": {
			raw:    []loaders.RawPull{changes(5), window(10, 1, 2), changes(15), window(20, 2, 3), changes(30)},
			filter: filter{quarantined: map[int64]bool{12: true}},
			want:   "windows 10; changes 16 31",
		},
		"a list of changes that is in the quarantine, and younger ones": {
			raw:    []loaders.RawPull{changes(5), window(10, 1, 2), changes(15), changes(30)},
			filter: filter{quarantined: map[int64]bool{16: true}},
			want:   "changes 16 31",
		},
		"nothing where nothing is in the quarantine": {
			raw:    []loaders.RawPull{window(10, 1, 2), changes(15)},
			filter: filter{quarantined: map[int64]bool{}},
			want:   "",
		},
	} {
		k := known{account: "main", stream: conversions(), raw: test.raw, published: test.published, held: test.held, hasFile: spooled}
		if diff := cmp.Diff(test.want, inWords(choose(k, test.filter))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// inWords tells a choice as the tests write it.
func inWords(c *choice) string {
	var said []string
	say := func(what string, list []string) {
		if len(list) > 0 {
			said = append(said, what+" "+strings.Join(list, " "))
		}
	}
	var whole, parts, replaced, left []string
	for _, p := range c.whole {
		whole = append(whole, fmt.Sprint(p.version))
	}
	for _, p := range c.parts {
		parts = append(parts, fmt.Sprint(p.Version))
	}
	for _, p := range c.replaced {
		replaced = append(replaced, fmt.Sprint(p.version))
	}
	for _, l := range c.left {
		left = append(left, l.Reason)
	}
	say("windows", whole)
	say("changes", parts)
	say("replaced", replaced)
	say("left:", left)
	return strings.Join(said, "; ")
}

func TestOfASnapshotAndItsChangesTheYoungestAreRead(t *testing.T) {
	t.Parallel()
	offers := &extractors.Stream{Name: "offers", Changes: true}
	snapshot := func(version uint64) loaders.RawPull {
		return kept(state.Snapshot, version, time.Time{}, time.Time{}, 1)
	}
	k := known{account: "main", stream: offers, raw: []loaders.RawPull{snapshot(10), changes(15), snapshot(20), changes(25)}, hasFile: func(string) bool { return true }}
	if diff := cmp.Diff("windows 20; changes 26; replaced 10 15", inWords(choose(k, filter{}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSpansAreThoseThatTheNetworkWasAskedFor(t *testing.T) {
	t.Parallel()
	s := conversions()
	s.Window.Settle = 10 * time.Minute
	// Pulled at two o'clock on the second of March.
	k := known{account: "main", stream: s, raw: []loaders.RawPull{window(26, 2, 3), window(10, 1, 2)}, hasFile: func(string) bool { return true }}
	c := choose(k, filter{})
	var got []string
	for _, x := range c.spans {
		got = append(got, fmt.Sprintf("%d: %s to %s", x.Version, time.UnixMilli(x.From).UTC().Format("02 15:04"), time.UnixMilli(x.To).UTC().Format("02 15:04")))
	}
	want := []string{"26: 02 00:00 to 02 01:50", "10: 01 00:00 to 01 09:50"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// By the report day a part of a day cannot be told from the rest.
	s.Window.By = "report_date"
	if c := choose(k, filter{}); len(c.spans) != 0 {
		t.Errorf("by the day: %v", c.spans)
	}
}

func TestTimesThatTouchAreOne(t *testing.T) {
	t.Parallel()
	var all times
	for _, d := range [][2]int{{5, 6}, {1, 2}, {2, 3}, {8, 9}, {3, 5}} {
		all.add(midnight(d[0]), midnight(d[1]))
	}
	if len(all) != 2 {
		t.Fatalf("they are %v", all)
	}
	for d, want := range map[[2]int]bool{{1, 6}: true, {2, 3}: true, {5, 7}: false, {6, 8}: false, {8, 9}: true, {7, 9}: false, {9, 10}: false} {
		if got := all.has(midnight(d[0]), midnight(d[1])); got != want {
			t.Errorf("from %d to %d: %v, want %v", d[0], d[1], got, want)
		}
	}
}

func TestVersionsStandToEachOtherAsTheyStood(t *testing.T) {
	t.Parallel()
	file := kept(state.Windowed, 10, midnight(1), midnight(2), 1)
	file.Pages[0].Seq = 50 // it arrived later than it was asked for
	late := kept(state.Windowed, 90, midnight(2), midnight(3), 1)
	late.Pages[0] = loaders.RawRef{Seq: 20, Version: 91} // it waited in the inbox while others were made anew
	k := known{account: "main", stream: conversions(), hasFile: func(string) bool { return true }}
	pulls := []*pull{k.pull(file), k.pull(late), k.pull(changes(30))}
	open := []state.PullVersions{{PullID: 7, Version: 25, FileVersion: 35, Pages: []state.PageVersion{{Seq: 28, Version: 28}}}}
	var o order
	o.addPulls(pulls)
	o.addOpen(open)
	if n := o.seal(); n != 8 {
		t.Fatalf("%d versions are needed, want 8", n)
	}
	o.base = 1000
	dated := o.open(open)[0]
	got := []uint64{
		o.of(pulls[0].version), o.of(pulls[0].first()), o.of(pulls[1].version), o.of(pulls[1].first()),
		dated.Version, dated.Pages[0].Version, o.of(pulls[2].version), o.of(pulls[2].first()), dated.FileVersion,
	}
	if want := []uint64{1000, 1001, 1002, 1002, 1003, 1004, 1005, 1006, 1007}; !slices.Equal(got, want) {
		t.Errorf("they are %v, want %v", got, want)
	}
	if open[0].Version != 25 || open[0].Pages[0].Version != 28 {
		t.Error("what was given changed")
	}
}
