package affisesim

import (
	"encoding/hex"
	"strconv"
)

// mix is splitmix64's finalizer: everything random in a Network is mix of
// the seed and a row's number, so a row needs no stored attributes.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// draw is a sequence of numbers from one hash. It is for generation, where
// the order of the draws is fixed; rendering asks mix directly.
type draw uint64

func (d *draw) next() uint64 {
	*d = draw(mix(uint64(*d)))
	return uint64(*d)
}

// below returns a number in [0, n); n must be positive.
func (d *draw) below(n int) int { return int(d.next() % uint64(n)) }

// skewed returns a number in [0, n) that prefers the small ones, as traffic
// prefers a few offers.
func (d *draw) skewed(n int) int {
	u := d.next() >> 32
	u = (u * u) >> 32
	return int((u * uint64(n)) >> 32)
}

// The middle four bytes of an ObjectId say what it is the id of.
const (
	kindConversion uint32 = iota + 1
	kindClick
	kindLostClick // the click of a conversion whose click is not in the log
	kindOffer
	kindAdvertiser
	kindUser
	kindServerPostback
	kindRefusedPostback
	kindAffiliatePostback
	kindJob
	kindCategory
	kindSource
	kindNews
	kindSmartlink
	kindISP
)

// objectID is a 12-byte MongoDB id: the first four bytes are the UTC epoch
// second of its creation, the last four the row's number.
type objectID [12]byte

func (n *Network) oid(kind uint32, epoch int64, seq uint32) objectID {
	machine := uint32(mix(n.opt.Seed^0x6d616368))&0xffffff00 | kind
	e := uint32(epoch)
	return objectID{byte(e >> 24), byte(e >> 16), byte(e >> 8), byte(e),
		byte(machine >> 24), byte(machine >> 16), byte(machine >> 8), byte(machine),
		byte(seq >> 24), byte(seq >> 16), byte(seq >> 8), byte(seq)}
}

func (o objectID) String() string { return hex.EncodeToString(o[:]) }

func (o objectID) append(b []byte) []byte { return hex.AppendEncode(b, o[:]) }

// parseOID splits an id of this network into its kind and row number.
func parseOID(s string) (kind, seq uint32, ok bool) {
	var o objectID
	if len(s) != 24 {
		return 0, 0, false
	}
	if _, err := hex.Decode(o[:], []byte(s)); err != nil {
		return 0, 0, false
	}
	return uint32(o[7]), uint32(o[8])<<24 | uint32(o[9])<<16 | uint32(o[10])<<8 | uint32(o[11]), true
}

func itoa(i int) string { return strconv.Itoa(i) }
