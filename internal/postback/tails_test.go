package postback

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors/manifest"
	"syncd/state"
)

var loaded = sync.OnceValues(manifest.Load)

func catalogue(t *testing.T) []*manifest.Network {
	t.Helper()
	all, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// network is a network of the catalogue.
func network(t *testing.T, name string) *manifest.Network {
	t.Helper()
	all := catalogue(t)
	i := slices.IndexFunc(all, func(n *manifest.Network) bool { return n.Name == name })
	if i < 0 {
		t.Fatalf("no network is called %s", name)
	}
	return all[i]
}

// documented are the tails as the document of integrations has them, by network and event.
// MetaCPA's lack the first &, and LeadRock's first event is to be left blank. AffbayAsia
// takes parameters one by one: their names are the document's, its macros the manifest's.
var documented = []struct {
	network, event, tail string
	calls                []filled
}{
	{"adbees", "Global", "&oid=[sub_id1]&status=[status]&sta=11&stc=12&stt=13", []filled{
		{"[sub_id1]=L1 [status]=10", "click_id=L1 status=pending status_raw=10"},
		{"[sub_id1]=L1 [status]=11", "click_id=L1 status=approved status_raw=11"},
		{"[sub_id1]=L1 [status]=12", "click_id=L1 status=rejected status_raw=12"},
		{"[sub_id1]=L1 [status]=13", "click_id=L1 status=trash status_raw=13"},
	}},
	{"affbayasia", "Approved", "&oid=[click_id]&status=accept&comment=[comment]", []filled{
		{"[click_id]=L1 [comment]=called", "click_id=L1 status=approved status_raw=accept status_reason=called"}}},
	{"affbayasia", "Denied", "&oid=[click_id]&status=cancel&comment=[comment]", []filled{
		{"[click_id]=L1 [comment]=expensive", "click_id=L1 status=rejected status_raw=cancel status_reason=expensive"}}},
	{"affbayasia", "Trash", "&oid=[click_id]&status=trash&comment=[comment]", []filled{
		{"[click_id]=L1 [comment]=", "click_id=L1 status=trash status_raw=trash"}}},
	{"cpahouse", "Global", "&oid={sub_id_1}&status={status}&stt=fake&stw=in_processing", []filled{
		{"{sub_id_1}=L1 {status}=new", "click_id=L1 status=pending status_raw=new"},
		{"{sub_id_1}=L1 {status}=in_processing", "click_id=L1 status=pending status_raw=in_processing"},
		{"{sub_id_1}=L1 {status}=accepted", "click_id=L1 status=approved status_raw=accepted"},
		{"{sub_id_1}=L1 {status}=fake", "click_id=L1 status=trash status_raw=fake"},
	}},
	{"drcash", "Global", "&oid={sub1}&status={status}&stw=hold", []filled{
		{"{sub1}=L1 {status}=hold", "click_id=L1 status=pending status_raw=hold"},
		{"{sub1}=L1 {status}=approved", "click_id=L1 status=approved status_raw=approved"},
		{"{sub1}=L1 {status}=rejected", "click_id=L1 status=rejected status_raw=rejected"},
		{"{sub1}=L1 {status}=trash", "click_id=L1 status=trash status_raw=trash"},
	}},
	{"everad", "Global", "&oid={sid1}&status={status}&pay={payout}&cc={currency}", []filled{
		{"{sid1}=L1 {status}=pending {payout}=0 {currency}=USD", "click_id=L1 status=pending status_raw=pending payout=0 currency=USD"},
		{"{sid1}=L1 {status}=approved {payout}=12.50 {currency}=usd", "click_id=L1 status=approved status_raw=approved payout=12.5 currency=USD"},
		{"{sid1}=L1 {status}=rejected {payout}=0 {currency}=USD", "click_id=L1 status=rejected status_raw=rejected payout=0 currency=USD"},
		{"{sid1}=L1 {status}=trash {payout}= {currency}=", "click_id=L1 status=trash status_raw=trash"},
	}},
	{"ikon", "Approve", "&oid={aff_sub1}&status=approve&comment={message}", []filled{
		{"{aff_sub1}=L1 {message}=", "click_id=L1 status=approved status_raw=approve"}}},
	{"ikon", "Trash", "&oid={aff_sub1}&status=trash&comment={message}", []filled{
		{"{aff_sub1}=L1 {message}=wrong+number", "click_id=L1 status=trash status_raw=trash status_reason=wrong+number"}}},
	{"ikon", "Cancel", "&oid={aff_sub1}&status=cancel&comment={message}", []filled{
		{"{aff_sub1}=L1 {message}=expensive", "click_id=L1 status=rejected status_raw=cancel status_reason=expensive"}}},
	{"ikon", "Duplicate", "&oid={aff_sub1}&status=cancel&reason=7&comment={message}", []filled{
		{"{aff_sub1}=L1 {message}=", "click_id=L1 status=rejected status_raw=cancel status_reason=7"},
		{"{aff_sub1}=L1 {message}=again", "click_id=L1 status=rejected status_raw=cancel status_reason=7:+again"},
	}},
	{"inb-failsafe", "Global", "&oid={source_id}&status={event_name}&stw=Processing", inb},
	{"inb-order", "Global", "&oid={source_id}&status={event_name}&stw=Processing", inb},
	{"leadbit", "Global", "&oid={sub1}&status={status}", []filled{
		{"{sub1}=L1 {status}=new", "click_id=L1 status=pending status_raw=new"},
		{"{sub1}=L1 {status}=confirm", "click_id=L1 status=approved status_raw=confirm"},
		{"{sub1}=L1 {status}=decline", "click_id=L1 status=rejected status_raw=decline"},
		{"{sub1}=L1 {status}=reject", "click_id=L1 status=trash status_raw=reject"},
	}},
	{"lagoon", "Global", "&oid={clickid}&status={status}", []filled{
		{"{clickid}=L1 {status}=hold", "click_id=L1 status=pending status_raw=hold"},
		{"{clickid}=L1 {status}=submit", "click_id=L1 status=approved status_raw=submit"},
		{"{clickid}=L1 {status}=decline", "click_id=L1 status=rejected status_raw=decline"},
		{"{clickid}=L1 {status}=double", "click_id=L1 status=trash status_raw=double"},
	}},
	{"leadrock", "New", "", nil},
	{"leadrock", "Approve", "&oid={sub1}&status=approve", []filled{{"{sub1}=L1", "click_id=L1 status=approved status_raw=approve"}}},
	{"leadrock", "Cancel", "&oid={sub1}&status=cancel", []filled{{"{sub1}=L1", "click_id=L1 status=rejected status_raw=cancel"}}},
	{"leadrock", "Trash", "&oid={sub1}&status=trash", []filled{{"{sub1}=L1", "click_id=L1 status=trash status_raw=trash"}}},
	{"limonad", "Global", "&oid={clickid}&status={status}", []filled{
		{"{clickid}=L1 {status}=approve", "click_id=L1 status=approved status_raw=approve"},
		{"{clickid}=L1 {status}=cancel", "click_id=L1 status=rejected status_raw=cancel"},
		{"{clickid}=L1 {status}=trash", "click_id=L1 status=trash status_raw=trash"},
	}},
	{"metacpa", "Approve", "oid={sub1}&status=approve&pay={payout}&cc={currency}", []filled{
		{"{sub1}=L1 {payout}=9.9 {currency}=EUR", "click_id=L1 status=approved status_raw=approve payout=9.9 currency=EUR"}}},
	{"metacpa", "Upsell", "oid={sub1}&status=approve&pay={payout}&cc={currency}", []filled{
		{"{sub1}=L1 {payout}=14 {currency}=EUR", "click_id=L1 status=approved status_raw=approve payout=14 currency=EUR"}}},
	{"metacpa", "Cancel", "oid={sub1}&status=cancel", []filled{{"{sub1}=L1", "click_id=L1 status=rejected status_raw=cancel"}}},
	{"monadlead", "Confirmed", "&eid={click_id}&status=approve", []filled{{"{click_id}=N1", "conversion_id=N1 status=approved status_raw=approve"}}},
	{"monadlead", "Cancelled", "&eid={click_id}&status=cancel", []filled{{"{click_id}=N1", "conversion_id=N1 status=rejected status_raw=cancel"}}},
	{"monadlead", "Trash", "&eid={click_id}&status=trash", []filled{{"{click_id}=N1", "conversion_id=N1 status=trash status_raw=trash"}}},
	{"offerrum", "Global", "&oid={sub1}&status={status}", []filled{
		{"{sub1}=L1 {status}=waiting", "click_id=L1 status=pending status_raw=waiting"},
		{"{sub1}=L1 {status}=approved", "click_id=L1 status=approved status_raw=approved"},
		{"{sub1}=L1 {status}=declined", "click_id=L1 status=rejected status_raw=declined"},
		{"{sub1}=L1 {status}=trash", "click_id=L1 status=trash status_raw=trash"},
	}},
	{"rocketprofit", "Global", "&oid={sid1}&status={status}&pay={payout}&cc={currency}", []filled{
		{"{sid1}=L1 {status}=approved {payout}=12 {currency}=RUB", "click_id=L1 status=approved status_raw=approved payout=12 currency=RUB"},
		{"{sid1}=L1 {status}=trash {payout}=0 {currency}=RUB", "click_id=L1 status=trash status_raw=trash payout=0 currency=RUB"},
	}},
	{"shakes", "Global", "&oid={sub1}&status={status}&stt=reject", []filled{
		{"{sub1}=L1 {status}=confirm", "click_id=L1 status=approved status_raw=confirm"},
		{"{sub1}=L1 {status}=decline", "click_id=L1 status=rejected status_raw=decline"},
		{"{sub1}=L1 {status}=reject", "click_id=L1 status=trash status_raw=reject"},
	}},
	{"terextrade", "Global", "&oid={click_id}&status={status}", []filled{
		{"{click_id}=L1 {status}=approved", "click_id=L1 status=approved status_raw=approved"},
		{"{click_id}=L1 {status}=rejected", "click_id=L1 status=rejected status_raw=rejected"},
	}},
	{"traffury", "Global", "&oid={lead.Sub1}&status={lead.Status}&stw=hold", []filled{
		{"{lead.Sub1}=L1 {lead.Status}=Pending", "click_id=L1 status=pending status_raw=Pending"},
		{"{lead.Sub1}=L1 {lead.Status}=hold", "click_id=L1 status=pending status_raw=hold"},
		{"{lead.Sub1}=L1 {lead.Status}=Approved", "click_id=L1 status=approved status_raw=Approved"},
		{"{lead.Sub1}=L1 {lead.Status}=Cancel", "click_id=L1 status=rejected status_raw=Cancel"},
		{"{lead.Sub1}=L1 {lead.Status}=Spam", "click_id=L1 status=trash status_raw=Spam"},
		{"{lead.Sub1}=L1 {lead.Status}=Duplicate", "click_id=L1 status=trash status_raw=Duplicate"},
	}},
}

// inb is what both APIs of INB send.
var inb = []filled{
	{"{source_id}=L1 {event_name}=Processing", "click_id=L1 status=pending status_raw=Processing"},
	{"{source_id}=L1 {event_name}=Approved", "click_id=L1 status=approved status_raw=Approved"},
}

// filled is what the network puts into the macros of a tail, and the fields of the fact
// that comes of it; a + is a space.
type filled struct{ macros, want string }

func TestTheTailsOfTheDocument(t *testing.T) {
	for _, tt := range documented {
		t.Run(tt.network+" "+tt.event, func(t *testing.T) {
			n := network(t, tt.network)
			b := newBed(t, n)
			addresses := b.account.Address("https://syncd.example.com")
			i := slices.IndexFunc(addresses, func(a manifest.Tail) bool { return a.Event == tt.event })
			if i < 0 {
				t.Fatalf("no address for it among %v", addresses)
			}
			want := ""
			if tt.tail != "" {
				want = "https://syncd.example.com/postback/main?token=" + token + "&" + strings.TrimPrefix(tt.tail, "&")
			}
			if addresses[i].Text != want {
				t.Fatalf("the address is %s, want %s", addresses[i].Text, want)
			}
			for _, call := range tt.calls {
				text := want
				for one := range strings.FieldsSeq(call.macros) {
					macro, value, _ := strings.Cut(one, "=")
					if !strings.Contains(text, macro) {
						t.Fatalf("the tail has no macro %s", macro)
					}
					text = strings.ReplaceAll(text, macro, value)
				}
				u, err := url.Parse(text)
				if err != nil {
					t.Fatal(err)
				}
				b.store.list = nil
				if w := b.get(t, strings.TrimPrefix(u.RawQuery, "token="+token)); w.Code != 200 || w.Body.String() != "OK" {
					t.Fatalf("%s is answered %d %s", call.macros, w.Code, w.Body)
				}
				got := b.fact(t)
				if diff := cmp.Diff(fieldsOf(call.want), got.Fields); diff != "" {
					t.Errorf("%s (-want +got):\n%s", call.macros, diff)
				}
				if want := (state.LeadFields{state.LeadCreated: arrivalMilli, state.LeadDay: arrivalDay}); !contains(got.Fallback, want) || !got.Late {
					t.Errorf("%s: fallback %v, late %t", call.macros, got.Fallback, got.Late)
				}
			}
		})
	}
}

// TestATailAsItStandsIsRefused holds that an address that the network does not fill makes
// no row, whatever the network.
func TestATailAsItStandsIsRefused(t *testing.T) {
	for _, n := range catalogue(t) {
		b := newBed(t, n)
		for _, tail := range Tails(n) {
			if tail.Text == "" {
				continue
			}
			if w := b.get(t, tail.Text); w.Code != 400 || !strings.Contains(w.Body.String(), "did not fill") {
				t.Errorf("%s, %s: %s is answered %d %s", n.Name, tail.Event, tail.Text, w.Code, w.Body)
			}
		}
		if len(b.store.list) != 0 {
			t.Errorf("%s: %d calls were stored", n.Name, len(b.store.list))
		}
	}
}

// TestTailsOfMacros builds addresses where the document has none.
func TestTailsOfMacros(t *testing.T) {
	tests := []struct {
		name     string
		postback *manifest.Postback
		want     []manifest.Tail
	}{
		{"of all macros, the first of each", &manifest.Postback{Macros: manifest.Macros{
			OID: []string{"{data1}", "{data2}"}, EID: []string{"{orderid}"}, Status: []string{"{status}"}, Pay: []string{"{sum}"}, CC: []string{"{currency}"},
			Subs: []string{"{data1}", "{data2}"},
		}}, []manifest.Tail{{Event: "Global", Text: "&oid={data1}&eid={orderid}&status={status}&pay={sum}&cc={currency}&sub2={data2}"}}},
		{"an event each where no macro has the status", &manifest.Postback{Macros: manifest.Macros{OID: []string{"{subid1}"}}}, []manifest.Tail{
			{Event: "Approve", Text: "&oid={subid1}&status=approve"},
			{Event: "Cancel", Text: "&oid={subid1}&status=cancel"},
			{Event: "Trash", Text: "&oid={subid1}&status=trash"},
		}},
		{"to be filled in by hand where nothing is known", nil, []manifest.Tail{{Event: "Global", Text: "&oid={oid}&status={status}"}}},
		{"the network's own before all", &manifest.Postback{
			Macros: manifest.Macros{OID: []string{"{x}"}}, Tails: []manifest.Tail{{Event: "New"}, {Event: "Rest", Text: "?oid={y}&status={z}"}},
		}, []manifest.Tail{{Event: "New"}, {Event: "Rest", Text: "&oid={y}&status={z}"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Tails(&manifest.Network{Postback: tt.postback})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// fieldsOf reads "click_id=L1 status=approved"; a + is a space.
func fieldsOf(text string) state.LeadFields {
	fields := state.LeadFields{}
	for one := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(one, "=")
		fields[name] = strings.ReplaceAll(value, "+", " ")
	}
	return fields
}

func contains(all, some state.LeadFields) bool {
	for name, value := range some {
		if all[name] != value {
			return false
		}
	}
	return true
}
