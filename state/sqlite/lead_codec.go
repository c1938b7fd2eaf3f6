package sqlite

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-faster/jx"

	"syncd/state"
)

// Leads are kept as JSON: people read the table, and their fields differ from network to
// network. A page has thousands, so none goes through reflection.

// leadCoder writes and reads leads. It keeps the names of columns, of which there are few,
// so that not every lead has its own. The zero value is ready; it is for one goroutine.
type leadCoder struct {
	names map[string]string
	keys  []string
	w     jx.Writer
}

// fieldsText gives fields as a JSON object, the same text for the same fields.
func (c *leadCoder) fieldsText(fields state.LeadFields) string {
	c.w.Reset()
	c.writeFields(fields)
	return string(c.w.Buf)
}

func (c *leadCoder) writeFields(fields state.LeadFields) {
	c.keys = slices.AppendSeq(c.keys[:0], maps.Keys(fields))
	slices.Sort(c.keys)
	c.w.ObjStart()
	for i, key := range c.keys {
		if i > 0 {
			c.w.Comma()
		}
		c.w.FieldStart(key)
		c.w.Str(fields[key])
	}
	c.w.ObjEnd()
}

// readFields reads what writeFields wrote.
func (c *leadCoder) readFields(d *jx.Decoder) (state.LeadFields, error) {
	fields := state.LeadFields{}
	err := d.ObjBytes(func(d *jx.Decoder, key []byte) error {
		value, err := d.Str()
		fields[c.name(key)] = value
		return err
	})
	return fields, err
}

func (c *leadCoder) fieldsOf(text []byte) (state.LeadFields, error) {
	d := jx.GetDecoder()
	defer jx.PutDecoder(d)
	d.ResetBytes(text)
	fields, err := c.readFields(d)
	if err != nil {
		return nil, fmt.Errorf("reading the fields of a lead: %w: %w", state.ErrIO, err)
	}
	return fields, nil
}

func (c *leadCoder) name(key []byte) string {
	if name, ok := c.names[string(key)]; ok {
		return name
	}
	if c.names == nil {
		c.names = make(map[string]string)
	}
	name := string(key)
	c.names[name] = name
	return name
}

// rowsBlob packs the rows of a page; none are an empty blob.
func (c *leadCoder) rowsBlob(p *packer, rows []state.LeadRow) []byte {
	if len(rows) == 0 {
		return []byte{}
	}
	c.w.Reset()
	c.w.ArrStart()
	for i, row := range rows {
		if i > 0 {
			c.w.Comma()
		}
		c.w.ObjStart()
		c.w.FieldStart("fields")
		c.writeFields(row.Fields)
		if len(row.Gone) > 0 {
			c.w.Comma()
			c.w.FieldStart("gone")
			c.w.ArrStart()
			for j, key := range row.Gone {
				if j > 0 {
					c.w.Comma()
				}
				c.w.ObjStart()
				c.w.FieldStart("day")
				c.w.UInt16(key.Day)
				c.w.Comma()
				c.w.FieldStart("id")
				c.w.Str(key.ID)
				c.w.ObjEnd()
			}
			c.w.ArrEnd()
		}
		c.w.ObjEnd()
	}
	c.w.ArrEnd()
	return p.enc.EncodeAll(c.w.Buf, nil)
}

// rowsOf unpacks the rows of a page.
func (c *leadCoder) rowsOf(p *packer, blob []byte) (rows []state.LeadRow, err error) {
	if len(blob) == 0 {
		return nil, nil
	}
	text, err := p.dec.DecodeAll(blob, nil)
	if err != nil {
		return nil, fmt.Errorf("unpacking rows of leads: %w: %w", state.ErrIO, err)
	}
	d := jx.GetDecoder()
	defer jx.PutDecoder(d)
	d.ResetBytes(text)
	err = d.Arr(func(d *jx.Decoder) error {
		var row state.LeadRow
		err := d.ObjBytes(func(d *jx.Decoder, key []byte) (err error) {
			if string(key) == "fields" {
				row.Fields, err = c.readFields(d)
				return err
			}
			return d.Arr(func(d *jx.Decoder) error {
				gone, err := readKey(d)
				row.Gone = append(row.Gone, gone)
				return err
			})
		})
		rows = append(rows, row)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading rows of leads: %w: %w", state.ErrIO, err)
	}
	return rows, nil
}

func readKey(d *jx.Decoder) (key state.LeadKey, err error) {
	err = d.ObjBytes(func(d *jx.Decoder, name []byte) (err error) {
		if string(name) == "day" {
			key.Day, err = d.UInt16()
			return err
		}
		key.ID, err = d.Str()
		return err
	})
	return key, err
}
