package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/internal/strictyaml"
)

const schemaFile = "../../config.schema.json"

func TestJSONSchemaIsCurrent(t *testing.T) {
	got := JSONSchema()
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(schemaFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("config.schema.json is not what the structs give; run go generate ./internal/config")
	}
	if !json.Valid(got) {
		t.Errorf("not JSON")
	}
}

// paths lists the path of every key below t.
func paths(t reflect.Type, path string, into map[string]reflect.Type) {
	into[path] = t
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[Day]() || t == reflect.TypeFor[Secret]() || t == reflect.TypeFor[DSN]():
	case t.Kind() == reflect.Struct:
		for f := range t.Fields() {
			if name := f.Tag.Get("yaml"); name != "" && name != "-" {
				paths(f.Type, strings.TrimPrefix(path+"."+name, "."), into)
			}
		}
	case t.Kind() == reflect.Map:
		paths(t.Elem(), path+".*", into)
	case t.Kind() == reflect.Slice:
		paths(t.Elem(), path+"[]", into)
	}
}

func TestEveryKeyIsDescribed(t *testing.T) {
	keys := map[string]reflect.Type{}
	paths(reflect.TypeFor[Config](), "", keys)
	described := describe()
	for path := range keys {
		if described[path].text == "" {
			t.Errorf("%s is not described", path)
		}
	}
	for path, d := range described {
		if _, ok := keys[path]; !ok {
			t.Errorf("%s is described and is no key", path)
		}
		if _, err := regexp.Compile(d.pattern); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestDescribedDefaultsAreThoseThatAreFilledIn(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	plain, err := Parse("c", []byte("accounts: [{name: a, network: n}]"), none, "")
	if err != nil {
		t.Fatal(err)
	}
	plain.positions = nil
	described := describe()
	for _, path := range slices.Sorted(maps.Keys(described)) {
		value := described[path].value
		if value == "" {
			continue
		}
		// The file that gives the default says the same as the one that does not.
		keys := strings.Split(path, ".")
		src := strings.Join(keys, ": {") + ": " + value + strings.Repeat("}", len(keys)-1) + "\naccounts: [{name: a, network: n}]"
		if rest, ok := strings.CutPrefix(path, "accounts[]."); ok {
			inner := strings.Split(rest, ".")
			src = "accounts: [{name: a, network: n, " + strings.Join(inner, ": {") + ": " + value + strings.Repeat("}", len(inner)-1) + "}]"
		}
		given, err := Parse("c", []byte(src), none, "")
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		given.positions = nil
		if !reflect.DeepEqual(plain, given) {
			t.Errorf("%s: %s is not the default", path, value)
		}
	}
}

func TestSchemaPatternsTakeWhatIsDecoded(t *testing.T) {
	tests := []struct {
		name, pattern string
		good, bad     []string
		decode        func(string) error
	}{
		{"durations", durationPattern, []string{"30s", "15m", "7d", "1d12h", "1h30m", "0.5h", "250ms"}, []string{"30", "7 d", "1w", "1.5d"},
			func(s string) error { _, err := strictyaml.ParseDuration(s); return err }},
		{"sizes", sizePattern, []string{"512MiB", "2GiB", "64KB", "17", "17B", "1 TiB"}, []string{"2 gigs", "-1", "1.5GiB"},
			func(s string) error { var size Size; return size.UnmarshalText([]byte(s)) }},
		{"days", dayPattern, []string{"2026-01-31"}, []string{"2026-1-31", "31.1.2026", "2026-01-31T00:00:00Z"},
			func(s string) error { var d Day; return d.UnmarshalText([]byte(s)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pattern := regexp.MustCompile("^(" + tt.pattern + ")$")
			for _, s := range tt.good {
				if err := tt.decode(s); err != nil || !pattern.MatchString(s) {
					t.Errorf("%q: decoding %v, pattern %v", s, err, pattern.MatchString(s))
				}
			}
			for _, s := range tt.bad {
				if err := tt.decode(s); err == nil || pattern.MatchString(s) {
					t.Errorf("%q: decoding %v, pattern %v", s, err, pattern.MatchString(s))
				}
			}
		})
	}
}

func TestEveryZoneThatIsSuggestedLoads(t *testing.T) {
	for name := range strings.FieldsSeq(zoneNames) {
		if _, err := time.LoadLocation(name); err != nil {
			t.Errorf("zone %s: %v", name, err)
		}
	}
}
