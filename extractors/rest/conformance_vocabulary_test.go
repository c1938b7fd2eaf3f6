package rest

import (
	"testing"

	"syncd/extractors/manifest"
)

// dialects is a manifest of words that meet in no network yet: lists in XML over several
// pages, cursors without a word that there is more, ends that only a repetition shows,
// and exports in envelopes, created by GET, without items, and linked by their own name.
const dialects = `
network: dialects
title: Dialects
evidence: inferred
auth: {kind: basic, user: user, credential: key}
credentials: {user: {help: the user}, key: {help: the key}}
roles: [admin]
variables:
  layout: {help: times, kind: layout, default: "02.01.2006 15:04:05"}
  when: {help: a name, default: begin}
pace: {quotas: [{name: exports, calls: 10, per: 24h, for: exports}]}
check: {path: /v1/offers}
success: {path: result.code, equals: ["0", ok], refused: [bad token], throttled: [slow down]}
error_text: [result.words, result.list.0.words]
exports:
  list:
    request: {path: /v1/files, query: {of: "{export.type}"}}
    records: [result.files]
  get: {request: {path: "/v1/files/{export.id}"}}
  sign: {request: {path: "/v1/files/{export.id}/link"}, url: result.link.href}
  object: {id: key, status: state.word, error: state.why, artifact: file.path, size: file.bytes, total: rows, truncated: cut, created: made}
  same: {"asked.{variable.when}": "{window.from_time}", asked.end: "{window.to_time}", asked.columns: "{export.fields}", kind: "{export.type}"}
  states: {done: [READY], failed: [BROKEN], canceled: [DROPPED]}
  budget: exports
  separator: "|"
streams:
  - name: clicks
    doc: Pages or files of the same.
    request:
      path: /v1/clicks
      time_layout: "{variable.layout}"
      query: {from: "{window.from_time}", to: "{window.to_time}"}
    window: {by: created_at, step: day, settle: 5m}
    paging: {kind: cursor, param: after, cursor: meta.after, stop: [no_cursor]}
    export:
      create:
        path: /v1/files/new/clicks
        time_layout: "{variable.layout}"
        query: {"{variable.when}": "{window.from_time}", end: "{window.to_time}", columns: "{export.fields}"}
      method: GET
      type: clicks
    table: clicks
    records: rows
    shape: array
    columns: {click_id: {from: id}, created_at: {from: at}, report_date: {from_column: created_at}}
    schedule: "@hourly"
    restate: [{last: 2d, every: 1h}]
  - name: conversions
    doc: XML by pages, of hours in seconds.
    request: {path: /v1/conversions, query: {from: "{window.from_unix}", to: "{window.to_unix}"}}
    window: {by: created_at, step: hour, zone: utc}
    paging: {kind: page, param: page, size_param: size, size: 100, first: 1, pages: list.pages, total: list.total, stop: [last_page, empty]}
    format: xml
    success: {path: list.ok, equals: ["true"], refused: [bad token], throttled: [slow down]}
    error_text: [list.words]
    table: conversions
    records: list.rows.row
    columns: {conversion_id: {from: id}, created_at: {from: at}, report_date: {from_column: created_at}}
    schedule: "@hourly"
    restate: [{last: 2d, every: 1h}]
  - name: stats/daily
    doc: XML by a cursor, of days.
    request: {path: /v1/stats, day_layout: "02-01-2006", query: {from: "{window.from_day}", to: "{window.to_day}"}}
    window: {by: report_date, step: day}
    paging: {kind: cursor, param: after, next: list.more, cursor: list.after, stop: [no_next]}
    format: xml
    success: {path: list.ok, equals: ["true"]}
    table: stats
    records: list.rows.row
    columns: {report_date: {from_window: true}}
    schedule: "@hourly"
    restate: [{last: 2d, every: 1h}]
  - name: offers
    doc: A list that only ends by beginning anew.
    request: {path: /v1/offers}
    paging: {kind: page, param: page, first: 0, stop: [empty, repeated]}
    table: offers
    records: rows
    columns: {offer_id: {from: id}}
    schedule: "@daily"
`

// What no embedded manifest says conforms as well.
func TestDialectsConform(t *testing.T) {
	n, problems := manifest.Parse("dialects.yaml", []byte(dialects))
	if len(problems) > 0 {
		t.Fatalf("the manifest has mistakes:\n%v", problems)
	}
	conform(t, n, "admin")
}
