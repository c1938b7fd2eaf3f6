package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"syncd/extractors/manifest"
	"syncd/internal/plan"
	"syncd/internal/strictyaml"
)

func tierText(last, every time.Duration) string {
	return "last " + strictyaml.FormatDuration(last) + " every " + strictyaml.FormatDuration(every)
}

// durationText is empty for zero.
func durationText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return strictyaml.FormatDuration(d)
}

// reaches are the groups of the list, the farthest first.
var reaches = []manifest.Reach{manifest.ReachVerified, manifest.ReachPath, manifest.ReachPostback, manifest.ReachSeed}

// printNetworks prints a line a network, grouped by how far syncd gets with them. Of
// those that nothing can be pulled from as they are, there is less to say.
func printNetworks(out io.Writer, entries []networkEntry) {
	for i, reach := range reaches {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		rows := 0
		for j := range entries {
			e := &entries[j]
			if e.Reach != string(reach) {
				continue
			}
			if rows++; rows == 1 {
				if i > 0 {
					fmt.Fprintln(out)
				}
				fmt.Fprintln(out, reach.Words())
				fmt.Fprintln(w, cmp.Or(map[manifest.Reach]string{
					manifest.ReachVerified: "  NETWORK\tNAME\tSTREAMS\tROUTES\tCREDENTIALS\tPOSTBACKS\tPACE\tEVIDENCE",
				}[reach], "  NETWORK\tNAME\tSET FOR A PULL\tCREDENTIALS\tPOSTBACKS"))
			}
			if reach == manifest.ReachVerified {
				fmt.Fprintf(w, "  %s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", e.Name, e.Title, len(e.Streams), strings.Join(e.routes(), ", "),
					e.credentials(), e.Postback.sends(), e.pace(), e.evidence())
			} else {
				fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", e.Name, e.Title, cmp.Or(strings.Join(e.needs(), " or "), "-"), e.credentials(), e.Postback.sends())
			}
		}
		_ = w.Flush() // an error of out is told by whoever prints on it next
	}
	fmt.Fprintln(out, "\nsyncd networks NAME prints everything about one.")
}

// credentials are the names of what an account gives, those in brackets if it likes.
func (e *networkEntry) credentials() string {
	var names []string
	for _, c := range e.Credentials {
		if c.Required {
			names = append(names, c.Name)
		} else {
			names = append(names, "["+c.Name+"]")
		}
	}
	return cmp.Or(strings.Join(names, " "), "-")
}

// needs are the variables without which streams are off.
func (e *networkEntry) needs() (all []string) {
	for _, s := range e.Streams {
		for _, name := range s.Needs {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// routes are all routes of the streams.
func (e *networkEntry) routes() (all []string) {
	has := map[string]bool{}
	for _, s := range e.Streams {
		for _, r := range s.Routes {
			if !has[r] {
				all = append(all, r)
			}
			has[r] = true
		}
	}
	return all
}

// pace says how fast the network may be called.
func (e *networkEntry) pace() string {
	parts := []string{fmt.Sprintf("%s between calls, %d at once", e.MinDelay, e.Parallel)}
	for _, q := range e.Quotas {
		per := "in " + q.Per
		if q.Per == "1d" {
			per = "a day"
		}
		parts = append(parts, fmt.Sprintf("%d %s %s", q.Calls, cmp.Or(q.For, "calls"), per))
	}
	return strings.Join(parts, ", ")
}

// evidence says how much of what is known of the network no document says.
func (e *networkEntry) evidence() string {
	streams, variables := 0, 0
	for _, s := range e.Streams {
		if s.Evidence == string(manifest.Inferred) {
			streams++
		}
	}
	for _, v := range e.Variables {
		if v.inferred() {
			variables++
		}
	}
	if streams+variables == 0 {
		return e.Evidence
	}
	return fmt.Sprintf("%s; inferred: %s, %s", e.Evidence, counted(streams, "stream"), counted(variables, "variable"))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (s settingEntry) inferred() bool { return s.Evidence == string(manifest.Inferred) }

// printNetwork prints everything that an account at the network needs.
func printNetwork(out io.Writer, e *networkEntry) {
	fmt.Fprintf(out, "%s (network: %s), %s\n", e.Title, e.Name, e.evidence())
	if e.Docs != "" {
		fmt.Fprintln(out, e.Docs)
	}
	fmt.Fprintf(out, "reach: %s\n", e.ReachWords)
	for _, u := range e.Units {
		fmt.Fprintf(out, "unit %s: %s\n", u.Name, u.Help)
	}
	switch {
	case e.OwnHost:
		fmt.Fprintln(out, "base_url: must be set, every customer has a host of its own")
	case e.BaseURL != "":
		fmt.Fprintf(out, "base_url: %s\n", e.BaseURL)
	}
	if len(e.Roles) > 0 && len(e.Streams) > 0 {
		fmt.Fprintf(out, "role: %s\n", strings.Join(e.Roles, " or "))
	}
	if e.OwnZone {
		fmt.Fprintf(out, "timezone: the platform's, as in variable %s: its reports are cut by those days\n", e.ZoneVariable)
	}
	if len(e.Streams) > 0 {
		fmt.Fprintf(out, "pace: %s\n", e.pace())
	}
	if x := e.Exports; x != nil {
		fmt.Fprintf(out, "exports: a file is asked for, looked for after %s and at last every %s, and given up after %s;\n", x.FirstLook, x.LastLooks, x.Deadline)
		fmt.Fprintf(out, "  one of the last %s is taken over; a range with too many rows is halved, down to %s\n", x.Reuse, x.MinRange)
	}
	printSettings(out, "credentials", e.Credentials)
	printSettings(out, "variables", e.Variables)
	if len(e.Streams) > 0 {
		e.printStreams(out)
		e.printInferred(out)
	}
	e.printPostback(out)
}

func (e *networkEntry) printStreams(out io.Writer) {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STREAM\tROLES\tTABLES\tWINDOW\tROUTES\tSCHEDULE\tRESTATED\tEVIDENCE\tWHAT")
	for i := range e.Streams {
		s := &e.Streams[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, strings.Join(s.Roles, " "), strings.Join(s.Tables, " "),
			s.windowText(), s.routesText(), s.Schedule, strings.Join(s.Restate, ", "), s.Evidence, s.note())
	}
	_ = w.Flush() // an error of out is told by whoever prints on it next
}

func (s *streamEntry) windowText() string {
	text := cmp.Or(s.Window, "all at once")
	switch s.Zone {
	case string(manifest.ZoneUTC):
		text += " of UTC"
	case string(manifest.ZonePlatform):
		text += " of the platform"
	}
	if s.MaxAge != "" {
		text += ", " + s.MaxAge + " back at most"
	}
	if s.Settle != "" {
		text += ", older than " + s.Settle
	}
	if s.Changes {
		text += " + changes"
	}
	return text
}

func (s *streamEntry) routesText() string {
	text := strings.Join(s.Routes, ", ")
	if s.MaxRows > 0 {
		text += " (" + plan.Count(s.MaxRows) + " rows a file)"
	}
	return text
}

func (s *streamEntry) note() string {
	text := s.Doc
	if s.ForEach != "" {
		text += " Asked for each of: " + s.ForEach + "."
	}
	if len(s.Slices) > 0 {
		text += " Slices: " + strings.Join(s.Slices, ", ") + "."
	}
	switch {
	case len(s.Needs) > 0:
		text += " (off without variables " + strings.Join(s.Needs, ", ") + ")"
	case !s.Default:
		text += " (off by default)"
	}
	if s.Optional != "" {
		text += " (perhaps not there: " + s.Optional + ")"
	}
	return text
}

// printInferred says of which stream's trouble which variable may be the cause.
func (e *networkEntry) printInferred(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	said := false
	line := func(what string, variables []string) {
		if len(variables) == 0 {
			return
		}
		if !said {
			fmt.Fprintln(out, "\ninferred variables, by the streams that rest on them; syncd check --streams asks each stream for a page:")
			said = true
		}
		fmt.Fprintf(w, "  %s\t%s\n", what, strings.Join(variables, " "))
	}
	for _, s := range e.Streams {
		name := s.Name
		if len(s.Roles) < len(e.Roles) {
			name += " (" + strings.Join(s.Roles, " ") + ")"
		}
		line(name, s.Inferred)
		line(name+", export", s.InferredExport)
	}
	_ = w.Flush() // an error of out is told by whoever prints on it next
}

func printSettings(out io.Writer, title string, settings []settingEntry) {
	if len(settings) == 0 {
		return
	}
	fmt.Fprintf(out, "%s:\n", title)
	for _, s := range settings {
		fmt.Fprintf(out, "  %s: %s%s\n", s.Name, s.Help, s.note())
	}
}

func (s settingEntry) note() string {
	var notes []string
	if len(s.Words) > 0 {
		notes = append(notes, "one of "+strings.Join(s.Words, ", "))
	}
	switch {
	case s.Required:
		notes = append(notes, "required")
	case s.Default != "":
		notes = append(notes, "default "+s.Default)
	}
	text := ""
	if len(notes) > 0 {
		text = " (" + strings.Join(notes, "; ") + ")"
	}
	if s.inferred() {
		text += " (inferred: no public document says so)"
	}
	return text
}
