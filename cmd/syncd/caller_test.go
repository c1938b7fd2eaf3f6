package main

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"syncd/extractors"
	"syncd/extractors/transport"
)

func TestWhatADownloadThatFailsMeans(t *testing.T) {
	status, body := http.StatusOK, "id\n1\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	tr := transport.New(transport.Options{})
	defer tr.Close()
	c := &caller{transport: tr, network: "Net", account: "acme"}
	for name, tt := range map[string]struct {
		status  int
		body    string
		size    int64
		url     string
		outcome extractors.Outcome
	}{
		"a link that expired is asked for again":         {status: 403, body: "<Error><Code>AccessDenied</Code></Error>", outcome: extractors.RetryNow},
		"a file that ends early is asked for again":      {status: 200, body: "id\n", size: 9, outcome: extractors.RetryNow},
		"a storage in trouble is asked again":            {status: 500, outcome: extractors.RetryNow},
		"a file that is gone stops the stream":           {status: 404, outcome: extractors.StopStream},
		"a file that is another stops the stream":        {status: 200, body: "id\n1\n", size: 2, outcome: extractors.StopStream},
		"a link that leads nowhere at all stops as well": {url: "ftp://storage.example/secret", outcome: extractors.StopStream},
	} {
		status, body = tt.status, tt.body
		file := extractors.File{URL: server.URL + "/?secret", Name: "e1", Size: tt.size}
		if tt.url != "" {
			file.URL = tt.url
		}
		_, err := c.Fetch(t.Context(), file, filepath.Join(t.TempDir(), "e1.part"))
		api, ok := errors.AsType[*extractors.APIError](err)
		if !ok || api.Outcome != tt.outcome || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "file e1") {
			t.Errorf("%s: got %v, want outcome %v", name, err, tt.outcome)
		}
	}
	_, err := c.Fetch(t.Context(), extractors.File{URL: server.URL, Name: "e1"}, filepath.Join(t.TempDir(), "not", "there"))
	if _, ok := errors.AsType[*extractors.APIError](err); ok || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an error of the disk is %v, want it as it is", err)
	}
}
