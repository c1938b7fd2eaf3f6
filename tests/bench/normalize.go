package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"time"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/extractors/rest"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
	"syncd/tests/affisesim"
)

const (
	pageSize = 500
	// pagesMeasured is how many different pages are gone through: more than the
	// processor's caches hold.
	pagesMeasured = 16
	// measuredFor is the least CPU time of a round.
	measuredFor = time.Second
)

// benchNormalize measures, on one core, the way from a page's bytes to native
// columns, and the reading of the envelope that comes before it.
//
// The clock of a shared machine says little, so a second here is one of CPU time,
// garbage collection included.
func benchNormalize(ctx context.Context, b *bench) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	source, err := affiseSource("http://affise.invalid")
	if err != nil {
		return err
	}
	network := affisesim.New(affisesim.Options{Conversions: 40_000, Clicks: 40_000, ClicksMaxAge: -1})
	defer network.Close()
	for _, s := range []struct {
		stream, path string
		goal         *goal
		structs      func([]byte) (int, error)
	}{
		{"conversions", "/3.0/stats/conversions", atLeast(150_000), decodeInto[conversionsAnswer]},
		{"clicks", "/3.0/stats/clicks", nil, decodeInto[clicksAnswer]},
	} {
		stream := streamOf(source, s.stream)
		pages, bytes, err := pagesOf(network, s.path)
		if err != nil {
			return err
		}
		normalizer, err := normalizerOf(stream)
		if err != nil {
			return err
		}
		work := extractors.Work{Kind: state.Windowed, Window: schema.Window{From: time.Now().AddDate(0, -1, 0), To: time.Now()}}
		read := func(body []byte) (int, error) {
			page, err := source.Read(stream, work, extractors.Answer{Status: http.StatusOK, Body: body})
			source.Redact(body)
			return page.Records, err
		}
		var ours, structs, envelope rounds
		for range b.rounds {
			for _, r := range []struct {
				into *rounds
				f    func([]byte) (int, error)
			}{{&ours, normalizer}, {&structs, s.structs}, {&envelope, read}} {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := r.into.measure(pages, r.f); err != nil {
					return fmt.Errorf("%s: %w", s.stream, err)
				}
			}
		}
		name := "encoding/json structs"
		b.report.add("normalize", fmt.Sprintf("%s (%d bytes)", s.stream, bytes), "records/s a core", ours.speed, &reference{name, median(structs.speed)}, s.goal)
		b.report.add("normalize", s.stream, "allocations/record", ours.allocs, &reference{name, median(structs.allocs)}, atMost(5))
		b.report.add("normalize", s.stream+": read and redact", "records/s a core", envelope.speed, nil, nil)
	}
	return nil
}

// affiseSource is an account at Affise with the embedded manifest.
func affiseSource(base string) (*rest.Source, error) {
	networks, err := manifest.Load()
	if err != nil {
		return nil, err
	}
	for _, n := range networks {
		if n.Name == "affise" {
			return rest.New(n, rest.Account{
				Name: account, BaseURL: base, Role: "admin", Location: time.UTC,
				Credentials: map[string]rest.Secret{"api_key": key(adminKey)},
			})
		}
	}
	return nil, fmt.Errorf("there is no manifest of Affise")
}

// key is a credential that is no secret.
type key string

func (k key) Reveal() string { return string(k) }

func streamOf(source extractors.Source, name string) *extractors.Stream {
	for _, s := range source.Streams() {
		if s.Name == name {
			return s
		}
	}
	panic("the manifest has no stream " + name)
}

// pagesOf renders pages of a stream and gives the mean size of a record.
func pagesOf(network *affisesim.Network, path string) (pages [][]byte, bytes int, err error) {
	handler := network.Handler()
	from, to := time.Now().AddDate(0, 0, -28).UTC(), time.Now().UTC()
	for page := range pagesMeasured {
		r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("%s?date_from=%s&date_to=%s&timezone=UTC&limit=%d&page=%d",
			path, from.Format(time.DateOnly), to.Format(time.DateOnly), pageSize, page+1), nil)
		r.Header.Set("API-Key", adminKey)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			return nil, 0, fmt.Errorf("the simulator answered %d: %.200s", w.Code, w.Body)
		}
		pages = append(pages, w.Body.Bytes())
		bytes += w.Body.Len()
	}
	return pages, bytes / (pageSize * pagesMeasured), nil
}

// normalizerOf gives what the pipeline does with a page, without sending the rows.
func normalizerOf(stream *extractors.Stream) (func([]byte) (int, error), error) {
	out := stream.Outputs[0]
	n, err := normalize.Compile(out.Spec)
	if err != nil {
		return nil, err
	}
	block := schema.NewBlock(out.Table)
	c := &normalize.Context{
		Network: "affise", Account: account, RunID: "20260101T000000Z-bench", Stream: stream.Name,
		Location: time.UTC, Version: 1, SyncedAt: time.Now(), By: stream.Window.By,
		Window:    schema.Window{From: time.Now().AddDate(0, -2, 0), To: time.Now().AddDate(0, 0, 1)},
		Variables: stream.Variables,
	}
	full := func(b *schema.Block) (*schema.Block, error) {
		b.Reset()
		return b, nil
	}
	bad := func(r normalize.BadRow) error { return fmt.Errorf("record %d: %s", r.Index, r.Reason) }
	return func(body []byte) (int, error) {
		var counts normalize.Counts
		var err error
		block, counts, err = n.Page(body, c, block, full, bad)
		return counts.Rows, err
	}, nil
}

func decodeInto[T interface{ records() int }](body []byte) (int, error) {
	var answer T
	err := json.Unmarshal(body, &answer)
	return answer.records(), err
}

// rounds are records a second of CPU time, and allocations a record.
type rounds struct{ speed, allocs []float64 }

func (r *rounds) measure(pages [][]byte, f func([]byte) (int, error)) error {
	once := func() (int, error) {
		records := 0
		for _, p := range pages {
			n, err := f(p)
			if err != nil {
				return 0, err
			}
			if n != pageSize {
				return 0, fmt.Errorf("%d records of a page of %d", n, pageSize)
			}
			records += n
		}
		return records, nil
	}
	if _, err := once(); err != nil { // buffers reach their size
		return err
	}
	debug.FreeOSMemory()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	records, began := 0, ownCPU()
	var took time.Duration
	for took < measuredFor {
		n, err := once()
		if err != nil {
			return err
		}
		records += n
		took = ownCPU() - began
	}
	runtime.ReadMemStats(&after)
	r.speed = append(r.speed, perSecond(records, took.Seconds()))
	r.allocs = append(r.allocs, float64(after.Mallocs-before.Mallocs)/float64(records))
	return nil
}
