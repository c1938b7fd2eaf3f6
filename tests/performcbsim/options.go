package performcbsim

import (
	"cmp"
	"time"
)

// Options says what to simulate. The zero value of every field is its default.
type Options struct {
	// Seed decides everything that is generated; default 1.
	Seed uint64
	// Now is the platform's clock, which decides what has happened yet; nil is time.Now.
	Now func() time.Time
	// Clock is what the times of calls are read from; nil is time.Now. It is apart from
	// Now because a client's pauses are of its own clock, however fast a simulated week
	// goes by.
	Clock func() time.Time
	// Zone is whose days the reports are cut by and whose wall clock conversions carry;
	// nil is America/New_York.
	Zone *time.Location
	// Accounts are the partners. Default: user 90017 with "performcbsim-key".
	Accounts []Account
	// Offers that every partner is approved for; default 40. Those that tests rely on
	// come first, see Offer.
	Offers int
	// ConversionsPerDay of an account, give or take a quarter; default 60, negative for none.
	ConversionsPerDay int
	// From is the first instant with conversions; default 40 days before Now.
	From time.Time
	// Prefix of all paths; default "/api".
	Prefix string
	// MinInterval is the pause that a client has to keep from the end of a call, failed
	// ones included, to the start of the next; default 5 minutes, negative for none.
	MinInterval time.Duration
	// Restless lets history restate itself as Now goes on: conversions arrive late, are
	// returned, pay something else, vanish; offers come and go.
	Restless bool
	Switches
	Faults Faults
}

// Account is a partner.
type Account struct {
	UserID int
	APIKey string
}

// Violation is how the platform answers a call that comes too early. Which it is in
// truth is not documented.
type Violation string

// The answers to a call that comes too early.
const (
	RefuseInside    Violation = "status_-1" // HTTP 200 with an error inside
	RefuseByStatus  Violation = "http_429"
	CloseConnection Violation = "close_connection"
)

// CampaignTag is how the element with the campaign of a conversion is written. The
// documentation's sample opens one tag and closes another.
type CampaignTag string

// The ways to write the campaign.
const (
	TagCampaignID CampaignTag = "campaign_id"
	TagCampaign   CampaignTag = "campaign"
	TagMismatched CampaignTag = "mismatched"
)

// Shape is how offers are wrapped.
type Shape string

// The shapes.
const (
	ShapeAuto    Shape = ""        // wrapped if a page size was sent
	ShapeMap     Shape = "map"     // a map by id
	ShapeWrapped Shape = "wrapped" // the map inside page, count and pageCount
)

// Switches choose the other reading where the documents leave a fact open. The zero
// value is the reading that the evidence favours.
type Switches struct {
	OffersShape Shape
	// TextIDs writes ids of offers as text, as HasOffers does; off: numbers.
	TextIDs bool
	// EmptyObjects writes an empty map as {}; off: [], as PHP does.
	EmptyObjects bool
	// ErrorObject writes errors as an object, without status and data.
	ErrorObject bool
	CampaignTag CampaignTag // "" is TagCampaignID
	OnEarly     Violation   // "" is RefuseInside
	// Success replaces what XML reports say of success ("1" and "true" are seen);
	// "" is 1 for conversions and true for subaffiliate.
	Success string
	// MaskedEcho masks the key that JSON answers echo; off: it is echoed as it came,
	// the worst that is known.
	MaskedEcho bool
	// LoginPage answers everything with an HTML page and status 200.
	LoginPage bool
	// IgnorePage gives the first page whatever is asked for.
	IgnorePage bool
	// NoList leaves the element around the rows of an XML report out when there are none.
	NoList bool
	// Slow delays every answer.
	Slow time.Duration
}

func (o Options) withDefaults() Options {
	o.Seed = cmp.Or(o.Seed, 1)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Zone == nil {
		// Without a zone database New York is five hours behind, and has no summer.
		o.Zone = time.FixedZone("America/New_York", -5*3600)
		if loc, err := time.LoadLocation("America/New_York"); err == nil {
			o.Zone = loc
		}
	}
	if len(o.Accounts) == 0 {
		o.Accounts = []Account{{UserID: 90017, APIKey: "performcbsim-key"}}
	}
	o.Offers = max(cmp.Or(o.Offers, 40), 0)
	o.ConversionsPerDay = max(cmp.Or(o.ConversionsPerDay, 60), 0)
	if o.From.IsZero() {
		o.From = o.Now().AddDate(0, 0, -40)
	}
	o.Prefix = cmp.Or(o.Prefix, "/api")
	o.MinInterval = cmp.Or(o.MinInterval, 5*time.Minute)
	return o
}
