package postback

import (
	"fmt"

	"github.com/go-faster/jx"
)

// record is a call as it is stored.
type record struct {
	method, path, query, body, ip string
}

// encode writes a record. The result is the caller's to keep.
func (c *call) encode(method, path, ip string) []byte {
	e := &c.record
	e.Reset()
	e.ObjStart()
	e.FieldStart("m")
	e.Str(method)
	e.FieldStart("p")
	e.Str(path)
	if len(c.query) > 0 {
		e.FieldStart("q")
		e.ByteStr(c.query)
	}
	if len(c.body) > 0 {
		e.FieldStart("b")
		e.ByteStr(c.body)
	}
	if ip != "" {
		e.FieldStart("ip")
		e.Str(ip)
	}
	e.ObjEnd()
	return append([]byte(nil), e.Bytes()...)
}

// decode reads a record. Members that it does not know are left out: a newer version may
// have written them.
func decode(raw []byte) (r record, err error) {
	d := jx.GetDecoder()
	defer jx.PutDecoder(d)
	d.ResetBytes(raw)
	err = d.ObjBytes(func(d *jx.Decoder, key []byte) (err error) {
		switch string(key) {
		case "m":
			r.method, err = d.Str()
		case "p":
			r.path, err = d.Str()
		case "q":
			r.query, err = d.Str()
		case "b":
			r.body, err = d.Str()
		case "ip":
			r.ip, err = d.Str()
		default:
			err = d.Skip()
		}
		return err
	})
	if err != nil {
		return record{}, fmt.Errorf("the stored call cannot be read: %w", err)
	}
	return r, nil
}
