package pipeline

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// packer compresses answers for the inbox, into memory that is used again: fresh
// buffers took a third of the time of compressing, and were half of all garbage. It
// is safe for concurrent use.
type packer struct {
	encoder *zstd.Encoder
	// buffers holds *[]byte.
	buffers sync.Pool
}

func newPacker() (*packer, error) {
	// Pages are 0.1 to 1 MB of repetitive JSON: the fastest level shrinks them to a
	// tenth, and lanes wait for it.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, fmt.Errorf("making the inbox's compressor: %w", err)
	}
	return &packer{encoder: encoder}, nil
}

// pack compresses a body. The result is the caller's until it calls release.
func (p *packer) pack(body []byte) (packed []byte, release func()) {
	buffer, ok := p.buffers.Get().(*[]byte)
	if !ok {
		buffer = new([]byte)
	}
	*buffer = p.encoder.EncodeAll(body, (*buffer)[:0])
	return *buffer, func() { p.buffers.Put(buffer) }
}
