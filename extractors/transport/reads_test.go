package transport

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAPostThatSaysItReadsIsSentWithItsBody(t *testing.T) {
	var got []string
	tr, server := setup(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+string(body))
	})
	if _, err := tr.Do(t.Context(), Request{Method: "POST", URL: server.URL, Body: []byte(`{"id":1}`), Reads: true}); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		if _, err := tr.Do(t.Context(), Request{Method: method, URL: server.URL, Reads: true}); err == nil {
			t.Errorf("%s was sent as a read", method)
		}
	}
	if len(got) != 1 || got[0] != `POST {"id":1}` {
		t.Errorf("got calls %q, want the POST with its body", got)
	}
}

func TestARedirectedPostIsRefused(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		calls := 0
		tr, server := setup(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
			if calls++; r.URL.Path == "/" {
				http.Redirect(w, r, "/elsewhere", status)
			}
		})
		resp, err := tr.Do(t.Context(), Request{Method: "POST", URL: server.URL, Body: []byte("x"), Reads: true})
		if err == nil && resp.Status < 300 || calls != 1 {
			t.Errorf("status %d: got %d, %v after %d calls, want no answer of another address", status, resp.Status, err, calls)
		}
	}
}

// M1 Shop answers a stranger with a cookie and the same address.
func TestCookiesOfARedirectAreSentBackWithinTheCallAndNotAfterIt(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if c := r.Header.Get("Cookie"); c != "" {
			t.Errorf("another host got the cookies %s", c)
		}
	}))
	defer other.Close()
	var seen []string
	tr, server := setup(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		cookies := r.Header.Get("Cookie")
		seen = append(seen, cookies)
		switch {
		case r.URL.Path == "/away":
			http.SetCookie(w, &http.Cookie{Name: "ipp_away", Value: "1"})
			http.Redirect(w, r, other.URL, http.StatusFound)
		case !strings.Contains(cookies, "ipp_uid=7"):
			http.SetCookie(w, &http.Cookie{Name: "ipp_uid", Value: "7"})
			w.Header().Set("Location", r.URL.String())
			w.WriteHeader(http.StatusTemporaryRedirect)
		case !strings.Contains(cookies, "ipp_key=8"):
			http.SetCookie(w, &http.Cookie{Name: "ipp_key", Value: "8"})
			w.Header().Set("Location", r.URL.String())
			w.WriteHeader(http.StatusTemporaryRedirect)
		default:
			_, _ = fmt.Fprint(w, "in")
		}
	})
	for range 2 {
		resp, err := tr.Do(t.Context(), Request{Method: "GET", URL: server.URL + "/offers"})
		if err != nil || string(resp.Body) != "in" {
			t.Fatalf("got %q, %v, want the answer behind the redirects", resp.Body, err)
		}
	}
	want := []string{"", "ipp_uid=7", "ipp_key=8; ipp_uid=7", "", "ipp_uid=7", "ipp_key=8; ipp_uid=7"}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("got cookies %q, want %q", seen, want)
	}
	if _, err := tr.Do(t.Context(), Request{Method: "GET", URL: server.URL + "/away"}); err != nil {
		t.Fatal(err)
	}
}
