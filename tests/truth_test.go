package tests

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/tests/affisesim"
)

// table is what a view should hold or holds: columns by name, rows by key.
type table struct {
	columns []string
	rows    map[string][]string
}

func newTable(columns string) *table {
	return &table{columns: strings.Fields(columns), rows: map[string][]string{}}
}

// add adds a row whose key is its first n values.
func (w *table) add(t *testing.T, n int, values ...string) {
	t.Helper()
	if len(values) != len(w.columns) {
		t.Fatalf("%d values for %d columns", len(values), len(w.columns))
	}
	key := strings.Join(values[:n], " ")
	if w.rows[key] != nil {
		t.Fatalf("two rows with key %s", key)
	}
	w.rows[key] = values
}

// read reads the rows of a view; expressions gives each column that is not read as
// its own text. A key that comes twice fails the test: a reader must never see one.
func (w *table) read(t *testing.T, conn driver.Conn, from string, n int, expressions map[string]string) *table {
	t.Helper()
	texts := make([]string, len(w.columns))
	for i, c := range w.columns {
		e := expressions[c]
		if e == "" {
			e = c
		}
		texts[i] = "toString(" + e + ")"
	}
	query := "SELECT [" + strings.Join(texts, ", ") + "] FROM " + from
	rows, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	got := &table{columns: w.columns, rows: map[string][]string{}}
	for rows.Next() {
		var values []string
		if err := rows.Scan(&values); err != nil {
			t.Fatal(err)
		}
		key := strings.Join(values[:n], " ")
		if got.rows[key] != nil {
			t.Errorf("%s: key %s is visible twice", from, key)
		}
		got.rows[key] = values
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return got
}

// same compares what is there with what should be, and reports the first differences.
func (w *table) same(t *testing.T, name string, got *table) {
	t.Helper()
	const most = 5
	missing, alien, differ := 0, 0, 0
	for _, key := range slices.Sorted(maps.Keys(w.rows)) {
		row := got.rows[key]
		if row == nil {
			if missing++; missing <= most {
				t.Errorf("%s: row %s is missing: %q", name, key, w.rows[key])
			}
			continue
		}
		if slices.Equal(row, w.rows[key]) {
			continue
		}
		if differ++; differ <= most {
			for i, c := range w.columns {
				if row[i] != w.rows[key][i] {
					t.Errorf("%s: row %s: %s is %q, want %q", name, key, c, row[i], w.rows[key][i])
				}
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got.rows)) {
		if w.rows[key] == nil {
			if alien++; alien <= most {
				t.Errorf("%s: row %s should not be there: %q", name, key, got.rows[key])
			}
		}
	}
	compared(t, name, len(w.rows), missing+alien+differ)
	if missing+alien+differ > 0 {
		t.Errorf("%s: of %d rows %d are missing, %d differ, %d are there that should not be", name, len(w.rows), missing, differ, alien)
	}
}

// decimal gives an amount as ClickHouse writes it: without zeros at its end.
func decimal(text string) string {
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

func unix(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// firstOfTwo is how a wall clock time is read that nothing tells from another: the second
// of two equal ones as the first.
func firstOfTwo(at time.Time, loc *time.Location) time.Time {
	if before := at.Add(-time.Hour); before.In(loc).Format(time.DateTime) == at.In(loc).Format(time.DateTime) {
		return before
	}
	return at
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// statusOf gives our word for a status of Affise.
var statusOf = map[string]string{
	"confirmed": "approved", "pending": "pending", "declined": "rejected", "not_found": "trash", "hold": "hold", "pending_cap": "pending",
}

// extent is which part of the truth a warehouse should hold.
type extent struct {
	account  string
	zone     *time.Location
	from, to time.Time // conversions and stats
	clicks   time.Time // clicks from here on; zero: none are compared
	without  map[string]bool
}

func (x extent) has(at time.Time) bool { return !at.Before(x.from) && at.Before(x.to) }

func (x extent) where(column string) string {
	return fmt.Sprintf("account = '%s' AND %s >= toDateTime(%d) AND %s < toDateTime(%d)", x.account, column, x.from.Unix(), column, x.to.Unix())
}

func (x extent) day(at time.Time) string { return at.In(x.zone).Format(time.DateOnly) }

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

const subColumns = " sub1 sub2 sub3 sub4 sub5 sub6 sub7 sub8"

// conversionsEqual compares the view with what an admin key is told, row for row.
func (b *bed) conversionsEqual(conn driver.Conn, x extent) {
	b.t.Helper()
	want := newTable("conversion_id click_id external_id event_id offer_id offer_name publisher_id advertiser_id advertiser_name status status_raw " +
		"payout revenue profit sale_amount currency created_at click_at report_date country city ip isp device_type os browser user_agent referer" + subColumns)
	for c := range b.network.EachConversion() {
		if !x.has(c.CreatedAt) || x.without[c.ID] {
			continue
		}
		want.add(b.t, 1, append([]string{
			c.ID, c.ClickID, c.ActionID, c.GoalValue, strconv.Itoa(c.OfferID), c.OfferTitle, strconv.Itoa(c.PartnerID), c.AdvertiserID, c.AdvertiserTitle,
			statusOf[c.Status], c.Status, decimal(c.Payouts), decimal(c.Revenue), decimal(c.Earnings), decimal(c.Sum), c.Currency,
			unix(c.CreatedAt), unix(c.ClickAt), x.day(c.CreatedAt), c.Country, c.City, c.IP, c.ISP, c.DeviceType,
			c.OS + " " + c.OSVersion, c.Browser + " " + c.BrowserVersion, c.UserAgent, c.Referrer, // one field has both
		}, c.Subs[:]...)...)
	}
	got := want.read(b.t, conn, b.database+".conversions WHERE "+x.where("created_at"), 1,
		map[string]string{"created_at": "toUnixTimestamp(created_at)", "click_at": "toUnixTimestamp(click_at)"})
	want.same(b.t, "conversions of "+x.account, got)
	if len(want.rows) == 0 {
		b.t.Error("the truth has no conversions to compare with")
	}
}

// affiliateConversionsEqual compares what an affiliate key is told.
func (b *bed) affiliateConversionsEqual(conn driver.Conn, x extent, affiliate int) {
	b.t.Helper()
	want := newTable("conversion_id external_id offer_id offer_name status payout currency created_at report_date country" + subColumns)
	for c := range b.network.EachConversion() {
		if !x.has(c.CreatedAt) || c.PartnerID != affiliate {
			continue
		}
		want.add(b.t, 1, append([]string{
			c.ID, c.ActionID, strconv.Itoa(c.OfferID), c.OfferTitle, statusOf[c.Status], decimal(c.Payouts), c.Currency, unix(c.CreatedAt), x.day(c.CreatedAt), c.Country,
		}, c.Subs[:]...)...)
	}
	got := want.read(b.t, conn, b.database+".conversions WHERE "+x.where("created_at"), 1, map[string]string{"created_at": "toUnixTimestamp(created_at)"})
	want.same(b.t, "conversions of "+x.account, got)
	if len(want.rows) == 0 {
		b.t.Error("the truth has no conversions of the affiliate to compare with")
	}
}

// clicksEqual compares the clicks, row for row.
func (b *bed) clicksEqual(conn driver.Conn, x extent) {
	b.t.Helper()
	want := newTable("click_id conversion_id offer_id offer_name publisher_id created_at report_date country region city ip isp connection_type " +
		"device_type device_brand device_model os os_version browser browser_version user_agent referer is_unique has_conversion" + subColumns)
	for c := range b.network.EachClick() {
		if c.CreatedAt.Before(x.clicks) || !c.CreatedAt.Before(x.to) || x.without[c.ID] {
			continue
		}
		offer := strconv.Itoa(c.OfferID)
		if c.OfferTitle == "" {
			offer = "" // of a deleted offer a click says nothing
		}
		want.add(b.t, 1, append([]string{
			c.ID, c.ConversionID, offer, c.OfferTitle, strconv.Itoa(c.PartnerID), unix(c.CreatedAt), x.day(c.CreatedAt),
			c.Country, c.Region, c.City, c.IP, c.ISP, c.Connection, c.DeviceType, c.DeviceBrand, c.DeviceModel, c.OS, c.OSVersion, c.Browser, c.BrowserVersion,
			c.UserAgent, c.Referrer, flag(c.Unique), flag(c.ConversionID != ""),
		}, c.Subs[:]...)...)
	}
	x.from = x.clicks
	got := want.read(b.t, conn, b.database+".clicks WHERE "+x.where("created_at"), 1, map[string]string{"created_at": "toUnixTimestamp(created_at)"})
	want.same(b.t, "clicks of "+x.account, got)
	if len(want.rows) == 0 {
		b.t.Error("the truth has no clicks to compare with")
	}
}

// entitiesEqual compares offers with their goals, affiliates, advertisers and users.
func (b *bed) entitiesEqual(conn driver.Conn, account string) {
	b.t.Helper()
	where := " WHERE account = '" + account + "'"
	stamp := func(at time.Time) string { return unix(firstOfTwo(at, b.network.Options().Platform)) }
	moments := map[string]string{"created_at": "toUnixTimestamp(created_at)", "updated_at": "toUnixTimestamp(updated_at)"}

	offers := newTable("offer_id network_offer_id name status advertiser_id privacy created_at updated_at")
	events := newTable("offer_id goal name payout_type payout revenue currency")
	for _, o := range b.network.Offers() {
		status := o.Status
		if status == "suspended" {
			status = "paused"
		}
		offers.add(b.t, 1, strconv.Itoa(o.ID), o.OfferID, o.Title, status, o.AdvertiserID, o.Privacy, stamp(o.CreatedAt), stamp(o.UpdatedAt))
		for _, g := range o.Goals {
			events.add(b.t, 2, strconv.Itoa(o.ID), g.Value, g.Title, g.Type, decimal(g.Revenue), decimal(g.Total), o.Currency)
		}
	}
	offers.same(b.t, "offers", offers.read(b.t, conn, b.database+".offers"+where, 1, moments))
	events.same(b.t, "offer_events", events.read(b.t, conn, b.database+".offer_events"+where+" AND publishers = ''", 2, nil))

	publishers := newTable("publisher_id login email country manager_id created_at updated_at")
	for _, p := range b.network.Partners() {
		publishers.add(b.t, 1, strconv.Itoa(p.ID), p.Login, p.Email, p.Country, p.ManagerID, stamp(p.CreatedAt), stamp(p.UpdatedAt))
	}
	publishers.same(b.t, "publishers", publishers.read(b.t, conn, b.database+".publishers"+where, 1, moments))

	advertisers := newTable("advertiser_id name email url country manager_id created_at updated_at")
	for _, a := range b.network.Advertisers() {
		advertisers.add(b.t, 1, a.ID, a.Title, a.Email, a.URL, a.Country, a.ManagerID, stamp(a.CreatedAt), stamp(a.UpdatedAt))
	}
	advertisers.same(b.t, "advertisers", advertisers.read(b.t, conn, b.database+".advertisers"+where, 1, moments))

	users := newTable("user_id name email roles created_at updated_at")
	for _, u := range b.network.Users() {
		users.add(b.t, 1, u.ID, strings.TrimSpace(u.FirstName+" "+u.LastName), u.Email, strings.Join(u.Roles, ","), stamp(u.CreatedAt), stamp(u.UpdatedAt))
	}
	users.same(b.t, "users", users.read(b.t, conn, b.database+".users"+where, 1, moments))
}

// sums are what a report says of one day of one offer.
type sums struct {
	clicks, unique, conversions int
	count                       map[string]int
	payout, revenue             map[string]*big.Rat
}

func newSums() *sums {
	return &sums{count: map[string]int{}, payout: map[string]*big.Rat{}, revenue: map[string]*big.Rat{}}
}

func (s *sums) add(c affisesim.Conversion) {
	s.conversions++
	for _, status := range []string{statusOf[c.Status], "all"} {
		s.count[status]++
		addTo(s.payout, status, c.Payouts)
		addTo(s.revenue, status, c.Revenue)
	}
}

func addTo(m map[string]*big.Rat, key, amount string) {
	v, ok := new(big.Rat).SetString(amount)
	if !ok {
		panic("the simulator's amount " + amount + " is no number")
	}
	if m[key] == nil {
		m[key] = new(big.Rat)
	}
	m[key].Add(m[key], v)
}

func money(m map[string]*big.Rat, keys ...string) string {
	sum := new(big.Rat)
	for _, k := range keys {
		if m[k] != nil {
			sum.Add(sum, m[k])
		}
	}
	return decimal(sum.FloatString(10))
}

// byDay adds the truth up by day and offer.
func (b *bed) byDay(x extent) map[[2]string]*sums {
	found := map[[2]string]*sums{}
	at := func(when time.Time, offer int) *sums {
		key := [2]string{x.day(when), strconv.Itoa(offer)}
		if found[key] == nil {
			found[key] = newSums()
		}
		return found[key]
	}
	for c := range b.network.EachConversion() {
		if x.has(c.CreatedAt) {
			at(c.CreatedAt, c.OfferID).add(c)
		}
	}
	for c := range b.network.EachClick() {
		if x.has(c.CreatedAt) {
			s := at(c.CreatedAt, c.OfferID)
			s.clicks++
			if c.Unique {
				s.unique++
			}
		}
	}
	return found
}

// statsEqual compares the report by offer with the sums of the truth's rows.
func (b *bed) statsEqual(conn driver.Conn, x extent) {
	b.t.Helper()
	want := newTable("report_date offer_id clicks unique_clicks conversions payout revenue " +
		"approved_conversions approved_payout approved_revenue pending_conversions hold_conversions rejected_conversions trash_conversions")
	for key, s := range b.byDay(x) {
		want.add(b.t, 2, key[0], key[1], strconv.Itoa(s.clicks), strconv.Itoa(s.unique), strconv.Itoa(s.conversions), money(s.payout, "all"), money(s.revenue, "all"),
			strconv.Itoa(s.count["approved"]), money(s.payout, "approved"), money(s.revenue, "approved"),
			strconv.Itoa(s.count["pending"]), strconv.Itoa(s.count["hold"]), strconv.Itoa(s.count["rejected"]), strconv.Itoa(s.count["trash"]))
	}
	got := want.read(b.t, conn, fmt.Sprintf("%s.stats WHERE account = '%s' AND report = 'stats/by_offer' AND report_date >= '%s' AND report_date <= '%s'",
		b.database, x.account, x.day(x.from), x.day(x.to.Add(-time.Second))), 2, nil)
	want.same(b.t, "stats by offer of "+x.account, got)
}

// performanceEqual compares what dashboards read with the sums of the truth's rows.
// Clicks count from x.clicks on.
func (b *bed) performanceEqual(conn driver.Conn, x extent) {
	b.t.Helper()
	want := newTable("day offer_id conversions approved rejected payout revenue")
	for key, s := range b.byDay(x) {
		if s.conversions == 0 {
			continue
		}
		want.add(b.t, 2, key[0], key[1], strconv.Itoa(s.conversions), strconv.Itoa(s.count["approved"]), strconv.Itoa(s.count["rejected"]),
			money(s.payout, "approved"), money(s.revenue, "approved"))
	}
	got := want.read(b.t, conn, fmt.Sprintf(`(SELECT day, offer_id, sum(p.conversions) AS conversions, sum(p.approved) AS approved, sum(p.rejected) AS rejected,
		sum(p.payout) AS payout, sum(p.revenue) AS revenue
		FROM %s.daily_performance AS p WHERE account = '%s' AND day >= '%s' AND day <= '%s' GROUP BY day, offer_id HAVING conversions > 0)`,
		b.database, x.account, x.day(x.from), x.day(x.to.Add(-time.Second))), 2, nil)
	want.same(b.t, "daily_performance of "+x.account, got)
}

// one reads a single value.
func one[T any](t *testing.T, conn driver.Conn, query string, args ...any) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}
