package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"syncd/internal/embedded"
	"syncd/loaders"
)

const (
	finalRows   = 50_000_000 // conversions that are visible or were once
	finalMonths = 12
	// finalAsked is how often a question is asked in a round: it takes a fraction of a
	// second, and one answer in a few is late by the machine's other work.
	finalAsked = 5
)

// finalVersions are the INSERTs that make a month: all rows, then what a network
// changes of them later, and what it takes back. In them n is the row's number.
var finalVersions = []struct{ version, status, deleted, where string }{
	{"10", "if(n % 3 = 0, 'approved', 'pending')", "0", "1"},
	{"20", "if(n % 7 = 0, 'rejected', 'approved')", "0", "n % 5 = 0"},
	{"30", "'rejected'", "1", "n % 100 = 1"},
}

// finalInsert is an INSERT of a month. Half of the rows are of the account that is
// asked about. Identifiers are in no order, as networks' are.
const finalInsert = `INSERT INTO affiliate_store.conversions
    (network, account, conversion_id, click_id, offer_id, offer_name, publisher_id, status, payout, revenue, currency, created_at, report_date, country, ip, sub1, _version, _deleted)
SELECT 'affise', if(n % 2 = 0, 'main', concat('other-', toString(n % 7))), lower(hex(cityHash64(n, {month}))), lower(hex(cityHash64({month}, n))),
    toString(n % 200), concat('Offer ', toString(n % 200)), toString(n % 1000), {status}, toDecimal128(n % 5000, 10) / 100, toDecimal128(n % 5000, 10) / 80,
    'USD', toDateTime64('2025-01-01 00:00:00', 3, 'UTC') + toIntervalMonth({month}) + toIntervalSecond(n % 2419200) AS created_at, toDate(created_at),
    arrayElement(['DE', 'FR', 'US', 'BR', 'IN'], n % 5 + 1), toString(toIPv4(toUInt32(cityHash64(n)))), toString(n % 3000), {version}, {deleted}
FROM (SELECT number AS n FROM numbers({rows}) WHERE {where})
SETTINGS optimize_on_insert = 0, max_insert_threads = 2`

// benchFinal measures what reading through a view costs once months are folded: a
// daily total over one of the accounts, of 50 million conversions in twelve months of
// which a fifth were restated, beside the same question to a plain MergeTree that
// holds each visible row once.
func benchFinal(ctx context.Context, b *bench) (err error) {
	engine, err := embedded.Start(ctx, embedded.Options{DataDir: filepath.Join(b.dir, "final")})
	if err != nil {
		return err
	}
	defer func() {
		if stopped := engine.Stop(context.WithoutCancel(ctx)); err == nil {
			err = stopped
		}
	}()
	f := &finals{rows: b.scaled(finalRows)}
	if f.warehouse, err = loaders.Open(ctx, loaders.Options{DSN: engine.DSN()}); err != nil {
		return err
	}
	defer f.warehouse.Close()
	if err := f.warehouse.Migrate(ctx); err != nil {
		return err
	}
	if _, err := f.ask(ctx, "SYSTEM STOP MERGES affiliate_store.conversions"); err != nil {
		return err
	}
	if err := f.fill(ctx, b); err != nil {
		return err
	}
	name := number(float64(f.rows)) + " conversions: "
	unfolded, _, err := f.compare(ctx, b, "affiliate.conversions", "")
	if err != nil {
		return err
	}
	if err := f.fold(ctx, b); err != nil {
		return err
	}
	view, plain, err := f.compare(ctx, b, "affiliate.conversions", "bench.plain")
	if err != nil {
		return err
	}
	ratios := make([]float64, len(view))
	for i := range view {
		ratios[i] = view[i] / plain[i]
	}
	beside := &reference{"plain MergeTree without duplicates", median(plain)}
	b.report.add("final", name+"a daily total over one account through the view, months not folded", "ms", unfolded, beside, nil)
	b.report.add("final", name+"the same, months folded", "ms", view, beside, nil)
	b.report.add("final", name+"view against the plain table", "times", ratios, nil, atMost(1.3))
	return nil
}

// finals is what the steps share.
type finals struct {
	warehouse *loaders.Warehouse
	rows      int
}

func (f *finals) ask(ctx context.Context, statement string) (string, error) {
	var out bytes.Buffer
	err := f.warehouse.Query(ctx, statement, "tsv", &out)
	return out.String(), err
}

// fill makes the months, each of several parts.
func (f *finals) fill(ctx context.Context, b *bench) error {
	for month := range finalMonths {
		for _, v := range finalVersions {
			insert := strings.NewReplacer("{month}", fmt.Sprint(month), "{rows}", fmt.Sprint(f.rows/finalMonths),
				"{version}", v.version, "{status}", v.status, "{deleted}", v.deleted, "{where}", v.where).Replace(finalInsert)
			if _, err := f.ask(ctx, insert); err != nil {
				return err
			}
		}
		b.note("final: month %d of %d is there", month+1, finalMonths)
	}
	return nil
}

// fold merges every month to one part, as the table's settings have the server do
// some hours after the last change, and makes the plain table of the same rows.
func (f *finals) fold(ctx context.Context, b *bench) error {
	statements := []string{
		"SYSTEM START MERGES affiliate_store.conversions",
		"CREATE DATABASE bench",
		"CREATE TABLE bench.plain AS affiliate_store.conversions ENGINE = MergeTree PARTITION BY toYYYYMM(report_date) ORDER BY (account, report_date, conversion_id)",
		"SYSTEM STOP MERGES bench.plain",
	}
	for month := range finalMonths {
		statements = append(statements, fmt.Sprintf("OPTIMIZE TABLE affiliate_store.conversions PARTITION ID '2025%02d' FINAL", month+1),
			fmt.Sprintf("INSERT INTO bench.plain SELECT * FROM affiliate_store.conversions FINAL WHERE toYYYYMM(report_date) = 2025%02d", month+1))
	}
	statements = append(statements, "SYSTEM START MERGES bench.plain", "OPTIMIZE TABLE bench.plain FINAL")
	for _, s := range statements {
		if _, err := f.ask(ctx, s); err != nil {
			return err
		}
		if strings.HasPrefix(s, "OPTIMIZE") {
			b.note("final: %s", s)
		}
	}
	parts, err := f.ask(ctx, "SELECT count() FROM system.parts WHERE active AND database IN ('affiliate_store', 'bench') AND table IN ('conversions', 'plain')")
	if err == nil && !strings.HasSuffix(strings.TrimSpace(parts), fmt.Sprint("\n", 2*finalMonths)) {
		err = fmt.Errorf("the months are not one part each in both tables: %s", strings.TrimSpace(parts))
	}
	return err
}

// compare asks for the daily total in one table and, where there is one, in another in
// turn; the times are in milliseconds. The first answers warm the caches.
func (f *finals) compare(ctx context.Context, b *bench, one, other string) (ones, others []float64, err error) {
	total := func(table string) (string, float64, error) {
		began := time.Now()
		answer, err := f.ask(ctx, "SELECT report_date, count(), sum(payout) FROM "+table+" WHERE account = 'main' GROUP BY report_date ORDER BY report_date")
		return answer, float64(time.Since(began).Microseconds()) / 1000, err
	}
	for i := range 1 + b.rounds*finalAsked {
		first, took, err := total(one)
		if err != nil {
			return nil, nil, err
		}
		if i > 0 {
			ones = append(ones, took)
		}
		if other == "" {
			continue
		}
		second, took, err := total(other)
		if err != nil {
			return nil, nil, err
		}
		if first != second {
			return nil, nil, errors.New("the view and the plain table of the same rows answer differently")
		}
		if i > 0 {
			others = append(others, took)
		}
	}
	return ones, others, nil
}
