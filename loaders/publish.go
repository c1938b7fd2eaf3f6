package loaders

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.uber.org/zap"

	"syncd/schema"
)

// publication is one call of Publish on its way.
type publication struct {
	w     *Warehouse
	slot  int
	units []Unit
	areas []*area
	// tables are those of the areas, each once, by name.
	tables []*schema.Table
	found  []unitFindings
	// twice are the areas in which some key was staged more than once.
	twice map[*area]bool
	// sent are the rows sent by table, arrived the parts of the staging tables that
	// hold them.
	sent    map[*schema.Table]int64
	arrived map[*schema.Table][]part
	// buried are the tables with tombstones among their staged rows.
	buried map[*schema.Table]bool
}

// unitFindings is what is known of one unit.
type unitFindings struct {
	outputs map[*schema.Table]*outputFindings
	// recorded says that the unit's restatements are in the ledger already: it was
	// compared and believed before a crash.
	recorded bool
	counted  UnitResult // counts of the ledger if recorded
}

// outputFindings is what is known of one unit in one table.
type outputFindings struct {
	keys    int64  // different keys staged
	content uint64 // the sum of the digests of what they bring; only if a unit is held back
	// before is how many rows were visible, kept how many of them stay without being
	// staged because they are of younger calls.
	before, kept            int64
	added, changed, removed int64
	// vanished are those of removed that no tombstone is staged for yet.
	vanished int64
	money    map[string]*moved // by currency
	// arrivals counts rows that were added, changed or removed; nil where there are none.
	arrivals map[arrival]uint64
}

// Publish ends the INSERTs and makes what they staged visible, unit by unit as a
// whole. Afterwards the visible rows of every complete unit's scopes are those it
// brought, and younger ones. The batch is over, whatever the outcome.
//
// If a guard holds a unit back, nothing of the batch is published, and the result
// says which. On an error some or all of it may be visible; publishing the same
// rows with the same versions in a new batch completes it, and changes nothing that
// is complete. Either way the rows that readers see are never fewer than before the
// call or after it.
func (b *Batch) Publish(ctx context.Context, units []Unit) (Result, error) {
	defer b.Abort(ctx)
	areas, err := areas(units)
	if err != nil {
		return Result{}, fmt.Errorf("reading what to publish: %w", err)
	}
	written, sent, err := b.finish(ctx)
	if err != nil {
		return Result{}, err
	}
	p := &publication{w: b.w, slot: b.slot, units: units, areas: areas, sent: sent, twice: map[*area]bool{}, buried: map[*schema.Table]bool{}}
	for _, a := range areas {
		if n := len(p.tables); n == 0 || p.tables[n-1] != a.table {
			p.tables = append(p.tables, a.table)
		}
	}
	for _, t := range written {
		if !slices.Contains(p.tables, t) {
			return Result{}, fmt.Errorf("%d rows of %s belong to no pull of the batch", sent[t], t.Name)
		}
	}
	result, err := p.run(ctx)
	if err == nil {
		b.close()
	}
	return result, err
}

func (p *publication) run(ctx context.Context) (Result, error) {
	if err := p.step("insert"); err != nil {
		return Result{}, err
	}
	if err := p.count(ctx); err != nil {
		return Result{}, err
	}
	touched, err := p.compare(ctx)
	if err != nil {
		return Result{}, err
	}
	if err := p.step("compare"); err != nil {
		return Result{}, err
	}
	result, held := p.result()
	if held {
		return result, p.digest(ctx, result.Units)
	}
	if err := p.record(ctx); err != nil {
		return Result{}, err
	}
	if err := p.step("record"); err != nil {
		return Result{}, err
	}
	if err := p.bury(ctx, touched); err != nil {
		return Result{}, err
	}
	staged, err := p.staged(ctx)
	if err != nil {
		return Result{}, err
	}
	for _, t := range p.tables {
		for _, partition := range partitionsOf(staged[t]) {
			if err := p.w.exec(ctx, "publishing "+t.Name, p.w.ddl.attach(p.slot, t, partition)); err != nil {
				return Result{}, err
			}
			if err := p.step("attach"); err != nil {
				return Result{}, err
			}
		}
	}
	// The rows are visible. Begin empties staging tables too, so a failure to do it now
	// is not one of the publication.
	for _, t := range p.tables {
		if len(staged[t]) == 0 {
			continue
		}
		if err := p.w.exec(ctx, "emptying staging", p.w.ddl.truncate(p.w.ddl.stagingName(p.slot, t))); err != nil {
			p.w.log.Warn("staging not emptied, the next batch will", zap.Error(err))
		}
	}
	return result, nil
}

// step tells a test that a step is finished.
func (p *publication) step(name string) error {
	if p.w.after == nil {
		return nil
	}
	return p.w.after(name)
}

// lostRows says that the server does not hold what was sent.
type lostRows struct {
	table       string
	held, sent  int64
	description string
}

func (e *lostRows) Error() string {
	return fmt.Sprintf("publishing %s: %d rows were sent, %d %s", e.table, e.sent, e.held, e.description)
}

// Retryable is true: staging them again is the way out.
func (e *lostRows) Retryable() bool { return true }

// count checks that staging holds the rows that were sent, and finds out which unit
// they belong to.
func (p *publication) count(ctx context.Context) error {
	p.found = make([]unitFindings, len(p.units))
	for i := range p.found {
		p.found[i].outputs = map[*schema.Table]*outputFindings{}
		for _, o := range p.units[i].Outputs {
			p.found[i].outputs[o.Table] = &outputFindings{money: map[string]*moved{}}
		}
	}
	for _, t := range p.tables {
		if err := p.w.ensureStaging(ctx, p.slot, t); err != nil {
			return err
		}
	}
	var err error
	if p.arrived, err = p.parts(ctx); err != nil {
		return err
	}
	for _, t := range p.tables {
		if rows := rowsIn(p.arrived[t]); rows != p.sent[t] {
			return &lostRows{t.Name, rows, p.sent[t], "arrived in staging"}
		}
	}
	owned := map[*schema.Table]int64{}
	for _, a := range p.areas {
		if p.sent[a.table] == 0 {
			continue
		}
		n, err := p.countArea(ctx, a)
		if err != nil {
			return err
		}
		owned[a.table] += n
	}
	for _, t := range p.tables {
		if owned[t] != p.sent[t] {
			return fmt.Errorf("publishing %s: %d of %d rows lie in no pull's scope", t.Name, p.sent[t]-owned[t], p.sent[t])
		}
	}
	return nil
}

// countArea counts the rows of each unit of an area and gives their sum.
func (p *publication) countArea(ctx context.Context, a *area) (rows int64, err error) {
	keys := int64(0)
	err = p.ask(ctx, a, "counting what was staged in "+a.table.Name, p.w.ddl.counted(p.slot, a), func(r driver.Rows) error {
		var unit uint32
		var n, k uint64
		if err := r.Scan(&unit, &n, &k); err != nil {
			return err
		}
		p.found[unit].outputs[a.table].keys = int64(k)
		rows += int64(n)
		keys += int64(k)
		return nil
	})
	// Pages overlapped and some keys came twice. Only then is it worth reading with FINAL.
	p.twice[a] = rows != keys
	return rows, err
}

// digest adds the digests of their contents to units of which some are held back.
func (p *publication) digest(ctx context.Context, units []UnitResult) error {
	for _, a := range p.areas {
		if p.sent[a.table] == 0 {
			continue
		}
		err := p.ask(ctx, a, "reading what was staged in "+a.table.Name, p.w.ddl.digest(p.slot, a, p.twice[a]), func(r driver.Rows) error {
			var unit uint32
			var content uint64
			err := r.Scan(&unit, &content)
			p.found[unit].outputs[a.table].content = content
			return err
		})
		if err != nil {
			return err
		}
	}
	for i := range p.units {
		digest := fnv.New64a()
		for _, o := range p.units[i].Outputs { // in the caller's order, which is the manifest's
			found := p.found[i].outputs[o.Table]
			fmt.Fprintf(digest, "%s %d %d\n", o.Table.Name, found.keys, found.content)
		}
		units[i].Hash = max(digest.Sum64(), 1)
	}
	return nil
}

// ask runs a query that reads an area's scopes.
func (p *publication) ask(ctx context.Context, a *area, doing, statement string, scan func(driver.Rows) error) error {
	scopes, err := a.external(func(areaScope) bool { return true })
	if err != nil {
		return err
	}
	return p.w.query(withScopes(ctx, scopes), doing, statement, scan)
}

// compare finds out what the publication changes, and in which areas rows are
// visible at all. Where none are, as in a first load, all staged keys are added.
func (p *publication) compare(ctx context.Context) (map[*area]bool, error) {
	touched := map[*area]bool{}
	for _, a := range p.areas {
		if !a.complete && p.sent[a.table] == 0 {
			continue
		}
		err := p.w.query(ctx, "looking for visible rows of "+a.table.Name, p.w.ddl.touches(p.slot, a), func(driver.Rows) error {
			touched[a] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, a := range p.areas {
		if touched[a] {
			if err := p.compareArea(ctx, a); err != nil {
				return nil, err
			}
			continue
		}
		for _, s := range a.scopes {
			o := p.found[s.unit].outputs[a.table]
			o.added = o.keys
		}
	}
	if len(touched) == 0 {
		return touched, nil
	}
	return touched, p.recorded(ctx)
}

// compareArea compares what is staged with what is visible in an area.
func (p *publication) compareArea(ctx context.Context, a *area) error {
	return p.ask(ctx, a, "comparing "+a.table.Name, p.w.ddl.compare(p.slot, a, p.twice[a], time.Now()), func(r driver.Rows) error {
		var l difference
		if err := l.scan(r); err != nil {
			return err
		}
		after := p.found[l.unitAfter].outputs[a.table]
		before := p.found[l.unitBefore].outputs[a.table]
		switch l.class {
		case classAdded:
			after.added += l.rows
			after.moneyIn(l.currencyAfter).after(l)
			after.arrived(classAdded, l)
		case classChanged:
			before.before += l.rows
			after.changed += l.rows
			after.moneyIn(l.currencyBefore).before(l)
			after.moneyIn(l.currencyAfter).after(l)
			after.moneyIn(l.currencyAfter).changed += l.rows
			after.arrived(classChanged, l)
		case classRemoved:
			before.before += l.rows
			if p.units[l.unitBefore].NoTombstones {
				break
			}
			before.vanished += l.rows
			before.bury(l)
		case classBuried: // it has moved: to the guard it is not one that vanished
			before.bury(l)
		case classSame:
			before.before += l.rows
		case classKept:
			before.before += l.rows
			before.kept += l.rows
		case classPublished:
		default:
			return fmt.Errorf("the comparison knows no class %q", l.class)
		}
		if l.class == classAdded {
			after.moneyIn(l.currencyAfter).added += l.rows
		}
		return nil
	})
}

// bury counts rows that go.
func (o *outputFindings) bury(l difference) {
	o.removed += l.rows
	o.arrived(classRemoved, l)
	o.moneyIn(l.currencyBefore).before(l)
	o.moneyIn(l.currencyBefore).removed += l.rows
}

// result puts together what is known of the units, and says whether any is held.
func (p *publication) result() (Result, bool) {
	var result Result
	held := false
	for i := range p.units {
		u, f := &p.units[i], &p.found[i]
		r := UnitResult{PullID: u.PullID}
		for _, o := range u.Outputs {
			found := f.outputs[o.Table]
			r.Rows += found.keys
			r.Added += found.added
			r.Changed += found.changed
			r.Removed += found.removed
		}
		if f.recorded {
			r.Added, r.Changed, r.Removed = f.counted.Added, f.counted.Changed, f.counted.Removed
		}
		r.Held = f.held(u, r.Rows)
		held = held || r.Held != ""
		result.Units = append(result.Units, r)
	}
	return result, held
}

// bury stages the tombstones of what complete units did not bring.
func (p *publication) bury(ctx context.Context, touched map[*area]bool) error {
	for _, a := range p.areas {
		// Only the scopes in which something vanished go along, so none of a unit that
		// leaves no tombstones.
		removed := func(s areaScope) bool { return p.found[s.unit].outputs[a.table].vanished > 0 }
		if !a.complete || !touched[a] || !slices.ContainsFunc(a.scopes, removed) {
			continue
		}
		scopes, err := a.external(removed)
		if err != nil {
			return err
		}
		if err := p.w.exec(withScopes(ctx, scopes), "staging tombstones of "+a.table.Name, p.w.ddl.tombstones(p.slot, a)); err != nil {
			return err
		}
		p.buried[a.table] = true
		if err := p.step("bury"); err != nil {
			return err
		}
	}
	return nil
}
