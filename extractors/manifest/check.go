package manifest

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"syncd/internal/strictyaml"
	"syncd/schema"
	"syncd/schema/normalize"
)

// checker collects the mistakes of one manifest that has decoded.
type checker struct {
	network  *Network
	head     *strictyaml.Positions
	streams  []located
	problems strictyaml.Problems
	// skipHead: what is said of the whole network did not decode.
	skipHead bool
}

// located is a stream and where it stands.
type located struct {
	*Stream
	at *strictyaml.Positions
	// index is the stream's place in its file.
	index int
	// skip: it did not decode.
	skip bool
}

// locate remembers where streams stand, and which of them did not decode.
func (c *checker) locate(streams []*Stream, at *strictyaml.Positions, problems strictyaml.Problems) {
	for i, s := range streams {
		here := strictyaml.Item("streams", i)
		c.streams = append(c.streams, located{Stream: s, at: at, index: i, skip: slices.ContainsFunc(problems,
			func(p strictyaml.Problem) bool { return p.Path == here || strings.HasPrefix(p.Path, here+".") })})
	}
}

var (
	// A network may begin with a digit, as 24metrics does, and have a dash in it, as lead-r does.
	networkPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)
	namePattern    = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	streamPattern  = regexp.MustCompile(`^[a-z][a-z0-9_]*(/[a-z0-9_]+)*$`)
)

// check gives every mistake of the manifest.
func (c *checker) check() strictyaml.Problems {
	if !c.skipHead {
		c.checkNetwork()
		c.checkReach()
		c.checkAuth()
		c.checkPostback()
		c.checkAccountSettings()
		c.checkPace()
		c.checkExports()
	}
	for _, s := range c.streams {
		if !s.skip {
			c.checkStream(s)
		}
	}
	c.checkNames()
	c.checkScopes()
	return c.problems
}

// headf records a mistake in what is said of the whole network.
func (c *checker) headf(path, format string, args ...any) {
	c.problems = append(c.problems, c.head.Problem(path, format, args...))
}

func (c *checker) checkNetwork() {
	n := c.network
	if !networkPattern.MatchString(n.Name) {
		c.headf("network", "%q is not a name for a network; use lower case letters, digits, _ and -", n.Name)
	}
	if n.Title == "" {
		c.headf("title", "a network needs a title for people")
	}
	if n.Evidence == "" {
		c.headf("evidence", "say what the manifest rests on: documented or inferred")
	}
	if n.BaseURL != "" && !strings.HasPrefix(n.BaseURL, "https://") {
		c.headf("base_url", "%q is not an https address", n.BaseURL)
	}
	if len(n.Roles) == 0 {
		c.headf("roles", "a network needs at least one role")
	}
	for i, r := range n.Roles {
		if slices.Contains(n.Roles[:i], r) {
			c.headf(strictyaml.Item("roles", i), "role %s is listed twice", r)
		}
	}
	if n.ZoneVariable != "" {
		c.checkVariable(c.headf, "zone_variable", n.ZoneVariable)
	}
	if n.Timeout < 0 {
		c.headf("timeout", "a timeout cannot be negative")
	}
	if !n.Check.IsZero() || slices.ContainsFunc(n.Streams, func(s *Stream) bool { return s.Request.URLVariable == "" && !s.Disabled }) {
		c.checkRequest(c.headf, "check", n.Check, scope{})
		c.checkAllow(c.headf, "check", n.Check)
	}
	for _, role := range slices.Sorted(maps.Keys(n.Checks)) {
		if !slices.Contains(n.Roles, role) {
			c.headf("checks."+role, "%q is not a role of the network", role)
		}
		c.checkRequest(c.headf, "checks."+role, n.Checks[role], scope{})
		c.checkAllow(c.headf, "checks."+role, n.Checks[role])
	}
	c.checkSuccess(c.headf, n.Success, n.ErrorText)
	c.checkHeaders()
}

// checkAccountSettings checks what an account may set.
func (c *checker) checkAccountSettings() {
	n := c.network
	for _, name := range slices.Sorted(maps.Keys(n.Credentials)) {
		if !namePattern.MatchString(name) {
			c.headf("credentials."+name, "%q is not a name for a credential", name)
		}
		if n.Credentials[name].Help == "" {
			c.headf("credentials."+name, "credential %s needs a help text", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.Variables)) {
		v := n.Variables[name]
		path := "variables." + name
		if !namePattern.MatchString(name) {
			c.headf(path, "%q is not a name for a variable", name)
		}
		if v.Help == "" {
			c.headf(path, "variable %s needs a help text", name)
		}
		if v.Required && v.Default != "" {
			c.headf(path, "variable %s is required and has a default; it can only be one of them", name)
		}
		c.checkVariableKind(path, v)
	}
	for i, key := range n.Secrets {
		if key == "" {
			c.headf(strictyaml.Item("secrets", i), "a secret's key is empty")
		}
	}
}

func (c *checker) checkPace() {
	p := c.network.Pace
	if p.MinDelay < 0 {
		c.headf("pace.min_delay", "a delay cannot be negative")
	}
	seen := map[string]bool{}
	for i, q := range p.Quotas {
		path := strictyaml.Item("pace.quotas", i)
		if q.Name == "" || q.Calls <= 0 || q.Per <= 0 {
			c.headf(path, "a quota needs a name, and calls and per above zero")
		}
		if seen[q.Name] {
			c.headf(path, "quota %s is listed twice", q.Name)
		}
		if e := c.network.Exports; q.For == QuotaExports && (e == nil || e.Budget != q.Name) {
			c.headf(path+".for", "no exports count against quota %s", q.Name)
		}
		seen[q.Name] = true
	}
}

// checkNames finds streams that a role could not tell apart.
func (c *checker) checkNames() {
	type reader struct{ name, role string }
	seen := map[reader]bool{}
	for _, s := range c.streams {
		for _, role := range s.Roles {
			if seen[reader{s.Name, role}] {
				s.report(c, "name", "role %s has two streams named %s", role, s.Name)
			}
			seen[reader{s.Name, role}] = true
		}
	}
}

// checkScopes finds streams that would remove each other's rows: a pull replaces
// what its stream has in a table, so two streams in one table have to be told
// apart by a constant column. Reports and entities are, by their stream's name.
func (c *checker) checkScopes() {
	type owner struct {
		stream string
		spec   normalize.Spec
		leads  bool
	}
	for _, role := range c.network.Roles {
		owners := map[string][]owner{}
		for _, s := range c.streams {
			if s.skip || !slices.Contains(s.Roles, role) {
				continue
			}
			for i, spec := range s.Outputs() {
				leads := s.Leads && i == 0 // all that is told of a lead goes into one row
				if table, ok := schema.Lookup(spec.Table); !ok || table.Index("report") >= 0 || table.Index("stream") >= 0 {
					continue
				}
				for _, o := range owners[spec.Table] {
					if o.stream != s.Name && !(o.leads && leads) && !apart(o.spec, spec) {
						s.report(c, "table", "for role %s, streams %s and %s fill table %s and no constant column tells their rows apart", role, o.stream, s.Name, spec.Table)
					}
				}
				owners[spec.Table] = append(owners[spec.Table], owner{s.Name, spec, leads})
			}
		}
	}
}

// apart reports whether a constant column has different values in a and b.
func apart(a, b normalize.Spec) bool {
	for name, field := range a.Columns {
		if other := b.Columns[name].Const; field.Const != "" && other != "" && field.Const != other {
			return true
		}
	}
	return false
}

func (c *checker) checkCredential(report reporter, path, name string) {
	if _, ok := c.network.Credentials[name]; !ok {
		report(path, "credential %q is not declared%s", name, suggestion(name, c.network.Credentials))
	}
}

func (c *checker) checkVariable(report reporter, path, name string) {
	if _, ok := c.network.Variables[name]; !ok {
		report(path, "variable %q is not declared%s", name, suggestion(name, c.network.Variables))
	}
}

// reporter records a mistake at a path.
type reporter func(path, format string, args ...any)

// suggestion is the end of a message that offers the closest declared name.
func suggestion[V any](word string, known map[string]V) string {
	if s := strictyaml.Suggest(word, slices.Sorted(maps.Keys(known))); s != "" {
		return "; did you mean " + s + "?"
	}
	return ""
}

// each gives the single errors of a joined one.
func each(err error) []error {
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
