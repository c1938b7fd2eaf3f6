package strictyaml

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

var errDuration = errors.New("not a duration such as 30s, 15m or 7d")

// ParseDuration reads a duration in Go's syntax, which may begin with whole days
// of 24 hours: "90d", "1d12h", "15m".
func ParseDuration(s string) (time.Duration, error) {
	number, rest, found := strings.Cut(s, "d")
	if !found {
		d, err := time.ParseDuration(s)
		if err != nil {
			return 0, errDuration
		}
		return d, nil
	}
	days, err := strconv.ParseInt(number, 10, 64)
	if err != nil || days > math.MaxInt64/int64(day) || days < math.MinInt64/int64(day) {
		return 0, errDuration
	}
	total := time.Duration(days) * day
	if rest == "" {
		return total, nil
	}
	// "1d-2h" has no meaning worth having.
	if strings.ContainsAny(rest, "+-") {
		return 0, errDuration
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		return 0, errDuration
	}
	if strings.HasPrefix(number, "-") {
		d = -d
	}
	if sum := total + d; (sum >= total) == (d >= 0) {
		return sum, nil
	}
	return 0, errDuration
}

// FormatDuration writes a duration the short way: "90d", "1d12h", "15m", "30s".
func FormatDuration(d time.Duration) string {
	if d < 0 {
		return "-" + FormatDuration(-d)
	}
	if d < day {
		text := d.String()
		if strings.HasSuffix(text, "m0s") {
			text = strings.TrimSuffix(text, "0s")
		}
		if strings.HasSuffix(text, "h0m") {
			text = strings.TrimSuffix(text, "0m")
		}
		return text
	}
	text := strconv.FormatInt(int64(d/day), 10) + "d"
	if rest := d % day; rest != 0 {
		text += FormatDuration(rest)
	}
	return text
}
