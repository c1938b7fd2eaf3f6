package manifest

import (
	"fmt"
	"maps"
	"slices"

	"syncd/internal/strictyaml"
)

// scope says which placeholders have a value where a template stands.
type scope struct {
	window, since, item, items, slices bool
	// columns is the number of values that an item has of its own.
	columns int
	export  exportScope
}

// lacks says in words what p would need to have a value; empty if it has one.
func (s scope) lacks(p Placeholder) string {
	if i, ok := p.Column(); ok && i >= s.columns {
		return fmt.Sprintf("for_each with %d columns or more", i+1)
	}
	if p.OfExport() {
		return s.lacksExport(p)
	}
	switch p {
	case WindowFromDay, WindowToDay, WindowHour, WindowFromUnix, WindowToUnix, WindowFromTime, WindowToTime, WindowZone:
		if !s.window {
			return "a window"
		}
	case SinceDay, SinceHour, SinceUnix:
		if !s.since {
			return "to stand under changes"
		}
	case Item:
		switch {
		case s.columns > 0:
			return "an item of one value; those of several are {item.1}, {item.2} and so on"
		case !s.item:
			return "for_each with a batch of one"
		}
	case Items, ItemsJoined:
		if !s.items {
			return "for_each with a batch above one"
		}
	case SliceWords:
		if !s.slices {
			return "slices"
		}
	}
	return ""
}

// checkRequest checks a request's templates and gives the placeholders it uses.
func (c *checker) checkRequest(report reporter, path string, r Request, has scope) map[Placeholder]bool {
	used := map[Placeholder]bool{}
	if r.URLVariable != "" {
		c.checkURLVariable(report, path, r, has, used)
		return used
	}
	if r.Path != "" || r.PathVariable == "" {
		if _, err := ParsePath(r.Path); err != nil {
			report(path+".path", "%v", err)
		} else {
			c.checkTemplate(report, path+".path", r.Path, has, used)
		}
	}
	c.checkQuery(report, path+".query", r.Query, has, used)
	for i, name := range r.Empty {
		if len(r.Query[name]) == 0 {
			report(strictyaml.Item(path+".empty", i), "the query has no parameter %q that could be sent without a value", name)
		}
	}
	c.checkContent(report, path, r, has, used)
	c.checkLayout(report, path+".day_layout", r.DayLayout, CheckDayLayout)
	c.checkLayout(report, path+".time_layout", r.TimeLayout, CheckTimeLayout)
	return used
}

// checkPathVariable checks a path that an account may give, by its default: that is
// the path where it says no other. path is where the request stands, and whose in words
// who has it; needs are the variables without which it is never made.
func (c *checker) checkPathVariable(report reporter, path string, r Request, whose string, needs []string, has scope, used map[Placeholder]bool) {
	name := r.PathVariable
	if name == "" {
		return
	}
	path += ".path_variable"
	v, ok := c.network.Variables[name]
	if !ok {
		c.checkVariable(report, path, name)
		return
	}
	if v.Default != "" {
		if _, err := ParseOwnPath(v.Default); err != nil {
			report(path, "the default of variable %s: %v", name, err)
			return
		}
		c.checkTemplate(report, path, v.Default, has, used)
	} else if r.Path == "" && !v.Required && !slices.Contains(needs, name) {
		report(path, "%s has no path where variable %s is not set: give a path, a default, or the variable under needs", whose, name)
	}
}

// checkLayout checks a layout, or the default of the variable that holds it.
func (c *checker) checkLayout(report reporter, path, text string, wrong func(layout string) error) {
	if text == "" {
		return
	}
	t, err := ParseTemplate(text)
	if err != nil {
		report(path, "%v", err)
		return
	}
	if len(t) == 1 && t[0].Placeholder == "" {
		if err := wrong(text); err != nil {
			report(path, "%v", err)
		}
		return
	}
	name, ok := t[0].Placeholder.Variable()
	if !ok || len(t) > 1 {
		report(path, "a layout is a Go layout or one {variable.NAME} that holds it")
		return
	}
	v, declared := c.network.Variables[name]
	if !declared {
		c.checkVariable(report, path, name)
	} else if err := wrong(v.Default); err != nil && !v.Required {
		report(path, "the default of variable %s: %v", name, err)
	}
}

func (c *checker) checkQuery(report reporter, path string, query map[string][]string, has scope, used map[Placeholder]bool) {
	for _, name := range slices.Sorted(maps.Keys(query)) {
		c.checkParameter(report, strictyaml.Key(path, name), name)
		for _, value := range query[name] {
			c.checkTemplate(report, strictyaml.Key(path, name), value, has, used)
		}
	}
}

// checkParameter checks the name of a parameter, in which variables may stand.
func (c *checker) checkParameter(report reporter, path, name string) {
	t, err := ParseTemplate(name)
	if err != nil {
		report(path, "the parameter's name: %v", err)
		return
	}
	if name == "" {
		report(path, "a parameter needs a name")
	}
	for _, part := range t {
		if variable, ok := part.Placeholder.Variable(); ok {
			c.checkVariable(report, path, variable)
		} else if part.Placeholder != "" {
			report(path, "{%s} cannot stand in the name of a parameter, only {variable.NAME} can", part.Placeholder)
		}
	}
}

func (c *checker) checkTemplate(report reporter, path, text string, has scope, used map[Placeholder]bool) {
	t, err := ParseTemplate(text)
	if err != nil {
		report(path, "%v", err)
		return
	}
	for _, part := range t {
		p := part.Placeholder
		if p == "" {
			continue
		}
		c.checkPlaceholder(report, path, p, has, used)
		if p.list() && len(t) > 1 {
			report(path, "{%s} stands for several values and has to stand alone", p)
		}
	}
}

// checkPlaceholder checks that a placeholder has a value where it stands, and notes that it is used.
func (c *checker) checkPlaceholder(report reporter, path string, p Placeholder, has scope, used map[Placeholder]bool) {
	used[p] = true
	if need := has.lacks(p); need != "" {
		report(path, "{%s} needs %s", p, need)
	}
	if name, ok := p.Credential(); ok {
		c.checkCredential(report, path, name)
	}
	if name, ok := p.Variable(); ok {
		c.checkVariable(report, path, name)
	}
}
