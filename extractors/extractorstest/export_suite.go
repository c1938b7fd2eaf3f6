package extractorstest

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"syncd/extractors"
	"syncd/state"
)

// exportRun is the suite for one stream by exports.
type exportRun struct{ run }

func (r *exportRun) all(t *testing.T) {
	t.Run("goes from the list to the link", r.life)
	t.Run("resumes from every cursor and buys nothing twice", r.resumes)
	t.Run("goes on after what becomes of exports", r.fates)
	t.Run("classifies what is no good answer, at every step", r.classifies)
	t.Run("takes no nonsense for an export", r.nonsense)
	t.Run("always ends", r.ends)
	t.Run("stops when told, at every step", r.stops)
	t.Run("refuses a cursor that is not its own", r.foreign)
	t.Run("lets no credential and no link out", r.echo)
	t.Run("says of what item a call is", r.items)
}

// exportWork is a pull by export.
func exportWork(s *extractors.Stream) extractors.Work {
	w := extractors.Work{Kind: state.Windowed, Route: state.Export, Window: someWindow(s.Window), Begun: begun}
	if s.ForEach != nil {
		for i := range 2 {
			w.Items = append(w.Items, someItem(s.ForEach, i))
		}
	}
	return w
}

// files is the number of files that an undisturbed pull brings: one of each item.
func (r *exportRun) files() int { return max(len(r.work.Items), 1) }

// play starts a network that writes exports.
func (r *exportRun) play(p *puller) *depot {
	d := newDepot(p.Exports, p.stream)
	r.network.Play(d.answer)
	return d
}

// exportMax is far above the number of calls that a pull of the suite takes.
const exportMax = 1500

// failuresMax is the number of failures in a row after which a lane gives a pull up.
const failuresMax = 6

// brought is what a pull by exports brought.
type brought struct {
	files  []extractors.File
	rows   int
	calls  int
	waited time.Duration
	err    error
	done   bool
}

// death says at which call the program dies, and whether the network hears of the call.
type death struct {
	at    int
	heard bool
}

// bring drives a pull as a lane does: what may be tried again is, and where the program
// dies a new one goes on.
func (r *exportRun) bring(t *testing.T, d *depot, w extractors.Work, at death) brought {
	t.Helper()
	var b brought
	p := r.puller(t)
	failures := 0
	for b.calls < exportMax {
		call, err := p.source.Next(p.stream, w)
		if err != nil {
			b.err = err
			return b
		}
		asked := w
		if call.Unheard != "" {
			w.Cursor = call.Unheard
		}
		b.calls++
		if b.calls == at.at {
			if at.heard {
				_, _ = p.Do(t.Context(), call) // nobody is left to hear the answer
			}
			p = r.puller(t)
			d.now = d.now.Add(time.Minute)
			continue
		}
		s, err := p.step(t.Context(), asked)
		d.now = d.now.Add(time.Second)
		if err != nil {
			failures++
			if e, ok := errors.AsType[retryable](err); !ok || !e.Retryable() || failures >= failuresMax {
				b.err = err
				return b
			}
			if e, ok := errors.AsType[*extractors.APIError](err); ok {
				d.now, b.waited = d.now.Add(e.RetryAfter), b.waited+e.RetryAfter
			}
			continue
		}
		failures = 0
		d.now, b.waited = d.now.Add(s.page.Pause), b.waited+s.page.Pause
		r.pageMakesSense(t, p, s)
		if f := s.page.File; f != nil {
			b.files = append(b.files, *f)
			b.rows += s.page.Records
		}
		if s.page.Done {
			b.done = true
			return b
		}
		w.Cursor = s.page.Next
	}
	t.Errorf("the pull does not end; the last calls are %v", d.steps[len(d.steps)-10:])
	return b
}

// pageMakesSense checks what holds for every answer about an export.
func (r *exportRun) pageMakesSense(t *testing.T, p *puller, s step) {
	t.Helper()
	c, page := s.call, s.page
	if c.Creates != (c.Unheard != "") || c.Creates && c.Budget != p.stream.Export.Budget || !c.Creates && c.Budget != "" {
		t.Errorf("%s creates (%v) against the budget %q and stands at %q unheard", c, c.Creates, c.Budget, c.Unheard)
	}
	if !c.Creates && (c.Method != http.MethodGet || len(c.Body) > 0) {
		t.Errorf("%s creates nothing and is no read", c)
	}
	if page.File != nil && (page.Control || page.File.Name == "") || page.File == nil && !page.Control {
		t.Errorf("an answer is both or neither of a file and a control answer: %+v", page)
	}
}

func (r *exportRun) life(t *testing.T) {
	p := r.puller(t)
	d := r.play(p)
	b := r.bring(t, d, r.work, death{})
	if b.err != nil || !b.done || len(b.files) != r.files() || b.rows != 7*r.files() {
		t.Fatalf("got %d files with %d rows, %v, want %d with %d", len(b.files), b.rows, b.err, r.files(), 7*r.files())
	}
	for _, name := range exportSteps {
		if !slices.Contains(d.steps, name) {
			t.Errorf("the network was never asked to %s: %v", name, d.steps)
		}
	}
	if d.creations() != r.files() || len(d.made) != r.files() {
		t.Errorf("created %v, want one of each item", d.made)
	}
	if b.waited < time.Second*time.Duration(2*r.files()) {
		t.Errorf("waited %v between all questions", b.waited)
	}
	for i, s := range r.network.Seen() {
		if !carriesCredential(s) {
			t.Errorf("call %d carries no credential", i)
		}
	}
	// What is there is taken over.
	again := r.bring(t, d, r.work, death{})
	if again.err != nil || !slices.Equal(again.files, b.files) || d.creations() != r.files() {
		t.Errorf("pulled again: got files %v, %v of %d exports, want the same %v and none created", again.files, again.err, d.creations(), b.files)
	}
}

func (r *exportRun) resumes(t *testing.T) {
	p := r.puller(t)
	d := r.play(p)
	want := r.bring(t, d, r.work, death{})
	must(t, want.err)
	for at := 1; at <= want.calls; at++ {
		for _, heard := range []bool{false, true} {
			d := r.play(p)
			got := r.bring(t, d, r.work, death{at, heard})
			if got.err != nil || !slices.Equal(got.files, want.files) || got.rows != want.rows {
				t.Errorf("died at call %d (heard: %v): got files %v, %v, want %v", at, heard, got.files, got.err, want.files)
			}
			if d.creations() != r.files() {
				t.Errorf("died at call %d (heard: %v): created %d exports, want %d", at, heard, d.creations(), r.files())
			}
		}
	}
}

// fates has something other than a file come of exports.
func (r *exportRun) fates(t *testing.T) {
	once := func(e Exported) func(int, *Exported) {
		return func(n int, at *Exported) {
			if n == 0 {
				at.State, at.Words, at.Truncated, at.Artifact, at.Total = e.State, e.Words, e.Truncated, e.Artifact, e.Total
			}
		}
	}
	for name, tt := range map[string]struct {
		fate func(n int, e *Exported)
		// files and made are over those of a pull that nothing happens to.
		files, made int
		outcome     extractors.Outcome
		least       time.Duration
	}{
		"one that fails is made once more, after a while":        {fate: once(Exported{State: ExportFailed, Words: "no memory, " + Marker}), made: 1, least: time.Minute},
		"one that is canceled is made once more":                 {fate: once(Exported{State: ExportCanceled}), made: 1},
		"one that is cut is parted into two":                     {fate: once(Exported{State: ExportDone, Artifact: "a", Total: 7, Truncated: true}), files: 1, made: 2},
		"one without rows has no file":                           {fate: once(Exported{State: ExportDone}), files: -1},
		"one that stays open is made once more":                  {fate: once(Exported{State: ExportOpen}), made: 1, least: 10 * time.Minute},
		"a word that nobody knows is an end if there is a file":  {fate: once(Exported{State: ExportUnknown, Artifact: "a", Total: 7})},
		"a word that nobody knows is no end if there is no file": {fate: once(Exported{State: ExportUnknown}), made: 1, least: 10 * time.Minute},
		"all canceled stop the stream":                           {fate: func(_ int, e *Exported) { e.State = ExportCanceled }, outcome: extractors.StopStream},
		"all failed stop the stream":                             {fate: func(_ int, e *Exported) { e.State, e.Words = ExportFailed, Marker }, outcome: extractors.StopStream},
		"all cut stop the stream":                                {fate: func(_ int, e *Exported) { e.Truncated = true }, outcome: extractors.StopStream},
	} {
		t.Run(name, func(t *testing.T) {
			p := r.puller(t)
			d := r.play(p)
			d.fate = tt.fate
			b := r.bring(t, d, r.work, death{})
			if tt.outcome != 0 {
				if e, ok := errors.AsType[*extractors.APIError](b.err); !ok || e.Outcome != tt.outcome || b.done {
					t.Errorf("got %v, want outcome %v", b.err, tt.outcome)
				}
				return
			}
			if b.err != nil || !b.done || len(b.files) != r.files()+tt.files || d.creations() != r.files()+tt.made || b.waited < tt.least {
				t.Errorf("got %d files of %d exports after %v, %v; want %d of %d after %v", len(b.files), d.creations(), b.waited, b.err, r.files()+tt.files, r.files()+tt.made, tt.least)
			}
		})
	}
}

// at gives the work at the first call of each step.
func (r *exportRun) at(t *testing.T) (*depot, map[ExportStep]extractors.Work) {
	t.Helper()
	p := r.puller(t)
	d := r.play(p)
	works := map[ExportStep]extractors.Work{}
	w := r.work
	for range 50 {
		s, err := p.step(t.Context(), w)
		must(t, err)
		d.now = d.now.Add(s.page.Pause)
		if made := d.steps[len(d.steps)-1]; works[made].Kind == "" {
			works[made] = w
		}
		if s.page.File != nil {
			break
		}
		w.Cursor = s.page.Next
	}
	if len(works) != len(exportSteps) {
		t.Fatalf("the pull went through %d steps, want %d", len(works), len(exportSteps))
	}
	return d, works
}

// ends lets the network do anything at all.
func (r *exportRun) ends(t *testing.T) {
	bodies := []string{`{}`, `[]`, `null`, `{"data":null}`, `{"data":[]}`, `{"id":"e-1"}`, `{"data":{"id":"e-1"}}`, `{"url":1}`, `{`, ``}
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 7))
		p := r.puller(t)
		d := r.play(p)
		odd := []int{2, 4, 20}[random.IntN(3)]
		d.fate = func(_ int, e *Exported) {
			if random.IntN(odd) == 0 {
				e.State, e.Truncated = ExportState(random.IntN(5)), random.IntN(4) == 0
			}
		}
		d.instead = func(_ ExportStep, _ int, good Reply) Reply {
			if random.IntN(odd) > 0 {
				return good
			}
			return Reply{Status: []int{200, 200, 200, 404, 429, 402, 500, 401}[random.IntN(8)], Body: []byte(bodies[random.IntN(len(bodies))])}
		}
		r.bring(t, d, r.work, death{at: 1 + random.IntN(30), heard: random.IntN(2) == 0})
	}
}

func (r *exportRun) stops(t *testing.T) {
	_, works := r.at(t)
	for _, step := range exportSteps {
		stop := errors.New("the suite stops the call")
		ctx, cancel := context.WithCancelCause(t.Context())
		r.network.Play(func(Seen, int) Reply { cancel(stop); return Reply{Hang: true} })
		if _, err := r.puller(t).step(ctx, works[step]); !errors.Is(err, stop) {
			t.Errorf("%s: got %v, want the cause of the stop", step, err)
		}
	}
}

func (r *exportRun) foreign(t *testing.T) {
	r.foreignCursor(t)
	// A cursor of one route is none of the other.
	_, works := r.at(t)
	p := r.puller(t)
	for step, w := range works {
		w.Route = state.Direct
		if _, err := p.source.Next(p.stream, w); err == nil && w.Cursor != "" {
			t.Errorf("the cursor before %s was taken for one of pages", step)
		}
		w.Route = state.Export
		w.Window.To = w.Window.To.Add(time.Hour)
		if _, err := p.source.Next(p.stream, w); err == nil && w.Cursor != "" {
			t.Errorf("the cursor before %s was taken for one of another window", step)
		}
	}
}
