package config

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"time"

	"syncd/internal/schedule"
	"syncd/internal/strictyaml"
)

const (
	timeoutMin  = time.Second
	timeoutMax  = time.Hour
	parallelMax = 64
	everyMin    = time.Minute
)

// startMin is before the first affiliate network: an earlier day is a slip.
var startMin = Day{1995, time.January, 1}

var accountName = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

func (k *checker) accounts() {
	if len(k.Accounts) == 0 {
		k.report("accounts", "no account is given; there is nothing to pull")
	}
	first := map[string]int{}
	for i := range k.Accounts {
		a, path := &k.Accounts[i], strictyaml.Item("accounts", i)
		k.account(a, path)
		if j, ok := first[a.Name]; ok && a.Name != "" {
			k.report(path+".name", "%q is already the name of accounts[%d]; rows are kept apart by it", a.Name, j)
			continue
		}
		first[a.Name] = i
	}
}

func (k *checker) account(a *Account, path string) {
	switch {
	case a.Name == "":
		k.report(path+".name", "missing; every account needs a name, such as affise-main")
	case !accountName.MatchString(a.Name):
		k.report(path+".name", "%q has other characters than a-z, 0-9, _ and -, or more than 64", a.Name)
	}
	if a.Network == "" {
		k.report(path+".network", "missing; `syncd networks` lists them")
	}
	k.baseURL(path+".base_url", a.BaseURL)
	for _, name := range slices.Sorted(maps.Keys(a.Credentials)) {
		if a.Credentials[name].IsZero() {
			k.report(strictyaml.Key(path+".credentials", name), "empty")
		}
	}
	if loc, err := loadZone(a.Timezone); err != nil {
		k.report(path+".timezone", "%v", err)
	} else {
		a.Location = loc
	}
	k.pace(a, path)
	k.start(path+".start", a.Start, a.Location)
	for _, name := range slices.Sorted(maps.Keys(a.Streams)) {
		k.stream(a, a.Streams[name], strictyaml.Key(path+".streams", name))
	}
	k.postback(a.Postback, path+".postback")
	k.openIDs(a.OpenIDs, path+".open_ids")
	if s := a.Guards.Shrink; k.Has(path+".guards.shrink") && !(s > 0 && s <= 1) { // NaN too
		k.report(path+".guards.shrink", "%v is no share of rows: above 0, and 1 at most", s)
	}
}

func (k *checker) baseURL(path, text string) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		k.report(path, "not an address such as https://api-acme.affise.com")
	case u.User != nil:
		k.report(path, "a user or password does not belong here; it goes under credentials")
	case u.RawQuery != "" || u.Fragment != "":
		k.report(path, "an address without ? and # is needed; keys go under credentials")
	}
}

func (k *checker) pace(a *Account, path string) {
	if a.Pace.MinDelay < 0 {
		k.report(path+".pace.min_delay", "%s is negative", span(a.Pace.MinDelay))
	}
	if a.Pace.Parallel < 0 || a.Pace.Parallel > parallelMax {
		k.report(path+".pace.parallel", "%d is not between 0 (the network's own) and %d", a.Pace.Parallel, parallelMax)
	}
	if a.Timeout != 0 && (a.Timeout < timeoutMin || a.Timeout > timeoutMax) {
		k.report(path+".timeout", "%s is not between %s and %s", span(a.Timeout), span(timeoutMin), span(timeoutMax))
	}
}

func (k *checker) start(path string, start Day, loc *time.Location) {
	switch {
	case start.IsZero():
	case start.Begin(loc).After(k.now):
		k.report(path, "%v is in the future", start)
	case start.utc().Before(startMin.utc()):
		k.report(path, "%v is before %v, the earliest day that is accepted", start, startMin)
	}
}

func (k *checker) stream(a *Account, s Stream, path string) {
	if s.Schedule != "" {
		if err := schedule.Check(s.Schedule); err != nil {
			k.report(path+".schedule", "%v", err)
		}
	}
	k.start(path+".start", s.Start, a.Location)
	seen := map[string]bool{}
	for i, slice := range s.Slices {
		if seen[slice] || slice == "" {
			k.report(strictyaml.Item(path+".slices", i), "%q is empty or given twice", slice)
		}
		seen[slice] = true
	}
	k.restate(s.Restate, path+".restate")
}

func (k *checker) restate(tiers []Tier, path string) {
	for i, t := range tiers {
		at := strictyaml.Item(path, i)
		switch {
		case t.Last <= 0:
			k.report(at+".last", "missing or not positive; how far back is pulled again, such as 2d")
		case i > 0 && t.Last <= tiers[i-1].Last:
			k.report(at+".last", "%s does not reach further back than the tier before (%s)", span(t.Last), span(tiers[i-1].Last))
		}
		switch {
		case t.Every < everyMin:
			k.report(at+".every", "missing or shorter than %s; how often that is pulled again, such as 1d", span(everyMin))
		case i > 0 && t.Every < tiers[i-1].Every:
			k.report(at+".every", "%s is more often than the tier before (%s), which lies within it", span(t.Every), span(tiers[i-1].Every))
		}
	}
}
