package rest

import (
	"errors"
	"strings"
	"testing"

	"syncd/extractors/manifest"
)

// A window is a report day of the account; where the network cuts reports by days of
// its own, the two have to be the same.
func TestTheDaysOfAPlatformAreTheAccounts(t *testing.T) {
	for name, tt := range map[string]struct {
		zone string // of the platform; the account's is Berlin
		want string
	}{
		"the same zone is right":                    {"Europe/Berlin", ""},
		"another zone is told with both":            {"America/New_York", "timezone: the days of Net's reports are those of America/New_York, the account's of Europe/Berlin"},
		"an account's word is taken if none is set": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := network()
			n.ZoneVariable = "platform"
			n.Variables["platform"] = manifest.Variable{Help: "the platform's zone", Default: tt.zone}
			for _, s := range n.Streams {
				if s.Window != nil && s.Window.Zone == manifest.ZoneAccount {
					s.Window.Zone = manifest.ZonePlatform
				}
			}
			src, err := New(n, account(t))
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got := src.Streams()[0].Window.Location.String(); got != "Europe/Berlin" {
					t.Errorf("windows are days of %s", got)
				}
				return
			}
			mistakes, ok := errors.AsType[Mistakes](err)
			if !ok || len(mistakes) != 1 || !strings.HasPrefix(mistakes[0].Path+": "+mistakes[0].Message, tt.want) {
				t.Errorf("got %v, want one mistake that begins with %s", err, tt.want)
			}
		})
	}
}
