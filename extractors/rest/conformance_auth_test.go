package rest

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"syncd/extractors/extractorstest"
	"syncd/extractors/manifest"
)

// anonymous reports whether a call of the stream has no credential in it.
func anonymous(n *manifest.Network, m *manifest.Stream) bool {
	if m.Request.URLVariable != "" {
		return false
	}
	// A signature says nothing of what it was made with.
	return len(n.Auth.Parts()) == 0 && n.Auth.Login == nil && !m.Request.Uses(func(p manifest.Placeholder) bool { _, ok := p.Credential(); return ok })
}

// unchecked reports whether no other call could tell what a refusal is about.
func unchecked(n *manifest.Network, m *manifest.Stream) bool {
	return m.Request.URLVariable != "" || n.Check.IsZero() && n.Auth.Login == nil
}

// someAddress is the address that an account may give for the calls of a stream.
func someAddress(n *manifest.Network, m *manifest.Stream, baseURL string) string {
	var address strings.Builder
	address.WriteString(baseURL + "/own/0123456789abcdef/" + url.PathEscape(m.Name) + "?plain=a+b%26c&key=" + extractorstest.Marker)
	for _, name := range slices.Sorted(maps.Keys(n.Credentials)) {
		address.WriteString("&c_" + name + "={credential." + name + "}")
	}
	switch f := m.ForEach; {
	case f == nil:
	case f.Batch > 1:
		address.WriteString("&ids={items.joined}&id[]={items}")
	default:
		address.WriteString("&id={item}")
	}
	if m.Window != nil {
		address.WriteString("&from={window.from_day}&to={window.to_day}")
	}
	return address.String()
}

// somePath is the path that an account may give for the calls of a stream.
func somePath(m *manifest.Stream) string {
	path := "/own/" + url.PathEscape(m.Name)
	if f := m.ForEach; f != nil && f.Batch <= 1 && !m.Request.Uses(func(p manifest.Placeholder) bool { return p == manifest.Item }) {
		path += "/{item}"
	}
	return path
}

// loginOf answers logins as the manifest describes them; nil if there are none.
func loginOf(n *manifest.Network) func(extractorstest.Seen) (extractorstest.Reply, bool) {
	l := n.Auth.Login
	if l == nil {
		return nil
	}
	return func(s extractorstest.Seen) (extractorstest.Reply, bool) {
		u, err := url.Parse(s.Target)
		if err != nil || u.Path != l.Request.Path {
			return extractorstest.Reply{}, false
		}
		for name, values := range l.Request.Query {
			if t, _ := manifest.ParseTemplate(values[0]); len(t) == 1 && t[0].Placeholder == "" && u.Query().Get(name) != values[0] {
				return extractorstest.Reply{}, false // another call to the same path
			}
		}
		root := map[string]any{}
		if n.Success != nil {
			set(root, n.Success.Path, n.Success.Equals[0])
		}
		for _, path := range l.Token {
			set(root, path, extractorstest.TokenMarker)
		}
		return extractorstest.Reply{Body: encode(root)}, true
	}
}

// postings is a manifest of what CPA networks need: reads by POST, signatures, several
// credentials, addresses of an account's own, open leads, and pages of any size.
const postings = `
network: postings
title: Postings
evidence: inferred
auth:
  kind: header
  name: X-Api-Key
  credential: key
  also: [{kind: query, name: user, credential: user}, {kind: header, name: X-User, credential: user}]
  signer: {kind: sha1_params_secret, param: sign, credential: key}
credentials: {key: {help: the key}, user: {help: the user}}
roles: [affiliate]
variables:
  number: {help: a number, kind: number, default: "12"}
  rows: {help: where the leads are}
  status_url: {help: an address, kind: url}
  list_url: {help: an address, kind: url}
  leads_url: {help: an address, kind: url}
check: {method: post, path: /check, body: '{"user": {variable.number}}'}
success: {path: code, equals: ["0"], refused: [bad key], throttled: [too many]}
error_text: [error, message]
streams:
  - name: by_body
    doc: Leads in a body, one a call.
    request: {method: post, path: /v1/lead, body: '{"user_id": {variable.number}, "data": {"id": {item}, "as": "{item}"}}'}
    for_each: {open_leads: network}
    leads: true
    table: conversions
    records: ["{variable.rows}", data]
    columns: {conversion_id: {variable: request.item}}
    schedule: "@hourly"
    restate: [{last: 130d, every: 1h}]
  - name: by_list
    doc: Leads in a body, several a call.
    request: {method: post, path: /v1/leads, query: {as: list}, body: '{"ids": {items}, "texts": "{items}", "all": "{items.joined}"}'}
    for_each: {open_leads: own, batch: 3}
    leads: true
    table: conversions
    records: data
    columns: {click_id: {from: id}}
    schedule: "@hourly"
    restate: [{last: 130d, every: 1h}]
  - name: by_form
    doc: Windows in a form, by pages in it.
    request: {method: post, path: /v1/orders, form: {from: "{window.from_day}", to: "{window.to_day}", key: "{credential.key}"}}
    window: {by: created_at, step: day}
    paging: {kind: page, param: page, size_param: size, size: 100, first: 1, total: total, stop: [total, empty]}
    leads: true
    table: conversions
    records: data
    columns: {conversion_id: {from: id}, created_at: {from: at}}
    schedule: "@hourly"
    restate: [{last: 2d, every: 1h}]
  - name: by_path
    doc: Leads in the path, with commas.
    request: {path: "/v1/leads/{items.joined}"}
    for_each: {open_leads: network, batch: 2}
    leads: true
    table: conversions
    records: data
    shape: map
    columns: {conversion_id: {from: $key}}
    schedule: "@hourly"
    restate: [{last: 130d, every: 1h}]
  - name: own
    doc: One lead at an address of the account's.
    request: {url_variable: status_url}
    for_each: {open_leads: network}
    leads: true
    table: conversions
    records: data
    columns: {conversion_id: {variable: request.item}}
    schedule: "@hourly"
    restate: [{last: 130d, every: 1h}]
  - name: own/list
    doc: Several leads there.
    request: {url_variable: list_url}
    for_each: {open_leads: network, batch: 5}
    leads: true
    table: conversions
    records: data
    columns: {conversion_id: {from: id}}
    schedule: "@hourly"
    restate: [{last: 130d, every: 1h}]
  - name: own/window
    doc: A window there.
    request: {url_variable: leads_url}
    window: {by: created_at, step: day}
    leads: true
    table: conversions
    records: data
    columns: {conversion_id: {from: id}, created_at: {from: at}}
    schedule: "@hourly"
    restate: [{last: 2d, every: 1h}]
  - name: offers
    doc: Pages of any size.
    request: {path: /v1/offers}
    paging: {kind: offset, param: skip, size_param: limit, size: 100, stop: [empty], adaptive: true}
    table: offers
    records: data
    columns: {offer_id: {from: id}}
    schedule: "@daily"
`

// logins is a manifest with a token for a key, in a header, and lists of several pages.
const logins = `
network: logins
title: Logins
evidence: inferred
auth: {kind: header, login: {request: {method: post, path: /login, form: {user: "{credential.user}", pass: "{credential.key}"}}, token: {X-Token: data.token, X-Session: data.session.id}}}
credentials: {key: {help: the key}, user: {help: the user}}
roles: [affiliate]
success: {path: code, equals: ["0"], refused: [bad token], throttled: [too many]}
error_text: [error, message]
check: {path: /ping}
streams:
  - name: offers
    doc: Pages.
    request: {path: /v1/offers}
    paging: {kind: cursor, param: after, cursor: next, stop: [no_cursor]}
    table: offers
    records: rows
    columns: {offer_id: {from: id}}
    schedule: "@daily"
  - name: statuses
    doc: Open leads.
    request: {path: /v1/leads, query: {"id[]": "{items}"}}
    for_each: {open_leads: network, batch: 2}
    leads: true
    table: conversions
    records: rows
    columns: {conversion_id: {from: id}}
    schedule: "@hourly"
    restate: [{last: 130d, every: 1h}]
`

func TestWhatCPANetworksNeedConforms(t *testing.T) {
	for name, text := range map[string]string{"postings": postings, "logins": logins} {
		n, problems := manifest.Parse(name+".yaml", []byte(text))
		if len(problems) > 0 {
			t.Fatalf("the manifest has mistakes:\n%v", problems)
		}
		t.Run(name, func(t *testing.T) { conform(t, n, "affiliate") })
	}
}
