package manifest

// Reach says how far syncd gets with a network, in one word; Words of it are shown.
type Reach string

// The reaches.
const (
	// ReachVerified: a pull that is verified in public sources.
	ReachVerified Reach = "verified"
	// ReachPath: a pull that must exist, or is documented without its address: the
	// account gives the address of the call.
	ReachPath Reach = "path"
	// ReachPostback: no pull is known; statuses come by postback.
	ReachPostback Reach = "postback"
	// ReachSeed: nothing is public but the network's credentials.
	ReachSeed Reach = "seed"
)

// UnmarshalText accepts the words above only.
func (r *Reach) UnmarshalText(text []byte) error {
	return word(r, text, "reach", ReachVerified, ReachPath, ReachPostback, ReachSeed)
}

// Words says it to people.
func (r Reach) Words() string {
	switch r {
	case ReachPath:
		return "pull documented, path to be set by the user"
	case ReachPostback:
		return "postback only"
	case ReachSeed:
		return "seed only"
	}
	return "pull verified in public sources"
}

// Unit is what a network calls the thing that traffic is sent to, and how it names it.
type Unit struct {
	// Name is the unit's word in the document of integrations, "zcpa".
	Name string `yaml:"name"`
	// Help says what it is, "flow id".
	Help string `yaml:"help"`
}

// Postback says what a network sends to the address that one gives it.
type Postback struct {
	// Evidence is the network's if empty.
	Evidence Evidence `yaml:"evidence"`
	// Doc is for people: what to know before the address is pasted.
	Doc string `yaml:"doc"`
	// Macros are the network's own words for what syncd wants to know, with their braces
	// or brackets, by the parameter that carries it. They make the address that is pasted
	// where Tails do not, and their names without braces are understood as parameters.
	Macros Macros `yaml:"macros"`
	// Tails are what is put behind the address, by event; see Tail.
	Tails []Tail `yaml:"tails"`
	// Statuses are the network's words for statuses, in lower case, as schema's words.
	Statuses map[string]string `yaml:"statuses"`
	// Currency is that of amounts that come without one; empty if it is not known.
	Currency string `yaml:"currency"`
}

// Macros are texts that a network replaces in an address, "{sub1}"; empty where it has
// none. Of several the first makes the address, and the names of all are understood.
type Macros struct {
	OID     []string `yaml:"oid"`     // the id that the lead was sent with
	EID     []string `yaml:"eid"`     // the network's id of the lead
	Status  []string `yaml:"status"`  // the status
	Pay     []string `yaml:"pay"`     // the payout
	CC      []string `yaml:"cc"`      // its currency
	Comment []string `yaml:"comment"` // the operator's comment
	Reason  []string `yaml:"reason"`  // the code of the reason
	Offer   []string `yaml:"offer"`   // the offer's id
	Goal    []string `yaml:"goal"`    // the goal's id
	Country []string `yaml:"country"` // the visitor's country
	Time    []string `yaml:"time"`    // when the lead was made, Unix or with an offset
	Subs    []string `yaml:"subs"`    // the affiliate's parameters 1, 2 and so on
}

// Tail is the end of an address for one kind of event.
type Tail struct {
	// Event is the event's name in the network's panel; "Global" for all of them.
	Event string `yaml:"event"`
	// Text is the tail as it is pasted, "&oid={sub1}&status={status}"; empty if the event
	// is to be left without an address.
	Text string `yaml:"tail"`
}
