package manifest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"syncd/schema/normalize"
)

// The placeholders of a call about an export.
const (
	// ExportID is the network's id of the export, in get and sign.
	ExportID Placeholder = "export.id"
	// ExportArtifact is the name of the file that was written, in sign.
	ExportArtifact Placeholder = "export.artifact"
	// ExportType and ExportDelimiter are Export.Type and Export.Delimiter of the stream.
	ExportType      Placeholder = "export.type"
	ExportDelimiter Placeholder = "export.delimiter"
	// ExportFields are the columns that the file shall have, with Exports.Separator between.
	ExportFields Placeholder = "export.fields"
)

// exportPlaceholders are all that stand for something only where an export is asked for.
var exportPlaceholders = []Placeholder{ExportID, ExportArtifact, ExportType, ExportDelimiter, ExportFields}

// OfExport reports whether p is about an export.
func (p Placeholder) OfExport() bool { return slices.Contains(exportPlaceholders, p) }

// Exports are the calls by which a network writes files of records on demand: one is
// created (Export.Create of the stream), asked for until it is written, and fetched by
// a link that is signed for it. In all requests {window.…} is the range of the export,
// which may be a part of the pull's window, and {item} the item of a for-each stream;
// a parameter that is only {item} is left out for other streams.
type Exports struct {
	// List gives the exports that there are, so that none is created twice.
	List ExportList `yaml:"list"`
	// Get gives one export, by {export.id}.
	Get ExportGet `yaml:"get"`
	// Sign gives the link of the file, by {export.artifact}, {export.id} or both.
	Sign ExportSign `yaml:"sign"`
	// Object says where the values of an export stand in it, in all answers alike.
	Object ExportObject `yaml:"object"`
	// Same tells the export of this very range, item and columns from others: a path in
	// the export, in which {variable.NAME} may stand, and what stands there as a
	// template. A list is equal whatever its order; the template's commas part it.
	Same map[string]string `yaml:"same"`
	// States are the words at Object.Status.
	States ExportStates `yaml:"states"`
	Poll   ExportPoll   `yaml:"poll"`
	// CoolDown is the pause before an export that failed is created anew; 0 means 10m.
	CoolDown time.Duration `yaml:"cool_down"`
	// MinRange is the shortest range that a longer one is split into when its export
	// has too many rows or fails; 0 means 1h.
	MinRange time.Duration `yaml:"min_range"`
	// Reuse is how old an export may be that is taken over instead of creating one, if
	// it was made when its range was over; 0 means 6h. ReuseVariable names a variable
	// that, when set, replaces it ("0s" for never).
	Reuse         time.Duration `yaml:"reuse"`
	ReuseVariable string        `yaml:"reuse_variable"`
	// Budget is the name of the quota of Pace that each creation counts against; empty for none.
	Budget string `yaml:"budget"`
	// Separator stands between the columns in {export.fields}; "," if empty.
	Separator string `yaml:"separator"`
}

// ExportList is the call that lists exports, the newest first if the network can.
type ExportList struct {
	Request Request `yaml:"request"`
	// Records are the paths of the list in the answer.
	Records normalize.Paths `yaml:"records"`
	// Paging is of kind none or page. It has no stop rule: the list ends with a page
	// that is not full, or that is older than what can be of use.
	Paging Paging `yaml:"paging"`
}

// ExportGet is the call that gives one export.
type ExportGet struct {
	Request Request `yaml:"request"`
	// At is the path of the export in the answer to this call and to a creation; where
	// it leads nowhere the answer is the export itself.
	At string `yaml:"at"`
}

// ExportSign is the call that gives the link of a file.
type ExportSign struct {
	Request Request `yaml:"request"`
	// URL is the path of the link in the answer.
	URL string `yaml:"url"`
}

// ExportObject are paths in an export; of several the first that leads somewhere counts.
type ExportObject struct {
	ID     normalize.Paths `yaml:"id"`
	Status normalize.Paths `yaml:"status"`
	// Error is what went wrong, in words.
	Error normalize.Paths `yaml:"error"`
	// Artifact and Size are the name of the file and its size in bytes.
	Artifact normalize.Paths `yaml:"artifact"`
	Size     normalize.Paths `yaml:"size"`
	// Total is the number of rows; Truncated is true if the file does not have all.
	Total     normalize.Paths `yaml:"total"`
	Truncated normalize.Paths `yaml:"truncated"`
	// Created is when the export was created: RFC 3339, "2006-01-02 15:04:05" in UTC, or
	// seconds since 1970.
	Created normalize.Paths `yaml:"created"`
}

// ExportStates are words, compared without case. A word that is not listed means that
// the file is written if it has a name, else that it is not written yet.
type ExportStates struct {
	Open     []string `yaml:"open"`
	Done     []string `yaml:"done"`
	Failed   []string `yaml:"failed"`
	Canceled []string `yaml:"canceled"`
}

// ExportPoll says how often an export is asked for until it is written.
type ExportPoll struct {
	// First is the pause before the first time; 0 means 10s. Each further one is Factor
	// times as long, at most Max; 0 means 1.5 and 120s. An export that is written when
	// its creation is answered is asked for at once.
	First  time.Duration `yaml:"first"`
	Factor float64       `yaml:"factor"`
	Max    time.Duration `yaml:"max"`
	// Deadline is when an export that is not written counts as stuck; 0 means 60m.
	Deadline time.Duration `yaml:"deadline"`
}

// Export says how a stream's records are had as a file.
type Export struct {
	// Create is the call that creates the export; it answers with the export.
	Create Request `yaml:"create"`
	// Method is POST if empty, or GET. MethodVariable names a variable that, when set,
	// replaces it.
	Method         string `yaml:"method"`
	MethodVariable string `yaml:"method_variable"`
	// Type is the network's word for this kind of export, {export.type}; it may be a
	// {variable.NAME}.
	Type string `yaml:"type"`
	// Delimiter parts the values in the file, {export.delimiter}; "," if empty.
	Delimiter string `yaml:"delimiter"`
	// Only says that there is no other way to the records: the stream has no request.
	Only bool `yaml:"only"`
	// MaxRows is the number of rows that a file can have; 0 means without limit.
	// MaxRowsVariable names a variable that, when set, replaces it.
	MaxRows         int64  `yaml:"max_rows"`
	MaxRowsVariable string `yaml:"max_rows_variable"`
	// Fields are the columns asked for; if empty, those that the columns of the
	// stream's tables are made of.
	Fields []string `yaml:"fields"`
	// Columns replace columns of the stream's main table, by name, where the file has
	// other names or forms; one without anything ({}) is not in the file.
	Columns map[string]normalize.Field `yaml:"columns"`
	// Drop replaces the main table's Drop if it is given.
	Drop normalize.Paths `yaml:"drop"`
}

// Defaults of Exports and Export, see their fields.
const (
	exportCoolDown  = 10 * time.Minute
	exportMinRange  = time.Hour
	exportReuse     = 6 * time.Hour
	exportPollFirst = 10 * time.Second
	exportPollNext  = 1.5
	exportPollMax   = 120 * time.Second
	exportDeadline  = time.Hour
)

// setExportDefaults fills in what a zero means.
func (n *Network) setExportDefaults() {
	if e := n.Exports; e != nil {
		e.CoolDown = cmp.Or(e.CoolDown, exportCoolDown)
		e.MinRange = cmp.Or(e.MinRange, exportMinRange)
		e.Reuse = cmp.Or(e.Reuse, exportReuse)
		e.Separator = cmp.Or(e.Separator, ",")
		e.List.Paging.Kind = cmp.Or(e.List.Paging.Kind, PagingNone)
		p := &e.Poll
		p.First, p.Factor = cmp.Or(p.First, exportPollFirst), cmp.Or(p.Factor, exportPollNext)
		p.Max, p.Deadline = cmp.Or(p.Max, exportPollMax), cmp.Or(p.Deadline, exportDeadline)
	}
	for _, s := range n.Streams {
		if s.Export != nil {
			s.Export.Method = cmp.Or(s.Export.Method, "POST")
			s.Export.Delimiter = cmp.Or(s.Export.Delimiter, ",")
		}
	}
}

// exportOnly reports whether the stream's records can be had as a file and not otherwise.
func (s *Stream) exportOnly() bool { return s.Export != nil && s.Export.Only }

// ExportOutputs gives all tables that a file of the stream's records fills, the main
// one first: those of its answers, read from a file with a header.
func (s *Stream) ExportOutputs() []normalize.Spec {
	outputs := s.Outputs()
	for i := range outputs {
		spec := &outputs[i]
		spec.Format = normalize.FormatCSV
		spec.Records, spec.Shape, spec.Wrapped = nil, "", ""
	}
	spec := &outputs[0]
	spec.Columns = maps.Clone(spec.Columns)
	for name, field := range s.Export.Columns {
		if isNothing(field) {
			delete(spec.Columns, name)
			continue
		}
		if spec.Columns == nil {
			spec.Columns = map[string]normalize.Field{}
		}
		spec.Columns[name] = field
	}
	if len(s.Export.Drop) > 0 {
		spec.Drop = s.Export.Drop
	}
	return outputs
}

// isNothing reports whether a field says nothing about where its value comes from.
func isNothing(f normalize.Field) bool {
	return len(f.From) == 0 && f.Const == "" && f.Variable == "" && f.FromColumn == "" && !f.FromWindow
}

// ExportFields gives the columns that a file is asked to have, in the order in which
// they are asked for: Export.Fields or, sorted, all that ExportOutputs read.
func (s *Stream) ExportFields() []string {
	if len(s.Export.Fields) > 0 {
		return slices.Clone(s.Export.Fields)
	}
	read := map[string]bool{}
	for _, spec := range s.ExportOutputs() {
		for _, fields := range []map[string]normalize.Field{spec.Columns, spec.Dimensions} {
			for _, f := range fields {
				for _, path := range f.From {
					read[column(path)] = true
				}
				if f.Fold != "" {
					read[column(f.Fold)] = true
				}
			}
		}
	}
	delete(read, "")
	return slices.Sorted(maps.Keys(read))
}

// column gives the column of a file in which a path begins: its first segment, whose
// dots have a backslash before them. A path to the record's own key or value leads to
// no column.
func column(path string) string {
	if path == "$key" || path == "$value" {
		return ""
	}
	path = strings.TrimPrefix(path, "parent.")
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		switch {
		case path[i] == '\\' && i+1 < len(path):
			i++
			b.WriteByte(path[i])
		case path[i] == '.':
			return b.String()
		default:
			b.WriteByte(path[i])
		}
	}
	return b.String()
}
