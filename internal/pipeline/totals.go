package pipeline

import (
	"fmt"

	"syncd/extractors"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

// openShare is the part, one in openShare, by which the records of a pull that is not of
// a time that has ended may be fewer than the total that the network states: rows come
// and go while its pages are read.
const openShare = 100

// miscounted says in words that a pull has not as many records as the network states.
func miscounted(l *load) string {
	p := l.pull
	if l.account.IgnoreTotals || p.Total <= 0 || p.Records == p.Total || p.Route != state.Direct || p.Kind == state.Changes {
		return ""
	}
	if ended := p.Kind == state.Windowed && p.To.Before(p.CreatedAt) && !asked(l).To.Before(p.To); !ended && (p.Total-p.Records)*openShare <= p.Total {
		return ""
	}
	return fmt.Sprintf("the network states %d records, and its pages have %d", p.Total, p.Records)
}

// totaling compares sums that the network states with those of its rows.
type totaling struct {
	// sums are those of the pull's rows, stated what the network says of them, allowed how
	// far they may lie apart; each by its place in the stream's Totals.
	sums, stated, allowed []schema.Int128
	said                  []bool
	// doubt says in words what disagrees on a page.
	doubt string
}

// page counts in the rows of the main output of a page, whose sums are given.
func (t *totaling) page(s *extractors.Stream, body []byte, sums []schema.Int128) {
	if t.sums == nil {
		n := len(s.Totals)
		t.sums, t.stated, t.allowed, t.said = make([]schema.Int128, n), make([]schema.Int128, n), make([]schema.Int128, n), make([]bool, n)
	}
	envelope := body
	if s.Outputs[0].Spec.Format == normalize.FormatXML {
		x, err := normalize.FromXML(body, s.Outputs[0].Spec)
		if err != nil {
			return // the rows could not be read either
		}
		envelope = x.Envelope
	}
	for i, total := range s.Totals {
		t.sums[i] = t.sums[i].Add(sums[i])
		t.allowed[i] = t.allowed[i].Add(total.Tolerance)
		stated, ok := amountAt(envelope, total.Path)
		switch {
		case !ok: // it says nothing
		case total.Pull:
			t.stated[i], t.said[i] = stated, true
		case t.doubt == "" && sums[i].Apart(stated, total.Tolerance):
			t.doubt = disagreement(total, stated, sums[i])
		}
	}
}

// disagrees says in words that a sum that the network states is not that of its rows.
func (t *totaling) disagrees(s *extractors.Stream) string {
	if t.doubt != "" {
		return t.doubt
	}
	for i, said := range t.said {
		if said && t.sums[i].Apart(t.stated[i], t.allowed[i]) {
			return disagreement(s.Totals[i], t.stated[i], t.sums[i])
		}
	}
	return ""
}

func disagreement(t extractors.Total, stated, sum schema.Int128) string {
	return fmt.Sprintf("the network states %s at %s, and the %s of its rows add up to %s", stated, t.Path, t.Column, sum)
}

// amountAt reads an amount of an answer, which some networks send as text.
func amountAt(body []byte, path string) (schema.Int128, bool) {
	raw, ok, err := normalize.Lookup(body, path)
	if err != nil || !ok {
		return schema.Int128{}, false
	}
	if n := len(raw); n >= 2 && raw[0] == '"' && raw[n-1] == '"' {
		raw = raw[1 : n-1]
	}
	v, err := schema.ParseDecimal(raw)
	return v, err == nil
}

// doubtOf says in words why what a pull brought is not believed at once; empty if it is.
// Where records could not be read their sums say nothing.
func doubtOf(l *load) string {
	if why := miscounted(l); why != "" {
		return why
	}
	if l.bad > 0 || l.account.IgnoreTotals || l.pull.Kind == state.Changes {
		return ""
	}
	if l.entry.replay != nil && len(l.entry.replay.Younger.Spans) > 0 {
		return "" // rows of younger answers are not among the sums
	}
	return l.totals.disagrees(l.stream)
}
