package rest

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"syncd/extractors"
	"syncd/extractors/extractorstest"
	"syncd/extractors/manifest"
	"syncd/schema"
	"syncd/schema/normalize"
)

// known are the answers to calls of a stream of which its manifest says what they mean.
func known(n *manifest.Network, m *manifest.Stream) map[string]extractorstest.Known {
	all := misplacedRecords(n, m)
	test := cmp.Or(m.Success, n.Success)
	if test == nil {
		return all
	}
	paths := m.ErrorText
	if len(paths) == 0 {
		paths = n.ErrorText
	}
	says := func(verdict any, path string, words any) []byte {
		root := map[string]any{}
		if verdict != nil {
			set(root, test.Path, verdict)
		}
		if path != "" {
			setIn(root, path, words)
		}
		return inFormat(m, encode(root))
	}
	const refusal = "no such thing"
	all["a failed test stops the stream"] = extractorstest.Known{Body: says("never good", "", nil), Outcome: extractors.StopStream}
	for _, odd := range []any{[]any{1}, map[string]any{"a": 1}, nil, false} {
		if m.Output.Format == normalize.FormatXML {
			break // all is text
		}
		root := map[string]any{}
		set(root, test.Path, odd)
		all[fmt.Sprintf("%v in place of a verdict stops the stream", odd)] = extractorstest.Known{Body: inFormat(m, encode(root)), Outcome: extractors.StopStream}
	}
	for _, good := range test.Equals {
		if len(m.Output.Records) == 0 {
			break // a verdict would stand where the records are
		}
		root := goodAnswer(n, m, 2)
		set(root, test.Path, good)
		all["the verdict "+good+" is a success"] = extractorstest.Known{Body: inFormat(m, encode(root))}
		if number, err := strconv.Atoi(good); err == nil {
			root := goodAnswer(n, m, 2)
			set(root, test.Path, number)
			all["the verdict "+good+" as a number is a success"] = extractorstest.Known{Body: inFormat(m, encode(root))}
		}
	}
	for _, path := range paths {
		all["words at "+path+" stop the stream"] = extractorstest.Known{Body: says("never good", path, refusal), Outcome: extractors.StopStream}
		all["an object in place of words at "+path+" stops the stream"] = extractorstest.Known{Body: says("never good", path, map[string]any{"a": 1}), Outcome: extractors.StopStream}
		all["words at "+path+" alone stop the stream"] = extractorstest.Known{Body: says(nil, path, refusal), Outcome: extractors.StopStream}
		refused := extractors.StopAccount
		if unchecked(n, m) {
			refused = extractors.StopStream
		}
		for outcome, words := range map[extractors.Outcome][]string{extractors.Wait: test.Throttled, refused: test.Refused} {
			for _, w := range words {
				said := "Error: " + strings.ToUpper(w) + " (1001)"
				for _, status := range []int{200, 400} {
					all[fmt.Sprintf("%q at %s means %v, with status %d", w, path, outcome, status)] = extractorstest.Known{Status: status, Body: says("never good", path, said), Outcome: outcome}
				}
				all[fmt.Sprintf("%q at %s alone means %v", w, path, outcome)] = extractorstest.Known{Body: says(nil, path, said), Outcome: outcome}
				if outcome == extractors.Wait {
					all[fmt.Sprintf("%q at %s means %v, even with 403", w, path, outcome)] = extractorstest.Known{Status: 403, Body: says("never good", path, said), Outcome: outcome}
				}
			}
		}
	}
	return all
}

// setIn is set for paths in which a number is a place in a list.
func setIn(root map[string]any, path string, value any) {
	if before, after, ok := strings.Cut(path, ".0"); ok && (after == "" || after[0] == '.') {
		if after != "" {
			inner := map[string]any{}
			setIn(inner, after[1:], value)
			value = inner
		}
		path, value = before, []any{value}
	}
	set(root, path, value)
}

// goodAnswer is a good answer before it is written; nil where it is the records themselves.
func goodAnswer(n *manifest.Network, m *manifest.Stream, records int) map[string]any {
	return decode(body(n, m, extractorstest.PageOf{Page: 1, Of: 1, Records: records}))
}

// misplacedRecords has something else in place of the records.
func misplacedRecords(n *manifest.Network, m *manifest.Stream) map[string]extractorstest.Known {
	all := map[string]extractorstest.Known{}
	if len(m.Output.Records) == 0 || m.Output.Format == normalize.FormatXML {
		return all // the suite has answers of other shapes itself; in XML all is text
	}
	wrong := map[string]any{"a number": 42, "a text": "no", "a truth value": true}
	switch m.Output.Shape {
	case normalize.ShapeMap, normalize.ShapeObject:
		wrong["a list"] = []any{map[string]any{"id": 1}}
	case normalize.ShapeArray:
		wrong["an object"] = map[string]any{"id": 1}
	}
	for name, v := range wrong {
		root := goodAnswer(n, m, 2)
		set(root, m.Output.Records[0], v)
		all[name+" in place of the records stops the stream"] = extractorstest.Known{Body: encode(root), Outcome: extractors.StopStream}
	}
	return all
}

// asked reads back from its parameters for which range a call asks. The values are read
// by the templates that they were written by, but as the network reads them: ends are
// inclusive, days are whole.
func asked(m *manifest.Stream, s *extractors.Stream, c extractors.Call) (schema.Window, bool) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return schema.Window{}, false
	}
	var w schema.Window
	zone := s.Window.Location
	layout := func(of, usual string) string {
		for name, value := range s.Variables {
			of = strings.ReplaceAll(of, "{variable."+name+"}", value)
		}
		return cmp.Or(of, usual)
	}
	dayLayout, timeLayout := layout(m.Request.DayLayout, time.DateOnly), layout(m.Request.TimeLayout, time.DateTime)
	hour := -1
	for name, templates := range m.Request.Query {
		name = layout(name, "")
		value := u.Query().Get(name)
		if len(templates) != 1 || value == "" {
			continue
		}
		switch manifest.Placeholder(strings.Trim(templates[0], "{}")) {
		case manifest.WindowFromDay:
			w.From = parsed(dayLayout, value, zone)
		case manifest.WindowToDay:
			w.To = parsed(dayLayout, value, zone).AddDate(0, 0, 1)
		case manifest.WindowHour:
			hour, _ = strconv.Atoi(value)
		case manifest.WindowFromTime:
			w.From = parsed(timeLayout, value, zone)
		case manifest.WindowToTime:
			w.To = parsed(timeLayout, value, zone).Add(time.Second)
		case manifest.WindowFromUnix:
			w.From = unixOf(value)
		case manifest.WindowToUnix:
			w.To = unixOf(value).Add(time.Second)
		}
	}
	if hour >= 0 && !w.From.IsZero() {
		w.From = time.Date(w.From.Year(), w.From.Month(), w.From.Day(), hour, 0, 0, 0, zone)
		w.To = w.From.Add(time.Hour)
	}
	return schema.Window{From: w.From.UTC(), To: w.To.UTC()}, !w.From.IsZero() && !w.To.IsZero()
}

func parsed(layout, value string, zone *time.Location) time.Time {
	at, _ := time.ParseInLocation(layout, value, zone) // one that is not read is no window's
	return at
}

func unixOf(value string) time.Time {
	seconds, _ := strconv.ParseInt(value, 10, 64)
	return time.Unix(seconds, 0)
}
