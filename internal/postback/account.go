package postback

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/schema"
	"syncd/state"
)

// Account is an account that receives postbacks. What Compile gives is safe for
// concurrent use.
type Account struct {
	// Name is the account's name in the configuration, and the last element of its address.
	Name string
	// Token is asked from every call; never empty.
	Token Secret
	// Statuses are the account's own words for statuses, as schema's words.
	Statuses map[string]string
	// Currency is that of amounts that come without one; empty for the network's.
	Currency string
	// Location is the zone of the report days; UTC if nil.
	Location *time.Location
	PII      PII
	// Poll says how often the leads that postbacks tell of are asked for; nobody asks for
	// them if it has no tiers.
	Poll state.PollRule

	network         *manifest.Network
	statuses        map[string]string
	networkStatuses map[string]string
	names           map[string][]slot
	clean           *cleaner
	digest          [sha256.Size]byte
	stream          *extractors.Stream
}

// Secret is a text that does not print, such as config.Secret.
type Secret interface {
	// Reveal gives the text.
	Reveal() string
}

// words are what a status may be translated to. Unknown is none of them: nobody has to say so.
var words = []string{schema.StatusApproved, schema.StatusPending, schema.StatusHold, schema.StatusRejected, schema.StatusTrash}

// Compile gives the account with what its network says of postbacks. It may be called for
// a network that says nothing of them: general names and words are understood then.
func Compile(network *manifest.Network, account Account) (*Account, error) {
	a := account
	if a.Token == nil || a.Token.Reveal() == "" {
		return nil, fmt.Errorf("receiving postbacks of account %s: a token is needed; set accounts[].postback.token", a.Name)
	}
	for _, word := range slices.Sorted(maps.Keys(a.Statuses)) {
		if !slices.Contains(words, a.Statuses[word]) {
			return nil, fmt.Errorf("receiving postbacks of account %s: the word %q stands for %q, which is none of %s",
				a.Name, word, a.Statuses[word], strings.Join(words, ", "))
		}
	}
	p := cmp.Or(network.Postback, &manifest.Postback{})
	a.network = network
	a.Location = cmp.Or(a.Location, time.UTC)
	a.Currency = strings.ToUpper(cmp.Or(a.Currency, p.Currency))
	a.statuses, a.networkStatuses = folded(a.Statuses), folded(p.Statuses)
	a.names = names(&p.Macros)
	a.PII.Names = slices.Concat(a.PII.Names, network.PII.IP)
	a.clean = newCleaner(a.Token.Reveal(), a.PII)
	a.digest = sha256.Sum256([]byte(a.Token.Reveal()))
	a.stream = stream(network)
	return &a, nil
}

// Stream gives the stream that postbacks are brought as.
func (a *Account) Stream() *extractors.Stream { return a.stream }
