package state

import (
	"encoding/binary"
	"hash/fnv"
)

// Digested gives Pull.Digest as it is after an answer: it depends on the hashes of the
// pages and on their numbers of records, in the order in which they came. The calls of
// a pull that goes over items count too, because two items may bring the same records.
// Once it is not known it stays so.
func (p Pull) Digested(r Receipt) uint64 {
	if r.Control {
		return p.Digest
	}
	if r.Hash == 0 || r.File != "" || p.Pages > 0 && p.Digest == 0 {
		return 0
	}
	var b [24]byte
	binary.LittleEndian.PutUint64(b[:], p.Digest)
	binary.LittleEndian.PutUint64(b[8:], r.Hash)
	binary.LittleEndian.PutUint64(b[16:], uint64(r.Records))
	h := fnv.New64a()
	h.Write(b[:]) // hashes do not fail
	if len(p.Items) > 0 {
		h.Write([]byte(r.Request))
	}
	return max(h.Sum64(), 1)
}
