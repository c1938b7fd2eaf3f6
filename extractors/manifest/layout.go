package manifest

import (
	"fmt"
	"time"
)

// layoutSample is where the days begin on which layouts are tried: a leap year, after the
// two digits of any year that a network may have meant by hand.
var layoutSample = time.Date(2032, time.January, 1, 19, 41, 57, 0, time.UTC)

// CheckDayLayout gives what is wrong with a Go layout that days are to be written in:
// nil if no two days look the same in it. "200612" takes January 22 for December 2, so
// every day of a year has to come back.
func CheckDayLayout(layout string) error {
	for i := range 366 {
		day := layoutSample.AddDate(0, 0, i).Truncate(24 * time.Hour)
		if back, err := time.Parse(layout, day.Format(layout)); err != nil || !back.Equal(day) {
			return fmt.Errorf("%q is not a day's layout; write the second of January 2006 as the network does, like %s", layout, time.DateOnly)
		}
	}
	return nil
}

// CheckTimeLayout gives what is wrong with a Go layout that times are to be written
// in: nil if no two seconds look the same in it.
func CheckTimeLayout(layout string) error {
	for i := range 366 {
		// By odd steps, so that hours, minutes and seconds of one and of two digits come.
		second := layoutSample.AddDate(0, 0, i).Add(time.Duration(i) * 3671 * time.Second)
		if back, err := time.Parse(layout, second.Format(layout)); err != nil || !back.Equal(second) {
			return fmt.Errorf("%q is not a time's layout; write 15:04:05 on the second of January 2006 as the network does, like %s", layout, time.DateTime)
		}
	}
	return nil
}
