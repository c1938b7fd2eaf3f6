package sqlite

import (
	"path/filepath"
	"testing"

	"syncd/state"
	"syncd/state/statetest"
)

func driver() statetest.Driver {
	return statetest.Driver{
		Place: func(t testing.TB) string { return filepath.Join(t.TempDir(), "data", "state.db") },
		Open: func(place string) (state.Store, error) {
			s, err := Open(place)
			if err != nil {
				return nil, err // not a nil *Store in an interface
			}
			return s, nil
		},
	}
}

func TestMain(m *testing.M) { statetest.Main(m, driver()) }

func TestStore(t *testing.T) { statetest.Run(t, driver()) }
