//go:build !linux

package embedded

import "errors"

// standIn is for Linux: see there.
func standIn() (input, error) {
	return input{fd: 0, path: "/dev/stdin", hangUp: func() {}}, errors.ErrUnsupported
}
