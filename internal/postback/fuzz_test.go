package postback

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-faster/jx"
)

// FuzzCalls holds what is true of every call: nothing panics; what is stored is UTF-8,
// has no token, and says when it is read again what it said when it arrived.
func FuzzCalls(f *testing.F) {
	for _, seed := range [][2]string{
		{"oid=L1&status=approve&pay=1,50&cc=USD", ""},
		{"token=" + token, "oid=L%FF&status=%7Bstatus%7D&TOKEN=" + token},
		{"", `{"token":"` + token + `","oid":1,"status":"x","data":{"pay":[1,{"a":null}]}}`},
		{"eid=%zz&&=&status=a+b;c&time=1772500000.5", "{"},
		{"oid=1&status=" + token, "\xff&comment=\xff%"},
	} {
		f.Add(seed[0], seed[1])
	}
	compiled, err := Compile(some, Account{Name: "main", Token: secret(token)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query, body string) {
		store := &memory{}
		r := New(Options{Store: store, Accounts: []*Account{compiled}})
		q := httptest.NewRequest(http.MethodPost, Path+"main", strings.NewReader(body))
		q.SetPathValue("account", "main")
		q.URL.RawQuery = "token=" + token + "&" + query
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		if strings.Contains(w.Body.String(), token) {
			t.Fatalf("the answer shows the token: %s", w.Body)
		}
		if w.Code != 200 {
			if len(store.list) != 0 {
				t.Fatalf("answered %d and stored", w.Code)
			}
			return
		}
		record := store.list[0].Record
		if !utf8.Valid(record) || !jx.Valid(record) || strings.Contains(string(record), token) {
			t.Fatalf("stored %q", record)
		}
		page, told, err := compiled.Read(store.list)
		if err != nil || len(told.Facts) != 1 || !jx.Valid(page) {
			t.Fatalf("what was taken is read as %s, %v, %v", page, told.Facts, err)
		}
		c := &call{}
		c.readQuery(q.URL.RawQuery, compiled.clean)
		if err := c.readBody([]byte(body), compiled.clean); err != nil {
			t.Fatal(err)
		}
		said, err := compiled.read(c.params, store.list[0].ReceivedAt)
		if err != nil {
			t.Fatal(err)
		}
		f := told.Facts[0].Fields
		if f["status"] != said.status || f["click_id"] != said.text[fieldOwnID] || f["conversion_id"] != said.text[fieldNetworkID] || f["payout"] != said.payout {
			t.Fatalf("it said %+v when it arrived, and %v when it was read", said, f)
		}
	})
}
