package strictyaml_test

import (
	"testing"
	"time"

	"syncd/internal/strictyaml"
)

func TestParseDuration(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"90d", 90 * 24 * time.Hour, true},
		{"1d12h", 36 * time.Hour, true},
		{"1d1h1m1s", 25*time.Hour + 61*time.Second, true},
		{"-1d12h", -36 * time.Hour, true},
		{"1.5h", 90 * time.Minute, true},
		{"0", 0, true},
		{"0d", 0, true},
		{"106751d", 106751 * 24 * time.Hour, true},
		{"106751d24h", 0, false},
		{"106752d", 0, false},
		{"1.5d", 0, false},
		{"1d-2h", 0, false},
		{"1d2d", 0, false},
		{"12", 0, false},
		{"d", 0, false},
		{"", 0, false},
		{"1 d", 0, false},
	}
	for _, tt := range tests {
		got, err := strictyaml.ParseDuration(tt.text)
		if (err == nil) != tt.ok || tt.ok && got != tt.want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v, ok %v", tt.text, got, err, tt.want, tt.ok)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	tests := map[time.Duration]string{
		90 * 24 * time.Hour: "90d", 36 * time.Hour: "1d12h", 15 * time.Minute: "15m", 30 * time.Second: "30s", time.Hour: "1h",
		0: "0s", 90 * time.Second: "1m30s", 24*time.Hour + time.Second: "1d1s", -36 * time.Hour: "-1d12h", time.Millisecond: "1ms", time.Hour + time.Second: "1h0m1s",
	}
	for d, want := range tests {
		if got := strictyaml.FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%v) = %s, want %s", d, got, want)
		}
		if back, err := strictyaml.ParseDuration(want); err != nil || back != d {
			t.Errorf("ParseDuration(%s) = %v, %v; want %v", want, back, err, d)
		}
	}
}

func TestSize(t *testing.T) {
	tests := []struct {
		text string
		want strictyaml.Size
		ok   bool
		back string
	}{
		{"2GiB", 2 << 30, true, "2GiB"},
		{"512MiB", 512 << 20, true, "512MiB"},
		{"1024KiB", 1 << 20, true, "1MiB"},
		{"64KB", 64000, true, "64000B"},
		{"1 tib", 1 << 40, true, "1TiB"},
		{"17", 17, true, "17B"},
		{"17B", 17, true, "17B"},
		{"0", 0, true, "0B"},
		{"8388607TiB", 8388607 << 40, true, "8388607TiB"},
		{"8388608TiB", 0, false, ""},
		{"-1", 0, false, ""},
		{"1.5GiB", 0, false, ""},
		{"GiB", 0, false, ""},
		{"2G", 0, false, ""},
		{"", 0, false, ""},
	}
	for _, tt := range tests {
		got, err := strictyaml.ParseSize(tt.text)
		if (err == nil) != tt.ok || got != tt.want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d, ok %v", tt.text, got, err, tt.want, tt.ok)
		}
		if tt.ok && got.String() != tt.back {
			t.Errorf("ParseSize(%q) prints %s, want %s", tt.text, got, tt.back)
		}
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"min_delay", "name", "network", "timezone", "max_size", "ip"}
	tests := []struct{ name, word, want string }{
		{"a missing letter", "min_dely", "min_delay"},
		{"swapped letters count once", "nmae", "name"},
		{"case and separators do not count", "MinDelay", "min_delay"},
		{"a hyphen for an underscore", "max-size", "max_size"},
		{"two mistakes in a long word", "timzeon", "timezone"},
		{"a longer form of a word", "networks_name", "network"},
		{"a shorter form of a word", "time", "timezone"},
		{"nothing is close", "colour", ""},
		{"a short word is not any other short word", "pc", ""},
		{"one letter is not half a word", "x", ""},
		{"the empty word means nothing", "", ""},
		{"the closest wins", "nework", "network"},
		{"a very long word is like none", string(make([]byte, 5000)), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strictyaml.Suggest(tt.word, known); got != tt.want {
				t.Errorf("Suggest(%q) = %q, want %q", tt.word, got, tt.want)
			}
		})
	}
}
