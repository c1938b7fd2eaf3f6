package rest

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/extractors/extractorstest"
	"syncd/extractors/manifest"
	"syncd/extractors/transport"
	"syncd/schema"
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
const maxPages = 24

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
			r, err := tr.Do(ctx, transport.Request{Method: c.Method, URL: c.URL, Header: c.Header, Body: c.Body, Creates: c.Creates, Reads: c.Reads})
			return extractors.Answer{Status: r.Status, Header: r.Header, Body: r.Body}, err
		},
		Listing: func(s *extractors.Stream) extractorstest.Listing {
			m, _ := n.Stream(role, s.Name)
			return extractorstest.Listing{
				Pages: m.Paging.Kind != manifest.PagingNone, Cursor: m.Paging.Kind == manifest.PagingCursor,
				RepeatEnds: slices.Contains(m.Paging.Stop, manifest.StopRepeated),
				Anonymous:  anonymous(n, m), Unchecked: unchecked(n, m),
				Nothing: isRoot(m), Anything: isRoot(m) && m.Output.Shape != normalize.ShapeArray,
			}
		},
		Body: func(s *extractors.Stream, p extractorstest.PageOf) []byte {
			m, _ := n.Stream(role, s.Name)
			return inFormat(m, body(n, m, p))
		},
		Known: func(s *extractors.Stream) map[string]extractorstest.Known {
			m, _ := n.Stream(role, s.Name)
			return known(n, m)
		},
		Asked: func(s *extractors.Stream, c extractors.Call) (schema.Window, bool) {
			m, _ := n.Stream(role, s.Name)
			return asked(m, s, c)
		},
		Exports: exportsOf(n, role),
		Login:   loginOf(n),
	})
}

// isRoot reports whether the answer itself may be the records.
func isRoot(m *manifest.Stream) bool {
	return len(m.Output.Records) == 0 || slices.Contains(m.Output.Records, "")
}

// small is a copy of a network with small pages and few of them.
func small(network *manifest.Network) *manifest.Network {
	n := *network
	n.Streams = nil
	for _, m := range network.Streams {
		c := *m
		path := func(name string) string { return cmp.Or(n.Variables[name].Default, someValue(n.Variables[name])) }
		c.Output, c.Also = c.Output.Resolve(path), slices.Clone(c.Also)
		for i := range c.Also {
			c.Also[i] = c.Also[i].Resolve(path)
		}
		if c.Paging.Kind != manifest.PagingNone {
			c.Paging.Size, c.Paging.SizeVariable, c.Paging.MaxPages = 2, "", maxPages
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
	// The days of a platform's own reports are to be the account's; all others cross a
	// change of clocks.
	zone := cmp.Or(n.Variables[n.ZoneVariable].Default, "Europe/Berlin")
	a.Location, _ = time.LoadLocation(zone) // a checked manifest's
	for name := range n.Credentials {
		a.Credentials[name] = plain(extractorstest.Marker)
	}
	for name, v := range n.Variables {
		if v.Default == "" && name != n.ZoneVariable {
			a.Variables[name] = someValue(v)
		}
	}
	for _, m := range n.For(role) {
		if name := m.Request.PathVariable; name != "" && m.Request.Path == "" && n.Variables[name].Default == "" {
			a.Variables[name] = somePath(m)
		}
		if name := m.Request.URLVariable; name != "" {
			a.Variables[name] = someAddress(n, m, baseURL)
		}
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
		return "" // see somePath
	case manifest.VariableLayout:
		return "2006-01-02 15:04:05"
	case manifest.VariableZone:
		return "Europe/Berlin"
	case manifest.VariableWord:
		return v.Words[0]
	}
	return "x"
}
