package rest

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"syncd/extractors"
	"syncd/extractors/extractorstest"
	"syncd/extractors/manifest"
	"syncd/schema/normalize"
)

// dialect is a network that speaks of exports as its manifest says, read anew: nothing
// of what is tested has a part in it.
type dialect struct {
	network *manifest.Network
	role    string
}

// exportsOf gives the dialect of a network; nil if it has no exports.
func exportsOf(n *manifest.Network, role string) *extractorstest.Exports {
	if n.Exports == nil {
		return nil
	}
	d := dialect{n, role}
	return &extractorstest.Exports{Step: d.step, List: d.list, One: d.one, Link: d.link}
}

func (d dialect) stream(s *extractors.Stream) *manifest.Stream {
	m, _ := d.network.Stream(d.role, s.Name)
	return m
}

// fill replaces the variables in a text.
func fill(s *extractors.Stream, text string) string {
	for name, value := range s.Variables {
		text = strings.ReplaceAll(text, "{variable."+name+"}", value)
	}
	return text
}

// step tells a call by its path.
func (d dialect) step(s *extractors.Stream, c extractorstest.Seen) (extractorstest.ExportStep, string) {
	u, err := url.Parse(c.Target)
	if err != nil {
		return "", ""
	}
	x := d.network.Exports
	for _, of := range []struct {
		step    extractorstest.ExportStep
		request manifest.Request
		name    manifest.Placeholder
	}{
		{extractorstest.SignExport, x.Sign.Request, manifest.ExportArtifact},
		{extractorstest.CreateExport, d.stream(s).Export.Create, ""},
		{extractorstest.ListExports, x.List.Request, ""},
		{extractorstest.PollExport, x.Get.Request, manifest.ExportID},
	} {
		values := heard(s, of.request, u)
		switch {
		case values == nil:
		case of.step == extractorstest.SignExport:
			return of.step, cmp.Or(values[of.name], values[manifest.ExportID])
		default:
			return of.step, values[of.name]
		}
	}
	return "", ""
}

// heard gives what a call says by its path and parameters, by placeholder; nil if the
// request is not the call's.
func heard(s *extractors.Stream, r manifest.Request, u *url.URL) map[manifest.Placeholder]string {
	path := fill(s, cmp.Or(s.Variables[r.PathVariable], r.Path))
	var names []manifest.Placeholder
	pattern := regexp.MustCompile(`\{[^}]+\}`).ReplaceAllStringFunc(path, func(p string) string {
		names = append(names, manifest.Placeholder(strings.Trim(p, "{}")))
		return "\x00"
	})
	pattern = strings.ReplaceAll(regexp.QuoteMeta(pattern), "\x00", "([^/]+)")
	found := regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(u.EscapedPath())
	if found == nil {
		return nil
	}
	values := map[manifest.Placeholder]string{}
	for i, name := range names {
		values[name], _ = url.PathUnescape(found[i+1])
	}
	for name, templates := range r.Query {
		if len(templates) == 1 && strings.HasPrefix(templates[0], "{") {
			values[manifest.Placeholder(strings.Trim(templates[0], "{}"))] = u.Query().Get(fill(s, name))
		}
	}
	return values
}

// list answers with the exports there are.
func (d dialect) list(s *extractors.Stream, all []extractorstest.Exported) []byte {
	list := []any{}
	for _, e := range all {
		list = append(list, d.object(s, e))
	}
	root := map[string]any{}
	d.succeed(root)
	if len(d.network.Exports.List.Records) == 0 {
		return encode(list)
	}
	set(root, d.network.Exports.List.Records[0], list)
	return encode(root)
}

// one answers with an export, wrapped unless it was just created.
func (d dialect) one(s *extractors.Stream, e extractorstest.Exported, created bool) []byte {
	root := map[string]any{}
	if at := d.network.Exports.Get.At; at != "" && !created {
		set(root, at, d.object(s, e))
	} else {
		root = d.object(s, e)
	}
	d.succeed(root)
	return encode(root)
}

func (d dialect) link(_ *extractors.Stream, link string) []byte {
	root := map[string]any{}
	set(root, d.network.Exports.Sign.URL, link)
	d.succeed(root)
	return encode(root)
}

func (d dialect) succeed(root map[string]any) {
	if test := d.network.Success; test != nil {
		set(root, test.Path, test.Equals[0])
	}
}

// object is an export: its own values, and what it was asked for with.
func (d dialect) object(s *extractors.Stream, e extractorstest.Exported) map[string]any {
	x, m := d.network.Exports, d.stream(s)
	root := map[string]any{}
	put := func(paths normalize.Paths, v any) {
		if len(paths) > 0 {
			set(root, paths[0], v)
		}
	}
	word := func(words []string, other string) string {
		if len(words) > 0 {
			return words[0]
		}
		return other
	}
	put(x.Object.ID, e.ID)
	put(x.Object.Created, e.Created.UTC().Format(time.RFC3339))
	put(x.Object.Error, e.Words)
	put(x.Object.Status, map[extractorstest.ExportState]string{
		extractorstest.ExportOpen: word(x.States.Open, "WAITING"), extractorstest.ExportDone: word(x.States.Done, "WRITTEN"),
		extractorstest.ExportFailed: word(x.States.Failed, "BROKEN"), extractorstest.ExportCanceled: word(x.States.Canceled, "GIVEN UP"),
		extractorstest.ExportUnknown: "WHATEVER",
	}[e.State])
	if e.Artifact != "" {
		put(x.Object.Artifact, e.Artifact)
		put(x.Object.Size, e.Size)
	}
	put(x.Object.Total, e.Total)
	put(x.Object.Truncated, e.Truncated)
	u, err := url.Parse(e.Asked.Target)
	if err != nil {
		panic(err) // a call that came
	}
	values := heard(s, m.Export.Create, u)
	for path, text := range x.Same {
		value := fill(s, text)
		for p, v := range values {
			value = strings.ReplaceAll(value, "{"+string(p)+"}", v)
		}
		value = strings.ReplaceAll(value, "{"+string(manifest.ExportType)+"}", fill(s, m.Export.Type))
		if strings.Contains(value, "{") {
			value = "" // a thing that this stream's exports do not have
		}
		var held any = value
		if text == "{"+string(manifest.ExportFields)+"}" {
			held = strings.Split(value, x.Separator)
		}
		set(root, fill(s, path), held)
	}
	if e.Words == "" {
		return root
	}
	root["comment"] = fmt.Sprint(e.Words)
	return root
}
