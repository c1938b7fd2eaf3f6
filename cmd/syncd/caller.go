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
	r, err := c.transport.Do(ctx, transport.Request{Method: call.Method, URL: call.URL, Header: call.Header, Body: call.Body, Creates: call.Creates, Reads: call.Reads})
	if err == nil {
		return extractors.Answer{Status: r.Status, Header: r.Header, Body: r.Body, Release: r.Release}, nil
	}
	return extractors.Answer{}, c.failure(call.Describe, err)
}

// maxFile is the largest file that is downloaded: what a network writes into one has at
// most some millions of rows, of a few KiB each.
const maxFile = 64 << 30

// Fetch downloads a file. An error of the disk is that of package os; every other one
// is an *extractors.APIError, and where it is retryable the call that gave the link has
// to be made again.
func (c *caller) Fetch(ctx context.Context, f extractors.File, path string) (int64, error) {
	size, err := c.transport.Download(ctx, transport.DownloadRequest{URL: f.URL, Path: path, Size: f.Size, MaxSize: maxFile, Unsettled: true})
	if err == nil {
		return size, nil
	}
	if _, exchange := errors.AsType[*transport.Error](err); !exchange {
		return 0, err // the disk's
	}
	failure := c.failure("the download of "+f.String(), err)
	if failure.Outcome == extractors.StopStream {
		failure.Advice = "look at its export at the network; the next run asks for one again"
	}
	return 0, failure
}

// failure says what an error of the transport means.
func (c *caller) failure(op string, err error) *extractors.APIError {
	failure := &extractors.APIError{
		Network: c.network, Account: c.account, Op: op,
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
		case transport.KindGone, transport.KindSize:
			failure.Outcome = extractors.StopStream
		}
	}
	return failure
}
