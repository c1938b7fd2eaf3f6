package manifest

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/robfig/cron/v3"

	"syncd/internal/strictyaml"
	"syncd/schema"
	"syncd/schema/normalize"
)

// report records a mistake of a stream; path is relative to it.
func (s located) report(c *checker, path, format string, args ...any) {
	full := strictyaml.Item("streams", s.index)
	if path != "" {
		full += "." + path
	}
	c.problems = append(c.problems, s.at.Problem(full, format, args...))
}

// checkStream gives the mistakes of one stream.
func (c *checker) checkStream(s located) {
	report := func(path, format string, args ...any) { s.report(c, path, format, args...) }
	if !streamPattern.MatchString(s.Name) {
		report("name", "%q is not a name for a stream; use lower case words joined by _ and /", s.Name)
	}
	if s.Doc == "" {
		report("", "stream %s needs a doc sentence", s.Name)
	}
	for i, r := range s.Roles {
		if !slices.Contains(c.network.Roles, r) {
			report(strictyaml.Item("roles", i), "network %s has no role %s", c.network.Name, r)
		}
	}
	for i, v := range s.Needs {
		c.checkVariable(report, strictyaml.Item("needs", i), v)
	}
	has := scope{window: s.Window != nil, slices: s.Slices != nil}
	if f := s.ForEach; f != nil {
		has.item, has.items, has.columns = f.Batch == 1 && len(f.Columns) == 0, f.Batch > 1, len(f.Columns)
	}
	used := c.checkExport(report, s, has)
	if !s.exportOnly() {
		used = c.checkRequest(report, "request", s.Request, has)
		c.checkPathVariable(report, "request", s.Request, "stream "+s.Name, s.Needs, has, used)
		c.checkAllow(report, "request", s.Request)
		if s.Request.URLVariable == "" || c.network.Variables[s.Request.URLVariable].Default != "" {
			c.checkUse(report, s, used) // of another address it is checked when it is given
		}
	}
	errorText := s.ErrorText
	if len(errorText) == 0 {
		errorText = c.network.ErrorText
	}
	c.checkSuccess(report, s.Success, errorText)
	c.checkWindow(report, s, used)
	c.checkChanges(report, s, has)
	c.checkPaging(report, s)
	c.checkForEach(report, s)
	c.checkLeads(report, s)
	c.checkSlices(report, s.Slices)
	c.checkOutput(report, "", s.Output)
	for i, also := range s.Also {
		c.checkOutput(report, strictyaml.Item("also", i), also)
	}
	c.checkTotals(report, s)
	c.checkSchedule(report, s)
}

// checkUse finds what a stream declares and its request does not use: every window
// would bring everything, every item the same.
func (c *checker) checkUse(report reporter, s located, used map[Placeholder]bool) {
	if s.Window != nil && !used[WindowFromDay] && !used[WindowFromUnix] && !used[WindowFromTime] {
		report("request", "stream %s has a window that its request does not ask for", s.Name)
	}
	if f := s.ForEach; f != nil && len(f.Columns) == 0 && !used[Item] && !used[Items] && !used[ItemsJoined] {
		report("request", "stream %s is for each of a list that its request does not ask for", s.Name)
	} else if f != nil {
		for i, column := range f.Columns {
			if p := ItemColumn(i); !used[p] {
				report("request", "stream %s is for each %s, which its request does not ask for as {%s}", s.Name, column, p)
			}
		}
	}
	if s.Slices != nil && !used[SliceWords] {
		report("request", "stream %s has slices that its request does not ask for", s.Name)
	}
}

func (c *checker) checkWindow(report reporter, s located, used map[Placeholder]bool) {
	w := s.Window
	if w == nil {
		return
	}
	if w.Step == "" {
		report("window", "a window needs a step")
	}
	if w.Zone == ZonePlatform && c.network.ZoneVariable == "" {
		report("window.zone", "the zone of the platform is that of zone_variable, which the network does not have")
	}
	if w.MaxAgeVariable != "" {
		c.checkVariable(report, "window.max_age_variable", w.MaxAgeVariable)
	}
	if w.MaxAge < 0 {
		report("window.max_age", "an age cannot be negative")
	}
	if w.SettleVariable != "" {
		c.checkVariable(report, "window.settle_variable", w.SettleVariable)
	}
	switch {
	case w.Settle < 0:
		report("window.settle", "a time to settle cannot be negative")
	case (w.Settle > 0 || w.SettleVariable != "") && !used[WindowToTime] && !used[WindowToUnix]:
		report("window", "a window that settles needs {window.to_time} or {window.to_unix} in the request: only the end of these can be moved")
	}
	table, ok := schema.Lookup(s.Output.Table)
	if !ok {
		return // said by checkOutput
	}
	i := table.Index(w.By)
	if i < 0 {
		report("window.by", "table %s has no column %s", table.Name, w.By)
		return
	}
	if t := table.Columns[i].Type; t != schema.Time && t != schema.Date {
		report("window.by", "column %s of table %s is no time and no date", w.By, table.Name)
	} else if t == schema.Date && w.Step == StepHour {
		report("window.by", "column %s of table %s is a date, which cannot bound hours", w.By, table.Name)
	}
	if _, filled := s.Output.Columns[w.By]; !filled {
		report("window.by", "stream %s has windows by %s and does not fill it", s.Name, w.By)
	}
}

func (c *checker) checkChanges(report reporter, s located, has scope) {
	ch := s.Changes
	if ch == nil {
		return
	}
	has.window, has.since = false, true
	used := map[Placeholder]bool{}
	c.checkQuery(report, "changes.query", ch.Query, has, used)
	if a := c.network.Allow; a != nil {
		if _, replaced := ch.Query[a.Param]; replaced {
			c.checkAllow(report, "changes", Request{Query: ch.Query})
		}
	}
	if !used[SinceDay] && !used[SinceUnix] {
		report("changes", "stream %s is asked for changes without saying since when", s.Name)
	}
	if ch.Overlap < 0 {
		report("changes.overlap", "an overlap cannot be negative")
	}
	for i, r := range ch.Roles {
		if !slices.Contains(s.Roles, r) {
			report(strictyaml.Item("changes.roles", i), "role %s does not read stream %s", r, s.Name)
		}
	}
}

func (c *checker) checkForEach(report reporter, s located) {
	f := s.ForEach
	if f == nil {
		return
	}
	given := 0
	for _, g := range []bool{f.Stream != "", f.Variable != "", len(f.Values) > 0, f.OpenLeads != ""} {
		if g {
			given++
		}
	}
	if given != 1 {
		report("for_each", "for_each needs exactly one of stream, variable, values and open_leads")
	}
	if f.Variable != "" {
		c.checkVariable(report, "for_each.variable", f.Variable)
	}
	c.checkForEachColumns(report, f)
	if f.Stream == "" {
		return
	}
	if f.Stream == s.Name {
		report("for_each.stream", "stream %s is for each of itself", s.Name)
		return
	}
	for _, role := range s.Roles {
		other, ok := c.network.Stream(role, f.Stream)
		if !ok {
			report("for_each.stream", "role %s has no stream %s", role, f.Stream)
			continue
		}
		if other.ForEach != nil && other.ForEach.Stream != "" {
			report("for_each.stream", "stream %s is itself for each of a stream; lists of lists are not read", f.Stream)
		}
		table, ok := schema.Lookup(other.Output.Table)
		if !ok {
			continue // said by checkOutput
		}
		if len(f.Columns) == 0 && table.Index(f.Column) < 0 {
			report("for_each.column", "stream %s fills table %s, which has no column %q", f.Stream, table.Name, f.Column)
		}
		for i, column := range f.Columns {
			if table.Index(column) < 0 {
				report(strictyaml.Item("for_each.columns", i), "stream %s fills table %s, which has no column %q", f.Stream, table.Name, column)
			}
		}
	}
}

// checkForEachColumns checks an item that is made of several columns.
func (c *checker) checkForEachColumns(report reporter, f *ForEach) {
	if f.Stream == "" && (f.Column != "" || len(f.Columns) > 0) {
		report("for_each", "a column is of a stream's rows: for_each needs the stream")
	}
	if len(f.Columns) == 0 {
		return
	}
	switch {
	case f.Column != "":
		report("for_each.columns", "for_each has either a column or columns")
	case len(f.Columns) < 2 || len(f.Columns) > columnsMax:
		report("for_each.columns", "columns are 2 to %d; write column for one", columnsMax)
	case f.Batch > 1:
		report("for_each.batch", "items of several columns are asked for one by one")
	}
	for i, column := range f.Columns {
		if slices.Contains(f.Columns[:i], column) {
			report(strictyaml.Item("for_each.columns", i), "column %s is listed twice", column)
		}
	}
}

func (c *checker) checkSlices(report reporter, sl *Slices) {
	if sl == nil {
		return
	}
	known := slices.Concat(sl.Allowed, sl.AdminOnly)
	if len(sl.Allowed) == 0 {
		report("slices", "slices needs the words that are allowed")
	}
	for i, w := range known {
		if slices.Contains(known[:i], w) {
			report("slices", "slice %s is listed twice", w)
		}
	}
	for i, w := range sl.Always {
		if !slices.Contains(known, w) {
			report(strictyaml.Item("slices.always", i), "slice %s is not allowed", w)
		}
	}
	for i, w := range sl.Default {
		if !slices.Contains(known, w) {
			report(strictyaml.Item("slices.default", i), "slice %s is not allowed", w)
		}
	}
}

func (c *checker) checkOutput(report reporter, path string, spec normalize.Spec) {
	at := func(key string) string {
		if path == "" {
			return key
		}
		return path + "." + key
	}
	if _, ok := schema.Lookup(spec.Table); !ok {
		names := map[string]bool{}
		for _, t := range schema.Tables() {
			names[t.Name] = true
		}
		report(at("table"), "there is no table %q%s", spec.Table, suggestion(spec.Table, names))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Columns)) {
		if v := spec.Columns[name].Variable; v != "" && !strings.HasPrefix(v, requestPrefix) {
			c.checkVariable(report, at("columns."+name), v)
		}
	}
	for _, name := range spec.Variables() {
		c.checkVariable(report, at("columns"), name)
	}
	// A path that an account gives is taken for one that it could give.
	spec = spec.Resolve(func(name string) string { return cmp.Or(c.network.Variables[name].Default, name) })
	if _, err := normalize.Compile(spec); err != nil {
		for _, e := range each(err) {
			report(at("columns"), "%v", e)
		}
	}
}

// requestPrefix is extractors.RequestPrefix: the names of a page's own parameters,
// which no manifest declares.
const requestPrefix = "request."

func (c *checker) checkSchedule(report reporter, s located) {
	if s.Schedule == "" {
		report("", "stream %s needs a schedule", s.Name)
	} else if _, err := cron.ParseStandard(s.Schedule); err != nil {
		report("schedule", "%q is not a cron line: %v", s.Schedule, err)
	}
	polls := s.ForEach != nil && s.ForEach.OpenLeads != ""
	if s.Window == nil && !polls {
		if len(s.Restate) > 0 {
			report("restate", "stream %s has no window; what has no time axis is always pulled whole", s.Name)
		}
		return
	}
	switch {
	case len(s.Restate) > 0:
	case polls:
		report("", "stream %s asks for open leads, and no restatement tiers say how often", s.Name)
	default:
		report("", "stream %s has a window and no restatement tiers", s.Name)
	}
	for i, t := range s.Restate {
		path := strictyaml.Item("restate", i)
		switch {
		case t.Last <= 0 || t.Every <= 0:
			report(path, "a tier needs last and every above zero")
		case i > 0 && (t.Last <= s.Restate[i-1].Last || t.Every <= s.Restate[i-1].Every):
			report(path, "tiers go from young to old: last and every have to grow")
		case s.Window != nil && s.Window.MaxAge > 0 && t.Last > s.Window.MaxAge:
			report(path, "the network answers for %v only, and the tier reaches further", s.Window.MaxAge)
		}
	}
}
