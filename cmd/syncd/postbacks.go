package main

import (
	"fmt"
	"net/http"

	"go.uber.org/zap"

	"syncd/extractors/manifest"
	"syncd/extractors/rest"
	"syncd/internal/config"
	"syncd/internal/postback"
	"syncd/internal/strictyaml"
	"syncd/state"
)

// receiverOf makes what reads the postbacks of an account; nil if it has no token, so that
// nothing is received for it.
func receiverOf(cfg *config.Config, i int, network *manifest.Network, source *rest.Source) (*postback.Account, strictyaml.Problems) {
	c := &cfg.Accounts[i]
	if c.Postback.Token.IsZero() {
		return nil, nil
	}
	a, err := postback.Compile(network, postback.Account{
		Name: c.Name, Token: c.Postback.Token, Statuses: c.Postback.Statuses, Currency: c.Postback.Currency, Location: c.Location,
		PII:  postback.PII{IP: cfg.PII.IP, Email: cfg.PII.Email, Key: []byte(cfg.PII.Key.Reveal())},
		Poll: pollOf(source),
	})
	if err != nil {
		return nil, strictyaml.Problems{cfg.Problem(fmt.Sprintf("accounts[%d].postback", i), "%v", err)}
	}
	return a, nil
}

// pollOf says how often the account's open leads are asked for; zero if nothing asks.
func pollOf(source *rest.Source) state.PollRule {
	for _, s := range source.Streams() {
		if s.ForEach != nil && s.ForEach.OpenLeads != "" {
			return s.ForEach.Poll
		}
	}
	return state.PollRule{}
}

// postbacks is the handler of /postback; nil if no account that is selected receives any.
func (s *syncing) postbacks() http.Handler {
	var accounts []*postback.Account
	for _, a := range s.app.accounts {
		if a.receiver != nil && s.only.has(a.run.Name, "") {
			accounts = append(accounts, a.receiver)
		}
	}
	if len(accounts) == 0 {
		return nil
	}
	r := postback.New(postback.Options{
		Store: s.store, Accounts: accounts, Rate: s.app.config.HTTP.PostbackRate,
		Log: s.app.log.Named("postback"), Arrived: s.pipeline.PostbackArrived,
	})
	if err := s.metrics.Register(r); err != nil {
		s.app.log.Error("postbacks are not counted", zap.Error(err))
	}
	return r
}

// publicURL is where networks reach the daemon, as far as the configuration says it.
func publicURL(c *config.Config) string {
	if c.HTTP.PublicURL != "" {
		return c.HTTP.PublicURL
	}
	return "http://" + c.HTTP.Listen
}
