package tests

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"syncd/tests/metricssim"
)

// What can go wrong with an export, through the whole flow: the data is there in the
// end, or the run says what is the matter and shows nothing.
func TestMetricsSurvivesWhatGoesWrongWithAnExport(t *testing.T) {
	t.Parallel()
	type switches = metricssim.Switches
	faults := func(f ...metricssim.Fault) []metricssim.Fault { return f }
	storage := func(kind metricssim.FaultKind) []metricssim.Fault {
		return faults(metricssim.Fault{Kind: kind, Path: "/storage/"})
	}
	tests := []struct {
		name    string
		options metricssim.Options
		faults  []metricssim.Fault
		// variables are further ones of the account.
		variables string
		// bought is how many exports it takes; signed and fetched how often the link was
		// made of the last one, and how often its file was sent from its beginning.
		bought, signed, fetched int
		// passes is by how much the network's clock goes on in a long pause.
		passes time.Duration
		says   string
		// refused says that nothing may be shown.
		refused bool
	}{
		{name: "nothing", bought: 1, signed: 1, fetched: 1},
		{name: "the answer to the creation is lost", faults: faults(metricssim.Fault{Kind: metricssim.CreateLost, Type: metricssim.Clicks}), bought: 1, signed: 1, fetched: 1},
		{name: "the creation does not arrive", faults: faults(metricssim.Fault{Kind: metricssim.Reset, Type: metricssim.Clicks}), bought: 1, signed: 1, fetched: 1},
		{name: "the export fails", faults: faults(metricssim.Fault{Kind: metricssim.ExportError}), bought: 2, signed: 1, fetched: 1},
		{name: "the export fails twice and is parted", faults: faults(metricssim.Fault{Kind: metricssim.ExportError, Times: 2}), bought: 4, signed: 1, fetched: 1},
		{name: "the export is canceled", faults: faults(metricssim.Fault{Kind: metricssim.ExportCanceled}), bought: 2, signed: 1, fetched: 1},
		{name: "the export gets stuck", faults: faults(metricssim.Fault{Kind: metricssim.ExportStuck}), bought: 2, signed: 1, fetched: 1, passes: 61 * time.Minute},
		{name: "the export takes its time", options: metricssim.Options{PendingFor: time.Second, WorkFor: time.Second}, bought: 1, signed: 1, fetched: 1},
		{name: "the file is cut off and parted", options: metricssim.Options{ExportRows: 200}, bought: 3, signed: 1, fetched: 1},
		{name: "the halves are cut off as well", options: metricssim.Options{ExportRows: 100}, bought: 7, signed: 1, fetched: 1},
		{name: "the link has expired", faults: storage(metricssim.ExpiredLink), bought: 1, signed: 2, fetched: 1},
		{name: "the link is refused", faults: storage(metricssim.Forbidden), bought: 1, signed: 2, fetched: 1},
		{name: "the storage is out of order", faults: storage(metricssim.BadGateway), bought: 1, signed: 2, fetched: 1},
		{name: "a page comes in place of the file", faults: storage(metricssim.HTMLPage), bought: 1, signed: 2, fetched: 1},
		{name: "a page comes in place of an answer", faults: faults(metricssim.Fault{Kind: metricssim.HTMLPage, Path: "/api/v2/download-center/exports"}), bought: 1, signed: 1, fetched: 1},
		{name: "the download breaks off", faults: storage(metricssim.CutBody), bought: 1, signed: 2, fetched: 0}, // the rest of it is fetched
		{name: "the file begins with a byte order mark and has the line ends of Windows", options: metricssim.Options{Switches: switches{BOM: true, CRLF: true}}, bought: 1, signed: 1, fetched: 1},
		{name: "semicolons are asked for", variables: `, delimiter: ";"`, bought: 1, signed: 1, fetched: 1},
		{name: "the storage could pack the file", options: metricssim.Options{Switches: switches{Gzip: true}}, bought: 1, signed: 1, fetched: 1},
		{name: "times and arrays are written otherwise", options: metricssim.Options{Switches: switches{RFC3339: true, Arrays: "json", SuccessWord: "DONE"}}, bought: 1, signed: 1, fetched: 1},
		{name: "exports are created by GET", options: metricssim.Options{Switches: switches{GetOnly: true}}, variables: ", export_method: GET", bought: 1, signed: 1, fetched: 1},
		{name: "there is no row", options: metricssim.Options{ClicksPerDay: -1}, bought: 1, signed: 1, fetched: 1},
		{name: "there is no row and no byte", options: metricssim.Options{ClicksPerDay: -1, Switches: switches{NoData: "empty"}}, bought: 1, signed: 1, fetched: 1},
		{name: "there is no row and no file", options: metricssim.Options{ClicksPerDay: -1, Switches: switches{NoData: "none"}}, bought: 1},

		{name: "the storage's file is torn", faults: faults(metricssim.Fault{Kind: metricssim.TornFile}), bought: 1, signed: -1, fetched: -1, says: "were announced", refused: true},
		{name: "the announced size is wrong", faults: faults(metricssim.Fault{Kind: metricssim.WrongSize}), bought: 1, signed: -1, fetched: -1, says: "were announced", refused: true},
		{name: "the announced number of rows is wrong", faults: faults(metricssim.Fault{Kind: metricssim.WrongTotal}), bought: 1, signed: -1, fetched: -1, says: "has 300 records, the network announced 301", refused: true},
		{name: "rows are announced and no byte comes", faults: faults(metricssim.Fault{Kind: metricssim.EmptyFile}), bought: 1, signed: -1, fetched: -1, says: "has 0 records, the network announced 300", refused: true},
		{name: "rows are announced and a header comes", faults: faults(metricssim.Fault{Kind: metricssim.HeaderOnly}), bought: 1, signed: -1, fetched: -1, says: "has 0 records, the network announced 300", refused: true},
		{name: "the parameters are refused", options: metricssim.Options{Switches: switches{RefuseEmptyExtra: true}}, bought: 0, says: "extra_parameters", refused: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.options.ClicksPerDay == 0 {
				test.options.ClicksPerDay = 150
			}
			test.options.Seed = 21
			k, s, args := oneFile(t, test.options, 2, test.variables)
			k.network.Inject(test.faults...)
			r := k.hurry(test.passes, args...)
			conn := k.connect()
			all := k.bought(test.bought)
			if left := k.network.PendingFaults(); len(left) > 0 {
				t.Errorf("it did not happen: %v", left)
			}
			if test.refused {
				r.ended(t, 1)
				says(t, r.stderr, test.says)
				if n := one[uint64](t, conn, "SELECT count() FROM "+k.database+".clicks"); n > 0 {
					t.Errorf("%d rows are visible", n)
				}
				return
			}
			r.ended(t, 0)
			if test.options.ClicksPerDay > 0 {
				k.metricsRowsEqual(conn, k.network, "clicks", k.zone, s)
			} else if n := one[uint64](t, conn, "SELECT count() FROM "+k.database+".clicks"); n > 0 {
				t.Errorf("%d rows are visible", n)
			}
			k.noQuarantine(conn)
			last := all[len(all)-1]
			if last.Signed != test.signed || last.Fetched != test.fetched {
				t.Errorf("the link was made %d times and the file sent %d times, want %d and %d", last.Signed, last.Fetched, test.signed, test.fetched)
			}
			// All of it is published: the same backfill once more is a new one, and known
			// rows are so few that they come page by page.
			if n := k.ask("SELECT count(*) FROM pulls"); n > 0 {
				t.Errorf("%d pulls are left", n)
			}
			for _, c := range k.network.CallsTo("/storage/") {
				if c.Method != http.MethodGet {
					t.Errorf("the storage was asked %s", c.Method)
				}
			}
			if strings.Contains(r.stderr, "X-Goog-Signature") {
				t.Error("the log has the link to a file")
			}
		})
	}
}
