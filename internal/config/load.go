package config

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"syncd/internal/strictyaml"
)

// The defaults of what the file does not give.
const (
	dataDirDefault     = "./data"
	databaseDefault    = "affiliate"
	memoryLimitDefault = Size(2 << 30)
	listenDefault      = "127.0.0.1:8080"
	postbackRate       = 10_000
	openIDsEvery       = 15 * time.Minute
	rawPagesDefault    = 90 * 24 * time.Hour
	spoolDefault       = 7 * 24 * time.Hour
	inboxDefault       = Size(4 << 30)
	timezoneDefault    = "UTC"
)

// Check reports what is wrong with a configuration beyond what this package can know,
// such as what a network has. It is asked of a configuration with other mistakes too, so
// that all are reported at once; what is only the echo of one of those is left out.
type Check func(*Config) strictyaml.Problems

// Load reads a configuration file with the environment of the process. The error
// is a strictyaml.Problems when the file could be read and is wrong.
func Load(file string, checks ...Check) (*Config, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Parse(file, src, os.LookupEnv, "", checks...)
}

// Parse reads a configuration from src. The file name is for messages; env looks
// up environment variables; relative ${file:...} paths begin in dir, or in the
// working directory if dir is empty. The error is a strictyaml.Problems.
func Parse(file string, src []byte, env func(string) (string, bool), dir string, checks ...Check) (*Config, error) {
	c := &Config{}
	options := strictyaml.Options{Expand: expander{env, dir}.expand}
	positions, problems := options.Decode(file, src, c)
	c.positions = positions
	if positions.Has("") { // it is YAML
		c.setDefaults()
		problems = append(problems, without(c.check(time.Now()), problems)...)
		for _, check := range checks {
			problems = append(problems, without(check(c), problems)...)
		}
	}
	if len(problems) > 0 {
		problems.Sort()
		return nil, problems
	}
	return c, nil
}

// without drops the problems that are only the echo of an earlier one: a value
// that could not be decoded is not missing as well.
func without(problems, earlier strictyaml.Problems) strictyaml.Problems {
	var rest strictyaml.Problems
	for _, p := range problems {
		echo := false
		for _, e := range earlier {
			under, ok := strings.CutPrefix(p.Path, e.Path)
			echo = echo || ok && (under == "" || e.Path == "" || under[0] == '.' || under[0] == '[')
		}
		if !echo {
			rest = append(rest, p)
		}
	}
	return rest
}

func (c *Config) setDefaults() {
	c.DataDir = cmp.Or(c.DataDir, dataDirDefault)
	if c.Warehouse.DSN.IsZero() {
		c.Warehouse.DSN = NewDSN(Embedded)
	}
	c.Warehouse.Database = cmp.Or(c.Warehouse.Database, databaseDefault)
	c.Warehouse.MemoryLimit = cmp.Or(c.Warehouse.MemoryLimit, memoryLimitDefault)
	if c.State.DSN.IsZero() {
		c.State.DSN = NewDSN("sqlite:" + filepath.Join(c.DataDir, "state.db"))
	}
	c.HTTP.Listen = cmp.Or(c.HTTP.Listen, listenDefault)
	c.HTTP.PublicURL = strings.TrimRight(c.HTTP.PublicURL, "/")
	c.HTTP.PostbackRate = cmp.Or(c.HTTP.PostbackRate, postbackRate)
	c.Retention.RawPages = cmp.Or(c.Retention.RawPages, rawPagesDefault)
	c.Retention.Spool = cmp.Or(c.Retention.Spool, spoolDefault)
	c.Inbox.MaxSize = cmp.Or(c.Inbox.MaxSize, inboxDefault)
	c.PII.IP = cmp.Or(c.PII.IP, PIIKeep)
	c.PII.Email = cmp.Or(c.PII.Email, PIIKeep)
	c.Log.Level = cmp.Or(c.Log.Level, "info")
	c.Log.Format = cmp.Or(c.Log.Format, "auto")
	for i := range c.Accounts {
		a := &c.Accounts[i]
		a.Timezone = cmp.Or(a.Timezone, timezoneDefault)
		a.BaseURL = strings.TrimRight(a.BaseURL, "/")
		if !a.OpenIDs.IsZero() {
			a.OpenIDs.Every = cmp.Or(a.OpenIDs.Every, openIDsEvery)
		}
		// Replaced by check; a location must never be nil.
		a.Location = time.UTC
	}
}
