package export

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"syncd/extractors"
)

// FuzzAnswers has a network answer as it likes, two answers in turn. Whatever they are,
// the pull ends or waits, buys no more exports than its ranges need, takes files by names
// that a disk takes and by links that are safe to follow, and every cursor can be read.
func FuzzAnswers(f *testing.F) {
	n := newNetwork()
	e := n.create(Ask{Step: Create, Range: begin(f).Ranges[0].window()})
	written := *e
	written.State, written.Artifact, written.Rows = "COMPLETED", "../x", 7
	for _, seed := range [][2]string{
		{`{"data":[]}`, `{"data":` + n.text(e) + `}`},
		{`{"data":[` + n.text(&written) + `]}`, `{"url":"https://storage.example/x?signature=abc"}`},
		{`{"data":` + n.text(&written) + `,"url":"http://u:p@127.0.0.1/"}`, `{"data":{"id":"e1","status":"ERROR","meta":{"truncated":"yes","total":1e9}}}`},
		{`{"data":[null,{"id":7,"status":null}],"id":"e"}`, `[]`},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]), uint16(200), uint16(404))
	}
	f.Fuzz(func(t *testing.T, a, b []byte, statusA, statusB uint16) {
		n := newNetwork()
		m := machine(t, n)
		w := day("a")
		made, failures := 0, 0
		for i := range 300 {
			call, err := m.Next(w)
			if err != nil {
				t.Fatalf("the cursor %s cannot be read: %v", w.Cursor, err)
			}
			asked := w
			if call.Creates {
				made++
				w.Cursor = call.Unheard
			}
			answer := extractors.Answer{Status: int(statusA%400 + 200), Header: http.Header{"Date": {n.now.Format(http.TimeFormat)}}, Body: a}
			if i%2 == 1 {
				answer.Status, answer.Body = int(statusB%400+200), b
			}
			page, err := m.Read(asked, answer)
			n.now = n.now.Add(time.Second)
			if err != nil {
				api, ok := errors.AsType[*extractors.APIError](err)
				if !ok {
					t.Fatalf("got an error of type %T: %v", err, err)
				}
				if failures++; !api.Retryable() || failures >= attemptsMax {
					return
				}
				if api.Cursor != "" {
					w.Cursor = api.Cursor
					made-- // it was refused
				}
				n.now = n.now.Add(api.RetryAfter)
				continue
			}
			failures = 0
			if made > 64 {
				t.Fatalf("%d exports were created for one day", made)
			}
			if page.Control != (page.File == nil) || page.Records < 0 || page.Total < 0 || page.Pause < 0 || len(page.Next) > 64<<10 {
				t.Fatalf("a page is %+v", page)
			}
			if file := page.File; file != nil {
				u, err := url.Parse(file.URL)
				if err != nil || u.Scheme != "https" || u.User != nil || u.Hostname() == "" || file.Size < 0 {
					t.Fatalf("a file is at %q, %v", file.URL, err)
				}
				if file.Name == "" || len(file.Name) > 200 || strings.Trim(file.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" || file.Name[0] == '-' {
					t.Fatalf("a file is called %q", file.Name)
				}
				if strings.Contains(page.Note+file.String(), file.URL) || json.Valid([]byte(page.Next)) && strings.Contains(string(page.Next), file.URL) && len(file.URL) > len("https://a.b/c") {
					t.Fatalf("the link %s is kept", file.URL)
				}
			}
			n.now = n.now.Add(page.Pause)
			if page.Done {
				return
			}
			w.Cursor = page.Next
		}
		// A pull that has not ended by now waits for an export, an hour at most, and for each
		// of the few that it may create.
		if passed := n.now.Sub(begun); passed < 30*time.Minute {
			t.Fatalf("300 calls in %v", passed)
		}
	})
}

// begin is the cursor with which a pull of a day begins.
func begin(t testing.TB) cursor { return machine(t, newNetwork()).begin(day("a"), 0) }
