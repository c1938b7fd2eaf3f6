package manifest

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"syncd/internal/strictyaml"
	"syncd/schema"
)

// checkReach checks that a network has what its reach says, and what it is known for.
func (c *checker) checkReach() {
	n := c.network
	own := slices.ContainsFunc(n.Streams, func(s *Stream) bool { return s.Request.URLVariable != "" || s.Request.PathVariable != "" })
	switch {
	case n.Reach == ReachPath && !own:
		c.headf("reach", "reach path is for calls whose address the account gives, and no stream has url_variable or path_variable")
	case n.Reach == ReachPostback && n.Postback == nil:
		c.headf("reach", "reach postback needs what the network sends, under postback")
	case len(c.streams) == 0 && n.Reach != ReachPostback && n.Reach != ReachSeed:
		c.headf("streams", "a network needs at least one stream")
	}
	for i, u := range n.Units {
		path := strictyaml.Item("units", i)
		switch {
		case u.Name == "" || u.Help == "":
			c.headf(path, "a unit needs a name and a help text")
		case slices.ContainsFunc(n.Units[:i], func(o Unit) bool { return o.Name == u.Name }):
			c.headf(path, "unit %s is listed twice", u.Name)
		}
	}
}

// tailNames are the parameters of a tail that the receiver understands.
var tailNames = []string{
	"oid", "eid", "status", "sta", "stc", "stt", "stw", "sth", "pay", "cc", "comment", "reason", "offer", "goal", "country", "time",
	"sub1", "sub2", "sub3", "sub4", "sub5", "sub6", "sub7", "sub8",
}

var currencyPattern = regexp.MustCompile(`^[A-Z]{3}$`)

// checkPostback checks what is said of the network's postbacks.
func (c *checker) checkPostback() {
	p := c.network.Postback
	if p == nil {
		return
	}
	table, _ := schema.Lookup("conversions")
	words := table.Columns[table.Index("status")].Words
	for _, word := range slices.Sorted(maps.Keys(p.Statuses)) {
		at := strictyaml.Key("postback.statuses", word)
		if word == "" || strings.ToLower(word) != word || strings.TrimSpace(word) != word {
			c.headf(at, "the network's word %q is compared in lower case, without space around it", word)
		}
		if meaning := p.Statuses[word]; !slices.Contains(words, meaning) {
			c.headf(at, "%q is not one of %s", meaning, strings.Join(words, ", "))
		}
	}
	if p.Currency != "" && !currencyPattern.MatchString(p.Currency) {
		c.headf("postback.currency", "%q is not a currency of three capital letters", p.Currency)
	}
	for _, m := range p.Macros.all() {
		for i, text := range m.texts {
			if text == "" || strings.ContainsAny(text, "& \t") || slices.Contains(m.texts[:i], text) {
				c.headf(strictyaml.Item("postback.macros."+m.name, i), "macro %q is empty, has & or space in it, or is listed twice", text)
			}
		}
	}
	c.checkTails(p.Tails)
}

// checkTails checks the ends of addresses.
func (c *checker) checkTails(tails []Tail) {
	for i, t := range tails {
		path := strictyaml.Item("postback.tails", i)
		if t.Event == "" || slices.ContainsFunc(tails[:i], func(o Tail) bool { return o.Event == t.Event }) {
			c.headf(path+".event", "event %q has no name, or two tails", t.Event)
		}
		for part := range strings.SplitSeq(strings.TrimPrefix(t.Text, "&"), "&") {
			name, value, ok := strings.Cut(part, "=")
			if t.Text == "" {
				break
			}
			if !slices.Contains(tailNames, name) || !ok || value == "" {
				hint := ""
				if s := strictyaml.Suggest(name, tailNames); s != "" && s != name {
					hint = "; did you mean " + s + "?"
				}
				c.headf(path+".tail", "%q is not a parameter with a value that is understood; known are %s%s", part, strings.Join(tailNames, ", "), hint)
			}
		}
	}
}

// macro is one list of Macros, by its key.
type macro struct {
	name  string
	texts []string
}

func (m Macros) all() []macro {
	return []macro{
		{"oid", m.OID}, {"eid", m.EID}, {"status", m.Status}, {"pay", m.Pay}, {"cc", m.CC}, {"comment", m.Comment}, {"reason", m.Reason},
		{"offer", m.Offer}, {"goal", m.Goal}, {"country", m.Country}, {"time", m.Time}, {"subs", m.Subs},
	}
}
