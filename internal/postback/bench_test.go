package postback

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"syncd/state"
)

// nowhere is a store that costs nothing.
type nowhere struct{}

func (nowhere) AcceptPostback(context.Context, state.Postback) (int64, error) { return 1, nil }

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkAccept is a call by GET from the arrival of its header to the store.
func BenchmarkAccept(b *testing.B) {
	a, err := Compile(some, Account{Name: "main", Token: secret(token)})
	if err != nil {
		b.Fatal(err)
	}
	r := New(Options{Store: nowhere{}, Accounts: []*Account{a}, Rate: 1_000_000_000})
	q := httptest.NewRequest(http.MethodGet, Path+"main?token="+token+"&oid=click-8f3a91c2&eid=1849274&status=approve&pay=12.50&cc=USD&sub2=campaign&sub3=banner", nil)
	q.SetPathValue("account", "main")
	b.ReportAllocs()
	for b.Loop() {
		r.ServeHTTP(discard{http.Header{}}, q)
	}
}

// BenchmarkRead is a postback on its way from the store to a page and a fact.
func BenchmarkRead(b *testing.B) {
	a, err := Compile(some, Account{Name: "main", Token: secret(token)})
	if err != nil {
		b.Fatal(err)
	}
	record := []byte(`{"m":"GET","p":"/postback/main","q":"oid=click-8f3a91c2&eid=1849274&status=approve&pay=12.50&cc=USD&sub2=campaign&sub3=banner","ip":"192.0.2.1"}`)
	list := make([]state.Postback, 5000)
	for i := range list {
		list[i] = state.Postback{Seq: int64(i), Account: "main", ReceivedAt: arrival, Record: record}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := a.Read(list); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(list)), "ns/postback")
}
