package remap

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.uber.org/zap"

	"syncd/extractors"
	"syncd/internal/pipeline"
	"syncd/internal/spool"
	"syncd/loaders"
	"syncd/schema/normalize"
	"syncd/state"
)

// Options say what is made anew. All but Since, Quarantined and Selected must be given.
type Options struct {
	Store     state.Store
	Warehouse *loaders.Warehouse
	// Engine loads what is made anew; it was made with pipeline.Options.Replaying, runs, and
	// has nothing left to load: what waits in the inbox has to be among what is kept.
	Engine   *pipeline.Engine
	Accounts []*pipeline.Account
	Spool    *spool.Spool
	RunID    string
	Log      *zap.Logger
	// Selected says which streams are wanted; nil means all. Leads are put together of all
	// streams of their account, so one of them stands for all.
	Selected func(account, stream string) bool
	// Since leaves out answers that were received before; zero leaves out none.
	Since time.Time
	// Quarantined asks for answers of which records are in the quarantine, and no others.
	Quarantined bool
}

// Remap is what is made anew, and what became of it.
type Remap struct {
	o      Options
	groups []*group
	packer *zstd.Encoder
	reader *zstd.Decoder
}

// group are streams whose kept answers get new versions together: a stream, or all of an
// account that tell of leads.
type group struct {
	account *pipeline.Account
	leads   bool
	parts   []*part
	// cut is the smallest version that is told of leads once more.
	cut   uint64
	order order
	last  uint64 // the greatest version that was issued for the group
	// spans are those of all windows by their columns, by the new versions.
	spans map[string]normalize.Spans
	// failed says that some of it could not be loaded.
	failed bool
}

// part is a stream of a group.
type part struct {
	stream *extractors.Stream
	*choice
	replays  []*pipeline.Replay
	of       []*pull // what each of replays is, nil for lists of changes
	restated []loaders.Restated
}

// Prepare reads what is kept and says what can be made anew of it. It changes nothing.
func Prepare(ctx context.Context, o Options) (*Remap, error) {
	if o.Selected == nil {
		o.Selected = func(string, string) bool { return true }
	}
	m := &Remap{o: o}
	var err error
	if m.packer, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20)); err != nil {
		return nil, fmt.Errorf("making the compressor of postbacks: %w", err)
	}
	if m.reader, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20)); err != nil {
		return nil, fmt.Errorf("making the decompressor of answers: %w", err)
	}
	for _, a := range o.Accounts {
		leads := &group{account: a, leads: true}
		about := a.LeadStreams()
		wanted := slices.ContainsFunc(about, func(s *extractors.Stream) bool { return o.Selected(a.Name, s.Name) })
		for _, s := range a.All() {
			switch {
			case slices.Contains(about, s) && wanted:
				leads.parts = append(leads.parts, &part{stream: s})
			case !slices.Contains(about, s) && o.Selected(a.Name, s.Name):
				m.groups = append(m.groups, &group{account: a, parts: []*part{{stream: s}}})
			}
		}
		if wanted {
			m.groups = append(m.groups, leads)
		}
	}
	for _, g := range m.groups {
		if err := m.choose(ctx, g); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// choose fills a group.
func (m *Remap) choose(ctx context.Context, g *group) error {
	account := g.account.Name
	wrap := func(s *extractors.Stream, err error) error {
		return fmt.Errorf("reading what is kept of account %s, stream %s: %w", account, s.Name, err)
	}
	held, err := m.o.Store.HeldWindows(ctx, account)
	if err != nil {
		return fmt.Errorf("reading what is held back of account %s: %w", account, err)
	}
	g.cut = ^uint64(0)
	for _, p := range g.parts {
		k := known{account: account, stream: p.stream, hasFile: m.hasFile}
		if k.raw, err = m.o.Warehouse.RawPulls(ctx, account, p.stream.Name); err != nil {
			return wrap(p.stream, err)
		}
		if k.published, err = m.o.Store.Checkpoints(ctx, account, p.stream.Name); err != nil {
			return wrap(p.stream, err)
		}
		k.held = slices.DeleteFunc(slices.Clone(held), func(h state.HeldWindow) bool { return h.Stream != p.stream.Name })
		f := filter{since: m.o.Since}
		if m.o.Quarantined {
			seqs, err := m.o.Warehouse.QuarantinedPages(ctx, account, p.stream.Name, 1<<62)
			if err != nil {
				return wrap(p.stream, err)
			}
			f.quarantined = map[int64]bool{}
			for _, seq := range seqs {
				f.quarantined[seq] = true
			}
		}
		p.choice = choose(k, f)
		if f.all() {
			g.cut = 0
			continue
		}
		g.cut = min(g.cut, p.wanted())
		if g.leads {
			// What is told once more of a lead is told in order: what came later, wanted or
			// not, has the last word again.
			p.choice = choose(k, filter{})
		}
	}
	if g.leads {
		for _, p := range g.parts {
			p.whole = slices.DeleteFunc(p.whole, func(x *pull) bool { return x.through() < g.cut })
			p.parts = slices.DeleteFunc(p.parts, func(x page) bool { return dated(x.RawRef) < g.cut })
			p.spans = slices.DeleteFunc(p.spans, func(s normalize.Span) bool {
				return !slices.ContainsFunc(p.whole, func(x *pull) bool { return x.version == s.Version })
			})
		}
	}
	return nil
}

func (m *Remap) hasFile(name string) bool {
	if m.o.Spool == nil {
		return false
	}
	_, whole, err := m.o.Spool.Whole(name)
	return err == nil && whole
}

// Run makes everything anew. Its error is one that it cannot go on with; what could not be
// loaded is told by Streams.
func (m *Remap) Run(ctx context.Context) error {
	for _, g := range m.groups {
		if !g.any() {
			continue
		}
		if err := m.run(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

func (g *group) any() bool {
	return slices.ContainsFunc(g.parts, func(p *part) bool { return len(p.whole)+len(p.parts) > 0 })
}

// run makes a group anew.
func (m *Remap) run(ctx context.Context, g *group) error {
	if err := m.date(ctx, g); err != nil {
		return fmt.Errorf("giving answers of account %s new versions: %w", g.account.Name, err)
	}
	if g.leads {
		if err := m.retell(ctx, g); err != nil {
			return fmt.Errorf("telling of leads of account %s once more: %w", g.account.Name, err)
		}
	}
	for _, p := range g.parts {
		if err := m.loadParts(ctx, g, p); err != nil {
			return err
		}
	}
	if g.leads {
		if err := m.loadLeads(ctx, g); err != nil {
			return err
		}
	}
	// What changed since a window was pulled is visible before the window is.
	if err := m.drain(ctx, g); err != nil {
		return err
	}
	if !g.failed {
		for _, p := range g.parts {
			if err := m.loadWhole(ctx, g, p); err != nil {
				return err
			}
		}
		if err := m.drain(ctx, g); err != nil {
			return err
		}
	}
	return m.conclude(ctx, g)
}

// patience is how long a warehouse is waited for that takes nothing.
const patience = 10 * time.Minute

// drain waits until what was given to the loader is loaded, or refused.
func (m *Remap) drain(ctx context.Context, g *group) error {
	if err := m.o.Engine.Drain(ctx, patience); err != nil {
		return err
	}
	for _, p := range g.parts {
		for _, r := range p.replays {
			g.failed = g.failed || !r.Outcome().Published
		}
	}
	return nil
}

// date gives all that is kept of a group new versions, and what is not loaded yet too.
func (m *Remap) date(ctx context.Context, g *group) error {
	open, err := m.open(ctx, g)
	if err != nil {
		return err
	}
	for _, p := range g.parts {
		g.order.addPulls(p.pulls)
	}
	g.order.addOpen(open)
	n := g.order.seal()
	const more = 2 // for the rows of leads: their pull and its pages
	if g.order.base, err = m.o.Store.IssueVersions(ctx, n+more); err != nil {
		return err
	}
	g.last = g.order.base + uint64(n+more) - 1
	g.spans = map[string]normalize.Spans{}
	for _, p := range g.parts {
		if p.by != "" {
			g.spans[p.by] = append(g.spans[p.by], p.spans...)
		}
	}
	for by := range g.spans {
		g.spans[by] = g.order.spans(g.spans[by])
	}
	// A pull that goes on later stands to what is made anew as it stood before.
	return m.o.Store.SetVersions(ctx, g.order.open(open))
}

// open gives the versions of a group's pulls that are not published yet.
func (m *Remap) open(ctx context.Context, g *group) ([]state.PullVersions, error) {
	open, err := m.o.Store.OpenVersions(ctx, g.account.Name)
	return slices.DeleteFunc(open, func(x state.PullVersions) bool {
		return !slices.ContainsFunc(g.parts, func(p *part) bool { return p.stream.Name == x.Stream })
	}), err
}

// replay gives a pull to the loader.
func (m *Remap) replay(ctx context.Context, p *part, r *pipeline.Replay, of *pull) error {
	r.Pull.RunID = m.o.RunID
	p.replays, p.of = append(p.replays, r), append(p.of, of)
	return m.o.Engine.Replay(ctx, r)
}

// The sizes of what lists of changes are put together to: each costs a publication.
const (
	partRecords = 200_000
	partPages   = 2_000
)

// loadParts loads lists of changes once more, the youngest first. They own only the rows
// that they bring, so any number of them goes as one.
func (m *Remap) loadParts(ctx context.Context, g *group, p *part) error {
	for end := len(p.parts); end > 0; {
		begin, records := end, int64(0)
		for begin > 0 && end-begin < partPages && records < partRecords {
			begin--
			of := p.parts[begin].of
			records += of.Records / int64(len(of.Pages))
		}
		pages := p.parts[begin:end]
		youngest := pages[len(pages)-1].of
		pull := youngest.state(g.account.Name, p.stream.Name)
		pull.Version, pull.Pages, pull.Records = g.order.of(youngest.version), len(pages), records
		r := &pipeline.Replay{Pull: pull, Younger: normalize.Younger{By: p.by, Spans: g.spans[p.by]}, Pages: m.pages(g, p, pages, false)}
		if err := m.replay(ctx, p, r, nil); err != nil {
			return err
		}
		end = begin
	}
	return nil
}

// loadWhole loads windows and snapshots once more.
func (m *Remap) loadWhole(ctx context.Context, g *group, p *part) error {
	for _, x := range p.whole {
		pull := x.state(g.account.Name, p.stream.Name)
		pull.Version = g.order.of(x.version)
		pages := make([]page, len(x.Pages))
		for i, ref := range x.Pages {
			pages[i] = page{ref, x}
		}
		r := &pipeline.Replay{Pull: pull, Was: x.version, Younger: normalize.Younger{By: p.by, Spans: g.spans[p.by]}, Pages: m.pages(g, p, pages, g.leads)}
		if err := m.replay(ctx, p, r, x); err != nil {
			return err
		}
	}
	return nil
}

// pages gives what reads pages once more. With leads they have the rows of the leads that
// they tell of.
func (m *Remap) pages(g *group, p *part, pages []page, leads bool) func(context.Context, int64, int) ([]state.Page, error) {
	ordered := slices.Clone(pages)
	slices.SortFunc(ordered, func(a, b page) int { return int(a.Seq - b.Seq) })
	return func(ctx context.Context, after int64, limit int) ([]state.Page, error) {
		i, _ := slices.BinarySearchFunc(ordered, after+1, func(x page, seq int64) int { return int(x.Seq - seq) })
		var made []state.Page
		for _, x := range ordered[i:min(i+limit, len(ordered))] {
			one, err := m.read(ctx, g, p, x)
			if err != nil {
				return nil, err
			}
			made = append(made, one)
		}
		return made, m.tellOf(ctx, g, p, ordered[i:i+len(made)], made, leads)
	}
}

// read reads a page as it is kept.
func (m *Remap) read(ctx context.Context, g *group, p *part, x page) (state.Page, error) {
	raw, err := m.o.Warehouse.RawPages(ctx, g.account.Name, p.stream.Name, []loaders.RawRef{x.RawRef})
	if err != nil {
		return state.Page{}, err
	}
	return state.Page{
		Seq: x.Seq, PullID: x.of.PullID, Version: g.order.of(dated(x.RawRef)), Body: raw[0].Body, File: raw[0].File, Request: raw[0].Request,
		Records: raw[0].Records, RawBytes: raw[0].RawBytes, ReceivedAt: x.ReceivedAt,
	}, nil
}

// conclude empties the quarantine of what was read, puts the new book of leads in the place
// of the old one, and reads what changed.
func (m *Remap) conclude(ctx context.Context, g *group) error {
	account := g.account.Name
	for _, p := range g.parts {
		if err := m.release(ctx, g, p); err != nil {
			return fmt.Errorf("emptying the quarantine of account %s, stream %s: %w", account, p.stream.Name, err)
		}
	}
	if g.leads && !g.failed {
		if err := m.o.Store.EndRetelling(ctx, account); err != nil {
			return err
		}
	}
	restated, err := m.o.Warehouse.RestatedBy(ctx, account, g.order.base, g.last)
	if err != nil {
		return err
	}
	for _, p := range g.parts {
		for _, r := range restated {
			if r.Stream == p.stream.Name {
				p.restated = append(p.restated, r)
			}
		}
	}
	return nil
}

// release empties the quarantine of records that were there before.
func (m *Remap) release(ctx context.Context, g *group, p *part) error {
	quarantined, err := m.o.Warehouse.QuarantinedPages(ctx, g.account.Name, p.stream.Name, g.order.base)
	if err != nil || len(quarantined) == 0 {
		return err
	}
	read := map[int64]bool{}
	add := func(x *pull) {
		for _, ref := range x.Pages {
			read[ref.Seq] = true
		}
	}
	whole := true
	for i, r := range p.replays {
		switch {
		case !r.Outcome().Published:
			whole = false
		case p.of[i] != nil:
			add(p.of[i])
		}
	}
	if whole {
		for _, x := range p.parts {
			read[x.Seq] = true
		}
		for _, x := range p.replaced {
			add(x)
		}
	}
	return m.o.Warehouse.Release(ctx, g.account.Name, p.stream.Name,
		slices.DeleteFunc(quarantined, func(seq int64) bool { return !read[seq] }), g.order.base)
}
