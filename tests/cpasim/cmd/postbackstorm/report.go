package main

import (
	"slices"
	"strconv"
	"time"
)

// report is what was measured.
type report struct {
	took         time.Duration
	sent, broken int
	codes        map[int]int
	answered     []int
	// latency are the times from a postback's leaving to its answer, late those from when
	// it should have left: what a sender that does not wait for answers would see. Both
	// are of those that were answered 200.
	latency, late []time.Duration
}

func (r *report) add(o report) {
	if r.codes == nil {
		r.codes = map[int]int{}
	}
	r.broken += o.broken
	for code, n := range o.codes {
		r.codes[code] += n
	}
	r.answered = append(r.answered, o.answered...)
	r.latency = append(r.latency, o.latency...)
	r.late = append(r.late, o.late...)
}

// summary is what is printed.
type summary struct {
	Sent    int     `json:"sent"`
	OK      int     `json:"ok"`
	Broken  int     `json:"broken"` // connections that took a postback along
	Seconds float64 `json:"seconds"`
	// Codes counts the answers by their status.
	Codes map[string]int `json:"codes"`
	// Latency and Late are in milliseconds; see report.
	Latency spread `json:"latency"`
	Late    spread `json:"late"`
}

type spread struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func (r *report) summary() summary {
	slices.Sort(r.answered)
	s := summary{Sent: r.sent, OK: len(r.answered), Broken: r.broken, Seconds: r.took.Seconds(), Codes: map[string]int{}, Latency: spreadOf(r.latency), Late: spreadOf(r.late)}
	for code, n := range r.codes {
		s.Codes[strconv.Itoa(code)] = n
	}
	return s
}

// spreadOf sorts the times.
func spreadOf(times []time.Duration) spread {
	if len(times) == 0 {
		return spread{}
	}
	slices.Sort(times)
	at := func(share float64) float64 {
		return float64(times[min(int(share*float64(len(times))), len(times)-1)]) / float64(time.Millisecond)
	}
	return spread{at(0.5), at(0.99), at(1)}
}
