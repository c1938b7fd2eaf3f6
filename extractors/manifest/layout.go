package manifest

import (
	"fmt"
	"time"
)

// CheckDayLayout gives what is wrong with a Go layout that days are to be written in:
// nil if no two days look the same in it.
func CheckDayLayout(layout string) error {
	day := time.Date(2031, time.November, 23, 0, 0, 0, 0, time.UTC)
	if back, err := time.Parse(layout, day.Format(layout)); err != nil || !back.Equal(day) {
		return fmt.Errorf("%q is not a day's layout; write the second of January 2006 as the network does, like %s", layout, time.DateOnly)
	}
	return nil
}

// CheckTimeLayout gives what is wrong with a Go layout that times are to be written
// in: nil if no two seconds look the same in it.
func CheckTimeLayout(layout string) error {
	second := time.Date(2031, time.November, 23, 19, 41, 57, 0, time.UTC)
	if back, err := time.Parse(layout, second.Format(layout)); err != nil || !back.Equal(second) {
		return fmt.Errorf("%q is not a time's layout; write 15:04:05 on the second of January 2006 as the network does, like %s", layout, time.DateTime)
	}
	return nil
}
