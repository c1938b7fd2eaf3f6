package extractorstest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/schema"
	"syncd/state"
)

// step is one answered call of a pull.
type step struct {
	call extractors.Call
	page extractors.Page
}

// puller performs pulls of one stream, as a lane does.
type puller struct {
	*Suite
	source extractors.Source
	stream *extractors.Stream
	audit  *audit
	// asides counts the calls in a row that brought no records.
	asides int
}

// asidesMax is the number of calls in a row that may bring no records.
const asidesMax = 30

// step makes one call and reads its answer.
func (p *puller) step(ctx context.Context, w extractors.Work) (step, error) {
	call, err := p.source.Next(p.stream, w)
	if err != nil {
		p.audit.err(err)
		return step{}, err
	}
	p.audit.text("description of a call", call.Describe)
	p.audit.text("cursor of an unheard call", string(call.Unheard))
	p.audit.text("printed call", fmt.Sprintf("%v %+v %#v", call, call, call))
	answer, err := p.Do(ctx, call)
	if err != nil {
		p.audit.err(err)
		return step{}, err
	}
	page, err := p.source.Read(p.stream, w, answer)
	redacted := string(p.source.Redact(answer.Body)) // as the answer to a login never is
	p.audit.key("redacted body", redacted)
	if err != nil {
		p.audit.err(err)
		return step{}, err
	}
	p.audit.page(page)
	if page.Control && w.Route != state.Export {
		// A login, or the like: of its answer nothing is stored, and the call is still to be made.
		w.Cursor = page.Next
		if p.asides++; p.asides > asidesMax {
			return step{}, errors.New("the source makes calls and never asks for records")
		}
		return p.step(ctx, w)
	}
	p.asides = 0
	if page.File == nil && !page.Control {
		p.audit.text("stored body", redacted) // of others nothing is stored
	}
	return step{call, page}, nil
}

// pull makes calls from w.Cursor on until the pull is done, fails, or made limit
// calls, and gives the cursor where it stands.
func (p *puller) pull(ctx context.Context, w extractors.Work, limit int) ([]step, state.Cursor, error) {
	var steps []step
	for range limit {
		s, err := p.step(ctx, w)
		if err != nil {
			return steps, w.Cursor, err
		}
		steps = append(steps, s)
		if s.page.Done {
			return steps, "", nil
		}
		w.Cursor = s.page.Next
	}
	return steps, w.Cursor, nil
}

// works gives the works that a stream can be asked for, by name.
func works(s *extractors.Stream) map[string]extractors.Work {
	base := extractors.Work{Kind: s.Kind()}
	if s.ForEach != nil {
		// Three calls, the last one with a single item.
		for i := range 2*s.ForEach.Batch + 1 {
			base.Items = append(base.Items, someItem(s.ForEach, i))
		}
	}
	if s.Window != nil {
		base.Window = someWindow(s.Window)
	}
	base.Begun = begun
	all := map[string]extractors.Work{}
	if s.Export == nil || !s.Export.Only {
		all[string(base.Kind)] = base
	}
	if s.Changes {
		changes := base
		changes.Kind, changes.Window = state.Changes, schema.Window{}
		changes.Since = time.Date(2024, time.March, 5, 13, 30, 0, 0, time.UTC)
		all[string(state.Changes)] = changes
	}
	return all
}

// begun is when the works of the suite were created: their windows have settled.
var begun = time.Date(2024, time.April, 8, 12, 0, 0, 0, time.UTC)

// someItem is an item of a list, of as many values as it has columns.
func someItem(rule *extractors.ForEachRule, i int) string {
	values := make([]string, max(len(rule.Columns), 1))
	for c := range values {
		values[c] = fmt.Sprint(100*(c+1) + 1 + i)
	}
	return strings.Join(values, extractors.ItemSeparator)
}

// someWindow is one step of a stream's calendar.
func someWindow(r *extractors.WindowRule) schema.Window {
	return windowOf(r, time.Date(2024, time.March, 4, 0, 0, 0, 0, r.Location)) // a Monday
}

// windowOf is the step of a stream's calendar that begins on a day, in the morning of it
// where steps are hours, or with its month.
func windowOf(r *extractors.WindowRule, from time.Time) schema.Window {
	to := from.AddDate(0, 0, 1)
	switch r.Step {
	case extractors.Hour:
		from = from.Add(9 * time.Hour)
		to = from.Add(time.Hour)
	case extractors.Week:
		to = from.AddDate(0, 0, 7)
	case extractors.Month:
		from = time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, r.Location)
		to = from.AddDate(0, 1, 0)
	}
	return schema.Window{From: from.UTC(), To: to.UTC()}
}

// calls is the number of lists that a work goes through.
func lists(s *extractors.Stream, w extractors.Work) int {
	if s.ForEach == nil {
		return 1
	}
	batch := max(s.ForEach.Batch, 1)
	return (len(w.Items) + batch - 1) / batch
}

// must ends the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
