package postback

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/extractors/manifest"
	"syncd/schema"
)

func TestAPageGivesItsPostbacksBack(t *testing.T) {
	b := newBed(t, some)
	b.get(t, "oid=L1&eid=N1&status=valid&pay=1,234&cc=eur&comment=%C3%A4%FF&offer=O1&sub1=%26a")
	b.now = b.now.Add(1500 * time.Millisecond)
	b.post(t, "", `{"oid":"L2","status":"shipped","pay":"2,50"}`)
	b.post(t, "oid=L3", "status=valid&x=a+b")
	page, _, err := b.account.Read(b.store.list)
	if err != nil {
		t.Fatal(err)
	}
	list, err := b.account.Reread(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.store.list, list); diff != "" {
		t.Errorf("(-stored +read back):\n%s", diff)
	}
	for _, body := range []string{"", "{}", `[{"id":"x"}]`, `[{"id":"1"`, `[7]`} {
		if _, err := b.account.Reread([]byte(body)); err == nil {
			t.Errorf("%q is taken for a page of postbacks", body)
		}
	}
}

func TestAWordThatIsKnownByNowChangesWhatAPostbackMeans(t *testing.T) {
	b := newBed(t, some)
	b.get(t, "oid=L1&status=shipped&pay=2")
	page, told, err := b.account.Read(b.store.list)
	if err != nil {
		t.Fatal(err)
	}
	if was := told.Facts[0].Fields["status"]; was != schema.StatusUnknown {
		t.Fatalf("the status was %s: the test shows nothing", was)
	}
	known, err := Compile(some, Account{Name: "main", Token: secret(token), Statuses: map[string]string{"shipped": schema.StatusApproved}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := known.Reread(page)
	if err != nil {
		t.Fatal(err)
	}
	again, told, err := known.Read(list)
	if err != nil {
		t.Fatal(err)
	}
	if is := told.Facts[0].Fields["status"]; is != schema.StatusApproved || bytes.Equal(page, again) {
		t.Errorf("the status is %s", is)
	}
	if known.Vocabulary() == b.account.Vocabulary() {
		t.Error("another word does not show in the vocabulary")
	}
	same, err := Compile(some, Account{Name: "other", Token: secret("another")})
	if err != nil {
		t.Fatal(err)
	}
	if same.Vocabulary() != b.account.Vocabulary() {
		t.Error("another name and token show in the vocabulary")
	}
	renamed := *some
	renamed.Postback = &manifest.Postback{}
	if plain, err := Compile(&renamed, Account{Name: "main", Token: secret(token)}); err != nil || plain.Vocabulary() == b.account.Vocabulary() {
		t.Errorf("what the network says does not show in the vocabulary (%v)", err)
	}
}
