package metricssim

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// write makes an export's file. n.mu must be held.
func (n *Network) write(e *Export) error {
	e.Name = fmt.Sprintf("%s_%s.csv", e.Type, e.ID)
	if ready, ok := n.opt.Files[e.Type]; ok {
		info, err := os.Stat(ready.Path)
		if err != nil {
			return fmt.Errorf("finding the ready-made file of %s: %w", e.Type, err)
		}
		e.path, e.Rows, e.Size, e.gzip = ready.Path, ready.Rows, info.Size(), strings.HasSuffix(ready.Path, ".gz")
		return nil
	}
	if n.dir == "" {
		dir, err := os.MkdirTemp("", "metricssim-")
		if err != nil {
			return fmt.Errorf("making the simulated storage: %w", err)
		}
		n.dir = dir
	}
	path := filepath.Join(n.dir, e.Name)
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("making the file of export %s: %w", e.ID, err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	if err := n.writeRows(w, e); err != nil {
		return fmt.Errorf("writing the file of export %s: %w", e.ID, err)
	}
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("measuring the file of export %s: %w", e.ID, err)
	}
	e.path, e.Size = path, info.Size()
	if e.Rows == 0 && n.opt.NoData == "none" {
		e.path, e.Size = "", 0
	}
	if e.Fault == TornFile {
		return f.Truncate(max(e.Size/2, e.Size-20)) // inside the last row
	}
	return nil
}

func (n *Network) writeRows(w *bufio.Writer, e *Export) error {
	c := csvWriter{o: &n.opt, delimiter: cmp.Or(e.Delimiter, ","), end: "\n", zone: e.zone, extra: e.Extra}
	if n.opt.Semicolon && e.Delimiter == "" {
		c.delimiter = ";"
	}
	if n.opt.CRLF {
		c.end = "\r\n"
	}
	for _, name := range e.Fields {
		f, _ := findField(e.Type, name) // checked when it was asked for
		c.fields = append(c.fields, f)
	}
	silent := e.Fault == EmptyFile || e.Fault == HeaderOnly
	line := c.header(nil)
	header := len(line)
	n.eachBetween(e.Type, e.from, e.to, e.filter, n.opt.Now(), func(r *Row) bool {
		if e.Rows == n.opt.ExportRows {
			e.Truncated = true
			return false
		}
		e.Rows++
		if !silent {
			line = c.row(line, r)
			_, _ = w.Write(line) // the writer keeps its first error
			line = line[:0]
		}
		return true
	})
	if len(line) == header && e.Fault != EmptyFile && (e.Rows > 0 || n.opt.NoData == "header") {
		_, _ = w.Write(line)
	}
	return w.Flush()
}

// sign makes a link to a file.
func (n *Network) sign(r *http.Request) reply {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := r.URL.Query().Get("artifact_name")
	e := n.artifact(name)
	if e == nil {
		return refuse(404, "artifact not found")
	}
	e.Signed++
	expires := n.opt.Now().Add(n.opt.LinkTTL).Unix()
	q := url.Values{"X-Goog-Expires": {strconv.FormatInt(expires, 10)}, "X-Goog-Signature": {n.signature(name, expires)}}
	return reply{status: 200, body: marshal(map[string]string{"url": cmp.Or(n.storage, "http://"+r.Host) + storagePrefix + "exports-demo/" + organisation + "/" + name + "?" + q.Encode()})}
}

func (n *Network) signature(name string, expires int64) string {
	h := of(n.opt.Seed, 's', uint64(expires))
	for _, c := range []byte(name) {
		h = of(h, uint64(c))
	}
	return fmt.Sprintf("%016x", h)
}

// artifact finds an export by its file's name while the file is kept. n.mu must be held.
func (n *Network) artifact(name string) *Export {
	for _, e := range n.exports {
		if e.Name == name && e.path != "" && n.opt.Now().Sub(e.Created) <= n.opt.Retention {
			return e
		}
	}
	return nil
}

// serveStorage sends a file to who has a link that holds, and to nobody else.
func (n *Network) serveStorage(w http.ResponseWriter, r *http.Request) {
	call := Call{At: time.Now(), Method: r.Method, Path: r.URL.Path, Storage: true, Status: http.StatusOK}
	defer func() { call.Ended = time.Now(); n.log.add(call) }()
	if r.Header.Get("API-KEY") != "" {
		n.log.violation("the API key was shown to the storage: " + r.URL.Path)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		n.log.violation(r.Method + " " + r.URL.Path)
	}
	fault, _ := n.faults.strike(r.URL.Path, "", false)
	call.Fault = fault.Kind
	if rep, struck := fault.reply(w.Header()); struck && fault.Kind != Forbidden {
		call.Status = rep.status
		w.WriteHeader(rep.status)
		_, _ = w.Write(rep.body)
		return
	}
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	expires, _ := strconv.ParseInt(r.URL.Query().Get("X-Goog-Expires"), 10, 64) // 0 has expired
	n.mu.Lock()
	e := n.artifact(name)
	expired := fault.Kind == ExpiredLink || n.opt.Now().Unix() > expires
	n.mu.Unlock()
	switch {
	case fault.Kind == Reset:
		call.Status = 0
		hangUp(w)
	case fault.Kind == Forbidden || r.URL.Query().Get("X-Goog-Signature") != n.signature(name, expires):
		call.Status = refuseXML(w, http.StatusForbidden, "SignatureDoesNotMatch", "Access denied.")
	case expired:
		call.Status = refuseXML(w, http.StatusBadRequest, "ExpiredToken", "Invalid argument.")
	case e == nil:
		call.Status = refuseXML(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	default:
		call.Range = r.Header.Get("Range")
		seen := &statusSeen{ResponseWriter: w, status: http.StatusOK}
		n.send(seen, r, e, fault)
		call.Status = seen.status
	}
}

// statusSeen keeps the status of an answer. It hands files on as they are, so that they
// are sent by the kernel.
type statusSeen struct {
	http.ResponseWriter
	status int
}

func (s *statusSeen) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap implements what http.ResponseController looks for.
func (s *statusSeen) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// ReadFrom implements io.ReaderFrom.
func (s *statusSeen) ReadFrom(from io.Reader) (int64, error) { return io.Copy(s.ResponseWriter, from) }

func refuseXML(w http.ResponseWriter, status int, code, message string) int {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version='1.0' encoding='UTF-8'?><Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
	return status
}

// send sends a file, with sendfile and parts of it where nothing is in the way.
func (n *Network) send(w http.ResponseWriter, r *http.Request, e *Export, fault Fault) {
	f, err := os.Open(e.path)
	if err != nil {
		refuseXML(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "text/csv")
	accepts := strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
	switch {
	case fault.Kind == CutBody || fault.Kind == Slow:
		n.sendSlowly(w, r, e, f, fault)
		return
	case e.gzip && accepts:
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.FormatInt(e.Size, 10))
		_, err = io.Copy(w, f)
	case n.opt.Gzip && accepts:
		h.Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		if _, err = io.Copy(z, f); err == nil {
			err = z.Close()
		}
	default:
		h.Set("ETag", strconv.Quote(e.ID))
		http.ServeContent(w, r, "", e.Created, f)
	}
	if err == nil && r.Header.Get("Range") == "" && r.Method == http.MethodGet {
		n.mu.Lock()
		e.Fetched++
		n.mu.Unlock()
	}
}

// sendSlowly sends the file, or what was asked of it, in two halves and hangs up or waits between.
func (n *Network) sendSlowly(w http.ResponseWriter, r *http.Request, e *Export, f *os.File, fault Fault) {
	info, err := f.Stat()
	if err != nil {
		hangUp(w)
		return
	}
	w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	w.Header().Set("ETag", strconv.Quote(e.ID))
	_, _ = io.CopyN(w, f, info.Size()/2) // the client may have gone
	_ = http.NewResponseController(w).Flush()
	if fault.Kind == CutBody {
		hangUp(w)
		return
	}
	pause(r, fault.Delay)
	_, _ = io.Copy(w, f)
}
