package affisesim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"syncd/tests/simserver"
)

// StartControlled is Start with the control paths on the same listener. quit
// is called on POST /_sim/stop, after the answer; nil makes that a 404.
func (n *Network) StartControlled(addr string, quit func()) (url string, stop func(), err error) {
	mux := http.NewServeMux()
	mux.Handle("/", n.Handler())
	mux.Handle("/_sim/", n.ControlHandler(quit))
	return simserver.Start(addr, mux)
}

// ControlHandler serves, for a network in a process of its own, what tests call
// as methods. It has no key: keep it on loopback. All bodies are JSON.
//
//	GET    /_sim/log?epoch=N        []Call, of one epoch or all
//	DELETE /_sim/log
//	GET    /_sim/repeated?within=D  []Pair, D as "10m"
//	GET    /_sim/paces?delay=D      []Pair sooner than D after one another
//	POST   /_sim/mark               {"epoch":N}
//	POST   /_sim/restate?seed=N     Change -> Report
//	PUT    /_sim/faults             Faults, replacing all
//	POST   /_sim/faults             []Fault, added
//	DELETE /_sim/faults
//	GET    /_sim/totals?zone=Z      []Total
//	GET    /_sim/truth/conversions  one Conversion a line
//	GET    /_sim/truth/clicks       one Click a line
//	GET    /_sim/truth/offers       []Offer; also partners, advertisers, users
//	POST   /_sim/premake            PremakeOptions -> Premade
//	POST   /_sim/stop
func (n *Network) ControlHandler(quit func()) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v, err := f(r)
			w.Header().Set("Content-Type", "application/json")
			if err != nil {
				w.WriteHeader(http.StatusBadRequest)
				v = map[string]string{"error": err.Error()}
			}
			_ = json.NewEncoder(w).Encode(v) // the client has gone, then
		})
	}
	handle("GET /_sim/log", func(r *http.Request) (any, error) {
		calls := n.Log()
		epoch, err := strconv.Atoi(r.URL.Query().Get("epoch"))
		if err != nil {
			return calls, nil
		}
		some := []Call{}
		for _, c := range calls {
			if c.Epoch == epoch {
				some = append(some, c)
			}
		}
		return some, nil
	})
	handle("DELETE /_sim/log", func(*http.Request) (any, error) { n.ResetLog(); return struct{}{}, nil })
	handle("GET /_sim/repeated", func(r *http.Request) (any, error) {
		d, err := duration(r, "within")
		return n.Repeated(d), err
	})
	handle("GET /_sim/paces", func(r *http.Request) (any, error) {
		d, err := duration(r, "delay")
		return n.CallsWithin(d), err
	})
	handle("POST /_sim/mark", func(*http.Request) (any, error) { return map[string]int{"epoch": n.Mark()}, nil })
	handle("POST /_sim/restate", func(r *http.Request) (any, error) {
		var c Change
		if err := body(r, &c); err != nil {
			return nil, err
		}
		seed, _ := strconv.ParseUint(r.URL.Query().Get("seed"), 10, 64) // absent: 0
		return n.Restate(seed, c), nil
	})
	handle("PUT /_sim/faults", func(r *http.Request) (any, error) {
		var f Faults
		if err := body(r, &f); err != nil {
			return nil, err
		}
		n.SetFaults(f)
		return struct{}{}, nil
	})
	handle("POST /_sim/faults", func(r *http.Request) (any, error) {
		var f []Fault
		if err := body(r, &f); err != nil {
			return nil, err
		}
		n.Inject(f...)
		return struct{}{}, nil
	})
	handle("DELETE /_sim/faults", func(*http.Request) (any, error) { n.SetFaults(Faults{}); return struct{}{}, nil })
	handle("GET /_sim/totals", func(r *http.Request) (any, error) {
		loc, err := n.zone(r.URL.Query().Get("zone"))
		if err != nil {
			return nil, err
		}
		return n.Totals(loc), nil
	})
	handle("POST /_sim/premake", func(r *http.Request) (any, error) {
		var o PremakeOptions
		if err := body(r, &o); err != nil {
			return nil, err
		}
		return n.Premake(o)
	})
	mux.HandleFunc("GET /_sim/truth/conversions", func(w http.ResponseWriter, _ *http.Request) {
		enc := json.NewEncoder(w)
		for c := range n.EachConversion() {
			if enc.Encode(c) != nil {
				return
			}
		}
	})
	mux.HandleFunc("GET /_sim/truth/clicks", func(w http.ResponseWriter, _ *http.Request) {
		enc := json.NewEncoder(w)
		for c := range n.EachClick() {
			if enc.Encode(c) != nil {
				return
			}
		}
	})
	handle("GET /_sim/truth/offers", func(*http.Request) (any, error) { return n.Offers(), nil })
	handle("GET /_sim/truth/partners", func(*http.Request) (any, error) { return n.Partners(), nil })
	handle("GET /_sim/truth/advertisers", func(*http.Request) (any, error) { return n.Advertisers(), nil })
	handle("GET /_sim/truth/users", func(*http.Request) (any, error) { return n.Users(), nil })
	if quit != nil {
		mux.HandleFunc("POST /_sim/stop", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			_ = http.NewResponseController(w).Flush()
			quit()
		})
	}
	return mux
}

func duration(r *http.Request, name string) (time.Duration, error) {
	v := r.URL.Query().Get(name)
	if v == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", name, err)
	}
	return d, nil
}

// body decodes strictly: a misspelt switch of a benchmark is an error.
func body(r *http.Request, into any) error {
	dec := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the body: %w", err)
	}
	return nil
}
