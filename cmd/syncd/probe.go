package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/internal/pipeline"
	"syncd/internal/plan"
	"syncd/loaders"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

// probeDelay is the longest delay between calls at which check asks every stream that
// rests on something inferred without being told to: a network of thirty streams is
// then asked within a minute.
const probeDelay = 2 * time.Second

// prober asks streams once and compares the answers with what the manifest says of them.
type prober struct {
	pipeline  *pipeline.Engine
	warehouse *loaders.Warehouse // nil if it does not answer
	report    *checkReport
	// all asks also the streams that rest on documents alone, and whatever the pace.
	all bool
	now time.Time
}

// probe asks the streams of an account.
func (p *prober) probe(ctx context.Context, a *account, only selection) {
	var ask []*extractors.Stream
	for _, s := range a.source.Streams() {
		if only.has(a.run.Name, s.Name) && (p.all || len(a.inferred(s)) > 0 || s.Evidence == string(manifest.Inferred)) {
			ask = append(ask, s)
		}
	}
	if len(ask) == 0 {
		return
	}
	if a.run.MinDelay > probeDelay && !p.all {
		p.report.note("account "+a.run.Name, fmt.Sprintf("%d streams rest on something inferred and were not asked, for %s takes a call in %s; --streams asks them",
			len(ask), a.network.Title, a.run.MinDelay))
		return
	}
	for _, s := range ask {
		if ctx.Err() != nil {
			return
		}
		p.stream(ctx, a, s)
	}
}

// stream asks one stream for its first page.
func (p *prober) stream(ctx context.Context, a *account, s *extractors.Stream) {
	what := "stream " + a.run.Name + "/" + s.Name
	work, why := p.work(ctx, a, s)
	if why != "" {
		p.report.note(what, "not asked: "+why)
		return
	}
	answer, err := p.pipeline.Probe(ctx, a.run.Name, s, work)
	if err != nil {
		p.report.say(what, a.contradicted(s, err), "")
		return
	}
	if answer.Page.Control {
		p.report.say(what, nil, "the list of exports can be read")
		return
	}
	found, err := a.understand(s, work, answer)
	p.report.say(what, err, found)
}

// work is what a pull of the stream would ask first: the newest window that is over,
// the first items of its list. why says why it cannot be asked.
func (p *prober) work(ctx context.Context, a *account, s *extractors.Stream) (w extractors.Work, why string) {
	w = extractors.Work{Kind: s.Kind(), Begun: p.now}
	if s.Export != nil && s.Export.Only {
		w.Route = state.Export
	}
	if s.Window != nil {
		before := p.now.Add(-s.Window.Settle)
		for window := range plan.Windows(s.Window.Step, s.Window.Location, before.AddDate(0, -3, 0), before) {
			if !window.To.After(before) {
				w.Window = window
			}
		}
		if age := s.Window.MaxAge; age > 0 && w.Window.From.Before(p.now.Add(-age)) {
			return w, "the network answers only for windows that are not over yet"
		}
	}
	if s.ForEach == nil {
		return w, ""
	}
	w.Items = s.ForEach.Values
	if parent := s.ForEach.Stream; parent != "" {
		of := a.stream(parent)
		if of == nil || p.warehouse == nil {
			return w, "it goes over the ids of stream " + parent + ", which are not to be had"
		}
		var err error
		w.Items, err = p.warehouse.Column(ctx, of.Outputs[0].Table.Name, a.run.Name, of.Outputs[0].Scope, s.ForEach.Columns)
		if err != nil || len(w.Items) == 0 { // nothing was ever loaded, so its table is missing
			return w, "it goes over the ids of stream " + parent + ", which has brought none yet"
		}
	}
	return w, ""
}

func (a *account) stream(name string) *extractors.Stream {
	for _, s := range a.source.Streams() {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// inferred are the variables that the stream rests on and whose values are inferred;
// those that the account's owner set are known to him.
func (a *account) inferred(s *extractors.Stream) []string {
	name := s.Name
	if _, ok := a.network.Stream(a.source.Role(), name); !ok {
		name, _, _ = strings.Cut(name, "/") // a report under a name of its own
	}
	of, ok := a.network.Stream(a.source.Role(), name)
	if !ok {
		return nil
	}
	inferred := a.network.InferredOf(of)
	if of.Export != nil && of.Export.Only {
		inferred = a.network.InferredOfExport(of)
	}
	return slices.DeleteFunc(inferred, func(v string) bool { _, set := a.config.Variables[v]; return set })
}

// contradicted adds to a refused call which inferred facts it may contradict.
func (a *account) contradicted(s *extractors.Stream, err error) error {
	api, ok := errors.AsType[*extractors.APIError](err)
	if !ok || api.Outcome != extractors.StopStream {
		return err
	}
	guesses := a.inferred(s)
	if api.Status == http.StatusNotFound { // what a network does not know is a path
		paths := slices.DeleteFunc(slices.Clone(guesses), func(v string) bool { return a.network.Variables[v].Kind != manifest.VariablePath })
		if len(paths) > 0 {
			guesses = paths
		}
	}
	if len(guesses) == 0 {
		return err
	}
	told := make([]string, len(guesses))
	for i, v := range guesses {
		value := s.Variables[v]
		if value == "" {
			value = "empty"
		}
		told[i] = fmt.Sprintf("variables.%s (%s, taken to be %s)", v, strings.TrimSuffix(strings.Join(strings.Fields(a.network.Variables[v].Help), " "), "."), value)
	}
	return fmt.Errorf("%w\n         it rests on what is inferred and may be otherwise for you: %s", err, strings.Join(told, "; "))
}

// understand maps an answer as a pull would, and says how much of it was understood.
func (a *account) understand(s *extractors.Stream, w extractors.Work, answer pipeline.Probed) (string, error) {
	variables := maps.Collect(maps.All(s.Variables))
	maps.Copy(variables, extractors.Asked(answer.Request))
	c := &normalize.Context{
		Network: a.run.Network, Account: a.run.Name, Stream: s.Name, Location: a.run.Location, Version: 1, SyncedAt: answer.At, Variables: variables,
	}
	if s.Window != nil {
		c.Window, c.By = w.Window, s.Window.By
	}
	if answer.Page.Records == 0 {
		return "it answers, and has no records there: nothing was compared", nil
	}
	var rows, bad int
	var first string
	unknown := map[string]bool{}
	for _, out := range s.Outputs {
		n, err := normalize.Compile(out.Spec)
		if err != nil {
			return "", err
		}
		look := func(b *schema.Block) (*schema.Block, error) {
			err := unknownStatuses(b, unknown)
			b.Reset()
			return b, err
		}
		block, counts, err := n.Page(answer.Body, c, schema.NewBlock(out.Table), look, func(r normalize.BadRow) error {
			if first == "" {
				first = r.Reason
			}
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("the answer to %s cannot be read as %s: %w", answer.Request, out.Table.Name, err)
		}
		if _, err := look(block); err != nil {
			return "", err
		}
		rows, bad = rows+counts.Rows, bad+counts.Bad
	}
	if bad > 0 {
		return "", a.contradicted(s, &extractors.APIError{
			Network: a.network.Title, Account: a.run.Name, Stream: s.Name, Op: answer.Request, Status: http.StatusOK, Outcome: extractors.StopStream,
			Message: fmt.Sprintf("%d of %d records cannot be understood, the first: %s", bad, rows+bad, first),
			Advice:  "they would go to quarantine",
		})
	}
	found := fmt.Sprintf("%d records, all understood", answer.Page.Records)
	if len(unknown) > 0 {
		found += "; words for a status that syncd does not know: " + strings.Join(slices.Sorted(maps.Keys(unknown)), ", ")
	}
	return found, nil
}

// unknownStatuses notes the network's words of rows whose status became unknown.
func unknownStatuses(b *schema.Block, words map[string]bool) error {
	var text bytes.Buffer
	if err := schema.Dump(&text, b); err != nil {
		return err
	}
	isUnknown := false
	for line := range strings.Lines(text.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "status":
			isUnknown = value == schema.StatusUnknown
		case "status_raw":
			if isUnknown {
				words[value] = true
			}
			isUnknown = false
		}
	}
	return nil
}
