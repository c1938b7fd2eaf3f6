// Package web is syncd's HTTP server: health for supervisors, metrics for
// Prometheus, and one page that says of every stream in words where it stands.
//
// It shows and never changes anything; what networks call on their own (/postback) it
// hands to the handler that it is given, which asks for tokens of its own. On an address that is not loopback it asks
// for a token; package config refuses such an address without one.
package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"syncd/internal/status"
)

// Options are what a Server is made of.
type Options struct {
	// Listen is host:port; port 0 means any free one.
	Listen string
	// Token must be sent by every request but /healthz and /readyz; empty means none
	// is asked, which is for loopback only.
	Token   string
	Version string
	// Streams gives the status of every stream.
	Streams func(ctx context.Context) ([]status.Line, error)
	// Ready says in words why the daemon cannot do its work; nil if it can.
	Ready func(ctx context.Context) error
	// Connect are the addresses at which BI tools reach the warehouse, for the page.
	Connect []string
	// Metrics serves /metrics.
	Metrics http.Handler
	// Postbacks serves /postback/{account}, for callers anywhere: neither Token nor the
	// name of the host is asked from them. Nil serves nothing there.
	Postbacks http.Handler
	Log       *zap.Logger
}

// Server serves until it is closed.
type Server struct {
	options Options
	http    *http.Server
	socket  net.Listener
	done    chan struct{}
}

// Limits of a request. Nothing that the server answers to needs more.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 30 * time.Second
	// idleTimeout keeps the connections of networks that send postbacks all the time.
	idleTimeout = 2 * time.Minute
	// maxHeader lets the address of a postback be 64 KiB long, and one that is longer be
	// told so, beside 16 KiB of headers.
	maxHeader = 112 << 10
	maxBody   = 64 << 10
)

// Start listens and serves.
func Start(o Options) (*Server, error) {
	socket, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening for HTTP on %s: %w", o.Listen, err)
	}
	s := &Server{options: o, socket: socket, done: make(chan struct{})}
	s.http = &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: zap.NewStdLog(o.Log),
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			o.Log.Error("http server ended", zap.Error(err))
		}
	}()
	return s, nil
}

// Addr is the address that the server listens on.
func (s *Server) Addr() string { return s.socket.Addr().String() }

// Close lets requests under way finish until ctx ends.
func (s *Server) Close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.done
	return err
}

// Handler is the server's routes with everything that guards them.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.guard(s.options.Metrics))
	mux.Handle("GET /api/status", s.guard(http.HandlerFunc(s.status)))
	mux.Handle("GET /{$}", s.guard(http.HandlerFunc(s.page)))
	if s.options.Postbacks == nil {
		return secure(mux)
	}
	outer := http.NewServeMux()
	outer.Handle("/", secure(mux))
	outer.Handle("/postback/{account}", s.options.Postbacks)
	outer.Handle("/postback/{account}/{$}", s.options.Postbacks) // as panels like to complete an address
	return outer
}

// secure sets the headers that every answer has, and bounds what comes in.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// guard asks for the token: as a bearer token, or as the password of HTTP basic
// authentication, so that a browser can show the page.
func (s *Server) guard(next http.Handler) http.Handler {
	if s.options.Token == "" {
		return localOnly(next)
	}
	want := sha256.Sum256([]byte(s.options.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if _, password, ok := r.BasicAuth(); ok {
			given = password
		}
		// Digests have one length, so that the comparison tells nothing of the token's.
		got := sha256.Sum256([]byte(given))
		if subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="syncd"`)
			http.Error(w, "a token is needed: send it as a bearer token or as the password", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// localOnly refuses requests that were not addressed to this machine by its own
// names. A page on the web can make a browser send requests to 127.0.0.1 under a name
// of its own, and read the answers; it cannot choose the Host of an address.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		ip := net.ParseIP(strings.Trim(host, "[]"))
		if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "without a token syncd answers to localhost and 127.0.0.1 only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// health answers as long as the process does.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok")
}

// ready answers 503 while the daemon cannot do its work.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.options.Ready(r.Context()); err != nil {
		// Whoever asks for readiness need not have the token, so the reason, which may
		// name addresses and users, goes to the log alone.
		s.options.Log.Warn("not ready", zap.Error(err))
		http.Error(w, "not ready; the log says why", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ready")
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	lines, err := s.options.Streams(r.Context())
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(lines); err != nil {
		s.options.Log.Debug("status not sent", zap.Error(err))
	}
}

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

type pageData struct {
	Version string
	Now     string
	Worst   status.State
	Groups  []pageGroup
	Connect []string
}

type pageGroup struct {
	Account, Network string
	Lines            []status.Line
}

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	lines, err := s.options.Streams(r.Context())
	if err != nil {
		s.fail(w, err)
		return
	}
	data := pageData{
		Version: s.options.Version, Now: time.Now().UTC().Format("2006-01-02 15:04:05 UTC"),
		Worst: status.Worst(lines), Connect: s.options.Connect,
	}
	for _, l := range lines {
		if n := len(data.Groups); n == 0 || data.Groups[n-1].Account != l.Account {
			data.Groups = append(data.Groups, pageGroup{Account: l.Account, Network: l.Network})
		}
		g := &data.Groups[len(data.Groups)-1]
		g.Lines = append(g.Lines, l)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := pageTemplate.Execute(w, data); err != nil {
		s.options.Log.Debug("page not sent", zap.Error(err))
	}
}

func (s *Server) fail(w http.ResponseWriter, err error) {
	s.options.Log.Error("status not to be had", zap.Error(err))
	http.Error(w, "the state cannot be read; the log says why", http.StatusInternalServerError)
}
