package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// storm is a run. It speaks HTTP by itself: a client of the library would take as much of
// the machine as what it measures.
type storm struct {
	host string
	// request is what is sent, with {n} and {word} in it.
	request string
	words   []string

	first, count int
	rate         float64
	connections  int
	tell         int
	timeout      time.Duration

	began time.Time
	mu    sync.Mutex
	next  int
	ok    int
}

// blow sends everything.
func (s *storm) blow(ctx context.Context) report {
	s.began = time.Now()
	reports := make([]report, s.connections)
	var sending sync.WaitGroup
	for i := range reports {
		sending.Go(func() { s.connection(ctx, &reports[i]) })
	}
	sending.Wait()
	whole := report{took: time.Since(s.began), sent: s.next}
	for _, r := range reports {
		whole.add(r)
	}
	return whole
}

// take gives the number of the next postback and when it is to leave; false when all
// have left.
func (s *storm) take() (n int, at time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == s.count {
		return 0, at, false
	}
	at = s.began
	if s.rate > 0 {
		at = at.Add(time.Duration(float64(s.next) / s.rate * float64(time.Second)))
	}
	n = s.first + s.next
	s.next++
	return n, at, true
}

// connection sends one postback after another until none is left.
func (s *storm) connection(ctx context.Context, r *report) {
	r.codes = map[int]int{}
	var conn net.Conn
	var answers *bufio.Reader
	for ctx.Err() == nil {
		if conn == nil {
			if conn = s.dial(ctx); conn == nil {
				return
			}
			answers = bufio.NewReaderSize(conn, 4096)
		}
		n, due, ok := s.take()
		if !ok {
			break
		}
		if !wait(ctx, time.Until(due)) {
			return
		}
		left := time.Now()
		if s.rate == 0 {
			due = left
		}
		code, closes, err := s.send(conn, answers, n)
		if err != nil {
			r.broken++
		}
		if err != nil || closes {
			conn.Close()
			conn = nil
		}
		if err != nil {
			continue
		}
		r.codes[code]++
		if code != 200 {
			continue
		}
		r.answered = append(r.answered, n)
		r.latency = append(r.latency, time.Since(left))
		r.late = append(r.late, time.Since(due))
		s.count200()
	}
	if conn != nil {
		conn.Close()
	}
}

// count200 counts an answer and tells of every so many.
func (s *storm) count200() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ok++; s.tell > 0 && s.ok%s.tell == 0 {
		fmt.Fprintf(os.Stderr, "answered %d\n", s.ok)
	}
}

// redial is the pause until somebody may listen again.
const redial = 10 * time.Millisecond

// dial connects, however long that takes; nil when ctx ended.
func (s *storm) dial(ctx context.Context) net.Conn {
	for {
		conn, err := (&net.Dialer{Timeout: s.timeout}).DialContext(ctx, "tcp", s.host)
		if err == nil {
			return conn
		}
		if !wait(ctx, redial) {
			return nil
		}
	}
}

// send sends postback n and gives the status of its answer, and whether the connection
// ends with it.
func (s *storm) send(conn net.Conn, answers *bufio.Reader, n int) (code int, closes bool, err error) {
	text := strings.ReplaceAll(s.request, "{n}", strconv.Itoa(n))
	text = strings.ReplaceAll(text, "{word}", s.words[n%len(s.words)])
	if err := conn.SetDeadline(time.Now().Add(s.timeout)); err != nil {
		return 0, false, err
	}
	if _, err := io.WriteString(conn, text); err != nil {
		return 0, false, err
	}
	line, err := answers.ReadSlice('\n')
	if err != nil {
		return 0, false, err
	}
	fields := bytes.Fields(line)
	if len(fields) < 2 {
		return 0, false, fmt.Errorf("%q is no status line", line)
	}
	if code, err = strconv.Atoi(string(fields[1])); err != nil {
		return 0, false, fmt.Errorf("%q is no status line", line)
	}
	length := -1
	for {
		line, err := answers.ReadSlice('\n')
		if err != nil {
			return 0, false, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, false, fmt.Errorf("%q is no length", value)
			}
		case bytes.EqualFold(name, []byte("Connection")):
			closes = bytes.EqualFold(value, []byte("close"))
		}
	}
	if length < 0 {
		return 0, false, errors.New("the answer has no length")
	}
	if _, err := answers.Discard(length); err != nil {
		return 0, false, err
	}
	return code, closes, nil
}

// wait reports whether the time passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
