package tests

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"syncd/tests/cpasim"
)

func TestWhatTheReceiverRefusesIsNotStoredAndWhatItTakesIsWhatItSays(t *testing.T) {
	t.Parallel()
	b := newCPA(t, cpasim.Options{Leads: -1})
	b.onServer()
	b.config(b.deaf("kma") + strings.Replace(b.deaf("deaf"), `    postback: {token: "${POSTBACK_TOKEN}"}`+"\n", "", 1))
	p := b.start("run")
	page := p.page()
	conn, _ := b.warehouse()
	const form = "application/x-www-form-urlencoded"
	token := "token=" + postbackToken
	for i, test := range []struct {
		name, method, target, contentType, body string
		status                                  int
		says                                    string
		// row is the lead's row, as status, payout and currency; empty if nothing is to be stored.
		row string
	}{
		{name: "no token", target: "kma?oid={id}&status=A", status: 401},
		{name: "a wrong token", target: "kma?token=e2e-WRONG-key-000&oid={id}&status=A", status: 401},
		{name: "an account that has no token", target: "deaf?" + token + "&oid={id}&status=A", status: 401},
		{name: "an account that is not there", target: "nobody?" + token + "&oid={id}&status=A", status: 401},
		{name: "another method", method: "PUT", target: "kma?" + token + "&oid={id}&status=A", status: 405},
		{name: "a body over 64 KiB", method: "POST", target: "kma?" + token + "&oid={id}&status=A", contentType: form, body: "comment=" + strings.Repeat("x", 65<<10), status: 413},
		{name: "a macro that was not filled", target: "kma?" + token + "&oid={id}&status={status}", status: 400, says: "status"},
		{name: "one in brackets, escaped", target: "kma?" + token + "&oid={id}&status=%5Bstatus%5D", status: 400, says: "status"},
		{name: "no id", target: "kma?" + token + "&status=A&pay=1", status: 400, says: "id"},
		{name: "no status", target: "kma?" + token + "&oid={id}", status: 400, says: "status"},
		{name: "two statuses", target: "kma?" + token + "&oid={id}&status=A&status=D", status: 400, says: "status"},
		{name: "an id that is not UTF-8", target: "kma?" + token + "&oid={id}%ff%fe&status=A", status: 400},
		{name: "a GET", target: "kma?" + token + "&oid={id}&status=A&pay=3.5&cc=EUR", status: 200, row: "approved 3.5 EUR"},
		{name: "a form", method: "POST", target: "kma?" + token, contentType: form, body: "oid={id}&status=D&sum=4&currency=usd", status: 200, row: "rejected 4 USD"},
		{name: "JSON", method: "POST", target: "kma?" + token, contentType: "application/json", body: `{"oid":"{id}","status":"F","pay":2.25,"cc":"USD"}`, status: 200, row: "trash 2.25 USD"},
		{name: "the token in a form", method: "POST", target: "kma", contentType: form, body: token + "&oid={id}&status=P", status: 200, row: "pending 0 "},
		{name: "a decimal comma", target: "kma?" + token + "&oid={id}&status=A&pay=1,50&cc=USD", status: 200, row: "approved 1.5 USD"},
		{name: "an amount with its currency", target: "kma?" + token + "&oid={id}&status=A&pay=12.5+USD", status: 200, row: "approved 12.5 USD"},
		{name: "an amount that may be two", target: "kma?" + token + "&oid={id}&status=A&pay=1,234&cc=USD", status: 200, row: "approved 0 USD"},
		{name: "a status nobody knows", target: "kma?" + token + "&oid={id}&status=zzz", status: 200, row: "unknown 0 "},
		{name: "the same value twice", target: "kma?" + token + "&oid={id}&oid={id}&status=A", status: 200, row: "approved 0 "},
		{name: "words of the tail", target: "kma?" + token + "&oid={id}&status=x1&sta=x0,x1&stc=A", status: 200, row: "approved 0 "},
		{name: "a comment that is not UTF-8", target: "kma?" + token + "&oid={id}&status=A&comment=%ff", status: 200, row: "approved 0 "},
	} {
		id := fmt.Sprintf("lead-%d", i)
		fill := func(s string) string { return strings.ReplaceAll(s, "{id}", id) }
		if test.method == "" {
			test.method = http.MethodGet
		}
		status, _, text := call(t, test.method, page+"/postback/"+fill(test.target), test.contentType, fill(test.body))
		if status != test.status || !strings.Contains(text, test.says) || strings.Contains(text, postbackToken) {
			t.Errorf("%s: answered %d %q, want %d with %q", test.name, status, text, test.status, test.says)
		}
		if test.row != "" {
			parts := strings.SplitN(test.row, " ", 3)
			b.eventuallyRows(p, conn, "conversions", fmt.Sprintf("click_id = '%s' AND status = '%s' AND payout = %s AND currency = '%s'", id, parts[0], parts[1], parts[2]), 1)
			continue
		}
		for _, view := range []string{"postbacks", "conversions"} {
			if n := one[uint64](t, conn, "SELECT count() FROM "+b.database+"."+view+" WHERE position(click_id, $1) > 0", id); n > 0 {
				t.Errorf("%s: %d rows are in %s", test.name, n, view)
			}
		}
	}
	// All that came after a refused one is visible by now, so what was refused is nowhere.
	if stored := one[uint64](t, conn, "SELECT count() FROM "+b.database+".postbacks"); stored != 11 {
		t.Errorf("%d postbacks are stored, want the 11 that were accepted", stored)
	}
	says(t, fmt.Sprint(p.output()), "zzz")
	p.signal(syscall.SIGTERM)
	p.wait().ended(t, 0)
	b.noQuarantine(conn)
}

func TestASourceThatSendsTooManyPostbacksIsToldToWait(t *testing.T) {
	t.Parallel()
	b := newCPA(t, cpasim.Options{Leads: -1})
	b.onServer()
	b.config(b.deaf("kma"))
	b.replace("http: {listen: 127.0.0.1:0}", "http: {listen: 127.0.0.1:0, postback_rate: 2}")
	p := b.start("run")
	page := p.page()
	answered, refused := 0, 0
	for refused == 0 {
		status, header, text := call(t, http.MethodGet, fmt.Sprintf("%s/postback/kma?token=%s&eid=%d&status=A", page, postbackToken, answered), "", "")
		switch status {
		case http.StatusOK:
			answered++
		case http.StatusTooManyRequests:
			refused++
			if header.Get("Retry-After") == "" {
				t.Errorf("it does not say when to come again: %s", text)
			}
		default:
			t.Fatalf("answered %d: %s", status, text)
		}
	}
	p.signal(syscall.SIGTERM)
	p.wait().ended(t, 0)
	b.run("run", "--once").ended(t, 0)
	conn, _ := b.warehouse()
	if n := one[uint64](t, conn, "SELECT count() FROM "+b.database+".postbacks"); n != uint64(answered) {
		t.Errorf("%d postbacks are stored, %d were accepted", n, answered)
	}
}

func TestTokensOfPostbacksAppearNowhere(t *testing.T) {
	t.Parallel()
	b := newCPA(t, cpasim.Options{Leads: 40})
	b.onServer()
	b.config(b.account("kma"), "log: {level: debug}")
	b.replace("log: {format: json}\n", "")
	p := b.start("run")
	page := p.page()
	b.deliver(page, "kma", cpasim.Delivery{})
	base := page + "/postback/kma"
	for _, c := range []struct{ method, target, contentType, body string }{
		{"POST", base, "application/x-www-form-urlencoded", "oid=form&status=A&token=" + postbackToken},
		{"POST", base, "application/json", `{"oid":"json","status":"A","token":"` + postbackToken + `"}`},
		{"GET", base + "?oid=refused&token=" + postbackToken, "", ""},
		{"GET", base + "?oid=unknown&status=zzz&token=" + postbackToken, "", ""},
		{"GET", base + "?oid=twice&status=A&token=" + postbackToken + "&token=" + postbackToken, "", ""},
		{"GET", base + "?oid=odd&status=A&pay=zzz&Token=" + postbackToken + "&token=" + postbackToken, "", ""},
		{"GET", page + "/postback/nobody?oid=x&status=A&token=" + postbackToken, "", ""},
	} {
		if _, _, text := call(t, c.method, c.target, c.contentType, c.body); strings.Contains(text, postbackToken) {
			t.Errorf("the answer has the token: %s", text)
		}
	}
	conn, _ := b.warehouse()
	b.eventuallyRows(p, conn, "conversions", "click_id IN ('form', 'json', 'unknown')", 3)
	b.eventuallyRows(p, conn, "conversions", "1", 40+3+int(one[uint64](t, conn, "SELECT count() FROM "+b.database+".conversions WHERE click_id IN ('twice', 'odd')")))
	for _, path := range []string{"/", "/metrics", "/api/status"} {
		_, text := get(t, page+path)
		clean(t, path, []byte(text))
	}
	p.signal(syscall.SIGTERM)
	r := p.wait().ended(t, 0)
	clean(t, "the log", []byte(r.stdout+r.stderr))
	for _, args := range [][]string{{"status"}, {"plan"}, {"check"}, {"check", "--offline"}} {
		r := b.run(args...)
		clean(t, strings.Join(args, " "), []byte(r.stdout+r.stderr))
	}
	b.files(func(name string, content []byte) {
		clean(t, name, content)
		cleanPages(t, name, content)
	})
	b.cleanTables(conn)
}
