package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"syncd/schema"
	"syncd/state"
)

// FuzzOpenIDs holds that a list of open ids is read or refused as a whole, with the line
// at fault, and that what is read are ids that can be asked for and times that a row holds.
func FuzzOpenIDs(f *testing.F) {
	for _, seed := range []string{
		"lead_id\n1\n2\n", "\ufeffOwn_ID ,created_at,x\r\n\"a,1\",2026-03-01,\r\n,,\r\nb,1772325000,y\r\n", "click_id,lead_id\n1\n", "lead_id,lead_id\n",
		"lead_id,created_at\n1,2026-03-29 02:30:00\n2,9999-12-31T23:59:59Z\n3,0000-01-01\n", "own_id\n\"a\nb\"\n", "", "\n\n", "own_id\n\xff\n", "own_id\n\"\n",
	} {
		f.Add([]byte(seed))
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(f.TempDir(), "ids.csv")
	f.Fuzz(func(t *testing.T, file []byte) {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		facts, err := idsOfFile(t.Context(), path, berlin)
		if err != nil {
			if len(facts) > 0 || !strings.HasPrefix(err.Error(), path) {
				t.Fatalf("%q: %d facts and the error %v", file, len(facts), err)
			}
			return
		}
		if lines := strings.Count(string(file), "\n"); len(facts) > lines {
			t.Fatalf("%q: %d leads in %d lines", file, len(facts), lines+1)
		}
		for _, fact := range facts {
			ids := 0
			for _, name := range []string{state.LeadNetworkID, state.LeadOwnID} {
				id, ok := fact.Fields[name]
				if !ok {
					continue
				}
				if ids++; id == "" || len(id) > ownIDMost || strings.TrimSpace(id) != id || strings.ContainsAny(id, "\r\n") || !strings.Contains(string(file), strings.Split(id, `"`)[0]) {
					t.Errorf("%q: the %s %q", file, name, id)
				}
			}
			if ids == 0 {
				t.Errorf("%q: a lead without an id: %v", file, fact)
			}
			if text, ok := fact.Fields[state.LeadCreated]; ok {
				milli, err := strconv.ParseInt(text, 10, 64)
				if err != nil || milli <= 0 || schema.CheckTime(milli) != nil || fact.Fields[state.LeadDay] == "" {
					t.Errorf("%q: a lead made at %s, which no row holds", file, text)
				}
			}
		}
	})
}

func TestAListOfOpenIDsThatIsNoCSVIsRefusedByItsLine(t *testing.T) {
	for content, want := range map[string]string{
		"own_id\na\n\"\n": "line 3",
		"own_id\na\"b\n":  "line 2",
		"own_id,created_at\na,9999-12-31 00:00:00\n": "line 2: created_at \"9999-12-31 00:00:00\" is no time of a lead",
	} {
		path := filepath.Join(t.TempDir(), "ids.csv")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if facts, err := idsOfFile(t.Context(), path, time.UTC); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v, want an error with %s", content, facts, err, want)
		}
	}
}
