package manifest

import (
	"syncd/internal/strictyaml"
	"syncd/schema"
)

// ToleranceDefault is Total.Tolerance where it is empty: totals are rounded to cents
// where rows have more digits.
const ToleranceDefault = "0.01"

// Total is a sum over records that an answer states.
type Total struct {
	// Path is where it stands in the answer; where it is absent nothing is stated.
	Path string `yaml:"path"`
	// Column is the amount or count of the main table that it is the sum of.
	Column string `yaml:"column"`
	// Of says which records it is over; TotalOfPage if empty.
	Of TotalOf `yaml:"of"`
	// Tolerance is how far the rows of a page may be from it; ToleranceDefault if empty.
	Tolerance string `yaml:"tolerance"`
}

// TotalOf says which records a total is over.
type TotalOf string

// What totals are over.
const (
	// TotalOfPage: those of the answer that it stands in.
	TotalOfPage TotalOf = "page"
	// TotalOfPull: those of all pages; the one on the last page counts.
	TotalOfPull TotalOf = "pull"
)

// UnmarshalText accepts the words above only.
func (o *TotalOf) UnmarshalText(text []byte) error {
	return word(o, text, "total", TotalOfPage, TotalOfPull)
}

// Amount gives the tolerance as an amount.
func (t Total) Amount() (schema.Int128, error) {
	if t.Tolerance == "" {
		return schema.ParseDecimal([]byte(ToleranceDefault))
	}
	return schema.ParseDecimal([]byte(t.Tolerance))
}

func (c *checker) checkTotals(report reporter, s located) {
	if len(s.Totals) == 0 {
		return
	}
	switch {
	case s.Leads:
		report("totals", "rows of leads are put together from several sources: no answer states their sums")
	case s.exportOnly():
		report("totals", "a file states no sums")
	}
	table, known := schema.Lookup(s.Output.Table)
	for i, t := range s.Totals {
		at := func(key string) string { return strictyaml.Item("totals", i) + key }
		if t.Path == "" {
			report(at(""), "a total needs the path where it stands")
		}
		if amount, err := t.Amount(); err != nil || amount.High < 0 {
			report(at(".tolerance"), "%q is not how far amounts may be apart, such as 0.01", t.Tolerance)
		}
		if !known {
			continue // said by checkOutput
		}
		column := table.Index(t.Column)
		switch {
		case t.Column == "":
			report(at(""), "a total needs the column that it is the sum of")
		case column < 0:
			report(at(".column"), "table %s has no column %s", table.Name, t.Column)
		case table.Columns[column].Type != schema.Decimal && table.Columns[column].Type != schema.Count:
			report(at(".column"), "column %s of table %s is no amount and no count", t.Column, table.Name)
		default:
			if _, filled := s.Output.Columns[t.Column]; !filled {
				report(at(".column"), "stream %s has a total of %s and does not fill it", s.Name, t.Column)
			}
		}
	}
}
