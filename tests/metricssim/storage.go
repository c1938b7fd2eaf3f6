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
	a := n.begin(w, r, true)
	defer a.end()
	if r.Header.Get("API-KEY") != "" {
		n.log.violation("the API key was shown to the storage: " + r.URL.Path)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		n.log.violation(r.Method + " " + r.URL.Path)
	}
	fault, _ := n.faults.strike(r.URL.Path, "", false)
	a.call.Fault = fault.Kind
	if rep, struck := fault.reply(a.Header()); struck && fault.Kind != Forbidden {
		a.WriteHeader(rep.status)
		a.end()
		_, _ = a.Write(rep.body)
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
		a.call.Status = 0
		a.cut()
	case fault.Kind == Forbidden || r.URL.Query().Get("X-Goog-Signature") != n.signature(name, expires):
		a.refuseXML(http.StatusForbidden, "SignatureDoesNotMatch", "Access denied.")
	case expired:
		a.refuseXML(http.StatusBadRequest, "ExpiredToken", "Invalid argument.")
	case e == nil:
		a.refuseXML(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	default:
		a.call.Range = r.Header.Get("Range")
		n.send(a, r, e, fault)
	}
}

func (a *answer) refuseXML(status int, code, message string) {
	a.Header().Set("Content-Type", "application/xml")
	a.WriteHeader(status)
	a.end()
	fmt.Fprintf(a, "<?xml version='1.0' encoding='UTF-8'?><Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
}

// send sends a file, with sendfile and parts of it where nothing is in the way.
func (n *Network) send(a *answer, r *http.Request, e *Export, fault Fault) {
	f, err := os.Open(e.path)
	if err != nil {
		a.refuseXML(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	defer f.Close()
	h := a.Header()
	h.Set("Content-Type", "text/csv")
	if fault.Kind == CutBody || fault.Kind == Slow {
		n.sendSlowly(a, r, e, f, fault)
		return
	}
	if r.Header.Get("Range") == "" && r.Method == http.MethodGet {
		a.last = func() {
			n.mu.Lock()
			e.Fetched++
			n.mu.Unlock()
		}
	}
	accepts := strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
	switch {
	case e.gzip && accepts:
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.FormatInt(e.Size, 10))
		_, _ = io.CopyN(a, f, e.Size) // the client may have gone
	case n.opt.Gzip && accepts:
		h.Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(a)
		if _, err := io.Copy(z, f); err != nil {
			return // the client has gone
		}
		a.beforeLast()
		_ = z.Close()
	default:
		h.Set("ETag", strconv.Quote(e.ID))
		http.ServeContent(a, r, "", e.Created, f)
	}
}

// sendSlowly sends the file, or what was asked of it, in two halves and hangs up or waits between.
func (n *Network) sendSlowly(a *answer, r *http.Request, e *Export, f *os.File, fault Fault) {
	info, err := f.Stat()
	if err != nil {
		a.cut()
		return
	}
	a.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	a.Header().Set("ETag", strconv.Quote(e.ID))
	_, _ = io.CopyN(a.ResponseWriter, f, info.Size()/2) // the client may have gone
	a.flush()
	if fault.Kind == CutBody {
		a.cut()
		return
	}
	pause(r, fault.Delay)
	a.end()
	_, _ = io.Copy(a.ResponseWriter, f)
}
