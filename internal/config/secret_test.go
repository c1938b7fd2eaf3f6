package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.yaml.in/yaml/v3"

	"syncd/internal/config"
)

// holders have secrets where fmt cannot call methods.
type holder struct {
	Open   config.Secret
	hidden config.Secret
	dsn    config.DSN
	deep   struct{ m map[string]config.Secret }
	all    *config.Config
}

func TestSecretsDoNotPrint(t *testing.T) {
	secret := config.NewSecret(marker)
	dsn := config.NewDSN("clickhouse://user:" + marker + "@host:9000/?password=" + marker)
	c, err := parse(`
warehouse: {dsn: "clickhouse://user:${CLICKHOUSE_PASSWORD}@host:9440/?secure=true"}
http: {token: "${SYNCD_TOKEN}"}
pii: {ip: hash, key: "${SYNCD_PII_KEY}"}
accounts: [{name: a, network: affise, credentials: {api_key: "${AFFISE_API_KEY}"}}]
`)
	if err != nil {
		t.Fatal(err)
	}
	h := holder{Open: secret, hidden: secret, dsn: dsn, all: c}
	h.deep.m = map[string]config.Secret{"k": secret}
	values := map[string]any{
		"secret": secret, "pointer": &secret, "zero": config.Secret{}, "dsn": dsn, "config": *c, "config pointer": c, "account": c.Accounts[0],
		"accounts": c.Accounts, "http": c.HTTP, "credentials": c.Accounts[0].Credentials, "holder": h, "holder pointer": &h,
		"error": fmt.Errorf("asking with %v: %w", secret, errors.New("no")),
	}
	for name, v := range values {
		t.Run(name, func(t *testing.T) {
			texts := map[string]string{}
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10v"} {
				texts[verb] = fmt.Sprintf(verb, v)
			}
			texts["Sprint"] = fmt.Sprint(v)
			asJSON, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			texts["JSON"] = string(asJSON)
			if _, isError := v.(error); !isError {
				asYAML, err := yaml.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				texts["YAML"] = string(asYAML)
			}
			for _, encoder := range []zapcore.Encoder{
				zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()),
			} {
				line, err := encoder.EncodeEntry(zapcore.Entry{}, []zapcore.Field{zap.Any("any", v), zap.Reflect("reflect", v)})
				if err != nil {
					t.Fatal(err)
				}
				texts["zap"] += line.String()
			}
			for how, text := range texts {
				if strings.Contains(text, marker) || strings.Contains(text, fmt.Sprintf("%x", marker)) {
					t.Errorf("%s shows the secret: %s", how, text)
				}
			}
			if name == "secret" {
				for how, text := range texts {
					if !strings.Contains(text, "***") {
						t.Errorf("%s gives %s, want ***", how, text)
					}
				}
			}
		})
	}
}

func TestSecret(t *testing.T) {
	if s := config.NewSecret("x"); s.Reveal() != "x" || s.IsZero() {
		t.Errorf("got %q, zero %v", s.Reveal(), s.IsZero())
	}
	if s := config.NewSecret(""); s.Reveal() != "" || !s.IsZero() || s != (config.Secret{}) {
		t.Errorf("the empty text gives %q, zero %v", s.Reveal(), s.IsZero())
	}
	// printf abc | sha256sum
	if got := config.NewSecret("abc").Fingerprint(); got != "ba7816bf8f01" {
		t.Errorf("fingerprint %s, want ba7816bf8f01", got)
	}
}

func TestAnAccountsFingerprintChangesWithAnyCredential(t *testing.T) {
	credentials := func(pairs ...string) config.Account {
		a := config.Account{Credentials: map[string]config.Secret{}}
		for i := 0; i < len(pairs); i += 2 {
			a.Credentials[pairs[i]] = config.NewSecret(pairs[i+1])
		}
		return a
	}
	seen := map[string]bool{}
	for _, a := range []config.Account{
		credentials(), credentials("a", "1"), credentials("a", "2"), credentials("b", "1"), credentials("a", "1", "b", "2"), credentials("a", "1b", "2", ""),
	} {
		if f := a.Fingerprint(); len(f) != 12 || seen[f] || f != a.Fingerprint() {
			t.Errorf("fingerprint %s of %d credentials is not its own", f, len(a.Credentials))
		} else {
			seen[f] = true
		}
	}
}

func TestDSNRedacted(t *testing.T) {
	tests := []struct{ name, dsn, want string }{
		{"no address", "", ""},
		{"embedded", "embedded", "embedded"},
		{"a file", "sqlite:./data/state.db", "sqlite:./data/state.db"},
		{"a password", "clickhouse://u:pw@host:9440/db?secure=true", "clickhouse://u:***@host:9440/db?secure=true"},
		{"no password", "clickhouse://u@host:9440/", "clickhouse://u@host:9440/"},
		{"a password in the query", "postgres://host/db?sslmode=on&password=pw&sslpassword=pw", "postgres://host/db?sslmode=on&password=***&sslpassword=***"},
		{"a password for HTTP", "https://u:pw@host:8443/db", "https://u:***@host:8443/db"},
		{"another protocol", "clickhouse://u:pw@host:8123/?protocol=http", "clickhouse://u:***@host:8123/?protocol=http"},
		{"a password in an escaped name", "http://host/?pass%77ord=pw", "http://host/?pass%77ord=***"},
		{"a proxy with a password", "http://u:pw@host/?http_proxy=http%3A%2F%2Fu%3Apw%40proxy%2F&x=1", "http://u:***@host/?http_proxy=***&x=1"},
		{"a password with a slash", "http://u:12/pw@host/", "http:***"},
		{"a password with a question mark", "http://u:12?pw@host/", "http:***"},
		{"a password with a hash", "http://u:12#pw@host/", "http:***"},
		{"an address that cannot be read", "clickhouse://u:p%zz@host", "clickhouse:***"},
		{"a text that cannot be read", "\x7fpw", "***"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := config.NewDSN(tt.dsn).Redacted(); got != tt.want {
				t.Errorf("%q is shown as %q, want %q", tt.dsn, got, tt.want)
			}
		})
	}
}
