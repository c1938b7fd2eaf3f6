// Package strictyaml decodes YAML that people write (the configuration, the
// network manifests) into Go structs and reports every mistake at once, each
// with its line, column and path.
//
// It is stricter than a YAML decoder: unknown and duplicate keys, values of
// another type, a second document and an empty file are mistakes. It refuses
// what is only there to hurt: endless aliases, deep nesting, huge files.
//
// A key without a value (`streams:`) counts as a key that is not there. Targets
// are structs with `yaml` tags, the scalar kinds, time.Duration (Go syntax plus
// days, "1d12h"), encoding.TextUnmarshaler, and pointers to, slices of and
// string-keyed maps of these. Where the target is a slice of scalars, one scalar
// stands for a list of one. There is no hook with which a type could decode a
// mapping itself, because below such a hook strictness would end.
package strictyaml
