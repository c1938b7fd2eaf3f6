package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"syncd/internal/config"
	"syncd/state"
)

// postbackToken is the token of the accounts below; check must not show it.
const postbackToken = "marker-0123456789"

const postbackConfig = `
http: {public_url: https://syncd.example.com/}
accounts:
- {name: kma-main, network: kma, credentials: {api_key: x}, postback: {token: marker-0123456789, statuses: {T: trash}, currency: EUR}}
- {name: kma-pull, network: kma, credentials: {api_key: x}, open_ids: {file: leads.csv}}
- {name: rock, network: leadrock, postback: {token: marker-0123456789}}
- {name: leads, network: apileads, open_ids: {file: leads.csv}, postback: {token: marker-0123456789}}
- {name: nothing, network: apileads}
- {name: silent, network: metacpa}
- {name: unnamed, network: webvork, credentials: {api_key: x}, postback: {token: marker-0123456789}}
- {name: unheard, network: webvork, credentials: {api_key: x}}
- {name: coinless, network: leadtrade, postback: {token: marker-0123456789}}
`

// ran runs a command with the configuration above.
func ran(t *testing.T, c *cobra.Command, args ...string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(postbackConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c.SetArgs(append(args, "--config", file))
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceUsage, c.SilenceErrors = true, true
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

func TestTheAddressesOfAnAccount(t *testing.T) {
	const start = "https://syncd.example.com/postback/"
	tests := []struct {
		name string
		args []string
		want []string
		err  string
	}{
		{"of one network, of its macros", []string{"kma", "--postback", "kma-main"},
			[]string{"Global: " + start + "kma-main?token=" + postbackToken + "&oid={data1}&eid={orderid}&status={status}&pay={sum}&cc={currency}"}, ""},
		{"of any network, an event each", []string{"--postback", "rock"}, []string{
			"New: leave it blank\n",
			"Approve: " + start + "rock?token=" + postbackToken + "&oid={sub1}&status=approve\n",
			"Cancel: " + start + "rock?token=" + postbackToken + "&oid={sub1}&status=cancel\n",
			"Trash: " + start + "rock?token=" + postbackToken + "&oid={sub1}&status=trash\n",
		}, ""},
		{"of a network that nothing is known of", []string{"--postback", "leads"},
			[]string{start + "leads?token=" + postbackToken + "&oid={oid}&status={status}\n", "its macros are not public"}, ""},
		{"not without a token", []string{"--postback", "kma-pull"}, nil, "set postback.token"},
		{"not of another network", []string{"kma", "--postback", "rock"}, nil, "account rock is at leadrock, not at kma"},
		{"not of an account that is none", []string{"--postback", "kma-mian"}, nil, "did you mean kma-main?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ran(t, newNetworksCommand(), tt.args...)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("got error %v, want %q", err, tt.err)
			}
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("got\n%s\nwant %s in it", got, want)
				}
			}
		})
	}
}

func TestCheckSaysHowFarItGetsWithANetwork(t *testing.T) {
	got, err := ran(t, newCheckCommand(), "--offline")
	if err == nil {
		t.Error("accounts of which nothing can come are no fault")
	}
	for _, want := range []string{
		"account kma-main: pull verified in public sources\n",
		"account kma-main: takes postbacks at https://syncd.example.com/postback/kma-main?token=***; syncd networks kma --postback kma-main",
		"account kma-pull: pull verified in public sources; postback token missing",
		"account rock: postback only\n",
		"account leads: seed only; set variables.status_url",
		"account leads: open_ids names leads, and no stream that is on asks for any",
		"FAULT  account nothing: seed only, and nothing can come: set postback.token or variables.status_url",
		"FAULT  account silent: postback only, and nothing can come: set postback.token\n",
		"account unnamed: statuses are asked by the network's ids, which its postbacks do not tell: name them in open_ids, as lead_id\n",
		"account unheard: statuses are asked of leads that are known, and nothing tells of any: set postback.token or open_ids\n",
		"account coinless: its postbacks name no currency: set postback.currency, or their amounts have none\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %s in it", got, want)
		}
	}
	if n := strings.Count(got, "no currency"); n != 1 {
		t.Errorf("%d accounts are said to have no currency, want 1:\n%s", n, got)
	}
	if n := strings.Count(got, "statuses are asked "); n != 2 {
		t.Errorf("%d accounts are said to lack ids, want 2:\n%s", n, got)
	}
	if strings.Contains(got, postbackToken) {
		t.Errorf("check shows a token:\n%s", got)
	}
}

func TestPlanSaysThatAnAccountIsNotAskedForAnything(t *testing.T) {
	got, err := ran(t, newPlanCommand(), "--only", "rock", "--only", "unheard")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got, "rock (leadrock): nothing is asked for\n\nunheard (webvork): one call at a time") {
		t.Errorf("got\n%s", got)
	}
}

// TestLeadsOfPostbacksAreAskedForAsTheStreamSays holds that what only a postback told of
// is pulled as well, as often as the account's configuration says.
func TestLeadsOfPostbacksAreAskedForAsTheStreamSays(t *testing.T) {
	cfg, err := config.Parse("config.yaml", []byte(strings.Replace(postbackConfig, "{token: marker-0123456789, statuses: {T: trash}, currency: EUR}",
		"{token: marker-0123456789}, streams: {statuses: {restate: [{last: 2d, every: 1h}, {last: 9d, every: 1d}]}}", 1)),
		func(string) (string, bool) { return "", false }, "")
	if err != nil {
		t.Fatal(err)
	}
	known, err := loadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	accounts, problems := buildAccounts(cfg, known)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	day := 24 * time.Hour
	want := state.PollRule{Tiers: []state.PollTier{{Last: 2 * day, Every: time.Hour}, {Last: 9 * day, Every: day}}, Settled: 7 * day}
	if diff := cmp.Diff(want, accounts[0].receiver.Poll); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, none := range map[int]string{1: "an account without a token", 4: "one that is given nothing"} {
		if accounts[i].receiver != nil || accounts[i].run.Receiver != nil {
			t.Errorf("%s receives postbacks", none)
		}
	}
	if accounts[2].receiver.Poll.Tiers != nil {
		t.Error("leads of a network that nobody asks are to be asked for")
	}
}
