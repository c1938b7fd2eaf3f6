package tests

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"syncd/tests/affisesim"
	"syncd/tests/cpasim"
	"syncd/tests/metricssim"
	"syncd/tests/offerslooksim"
	"syncd/tests/performcbsim"
)

// misleading are faults that look like a true answer, so that what they spoil may have to
// be asked for again from its beginning, and those that end a stream until it is due
// again, which lets go of the pages of the one pull that met them.
var misleading = map[string]bool{}

func init() {
	for _, k := range []affisesim.FaultKind{
		affisesim.NoRows, affisesim.EmptyPages, affisesim.EndlessPages, affisesim.RepeatedPage, affisesim.WrongShape, affisesim.BrokenDate, affisesim.BrokenAmount,
		affisesim.Unauthorized, affisesim.Forbidden, affisesim.BadRequest, affisesim.StatusTwo,
	} {
		misleading[string(k)] = true
	}
	for _, k := range []offerslooksim.Fault{offerslooksim.NoData, offerslooksim.Nothing, offerslooksim.Torn, offerslooksim.Inside, offerslooksim.Forbidden} {
		misleading[string(k)] = true
	}
	for _, k := range []performcbsim.FaultKind{performcbsim.Repeated, performcbsim.Torn} {
		misleading[string(k)] = true
	}
}

// pick gives one of a list.
func pick[T any](o *oracle, list ...T) T { return list[o.dice.IntN(len(list))] }

// arm has the networks go wrong some calls from now.
func (o *oracle) arm() {
	after := func() int { return o.dice.IntN(12) }
	for range o.dice.IntN(4) {
		o.affise.Inject(affisesim.Fault{
			Kind: pick(o, affisesim.ServerError, affisesim.BadGateway, affisesim.HTMLPage, affisesim.TooManyRequests, affisesim.Unauthorized, affisesim.Forbidden, affisesim.BadRequest,
				affisesim.StatusTwo, affisesim.Slow, affisesim.CutBody, affisesim.TornJSON, affisesim.Reset, affisesim.RepeatedPage, affisesim.EndlessPages, affisesim.EmptyPages,
				affisesim.NoRows, affisesim.WrongShape, affisesim.WrongTypes, affisesim.BrokenDate, affisesim.BrokenAmount),
			After: after(), Delay: 150 * time.Millisecond, RetryAfter: pick(o, "", "0", "1"),
		})
	}
	for range o.dice.IntN(3) {
		o.perform.Inject(performcbsim.Fault{
			Kind:  pick(o, performcbsim.ServerError, performcbsim.TooMany, performcbsim.Torn, performcbsim.CutBody, performcbsim.Reset, performcbsim.HTMLPage, performcbsim.Slow, performcbsim.Repeated),
			After: after(), Delay: 150 * time.Millisecond,
		})
	}
	for range o.dice.IntN(3) {
		o.metrics.Inject(metricssim.Fault{
			Kind: pick(o, metricssim.ServerError, metricssim.BadGateway, metricssim.TooManyRequests, metricssim.Forbidden, metricssim.HTMLPage, metricssim.CutBody, metricssim.Slow, metricssim.Reset,
				metricssim.CreateLost, metricssim.ExportError, metricssim.ExportCanceled, metricssim.TornFile, metricssim.WrongSize, metricssim.WrongTotal, metricssim.EmptyFile, metricssim.HeaderOnly),
			After: after() / 2, Delay: 150 * time.Millisecond, RetryAfter: pick(o, "", "0", "1"),
		})
	}
	if o.dice.IntN(2) == 0 {
		o.metrics.Inject(metricssim.Fault{Kind: pick(o, metricssim.ExpiredLink, metricssim.Forbidden, metricssim.CutBody, metricssim.Reset, metricssim.HTMLPage), Path: "/storage/"})
	}
	for range o.dice.IntN(3) {
		o.look.Inject(make([]offerslooksim.Fault, after()/2)...)
		o.look.Inject(pick(o, offerslooksim.ServerError, offerslooksim.Busy, offerslooksim.Torn, offerslooksim.Inside, offerslooksim.NoData, offerslooksim.Nothing, offerslooksim.Reset, offerslooksim.Forbidden))
	}
	for _, n := range []*cpaBed{o.kma, o.who, o.terra} {
		if o.dice.IntN(2) == 0 {
			n.sim.Inject(make([]cpasim.Fault, after()/2)...)
			n.sim.Inject(pick(o, cpasim.ServerError, cpasim.HTMLPage, cpasim.Reset, cpasim.Torn))
		}
	}
}

// disarm ends what has not gone wrong yet.
func (o *oracle) disarm() {
	o.affise.SetFaults(affisesim.Faults{})
	o.perform.SetFaults(performcbsim.Faults{})
	o.metrics.ClearFaults()
	o.look.ClearFaults()
	for _, n := range []*cpaBed{o.kma, o.who, o.terra} {
		n.sim.ClearFaults()
	}
}

// trouble is what goes wrong with the warehouse or the disk during one run.
type trouble struct {
	env []string // of the run
	// strike is called once some calls were made, and mended before the run is killed or
	// once some more were made; nil for none.
	strike, mend func()
	// spoils says that an answer may not be kept.
	spoils bool
}

// trouble chooses one, or none. What it does is undone by mend, whenever it is called.
func (o *oracle) trouble() trouble {
	kinds := []string{"none", "none", "full disk", "read-only disk", "stopped engine", "killed engine"}
	if o.engine != nil {
		kinds = append(kinds, "refused", "cut", "slow", "cut", "parts", "parts", "memory", "readonly")
	}
	nothing := func() {}
	switch pick(o, kinds...) {
	case "full disk":
		leave := uint64(o.dice.IntN(200_000))
		return trouble{strike: func() { o.disk.fill(leave) }, mend: o.disk.mend, spoils: true}
	case "read-only disk":
		// A disk with files that are open for writing cannot be remounted while they are: it
		// becomes read-only before the run, once the engine of a daemon that was killed is gone.
		eventually(o.t, "the engine of a daemon that was killed to let go of its disk", func() bool { return o.disk.remount("ro") == nil })
		return trouble{strike: nothing, mend: o.disk.mend, spoils: true}
	case "stopped engine":
		pid := 0
		return trouble{
			strike: func() {
				if pid = o.enginePID(); pid > 0 && syscall.Kill(pid, syscall.SIGSTOP) == nil {
					o.tally.fault("warehouse: stopped", 1)
				}
			},
			mend: func() {
				if pid > 0 {
					_ = syscall.Kill(pid, syscall.SIGCONT)
				}
			},
		}
	case "killed engine":
		return trouble{strike: func() {
			if pid := o.enginePID(); pid > 0 && syscall.Kill(pid, syscall.SIGKILL) == nil {
				o.tally.kill("engine, SIGKILL")
			}
		}, mend: nothing}
	case "refused":
		return trouble{strike: func() { o.wire.refuse.Store(true); o.wire.cutAll() }, mend: o.wire.mend}
	case "cut":
		quota := int64(1 + o.dice.IntN(200_000))
		return trouble{strike: func() { o.wire.quota.Store(quota) }, mend: o.wire.mend}
	case "slow":
		return trouble{strike: func() { o.wire.slow.Store(int64(10 * time.Millisecond)) }, mend: o.wire.mend}
	case "parts":
		return trouble{strike: func() { o.tables("MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1") },
			mend: func() { o.tables("RESET SETTING parts_to_throw_insert, parts_to_delay_insert") }}
	case "memory":
		return trouble{env: []string{"WAREHOUSE=" + o.dsnWith(map[string]string{"max_memory_usage": "100000"})}, strike: nothing, mend: nothing}
	case "readonly":
		return trouble{env: []string{"WAREHOUSE=" + o.dsnWith(map[string]string{"readonly": "2"})}, strike: nothing, mend: nothing}
	}
	return trouble{strike: nothing, mend: nothing}
}

// enginePID is the process of ClickHouse; 0 while there is none.
func (o *oracle) enginePID() int {
	if o.engine != nil {
		return o.engine.PID()
	}
	if o.running == nil {
		return 0
	}
	if hosts := children(o.running.cmd.Process.Pid); len(hosts) > 0 {
		return hosts[0]
	}
	return 0
}

// tables alters the tables. Where rows are staged there are no parts when they come: it is
// the INSERTs into ledgers and raw pages that meet too many.
func (o *oracle) tables(change string) {
	over := *o.bed
	over.dsn = o.engine.DSN()
	conn := over.connect()
	defer conn.Close()
	var names []string
	if err := conn.QueryRow(o.t.Context(), "SELECT groupArray(name) FROM system.tables WHERE database = $1 AND engine LIKE '%MergeTree'", o.database+"_store").Scan(&names); err != nil {
		return // the engine is not there just now
	}
	for _, name := range names {
		_ = conn.Exec(o.t.Context(), "ALTER TABLE "+o.database+"_store.`"+name+"` "+change) // it may be dropped meanwhile
	}
}

// exceptions counts what a run said of its warehouse and its disk.
func (o *oracle) exceptions(log string) {
	log = strings.ToLower(log)
	for kind, words := range map[string][]string{
		"warehouse: too many parts": {"too many parts"}, "warehouse: memory limit": {"memory limit exceeded"}, "warehouse: read-only": {"the user may only read", "in readonly mode"},
		"disk: full": {"disk is full", "no space left", "not_enough_space"}, "disk: read-only": {"read-only file system"},
	} {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(log, w) }) {
			o.tally.fault(kind, 1)
		}
	}
}

// onState lets f change the state of a run that is over, if there is one yet. SQLite
// follows links, and the way onto the seed's disk is one: f has a copy that is put back.
func (o *oracle) onState(f func(db *sql.DB) error) {
	o.t.Helper()
	names := []string{"state.db", "state.db-wal"}
	copied := o.t.TempDir()
	for _, name := range names {
		text, err := os.ReadFile(o.disk.outside("data/" + name))
		if os.IsNotExist(err) {
			if name == names[0] {
				return
			}
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(copied, name), text, 0o600)
		}
		if err != nil {
			o.t.Fatal(err)
		}
	}
	file := filepath.Join(copied, names[0])
	db, err := sql.Open("sqlite", file)
	if err != nil {
		o.t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	err = f(db)
	_, folded := db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	if err := errors.Join(err, folded, db.Close()); err != nil {
		o.t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(o.disk.outside("data/"+names[0]), text, 0o600)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	for _, name := range []string{"state.db-wal", "state.db-shm"} {
		if err := os.Remove(o.disk.outside("data/" + name)); err != nil && !os.IsNotExist(err) {
			o.t.Fatal(err)
		}
	}
}

// alter changes the state as if time had passed.
func (o *oracle) alter(statements ...string) {
	o.t.Helper()
	o.onState(func(db *sql.DB) error {
		for _, s := range statements {
			if _, err := db.Exec(s); err != nil && !strings.Contains(err.Error(), "no such table") { // killed while it was made
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	})
}

// pausesEnd ends the pauses that pulls make after failures.
func (o *oracle) pausesEnd() { o.alter("UPDATE pulls SET not_before = 0 WHERE not_before > 0") }

// hoursPass makes all older that was pulled, and all due that is asked for again and again.
func (o *oracle) hoursPass(hours int64) {
	ms := itoa(int(hours * time.Hour.Milliseconds()))
	o.alter("UPDATE checkpoints SET pulled_at = pulled_at - "+ms+", published_at = published_at - "+ms,
		"UPDATE held SET at = at - "+ms, "UPDATE leads SET next_poll = 1 WHERE next_poll > 0")
}

// dayPasses gives 24metrics ten exports more.
func (o *oracle) dayPasses() {
	o.metrics.Age(24 * time.Hour)
	o.alter("UPDATE quota_calls SET at = at - 86400000 WHERE account = 'track'")
}

// struck counts the faults as the networks saw them.
func (o *oracle) struck() {
	for _, c := range o.affise.Log() {
		o.seen("Affise", c.Fault)
	}
	for _, c := range o.perform.Log() {
		o.seen("Perform[cb]", c.Fault)
	}
	for _, c := range o.metrics.Log() {
		fault := string(c.Fault)
		if fault != "" && c.Storage {
			fault += " (storage)"
		}
		o.seen("24metrics", fault)
	}
	for _, e := range o.metrics.Exports() {
		o.seen("24metrics", string(e.Fault))
	}
	for _, c := range o.look.Log() {
		o.seen("OffersLook", string(c.Fault))
	}
	for _, n := range []*cpaBed{o.kma, o.who, o.terra} {
		for _, c := range n.sim.Log() {
			switch cpasim.Fault(c.Refused) {
			case cpasim.ServerError, cpasim.HTMLPage, cpasim.Reset, cpasim.Torn:
				o.seen("CPA", c.Refused)
			}
		}
	}
	if o.wire != nil {
		for kind, n := range map[string]int64{"refused connection": o.wire.refused.Load(), "cut connection": o.wire.cut.Load(), "slow": o.wire.slowed.Load()} {
			if n > 0 {
				o.tally.fault("warehouse: "+kind, int(n))
			}
		}
	}
}

func (o *oracle) seen(network, fault string) {
	if fault != "" {
		o.tally.fault(network+": "+strings.ReplaceAll(fault, "_", " "), 1)
	}
}
