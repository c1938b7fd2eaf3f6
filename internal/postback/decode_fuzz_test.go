package postback

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"syncd/schema"
	"syncd/schema/normalize"
	"syncd/state"
)

// FuzzTold holds what is true of a call that was taken, whatever its form: it tells of one
// lead, in values that the columns hold, and makes one row and none for quarantine; read
// again it tells the same; and nothing personal is in what is stored.
func FuzzTold(f *testing.F) {
	for _, seed := range []struct {
		query, body string
		form        uint8
	}{
		{"oid=L1&status=approve&pay=1,50&cc=USD&sub1=a@b.cc&ip=1.2.3.4", "", 0},
		{"eid=7&status=hold", "pay=12.5+usd&time=1772500000&comment=%D0%B0", 0},
		{"", `{"oid":1,"status":"x","data":{"pay":"-1.234,50","visitor":{"ip":"1.2.3.4","m":"A@B.cc"}},"time":"2026-03-01T10:00:00+02:00"}`, 0},
		{"status=trash", "--B\r\nContent-Disposition: form-data; name=\"oid\"\r\n\r\nL\xff1\r\n--B\r\nContent-Disposition: form-data; name=\"user_ip\"\r\n\r\n::1\r\n--B--\r\n", 1},
		{"oid=1&status=a&pay=99999999999999999999999999999&time=99999999999&cc=EURO", "goal=%00&country=de", 0},
	} {
		f.Add(seed.query, seed.body, seed.form)
	}
	account, err := Compile(some, Account{Name: "main", Token: secret(token), Currency: "EUR", PII: PII{IP: Drop, Email: Drop}})
	if err != nil {
		f.Fatal(err)
	}
	rows, err := normalize.Compile(account.Stream().Outputs[0].Spec)
	if err != nil {
		f.Fatal(err)
	}
	block := schema.NewBlock(rows.Table())
	f.Fuzz(func(t *testing.T, query, body string, form uint8) {
		store := &memory{}
		r := New(Options{Store: store, Accounts: []*Account{account}, Now: func() time.Time { return arrival }})
		q := httptest.NewRequest(http.MethodPost, Path+"main", strings.NewReader(body))
		q.SetPathValue("account", "main")
		q.RemoteAddr = "192.0.2.7:1"
		q.URL.RawQuery = "token=" + token + "&" + query
		if form%2 == 1 {
			q.Header.Set("Content-Type", "multipart/form-data; boundary=B")
		}
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		if w.Code != http.StatusOK {
			if w.Code >= 500 || w.Code < 400 || strings.Count(w.Body.String(), "\n") != 1 {
				t.Fatalf("answered %d: %q", w.Code, w.Body)
			}
			return
		}
		page, told, err := account.Read(store.list)
		if err != nil || len(told.Facts) != 1 {
			t.Fatalf("stored %q, which is read as %v, %v", store.list[0].Record, told.Facts, err)
		}
		again, toldAgain, err := account.Read(store.list)
		if err != nil || !bytes.Equal(again, page) || !cmp.Equal(toldAgain, told) {
			t.Fatalf("read again it tells %v and makes %q, %v; before %v and %q", toldAgain, again, err, told, page)
		}
		checkFact(t, told.Facts[0])
		checkStored(t, account, store.list[0].Record)
		block.Reset()
		_, counts, err := rows.Page(page, &normalize.Context{Network: "n", Account: "main", Stream: StreamName}, block, nil, func(r normalize.BadRow) error {
			t.Errorf("%s: %s", r.Record, r.Reason)
			return nil
		})
		if err != nil || counts.Rows != 1 {
			t.Fatalf("%q makes %v, %v", page, counts, err)
		}
	})
}

// checkFact holds that a fact has an id and that its values are such as columns hold.
func checkFact(t *testing.T, fact state.LeadFact) {
	t.Helper()
	f := fact.Fields
	if f[state.LeadOwnID] == "" && f[state.LeadNetworkID] == "" {
		t.Errorf("a fact without an id: %v", f)
	}
	if status := f[state.LeadStatus]; status != schema.StatusUnknown && !slices.Contains(words, status) || f["status_raw"] == "" {
		t.Errorf("a fact with the status %q, in the network's words %q", status, f["status_raw"])
	}
	if pay := f["payout"]; pay != "" {
		if v, err := schema.ParseDecimal([]byte(pay)); err != nil || v.String() != pay {
			t.Errorf("a fact with the payout %q: %v, %v", pay, v, err)
		}
	}
	if cc := f["currency"]; cc != "" && (len(cc) != 3 || strings.Trim(cc, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		t.Errorf("a fact with the currency %q", cc)
	}
	for _, fields := range []state.LeadFields{f, fact.Fallback} {
		if text, ok := fields[state.LeadCreated]; ok {
			milli, err := strconv.ParseInt(text, 10, 64)
			if at := time.UnixMilli(milli); err != nil || at.Before(earliest) || at.After(arrival.Add(future)) {
				t.Errorf("a fact of a lead that was made %s: %v", text, at)
			}
		}
	}
	for name, value := range f {
		if !utf8.ValidString(value) || strings.TrimSpace(value) == "" {
			t.Errorf("a fact with %q in %s", value, name)
		}
	}
}

// checkStored holds that no parameter that is stored is personal.
func checkStored(t *testing.T, a *Account, stored []byte) {
	t.Helper()
	r, err := decode(stored)
	if err != nil {
		t.Fatal(err)
	}
	if r.ip != "" {
		t.Errorf("the caller's address %s is stored", r.ip)
	}
	var c call
	plain := newCleaner("", PII{}) // what stands there, with nothing taken out once more
	c.readQuery(r.query, plain)
	if err := c.readBody([]byte(r.body), plain); err != nil {
		t.Fatal(err)
	}
	for _, p := range c.params {
		if isEmail(strings.TrimSpace(p.value)) || a.clean.ipNames[p.name] && p.value != "" {
			t.Errorf("%s=%s is stored", p.name, p.value)
		}
	}
}

// FuzzAmountOf holds that an amount is the number that its digits make, or a problem in
// words: no digit is lost or made up, what is doubtful is not guessed, and what was read
// reads as itself.
func FuzzAmountOf(f *testing.F) {
	for _, seed := range []string{"12.5", "1,50", "1.234,50", "USD 1,234,567.8", "-0,125eur", "1,234", "0.00000000005", "+.5", "12.5 US"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		amount, currency, problem := amountOf(text)
		if problem != "" {
			if amount != "" || currency != "" || !utf8.ValidString(problem) {
				t.Fatalf("%q is %q %q and a problem: %q", text, amount, currency, problem)
			}
			return
		}
		if v, err := schema.ParseDecimal([]byte(amount)); err != nil || v.String() != amount {
			t.Fatalf("%q is %q", text, amount)
		}
		if currency != "" && (!isCurrency(currency) || !strings.Contains(strings.ToUpper(text), currency)) {
			t.Errorf("%q has the currency %q", text, currency)
		}
		if again, _, problem := amountOf(amount); again != amount && !(problem != "" && len(amount) > 0) {
			t.Errorf("%q is %q, and that %q, %s", text, amount, again, problem)
		}
		number := strings.Trim(strings.TrimSpace(text), " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
		if at := strings.LastIndexAny(number, ".,"); at >= 0 && len(number)-at-1 > schema.DecimalScale {
			return // rounded
		}
		if got, want := digitsOf(amount), digitsOf(number); got != want {
			t.Errorf("%q is %q: digits %s, want %s", text, amount, got, want)
		}
		if strings.HasPrefix(number, "-") != strings.HasPrefix(amount, "-") && digitsOf(amount) != "" {
			t.Errorf("%q is %q: the sign is wrong", text, amount)
		}
		if whole, tail, ok := strings.Cut(strings.TrimLeft(number, "+-"), ","); ok && len(tail) == 3 && !strings.ContainsAny(whole, ".") && strings.Trim(whole, "0") != "" {
			t.Errorf("%q is %q: it may as well mean thousands", text, amount)
		}
	})
}

// A message about bytes that are no text begins somewhere too.
func TestAMessageAboutBytesThatAreNoTextIsCut(t *testing.T) {
	if got := quoted(strings.Repeat("\x80", quotedMax+1)); got != `"..."` {
		t.Errorf("got %s", got)
	}
}

// digitsOf are the digits of a number but for zeros at its ends.
func digitsOf(number string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, number), "0")
}
