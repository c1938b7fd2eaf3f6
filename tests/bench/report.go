package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// line is one figure of the report.
type line struct {
	Part string `json:"part"`
	What string `json:"what"`
	// Value is the median of the rounds, Low and High are the extremes.
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Unit  string  `json:"unit"`
	// Reference was measured in the same run; nil without one.
	Reference *reference `json:"reference,omitempty"`
	Goal      *goal      `json:"goal,omitempty"`
	// Met says whether the goal is met; true without one.
	Met bool `json:"met"`
}

type reference struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// goal bounds a figure from one side.
type goal struct {
	AtLeast float64 `json:"at_least,omitempty"`
	AtMost  float64 `json:"at_most,omitempty"`
}

func (g *goal) met(v float64) bool {
	return g == nil || (g.AtLeast == 0 || v >= g.AtLeast) && (g.AtMost == 0 || v <= g.AtMost)
}

func atLeast(v float64) *goal { return &goal{AtLeast: v} }
func atMost(v float64) *goal  { return &goal{AtMost: v} }

type report struct{ lines []line }

// add records the rounds of a figure.
func (r *report) add(part, what, unit string, rounds []float64, ref *reference, g *goal) {
	v := median(rounds)
	r.lines = append(r.lines, line{
		Part: part, What: what, Value: v, Low: slices.Min(rounds), High: slices.Max(rounds), Unit: unit,
		Reference: ref, Goal: g, Met: g.met(v),
	})
}

func (r *report) print(w io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(r.lines)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "part\twhat\tmedian\tfrom .. to\treference\tgoal\t")
	for _, l := range r.lines {
		verdict := ""
		if l.Goal != nil {
			verdict = "met"
			if !l.Met {
				verdict = "MISSED"
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s %s\t%s .. %s\t%s\t%s\t%s\n", l.Part, l.What, number(l.Value), l.Unit,
			number(l.Low), number(l.High), l.referenceText(), l.Goal.text(), verdict)
	}
	return t.Flush()
}

func (l line) referenceText() string {
	if l.Reference == nil {
		return ""
	}
	return fmt.Sprintf("%.2f x %s (%s)", l.Value/l.Reference.Value, l.Reference.Name, number(l.Reference.Value))
}

func (g *goal) text() string {
	switch {
	case g == nil:
		return ""
	case g.AtLeast != 0:
		return ">= " + number(g.AtLeast)
	}
	return "<= " + number(g.AtMost)
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}

// number writes large figures in groups of three digits, small ones with decimals.
func number(v float64) string {
	if math.Abs(v) < 100 {
		return strings.TrimSuffix(fmt.Sprintf("%.2f", v), ".00")
	}
	digits := fmt.Sprintf("%.0f", v)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// perSecond is 0 for no time at all.
func perSecond(n int, seconds float64) float64 { return float64(n) / cmp.Or(seconds, math.Inf(1)) }
