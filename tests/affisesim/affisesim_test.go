package affisesim

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"
)

var day0 = time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)

// fixed returns options of ten days in March 2024, with the clock at their end.
func fixed() Options {
	to := day0.AddDate(0, 0, 10)
	return Options{Seed: 7, From: day0, To: to, Now: func() time.Time { return to }, Conversions: 600, Clicks: 3000}
}

// setup starts a network for one test.
func setup(t *testing.T, o Options) (*Network, func(path string) answerOf) {
	t.Helper()
	n := New(o)
	url, stop, err := n.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n, func(path string) answerOf { return get(t, url+path, n.Options().AdminKey) }
}

type answerOf struct {
	Status int
	Header http.Header
	Body   []byte
	Err    error
	Doc    map[string]any
}

func get(t *testing.T, url, key string) answerOf {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true // on a reused connection net/http repeats a call that was reset
	if key != "" {
		req.Header.Set("API-Key", key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answerOf{Err: err}
	}
	defer res.Body.Close()
	a := answerOf{Status: res.StatusCode, Header: res.Header}
	a.Body, a.Err = io.ReadAll(res.Body)
	if a.Err == nil {
		_ = json.Unmarshal(a.Body, &a.Doc)
	}
	return a
}

func (a answerOf) rows(t *testing.T, key string) []map[string]any {
	t.Helper()
	list, ok := a.Doc[key].([]any)
	if !ok {
		t.Fatalf("got no list %s in %d %.300s", key, a.Status, a.Body)
	}
	out := make([]map[string]any, len(list))
	for i, v := range list {
		out[i] = v.(map[string]any)
	}
	return out
}
