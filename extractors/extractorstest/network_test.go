package extractorstest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
)

func get(t *testing.T, ctx context.Context, url string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	must(t, err)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

func TestABookAnswersTheSameCallTheSame(t *testing.T) {
	n := NewNetwork(t)
	n.Play(Book(Reply{Body: []byte("one")}, Reply{Status: 500, Body: []byte("two")}))
	for _, tt := range []struct {
		target string
		status int
		body   string
	}{{"/a?x=1", 200, "one"}, {"/b", 500, "two"}, {"/a?x=1", 200, "one"}, {"/c", 404, ""}, {"/b", 500, "two"}} {
		status, body, err := get(t, t.Context(), n.URL+tt.target)
		if err != nil || status != tt.status || body != tt.body {
			t.Errorf("%s: got %d %q, %v, want %d %q", tt.target, status, body, err, tt.status, tt.body)
		}
	}
	if got, want := targetsOf(n.Seen()), []string{"/a?x=1", "/b", "/a?x=1", "/c", "/b"}; !slices.Equal(got, want) {
		t.Errorf("got calls %v, want %v", got, want)
	}
}

func TestATornReplyBreaksOff(t *testing.T) {
	n := NewNetwork(t)
	n.Play(Always(Reply{Body: []byte("half"), Torn: true}))
	if _, body, err := get(t, t.Context(), n.URL); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v, want an unexpected end", body, err)
	}
}

func TestAHangingReplyEndsWithItsCaller(t *testing.T) {
	n := NewNetwork(t)
	ctx, cancel := context.WithCancel(t.Context())
	n.Play(func(Seen, int) Reply { cancel(); return Reply{Hang: true} })
	if _, _, err := get(t, ctx, n.URL); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancellation", err)
	}
}
