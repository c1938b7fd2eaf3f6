package rest

import (
	"bytes"

	"syncd/extractors"
)

// describe says what the call of a pull asks for.
func (s *Source) describe(st *extractors.Stream, w extractors.Work) string {
	if e, err := s.exporter(st, w); err == nil && e != nil {
		call, _ := e.next(w) // it was made before
		return call.Describe
	}
	p, c, err := s.stand(st, w)
	if err != nil {
		return "" // it was made before
	}
	return s.call(p, w, c).Describe
}

// storable refuses a page of which a credential would be stored: a network's own cursor
// that quotes the key, or an export that is called by it. Without them the pull cannot go
// on, and what is stored is also logged and printed.
func (s *Source) storable(st *extractors.Stream, w extractors.Work, page extractors.Page, err error) (extractors.Page, error) {
	if err != nil {
		return page, err
	}
	kept := []byte(page.Next)
	if page.File != nil {
		kept = append(kept, page.File.Name...)
	}
	redactor, _ := s.shield()
	for _, form := range redactor.echoes {
		if bytes.Contains(kept, form) {
			return extractors.Page{}, s.unusable(st.Name, s.describe(st, w), "the answer quotes a credential where it says how to go on, and credentials are not stored", nil)
		}
	}
	return page, nil
}
