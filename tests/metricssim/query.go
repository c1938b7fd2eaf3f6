package metricssim

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// timeRange reads the range and the zone of a report or export, in both spellings.
// Both bounds are inclusive, to the second.
func timeRange(q url.Values) (from, to time.Time, zone *time.Location, err error) {
	zone = time.UTC
	if name := q.Get("timezone"); name != "" {
		if zone, err = time.LoadLocation(name); err != nil {
			return from, to, nil, fmt.Errorf("timezone %q is unknown", name)
		}
	}
	one := func(name, layout string) (t time.Time) {
		if err != nil {
			return t
		}
		if t, err = time.ParseInLocation(layout, q.Get(name), zone); err != nil {
			err = fmt.Errorf("%s is not like %s", name, layout)
		}
		return t
	}
	switch {
	case q.Get("start_time") != "" && q.Get("end_time") != "":
		from, to = one("start_time", time.DateTime), one("end_time", time.DateTime)
	case q.Get("start_date") != "" && q.Get("end_date") != "":
		from, to = one("start_date", time.DateOnly), one("end_date", time.DateOnly)
		to = to.AddDate(0, 0, 1).Add(-time.Second)
	case q.Get("start_time") == "":
		err = errors.New("start_time is required")
	default:
		err = errors.New("end_time is required")
	}
	if err == nil && to.Before(from) {
		err = errors.New("end_time is before start_time")
	}
	return from, to, zone, err
}

// pageSize reads page[size]; absent is 20 where it is not required.
func (n *Network) pageSize(q url.Values, required bool) (int, error) {
	v := q.Get("page[size]")
	if v == "" && !required {
		return 20, nil
	}
	size, err := strconv.Atoi(v)
	switch {
	case err != nil || size < 1:
		return 0, errors.New("page[size] is required, from 1 to 100")
	case size > 100 && n.opt.RefuseLargePages:
		return 0, errors.New("page[size] is 100 at most")
	}
	return min(size, 100), nil
}

// condition is one filter[name][operator]=value.
type condition struct {
	name, operator string
	values         []string
}

func conditions(q url.Values) ([]condition, error) {
	var out []condition
	for key, values := range q {
		inner, ok := strings.CutPrefix(key, "filter[")
		if !ok {
			continue
		}
		name, rest, ok := strings.Cut(inner, "]")
		operator := strings.TrimSuffix(strings.TrimPrefix(rest, "["), "]")
		if operator == "" {
			operator = "eq"
		}
		if !ok || !slices.Contains([]string{"eq", "gte", "lte"}, operator) {
			return nil, fmt.Errorf("%s is no filter", key)
		}
		c := condition{name: name, operator: operator}
		for _, v := range values {
			c.values = append(c.values, strings.Split(v, ",")...)
		}
		out = append(out, c)
	}
	return out, nil
}

// holds compares as numbers where both are numbers, else as text.
func (c condition) holds(v string) bool {
	switch c.operator {
	case "gte":
		return slices.ContainsFunc(c.values, func(w string) bool { return compareText(v, w) >= 0 })
	case "lte":
		return slices.ContainsFunc(c.values, func(w string) bool { return compareText(v, w) <= 0 })
	}
	return slices.Contains(c.values, v)
}

func compareText(a, b string) int {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX == nil && errY == nil {
		return int(min(max(x-y, -1), 1))
	}
	return strings.Compare(a, b)
}

// rowFilter reads the filters of a report or export.
func rowFilter(r *http.Request, integration string) (*filter, error) {
	list, err := conditions(r.URL.Query())
	if err != nil {
		return nil, err
	}
	f := &filter{integration: integration}
	for _, c := range list {
		switch c.name {
		case "status":
			f.status = c.values
		case "offer_id":
			f.offer = c.values
		case "publisher":
			f.publisher = c.values
		case "advertiser":
			f.advertiser = c.values
		default:
			return nil, fmt.Errorf("filter[%s] is unknown", c.name)
		}
	}
	return f, nil
}
