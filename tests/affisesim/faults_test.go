package affisesim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const aDay = "/3.0/stats/conversions?date_from=2024-03-05&date_to=2024-03-05&limit=20&page=2"

func TestFaults(t *testing.T) {
	plain := New(fixed())
	url, stop, err := plain.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	truth := get(t, url+aDay, plain.Options().AdminKey)
	first := get(t, url+strings.Replace(aDay, "page=2", "page=1", 1), plain.Options().AdminKey)
	pagination := func(a answerOf) map[string]any { return a.Doc["pagination"].(map[string]any) }
	same := func(t *testing.T, a, b answerOf) bool {
		t.Helper()
		x, y := a.rows(t, "conversions"), b.rows(t, "conversions")
		return len(x) == len(y) && fmt.Sprint(x[0]["id"]) == fmt.Sprint(y[0]["id"])
	}
	for _, c := range []struct {
		name  string
		fault Fault
		holds func(t *testing.T, a answerOf) bool
	}{
		{"a server error is 500 and JSON", Fault{Kind: ServerError}, func(_ *testing.T, a answerOf) bool { return a.Status == 500 && a.Doc["status"] == 2.0 }},
		{"a gateway's is 502 and HTML", Fault{Kind: BadGateway}, func(_ *testing.T, a answerOf) bool {
			return a.Status == 502 && bytes.HasPrefix(a.Body, []byte("<html>"))
		}},
		{"a maintenance page is 200 and HTML", Fault{Kind: HTMLPage}, func(_ *testing.T, a answerOf) bool {
			return a.Status == 200 && a.Doc == nil && bytes.Contains(a.Body, []byte("<h1>"))
		}},
		{"a throttle names seconds", Fault{Kind: TooManyRequests, RetryAfter: "7"}, func(_ *testing.T, a answerOf) bool { return a.Status == 429 && a.Header.Get("Retry-After") == "7" }},
		{"a throttle names a date", Fault{Kind: TooManyRequests, RetryAfter: "date:60"}, func(_ *testing.T, a answerOf) bool {
			at, err := http.ParseTime(a.Header.Get("Retry-After"))
			return err == nil && at.After(time.Now())
		}},
		{"a throttle names nothing", Fault{Kind: TooManyRequests}, func(_ *testing.T, a answerOf) bool { return a.Status == 429 && a.Header.Get("Retry-After") == "" }},
		{"a revoked key is 403", Fault{Kind: Forbidden}, func(_ *testing.T, a answerOf) bool { return a.Status == 403 }},
		{"status two comes inside 200", Fault{Kind: StatusTwo}, func(_ *testing.T, a answerOf) bool { return a.Status == 200 && a.Doc["status"] == 2.0 }},
		{"a slow answer is the true one", Fault{Kind: Slow, Delay: time.Millisecond}, func(_ *testing.T, a answerOf) bool { return bytes.Equal(a.Body, truth.Body) }},
		{"a cut body ends early", Fault{Kind: CutBody}, func(_ *testing.T, a answerOf) bool {
			return a.Status == 200 && a.Err != nil && len(a.Body) < len(truth.Body)
		}},
		{"torn JSON looks complete", Fault{Kind: TornJSON}, func(_ *testing.T, a answerOf) bool { return a.Err == nil && !json.Valid(a.Body) && len(a.Body) > 0 }},
		{"a reset gives no answer", Fault{Kind: Reset}, func(_ *testing.T, a answerOf) bool { return a.Err != nil && a.Status == 0 }},
		{"a repeated page has the rows of the one before", Fault{Kind: RepeatedPage}, func(t *testing.T, a answerOf) bool { return same(t, a, first) && pagination(a)["page"] == 2.0 }},
		{"endless pages always have a next", Fault{Kind: EndlessPages, Times: -1}, func(t *testing.T, a answerOf) bool { return same(t, a, truth) && pagination(a)["next_page"] == 3.0 }},
		{"empty pages always have a next", Fault{Kind: EmptyPages}, func(t *testing.T, a answerOf) bool {
			return len(a.rows(t, "conversions")) == 0 && pagination(a)["next_page"] == 3.0
		}},
		{"no rows looks like an empty window", Fault{Kind: NoRows}, func(t *testing.T, a answerOf) bool {
			return len(a.rows(t, "conversions")) == 0 && pagination(a)["total_count"] == 0.0
		}},
		{"a wrong total is one more than there are", Fault{Kind: WrongTotal}, func(t *testing.T, a answerOf) bool {
			return same(t, a, truth) && pagination(a)["total_count"] == pagination(truth)["total_count"].(float64)+1
		}},
		{"a wrong shape is text for a list", Fault{Kind: WrongShape}, func(_ *testing.T, a answerOf) bool { _, ok := a.Doc["conversions"].(string); return ok }},
		{"an oversize answer is valid and large", Fault{Kind: Oversize, Size: 3 << 20}, func(t *testing.T, a answerOf) bool { return len(a.Body) > 3<<20 && same(t, a, truth) }},
		{"wrong types still read as the same values", Fault{Kind: WrongTypes}, func(t *testing.T, a answerOf) bool {
			x, y := a.rows(t, "conversions"), truth.rows(t, "conversions")
			for i := range x {
				text, ok := x[i]["revenue"].(string)
				m, err := parseMoney(text)
				if !ok || err != nil || float64(m)/float64(unit) != y[i]["revenue"] {
					t.Errorf("got revenue %v, want %v as text", x[i]["revenue"], y[i]["revenue"])
				}
			}
			return same(t, a, truth)
		}},
		{"a broken date strikes as many rows as asked", Fault{Kind: BrokenDate, Rows: 2}, func(_ *testing.T, a answerOf) bool {
			return bytes.Count(a.Body, []byte("2024-13-45")) == 2 && json.Valid(a.Body)
		}},
		{"a broken amount strikes one row", Fault{Kind: BrokenAmount}, func(_ *testing.T, a answerOf) bool {
			return bytes.Count(a.Body, []byte("12,5 USD")) == 1 && json.Valid(a.Body)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, ask := setup(t, fixed())
			c.fault.Path, c.fault.Params = "/3.0/stats/*", map[string]string{"page": "2"}
			n.Inject(c.fault)
			if a := ask(strings.Replace(aDay, "page=2", "page=1", 1)); !bytes.Equal(a.Body, first.Body) {
				t.Errorf("got another first page, want it left alone")
			}
			if a := ask(aDay); !c.holds(t, a) {
				t.Errorf("got %d, %v, %.300s", a.Status, a.Err, a.Body)
			}
			n.SetFaults(Faults{})
			if a := ask(aDay); !bytes.Equal(a.Body, truth.Body) {
				t.Errorf("got %.200s after the fault, want the truth", a.Body)
			}
			log := n.Log()
			if log[1].Fault != string(c.fault.Kind) || log[1].Answered() || !log[2].Answered() {
				t.Errorf("got the log %+v", log)
			}
		})
	}
}

func TestFaultsComeInTheirTurn(t *testing.T) {
	n, ask := setup(t, fixed())
	n.Inject(Fault{Kind: ServerError, After: 1, Times: 2}, Fault{Kind: BadGateway})
	var got []int
	for range 5 {
		got = append(got, ask("/3.0/offers").Status)
	}
	if fmt.Sprint(got) != "[502 500 500 200 200]" || len(n.PendingFaults()) != 0 {
		t.Errorf("got %v, %v left", got, n.PendingFaults())
	}
}

func TestRandomFaultsFollowFromTheSeed(t *testing.T) {
	draw := func(seed uint64) (out string) {
		o := fixed()
		o.Seed, o.Faults = seed, Faults{Rate: 0.3, Kinds: []Fault{{Kind: ServerError}, {Kind: BadGateway}}}
		_, ask := setup(t, o)
		for range 40 {
			out += fmt.Sprint(ask("/3.0/admin/domains").Status, " ")
		}
		return out
	}
	a := draw(7)
	if a != draw(7) || a == draw(8) {
		t.Error("got faults that do not follow from the seed")
	}
	for _, status := range []string{"200", "500", "502"} {
		if !strings.Contains(a, status) {
			t.Errorf("got no %s in %s", status, a)
		}
	}
}

func TestABrokenRowStaysBrokenUntilItIsRepaired(t *testing.T) {
	n, ask := setup(t, fixed())
	if _, err := n.Premake(PremakeOptions{Limit: 20}); err != nil {
		t.Fatal(err)
	}
	id := ask(aDay+"&timezone=UTC").rows(t, "conversions")[3]["id"].(string)
	if err := n.BreakRow(id, BrokenAmount); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if a := ask(aDay + "&timezone=UTC"); bytes.Count(a.Body, []byte("12,5 USD")) != 1 {
			t.Errorf("got no broken row in %.200s", a.Body)
		}
	}
	n.RepairRows()
	if a := ask(aDay + "&timezone=UTC"); bytes.Contains(a.Body, []byte("12,5 USD")) {
		t.Error("got a broken row after the repair")
	}
	if err := n.BreakRow("000000000000000000000000", BrokenDate); err == nil {
		t.Error("got no error for a row that is not there")
	}
}

// TestSlowAndHangingAnswersKeepToTheClock runs in a bubble, where a second
// takes no time.
func TestSlowAndHangingAnswersKeepToTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := fixed()
		o.Faults = Faults{Script: []Fault{{Kind: Slow, Delay: 90 * time.Second}, {Kind: Hang}}}
		n := New(o)
		ask := func(ctx context.Context) (int, error) {
			client, server := net.Pipe()
			var wg sync.WaitGroup
			srv := &http.Server{Handler: n.Handler()}
			l := &onePipe{conn: server, closed: make(chan struct{})}
			wg.Go(func() { _ = srv.Serve(l) })
			tr := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return client, nil }}
			defer wg.Wait()
			defer srv.Close()
			defer tr.CloseIdleConnections()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://sim.example.test/3.0/offers", nil)
			if err != nil {
				return 0, err
			}
			req.Header.Set("API-Key", n.Options().AdminKey)
			res, err := (&http.Client{Transport: tr}).Do(req)
			if err != nil {
				return 0, err
			}
			defer res.Body.Close()
			_, err = io.Copy(io.Discard, res.Body)
			return res.StatusCode, err
		}
		began := time.Now()
		if status, err := ask(t.Context()); status != 200 || err != nil || time.Since(began) != 90*time.Second {
			t.Errorf("got %d, %v after %s", status, err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 120*time.Second)
		defer cancel()
		began = time.Now()
		if _, err := ask(ctx); err == nil || time.Since(began) != 120*time.Second {
			t.Errorf("got %v after %s, want the client's deadline", err, time.Since(began))
		}
		log := n.Log()
		if log[0].Ended.Sub(log[0].At) != 90*time.Second || log[1].Done {
			t.Errorf("got the log %+v", log)
		}
	})
}

// onePipe is a listener of one connection.
type onePipe struct {
	conn   net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *onePipe) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *onePipe) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *onePipe) Addr() net.Addr { return &net.TCPAddr{} }
