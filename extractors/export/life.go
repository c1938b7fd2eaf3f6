package export

import (
	"errors"
	"math"
	"net/http"
	"time"

	"syncd/extractors"
)

const (
	// capPause is how long a creation waits that the network refuses for today, where
	// the answer does not say what time it is.
	capPause = time.Hour
	// pauseMin is the shortest pause between two questions for an export.
	pauseMin = time.Second
)

// capped turns the refusal of a creation into patience where it means that no more
// exports are allowed today: with 429, and with 402, which networks use as well.
func (r *reading) capped(err error) error {
	api, ok := errors.AsType[*extractors.APIError](err)
	if !ok || r.answer.Status != http.StatusTooManyRequests && r.answer.Status != http.StatusPaymentRequired {
		return err
	}
	api.Outcome, api.PullOnly = extractors.Wait, true
	// Nothing was created, however often it is refused.
	api.Cursor = r.cursor.again().text()
	if api.RetryAfter > 0 {
		return api // the network's own wish
	}
	api.RetryAfter = capPause
	if now := r.now(); !now.IsZero() {
		// The next day of UTC, in which the network counts as far as is known.
		api.RetryAfter = now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now)
	}
	return api
}

// created reads the answer to a creation. Without the name of the export the pull
// stands where an unheard creation leaves it, and finds the export in the list.
func (r *reading) created() (extractors.Page, error) {
	o := r.machine.object(inside(r.body, r.machine.Exports.Get.At))
	if o.id == "" || len(o.id) > nameMax {
		return extractors.Page{}, r.fail(extractors.RetryNow, "the answer does not name the export that was created")
	}
	next := r.cursor.again()
	next.Phase, next.Export, next.Since = Poll, o.id, seconds(r.now())
	if o.status == done {
		return r.control(next, 0, ""), nil // small ones are written at once
	}
	return r.poll(next, o)
}

// poll asks for the export once more after a pause.
func (r *reading) poll(next cursor, o object) (extractors.Page, error) {
	p := r.machine.Exports.Poll
	pause := time.Duration(min(float64(p.First)*math.Pow(p.Factor, float64(min(next.Polls, 1000))), float64(p.Max)))
	pause = max(pause, pauseMin).Round(time.Second)
	next.Polls++
	next.Waited += int64(pause / time.Second)
	note := "export " + r.machine.Engine.Clean(next.Export) + " is being written"
	if o.word != "" {
		note += " (" + r.machine.Engine.Clean(o.word) + ")"
	}
	return r.control(next, pause, note), nil
}

// polled reads the state of the export in hand.
func (r *reading) polled() (extractors.Page, error) {
	o := r.machine.object(inside(r.body, r.machine.Exports.Get.At))
	switch {
	case o.id == "" && o.word == "":
		return extractors.Page{}, r.fail(extractors.RetryNow, "the answer has no export")
	case o.id != "" && o.id != r.cursor.Export:
		return extractors.Page{}, r.stop("", "the answer is about another export")
	case len(o.artifact) > nameMax:
		return extractors.Page{}, r.stop("", "the name of its file is longer than %d bytes", nameMax)
	}
	switch o.status {
	case failed:
		return r.failed(o)
	case canceled:
		return r.lost("it was canceled")
	case open:
		if r.waited() >= r.machine.Exports.Poll.Deadline {
			return r.lost("it was not written within " + r.machine.Exports.Poll.Deadline.String())
		}
		return r.poll(r.cursor, o)
	}
	if o.truncated {
		return r.split(r.cursor, "its export has more rows than the network writes into one file", "")
	}
	if o.artifact == "" && o.total == 0 {
		return r.advance(r.control(cursor{}, 0, "")), nil
	}
	next := r.cursor
	next.Phase = Sign
	next.Artifact, next.Size, next.Total = o.artifact, o.size, max(o.total, 0)
	return r.control(next, 0, ""), nil
}

// waited is how long the export in hand was asked for: by the network's clock, but not
// less than the pauses, for clocks that stand.
func (r *reading) waited() time.Duration {
	waited := time.Duration(r.cursor.Waited) * time.Second
	if now := r.now(); !now.IsZero() && r.cursor.Since > 0 {
		waited = max(waited, now.Sub(time.Unix(r.cursor.Since, 0)))
	}
	return waited
}

// failed goes on after an export that failed: once more the same, then with halves.
func (r *reading) failed(o object) (extractors.Page, error) {
	c := r.cursor
	c.spend(c.Export)
	c.Failed++
	words := r.machine.Engine.Clean(o.message)
	if c.Failed >= failedMax {
		return r.split(c, "its export failed twice", words)
	}
	note := r.name() + " failed"
	if words != "" {
		note += " (" + words + ")"
	}
	return r.control(c.again(), r.machine.Exports.CoolDown, note+", it is created once more"), nil
}

// lost goes on after an export that will never be written, or was and is gone: once
// more the same.
func (r *reading) lost(why string) (extractors.Page, error) {
	c := r.cursor
	c.spend(c.Export)
	c.Lost++
	if c.Lost >= lostMax {
		return extractors.Page{}, r.stop("look for it at the network", "%s: %s, like the one before it", r.name(), why)
	}
	return r.control(c.again(), 0, r.name()+": "+why+", it is created once more"), nil
}

// split goes on with the halves of the range in hand, the first one first.
func (r *reading) split(c cursor, why, words string) (extractors.Page, error) {
	a, b := c.Ranges[0].halves()
	if words != "" {
		why += " (" + words + ")"
	}
	shortest := r.machine.Exports.MinRange
	if least := time.Duration(a.seconds()) * time.Second; least < shortest || a.seconds() == 0 || len(c.Ranges) >= rangesMax {
		return extractors.Page{}, r.stop("narrow it by a filter, or ask the network to write more rows into one file",
			"%s, and its range of %s is too short to be parted: halves shorter than %s are not asked for", why, c.Ranges[0].length(), shortest)
	}
	next := cursor{Version: cursorVersion, Phase: Find, Item: c.Item}
	next.Ranges = append([]span{a, b}, c.Ranges[1:]...)
	return r.control(next, 0, why+", its range is parted into two"), nil
}

func (s span) length() time.Duration { return time.Duration(s.seconds()) * time.Second }
