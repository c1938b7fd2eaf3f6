package state

import (
	"context"
	"time"
)

// Many networks answer only for leads that one names, tell little of each, and send
// the rest by postback. What is known of a lead is therefore put together here: every
// answer and every postback about it is a LeadFact, merged in the order of receipt,
// which is that of their versions. Rows are made of the merged lead, so whatever is
// published first, the row with the greatest version knows all that was received
// before it.

// The columns of a lead's row that tell it from others, and say where it stands. The
// ledger knows no others by name.
const (
	// LeadNetworkID is the column with the network's id of the lead.
	LeadNetworkID = "conversion_id"
	// LeadOwnID is the column with the id that the lead was sent to the network with.
	LeadOwnID = "click_id"
	// LeadStatus is the column with the status, as one of schema's words. LeadStatusRaw and
	// LeadStatusReason are the network's own word for it, and why.
	LeadStatus       = "status"
	LeadStatusRaw    = "status_raw"
	LeadStatusReason = "status_reason"
	// LeadCreated is the column with the time at which the lead was made, LeadDay the
	// one with its report day.
	LeadCreated = "created_at"
	LeadDay     = "report_date"
)

// LeadID says which of a lead's two ids is meant.
type LeadID string

// The ids of a lead.
const (
	ByNetworkID LeadID = "network"
	ByOwnID     LeadID = "own"
)

// LeadFields are columns of a row of conversions, by name, as text: amounts as
// decimals ("12.5"), times as milliseconds since 1970 in UTC, days as days since 1970,
// flags and counts as whole numbers. What is not among them was not told, and neither was
// what is among them as an empty text.
type LeadFields map[string]string

// LeadFact is what one record of an answer, or one postback, told of a lead. Its Fields
// have at least one of LeadNetworkID and LeadOwnID; a fact with neither tells nothing.
//
// It is about the lead with the same network id; where it has none, or none is known,
// about the youngest lead with the same own id, unless both have network ids that
// differ. If it ties together two leads that were thought to be different, they become one.
type LeadFact struct {
	Fields LeadFields
	// Fallback are fields that count only as long as nothing was told of them: the time
	// of receipt for that of the lead's making. The first one given stays.
	Fallback LeadFields
	// Late says that the fact may be older than what was received before it: a postback
	// that the network sent again, or in another order. Its status does not replace a
	// decision (approved, rejected, trash) by pending or hold; one that would is older than
	// the decision, and so are its other fields: they only fill what is not known.
	Late bool
}

// Lead is what is known of a lead.
type Lead struct {
	// ID is the store's number of the lead: of two leads, the younger has the greater.
	ID      int64
	Account string
	// Fields were told; Fallback stand in for those that were not (see LeadFact).
	Fields, Fallback LeadFields
	// FirstSeen is when it was first heard of, or made, if that was by an answer or a list
	// that said so; StatusAt when its status last changed, zero for a lead without one.
	FirstSeen, StatusAt time.Time
	// Heard is when an answer or a postback first told of it: all that is known of it was
	// told since. Zero if a part of it is from AddLeads, or if that is not known.
	Heard time.Time
	// Version is that of the page that last told something of it; 0 until one did.
	Version uint64
	// NextPoll is when it is to be asked for again; zero for never: it is settled, too
	// old, or there is nobody to ask.
	NextPoll time.Time
	// Polls counts the answers that it was asked for.
	Polls int
}

// LeadRow is the row of a lead as a page leaves it.
type LeadRow struct {
	// Fields are what was told and what stands in for the rest. LeadNetworkID is always
	// among them: it is the own id where the network's is not known.
	Fields LeadFields `json:"fields"`
	// Gone are keys under which the lead's row stood before: it learned its network id,
	// or another time of its making, or turned out to be another lead. No row of the same
	// page stands under one of them. Whoever buries them gives the page's version: a later
	// page may use a key again.
	Gone []LeadKey `json:"gone,omitempty"`
}

// LeadKey is where the row of a lead stands in the warehouse.
type LeadKey struct {
	// Day counts from 1970; 0 where neither a source nor a Fallback told it.
	Day uint16 `json:"day"`
	// ID is the network id, or the own one where that is not known.
	ID string `json:"id"`
}

// PollRule says how often an open lead is asked for.
type PollRule struct {
	// Tiers are ordered by Last: a lead that is younger than Last (see Lead.FirstSeen) is asked
	// every Every, and a last time when it is as old as the last of them. None means that who tells does
	// not know: when the leads are asked for next stays as it is.
	Tiers []PollTier
	// Settled is how long a decision (approved, rejected, trash) has to stand until the
	// lead is asked for no more: a last time then; zero settles it at once.
	Settled time.Duration
}

// PollTier is how often a lead is asked for while it is younger than Last.
type PollTier struct{ Last, Every time.Duration }

// Told is what an answer says of leads, for Receipt and Bring.
type Told struct {
	Facts []LeadFact
	// Asked are the leads that the call asked for, by By: those of which the answer says
	// nothing are asked again later as well. An own id means all leads that have it. By is
	// empty for answers that were asked for in another way.
	Asked []string
	By    LeadID
	Poll  PollRule
	// Whole asks for the row of every lead that the facts are about, unchanged or not: the
	// pull brings all rows of its window, and what has no row in it has vanished.
	Whole bool
}

// Postback is a call that arrived at the receiver and was accepted.
type Postback struct {
	// Seq orders the postbacks of a store; it is a version like those of pages.
	Seq        int64
	Account    string
	ReceivedAt time.Time
	// Record is the call as the receiver wrote it down, without its token.
	Record []byte
}

// Bring turns postbacks into a pull that waits for the loader.
type Bring struct {
	Account, Stream, RunID string
	// Through is the Seq of the last postback that the body holds; all of the account up to
	// it are taken.
	Through int64
	// Body, Records and RawBytes are as in Receipt.
	Body     []byte
	Records  int
	RawBytes int
	Request  string
	At       time.Time
	Told     Told
}

// Backlog is how many postbacks of an account wait to be brought.
type Backlog struct {
	Account string
	Waiting int64
	// Oldest is when the first of them was received.
	Oldest time.Time
}

// LeadCount is how many leads of an account are known, and how many are still asked for.
type LeadCount struct {
	Account     string
	Known, Open int64
	// Due are the open ones whose time has come; NextPoll is the earliest of all.
	Due      int64
	NextPoll time.Time
}

// Leads is the part of a Store that knows leads and postbacks.
type Leads interface {
	// AcceptPostback makes a postback durable and gives its Seq. Calls that come at the
	// same time share one write to disk.
	AcceptPostback(ctx context.Context, p Postback) (int64, error)
	// Postbacks gives the postbacks of an account that were not brought yet, oldest
	// first, at most limit, and fewer if they are large; none only if none wait.
	Postbacks(ctx context.Context, account string, limit int) ([]Postback, error)
	// Backlogs gives what waits to be brought, by account.
	Backlogs(ctx context.Context) ([]Backlog, error)
	// Bring creates a Pulled pull of kind Changes, as urgent as can be, with one page;
	// merges what its postbacks told; and forgets them: all in one transaction. The page's
	// version is greater than those of its postbacks. ErrPullOpen if the stream has an open pull.
	//
	// Nobody can be asked for a postback again, so the pages of such a pull go by Publish
	// alone: Reject, Hold and DropPulls make it Failed with its pages, for as long as it
	// takes, and the next Bring of the stream goes on with it: it is Pulled again, with one
	// page more.
	Bring(ctx context.Context, b Bring) (Pull, error)
	// AddLeads makes leads known that somebody else knows, to be asked for: nothing of
	// them is published until an answer or a postback tells of them. Leads that are known
	// keep what is known of them, and get what is not; if they have a row, it comes with the
	// account's next page. A new lead is as old as LeadCreated says, and due at once unless
	// that is too old for the rule.
	AddLeads(ctx context.Context, account string, facts []LeadFact, poll PollRule, now time.Time) (added int, err error)
	// OpenLeads gives the ids of leads that are due to be asked for, the longest due first, at
	// most limit. Leads without such an id are left out, and ids that contain one of the
	// characters of without; one id of several leads comes once.
	OpenLeads(ctx context.Context, account string, by LeadID, now time.Time, without string, limit int) ([]string, error)
	// Lead gives what is known of a lead by one of its ids, of the youngest if several have
	// the own one; ErrNoLead if nothing is.
	Lead(ctx context.Context, account string, by LeadID, id string) (Lead, error)
	// LeadCounts gives the counts of all accounts that have leads, by account.
	LeadCounts(ctx context.Context, now time.Time) ([]LeadCount, error)
}
