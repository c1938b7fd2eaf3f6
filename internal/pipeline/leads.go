package pipeline

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"syncd/extractors"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

// leadIdentity are the columns of which a record about a lead has at least one.
var leadIdentity = []string{state.LeadNetworkID, state.LeadOwnID}

// leadsIn gives which of outputs is about leads; -1 if none is.
func leadsIn(outputs []extractors.Output) int {
	for i, out := range outputs {
		if out.Leads {
			return i
		}
	}
	return -1
}

// pollsLeads reports whether a stream asks for the account's open leads.
func pollsLeads(s *extractors.Stream) bool { return s.ForEach != nil && s.ForEach.OpenLeads != "" }

// poller gives the stream that asks for the account's open leads; nil if none does.
func (a *Account) poller() *extractors.Stream {
	for _, s := range a.Source.Streams() {
		if pollsLeads(s) {
			return s
		}
	}
	return nil
}

// pollRule is how often leads that a stream tells of are asked for: as its own rule
// says, or as that of the account's stream for open leads does.
func (a *Account) pollRule(s *extractors.Stream) state.PollRule {
	if s == nil || !pollsLeads(s) {
		s = a.poller()
	}
	if s == nil {
		return state.PollRule{}
	}
	return s.ForEach.Poll
}

// mergesLeads reports whether anything that the account reads or receives is about
// leads, so that rows of conversions are put together from several sources.
func (a *Account) mergesLeads() bool {
	if a.Receiver != nil {
		return true
	}
	for _, s := range a.Source.Streams() {
		if leadsIn(s.Outputs) >= 0 {
			return true
		}
	}
	return false
}

// leadsTable is where leads have their rows.
const leadsTable = "conversions"

// owns says whose rows a stream's pulls bring: the stream's own, or those that all
// streams share which write the rows of leads. Leads says that its own are among these.
func (a *Account) owns(stream string) (t target, leads bool) {
	t = target{account: a.Name, stream: stream}
	s := a.stream(stream)
	if s == nil || !a.mergesLeads() {
		return t, false
	}
	for _, out := range s.Outputs {
		if out.Table.Name == leadsTable {
			return target{account: a.Name, leads: true}, leadsIn(s.Outputs) >= 0
		}
	}
	return t, false
}

// teller makes facts of answers. It is for one goroutine at a time.
type teller struct {
	mapping *normalize.Normalizer
	block   *schema.Block
	// amounts are the columns of amounts that the mapping names: they are told even where
	// they are 0, and all other columns only where they are not.
	amounts map[int]bool
}

func newTeller(spec normalize.Spec) (*teller, error) {
	spec.Identity = leadIdentity
	mapping, err := normalize.Compile(spec)
	if err != nil {
		return nil, err
	}
	t := &teller{mapping: mapping, block: schema.NewBlock(mapping.Table()), amounts: map[int]bool{}}
	for i, c := range mapping.Table().Columns {
		if _, named := spec.Columns[c.Name]; named && c.Type == schema.Decimal {
			t.amounts[i] = true
		}
	}
	return t, nil
}

// facts reads the records of an answer. Those that cannot be read tell nothing: the
// loader puts them into the quarantine.
func (t *teller) facts(body []byte, c *normalize.Context) ([]state.LeadFact, error) {
	var facts []state.LeadFact
	t.block.Reset()
	zone := schema.NewZone(locationOf(c))
	collect := func(b *schema.Block) (*schema.Block, error) {
		for _, text := range b.Cells() {
			facts = append(facts, t.fact(b.Table(), text, zone, c.SyncedAt))
		}
		b.Reset()
		return b, nil
	}
	block, _, err := t.mapping.Page(body, c, t.block, collect, func(normalize.BadRow) error { return nil })
	if err != nil {
		return nil, err
	}
	_, err = collect(block)
	return facts, err
}

func locationOf(c *normalize.Context) *time.Location {
	if c.Location == nil {
		return time.UTC
	}
	return c.Location
}

func (t *teller) fact(table *schema.Table, text func(int) string, zone *schema.Zone, received time.Time) state.LeadFact {
	f := state.LeadFact{Fields: state.LeadFields{}, Fallback: state.LeadFields{}}
	for i, c := range table.Columns {
		if strings.HasPrefix(c.Name, "_") || c.Name == schema.ColumnAccount || c.Name == "network" {
			continue // of the row and not of the lead
		}
		v := text(i)
		if v == "" && t.amounts[i] {
			v = "0"
		}
		if v != "" {
			f.Fields[c.Name] = v
		}
	}
	day := func(milli int64) string { return strconv.FormatInt(int64(zone.Day(milli)), 10) }
	if f.Fields[state.LeadCreated] == "" {
		f.Fallback[state.LeadCreated] = strconv.FormatInt(received.UnixMilli(), 10)
	}
	if f.Fields[state.LeadDay] == "" {
		if created, err := strconv.ParseInt(f.Fields[state.LeadCreated], 10, 64); err == nil {
			f.Fields[state.LeadDay] = day(created)
		} else {
			f.Fallback[state.LeadDay] = day(received.UnixMilli())
		}
	}
	return f
}

// tellers keeps the tellers of a lane's streams, as many of each as its workers need.
type tellers struct {
	mu   sync.Mutex
	free map[string][]*teller
}

func (k *tellers) take(s *extractors.Stream, spec normalize.Spec) (*teller, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if list := k.free[s.Name]; len(list) > 0 {
		k.free[s.Name] = list[:len(list)-1]
		return list[len(list)-1], nil
	}
	return newTeller(spec)
}

func (k *tellers) give(s *extractors.Stream, t *teller) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.free == nil {
		k.free = map[string][]*teller{}
	}
	k.free[s.Name] = append(k.free[s.Name], t)
}

// told gives what an answer, redacted, tells of leads; nil if its stream is not about them.
func (l *lane) told(p state.Pull, s *extractors.Stream, call extractors.Call, body []byte, received time.Time) (*state.Told, error) {
	outputs := s.OutputsBy(p.Route)
	at := leadsIn(outputs)
	if at < 0 {
		return nil, nil
	}
	told := &state.Told{Poll: l.account.pollRule(s), Whole: p.Kind != state.Changes}
	if pollsLeads(s) {
		told.Asked, told.By = call.Items, s.ForEach.OpenLeads
	}
	t, err := l.tellers.take(s, outputs[at].Spec)
	if err != nil {
		return nil, fmt.Errorf("compiling the mapping of stream %s: %w", s.Name, err)
	}
	defer l.tellers.give(s, t)
	of := &load{pull: p, account: l.account, stream: s}
	c := contextOf(of, &state.Page{Request: call.Describe, ReceivedAt: received})
	c.By = "" // what a window brings of a lead is told, wherever its row lies then
	told.Facts, err = t.facts(body, c)
	if p.Kind == state.Windowed {
		from := strconv.FormatInt(p.From.Unix(), 10)
		for _, f := range told.Facts {
			f.Fields[schema.ColumnWindow] = from // a window answers for the lead from now on
		}
	}
	return told, err
}
