package extractors

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAskedGivesParametersBack(t *testing.T) {
	for _, c := range []struct {
		name, describe string
		want           map[string]string
	}{
		{
			"a parameter is known under its name", "/3.0/admin/postbacks?page=1&partner_id=12",
			map[string]string{"request.partner_id": "12", "request.page": "1", "request.path": "postbacks"},
		},
		{
			"the method before the path is no part of it", "GET /3.0/offers",
			map[string]string{"request.path": "offers"},
		},
		{
			"the last element of the path is known", "/3.0/partner/pixels/a%2Fb",
			map[string]string{"request.path": "a/b"},
		},
		{
			"escaped and repeated names are joined", "/x?offer_id%5B%5D=1&offer_id[]=2",
			map[string]string{"request.offer_id[]": "1,2", "request.path": "x"},
		},
		{
			"items are known that the path does not name", "/offers/12/events?page=1#item.1=12&item.2=a%20%26%23",
			map[string]string{"request.item.1": "12", "request.item.2": "a &#", "request.page": "1", "request.path": "events"},
		},
		{
			"a single item is known", "GET /offers/12#item=12",
			map[string]string{"request.item": "12", "request.path": "12"},
		},
		{"a # in a value is no item", "/x?q=a%23item%3D1", map[string]string{"request.q": "a#item=1", "request.path": "x"}},
		{"nothing asked is nothing known", "", map[string]string{"request.path": ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Asked(c.describe)); diff != "" {
				t.Errorf("asked of %q (-want +got):\n%s", c.describe, diff)
			}
		})
	}
}

func FuzzAsked(f *testing.F) {
	f.Add("GET /3.0/offers?page=1")
	f.Add("?%zz=1&;=")
	f.Add("/a#item.1=#x")
	f.Fuzz(func(t *testing.T, describe string) {
		for name := range Asked(describe) {
			if !strings.HasPrefix(name, RequestPrefix) {
				t.Errorf("Asked(%q) has the name %q without its prefix", describe, name)
			}
		}
	})
}

func TestCallDoesNotPrintItsCredentials(t *testing.T) {
	call := Call{Method: http.MethodGet, URL: "https://x.example.com/?key=s3cret", Header: http.Header{"Api-Key": {"s3cret"}}, Describe: "/offers"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, call); strings.Contains(got, "s3cret") {
			t.Errorf("%s printed %s", verb, got)
		}
	}
}
