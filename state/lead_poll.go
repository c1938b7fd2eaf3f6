package state

import "time"

// The words of a status that the ledger tells apart; schema has them all.
const (
	statusApproved = "approved"
	statusRejected = "rejected"
	statusTrash    = "trash"
	statusPending  = "pending"
	statusHold     = "hold"
	statusUnknown  = "unknown"
)

// decided says that somebody judged the lead. It can still be judged anew.
func decided(status string) bool {
	return status == statusApproved || status == statusRejected || status == statusTrash
}

// undecided says that the status waits for a judgement; an unknown word says neither.
func undecided(status string) bool {
	return status == statusPending || status == statusHold
}

// next gives when a lead is to be asked for after something was heard of it at the given
// time: by an answer to asking for it (asked), or else by chance, which does not put off
// what is due.
func (r PollRule) next(l *Lead, at time.Time, asked bool) time.Time {
	if len(r.Tiers) == 0 {
		return l.NextPoll
	}
	next, last := time.Time{}, l.FirstSeen.Add(r.Tiers[len(r.Tiers)-1].Last)
	for _, tier := range r.Tiers {
		if at.Before(l.FirstSeen.Add(tier.Last)) {
			next = earlier(at.Add(tier.Every), last)
			break
		}
	}
	if next.IsZero() {
		return next // too old
	}
	if decided(l.Fields[LeadStatus]) {
		settled := l.StatusAt.Add(r.Settled)
		if !at.Before(settled) {
			return time.Time{}
		}
		next = earlier(next, settled)
	}
	if !asked && !l.NextPoll.IsZero() {
		next = earlier(next, l.NextPoll)
	}
	return next
}

// first gives when a lead is to be asked for of which only somebody else knows: now,
// unless it is too old. What is planned already stays.
func (r PollRule) first(l *Lead, now time.Time) time.Time {
	if !l.NextPoll.IsZero() || r.next(l, now, false).IsZero() {
		return l.NextPoll
	}
	return now
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
