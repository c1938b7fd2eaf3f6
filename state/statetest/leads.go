package statetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/state"
)

// Leads and postbacks. How facts are merged is tested beside state.LeadMerge; here it is
// that drivers give it what is stored, and store what it gives.

var leadRule = state.PollRule{Tiers: []state.PollTier{{Last: 48 * time.Hour, Every: time.Hour}}, Settled: 24 * time.Hour}

// told is a fact of name and value pairs.
func told(pairs ...string) state.LeadFact {
	f := state.LeadFact{Fields: state.LeadFields{}}
	for i := 0; i < len(pairs); i += 2 {
		f.Fields[pairs[i]] = pairs[i+1]
	}
	return f
}

// tells is a receipt that tells of leads.
func tells(p state.Pull, n int, done bool, facts ...state.LeadFact) state.Receipt {
	r := receipt(p, n, done)
	r.Told = &state.Told{Facts: facts, Poll: leadRule}
	return r
}

// postback is the nth call that arrived for account acme.
func postback(n int) state.Postback {
	return state.Postback{Account: "acme", ReceivedAt: t0.Add(time.Duration(n) * time.Second), Record: fmt.Appendf(nil, `{"q":"oid=c%d&status=A"}`, n)}
}

func (f *fixture) accept(postbacks ...state.Postback) (last int64) {
	f.Helper()
	for _, p := range postbacks {
		last = must[int64](f)(f.s.AcceptPostback(f.ctx, p))
	}
	return last
}

func (f *fixture) waiting(account string) []state.Postback {
	f.Helper()
	return must[[]state.Postback](f)(f.s.Postbacks(f.ctx, account, 1_000_000))
}

// brings is what turns the postbacks of account acme up to a seq into a pull.
func brings(through int64, facts ...state.LeadFact) state.Bring {
	return state.Bring{
		Account: "acme", Stream: "postbacks", RunID: "run-4", Through: through, Body: []byte("packed"), Records: 3, RawBytes: 30,
		Request: "postbacks", At: t0, Told: state.Told{Facts: facts, Poll: leadRule},
	}
}

func (f *fixture) bring(b state.Bring) state.Pull {
	f.Helper()
	return must[state.Pull](f)(f.s.Bring(f.ctx, b))
}

func (f *fixture) lead(by state.LeadID, id string) state.Lead {
	f.Helper()
	return must[state.Lead](f)(f.s.Lead(f.ctx, "acme", by, id))
}

func (f *fixture) openLeads(by state.LeadID, now time.Time, limit int) []string {
	f.Helper()
	return must[[]string](f)(f.s.OpenLeads(f.ctx, "acme", by, now, "", limit))
}

// leadRows gives the rows of all pages of a pull.
func (f *fixture) leadRows(id int64) (rows []state.LeadRow) {
	f.Helper()
	for _, p := range f.pages(id) {
		rows = append(rows, p.Leads...)
	}
	return rows
}

func testLeads(t *testing.T, d Driver) {
	net, own := state.LeadNetworkID, state.LeadOwnID
	each(t, d, []testCase{
		{"what an answer tells is merged, and its page has the rows", func(f *fixture) {
			p := f.created(window(0))
			f.receive(tells(p, 1, false, told(own, "c1", state.LeadDay, "20000", "payout", "1.50")))
			f.receive(tells(p, 2, false, told(net, "7", own, "c1", "status", "hold")))
			f.receive(tells(p, 3, true, told(net, "7", own, "c1")))
			f.reopen()
			pages := f.pages(p.ID)
			row := state.LeadFields{net: "7", own: "c1", state.LeadDay: "20000", "payout": "1.50", "status": "hold"}
			f.equal("first page", pages[0].Leads, []state.LeadRow{{Fields: state.LeadFields{net: "c1", own: "c1", state.LeadDay: "20000", "payout": "1.50"}}})
			f.equal("second page", pages[1].Leads, []state.LeadRow{{Fields: row, Gone: []state.LeadKey{{Day: 20000, ID: "c1"}}}})
			f.equal("third page, which told nothing new", pages[2].Leads, []state.LeadRow(nil))
			want := state.Lead{
				ID: f.lead(state.ByNetworkID, "7").ID, Account: "acme", Fields: row, Fallback: state.LeadFields{},
				FirstSeen: receipt(p, 1, false).ReceivedAt, StatusAt: receipt(p, 2, false).ReceivedAt, Heard: receipt(p, 1, false).ReceivedAt, Version: pages[1].Version,
				NextPoll: receipt(p, 1, false).ReceivedAt.Add(time.Hour),
			}
			f.equal("lead", f.lead(state.ByNetworkID, "7"), want)
			f.equal("lead by its own id", f.lead(state.ByOwnID, "c1"), want)
			f.equal("inbox", f.inbox().Pages, int64(3))
		}},
		{"leads of accounts have nothing to do with each other", func(f *fixture) {
			other := window(0)
			other.Account = "other"
			f.receive(tells(f.created(window(0)), 1, true, told(net, "7", "payout", "1")))
			p := f.created(other)
			f.receive(tells(p, 1, true, told(net, "7", "payout", "2")))
			f.equal("lead", f.lead(state.ByNetworkID, "7").Fields["payout"], "1")
			f.equal("rows", f.leadRows(p.ID), []state.LeadRow{{Fields: state.LeadFields{net: "7", "payout": "2"}}})
			counts := must[[]state.LeadCount](f)(f.s.LeadCounts(f.ctx, t0))
			f.equal("accounts", len(counts), 2)
		}},
		{"an answer that is refused tells nothing", func(f *fixture) {
			p := f.pulled(window(0), 1)
			_, err := f.s.Receive(f.ctx, tells(p, 2, true, told(net, "7")))
			f.is(err, state.ErrNoPull)
			_, err = f.s.Receive(f.ctx, tells(state.Pull{ID: 4711}, 2, true, told(net, "7")))
			f.is(err, state.ErrNoPull)
			_, err = f.s.Lead(f.ctx, "acme", state.ByNetworkID, "7")
			f.is(err, state.ErrNoLead)
		}},
		{"a lead that is not known is said to be none", func(f *fixture) {
			f.receive(tells(f.created(window(0)), 1, true, told(net, "7")))
			for _, by := range []state.LeadID{state.ByNetworkID, state.ByOwnID} {
				for _, id := range []string{"8", ""} {
					_, err := f.s.Lead(f.ctx, "acme", by, id)
					f.is(err, state.ErrNoLead)
				}
			}
			_, err := f.s.Lead(f.ctx, "other", state.ByNetworkID, "7")
			f.is(err, state.ErrNoLead)
		}},
		{"texts of leads come back as they were", func(f *fixture) {
			text := "quote ' and \" and \\ and % and ? and ü and 漢 and \n\t\r and \x01 and <> end"
			p := f.created(window(0))
			for n := range 2 { // the second has to find the first
				f.receive(tells(p, n, false, told(net, text, own, text+text, "sub1", text, "payout", strconv.Itoa(n))))
			}
			want := state.LeadFields{net: text, own: text + text, "sub1": text, "payout": "1"}
			f.equal("lead", f.lead(state.ByNetworkID, text).Fields, want)
			f.equal("lead by its own id", f.lead(state.ByOwnID, text+text).Fields, want)
			f.equal("rows", f.pages(p.ID)[1].Leads, []state.LeadRow{{Fields: want}})
			f.equal("open", f.openLeads(state.ByNetworkID, t0.Add(day), 10), []string{text})
		}},
		{"leads that turn out to be one are one", func(f *fixture) {
			p := f.created(window(0))
			f.receive(tells(p, 1, false, told(own, "c1", "sub1", "x"), told(net, "7", "payout", "1")))
			f.receive(tells(p, 2, true, told(net, "7", own, "c1")))
			f.equal("lead", f.lead(state.ByOwnID, "c1").Fields, state.LeadFields{net: "7", own: "c1", "sub1": "x", "payout": "1"})
			f.equal("counts", f.counts(), []state.LeadCount{{Account: "acme", Known: 1, Open: 1, Due: 0, NextPoll: receipt(p, 1, false).ReceivedAt.Add(time.Hour)}})
		}},
		{"an answer without records tells of leads as well, and the next page has their rows", func(f *fixture) {
			p := f.created(window(0))
			r := tells(p, 1, false, told(net, "7", "payout", "1"))
			r.Control = true
			f.receive(r)
			f.equal("lead", f.lead(state.ByNetworkID, "7").Fields["payout"], "1")
			f.receive(tells(p, 2, true))
			f.equal("rows", f.leadRows(p.ID), []state.LeadRow{{Fields: state.LeadFields{net: "7", "payout": "1"}}})
		}},
		{"the rows of pages that are dropped come with the account's next page", func(f *fixture) {
			for n, drop := range []func(p state.Pull) error{
				func(p state.Pull) error { return f.s.DropPulls(f.ctx, []int64{p.ID}) },
				func(p state.Pull) error {
					return f.s.Fail(f.ctx, state.Failure{Account: "acme", PullID: p.ID, At: t0, GiveUp: true})
				},
				func(p state.Pull) error {
					f.receive(tells(p, 3, true))
					return f.s.Reject(f.ctx, p.ID, "bad rows")
				},
				func(p state.Pull) error {
					f.receive(tells(p, 3, true))
					return f.s.Hold(f.ctx, []state.Held{{PullID: p.ID, At: t0}})
				},
			} {
				id := strconv.Itoa(n)
				p := f.created(window(n))
				f.receive(tells(p, 1, false, told(own, id, state.LeadDay, "20000")))
				f.receive(tells(p, 2, false, told(net, "n"+id, own, id)))
				f.no(drop(p))
				f.reopen()
				next := f.created(window(100 + n))
				f.receive(tells(next, 1, false, told(net, "n"+id, "payout", "1")))
				want := state.LeadFields{net: "n" + id, own: id, state.LeadDay: "20000", "payout": "1"}
				f.equal("rows", f.leadRows(next.ID), []state.LeadRow{{Fields: want, Gone: []state.LeadKey{{Day: 20000, ID: id}}}})
				f.receive(tells(next, 2, true, told(net, "n"+id, "payout", "1")))
				f.equal("rows of the page after", f.pages(next.ID)[1].Leads, []state.LeadRow(nil))
				f.publish(f.openPulls()...)
			}
		}},
		{"a page of many leads is stored whole, and what follows knows all of it", func(f *fixture) {
			const n = 20_000
			facts := make([]state.LeadFact, n)
			for i := range facts {
				facts[i] = told(net, strconv.Itoa(i), own, fmt.Sprint("c", i), "payout", "1.25", state.LeadDay, "20000")
			}
			p := f.created(window(0))
			f.receive(tells(p, 1, false, facts...))
			f.equal("rows", len(f.leadRows(p.ID)), n)
			f.equal("known", f.counts()[0].Known, int64(n))
			f.equal("the last", f.lead(state.ByOwnID, fmt.Sprint("c", n-1)).Version, f.pages(p.ID)[0].Version)
			f.receive(tells(p, 2, false, facts...))
			f.equal("rows of the same again", len(f.pages(p.ID)[1].Leads), 0)
			for i := range facts {
				facts[i].Fields["status"] = "approved"
			}
			f.receive(tells(p, 3, true, facts...))
			f.reopen()
			f.equal("rows of what is new", len(f.pages(p.ID)[2].Leads), n)
			f.equal("known", f.counts()[0].Known, int64(n))
			f.equal("the last", f.lead(state.ByNetworkID, strconv.Itoa(n-1)).Fields["status"], "approved")
		}},
		{"what is published is not owed", func(f *fixture) {
			p := f.created(window(0))
			f.publish(f.receive(tells(p, 1, true, told(net, "7"))))
			next := f.created(window(1))
			f.receive(tells(next, 1, true))
			f.equal("rows", f.leadRows(next.ID), []state.LeadRow(nil))
		}},
	})
}

const day = 24 * time.Hour

func (f *fixture) counts() []state.LeadCount {
	f.Helper()
	return must[[]state.LeadCount](f)(f.s.LeadCounts(f.ctx, t0))
}

func testOpenLeads(t *testing.T, d Driver) {
	net, own := state.LeadNetworkID, state.LeadOwnID
	add := func(f *fixture, now time.Time, facts ...state.LeadFact) int {
		f.Helper()
		return must[int](f)(f.s.AddLeads(f.ctx, "acme", facts, leadRule, now))
	}
	asked := func(p state.Pull, n int, by state.LeadID, ids ...string) state.Receipt {
		r := tells(p, n, false)
		r.ReceivedAt = t0
		r.Told.Asked, r.Told.By = ids, by
		return r
	}
	each(t, d, []testCase{
		{"leads that are added are due, and counted", func(f *fixture) {
			f.equal("added", add(f, t0, told(net, "7"), told(own, "c1"), told(net, "8", own, "c2")), 3)
			f.equal("added again", add(f, t0.Add(time.Hour), told(net, "7"), told(net, "7", own, "c7")), 0)
			f.reopen()
			f.equal("by network id", f.openLeads(state.ByNetworkID, t0, 10), []string{"7", "8"})
			f.equal("by own id", f.openLeads(state.ByOwnID, t0, 10), []string{"c1", "c7", "c2"})
			f.equal("before", f.openLeads(state.ByNetworkID, t0.Add(-time.Millisecond), 10), []string(nil))
			f.equal("counts", f.counts(), []state.LeadCount{{Account: "acme", Known: 3, Open: 3, Due: 3, NextPoll: t0}})
			f.equal("of another account", must[[]string](f)(f.s.OpenLeads(f.ctx, "other", state.ByNetworkID, t0, "", 10)), []string(nil))
		}},
		{"the longest due come first, at most as many as asked for", func(f *fixture) {
			for n := range 5 {
				add(f, t0.Add(-time.Duration(n)*time.Minute), told(net, strconv.Itoa(n)))
			}
			f.equal("open", f.openLeads(state.ByNetworkID, t0, 3), []string{"4", "3", "2"})
			f.equal("none", f.openLeads(state.ByNetworkID, t0, 0), []string(nil))
		}},
		{"ids that cannot stand in the list that is asked for leave room for others", func(f *fixture) {
			for n, id := range []string{"1,2", "3\n4", "5"} {
				add(f, t0.Add(time.Duration(n-10)*time.Minute), told(net, id))
			}
			f.equal("open", must[[]string](f)(f.s.OpenLeads(f.ctx, "acme", state.ByNetworkID, t0, "\n,", 1)), []string{"5"})
		}},
		{"an own id that several leads have comes once, and all of them are put off", func(f *fixture) {
			add(f, t0, told(net, "7", own, "c"), told(net, "8", own, "c"), told(net, "9", own, "c"))
			f.equal("open", f.openLeads(state.ByOwnID, t0, 10), []string{"c"})
			f.receive(asked(f.created(window(0)), 1, state.ByOwnID, "c"))
			f.equal("open", f.openLeads(state.ByOwnID, t0, 10), []string(nil))
			f.equal("later", f.openLeads(state.ByNetworkID, t0.Add(time.Hour), 10), []string{"7", "8", "9"})
		}},
		{"leads that were asked for are due later, told of or not", func(f *fixture) {
			add(f, t0, told(net, "7"), told(net, "8"), told(net, "9"))
			p := f.created(window(0))
			r := asked(p, 1, state.ByNetworkID, "7", "8", "4711")
			r.Told.Facts = []state.LeadFact{told(net, "7", "status", "hold")}
			f.receive(r)
			f.equal("open", f.openLeads(state.ByNetworkID, t0, 10), []string{"9"})
			f.equal("later", f.openLeads(state.ByNetworkID, t0.Add(time.Hour), 10), []string{"9", "7", "8"})
			f.equal("counts", f.counts(), []state.LeadCount{{Account: "acme", Known: 3, Open: 3, Due: 1, NextPoll: t0}})
			f.equal("rows", f.leadRows(p.ID), []state.LeadRow{{Fields: state.LeadFields{net: "7", "status": "hold"}}})
			f.equal("polls", f.lead(state.ByNetworkID, "8").Polls, 1)
		}},
		{"settled leads are not asked for", func(f *fixture) {
			p := f.created(window(0))
			f.receive(tells(p, 1, false, told(net, "7", "status", "approved")))
			r := asked(p, 2, state.ByNetworkID, "7")
			r.ReceivedAt = receipt(p, 1, false).ReceivedAt.Add(leadRule.Settled)
			f.receive(r)
			f.equal("open", f.openLeads(state.ByNetworkID, t0.Add(1000*day), 10), []string(nil))
			f.equal("counts", f.counts(), []state.LeadCount{{Account: "acme", Known: 1}})
			f.equal("added", add(f, r.ReceivedAt, told(net, "7")), 0)
			f.equal("open", f.openLeads(state.ByNetworkID, t0.Add(1000*day), 10), []string(nil))
		}},
		{"what is added to a lead that has a row comes with the next page", func(f *fixture) {
			p := f.created(window(0))
			f.receive(tells(p, 1, false, told(own, "c1", state.LeadDay, "20000")))
			add(f, t0, told(net, "7", own, "c1"), told(net, "8"))
			f.receive(tells(p, 2, true))
			f.equal("rows", f.pages(p.ID)[1].Leads, []state.LeadRow{{
				Fields: state.LeadFields{net: "7", own: "c1", state.LeadDay: "20000"}, Gone: []state.LeadKey{{Day: 20000, ID: "c1"}},
			}})
		}},
		{"an id that is none is refused", func(f *fixture) {
			_, err := f.s.OpenLeads(f.ctx, "acme", "name", t0, "", 1)
			f.refused(err)
			_, err = f.s.Lead(f.ctx, "acme", "name", "7")
			f.refused(err)
			_, err = f.s.Receive(f.ctx, asked(f.created(window(0)), 1, "name", "7"))
			f.refused(err)
			f.equal("pages", f.inbox().Pages, int64(0))
		}},
		{"many leads can be added at once", func(f *fixture) {
			facts := make([]state.LeadFact, 5000)
			for i := range facts {
				facts[i] = told(net, strconv.Itoa(i))
			}
			f.equal("added", add(f, t0, facts...), len(facts))
			f.equal("added again", add(f, t0, facts...), 0)
			f.reopen()
			f.equal("open", len(f.openLeads(state.ByNetworkID, t0, 10_000)), len(facts))
			f.equal("known", f.counts()[0].Known, int64(len(facts)))
		}},
		{"those who tell of the same leads at the same time lose nothing of each other", func(f *fixture) {
			var g errgroup.Group
			const tellers, pages = 6, 10
			for n := range tellers {
				p := f.created(window(n))
				g.Go(func() error {
					for page := range pages {
						field := fmt.Sprintf("f%d.%d", n, page)
						if _, err := f.s.Receive(f.ctx, tells(p, page, page == pages-1, told(net, "7", field, "x"), told(net, field))); err != nil {
							return err
						}
						if _, err := f.s.AddLeads(f.ctx, "acme", []state.LeadFact{told(net, "7", own, "c")}, leadRule, t0); err != nil {
							return err
						}
					}
					return nil
				})
			}
			f.no(g.Wait())
			f.equal("fields", len(f.lead(state.ByNetworkID, "7").Fields), 2+tellers*pages)
			f.equal("known", f.counts()[0].Known, int64(1+tellers*pages))
			latest, version := state.LeadFields(nil), uint64(0)
			for _, p := range f.openPulls() {
				for _, page := range f.pages(p.ID) {
					i := slices.IndexFunc(page.Leads, func(row state.LeadRow) bool { return row.Fields[net] == "7" })
					if i >= 0 && page.Version > version {
						latest, version = page.Leads[i].Fields, page.Version
					}
				}
			}
			f.equal("the row of the greatest version", latest, f.lead(state.ByNetworkID, "7").Fields)
		}},
	})
}

// refused ends the test unless there is an error that callers do not branch on.
func (f *fixture) refused(err error) {
	f.Helper()
	if err == nil || errors.Is(err, state.ErrNoLead) || errors.Is(err, state.ErrIO) || errors.Is(err, context.Canceled) {
		f.Fatalf("got error %v, want one that says what is wrong", err)
	}
}
