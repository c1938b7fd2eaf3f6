package postback

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/go-faster/jx"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

// StreamName is the name of the stream that brings postbacks.
const StreamName = "postbacks"

// The tables of the stream.
const (
	tablePostbacks   = "postbacks"
	tableConversions = "conversions"
)

// stream describes the postbacks of a network as if they were pulled.
func stream(n *manifest.Network) *extractors.Stream {
	columns := map[string]normalize.Field{"received_at": {From: normalize.Paths{"received_at"}, Layout: normalize.LayoutUnixMilli}}
	for _, name := range []string{
		"id", "method", "path", "query", "body", "ip", "click_id", "conversion_id", "event_id", "offer_id", "status", "status_raw",
		"payout", "currency", "sub1", "sub2", "sub3", "sub4", "sub5",
	} {
		columns[name] = normalize.Field{From: normalize.Paths{name}}
	}
	// The status was understood when the record was written; a postback that would be
	// refused by now has none.
	status := normalize.Field{From: normalize.Paths{"status"}, Map: map[string]string{}, MapElse: schema.StatusUnknown, Default: schema.StatusUnknown}
	for _, word := range words {
		status.Map[word] = word
	}
	columns["status"] = status
	evidence := n.Evidence
	if n.Postback != nil {
		evidence = cmp.Or(n.Postback.Evidence, evidence)
	}
	return &extractors.Stream{
		Name: StreamName, Doc: "Postbacks that arrived at the receiver.", Evidence: string(evidence), Changes: true,
		Outputs: []extractors.Output{
			{Table: table(tablePostbacks), Spec: normalize.Spec{Table: tablePostbacks, Shape: normalize.ShapeArray, Columns: columns}},
			{Table: table(tableConversions), Leads: true},
		},
	}
}

func table(name string) *schema.Table {
	t, ok := schema.Lookup(name)
	if !ok {
		panic("no table is called " + name) // the names are constants
	}
	return t
}

// Read gives postbacks as a page, a JSON array with a record each, and what they tell of
// leads. It depends on nothing but the account and the list.
func (a *Account) Read(list []state.Postback) (body []byte, told state.Told, err error) {
	told.Poll = a.Poll
	zone := schema.NewZone(a.Location)
	e := jx.GetEncoder()
	defer jx.PutEncoder(e)
	c := &call{}
	e.ArrStart()
	for i := range list {
		p := &list[i]
		r, err := decode(p.Record)
		if err != nil {
			return nil, state.Told{}, fmt.Errorf("reading postback %d of account %s from the state: %w", p.Seq, a.Name, err)
		}
		c.reset()
		c.readQuery(r.query, a.clean)
		refused := c.readBody([]byte(r.body), a.clean)
		var said reading
		if refused == nil {
			said, refused = a.read(c.params, p.ReceivedAt)
		}
		if refused != nil { // it was not when it arrived: the configuration or syncd changed since
			said.problems = append(said.problems, refused.Error())
			said.status = ""
		} else {
			told.Facts = append(told.Facts, a.fact(&said, p.ReceivedAt, zone))
		}
		writeRow(e, p, &r, &said, a.Currency)
	}
	e.ArrEnd()
	return append([]byte(nil), e.Bytes()...), told, nil
}

// columnOf are the columns of conversions that a postback's fields become as they are.
var columnOf = [fields]string{
	fieldOwnID: state.LeadOwnID, fieldNetworkID: state.LeadNetworkID, fieldStatus: "status_raw",
	fieldOffer: "offer_id", fieldGoal: "event_id", fieldCountry: "country",
	fieldSub1: "sub1", fieldSub1 + 1: "sub2", fieldSub1 + 2: "sub3", fieldSub1 + 3: "sub4",
	fieldSub1 + 4: "sub5", fieldSub1 + 5: "sub6", fieldSub1 + 6: "sub7", fieldSub1 + 7: "sub8",
}

// fact gives what a postback tells of its lead.
func (a *Account) fact(r *reading, receivedAt time.Time, zone *schema.Zone) state.LeadFact {
	f := state.LeadFact{Fields: state.LeadFields{state.LeadStatus: r.status}, Fallback: state.LeadFields{}, Late: true}
	for i, column := range columnOf {
		if column != "" && r.text[i] != "" {
			f.Fields[column] = r.text[i]
		}
	}
	set(f.Fields, "status_reason", r.reason())
	set(f.Fields, "payout", r.payout)
	set(f.Fields, "currency", r.currency)
	if r.payout != "" && r.currency == "" {
		set(f.Fallback, "currency", a.Currency)
	}
	if r.created != 0 {
		setTime(f.Fields, r.created, zone)
	} else {
		setTime(f.Fallback, receivedAt.UnixMilli(), zone)
	}
	return f
}

func set(fields state.LeadFields, column, value string) {
	if value != "" {
		fields[column] = value
	}
}

// setTime sets the time of a lead's making and its report day.
func setTime(fields state.LeadFields, milli int64, zone *schema.Zone) {
	fields[state.LeadCreated] = strconv.FormatInt(milli, 10)
	fields[state.LeadDay] = strconv.Itoa(zone.Day(milli))
}

// reason is the code of the reason and the comment, whichever there are.
func (r *reading) reason() string {
	code, comment := r.text[fieldReason], r.text[fieldComment]
	if code != "" && comment != "" {
		return code + ": " + comment
	}
	return cmp.Or(code, comment)
}

// writeRow writes the record of a postback. What the table has no column for stands in
// its extra.
func writeRow(e *jx.Encoder, p *state.Postback, call *record, r *reading, currency string) {
	e.ObjStart()
	field := func(name, value string) {
		if value != "" {
			e.FieldStart(name)
			e.Str(value)
		}
	}
	field("id", strconv.FormatInt(p.Seq, 10))
	e.FieldStart("received_at")
	e.Int64(p.ReceivedAt.UnixMilli())
	field("method", call.method)
	field("path", call.path)
	field("query", call.query)
	field("body", call.body)
	field("ip", call.ip)
	field("status", r.status)
	for i, column := range columnOf {
		if column != "" {
			field(column, r.text[i])
		}
	}
	field("status_reason", r.reason())
	field("payout", r.payout)
	if r.payout != "" {
		field("currency", cmp.Or(r.currency, currency))
	} else {
		field("currency", r.currency)
	}
	field("time", r.text[fieldTime])
	if len(r.problems) > 0 {
		e.FieldStart("problems")
		e.ArrStart()
		for _, text := range r.problems {
			e.Str(text)
		}
		e.ArrEnd()
	}
	e.ObjEnd()
}
