// Command postbackstorm sends postbacks at a given rate, or as fast as they are answered,
// and measures how long each takes.
//
//	postbackstorm -url 'http://127.0.0.1:8080/postback/kma?token=T&oid=s{n}&eid={n}&status={word}' \
//	    -words P,A,D,F -n 100000 -rate 5000 -connections 64 -answered answered.txt
//
// {n} stands for the number of the postback and {word} for one of -words in turn. Each is
// sent once: a connection that breaks takes the postback on it along, and the next goes out
// on a new one as soon as somebody listens again. The numbers of those that were answered
// 200 are in the file, one a line. It prints what it measured as JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "postbackstorm:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	s := &storm{}
	fs := flag.NewFlagSet("postbackstorm", flag.ContinueOnError)
	address := fs.String("url", "", "`address` to send to, with {n} and {word} in it; required")
	words := fs.String("words", "A", "what {word} stands for in turn, joined by commas")
	file := fs.String("answered", "", "`file` for the numbers of those that were answered 200")
	fs.IntVar(&s.first, "first", 1, "number of the first postback")
	fs.IntVar(&s.count, "n", 1000, "number of postbacks")
	fs.Float64Var(&s.rate, "rate", 0, "postbacks a second; 0: as fast as they are answered")
	fs.IntVar(&s.connections, "connections", 16, "connections at a time")
	fs.IntVar(&s.tell, "tell", 0, "say on stderr how many were answered 200, every so many; 0: never")
	fs.DurationVar(&s.timeout, "timeout", 10*time.Second, "how long an answer may take")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if s.count < 1 || s.connections < 1 {
		return errors.New("-n and -connections have to be positive")
	}
	u, err := url.Parse(*address)
	if err != nil || u.Scheme != "http" || u.Host == "" || !strings.Contains(*address, "{n}") {
		return errors.New("-url has to be an address of http with {n} in it, as http://127.0.0.1:8080/postback/kma?oid={n}")
	}
	_, target, _ := strings.Cut(strings.TrimPrefix(*address, "http://"), "/")
	s.host, s.words = u.Host, strings.Split(*words, ",")
	s.request = "GET /" + target + " HTTP/1.1\r\nHost: " + u.Host + "\r\n\r\n"

	r := s.blow(ctx)
	if *file != "" {
		if err := write(*file, r.answered); err != nil {
			return fmt.Errorf("writing down what was answered: %w", err)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(r.summary()); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	return context.Cause(ctx)
}

// write writes numbers to a file, one a line.
func write(file string, numbers []int) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	lines := bufio.NewWriter(out)
	for _, n := range numbers {
		fmt.Fprintln(lines, n)
	}
	return errors.Join(lines.Flush(), out.Close())
}
