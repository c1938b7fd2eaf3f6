package tests

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// diced gives the dice of a test with chance in it, those of one purpose independent of
// the others'. The seed is always the same, so that no change is refused for one that
// nobody ran; SYNCD_E2E_SEED=n takes another, and a run that failed prints its own.
func diced(t *testing.T) func(purpose uint64) *rand.Rand {
	t.Helper()
	seed := uint64(1)
	if text := os.Getenv("SYNCD_E2E_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SYNCD_E2E_SEED=%d", seed)
	return func(purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, purpose)) }
}
