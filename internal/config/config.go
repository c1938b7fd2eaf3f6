package config

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"syncd/internal/strictyaml"
)

// Size is a number of bytes.
type Size = strictyaml.Size

// Config is the whole file, checked and with its defaults filled in. The
// descriptions that editors show are in describe.go.
type Config struct {
	Warehouse Warehouse `yaml:"warehouse"`
	State     State     `yaml:"state"`
	// DataDir is where the daemon keeps what is on disk: the embedded engine's data,
	// the SQLite state, the spool. Created when missing. Default ./data.
	DataDir   string    `yaml:"data_dir"`
	HTTP      HTTP      `yaml:"http"`
	Retention Retention `yaml:"retention"`
	Inbox     Inbox     `yaml:"inbox"`
	PII       PII       `yaml:"pii"`
	Log       Log       `yaml:"log"`
	Accounts  []Account `yaml:"accounts"`

	// positions is nil for a Config that no file gave.
	positions *strictyaml.Positions
}

// Problem makes a problem at the place of path ("accounts[0].network"), for checks
// that need more knowledge than this package has. Use strictyaml.Key and
// strictyaml.Item to build paths with keys of the user's choice. An argument that
// repeats an environment value is shown as it is written in the file.
func (c *Config) Problem(path, format string, args ...any) strictyaml.Problem {
	return c.positions.Problem(path, format, args...)
}

// Has reports whether the file gives a value at a path ("accounts[0].pace.min_delay").
func (c *Config) Has(path string) bool { return c.positions.Has(path) }

// Warehouse is the ClickHouse that is loaded.
type Warehouse struct {
	// DSN is "embedded" (the default), a clickhouse:// URL, or one of http:// or https://.
	DSN DSN `yaml:"dsn"`
	// Cluster, if set, is the name of the ClickHouse cluster to create everything on.
	Cluster string `yaml:"cluster"`
	// Database is what BI reads; the tables behind it are in Database + "_store". Default affiliate.
	Database string `yaml:"database"`
	// MemoryLimit caps the embedded engine; a server has its own. Default 2GiB.
	MemoryLimit Size `yaml:"memory_limit"`
}

// State is where paces, cursors and answers that are not loaded yet are kept.
type State struct {
	// DSN is "sqlite:PATH" or a postgres:// URL. Default: state.db in DataDir.
	DSN DSN `yaml:"dsn"`
}

// HTTP is the daemon's own server.
type HTTP struct {
	// Listen is host:port; port 0 picks a free one. Default 127.0.0.1:8080.
	Listen string `yaml:"listen"`
	// Token is asked from every client; zero means that none is, which is allowed on loopback only.
	Token Secret `yaml:"token"`
	// PublicURL is where the server is reached from outside, without a slash at its end: the
	// beginning of the addresses that networks are given for postbacks. Empty for Listen.
	PublicURL string `yaml:"public_url"`
	// PostbackRate is how many postbacks a second are taken from one address. Default 10000.
	PostbackRate int `yaml:"postback_rate"`
}

// Retention says how long what could be had again is kept.
type Retention struct {
	// RawPages are the networks' answers in the warehouse, from which rows can be
	// mapped again without a call. Default 90 days.
	RawPages time.Duration `yaml:"raw_pages"`
	// Spool are the downloaded export files. Default 7 days.
	Spool time.Duration `yaml:"spool"`
}

// Inbox holds the answers that are not loaded yet.
type Inbox struct {
	// MaxSize is how many compressed bytes wait at most; then no more calls are made
	// until the warehouse took some. Default 4GiB.
	MaxSize Size `yaml:"max_size"`
}

// What may happen to personal data at ingest.
const (
	PIIKeep = "keep"
	PIIHash = "hash"
	PIIDrop = "drop"
)

// PII says what happens to personal data before anything is stored.
type PII struct {
	// IP and Email are one of PIIKeep (the default), PIIHash and PIIDrop.
	IP    string `yaml:"ip"`
	Email string `yaml:"email"`
	// Key is what hashes are keyed with; never zero where something is hashed.
	Key Secret `yaml:"key"`
}

// Log is what the daemon says about itself on standard error.
type Log struct {
	// Level is debug, info (the default), warn or error.
	Level string `yaml:"level"`
	// Format is auto (the default: console on a terminal, json elsewhere), console or json.
	Format string `yaml:"format"`
}

// Account is one set of credentials at a network.
type Account struct {
	// Name is the key of all the account's rows and never changes: a-z, 0-9, _ and -.
	Name    string `yaml:"name"`
	Network string `yaml:"network"`
	// BaseURL is an http or https URL without a slash at its end; empty for the network's own.
	BaseURL string `yaml:"base_url"`
	// Credentials are what the network calls for, by the names in its manifest; none is empty.
	Credentials map[string]Secret `yaml:"credentials"`
	// Variables are what the network calls for and is no secret.
	Variables map[string]string `yaml:"variables"`
	// Role is one of the network's roles; empty for its first.
	Role string `yaml:"role"`
	// Timezone is the IANA name of the zone of the report days; default UTC.
	Timezone string `yaml:"timezone"`
	// Location is Timezone, loaded; never nil.
	Location *time.Location `yaml:"-" json:"-"`
	Pace     Pace           `yaml:"pace"`
	// Timeout bounds one call; zero means the network's own, or 120 s where its manifest has none.
	Timeout time.Duration `yaml:"timeout"`
	// Start is the first day ever pulled; zero means as far back as a stream's longest restatement tier reaches.
	Start Day `yaml:"start"`
	// Streams change the manifest's streams, by name; those not named run at the manifest's defaults.
	Streams map[string]Stream `yaml:"streams"`
	// Postback lets the network call /postback/NAME; without a token nothing is received.
	Postback Postback `yaml:"postback"`
	// OpenIDs names leads that the network is asked for; the zero value names none.
	OpenIDs OpenIDs `yaml:"open_ids"`
	// Guards say what of the account's answers is held back.
	Guards Guards `yaml:"guards"`
}

// Guards say when an answer is not published before a second one agrees.
type Guards struct {
	// Shrink is the share of a window's rows that may vanish at once, above 0 and at
	// most 1, which lets all of them go; zero means 0.5.
	Shrink float64 `yaml:"shrink"`
	// IgnoreTotals says that totals which the network states prove nothing: they are not
	// compared with its records.
	IgnoreTotals bool `yaml:"ignore_totals"`
}

// Postback is what the receiver knows of an account.
type Postback struct {
	// Token stands in the address that the network is given: letters, digits and -._~, at least 16.
	Token Secret `yaml:"token"`
	// Statuses are the network's words as they are meant in this account: approved,
	// pending, hold, rejected or trash.
	Statuses map[string]string `yaml:"statuses"`
	// Currency is that of amounts that come without one; empty for the network's own.
	Currency string `yaml:"currency"`
}

// IsZero reports whether nothing is said of postbacks.
func (p Postback) IsZero() bool {
	return p.Token.IsZero() && len(p.Statuses) == 0 && p.Currency == ""
}

// OpenIDs says where the ids of leads are that somebody else sent to the network. Their
// columns are lead_id (the network's id), own_id or click_id, and created_at.
type OpenIDs struct {
	// Query is asked from the warehouse, File is a CSV file with a header. At most one is given.
	Query string `yaml:"query"`
	File  string `yaml:"file"`
	// Every is how often they are read; default 15m.
	Every time.Duration `yaml:"every"`
}

// IsZero reports whether there is no such list.
func (o OpenIDs) IsZero() bool { return o.Query == "" && o.File == "" }

// Fingerprint names the account's credentials without telling them: it changes
// when one of them does.
func (a *Account) Fingerprint() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(a.Credentials)) {
		h.Write([]byte(name + "\x00" + a.Credentials[name].Reveal() + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil))[:fingerprintLength]
}

// Pace is how fast an account is called.
type Pace struct {
	// MinDelay is the time from the end of a call to the next one; zero means the network's
	// own, unless it is written beside AllowFaster.
	MinDelay time.Duration `yaml:"min_delay"`
	// AllowFaster permits a MinDelay below the network's.
	AllowFaster bool `yaml:"allow_faster"`
	// Parallel is the number of calls at a time; zero means the network's own.
	Parallel int `yaml:"parallel"`
}

// Stream changes one stream of an account; zero fields mean the manifest's value.
type Stream struct {
	// Enabled is nil where the manifest decides.
	Enabled *bool `yaml:"enabled"`
	// Schedule is a cron line in the account's zone, or a descriptor (@hourly, @every 15m).
	Schedule string `yaml:"schedule"`
	// Restate says how far back is pulled again how often; Last strictly increases, Every never decreases.
	Restate []Tier `yaml:"restate"`
	// Slices are the slices of a stats stream that can be cut freely.
	Slices []string `yaml:"slices"`
	// Variables override the account's for this stream.
	Variables map[string]string `yaml:"variables"`
	// Start overrides the account's for this stream.
	Start Day `yaml:"start"`
}

// Tier is a stretch of the past that is pulled again.
type Tier struct {
	Last  time.Duration `yaml:"last"`
	Every time.Duration `yaml:"every"`
}
