package performcbsim

// hash is a number of which further ones are drawn by name, so that what is drawn
// for one purpose does not move when another is added.
type hash uint64

// mix is splitmix64's finalizer.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// of derives a hash from another and numbers.
func (h hash) of(parts ...uint64) hash {
	for _, p := range parts {
		h = hash(mix(uint64(h) ^ mix(p)))
	}
	return h
}

// named derives a hash for a purpose.
func (h hash) named(purpose string) hash {
	for i := range len(purpose) {
		h = h*1099511628211 ^ hash(purpose[i]) // FNV-1a's prime spreads the letters
	}
	return hash(mix(uint64(h)))
}

// below gives a number in [0, n); n must be positive.
func (h hash) below(n int) int { return int(uint64(h) % uint64(n)) }

// skewed gives a number in [0, n) that prefers the small ones, as traffic prefers a
// few offers.
func (h hash) skewed(n int) int {
	u := uint64(h) >> 32
	u = (u * u) >> 32
	return int((u * uint64(n)) >> 32)
}

// share reports whether the hash is among the given share, in percent.
func (h hash) share(percent int) bool { return h.below(100) < percent }
