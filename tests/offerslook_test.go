package tests

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/tests/offerslooksim"
)

// The keys of the simulated OffersLook, spelt so that a search for them finds nothing else.
const (
	lookKey      = "e2e-LOOK-key-51d0ce"
	lookAffMail  = "aff12@example.test"
	lookAffKey   = "e2e-LOOK-affiliate-key-b07f21"
	lookCallsMax = 50 // in ten seconds, of all keys together
)

// looked starts a simulated OffersLook whose clock stands still, and an installation
// with an account of each role.
func looked(t *testing.T, o offerslooksim.Options) (*bed, *offerslooksim.Network) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	o.Now = func() time.Time { return now }
	o.Key, o.Affiliates = lookKey, map[string]string{lookAffMail: lookAffKey}
	n := offerslooksim.New(o)
	t.Cleanup(n.Close)
	b := newFolder(t)
	var err error
	if b.url, _, err = n.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	b.env = []string{"LOOK_KEY=" + lookKey, "LOOK_AFF_KEY=" + lookAffKey}
	b.config(fmt.Sprintf(`  - name: look
    network: offerslook
    base_url: {url}
    credentials: {user: samplenet, api_key: "${LOOK_KEY}"}
    role: network
    timezone: America/New_York
    pace: {min_delay: 210ms, allow_faster: true}
    start: %[1]s
    streams: {payout_tiers: {enabled: false}, caps: {enabled: false}, affiliate_caps: {enabled: false}}
  - name: look-aff
    network: offerslook
    base_url: {url}
    credentials: {user: %[2]s, api_key: "${LOOK_AFF_KEY}"}
    role: affiliate
    variables: {offers_type: all}
    streams: {postbacks: {enabled: false}, tracking_links: {enabled: false}}
`, n.Options().From.Format(time.DateOnly), lookAffMail))
	return b, n
}

func TestOffersLookBecomesWhatTheNetworkSays(t *testing.T) {
	t.Parallel()
	b, n := looked(t, offerslooksim.Options{From: time.Now().AddDate(0, 0, -12), Budget: lookCallsMax, Switches: offerslooksim.Switches{Frozen: true, Capitals: true}})
	b.run("run", "--once").ended(t, 0)
	conn, done := b.warehouse()
	b.lookEquals(conn, n)
	done()

	// Decisions come, conversions go, and nothing at the network says which.
	n.Set(func(s *offerslooksim.Switches) { s.Frozen = false })
	from := n.Options().From.Format(time.DateOnly)
	b.run("run", "--backfill", from+".."+time.Now().Format(time.DateOnly), "--only", "look/conversions").ended(t, 0)
	conn, _ = b.warehouse()
	b.lookEquals(conn, n)
	if changed := one[uint64](t, conn, "SELECT count() FROM "+b.database+".restatements WHERE changed > 0 AND removed > 0"); changed == 0 {
		t.Error("nothing was restated: the test shows nothing")
	}
	for _, c := range n.Log() {
		if c.Over || c.Method != "GET" || c.Status != 200 {
			t.Errorf("%s %s?%s was answered %d (over the budget: %v)", c.Method, c.Path, c.Query, c.Status, c.Over)
		}
	}
}

// lookEquals compares what the warehouse has of both accounts with the truth.
func (b *bed) lookEquals(conn driver.Conn, n *offerslooksim.Network) {
	b.t.Helper()
	york := zone(b.t, "America/New_York")
	now := n.Options().Now()
	want := newTable("conversion_id status payout revenue currency offer_id event_id event_name publisher_id advertiser_id click_id created report_date sub1 sub2 is_test ip")
	from := n.Options().From
	first := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, york) // the report day that the account starts with
	for _, c := range n.Conversions(now) {
		if c.At.Before(first) {
			continue
		}
		want.add(b.t, 1, fmt.Sprint(c.ID), c.Status, decimal(orZero(c.Payout)), decimal(orZero(c.Revenue)), c.Currency, fmt.Sprint(c.OfferID), fmt.Sprint(c.EventID), c.EventName,
			fmt.Sprint(c.AffiliateID), fmt.Sprint(c.AdvertiserID), c.ClickID, unix(c.At), c.At.In(york).Format(time.DateOnly), c.Subs[0], c.Subs[1], flag(c.Test), c.ClickIP)
	}
	want.same(b.t, "conversions of OffersLook", want.read(b.t, conn, b.database+".conversions WHERE account = 'look'", 1, map[string]string{"created": "toUnixTimestamp(created_at)"}))

	events := newTable("offer_id event_id name payout revenue currency")
	offers := newTable("offer_id name status payout revenue currency advertiser_id")
	for _, o := range n.Offers() {
		offers.add(b.t, 1, fmt.Sprint(o.ID), o.Name, o.Status, decimal(o.Payout), decimal(o.Revenue), o.Currency, fmt.Sprint(o.AdvertiserID))
		for _, e := range o.Events {
			events.add(b.t, 2, fmt.Sprint(o.ID), fmt.Sprint(e.ID), e.Name, decimal(orZero(e.Payout)), decimal(e.Revenue), o.Currency)
		}
	}
	offers.same(b.t, "offers of OffersLook", offers.read(b.t, conn, b.database+".offers WHERE account = 'look'", 1, nil))
	events.same(b.t, "events of OffersLook", events.read(b.t, conn, b.database+".offer_events WHERE account = 'look'", 2, nil))

	people := newTable("publisher_id name status company country")
	for _, p := range n.Affiliates() {
		people.add(b.t, 1, fmt.Sprint(p.ID), p.First+" "+p.Last, strings.Replace(p.Status, "blocked", "banned", 1), p.Company, p.Country)
	}
	people.same(b.t, "affiliates of OffersLook", people.read(b.t, conn, b.database+".publishers WHERE account = 'look'", 1, nil))

	// Of private offers an affiliate hears nothing, nor of links before it may run one.
	own := newTable("offer_id payout tracking_url")
	for _, o := range n.Offers() {
		link := ""
		if o.Approval == 2 {
			link = fmt.Sprintf("https://samplenet.example.test/click?offer_id=%d&aff_id=12", o.ID)
		}
		if o.Approval != 3 {
			own.add(b.t, 1, fmt.Sprint(o.ID), decimal(o.Payout), link)
		}
	}
	own.same(b.t, "offers of the affiliate", own.read(b.t, conn, b.database+".offers WHERE account = 'look-aff'", 1, nil))
	if n := one[uint64](b.t, conn, "SELECT count() FROM "+b.database+"_store.quarantine"); n > 0 {
		b.t.Errorf("%d records are in quarantine: %s", n, one[string](b.t, conn, "SELECT any(concat(stream, ': ', reason, ' ', record)) FROM "+b.database+"_store.quarantine"))
	}
	if days := one[uint64](b.t, conn, "SELECT uniqExact(day) FROM "+b.database+".daily_performance WHERE account = 'look' AND conversions > 0"); days < 10 {
		b.t.Errorf("daily_performance, made of conversions where a platform has no report, knows %d days", days)
	}
}

func orZero(amount string) string {
	if amount == "" {
		return "0"
	}
	return amount
}

func TestOffersThatAreCountedByRecordsStopTheStreamWithAdvice(t *testing.T) {
	t.Parallel()
	b, _ := looked(t, offerslooksim.Options{Offers: 150, Budget: -1, Switches: offerslooksim.Switches{RecordOffsets: true}})
	r := b.run("run", "--once", "--only", "look/offers").ended(t, 1)
	says(t, r.stderr, "look", "offers", "offset")
}
