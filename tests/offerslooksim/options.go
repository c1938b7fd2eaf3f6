package offerslooksim

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
	// Now because a client's pace is of its own clock.
	Clock func() time.Time
	// Zone is the network's own, in which a report is that names none; nil is Asia/Hong_Kong.
	Zone *time.Location
	// Name and Key are the user and password of the network's API; default "samplenet"
	// and "offerslooksim-key".
	Name, Key string
	// Affiliates are keys of the affiliates' API by e-mail address, all of affiliate 12;
	// default aff12@example.test with "offerslooksim-affiliate-key".
	Affiliates map[string]string
	// Offers, default 25; People are the affiliates and advertisers, default 15 of each.
	Offers, People int
	// ConversionsPerDay, default 80, negative for none; From is the first instant with
	// any, default 60 days before Now.
	ConversionsPerDay int
	From              time.Time
	// Budget is the number of calls in ten seconds, of all keys together; default 50,
	// negative for no limit.
	Budget int
	Switches
	// Faults are answered in the place of an answer, one for each number: the n-th call
	// counted from 1.
	Faults map[int]Fault
}

// Switches are the readings of what is not documented.
type Switches struct {
	// RecordOffsets takes offset for a number of records in place of a page.
	RecordOffsets bool
	// Refuse answers a limit over the maximum with an error; without it the limit is cut.
	Refuse bool
	// LimitInside answers a call over the budget with HTTP 200 and a code in place of 429.
	LimitInside bool
	// Capitals prints statuses of conversions as Approved.
	Capitals bool
	// Frozen keeps every conversion as it was when it came.
	Frozen bool
}

// Fault is an answer that is none.
type Fault string

// The faults.
const (
	ServerError Fault = "500"       // in HTML
	Busy        Fault = "429"       // with Retry-After: 1
	Torn        Fault = "torn"      // the body ends half way
	Inside      Fault = "inside"    // HTTP 200 with another code than 0
	NoData      Fault = "no data"   // HTTP 200, code 0, data null
	Nothing     Fault = "nothing"   // data is an empty list
	Reset       Fault = "reset"     // the connection ends without an answer
	Forbidden   Fault = "forbidden" // as of an address that is not on the white list
)

func (o Options) withDefaults() Options {
	o.Seed = cmp.Or(o.Seed, 1)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.FixedZone("Asia/Hong_Kong", 8*60*60)
	}
	o.Name, o.Key = cmp.Or(o.Name, "samplenet"), cmp.Or(o.Key, "offerslooksim-key")
	if o.Affiliates == nil {
		o.Affiliates = map[string]string{"aff12@example.test": "offerslooksim-affiliate-key"}
	}
	o.Offers, o.People = cmp.Or(o.Offers, 25), cmp.Or(o.People, 15)
	o.ConversionsPerDay = cmp.Or(o.ConversionsPerDay, 80)
	o.Budget = cmp.Or(o.Budget, 50)
	if o.From.IsZero() {
		o.From = o.Now().AddDate(0, 0, -60)
	}
	o.From = o.From.UTC().Truncate(24 * time.Hour)
	return o
}
