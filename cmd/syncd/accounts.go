package main

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/extractors/rest"
	"syncd/extractors/transport"
	"syncd/internal/config"
	"syncd/internal/pipeline"
	"syncd/internal/postback"
	"syncd/internal/strictyaml"
	"syncd/state"
)

// catalogue is every network that syncd knows, by name.
type catalogue map[string]*manifest.Network

func loadCatalogue() (catalogue, error) {
	networks, err := manifest.Load()
	if err != nil {
		return nil, fmt.Errorf("loading the manifests: %w", err)
	}
	c := make(catalogue, len(networks))
	for _, n := range networks {
		c[n.Name] = n
	}
	return c, nil
}

// account is a configured account that is ready to be driven.
type account struct {
	config  *config.Account
	network *manifest.Network
	source  *rest.Source
	run     *pipeline.Account
	// receiver reads the account's postbacks; nil if it receives none.
	receiver *postback.Account
}

// buildAccounts turns the configuration into accounts. All that is wrong with any
// of them is reported at once, each at its place in the file.
func buildAccounts(cfg *config.Config, known catalogue) (accounts []*account, problems strictyaml.Problems) {
	for i := range cfg.Accounts {
		a, wrong := buildAccount(cfg, i, known)
		problems = append(problems, wrong...)
		accounts = append(accounts, a)
	}
	return accounts, problems
}

func buildAccount(cfg *config.Config, i int, known catalogue) (*account, strictyaml.Problems) {
	c := &cfg.Accounts[i]
	path := fmt.Sprintf("accounts[%d]", i)
	network := known[c.Network]
	if network == nil {
		names := sortedKeys(known)
		hint := "; syncd knows " + strings.Join(names, ", ")
		if s := strictyaml.Suggest(c.Network, names); s != "" {
			hint = "; did you mean " + s + "?"
		}
		return nil, strictyaml.Problems{cfg.Problem(path+".network", "no network is called %q%s", c.Network, hint)}
	}
	var problems strictyaml.Problems
	if floor := network.Pace.MinDelay; c.Pace.MinDelay > 0 && c.Pace.MinDelay < floor && !c.Pace.AllowFaster {
		problems = append(problems, cfg.Problem(path+".pace.min_delay",
			"%s asks for at least %s between calls; set allow_faster: true beside it if the network agreed to %s", network.Title, floor, c.Pace.MinDelay))
	}
	if most := max(network.Pace.Parallel, 1); c.Pace.Parallel > most && !c.Pace.AllowFaster {
		problems = append(problems, cfg.Problem(path+".pace.parallel",
			"%s takes at most %d calls at once; set allow_faster: true beside it if the network agreed to %d", network.Title, most, c.Pace.Parallel))
	}
	source, err := rest.New(network, restAccount(cfg, c))
	if mistakes, ok := err.(rest.Mistakes); ok { //nolint:errorlint // New's error is a Mistakes, by contract
		for _, m := range mistakes {
			problems = append(problems, cfg.Problem(path+"."+m.Path, "%s", m.Message))
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	receiver, problems := receiverOf(cfg, i, network, source)
	if len(problems) > 0 {
		return nil, problems
	}
	run := pipelineAccount(cfg, i, network, source)
	if receiver != nil {
		run.Receiver = receiver
	}
	return &account{config: c, network: network, source: source, run: run, receiver: receiver}, nil
}

func restAccount(cfg *config.Config, c *config.Account) rest.Account {
	credentials := make(map[string]rest.Secret, len(c.Credentials))
	for name, secret := range c.Credentials {
		credentials[name] = secret
	}
	streams := make(map[string]rest.Settings, len(c.Streams))
	for name, s := range c.Streams {
		tiers := make([]extractors.TierRule, len(s.Restate))
		for i, t := range s.Restate {
			tiers[i] = extractors.TierRule{Last: t.Last, Every: t.Every}
		}
		streams[name] = rest.Settings{
			Enabled: s.Enabled, Schedule: s.Schedule, Restate: tiers, Slices: s.Slices,
			Variables: s.Variables, Start: startOf(s.Start, c.Location),
		}
	}
	return rest.Account{
		Name: c.Name, BaseURL: c.BaseURL, Role: c.Role, Location: c.Location,
		Credentials: credentials, Variables: c.Variables, Start: startOf(c.Start, c.Location),
		PII: rest.PII{IP: rest.Mode(cfg.PII.IP), Email: rest.Mode(cfg.PII.Email), Key: cfg.PII.Key}, Streams: streams,
	}
}

func pipelineAccount(cfg *config.Config, i int, network *manifest.Network, source *rest.Source) *pipeline.Account {
	c := &cfg.Accounts[i]
	timeout := cmp.Or(c.Timeout, network.Timeout, transport.TimeoutDefault)
	parallel := cmp.Or(c.Pace.Parallel, network.Pace.Parallel, 1)
	delay := network.Pace.MinDelay
	// Who allows more calls at once, and says nothing of the delay, keeps the network's.
	if c.Pace.MinDelay > 0 || c.Pace.AllowFaster && cfg.Has(fmt.Sprintf("accounts[%d].pace.min_delay", i)) {
		delay = c.Pace.MinDelay
	}
	var quotas []state.Budget
	budgets := map[string]state.Budget{}
	for _, q := range network.Pace.Quotas {
		budget := state.Budget{Name: q.Name, Calls: q.Calls, Per: q.Per}
		if q.For == "" {
			budget.Per += quotaMargin
			quotas = append(quotas, budget)
		} else {
			budgets[q.Name] = budget
		}
	}
	return &pipeline.Account{
		Name: c.Name, Network: network.Name, Source: source,
		Caller: &caller{
			network: network.Title, account: c.Name,
			transport: transport.New(transport.Options{
				Timeout: timeout, MaxBody: int64(network.MaxBody), Version: version, Parallel: parallel,
			}),
		},
		MinDelay: delay, Timeout: timeout, Parallel: parallel, Quotas: quotas, Budgets: budgets,
		Location: c.Location, DropFiles: altered(cfg.PII.IP) || altered(cfg.PII.Email),
		Shrink: c.Guards.Shrink, IgnoreTotals: c.Guards.IgnoreTotals, Reading: reading(cfg),
	}
}

// reading names what makes rows of an answer beside the stream's mapping. The key of
// digests is hashed: what is stored of the name must not lead to it.
func reading(cfg *config.Config) string {
	key := sha256.Sum256([]byte(cfg.PII.Key.Reveal()))
	return fmt.Sprintf("%s ip=%s email=%s key=%x", version, cfg.PII.IP, cfg.PII.Email, key[:8])
}

// altered reports whether personal data is not kept as the network gives it. A
// downloaded file has it as it was, so it may not outlive its rows' way to the warehouse.
func altered(mode string) bool { return mode == config.PIIHash || mode == config.PIIDrop }

// quotaMargin is added to the time of a quota that all calls count against: a call is counted here when it
// leaves and at the network when it arrives, and the first of two may take longer on
// its way than the second.
const quotaMargin = time.Second

// startOf is the instant at which the first report day begins; zero for none.
func startOf(d config.Day, loc *time.Location) time.Time {
	if d.IsZero() {
		return time.Time{}
	}
	return d.Begin(loc)
}

// streamNames gives every account's streams, for messages.
func streamNames(accounts []*account) map[string][]string {
	names := make(map[string][]string, len(accounts))
	for _, a := range accounts {
		names[a.run.Name] = []string{}
		for _, s := range a.source.Streams() {
			names[a.run.Name] = append(names[a.run.Name], s.Name)
		}
		if r := a.run.Receiver; r != nil {
			names[a.run.Name] = append(names[a.run.Name], r.Stream().Name)
		}
	}
	return names
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
