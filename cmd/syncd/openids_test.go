package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/config"
	"syncd/state"
)

// fixedRows answers every question with the same rows, the first of which names the columns.
type fixedRows struct {
	rows [][]string
	err  error
}

func (f fixedRows) Rows(_ context.Context, sql string, most int, row func(columns, values []string) error) error {
	if sql != "SELECT lead_id FROM crm.leads" || most != openIDsMost {
		return errors.New("another question")
	}
	for _, values := range f.rows[1:] {
		if err := row(f.rows[0], values); err != nil {
			return err
		}
	}
	return f.err
}

func TestOpenIDsOfAFile(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, content string
		want          []state.LeadFields
		err           string
	}{
		{"ids of the network", "lead_id\n7\n 8 \n", []state.LeadFields{{"conversion_id": "7"}, {"conversion_id": "8"}}, ""},
		{
			"own ids, quoted, in a file of a spreadsheet", "\ufeffOwn_ID,note\r\n\"a,1\",x\r\nb,y\r\n",
			[]state.LeadFields{{"click_id": "a,1"}, {"click_id": "b"}}, "",
		},
		{
			"both, with times in the account's zone and in others", "click_id,lead_id,created_at\n" +
				"a,1,2026-03-01 00:30:00\nb,,2026-03-01T00:30:00Z\nc,3,2026-03-01\nd,4,1772325000\n,,\ne,,\nf,,1970-01-01T00:00:00Z\n",
			[]state.LeadFields{
				{"click_id": "a", "conversion_id": "1", "created_at": "1772321400000", "report_date": "20513"},
				{"click_id": "b", "created_at": "1772325000000", "report_date": "20513"},
				{"click_id": "c", "conversion_id": "3", "created_at": "1772319600000", "report_date": "20513"},
				{"click_id": "d", "conversion_id": "4", "created_at": "1772325000000", "report_date": "20513"},
				{"click_id": "e"}, {"click_id": "f"},
			}, "",
		},
		{"a header alone", "lead_id\n", nil, ""},
		{"nothing at all", "", nil, "is empty: its first line names the columns"},
		{"columns that name no lead", "id,name\n1,x\n", nil, "there is no column lead_id (the network's id) or own_id (yours) among id, name"},
		{"two columns that are the same", "own_id,click_id\n1,1\n", nil, "click_id is there twice"},
		{"a line that is too short", "lead_id,own_id\n1\n", nil, "line 2: wrong number of fields"},
		{"a time that is none", "lead_id,created_at\n1,yesterday\n", nil, `line 2: created_at "yesterday" is not a time`},
		{"an id with a line break", "lead_id\n\"1\n2\"\n", nil, "is no id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "leads.csv")
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			c := &config.Account{Name: "kma", Location: berlin, OpenIDs: config.OpenIDs{File: path}}
			facts, err := openIDs(c, nil)(t.Context())
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), "open_ids.file of account kma") {
					t.Errorf("got %v, want %q in it", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []state.LeadFields
			for _, f := range facts {
				got = append(got, f.Fields)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestAFileOfOpenIDsHasALimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leads.csv")
	if err := os.WriteFile(path, []byte("lead_id\n"+strings.Repeat("12345678901234567890\n", openIDsFileMost/20)), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &config.Account{Name: "kma", OpenIDs: config.OpenIDs{File: path}}
	if _, err := openIDs(c, nil)(t.Context()); err == nil || !strings.Contains(err.Error(), "is larger than 64 MiB") {
		t.Errorf("got %v", err)
	}
}

func TestOpenIDsOfAQuery(t *testing.T) {
	c := &config.Account{Name: "kma", OpenIDs: config.OpenIDs{Query: "SELECT lead_id FROM crm.leads"}}
	facts, err := openIDs(c, fixedRows{rows: [][]string{{"lead_id", "created_at"}, {"7", "2026-03-01T10:00:00Z"}, {"", ""}, {"8", ""}}})(t.Context())
	if err != nil || len(facts) != 2 || facts[0].Fields["conversion_id"] != "7" || facts[0].Fields["created_at"] != "1772359200000" || facts[1].Fields["conversion_id"] != "8" {
		t.Errorf("got %v, %v", facts, err)
	}
	for _, f := range []fixedRows{
		{rows: [][]string{{"lead_id"}}, err: errors.New("there is no table crm.leads")},
		{rows: [][]string{{"id"}, {"7"}}},
	} {
		if _, err := openIDs(c, f)(t.Context()); err == nil || !strings.Contains(err.Error(), "open_ids.query of account kma") || !strings.Contains(err.Error(), "mend it or take it out") {
			t.Errorf("got %v", err)
		}
	}
	if openIDs(&config.Account{Name: "kma"}, nil) != nil {
		t.Error("an account without a list has one")
	}
}
