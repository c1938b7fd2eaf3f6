package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/internal/strictyaml"
)

// Variable is a setting of an account, or of one of its streams, that is no secret.
type Variable struct {
	Help    string `yaml:"help"`
	Default string `yaml:"default"`
	// Required variables have no sensible default; the account must give them.
	Required bool `yaml:"required"`
	// Evidence is Inferred for a default that a tenant may contradict.
	Evidence Evidence `yaml:"evidence"`
	// Kind says what a value has to look like; any text will do if it is empty.
	Kind VariableKind `yaml:"kind"`
	// Words are the values of a VariableWord.
	Words []string `yaml:"words"`
}

// VariableKind is what the values of a variable look like.
type VariableKind string

// The kinds of variable.
const (
	// VariableList: values joined by commas.
	VariableList VariableKind = "list"
	// VariableNumber: a whole number, zero or above.
	VariableNumber VariableKind = "number"
	// VariableDuration: 10m, 7d; zero or above.
	VariableDuration VariableKind = "duration"
	// VariablePath: a path as Request.PathVariable takes it.
	VariablePath VariableKind = "path"
	// VariableLayout: a Go layout in which no two days look the same.
	VariableLayout VariableKind = "layout"
	// VariableZone: an IANA name.
	VariableZone VariableKind = "zone"
	// VariableWord: one of Words.
	VariableWord VariableKind = "word"
	// VariableURL: an address as Request.URLVariable takes it.
	VariableURL VariableKind = "url"
)

// UnmarshalText accepts the words above only.
func (k *VariableKind) UnmarshalText(text []byte) error {
	return word(k, text, "variable kind", VariableList, VariableNumber, VariableDuration, VariablePath, VariableLayout, VariableZone, VariableWord, VariableURL)
}

// Wrong gives what is wrong with a value for the variable: nil for a good one, and for
// an empty one, which means that the variable is not set.
func (v Variable) Wrong(value string) error {
	if value == "" {
		return nil
	}
	switch v.Kind {
	case VariableList:
		for item := range strings.SplitSeq(value, ",") {
			if strings.TrimSpace(item) == "" {
				return fmt.Errorf("%q is not a list of values joined by commas: one of them is empty", value)
			}
		}
	case VariableNumber:
		if _, err := strconv.ParseUint(value, 10, 63); err != nil {
			return fmt.Errorf("%q is not a whole number", value)
		}
	case VariableDuration:
		if d, err := strictyaml.ParseDuration(value); err != nil || d < 0 {
			return fmt.Errorf("%q is not a time such as 10m or 7d", value)
		}
	case VariablePath:
		_, err := ParseOwnPath(value)
		return err
	case VariableURL:
		_, err := ParseURL(value)
		return err
	case VariableLayout:
		return CheckDayLayout(value) // times have days in them
	case VariableZone:
		if _, err := time.LoadLocation(value); err != nil || value == "Local" {
			return fmt.Errorf("%q is not an IANA time zone such as Europe/Moscow", value)
		}
	case VariableWord:
		if !slices.Contains(v.Words, value) {
			return fmt.Errorf("%q is not one of %s", value, strings.Join(v.Words, ", "))
		}
	}
	return nil
}

// checkVariableKind checks the values that a variable is said to have.
func (c *checker) checkVariableKind(path string, v Variable) {
	switch {
	case v.Kind == VariableWord && len(v.Words) == 0:
		c.headf(path, "a variable of kind word needs its words")
	case v.Kind != VariableWord && len(v.Words) > 0:
		c.headf(path+".words", "only a variable of kind word has words")
	case slices.Contains(v.Words, ""):
		c.headf(path+".words", "a word is empty; a variable that is not set is empty anyway")
	default:
		if err := v.Wrong(v.Default); err != nil {
			c.headf(path+".default", "%v", err)
		}
	}
	for i, w := range v.Words {
		if slices.Contains(v.Words[:i], w) {
			c.headf(strictyaml.Item(path+".words", i), "word %s is listed twice", w)
		}
	}
}
