package metricssim

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRefusals(t *testing.T) {
	c := setup(t, Options{Switches: Switches{RefuseLargePages: true}})
	conversions := reports + "conversion-table"
	for _, test := range []struct {
		name   string
		target string
		header []string
		want   int
	}{
		{"no key is 401", conversions + firstOfJune(), []string{"API-KEY", ""}, 401},
		{"a wrong key is 401", conversions + firstOfJune(), []string{"API-KEY", "x"}, 401},
		{"a key without rights is 403", conversions + firstOfJune(), []string{"API-KEY", "sim-denied"}, 403},
		{"a report without a range is 400", conversions + query("integration_id", "dhk0demo01", "page[size]", "10"), nil, 400},
		{"a report without an integration is 400", conversions + query("start_date", "2026-06-01", "end_date", "2026-06-01", "page[size]", "10"), nil, 400},
		{"a report without a page size is 400", conversions + query("integration_id", "dhk0demo01", "start_date", "2026-06-01", "end_date", "2026-06-01"), nil, 400},
		{"a large page is 400 by switch", conversions + query("integration_id", "dhk0demo01", "start_date", "2026-06-01", "end_date", "2026-06-01", "page[size]", "101"), nil, 400},
		{"both cursors are 400", conversions + firstOfJune("page[after]", "a", "page[before]", "b"), nil, 400},
		{"an unknown cursor is 400", conversions + firstOfJune("page[after]", "01JZC166AQ1R0W8B3T5Y7D9FGE"), nil, 400},
		{"an unknown zone is 400", conversions + query("integration_id", "dhk0demo01", "start_date", "2026-06-01", "end_date", "2026-06-01", "page[size]", "1", "timezone", "Mars/1"), nil, 400},
		{"an unknown path is 404", "/api/v2/nothing", nil, 404},
		{"an unknown integration is 404", "/api/v2/integrations/other/offers", nil, 404},
		{"an export of an unknown field is 400", inside + "click-logs" + firstOfJune("fields", "nothing", "extra_parameters", ""), nil, 400},
		{"an export without fields is 400", inside + "click-logs" + firstOfJune("extra_parameters", ""), nil, 400},
		{"an export without extra_parameters is 400", inside + "click-logs" + firstOfJune("fields", "uuid"), nil, 400},
		{"an unknown file is 404", center + "signed-url" + query("artifact_name", "x.csv"), nil, 404},
	} {
		t.Run(test.name, func(t *testing.T) {
			if status, body, _ := c.raw("GET", test.target, test.header...); status != test.want {
				t.Errorf("status %d, want %d: %s", status, test.want, body)
			}
		})
	}
	if e := c.Exports(); len(e) > 0 {
		t.Errorf("refused calls made exports: %+v", e)
	}
}

func TestReportsAreReadToTheirEnd(t *testing.T) {
	c := setup(t, Options{ConversionsPerDay: 350, ClicksPerDay: 230})
	for name, kind := range map[string]string{"conversion-table": Conversions, "click-table": Clicks, "impression-table": Impressions} {
		want := column(c.Between(kind, c.now.Truncate(day).Add(-day), c.now.Truncate(day)), "uuid")
		got := walk(c, name, "uuid")
		if slices.Sort(got); !slices.Equal(slices.Compact(got), sorted(want)) {
			t.Errorf("%s: %d rows, want %d", name, len(got), len(want))
		}
	}
}

// TestEqualIDsAtABorder: a cursor that is not unique repeats rows, or loses them.
func TestEqualIDsAtABorder(t *testing.T) {
	for _, test := range []struct {
		name     string
		switches Switches
		want     int
	}{
		{"the second of the pair comes on the next page", Switches{BorderPairs: true}, 150},
		{"the second of the pair is skipped by switch", Switches{BorderPairs: true, CursorSkipsEqual: true}, 149},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := setup(t, Options{ConversionsPerDay: 150, SharedEvery: -1, Switches: test.switches})
			if got := walk(c, "conversion-table", "uuid"); len(got) != test.want {
				t.Errorf("%d rows, want %d", len(got), test.want)
			}
			ids := walk(c, "conversion-table", "real_tx_id")
			if slices.Sort(ids); test.want == 150 && len(slices.Compact(ids)) != 149 {
				t.Error("no two rows share a real_tx_id")
			}
		})
	}
}

func TestCursorsGoBothWays(t *testing.T) {
	c := setup(t, Options{ConversionsPerDay: 30, SharedEvery: -1})
	all := get[table](c, reports+"conversion-table"+firstOfJune())
	ten := get[table](c, reports+"conversion-table"+firstOfJune("page[size]", "10", "page[after]", string(all.Data.Data[9]["real_tx_id"][1:27])))
	if got, want := ten.Data.PageInfo.StartCursor, string(all.Data.Data[10]["real_tx_id"][1:27]); got != want {
		t.Errorf("the page after row 10 starts with %s, want %s", got, want)
	}
	back := get[table](c, reports+"conversion-table"+firstOfJune("page[before]", ten.Data.PageInfo.StartCursor))
	if got, want := back.Data.PageInfo.EndCursor, string(all.Data.Data[9]["real_tx_id"][1:27]); got != want || back.Data.PageInfo.HasPreviousPage {
		t.Errorf("the page before row 11 ends with %s, want %s", got, want)
	}
	first := setup(t, Options{Switches: Switches{UnknownCursorFirst: true}})
	if p := get[table](first, reports+"conversion-table"+firstOfJune("page[after]", "gone")); p.Data.PageInfo.HasPreviousPage || len(p.Data.Data) != 100 {
		t.Errorf("an unknown cursor does not give the first page by switch: %+v", p.Data.PageInfo)
	}
}

// TestRangesFollowTheZone over the day of 25 hours and in both spellings.
func TestRangesFollowTheZone(t *testing.T) {
	c := setup(t, Options{From: time.Date(2025, time.November, 1, 0, 0, 0, 0, time.UTC), ConversionsPerDay: 96, SharedEvery: -1})
	c.now = time.Date(2025, time.November, 9, 0, 0, 0, 0, time.UTC)
	york, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2025, time.November, 2, 0, 0, 0, 0, york)
	want := len(c.Between(Conversions, from, from.Add(25*time.Hour)))
	for _, q := range []string{
		query("integration_id", "dhk0demo01", "start_time", "2025-11-02 00:00:00", "end_time", "2025-11-02 23:59:59", "timezone", "America/New_York", "page[size]", "100"),
		query("integration_id", "dhk0demo01", "start_date", "2025-11-02", "end_date", "2025-11-02", "timezone", "America/New_York", "page[size]", "100"),
	} {
		if p := get[table](c, reports+"conversion-table"+q); p.Data.Count != want {
			t.Errorf("%s: %d rows, want %d", q, p.Data.Count, want)
		}
	}
}

func TestListsArePaged(t *testing.T) {
	c := setup(t, Options{Publishers: 250})
	type page struct {
		Data []struct {
			ID string
			N  int `json:"incremental_id"`
		}
		Meta struct {
			Links      struct{ Next, Prev *map[string]any }
			TotalCount int `json:"total_count"`
			TotalPage  int `json:"total_page"`
		}
	}
	seen := map[string]bool{}
	for i := range 3 {
		p := get[page](c, "/api/v2/publishers?page[size]=1000&page[number]="+itoa(i+1))
		for _, v := range p.Data {
			seen[v.ID] = true
		}
		if (p.Meta.Links.Next == nil) != (i == 2) || (p.Meta.Links.Prev == nil) != (i == 0) || p.Meta.TotalCount != 250 || p.Meta.TotalPage != 3 {
			t.Errorf("page %d: %+v", i+1, p.Meta)
		}
	}
	if len(seen) != 250 {
		t.Errorf("%d publishers, want 250: sizes over 100 are cut to 100", len(seen))
	}
	if p := get[page](c, "/api/v2/publishers?page[number]=99"); len(p.Data) != 0 || p.Meta.TotalCount != 250 {
		t.Errorf("beyond the end: %+v", p)
	}
	if p := get[page](c, "/api/v2/publishers"+query("sort", "-incremental_id", "filter[incremental_id][lte]", "30")); len(p.Data) != 20 || p.Data[0].N != 30 {
		t.Errorf("sorted and filtered: %+v", p)
	}
	offer := c.Offers()[3]
	if p := get[page](c, "/api/v2/integrations/dhk0demo01/offers/"+offer.ID+"/events"); len(p.Data) != len(c.Events(offer.ID)) || len(p.Data) == 0 {
		t.Errorf("events of offer %s: %+v", offer.ID, p)
	}
	one := get[struct{ Data struct{ ID string } }](c, "/api/v2/integrations/dhk0demo01/offers/"+offer.ID)
	if one.Data.ID != offer.ID {
		t.Errorf("offer %+v, want %s", one, offer.ID)
	}
}

func TestHistoryIsRestated(t *testing.T) {
	c := setup(t, Options{})
	before := len(slices.Collect(c.EachConversion()))
	changed := c.Restate(7, 0)
	if len(changed) != 7 {
		t.Fatalf("%d rows changed, want 7", len(changed))
	}
	now := map[string]Row{}
	for r := range c.EachConversion() {
		now[r.UUID] = r
	}
	for _, r := range changed {
		if got := now[r.UUID]; got.Status != "Rejected" || !strings.Contains(got.ThirdPartyReason, "fraud") || got.Text("third_party_rejection_reason") == "" {
			t.Errorf("row %s is %s, %q", r.UUID, got.Status, got.ThirdPartyReason)
		}
	}
	gone := c.Remove(3, 0)
	late := c.Late(Conversions, 5, c.now.Add(-day))
	if got := len(slices.Collect(c.EachConversion())); len(gone) != 3 || len(late) != 5 || got != before+2 {
		t.Errorf("%d rows, want %d", got, before+2)
	}
}

func TestRowsArriveAsTheClockGoes(t *testing.T) {
	c := setup(t, Options{Lag: time.Hour})
	from := c.now.Truncate(day)
	c.now = from.Add(12 * time.Hour)
	before := len(c.Between(Clicks, from, c.now))
	c.now = c.now.Add(time.Hour)
	if after := len(c.Between(Clicks, from, from.Add(12*time.Hour))); after <= before {
		t.Errorf("%d rows of the morning at noon and %d an hour later: none came late", before, after)
	}
}
