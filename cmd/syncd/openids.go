package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"syncd/internal/config"
	"syncd/schema"
	"syncd/state"
)

const (
	// openIDsMost is how many rows the query for open ids may have: a lead that is asked
	// for every few hours costs a call or a part of one each time, and a million are more
	// than any network answers for in a day.
	openIDsMost = 1_000_000
	// openIDsFileMost is the size of the largest file of them that is read, some million lines.
	openIDsFileMost = 64 << 20
	// ownIDMost is the length of the longest id that is taken for one.
	ownIDMost = 1_024
)

// asker is what a query for open ids needs of the warehouse.
type asker interface {
	Rows(ctx context.Context, sql string, most int, row func(columns, values []string) error) error
}

// openIDs gives the function that reads the leads which an account's configuration names,
// nil if it names none.
func openIDs(c *config.Account, warehouse asker) func(context.Context) ([]state.LeadFact, error) {
	switch {
	case c.OpenIDs.Query != "":
		return func(ctx context.Context) ([]state.LeadFact, error) {
			list := newIDList(c.Location)
			err := warehouse.Rows(ctx, c.OpenIDs.Query, openIDsMost, func(columns, values []string) error {
				if list.named == 0 {
					if err := list.name(columns); err != nil {
						return err
					}
				}
				return list.add(values)
			})
			if err != nil {
				return nil, fmt.Errorf("asking open_ids.query of account %s: %w; mend it or take it out of the configuration", c.Name, err)
			}
			return list.facts, nil
		}
	case c.OpenIDs.File != "":
		return func(ctx context.Context) ([]state.LeadFact, error) {
			facts, err := idsOfFile(ctx, c.OpenIDs.File, c.Location)
			if err != nil {
				return nil, fmt.Errorf("reading open_ids.file of account %s: %w; mend the file or take it out of the configuration", c.Name, err)
			}
			return facts, nil
		}
	}
	return nil
}

// idsOfFile reads a CSV file with a header.
func idsOfFile(ctx context.Context, path string, loc *time.Location) ([]state.LeadFact, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	limited := &io.LimitedReader{R: f, N: openIDsFileMost + 1}
	r := csv.NewReader(limited)
	r.ReuseRecord, r.TrimLeadingSpace = true, true
	header, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s is empty: its first line names the columns, lead_id or own_id", path)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	list := newIDList(loc)
	header[0] = strings.TrimPrefix(header[0], "\ufeff") // spreadsheets begin a file with it
	if err := list.name(header); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for ctx.Err() == nil {
		record, err := r.Read()
		if limited.N <= 0 {
			return nil, fmt.Errorf("%s is larger than %d MiB: leave out leads that are settled", path, openIDsFileMost>>20)
		}
		if errors.Is(err, io.EOF) {
			return list.facts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err) // it names the line
		}
		if err := list.add(record); err != nil {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("%s, line %d: %w", path, line, err)
		}
	}
	return nil, context.Cause(ctx)
}

// idList collects leads from rows of text.
type idList struct {
	location *time.Location
	zone     *schema.Zone // of report days
	// network, own and created are the positions of the columns, -1 for none; named is how
	// many columns a row has.
	network, own, created, named int
	facts                        []state.LeadFact
}

func newIDList(loc *time.Location) *idList {
	if loc == nil {
		loc = time.UTC
	}
	return &idList{location: loc, zone: schema.NewZone(loc), network: -1, own: -1, created: -1}
}

// name reads the names of the columns. Those that are not known are passed over.
func (l *idList) name(columns []string) error {
	for i, c := range columns {
		at := map[string]*int{"lead_id": &l.network, "own_id": &l.own, "click_id": &l.own, "created_at": &l.created}[strings.ToLower(strings.TrimSpace(c))]
		switch {
		case at == nil:
		case *at >= 0:
			return fmt.Errorf("the column %s is there twice (own_id and click_id are the same)", c)
		default:
			*at = i
		}
	}
	if l.named = len(columns); l.network < 0 && l.own < 0 {
		return fmt.Errorf("there is no column lead_id (the network's id) or own_id (yours) among %s", strings.Join(columns, ", "))
	}
	return nil
}

// add takes a row in. One without any id names no lead.
func (l *idList) add(values []string) error {
	if len(values) != l.named {
		return fmt.Errorf("%d values for %d columns", len(values), l.named)
	}
	value := func(at int) string {
		if at < 0 {
			return ""
		}
		return strings.TrimSpace(values[at])
	}
	fields := state.LeadFields{}
	for name, id := range map[string]string{state.LeadNetworkID: value(l.network), state.LeadOwnID: value(l.own)} {
		switch {
		case id == "":
		case len(id) > ownIDMost || strings.ContainsAny(id, "\r\n"):
			return fmt.Errorf("%.40q is no id: it has a line break or more than %d bytes", id, ownIDMost)
		default:
			fields[name] = strings.Clone(id)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	if text := value(l.created); text != "" {
		at, err := l.instant(text)
		if err != nil {
			return err
		}
		if !at.IsZero() {
			day := l.zone.Day(at.UnixMilli())
			if day > math.MaxUint16 {
				return fmt.Errorf("created_at %q is no time of a lead: a report day lies between 1970 and 2149", text)
			}
			fields[state.LeadCreated] = strconv.FormatInt(at.UnixMilli(), 10)
			fields[state.LeadDay] = strconv.Itoa(day)
		}
	}
	l.facts = append(l.facts, state.LeadFact{Fields: fields})
	return nil
}

// instant reads a time: RFC 3339, "2026-03-01 10:00:00" or a day in the account's zone, or
// seconds since 1970. The epoch stands for none.
func (l *idList) instant(text string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) >= 9 && len(text) <= 11 {
		return time.Unix(seconds, 0), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly, "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(layout, text, l.location); err == nil {
			if at.Unix() <= 0 {
				return time.Time{}, nil
			}
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("created_at %q is not a time such as 2026-03-01 10:00:00 or 2026-03-01T10:00:00Z", text)
}
