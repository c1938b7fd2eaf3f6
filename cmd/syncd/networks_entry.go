package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"syncd/extractors/manifest"
	"syncd/internal/strictyaml"
)

// networkEntry is a network as the catalogue shows it. Durations are written as in a
// configuration.
type networkEntry struct {
	Name     string `json:"network"`
	Title    string `json:"title"`
	Docs     string `json:"docs"`
	Evidence string `json:"evidence"`
	// Reach is how far syncd gets, in a word and in words.
	Reach      string `json:"reach"`
	ReachWords string `json:"reach_in_words"`
	// Units are what traffic is sent to.
	Units   []unitEntry `json:"units,omitempty"`
	BaseURL string      `json:"base_url,omitempty"`
	// OwnHost says that the account must give base_url.
	OwnHost  bool     `json:"needs_base_url"`
	Roles    []string `json:"roles,omitempty"`
	MinDelay string   `json:"min_delay"`
	Parallel int      `json:"parallel"`
	// Quotas are the budgets of calls that the network states.
	Quotas []quotaEntry `json:"quotas,omitempty"`
	// ZoneVariable is the variable with the platform's zone; OwnZone says that reports are cut
	// by its days, so that the account's timezone has to be the same.
	ZoneVariable string         `json:"zone_variable,omitempty"`
	OwnZone      bool           `json:"needs_platform_timezone"`
	Exports      *exportsEntry  `json:"exports,omitempty"`
	Credentials  []settingEntry `json:"credentials"`
	Variables    []settingEntry `json:"variables,omitempty"`
	Streams      []streamEntry  `json:"streams"`
	Postback     *postbackEntry `json:"postback"`
}

// quotaEntry is a budget of calls; For is empty if all calls count against it.
type quotaEntry struct {
	Name  string `json:"name"`
	Calls int    `json:"calls"`
	Per   string `json:"per"`
	For   string `json:"for,omitempty"`
}

// exportsEntry is how a network writes files of records.
type exportsEntry struct {
	Budget    string `json:"budget,omitempty"`
	FirstLook string `json:"first_look"`
	LastLooks string `json:"last_looks"`
	Deadline  string `json:"deadline"`
	Reuse     string `json:"reuse"`
	MinRange  string `json:"min_range"`
}

type settingEntry struct {
	Name     string   `json:"name"`
	Help     string   `json:"help"`
	Kind     string   `json:"kind,omitempty"`
	Words    []string `json:"words,omitempty"`
	Default  string   `json:"default,omitempty"`
	Required bool     `json:"required"`
	Evidence string   `json:"evidence,omitempty"`
}

type streamEntry struct {
	Name   string   `json:"stream"`
	Doc    string   `json:"doc"`
	Roles  []string `json:"roles,omitempty"`
	Tables []string `json:"tables"`
	// Window is the step of the time axis and Zone whose calendar it follows; both are
	// empty for a stream that is pulled whole.
	Window string `json:"window,omitempty"`
	Zone   string `json:"zone,omitempty"`
	MaxAge string `json:"max_age,omitempty"`
	Settle string `json:"settle,omitempty"`
	// Routes are the ways to the rows: report, page by page, and export, as a file.
	Routes   []string `json:"routes"`
	MaxRows  int64    `json:"max_rows_per_file,omitempty"`
	Changes  bool     `json:"changes"`
	ForEach  string   `json:"for_each,omitempty"`
	Slices   []string `json:"slices,omitempty"`
	Schedule string   `json:"schedule"`
	Restate  []string `json:"restate,omitempty"`
	Default  bool     `json:"enabled_by_default"`
	Needs    []string `json:"needs,omitempty"`
	Optional string   `json:"optional,omitempty"`
	Evidence string   `json:"evidence"`
	// Inferred are the variables that the stream rests on and whose values no document
	// says, InferredExport those that its files rest on.
	Inferred       []string `json:"inferred,omitempty"`
	InferredExport []string `json:"inferred_export,omitempty"`
}

func entryOf(n *manifest.Network) networkEntry {
	e := networkEntry{
		Name: n.Name, Title: n.Title, Docs: n.Docs, Evidence: string(n.Evidence), BaseURL: n.BaseURL, Roles: n.Roles,
		Reach: string(cmp.Or(n.Reach, manifest.ReachVerified)), ReachWords: n.Reach.Words(), OwnHost: needsHost(n), Postback: postbackEntryOf(n),
		MinDelay: strictyaml.FormatDuration(n.Pace.MinDelay), Parallel: max(n.Pace.Parallel, 1), ZoneVariable: n.ZoneVariable,
	}
	for _, u := range n.Units {
		e.Units = append(e.Units, unitEntry(u))
	}
	for _, q := range n.Pace.Quotas {
		e.Quotas = append(e.Quotas, quotaEntry{Name: q.Name, Calls: q.Calls, Per: strictyaml.FormatDuration(q.Per), For: string(q.For)})
	}
	if x := n.Exports; x != nil {
		e.Exports = &exportsEntry{
			Budget: x.Budget, FirstLook: strictyaml.FormatDuration(x.Poll.First), LastLooks: strictyaml.FormatDuration(x.Poll.Max),
			Deadline: strictyaml.FormatDuration(x.Poll.Deadline), Reuse: strictyaml.FormatDuration(x.Reuse), MinRange: strictyaml.FormatDuration(x.MinRange),
		}
	}
	for _, name := range sortedKeys(n.Credentials) {
		c := n.Credentials[name]
		e.Credentials = append(e.Credentials, settingEntry{Name: name, Help: c.Help, Required: !c.Optional})
	}
	for _, name := range sortedKeys(n.Variables) {
		v := n.Variables[name]
		e.Variables = append(e.Variables, settingEntry{
			Name: name, Help: v.Help, Kind: string(v.Kind), Words: v.Words, Default: v.Default, Required: v.Required, Evidence: string(v.Evidence),
		})
	}
	for _, s := range n.Streams {
		e.Streams = append(e.Streams, streamEntryOf(n, s))
		e.OwnZone = e.OwnZone || s.Window != nil && s.Window.Zone == manifest.ZonePlatform
	}
	return e
}

// openText names the open leads that a stream asks for; empty for none.
func openText(by manifest.OpenLeads) string {
	switch by {
	case manifest.OpenByNetworkID:
		return "open leads, by the network's id"
	case manifest.OpenByOwnID:
		return "open leads, by your own id"
	}
	return ""
}

// needsHost reports whether an account must give the address of the network's API.
func needsHost(n *manifest.Network) bool {
	return n.BaseURL == "" && slices.ContainsFunc(n.Streams, func(s *manifest.Stream) bool { return s.Request.URLVariable == "" })
}

func streamEntryOf(n *manifest.Network, s *manifest.Stream) streamEntry {
	e := streamEntry{
		Name: s.Name, Doc: s.Doc, Roles: s.Roles, Changes: s.Changes != nil, Schedule: s.Schedule, Optional: s.Optional,
		Default: !s.Disabled && len(s.Needs) == 0, Needs: s.Needs, Evidence: string(cmp.Or(s.Evidence, n.Evidence)),
		InferredExport: n.InferredOfExport(s),
	}
	if e.Roles == nil {
		e.Roles = n.Roles
	}
	for _, out := range s.Outputs() {
		if !slices.Contains(e.Tables, out.Table) {
			e.Tables = append(e.Tables, out.Table)
		}
	}
	if s.Export == nil || !s.Export.Only {
		e.Inferred = n.InferredOf(s)
		e.Routes = append(e.Routes, "report")
	}
	if s.Export != nil {
		e.Routes = append(e.Routes, "export")
		e.MaxRows = s.Export.MaxRows
		if rows, err := strconv.ParseInt(n.Variables[s.Export.MaxRowsVariable].Default, 10, 64); err == nil {
			e.MaxRows = rows
		}
	}
	if w := s.Window; w != nil {
		e.Window, e.Zone = string(w.Step), string(cmp.Or(w.Zone, manifest.ZoneAccount))
		e.MaxAge = cmp.Or(n.Variables[w.MaxAgeVariable].Default, durationText(w.MaxAge))
		e.Settle = cmp.Or(n.Variables[w.SettleVariable].Default, durationText(w.Settle))
	}
	if s.ForEach != nil {
		e.ForEach = cmp.Or(s.ForEach.Stream, s.ForEach.Variable, strings.Join(s.ForEach.Values, ","), openText(s.ForEach.OpenLeads))
	}
	if s.Slices != nil {
		e.Slices = slices.Concat(s.Slices.Allowed, s.Slices.AdminOnly)
	}
	for _, t := range s.Restate {
		e.Restate = append(e.Restate, tierText(t.Last, t.Every))
	}
	return e
}
