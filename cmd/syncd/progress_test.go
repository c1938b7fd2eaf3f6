package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"syncd/internal/pipeline"
	"syncd/state"
)

func TestProgressTellsWhatIsLeftWaitsIncluded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgress(&bytes.Buffer{}, zap.NewNop())
		p.accounts = []*account{{run: &pipeline.Account{Name: "slow", MinDelay: 5 * time.Minute}}}
		pull := state.Pull{Account: "slow", Stream: "conversions", Phase: state.Pulling}
		for range 10 {
			p.Planned(pull)
		}
		if got := p.now().left; got != 50*time.Minute {
			t.Errorf("before the first window: got %s left, want ten waits of five minutes", got)
		}
		pull.Phase = state.Pulled
		for range 4 {
			time.Sleep(6 * time.Minute) // a call and its wait
			p.Called("slow", "conversions", "ok", time.Minute, 1000)
			p.Received(pull, 500)
		}
		p.Published(pull, 500, 0)
		p.Published(pull, 500, 1)
		now := p.now()
		if now.left != 36*time.Minute {
			t.Errorf("after 4 windows in 24 minutes: got %s left for 6, want 36m", now.left)
		}
		text := now.String()
		for _, want := range []string{"4 of 10 windows pulled", "2 loaded", "1000 rows", "4 calls", "36m0s left"} {
			if !strings.Contains(text, want) {
				t.Errorf("got %q, want %q in it", text, want)
			}
		}
		pull.Phase = state.Pulling
		p.Failed(pull, "given up")
		p.Warehouse(bytes.ErrTooLarge)
		if text := p.now().String(); !strings.Contains(text, "1 failed") || !strings.Contains(text, "waiting for the warehouse") {
			t.Errorf("got %q", text)
		}
	})
}

func TestSelectionNamesAccountsAndStreams(t *testing.T) {
	streams := map[string][]string{"a": {"conversions", "stats/by_offer"}, "b": {"offers"}}
	tests := []struct {
		name            string
		only            selection
		account, stream string
		has             bool
	}{
		{"nothing named is everything", nil, "a", "conversions", true},
		{"an account is all of its streams", selection{"a"}, "a", "stats/by_offer", true},
		{"another account is not", selection{"a"}, "b", "offers", false},
		{"a stream is itself alone", selection{"a/conversions"}, "a", "stats/by_offer", false},
		{"a stream's own slash is part of its name", selection{"a/stats/by_offer"}, "a", "stats/by_offer", true},
		{"an account with a selected stream is worked on", selection{"a/conversions"}, "a", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.only.has(tt.account, tt.stream); got != tt.has {
				t.Errorf("got %v, want %v", got, tt.has)
			}
			if err := tt.only.check(streams); err != nil {
				t.Error(err)
			}
		})
	}
	for _, unknown := range []string{"c", "a/offers"} {
		if err := (selection{unknown}).check(streams); exitCode(t.Context(), err) != exitUsage {
			t.Errorf("--only %s: got %v, want a mistake of usage", unknown, err)
		}
	}
	if a, b := (selection{"b", "a", "a"}).String(), (selection{"a", "b"}).String(); a != b {
		t.Errorf("the same selection is %q and %q", a, b)
	}
}

func TestDaysAreThoseOfTheAccountsZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	r, err := parseDays("2026-03-28..2026-03-29")
	if err != nil {
		t.Fatal(err)
	}
	from, to := r.in(berlin)
	if got := to.Sub(from); got != 47*time.Hour {
		t.Errorf("two days with the clocks going forward last %s, want 47h", got)
	}
	for _, wrong := range []string{"", "2026-03-28", "2026-03-29..2026-03-28", "2026-02-30..2026-03-01", "yesterday..today"} {
		if _, err := parseDays(wrong); exitCode(t.Context(), err) != exitUsage {
			t.Errorf("%q: got %v, want a mistake of usage", wrong, err)
		}
	}
}
