package metricssim

import (
	"encoding/hex"
	"fmt"
)

// mix is splitmix64's finalizer: what is random in a row is mix of the seed and
// the row's number, so that rows need not be kept.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// of mixes several numbers in order.
func of(parts ...uint64) uint64 {
	h := uint64(0)
	for _, p := range parts {
		h = mix(h ^ p)
	}
	return h
}

// draw is a sequence of numbers from one hash.
type draw uint64

func (d *draw) next() uint64 {
	*d = draw(mix(uint64(*d)))
	return uint64(*d)
}

// below returns a number in [0, n); n must be positive.
func (d *draw) below(n int) int { return int(d.next() % uint64(n)) }

// pick takes one of a list.
func pick[T any](d *draw, list []T) T { return list[d.below(len(list))] }

// hexID is an id of 10 hexadecimal digits, as entities have.
func hexID(h uint64) string { return fmt.Sprintf("%010x", h>>24) }

// uuid of a row.
func uuid(h uint64) string {
	var b [16]byte
	for i := range 8 {
		b[i], b[i+8] = byte(h>>(8*i)), byte(mix(h)>>(8*i))
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// ulid is a transaction id: 48 bits of milliseconds and 80 of chance in Crockford's
// base 32, so that ids are ordered by time as text.
func ulid(ms int64, h uint64) string {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var b [26]byte
	for i := 9; i >= 0; i-- {
		b[i] = digits[ms&31]
		ms >>= 5
	}
	for i := range 16 { // the order of ids is that of h
		switch {
		case i < 12:
			b[10+i] = digits[h>>(59-5*i)&31]
		default:
			b[10+i] = digits[mix(h)>>(5*(i-12))&31]
		}
	}
	return string(b[:])
}
