package pipeline

import (
	"time"

	"syncd/extractors"
	"syncd/internal/plan"
	"syncd/state"
)

// AcceptPulls gives the pulls that ask at once for what is held back of a stream, and
// believe the answer. Where one is open already it is given again: the store has it
// believed.
func (a *Account) AcceptPulls(s *extractors.Stream, k Known, now time.Time) []Planned {
	if len(k.Held) == 0 {
		return nil
	}
	pulls := []Planned{a.whole(s, state.Hot)}
	if s.Window != nil {
		pulls = a.acceptWindows(s, k, now)
	}
	for i := range pulls {
		pulls[i].Tier, pulls[i].Accept = state.Hot, true
	}
	return pulls
}

func (a *Account) acceptWindows(s *extractors.Stream, k Known, now time.Time) []Planned {
	axis := plan.Of(s)
	held := standing(axis, Known{Held: k.Held}, now)
	var asked []plan.Choice
	for i := range held {
		h := &held[i]
		h.Ask = true
		for _, p := range k.Open {
			if p.Kind == state.Windowed && p.From.Equal(h.Window.From) && p.To.Equal(h.Window.To) {
				asked = append(asked, plan.Choice{Window: h.Window, Route: p.Route, Steps: 1, Rows: -1})
			}
		}
	}
	asked = append(asked, axis.Routes(nil, k.Open, held, plan.VolumeOf(s, k.Published, k.Parent), a.Costs(), now)...)
	pulls := make([]Planned, len(asked))
	for i, c := range asked {
		pulls[i] = Planned{NewPull: state.NewPull{
			Account: a.Name, Stream: s.Name, Kind: state.Windowed, Route: c.Route, From: c.Window.From, To: c.Window.To,
		}, Choice: c}
	}
	return pulls
}
