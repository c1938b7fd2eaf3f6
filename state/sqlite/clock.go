package sqlite

import (
	"database/sql"
	"time"
)

// happened are the columns with times at which something happened, by table. What has
// happened cannot lie ahead. When a pull was created is not among them: what it asks the
// network for, and makes of the answers, follows from it until its end.
var happened = []struct{ table, column string }{
	{"quota_calls", "at"}, {"checkpoints", "pulled_at"}, {"checkpoints", "published_at"}, {"checkpoints", "raw_at"}, {"held", "at"},
	{"runs", "started_at"}, {"runs", "finished_at"}, {"backfills", "started_at"}, {"streams", "due"},
	{"lanes", "at"}, {"postbacks", "received_at"},
}

// awaited are those with times that are waited for.
var awaited = []struct{ table, column string }{
	{"lanes", "base"}, {"pulls", "not_before"}, {"leads", "next_poll"},
}

// turnBack settles that the clock was set back since the last holder wrote: a machine
// that begins with a clock which is hours ahead would otherwise leave accounts that wait
// for hours, and windows that count as just pulled. How far the clock went back is seen
// in what is recorded as having happened later than now. All of it happened by now; what
// is waited for comes earlier by as much, so that as long is waited as was meant.
func turnBack(t *tx, now time.Time) error {
	latest := int64(0)
	for _, c := range happened {
		err := t.query("SELECT coalesce(max("+c.column+"), 0) FROM "+c.table, func(r *sql.Rows) error {
			var at int64
			err := r.Scan(&at)
			latest = max(latest, at)
			return err
		})
		if err != nil {
			return err
		}
	}
	back := latest - now.UnixMilli()
	if back <= setBackLeast.Milliseconds() {
		return nil
	}
	for _, c := range happened {
		if err := t.exec("UPDATE "+c.table+" SET "+c.column+" = ?1 WHERE "+c.column+" > ?1", now.UnixMilli()); err != nil {
			return err
		}
	}
	for _, c := range awaited {
		if err := t.exec("UPDATE "+c.table+" SET "+c.column+" = max("+c.column+" - ?1, ?2) WHERE "+c.column+" > ?2", back, now.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// setBackLeast is less than anybody minds: clocks are corrected by as much all the time.
const setBackLeast = time.Second
