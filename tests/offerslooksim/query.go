package offerslooksim

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func itoa(i int) string { return strconv.Itoa(i) }

// list answers a call for a page of a list. Offsets are numbers of pages from 1, unless
// the switch says that they are numbers of records.
func (r *request) list(rows []object, most int) (any, *refusal) {
	rows, refused := r.filter(rows)
	if refused != nil {
		return nil, refused
	}
	if refused := r.sort(rows); refused != nil {
		return nil, refused
	}
	limit, refused := r.number("limit", 20)
	if refused != nil {
		return nil, refused
	}
	if limit > most {
		if r.switches.Refuse {
			return nil, &refusal{400, 1004, fmt.Sprintf("limit can not be more than %d", most)}
		}
		limit = most
	}
	offset, refused := r.number("offset", 1)
	if refused != nil {
		return nil, refused
	}
	from := (offset - 1) * limit
	if r.switches.RecordOffsets {
		from = offset - 1
	}
	page := rows[min(max(from, 0), len(rows)):min(max(from, 0)+limit, len(rows))]
	if fields := r.query.Get("fields"); fields != "" {
		names := strings.Split(fields, ",")
		cut := make([]object, len(page))
		for i, row := range page {
			cut[i] = row.only(names)
		}
		page = cut
	}
	r.records = len(page)
	return object{
		{"rowset", orEmpty(page)}, {"totalPages", (len(rows) + limit - 1) / limit}, {"totalRows", len(rows)}, {"offset", offset}, {"limit", limit},
	}, nil
}

func orEmpty(rows []object) []object {
	if rows == nil {
		return []object{}
	}
	return rows
}

func (r *request) number(name string, without int) (int, *refusal) {
	text := r.query.Get(name)
	if text == "" {
		return without, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, &refusal{400, 1004, name + " is not a number from 1"}
	}
	return n, nil
}

// sort takes "+id", "%2Bid" and, as a bare plus decodes, " id" for ascending.
func (r *request) sort(rows []object) *refusal {
	by := r.query.Get("sort")
	if by == "" {
		return nil
	}
	field := strings.TrimLeft(by, "+- ")
	sign := 1
	if by[0] == '-' {
		sign = -1
	}
	if len(rows) > 0 && value(rows[0], field) == "" {
		return &refusal{400, 1004, "can not sort by " + field}
	}
	slices.SortStableFunc(rows, func(a, b object) int { return sign * compare(value(a, field), value(b, field)) })
	return nil
}

// value is a field of a row as text; rows of batches have their fields in the first
// of their objects.
func value(row object, field string) string {
	v := row.get(field)
	if v == nil && len(row) > 0 {
		if inner, ok := row[0].value.(object); ok {
			v = inner.get(field)
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func compare(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return strings.Compare(a, b)
}

// filter understands filters[f]=v and filters[f][OPERATOR]=v.
func (r *request) filter(rows []object) ([]object, *refusal) {
	for name, values := range r.query {
		rest, ok := strings.CutPrefix(name, "filters[")
		if !ok {
			continue
		}
		field, operator, ok := strings.Cut(strings.TrimSuffix(rest, "]"), "][")
		if !ok {
			operator = "EQUAL_TO"
		}
		test := operators[operator]
		if test == nil {
			return nil, &refusal{400, 1005, "unknown operator " + operator}
		}
		rows = slices.DeleteFunc(slices.Clone(rows), func(row object) bool { return !test(value(row, field), values[0]) })
	}
	return rows, nil
}

var operators = map[string]func(have, want string) bool{
	"EQUAL_TO":                 func(have, want string) bool { return have == want },
	"NOT_EQUAL_TO":             func(have, want string) bool { return have != want },
	"LESS_THAN":                func(have, want string) bool { return compare(have, want) < 0 },
	"LESS_THAN_OR_EQUAL_TO":    func(have, want string) bool { return compare(have, want) <= 0 },
	"GREATER_THAN":             func(have, want string) bool { return compare(have, want) > 0 },
	"GREATER_THAN_OR_EQUAL_TO": func(have, want string) bool { return compare(have, want) >= 0 },
	"CONTAINS":                 strings.Contains,
	"NOT_CONTAINS":             func(have, want string) bool { return !strings.Contains(have, want) },
	"NULL":                     func(have, _ string) bool { return have == "" },
	"NOT_NULL":                 func(have, _ string) bool { return have != "" },
	"IN":                       func(have, want string) bool { return slices.Contains(strings.Split(want, ","), have) },
	"NOT IN":                   func(have, want string) bool { return !slices.Contains(strings.Split(want, ","), have) },
}

// contains reports whether a batch is asked for a related object.
func contains(q url.Values, name string) bool {
	return slices.Contains(strings.Split(q.Get("contains"), ","), name)
}
