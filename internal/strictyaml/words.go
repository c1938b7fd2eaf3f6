package strictyaml

import (
	"fmt"
	"slices"
	"strings"
)

// OneOf checks a word of a closed vocabulary, for the UnmarshalText of enums. Its
// error suggests the word that was probably meant.
func OneOf(word string, known ...string) error {
	if slices.Contains(known, word) {
		return nil
	}
	if s := Suggest(word, known); s != "" {
		return fmt.Errorf("unknown word %q; did you mean %s?", word, s)
	}
	return fmt.Errorf("unknown word %q; known: %s", word, strings.Join(known, ", "))
}
