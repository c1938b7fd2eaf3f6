package postback

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"syncd/extractors/manifest"
	"syncd/state"
)

// token is the token of every account in tests; it must never be seen again.
const token = "marker-of-a-token-0123"

type secret string

func (s secret) Reveal() string { return string(s) }

// arrival is when calls in tests arrive: past midnight in Berlin, and not yet in UTC.
var arrival = time.Date(2026, time.March, 3, 23, 30, 0, 0, time.UTC)

// arrivalMilli and arrivalDay are arrival as a fact has it, the day in UTC.
const (
	arrivalMilli = "1772580600000"
	arrivalDay   = "20515"
)

// memory is a store that keeps what it is given.
type memory struct {
	mu   sync.Mutex
	list []state.Postback
	err  error
}

func (m *memory) AcceptPostback(ctx context.Context, p state.Postback) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(m.err, ctx.Err()); err != nil {
		return 0, err
	}
	p.Seq = int64(len(m.list) + 1)
	m.list = append(m.list, p)
	return p.Seq, nil
}

// bed is a receiver with all around it.
type bed struct {
	*Receiver
	store   *memory
	logs    *observer.ObservedLogs
	account *Account
	arrived []string
	now     time.Time
}

// plain is a network of which nothing is known.
var plain = &manifest.Network{Name: "plain", Title: "Plain"}

// newBed makes a receiver with one account, "main".
func newBed(t *testing.T, n *manifest.Network, change ...func(*Account)) *bed {
	t.Helper()
	account := Account{Name: "main", Token: secret(token)}
	for _, f := range change {
		f(&account)
	}
	compiled, err := Compile(n, account)
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	b := &bed{store: &memory{}, logs: logs, account: compiled, now: arrival}
	b.Receiver = New(Options{
		Store: b.store, Accounts: []*Account{compiled}, Log: zap.New(core), Now: func() time.Time { return b.now },
		Arrived: func(account string) { b.arrived = append(b.arrived, account) },
	})
	return b
}

// call makes a call as a network does.
func (b *bed) call(r *http.Request) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	mux.Handle(Path+"{account}", b)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w
}

// get makes a call by GET with the right token and these parameters behind it.
func (b *bed) get(t *testing.T, parameters string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, Path+"main?token="+token, nil)
	r.URL.RawQuery += "&" + strings.TrimPrefix(parameters, "&")
	r.RequestURI = r.URL.RequestURI()
	return b.call(r)
}

// post makes a call by POST with the right token in its address.
func (b *bed) post(t *testing.T, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, Path+"main?token="+token, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return b.call(r)
}

// facts are what the stored calls tell.
func (b *bed) facts(t *testing.T) []state.LeadFact {
	t.Helper()
	_, told, err := b.account.Read(b.store.list)
	if err != nil {
		t.Fatal(err)
	}
	return told.Facts
}

// fact is what the only stored call tells.
func (b *bed) fact(t *testing.T) state.LeadFact {
	t.Helper()
	facts := b.facts(t)
	if len(facts) != 1 {
		t.Fatalf("got %d facts, want one: %v", len(facts), facts)
	}
	return facts[0]
}

// page is the body that the stored calls make.
func (b *bed) page(t *testing.T) string {
	t.Helper()
	body, _, err := b.account.Read(b.store.list)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func berlin(t *testing.T) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func contextOf(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithCancel(r.Context())
}

func digest(value string) string {
	mac := hmac.New(sha256.New, []byte("key"))
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
