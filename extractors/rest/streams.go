package rest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/internal/strictyaml"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

// streams builds every stream that is on, and finds the settings that fit none.
func (b *builder) streams() {
	used := map[string]bool{}
	for _, m := range b.readable {
		names := []string{m.Name}
		if m.Slices != nil {
			names = append(names, b.further(m)...)
		}
		for _, name := range names {
			used[name] = true
			b.stream(m, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.account.Streams)) {
		if !used[name] {
			b.unknownStream(name)
		}
	}
}

// further gives the names under which the account has a report beside its own.
func (b *builder) further(m *manifest.Stream) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(b.account.Streams)) {
		if found, ok := b.network.Stream(b.source.role, name); ok && found == m && name != m.Name {
			names = append(names, name)
		}
	}
	return names
}

func (b *builder) unknownStream(name string) {
	path := "streams." + name
	for _, role := range b.network.Roles {
		if _, ok := b.network.Stream(role, name); ok {
			b.wrong(path, "role %s does not read this stream, role %s does", b.source.role, role)
			return
		}
	}
	names := make([]string, len(b.readable))
	for i, m := range b.readable {
		names[i] = m.Name
	}
	b.wrong(path, "%s has no stream of this name%s", b.network.Title, suggestOf(name, names))
}

// stream builds the stream m under a name, if it is on.
func (b *builder) stream(m *manifest.Stream, name string) {
	settings := b.account.Streams[name]
	path := "streams." + name
	variables := b.merge(path+".variables", b.variables, settings.Variables)
	words := b.slices(path+".slices", m, settings.Slices)
	if m.Window == nil && !(m.ForEach != nil && m.ForEach.OpenLeads != "") && len(settings.Restate) > 0 {
		b.wrong(path+".restate", "the stream has no time axis: it is pulled whole every time")
	}

	asked := settings.Enabled != nil && *settings.Enabled
	if settings.Enabled != nil && !*settings.Enabled || settings.Enabled == nil && m.Disabled {
		return
	}
	for _, need := range m.Needs {
		if variables[need] != "" {
			continue
		}
		if asked {
			b.wrong(path, "the stream needs the variable %s: %s", need, strings.TrimSuffix(b.network.Variables[need].Help, "."))
		}
		return
	}
	if m.Request.URLVariable != "" {
		if variables[m.Request.URLVariable] == "" {
			if asked {
				b.wrong(path, "the stream needs the variable %s: %s", m.Request.URLVariable, strings.TrimSuffix(b.network.Variables[m.Request.URLVariable].Help, "."))
			}
			return
		}
		m = b.ownAddress(name, m, variables)
	} else if missing := b.lacksCredential(); missing != "" {
		if asked {
			b.wrong(path, "the stream needs the credential %s: %s", missing, strings.TrimSuffix(b.network.Credentials[missing].Help, "."))
		}
		return
	}
	forEach, ok := forEachRule(m.ForEach, variables)
	if !ok {
		if asked {
			b.wrong(path, "the stream needs the variable %s: %s", m.ForEach.Variable, strings.TrimSuffix(b.network.Variables[m.ForEach.Variable].Help, "."))
		}
		return
	}

	m = b.concrete(name, counted(m, variables), variables)
	p := b.compile(name, direct(m), variables)
	p.slices = words
	p.size = b.size(name, m.Paging, variables)
	st := &extractors.Stream{
		Name: name, Doc: m.Doc, Evidence: string(m.Evidence),
		Window: b.window(name, m.Window, variables), ForEach: forEach,
		Schedule: m.Schedule, Restate: restate(m.Restate),
		Start:     b.account.Start,
		PageSize:  p.size,
		Totals:    totals(m.Totals),
		Outputs:   outputs(m, name, b.zone(name, m, variables)),
		Variables: variables,
	}
	if settings.Schedule != "" {
		st.Schedule = settings.Schedule
	}
	if len(settings.Restate) > 0 {
		st.Restate = settings.Restate
	}
	if forEach != nil && forEach.OpenLeads != "" {
		forEach.Poll = pollRule(st.Restate, m.Settled)
	}
	if !settings.Start.IsZero() {
		st.Start = settings.Start
	}
	if c := m.Changes; c != nil && slices.Contains(c.Roles, b.source.role) {
		st.Changes, st.ChangesOverlap = true, c.Overlap
	}
	if st.Window != nil {
		p.zone, p.settle = st.Window.Location, st.Window.Settle
	}
	p.stream = st
	b.export(m, st, p)
	b.source.streams = append(b.source.streams, st)
	b.source.plans[name] = p
}

// slices gives the words that a report is sliced by, the ones that are always
// sent first.
func (b *builder) slices(path string, m *manifest.Stream, chosen []string) []string {
	if m.Slices == nil {
		if len(chosen) > 0 {
			b.wrong(path, "the stream takes no slices")
		}
		return nil
	}
	first := b.source.role == b.network.Roles[0]
	words := slices.Clone(m.Slices.Always)
	if len(chosen) == 0 {
		for _, word := range m.Slices.Default {
			if !slices.Contains(words, word) && (first || !slices.Contains(m.Slices.AdminOnly, word)) {
				words = append(words, word)
			}
		}
		return words
	}
	known := slices.Concat(m.Slices.Allowed, m.Slices.AdminOnly)
	for i, word := range chosen {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case !slices.Contains(known, word):
			b.wrong(at, "%s knows no slice %q%s", b.network.Title, word, suggestOf(word, known))
		case !first && slices.Contains(m.Slices.AdminOnly, word):
			b.wrong(at, "role %s may not slice by %s", b.source.role, word)
		case slices.Contains(chosen[:i], word):
			b.wrong(at, "slice %s is listed twice", word)
		case !slices.Contains(words, word):
			words = append(words, word)
		}
	}
	return words
}

// size is the number of records that a page is asked for; 0 leaves it to the network.
func (b *builder) size(stream string, p manifest.Paging, variables map[string]string) int {
	text := variables[p.SizeVariable]
	if p.SizeVariable == "" || text == "" {
		return p.Size
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > sizeMax {
		b.wrongVariable(stream, p.SizeVariable, "%q is not a number of records between 1 and %d", text, sizeMax)
	}
	return n
}

func (b *builder) window(stream string, w *manifest.Window, variables map[string]string) *extractors.WindowRule {
	if w == nil {
		return nil
	}
	age := w.MaxAge
	if text := variables[w.MaxAgeVariable]; w.MaxAgeVariable != "" && text != "" {
		var err error
		if age, err = strictyaml.ParseDuration(text); err != nil || age < 0 {
			b.wrongVariable(stream, w.MaxAgeVariable, "%q is not an age such as 7d, or 0s for no limit", text)
		}
	}
	settle := w.Settle
	if text := variables[w.SettleVariable]; w.SettleVariable != "" && text != "" {
		var err error
		if settle, err = strictyaml.ParseDuration(text); err != nil || settle < 0 {
			b.wrongVariable(stream, w.SettleVariable, "%q is not a time such as 10m, or 0s for none", text)
		}
	}
	location := b.source.location
	if w.Zone == manifest.ZoneUTC {
		location = time.UTC
	}
	if w.Zone == manifest.ZonePlatform {
		b.platformZone(variables[b.network.ZoneVariable])
	}
	return &extractors.WindowRule{
		By: w.By, Step: extractors.Step(w.Step), Location: location, MaxAge: age, Settle: settle,
	}
}

// platformZone refuses an account whose report days are not the platform's: a window
// would hold parts of two of them.
func (b *builder) platformZone(zone string) {
	if own := b.source.location.String(); zone != "" && zone != own {
		b.wrong("timezone", "the days of %s's reports are those of %s, the account's of %s: make timezone %s, or the variable %s what it is in truth",
			b.network.Title, zone, own, zone, b.network.ZoneVariable)
	}
}

// zone gives the zone of the local times in a stream's answers, if it is not the
// account's: that which the call names, or else the platform's.
func (b *builder) zone(stream string, m *manifest.Stream, variables map[string]string) string {
	for _, values := range m.Request.Query {
		switch {
		case slices.Contains(values, "{account.timezone}"):
			return ""
		case slices.Contains(values, "{window.zone}") && m.Window.Zone == manifest.ZoneUTC:
			return "utc"
		case slices.Contains(values, "{window.zone}"):
			return ""
		}
	}
	name := b.network.ZoneVariable
	if name == "" || variables[name] == "" {
		return ""
	}
	if _, err := time.LoadLocation(variables[name]); err != nil || variables[name] == "Local" {
		b.wrongVariable(stream, name, "%q is not an IANA time zone such as Europe/Moscow", variables[name])
		return ""
	}
	return variables[name]
}

// variablePath is where the value of a variable that a stream uses was written.
func (b *builder) variablePath(stream, name string) string {
	if _, own := b.account.Streams[stream].Variables[name]; own {
		return "streams." + stream + ".variables." + name
	}
	return "variables." + name
}

// forEachRule gives the list that a stream's calls go over. It reports false if
// the list is an account's variable and empty: the stream has nothing to ask.
func forEachRule(f *manifest.ForEach, variables map[string]string) (*extractors.ForEachRule, bool) {
	if f == nil {
		return nil, true
	}
	rule := &extractors.ForEachRule{
		Stream: f.Stream, Columns: columnsOf(f), Values: f.Values, OpenLeads: state.LeadID(f.OpenLeads), Batch: max(f.Batch, 1),
	}
	if f.Variable != "" {
		for item := range strings.SplitSeq(variables[f.Variable], ",") {
			if item = strings.TrimSpace(item); item != "" && !slices.Contains(rule.Values, item) {
				rule.Values = append(rule.Values, item)
			}
		}
		return rule, len(rule.Values) > 0
	}
	return rule, true
}

// pollRule gives how often open leads are asked for.
func pollRule(tiers []extractors.TierRule, settled time.Duration) state.PollRule {
	rule := state.PollRule{Settled: cmp.Or(settled, manifest.SettledDefault)}
	for _, t := range tiers {
		rule.Tiers = append(rule.Tiers, state.PollTier{Last: t.Last, Every: t.Every})
	}
	return rule
}

// concrete gives the stream with the paths that the account says.
func (b *builder) concrete(stream string, m *manifest.Stream, variables map[string]string) *manifest.Stream {
	names := m.Output.Variables()
	for _, also := range m.Also {
		names = append(names, also.Variables()...)
	}
	if len(names) == 0 {
		return m
	}
	value := func(name string) string { return variables[name] }
	made := *m
	made.Output = m.Output.Resolve(value)
	made.Also = slices.Clone(m.Also)
	for i := range made.Also {
		made.Also[i] = made.Also[i].Resolve(value)
	}
	for _, spec := range made.Outputs() {
		if _, err := normalize.Compile(spec); err != nil {
			b.wrongVariable(stream, names[0], "the paths in %s do not fit: %v", strings.Join(names, ", "), err)
		}
	}
	return &made
}

func restate(tiers []manifest.Tier) []extractors.TierRule {
	rules := make([]extractors.TierRule, len(tiers))
	for i, t := range tiers {
		rules[i] = extractors.TierRule{Last: t.Last, Every: t.Every}
	}
	return rules
}

func totals(all []manifest.Total) []extractors.Total {
	var totals []extractors.Total
	for _, t := range all {
		tolerance, err := t.Amount()
		if err != nil {
			continue // a checked manifest has none
		}
		totals = append(totals, extractors.Total{Path: t.Path, Column: t.Column, Tolerance: tolerance, Pull: t.Of == manifest.TotalOfPull})
	}
	return totals
}

// outputs gives the tables of a stream. Tables that many streams fill have a column
// that tells them apart; its value is the stream's name unless the manifest says another.
func outputs(m *manifest.Stream, name, zone string) []extractors.Output {
	var outputs []extractors.Output
	for i, spec := range m.Outputs() {
		table, ok := schema.Lookup(spec.Table)
		if !ok {
			continue // a checked manifest names none but these
		}
		spec.Columns = maps.Clone(spec.Columns)
		if spec.Columns == nil {
			spec.Columns = map[string]normalize.Field{}
		}
		out := extractors.Output{Table: table, Scope: map[string]string{}, Leads: m.Leads && i == 0}
		if table.Index("stream") >= 0 {
			// Normalization fills it with the stream's name by itself.
			out.Scope["stream"] = cmp.Or(spec.Columns["stream"].Const, name)
		}
		if table.Index("report") >= 0 {
			report := spec.Columns["report"].Const
			if report == "" || m.Slices != nil {
				// A report under several names is one template: each name is its own report.
				report = name
			}
			spec.Columns["report"] = normalize.Field{Const: report}
			out.Scope["report"] = report
		}
		for column, field := range spec.Columns {
			if i := table.Index(column); zone != "" && field.Zone == "" && i >= 0 && table.Columns[i].Type == schema.Time && len(field.From) > 0 {
				field.Zone = zone
				spec.Columns[column] = field
			}
		}
		// A constant column tells a stream's rows from those of another stream in the
		// same table: what the one does not bring has not vanished from the other.
		for column, field := range spec.Columns {
			if field.Const != "" {
				out.Scope[column] = field.Const
			}
		}
		out.Spec = spec
		outputs = append(outputs, out)
	}
	return outputs
}

// columnsOf gives the columns that a for-each goes over; nil if it goes over a list.
func columnsOf(f *manifest.ForEach) []string {
	if f.Column == "" {
		return f.Columns
	}
	return []string{f.Column}
}

// counted gives the stream with the kind of paging that the account chose.
func counted(m *manifest.Stream, variables map[string]string) *manifest.Stream {
	kind := manifest.PagingKind(variables[m.Paging.KindVariable])
	if m.Paging.KindVariable == "" || kind == "" || kind == m.Paging.Kind {
		return m
	}
	chosen := *m
	chosen.Paging.Kind = kind
	if kind == manifest.PagingOffset {
		chosen.Paging.Stop = slices.DeleteFunc(slices.Clone(m.Paging.Stop), func(s manifest.Stop) bool { return s == manifest.StopLastPage })
	}
	return &chosen
}
