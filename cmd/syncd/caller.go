package main

import (
	"context"
	"errors"

	"syncd/extractors"
	"syncd/extractors/transport"
)

// caller performs an account's calls. What the transport could not bring becomes
// the one kind of error that the pipeline decides by.
type caller struct {
	transport        *transport.Transport
	network, account string
}

func (c *caller) Do(ctx context.Context, call extractors.Call) (extractors.Answer, error) {
	r, err := c.transport.Do(ctx, transport.Request{Method: call.Method, URL: call.URL, Header: call.Header, Body: call.Body, Creates: call.Creates})
	if err == nil {
		return extractors.Answer{Status: r.Status, Header: r.Header, Body: r.Body, Release: r.Release}, nil
	}
	failure := &extractors.APIError{
		Network: c.network, Account: c.account, Op: call.Describe,
		Outcome: extractors.RetryNow, Err: err,
	}
	if cause, ok := errors.AsType[*transport.Error](err); ok {
		switch cause.Kind {
		case transport.KindTooLarge:
			// The same question has the same answer: asking again would only load it again.
			failure.Outcome = extractors.StopStream
			failure.Advice = "ask for fewer records a page, or for shorter windows"
		case transport.KindRedirect, transport.KindInvalid:
			failure.Outcome = extractors.StopStream
			failure.Advice = "check base_url"
		}
	}
	return extractors.Answer{}, failure
}

// Fetch downloads a file.
func (c *caller) Fetch(ctx context.Context, f extractors.File, path string) (int64, error) {
	return 0, errors.New("files are not downloaded yet")
}
