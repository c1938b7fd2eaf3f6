package strictyaml

import (
	"bytes"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Inside of {} and [] a text without quotes cannot hold braces, so that
// {key: ${NAME}} is not YAML, although everybody writes it and it can mean one
// thing only. The braces of references are therefore replaced by characters of the
// private use area before parsing, and put back into the values after it. They are
// as wide, so columns stay right.
const (
	shieldOpen  = "\ue000"
	shieldClose = "\ue001"
)

var (
	reference = regexp.MustCompile(`\$\{([^{}\r\n]*)\}`)
	unshield  = strings.NewReplacer(shieldOpen, "{", shieldClose, "}")
)

// shield replaces the braces of references; not in a file that has the
// replacements itself.
func shield(src []byte) []byte {
	if bytes.Contains(src, []byte(shieldOpen)) || bytes.Contains(src, []byte(shieldClose)) {
		return src
	}
	return reference.ReplaceAll(src, []byte("$$"+shieldOpen+"${1}"+shieldClose))
}

// unshieldAll puts the braces back, in keys too.
func unshieldAll(n *yaml.Node) {
	n.Value = unshield.Replace(n.Value)
	for _, child := range n.Content {
		unshieldAll(child)
	}
}
