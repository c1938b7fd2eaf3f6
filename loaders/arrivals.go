package loaders

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/schema"
)

// The ledger of arrivals says how old conversions were when a later pull of their
// window brought them first, brought them otherwise, or did without them. The
// comparison of a publication finds that out on its way; no query of its own does.

const ledgerArrivals = "arrivals"

// arrivals is the ledger. A row has everything that a pull says of an offer: written
// again after a crash it replaces itself, whatever hour it has become.
func arrivals() *table {
	return &table{
		name: ledgerArrivals, version: "at",
		doc: "One row is an offer whose conversions a later pull of a window added, changed or removed. Its arrays are one list: how many rows of which age that was.",
		columns: owner(
			ledgerColumn("pull_version", kindCount, "The version of the pull that brought the difference."),
			ledgerColumn("offer_id", kindText, "The offer's id."),
			ledgerColumn("event", "Array(LowCardinality(String))", "added, changed or removed."),
			ledgerColumn("after_click", "Array(UInt16)", "Within how many hours of their click; 0 when that is not known."),
			ledgerColumn("after_creation", "Array(UInt16)", "Within how many hours of their creation; 0 when that is not known."),
			ledgerColumn("rows", "Array(UInt64)", "How many rows."),
			ledgerColumn("at", kindInstant, "When the difference was found, UTC."),
		),
		key: []string{"account", "stream", "pull_version", "offer_id"},
	}
}

// arrival is what the ledger tells apart. The ages are hours, rounded up.
type arrival struct {
	offer, event              string
	afterClick, afterCreation uint16
}

// hasArrivals says whether the ledger is kept for a table: that of conversions is the
// one in which rows come long after what they come of.
func hasArrivals(t *schema.Table) bool {
	return t.Index("offer_id") >= 0 && t.Index("click_at") >= 0 && t.Index("created_at") >= 0
}

// Ages are told apart by the hour for three days and by the day after them: finer than
// anybody's tiers, and few enough for a line each.
const (
	ageHours = 72
	ageMost  = 65_520 // hours; the last whole day that 16 bits hold
)

// age gives an expression for the age of an instant in hours, rounded up as told apart;
// 0 for the epoch, which stands for not known.
func age(column string, now time.Time) string {
	hours := fmt.Sprintf("intDiv(greatest(%d - toUnixTimestamp64Milli(%s), 0), 3600000) + 1", now.UnixMilli(), column)
	return fmt.Sprintf("if(toUnixTimestamp64Milli(%[1]s) <= 0, 0, if(%[2]s <= %[3]d, %[2]s, least(intDiv(%[2]s + 23, 24) * 24, %[4]d)))", column, hours, ageHours, ageMost)
}

// ages gives an expression for both ages of a row as one number, which costs a
// comparison of a million keys less than two.
func ages(now time.Time) string {
	return fmt.Sprintf("toUInt32(%s * 65536 + %s)", age("r.`click_at`", now), age("r.`created_at`", now))
}

// arrived notes rows of a line of the comparison.
func (o *outputFindings) arrived(event string, l difference) {
	if l.ages == 0 {
		return
	}
	if o.arrivals == nil {
		o.arrivals = map[arrival]uint64{}
	}
	o.arrivals[arrival{l.offer, event, uint16(l.ages >> 16), uint16(l.ages)}] += uint64(l.rows)
}

// recordArrivals writes the arrivals of the publication to their ledger. That is before
// the restatements are written, which say that all is. A first load of a window tells
// nothing of when its rows came, and a list of changes does not say which rows are late.
func (p *publication) recordArrivals(ctx context.Context, now time.Time) error {
	var batch driver.Batch
	for i := range p.units {
		u, f := &p.units[i], &p.found[i]
		if f.recorded || u.Again {
			continue
		}
		found := map[arrival]uint64{}
		for _, o := range u.Outputs {
			of := f.outputs[o.Table]
			for a, rows := range of.arrivals {
				if a.event != classAdded || u.Complete && of.before > 0 {
					found[a] += rows
				}
			}
		}
		all := slices.SortedFunc(maps.Keys(found), func(x, y arrival) int {
			return cmp.Or(cmp.Compare(x.offer, y.offer), cmp.Compare(x.event, y.event), cmp.Compare(x.afterClick, y.afterClick), cmp.Compare(x.afterCreation, y.afterCreation))
		})
		for len(all) > 0 {
			n := slices.IndexFunc(all, func(a arrival) bool { return a.offer != all[0].offer })
			if n < 0 {
				n = len(all)
			}
			var events []string
			var click, creation []uint16
			var rows []uint64
			for _, a := range all[:n] {
				events, click, creation, rows = append(events, a.event), append(click, a.afterClick), append(creation, a.afterCreation), append(rows, found[a])
			}
			if batch == nil {
				var err error
				if batch, err = p.w.prepare(ctx, arrivals()); err != nil {
					return err
				}
			}
			if err := batch.Append(u.Network, u.Account, u.Stream, u.Version, all[0].offer, events, click, creation, rows, now); err != nil {
				_ = batch.Abort()
				return wrap("writing the arrivals", err)
			}
			all = all[n:]
		}
	}
	if batch == nil {
		return nil
	}
	return wrap("writing the arrivals", batch.Send())
}
