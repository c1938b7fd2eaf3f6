package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"syncd/internal/plan"
)

// accept has what is held back of every selected stream asked for again, and believed,
// and says how much that is.
func (s *syncing) accept(ctx context.Context, out io.Writer) error {
	pulls := 0
	err := s.selected(func(a *account, stream string) error {
		n, err := s.pipeline.Accept(ctx, a.run.Name, stream, time.Now())
		pulls += n
		return err
	})
	if err != nil {
		return err
	}
	if pulls == 0 {
		_, err = fmt.Fprintln(out, "syncd: nothing is held back, so there is nothing to accept")
		return err
	}
	_, err = fmt.Fprintf(out, "syncd: %d %s held back: asked for again, and believed\n", pulls, plan.Plural(pulls, "pull"))
	return err
}
