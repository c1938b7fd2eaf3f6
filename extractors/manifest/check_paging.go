package manifest

import (
	"slices"

	"syncd/internal/strictyaml"
)

// stopsOf are the stop rules that mean something for each kind of paging. A cursor has
// no number that could be compared with a number of pages or records, and one that
// comes again is always an error.
var stopsOf = map[PagingKind][]Stop{
	PagingPage:   {StopNoNext, StopEmpty, StopShort, StopTotal, StopLastPage, StopRepeated},
	PagingOffset: {StopNoNext, StopEmpty, StopShort, StopTotal, StopRepeated},
	PagingCursor: {StopNoNext, StopEmpty, StopNoCursor},
}

func (c *checker) checkPaging(report reporter, s located) {
	p := s.Paging
	if p.Kind == PagingNone {
		if p.Param != "" || p.SizeParam != "" || len(p.Stop) > 0 || p.Cursor != "" || p.Pages != "" || p.Distinct || p.Adaptive {
			report("paging", "paging of kind none has no parameters and no stop rule")
		}
		return
	}
	c.checkPagingParams(report, s)
	c.checkStops(report, s)
	switch {
	case p.Kind == PagingCursor && p.Cursor == "":
		report("paging", "paging of kind cursor needs the path of the cursor")
	case p.Kind != PagingCursor && p.Cursor != "":
		report("paging.cursor", "paging of kind %s has no cursor", p.Kind)
	case p.Kind == PagingCursor && p.First != 0:
		report("paging.first", "paging of kind cursor asks for the first page without a number")
	}
	if p.Adaptive && (p.Kind != PagingOffset || p.KindVariable != "" || p.SizeParam == "" || p.Distinct) {
		report("paging.adaptive", "pages of any size need paging of kind offset with a size_param, and neither kind_variable nor distinct")
	}
	if p.First < 0 || p.MaxPages < 0 {
		report("paging", "first and max_pages cannot be negative")
	}
	switch {
	case p.Distinct && p.Kind == PagingCursor:
		report("paging.distinct", "paging of kind cursor cannot count pages in another way")
	case p.Distinct != (p.DistinctAdvice != ""):
		report("paging", "distinct and distinct_advice go together: the advice says what to set if pages overlap")
	}
}

func (c *checker) checkPagingParams(report reporter, s located) {
	p := s.Paging
	if p.Param == "" {
		report("paging", "paging of kind %s needs a param", p.Kind)
	} else {
		c.checkParameter(report, "paging.param", p.Param)
	}
	if p.SizeParam != "" {
		c.checkParameter(report, "paging.size_param", p.SizeParam)
	}
	if _, twice := s.Request.Query[p.Param]; twice {
		report("paging.param", "parameter %s is also in the request's query", p.Param)
	}
	if _, twice := s.Request.Query[p.SizeParam]; twice {
		report("paging.size_param", "parameter %s is also in the request's query", p.SizeParam)
	}
	if p.SizeParam != "" && p.Size <= 0 {
		report("paging.size", "paging.size_param needs a size above zero")
	}
	if p.SizeVariable != "" {
		c.checkVariable(report, "paging.size_variable", p.SizeVariable)
	}
	if p.KindVariable == "" {
		return
	}
	c.checkVariable(report, "paging.kind_variable", p.KindVariable)
	if v, ok := c.network.Variables[p.KindVariable]; ok && !slices.Equal(v.Words, []string{string(PagingPage), string(PagingOffset)}) {
		report("paging.kind_variable", "variable %s chooses between page and offset: give it kind word and words [page, offset]", p.KindVariable)
	}
	if !slices.ContainsFunc(p.Stop, func(s Stop) bool { return s != StopLastPage }) {
		report("paging.stop", "stop rule last_page cannot stand alone where a variable may count records")
	}
}

func (c *checker) checkStops(report reporter, s located) {
	p := s.Paging
	if len(p.Stop) == 0 {
		report("paging", "stream %s pages without a stop rule", s.Name)
	}
	if len(p.Stop) == 1 && p.Stop[0] == StopRepeated {
		report("paging.stop", "stop rule repeated cannot stand alone: a network that heeds the page's number would never end")
	}
	for i, stop := range p.Stop {
		path := strictyaml.Item("paging.stop", i)
		switch {
		case !slices.Contains(stopsOf[p.Kind], stop):
			report(path, "stop rule %s means nothing for paging of kind %s", stop, p.Kind)
		case stop == StopNoNext && p.Next == "":
			report(path, "stop rule no_next needs paging.next")
		case stop == StopTotal && p.Total == "":
			report(path, "stop rule total needs paging.total")
		case stop == StopShort && p.Size == 0 && p.Served == "":
			report(path, "stop rule short needs paging.size or paging.served")
		case stop == StopLastPage && p.Pages == "":
			report(path, "stop rule last_page needs paging.pages")
		}
	}
}
