package affisesim

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// PremakeOptions say which pages to make beforehand.
type PremakeOptions struct {
	// Zone of the windows, sent as timezone=; default UTC. Pages are found by
	// requests that send this name, or none if it is the platform's.
	Zone string
	// Limit is the page size; default 500.
	Limit int
	// Dir is where the files go; default a new directory under os.TempDir,
	// which Close removes.
	Dir string
	// Conversions by day, Clicks by hour of a day; both if none is set.
	Conversions, Clicks bool
}

// Premade is what Premake made.
type Premade struct {
	Pages int
	Rows  int
	Bytes int64
	Took  time.Duration
}

// premadeKey is a page's window and number; hour is -1 for a day.
type premadeKey struct {
	kind uint32
	day  int32
	hour int8
	page int32
}

type premadePage struct {
	offset, size int64
	rows         int32
}

type premadeState struct {
	mu    sync.RWMutex
	zone  string
	loc   *time.Location
	limit int
	dir   string
	own   bool
	pages map[premadeKey]premadePage
	files map[uint32]string
}

// Premake renders every page of conversions by day and of clicks by hour as an
// admin gets it, to one file each, so that answering such a request costs a
// sendfile. A window whose rows change afterwards is rendered on demand again.
// Clicks' age limit still holds.
func (n *Network) Premake(o PremakeOptions) (Premade, error) {
	began := time.Now()
	if o.Zone == "" {
		o.Zone = "UTC"
	}
	if o.Limit == 0 {
		o.Limit = 500
	}
	if !o.Conversions && !o.Clicks {
		o.Conversions, o.Clicks = true, true
	}
	loc, err := n.zone(o.Zone)
	if err != nil {
		return Premade{}, fmt.Errorf("premaking pages: %w", err)
	}
	own := o.Dir == ""
	if own {
		if o.Dir, err = os.MkdirTemp("", "affisesim-"); err != nil {
			return Premade{}, fmt.Errorf("premaking pages: %w", err)
		}
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	var kinds []uint32
	if o.Conversions {
		kinds = append(kinds, kindConversion)
	}
	if o.Clicks {
		kinds = append(kinds, kindClick)
	}
	writers := make([]pageWriter, len(kinds))
	errs := make([]error, len(kinds))
	var wg sync.WaitGroup
	for k, kind := range kinds {
		w := &writers[k]
		w.n, w.kind, w.loc, w.limit = n, kind, loc, o.Limit
		w.path = filepath.Join(o.Dir, map[uint32]string{kindConversion: "conversions.pages", kindClick: "clicks.pages"}[kind])
		wg.Go(func() { errs[k] = w.run() })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return Premade{}, fmt.Errorf("premaking pages: %w", err)
	}
	state := premadeState{zone: o.Zone, loc: loc, limit: o.Limit, dir: o.Dir, own: own,
		pages: map[premadeKey]premadePage{}, files: map[uint32]string{}}
	sum := Premade{Took: time.Since(began)}
	for k := range writers {
		w := &writers[k]
		state.files[w.kind] = w.path
		for key, page := range w.pages {
			state.pages[key] = page
			sum.Rows += int(page.rows)
		}
		sum.Bytes += w.at
	}
	sum.Pages = len(state.pages)
	p := &n.premade
	p.mu.Lock()
	defer p.mu.Unlock()
	p.zone, p.loc, p.limit, p.dir, p.own, p.pages, p.files = state.zone, state.loc, state.limit, state.dir, state.own, state.pages, state.files
	return sum, nil
}

// pageWriter writes the pages of one kind of rows to a file.
type pageWriter struct {
	n     *Network
	kind  uint32
	loc   *time.Location
	limit int
	path  string
	out   *bufio.Writer
	at    int64
	pages map[premadeKey]premadePage
	buf   []byte
}

func (w *pageWriter) run() error {
	f, err := os.Create(w.path)
	if err != nil {
		return err
	}
	w.out, w.pages = bufio.NewWriterSize(f, 1<<20), map[premadeKey]premadePage{}
	err = w.windows()
	return errors.Join(err, w.out.Flush(), f.Close())
}

// windows walks the days, or hours, from the first row to the last.
func (w *pageWriter) windows() error {
	r := &w.n.rows
	order, at := r.convOrder, w.n.convTime
	if w.kind == kindClick {
		order, at = r.clickOrder, w.n.clickTime
	}
	if len(order) == 0 {
		return nil
	}
	last := civilAt(w.loc, max(int64(at(order[len(order)-1])), w.n.opt.To.Unix())).day
	for day := civilAt(w.loc, min(int64(at(order[0])), w.n.opt.From.Unix())).day; day <= last; day++ {
		if w.kind == kindConversion {
			if err := w.window(day, -1, order, at); err != nil {
				return err
			}
			continue
		}
		for hour := range 24 {
			if err := w.window(day, hour, order, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *pageWriter) window(day int32, hour int, order []uint32, at func(uint32) uint32) error {
	s := newSpan(w.loc, day, day, hour)
	var rows []uint32
	for _, i := range between(order, at, s.lo, s.hi) {
		if s.exact || s.has(int64(at(i))) {
			rows = append(rows, i)
		}
	}
	if w.kind == kindClick {
		w.n.shuffle(rows)
	}
	for page := 1; page == 1 || (page-1)*w.limit < len(rows); page++ {
		req := request{n: w.n, loc: w.loc, page: page, limit: w.limit, j: js{b: w.buf[:0]}, path: "/3.0/stats/clicks"}
		if w.kind == kindConversion {
			req.path = "/3.0/stats/conversions"
		}
		req.vary()
		var err error
		if w.kind == kindConversion {
			err = req.coded("conversions", len(rows), func(i int) {
				row := rows[len(rows)-1-i]
				req.appendConversion(row, req.rowFault(kindConversion, row, i), false)
			})
		} else {
			err = req.coded("clicks", len(rows), func(i int) { req.appendClick(rows[i], req.rowFault(kindClick, rows[i], i)) })
		}
		if err != nil {
			return err
		}
		w.buf = req.j.b
		if _, err := w.out.Write(w.buf); err != nil {
			return err
		}
		w.pages[premadeKey{w.kind, day, int8(hour), int32(page)}] = premadePage{w.at, int64(len(w.buf)), int32(req.rows)}
		w.at += int64(len(w.buf))
	}
	return nil
}

// servePremade answers from a file if the request is one that was foreseen.
func (n *Network) servePremade(out *answer, call *Call, p params) bool {
	s := &n.premade
	s.mu.RLock()
	key, file, page, ok := n.findPremade(call, p)
	s.mu.RUnlock()
	if !ok {
		return false
	}
	if key.kind == kindClick && n.opt.ClicksMaxAge > 0 && (n.opt.ClicksCutRows || key.day < civilAt(s.loc, n.opt.Now().Add(-n.opt.ClicksMaxAge).Unix()).day) {
		return false
	}
	f, err := os.Open(file)
	if err != nil {
		return false // rendered instead
	}
	defer f.Close()
	n.log.edit(func() { call.Rows = int(page.rows) })
	out.file(f, page.offset, page.size)
	return true
}

func (n *Network) findPremade(call *Call, p params) (premadeKey, string, premadePage, bool) {
	s := &n.premade
	key := premadeKey{hour: -1}
	switch call.Path {
	case "/3.0/stats/conversions":
		key.kind = kindConversion
	case "/3.0/stats/clicks":
		key.kind = kindClick
	}
	none := func() (premadeKey, string, premadePage, bool) { return key, "", premadePage{}, false }
	zone := p.get("timezone")
	if key.kind == 0 || len(s.pages) == 0 || call.Key != "admin" || n.opt.ClicksGone || n.opt.Drift || n.opt.Gzip || len(n.opt.Denied) > 0 ||
		p.number("limit", 100) != s.limit || n.opt.MaxLimit > 0 && s.limit > n.opt.MaxLimit ||
		zone != s.zone && (zone != "" || s.zone != n.opt.Platform.String()) || p.get("date_from") != p.get("date_to") {
		return none()
	}
	known := 2 // the two dates
	for _, name := range []string{"timezone", "limit", "page", "API-Key", "hour"} {
		if p.get(name) != "" {
			known++
		}
	}
	day, err := parseDay(p.get("date_from"))
	if err != nil || known != len(p.scalar)+len(p.list) || (p.get("hour") != "") != (key.kind == kindClick) {
		return none()
	}
	if h := p.get("hour"); h != "" {
		hour, err := strconv.Atoi(h)
		if err != nil || hour < 0 || hour > 23 {
			return none()
		}
		key.hour = int8(hour)
	}
	key.day, key.page = day, int32(max(p.number("page", 1), 1))
	page, ok := s.pages[key]
	return key, s.files[key.kind], page, ok
}

// touch forgets the premade pages of the windows that a row is in.
func (n *Network) touch(kind, row uint32) {
	s := &n.premade
	s.mu.Lock()
	defer s.mu.Unlock()
	n.rows.version++
	if s.loc == nil {
		return
	}
	c := civil{}
	if kind == kindClick {
		c = civilAt(s.loc, int64(n.rows.clicks[row].at))
	} else {
		c = civilAt(s.loc, int64(n.rows.convs[row].created))
		c.hour = -1
	}
	for page := int32(1); ; page++ {
		key := premadeKey{kind, c.day, c.hour, page}
		if _, ok := s.pages[key]; !ok {
			return
		}
		delete(s.pages, key)
	}
}

func (s *premadeState) dropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.pages)
}

func (s *premadeState) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.pages)
	if !s.own || s.dir == "" {
		return nil
	}
	dir := s.dir
	s.dir, s.own = "", false
	return os.RemoveAll(dir)
}
