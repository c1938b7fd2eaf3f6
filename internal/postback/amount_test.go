package postback

import (
	"strings"
	"testing"
)

func TestAmounts(t *testing.T) {
	tests := []struct{ name, text, amount, currency, problem string }{
		{"a plain number", "12.5", "12.5", "", ""},
		{"a whole number", "900", "900", "", ""},
		{"zero is an amount", "0", "0", "", ""},
		{"a chargeback", "-12.50", "-12.5", "", ""},
		{"a plus", "+3", "3", "", ""},
		{"a decimal comma", "1,50", "1.5", "", ""},
		{"a decimal comma with one digit", "1,5", "1.5", "", ""},
		{"a decimal comma with more than three digits", "1,2345", "1.2345", "", ""},
		{"nothing before the comma", "0,125", "0.125", "", ""},
		{"three digits behind a point are a fraction", "1.234", "1.234", "", ""},
		{"three digits behind a comma may be anything", "1,234", "", "", "may mean thousands"},
		{"thousands and a point", "1,234.50", "1234.5", "", ""},
		{"thousands and a comma", "1.234,50", "1234.5", "", ""},
		{"millions", "1,234,567", "1234567", "", ""},
		{"millions with points", "1.234.567", "1234567", "", ""},
		{"millions with a fraction", "1,234,567.8", "1234567.8", "", ""},
		{"groups of other lengths", "1,23,456", "", "", "not a number"},
		{"a currency behind it", "12.5 USD", "12.5", "USD", ""},
		{"a currency behind it without a space", "12.5usd", "12.5", "USD", ""},
		{"a currency before it", "EUR 1,50", "1.5", "EUR", ""},
		{"a currency and an amount nobody can read", "1,234 USD", "", "", "may mean thousands"},
		{"ten decimals, as many as are kept", "0.0000000001", "0.0000000001", "", ""},
		{"a sign of a currency", "$12", "", "", "not a number"},
		{"a word", "free", "", "", "not a number"},
		{"an exponent", "1e3", "", "", "not a number"},
		{"a point alone", ".", "", "", "not a number"},
		{"a currency alone", "USD", "", "", "not a number"},
		{"two signs", "--5", "", "", "not a number"},
		{"more digits than any amount has", strings.Repeat("9", 60), "", "", "not a number"},
		{"digits of another alphabet", "१२", "", "", "not a number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			amount, currency, problem := amountOf(tt.text)
			if amount != tt.amount || currency != tt.currency || !strings.Contains(problem, tt.problem) || (problem == "") != (tt.problem == "") {
				t.Errorf("%q gives %q %q with %q, want %q %q with %q", tt.text, amount, currency, problem, tt.amount, tt.currency, tt.problem)
			}
		})
	}
}

func TestUnfilledMacros(t *testing.T) {
	for _, text := range []string{
		"{status}", "[status]", "{{status}}", "{get.subid}", "{lead.Sub1}", "[sub_id1]", "{ status }", "{{ click_id }}",
		"%7Bstatus%7D", "%5bstatus%5D", "%7B%7Bx%7D%7D", "lead-{sub1}", "{sub1}:{sub2}", "{sub1}x",
	} {
		if !unfilled(text) {
			t.Errorf("%s is not known to be unfilled", text)
		}
	}
	for _, text := range []string{"approved", "a[1]", "[1]x", "{}", "[]", "{", "}", "a}b{c", "{a|b}", "100%", "50%25", "", "{\"a\":1}"} {
		if unfilled(text) {
			t.Errorf("%s is taken for a macro", text)
		}
	}
}
