package pipeline

import (
	"testing"
	"time"

	"syncd/state"
)

// A pull that is given up while a lane has it in hand must not be waited for.
func TestAQueueForgetsAPullThatIsGivenUp(t *testing.T) {
	q := newQueue()
	now := time.Now()
	q.add([]state.Pull{{ID: 1, Account: "a", Stream: "s", Phase: state.Pulling}, {ID: 2, Account: "a", Stream: "s", Phase: state.Pulling}}, now)
	e, _, _ := q.take("a", now)
	if e == nil {
		t.Fatal("no pull to take")
	}
	q.remove([]*entry{e})
	if dropped := q.dropStream("a", "s"); len(dropped) != 1 || dropped[0].ID == e.pull.ID {
		t.Errorf("dropped %v, want the other pull alone", dropped)
	}
	if n := q.pulling("a"); n != 0 {
		t.Errorf("%d pulls are still to be called for", n)
	}
}
