package rest

import (
	"bytes"

	"syncd/extractors"
)

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
	for _, form := range s.redactor.echoes {
		if bytes.Contains(kept, form) {
			call, _ := s.Next(st, w) // it was made before
			return extractors.Page{}, s.unusable(st.Name, call.Describe, "the answer quotes a credential where it says how to go on, and credentials are not stored", nil)
		}
	}
	return page, nil
}
