package tests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd/tests/affisesim"
)

func leftBehind(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s was left behind", e.Name())
	}
}

func TestMistakesOfWhoTypesAreNamedAndExitWith2(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 1, Clicks: 1})
	x := recent(t, "main", "UTC", 2)
	good := adminAccount("main", "UTC", x.from, "")
	tests := []struct {
		name   string
		config string // "": the good one
		args   []string
		says   []string
	}{
		{"a configuration that is not there", "", []string{"run", "--config", "nowhere.yaml"}, []string{"nowhere.yaml"}},
		{"an unknown flag", "", []string{"run", "--bakfill", "x"}, []string{"unknown flag: --bakfill", "syncd run --help"}},
		{"an unknown command", "", []string{"rum"}, []string{"rum"}},
		{"an argument too many", "", []string{"status", "all"}, []string{"all"}},
		{"a network that is misspelt", strings.Replace(good, "network: affise", "network: afise", 1), []string{"check", "--offline"}, []string{"config.yaml:", "afise", "did you mean affise?"}},
		{"an unknown key", strings.Replace(good, "    role:", "    roll:", 1), []string{"run"}, []string{"config.yaml:", "roll", "did you mean role?"}},
		{"a zone that is none", strings.Replace(good, "timezone: UTC", "timezone: Europe/Berlim", 1), []string{"run"}, []string{"config.yaml:", "Europe/Berlim"}},
		{"a variable that is not set", strings.Replace(good, "${ADMIN_KEY}", "${ADMIN_KEI}", 1), []string{"run"}, []string{"config.yaml:", "ADMIN_KEI"}},
		{"a pace faster than the network's", good + "    pace: {min_delay: 1ms}\n", []string{"run"}, []string{"config.yaml:", "allow_faster"}},
		{"a stream that is not there", good + "    streams: {conversion: {enabled: true}}\n", []string{"run"}, []string{"config.yaml:", "conversion", "did you mean conversions?"}},
		{"only an account that is not there", "", []string{"run", "--only", "mian"}, []string{"--only mian", "main"}},
		{"only a stream that is not there", "", []string{"run", "--only", "main/conversion"}, []string{"main/conversion", "conversions"}},
		{"a range that is none", "", []string{"run", "--backfill", "2026-01-01"}, []string{"FROM..TO"}},
		{"a range of days that are none", "", []string{"run", "--backfill", "2026-02-30..2026-03-01"}, []string{"2026-02-30"}},
		{"a range that ends before it begins", "", []string{"plan", "--backfill", "2026-02-02..2026-02-01"}, []string{"ends before it begins"}},
		{"once and a range", "", []string{"run", "--once", "--backfill", "2026-02-01..2026-02-02"}, []string{"once", "backfill"}},
		{"a network of the catalogue that is misspelt", "", []string{"networks", "afise"}, []string{"did you mean affise?"}},
		{"a question that is missing", "", []string{"query"}, []string{"syncd query --help"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config := test.config
			if config == "" {
				config = good
			}
			b.config(config)
			r := b.run(test.args...).ended(t, 2)
			says(t, r.stderr, test.says...)
			if r.stdout != "" {
				t.Errorf("it wrote to stdout:\n%s", r.stdout)
			}
		})
	}
	if _, err := os.Stat(b.data("")); err == nil {
		t.Error("a mistake left a data folder behind")
	}
}

func TestEveryMistakeOfAConfigurationIsToldAtOnceWithItsPlace(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 1, Clicks: 1})
	b.write("config.yaml", `accounts:
  - name: main
    network: affise
    base_url: https://api.example.test
    credentials: {api_kei: x}
    timezone: Mars/Phobos
    timeout: soon
    role: affilate
`)
	r := b.run("check", "--offline").ended(t, 2)
	says(t, r.stderr,
		"config.yaml:5:", "did you mean api_key?", // what only a network can know
		"config.yaml:6:", "Phobos", "config.yaml:7:", "soon", "config.yaml:8:", "did you mean affiliate?",
	)
}

func TestANewUserMeetsTheCommands(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 300, Clicks: 300})
	x := recent(t, "main", "UTC", 2)
	b.config(adminAccount("main", "UTC", x.from, unpaced))

	says(t, b.run().ended(t, 0).stdout, "run", "plan", "check", "networks", "status", "query", "demo")
	says(t, b.run("--version").ended(t, 0).stdout, "syncd version")
	says(t, b.run("networks").ended(t, 0).stdout, "affise", "api_key", "documented")
	says(t, b.run("networks", "affise").ended(t, 0).stdout, "api_key", "conversions", "stats/by_offer", "admin", "page_size")
	says(t, b.run("networks", "affise", "--json").ended(t, 0).stdout, `"network": "affise"`)
	says(t, b.run("status").ended(t, 0).stdout, "conversions", "not pulled yet")
	r := b.run("query", "SELECT 1").ended(t, 1)
	says(t, r.stderr, "nothing was pulled yet", "syncd run")
	says(t, b.run("plan").ended(t, 0).stdout, "conversions", "at least", "total")
	says(t, b.run("plan", "--backfill", x.day(x.from)+".."+x.day(x.from), "--only", "main/conversions").ended(t, 0).stdout, "conversions", "at least 1")
	if n := len(b.network.Log()); n > 0 {
		t.Errorf("%d calls were made; none of these may make one", n)
	}
	if _, err := os.Stat(b.data("state.db")); err == nil {
		t.Error("asking made a state")
	}

	says(t, b.run("check", "--offline").ended(t, 0).stdout, "ok     configuration")
	says(t, b.run("check").ended(t, 0).stdout, "ok     state", "ok     warehouse", "ok     account main")
	b.run("run", "--once", "--only", "main/conversions", "--only", "main/offers").ended(t, 0)
	says(t, b.run("status").ended(t, 0).stdout, "up to date")
	says(t, b.run("query", "--format", "JSONEachRow", "SELECT count() > 0 AS loaded FROM conversions").ended(t, 0).stdout, `"loaded":1`)
	says(t, b.run("query", "SELECT nothing FROM nowhere").ended(t, 1).stderr, "nowhere")

	b.env = []string{"ADMIN_KEY=wrong"}
	says(t, b.run("check").ended(t, 1).stdout, "FAULT  account main", "refused the key of account main")
}

func TestTheExampleConfigurationLoads(t *testing.T) {
	t.Parallel()
	b := newBed(t, affisesim.Options{Conversions: 1, Clicks: 1})
	text, err := os.ReadFile(filepath.Join("..", "config.example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	b.write("config.yaml", string(text))
	says(t, b.run("check", "--offline").ended(t, 2).stderr, "SYNCD_TOKEN", "AFFISE_API_KEY", "AFFISE_PARTNER_KEY", "PERFORMCB_API_KEY", "METRICS_API_KEY", "OFFERSLOOK_API_KEY", "HASOFFERS_API_KEY", "KMA_API_KEY", "KMA_POSTBACK_TOKEN")
	b.env = []string{
		"SYNCD_TOKEN=t", "SYNCD_PII_KEY=0123456789abcdef0123456789abcdef", "AFFISE_API_KEY=a", "AFFISE_PARTNER_KEY=b",
		"PERFORMCB_API_KEY=c", "METRICS_API_KEY=d", "OFFERSLOOK_API_KEY=e", "HASOFFERS_API_KEY=f",
		"KMA_API_KEY=g", "KMA_POSTBACK_TOKEN=0123456789abcdef",
	}
	says(t, b.run("check", "--offline").ended(t, 0).stdout, "7 accounts")
}
