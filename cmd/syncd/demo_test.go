package main

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
)

func TestEveryPlatformOfTheDemoTakesTheKeyOfItsAccountAndHasTheStreamsOfTheTable(t *testing.T) {
	networks, stop, err := startDemoNetworks(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	cfg, err := demoConfig(t.TempDir(), "127.0.0.1:0", networks)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	var platforms []string
	for i, one := range a.accounts {
		platforms = append(platforms, one.network.Name)
		n := networks[i]
		streams := streamNames(a.accounts)[n.account]
		for _, stream := range n.history {
			if !slices.Contains(streams, stream) {
				t.Errorf("%s has no stream %s, which its part of the table waits for: %v", n.account, stream, streams)
			}
		}
		call := one.source.Check()
		answer, err := one.run.Caller.Do(t.Context(), call)
		if err != nil {
			t.Errorf("%s: %v", n.account, err)
			continue
		}
		if _, err := one.source.Read(nil, extractors.Work{}, answer); err != nil {
			t.Errorf("%s refuses its account: %v", n.account, err)
		}
	}
	if diff := cmp.Diff([]string{"affise", "performcb", "24metrics", "offerslook", "kma"}, platforms); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
}

func TestTheDemosPerformCBIsCalledInItsOwnZoneAndNoFasterThanItAsks(t *testing.T) {
	n, stop, err := demoPerformCB(time.Date(2026, 3, 9, 2, 0, 0, 0, time.UTC)) // the evening of the 8th in New York
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	cfg, err := demoConfig(t.TempDir(), "127.0.0.1:0", []demoNetwork{n})
	if err != nil {
		t.Fatal(err)
	}
	account := cfg.Accounts[0]
	if account.Timezone != "America/New_York" || account.Start.String() != "2026-03-02" {
		t.Errorf("it begins on %s of %s, want 2026-03-02 of America/New_York", account.Start, account.Timezone)
	}
	if account.Pace.MinDelay < demoInterval || !strings.Contains(n.note, demoInterval.String()) || !strings.Contains(n.note, "five minutes") {
		t.Errorf("it is called every %s, and says: %s", account.Pace.MinDelay, n.note)
	}
}

func TestThePlatformsOfTheDemoEndWithIt(t *testing.T) {
	networks, stop, err := startDemoNetworks(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	stop()
	for _, n := range networks {
		answer, err := http.Get(n.url) //nolint:noctx // nothing listens there
		if err == nil {
			answer.Body.Close()
			t.Errorf("%s still answers", n.title)
		}
	}
}

func TestATakenPortIsReplacedByAFreeOne(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	got := freeOr(taken.Addr().String())
	socket, err := net.Listen("tcp", got)
	if err != nil {
		t.Fatalf("%s is offered: %v", got, err)
	}
	socket.Close()
	if got := freeOr("nowhere"); got != "nowhere" {
		t.Errorf("an address that is none becomes %s", got)
	}
}
