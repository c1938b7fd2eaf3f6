package statetest

import (
	"bytes"
	"testing"
	"time"

	"syncd/state"
)

// pageOf is the page that a receipt becomes.
func pageOf(r state.Receipt, stored state.Page) state.Page {
	return state.Page{
		Seq: stored.Seq, Version: stored.Version,
		PullID: r.PullID, Body: r.Body, Request: r.Request, Records: r.Records, RawBytes: r.RawBytes, Hash: r.Hash, ReceivedAt: r.ReceivedAt,
	}
}

func testInbox(t *testing.T, d Driver) {
	each(t, d, []testCase{
		{"an answer is stored with its cursor, its counts and its pace", func(f *fixture) {
			p := f.created(window(0))
			r := receipt(p, 1, false)
			got := f.receive(r)
			p.Digest = p.Digested(r)
			p.Cursor, p.Pages, p.Records, p.Bytes = r.Next, 1, int64(r.Records), int64(r.RawBytes)
			f.equal("pull", got, p)
			f.reopen()
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
			pages := f.pages(p.ID)
			f.equal("number of pages", len(pages), 1)
			f.equal("page", pages[0], pageOf(r, pages[0]))
			f.equal("inbox", f.inbox(), state.InboxSize{Pages: 1, Bytes: int64(len(r.Body))})
			f.nextCall(r.NextCall)
		}},
		{"the last answer makes the pull pulled", func(f *fixture) {
			p := f.created(window(0))
			first := f.receive(receipt(p, 1, false))
			got := f.receive(receipt(p, 2, true))
			p.Digest = first.Digested(receipt(p, 2, true))
			p.Phase, p.Cursor, p.Pages, p.Records, p.Bytes = state.Pulled, "page=3", 2, 203, 20_003
			f.equal("pull", got, p)
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
		}},
		{"an answer for a pull that is not pulling is refused and changes nothing", func(f *fixture) {
			p := f.pulled(window(0), 1)
			inbox, lane := f.inbox(), f.lane()
			late := receipt(p, 9, false)
			late.NextCall = t0.Add(24 * time.Hour)
			for _, id := range []int64{p.ID, 4711, 0} {
				late.PullID = id
				got, err := f.s.Receive(f.ctx, late)
				f.is(err, state.ErrNoPull)
				f.equal("pull", got, state.Pull{})
			}
			f.equal("open pulls", f.openPulls(), []state.Pull{p})
			f.equal("inbox", f.inbox(), inbox)
			f.equal("lane", f.lane(), lane)
		}},
		{"pages come in the order they were received, in portions", func(f *fixture) {
			p, other := f.created(window(0)), f.created(window(1))
			var want []state.Receipt
			for n := range 7 {
				want = append(want, receipt(p, n, false))
				f.receive(want[n])
				f.receive(receipt(other, n, false))
			}
			var got []state.Page
			for after := int64(0); ; after = got[len(got)-1].Seq {
				portion := must[[]state.Page](f)(f.s.Pages(f.ctx, p.ID, after, 3))
				if len(portion) == 0 {
					break
				}
				if len(portion) > 3 {
					f.Fatalf("got %d pages, want at most 3", len(portion))
				}
				got = append(got, portion...)
			}
			f.equal("number of pages", len(got), len(want))
			for i, page := range got {
				f.equal("page", page, pageOf(want[i], page))
				if i > 0 && (page.Seq <= got[i-1].Seq || page.Version <= got[i-1].Version) {
					f.Errorf("page %d of version %d came after page %d of version %d", page.Seq, page.Version, got[i-1].Seq, got[i-1].Version)
				}
			}
		}},
		{"at least one page comes, if there is any", func(f *fixture) {
			p := f.pulled(window(0), 2)
			f.equal("number of pages", len(must[[]state.Page](f)(f.s.Pages(f.ctx, p.ID, 0, 0))), 1)
		}},
		{"a pull that is not known has no pages", func(f *fixture) {
			f.equal("pages", f.pages(4711), []state.Page(nil))
		}},
		{"a page's version is greater than those of all pulls created before it, and smaller than of those after", func(f *fixture) {
			p, before := f.created(window(0)), f.created(window(1))
			f.receive(receipt(p, 1, false))
			after := f.created(window(2))
			version := f.pages(p.ID)[0].Version
			if version <= p.Version || version <= before.Version || version >= after.Version {
				f.Errorf("got version %d between pulls of versions %d, %d and %d", version, p.Version, before.Version, after.Version)
			}
		}},
		{"bodies come back byte for byte", func(f *fixture) {
			all := make([]byte, 256)
			for i := range all {
				all[i] = byte(i)
			}
			p := f.created(window(0))
			for n, body := range [][]byte{{}, {0}, all, bytes.Repeat(all, 400), bytes.Repeat(all, 40_000)} {
				r := receipt(p, n, false)
				r.Body = body
				f.receive(r)
				pages := f.pages(p.ID)
				if got := pages[n].Body; !bytes.Equal(got, body) {
					f.Errorf("a body of %d bytes came back as %d others", len(body), len(got))
				}
			}
		}},
		{"a body that nobody can read does not keep its neighbours back", func(f *fixture) {
			p := f.created(window(0))
			var want [][]byte
			for n, body := range [][]byte{[]byte("good"), nil, []byte("\x28\xb5\x2f\xfd torn"), []byte("good")} {
				r := receipt(p, n, false)
				r.Body = body
				f.receive(r)
				want = append(want, body)
			}
			f.reopen()
			pages := f.pages(p.ID)
			f.equal("number of pages", len(pages), len(want))
			for n, page := range pages {
				if !bytes.Equal(page.Body, want[n]) {
					f.Errorf("page %d came back as %q, want %q", n, page.Body, want[n])
				}
			}
		}},
		{"texts come back as they were", func(f *fixture) {
			p := f.created(window(0))
			text := "\xff quote ' and \" and \\ and % and ? and ü and 漢 and \n\t\r and \x00 end"
			r := receipt(p, 1, false)
			r.Next, r.Request = state.Cursor(text), text
			f.equal("cursor", string(f.receive(r).Cursor), text)
			f.equal("cursor as stored", string(f.openPulls()[0].Cursor), text)
			f.equal("request", f.pages(p.ID)[0].Request, text)
		}},
		{"an answer without records, cursor or times is an answer", func(f *fixture) {
			p := f.created(window(0))
			got := f.receive(state.Receipt{PullID: p.ID, Done: true})
			f.equal("phase", got.Phase, state.Pulled)
			f.equal("pages", len(f.pages(p.ID)), 1)
			f.equal("lane", f.lane(), state.Lane{Account: "acme"})
		}},
	})
}
