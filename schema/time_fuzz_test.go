package schema

import (
	"math/big"
	"strings"
	"testing"
	"time"
)

// FuzzTimes holds that what reads as a time is one, the one that package time reads, and
// that its text is read as the same again.
func FuzzTimes(f *testing.F) {
	for _, seed := range []string{
		"2019-09-30T11:33:46Z", "2019-09-30 11:33:46.25-03:30", "2024-2-29 4:05:06", "2024-12-31 24:00:00", "2016-12-31 23:59:60",
		"2024-03-05T14:15", "2024-03-05", "0000-01-01", "9999-12-31T23:59:59.999999+00", "65e6fec9134ed093008b4578", "2023-02-29",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if unix, ok := ParseObjectID([]byte(text)); ok && (len(text) != 24 || unix < 0 || unix > 1<<32-1) {
			t.Errorf("%q is an id of second %d", text, unix)
		}
		if day, rest, err := ParseDay([]byte(text)); err == nil {
			at := time.Unix(int64(day)*daySeconds, 0).UTC()
			c, _, err := ParseCivil([]byte(text[:len(text)-len(rest)]))
			if err != nil || c.Unix != at.Unix() || !strings.HasPrefix(text, at.Format("2006-")) {
				t.Errorf("%q is day %v; as a time %v, %v", text, at, c, err)
			}
		}
		if c, rest, err := ParseCivil([]byte(text)); err == nil {
			if c.Milli < 0 || c.Milli > 999 {
				t.Fatalf("%q has %d milliseconds", text, c.Milli)
			}
			shown := time.Unix(c.Unix, int64(c.Milli)*1e6).UTC().Format("2006-01-02T15:04:05.000")
			if again, left, err := ParseCivil([]byte(shown)); err == nil && (again != c || len(left) > 0) || err != nil && len(shown) == len("2006-01-02T15:04:05.000") {
				t.Errorf("%q is %s, and that %v, %q, %v", text, shown, again, left, err)
			}
			if !strings.HasSuffix(text, string(rest)) {
				t.Errorf("%q leaves %q", text, rest)
			}
		}
		milli, err := ParseRFC3339([]byte(text))
		want, wantErr := time.Parse(time.RFC3339Nano, text)
		if wantErr == nil && err == nil && floorDiv(want.UnixNano(), 1e6) != milli && want.Year() > 1678 && want.Year() < 2262 {
			t.Errorf("%q is %v, package time says %v", text, time.UnixMilli(milli).UTC(), want)
		}
		// It refuses nothing that package time takes, but offsets of a day and more.
		if wantErr == nil && err != nil {
			t.Errorf("%q: got %v, package time says %v", text, err, want)
		}
	})
}

// FuzzEpoch holds that seconds and milliseconds since 1970 are read exactly, cut at
// milliseconds, towards zero.
func FuzzEpoch(f *testing.F) {
	for _, seed := range []string{"1709637321", "1709637321.0359", "1.709637321e9", "-1.5", "1709637321000", "0", "-0.0005", "10413791999.9999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 40 || strings.Trim(text, "0123456789.eE+-") != "" {
			return
		}
		if at := strings.IndexAny(text, "eE"); at >= 0 && len(text)-at > 5 {
			return
		}
		units, ok := reference(text)
		for name, read := range map[string]struct {
			parse func([]byte) (int64, error)
			unit  int64
		}{"seconds": {ParseUnix, 1e7}, "milliseconds": {ParseUnixMilli, 1e10}} {
			got, err := read.parse([]byte(text))
			if !ok {
				if err == nil {
					t.Errorf("%q is %d in %s", text, got, name)
				}
				continue
			}
			want := new(big.Int).Quo(units, big.NewInt(read.unit))
			if held := new(big.Int).Abs(want).Cmp(big.NewInt(maxUnixMilli)) <= 0; held != (err == nil) || held && want.Int64() != got {
				t.Errorf("%q is %d in %s, %v, want %v", text, got, name, err, want)
			}
		}
	})
}
