package main

import (
	"fmt"
	"strings"
	"time"

	"syncd/internal/plan"
)

// dayRange is a range of report days at midnight UTC, to exclusive.
type dayRange struct{ from, to time.Time }

// parseDays reads FROM..TO, both days included.
func parseDays(text string) (dayRange, error) {
	a, b, ok := strings.Cut(text, "..")
	if !ok {
		return dayRange{}, &usageError{fmt.Errorf("--backfill %s: write FROM..TO, such as 2026-01-01..2026-03-31", text)}
	}
	from, err := parseDay(a)
	if err != nil {
		return dayRange{}, err
	}
	to, err := parseDay(b)
	if err != nil {
		return dayRange{}, err
	}
	if to.Before(from) {
		return dayRange{}, &usageError{fmt.Errorf("--backfill %s: the range ends before it begins", text)}
	}
	return dayRange{from, to.AddDate(0, 0, 1)}, nil
}

func parseDay(text string) (time.Time, error) {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, &usageError{fmt.Errorf("--backfill: %q is not a day such as 2026-01-31", text)}
	}
	return d, nil
}

// in gives the instants at which the range begins and ends in a zone.
func (r dayRange) in(loc *time.Location) (from, to time.Time) {
	return plan.DayStart(r.from.Year(), r.from.Month(), r.from.Day(), loc),
		plan.DayStart(r.to.Year(), r.to.Month(), r.to.Day(), loc)
}

func (r dayRange) String() string {
	return r.from.Format(time.DateOnly) + ".." + r.to.AddDate(0, 0, -1).Format(time.DateOnly)
}
