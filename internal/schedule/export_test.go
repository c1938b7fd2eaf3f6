package schedule

import "time"

// SetClock makes the loop believe another wall clock.
func (l *Loop) SetClock(now func() time.Time) { l.now = now }
