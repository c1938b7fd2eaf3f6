package postback

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors/manifest"
)

// some is a network with a vocabulary, for what does not depend on a real one.
var some = &manifest.Network{
	Name: "some", Title: "Some",
	Postback: &manifest.Postback{
		Macros: manifest.Macros{
			OID: []string{"{data1}", "{get.subid}"}, EID: []string{"{click_id}"}, Status: []string{"{event_name}"}, Pay: []string{"{cost}"},
			Offer: []string{"{product}"}, Subs: []string{"{data1}", "{data2}"},
		},
		Statuses: map[string]string{"valid": "pending", "reject": "trash", "in work": "pending", "-3": "trash", "p": "pending"},
		Currency: "rub",
	},
}

// TestTreatments holds what becomes of every oddity: stored with these fields, or refused
// with this reason.
func TestTreatments(t *testing.T) {
	const good = "click_id=L1 status=approved status_raw=approve"
	tests := []struct{ name, call, want, refused, problem string }{
		{"a call as it should be", "oid=L1&status=approve", good, "", ""},
		{"both ids", "oid=L1&eid=N1&status=approve", good + " conversion_id=N1", "", ""},
		{"the network's id alone", "eid=N1&status=approve", "conversion_id=N1 status=approved status_raw=approve", "", ""},
		{"everything there is", "oid=L1&status=approve&pay=2.50&cc=usd&reason=7&comment=late&offer=O1&goal=G1&country=de&time=1772500000&sub2=b&sub8=h",
			good + " payout=2.5 currency=USD status_reason=7:+late offer_id=O1 event_id=G1 country=DE created_at=1772500000000 report_date=20515 sub2=b sub8=h", "", ""},

		{"no id", "status=approve", "", "no id", ""},
		{"an empty id", "oid=&eid=+&status=approve", "", "no id", ""},
		{"no status", "oid=L1", "", "no status", ""},
		{"an empty status", "oid=L1&status=", "", "no status", ""},
		{"an id that no network has", "oid=" + strings.Repeat("1", 2000) + "&status=approve", "", "oid is longer than", ""},

		{"an unfilled id", "oid={sub1}&status=approve", "", "oid is a macro", ""},
		{"an unfilled id of the network beside one's own", "oid=L1&eid={lead_id}&status=approve", "", "eid is a macro", ""},
		{"an unfilled status", "oid=L1&status={status}", "", "status is a macro", ""},
		{"an unfilled status in brackets", "oid=L1&status=[status]", "", "status is a macro", ""},
		{"an unfilled status in double braces", "oid=L1&status={{status}}", "", "status is a macro", ""},
		{"an unfilled status, encoded", "oid=L1&status=%7Bstatus%7D", "", "status is a macro", ""},
		{"an unfilled status, encoded twice", "oid=L1&status=%257Bstatus%257D", "", "status is a macro", ""},
		{"an unfilled payout", "oid=L1&status=approve&pay={payout}", "", "pay is a macro", ""},
		{"an unfilled currency", "oid=L1&status=approve&cc=[currency]", "", "cc is a macro", ""},
		{"an unfilled comment is ignored", "oid=L1&status=approve&comment={message}", good, "", ""},
		{"so are other unfilled parameters", "oid=L1&status=approve&sub2=[sub2]&reason={reason}&offer={{offer}}&time={time}&country=%7Bgeo%7D", good, "", ""},
		{"a comment may speak of braces", "oid=L1&status=approve&comment={a}+or+{b}", good + " status_reason={a}+or+{b}", "", ""},
		{"an unfilled macro in a parameter that nobody reads", "oid=L1&status=approve&foo={foo}", good, "", ""},
		{"an id with brackets", "oid=a[1]&status=approve", "click_id=a[1] status=approved status_raw=approve", "", ""},

		{"one parameter twice, the same", "oid=L1&oid=L1&status=approve&status=approve", good, "", ""},
		{"one parameter twice, once empty", "oid=&oid=L1&status=approve", good, "", ""},
		{"an id twice with two values", "oid=L1&oid=L2&status=approve", "", "oid is given twice", ""},
		{"a status twice with two values", "oid=L1&status=approve&status=trash", "", "status is given twice", ""},
		{"an amount twice with two values", "oid=L1&status=approve&pay=1&pay=2", "", "pay is given twice", ""},
		{"a comment twice with two values: the first", "oid=L1&status=approve&comment=a&comment=b", good + " status_reason=a", "", ""},
		{"names differ in case", "OID=L1&Status=approve", good, "", ""},
		{"twice, in two cases", "OID=L1&oid=L2&status=approve", "", "oid is given twice", ""},

		{"bytes of an id that are not UTF-8", "oid=L%FF1&status=approve", "", "oid has bytes that are not UTF-8", ""},
		{"bytes of a status that are not UTF-8", "oid=L1&status=%C3%28", "", "status has bytes that are not UTF-8", ""},
		{"bytes of a comment that are not UTF-8", "oid=L1&status=approve&comment=a%FFb", good + " status_reason=a\uFFFDb", "", ""},
		{"letters of other alphabets", "oid=L1&status=approve&comment=%D0%B4%D0%B0", good + " status_reason=да", "", ""},
		{"escapes that are none", "oid=L1&status=approve&comment=100%&sub2=%zz", good + " status_reason=100% sub2=%zz", "", ""},

		{"a decimal comma", "oid=L1&status=approve&pay=1,50", good + " payout=1.5", "", ""},
		{"an amount with its currency", "oid=L1&status=approve&pay=12.5+USD", good + " payout=12.5 currency=USD", "", ""},
		{"a currency of its own counts before one beside the amount", "oid=L1&status=approve&pay=12.5+USD&cc=EUR", good + " payout=12.5 currency=EUR", "", ""},
		{"an ambiguous amount", "oid=L1&status=approve&pay=1,234", good, "", `the payout "1,234" may mean thousands or a fraction`},
		{"no amount at all", "oid=L1&status=approve&pay=lots", good, "", `the payout "lots" is not a number`},
		{"a currency that is none", "oid=L1&status=approve&pay=3&cc=Euro", good + " payout=3", "", `the currency "Euro" is not a code`},
		{"an empty amount", "oid=L1&status=approve&pay=&cc=", good, "", ""},

		{"a time with its offset", "oid=L1&status=approve&time=2026-03-01T01:00:00%2B03:00", good + " created_at=1772316000000 report_date=20512", "", ""},
		{"a plus of an offset that became a space", "oid=L1&status=approve&time=2026-03-01T01:00:00+03:00", good + " created_at=1772316000000 report_date=20512", "", ""},
		{"a time in milliseconds", "oid=L1&status=approve&time=1772316000123", good + " created_at=1772316000123 report_date=20512", "", ""},
		{"a time without its offset", "oid=L1&status=approve&time=2026-03-01+01:00:00", good, "", "the time"},
		{"a time in the future", "oid=L1&status=approve&time=2026-03-09T00:00:00Z", good, "", "the time"},
		{"a time long before any network", "oid=L1&status=approve&time=5", good, "", "the time"},

		{"a status nobody knows", "oid=L1&status=Shipped", "click_id=L1 status=unknown status_raw=Shipped", "", ""},
		{"the network's words", "oid=L1&status=reject", "click_id=L1 status=trash status_raw=reject", "", ""},
		{"case and joints of words mean nothing", "oid=L1&status=In-Work", "click_id=L1 status=pending status_raw=In-Work", "", ""},
		{"a negative number is a word", "oid=L1&status=-3", "click_id=L1 status=trash status_raw=-3", "", ""},
		{"the tail's words before the network's", "oid=L1&status=reject&stc=reject", "click_id=L1 status=rejected status_raw=reject", "", ""},
		{"a list of the tail's words", "oid=L1&status=b&sta=a,+B+,c", "click_id=L1 status=approved status_raw=b", "", ""},
		{"the tail's word for hold", "oid=L1&status=x&sth=x", "click_id=L1 status=hold status_raw=x", "", ""},
		{"unfilled words of the tail mean nothing", "oid=L1&status=approve&stt={approve}", good, "", ""},

		{"the network's macros", "data1=L1&click_id=N1&event_name=valid&cost=3&product=O1", "click_id=L1 conversion_id=N1 status=pending status_raw=valid payout=3 offer_id=O1 sub1=L1", "", ""},
		{"the second of two macros", "get.subid=L1&event_name=valid", "click_id=L1 status=pending status_raw=valid", "", ""},
		{"the first macro before the second", "get.subid=L2&data1=L1&event_name=valid", "click_id=L1 sub1=L1 status=pending status_raw=valid", "", ""},
		{"our own names before the network's", "data1=L2&oid=L1&status=approve&event_name=valid", good + " sub1=L2", "", ""},
		{"general names behind the network's", "subid=L1&transaction_id=N1&lead_status=sold&amount=4&currency=EUR&offer_id=O1", "click_id=L1 conversion_id=N1 status=approved status_raw=sold payout=4 currency=EUR offer_id=O1", "", ""},
		{"parameters that mean nothing", "oid=L1&status=approve&id=5&type=lead&price=100&=x&&y", good, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, some)
			w := b.get(t, tt.call)
			if tt.refused != "" {
				if w.Code != 400 || !strings.Contains(w.Body.String(), tt.refused) || len(b.store.list) != 0 || len(b.arrived) != 0 {
					t.Fatalf("answered %d %s, stored %d, want 400 %s and nothing", w.Code, w.Body, len(b.store.list), tt.refused)
				}
				return
			}
			if w.Code != 200 || w.Body.String() != "OK" {
				t.Fatalf("answered %d %s", w.Code, w.Body)
			}
			if diff := cmp.Diff(fieldsOf(tt.want), b.fact(t).Fields); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			page := b.page(t)
			if tt.problem == "" && strings.Contains(page, "problems") || tt.problem != "" && !strings.Contains(page, strings.ReplaceAll(tt.problem, `"`, `\"`)) {
				t.Errorf("got %s, want the problem %q", page, tt.problem)
			}
		})
	}
}

func TestTheAccountsWordsAreBetweenTheTailsAndTheNetworks(t *testing.T) {
	b := newBed(t, some, func(a *Account) {
		a.Statuses = map[string]string{"Reject": "rejected", "shipped": "approved", "approve": "hold"}
	})
	for call, want := range map[string]string{
		"oid=1&status=reject":              "rejected",
		"oid=1&status=Shipped":             "approved",
		"oid=1&status=approve":             "hold",
		"oid=1&status=shipped&stt=SHIPPED": "trash",
		"oid=1&status=valid":               "pending",
	} {
		b.store.list = nil
		b.get(t, call)
		if got := b.fact(t).Fields["status"]; got != want {
			t.Errorf("%s is %s, want %s", call, got, want)
		}
	}
}

func TestTheCurrencyOfAmountsWithoutOne(t *testing.T) {
	account := func(a *Account) { a.Currency = "eur" }
	tests := []struct {
		name, call, told, fallback string
		change                     []func(*Account)
	}{
		{"is the network's", "oid=1&status=approve&pay=1", "", "RUB", nil},
		{"is the account's before the network's", "oid=1&status=approve&pay=1", "", "EUR", []func(*Account){account}},
		{"is not needed where one is told", "oid=1&status=approve&pay=1&cc=USD", "USD", "", []func(*Account){account}},
		{"is not said where no amount is", "oid=1&status=approve", "", "", []func(*Account){account}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, some, tt.change...)
			b.get(t, tt.call)
			f := b.fact(t)
			if f.Fields["currency"] != tt.told || f.Fallback["currency"] != tt.fallback {
				t.Errorf("told %q, fallback %q, want %q and %q", f.Fields["currency"], f.Fallback["currency"], tt.told, tt.fallback)
			}
		})
	}
}

func TestReportDaysAreTheAccounts(t *testing.T) {
	b := newBed(t, plain, func(a *Account) { a.Location = berlin(t) })
	b.get(t, "oid=1&status=approve")
	// Half past eleven in the evening of UTC is past midnight in Berlin.
	if got := b.fact(t).Fallback["report_date"]; got != "20516" {
		t.Errorf("received on day %s, want 20516", got)
	}
}
