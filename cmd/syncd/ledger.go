package main

import (
	"context"
	"time"

	"go.uber.org/zap"

	"syncd/internal/schedule"
	"syncd/internal/status"
	"syncd/loaders"
)

// ledgerEvery is how often the ledgers that BI reads (runs, streams) follow the
// state. They are for dashboards: a minute's delay is less than a dashboard's own.
const ledgerEvery = 30 * time.Second

// ledgerRuns is how many of the newest runs are written each time; a busy daemon
// finishes some hundreds in ledgerEvery.
const ledgerRuns = 1000

// ledger keeps the warehouse's ledgers up to date until ctx ends.
func (s *syncing) ledger(ctx context.Context) error {
	tick := time.NewTicker(ledgerEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.saveLedgers(context.WithoutCancel(ctx))
			return nil
		case <-tick.C:
			s.saveLedgers(ctx)
		}
	}
}

// saveLedgers writes the ledgers once. The warehouse being down is nothing new to
// anyone by then: the next time writes what this one did not.
func (s *syncing) saveLedgers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	runs, err := s.store.Runs(ctx, ledgerRuns)
	if err == nil {
		rows := make([]loaders.RunRow, len(runs))
		for i, r := range runs {
			rows[i] = loaders.RunRow{
				ID: r.ID, Network: s.app.networkOf(r.Account), Account: r.Account, Stream: r.Stream,
				StartedAt: r.StartedAt, FinishedAt: r.FinishedAt, Calls: r.Calls, Rows: r.Rows, Error: r.Error,
			}
		}
		err = s.warehouse.SaveRuns(ctx, rows)
	}
	if err == nil {
		err = s.saveStreams(ctx)
	}
	if err != nil {
		s.app.log.Debug("ledgers not written", zap.Error(err))
	}
}

func (s *syncing) saveStreams(ctx context.Context) error {
	lines, err := s.lines(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	rows := make([]loaders.StreamRow, len(lines))
	for i, l := range lines {
		rows[i] = loaders.StreamRow{
			Network: l.Network, Account: l.Account, Stream: l.Stream, State: string(l.State),
			LastSuccess: l.LastSuccess, CompleteTo: l.CompleteTo, NextRun: l.NextRun, Rows: l.Rows, LastError: l.LastError, At: now,
		}
	}
	return s.warehouse.SaveStreams(ctx, rows)
}

func (a *app) networkOf(account string) string {
	for _, one := range a.accounts {
		if one.run.Name == account {
			return one.run.Network
		}
	}
	return ""
}

// schedule gives a stream's due times, in the account's zone.
func (a *account) schedule(stream string) (schedule.Schedule, error) {
	for _, s := range a.source.Streams() {
		if s.Name == stream {
			return schedule.Parse(s.Schedule, a.run.Location, a.run.Network+"/"+a.run.Name+"/"+stream)
		}
	}
	return nil, nil
}

// statusStreams are the configured streams as package status wants them.
func (a *app) statusStreams() []status.Stream {
	var streams []status.Stream
	for _, one := range a.accounts {
		for _, s := range one.source.Streams() {
			line := status.Stream{Account: one.run.Name, Network: one.network.Title, Name: s.Name, Location: one.run.Location, Mapping: one.run.Mapping(s)}
			if when, err := one.schedule(s.Name); err == nil && when != nil {
				line.Next = when.Next
			}
			streams = append(streams, line)
		}
		if r := one.run.Receiver; r != nil {
			streams = append(streams, status.Stream{Account: one.run.Name, Network: one.network.Title, Name: r.Stream().Name, Location: one.run.Location, Receives: true, Mapping: one.run.Mapping(r.Stream())})
		}
	}
	return streams
}
