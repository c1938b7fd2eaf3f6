package postback

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func TestWhoIsAnswered(t *testing.T) {
	const good = "&oid=L1&status=approve"
	request := func(method, target, body string) *http.Request {
		return httptest.NewRequest(method, target, strings.NewReader(body))
	}
	tests := []struct {
		name    string
		request *http.Request
		status  int
		answer  string
	}{
		{"by GET", request("GET", "/postback/main?token="+token+good, ""), 200, "OK"},
		{"by POST with all in the address", request("POST", "/postback/main?token="+token+good, ""), 200, "OK"},
		{"the token may stand in a form", request("POST", "/postback/main", "token="+token+good), 200, "OK"},
		{"and in JSON", request("POST", "/postback/main", `{"token":"`+token+`","oid":1,"status":"approve"}`), 200, "OK"},
		{"no token", request("GET", "/postback/main?oid=L1&status=approve", ""), 401, "the token is missing or wrong\n"},
		{"an empty token", request("GET", "/postback/main?token="+good, ""), 401, "the token is missing or wrong\n"},
		{"a wrong token", request("GET", "/postback/main?token="+token+"x"+good, ""), 401, "the token is missing or wrong\n"},
		{"the right token behind a wrong one", request("GET", "/postback/main?token=x&token="+token+good, ""), 401, "the token is missing or wrong\n"},
		{"a right token in the body does not mend a wrong one", request("POST", "/postback/main?token=x"+good, "token="+token), 401, "the token is missing or wrong\n"},
		{"an account that is none is answered like a wrong token", request("GET", "/postback/other?token="+token+good, ""), 401, "the token is missing or wrong\n"},
		{"an account without a name", request("GET", "/postback/?token="+token+good, ""), 404, "404 page not found\n"},
		{"another method", request("PUT", "/postback/main?token="+token+good, ""), 405, "only GET and POST are answered\n"},
		{"a head", request("HEAD", "/postback/main?token="+token+good, ""), 405, "only GET and POST are answered\n"},
		{"a body that is no JSON object", request("POST", "/postback/main?token="+token, `[{"oid":1}]`), 400, "the body begins like JSON and is not one JSON object\n"},
		{"a body that is half of one", request("POST", "/postback/main?token="+token, `{"oid":1`), 400, "the body begins like JSON and is not one JSON object\n"},
		{"two bodies in one", request("POST", "/postback/main?token="+token, `{"oid":1}{"status":2}`), 400, "the body begins like JSON and is not one JSON object\n"},
		{"who breaks the body learns nothing without the token", request("POST", "/postback/main", `{"oid":1`), 401, "the token is missing or wrong\n"},
		{"as much as there may be", sized(SizeMax, 0), 200, "OK"},
		{"an address that is one byte longer", sized(SizeMax+1, 0), 413, "more than 64 KiB of address and body\n"},
		{"address and body of as much", sized(SizeMax-1000, 1000), 200, "OK"},
		{"address and body that are one byte longer", sized(SizeMax-1000, 1001), 413, "more than 64 KiB of address and body\n"},
		{"a body whose length nobody said", chunked(sized(1000, SizeMax)), 413, "more than 64 KiB of address and body\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, plain)
			w := b.call(tt.request)
			if w.Code != tt.status || w.Body.String() != tt.answer {
				t.Errorf("answered %d %q, want %d %q", w.Code, w.Body, tt.status, tt.answer)
			}
			want := 0
			if tt.status == 200 {
				want = 1
			}
			if len(b.store.list) != want || len(b.arrived) != want {
				t.Errorf("stored %d and told of %d, want %d", len(b.store.list), len(b.arrived), want)
			}
			if allow := w.Header().Get("Allow"); (tt.status == 405) != (allow == "GET, POST") {
				t.Errorf("Allow is %q", allow)
			}
		})
	}
}

// sized makes a call whose address and body have these lengths.
func sized(address, body int) *http.Request {
	start := Path + "main?token=" + token + "&oid=L1&status=approve&comment="
	r := httptest.NewRequest("POST", start+strings.Repeat("x", address-len(start)), strings.NewReader(strings.Repeat("y", body)))
	return r
}

func chunked(r *http.Request) *http.Request {
	r.ContentLength = -1
	return r
}

func TestABodyThatBreaksOffIsRefused(t *testing.T) {
	b := newBed(t, plain)
	r := httptest.NewRequest("POST", Path+"main?token="+token+"&oid=1&status=approve", io.MultiReader(strings.NewReader("pay=1"), broken{}))
	if w := b.call(r); w.Code != 400 || len(b.store.list) != 0 {
		t.Errorf("answered %d %s, stored %d", w.Code, w.Body, len(b.store.list))
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestBodies(t *testing.T) {
	var parts bytes.Buffer
	form := multipart.NewWriter(&parts)
	for _, one := range [][2]string{{"oid", "L&1"}, {"status", "approve"}, {"pay", "2,5"}} {
		if err := form.WriteField(one[0], one[1]); err != nil {
			t.Fatal(err)
		}
	}
	file, err := form.CreateFormFile("oid", "x.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = file.Write([]byte("not me")) // a buffer takes all
	_ = form.Close()
	const urlencoded = "application/x-www-form-urlencoded"
	tests := []struct{ name, contentType, body, want, stored string }{
		{"a form", urlencoded, "oid=L+1&status=approve&pay=2%2C5", "click_id=L+1 status=approved status_raw=approve payout=2.5", `oid=L+1&status=approve&pay=2%2C5`},
		{"a form that does not say so", "", "oid=L1&status=approve", "click_id=L1 status=approved status_raw=approve", `oid=L1&status=approve`},
		{"a form in parts", form.FormDataContentType(), parts.String(), "click_id=L&1 status=approved status_raw=approve payout=2.5", `oid=L%261&status=approve&pay=2%2C5`},
		{"JSON", "application/json", ` {"oid": "L1", "status": "approve", "pay": 2.50, "sub2": true, "comment": null} `,
			"click_id=L1 status=approved status_raw=approve payout=2.5 sub2=true", `{"oid":"L1","status":"approve","pay":2.50,"sub2":true,"comment":null}`},
		{"JSON that does not say so", "text/plain", `{"oid":12345678901234567890,"status":"approve"}`,
			"click_id=12345678901234567890 status=approved status_raw=approve", `{"oid":12345678901234567890,"status":"approve"}`},
		{"an object within an object", "application/json", `{"event":"lead","data":{"oid":"L1","status":"approve","deep":{"pay":5}},"list":[{"pay":6}]}`,
			"click_id=L1 status=approved status_raw=approve", `{"event":"lead","data":{"oid":"L1","status":"approve","deep":{"pay":5}},"list":[{"pay":6}]}`},
		{"what stands outside counts before what stands within", "application/json", `{"data":{"oid":"L2","status":"trash","pay":5},"oid":"L1","status":"approve"}`,
			"click_id=L1 status=approved status_raw=approve payout=5", `{"data":{"oid":"L2","status":"trash","pay":5},"oid":"L1","status":"approve"}`},
		{"letters as escapes", "application/json", `{"oid":"L\u00311","status":"approve","comment":"\u0434\u0430"}`,
			"click_id=L11 status=approved status_raw=approve status_reason=да", `{"oid":"L11","status":"approve","comment":"да"}`},
		{"bytes that are not UTF-8 where they do not matter", "application/json", "{\"oid\":\"L1\",\"status\":\"approve\",\"comment\":\"a\xffb\"}",
			"click_id=L1 status=approved status_raw=approve status_reason=a\uFFFDb", "{\"oid\":\"L1\",\"status\":\"approve\",\"comment\":\"a\uFFFDb\"}"},
		{"raw bytes of a form that are not UTF-8", urlencoded, "oid=L1&status=approve&comment=a\xffb",
			"click_id=L1 status=approved status_raw=approve status_reason=a\uFFFDb", "oid=L1&status=approve&comment=a%FFb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, plain)
			if w := b.post(t, tt.contentType, tt.body); w.Code != 200 {
				t.Fatalf("answered %d %s", w.Code, w.Body)
			}
			if diff := cmp.Diff(fieldsOf(tt.want), b.fact(t).Fields); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if r, err := decode(b.store.list[0].Record); err != nil || r.body != tt.stored {
				t.Errorf("stored %q (%v), want %q", r.body, err, tt.stored)
			}
		})
	}
}

func TestBodiesAreRefused(t *testing.T) {
	tests := []struct{ name, contentType, body, reason string }{
		{"an id with bytes that are not UTF-8", "", "{\"oid\":\"L\xff\",\"status\":\"approve\"}", "oid has bytes that are not UTF-8"},
		{"a status of two values, in address and body", "", "oid=1&status=approve&status=trash", "status is given twice"},
		{"two objects that say different things", "", `{"a":{"oid":1,"status":"x"},"b":{"status":"y"}}`, "status is given twice"},
		{"an object deeper than anybody nests", "", strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), "not one JSON object"},
		{"lists deeper than anybody nests", "", `{"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + "}", "not one JSON object"},
		{"parts without a boundary", "multipart/form-data", "oid=1&status=approve", "the body"},
		{"an id that is a list", "", `{"oid":["a","b"],"status":"approve"}`, "no id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, plain)
			if w := b.post(t, tt.contentType, tt.body); w.Code != 400 || !strings.Contains(w.Body.String(), tt.reason) || len(b.store.list) != 0 {
				t.Errorf("answered %d %s, want 400 %s", w.Code, w.Body, tt.reason)
			}
		})
	}
	t.Run("a compressed one", func(t *testing.T) {
		b := newBed(t, plain)
		r := httptest.NewRequest("POST", Path+"main?token="+token+"&oid=1&status=approve", strings.NewReader("x"))
		r.Header.Set("Content-Encoding", "gzip")
		if w := b.call(r); w.Code != 400 || !strings.Contains(w.Body.String(), "send it plain") {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
	})
}

func TestTooManyFromOneSource(t *testing.T) {
	b := newBed(t, plain)
	b.limiter = newLimiter(3)
	from := func(address, forwarded string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", Path+"main?token="+token+"&oid=1&status=approve", nil)
		r.RemoteAddr = address
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		return b.call(r)
	}
	for range 3 {
		if w := from("192.0.2.1:1000", ""); w.Code != 200 {
			t.Fatalf("answered %d %s", w.Code, w.Body)
		}
	}
	// Another port is the same source, and what it says of itself is not believed.
	w := from("192.0.2.1:2000", "198.51.100.7")
	if w.Code != 429 || w.Header().Get("Retry-After") != "1" || len(b.store.list) != 3 {
		t.Errorf("answered %d %s with Retry-After %q, stored %d", w.Code, w.Body, w.Header().Get("Retry-After"), len(b.store.list))
	}
	if w := from("192.0.2.2:1000", ""); w.Code != 200 {
		t.Errorf("another source is answered %d", w.Code)
	}
	// Behind a proxy on this machine the source is whom the proxy spoke to.
	for range 3 {
		if w := from("127.0.0.1:1000", "192.0.2.9, 198.51.100.7"); w.Code != 200 {
			t.Fatalf("answered %d", w.Code)
		}
	}
	if w := from("127.0.0.1:1000", "192.0.2.9, 198.51.100.7"); w.Code != 429 {
		t.Errorf("one source behind the proxy is answered %d", w.Code)
	}
	if w := from("127.0.0.1:1000", "198.51.100.7, 192.0.2.9"); w.Code != 200 {
		t.Errorf("another source behind the proxy is answered %d", w.Code)
	}
	b.now = b.now.Add(time.Second)
	if w := from("192.0.2.1:1000", ""); w.Code != 200 {
		t.Errorf("a second later it is answered %d", w.Code)
	}
}

func TestWhatCannotBeStoredIsToBeSentAgain(t *testing.T) {
	b := newBed(t, plain)
	b.store.err = errors.New("disk full")
	if w := b.get(t, "oid=1&status=approve"); w.Code != 503 || strings.Contains(w.Body.String(), "disk") || len(b.arrived) != 0 {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	if entries := b.logs.FilterMessage("postback not stored").All(); len(entries) != 1 {
		t.Errorf("logged %v", b.logs.All())
	}
}

// TestWhoHangsUpHasToldAllTheSame holds that a caller who does not wait for the answer
// is not forgotten.
func TestWhoHangsUpHasToldAllTheSame(t *testing.T) {
	b := newBed(t, plain)
	r := httptest.NewRequest("GET", Path+"main?token="+token+"&oid=1&status=approve", nil)
	ctx, hangUp := contextOf(r)
	hangUp()
	if b.call(r.WithContext(ctx)); len(b.store.list) != 1 {
		t.Error("the call is not stored")
	}
}

// TestTheTokenIsSeenNowhere calls in every way that goes wrong or right, with the token in
// every place, and looks for it in all that comes of it.
func TestTheTokenIsSeenNowhere(t *testing.T) {
	b := newBed(t, some, func(a *Account) { a.Statuses = map[string]string{"x": "trash"} })
	escaped := strings.ReplaceAll(token, "-", "%2D")
	everywhere := []string{
		"oid=%s&status=approve", "oid=1&status=%s", "oid=1&status=x&pay=%s", "oid=1&status=x&cc=%s", "oid=1&status=x&time=%s", "oid=1&status=x&comment=a%sb",
		"oid=1&status=x&%s=1", "oid=1&status=x&%s", "oid=1&oid=%s&status=x", "oid={%s}&status=x", "status=%s", "oid=1&status=x&token=%s", "oid=1&status=x&TOKEN=%s", "oid=1&status=x&sub2=%s",
	}
	var answers strings.Builder
	collect := func(w *httptest.ResponseRecorder) { fmt.Fprintln(&answers, w.Code, w.Header(), w.Body) }
	for _, form := range everywhere {
		for _, text := range []string{token, escaped, token + "&x=" + token} {
			call := strings.ReplaceAll(form, "%s", text)
			collect(b.get(t, call))
			collect(b.post(t, "application/x-www-form-urlencoded", call))
			collect(b.call(httptest.NewRequest("GET", Path+"main?"+call, nil)))
			collect(b.call(httptest.NewRequest("GET", Path+"other?token="+call, nil)))
		}
	}
	for _, body := range []string{
		`{"oid":"%s","status":"x"}`, `{"oid":1,"status":"%s"}`, `{"oid":1,"status":"x","%s":2}`, `{"oid":1,"status":"x","a":{"b":["%s",{"%s":"%s"}]}}`,
		`{"oid":1,"status":"x","token":"%s"}`, `{"oid":1,"status":"x","token":{"token":"%s"}}`, `{"oid":1,"status":"x","comment":"marker\u002dof-a-token-0123"}`, `{"%s`,
	} {
		collect(b.post(t, "application/json", strings.ReplaceAll(body, "%s", token)))
	}
	b.store.err = errors.New("disk full")
	collect(b.get(t, "oid=1&status=approve"))
	b.store.err = nil
	if len(b.store.list) < 50 || b.logs.Len() == 0 {
		t.Fatalf("%d calls were stored and %d lines logged: the test calls too little", len(b.store.list), b.logs.Len())
	}
	page, told, err := b.account.Read(b.store.list)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{"the answers": answers.String(), "the page": string(page), "the facts": fmt.Sprint(told), "the account": fmt.Sprintf("%+v", b.account.Token)}
	var log strings.Builder
	for _, entry := range b.logs.All() {
		fmt.Fprintln(&log, entry.Message, entry.ContextMap())
	}
	seen["the log"] = log.String()
	var records strings.Builder
	for _, p := range b.store.list {
		records.Write(p.Record)
	}
	seen["the records"] = records.String()
	delete(seen, "the account") // its token is a config.Secret outside of tests
	for where, text := range seen {
		for _, marker := range []string{token, escaped, url.QueryEscape(token)} {
			if i := strings.Index(text, marker); i >= 0 {
				t.Errorf("%s show the token: ...%s", where, text[max(0, i-80):i+len(marker)])
			}
		}
	}
}

func TestPersonalData(t *testing.T) {
	const call = "oid=L1&status=approve&ip=192.0.2.7&visitor=192.0.2.8&comment=jane%40example.com&sub2=a%40b"
	const body = `{"email":"jane@example.com","deep":{"list":["jane@example.com"],"ip":"192.0.2.7"}}`
	tests := []struct {
		name       string
		pii        PII
		holds, not []string
	}{
		{"is kept", PII{}, []string{"192.0.2.1", "192.0.2.7", "192.0.2.8", "jane%40example.com", "jane@example.com"}, nil},
		{"is dropped", PII{IP: Drop, Email: Drop, Names: []string{"Visitor"}}, []string{"a%40b"}, []string{"192.0.2", "jane"}},
		// The digests are those that pulled rows have: HMAC-SHA-256 with the key, half of it.
		{"is hashed", PII{IP: Hash, Email: Hash, Key: []byte("key"), Names: []string{"visitor"}}, []string{digest("192.0.2.1"), digest("192.0.2.7"), digest("192.0.2.8"), digest("jane@example.com")}, []string{"192.0.2", "jane"}},
		{"is treated kind by kind", PII{IP: Keep, Email: Drop}, []string{"192.0.2.1", "192.0.2.7"}, []string{"jane"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, plain, func(a *Account) { a.PII = tt.pii })
			r := httptest.NewRequest("POST", Path+"main?token="+token+"&"+call, strings.NewReader(body))
			r.RemoteAddr = "192.0.2.1:1234"
			if w := b.call(r); w.Code != 200 {
				t.Fatalf("answered %d %s", w.Code, w.Body)
			}
			for where, text := range map[string]string{"record": string(b.store.list[0].Record), "page": b.page(t)} {
				for _, want := range tt.holds {
					if !strings.Contains(text, want) {
						t.Errorf("the %s %s lacks %s", where, text, want)
					}
				}
				for _, not := range tt.not {
					if strings.Contains(text, not) {
						t.Errorf("the %s %s holds %s", where, text, not)
					}
				}
			}
		})
	}
}

func TestWhatIsOddIsSaidOnceAnHourAndCounted(t *testing.T) {
	b := newBed(t, plain)
	for range 5 {
		b.get(t, "oid=1&status=shipped")
		b.get(t, "oid=1&status=SHIPPED")
		b.get(t, "oid=1&status=approve&pay=lots")
		b.get(t, "status=approve")
	}
	unknown, odd, refused := b.logs.FilterMessageSnippet("nobody knows").Len(), b.logs.FilterMessageSnippet("could not be read").Len(), b.logs.FilterMessage("postback refused").Len()
	if unknown != 2 || odd != 1 || refused != 1 {
		t.Errorf("%d unknown words, %d problems and %d refusals were logged, want 2, 1 and 1: %v", unknown, odd, refused, b.logs.All())
	}
	b.now = b.now.Add(time.Hour)
	b.get(t, "oid=1&status=shipped")
	if got := b.logs.FilterMessageSnippet("nobody knows").Len(); got != 3 {
		t.Errorf("after an hour %d, want one more", got)
	}
	metrics := scraped(t, b)
	for _, want := range []string{
		`syncd_postback_problems_total{account="main"} 5`,
		`syncd_postback_unknown_statuses_total{account="main"} 11`,
		`syncd_postbacks_total{account="main",outcome="accepted"} 16`,
		`syncd_postbacks_total{account="main",outcome="refused"} 5`,
		`syncd_postbacks_total{account="",outcome="token"} 0`,
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("got %s\nwant %s in it", metrics, want)
		}
	}
}

// scraped is what Prometheus gets.
func scraped(t *testing.T, b *bed) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(b); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestReportsAreBounded(t *testing.T) {
	b := newBed(t, plain)
	b.limiter = newLimiter(1_000_000)
	for i := range 3 * reportsMax {
		b.get(t, fmt.Sprintf("oid=1&status=word%d", i))
	}
	if len(b.reports.said) > reportsMax || b.logs.Len() > reportsMax {
		t.Errorf("%d reports are kept and %d were made, at most %d may be", len(b.reports.said), b.logs.Len(), reportsMax)
	}
}
