package statetest

import (
	"testing"
	"time"

	"syncd/state"
)

// replayedOf says that the rows of a pull were made anew by a mapping.
func replayedOf(p state.Pull, mapping string) state.Replayed {
	return state.Replayed{
		Account: p.Account, Stream: p.Stream, Kind: p.Kind, From: p.From, To: p.To, Version: p.Version, PulledAt: p.CreatedAt,
		PublishedAt: t0.Add(24 * time.Hour), Rows: 7, Mapping: mapping,
	}
}

func (f *fixture) mappings() []state.MappingCount {
	f.Helper()
	return must[[]state.MappingCount](f)(f.s.Mappings(f.ctx))
}

// publishAs publishes a pull whose rows were made by a mapping.
func (f *fixture) publishAs(p state.Pull, mapping string) {
	f.Helper()
	f.no(f.s.Publish(f.ctx, []state.Published{{PullID: p.ID, PublishedAt: t0, Rows: p.Records, Quarantined: 1, Mapping: mapping}}))
}

func testReplays(t *testing.T, d Driver) {
	each(t, d, []testCase{
		{"checkpoints are counted by their mappings", func(f *fixture) {
			a, b := f.pulled(window(0), 1), f.pulled(window(1), 1)
			f.publishAs(a, "one")
			f.publishAs(b, "one")
			f.publishAs(f.pulled(window(2), 1), "two")
			f.publishAs(f.pulled(snapshot(), 1), "")
			f.equal("mappings", f.mappings(), []state.MappingCount{
				{Account: "acme", Stream: "conversions", Mapping: "one", Checkpoints: 2, From: a.From},
				{Account: "acme", Stream: "conversions", Mapping: "two", Checkpoints: 1, From: window(2).From},
				{Account: "acme", Stream: "offers", Checkpoints: 1},
			})
		}},
		{"versions that are issued follow one another, behind all before and before all behind", func(f *fixture) {
			before := f.created(window(0))
			first := must[uint64](f)(f.s.IssueVersions(f.ctx, 10))
			f.reopen()
			after := f.created(window(1))
			if first <= before.Version || after.Version < first+10 {
				f.Fatalf("issued %d to %d between %d and %d", first, first+9, before.Version, after.Version)
			}
		}},
		{"open pulls and their pages are given other versions", func(f *fixture) {
			p, parked := f.pulled(window(0), 2), f.parked(window(1), 0)
			f.publish(f.pulled(window(2), 1))
			refused := f.pulled(window(3), 1)
			f.no(f.s.Reject(f.ctx, refused.ID, "bad rows"))
			open := must[[]state.PullVersions](f)(f.s.OpenVersions(f.ctx, "acme"))
			f.equal("number of pulls with versions", len(open), 2)
			f.equal("pull", open[0].PullID, p.ID)
			f.equal("version", open[0].Version, p.Version)
			f.equal("pages of the parked pull", len(open[1].Pages), 1)
			pages := f.pages(p.ID)
			first := must[uint64](f)(f.s.IssueVersions(f.ctx, 10))
			open[0].Version = first
			for i := range open[0].Pages {
				f.equal("version of a page", open[0].Pages[i].Version, pages[i].Version)
				open[0].Pages[i].Version = first + 1 + uint64(i)
				pages[i].Version = first + 1 + uint64(i)
			}
			f.no(f.s.SetVersions(f.ctx, append(open[:1:1], state.PullVersions{PullID: 1 << 40, Version: first})))
			f.reopen()
			p.Version = first
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
			f.equal("pages", f.pages(p.ID), pages)
			f.equal("first failed pull", f.failedPulls()[0], parked)
			f.equal("those of another account", must[[]state.PullVersions](f)(f.s.OpenVersions(f.ctx, "other")), []state.PullVersions(nil))
		}},
		{"what is made anew has another mapping and is as old as it was", func(f *fixture) {
			a, b := f.pulled(window(0), 1), f.pulled(window(1), 1)
			f.publish(a, b)
			last := must[[]state.Checkpoint](f)(f.s.LastCheckpoints(f.ctx))
			f.no(f.s.Replayed(f.ctx, []state.Replayed{replayedOf(a, "new")}))
			want := []state.Checkpoint{checkpointOf(a, 0), checkpointOf(b, 1)}
			want[0].Mapping, want[0].Rows, want[0].Quarantined = "new", 7, 0
			f.equal("checkpoints", f.checkpoints("conversions"), want)
			f.equal("last checkpoints", must[[]state.Checkpoint](f)(f.s.LastCheckpoints(f.ctx)), last)
		}},
		{"a pull of which a part is made anew has as many rows as it had", func(f *fixture) {
			p := f.pulled(window(0), 1)
			f.publish(p)
			part := replayedOf(p, "new")
			part.Rows = -1
			f.no(f.s.Replayed(f.ctx, []state.Replayed{part}))
			want := checkpointOf(p, 0)
			want.Mapping, want.Quarantined = "new", 0
			f.equal("checkpoints", f.checkpoints("conversions"), []state.Checkpoint{want})
		}},
		{"a younger checkpoint of the window keeps its age", func(f *fixture) {
			old := f.pulled(window(0), 1)
			f.publish(old)
			again := f.pulled(window(0), 1)
			f.publish(again)
			f.no(f.s.Replayed(f.ctx, []state.Replayed{replayedOf(old, "new")}))
			want := checkpointOf(again, 0)
			want.Mapping, want.Rows, want.Quarantined = "new", 7, 0
			f.equal("checkpoints", f.checkpoints("conversions"), []state.Checkpoint{want})
		}},
		{"a window that was refused has a checkpoint once it can be read", func(f *fixture) {
			p := f.pulled(window(0), 1)
			f.no(f.s.Reject(f.ctx, p.ID, "bad rows"))
			f.no(f.s.Replayed(f.ctx, []state.Replayed{replayedOf(p, "new")}))
			want := checkpointOf(p, 0)
			want.Mapping, want.Rows, want.Quarantined, want.PublishedAt = "new", 7, 0, t0.Add(24*time.Hour)
			f.equal("checkpoints", f.checkpoints("conversions"), []state.Checkpoint{want})
			f.equal("last checkpoints", must[[]state.Checkpoint](f)(f.s.LastCheckpoints(f.ctx)), []state.Checkpoint{want})
			f.equal("failed pulls", f.failedPulls(), []state.Pull(nil))
		}},
		{"a window within a younger wider one gets none", func(f *fixture) {
			p := f.pulled(window(1), 1)
			f.no(f.s.Reject(f.ctx, p.ID, "bad rows"))
			wide := window(0)
			wide.To = window(3).To
			w := f.pulled(wide, 1)
			f.publish(w)
			f.no(f.s.Replayed(f.ctx, []state.Replayed{replayedOf(p, "new")}))
			f.equal("checkpoints", f.checkpoints("conversions"), []state.Checkpoint{checkpointOf(w, 0)})
		}},
		{"changes that are made anew mark the checkpoint of the last", func(f *fixture) {
			c := f.pulled(changes(t0), 1)
			f.publish(c)
			r := replayedOf(c, "new")
			r.From, r.To = t0.Add(-time.Hour), t0.Add(-time.Minute)
			f.no(f.s.Replayed(f.ctx, []state.Replayed{r}))
			want := checkpointOf(c, 0)
			want.Mapping = "new"
			f.equal("checkpoints", f.checkpoints("conversions"), []state.Checkpoint{want})
		}},
	})
}

func testRetelling(t *testing.T, d Driver) {
	net, own := state.LeadNetworkID, state.LeadOwnID
	tell := func(facts ...state.LeadFact) state.Told { return state.Told{Facts: facts, Poll: leadRule} }
	key := func(day uint16, id string) state.LeadKey { return state.LeadKey{Day: day, ID: id} }
	// begun has a lead n1 that was told of, and a second book.
	begun := func(f *fixture, since time.Time) (first uint64) {
		p := f.created(window(0))
		f.receive(tells(p, 1, true, told(net, "n1", own, "c1", state.LeadDay, "100", state.LeadStatus, "pending", "sub1", "wrong")))
		first = must[uint64](f)(f.s.IssueVersions(f.ctx, 10))
		f.no(f.s.BeginRetelling(f.ctx, "acme", since))
		return first
	}
	each(t, d, []testCase{
		{"what is told once more takes the place of what was told", func(f *fixture) {
			first := begun(f, t0)
			was := f.lead(state.ByNetworkID, "n1")
			at := t0.Add(time.Minute)
			f.no(f.s.Retell(f.ctx, "acme", first, at, tell(told(net, "n1", own, "c1", state.LeadDay, "101", state.LeadStatus, "approved", "sub2", "right"))))
			f.equal("the lead meanwhile", f.lead(state.ByNetworkID, "n1"), was)
			again := must[[]state.Lead](f)(f.s.Retold(f.ctx, "acme", first, 0, 10))
			f.equal("number of leads told of", len(again), 1)
			f.equal("row", again[0].Row(), state.LeadFields{net: "n1", own: "c1", state.LeadDay: "101", state.LeadStatus: "approved", "sub2": "right"})
			f.equal("leads about a fact", must[[]state.Lead](f)(f.s.RetoldAbout(f.ctx, "acme", []state.LeadFact{told(net, "n1"), told(own, "c1"), told(own, "c9")})), again)
			keys, through, err := f.s.Outgrown(f.ctx, "acme", 0, 10)
			f.no(err)
			f.equal("keys without a row", keys, []state.LeadKey{key(100, "n1")})
			f.equal("last lead", through, was.ID)
			f.no(f.s.EndRetelling(f.ctx, "acme"))
			f.reopen()
			now := f.lead(state.ByNetworkID, "n1")
			f.equal("row", now.Row(), again[0].Row())
			f.equal("version", now.Version, first)
			f.equal("first seen", now.FirstSeen, was.FirstSeen)
			f.equal("next poll", now.NextPoll, was.NextPoll)
			f.equal("changed", now.StatusAt, at)
			counts := must[[]state.LeadCount](f)(f.s.LeadCounts(f.ctx, t0))
			f.equal("accounts with leads", len(counts), 1)
			f.equal("leads", counts[0].Known, int64(1))
		}},
		{"a lead that is older than what told of it is told of anew, whatever it says of its age", func(f *fixture) {
			p := f.created(window(0))
			f.receive(tells(p, 1, true, told(net, "n1", state.LeadCreated, "1000", "sub1", "wrong")))
			f.no(f.s.BeginRetelling(f.ctx, "acme", t0))
			f.no(f.s.Retell(f.ctx, "acme", 7, t0, tell(told(net, "n1", state.LeadCreated, "1000"))))
			f.no(f.s.EndRetelling(f.ctx, "acme"))
			f.equal("fields", f.lead(state.ByNetworkID, "n1").Fields, state.LeadFields{net: "n1", state.LeadCreated: "1000"})
		}},
		{"a lead that a list filled up keeps what it had", func(f *fixture) {
			p := f.created(window(0))
			f.receive(tells(p, 1, true, told(net, "n1", "sub1", "told")))
			must[int](f)(f.s.AddLeads(f.ctx, "acme", []state.LeadFact{told(net, "n1", own, "c1")}, leadRule, t0.Add(time.Hour)))
			f.no(f.s.BeginRetelling(f.ctx, "acme", t0))
			f.no(f.s.EndRetelling(f.ctx, "acme"))
			f.equal("fields", f.lead(state.ByNetworkID, "n1").Fields, state.LeadFields{net: "n1", own: "c1", "sub1": "told"})
		}},
		{"leads from before, and those that nobody told of, are in the second book", func(f *fixture) {
			must[int](f)(f.s.AddLeads(f.ctx, "acme", []state.LeadFact{told(net, "n2", own, "c2")}, leadRule, t0.Add(time.Hour)))
			first := begun(f, t0.Add(2*time.Minute))
			f.no(f.s.Retell(f.ctx, "acme", first, t0.Add(time.Hour), tell(told(net, "n2", state.LeadStatus, "trash"))))
			f.equal("leads told of", len(must[[]state.Lead](f)(f.s.Retold(f.ctx, "acme", first, 0, 10))), 1)
			f.no(f.s.EndRetelling(f.ctx, "acme"))
			f.equal("from before", f.lead(state.ByNetworkID, "n1").Fields["sub1"], "wrong")
			f.equal("own id", f.lead(state.ByNetworkID, "n2").Fields[own], "c2")
		}},
		{"a lead that nothing tells of any more is none", func(f *fixture) {
			begun(f, t0)
			keys, _, err := f.s.Outgrown(f.ctx, "acme", 0, 10)
			f.no(err)
			f.equal("keys without a row", keys, []state.LeadKey{key(100, "n1")})
			f.no(f.s.EndRetelling(f.ctx, "acme"))
			_, err = f.s.Lead(f.ctx, "acme", state.ByNetworkID, "n1")
			f.is(err, state.ErrNoLead)
		}},
		{"a book that was left is thrown away, and counts for nothing", func(f *fixture) {
			first := begun(f, t0)
			f.no(f.s.Retell(f.ctx, "acme", first, t0, tell(told(net, "n7"))))
			f.reopen()
			counts := must[[]state.LeadCount](f)(f.s.LeadCounts(f.ctx, t0))
			f.equal("accounts with leads", len(counts), 1)
			f.no(f.s.BeginRetelling(f.ctx, "acme", t0))
			f.equal("leads told of", must[[]state.Lead](f)(f.s.Retold(f.ctx, "acme", 0, 0, 10)), []state.Lead(nil))
		}},
		{"without a second book the first one stays", func(f *fixture) {
			begun(f, t0)
			f.no(f.s.EndRetelling(f.ctx, "acme"))
			if err := f.s.EndRetelling(f.ctx, "acme"); err == nil {
				f.Fatal("a book that was never opened took the place of the first")
			}
		}},
		{"many leads are gone over in parts, as changes too large for one transaction", func(f *fixture) {
			first := begun(f, t0)
			var facts []state.LeadFact
			for i := range 1200 {
				facts = append(facts, told(net, string(rune('a'+i%26))+time.Duration(i).String()))
			}
			f.no(f.s.Retell(f.ctx, "acme", first+1, t0, tell(facts...)))
			n, after := 0, int64(0)
			for {
				leads := must[[]state.Lead](f)(f.s.Retold(f.ctx, "acme", first, after, 500))
				if len(leads) == 0 {
					break
				}
				n, after = n+len(leads), leads[len(leads)-1].ID
			}
			f.equal("leads", n, 1200)
			f.no(f.s.EndRetelling(f.ctx, "acme"))
			f.equal("known", must[[]state.LeadCount](f)(f.s.LeadCounts(f.ctx, t0))[0].Known, int64(1200))
		}},
	})
}
