package cpasim

import (
	"cmp"
	"time"
)

// Face says which network is simulated.
type Face string

// The faces.
const (
	KMA          Face = "kma"
	WhoCPA       Face = "whocpa"
	TrafficLight Face = "trafficlight"
	TerraLeads   Face = "terraleads"
)

// Options says what to simulate. The zero value of every field is its default.
type Options struct {
	// Face is KMA if empty.
	Face Face
	// Seed decides everything that is generated; default 1.
	Seed uint64
	// Now is the network's clock, which decides what has happened yet; nil is time.Now.
	Now func() time.Time
	// Clock is what the times of calls are read from; nil is time.Now. It is apart from Now
	// because a client's pace is of its own clock.
	Clock func() time.Time
	// Key is the secret of the account; default "cpasim-key". User is the account's number,
	// which TerraLeads asks for; default 4217.
	Key  string
	User int
	// Offers, default 8. Leads are made evenly from From to the network's beginning;
	// default 60, negative for none. From is 20 days before that by default.
	Offers, Leads int
	From          time.Time
	// Decide is how long a decision takes at most, default 72 hours; the shortest is a
	// hundredth of it. One approval in twelve is reversed up to Reverse later, default 40 days.
	Decide, Reverse time.Duration
	// Budget is the number of calls a minute, erroneous ones included: default 100 for KMA,
	// without limit for the others; negative for no limit.
	Budget int
	// Batch is the number of ids that a call of KMA may name; default 50.
	Batch int
	// PageSize is the number of leads on a page of WhoCPA that asks for none; default 20.
	// PageParameter is the name of the page's parameter, which its documents do not
	// tell; default "page".
	PageSize      int
	PageParameter string
	// Zone is that of WhoCPA's and Traffic Light's times, which neither states; nil is UTC.
	Zone *time.Location
	// HeldCode and TrashCode are Traffic Light's, which nobody has published; default 5 and -20.
	HeldCode, TrashCode int
	// NoOffers has TerraLeads refuse its list of offers with 403, as it does until a manager
	// allows it.
	NoOffers bool
}

func (o Options) withDefaults() Options {
	o.Face = cmp.Or(o.Face, KMA)
	o.Seed = cmp.Or(o.Seed, 1)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.Key = cmp.Or(o.Key, "cpasim-key")
	o.User = cmp.Or(o.User, 4217)
	o.Offers = cmp.Or(o.Offers, 8)
	o.Leads = cmp.Or(o.Leads, 60)
	if o.From.IsZero() {
		o.From = o.Now().AddDate(0, 0, -20)
	}
	o.From = o.From.UTC().Truncate(time.Second)
	o.Decide = cmp.Or(o.Decide, 72*time.Hour)
	o.Reverse = cmp.Or(o.Reverse, 40*24*time.Hour)
	if o.Budget == 0 && o.Face == KMA {
		o.Budget = 100
	}
	o.Batch = cmp.Or(o.Batch, 50)
	o.PageSize = cmp.Or(o.PageSize, 20)
	o.PageParameter = cmp.Or(o.PageParameter, "page")
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	o.HeldCode, o.TrashCode = cmp.Or(o.HeldCode, 5), cmp.Or(o.TrashCode, -20)
	return o
}
