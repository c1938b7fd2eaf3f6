package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// secretFileMax is more than any credential; a larger file is the wrong one.
const secretFileMax = 64 << 10

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expander replaces references in the values of a file.
type expander struct {
	env func(string) (string, bool)
	dir string // of relative files; empty for the working directory
}

// expand replaces ${NAME} by an environment variable, ${file:/path} by a file
// without the line break at its end, and $$ by $. What was put in is not looked
// at again. Errors name the reference, never the value.
func (x expander) expand(text string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		switch {
		case strings.HasPrefix(rest, "$"):
			out.WriteByte('$')
			text = rest[1:]
		case strings.HasPrefix(rest, "{"):
			name, after, closed := strings.Cut(rest[1:], "}")
			if !closed {
				return "", errors.New("${ without }; a dollar sign as such is written $$")
			}
			value, err := x.lookup(name)
			if err != nil {
				return "", err
			}
			out.WriteString(value)
			text = after
		default:
			out.WriteByte('$')
			text = rest
		}
	}
}

func (x expander) lookup(name string) (string, error) {
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		return x.file(path)
	}
	if !envName.MatchString(name) {
		return "", errors.New("a ${...} that is neither the name of an environment variable nor file:/path; there are no defaults, and a dollar sign as such is written $$")
	}
	value, ok := x.env(name)
	if !ok {
		return "", fmt.Errorf("the environment variable %s is not set", name)
	}
	return value, nil
}

func (x expander) file(path string) (string, error) {
	if path == "" {
		return "", errors.New("${file:} names no file")
	}
	name := path
	if !filepath.IsAbs(name) {
		name = filepath.Join(x.dir, name)
	}
	content, err := readSmall(name)
	if err != nil {
		// The path is already in the message.
		if inner, ok := errors.AsType[*fs.PathError](err); ok {
			err = inner.Err
		}
		return "", fmt.Errorf("reading the file %s: %w", path, err)
	}
	content = strings.TrimSuffix(content, "\n")
	return strings.TrimSuffix(content, "\r"), nil
}

func readSmall(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, secretFileMax+1))
	if err != nil {
		return "", err
	}
	if len(content) > secretFileMax {
		return "", fmt.Errorf("it is larger than %d KiB", secretFileMax>>10)
	}
	return string(content), nil
}
