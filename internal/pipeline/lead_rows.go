package pipeline

import (
	"context"
	"encoding/json"
	"fmt"

	"syncd/extractors"
	"syncd/loaders"
	"syncd/schema"
	"syncd/state"
)

// leads appends the rows of the leads that a page told of, and tombstones for the keys
// under which they stand no more. The tombstones go with the rows and not by what is
// visible: the page that brought the row under the old key may be loaded after this one.
func (n *normalizer) leads(ctx context.Context, batch *loaders.Batch, l *load, page *state.Page, out extractors.Output) error {
	block := n.blocks[out.Table]
	if block == nil {
		block = schema.NewBlock(out.Table)
		n.blocks[out.Table] = block
	}
	row := leadRow{table: out.Table, load: l, page: page}
	room := func() error {
		if block.Rows() < schema.BlockRows {
			return nil
		}
		if err := batch.Write(ctx, block); err != nil {
			return err
		}
		block.Reset()
		return nil
	}
	for i, lead := range page.Leads {
		if len(lead.Fields) == 0 { // keys alone
		} else if err := row.put(block, lead.Fields); err != nil {
			l.bad++
			if l.firstBad == "" {
				l.firstBad = err.Error()
			}
			record, _ := json.Marshal(lead.Fields) // a map of texts
			if err := batch.Quarantine(ctx, loaders.QuarantineRow{
				Network: l.account.Network, Account: l.pull.Account, Stream: l.pull.Stream, Table: out.Table.Name,
				PullID: page.PullID, Seq: page.Seq, Index: i, Reason: err.Error(), Record: string(record),
				RunID: l.pull.RunID, Version: page.Version, At: page.ReceivedAt,
			}); err != nil {
				return err
			}
		} else {
			l.rows++
			l.leadRows++
		}
		for _, key := range lead.Gone {
			if err := room(); err != nil {
				return err
			}
			row.bury(block, key)
		}
		if err := room(); err != nil {
			return err
		}
	}
	return nil
}

// leadRow puts rows of leads into blocks.
type leadRow struct {
	table *schema.Table
	load  *load
	page  *state.Page
}

// put appends the row of a lead, or gives the reason why it cannot be one.
func (r leadRow) put(b *schema.Block, fields state.LeadFields) error {
	for name, text := range fields {
		col := r.table.Index(name)
		if col < 0 {
			b.CancelRow()
			return fmt.Errorf("a lead has a field %s, of which table %s has no column", name, r.table.Name)
		}
		if err := b.SetText(col, text); err != nil {
			b.CancelRow()
			return err
		}
	}
	r.end(b)
	return nil
}

// bury appends a tombstone for the row under a key.
func (r leadRow) bury(b *schema.Block, key state.LeadKey) {
	b.SetBytes(r.table.Index(state.LeadNetworkID), []byte(key.ID))
	b.SetDate(r.table.Index(state.LeadDay), key.Day)
	b.SetUint(r.table.Index(schema.ColumnDeleted), 1)
	r.end(b)
}

// end sets what all rows of the page have in common. Their window is the one that told of
// the lead last, among the lead's fields; a lead that none told of has the epoch.
func (r leadRow) end(b *schema.Block) {
	b.SetBytes(r.table.Index("network"), []byte(r.load.account.Network))
	b.SetBytes(r.table.Index(schema.ColumnAccount), []byte(r.load.pull.Account))
	b.SetBytes(r.table.Index(schema.ColumnRunID), []byte(r.load.pull.RunID))
	b.SetUint(r.table.Index(schema.ColumnVersion), r.page.Version)
	b.SetTime(r.table.Index(schema.ColumnSyncedAt), r.page.ReceivedAt.UnixMilli())
	b.EndRow()
}
