package tests

import (
	"database/sql"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"syncd/internal/pipeline"
	"syncd/tests/metricssim"
)

// longPause is a pause of a pull that a test does not wait out.
const longPause = 3 * time.Second

// hurry runs the binary to its end. A pull that is to wait longer than longPause has
// waited enough at once: the process is stopped as by SIGTERM, its state made older,
// and it is started again. passes is by how much the network's clock is put forward then.
func (k *tracked) hurry(passes time.Duration, args ...string) result {
	k.t.Helper()
	for range 20 {
		p := k.start(args...)
		paused := false
		eventually(k.t, "an end, or a long pause", func() bool {
			select {
			case <-p.done:
				return true
			default:
			}
			paused = k.pausing()
			return paused
		})
		if !paused {
			return p.wait()
		}
		p.signal(syscall.SIGTERM)
		p.wait()
		k.resume()
		k.ahead.Add(int64(passes))
	}
	k.t.Fatal("it pauses again and again")
	return result{}
}

// pausing says that every pull that has calls to make waits longer than longPause.
func (k *tracked) pausing() bool {
	return k.ask("SELECT count(*) > 0 AND count(*) = count(*) FILTER (WHERE not_before > ?) FROM pulls WHERE phase = 'pulling'", time.Now().Add(longPause).UnixMilli()) == 1
}

// resume ends all pauses. The daemon must not be running.
func (k *tracked) resume() {
	k.t.Helper()
	if k.state() == nil {
		return // it did not get as far
	}
	if _, err := k.state().Exec("UPDATE pulls SET not_before = 0"); err != nil {
		k.t.Fatal(err)
	}
}

// state opens the state beside the daemon; nil while there is none.
func (k *tracked) state() *sql.DB {
	k.t.Helper()
	if _, err := os.Stat(k.data("state.db")); err != nil || k.db != nil {
		return k.db
	}
	var err error
	if k.db, err = sql.Open("sqlite", k.data("state.db")+"?_pragma=busy_timeout(10000)"); err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { k.db.Close() })
	return k.db
}

// ask asks the state for a number; 0 while there is none.
func (k *tracked) ask(query string, args ...any) (n int) {
	k.t.Helper()
	if db := k.state(); db == nil || db.QueryRow(query, args...).Scan(&n) != nil {
		return 0 // the file is just being made
	}
	return n
}

// oneFile makes an installation that pulls days of clicks as one file, and gives what
// that is.
func oneFile(t *testing.T, o metricssim.Options, days int, more string) (*tracked, span, []string) {
	t.Helper()
	now := time.Now().UTC()
	s := metricsDay(now.AddDate(0, 0, -1-days), days)
	o.Integrations, o.ConversionsPerDay, o.From = integrations[:1], -1, s.from.AddDate(0, 0, -2)
	k := track(t, o, "UTC", "    variables: {integrations: "+integrations[0]+", currency: USD"+more+"}\n")
	return k, s, []string{"run", "--backfill", s.from.Format(time.DateOnly) + ".." + s.to.AddDate(0, 0, -1).Format(time.DateOnly), "--only", "track/clicks"}
}

// bought fails the test unless so many exports were made, no range of them twice but
// after a failure.
func (k *tracked) bought(n int) []metricssim.Export {
	k.t.Helper()
	all := k.network.Exports()
	if len(all) != n {
		for _, e := range all {
			k.t.Logf("export %s of %s from %s to %s at %s (%s)", e.ID, e.Type, e.Start, e.End, e.Created.Format(time.TimeOnly), e.Fault)
		}
		k.t.Errorf("%d exports were bought, want %d", len(all), n)
	}
	return all
}

func TestMetricsACrashAtAnyStepOfAnExportBuysNoneTwice(t *testing.T) {
	t.Parallel()
	steps := map[string]int{}
	for _, step := range pipeline.Steps {
		switch step {
		case "brought": // this network sends no postbacks
		case "departed", "answered", "received":
			steps[step] = 4 // find, create, poll and sign
		default:
			steps[step] = 1
		}
	}
	for _, step := range publicationSteps[:4] {
		steps[step] = 1
	}
	for step, times := range steps {
		for n := 1; n <= times; n++ {
			at := fmt.Sprintf("%s:%d", step, n)
			t.Run(at, func(t *testing.T) {
				t.Parallel()
				k, s, args := oneFile(t, metricssim.Options{Seed: 11, ClicksPerDay: 150}, 2, "")
				k.binary = must(crashing())(t)
				r := k.startWith([]string{"SYNCD_CRASH=" + at}, args...).wait()
				if r.signal != syscall.SIGKILL {
					t.Fatalf("step %s was never reached:\n%s", at, tail(r.stderr))
				}
				k.hurry(0, args...).ended(t, 0)
				k.metricsRowsEqual(k.connect(), k.network, "clicks", k.zone, s)
				for _, e := range k.bought(1) {
					if e.Fetched != 1 {
						t.Errorf("its file was fetched %d times", e.Fetched)
					}
				}
				k.countedOnce(k.connect())
			})
		}
	}
}

// A kill at any moment of the writing of an export, with others under way.
func TestMetricsKillingItAtRandomMomentsBuysNoExportTwice(t *testing.T) {
	t.Parallel()
	dice := diced(t)(0)
	now := time.Now().UTC()
	s := metricsDay(now.AddDate(0, 0, -3), 2)
	k := track(t, metricssim.Options{
		Seed: dice.Uint64(), Integrations: integrations, ConversionsPerDay: 150, ClicksPerDay: 150, ImpressionsPerDay: 80, From: s.from.AddDate(0, 0, -2), WorkFor: 2 * time.Second,
	}, berlin, variables(""))
	args := []string{"run", "--backfill", s.from.Format(time.DateOnly) + ".." + s.to.AddDate(0, 0, -1).Format(time.DateOnly)}
	for _, stream := range rowKinds {
		args = append(args, "--only", "track/"+stream.stream)
	}
	for range 6 {
		p := k.start(args...)
		calls := len(k.network.Log()) + 1 + dice.IntN(8)
		eventually(t, "some calls, or its end", func() bool {
			select {
			case <-p.done:
				return true
			default:
				return len(k.network.Log()) >= calls || k.pausing()
			}
		})
		p.signal(syscall.SIGKILL)
		if r := p.wait(); r.signal != syscall.SIGKILL {
			r.ended(t, 0) // it was done before
		}
		k.resume()
	}
	// An export is written in two seconds of the network's clock, more than some starts take.
	k.hurry(2*time.Second, args...).ended(t, 0)
	conn := k.connect()
	for _, stream := range rowKinds {
		k.metricsRowsEqual(conn, k.network, stream.stream, k.zone, metricsDay(s.from, 2))
	}
	k.bought(len(rowKinds) * len(integrations))
}

func TestMetricsADownloadThatWasKilledGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	k, s, args := oneFile(t, metricssim.Options{Seed: 12, ClicksPerDay: 400}, 2, "")
	k.network.Inject(metricssim.Fault{Kind: metricssim.Slow, Path: "/storage/", Delay: patience})
	p := k.start(args...)
	half := int64(0)
	eventually(t, "half of the file", func() bool {
		if all := k.network.Exports(); len(all) == 1 {
			half = all[0].Size / 2
		}
		return half > 0 && k.spooled(".part") >= half
	})
	p.signal(syscall.SIGKILL)
	p.wait()
	k.run(args...).ended(t, 0)
	k.metricsRowsEqual(k.connect(), k.network, "clicks", k.zone, s)
	if e := k.bought(1); e[0].Fetched != 0 {
		t.Errorf("the file was fetched once more from its beginning")
	}
	ranges := 0
	for _, c := range k.network.Log() {
		if c.Range == fmt.Sprintf("bytes=%d-", half) && c.Status == 206 {
			ranges++
		}
	}
	if ranges != 1 {
		t.Errorf("the rest of the file was asked for %d times", ranges)
	}
}
