package tests

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/tests/performcbsim"
)

// performCodes are the currencies of the symbols that the reports send.
var performCodes = map[string]string{"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}

// performDays gives noon of every report day from one instant to another.
func performDays(loc *time.Location, from, to time.Time) []time.Time {
	y, m, d := from.In(loc).Date()
	var days []time.Time
	for ; ; d++ {
		if !time.Date(y, m, d, 0, 0, 0, 0, loc).Before(to) {
			return days
		}
		days = append(days, time.Date(y, m, d, 12, 0, 0, 0, loc))
	}
}

// performEquals compares the views with what the network says now of [from, to), row
// for row: conversions, the report by sub id, and offers with what hangs on them.
func (b *bed) performEquals(conn driver.Conn, n *performcbsim.Network, account string, from, to time.Time) {
	b.t.Helper()
	b.performConversionsEqual(conn, n, account, from, to)
	b.performStatsEqual(conn, n, account, from, to)
	b.performOffersEqual(conn, n, account)
	b.performCampaignsEqual(conn, n, account)
	b.noQuarantine(conn)
}

// performConversionsEqual compares conversions. The second of two equal wall clock times
// is read as the first, because nothing in the answer tells them apart.
func (b *bed) performConversionsEqual(conn driver.Conn, n *performcbsim.Network, account string, from, to time.Time) {
	b.t.Helper()
	loc := zone(b.t, performZone)
	want := newTable("conversion_id offer_id offer_name status status_raw payout currency created_at report_date ip sub1 sub2 sub3 sub4 sub5 campaign")
	for _, day := range performDays(loc, from, to) {
		for _, c := range n.ConversionsOn(performUser, day) {
			at, status := c.At, "unknown"
			if c.Repeats {
				at = at.Add(-time.Hour)
			}
			if c.Disposition == performcbsim.Valid {
				status = "approved"
			}
			want.add(b.t, 1, append([]string{
				c.ID, strconv.Itoa(c.OfferID), c.OfferName, status, c.Disposition, decimal(c.Revenue), performCodes[c.Symbol],
				unix(at), c.At.In(loc).Format(time.DateOnly), c.IP,
			}, append(c.SubIDs[:], strconv.Itoa(c.CampaignID))...)...)
		}
	}
	// What no column is for is kept by the name that it came with.
	campaign := "coalesce(nullIf(JSONExtractString(extra, 'campaign_id'), ''), JSONExtractString(extra, 'campaign'))"
	where := fmt.Sprintf(".conversions WHERE account = '%s' AND report_date >= '%s'", account, from.In(loc).Format(time.DateOnly))
	got := want.read(b.t, conn, b.database+where, 1, map[string]string{"created_at": "toUnixTimestamp(created_at)", "campaign": campaign})
	want.same(b.t, "conversions of "+account, got)
	if len(want.rows) == 0 {
		b.t.Error("the truth has no conversions to compare with")
	}
}

// performStatsEqual compares the report by sub id.
func (b *bed) performStatsEqual(conn driver.Conn, n *performcbsim.Network, account string, from, to time.Time) {
	b.t.Helper()
	loc := zone(b.t, performZone)
	want := newTable("report_date sub1 currency clicks conversions payout")
	for _, day := range performDays(loc, from, to) {
		for _, r := range n.SubIDsOn(performUser, day) {
			want.add(b.t, 3, day.Format(time.DateOnly), r.SubID, performCodes[r.Symbol], strconv.Itoa(r.Clicks), strconv.Itoa(r.Conversions), decimal(r.Revenue))
		}
	}
	where := fmt.Sprintf(".stats WHERE account = '%s' AND report = 'stats/by_subid' AND report_date >= '%s'", account, from.In(loc).Format(time.DateOnly))
	want.same(b.t, "stats of "+account, want.read(b.t, conn, b.database+where, 3, nil))
	if len(want.rows) == 0 {
		b.t.Error("the truth has no stats to compare with")
	}
}

// performOffersEqual compares offers and landing pages.
func (b *bed) performOffersEqual(conn driver.Conn, n *performcbsim.Network, account string) {
	b.t.Helper()
	offers := newTable("offer_id name status description tracking_url currency payout payout_type countries")
	landings := newTable("landing_page_id offer_id preview_url")
	for _, o := range n.Offers() {
		id := strconv.Itoa(o.ID)
		countries := strings.ReplaceAll(strings.Join(o.Countries, ","), "UK", "GB")
		offers.add(b.t, 1, id, o.Name, o.Status, o.Description, o.ClickURL(performUser), o.Currency, decimal(o.Payout), "fixed", countries)
		if o.Landing != "" {
			landings.add(b.t, 1, strconv.Itoa(800_000+o.ID), id, o.Landing)
		}
	}
	where := " WHERE account = '" + account + "'"
	offers.same(b.t, "offers of "+account, offers.read(b.t, conn, b.database+".offers"+where, 1, nil))
	landings.same(b.t, "landing pages of "+account, landings.read(b.t, conn, b.database+".landing_pages"+where, 1, nil))
	if len(offers.rows) == 0 || len(landings.rows) == 0 {
		b.t.Error("the truth has no offers to compare with")
	}
}

// performCampaignsEqual compares the list of version 7.
func (b *bed) performCampaignsEqual(conn driver.Conn, n *performcbsim.Network, account string) {
	b.t.Helper()
	campaigns := newTable("id offer_id kind name status description url")
	for _, o := range n.Offers() {
		campaigns.add(b.t, 1, strconv.Itoa(o.CampaignID), strconv.Itoa(o.ID), o.Pricing, o.Name, o.Status, o.Description, o.ClickURL(performUser))
	}
	campaigns.same(b.t, "campaigns of "+account, campaigns.read(b.t, conn, b.database+".entities WHERE account = '"+account+"'", 1, nil))
}

// noQuarantine fails the test if a record could not be read.
func (b *bed) noQuarantine(conn driver.Conn) {
	b.t.Helper()
	if n := one[uint64](b.t, conn, "SELECT count() FROM "+b.database+"_store.quarantine"); n > 0 {
		b.t.Errorf("%d records are in quarantine, first: %s", n, one[string](b.t, conn, "SELECT any(concat(stream, ': ', reason, ' ', record)) FROM "+b.database+"_store.quarantine"))
	}
}

// noViolation fails the test if a call came too early for the network, or was a write.
func noViolation(t *testing.T, n *performcbsim.Network, gap time.Duration) {
	t.Helper()
	for _, v := range n.Violations(gap) {
		t.Errorf("call %d (%s %s) should not have been made: %s", v.Call.Number, v.Call.Get, v.Call.Params, v.Reason)
	}
}
