package tests

import (
	"os"
	"testing"
	"time"

	"syncd/tests/metricssim"
)

// The first mapping joins the parts of a conversion's id otherwise, so that every row has
// another key, and takes one amount for the other.
func TestRemapReadsFilesThatAreStillInTheSpool(t *testing.T) {
	t.Parallel()
	start := time.Now().AddDate(0, 0, -5)
	k := track(t, metricssim.Options{
		Seed: 3, Integrations: integrations, ConversionsPerDay: 120, ClicksPerDay: 160, ImpressionsPerDay: 100, From: start.AddDate(0, 0, -3),
	}, berlin, variables("")+"    start: "+start.Format(time.DateOnly)+"\n")
	right := k.binary
	const file = "24metrics/10_conversions.yaml"
	wrong := remade(t, "syncd-files", edit{file, `hash, uuid], join: "/"}`, `hash, uuid], join: "-"}`}, edit{file, "payout: {from: payout}", "payout: {from: revenue}"})
	k.binary = wrong
	k.run("run", "--once", "--only", "track/conversions").ended(t, 0)
	conn := k.connect()
	rows := func(where string) uint64 {
		return one[uint64](t, conn, "SELECT count() FROM "+k.database+".conversions WHERE "+where)
	}
	all := rows("1")
	if len(k.exportsOf(metricssim.Conversions)) == 0 || k.pagesOf("conversion-table") == 0 {
		t.Fatal("rows came by one way alone: the test shows nothing")
	}
	calls := len(k.network.Log())

	k.binary = right
	r := k.run("remap", "--only", "track/conversions").ended(t, 0)
	says(t, r.stdout, "added, 0 changed, ")
	k.metricsRowsEqual(conn, k.network, "conversions", k.zone, span{start.UTC().Truncate(24 * time.Hour), k.settled()})
	if n := rows("1"); n != all {
		t.Errorf("%d rows became %d", all, n)
	}

	// Without the file its rows stay as they are; what came by page is made anew.
	if err := os.RemoveAll(k.data("spool/track")); err != nil {
		t.Fatal(err)
	}
	k.binary = wrong
	r = k.run("remap", "--only", "track/conversions").ended(t, 0)
	says(t, r.stdout, "cannot be made anew: its file is no longer in the spool; syncd run --backfill", "track    conversions")
	anew, kept := rows("position(conversion_id, '/') = 0"), rows("position(conversion_id, '/') > 0")
	if anew == 0 || kept == 0 || anew+kept != all {
		t.Errorf("of %d rows %d were made anew and %d stayed", all, anew, kept)
	}
	says(t, k.run("status").ended(t, 0).stdout, "normalized with an older mapping")
	if n := len(k.network.Log()); n != calls {
		t.Errorf("remap made %d calls", n-calls)
	}
	k.noQuarantine(conn)
}
