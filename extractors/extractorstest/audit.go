package extractorstest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"syncd/extractors"
)

// Marker is the secret that stands in every credential of the Source under test.
// It may be anywhere in a call, and nowhere else.
const Marker = "MARKER7c1e40b2d9SECRET"

// TokenMarker is what a login gives to the Source under test; it is as secret as Marker.
const TokenMarker = "TOKEN5d0a93e17fSECRET"

// audit searches whatever leaves a Source for the markers.
type audit struct{ t *testing.T }

// key looks for a credential.
func (a *audit) key(what, text string) {
	a.t.Helper()
	a.without(what, text, Marker, TokenMarker, base64.StdEncoding.EncodeToString([]byte(Marker+":"+Marker)))
}

// text looks for a credential or the link of a file.
func (a *audit) text(what, text string) {
	a.t.Helper()
	a.key(what, text)
	a.without(what, text, LinkMarker)
}

func (a *audit) without(what, text string, secrets ...string) {
	a.t.Helper()
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			a.t.Errorf("a %s holds a credential: %.300s", what, text)
		}
	}
}

// page looks into all of a page that is stored, logged or printed: all but the link of
// its file.
func (a *audit) page(p extractors.Page) {
	a.t.Helper()
	a.text("cursor", string(p.Next))
	a.text("note", p.Note)
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		a.text("printed page", fmt.Sprintf(verb, p))
		if p.File != nil {
			a.text("printed file", fmt.Sprintf(verb+verb, p.File, *p.File))
		}
	}
	if p.File != nil {
		a.text("name of a file", p.File.Name)
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
