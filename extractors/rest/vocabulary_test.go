package rest

import (
	"testing"

	"syncd/extractors/manifest"
)

// vocabulary is a manifest that no network has: the words that the embedded ones use in
// few streams or none, together in the ways in which they meet.
const vocabulary = `
network: words
title: Words
evidence: inferred
auth: {kind: query, name: api_key, credential: key}
credentials: {key: {help: the key}}
roles: [admin]
headers: {Content-Type: application/json}
variables:
  integrations: {help: ids, kind: list, default: "7,8"}
  after: {help: the cursor's parameter, default: "page[after]"}
  events_path: {help: path, kind: path, default: "/v1/{item.1}/events/{item.2}"}
  offer_path: {help: path, kind: path, default: "/v1/offers/{item}"}
  field: {help: the filter, default: status}
  layout: {help: times, kind: layout, default: "2006-01-02 15:04:05"}
  settle: {help: how long, kind: duration, default: 10m}
check: {path: /v1/offers, query: {get: find, "page[size]": "1"}}
allow: {param: get, values: [find, report]}
success: {path: code, equals: ["0"], refused: [invalid key], throttled: [too many]}
error_text: [error, message]
streams:
  - name: conversions
    doc: A list of items, a window and a cursor.
    request:
      path: /v1/conversions
      time_layout: "{variable.layout}"
      query:
        get: report
        integration_id: "{item}"
        start_time: "{window.from_time}"
        end_time: "{window.to_time}"
        timezone: "{window.zone}"
        "filters[{variable.field}][IN]": [approved, pending]
        sort: "+id"
    window: {by: created_at, step: hour, settle: 5m, settle_variable: settle}
    for_each: {variable: integrations}
    paging: {kind: cursor, param: "{variable.after}", size_param: "page[size]", size: 100, next: data.info.more, cursor: data.info.end, stop: [no_next, no_cursor]}
    table: conversions
    records: [data.data, data]
    columns: {conversion_id: {from: id}, created_at: {from: at}, report_date: {from_column: created_at}}
    schedule: "@hourly"
    restate: [{last: 2d, every: 1h}]
  - name: offers
    doc: A list whose end is a number of pages.
    request: {path: /v1/offers, query: {get: find, "contain[]": [TrackingLink, Country]}}
    paging: {kind: page, param: offset, size_param: limit, size: 100, first: 1, pages: data.totalPages, stop: [last_page, repeated], distinct: true, distinct_advice: say so}
    table: offers
    records: data.rowset
    columns: {offer_id: {from: id}}
    schedule: "@daily"
  - name: offer
    doc: An item in an own path.
    request: {path_variable: offer_path, query: {get: find}}
    for_each: {stream: offers, column: offer_id}
    success: {path: done, equals: ["true"]}
    error_text: [message]
    table: entities
    records: offer
    shape: object
    columns: {id: {from: id}, parent_id: {variable: request.item}}
    schedule: "@daily"
  - name: events
    doc: Two columns in an own path.
    request: {path_variable: events_path, query: {get: find}}
    for_each: {stream: offers, columns: [offer_id, name]}
    table: entities
    records: rows
    columns: {id: {from: id}, parent_id: {variable: request.item.1}}
    schedule: "@daily"
`

func TestTheVocabularyConforms(t *testing.T) {
	n, problems := manifest.Parse("words.yaml", []byte(vocabulary))
	if len(problems) > 0 {
		t.Fatalf("the manifest has mistakes:\n%v", problems)
	}
	conform(t, n, "admin")
}
