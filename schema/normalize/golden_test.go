package normalize

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// normalized gives the rows of a body, and its bad rows, as text.
func normalized(t *testing.T, spec Spec, c *Context, body string) string {
	t.Helper()
	n := mustCompile(t, spec)
	var out bytes.Buffer
	block, counts, err := n.Page([]byte(body), c, schema.NewBlock(n.Table()), reuse, func(r BadRow) error {
		record := strings.Join(strings.Fields(string(r.Record)), " ")
		fmt.Fprintf(&out, "bad record %d: %s\n  %.100s\n", r.Index, r.Reason, record)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Dump(&out, block); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%d rows, %d bad\n", counts.Rows, counts.Bad)
	return out.String()
}

func statsSpec() Spec {
	from := func(paths ...string) Field { return Field{From: paths} }
	spec := Spec{
		Table: "stats", Records: Paths{"stats"},
		Columns: map[string]Field{
			"report":        {Const: "by_offer"},
			"report_date":   {From: Paths{"slice.year", "slice.month", "slice.day"}, Join: "-", Layout: LayoutDate},
			"report_hour":   from("slice.hour"),
			"clicks":        from("traffic.raw"),
			"unique_clicks": from("traffic.uniq"),
			"impressions":   from("views"),
			"conversions":   from("actions.total.count"),
			"payout":        from("actions.total.revenue"),
			"revenue":       from("actions.total.charge"),
			"profit":        from("actions.total.earning"),
			"currency":      {Variable: "currency", Default: "USD"},
		},
		Dimensions: map[string]Field{
			"offer_id": from("slice.offer.id"), "publisher_id": from("slice.affiliate.id"), "country": from("slice.country"),
			"sub1": from("slice.sub1"), "city": from("slice.city"), "goal": from("slice.goal"),
		},
		Drop: Paths{"ratio", "cr"},
	}
	for status, words := range map[string]string{"approved": "confirmed", "pending": "pending", "hold": "hold", "rejected": "declined", "trash": "not_found"} {
		spec.Columns[status+"_conversions"] = from("actions." + words + ".count")
		spec.Columns[status+"_payout"] = from("actions." + words + ".revenue")
		spec.Columns[status+"_revenue"] = from("actions." + words + ".charge")
	}
	return spec
}

func TestGolden(t *testing.T) {
	from := func(paths ...string) Field { return Field{From: paths} }
	day := func(year, month, date int, zone *time.Location) schema.Window {
		at := time.Date(year, time.Month(month), date, 0, 0, 0, 0, zone)
		return schema.Window{From: at, To: at.AddDate(0, 0, 1)}
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	context := func(stream, by string, window schema.Window) *Context {
		return &Context{Network: "affise", Account: "main", RunID: "r1", Stream: stream, Location: berlin,
			Window: window, By: by, Version: 41, SyncedAt: time.Date(2024, 3, 6, 7, 8, 9, 120e6, time.UTC)}
	}
	for _, test := range []struct {
		name string
		spec Spec
		c    *Context
	}{
		{"affise_conversions", affiseConversions(), context("conversions", "created_at", day(2024, 3, 5, berlin))},
		{"affise_stats", statsSpec(), context("stats/by_offer", "report_date", day(2024, 3, 5, berlin))},
		{"affise_serverpostbacks", Spec{
			Table: "postback_logs", Records: Paths{"postbacks"},
			Columns: map[string]Field{
				"id": from("_id.$id"), "direction": {Const: "received"}, "click_id": from("track.click_id", "_get.clickid"),
				"offer_id": from("track.offer_id", "track.offer.id"), "publisher_id": from("track.partner.id"),
				"advertiser_id": from("supplier.id"), "request": from("get"), "response": from("response"), "ip": from("server"),
				"sent_at": {From: Paths{"date.sec"}, Layout: LayoutUnix}, "report_date": {FromColumn: "sent_at"},
			},
			Drop: Paths{"_get", "_post", "post", "track", "date", "supplier.title"},
		}, context("serverpostbacks", "report_date", day(2024, 3, 5, berlin))},
		{"affise_offer_events", Spec{
			Table: "offer_events", Records: Paths{"offers"}, Each: "payments",
			Columns: map[string]Field{
				"offer_id": from("parent.id"), "event_id": {From: Paths{"goal", "countries", "devices", "os"}, Join: "/"},
				"goal": from("goal"), "name": from("title"), "payout": from("revenue"), "revenue": from("total"),
				"currency": {From: Paths{"currency"}, Upper: true}, "payout_type": from("type"),
				"countries": {From: Paths{"countries"}, Join: ",", Upper: true}, "devices": {From: Paths{"devices"}, Join: ","},
				"status": from("parent.status"), "created_at": from("parent.created_at"),
			},
			Drop: Paths{"cities", "os"},
		}, context("offers", "", schema.Window{})},
		{"affise_offers", Spec{
			Table: "offers", Records: Paths{"offers"},
			Columns: map[string]Field{
				"offer_id": from("id"), "network_offer_id": from("offer_id"), "name": from("title"), "status": from("status"),
				"status_raw": from("status"), "advertiser_id": from("advertiser"), "description": from("description_lang.en", "description"),
				"preview_url": from("preview_url", "url_preview"), "payout": from("payments.0.revenue"), "revenue": from("payments.0.total"),
				"currency": {From: Paths{"payments.0.currency"}, Upper: true}, "categories": {From: Paths{"categories"}, Join: ", "},
				"is_private": {From: Paths{"privacy"}, Map: map[string]string{"private": "1"}, MapElse: "0"}, "privacy": from("privacy"),
				"caps": from("caps"), "is_top": from("is_top"), "hold_days": from("hold_period"), "requires_approval": from("required_approval"),
				"created_at": from("created_at"), "updated_at": from("updated_at"), "ends_at": from("stop_at"),
			},
			Drop: Paths{"hash_password"},
		}, context("offers", "", schema.Window{})},
		{"affise_news", Spec{
			Table: "entities", Records: Paths{"items"}, Shape: ShapeMap,
			Columns: map[string]Field{"id": from("$key"), "name": from("title"), "description": from("desc"), "status": from("status"),
				"created_at": {From: Paths{"created_at.sec"}, Layout: LayoutUnix}},
		}, context("news", "", schema.Window{})},
		{"affise_quotes", Spec{
			Table: "entities", Records: Paths{"quotes"},
			Columns: map[string]Field{"id": from("$key"), "currency": from("$key"), "amount": from("$value")},
		}, context("currencies", "", schema.Window{})},
		{"wrapped_orders", Spec{
			Table: "conversions", Wrapped: "order",
			Columns: map[string]Field{"conversion_id": from("id"), "status": {From: Paths{"state"}, Lower: true, Map: map[string]string{"ok": "approved"}, MapElse: "unknown"},
				"created_at": {From: Paths{"at"}, Layout: "02.01.2006 15:04", Zone: "utc"}, "report_date": {FromColumn: "created_at"}, "payout": from("pay")},
		}, context("orders", "", schema.Window{})},
	} {
		t.Run(test.name, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join("testdata", test.name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			got := normalized(t, test.spec, test.c, string(body))
			golden := filepath.Join("testdata", test.name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
