package extractorstest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// Marker is the secret that stands in every credential of the Source under test.
// It may be anywhere in a call, and nowhere else.
const Marker = "MARKER7c1e40b2d9SECRET"

// audit searches whatever leaves a Source for the marker.
type audit struct{ t *testing.T }

func (a *audit) text(what, text string) {
	a.t.Helper()
	if strings.Contains(text, Marker) {
		a.t.Errorf("a %s holds a credential: %.300s", what, text)
	}
}

// err looks into an error in every form in which it may be printed, down to its
// last cause.
func (a *audit) err(err error) {
	a.t.Helper()
	for err != nil {
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			a.text("printed error", fmt.Sprintf(verb, err))
		}
		err = errors.Unwrap(err)
	}
}
