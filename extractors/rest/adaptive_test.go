package rest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/extractors/transport"
	"syncd/state"
)

// poisoned is a list of which some records cannot be had: a page that has one fails.
type poisoned struct {
	records int
	bad     []int
	// down is the number of calls that fail before any other is answered.
	down int
	// patience is how often the pull is gone on with after it was given up.
	patience int
	calls    []string
}

func (n *poisoned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.calls = append(n.calls, r.URL.RawQuery)
	offset, _ := strconv.Atoi(r.URL.Query().Get("skip"))
	size, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	if len(n.calls) <= n.down || slices.ContainsFunc(n.bad, func(b int) bool { return b >= offset && b < offset+size }) {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	var records []string
	for id := offset; id < min(offset+size, n.records); id++ {
		records = append(records, fmt.Sprintf(`{"id":%d}`, id))
	}
	_, _ = fmt.Fprintf(w, `{"status":"1","items":[%s]}`, strings.Join(records, ","))
}

// read pulls the list as a lane does, whose patience ends after eight failures in a row.
func (n *poisoned) read(t *testing.T) (ids int, notes []string, failures []string) {
	t.Helper()
	server := httptest.NewServer(n)
	defer server.Close()
	net := network()
	i := slices.IndexFunc(net.Streams, func(s *manifest.Stream) bool { return s.Name == "news" })
	stream := *net.Streams[i]
	stream.Paging = manifest.Paging{Kind: manifest.PagingOffset, Param: "skip", SizeParam: "limit", Size: 100, Stop: []manifest.Stop{manifest.StopEmpty}, Adaptive: true}
	net.Streams[i] = &stream
	a := account(t)
	a.BaseURL = server.URL
	source, st := setup(t, net, a, "news")
	tr := transport.New(transport.Options{})
	defer tr.Close()
	w, attempts := extractors.Work{Kind: state.Snapshot}, 0
	for {
		call, err := source.Next(st, w)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tr.Do(t.Context(), transport.Request{Method: call.Method, URL: call.URL, Header: call.Header})
		if err != nil {
			t.Fatal(err)
		}
		page, err := source.Read(st, w, extractors.Answer{Status: resp.Status, Header: resp.Header, Body: resp.Body})
		if err != nil {
			api, ok := errors.AsType[*extractors.APIError](err)
			if !ok || api.Outcome != extractors.RetryNow {
				t.Fatalf("got %v, want a failure that is retried", err)
			}
			failures = append(failures, err.Error())
			if api.Cursor != "" {
				w.Cursor = api.Cursor
			}
			if attempts++; attempts%8 == 0 && attempts/8 > n.patience {
				return ids, notes, failures
			}
			continue
		}
		attempts = 0
		ids += page.Records
		if page.Note != "" && !page.Control {
			notes = append(notes, page.Note)
		}
		if page.Done {
			return ids, notes, failures
		}
		w.Cursor = page.Next
	}
}

func TestAPageThatFailsIsHalvedUntilWhatFailsIsAlone(t *testing.T) {
	for name, tt := range map[string]struct {
		network poisoned
		ids     int
		notes   []string
	}{
		"nothing fails":                   {poisoned{records: 250}, 250, nil},
		"a record fails":                  {poisoned{records: 250, bad: []int{137}}, 249, []string{"record 137 of the list was passed over: the network fails to give it"}},
		"the first record fails":          {poisoned{records: 30, bad: []int{0}}, 29, []string{"record 0 of the list was passed over: the network fails to give it"}},
		"the last record fails":           {poisoned{records: 30, bad: []int{29}}, 29, []string{"record 29 of the list was passed over: the network fails to give it"}},
		"two records fail far apart":      {poisoned{records: 400, bad: []int{3, 311}}, 398, []string{"record 3 of the list was passed over: the network fails to give it", "record 311 of the list was passed over: the network fails to give it"}},
		"three records in a row fail":     {poisoned{records: 250, bad: []int{40, 41, 42}}, 247, []string{"records 40 to 42 of the list were passed over: the network fails to give them"}},
		"an outage until the size is one": {poisoned{records: 250, down: 7}, 250, nil},
	} {
		t.Run(name, func(t *testing.T) {
			n := tt.network
			ids, notes, failures := n.read(t)
			if ids != tt.ids || !slices.Equal(notes, tt.notes) {
				t.Errorf("got %d records and the notes %q, want %d and %q; failures:\n%s", ids, notes, tt.ids, tt.notes, strings.Join(failures, "\n"))
			}
		})
	}
}

// A pull is given up after eight failures and gone on with when its stream is due again.
func TestAnOutageOfAnyLengthLosesNoRecord(t *testing.T) {
	for down := range 60 {
		n := poisoned{records: 150, down: down, patience: 10}
		if ids, notes, failures := n.read(t); ids != 150 || len(notes) > 0 {
			t.Errorf("after %d failures: got %d records and the notes %q, want all and none:\n%s", down, ids, notes, strings.Join(failures, "\n"))
		}
	}
	n := poisoned{records: 150, bad: []int{70}, down: 33, patience: 10}
	if ids, notes, _ := n.read(t); ids != 149 || len(notes) != 1 {
		t.Errorf("got %d records and the notes %q, want all but the one that fails without an outage too", ids, notes)
	}
}

func TestANetworkThatOnlyFailsIsGivenUp(t *testing.T) {
	n := poisoned{records: 150, down: 1000}
	if ids, _, failures := n.read(t); ids != 0 || len(failures) != 8 {
		t.Errorf("got %d records after %d failures, want none after 8", ids, len(failures))
	}
	n = poisoned{records: 150, bad: []int{20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34}, patience: 4}
	if ids, notes, _ := n.read(t); ids != 20 || len(notes) > 0 {
		t.Errorf("got %d records and the notes %q, want the 20 before a range that is too long to be passed over", ids, notes)
	}
}

func TestSizesAreNotCutWhereTheManifestDoesNotSaySo(t *testing.T) {
	source, st := setup(t, network(), account(t), "news")
	_, err := source.Read(st, extractors.Work{Kind: state.Snapshot}, extractors.Answer{Status: 500, Header: http.Header{}})
	if api, ok := errors.AsType[*extractors.APIError](err); !ok || api.Cursor != "" {
		t.Errorf("got %v, want a failure that leaves the pull where it stands", err)
	}
}
