package config

import (
	"errors"
	"time"
)

// Day is a calendar day, written as 2026-01-31. The zero Day is none.
type Day struct {
	Year  int
	Month time.Month
	Day   int
}

var errDay = errors.New("not a day such as 2026-01-31")

// UnmarshalText reads a day that exists in the calendar.
func (d *Day) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return errDay
	}
	d.Year, d.Month, d.Day = t.Date()
	return nil
}

// MarshalText writes the day; nothing for the zero Day.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String writes the day; empty for the zero Day.
func (d Day) String() string {
	if d.IsZero() {
		return ""
	}
	return d.utc().Format(time.DateOnly)
}

// IsZero reports whether d is no day.
func (d Day) IsZero() bool { return d == Day{} }

// Expected says what a day looks like.
func (Day) Expected() string { return "a day such as 2026-01-31" }

func (d Day) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Begin gives the first instant of the day in a zone: later than midnight where
// the clock leaps over midnight, the first of both where it shows midnight twice.
func (d Day) Begin(loc *time.Location) time.Time {
	t := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, loc)
	start, end := t.ZoneBounds()
	_, offset := t.Zone()
	wall := t.UTC().Add(time.Duration(offset) * time.Second)
	switch {
	case wall.Before(d.utc()): // midnight is in a gap that begins after t
		return end
	case wall.After(d.utc()): // midnight is in the gap that ends at start
		return start
	}
	if start.IsZero() {
		return t
	}
	_, before := start.Add(-1).Zone()
	if first := t.Add(time.Duration(offset-before) * time.Second); before > offset && first.Before(start) {
		return first
	}
	return t
}
