package metricssim

import (
	"encoding/json"
	"strings"
	"time"
)

// appendJSON writes a row as the report tables do.
func (r *Row) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for i, f := range fields[r.Kind] {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), f.name...), '"', ':')
		switch f.kind {
		case number:
			v := r.Text(f.name)
			b = append(b, v...)
			if r.o.FloatNumbers && !strings.Contains(v, ".") {
				b = append(b, ".0"...)
			}
		case list:
			b = appendStrings(b, r.List(f.name))
		case moment:
			t := r.Moment(f.name)
			if t.IsZero() && r.o.Nulls {
				b = append(b, "null"...)
				continue
			}
			b = append(b, '"')
			b = r.o.unset(t).AppendFormat(b, time.RFC3339)
			b = append(b, '"')
		default:
			v := r.Text(f.name)
			if v == "" && r.o.Nulls {
				b = append(b, "null"...)
				continue
			}
			b = appendString(b, v)
		}
	}
	return append(b, '}')
}

// unset is how a time that is unset is sent.
func (o *Options) unset(t time.Time) time.Time {
	if t.IsZero() && !o.YearOne {
		return time.Unix(0, 0).UTC()
	}
	return t
}

func appendString(b []byte, s string) []byte {
	text, _ := json.Marshal(s) // a string can always be written
	return append(b, text...)
}

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

// csvWriter writes rows of a file.
type csvWriter struct {
	o         *Options
	delimiter string
	end       string
	zone      *time.Location
	fields    []field
	extra     []string
}

func (c *csvWriter) header(b []byte) []byte {
	if c.o.BOM {
		b = append(b, "\ufeff"...)
	}
	for i, f := range c.fields {
		b = c.cell(b, i, f.name)
	}
	for i, name := range c.extra {
		b = c.cell(b, len(c.fields)+i, name)
	}
	return append(b, c.end...)
}

func (c *csvWriter) row(b []byte, r *Row) []byte {
	for i, f := range c.fields {
		v := ""
		switch f.kind {
		case list:
			v = c.array(r.List(f.name))
		case moment:
			layout, t := time.DateTime, c.o.unset(r.Moment(f.name))
			if c.o.RFC3339 {
				layout = time.RFC3339
			}
			if t.Unix() > 0 { // an unset time has no zone
				t = t.In(c.zone)
			}
			v = t.Format(layout)
		case date:
			v = r.Time.In(c.zone).Format(time.DateOnly)
		default:
			v = r.Text(f.name)
		}
		b = c.cell(b, i, v)
	}
	for i, name := range c.extra {
		v := ""
		for _, p := range r.Extra {
			if p[0] == name {
				v = p[1]
			}
		}
		b = c.cell(b, len(c.fields)+i, v)
	}
	return append(b, c.end...)
}

// cell writes a value, quoted where RFC 4180 asks for it.
func (c *csvWriter) cell(b []byte, i int, v string) []byte {
	if i > 0 {
		b = append(b, c.delimiter...)
	}
	if strings.ContainsAny(v, c.delimiter+"\"\r\n") {
		return append(append(append(b, '"'), strings.ReplaceAll(v, `"`, `""`)...), '"')
	}
	return append(b, v...)
}

func (c *csvWriter) array(list []string) string {
	switch c.o.Arrays {
	case "json":
		return string(appendStrings(nil, list))
	case "comma":
		return strings.Join(list, ",")
	}
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
	}
	return "[" + strings.Join(parts, ",") + "]"
}
