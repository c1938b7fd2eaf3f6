package loaders

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// The oldest server that has all we use: views with the rights of their maker
// (24.4), FINAL that skips merging by partition on its own (24.8).
const (
	oldestMajor = 24
	oldestMinor = 8
)

// The version that the tests run with: that of the embedded engine.
const (
	testedMajor = 26
	testedMinor = 7
)

// Server is what [Warehouse.Probe] found.
type Server struct {
	// Version is the server's, as it says it.
	Version string
	// Untested is a sentence about a version that the tests do not run with; empty for the
	// one that they do.
	Untested string
	// Notes are sentences about settings that matter, and Untested.
	Notes []string
	// Problems are sentences about what keeps syncd from using the server; empty when
	// nothing does.
	Problems []string

	readonly bool
}

// Probe asks the server for its version, the settings that matter and the rights of
// the user, and says in words what it found. It changes nothing.
func (w *Warehouse) Probe(ctx context.Context) (Server, error) {
	var s Server
	version, err := w.conn.ServerVersion()
	if err != nil {
		if e, ok := errors.AsType[*Error](wrap("connecting to ClickHouse", err)); ok && e.Code == 164 {
			s.Problems = append(s.Problems, "the user may only read; give syncd a user with readonly = 0")
			return s, nil
		}
		return s, wrap("connecting to ClickHouse", err)
	}
	s.Version = fmt.Sprintf("%d.%d.%d", version.Version.Major, version.Version.Minor, version.Version.Patch)
	if v := version.Version; v.Major < oldestMajor || v.Major == oldestMajor && v.Minor < oldestMinor {
		s.Problems = append(s.Problems, fmt.Sprintf("ClickHouse %s is too old; %d.%d or later is needed", s.Version, oldestMajor, oldestMinor))
	}
	if s.Untested = untested(version.Version.Major, version.Version.Minor); s.Untested != "" {
		s.Notes = append(s.Notes, s.Untested)
	}
	err = w.settings(ctx, &s)
	if e, ok := errors.AsType[*Error](err); ok && e.Code == 164 {
		s.Problems = append(s.Problems, "the user may only read; give syncd a user with readonly = 0")
		return s, nil
	}
	if err != nil || s.readonly {
		return s, err // a user who may only read lacks every right, which needs no list
	}
	return s, w.rights(ctx, &s)
}

// untested says what is known of a version that the tests do not run with. Of what changed
// between the oldest and the tested one, INSERTs that are deduplicated (26.2) or
// asynchronous (26.3) by default and other casts of text to times (26.5) could concern us;
// every statement brings its own settings for the first two, and none casts text that is
// read in more than one way.
func untested(major, minor uint64) string {
	const tested = "syncd is tested with ClickHouse %d.%d"
	switch {
	case major == testedMajor && minor == testedMinor:
		return ""
	case major > testedMajor || major == testedMajor && minor > testedMinor:
		return fmt.Sprintf(tested+"; this server is newer, and what it changed is not known", testedMajor, testedMinor)
	default:
		return fmt.Sprintf(tested+"; this server is older, and what is known to differ is set explicitly, but nobody has seen it work", testedMajor, testedMinor)
	}
}

// settings reads the settings that matter.
func (w *Warehouse) settings(ctx context.Context, s *Server) error {
	found := map[string]string{}
	err := w.query(ctx, "reading the server's settings",
		`SELECT name, if(changed, value, default) FROM system.settings WHERE name IN ('readonly', 'allow_ddl', 'max_memory_usage', 'max_execution_time')
UNION ALL SELECT name, value FROM system.settings WHERE name IN ('deduplicate_insert', 'final')
UNION ALL SELECT name, value FROM system.server_settings WHERE name = 'max_server_memory_usage'
UNION ALL SELECT 'timezone', timezone()`,
		func(rows driver.Rows) error {
			var name, value string
			if err := rows.Scan(&name, &value); err != nil {
				return err
			}
			found[name] = value
			return nil
		})
	if err != nil {
		return err
	}
	if r := found["readonly"]; r != "" && r != "0" {
		s.readonly = true
		s.Problems = append(s.Problems, "the user may only read (readonly = "+r+"); give syncd a user with readonly = 0")
	}
	if found["allow_ddl"] == "0" {
		s.Problems = append(s.Problems, "the user may not make tables (allow_ddl = 0)")
	}
	s.note(found, "max_server_memory_usage", "the server may use %s of memory", bytesInWords)
	s.note(found, "max_memory_usage", "one query may use %s of memory", bytesInWords)
	s.note(found, "max_execution_time", "queries end after %s s, comparisons of large windows too", nil)
	s.note(found, "deduplicate_insert", "deduplicate_insert is %s on the server; syncd turns it off for its own INSERTs", nil)
	s.note(found, "timezone", "the server's time zone is %s; syncd stores UTC whatever it is", nil)
	return nil
}

// note adds a sentence about a setting that is known and not zero.
func (s *Server) note(found map[string]string, name, sentence string, words func(string) string) {
	value := found[name]
	if value == "" || value == "0" {
		return
	}
	if words != nil {
		value = words(value)
	}
	s.Notes = append(s.Notes, fmt.Sprintf(sentence, value))
}

func bytesInWords(value string) string {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return value
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// rights asks whether the user may do what syncd does.
func (w *Warehouse) rights(ctx context.Context, s *Server) error {
	var missing []string
	for _, database := range []string{w.ddl.store, w.ddl.database} {
		for _, right := range []string{"CREATE DATABASE", "CREATE TABLE", "CREATE VIEW", "SELECT", "INSERT", "ALTER TABLE", "TRUNCATE", "DROP TABLE"} {
			granted, err := w.granted(ctx, right, database)
			if err != nil {
				return err
			}
			if !granted {
				missing = append(missing, right+" ON "+database+".*")
			}
		}
	}
	if len(missing) > 0 {
		s.Problems = append(s.Problems, "the user lacks "+strings.Join(missing, ", "))
	}
	return nil
}

// granted asks for one right. A server too old to be asked is believed: Migrate
// will report what it is refused.
func (w *Warehouse) granted(ctx context.Context, right, database string) (bool, error) {
	var yes uint8
	err := w.conn.QueryRow(ctx, "CHECK GRANT "+right+" ON "+quote(database)+".*").Scan(&yes)
	if err == nil {
		return yes != 0, nil
	}
	err = wrap("asking for the user's rights", err)
	if e, ok := errors.AsType[*Error](err); ok && e.Code == 62 { // SYNTAX_ERROR: CHECK GRANT came with 24.11
		return true, nil
	}
	return false, err
}
