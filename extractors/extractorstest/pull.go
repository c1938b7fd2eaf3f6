package extractorstest

import (
	"context"
	"fmt"
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
}

// step makes one call and reads its answer.
func (p *puller) step(ctx context.Context, w extractors.Work) (step, error) {
	call, err := p.source.Next(p.stream, w)
	if err != nil {
		p.audit.err(err)
		return step{}, err
	}
	p.audit.text("description of a call", call.Describe)
	p.audit.text("printed call", fmt.Sprintf("%v %+v %#v", call, call, call))
	answer, err := p.Do(ctx, call)
	if err != nil {
		p.audit.err(err)
		return step{}, err
	}
	p.audit.text("redacted body", string(p.source.Redact(answer.Body)))
	page, err := p.source.Read(p.stream, w, answer)
	if err != nil {
		p.audit.err(err)
		return step{}, err
	}
	p.audit.text("cursor", string(page.Next))
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
			base.Items = append(base.Items, fmt.Sprint(101+i))
		}
	}
	if s.Window != nil {
		base.Window = someWindow(s.Window)
	}
	all := map[string]extractors.Work{string(base.Kind): base}
	if s.Changes {
		changes := base
		changes.Kind, changes.Window = state.Changes, schema.Window{}
		changes.Since = time.Date(2024, time.March, 5, 13, 30, 0, 0, time.UTC)
		all[string(state.Changes)] = changes
	}
	return all
}

// someWindow is one step of a stream's calendar.
func someWindow(r *extractors.WindowRule) schema.Window {
	from := time.Date(2024, time.March, 4, 0, 0, 0, 0, r.Location) // a Monday
	to := from.AddDate(0, 0, 1)
	switch r.Step {
	case extractors.Hour:
		from = from.Add(9 * time.Hour)
		to = from.Add(time.Hour)
	case extractors.Week:
		to = from.AddDate(0, 0, 7)
	case extractors.Month:
		from = time.Date(2024, time.March, 1, 0, 0, 0, 0, r.Location)
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
