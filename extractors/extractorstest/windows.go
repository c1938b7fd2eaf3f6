package extractorstest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/schema"
	"syncd/state"
)

// bounds follows windows over a change of clocks: each call asks for its own and no
// other, and for nothing that has not settled.
func (r *run) bounds(t *testing.T) {
	p := r.puller(t)
	if r.work.Kind != state.Windowed {
		return
	}
	rule := p.stream.Window
	for _, window := range []schema.Window{
		someWindow(rule),
		// The night in which most zones with a summer lose an hour, and the one in which they gain it.
		windowOf(rule, time.Date(2024, time.March, 31, 0, 0, 0, 0, rule.Location)),
		windowOf(rule, time.Date(2024, time.October, 27, 0, 0, 0, 0, rule.Location)),
	} {
		w := r.work
		w.Window, w.Begun = window, window.To.Add(48*time.Hour)
		call := r.next(t, p, w)
		if asked, ok := p.Asked(p.stream, call); ok && (!asked.From.Equal(window.From) || !asked.To.Equal(window.To)) {
			t.Errorf("asked for %s, %s asks for %s", window, call, asked)
		}
		for _, into := range []time.Duration{time.Second, time.Minute, 11 * time.Minute, 40 * time.Minute} {
			w.Begun = window.From.Add(into)
			call := r.next(t, p, w)
			if rule.Settle == 0 {
				w.Begun = time.Time{}
				if same := r.next(t, p, w); same.URL != call.URL {
					t.Errorf("the stream's rows settle at once, and a pull in the window asks %s and not %s", call, same)
				}
				continue
			}
			asked, ok := p.Asked(p.stream, call)
			if !ok {
				continue
			}
			// Of a window that is all too young its first second is asked for.
			latest := later(w.Begun.Add(-rule.Settle), window.From.Add(time.Second))
			if !asked.From.Equal(window.From) || asked.To.After(latest) || !asked.To.After(asked.From) {
				t.Errorf("%v into the window %s, %s asks for %s; only until %s it has settled", into, window, call, asked, latest)
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (r *run) next(t *testing.T, p *puller, w extractors.Work) extractors.Call {
	t.Helper()
	call, err := p.source.Next(p.stream, w)
	must(t, err)
	return call
}

// items has a list of items that are hard to write: what a table takes from the call
// has to come back whole.
func (r *run) items(t *testing.T) {
	p := r.puller(t)
	each := p.stream.ForEach
	if each == nil {
		return
	}
	hard := []string{"a b", "ü/ö", "50%&x=1", "#?;", "..", "+1"}
	for i := range hard {
		columns := max(len(each.Columns), 1)
		values := make([]string, columns)
		for c := range values {
			values[c] = hard[(i+c)%len(hard)]
		}
		w := r.work
		w.Items = []string{strings.Join(values, extractors.ItemSeparator)}
		call := r.next(t, p, w)
		asked := extractors.Asked(call.Describe)
		want := map[string]string{}
		for _, out := range p.stream.OutputsBy(w.Route) {
			for _, field := range out.Spec.Columns {
				switch name := field.Variable; {
				case name == "request.item" || columns == 1 && strings.HasPrefix(name, "request.item"):
					want[name] = values[0]
				case strings.HasPrefix(name, "request.item."):
					for c := range values {
						want[fmt.Sprintf("request.item.%d", c+1)] = values[c]
					}
				}
			}
		}
		for name, value := range want {
			if asked[name] != value {
				t.Errorf("the item %q: %s gives %s as %q", w.Items[0], call, name, asked[name])
			}
		}
	}
}
