package tests

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/tests/metricssim"
)

// span is a part of a simulated 24metrics' time that a warehouse should hold, half open.
type span struct{ from, to time.Time }

// where selects the account of the tests alone: others may stand in the same tables.
func (s span) where(column string) string {
	return fmt.Sprintf(" WHERE account = 'track' AND %s >= toDateTime64(%d, 3) AND %s < toDateTime64(%d, 3)", column, s.from.Unix(), column, s.to.Unix())
}

// metricsDay gives days of UTC, which is how the platform is asked.
func metricsDay(from time.Time, days int) span {
	from = from.UTC().Truncate(24 * time.Hour)
	return span{from, from.AddDate(0, 0, days)}
}

// rowKinds are the streams of rows with their kinds.
var rowKinds = []struct{ stream, kind string }{
	{"conversions", metricssim.Conversions}, {"clicks", metricssim.Clicks},
	{"impressions", metricssim.Impressions}, {"postback_logs", metricssim.Postbacks},
}

// metricsRowsEqual compares the rows of a stream within s with the truth, row for row.
// loc is the zone of the account, in whose days rows are counted.
func (b *bed) metricsRowsEqual(conn driver.Conn, n *metricssim.Network, stream string, loc *time.Location, s span) {
	b.t.Helper()
	b.metricsRowsEqualBut(conn, n, stream, loc, s, nil)
}

// metricsRowsEqualBut leaves out of the truth what should not have loaded.
func (b *bed) metricsRowsEqualBut(conn driver.Conn, n *metricssim.Network, stream string, loc *time.Location, s span, without map[string]bool) {
	b.t.Helper()
	var want *table
	var kind, by string
	times := map[string]string{"created_at": "toUnixTimestamp(created_at)", "click_at": "toUnixTimestamp(click_at)"}
	visitor := func(r *metricssim.Row) []string {
		return []string{
			r.Offer.ID, itoa(r.Publisher.IncrementalID), itoa(r.Advertiser.IncrementalID), decimal(r.Payout.String()), decimal(r.Revenue.String()), "USD",
			unix(r.Time), r.Time.In(loc).Format(time.DateOnly), r.Country, r.City, r.IP, "Example, Telecom", "iOS", "19.1", r.UserAgent, "https://news.example.org/a?b=1,2", r.SubID,
		}
	}
	const common = "offer_id publisher_id advertiser_id payout revenue currency created_at report_date country city ip isp os os_version user_agent referer sub1 "
	var values func(r *metricssim.Row) []string
	switch stream {
	case "conversions":
		kind, by = metricssim.Conversions, "created_at"
		want = newTable("conversion_id " + common + "click_id external_id event_id event_name offer_name publisher_name advertiser_name status status_raw status_reason sale_amount click_at integration")
		times["integration"] = "JSONExtractString(extra, 'integration_id')"
		values = func(r *metricssim.Row) []string {
			return append(append([]string{metricsKey(r)}, visitor(r)...),
				r.ClickTxID, "aff-"+r.Hash, r.Text("event_db_id"), r.Text("event_name"), r.Offer.NameWithID, r.Publisher.Name, r.Advertiser.Name,
				strings.ToLower(r.Status), r.Status, first(r.ThirdPartyReason, r.Text("rejected_simple_reason")), decimal(r.PurchaseValue.String()), unix(r.ClickTime), r.Integration)
		}
	case "clicks":
		kind, by = metricssim.Clicks, "created_at"
		want = newTable("click_id " + common + "status status_reason")
		values = func(r *metricssim.Row) []string {
			return append(append([]string{r.RealTxID}, visitor(r)...), strings.ToLower(r.Status), r.Text("rejected_primary_reason"))
		}
	case "impressions":
		kind, by = metricssim.Impressions, "created_at"
		want = newTable("impression_id " + strings.TrimSpace(common))
		values = func(r *metricssim.Row) []string { return append([]string{r.RealTxID}, visitor(r)...) }
	case "postback_logs":
		kind, by = metricssim.Postbacks, "sent_at"
		want = newTable("id direction click_id event_id offer_id publisher_id url status_raw http_code response sent_at report_date")
		times["sent_at"] = "toUnixTimestamp(sent_at)"
		values = func(r *metricssim.Row) []string {
			return []string{
				metricsKey(r), "sent", r.RealTxID, r.Text("event_id"), r.Text("offer_id"), r.Text("publisher_id"), r.Text("url"), r.Text("success"), r.Text("response_code"),
				r.Text("server_response"), unix(r.Time), r.Time.In(loc).Format(time.DateOnly),
			}
		}
	default:
		b.t.Fatalf("no truth of stream %s", stream)
	}
	for _, r := range n.Between(kind, s.from, s.to) {
		if without[r.UUID] {
			continue
		}
		want.add(b.t, 1, values(&r)...)
	}
	got := want.read(b.t, conn, b.database+"."+stream+s.where(by), 1, times)
	want.same(b.t, stream+" of 24metrics", got)
	if len(want.rows) == 0 {
		b.t.Errorf("the truth has no %s to compare with", stream)
	}
}

// metricsKey is the id of a row that the platform gives none: what tells it from others.
func metricsKey(r *metricssim.Row) string {
	parts := []string{r.RealTxID, r.Text("event_db_id"), r.Text("event_name"), r.Hash, r.UUID}
	if r.Kind == metricssim.Postbacks {
		parts = []string{
			r.Time.Format(time.DateTime), r.RealTxID, r.Text("postback_type"), r.Text("event_id"), r.Text("postback_name"), r.Text("publisher_id"), r.Text("response_code"),
		}
	}
	kept := parts[:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "/")
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func itoa(n int) string { return strconv.Itoa(n) }

// metricsListsEqual compares people, offers and what belongs to offers.
func (b *bed) metricsListsEqual(conn driver.Conn, n *metricssim.Network) {
	b.t.Helper()
	status := func(archived, active bool, resting string) string {
		switch {
		case archived:
			return "archived"
		case active:
			return "active"
		}
		return resting
	}
	stamp := func(text string) string {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			b.t.Fatal(err)
		}
		return unix(at)
	}
	times := map[string]string{"created_at": "toUnixTimestamp(created_at)", "updated_at": "toUnixTimestamp(updated_at)"}
	compare := func(want *table, view string, keys int) {
		b.t.Helper()
		want.same(b.t, view+" of 24metrics", want.read(b.t, conn, b.database+"."+view+" WHERE account = 'track'", keys, times))
		if len(want.rows) == 0 {
			b.t.Errorf("the truth has no %s to compare with", view)
		}
	}
	const company = "name email status company url country manager_id notes created_at updated_at"
	users := newTable("user_id name login email status status_raw roles country created_at updated_at")
	for _, u := range n.Users() {
		users.add(b.t, 1, u.ID, u.FirstName+" "+u.LastName, u.Email, u.Email, strings.ToLower(u.Status), u.Status, u.Role, u.Country, stamp(u.CreatedAt), stamp(u.UpdatedAt))
	}
	compare(users, "users", 1)
	publishers := newTable("publisher_id " + company)
	for _, p := range n.Publishers() {
		s := status(p.Archived, p.Active, "inactive")
		if p.Pending && !p.Archived {
			s = "pending"
		}
		publishers.add(b.t, 1, itoa(p.IncrementalID), p.Name, p.Email, s, p.CompanyName, p.Website, p.Country, p.ManagerID, p.Description, stamp(p.CreatedAt), stamp(p.UpdatedAt))
	}
	compare(publishers, "publishers", 1)
	advertisers := newTable("advertiser_id " + company)
	for _, a := range n.Advertisers() {
		advertisers.add(b.t, 1, itoa(a.IncrementalID), a.Name, a.Email, status(a.Archived, a.Active, "inactive"), a.CompanyName, a.Website, a.Country, a.ManagerID, a.Description,
			stamp(a.CreatedAt), stamp(a.UpdatedAt))
	}
	compare(advertisers, "advertisers", 1)
	offers := newTable("offer_id network_offer_id integration_id name status advertiser_id currency payout payout_type revenue is_private requires_approval created_at updated_at")
	events := newTable("offer_id event_id name status payout payout_type revenue currency")
	pages := newTable("offer_id landing_page_id name status url preview_url")
	for _, o := range n.Offers() {
		offers.add(b.t, 1, o.ID, itoa(o.IncrementalID), o.Integration, o.Name, status(o.Archived, o.Active, "paused"), itoa(o.AdvertiserID), o.Currency,
			decimal(o.DefaultPayout.Payout.String()), o.DefaultPayout.PayoutType, decimal(o.DefaultPayout.Revenue.String()),
			flag(o.Visibility == "Private"), flag(o.Visibility == "Requires_Approval"), stamp(o.CreatedAt), stamp(o.UpdatedAt))
		for _, e := range n.Events(o.ID) {
			events.add(b.t, 2, o.ID, e.ID, e.Name, status(e.Archived, e.Active, "paused"), decimal(e.Payout.Payout.String()), e.PayoutType, decimal(e.Revenue.String()), e.Currency)
		}
		for _, p := range n.LandingPages(o.ID) {
			pages.add(b.t, 2, o.ID, p.ID, p.Name, status(p.Archived, p.Active, "paused"), p.RedirectURL, p.PreviewURL)
		}
	}
	compare(offers, "offers", 1)
	compare(events, "offer_events", 2)
	compare(pages, "landing_pages", 2)
}
