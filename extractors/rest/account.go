package rest

import (
	"strings"
	"time"

	"syncd/extractors"
)

// Secret is a value that does not print; Reveal gives it.
type Secret interface{ Reveal() string }

// Account is one set of credentials at a network and what its owner configured.
type Account struct {
	// Name is the key of all the account's rows.
	Name string
	// BaseURL is the network's address for this account; empty means the manifest's.
	BaseURL string
	// Role is one of the network's; empty means its first.
	Role string
	// Location is the zone of the account's report days; nil means UTC.
	Location    *time.Location
	Credentials map[string]Secret
	Variables   map[string]string
	// Start is the first report day ever pulled; zero means as early as the network answers.
	Start time.Time
	PII   PII
	// Streams are settings by stream name; a stream without any has the manifest's.
	Streams map[string]Settings
}

// Settings are what an account's owner sets of one stream. Zero values mean the manifest's.
type Settings struct {
	Enabled  *bool
	Schedule string
	Restate  []extractors.TierRule
	// Slices are the dimensions of a report that lets the account choose.
	Slices []string
	// Variables override the account's for this stream.
	Variables map[string]string
	// Start overrides the account's for this stream.
	Start time.Time
}

// Mistake is one thing that is wrong with an account.
type Mistake struct {
	// Path is the key in the account's configuration, "streams.stats.slices[1]".
	Path string
	// Message is a sentence without the path. It quotes no credential.
	Message string
}

// Mistakes is an error: all that is wrong with an account, at once.
type Mistakes []Mistake

// Error gives one line for each mistake.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.Path + ": " + one.Message
	}
	return strings.Join(lines, "\n")
}
