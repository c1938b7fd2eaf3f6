package remap

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"syncd/internal/pipeline"
	"syncd/schema"
	"syncd/state"
)

// told is a page that is told of leads once more: one that is kept, or one that waits in
// the inbox as part of a pull that is not whole yet.
type told struct {
	page
	part *part
	// waits is the pull of a page that waits, nil for a page that is kept.
	waits *state.Pull
	seq   int64
}

// retell writes the second book of leads.
func (m *Remap) retell(ctx context.Context, g *group) error {
	var pages []told
	since := time.Time{}
	for _, p := range g.parts {
		for _, x := range p.pulls {
			for _, ref := range x.Pages {
				if dated(ref) < g.cut {
					continue
				}
				pages = append(pages, told{page: page{ref, x}, part: p})
				if since.IsZero() || ref.ReceivedAt.Before(since) {
					since = ref.ReceivedAt
				}
			}
		}
	}
	waiting, err := m.waiting(ctx, g)
	if err != nil {
		return err
	}
	pages = append(pages, waiting...)
	version := func(x *told) uint64 {
		if x.waits != nil {
			return x.Version // new already
		}
		return g.order.of(dated(x.RawRef))
	}
	slices.SortFunc(pages, func(a, b told) int {
		if version(&a) < version(&b) {
			return -1
		}
		return 1
	})
	account := g.account.Name
	if err := m.o.Store.BeginRetelling(ctx, account, since); err != nil {
		return err
	}
	for i := range pages {
		x := &pages[i]
		var one state.Page
		var pull state.Pull
		if x.waits != nil {
			pull = *x.waits
			list, err := m.o.Store.Pages(ctx, pull.ID, x.seq-1, 1)
			if err != nil {
				return err
			}
			one = list[0]
		} else {
			pull = x.of.state(account, x.part.stream.Name)
			if one, err = m.read(ctx, g, x.part, x.page); err != nil {
				return err
			}
		}
		_, facts, err := m.again(pull, &one)
		if err != nil {
			// The loader says so too, and of what stream and window.
			m.o.Log.Warn("answer tells of no leads", zap.String("account", account), zap.String("stream", pull.Stream), zap.Error(err))
			continue
		}
		if facts == nil {
			continue
		}
		if err := m.o.Store.Retell(ctx, account, version(x), one.ReceivedAt, *facts); err != nil {
			return err
		}
	}
	return nil
}

// waiting gives the pages in the inbox, by the new versions.
func (m *Remap) waiting(ctx context.Context, g *group) ([]told, error) {
	open, err := m.open(ctx, g)
	if err != nil {
		return nil, err
	}
	pulls, err := m.o.Store.OpenPulls(ctx, g.account.Name)
	if err != nil {
		return nil, err
	}
	failed, err := m.o.Store.FailedPulls(ctx)
	if err != nil {
		return nil, err
	}
	var pages []told
	for _, p := range append(pulls, failed...) {
		i := slices.IndexFunc(open, func(x state.PullVersions) bool { return x.PullID == p.ID })
		if i < 0 {
			continue
		}
		for _, x := range open[i].Pages {
			one := told{waits: &p, seq: x.Seq}
			one.Version = x.Version
			pages = append(pages, one)
		}
	}
	return pages, nil
}

// again reads a page once more and gives its body as it would be received now.
func (m *Remap) again(pull state.Pull, one *state.Page) (body []byte, told *state.Told, err error) {
	if body, err = m.reader.DecodeAll(one.Body, nil); err != nil {
		return nil, nil, fmt.Errorf("page %d cannot be decompressed: %w", one.Seq, err)
	}
	return m.o.Engine.Retell(pull, one.Request, body, one.ReceivedAt)
}

// tellOf gives pages what a page of a stream about leads has beside its answer: the
// postbacks as they are read now, and the rows of the leads that it tells of.
func (m *Remap) tellOf(ctx context.Context, g *group, p *part, of []page, made []state.Page, leads bool) error {
	if !g.leads {
		return nil
	}
	for i := range made {
		one := &made[i]
		body, facts, err := m.again(of[i].of.state(g.account.Name, p.stream.Name), one)
		if err != nil {
			continue // the loader finds out by itself, and refuses the pull
		}
		if g.account.Receiver != nil && g.account.Receiver.Stream() == p.stream {
			one.Body, one.RawBytes = m.packer.EncodeAll(body, nil), len(body)
		}
		if !leads || facts == nil {
			continue
		}
		about, err := m.o.Store.RetoldAbout(ctx, g.account.Name, facts.Facts)
		if err != nil {
			return err
		}
		for j := range about {
			if m.stands(g, &about[j], g.order.of(of[i].of.version)) {
				one.Leads = append(one.Leads, state.LeadRow{Fields: about[j].Row()})
			}
		}
	}
	return nil
}

// stands reports whether the row of a lead, as a page of a version has it, is not that of
// a younger window, which has it too if the network still tells of it.
func (m *Remap) stands(g *group, l *state.Lead, version uint64) bool {
	row := l.Row()
	if row[schema.ColumnWindow] == "" {
		return true // no window answers for it
	}
	for by, spans := range g.spans {
		at, err := strconv.ParseInt(row[by], 10, 64)
		if err != nil {
			continue
		}
		if by == state.LeadDay {
			day := time.Unix(at*24*60*60, 0).UTC()
			at = time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, locationOf(g.account)).UnixMilli()
		}
		if spans.At(at) > version {
			return false
		}
	}
	return true
}

func locationOf(a *pipeline.Account) *time.Location {
	if a.Location == nil {
		return time.UTC
	}
	return a.Location
}

// leadsAtOnce is how many leads a page of rows has, leadPages how many pages a pull.
const (
	leadsAtOnce = 5_000
	leadPages   = 20
)

// loadLeads publishes the rows of the leads that were told of once more, and buries those
// under keys where none stands any more.
func (m *Remap) loadLeads(ctx context.Context, g *group) error {
	p := g.parts[0]
	account := g.account.Name
	rows := func(from, to int64) func(context.Context, int64, int) ([]state.Page, error) {
		return func(ctx context.Context, after int64, _ int) ([]state.Page, error) {
			after = max(after, from)
			if after >= to {
				return nil, nil
			}
			leads, err := m.o.Store.Retold(ctx, account, g.order.base, after, leadsAtOnce)
			if err != nil {
				return nil, err
			}
			one := m.leadPage(g)
			for i := range leads {
				if leads[i].ID > to {
					break
				}
				one.Seq = leads[i].ID
				if m.stands(g, &leads[i], leads[i].Version) {
					one.Leads = append(one.Leads, state.LeadRow{Fields: leads[i].Row()})
				}
			}
			if one.Seq == 0 {
				return nil, nil
			}
			return []state.Page{one}, nil
		}
	}
	for after := int64(0); ; {
		through, n := after, 0
		for range leadPages {
			leads, err := m.o.Store.Retold(ctx, account, g.order.base, through, leadsAtOnce)
			if err != nil {
				return err
			}
			if len(leads) == 0 {
				break
			}
			through, n = leads[len(leads)-1].ID, n+len(leads)
		}
		if n == 0 {
			break
		}
		if err := m.replay(ctx, p, &pipeline.Replay{Pull: m.leadPull(g, p, n), Pages: rows(after, through)}, nil); err != nil {
			return err
		}
		after = through
	}
	for after := int64(0); ; {
		keys, through, err := m.o.Store.Outgrown(ctx, account, after, leadsAtOnce)
		if err != nil {
			return err
		}
		if through == 0 {
			return nil
		}
		after = through
		if len(keys) == 0 {
			continue
		}
		one := m.leadPage(g)
		one.Seq, one.Leads = 1, []state.LeadRow{{Gone: keys}}
		gone := func(_ context.Context, after int64, _ int) ([]state.Page, error) {
			if after >= one.Seq {
				return nil, nil
			}
			return []state.Page{one}, nil
		}
		if err := m.replay(ctx, p, &pipeline.Replay{Pull: m.leadPull(g, p, len(keys)), Pages: gone}, nil); err != nil {
			return err
		}
	}
}

func (m *Remap) leadPage(g *group) state.Page {
	return state.Page{Version: g.last, Request: "leads told of once more", ReceivedAt: time.Now()}
}

func (m *Remap) leadPull(g *group, p *part, records int) state.Pull {
	return state.Pull{
		Account: g.account.Name, Stream: p.stream.Name, Kind: state.Changes, Version: g.last - 1, Pages: 1, Records: int64(records), CreatedAt: time.Now(),
	}
}
