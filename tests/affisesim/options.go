package affisesim

import (
	"cmp"
	"time"
)

// Options says what to simulate. The zero value of every field is its
// default, so Options{} is a small network of the last thirty days.
type Options struct {
	// Seed decides everything that is generated; default 1. With the same
	// Seed, From and To two networks hold the same rows.
	Seed uint64
	// AdminKey is the key that sees all; default "affisesim-admin-key".
	AdminKey string
	// Affiliates are the keys that see one affiliate's data, by affiliate id
	// (ids run from 10 on, see Partners); default: id 10 has
	// "affisesim-affiliate-key".
	Affiliates map[int]string
	// Platform is the zone of all times that are sent or read without a
	// timezone parameter; default Europe/Moscow.
	Platform *time.Location
	// Now is the platform's clock: "today", the age limit of clicks, and the
	// time of changes. Default time.Now. The log of calls keeps to time.Now.
	Now func() time.Time

	Offers      int // default 40
	Partners    int // affiliates; default 25, ids from 10 on
	Advertisers int // default 10
	Users       int // managers; default 6

	// From and To bound the generated history; defaults: 30 days before To,
	// and Now when the network is made.
	From, To    time.Time
	Conversions int // default 2,000; negative for none
	Clicks      int // default 20,000; negative for none
	// Currencies of the offers, taken in turn; default USD alone.
	Currencies []string

	// Live adds rows as Now goes on.
	Live Live

	// ClicksMaxAge is how far back clicks are served; default 7 days,
	// negative: no limit. See ClicksCutRows and ClicksGone.
	ClicksMaxAge time.Duration
	// MaxLimit is the largest page; default 500, negative: no limit.
	MaxLimit int

	Switches
	Faults Faults
}

// Live is the traffic that goes on after To. Rows appear when a request
// arrives or Advance is called, as many as the time since the last one asks for.
type Live struct {
	ClicksPerHour, ConversionsPerHour int
	// Decide is the mean time after which a pending live conversion is
	// confirmed or declined; 0: never.
	Decide time.Duration
}

// Switches choose the other reading where the documents leave a fact open or
// tell of two forms. All off is the reading that the evidence favours.
type Switches struct {
	// RefuseOverLimit answers 400 to a limit over MaxLimit; off: it is clamped
	// and per_page says so.
	RefuseOverLimit bool
	// UpdateIgnoresDateFrom: update_from_date alone decides which conversions
	// come; off: date_from, one week ago by default, holds as well.
	UpdateIgnoresDateFrom bool
	// Modern adds the keys of newer installations: updated_at, decline_reason,
	// fraud_risk_level and fraud_type on conversions.
	Modern bool
	// DayAddsMonth: slice[]=day brings month and year with it.
	DayAddsMonth bool
	// SplitCurrencies gives one stats row per currency (with no key that
	// names it); off: sums are converted to USD.
	SplitCurrencies bool
	// AffiliateZeroCharge: an affiliate sees charge and earning as 0; off:
	// the keys are absent.
	AffiliateZeroCharge bool
	// ClicksCutRows applies ClicksMaxAge to each click; off: a request whose
	// date_from is older gets an empty list.
	ClicksCutRows bool
	// ClicksGone answers 404 to clicks, as a docs 3.2 tenant may.
	ClicksGone bool
	// ImportedIDs: late conversions carry an id made when they arrived, not
	// when they happened.
	ImportedIDs bool
	// Drift adds a conversion to the window that is being read after each of
	// its pages but the last.
	Drift bool
	// BareRetention answers retentionrate with an array and no envelope.
	BareRetention bool
	// NewsAsList makes items of /3.0/news a list; off: an object by id.
	NewsAsList bool
	// IgnoreHourOnRange drops the hour parameter of a longer period; off: 400.
	IgnoreHourOnRange bool
	// ErrorKeyError puts the text of errors under "error"; off: "message".
	ErrorKeyError bool
	// EmptyObjects writes an empty map as {}; off: [] as PHP does.
	EmptyObjects bool
	// PendingCap gives one conversion in a hundred the status pending_cap.
	PendingCap bool
	// StableKeys keeps one order of keys and one way of escaping.
	StableKeys bool
	// Strict answers 400 to a parameter that the documents do not name for the
	// path. Off: it is ignored, as the platform does; the log names it anyway.
	Strict bool
	// Gzip compresses answers for clients that accept it.
	Gzip bool
	// Denied are paths for which the admin key lacks the right (403).
	Denied []string
}

const (
	firstPartner = 10
	firstOffer   = 60
)

func (o Options) withDefaults() Options {
	o.Seed = cmp.Or(o.Seed, 1)
	o.AdminKey = cmp.Or(o.AdminKey, "affisesim-admin-key")
	if o.Affiliates == nil {
		o.Affiliates = map[int]string{firstPartner: "affisesim-affiliate-key"}
	}
	if o.Platform == nil {
		// Without a zone database Moscow is still three hours east.
		o.Platform = time.FixedZone("Europe/Moscow", 3*3600)
		if loc, err := time.LoadLocation("Europe/Moscow"); err == nil {
			o.Platform = loc
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.To.IsZero() {
		o.To = o.Now()
	}
	if o.From.IsZero() {
		o.From = o.To.AddDate(0, 0, -30)
	}
	o.Offers = cmp.Or(o.Offers, 40)
	o.Partners = cmp.Or(o.Partners, 25)
	o.Advertisers = cmp.Or(o.Advertisers, 10)
	o.Users = cmp.Or(o.Users, 6)
	o.Conversions = max(cmp.Or(o.Conversions, 2_000), 0)
	o.Clicks = max(cmp.Or(o.Clicks, 20_000), 0)
	if len(o.Currencies) == 0 {
		o.Currencies = []string{"USD"}
	}
	o.ClicksMaxAge = cmp.Or(o.ClicksMaxAge, 7*24*time.Hour)
	o.MaxLimit = cmp.Or(o.MaxLimit, 500)
	return o
}
