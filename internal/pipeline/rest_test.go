package pipeline

import (
	"testing"
	"time"

	"go.uber.org/zap"
)

func TestSlotRests(t *testing.T) {
	loaded := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name         string
		loaded       time.Time
		after        time.Duration // since loaded
		asked, waits time.Duration
		rested       bool
	}{
		{"a slot that never loaded has nothing to give back", time.Time{}, time.Hour, 0, 0, false},
		{"a slot that just loaded keeps its buffers and looks again", loaded, time.Second, 0, restAfter - time.Second, false},
		{"a batch that is due sooner is not slept through", loaded, time.Second, 2 * time.Second, 2 * time.Second, false},
		{"a batch that is due later does not keep it from resting", loaded, time.Second, time.Hour, restAfter - time.Second, false},
		{"without work for long enough it rests and waits for ever", loaded, restAfter, 0, 0, true},
		{"it rests although a batch is due later", loaded, time.Minute, time.Hour, time.Hour, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSlot(&Engine{log: zap.NewNop()}, 0)
			s.loaded = tt.loaded
			before := s.norm
			if got := s.rest(tt.asked, loaded.Add(tt.after)); got != tt.waits {
				t.Errorf("asked to wait %v, %v after loading: got %v, want %v", tt.asked, tt.after, got, tt.waits)
			}
			if rested := s.norm != before; rested != tt.rested {
				t.Errorf("rested: got %v, want %v", rested, tt.rested)
			}
			if tt.rested && !s.loaded.IsZero() {
				t.Error("it would rest again without having worked")
			}
		})
	}
}
