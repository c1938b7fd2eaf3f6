package loaders

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/schema"
)

// RawPull is a pull of which answers are kept in raw_pages.
type RawPull struct {
	PullID int64
	// Kind, Version, PulledAt and Announced (how many pages the pull has) are empty for
	// answers that were kept by a version of syncd that did not write them down.
	Kind      string
	Version   uint64
	PulledAt  time.Time
	Announced int
	// From and To are the pull's window; zero when it has none.
	From, To time.Time
	RunID    string
	// Pages are those that are kept, in their order.
	Pages []RawRef
	// Files are the downloaded files that have the records of pages.
	Files []string
	// Records and Bytes are sums over the pages; Bytes is uncompressed.
	Records, Bytes int64
}

// RawRef says where a page is.
type RawRef struct {
	Seq        int64
	Version    uint64
	ReceivedAt time.Time
}

// RawPulls gives the pulls of a stream of which answers are kept, in the order of their
// first pages. What is in memory of a page are some 40 bytes.
func (w *Warehouse) RawPulls(ctx context.Context, account, stream string) ([]RawPull, error) {
	var pulls []RawPull
	// A state that was lost begins to count pulls anew; versions never come twice.
	statement := fmt.Sprintf(`WITH arraySort(groupArray((page_seq, _version, toUnixTimestamp64Milli(received_at)))) AS refs
SELECT
    pull_id, pull_version, any(pull_kind), any(toUnixTimestamp64Milli(pulled_at)), max(pull_pages), any(toUnixTimestamp64Milli(window_from)), any(toUnixTimestamp64Milli(window_to)), any(_run_id),
    sum(records), sum(raw_bytes), groupUniqArrayIf(file, file != ''),
    arrayMap(x -> x.1, refs), arrayMap(x -> x.2, refs), arrayMap(x -> x.3, refs), any(request)
FROM %s FINAL
WHERE account = %s AND stream = %s
GROUP BY pull_id, pull_version
ORDER BY min(_version)
SETTINGS do_not_merge_across_partitions_select_final = 1`, w.ddl.target(ledgerRawPages), literal(account), literal(stream))
	err := w.query(ctx, "reading which answers are kept", statement, func(r driver.Rows) error {
		var p RawPull
		var id, announced, records, bytes uint64
		var pulledAt, from, to int64
		var seqs, versions []uint64
		var received []int64
		var request string
		err := r.Scan(&id, &p.Version, &p.Kind, &pulledAt, &announced, &from, &to, &p.RunID, &records, &bytes, &p.Files, &seqs, &versions, &received, &request)
		if err != nil {
			return err
		}
		p.PullID, p.Announced, p.Records, p.Bytes = int64(id), int(announced), int64(records), int64(bytes)
		p.PulledAt, p.From, p.To = sinceEpoch(pulledAt), sinceEpoch(from), sinceEpoch(to)
		p.Pages = make([]RawRef, len(seqs))
		for i := range seqs {
			p.Pages[i] = RawRef{Seq: int64(seqs[i]), Version: versions[i], ReceivedAt: time.UnixMilli(received[i]).UTC()}
		}
		if len(p.Files) == 0 && p.Version == 0 {
			if file := fileOf(request); file != "" {
				p.Files = []string{file}
			}
		}
		slices.Sort(p.Files)
		pulls = append(pulls, p)
		return nil
	})
	return pulls, err
}

// sinceEpoch gives the time of a number of milliseconds; the epoch stands for none.
func sinceEpoch(milli int64) time.Time {
	if milli == 0 {
		return time.Time{}
	}
	return time.UnixMilli(milli).UTC()
}

// fileOf gives the file that the description of a call ends with; empty if it names none.
func fileOf(request string) string {
	_, file, ok := strings.Cut(request, " (file ")
	if !ok {
		return ""
	}
	return strings.TrimSuffix(file, ")")
}

// RawPages gives kept pages of a stream with their bodies, in the given order. One that is
// not there any more is an error: its retention ended meanwhile.
func (w *Warehouse) RawPages(ctx context.Context, account, stream string, refs []RawRef) ([]RawPage, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	seqs := make([]string, len(refs))
	oldest, newest := refs[0].ReceivedAt, refs[0].ReceivedAt
	for i, r := range refs {
		seqs[i] = strconv.FormatInt(r.Seq, 10)
		if r.ReceivedAt.Before(oldest) {
			oldest = r.ReceivedAt
		}
		if r.ReceivedAt.After(newest) {
			newest = r.ReceivedAt
		}
	}
	found := make(map[RawRef]RawPage, len(refs))
	statement := fmt.Sprintf(`SELECT network, pull_id, page_seq, request, toUnixTimestamp64Milli(received_at), toUnixTimestamp64Milli(window_from), toUnixTimestamp64Milli(window_to),
    pull_kind, pull_version, toUnixTimestamp64Milli(pulled_at), pull_pages, file, records, raw_bytes, body, _version, _run_id
FROM %s FINAL
WHERE account = %s AND stream = %s AND received_at >= %s AND received_at <= %s AND page_seq IN (%s)
SETTINGS do_not_merge_across_partitions_select_final = 1`,
		w.ddl.target(ledgerRawPages), literal(account), literal(stream), instant(oldest), instant(newest), strings.Join(seqs, ", "))
	err := w.query(ctx, "reading answers that are kept", statement, func(r driver.Rows) error {
		p := RawPage{Account: account, Stream: stream}
		var pull, seq, pages, records, bytes uint64
		var received, from, to, pulledAt int64
		var body string
		err := r.Scan(&p.Network, &pull, &seq, &p.Request, &received, &from, &to, &p.Kind, &p.PullVersion, &pulledAt, &pages, &p.File,
			&records, &bytes, &body, &p.Version, &p.RunID)
		if err != nil {
			return err
		}
		p.PullID, p.Seq, p.PullPages, p.Records, p.RawBytes = int64(pull), int64(seq), int(pages), int(records), int(bytes)
		p.ReceivedAt, p.WindowFrom, p.WindowTo, p.PulledAt = time.UnixMilli(received).UTC(), sinceEpoch(from), sinceEpoch(to), sinceEpoch(pulledAt)
		p.Body = []byte(body)
		if described := fileOf(p.Request); described != "" {
			p.File = described
			p.Request, _, _ = strings.Cut(p.Request, " (file ")
		}
		found[RawRef{Seq: p.Seq, Version: p.Version, ReceivedAt: p.ReceivedAt}] = p
		return nil
	})
	if err != nil {
		return nil, err
	}
	pages := make([]RawPage, len(refs))
	for i, r := range refs {
		p, ok := found[r]
		if !ok {
			return nil, fmt.Errorf("reading answers that are kept: page %d of account %s, stream %s of %s is not there any more", r.Seq, account, stream, r.ReceivedAt.Format(time.DateTime))
		}
		pages[i] = p
	}
	return pages, nil
}

// QuarantinedPages gives the pages of a stream of which records are in the quarantine
// since before a version.
func (w *Warehouse) QuarantinedPages(ctx context.Context, account, stream string, before uint64) (seqs []int64, err error) {
	err = w.query(ctx, "reading the quarantine", fmt.Sprintf("SELECT DISTINCT page_seq FROM %s FINAL WHERE account = %s AND stream = %s AND %s < %d ORDER BY page_seq",
		w.ddl.target(ledgerQuarantine), literal(account), literal(stream), quote(schema.ColumnVersion), before),
		func(r driver.Rows) error {
			var seq uint64
			err := r.Scan(&seq)
			seqs = append(seqs, int64(seq))
			return err
		})
	return seqs, err
}

// releaseAtOnce bounds the length of a statement.
const releaseAtOnce = 10_000

// Release removes records of pages from the quarantine that are there since before a
// version: they were read once more, and are rows now, or were found bad again and stand
// there with a greater version, or are a younger answer's.
func (w *Warehouse) Release(ctx context.Context, account, stream string, seqs []int64, before uint64) error {
	for part := range slices.Chunk(seqs, releaseAtOnce) {
		texts := make([]string, len(part))
		for i, seq := range part {
			texts[i] = strconv.FormatInt(seq, 10)
		}
		err := w.exec(ctx, "releasing records from the quarantine", fmt.Sprintf("DELETE FROM %s%s WHERE account = %s AND stream = %s AND %s < %d AND page_seq IN (%s)",
			w.ddl.target(ledgerQuarantine), w.ddl.onCluster(), literal(account), literal(stream), quote(schema.ColumnVersion), before, strings.Join(texts, ", ")))
		if err != nil {
			return err
		}
	}
	return nil
}

// Restated is what publications of a stream changed in a table, as the restatements tell.
type Restated struct {
	Stream, Table           string
	Added, Changed, Removed uint64
}

// RestatedBy sums up the restatements of an account's pulls with versions from first to
// last, by stream and table. The first rows of a window are no restatement.
func (w *Warehouse) RestatedBy(ctx context.Context, account string, first, last uint64) ([]Restated, error) {
	var all []Restated
	err := w.query(ctx, "reading the restatements", fmt.Sprintf("SELECT stream, table_name, sum(added), sum(changed), sum(removed) FROM %s FINAL WHERE account = %s AND pull_version >= %d AND pull_version <= %d GROUP BY stream, table_name ORDER BY stream, table_name",
		w.ddl.target(ledgerRestatements), literal(account), first, last),
		func(r driver.Rows) error {
			var one Restated
			err := r.Scan(&one.Stream, &one.Table, &one.Added, &one.Changed, &one.Removed)
			all = append(all, one)
			return err
		})
	return all, err
}
