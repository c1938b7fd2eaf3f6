package manifest

import (
	"maps"
	"slices"
	"time"

	"syncd/internal/strictyaml"
	"syncd/schema/normalize"
)

// exportScope says how much is known of an export where a template stands.
type exportScope int

const (
	// exportAsked: what it shall be.
	exportAsked exportScope = iota + 1
	// exportNamed: its id as well.
	exportNamed
	// exportWritten: the name of its file as well.
	exportWritten
)

// lacksExport says in words what p would need to have a value; empty if it has one.
func (s scope) lacksExport(p Placeholder) string {
	switch {
	case !p.OfExport():
	case s.export == 0:
		return "to stand in a call about an export"
	case p == ExportID && s.export < exportNamed:
		return "to stand under exports.get or exports.sign"
	case p == ExportArtifact && s.export < exportWritten:
		return "to stand under exports.sign"
	}
	return ""
}

// checkExports checks what is said of the exports of the whole network.
func (c *checker) checkExports() {
	x := c.network.Exports
	if x == nil {
		return
	}
	if !slices.ContainsFunc(c.network.Streams, func(s *Stream) bool { return s.Export != nil }) {
		c.headf("exports", "no stream has an export")
	}
	c.checkExportCall("exports.list.request", x.List.Request, exportAsked)
	get := c.checkExportCall("exports.get.request", x.Get.Request, exportNamed)
	sign := c.checkExportCall("exports.sign.request", x.Sign.Request, exportWritten)
	if !get[ExportID] {
		c.headf("exports.get.request", "it does not say which export: {export.id} is missing")
	}
	if !sign[ExportID] && !sign[ExportArtifact] {
		c.headf("exports.sign.request", "it does not say which file: {export.artifact} or {export.id} is missing")
	}
	if x.Sign.URL == "" {
		c.headf("exports.sign", "exports.sign needs url, the path of the link")
	}
	c.checkExportList(x.List.Paging)
	for _, at := range []struct {
		name  string
		paths normalize.Paths
	}{{"id", x.Object.ID}, {"status", x.Object.Status}, {"total", x.Object.Total}, {"created", x.Object.Created}} {
		if len(at.paths) == 0 {
			c.headf("exports.object", "exports.object needs %s", at.name)
		}
	}
	c.checkSame(x.Same)
	c.checkStates(x.States)
	c.checkExportTimes(x)
	if x.Budget != "" && !slices.ContainsFunc(c.network.Pace.Quotas, func(q Quota) bool { return q.Name == x.Budget && q.For == QuotaExports }) {
		c.headf("exports.budget", "pace has no quota %s for exports", x.Budget)
	}
}

// checkExportCall checks a request of the whole network and gives the placeholders it uses.
func (c *checker) checkExportCall(path string, r Request, known exportScope) map[Placeholder]bool {
	has := scope{window: true, item: true, export: known}
	used := c.checkRequest(c.headf, path, r, has)
	c.checkPathVariable(c.headf, path, r, "the network", nil, has, used)
	return used
}

func (c *checker) checkExportList(p Paging) {
	const path = "exports.list.paging"
	switch {
	case p.Kind != PagingNone && p.Kind != PagingPage:
		c.headf(path, "the list of exports is paged by page or not at all")
	case p.Kind == PagingPage && (p.Param == "" || p.Size <= 0):
		c.headf(path, "the list of exports needs a param and a size above zero: a page that is not full is its end")
	}
	if len(p.Stop) > 0 {
		c.headf(path, "the list of exports has no stop rules: a page that is not full is its end")
	}
}

// checkSame finds a comparison that would take the export of one range for another's.
func (c *checker) checkSame(same map[string]string) {
	const path = "exports.same"
	used := map[Placeholder]bool{}
	for _, key := range slices.Sorted(maps.Keys(same)) {
		c.checkVariablesIn(c.headf, strictyaml.Key(path, key), key)
		c.checkTemplate(c.headf, strictyaml.Key(path, key), same[key], scope{window: true, item: true, export: exportAsked}, used)
	}
	if !asksFrom(used) || !asksTo(used) {
		c.headf("exports", "exports.same does not compare where the range begins and ends: an export of another range would be taken over")
	}
	if !used[Item] && slices.ContainsFunc(c.network.Streams, func(s *Stream) bool { return s.Export != nil && s.ForEach != nil }) {
		c.headf("exports", "exports.same does not compare {item}: an export of another item would be taken over")
	}
}

func asksFrom(used map[Placeholder]bool) bool {
	return used[WindowFromTime] || used[WindowFromUnix] || used[WindowFromDay]
}

func asksTo(used map[Placeholder]bool) bool {
	return used[WindowToTime] || used[WindowToUnix] || used[WindowToDay]
}

func (c *checker) checkStates(s ExportStates) {
	if len(s.Done) == 0 || len(s.Failed) == 0 {
		c.headf("exports.states", "exports.states needs the words for done and failed")
	}
	seen := map[string]bool{}
	for _, words := range [][]string{s.Open, s.Done, s.Failed, s.Canceled} {
		for _, w := range words {
			if seen[w] {
				c.headf("exports.states", "the word %s is listed twice", w)
			}
			seen[w] = true
		}
	}
}

func (c *checker) checkExportTimes(x *Exports) {
	p := x.Poll
	if p.First < time.Second || p.Max < p.First || p.Factor < 1 || p.Deadline < p.Max {
		c.headf("exports.poll", "pauses are of a second at least and grow: first, then max, then deadline, and a factor of 1 or more")
	}
	if x.CoolDown < 0 || x.Reuse < 0 || x.MinRange < time.Second {
		c.headf("exports", "cool_down and reuse cannot be negative, and min_range is a second at least")
	}
	if x.ReuseVariable != "" {
		c.checkVariable(c.headf, "exports.reuse_variable", x.ReuseVariable)
	}
}

// checkVariablesIn checks a text in which variables may stand and nothing else.
func (c *checker) checkVariablesIn(report reporter, path, text string) {
	t, err := ParseTemplate(text)
	if err != nil {
		report(path, "%v", err)
		return
	}
	for _, part := range t {
		if name, ok := part.Placeholder.Variable(); ok {
			c.checkVariable(report, path, name)
		} else if part.Placeholder != "" {
			report(path, "{%s} cannot stand here, only {variable.NAME} can", part.Placeholder)
		}
	}
}

// checkExport checks how a stream is had by exports and gives the placeholders that
// its creation uses.
func (c *checker) checkExport(report reporter, s located, has scope) map[Placeholder]bool {
	x := s.Export
	if x == nil {
		return nil
	}
	if c.network.Exports == nil {
		report("export", "stream %s has an export, and the network has no exports", s.Name)
	}
	if s.Window == nil {
		report("export", "stream %s has no window; an export is of a range of time", s.Name)
	}
	if s.ForEach != nil && s.ForEach.Batch > 1 {
		report("export", "an export is of one item, and stream %s has batches of them", s.Name)
	}
	if s.exportOnly() && (s.Request.Path != "" || s.Request.PathVariable != "" || len(s.Request.Query) > 0) {
		report("request", "stream %s is had by exports only: it has no request", s.Name)
	}
	has.export = exportAsked
	used := c.checkRequest(report, "export.create", x.Create, has)
	c.checkPathVariable(report, "export.create", x.Create, "stream "+s.Name, s.Needs, has, used)
	if s.Window != nil && (!asksFrom(used) || !asksTo(used)) {
		report("export.create", "stream %s has a window whose beginning and end its export does not ask for", s.Name)
	}
	if f := s.ForEach; f != nil && len(f.Columns) == 0 && !used[Item] {
		report("export.create", "stream %s is for each of a list that its export does not ask for", s.Name)
	}
	c.checkExportWords(report, x, used)
	c.checkExportColumns(report, s)
	return used
}

func (c *checker) checkExportWords(report reporter, x *Export, used map[Placeholder]bool) {
	if x.Method != "GET" && x.Method != "POST" {
		report("export.method", "%q is not a method for an export: POST and GET are", x.Method)
	}
	for _, v := range []struct{ path, name string }{{"method_variable", x.MethodVariable}, {"max_rows_variable", x.MaxRowsVariable}} {
		if v.name != "" {
			c.checkVariable(report, "export."+v.path, v.name)
		}
	}
	c.checkVariablesIn(report, "export.type", x.Type)
	c.checkVariablesIn(report, "export.delimiter", x.Delimiter)
	if x.Type == "" && used[ExportType] {
		report("export", "{export.type} is asked for, and the export has no type")
	}
	if x.MaxRows < 0 {
		report("export.max_rows", "a number of rows cannot be negative")
	}
	for i, f := range x.Fields {
		if f == "" || slices.Contains(x.Fields[:i], f) {
			report(strictyaml.Item("export.fields", i), "a field is empty or listed twice")
		}
	}
}

// checkExportColumns checks the columns as they are in a file.
func (c *checker) checkExportColumns(report reporter, s located) {
	if _, err := normalize.Compile(s.Output.Resolve(func(name string) string { return name })); err != nil {
		return // said of the stream's own columns
	}
	c.checkOutput(func(_, format string, args ...any) { report("export.columns", format, args...) }, "", s.ExportOutputs()[0])
}
