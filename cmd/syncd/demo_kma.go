package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"syncd/tests/cpasim"
)

const (
	// demoLead is how often a lead is made at the simulated KMA, and demoDecide how long
	// its decision takes at most, so that both are seen.
	demoLead   = 2 * time.Second
	demoDecide = 2 * time.Minute
	// demoResend is how soon a postback that was not answered is sent again. Networks
	// take a minute.
	demoResend = 500 * time.Millisecond
	// demoPostbackToken is what the network's postbacks bring along.
	demoPostbackToken = "demo-postback-token"
)

// demoKMA is a CPA network that tells what becomes of leads in two ways: it is asked for
// those that a file names, as an affiliate's own system would write it, and sends
// postbacks of those that are made as time goes on.
func demoKMA(now time.Time) (demoNetwork, func(), error) {
	n := demoNetwork{
		title: "KMA", account: "kma-demo", history: []string{"offers"},
		note: fmt.Sprintf("it decides on leads within %s, and sends postbacks to the daemon", demoDecide),
	}
	sim := cpasim.New(cpasim.Options{Leads: 90, From: now.AddDate(0, 0, -9), Decide: demoDecide})
	list, err := os.CreateTemp("", "syncd-demo-leads-*.csv")
	if err != nil {
		return n, nil, err
	}
	remove := func() { _ = os.Remove(list.Name()) } // gone already, then
	if _, err = list.WriteString(demoLeads(sim.Leads(now))); err == nil {
		err = list.Close()
	}
	if err != nil {
		remove()
		return n, nil, err
	}
	url, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		remove()
		return n, nil, err
	}
	n.url = url
	n.key.variable, n.key.value = "DEMO_KMA_KEY", sim.Options().Key
	n.config = fmt.Sprintf(`    network: kma
    credentials: {api_key: "${DEMO_KMA_KEY}"}
    timezone: UTC
    postback: {token: %s, currency: USD}
    open_ids: {file: %q}
    streams:
      statuses: {schedule: "@every 15s", restate: [{last: 1d, every: 1m}, {last: 130d, every: 1h}]}
`, demoPostbackToken, list.Name())
	// What the list names was told of before.
	listed := map[int]bool{}
	for _, l := range sim.Leads(now) {
		listed[l.ID] = true
	}
	n.sends = func(ctx context.Context, daemon string) {
		address := sim.Address(daemon + "/postback/" + n.account + "?token=" + demoPostbackToken)
		tick := time.NewTicker(demoLead)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			sim.Make(1)
			// What fails is the end of ctx.
			_, _ = sim.Deliver(ctx, cpasim.Delivery{Address: address, Retry: demoResend, Only: func(l cpasim.Lead) bool { return !listed[l.ID] }})
		}
	}
	return n, func() { stop(); sim.Close(); remove() }, nil
}

// demoLeads is a list of leads as CSV.
func demoLeads(leads []cpasim.Lead) string {
	var text strings.Builder
	text.WriteString("lead_id,click_id,created_at\n")
	for _, l := range leads {
		fmt.Fprintf(&text, "%d,%s,%s\n", l.ID, l.OwnID, l.Made.Format(time.RFC3339))
	}
	return text.String()
}
