package postback

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors/manifest"
	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

// normalized are the rows that a page becomes, as the pipeline makes them.
func normalized(t *testing.T, a *Account, body string) string {
	t.Helper()
	out := a.Stream().Outputs[0]
	n, err := normalize.Compile(out.Spec)
	if err != nil {
		t.Fatal(err)
	}
	block, _, err := n.Page([]byte(body), &normalize.Context{Network: "some", Account: a.Name, Stream: a.Stream().Name, Location: time.UTC, Version: 7, SyncedAt: arrival},
		schema.NewBlock(out.Table), func(b *schema.Block) (*schema.Block, error) { return b, nil },
		func(r normalize.BadRow) error { return fmt.Errorf("record %d: %s", r.Index, r.Reason) })
	if err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	var rows strings.Builder
	if err := schema.Dump(&rows, block); err != nil {
		t.Fatal(err)
	}
	return rows.String()
}

func TestPostbacksBecomeRows(t *testing.T) {
	b := newBed(t, some)
	b.get(t, "oid=L1&eid=N1&status=valid&pay=1,234&cc=eur&reason=7&comment=late&offer=O1&goal=G1&country=de&sub1=a&sub6=f")
	b.now = b.now.Add(1500 * time.Millisecond)
	b.post(t, "", `{"oid":"L2","status":"shipped","pay":"2,50"}`)
	got := normalized(t, b.account, b.page(t))
	want := `postbacks row 0
  network: "some"
  account: "main"
  id: "1"
  received_at: 2026-03-03 23:30:00 UTC
  method: "GET"
  path: "/postback/main"
  query: "oid=L1&eid=N1&status=valid&pay=1,234&cc=eur&reason=7&comment=late&offer=O1&goal=G1&country=de&sub1=a&sub6=f"
  ip: "192.0.2.1"
  click_id: "L1"
  conversion_id: "N1"
  event_id: "G1"
  offer_id: "O1"
  status: "pending"
  status_raw: "valid"
  currency: "EUR"
  sub1: "a"
  extra: "{\"country\":\"DE\",\"sub6\":\"f\",\"status_reason\":\"7: late\",\"problems\":[\"the payout \\\"1,234\\\" may mean thousands or a fraction\"]}"
  _version: 7
  _synced_at: 2026-03-03 23:30:00 UTC
postbacks row 1
  network: "some"
  account: "main"
  id: "2"
  received_at: 2026-03-03 23:30:01.5 UTC
  method: "POST"
  path: "/postback/main"
  body: "{\"oid\":\"L2\",\"status\":\"shipped\",\"pay\":\"2,50\"}"
  ip: "192.0.2.1"
  click_id: "L2"
  status: "unknown"
  status_raw: "shipped"
  payout: 2.5
  currency: "RUB"
  _version: 7
  _synced_at: 2026-03-03 23:30:00 UTC
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadIsPure(t *testing.T) {
	b := newBed(t, some)
	for i := range 20 {
		b.get(t, fmt.Sprintf("oid=L%d&status=valid&pay=%d", i%7, i))
	}
	body, told, err := b.account.Read(b.store.list)
	if err != nil {
		t.Fatal(err)
	}
	again, toldAgain, err := b.account.Read(b.store.list)
	if err != nil || !bytes.Equal(body, again) || !cmp.Equal(told, toldAgain) {
		t.Errorf("read twice it says different things: %v", err)
	}
	if len(told.Facts) != 20 || told.By != "" || told.Asked != nil {
		t.Errorf("got %d facts, asked %v by %q", len(told.Facts), told.Asked, told.By)
	}
	for i, f := range told.Facts {
		if f.Fields["payout"] != fmt.Sprint(i) {
			t.Fatalf("fact %d is of payout %s: they are not in the order of receipt", i, f.Fields["payout"])
		}
	}
	if empty, told, err := b.account.Read(nil); err != nil || string(empty) != "[]" || told.Facts != nil {
		t.Errorf("nothing gives %s, %v, %v", empty, told, err)
	}
}

// TestAChangedConfigurationKeepsWhatWasStored holds that a call that was taken once makes a
// row for ever, even if it would be refused today.
func TestAChangedConfigurationKeepsWhatWasStored(t *testing.T) {
	b := newBed(t, some)
	b.get(t, "data1=L1&event_name=valid")
	other, err := Compile(plain, Account{Name: "main", Token: secret(token)})
	if err != nil {
		t.Fatal(err)
	}
	body, told, err := other.Read(b.store.list)
	if err != nil || len(told.Facts) != 0 || !strings.Contains(string(body), `"problems":["no id: `) || !strings.Contains(string(body), `"query":"data1=L1&event_name=valid"`) {
		t.Errorf("got %s, %v, %v", body, told.Facts, err)
	}
}

// TestABodyThatIsNoLongerReadKeepsNobodyWaiting holds that a call whose body was read once
// and is not today makes a row, and that those behind it are read.
func TestABodyThatIsNoLongerReadKeepsNobodyWaiting(t *testing.T) {
	b := newBed(t, plain)
	body, told, err := b.account.Read([]state.Postback{
		{Seq: 1, ReceivedAt: arrival, Record: []byte(`{"m":"POST","p":"/postback/main","q":"oid=L1&status=approve","b":"{a=1"}`)},
		{Seq: 2, ReceivedAt: arrival, Record: []byte(`{"m":"GET","p":"/postback/main","q":"oid=L2&status=approve"}`)},
	})
	if err != nil || len(told.Facts) != 1 || told.Facts[0].Fields[state.LeadOwnID] != "L2" {
		t.Fatalf("got %v, %v", told.Facts, err)
	}
	if !strings.Contains(string(body), `"query":"oid=L1&status=approve","body":"{a=1","problems":["the body begins like JSON`) {
		t.Errorf("got %s", body)
	}
}

func TestWhoAsksForLeadsIsToldSo(t *testing.T) {
	rule := state.PollRule{Tiers: []state.PollTier{{Last: time.Hour, Every: time.Minute}}, Settled: time.Hour}
	b := newBed(t, some, func(a *Account) { a.Poll = rule })
	_, told, err := b.account.Read(nil)
	if err != nil || !cmp.Equal(told.Poll, rule) {
		t.Errorf("got %v, %v", told.Poll, err)
	}
}

func TestCompileRefuses(t *testing.T) {
	for name, a := range map[string]Account{
		"an account without a token": {Name: "main"},
		"an empty token":             {Name: "main", Token: secret("")},
		"a word that is no status":   {Name: "main", Token: secret(token), Statuses: map[string]string{"x": "approve"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Compile(plain, a); err == nil || !strings.Contains(err.Error(), "main") || strings.Contains(err.Error(), token) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestARecordThatCannotBeReadIsAnError(t *testing.T) {
	b := newBed(t, plain)
	if _, _, err := b.account.Read([]state.Postback{{Seq: 5, Record: []byte(`{"m":`)}}); err == nil || !strings.Contains(err.Error(), "postback 5 of account main") {
		t.Errorf("got %v", err)
	}
}

// TestEveryNetworkCompiles holds that all macros lead somewhere, and that no network's own
// word is shadowed by a general name.
func TestEveryNetworkCompiles(t *testing.T) {
	for _, n := range catalogue(t) {
		if n.Postback == nil {
			continue
		}
		b := newBed(t, n)
		for f, list := range macrosOf(&n.Postback.Macros) {
			for _, macro := range list {
				slots := b.account.names[bare(macro)]
				found := false
				for _, s := range slots {
					found = found || s.field == field(f)
					if s.rank >= rankGeneral {
						t.Errorf("%s: %s may be taken for %s", n.Name, macro, canonical[s.field])
					}
				}
				if !found {
					t.Errorf("%s: %s is not understood as %s", n.Name, macro, canonical[f])
				}
			}
		}
		for word, meaning := range n.Postback.Statuses {
			var text [fields]string
			text[fieldStatus] = strings.ToUpper(word)
			if got := b.account.statusOf(&text); got != meaning {
				t.Errorf("%s: %s means %s, want %s", n.Name, word, got, meaning)
			}
		}
	}
}

// TestGeneralNamesMeanOneThing holds that no general name is another field's.
func TestGeneralNamesMeanOneThing(t *testing.T) {
	seen := map[string]field{}
	for f, name := range canonical {
		seen[name] = field(f)
	}
	for f, list := range general {
		for _, name := range list {
			if other, twice := seen[name]; twice {
				t.Errorf("%s is %s and %s", name, canonical[f], canonical[other])
			}
			seen[name] = f
		}
	}
	if len(names(&manifest.Macros{})["click_id"]) != 1 {
		t.Error("a general name is not understood")
	}
}

// TestAFormIsReadAgainAsAForm holds that what is left of a form without its token and its
// empty parameters is not taken for something else when it is brought: a call that cannot
// be read would keep all behind it from being brought.
func TestAFormIsReadAgainAsAForm(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, body := range []string{
		"&{a=1&oid=L1&status=approve",
		"token=" + token + "&[a]=1&oid=L1&status=approve",
		"& {a}=1&oid=L1&status=approve",
		"oid=L1&status=approve&{a}=1",
		// A name with a space before it is another name, when it is read again too.
		"& oid=L2&oid=L1&status=approve",
		"&\u00a0status=hold&oid=L1&status=approve",
	} {
		t.Run(body, func(t *testing.T) {
			b := newBed(t, plain)
			if w := b.post(t, form, body); w.Code != http.StatusOK {
				t.Fatalf("answered %d: %s", w.Code, w.Body)
			}
			if f := b.fact(t).Fields; f[state.LeadOwnID] != "L1" || f[state.LeadStatus] != "approved" {
				t.Errorf("read again it tells %v", f)
			}
		})
	}
}
