// Package config reads the file that a user writes: structs, defaults, checks
// and secrets. It is the only place that reads the environment.
//
// Every mistake is reported at once, with line, column and path. What only the
// networks' manifests know (the names of networks, streams and credentials) is
// checked by the caller, who reports it at its place with Config.Problem.
//
// Relative paths in the file (data_dir, a SQLite state, ${file:...}) are relative
// to the working directory of the process, not to the file.
package config

//go:generate go test -run TestJSONSchemaIsCurrent -update .
