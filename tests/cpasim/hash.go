package cpasim

import "hash/fnv"

// hash is a number that looks random and is a function of what it is made of.
type hash uint64

// of derives another hash.
func (h hash) of(parts ...uint64) hash {
	f := fnv.New64a()
	var b [8]byte
	for _, p := range append([]uint64{uint64(h)}, parts...) {
		for i := range b {
			b[i] = byte(p >> (8 * i))
		}
		_, _ = f.Write(b[:])
	}
	x := f.Sum64()
	x ^= x >> 33 // FNV's high bits follow its last bytes too closely
	x *= 0xff51afd7ed558ccd
	return hash(x ^ x>>33)
}

// below gives a number from 0 to n-1.
func (h hash) below(n int) int { return int(uint64(h) % uint64(n)) }

func pick[T any](h hash, list []T) T { return list[h.below(len(list))] }
