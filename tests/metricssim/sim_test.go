package metricssim

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// client asks a network that is served over real HTTP, on a clock that the test moves.
type client struct {
	*Network
	t   *testing.T
	url string
	now time.Time
}

func setup(t *testing.T, o Options) *client {
	t.Helper()
	c := &client{t: t, now: time.Date(2026, time.June, 2, 0, 10, 0, 0, time.UTC)}
	o.Now = func() time.Time { return c.now }
	if o.From.IsZero() {
		o.From = time.Date(2026, time.May, 30, 0, 0, 0, 0, time.UTC)
	}
	c.Network = New(o)
	server := httptest.NewServer(c.Network)
	c.url = server.URL
	t.Cleanup(func() {
		server.Close()
		if err := c.Network.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// raw asks with the key and gives the whole answer; an answer that was cut has status 0.
func (c *client) raw(method, target string, header ...string) (int, string, http.Header) {
	c.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = c.url + target
		header = append([]string{"API-KEY", c.opt.Key}, header...)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, target, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
	if err != nil {
		return 0, err.Error(), nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, string(body), resp.Header
	}
	return resp.StatusCode, string(body), resp.Header
}

// get asks for JSON and decodes it.
func get[T any](c *client, target string) T {
	c.t.Helper()
	return decode[T](c, "GET", target)
}

func decode[T any](c *client, method, target string) T {
	c.t.Helper()
	var v T
	status, body, _ := c.raw(method, target)
	if status != 200 {
		c.t.Fatalf("%s %s: status %d, %s", method, target, status, body)
	}
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		c.t.Fatalf("%s %s: %v", method, target, err)
	}
	return v
}

type table struct {
	Data struct {
		Count    int
		Data     []map[string]json.RawMessage
		PageInfo struct {
			StartCursor, EndCursor       string
			HasNextPage, HasPreviousPage bool
		}
	}
}

const (
	reports = "/api/v2/reports/v2/"
	center  = "/api/v2/download-center/"
	inside  = center + "integrations/dhk0demo01/"
)

func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return "?" + q.Encode()
}

func firstOfJune(more ...string) string {
	return query(append([]string{"integration_id", "dhk0demo01", "start_time", "2026-06-01 00:00:00", "end_time", "2026-06-01 23:59:59", "timezone", "UTC", "page[size]", "100"}, more...)...)
}

// walk reads a table to its end and gives its rows' values of one field.
func walk(c *client, table_, name string) []string {
	c.t.Helper()
	var out []string
	cursor := ""
	for range 100 {
		p := get[table](c, reports+table_+firstOfJune("page[after]", cursor))
		for _, r := range p.Data.Data {
			var s string
			if err := json.Unmarshal(r[name], &s); err != nil {
				c.t.Fatal(err)
			}
			out = append(out, s)
		}
		if !p.Data.PageInfo.HasNextPage {
			return out
		}
		cursor = p.Data.PageInfo.EndCursor
	}
	c.t.Fatal("the table does not end")
	return nil
}

type created struct{ ID, Status, Type string }

type export struct {
	Data struct {
		ID, Type, Status, Error string
		Artifact                *struct {
			Name string
			Size int
		}
		Results struct {
			Total     int
			Truncated bool `json:"range_truncated"`
		} `json:"results_meta"`
	}
}

// order creates an export of the first of June.
func (c *client) order(kind string, more ...string) (int, created) {
	c.t.Helper()
	q := url.Values{"start_time": {"2026-06-01 00:00:00"}, "end_time": {"2026-06-01 23:59:59"}, "timezone": {"UTC"}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	status, body, _ := c.raw("POST", inside+strings.ReplaceAll(kind, "_", "-")+"?"+q.Encode())
	var v created
	_ = json.Unmarshal([]byte(body), &v) // of an error nothing is wanted
	return status, v
}

// link signs the file of a finished export.
func (c *client) link(id string) string {
	c.t.Helper()
	e := get[export](c, center+"exports/"+id)
	if e.Data.Artifact == nil {
		c.t.Fatalf("export %s has no file: %+v", id, e)
	}
	return get[struct{ URL string }](c, center+"signed-url"+query("artifact_name", e.Data.Artifact.Name)).URL
}

// file orders an export and fetches it.
func (c *client) file(kind string, more ...string) string {
	c.t.Helper()
	status, e := c.order(kind, more...)
	if status != 200 {
		c.t.Fatalf("ordering %s: status %d", kind, status)
	}
	status, body, _ := c.raw("GET", c.link(e.ID))
	if status != 200 {
		c.t.Fatalf("fetching %s: status %d, %s", kind, status, body)
	}
	return body
}

func records(t *testing.T, body string) [][]string {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatalf("reading %q: %v", body, err)
	}
	return all
}

func column(rows []Row, name string) []string {
	out := make([]string, len(rows))
	for i := range rows {
		out[i] = rows[i].Text(name)
	}
	return out
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
