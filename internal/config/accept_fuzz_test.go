package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd/internal/config"
	"syncd/internal/schedule"
	"syncd/internal/strictyaml"
)

// FuzzAccepted holds that a file that is taken is one that the daemon can run on, looked
// at without the code that checks it, and that no way to print it shows a secret; and of
// one that is not, that every mistake has words and a place.
func FuzzAccepted(f *testing.F) {
	files, err := filepath.Glob("testdata/*.good.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "../../config.example.yaml") {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte(`accounts: [{name: a, network: kma, credentials: {k: "${MARKER}"}, timezone: Asia/Kathmandu, start: 2025-02-28, pace: {min_delay: 1s, parallel: 2},
  streams: {x: {schedule: "*/5 * * * *", restate: [{last: 2d, every: 5m}, {last: 9d, every: 1d}], slices: [day]}},
  postback: {token: "${TOKEN}", statuses: {ok: approved}, currency: USD}, open_ids: {query: SELECT 1, every: 5m}}]`))
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := config.Parse("f.yaml", src, func(string) (string, bool) { return marker, true }, "testdata")
		if err != nil {
			problems, ok := errors.AsType[strictyaml.Problems](err)
			if !ok || len(problems) == 0 || c != nil {
				t.Fatalf("refused with %v and %v", c, err)
			}
			for _, p := range problems {
				if p.Message == "" || p.Line < 1 || p.Column < 1 {
					t.Errorf("a mistake without words or place: %+v", p)
				}
			}
			return
		}
		host, _, err := net.SplitHostPort(c.HTTP.Listen)
		if err != nil {
			t.Errorf("listens at %q: %v", c.HTTP.Listen, err)
		}
		if addr, err := netip.ParseAddr(host); (err != nil || !addr.IsLoopback()) && !strings.EqualFold(host, "localhost") && c.HTTP.Token.IsZero() {
			t.Errorf("listens at %q without a token", c.HTTP.Listen)
		}
		if len(c.Accounts) == 0 || c.Retention.RawPages < 24*time.Hour || c.Retention.Spool < time.Hour || c.Inbox.MaxSize < 16<<20 || c.DataDir == "" {
			t.Errorf("taken: %+v", c)
		}
		names := map[string]bool{}
		for _, a := range c.Accounts {
			if a.Location == nil || a.Location.String() == "Local" || names[a.Name] || strings.Trim(a.Name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" || a.Name == "" {
				t.Errorf("account %q in %v", a.Name, a.Location)
			}
			names[a.Name] = true
			if a.Pace.MinDelay < 0 || a.Pace.Parallel < 0 || a.Timeout < 0 || !a.Start.IsZero() && a.Start.Begin(a.Location).After(time.Now()) {
				t.Errorf("account %q has the pace %+v, the timeout %v and the start %v", a.Name, a.Pace, a.Timeout, a.Start)
			}
			if token := a.Postback.Token.Reveal(); token != "" && len(token) < 16 || token == "" && !a.Postback.IsZero() {
				t.Errorf("account %q receives postbacks with a token of %d bytes", a.Name, len(token))
			}
			for name, s := range a.Streams {
				if s.Schedule != "" {
					if _, err := schedule.Parse(s.Schedule, a.Location, a.Name+name); err != nil {
						t.Errorf("stream %s is due %q: %v", name, s.Schedule, err)
					}
				}
				for i, tier := range s.Restate {
					if tier.Last <= 0 || tier.Every <= 0 || i > 0 && tier.Last <= s.Restate[i-1].Last {
						t.Errorf("stream %s has the tiers %v", name, s.Restate)
					}
				}
			}
			// Only what is a secret is hidden: a variable may be taken from the environment too.
			text, err := json.Marshal(a.Credentials)
			if shown := fmt.Sprintf("%v %+v %#v %s", a.Credentials, a.Postback, a.Credentials, text); err != nil || strings.Contains(shown, marker) && !strings.Contains(string(src), marker) && !mentioned(a.Postback) {
				t.Errorf("a secret is shown: %s, %v", shown, err)
			}
		}
	})
}

// mentioned reports whether what is no secret of a postback's settings was taken from the
// environment, or a name was.
func mentioned(p config.Postback) bool {
	for word := range p.Statuses {
		if strings.Contains(word, marker) {
			return true
		}
	}
	return strings.Contains(p.Currency, marker)
}

// FuzzDay holds that a day is one of the calendar, written as it was read, and that its
// beginning shows it.
func FuzzDay(f *testing.F) {
	for _, seed := range []string{"2026-01-31", "2026-02-29", "2024-02-29", "0000-01-01", "9999-12-31", "2026-1-1", "2011-12-30"} {
		f.Add(seed)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d config.Day
		if err := d.UnmarshalText([]byte(text)); err != nil {
			if !d.IsZero() {
				t.Errorf("%q is refused and %v", text, d)
			}
			return
		}
		if d.String() != text {
			t.Errorf("%q is the day %v", text, d)
		}
		if shown := d.Begin(berlin).Format(time.DateOnly); shown != text {
			t.Errorf("%q begins on %s", text, shown)
		}
	})
}
