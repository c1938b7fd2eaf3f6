package sqlite

import (
	"context"
	"errors"
	"time"

	"syncd/state"
)

var errNoLeads = errors.New("this store keeps no leads yet")

func (s *Store) AcceptPostback(context.Context, state.Postback) (int64, error) {
	return 0, errNoLeads
}
func (s *Store) Postbacks(context.Context, string, int) ([]state.Postback, error) {
	return nil, errNoLeads
}
func (s *Store) Backlogs(context.Context) ([]state.Backlog, error) { return nil, errNoLeads }
func (s *Store) Bring(context.Context, state.Bring) (state.Pull, error) {
	return state.Pull{}, errNoLeads
}
func (s *Store) AddLeads(context.Context, string, []state.LeadFact, state.PollRule, time.Time) (int, error) {
	return 0, errNoLeads
}
func (s *Store) OpenLeads(context.Context, string, state.LeadID, time.Time, int) ([]string, error) {
	return nil, errNoLeads
}
func (s *Store) Lead(context.Context, string, state.LeadID, string) (state.Lead, error) {
	return state.Lead{}, errNoLeads
}
func (s *Store) LeadCounts(context.Context, time.Time) ([]state.LeadCount, error) {
	return nil, errNoLeads
}
