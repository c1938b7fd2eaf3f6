package metricssim

import (
	"slices"
	"time"
)

// Restate has advertisers reject k approved conversions of the last within (0: of
// all time) and returns them as they are now. The same seed and history give the same.
func (n *Network) Restate(k int, within time.Duration) []Row {
	return n.alter(k, within, change{reason: "advertiser: fraud, \"late\""}, func(r *Row) bool { return r.Status == "Approved" })
}

// Remove has k conversions of the last within vanish, and returns what they were.
func (n *Network) Remove(k int, within time.Duration) []Row {
	return n.alter(k, within, change{removed: true}, func(*Row) bool { return true })
}

func (n *Network) alter(k int, within time.Duration, c change, fits func(*Row) bool) []Row {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.opt.Now()
	from := n.opt.From
	if within > 0 {
		from = now.Add(-within)
	}
	rows := n.between(Conversions, from, now, &filter{}, now)
	d := draw(of(n.opt.Seed, 'm', uint64(len(n.changes))))
	var out []Row
	for i := range rows {
		j := i + d.below(len(rows)-i)
		rows[i], rows[j] = rows[j], rows[i]
		key := dayKey{Conversions, rows[i].at / 86400}
		r := n.row(key, rows[i])
		if len(out) == k {
			break
		}
		if fits(&r) {
			n.changes[rowKey{key, rows[i].seq}] = c
			out = append(out, n.row(key, rows[i]))
		}
	}
	return out
}

// Late has k rows of a kind appear on the UTC day of an instant, and returns them.
func (n *Network) Late(kind string, k int, on time.Time) []Row {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := dayKey{kind, on.Unix() / 86400}
	before := max(n.perDay(kind), 0) + n.late[key]
	n.late[key] += k
	delete(n.days, key)
	delete(n.days, dayKey{Postbacks, key.day}) // they follow from conversions
	var out []Row
	for _, s := range n.stubs(key) {
		if s.seq >= before {
			out = append(out, n.row(key, s))
		}
	}
	slices.Reverse(out)
	return out
}

// Age makes all exports older, as if they had been made so much earlier: time passes for
// the day's cap and for who looks at their ages, and no row comes with it.
func (n *Network) Age(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.exports {
		e.Created = e.Created.Add(-d)
	}
}
