package postback

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-faster/jx"

	"syncd/state"
)

// Reread gives back the postbacks that a page of Read was made of: a record of it has the
// whole call beside what was made of it.
func (a *Account) Reread(body []byte) ([]state.Postback, error) {
	var list []state.Postback
	d := jx.DecodeBytes(body)
	e := &call{}
	err := d.Arr(func(d *jx.Decoder) error {
		p := state.Postback{Account: a.Name}
		var method, path, ip string
		e.reset()
		err := d.ObjBytes(func(d *jx.Decoder, key []byte) (err error) {
			text := func(into *string) {
				*into, err = d.Str()
			}
			var raw string
			switch string(key) {
			case "id":
				if text(&raw); err == nil {
					p.Seq, err = strconv.ParseInt(raw, 10, 64)
				}
			case "received_at":
				var milli int64
				milli, err = d.Int64()
				p.ReceivedAt = time.UnixMilli(milli).UTC()
			case "method":
				text(&method)
			case "path":
				text(&path)
			case "ip":
				text(&ip)
			case "query":
				text(&raw)
				e.query = append(e.query, raw...)
			case "body":
				text(&raw)
				e.body = append(e.body, raw...)
			default:
				err = d.Skip()
			}
			return err
		})
		if err != nil {
			return err
		}
		p.Record = e.encode(method, path, ip)
		list = append(list, p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("record %d of a page of postbacks: %w", len(list)+1, err)
	}
	return list, nil
}

// Vocabulary tells how calls are read from how others read them: the words for statuses,
// the names of parameters and the currency, the account's own and the network's.
func (a *Account) Vocabulary() string {
	var b strings.Builder
	for _, words := range []map[string]string{a.statuses, a.networkStatuses} {
		for _, word := range slices.Sorted(maps.Keys(words)) {
			fmt.Fprintf(&b, "%q=%q ", word, words[word])
		}
		b.WriteByte('\n')
	}
	for _, name := range slices.Sorted(maps.Keys(a.names)) {
		fmt.Fprintf(&b, "%q%v ", name, a.names[name])
	}
	fmt.Fprintf(&b, "\n%q", a.Currency)
	return b.String()
}
