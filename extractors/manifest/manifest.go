package manifest

import (
	"slices"
	"time"

	"syncd/internal/strictyaml"
	"syncd/schema/normalize"
)

// Network is one manifest: everything that is known of a network's read API.
type Network struct {
	// Name is the word in the configuration's "network" key.
	Name string `yaml:"network"`
	// Title is the network's name for people.
	Title string `yaml:"title"`
	Docs  string `yaml:"docs"`
	// Evidence holds for every stream that does not state its own.
	Evidence Evidence `yaml:"evidence"`
	// Reach is ReachVerified if empty.
	Reach Reach `yaml:"reach"`
	// Units are what traffic is sent to, as the network names it.
	Units []Unit `yaml:"units"`
	// Postback is nil if nothing is known of what the network sends.
	Postback *Postback `yaml:"postback"`
	// BaseURL is empty when every account has its own host: the account must give it.
	BaseURL string `yaml:"base_url"`
	Auth    Auth   `yaml:"auth"`
	// Credentials and Variables are what an account may set, by name.
	Credentials map[string]Credential `yaml:"credentials"`
	Variables   map[string]Variable   `yaml:"variables"`
	// Roles are the kinds of account; an account without a role has the first.
	Roles []string `yaml:"roles"`
	Pace  Pace     `yaml:"pace"`
	// Timeout bounds one call; 0 means the engine's default.
	Timeout time.Duration `yaml:"timeout"`
	// MaxBody bounds one answer, decompressed; 0 means the engine's default.
	MaxBody strictyaml.Size `yaml:"max_body"`
	// Check is the cheapest call that proves the credentials of every role. It may be left out
	// where no stream that is on by itself asks at the network's own address, and where
	// there is a login, which proves them.
	Check Request `yaml:"check"`
	// Checks replace Check for the roles that they name.
	Checks map[string]Request `yaml:"checks"`
	// Success is the test inside a 200 body; nil if the status says it all.
	Success *Success `yaml:"success"`
	// ErrorText are the paths where an answer's error is in words; the first that is text is shown.
	ErrorText []string `yaml:"error_text"`
	// Headers are sent with every call, beside Accept, which they may replace. They are
	// constant: a credential goes into Auth.
	Headers map[string]string `yaml:"headers"`
	// Allow is nil if paths alone tell reads from writes.
	Allow *Allow `yaml:"allow"`
	// Secrets say which values are removed from an answer before it is stored: a key
	// ("api_key") is removed anywhere, keys joined by dots ("partners.payment_systems.fields")
	// only where they follow one another, lists in between not counted.
	Secrets []string `yaml:"secrets"`
	PII     PII      `yaml:"pii"`
	// ZoneVariable names the variable with the zone of local times in answers to calls
	// that name no zone ({account.timezone}); where it is empty they are in the account's.
	ZoneVariable string `yaml:"zone_variable"`
	// Exports is nil if the network writes no files of records on demand.
	Exports *Exports `yaml:"exports"`
	// Streams is the catalogue, in the order in which people read it. Two streams may
	// have one name if no role reads both.
	Streams []*Stream `yaml:"streams"`
}

// Auth says how a call proves who asks.
type Auth struct {
	Kind AuthKind `yaml:"kind"`
	// Name is the header's or parameter's name, for the kinds that have one.
	Name string `yaml:"name"`
	// Credential is the name of the credential that is sent.
	Credential string `yaml:"credential"`
	// User is the name of the credential that is the user, for AuthBasic.
	User string `yaml:"user"`
	// Also are sent beside: a second header, a parameter with the user's number.
	Also []Auth `yaml:"also"`
	// Signer is nil if calls are not signed.
	Signer *Signer `yaml:"signer"`
	// Login is nil if the credential itself is sent.
	Login *Login `yaml:"login"`
}

// Signer computes a parameter of the query from the call and a credential.
type Signer struct {
	Kind SignerKind `yaml:"kind"`
	// Param carries the signature.
	Param string `yaml:"param"`
	// Credential is the secret.
	Credential string `yaml:"credential"`
}

// Login is a call whose answer gives what the others are authorized with. What it gives
// is kept in memory only, and asked for again when a call is refused.
type Login struct {
	Request Request `yaml:"request"`
	// Token maps the name of a parameter to the path of its value in the answer.
	Token map[string]string `yaml:"token"`
}

// Credential is a secret that an account gives.
type Credential struct {
	Help string `yaml:"help"`
	// Optional credentials may be missing.
	Optional bool `yaml:"optional"`
}

// Pace is the network's floor: an account may be slower freely, faster only on demand.
type Pace struct {
	// MinDelay lies between the end of a call, failed ones included, and the start of the next.
	MinDelay time.Duration `yaml:"min_delay"`
	// Parallel is the number of calls an account may have in flight; 0 means 1.
	Parallel int     `yaml:"parallel"`
	Quotas   []Quota `yaml:"quotas"`
}

// Quota is a budget of calls that the network states.
type Quota struct {
	Name  string        `yaml:"name"`
	Calls int           `yaml:"calls"`
	Per   time.Duration `yaml:"per"`
	// For says which calls count against the budget: all if it is empty.
	For QuotaFor `yaml:"for"`
}

// Allow is a closed list of what the network is asked for: every request of the
// manifest sends the parameter Param once, with one of Values. It is for networks
// whose calls that write differ from those that read by a parameter only.
type Allow struct {
	Param  string   `yaml:"param"`
	Values []string `yaml:"values"`
}

// Success is a test inside an answer whose HTTP status is good. An answer that is
// not an object has no envelope and passes.
type Success struct {
	// Path is where the value stands.
	Path string `yaml:"path"`
	// Equals are the values, as text, that mean success.
	Equals []string `yaml:"equals"`
	// Refused are words by which an error in words (ErrorText) is known to be about the
	// credentials, Throttled those by which it asks for patience; they are looked for
	// anywhere in it, whatever their case. They count beside the HTTP status too, where
	// that alone says less.
	Refused   []string `yaml:"refused"`
	Throttled []string `yaml:"throttled"`
}

// PII names what in the answers is personal, beside e-mail addresses, which are
// recognized by their form.
type PII struct {
	// IP are the keys whose string values are IP addresses of people.
	IP []string `yaml:"ip"`
}

// Request is a GET, or a POST that reads: no manifest can say anything that writes.
type Request struct {
	// Method is MethodGet if empty.
	Method Method `yaml:"method"`
	// Body is the JSON of a POST, a template whose placeholders are written as JSON
	// strings are inside quotes; Form are the fields of a form, like Query. At most one is given.
	Body string              `yaml:"body"`
	Form map[string][]string `yaml:"form"`
	// URLVariable names a variable that holds the whole address of the call, a template
	// with {credential.NAME}, {variable.NAME} and the placeholders of items and windows.
	// Nothing else of the request is given then, and the network's auth is not added: it is for
	// calls that exist but are not public. The stream is off as long as it is empty.
	URLVariable string `yaml:"url_variable"`
	// Path is appended to the base URL; placeholders in it are escaped as one element.
	// It holds neither parameters nor a fragment.
	Path string `yaml:"path"`
	// PathVariable names a variable that, when set, replaces Path: a template in which
	// {item}, {item.NUMBER} and {variable.NAME} may stand. Path may be left out if the
	// variable always has a value.
	PathVariable string `yaml:"path_variable"`
	// Query maps a parameter's name, as it is sent ("filter[date_from]"), to its
	// values. A value that resolves to "" is left out; {items} and {slices} become
	// one value each. In a name {variable.NAME} may stand; a parameter whose name has a
	// variable that is empty is left out.
	Query map[string][]string `yaml:"query"`
	// Empty lists names of Query that are sent without a value too: a network may ask
	// for a parameter that has nothing to say.
	Empty []string `yaml:"empty"`
	// DayLayout is how the {….from_day} family is written, as a Go layout or a
	// placeholder of a variable that holds one; 2006-01-02 if empty.
	DayLayout string `yaml:"day_layout"`
	// TimeLayout is the same for the {….from_time} family; 2006-01-02 15:04:05 if empty.
	TimeLayout string `yaml:"time_layout"`
}

// IsZero reports whether there is no request at all.
func (r Request) IsZero() bool { return r.Path == "" && r.PathVariable == "" && r.URLVariable == "" }

// Asks reports whether a call of the network's catalogue goes to its own address, with
// its own auth: not of networks that only send postbacks, or whose calls the account gives.
func (n *Network) Asks() bool {
	return slices.ContainsFunc(n.Streams, func(s *Stream) bool { return s.Request.URLVariable == "" })
}

// Parts gives all that is sent of auth, the main one first; those without a kind are left out.
func (a Auth) Parts() []Auth {
	return slices.DeleteFunc(append([]Auth{a}, a.Also...), func(a Auth) bool { return a.Kind == "" })
}

// Stream is one kind of object that a network gives.
type Stream struct {
	// Name is the key in an account's "streams".
	Name string `yaml:"name"`
	Doc  string `yaml:"doc"`
	// Evidence is the network's if empty.
	Evidence Evidence `yaml:"evidence"`
	// Roles may read the stream; empty means all of the network's.
	Roles []string `yaml:"roles"`
	// Disabled streams are pulled only if the account's configuration enables them.
	Disabled bool `yaml:"disabled"`
	// Optional says in words why a tenant may not have this call; it is told with
	// the 404 that stops the stream.
	Optional string `yaml:"optional"`
	// Needs are the variables without which the stream is off.
	Needs   []string `yaml:"needs"`
	Request Request  `yaml:"request"`
	// Success and ErrorText replace the network's, if they are given.
	Success   *Success `yaml:"success"`
	ErrorText []string `yaml:"error_text"`
	// Window is nil for a stream without a time axis.
	Window *Window `yaml:"window"`
	// Changes is nil if the network cannot be asked what changed since a time.
	Changes *Changes `yaml:"changes"`
	Paging  Paging   `yaml:"paging"`
	// ForEach is nil unless calls are made per item of a list.
	ForEach *ForEach `yaml:"for_each"`
	// Export is nil unless the records can also be had as a file; see Network.Exports.
	Export *Export `yaml:"export"`
	// Leads says that the records are facts about leads: about some column of what a lead is, or
	// about a lead that a postback may have told of. Its main table is conversions.
	Leads bool `yaml:"leads"`
	// Settled is how long a decision has to stand until a lead is polled no more; for
	// streams over open leads. 0 means 7 days.
	Settled time.Duration `yaml:"settled"`
	// Slices is nil unless the account chooses the report's dimensions. Such a stream
	// is a template: the account may configure it under its own name, and any number
	// of times more as "<name>/<anything>", each with its own slices.
	Slices *Slices `yaml:"slices"`
	// Output is the main table; its keys stand beside those above in the YAML.
	Output normalize.Spec `yaml:",inline"`
	// Also are further tables filled from the same answers.
	Also []normalize.Spec `yaml:"also"`
	// Totals are sums over the records that the answers state beside them. A pull whose
	// rows do not add up to one of them is held back.
	Totals []Total `yaml:"totals"`
	// Schedule is the default cron line, due in the account's zone.
	Schedule string `yaml:"schedule"`
	// Restate are the default restatement tiers, youngest first.
	Restate []Tier `yaml:"restate"`
}

// Outputs gives all tables that the stream's answers fill, the main one first.
func (s *Stream) Outputs() []normalize.Spec {
	return append([]normalize.Spec{s.Output}, s.Also...)
}

// Window says how the stream's time axis is cut into calls.
type Window struct {
	// By is the Time or Date column of the main table that the window bounds.
	By   string `yaml:"by"`
	Step Step   `yaml:"step"`
	// Zone is ZoneAccount if empty.
	Zone Zone `yaml:"zone"`
	// MaxAge is how far back the network answers; 0 means without limit.
	// MaxAgeVariable names a variable that, when set, replaces it.
	MaxAge         time.Duration `yaml:"max_age"`
	MaxAgeVariable string        `yaml:"max_age_variable"`
	// Settle is how old records have to be before they are asked for: the end of what a
	// call asks for ({window.to_time}, {window.to_unix}) lies so long before the pull
	// began, or earlier. SettleVariable names a variable that, when set, replaces it.
	Settle         time.Duration `yaml:"settle"`
	SettleVariable string        `yaml:"settle_variable"`
}

// Changes is the changed-since form of a stream.
type Changes struct {
	// Query is merged over the Request's: a name given here replaces it there.
	Query map[string][]string `yaml:"query"`
	// Overlap is how far back of the last publication is asked again, for clocks
	// that differ and bounds that are days.
	Overlap time.Duration `yaml:"overlap"`
	// Roles may ask so; empty means all that read the stream.
	Roles []string `yaml:"roles"`
}

// Paging says how a list that is longer than an answer is read.
type Paging struct {
	// Kind is PagingNone if empty. KindVariable names a variable that, when set, replaces
	// it: the word page or offset, for a network whose documentation can be read both
	// ways. With offset the stop rule last_page does not count.
	Kind         PagingKind `yaml:"kind"`
	KindVariable string     `yaml:"kind_variable"`
	// Param carries the page number, offset or cursor. In it and in SizeParam {variable.NAME} may
	// stand, as in the names of Request.Query.
	Param string `yaml:"param"`
	// SizeParam carries the size of a page; empty if the network has no such parameter.
	SizeParam string `yaml:"size_param"`
	// Size is the number of records asked for; SizeVariable names a variable that,
	// when set, replaces it.
	Size         int    `yaml:"size"`
	SizeVariable string `yaml:"size_variable"`
	// First is the number of the first page, or the first offset.
	First int `yaml:"first"`
	// Next, Total and Served are the paths of the next page, of the number of all
	// records, and of the page size that the network really used.
	Next   string `yaml:"next"`
	Total  string `yaml:"total"`
	Served string `yaml:"served"`
	// Cursor is the path of the next page's cursor, Pages that of the number of pages.
	Cursor string `yaml:"cursor"`
	Pages  string `yaml:"pages"`
	// Stop are the rules that end the paging; at least one unless Kind is PagingNone.
	Stop []Stop `yaml:"stop"`
	// MaxPages is the number of pages after which the paging is called endless; 0
	// means the engine's default.
	MaxPages int `yaml:"max_pages"`
	// Distinct says that the last record of a page must not be on the next one; if it
	// is, the stream stops with DistinctAdvice (what to set instead). It finds that the
	// network counts pages in another way than Kind says, and is for lists in an order
	// that nothing new changes (by id, upwards).
	Distinct       bool   `yaml:"distinct"`
	DistinctAdvice string `yaml:"distinct_advice"`
	// Adaptive says that a page that the network fails to give (5xx) is asked for again with half
	// the size, down to one record, which is then passed over and told of; the size grows
	// back with pages that come. For PagingOffset.
	Adaptive bool `yaml:"adaptive"`
}

// ForEach says over which list the calls of a stream go; exactly one of Stream,
// Variable, Values and OpenLeads is given.
type ForEach struct {
	// Stream and Column: the values of a column of another stream's live rows.
	// Columns are several in place of one: an item is then a row's values of all of
	// them, as {item.1}, {item.2} and so on.
	Stream  string   `yaml:"stream"`
	Column  string   `yaml:"column"`
	Columns []string `yaml:"columns"`
	// Variable: the comma-separated list in an account's variable.
	Variable string   `yaml:"variable"`
	Values   []string `yaml:"values"`
	// OpenLeads: the account's leads that are not settled, by their network or own id.
	// Restate then says how often a lead of which age is asked for.
	OpenLeads OpenLeads `yaml:"open_leads"`
	// Batch is the number of items one call asks for, as {items}; 0 means one, as {item}.
	Batch int `yaml:"batch"`
}

// Slices are the dimensions that an account may choose for a report.
type Slices struct {
	// Allowed are the words that the network knows; AdminOnly are further ones, that
	// only the network's first role may ask for.
	Allowed   []string `yaml:"allowed"`
	AdminOnly []string `yaml:"admin_only"`
	// Always are sent with every request, before the chosen ones.
	Always []string `yaml:"always"`
	// Default is chosen when the account chooses none; a role that may not read one
	// of them goes without it.
	Default []string `yaml:"default"`
}

// Tier says that data younger than Last is pulled again every Every.
type Tier struct {
	Last  time.Duration `yaml:"last"`
	Every time.Duration `yaml:"every"`
}
