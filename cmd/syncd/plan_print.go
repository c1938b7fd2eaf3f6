package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"syncd/internal/plan"
)

// printPrices writes what things cost for people.
func printPrices(out io.Writer, all prices) error {
	var text strings.Builder
	for i, a := range all.Accounts {
		if i > 0 {
			text.WriteByte('\n')
		}
		a.print(&text, all)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func (a *accountPrice) print(out *strings.Builder, all prices) {
	if len(a.Steady) == 0 {
		write(out, "", fmt.Sprintf("%s (%s): nothing is asked for", a.Account, a.Network))
		return
	}
	at := "one call at a time"
	if a.Parallel > 1 {
		at = fmt.Sprintf("%d calls at a time", a.Parallel)
	}
	if a.MinDelay > 0 {
		at += ", " + span(time.Duration(a.MinDelay)) + " between them"
	}
	write(out, "", fmt.Sprintf("%s (%s): %s, at most %s calls a day", a.Account, a.Network, at, perDay(a.CallsPerDay)))
	if all.Backfill == "" {
		out.WriteString("\nDUE NOW\n")
	} else {
		out.WriteString("\nBACKFILL " + all.Backfill + "\n")
	}
	a.printWork(out, all)
	a.printAges(out)
	out.WriteString("\nSTEADY STATE, a day once everything is published\n")
	a.printSteady(out)
	for _, w := range a.Warnings {
		out.WriteByte('\n')
		write(out, "  ", "WARNING: "+w)
	}
}

func (a *accountPrice) printWork(out *strings.Builder, all prices) {
	g := grid{head: []string{"STREAM", "WINDOWS", "REPORT DAYS", "CALLS", "EXPORTS", "TIME", "ROWS", "TABLES"}, right: "-1-345"}
	g.hide("EXPORTS", !a.exporting())
	row := func(name string, p price) {
		g.add(name, plan.Count(int64(p.Windows)), days(p.From, p.To, a.Location), atLeast(p.Calls, p.AtLeast), plan.Count(int64(p.Exports)),
			span(time.Duration(p.Takes)), rowsText(p), strings.Join(p.Tables, " "))
	}
	for _, p := range a.Work {
		row(p.Stream, p)
		if p.Open > 0 {
			g.note(fmt.Sprintf("under way already, and not counted where it brings the same: %d %s", p.Open, plan.Plural(p.Open, "pull")))
		}
		for i, r := range p.Routes {
			if i == mostRoutes {
				g.note(fmt.Sprintf("and %d more reasons like these", len(p.Routes)-i))
				break
			}
			g.note(days(r.From, r.To, a.Location) + ": " + r.Why + r.times())
		}
	}
	row("total", a.Total)
	g.print(out)
	if all.Backfill == "" || a.Total.Pulls == 0 {
		return
	}
	done := "Done in about " + span(time.Duration(a.Takes)) + " if nothing else is asked for"
	if a.Total.AtLeast {
		done = "Done in " + span(time.Duration(a.Takes)) + " or more if nothing else is asked for"
	}
	if a.Beside > 0 {
		done += ", " + span(time.Duration(a.Beside)) + " beside the streams' daily work."
	} else {
		done += "; beside the streams' daily work never, because that takes all that the network allows."
	}
	write(out, "  ", done)
}

// exporting says whether the account's network writes files.
func (a *accountPrice) exporting() bool {
	return len(a.Exports) > 0 || a.Day.Exports > 0 || a.Total.Exports > 0
}

// mostRoutes is how many reasons are printed for a stream; the rest is in the JSON.
const mostRoutes = 4

func (a *accountPrice) printSteady(out *strings.Builder) {
	g := grid{head: []string{"STREAM", "SCHEDULE", "RUNS", "PULLS", "CALLS", "OF THE PACE", "EXPORTS"}, right: "--23456"}
	g.hide("EXPORTS", !a.exporting())
	others := steady{Stream: "all other streams"}
	row := func(s steady) {
		g.add(s.Stream, s.Schedule, plan.Count(int64(s.Runs)), plan.Count(int64(s.Pulls)), atLeast(s.Calls, s.Least), plan.Percent(s.CallShare), plan.Count(int64(s.Exports)))
	}
	for _, s := range a.Steady {
		if s.selected {
			row(s)
			continue
		}
		others.Add(s.Load)
		others.CallShare += s.CallShare
	}
	if others.Runs > 0 {
		row(others)
	}
	row(steady{Stream: "total", Load: a.Day, CallShare: float64(a.Day.Calls) / a.CallsPerDay})
	g.print(out)
	for _, b := range a.Exports {
		write(out, "  ", fmt.Sprintf("Exports (budget %s): %s of %s a day (%s).", b.Name, atLeast(b.Steady, b.AtLeast), perDay(b.PerDay), plan.Percent(float64(b.Steady)/b.PerDay)))
	}
}

// times says how often a reason counts, where it is one of a group of windows.
func (r route) times() string {
	if r.Groups > 1 && (r.Route == "export" || strings.Contains(r.Why, " against ")) {
		return " (" + plan.Count(int64(r.Groups)) + " times)"
	}
	return ""
}

func atLeast(n int, least bool) string {
	if least && n > 0 {
		return "at least " + plan.Count(int64(n))
	}
	return plan.Count(int64(n))
}

func rowsText(p price) string {
	switch {
	case p.Pulls == 0:
		return "0"
	case p.Rows == nil:
		return "not known"
	case *p.Rows >= 1e9:
		return fmt.Sprintf("%.1f billion", float64(*p.Rows)/1e9)
	case *p.Rows >= 1e7:
		return fmt.Sprintf("%.1f million", float64(*p.Rows)/1e6)
	}
	return plan.Count(*p.Rows)
}

// days writes the report days of a range, both included, the year once if it is the same.
func days(from, to time.Time, loc *time.Location) string {
	if from.IsZero() || !to.After(from) {
		return "-"
	}
	first, last := from.In(loc), to.In(loc).Add(-time.Nanosecond)
	a, b := first.Format(time.DateOnly), last.Format(time.DateOnly)
	switch {
	case a == b:
		return a
	case first.Year() == last.Year():
		b = last.Format("01-02")
	}
	return a + ".." + b
}

// span writes a duration as exactly as it can be planned by.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.1f days", d.Hours()/24)
	case d >= time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	case d >= time.Minute:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}
