package main

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// exportColumns are the 35 columns of the file, in the order in which it has them.
// All are fields of 24metrics' clicks: 26 that become columns of the table, one that
// is the second choice for one of them, and eight that go to extra.
var exportColumns = strings.Fields(`request_time real_tx_id uuid external_transaction_id integration_id
	offer_id offer_db_id publisher publisher_db_id advertiser advertiser_db_id status rejected_primary_reason
	rejections payout revenue country city click_ip isp asn device_type os_name os_version browser_name
	browser_version browser_language user_agent referer sub_id sub_id_2 sub_id_3 fingerprint score risk`)

// The numbers of different values are those of a network of some size.
const (
	exportOffers, exportPublishers, exportAdvertisers = 400, 3000, 120
	exportCities, exportISPs                          = 4000, 600
	exportVersions, exportAgents                      = 300, 5000
)

// exportFile writes a file of n clicks of a day, newest first as the network has them.
// It is the same at each call but for the day.
func exportFile(path string, n int, day time.Time) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	c := newClicks(day, n)
	line := append([]byte(strings.Join(exportColumns, ",")), '\n')
	for i := 0; ; i++ {
		if _, err := w.Write(line); err != nil {
			return fmt.Errorf("writing the export: %w", err)
		}
		if i == n {
			break
		}
		line = c.append(line[:0], i)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the export: %w", err)
	}
	// Nothing of it is to be on its way to the disk while others are measured.
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// gzipFile packs a file as object stores serve it.
func gzipFile(path, into string) error {
	text, err := os.Open(path)
	if err != nil {
		return err
	}
	defer text.Close()
	f, err := os.Create(into)
	if err != nil {
		return err
	}
	w := gzip.NewWriter(f)
	if _, err := bufio.NewReaderSize(text, 1<<20).WriteTo(w); err != nil {
		return fmt.Errorf("packing the export: %w", err)
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// clicks makes the records of the file.
type clicks struct {
	day    time.Time
	n      int
	random *rand.PCG

	offers, publishers, advertisers      []string // the id and the database's, with a comma
	cities, isps, versions, agents, subs []string
}

func newClicks(day time.Time, n int) *clicks {
	c := &clicks{day: day, n: n, random: rand.NewPCG(24, 35)}
	list := func(n int, text func(i int) string) []string {
		made := make([]string, n)
		for i := range made {
			made[i] = text(i)
		}
		return made
	}
	id := func(first int) func(i int) string {
		return func(i int) string { return fmt.Sprintf("%d,%016x%08x", first+i, c.random.Uint64(), i) }
	}
	c.offers, c.publishers, c.advertisers = list(exportOffers, id(1000)), list(exportPublishers, id(70_000)), list(exportAdvertisers, id(40))
	c.cities = list(exportCities, func(i int) string {
		return []string{"São Bento", "Köln", "New Ashford", "Lakeview"}[i%4] + " " + strconv.Itoa(i)
	})
	c.isps = list(exportISPs, func(i int) string {
		return []string{`"Example Telecom, Inc."`, "Mobile One", "Fibre & Co", `"Wireless, Ltd."`}[i%4]
	})
	for i := range c.isps {
		if i >= 4 {
			c.isps[i] = fmt.Sprintf("Carrier %d", i)
		}
	}
	c.versions = list(exportVersions, func(i int) string { return fmt.Sprintf("%d.0.%d.%d", 80+i%60, 4000+i*7, i%200) })
	c.agents = list(exportAgents, func(i int) string {
		return fmt.Sprintf(`"Mozilla/5.0 (Linux; Android %d; SM-A%d) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%s Mobile Safari/537.36"`, 8+i%7, 100+i%900, c.versions[i%exportVersions])
	})
	c.subs = list(5000, func(i int) string { return fmt.Sprintf("feed-%d", i) })
	return c
}

func (c *clicks) below(n int) int { return int(c.random.Uint64() % uint64(n)) }

// one gives an element of a list; the first ones more often than the last, as it is
// with offers, cities and browsers.
func (c *clicks) one(list []string) string {
	r := c.random.Uint64()
	n := uint64(len(list))
	return list[min(r%n, (r>>32)%n)]
}

const base32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func (c *clicks) append(b []byte, i int) []byte {
	at := c.day.Add(24*time.Hour - time.Duration(float64(24*time.Hour)*float64(i+1)/float64(c.n)))
	next := func(text string) { b = append(append(b, ','), text...) }
	hexes := func(n int) {
		var raw [8]byte
		for ; n > 0; n -= 16 {
			binary.BigEndian.PutUint64(raw[:], c.random.Uint64())
			b = hex.AppendEncode(b, raw[:min(n, 16)/2])
		}
	}
	b = at.AppendFormat(b, time.DateTime)
	// A ULID: ten characters of time, sixteen that are random.
	b = append(b, ',')
	milli := uint64(at.UnixMilli())
	for shift := 45; shift >= 0; shift -= 5 {
		b = append(b, base32[milli>>shift&31])
	}
	for range 2 {
		for r, n := c.random.Uint64(), 0; n < 8; n++ {
			b = append(b, base32[r>>(5*n)&31])
		}
	}
	b = append(b, ',')
	for n, part := range []int{8, 4, 4, 4, 12} { // a UUID
		if n > 0 {
			b = append(b, '-')
		}
		hexes(part)
	}
	b = append(b, ',')
	if c.below(2) == 0 { // what the advertiser calls it
		hexes(16)
	}
	next("dhk0demo01")
	next(c.one(c.offers))
	next(c.one(c.publishers))
	next(c.one(c.advertisers))
	if c.below(8) > 0 {
		next("Approved,,[]")
	} else {
		next("Rejected,DUPLICATE_IP,\"['DUPLICATE_IP','VPN']\"")
	}
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(c.below(3)), 10)
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(1000+c.below(9000)), 10)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(c.below(5)), 10)
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(10+c.below(90)), 10)
	next([]string{"US", "DE", "GB", "FR", "IN", "BR", "PL", "ES"}[c.below(8)])
	next(c.one(c.cities))
	b = append(b, ",203."...)
	for n := range 3 {
		if n > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendInt(b, int64(c.below(256)), 10)
	}
	next(c.one(c.isps))
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(64500+c.below(900)), 10)
	next([]string{"mobile", "desktop", "tablet"}[c.below(3)])
	next([]string{"Android,14", "iOS,18.2", "Windows,11", "Mac OS X,15.1"}[c.below(4)])
	next([]string{"Chrome", "Chrome Mobile", "Safari", "Firefox"}[c.below(4)])
	next(c.one(c.versions))
	next([]string{`"['en-US','en']"`, "['de-DE']", "[]"}[c.below(3)])
	next(c.one(c.agents))
	b = append(b, ',')
	if c.below(2) == 0 {
		b = append(b, "https://news.example.test/articles/2026/03/05/"...)
		b = strconv.AppendInt(b, int64(c.below(100_000)), 10)
		b = append(b, "?utm_source=feed&utm_medium=banner"...)
	}
	next(c.one(c.subs))
	b = append(b, ',')
	hexes(16)
	b = append(b, ',')
	if c.below(3) == 0 {
		hexes(8)
	}
	b = append(b, ',')
	hexes(32)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(c.below(100)), 10)
	next([]string{"low", "low", "medium", "high"}[c.below(4)])
	return append(b, '\n')
}
