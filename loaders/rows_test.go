package loaders

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func rowsOfTest(t *testing.T, w *Warehouse, sql string, most int) ([]string, error) {
	t.Helper()
	var got []string
	err := w.Rows(t.Context(), sql, most, func(columns, values []string) error {
		got = append(got, strings.Join(columns, ",")+"="+strings.Join(values, ","))
		return nil
	})
	return got, err
}

func TestRowsGivesValuesAsText(t *testing.T) {
	w := setup(t)
	got, err := rowsOfTest(t, w, `SELECT 18446744073709551615 AS a, toUUID('2f4b8f6e-0000-4000-8000-000000000001') AS b, CAST(NULL AS Nullable(String)) AS c,
		toLowCardinality('x') AS d, toDateTime64('2026-03-01 10:00:00.123', 3, 'Europe/Berlin') AS e, toDecimal64(1.5, 2) AS f ;`, 10)
	must(t, err)
	equal(t, "rows", strings.Join(got, "\n"), "a,b,c,d,e,f=18446744073709551615,2f4b8f6e-0000-4000-8000-000000000001,,x,2026-03-01T10:00:00.123+01:00,1.50")
}

func TestRowsChangesNothingAndHasAnEnd(t *testing.T) {
	w := setup(t)
	for _, statement := range []string{
		"CREATE TABLE " + w.Store() + ".mine (a Int8) ENGINE = Memory",
		"INSERT INTO " + w.Store() + ".offers (account) VALUES ('x')",
		"TRUNCATE TABLE " + w.Store() + ".offers",
		"SELECT 1 SETTINGS readonly = 0",
		"SELECT number FROM numbers(11)",
	} {
		if got, err := rowsOfTest(t, w, statement, 10); err == nil {
			t.Errorf("%s gave %v", statement, got)
		}
	}
	if got, err := rowsOfTest(t, w, "SELECT number FROM numbers(10)", 10); err != nil || len(got) != 10 {
		t.Errorf("got %d rows, %v", len(got), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := w.Rows(ctx, "SELECT sum(cityHash64(number)) FROM numbers(100000000000)", 100, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a question without an end: %v", err)
	}
	stop := errors.New("stop")
	n := 0
	if err := w.Rows(t.Context(), "SELECT number FROM numbers(10)", 10, func(_, _ []string) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("got %v after %d rows", err, n)
	}
	must(t, w.exec(t.Context(), "writing", fmt.Sprintf("CREATE TABLE %s.mine (a Int8) ENGINE = Memory", w.Store()))) // the connection is as it was
}
