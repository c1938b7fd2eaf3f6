package loaders

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"
)

// amount is a decimal with the number of places of its column.
type amount struct {
	decimal.Decimal
	places int32
}

func (a amount) String() string { return a.StringFixed(a.places) }

// moment is a date or time with the layout of its column.
type moment struct {
	time.Time
	layout string
}

func (m moment) String() string { return m.Format(m.layout) }

// cell is where a column's value is scanned to.
type cell struct {
	into   reflect.Value // a pointer to the column's Go type
	places int32
	layout string
}

func newCell(t driver.ColumnType) cell {
	return cell{into: reflect.New(t.ScanType()), places: placesOf(t.DatabaseTypeName()), layout: layoutOf(t.DatabaseTypeName())}
}

func (c *cell) target() any { return c.into.Interface() }

// value gives what was scanned: nil for NULL, an amount, a moment, or the driver's own.
func (c *cell) value() any { return c.dress(c.into.Elem()) }

func (c *cell) dress(v reflect.Value) any {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch x := v.Interface().(type) {
	case decimal.Decimal:
		return amount{x, c.places}
	case time.Time:
		return moment{x, c.layout}
	case fmt.Stringer: // addresses, UUIDs
		return x
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = c.dress(v.Index(i))
		}
		return list
	case reflect.Map:
		pairs := make(mapping, 0, v.Len())
		for _, k := range v.MapKeys() {
			pairs = append(pairs, pair{text(c.dress(k)), c.dress(v.MapIndex(k))})
		}
		slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
		return pairs
	}
	return v.Interface()
}

// mapping is a Map, sorted by name.
type mapping []pair

type pair struct {
	name  string
	value any
}

// placesOf gives the scale of the (first) Decimal in a type.
func placesOf(kind string) int32 {
	_, rest, ok := strings.Cut(kind, "Decimal(")
	if !ok {
		return 0
	}
	_, rest, _ = strings.Cut(rest, ",")
	rest, _, _ = strings.Cut(rest, ")")
	places, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 32)
	if err != nil {
		return 0
	}
	return int32(places)
}

// layoutOf gives the layout of the (first) date or time in a type.
func layoutOf(kind string) string {
	if _, rest, ok := strings.Cut(kind, "DateTime64("); ok && rest != "" {
		if n := int(rest[0] - '0'); n > 0 && n <= 9 {
			return time.DateTime + "." + strings.Repeat("0", n)
		}
		return time.DateTime
	}
	if strings.Contains(kind, "DateTime") {
		return time.DateTime
	}
	if strings.Contains(kind, "Date") {
		return time.DateOnly
	}
	return time.DateTime
}

// text gives a value as ClickHouse prints it.
func text(v any) string {
	switch x := v.(type) {
	case nil:
		return "NULL"
	case string:
		return x
	case fmt.Stringer:
		return x.String()
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	case float32:
		return strconv.FormatFloat(float64(x), 'g', -1, 32)
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = inner(e)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case mapping:
		parts := make([]string, len(x))
		for i, p := range x {
			parts[i] = literal(p.name) + ":" + inner(p.value)
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return fmt.Sprint(v)
}

// inner gives a value inside of another.
func inner(v any) string {
	switch x := v.(type) {
	case string:
		return literal(x)
	case moment:
		return literal(x.String())
	}
	return text(v)
}

// MarshalJSON gives an object in the order of the names.
func (m mapping) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, p := range m {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := encodeJSON(p.name)
		if err != nil {
			return nil, err
		}
		value, err := encodeJSON(jsonValue(p.value))
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

// jsonValue gives what stands for a value in JSON.
func jsonValue(v any) any {
	const exact = 1 << 53
	switch x := v.(type) {
	case nil, bool:
		return x
	case int64:
		if x > exact || x < -exact {
			return strconv.FormatInt(x, 10)
		}
		return x
	case uint64:
		if x > exact {
			return strconv.FormatUint(x, 10)
		}
		return x
	case int8, int16, int32, int, uint16, uint32, uint8, uint:
		return x
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return x
	case float32:
		return jsonValue(float64(x))
	case mapping:
		return x
	case []any:
		list := make([]any, len(x))
		for i, e := range x {
			list[i] = jsonValue(e)
		}
		return list
	}
	return text(v)
}
