package sqlite

import (
	"fmt"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"syncd/state"
)

// ms is a time as it is stored. The zero time is -62135596800000 and reads back as
// the zero time, so no column needs NULL and 1970 is a time like any other.
func ms(t time.Time) int64 { return t.UnixMilli() }

// instant scans a stored time.
type instant struct{ to *time.Time }

// Scan reads an integer column.
func (i instant) Scan(src any) error {
	v, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", src)
	}
	*i.to = time.UnixMilli(v).UTC()
	return nil
}

// bits scans 64 unsigned bits from the signed column that keeps them.
type bits struct{ to *uint64 }

// Scan reads an integer column.
func (b bits) Scan(src any) error {
	v, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a 64-bit word is stored as %T", src)
	}
	*b.to = uint64(v)
	return nil
}

// packFrom is the size from which a list of items is compressed: below it zstd's
// frame eats what it saves.
const packFrom = 512

// unpackedMax bounds what a damaged file can make a reader allocate.
const unpackedMax = 256 << 20

// packer turns lists of items into blobs and back. Safe for concurrent use.
type packer struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newPacker() (*packer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(128<<10))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(unpackedMax))
	if err != nil {
		return nil, err
	}
	return &packer{enc: enc, dec: dec}, nil
}

func (p *packer) close() { p.dec.Close() }

func (p *packer) pack(items []string) (blob []byte, packed bool, err error) {
	var b strings.Builder
	for _, item := range items {
		if strings.ContainsRune(item, '\n') {
			return nil, false, fmt.Errorf("item %q holds a line break", item)
		}
		b.WriteString(item)
		b.WriteByte('\n')
	}
	if b.Len() < packFrom {
		return []byte(b.String()), false, nil
	}
	return p.enc.EncodeAll([]byte(b.String()), nil), true, nil
}

func (p *packer) unpack(blob []byte, packed bool) ([]string, error) {
	if packed {
		var err error
		if blob, err = p.dec.DecodeAll(blob, nil); err != nil {
			return nil, fmt.Errorf("unpacking items: %w: %w", state.ErrIO, err)
		}
	}
	text, ok := strings.CutSuffix(string(blob), "\n")
	if !ok {
		return nil, nil
	}
	return strings.Split(text, "\n"), nil
}
