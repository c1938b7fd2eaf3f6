package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// part is a file while it is being downloaded.
type part struct {
	file *os.File
	path string
	// size is what is there; with it 0 nothing of mark matters.
	size int64
	mark mark
}

// mark tells one version of a file from another.
type mark struct {
	// validator is a strong ETag or a date of last change, as If-Range takes it; empty
	// if the network gave none, and then a broken download begins anew.
	validator string
	// total is the size of the whole file in bytes; -1 if it is not known.
	total int64
}

// markSuffix is behind the name of a part in that of its mark.
const markSuffix = ".etag"

// openPart opens what is there of a file. What is of no use is not kept.
func openPart(path string) (*part, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	p := &part{file: file, path: path}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	p.size = info.Size()
	p.mark = readMark(path + markSuffix)
	if p.size > 0 && p.mark.validator == "" {
		if err := p.restart(mark{}); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	return p, nil
}

// Write appends to the part.
func (p *part) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	p.size += int64(n)
	return n, err
}

// restart empties the part for a file with a mark. The old mark goes first: a crash
// leaves a part without one, never bytes of one file with the mark of another.
func (p *part) restart(m mark) error {
	if err := p.dropMark(); err != nil {
		return err
	}
	if err := p.file.Truncate(0); err != nil {
		return err
	}
	p.size, p.mark = 0, m
	if m.validator == "" {
		return nil
	}
	return os.WriteFile(p.path+markSuffix, []byte(m.validator+"\n"+strconv.FormatInt(m.total, 10)+"\n"), 0o600)
}

// continues reports whether an answer goes on where the part ends, in the same file,
// and gives the size of the whole; -1 if the answer does not say it.
func (p *part) continues(h http.Header) (total int64, ok bool) {
	first, total, ok := parseContentRange(h.Get("Content-Range"))
	switch {
	case !ok || first != p.size:
		return 0, false
	case total >= 0 && p.mark.total >= 0 && total != p.mark.total:
		return 0, false
	}
	if tag := h.Get("ETag"); tag != "" && strings.HasPrefix(p.mark.validator, `"`) && tag != p.mark.validator {
		return 0, false
	}
	return total, true
}

// finished forgets what was needed to go on.
func (p *part) finished() error { return p.dropMark() }

// remove removes the part: no later attempt can use it.
func (p *part) remove() error {
	return errors.Join(p.dropMark(), os.Remove(p.path))
}

func (p *part) dropMark() error {
	if err := os.Remove(p.path + markSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// markOf gives the mark of the file that an answer brings. A weak ETag says that two
// files mean the same, not that their bytes are the same.
func markOf(h http.Header, total int64) mark {
	m := mark{total: total}
	if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) {
		m.validator = tag
	} else if date := h.Get("Last-Modified"); date != "" {
		if _, err := http.ParseTime(date); err == nil {
			m.validator = date
		}
	}
	return m
}

// readMark reads a mark; an empty one if there is none or it was cut short.
func readMark(path string) mark {
	b, err := os.ReadFile(path)
	if err != nil {
		return mark{}
	}
	validator, rest, _ := strings.Cut(string(b), "\n")
	number, _, whole := strings.Cut(rest, "\n")
	total, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !whole {
		return mark{}
	}
	return mark{validator: validator, total: total}
}

// parseContentRange reads "bytes 100-199/200", whose total may be "*", which gives -1.
func parseContentRange(value string) (first, total int64, ok bool) {
	var last int64
	span, whole, found := strings.Cut(value, "/")
	if _, err := fmt.Sscanf(span, "bytes %d-%d", &first, &last); err != nil || !found || last < first {
		return 0, 0, false
	}
	if whole == "*" {
		return first, -1, true
	}
	total, err := strconv.ParseInt(whole, 10, 64)
	// What is asked for reaches to the end, and an answer that does not is refused here:
	// its end would look like that of the file.
	if err != nil || last != total-1 {
		return 0, 0, false
	}
	return first, total, true
}
