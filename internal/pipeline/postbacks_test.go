package pipeline

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncd/state"
	"syncd/state/sqlite"
)

// receiving is an account that receives postbacks and pulls nothing but leads.
func receiving(r *fakeReceiver) (*fakeNetwork, Account) {
	return &fakeNetwork{streams: leadStreams(), took: time.Second}, Account{Receiver: r}
}

// arrive accepts postbacks and tells the engine.
func (b *bed) arrive(records ...string) {
	b.t.Helper()
	var wg sync.WaitGroup
	for _, r := range records {
		wg.Go(func() {
			if _, err := b.store.AcceptPostback(b.t.Context(), state.Postback{Account: "a", ReceivedAt: time.Now(), Record: []byte(r)}); err != nil {
				b.t.Error(err)
			}
			b.engine.PostbackArrived("a")
		})
	}
	wg.Wait()
}

// waiting gives how many postbacks wait to be brought, and how many were.
func (b *bed) waiting() (backlog int64, brought []int64) {
	b.t.Helper()
	backlogs, err := b.store.Backlogs(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, x := range backlogs {
		backlog += x.Waiting
	}
	for _, p := range b.open() {
		brought = append(brought, p.Records)
	}
	return backlog, brought
}

func numbered(n int) []string {
	records := make([]string, n)
	for i := range records {
		records[i] = fmt.Sprintf(`{"click_id":"own-%d","status":"approved","payout":"1"}`, i)
	}
	return records
}

func TestPostbacksWaitForCompanyAndNotForLong(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network, account := receiving(newFakeReceiver())
		b := setup(t, network, account, path)
		time.Sleep(time.Hour)
		b.arrive(numbered(3)...)
		time.Sleep(postbackLinger - time.Millisecond)
		b.arrive(numbered(2)...)
		if backlog, brought := b.waiting(); backlog != 5 || len(brought) != 0 {
			t.Errorf("within the linger %d wait and %v were brought", backlog, brought)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if backlog, brought := b.waiting(); backlog != 0 || len(brought) != 1 || brought[0] != 5 {
			t.Errorf("after it %d wait and %v were brought, want one pull of 5", backlog, brought)
		}
		b.end()
	})
}

func TestWhatWaitsAtTheStartDoesNotLinger(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		store, err := sqlite.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.AcceptPostback(t.Context(), state.Postback{Account: "a", ReceivedAt: time.Now(), Record: []byte(numbered(1)[0])}); err != nil {
			t.Fatal(err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		network, account := receiving(newFakeReceiver())
		b := setup(t, network, account, path)
		synctest.Wait()
		if backlog, brought := b.waiting(); backlog != 0 || len(brought) != 1 {
			t.Errorf("%d wait and %v were brought", backlog, brought)
		}
		b.end()
	})
}

func TestPostbacksOfAStreamThatIsNotSelectedRest(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network, account := receiving(newFakeReceiver())
		b := setup(t, network, account, path, func(o *Options) { o.Selected = func(_, stream string) bool { return stream != "postbacks" } })
		b.arrive(numbered(3)...)
		time.Sleep(time.Hour)
		if backlog, brought := b.waiting(); backlog != 3 || len(brought) != 0 {
			t.Errorf("%d wait and %v were brought", backlog, brought)
		}
		if err := b.engine.Drain(t.Context(), 0); err != nil {
			t.Error(err)
		}
		b.end()
	})
}

func TestPostbacksThatComeWhileTheWarehouseIsDownAreLoadedOnce(t *testing.T) {
	const n = 12_000
	path := stateFile(t)
	l := newLoading(t)
	synctest.Test(t, func(t *testing.T) {
		network, account := receiving(newFakeReceiver())
		b := setup(t, network, account, path)
		records := numbered(n)
		for hour := range 6 {
			b.arrive(records[hour*n/6 : (hour+1)*n/6]...)
			time.Sleep(time.Hour)
		}
		// The first pull was made of the first hour; nothing else leaves the cheap place.
		if backlog, brought := b.waiting(); len(brought) != 1 || brought[0] != n/6 || backlog != n-n/6 {
			t.Errorf("%d wait and %v were brought, want %d and one pull of %d", backlog, brought, n-n/6, n/6)
		}
		b.end()
	})
	store, err := sqlite.Open(path)
	l.ok(err)
	defer func() { l.ok(store.Close()) }()
	network, account := receiving(newFakeReceiver())
	account.Name, account.Network, account.Source, account.Caller, account.Location = "a", "fake", network, network, time.UTC
	l.store, l.account = store, &account
	l.change = func(o *Options) { o.OneShot = true }
	if failures := l.load(); failures != "" {
		t.Error(failures)
	}
	l.equal("leads", l.ask("SELECT count(), uniqExact(click_id) FROM {db}.conversions"), fmt.Sprintf("%d\t%d", n, n))
	l.equal("postbacks", l.ask("SELECT count(), uniqExact(click_id) FROM {db}.postbacks"), fmt.Sprintf("%d\t%d", n, n))
}

func TestAPostbackThatCannotBeReadHoldsUpOnlyThoseBehindIt(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		receiver := newFakeReceiver()
		var mu sync.Mutex
		broken := true
		receiver.unread = func(record string) bool {
			mu.Lock()
			defer mu.Unlock()
			return broken && strings.Contains(record, "poison")
		}
		network, account := receiving(receiver)
		b := setup(t, network, account, path)
		for _, r := range []string{numbered(1)[0], `{"click_id":"poison"}`, numbered(2)[1]} { // one after the other
			b.arrive(r)
		}
		time.Sleep(time.Minute)
		if backlog, brought := b.waiting(); backlog != 2 || len(brought) != 1 || brought[0] != 1 {
			t.Errorf("%d wait and %v were brought", backlog, brought)
		}
		// The warehouse is down for good here; that the first pull is open is not what holds it up.
		if failures := b.engine.Failures(); len(failures) != 0 {
			t.Errorf("said too early: %v", failures)
		}
		b.end()
	})
}

func TestADrainSaysWhatCannotBeReadAndGoesOnWhenItCan(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		receiver := newFakeReceiver()
		var mu sync.Mutex
		broken := true
		receiver.unread = func(record string) bool {
			mu.Lock()
			defer mu.Unlock()
			return broken && strings.Contains(record, "poison")
		}
		network, account := receiving(receiver)
		b := setup(t, network, account, path)
		b.arrive(`{"click_id":"poison"}`)
		b.arrive(numbered(1)...)
		time.Sleep(10 * time.Minute)
		failures := strings.Join(b.engine.Failures(), "\n")
		if !strings.Contains(failures, `record {"click_id":"poison"} means nothing; they stay in the state`) || strings.Count(failures, "\n") > 12 {
			t.Errorf("got failures %q", failures)
		}
		if err := b.engine.Drain(t.Context(), 0); err != nil { // a one-shot run is not held up
			t.Error(err)
		}
		mu.Lock()
		broken = false
		mu.Unlock()
		time.Sleep(time.Hour)
		// It was tried alone, and goes alone: the other waits for the warehouse behind it.
		if backlog, brought := b.waiting(); backlog != 1 || len(brought) != 1 || brought[0] != 1 {
			t.Errorf("%d wait and %v were brought", backlog, brought)
		}
		b.end()
	})
}

func TestALeadOfAPostbackIsAskedForAsTheAccountsStreamSays(t *testing.T) {
	path := stateFile(t)
	synctest.Test(t, func(t *testing.T) {
		network, account := receiving(newFakeReceiver())
		b := setup(t, network, account, path)
		b.arrive(numbered(1)...)
		b.arrive(`{"click_id":"open","status":"pending"}`)
		time.Sleep(2 * time.Second)
		lead, err := b.store.Lead(t.Context(), "a", state.ByOwnID, "open")
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Until(lead.NextPoll); d <= 58*time.Minute || d > time.Hour {
			t.Errorf("it is asked for in %s, want an hour after it was brought", d)
		}
		b.end()
	})
}
