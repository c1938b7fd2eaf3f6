package transport

import (
	"io"
	"sync"
)

const (
	// firstBuffer is what a body of unknown length starts with: most pages fit.
	firstBuffer = 64 << 10
	// trustedLength is how much of an announced length is allocated before any of
	// it has arrived.
	trustedLength = 8 << 20
	// pooledMax is the largest buffer that is kept for the next call; a rare huge
	// body should not stay in memory for ever.
	pooledMax = 8 << 20
)

// buffers reads bodies into memory that is used again. The zero value is ready.
type buffers struct {
	// pool holds *[]byte with length 0.
	pool sync.Pool
}

func (b *buffers) put(body []byte) {
	if cap(body) == 0 || cap(body) > pooledMax {
		return
	}
	body = body[:0]
	b.pool.Put(&body)
}

func (b *buffers) get(size int) []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		if cap(*p) >= size {
			return *p
		}
	}
	return make([]byte, 0, size)
}

// read reads r to its end, at most limit bytes of it; one more is errTooLarge.
// length is the announced length, -1 if unknown (chunked, compressed). The bytes
// read so far are returned with an error too, so that they can be put back.
func (b *buffers) read(r io.Reader, length, limit int64) ([]byte, error) {
	if length > limit {
		return nil, &tooLargeError{limit: limit}
	}
	size := int64(firstBuffer)
	if length >= 0 {
		// One byte more, so that the end is seen without growing.
		size = min(length+1, trustedLength)
	}
	body := b.get(int(size))
	for {
		if len(body) == cap(body) {
			body = grow(body, limit+1)
		}
		// Never read more than one byte past the limit.
		room := min(int64(cap(body)), limit+1)
		n, err := r.Read(body[len(body):room])
		body = body[:len(body)+n]
		if int64(len(body)) > limit {
			return body, &tooLargeError{limit: limit}
		}
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return body, err
		}
	}
}

// grow doubles a full buffer, up to most.
func grow(body []byte, most int64) []byte {
	bigger := make([]byte, len(body), min(int64(2*cap(body)), most))
	copy(bigger, body)
	return bigger
}
