package offerslooksim

import (
	"encoding/json"
	"strconv"
)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendQuote(out, m.name)
		out = append(out, ':')
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out = append(out, value...)
	}
	return append(out, '}'), nil
}

// get gives the value of a member.
func (o object) get(name string) any {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// only keeps the named members.
func (o object) only(names []string) object {
	var kept object
	for _, name := range names {
		for _, m := range o {
			if m.name == name {
				kept = append(kept, m)
			}
		}
	}
	return kept
}
