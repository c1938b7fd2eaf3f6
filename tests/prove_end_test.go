package tests

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"syncd/internal/embedded"
	"syncd/tests/affisesim"
	"syncd/tests/cpasim"
)

// settle runs without faults until nothing is left to do. What a guard holds back takes a
// second answer that says the same.
func (o *oracle) settle() {
	o.t.Helper()
	if at := o.started.UnixNano(); o.lookNow.Load() < at {
		o.lookNow.Store(at)
	}
	for _, c := range []*cpaBed{o.kma, o.who, o.terra} {
		c.pass(max(0, time.Since(c.clock())))
	}
	work := func(commands ...[]string) bool {
		done := true
		for _, args := range commands {
			done = o.hurry(args) && done
		}
		return done
	}
	lists := append(slices.Clone(provenLists), provenLeads...)
	// What was pulled and not yet published is as old as it is: it comes first.
	work(append([]string{"run", "--once"}, only(append(append(slices.Clone(provenWindows), "main/clicks"), lists...)...)...))
	// Nor is a backfill that was interrupted asked for again.
	o.alter("DELETE FROM backfills")
	for range 4 {
		// What was pulled while the clock was ahead is due in hours.
		o.hoursPass(30)
		o.dayPasses()
		if work(o.backfill(provenDays, 0, provenWindows...), o.backfill(1, 0, "main/clicks"), append([]string{"run", "--once"}, only(lists...)...)) && o.count("SELECT count(*) FROM held") == 0 {
			return
		}
	}
	text, _ := os.ReadFile(filepath.Join(o.dir, fmt.Sprintf("run-%02d.log", o.logs)))
	o.t.Errorf("it does not come to an end without faults; held back are %s, open are %s; the last run said:\n%s",
		o.ask("SELECT coalesce(group_concat(account || '/' || stream || ': ' || reason, '; '), '') FROM held"),
		o.ask("SELECT coalesce(group_concat(account || '/' || stream || ' ' || phase || ' ' || kind || ' ' || last_error, '; '), '') FROM pulls"), tail(string(text)))
}

// silence is how long a run in which calls have failed makes none before its pauses are
// taken for over, and budget how long any other may wait for a network's quota. They
// decide how long a seed takes, and nothing else.
const (
	silence = 1500 * time.Millisecond
	budget  = 65 * time.Second
)

// hurry runs the binary to its end, and says whether all was well. Pauses after failures
// are not waited for: it is stopped as by SIGTERM, time passes, and it is started again.
func (o *oracle) hurry(args []string) bool {
	o.t.Helper()
	for range 30 {
		p := o.launch(must(release())(o.t), nil, args...)
		calls, since := o.calls.n.Load(), time.Now()
		paused := false
		eventually(o.t, "an end, or a pause", func() bool {
			select {
			case <-p.done:
				return true
			default:
			}
			if n := o.calls.n.Load(); n != calls {
				calls, since = n, time.Now()
			}
			_, stderr, _ := p.output()
			quiet := time.Since(since)
			paused = quiet > budget || quiet > silence && strings.Contains(stderr, `"again_in"`)
			return paused
		})
		if paused {
			p.signal(syscall.SIGTERM)
		}
		r := o.over(p)
		if r.signal != 0 {
			o.t.Fatalf("a run without faults was ended by %v:\n%s", r.signal, tail(r.stderr))
		}
		o.pausesEnd()
		if !paused || r.code != 3 { // it may have been done just then
			return r.code == 0
		}
	}
	return false
}

// count asks the state for a number.
func (o *oracle) count(query string) (n int) {
	o.t.Helper()
	n = -1
	o.onState(func(db *sql.DB) error { return db.QueryRow(query).Scan(&n) })
	return n
}

// ask asks the state for a text.
func (o *oracle) ask(query string) (text string) {
	o.t.Helper()
	o.onState(func(db *sql.DB) error { return db.QueryRow(query).Scan(&text) })
	return text
}

// loaded gives a connection to what was loaded, around wire and all.
func (o *oracle) loaded() driver.Conn {
	o.t.Helper()
	over := *o.bed
	if o.engine != nil {
		over.dsn = o.engine.DSN()
		return over.connect()
	}
	if out, err := exec.Command("cp", "-a", o.disk.outside("data"), o.data("")).CombinedOutput(); err != nil { // nor does ClickHouse find its way there
		o.t.Fatalf("copying what was loaded: %v: %s", err, out)
	}
	engine, err := embedded.Start(o.t.Context(), embedded.Options{DataDir: o.data(""), Database: o.database, MemoryLimit: 2 << 30})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { stopServer(o.t, engine) })
	over.dsn = engine.DSN()
	return over.connect()
}

// compare compares every table with the truth, row for row.
func (o *oracle) compare() {
	o.t.Helper()
	conn := o.loaded()
	loc := zone(o.t, berlin)
	y, m, d := o.start.Date()
	dayIn := func(loc *time.Location) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, loc) }
	x := extent{account: "main", zone: loc, from: dayIn(loc), to: time.Now().Add(time.Hour), clicks: o.clicksFrom()}
	o.conversionsEqual(conn, x)
	o.clicksEqual(conn, x)
	o.statsEqual(conn, x)
	o.entitiesEqual(conn, "main")

	york := dayIn(zone(o.t, performZone))
	o.performConversionsEqual(conn, o.perform, "partner", york, o.perform.Options().Now())
	o.performStatsEqual(conn, o.perform, "partner", york, o.perform.Options().Now())
	o.performOffersEqual(conn, o.perform, "partner")
	o.performCampaignsEqual(conn, o.perform, "partner")

	o.metricsListsEqual(conn, o.metrics)
	for _, s := range rowKinds {
		o.metricsRowsEqual(conn, o.metrics, s.stream, loc, span{dayIn(time.UTC), o.started.Add(-10 * time.Minute)})
	}
	o.provenLook(conn, york)
	o.provenLeads(conn)
	o.provenPostbacks(conn)
	o.provenQuarantine(conn)
	o.provenSecrets(conn)
}

func (o *oracle) provenLook(conn driver.Conn, from time.Time) {
	o.t.Helper()
	n := o.look
	want := newTable("conversion_id status payout revenue currency offer_id event_id event_name publisher_id advertiser_id click_id created report_date sub1 sub2 is_test ip")
	for _, c := range n.Conversions(n.Options().Now()) {
		if !c.At.Before(from) {
			want.add(o.t, 1, fmt.Sprint(c.ID), c.Status, decimal(orZero(c.Payout)), decimal(orZero(c.Revenue)), c.Currency, fmt.Sprint(c.OfferID), fmt.Sprint(c.EventID), c.EventName,
				fmt.Sprint(c.AffiliateID), fmt.Sprint(c.AdvertiserID), c.ClickID, unix(c.At), c.At.In(from.Location()).Format(time.DateOnly), c.Subs[0], c.Subs[1], flag(c.Test), c.ClickIP)
		}
	}
	const where = " WHERE account = 'look'"
	want.same(o.t, "conversions of OffersLook", want.read(o.t, conn, o.database+".conversions"+where, 1, map[string]string{"created": "toUnixTimestamp(created_at)"}))
	events, offers := newTable("offer_id event_id name payout revenue currency"), newTable("offer_id name status payout revenue currency advertiser_id")
	for _, v := range n.Offers() {
		offers.add(o.t, 1, fmt.Sprint(v.ID), v.Name, v.Status, decimal(v.Payout), decimal(v.Revenue), v.Currency, fmt.Sprint(v.AdvertiserID))
		for _, e := range v.Events {
			events.add(o.t, 2, fmt.Sprint(v.ID), fmt.Sprint(e.ID), e.Name, decimal(orZero(e.Payout)), decimal(e.Revenue), v.Currency)
		}
	}
	offers.same(o.t, "offers of OffersLook", offers.read(o.t, conn, o.database+".offers"+where, 1, nil))
	events.same(o.t, "events of OffersLook", events.read(o.t, conn, o.database+".offer_events"+where, 2, nil))
	people := newTable("publisher_id name status company")
	for _, p := range n.Affiliates() {
		people.add(o.t, 1, fmt.Sprint(p.ID), p.First+" "+p.Last, strings.Replace(p.Status, "blocked", "banned", 1), p.Company)
	}
	people.same(o.t, "affiliates of OffersLook", people.read(o.t, conn, o.database+".publishers"+where, 1, nil))
}

// provenLeads compares what is known of leads: KMA tells a status by pull and the rest by
// postback, WhoCPA lists all, TerraLeads tells the status of those that a file names.
func (o *oracle) provenLeads(conn driver.Conn) {
	o.t.Helper()
	read := func(w *table, account string) *table {
		return w.read(o.t, conn, o.database+".conversions WHERE account = '"+account+"'", 1, map[string]string{"created": "toUnixTimestamp(created_at)"})
	}
	kma := newTable("conversion_id click_id status status_raw payout currency offer_id sub1 sub2")
	for _, l := range o.kma.sim.Leads(o.kma.clock()) {
		if p, ok := o.told[l.ID]; ok {
			kma.add(o.t, 1, strconv.Itoa(l.ID), l.OwnID, kmaWord[l.Status], kmaLetter[l.Status], decimal(p.Payout), p.Offer.Currency, strconv.Itoa(p.Offer.ID), p.Subs[0], p.Subs[1])
		}
	}
	kma.same(o.t, "conversions of KMA", read(kma, "kma"))

	codes := map[cpasim.Status]string{cpasim.Waiting: "0", cpasim.Held: "1", cpasim.Approved: "1", cpasim.Rejected: "2", cpasim.Trash: "3"}
	who := newTable("conversion_id click_id status status_raw payout offer_id created report_date sub1 sub2")
	for _, l := range o.who.sim.Leads(o.who.clock()) {
		who.add(o.t, 1, strconv.Itoa(l.ID), l.OwnID, ourWord[l.Status], codes[l.Status], decimal(l.Payout), strconv.Itoa(l.Offer.ID), unix(l.Made), l.Made.Format(time.DateOnly), l.Subs[0], l.Subs[1])
	}
	who.same(o.t, "conversions of WhoCPA", read(who, "who"))

	words := map[cpasim.Status]string{cpasim.Waiting: "accept", cpasim.Held: "expect", cpasim.Approved: "confirm", cpasim.Rejected: "reject", cpasim.Trash: "trash"}
	terra := newTable("conversion_id click_id status status_raw report_date")
	for _, l := range o.terra.sim.Leads(o.terra.clock()) {
		terra.add(o.t, 1, strconv.Itoa(l.ID), l.OwnID, ourWord[l.Status], words[l.Status], l.Made.Format(time.DateOnly))
	}
	terra.same(o.t, "conversions of TerraLeads", read(terra, "terra"))
}

// provenPostbacks holds that every postback that was answered 200 is there, and once unless
// it was sent again because its answer was lost.
func (o *oracle) provenPostbacks(conn driver.Conn) {
	o.t.Helper()
	type key [3]string
	answered, attempts := map[key]int{}, map[key]int{}
	for _, p := range o.sent {
		word, id := kmaLetter[p.Lead.Status], strconv.Itoa(p.Lead.ID)
		if !strings.Contains(p.URL, "/postback/kma?") {
			id, word = "", map[cpasim.Status]string{cpasim.Waiting: "pending", cpasim.Held: "pending", cpasim.Approved: "approved", cpasim.Rejected: "rejected", cpasim.Trash: "spam"}[p.Lead.Status]
		}
		k := key{cmp.Or(id, p.Lead.OwnID), word, decimal(p.Lead.Payout)}
		answered[k]++
		attempts[k] += p.Attempts
	}
	rows, err := conn.Query(context.Background(), "SELECT if(conversion_id = '', click_id, conversion_id), status_raw, toString(payout), toInt64(count()) FROM "+o.database+".postbacks GROUP BY 1, 2, 3")
	if err != nil {
		o.t.Fatal(err)
	}
	defer rows.Close()
	there := map[key]int{}
	for rows.Next() {
		var k key
		var n int64
		if err := rows.Scan(&k[0], &k[1], &k[2], &n); err != nil {
			o.t.Fatal(err)
		}
		there[k] = int(n)
	}
	if err := rows.Err(); err != nil {
		o.t.Fatal(err)
	}
	bad := 0
	for k, n := range answered {
		if there[k] < n || there[k] > attempts[k] {
			bad++
			o.t.Errorf("postback %v is there %d times; %d were answered, in %d attempts", k, there[k], n, attempts[k])
		}
	}
	for k, n := range there {
		if answered[k] == 0 {
			bad++
			o.t.Errorf("postback %v is there %d times and nobody sent it", k, n)
		}
	}
	compared(o.t, "postbacks", len(o.sent), bad)
	o.tally.checked("postbacks that were answered 200 and are not there, or more often than sent", bad)
}

// provenQuarantine holds that what a network said well was read, where none of its faults
// broke records.
func (o *oracle) provenQuarantine(conn driver.Conn) {
	o.t.Helper()
	broken := slices.ContainsFunc(o.affise.Log(), func(c affisesim.Call) bool {
		return c.Fault == string(affisesim.BrokenAmount) || c.Fault == string(affisesim.BrokenDate)
	})
	where := ""
	if broken {
		where = " WHERE account != 'main'"
	}
	if n := one[uint64](o.t, conn, "SELECT count() FROM "+o.database+"_store.quarantine"+where); n > 0 {
		o.t.Errorf("%d records are in quarantine: %s", n, one[string](o.t, conn, "SELECT any(concat(account, '/', stream, ': ', reason, ' ', record)) FROM "+o.database+"_store.quarantine"+where))
	}
}

// provenMarks are the secrets of a seed.
var provenMarks = []string{adminKey, performKey, metricsKeyText, lookKey, leadsKey, postbackToken, affisesim.SecretMarker, serverPassword, "X-Goog-Signature"}

// provenSecrets looks for secrets in what runs said, in all files and in all tables.
func (o *oracle) provenSecrets(conn driver.Conn) {
	o.t.Helper()
	found := 0
	look := func(where string, text []byte) {
		for _, mark := range provenMarks {
			if i := bytes.Index(text, []byte(mark)); i >= 0 {
				found++
				o.t.Errorf("%s has the secret %q: ...%q", where, mark, text[max(0, i-80):min(len(text), i+80)])
			}
		}
	}
	tree := func(root string) {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || filepath.Ext(path) == ".bin" { // a running engine's parts: read as tables
				if os.IsNotExist(err) {
					return nil
				}
				return err
			}
			text, err := os.ReadFile(path)
			if os.IsNotExist(err) {
				return nil // merged away
			}
			look(path, text)
			if strings.Contains(path, "state.db") {
				for _, page := range frames(o.t, text) {
					look(path+", a page", page)
				}
			}
			return err
		})
		if err != nil {
			o.t.Error(err)
		}
	}
	logs, _ := filepath.Glob(filepath.Join(o.dir, "run-*.log"))
	for _, name := range logs {
		text, err := os.ReadFile(name)
		if err != nil {
			o.t.Fatal(err)
		}
		look(filepath.Base(name), text)
	}
	tree(o.disk.outside("data"))
	names := one[[]string](o.t, conn, "SELECT groupArray(concat(database, '.', name)) FROM system.tables WHERE database = $1", o.database+"_store")
	quoted := make([]string, len(provenMarks))
	for i, m := range provenMarks {
		quoted[i] = "'" + m + "'"
	}
	for _, name := range names {
		// Every column as text, so that none can be forgotten.
		if n := one[uint64](o.t, conn, "SELECT count() FROM "+name+" WHERE multiSearchAny(toString(tuple(*)), ["+strings.Join(quoted, ", ")+"])"); n > 0 {
			found += int(n)
			o.t.Errorf("%s has %d rows with a secret", name, n)
		}
	}
	rows, err := conn.Query(context.Background(), "SELECT stream, body FROM "+o.database+"_store.raw_pages")
	if err != nil {
		o.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var stream, body string
		if err := rows.Scan(&stream, &body); err != nil {
			o.t.Fatal(err)
		}
		for _, page := range frames(o.t, []byte(body)) {
			look("a raw page of "+stream, page)
		}
	}
	if err := rows.Err(); err != nil {
		o.t.Fatal(err)
	}
	o.tally.checked("markers of secrets found in logs, state, files and tables", found)
}

// marks are how long the logs of the networks were.
type logMarks struct{ affise, perform, look, kills int }

func (o *oracle) logged() logMarks {
	return logMarks{len(o.affise.Log()), len(o.perform.Log()), len(o.look.Log()), len(o.kills)}
}

// asCall is a call of any network in the words of Affise's log.
func (o *oracle) asCall(number int, at, ended time.Time, path, params string, status int, fault string) affisesim.Call {
	epoch := 0
	for _, k := range o.kills {
		if at.After(k) {
			epoch++
		}
	}
	return affisesim.Call{Number: number, Epoch: epoch, At: at, Ended: ended, Path: path, Params: params, Status: status, Fault: fault, Done: status == http.StatusOK}
}

// repeated fails the test if a call since from was made again whose answer was safe.
func (o *oracle) repeated(from logMarks) {
	o.t.Helper()
	main := o.affise.Log()[from.affise:]
	for i, c := range main {
		main[i] = o.asCall(i, c.At, c.Ended, c.Path, c.Params, c.Status, c.Fault)
		main[i].Done = c.Done
	}
	var partner, look []affisesim.Call
	for i, c := range o.perform.Log()[from.perform:] {
		partner = append(partner, o.asCall(i, c.At, c.Ended, c.Get, c.Params, c.Status, c.Fault))
	}
	for i, c := range o.look.Log()[from.look:] {
		look = append(look, o.asCall(i, c.At, c.Ended, c.Path, c.Query, c.Status, string(c.Fault)))
	}
	for name, list := range map[string][]affisesim.Call{"main": main, "partner": partner, "look": look} {
		last := map[int]int{} // of each epoch
		for _, c := range list {
			last[c.Epoch] = max(last[c.Epoch], c.Number)
		}
		bad := 0
		for _, p := range affisesim.Repeated(list, 0) {
			inHand := p.First.Epoch != p.Second.Epoch && p.First.Number == last[p.First.Epoch]
			if inHand || o.harmless[p.First.Epoch] || p.First.Path == "/3.0/offers" || p.First.Path == "findMyApprovedOffers" || p.First.Path == "/v1/affiliate_tags" || misled(list, p) {
				continue
			}
			bad++
			o.t.Errorf("%s: call %d (run %d) was answered and made again as call %d (run %d): %s?%s", name, p.First.Number, p.First.Epoch, p.Second.Number, p.Second.Epoch, p.First.Path, p.First.Params)
		}
		o.tally.checked("answered calls made again, but the one in hand at a kill", bad)
	}
}

// misled says that a window may have been asked for again because an answer to it looked
// true and was not.
func misled(list []affisesim.Call, p affisesim.Pair) bool {
	return slices.ContainsFunc(list, func(c affisesim.Call) bool {
		return c.Path == p.First.Path && misleading[c.Fault] && c.Number < p.Second.Number
	})
}

// behaved holds how the networks were treated.
func (o *oracle) behaved() {
	o.t.Helper()
	// Of a call that its client gave up, the network knows the end a little later than the
	// client. What the network cuts itself it knows in time.
	early := slices.DeleteFunc(affisesim.CallsWithin(o.affise.Log(), provenPace), func(p affisesim.Pair) bool {
		cut := p.First.Fault == string(affisesim.CutBody) || p.First.Fault == string(affisesim.Reset)
		return !p.First.Done && !cut && p.Gap() > provenPace/2
	})
	for _, p := range early {
		o.t.Errorf("call %d to Affise left %s after the end of call %d (%s); the delay is %s", p.Second.Number, p.Gap(), p.First.Number, p.First.Fault, provenPace)
	}
	breaches := o.perform.Violations(provenPace)
	for _, v := range breaches {
		o.t.Errorf("call %d to Perform[cb] (%s %s) should not have been made: %s", v.Call.Number, v.Call.Get, v.Call.Params, v.Reason)
	}
	over := 0
	for _, c := range o.look.Log() {
		over += oneIf(c.Over)
	}
	writes := len(o.calls.writes)
	for _, b := range []*cpaBed{o.kma, o.who, o.terra} {
		for _, c := range b.sim.Log() {
			over += oneIf(c.Over)
			writes += oneIf(c.Unsafe)
		}
	}
	if over > 0 {
		o.t.Errorf("%d calls were over a network's budget", over)
	}
	for _, w := range o.calls.writes {
		o.t.Errorf("a write at a network: %s", w)
	}
	bought, refused := len(o.metrics.Exports()), 0
	for _, c := range o.metrics.Log() {
		if c.Method == http.MethodPost && c.Status == http.StatusTooManyRequests && c.Fault == "" {
			refused++
		}
	}
	if refused > 0 {
		o.t.Errorf("%d exports were asked for beyond the day's budget, after %d", refused, bought)
	}
	violations := o.metrics.Violations()
	for _, v := range violations {
		o.t.Errorf("24metrics: what a client must not do: %s", v)
	}
	o.tally.checked("calls before the network's pace or over its budget", len(early)+len(breaches)+over)
	o.tally.checked("writes at a network, other than the creation of an export", writes)
	o.tally.checked("exports beyond the day's budget, or bought twice", refused+len(violations))
}
