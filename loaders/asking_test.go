package loaders

import (
	"bytes"
	"strings"
	"testing"
)

func TestAskingReadsTheViewsByTheirNamesAndChangesNothing(t *testing.T) {
	base := setup(t)
	w, err := Open(t.Context(), Options{DSN: engine.DSN(), Database: base.Database(), Asking: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	var out bytes.Buffer
	if err := w.Query(t.Context(), "SELECT count() AS n FROM offers SETTINGS max_threads = 1", "json", &out); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(out.String()); got != `{"n":0}` {
		t.Errorf("got %s", got)
	}
	for _, statement := range []string{
		"DROP VIEW offers",
		"CREATE TABLE mine (a Int8) ENGINE = Memory",
		"INSERT INTO " + base.Store() + ".offers (account) VALUES ('x')",
		"SET readonly = 0",
	} {
		if err := w.Query(t.Context(), statement, "json", &out); err == nil {
			t.Errorf("%s was done", statement)
		}
	}
}
