package schema

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"math/rand/v2"
)

// dictionary numbers words in the order in which they come. It is an open
// addressing table into one text, so a word that was seen is found without an
// allocation and a reset keeps all memory. Words of up to 16 bytes, which is most of
// countries, systems and browsers, stand in the table itself: looking for one is two
// loads, a multiplication and a comparison.
type dictionary struct {
	text  []byte
	ends  []uint32 // where each word ends in text; it begins where the last ends
	slots []dictionarySlot
	// What hashes depend on: a network that chose words which collide would make a
	// block's time grow with their square.
	seed         maphash.Seed
	first, other uint64
}

// dictionarySlot is a word's place in the table.
type dictionarySlot struct {
	// first and other are the bytes of a short word; of a long one first is its hash.
	first, other uint64
	number       uint32 // of the word + 1; 0 is free
	size         uint32 // of the word in bytes
}

const (
	dictionarySlots = 64
	shortWord       = 16
)

func newDictionary() dictionary {
	return dictionary{slots: make([]dictionarySlot, dictionarySlots), seed: maphash.MakeSeed(), first: rand.Uint64(), other: rand.Uint64()}
}

func (d *dictionary) word(key uint32) []byte {
	start := uint32(0)
	if key > 0 {
		start = d.ends[key-1]
	}
	return d.text[start:d.ends[key]]
}

// wanted gives the slot that a word would have, without its number, and its hash. Two
// short words of one size have different slots.
func (d *dictionary) wanted(v []byte) (s dictionarySlot, hash uint64) {
	n := len(v)
	s.size = uint32(n)
	switch {
	case n > shortWord:
		s.first = maphash.Bytes(d.seed, v)
		return s, s.first
	case n > 8:
		s.first, s.other = binary.LittleEndian.Uint64(v), binary.LittleEndian.Uint64(v[n-8:])
	case n >= 4:
		s.first = uint64(binary.LittleEndian.Uint32(v)) | uint64(binary.LittleEndian.Uint32(v[n-4:]))<<32
	case n > 0:
		s.first = uint64(v[0]) | uint64(v[n/2])<<8 | uint64(v[n-1])<<16
	}
	return s, d.shortHash(&s)
}

// shortHash gives the hash of a short word.
func (d *dictionary) shortHash(s *dictionarySlot) uint64 {
	high, low := bits.Mul64(s.first^d.first, s.other^d.other^uint64(s.size))
	return high ^ low
}

// key gives the number of v, a new one for a new word.
func (d *dictionary) key(v []byte) uint32 {
	want, hash := d.wanted(v)
	mask := uint64(len(d.slots) - 1)
	at := hash & mask
	for {
		s := &d.slots[at&uint64(len(d.slots)-1)]
		if s.number == 0 {
			break
		}
		if s.first == want.first && s.other == want.other && s.size == want.size &&
			(want.size <= shortWord || bytes.Equal(d.word(s.number-1), v)) {
			return s.number - 1
		}
		at = (at + 1) & mask
	}
	d.text = append(d.text, v...)
	d.ends = append(d.ends, uint32(len(d.text)))
	want.number = uint32(len(d.ends))
	d.slots[at] = want
	if len(d.ends)*2 > len(d.slots) {
		d.grow()
	}
	return want.number - 1
}

func (d *dictionary) grow() {
	d.slots = make([]dictionarySlot, 2*len(d.slots))
	mask := uint64(len(d.slots) - 1)
	for key := range d.ends { // in the order in which they came, see truncate
		s, at := d.wanted(d.word(uint32(key)))
		at &= mask
		for d.slots[at].number != 0 {
			at = (at + 1) & mask
		}
		s.number = uint32(key) + 1
		d.slots[at] = s
	}
}

// truncate forgets all but the first words. Taking the newest out first keeps
// every older word reachable: no path of an older one leads over its slot.
func (d *dictionary) truncate(words int) {
	mask := uint64(len(d.slots) - 1)
	for n := len(d.ends); n > words; n-- {
		word := d.word(uint32(n - 1))
		_, at := d.wanted(word)
		at &= mask
		for d.slots[at].number != uint32(n) {
			at = (at + 1) & mask
		}
		d.slots[at] = dictionarySlot{}
		d.text = d.text[:len(d.text)-len(word)]
		d.ends = d.ends[:n-1]
	}
}

func (d *dictionary) reset() {
	clear(d.slots)
	d.text, d.ends = d.text[:0], d.ends[:0]
}
