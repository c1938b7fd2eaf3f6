package affisesim

import (
	"fmt"
	"sync"
)

// pickCache keeps the last few selections, so that page 7 of a window does
// not search it again. A selection belongs to one version of the rows.
type pickCache struct {
	mu   sync.Mutex
	last []pick
}

type pick struct {
	key  string
	rows []uint32
}

const picksKept = 16

func (c *pickCache) get(r *request, find func() ([]uint32, error)) ([]uint32, error) {
	// The clock is part of the key by the day and minute: "today" and the age
	// limit of clicks move with it.
	key := fmt.Sprint(r.n.rows.version, r.affiliate, r.path, r.id, r.loc, r.now.Unix()/60, r.p.canonical("page", "limit", "API-Key", "api-key", "API-key", "timezone"))
	c.mu.Lock()
	for _, p := range c.last {
		if p.key == key {
			c.mu.Unlock()
			return p.rows, nil
		}
	}
	c.mu.Unlock()
	rows, err := find()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = append(c.last, pick{key, rows})
	if len(c.last) > picksKept {
		c.last = append([]pick(nil), c.last[1:]...)
	}
	return rows, nil
}
