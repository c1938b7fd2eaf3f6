package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"syncd/state"
)

// Quotas implements state.Store. The log holds the times of the calls of each
// budget's window; older ones are removed as new ones come.
func (s *Store) Quotas(ctx context.Context, account string, budgets []state.Budget, now time.Time) (free time.Time, err error) {
	if err := checkBudgets(budgets); err != nil {
		return time.Time{}, fmt.Errorf("counting against the quotas of %s: %w", account, err)
	}
	if len(budgets) == 0 {
		return time.Time{}, nil
	}
	err = s.write(ctx, "counting against quotas", func(t *tx) error {
		free = time.Time{}
		for _, b := range budgets {
			at, err := freeAt(t, account, b, now)
			if err != nil {
				return err
			}
			if at.After(free) {
				free = at
			}
		}
		if !free.IsZero() {
			return nil
		}
		for _, b := range budgets {
			if err := t.exec("INSERT INTO quota_calls (account, name, at) VALUES (?, ?, ?)", account, b.Name, ms(now)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return time.Time{}, err
	}
	return free, nil
}

// checkBudgets refuses what cannot be counted. Budgets of the same name would share
// a log, of which each removes what the other needs.
func checkBudgets(budgets []state.Budget) error {
	names := make(map[string]bool, len(budgets))
	for _, b := range budgets {
		if b.Calls <= 0 || b.Per < time.Millisecond {
			return fmt.Errorf("%d calls in %s is no budget (%s)", b.Calls, b.Per, b.Name)
		}
		if names[b.Name] {
			return fmt.Errorf("budget %s is given twice", b.Name)
		}
		names[b.Name] = true
	}
	return nil
}

// freeAt says when a budget that is used up at now has room again; zero if it has now.
func freeAt(t *tx, account string, b state.Budget, now time.Time) (free time.Time, err error) {
	if err := t.exec("DELETE FROM quota_calls WHERE account = ? AND name = ? AND at <= ?", account, b.Name, ms(now)-b.Per.Milliseconds()); err != nil {
		return free, err
	}
	// The call that has to leave the window before another fits, if the window is full.
	err = t.row("SELECT at FROM quota_calls WHERE account = ? AND name = ? ORDER BY at DESC LIMIT 1 OFFSET ?",
		[]any{account, b.Name, b.Calls - 1}, instant{&free})
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return free.Add(b.Per.Truncate(time.Millisecond)), err
}
