package main

import (
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"syncd/internal/pipeline"
)

func newPlanCommand() *cobra.Command {
	var file, backfill string
	var only []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "plan",
		Short: "What a run would pull and what a day costs, in calls and exports; makes no call",
		Long: `plan prints what is due now, or what a backfill would pull: windows, calls, exports, the
time that they take at the network's pace, the rows expected, the tables touched, and
why the rows come by the route they come; and which report days are asked again how
often, and which of them now. Below it stands what each stream takes a day
once everything is published, against what the network allows, with a warning where
that is more.
Calls and rows are estimated from what was published before; where nothing was,
one call a window is counted and marked with "at least".`,
		Example: `  syncd plan
  syncd plan --backfill 2026-01-01..2026-03-31 --only affise-main/conversions
  syncd plan --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := loadApp(file, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer a.close()
			if err := a.check(only); err != nil {
				return err
			}
			var days *dayRange
			if backfill != "" {
				d, err := parseDays(backfill)
				if err != nil {
					return err
				}
				days = &d
			}
			store, err := a.readState()
			if err != nil {
				return err
			}
			accounts := make([]*pipeline.Account, len(a.accounts))
			for i, one := range a.accounts {
				accounts[i] = one.run
			}
			p := pricing{store: store, only: only, days: days, now: time.Now()}
			prices, err := p.price(cmd.Context(), accounts)
			if err != nil {
				return err
			}
			if asJSON {
				out := json.NewEncoder(cmd.OutOrStdout())
				out.SetIndent("", "  ")
				return out.Encode(prices)
			}
			return printPrices(cmd.OutOrStdout(), prices)
		},
	}
	configFlag(c, &file)
	onlyFlag(c, &only)
	c.Flags().StringVar(&backfill, "backfill", "", "FROM..TO, report days, both included")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}
