package main

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestEveryPostbackIsSentOnceAndThoseAnswered200AreWrittenDown(t *testing.T) {
	const count = 500
	var came [count + 1]atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		n, _ := strconv.Atoi(q.Get("eid"))
		came[n].Add(1)
		switch {
		case n%50 == 0:
			panic(http.ErrAbortHandler)
		case n%50 == 1:
			w.Header().Set("Connection", "close")
			http.Error(w, "busy", http.StatusTooManyRequests)
		case q.Get("status") != []string{"P", "A", "D"}[n%3]:
			t.Errorf("postback %d has status %q", n, q.Get("status"))
		}
	}))
	defer server.Close()
	s := &storm{
		host: strings.TrimPrefix(server.URL, "http://"), words: []string{"P", "A", "D"}, first: 1, count: count, connections: 4, rate: 20_000, timeout: time.Minute,
		request: "GET /postback/kma?eid={n}&status={word} HTTP/1.1\r\nHost: x\r\n\r\n",
	}
	r := s.blow(t.Context())
	sum := r.summary()
	if sum.Sent != count || sum.OK != count-20 || sum.Broken != 10 || sum.Codes["429"] != 10 || len(r.latency) != sum.OK {
		t.Errorf("the report is %+v", sum)
	}
	for n := 1; n <= count; n++ {
		if came[n].Load() != 1 {
			t.Errorf("postback %d came %d times", n, came[n].Load())
		}
	}
	for _, n := range r.answered {
		if n%50 < 2 {
			t.Errorf("postback %d was not answered 200", n)
		}
	}
}
