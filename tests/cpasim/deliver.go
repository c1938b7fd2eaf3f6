package cpasim

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Delivery says how postbacks are sent.
type Delivery struct {
	// Address has the network's macros in it; see Network.Address.
	Address string
	// Retry is the pause until a postback that was not answered 200 is sent again; a minute
	// if zero, which is what Traffic Light does.
	Retry time.Duration
	// Disorder is the seed of an order that is not that of the events; 0 keeps theirs.
	Disorder uint64
	// Twice has every postback sent again once it was answered.
	Twice bool
	// Parallel is how many are on their way at once; default 1, which keeps the order.
	Parallel int
	// Only leaves out the events of leads for which it is false; nil leaves out none.
	Only func(Lead) bool
}

// Postback is one that was answered 200.
type Postback struct {
	// Lead is as it stood when the event happened.
	Lead Lead
	URL  string
	// Attempts is how often it was sent until then.
	Attempts int
}

// Deliver sends the postbacks of all that happened by now and was not delivered before,
// and returns when each was answered 200, or ctx has ended.
func (n *Network) Deliver(ctx context.Context, d Delivery) ([]Postback, error) {
	d.Retry, d.Parallel = cmp.Or(d.Retry, time.Minute), max(d.Parallel, 1)
	list := n.untold(d)
	if d.Twice {
		list = append(list, slices.Clone(list)...)
	}
	if d.Disorder != 0 {
		rand.New(rand.NewPCG(d.Disorder, 0)).Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: d.Parallel}}
	defer client.CloseIdleConnections()
	queue := make(chan *Postback)
	var sending sync.WaitGroup
	for range d.Parallel {
		sending.Go(func() {
			for p := range queue {
				if err := p.send(ctx, client, d.Retry); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range list {
		queue <- &list[i]
	}
	close(queue)
	sending.Wait()
	return list, context.Cause(ctx)
}

// untold takes the events that have no postback yet, oldest first. What a network's words
// do not tell from what was before (KMA knows no hold) has none.
func (n *Network) untold(d Delivery) []Postback {
	now := n.opt.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []Postback
	for _, l := range n.leads {
		for ; l.told < len(l.events) && !l.events[l.told].At.After(now); l.told++ {
			v := l.after(l.told)
			url := n.fill(d.Address, v)
			if l.told > 0 && url == n.fill(d.Address, l.after(l.told-1)) || d.Only != nil && !d.Only(v) {
				continue
			}
			list = append(list, Postback{Lead: v, URL: url})
		}
	}
	slices.SortStableFunc(list, func(a, b Postback) int { return a.Lead.Changed.Compare(b.Lead.Changed) })
	return list
}

// send sends a postback until it is answered 200.
func (p *Postback) send(ctx context.Context, client *http.Client, retry time.Duration) error {
	for {
		p.Attempts++
		status, err := call(ctx, client, p.URL)
		if err == nil && status == http.StatusOK {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("it was answered %d", status)
		}
		pause := time.NewTimer(retry)
		select {
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("the postback of lead %d was sent %d times, the last time %w", p.Lead.ID, p.Attempts, err)
		case <-pause.C:
		}
	}
}

func call(ctx context.Context, client *http.Client, url string) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}
