package affisesim

// The envelope of an answer: {"status":1,"<key>":[...],"pagination":{...}},
// its keys in an order that varies.

// list writes one page of total rows. row writes the i-th of them.
func (r *request) list(key string, total int, row func(i int)) error {
	return r.page3(key, total, total, "", row)
}

// coded is list for the two paths that send statusCode as well.
func (r *request) coded(key string, total int, row func(i int)) error {
	return r.page3(key, total, total, `"statusCode":200`, row)
}

// page3 writes a page. stated is the total_count that is claimed.
func (r *request) page3(key string, total, stated int, tail string, row func(i int)) error {
	if r.fault.is(NoRows) {
		total, stated = 0, 0
	}
	if r.fault.is(WrongTotal) {
		stated = total + 1
	}
	shown := r.page
	last := max((total+r.limit-1)/r.limit, 1)
	next := 0
	if r.page < last {
		next = r.page + 1
	}
	switch {
	case r.fault.is(RepeatedPage):
		shown = max(r.page-1, 1)
	case r.fault.is(EndlessPages), r.fault.is(EmptyPages):
		shown, next = min(r.page, last), r.page+1
	}
	from := min((shown-1)*r.limit, total)
	to := min(from+r.limit, total)
	if r.fault.is(EmptyPages) {
		to = from
	}
	j := &r.j
	status := func() { j.key("status").int(1) }
	data := func() {
		if r.fault.is(WrongShape) {
			j.key(key).str("temporarily unavailable")
			return
		}
		j.key(key).arr(func() {
			for i := from; i < to; i++ {
				row(i)
			}
		})
		r.rows = to - from
	}
	pagination := func() { r.pagination(stated, next) }
	order := [][]func(){{status, data, pagination}, {status, pagination, data}, {pagination, data, status}}[r.variant]
	j.obj(func() {
		for _, part := range order {
			part()
		}
		if tail != "" {
			j.raw(tail)
		}
	})
	return nil
}

func (r *request) pagination(total, next int) {
	j := &r.j
	perPage := func() { j.key("per_page").int(r.limit) }
	count := func() { j.key("total_count").int(total) }
	page := func() { j.key("page").int(r.page) }
	order := [][]func(){{perPage, count, page}, {count, perPage, page}, {page, perPage, count}}[r.variant]
	j.key("pagination").obj(func() {
		for _, part := range order {
			part()
		}
		if next > 0 {
			j.key("next_page").int(next)
		}
	})
}

// all writes an answer without pages.
func (r *request) all(key string, total int, row func(i int)) error {
	if r.fault.is(NoRows) {
		total = 0
	}
	j := &r.j
	j.obj(func() {
		j.key("status").int(1)
		if r.fault.is(WrongShape) {
			j.key(key).str("temporarily unavailable")
			return
		}
		j.key(key).arr(func() {
			for i := range total {
				row(i)
			}
		})
		r.rows = total
	})
	return nil
}

// one writes an answer whose data is what fill writes.
func (r *request) one(key string, fill func()) error {
	r.j.obj(func() {
		r.j.key("status").int(1)
		r.j.key(key)
		fill()
	})
	r.rows = 1
	return nil
}

// emptyMap writes a map without entries, which PHP cannot tell from a list.
func (r *request) emptyMap() {
	if r.n.opt.EmptyObjects {
		r.j.raw("{}")
	} else {
		r.j.raw("[]")
	}
}
