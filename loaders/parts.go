package loaders

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/schema"
)

// part is a part of a staging table. Staging tables do not merge: a part keeps its
// name and its rows until its table is emptied.
type part struct {
	partition, name string
	rows            uint64
}

// rowsIn gives the rows of parts.
func rowsIn(parts []part) int64 {
	var rows int64
	for _, p := range parts {
		rows += int64(p.rows)
	}
	return rows
}

// partitionsOf gives the partitions of parts, which are in the order of their partitions.
func partitionsOf(parts []part) []string {
	var ids []string
	for _, p := range parts {
		if n := len(ids); n == 0 || ids[n-1] != p.partition {
			ids = append(ids, p.partition)
		}
	}
	return ids
}

// parts reads which parts the publication's staging tables have.
func (p *publication) parts(ctx context.Context) (map[*schema.Table][]part, error) {
	if len(p.tables) == 0 {
		return nil, nil
	}
	tables := make(map[string]*schema.Table, len(p.tables))
	for _, t := range p.tables {
		tables[p.w.ddl.stagingName(p.slot, t)] = t
	}
	found := map[*schema.Table][]part{}
	err := p.w.query(ctx, "counting what is in staging", p.w.ddl.stagedParts(p.slot, p.tables), func(r driver.Rows) error {
		var table string
		var one part
		if err := r.Scan(&table, &one.partition, &one.name, &one.rows); err != nil {
			return err
		}
		found[tables[table]] = append(found[tables[table]], one)
		return nil
	})
	return found, err
}

// staged gives the parts that are to be attached, after it made sure that the rows
// that were compared are still among them: attaching a partition that somebody
// emptied in the meantime is no error to the server.
func (p *publication) staged(ctx context.Context) (map[*schema.Table][]part, error) {
	now, err := p.parts(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range p.tables {
		have := make(map[part]bool, len(now[t]))
		for _, one := range now[t] {
			have[one] = true
		}
		var kept []part
		for _, one := range p.arrived[t] {
			if have[one] {
				kept = append(kept, one)
			}
		}
		if rows := rowsIn(kept); rows != p.sent[t] {
			return nil, &lostRows{t.Name, rows, p.sent[t], "are still in staging"}
		}
		if rows := rowsIn(now[t]); rows != p.sent[t] && !p.buried[t] {
			return nil, &lostRows{t.Name, rows, p.sent[t], "are in staging"}
		}
	}
	return now, nil
}
