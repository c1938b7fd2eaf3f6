package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/extractors/extractorstest"
	"syncd/extractors/manifest"
	"syncd/extractors/transport"
	"syncd/schema/normalize"
)

// Every stream of every embedded manifest, for every role, passes the suite.
func TestConformance(t *testing.T) {
	networks, err := manifest.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks {
		for _, role := range n.Roles {
			t.Run(n.Name+" as "+role, func(t *testing.T) { conform(t, n, role) })
		}
	}
}

// maxPages is the cap on pages that the suite's copy of a manifest has: enough for
// its lists, and soon reached by an endless one.
const maxPages = 8

func conform(t *testing.T, network *manifest.Network, role string) {
	const bodyCap = 64 << 10
	n := small(network)
	tr := transport.New(transport.Options{MaxBody: bodyCap, Parallel: 4})
	t.Cleanup(tr.Close)
	extractorstest.Run(t, extractorstest.Suite{
		BodyCap:  bodyCap,
		MaxCalls: 3 * (maxPages + 2),
		New: func(baseURL string) (extractors.Source, error) {
			return New(n, everything(n, role, baseURL))
		},
		Do: func(ctx context.Context, c extractors.Call) (extractors.Answer, error) {
			r, err := tr.Do(ctx, transport.Request{Method: c.Method, URL: c.URL, Header: c.Header, Body: c.Body})
			return extractors.Answer{Status: r.Status, Header: r.Header, Body: r.Body}, err
		},
		Pages: func(s *extractors.Stream) bool {
			m, _ := n.Stream(role, s.Name)
			return m.Paging.Kind != manifest.PagingNone
		},
		Body: func(s *extractors.Stream, p extractorstest.PageOf) []byte {
			m, _ := n.Stream(role, s.Name)
			b := body(n, m, p)
			if m.Output.Format == normalize.FormatXML {
				return inMarkup(b)
			}
			return b
		},
	})
}

// small is a copy of a network with small pages and few of them.
func small(network *manifest.Network) *manifest.Network {
	n := *network
	n.Streams = nil
	for _, m := range network.Streams {
		if m.Export != nil && m.Export.Only {
			continue // the suite asks for answers; files are tested in package export
		}
		c := *m
		if c.Paging.Kind != manifest.PagingNone {
			c.Paging.Size, c.Paging.SizeVariable, c.Paging.MaxPages = 2, "", maxPages
			// The suite takes a page that repeats for an error, and this rule for an end.
			c.Paging.Stop = slices.DeleteFunc(slices.Clone(c.Paging.Stop), func(s manifest.Stop) bool { return s == manifest.StopRepeated })
		}
		n.Streams = append(n.Streams, &c)
	}
	return &n
}

// everything is an account with every credential and variable, and every stream on.
func everything(n *manifest.Network, role, baseURL string) Account {
	a := Account{
		Name: "acme", BaseURL: baseURL, Role: role, Credentials: map[string]Secret{}, Variables: map[string]string{},
		PII: PII{IP: Hash, Email: Hash, Key: plain("k")}, Streams: map[string]Settings{},
	}
	if zone := n.Variables[n.ZoneVariable].Default; zone != "" {
		// The days of its reports are to be the account's.
		a.Location, _ = time.LoadLocation(zone) // a checked manifest's
	}
	for name := range n.Credentials {
		a.Credentials[name] = plain(extractorstest.Marker)
	}
	for name, v := range n.Variables {
		if v.Default == "" && name != n.ZoneVariable {
			a.Variables[name] = someValue(v)
		}
	}
	for _, m := range n.For(role) {
		a.Streams[m.Name] = Settings{Enabled: new(true)}
		if m.Slices != nil {
			a.Streams[m.Name+"/second"] = Settings{Slices: m.Slices.Allowed[:1]}
		}
	}
	return a
}

// someValue is a value that a variable without a default may have.
func someValue(v manifest.Variable) string {
	switch v.Kind {
	case manifest.VariableNumber:
		return "7"
	case manifest.VariableDuration:
		return "1h"
	case manifest.VariablePath:
		return "" // which of its streams have items is not to be seen here
	case manifest.VariableLayout:
		return "2006-01-02 15:04:05"
	case manifest.VariableZone:
		return "Europe/Berlin"
	case manifest.VariableWord:
		return v.Words[0]
	}
	return "x"
}

// body is an answer of the network as its manifest describes it.
func body(n *manifest.Network, m *manifest.Stream, p extractorstest.PageOf) []byte {
	root := map[string]any{}
	if test := cmp.Or(m.Success, n.Success); test != nil {
		set(root, test.Path, test.Equals[0])
	}
	if m.Output.Shape == normalize.ShapeObject {
		if p.Records == 0 {
			return nil
		}
		set(root, m.Output.Records[0], map[string]any{"id": p.Page})
		return encode(root)
	}

	paging, last := m.Paging, p.Page == p.Of
	lastRecords := p.Records
	switch stop := paging.Stop; {
	case paging.Kind == manifest.PagingNone, slices.Contains(stop, manifest.StopNoNext), slices.Contains(stop, manifest.StopTotal),
		slices.Contains(stop, manifest.StopNoCursor), slices.Contains(stop, manifest.StopLastPage):
	case slices.Contains(stop, manifest.StopShort):
		lastRecords = max(p.Records-1, 0)
	default:
		lastRecords = 0
	}
	records := p.Records
	if last {
		records = lastRecords
	}
	first := 1000 * p.Page
	if p.Same {
		first = 1000
	}
	list, byKey := []any{}, map[string]any{}
	for id := first; id < first+records; id++ {
		record := map[string]any{"id": id, "email": "ann@example.com", "ip": "10.0.0.1"}
		list, byKey[fmt.Sprint(id)] = append(list, record), record
	}
	var held any = list
	if m.Output.Shape == normalize.ShapeMap {
		held = byKey
	}
	if len(m.Output.Records) == 0 {
		return encode(held) // the answer is the records
	}
	set(root, m.Output.Records[0], held)
	if paging.Next != "" && !last {
		set(root, paging.Next, paging.First+p.Page)
	}
	if paging.Cursor != "" && !last {
		set(root, paging.Cursor, fmt.Sprintf("after %d", p.Page))
	}
	if paging.Pages != "" {
		set(root, paging.Pages, p.Of)
	}
	if paging.Total != "" {
		set(root, paging.Total, (p.Of-1)*p.Records+lastRecords)
	}
	if paging.Served != "" {
		set(root, paging.Served, max(p.Records, 1))
	}
	return encode(root)
}

// set puts a value at a dotted path.
func set(root map[string]any, path string, value any) {
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		inner, ok := root[key].(map[string]any)
		if !ok {
			inner = map[string]any{}
			root[key] = inner
		}
		root = inner
	}
	root[keys[len(keys)-1]] = value
}

// inMarkup writes an answer in JSON as XML.
func inMarkup(body []byte) []byte {
	var root any
	if json.Unmarshal(body, &root) != nil {
		return nil
	}
	return appendElement(nil, "answer", root)
}

func appendElement(dst []byte, name string, v any) []byte {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			dst = appendElement(dst, name, e)
		}
		return dst
	}
	dst = fmt.Appendf(dst, "<%s>", name)
	if object, ok := v.(map[string]any); ok {
		for _, key := range slices.Sorted(maps.Keys(object)) {
			dst = appendElement(dst, key, object[key])
		}
	} else {
		dst = fmt.Append(dst, v)
	}
	return fmt.Appendf(dst, "</%s>", name)
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
