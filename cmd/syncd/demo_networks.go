package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"syncd/tests/affisesim"
	"syncd/tests/metricssim"
	"syncd/tests/offerslooksim"
	"syncd/tests/performcbsim"
)

// demoNetwork is a simulated platform that runs, and the account that pulls it.
type demoNetwork struct {
	title string
	url   string
	// note says where it is not as the real one is; empty for nowhere that matters.
	note string
	// account is its name in the configuration; config is the rest of it, without name
	// and address.
	account, config string
	// key is the credential that config refers to.
	key struct{ variable, value string }
	// history are the streams that the demo's table is made of.
	history []string
	// sends has the network call the daemon at an address until ctx ends; nil for one that
	// only answers.
	sends func(ctx context.Context, daemon string)
}

// startDemoNetworks starts all simulated platforms, on ports of loopback. stop ends
// them and removes what they wrote.
func startDemoNetworks(now time.Time) (networks []demoNetwork, stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, f := range slices.Backward(stops) {
			f()
		}
	}
	for _, start := range []func(time.Time) (demoNetwork, func(), error){demoAffise, demoPerformCB, demoMetrics, demoOffersLook, demoKMA} {
		n, stopOne, err := start(now)
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("starting the simulated %s: %w", n.title, err)
		}
		networks, stops = append(networks, n), append(stops, stopOne)
	}
	return networks, stop, nil
}

// demoDay gives the report day that lies so many days before now, as a configuration has it.
func demoDay(now time.Time, before int, zone *time.Location) string {
	return now.In(zone).AddDate(0, 0, -before).Format(time.DateOnly)
}

// demoAffise is a month of a small affiliate program.
func demoAffise(now time.Time) (demoNetwork, func(), error) {
	n := demoNetwork{title: "Affise", account: "affise-demo", history: []string{"offers", "conversions", "clicks"}}
	sim := affisesim.New(affisesim.Options{
		Offers: 24, Partners: 12, Advertisers: 6, Conversions: 6_000, Clicks: 60_000,
		Platform: time.UTC,
		Live:     affisesim.Live{ClicksPerHour: 7_200, ConversionsPerHour: 720, Decide: 2 * time.Minute},
	})
	url, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		return n, nil, err
	}
	n.url = url
	n.key.variable, n.key.value = "DEMO_AFFISE_KEY", sim.Options().AdminKey
	n.config = fmt.Sprintf(`    network: affise
    credentials: {api_key: "${DEMO_AFFISE_KEY}"}
    role: admin
    timezone: UTC
    pace: {min_delay: 5ms, allow_faster: true}
    start: %s
    streams:
      conversions: {schedule: "@every 15s", restate: [{last: 1d, every: 1m}, {last: 30d, every: 1h}]}
      clicks: {schedule: "@every 15s", restate: [{last: 1h, every: 1m}, {last: 7d, every: 1h}]}
      stats/by_offer: {schedule: "@every 30s", restate: [{last: 1d, every: 1m}, {last: 30d, every: 1h}]}
`, demoDay(now, 29, time.UTC))
	return n, func() { stop(); sim.Close() }, nil
}

// demoInterval is the pause between two calls that the simulated Perform[cb] asks for.
// A week of it is 15 calls, which the five minutes of the real one make 75 minutes.
const demoInterval = 200 * time.Millisecond

// demoPerformCB is a partner whose conversions are decided and reversed as time goes on.
func demoPerformCB(now time.Time) (demoNetwork, func(), error) {
	n := demoNetwork{
		title: "Perform[cb]", account: "performcb-demo", history: []string{"offers", "conversions"},
		note: fmt.Sprintf("it asks for %s between calls, where the real one asks for five minutes", demoInterval),
	}
	sim := performcbsim.New(performcbsim.Options{ConversionsPerDay: 1_200, MinInterval: demoInterval, Restless: true})
	partner := sim.Options().Accounts[0]
	url, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		return n, nil, err
	}
	zone := sim.Options().Zone
	n.url = url
	n.key.variable, n.key.value = "DEMO_PERFORMCB_KEY", partner.APIKey
	// The account's report days are the platform's, as they have to be.
	n.config = fmt.Sprintf(`    network: performcb
    credentials: {api_key: "${DEMO_PERFORMCB_KEY}"}
    variables: {user_id: "%d"}
    timezone: %s
    pace: {min_delay: %s, allow_faster: true}
    start: %s
    streams:
      conversions: {schedule: "@every 30s", restate: [{last: 1d, every: 1m}, {last: 30d, every: 1h}]}
      stats/by_subid: {schedule: "@every 1m", restate: [{last: 1d, every: 2m}, {last: 30d, every: 1h}]}
`, partner.UserID, zone, demoInterval, demoDay(now, 6, zone))
	return n, func() { stop(); sim.Close() }, nil
}

const (
	// demoExportDays is how far back the history of 24metrics goes: as many days as take
	// eight of the ten exports that it has a day, two for each of its four kinds.
	demoExportDays = 13
	// demoExportWork is how long an export is being written: less than the ten seconds
	// after which it is asked for first.
	demoExportWork = 4 * time.Second
)

// demoMetrics is a tracker whose last two days are read page by page and whose days
// before come as files. Advertisers change their minds about some conversions.
func demoMetrics(now time.Time) (demoNetwork, func(), error) {
	n := demoNetwork{
		title: "24metrics", account: "24metrics-demo", history: []string{"offers", "conversions", "clicks"},
		note: fmt.Sprintf("its Download Center writes a file in %s, and ten of them a day", demoExportWork),
	}
	sim := metricssim.New(metricssim.Options{
		ConversionsPerDay: 3_000, ClicksPerDay: 6_000, ImpressionsPerDay: 6_000, WorkFor: demoExportWork,
	})
	url, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		return n, nil, err
	}
	n.url = url
	n.key.variable, n.key.value = "DEMO_24METRICS_KEY", sim.Options().Key
	n.config = fmt.Sprintf(`    network: 24metrics
    credentials: {api_key: "${DEMO_24METRICS_KEY}"}
    variables: {integrations: %s, currency: USD, settle: 5s}
    timezone: UTC
    pace: {min_delay: 5ms, allow_faster: true}
    start: %s
    streams:
      conversions: {schedule: "@every 15s", restate: [{last: 1d, every: 1m}, {last: 30d, every: 1h}]}
      clicks: {schedule: "@every 30s", restate: [{last: 1d, every: 2m}, {last: 30d, every: 1h}]}
      impressions: {schedule: "@every 30s", restate: [{last: 1d, every: 5m}, {last: 30d, every: 1h}]}
`, sim.Options().Integrations[0], demoDay(now, demoExportDays, time.UTC))
	stopChanges := repeatedly(20*time.Second, func() { sim.Restate(5, 24*time.Hour) })
	return n, func() { stopChanges(); stop(); _ = sim.Close() }, nil // the folder is a temporary one
}

// demoOffersLook is a network's own view of its offers, affiliates and conversions. It
// is called at the real one's pace, which is fast enough.
func demoOffersLook(now time.Time) (demoNetwork, func(), error) {
	n := demoNetwork{title: "OffersLook", account: "offerslook-demo", history: []string{"offers", "conversions"}}
	sim := offerslooksim.New(offerslooksim.Options{Offers: 12, ConversionsPerDay: 1_500})
	url, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		return n, nil, err
	}
	n.url = url
	n.key.variable, n.key.value = "DEMO_OFFERSLOOK_KEY", sim.Options().Key
	n.config = fmt.Sprintf(`    network: offerslook
    credentials: {user: %s, api_key: "${DEMO_OFFERSLOOK_KEY}"}
    role: network
    timezone: UTC
    start: %s
    streams:
      conversions: {schedule: "@every 15s", restate: [{last: 1d, every: 1m}, {last: 30d, every: 1h}]}
`, sim.Options().Name, demoDay(now, 20, time.UTC))
	return n, func() { stop(); sim.Close() }, nil
}

// repeatedly calls f again and again until stop, which waits for it.
func repeatedly(pause time.Duration, f func()) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				f()
			}
		}
	}()
	return func() { close(done); <-ended }
}
