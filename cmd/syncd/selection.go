package main

import (
	"fmt"
	"slices"
	"strings"
)

// selection is what --only names: accounts, and streams of accounts. The empty
// selection is everything.
type selection []string

// has reports whether a stream is selected; an empty stream asks for the account.
func (s selection) has(account, stream string) bool {
	if len(s) == 0 {
		return true
	}
	for _, one := range s {
		a, st, narrow := strings.Cut(one, "/")
		if a == account && (!narrow || stream == "" || st == stream) {
			return true
		}
	}
	return false
}

// String is the canonical text: the same selection in another order is the same.
func (s selection) String() string {
	sorted := slices.Clone(s)
	slices.Sort(sorted)
	return strings.Join(slices.Compact(sorted), " ")
}

// check finds names that no account or stream has.
func (s selection) check(streams map[string][]string) error {
	for _, one := range s {
		account, stream, narrow := strings.Cut(one, "/")
		known, ok := streams[account]
		if !ok {
			return &usageError{fmt.Errorf("--only %s: no account is called %s; the configuration has %s", one, account, strings.Join(sortedKeys(streams), ", "))}
		}
		if narrow && !slices.Contains(known, stream) {
			return &usageError{fmt.Errorf("--only %s: account %s has no stream %s; it has %s", one, account, stream, strings.Join(known, ", "))}
		}
	}
	return nil
}
