// Package simserver serves a simulated network on a port.
package simserver

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Start serves h on addr ("127.0.0.1:0" for any port). stop ends the listener and every
// connection and returns when all requests are over.
func Start(addr string, h http.Handler) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("listening on %s: %w", addr, err)
	}
	var requests, serving sync.WaitGroup
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		defer requests.Done()
		h.ServeHTTP(w, r)
	})}
	serving.Go(func() {
		if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			_ = l.Close()
		}
	})
	return "http://" + l.Addr().String(), sync.OnceFunc(func() {
		_ = srv.Close() // cancels the contexts of requests that wait
		serving.Wait()
		requests.Wait()
	}), nil
}
