package sqlite

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"syncd/state"
)

// acceptCallers is how many connections of the receiver wait at the same time.
const acceptCallers = 64

// BenchmarkAccept is a storm of postbacks of 150 bytes, with the quantiles of how long each
// took to be durable: as fast as they are taken, or 5,000 a second, counted from when each
// should have been sent. Meanwhile they are brought, up to 5,000 a time, about leads that
// are known, so that each is read, merged and written.
func BenchmarkAccept(b *testing.B) {
	for _, c := range []struct {
		rate     int // a second; 0: no limit
		bringing bool
	}{{0, false}, {0, true}, {5000, false}, {5000, true}} {
		rate, bringing := c.rate, c.bringing
		b.Run(fmt.Sprintf("rate=%d/bringing=%v", rate, bringing), func(b *testing.B) {
			s := openTemp(b)
			done := make(chan struct{})
			var bringer sync.WaitGroup
			var brought, brings atomic.Int64
			if bringing {
				const known = 50_000
				if _, err := s.AddLeads(b.Context(), "kma", leadFacts(0, known), state.PollRule{}, time.Now()); err != nil {
					b.Fatal(err)
				}
				bringer.Go(func() { bringUntil(b, s, done, known, &brought, &brings) })
			}
			took := make([]time.Duration, b.N)
			var next atomic.Int64
			record := []byte(`{"m":"GET","p":"/postback/kma","q":"oid=b7f3a1c09d2e4f56&eid=10482231&status=A&pay=12.50&cc=USD&reason=&offer=881","ip":"203.0.113.7"}`)
			b.ReportAllocs()
			b.ResetTimer()
			begin := time.Now()
			var wg sync.WaitGroup
			for range acceptCallers {
				wg.Go(func() {
					for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
						start := time.Now()
						if rate > 0 {
							start = begin.Add(time.Duration(i) * time.Second / time.Duration(rate))
							time.Sleep(time.Until(start))
						}
						if _, err := s.AcceptPostback(b.Context(), state.Postback{Account: "kma", ReceivedAt: start, Record: record}); err != nil {
							b.Error(err)
							return
						}
						took[i] = time.Since(start)
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			close(done)
			bringer.Wait()
			slices.Sort(took)
			ms := func(share float64) float64 {
				return float64(took[min(int(share*float64(len(took))), len(took)-1)].Microseconds()) / 1000
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepts/s")
			b.ReportMetric(ms(0.5), "ms-p50")
			b.ReportMetric(ms(0.99), "ms-p99")
			b.ReportMetric(ms(1), "ms-max")
			if bringing {
				b.ReportMetric(float64(brought.Load())/b.Elapsed().Seconds(), "brought/s")
			}
		})
	}
}

// BenchmarkBring brings 5,000 postbacks about as many leads, beside 200,000 that are known:
// about some of these, which are read, merged and written, or about new ones.
func BenchmarkBring(b *testing.B) {
	const n, known = 5000, 200_000
	for _, isNew := range []bool{false, true} {
		b.Run(fmt.Sprintf("new=%v", isNew), func(b *testing.B) {
			s := openTemp(b)
			if _, err := s.AddLeads(b.Context(), "kma", leadFacts(0, known), state.PollRule{}, time.Now()); err != nil {
				b.Fatal(err)
			}
			for round := 0; b.Loop(); round++ {
				from := round * n % known
				if isNew {
					from = known + round*n
				}
				bringOnce(b, s, 0, leadFacts(from, n), strconv.Itoa(round))
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "leads/s")
		})
	}
}

func bringUntil(b *testing.B, s *Store, done <-chan struct{}, known int, brought, brings *atomic.Int64) {
	for round := 0; ; round++ {
		select {
		case <-done:
			return
		default:
		}
		list, err := s.Postbacks(b.Context(), "kma", 5000)
		if err != nil {
			b.Error(err)
			return
		}
		if len(list) == 0 {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		bringOnce(b, s, list[len(list)-1].Seq, leadFacts(round*5000%known, len(list)), strconv.Itoa(round))
		brings.Add(1)
		brought.Add(int64(len(list)))
	}
}

func bringOnce(b *testing.B, s *Store, through int64, facts []state.LeadFact, payout string) {
	for i := range facts {
		facts[i].Fields["payout"] = payout
	}
	p, err := s.Bring(b.Context(), state.Bring{
		Account: "kma", Stream: "postbacks", Through: through, Body: make([]byte, 100*len(facts)), Records: len(facts), At: time.Now(),
		Told: state.Told{Facts: facts, Poll: state.PollRule{Tiers: []state.PollTier{{Last: 1000 * time.Hour, Every: time.Hour}}}},
	})
	if err != nil {
		b.Error(err)
		return
	}
	if err := s.Publish(b.Context(), []state.Published{{PullID: p.ID, PublishedAt: time.Now()}}); err != nil {
		b.Error(err)
	}
}

func leadFacts(from, n int) []state.LeadFact {
	facts := make([]state.LeadFact, n)
	for i := range facts {
		id := strconv.Itoa(10_000_000 + from + i)
		click := fmt.Sprintf("%016x", uint64(from+i)*0x9e3779b97f4a7c15) // as random as click ids are
		facts[i] = state.LeadFact{Late: true, Fields: state.LeadFields{
			state.LeadNetworkID: id, state.LeadOwnID: click, state.LeadStatus: "approved", state.LeadStatusRaw: "A",
			"offer_id": "881", "country": "DE", "currency": "USD", "sub1": "campaign-17", state.LeadDay: "20500", state.LeadCreated: "1771200000000",
		}}
	}
	return facts
}
