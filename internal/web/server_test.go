package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/zap"

	"syncd/internal/status"
)

const token = "a-token-nobody-guesses"

func server(token string) *Server {
	return &Server{options: Options{
		Token: token, Version: "1.2.3", Log: zap.NewNop(), Connect: []string{"ClickHouse native: 127.0.0.1:9000"},
		Streams: func(context.Context) ([]status.Line, error) {
			return []status.Line{
				{Account: "a", Network: "Affise", Stream: "conversions", State: status.Waiting, Words: "waiting for quota until 14:05"},
				{Account: "a", Network: "Affise", Stream: "offers", State: status.UpToDate, Words: `up to date <script>alert("x")</script>`},
			}, nil
		},
		Ready:   func(context.Context) error { return errors.New("dialing clickhouse://secret-user@db:9000") },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "syncd_calls_total 1\n") }),
	}}
}

func TestAnswers(t *testing.T) {
	bearer := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	tests := []struct {
		name, token, host, path string
		with                    func(*http.Request)
		status                  int
		body                    []string
		not                     string
	}{
		{"health needs no token", token, "syncd.example.com", "/healthz", nil, 200, []string{"ok"}, ""},
		{"readiness needs no token and gives nothing away", token, "syncd.example.com", "/readyz", nil, 503, []string{"not ready"}, "secret-user"},
		{"metrics need the token", token, "syncd.example.com", "/metrics", nil, 401, nil, "syncd_calls_total"},
		{"metrics with the token", token, "syncd.example.com", "/metrics", bearer, 200, []string{"syncd_calls_total"}, ""},
		{"a wrong token is refused", token, "syncd.example.com", "/", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token+"x") }, 401, nil, "conversions"},
		{"the token is the password for browsers", token, "syncd.example.com", "/", func(r *http.Request) { r.SetBasicAuth("anyone", token) }, 200, []string{"conversions"}, ""},
		{"the page says where every stream stands, escaped", "", "127.0.0.1:8080", "/", nil, 200, []string{"waiting for quota until 14:05", "ClickHouse native", "&lt;script&gt;"}, "<script>"},
		{"the status is there as JSON", "", "localhost:8080", "/api/status", nil, 200, []string{`"stream":"conversions"`, `"state":"waiting"`}, ""},
		{"a name of the web that points here is refused without a token", "", "evil.example.com", "/api/status", nil, 403, nil, "conversions"},
		{"IPv6 loopback is this machine", "", "[::1]:8080", "/api/status", nil, 200, []string{"conversions"}, ""},
		{"an unknown path is not found", "", "127.0.0.1", "/nothing", nil, 404, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, tt.path, nil)
			r.Host = tt.host
			if tt.with != nil {
				tt.with(r)
			}
			w := httptest.NewRecorder()
			server(tt.token).Handler().ServeHTTP(w, r)
			body := w.Body.String()
			if w.Code != tt.status {
				t.Errorf("got status %d, want %d: %s", w.Code, tt.status, body)
			}
			for _, want := range tt.body {
				if !strings.Contains(body, want) {
					t.Errorf("got %q, want %q in it", body, want)
				}
			}
			if tt.not != "" && strings.Contains(body, tt.not) {
				t.Errorf("got %q, which must not hold %q", body, tt.not)
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Error("the answer lacks its security headers")
			}
		})
	}
}

func TestOnlyReadingIsAnswered(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		r := httptest.NewRequest(method, "/", nil)
		r.Host = "127.0.0.1"
		w := httptest.NewRecorder()
		server("").Handler().ServeHTTP(w, r)
		if w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: got status %d, want 405", method, w.Code)
		}
	}
}

func TestPostbacksNeedNeitherTheTokenNorThisHost(t *testing.T) {
	tests := []struct {
		name, token, method, path string
		status                    int
	}{
		{"by GET", "", http.MethodGet, "/postback/a?token=x", 202},
		{"by POST", token, http.MethodPost, "/postback/a", 202},
		{"with a slash behind it, as panels like to write", "", http.MethodGet, "/postback/a/?token=x", 202},
		{"the handler says which methods it takes", token, http.MethodPut, "/postback/a", 202},
		{"without an account there is nothing", token, http.MethodGet, "/postback/", 404},
		{"and nothing below one", token, http.MethodGet, "/postback/a/b", 404},
		{"the page is guarded as ever", token, http.MethodGet, "/", 401},
		{"and refuses other hosts", "", http.MethodGet, "/", 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := server(tt.token)
			s.options.Postbacks = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.PathValue("account") != "a" {
					t.Errorf("got account %q", r.PathValue("account"))
				}
				w.WriteHeader(http.StatusAccepted)
			})
			r := httptest.NewRequest(tt.method, tt.path, nil)
			r.Host = "syncd.example.com"
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("got status %d, want %d", w.Code, tt.status)
			}
		})
	}
}

func TestWithoutAReceiverThereAreNoPostbacks(t *testing.T) {
	w := httptest.NewRecorder()
	server("").Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/postback/a", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("got status %d, want 404", w.Code)
	}
}

// TestALongAddressArrives holds that the server itself lets the address of a postback
// be as long as the receiver takes it.
func TestALongAddressArrives(t *testing.T) {
	o := server("").options
	o.Listen = "127.0.0.1:0"
	o.Postbacks = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Query().Get("end")) })
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close(t.Context()) }()
	resp, err := http.Get("http://" + s.Addr() + "/postback/a?comment=" + strings.Repeat("x", 80<<10) + "&end=here")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "here" {
		t.Errorf("got status %d, %q, %v", resp.StatusCode, body, err)
	}
}

func TestServesUntilClosed(t *testing.T) {
	o := server("").options
	o.Listen = "127.0.0.1:0"
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get("http://" + s.Addr() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("got status %d", resp.StatusCode)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("closing: %v", err)
	}
	if _, err := http.Get("http://" + s.Addr() + "/healthz"); err == nil {
		t.Error("the server answers after it was closed")
	}
}
