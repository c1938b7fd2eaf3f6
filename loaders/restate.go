package loaders

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"
)

// moved is what a unit changed in one table and currency. The amounts are sums over
// the rows that were added, changed or removed.
type moved struct {
	added, changed, removed                                int64
	payoutBefore, payoutAfter, revenueBefore, revenueAfter decimal.Decimal
}

// before adds the amounts of rows as they were.
func (m *moved) before(d difference) {
	m.payoutBefore = m.payoutBefore.Add(d.payoutBefore)
	m.revenueBefore = m.revenueBefore.Add(d.revenueBefore)
}

// after adds the amounts of rows as they are now.
func (m *moved) after(d difference) {
	m.payoutAfter = m.payoutAfter.Add(d.payoutAfter)
	m.revenueAfter = m.revenueAfter.Add(d.revenueAfter)
}

// moneyIn gives the sums of a currency.
func (o *outputFindings) moneyIn(currency string) *moved {
	if o.money[currency] == nil {
		o.money[currency] = &moved{}
	}
	return o.money[currency]
}

// difference is a line that the comparison answers with.
type difference struct {
	class                                                  string
	unitBefore, unitAfter                                  uint32
	currencyBefore, currencyAfter                          string
	offer                                                  string
	ages                                                   uint32
	rows                                                   int64
	payoutBefore, payoutAfter, revenueBefore, revenueAfter decimal.Decimal
}

func (d *difference) scan(r driver.Rows) error {
	var rows uint64
	err := r.Scan(&d.class, &d.unitBefore, &d.unitAfter, &d.currencyBefore, &d.currencyAfter, &d.offer, &d.ages, &rows,
		&d.payoutBefore, &d.payoutAfter, &d.revenueBefore, &d.revenueAfter)
	d.rows = int64(rows)
	return err
}

// withScopes sends an area's scopes with the queries of the context.
func withScopes(ctx context.Context, scopes *ext.Table) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithExternalTable(scopes))
}

// recorded finds the units whose restatements are in the ledger. They were compared
// before a crash, with what was visible then: comparing them now would count what
// was attached in between as if it had been there before.
func (p *publication) recorded(ctx context.Context) error {
	unitOf := make(map[uint64]int, len(p.units))
	versions := make([]string, len(p.units))
	accounts := map[string]bool{}
	for i, u := range p.units {
		unitOf[u.Version] = i
		versions[i] = fmt.Sprint(u.Version)
		accounts[u.Account] = true
	}
	statement := fmt.Sprintf("SELECT account, pull_version, sum(added), sum(changed), sum(removed) FROM %s FINAL WHERE account IN (%s) AND pull_version IN (%s) GROUP BY account, pull_version",
		p.w.ddl.target(ledgerRestatements), literals(slices.Sorted(maps.Keys(accounts))), strings.Join(versions, ", "))
	return p.w.query(ctx, "reading the restatements", statement, func(r driver.Rows) error {
		var account string
		var version, added, changed, removed uint64
		if err := r.Scan(&account, &version, &added, &changed, &removed); err != nil {
			return err
		}
		i, ok := unitOf[version]
		if !ok || p.units[i].Account != account {
			return nil
		}
		p.found[i].recorded = true
		p.found[i].counted = UnitResult{Added: int64(added), Changed: int64(changed), Removed: int64(removed)}
		return nil
	})
}

// record writes the restatements of the publication to the ledger, in one block: all
// of them are there or none. The first load of a scope is no restatement.
//
// It comes before anything becomes visible. After a crash in between, the ledger
// says what was found, and the publication goes on without comparing again.
func (p *publication) record(ctx context.Context) error {
	var batch driver.Batch
	now := time.Now().UTC()
	if err := p.recordArrivals(ctx, now); err != nil {
		return err
	}
	for i := range p.units {
		u, f := &p.units[i], &p.found[i]
		if f.recorded {
			continue
		}
		for _, o := range u.Outputs {
			found := f.outputs[o.Table]
			if found.before == 0 && found.changed == 0 && found.removed == 0 {
				continue
			}
			for _, currency := range slices.Sorted(maps.Keys(found.money)) {
				m := found.money[currency]
				if batch == nil {
					var err error
					if batch, err = p.w.prepare(ctx, restatements()); err != nil {
						return err
					}
				}
				err := batch.Append(u.Network, u.Account, u.Stream, orEpoch(o.From), orEpoch(o.To), u.Version, o.Table.Name, currency,
					uint64(m.added), uint64(m.changed), uint64(m.removed),
					m.payoutBefore, m.payoutAfter, m.revenueBefore, m.revenueAfter, u.Tier, now)
				if err != nil {
					_ = batch.Abort()
					return wrap("writing the restatements", err)
				}
			}
		}
	}
	if batch == nil {
		return nil
	}
	return wrap("writing the restatements", batch.Send())
}

// prepare begins a small INSERT of all columns of a ledger. Whoever calls it sends
// or aborts it: closing it unsent would end the INSERT and keep part of it.
func (w *Warehouse) prepare(ctx context.Context, t *table) (driver.Batch, error) {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	batch, err := w.conn.PrepareBatch(ctx, fmt.Sprintf("INSERT INTO %s (%s)", w.ddl.target(t.name), quoteAll(names)))
	if err != nil {
		return nil, wrap("writing "+t.name, err)
	}
	return batch, nil
}
