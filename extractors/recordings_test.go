package extractors_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/go-cmp/cmp"

	"syncd/extractors"
	"syncd/extractors/manifest"
	"syncd/extractors/rest"
	"syncd/schema"
	"syncd/schema/normalize"
)

var update = flag.Bool("update", false, "rewrite the golden rows in testdata")

// recorded is what the recordings of a network are about: an instant, and the zone of
// the account's report days.
type recorded struct {
	at   time.Time
	zone string
}

// recordedOf has those networks that are not as the others, whose recordings are about
// a day of Affise's.
var recordedOf = map[string]recorded{
	"24metrics": {time.Date(2026, time.June, 1, 11, 15, 0, 0, time.UTC), "Europe/Moscow"},
	"hasoffers": {time.Date(2026, time.June, 1, 11, 15, 0, 0, time.UTC), "America/New_York"},
	"performcb": {time.Date(2026, time.June, 1, 11, 15, 0, 0, time.UTC), "America/New_York"},
}

// of gives what the recordings of a network are about.
func of(t *testing.T, network string) (at time.Time, zone *time.Location) {
	t.Helper()
	r, ok := recordedOf[network]
	if !ok {
		r = recorded{time.Date(2024, time.March, 5, 11, 15, 0, 0, time.UTC), "Europe/Moscow"}
	}
	zone, err := time.LoadLocation(r.zone)
	if err != nil {
		t.Fatal(err)
	}
	return r.at, zone
}

type secret string

func (s secret) Reveal() string { return string(s) }

// variables are those that switch a stream on.
var variables = map[string]map[string]string{
	"24metrics": {"integrations": "dhk0demo01", "currency": "USD", "extra_parameters": "creative"},
	"affise": {
		"stats_currency": "USD", "retention_offer": "71", "retention_goal": "install", "retention_events": "day1,day7",
		"cities_countries": "US", "find_sub1": "feed",
	},
	"performcb": {"user_id": "90017"},
}

// TestRecordings reads every recording as the daemon would (redacted, its envelope
// read, normalized) and compares the rows with the golden ones beside it:
// testdata/<network>/<stream>/<case>.json, or .xml, and .golden. A case named affiliate is
// of that role, all others are of the first that reads the stream. Every stream of
// every manifest has to have one.
func TestRecordings(t *testing.T) {
	networks, err := manifest.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks {
		played := map[string]bool{}
		sources := map[string]*rest.Source{}
		for _, role := range n.Roles {
			sources[role] = source(t, n, role)
		}
		dir := filepath.Join("testdata", n.Name)
		for _, file := range recordings(t, dir) {
			name, role := streamOf(n, dir, file)
			t.Run(strings.TrimPrefix(bare(file), "testdata"+string(filepath.Separator)), func(t *testing.T) {
				src, ok := sources[role]
				if !ok {
					t.Fatalf("no role of network %s reads a stream %s", n.Name, name)
				}
				i := slices.IndexFunc(src.Streams(), func(s *extractors.Stream) bool { return s.Name == name })
				if i < 0 {
					t.Fatalf("role %s has no stream %s", role, name)
				}
				got := play(t, n, src, src.Streams()[i], file)
				asGolden(t, bare(file)+".golden", got)
			})
			played[role+" "+name] = true
		}
		for _, role := range n.Roles {
			for _, s := range n.For(role) {
				if s.Export != nil && s.Export.Only {
					continue // it has files, see TestFileRecordings
				}
				if !played[role+" "+s.Name] && !slices.ContainsFunc(n.Roles, func(other string) bool {
					same, ok := n.Stream(other, s.Name)
					return ok && same == s && played[other+" "+s.Name]
				}) {
					t.Errorf("stream %s of network %s has no recording for role %s", s.Name, n.Name, role)
				}
			}
		}
	}
}

// asGolden compares rows with the golden ones, or with -update makes them so.
func asGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("rows of %s (-want +got):\n%s", file, diff)
	}
}

// recordings lists the recordings below a directory.
func recordings(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a network that only sends postbacks has none
		}
		if err == nil && !d.IsDir() && slices.Contains([]string{".json", ".xml"}, filepath.Ext(path)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// bare is the name of a recording without what it is written in.
func bare(file string) string { return strings.TrimSuffix(file, filepath.Ext(file)) }

// streamOf gives the stream and the role that a recording is of.
func streamOf(n *manifest.Network, dir, file string) (stream, role string) {
	stream = filepath.ToSlash(strings.TrimPrefix(filepath.Dir(file), dir+string(filepath.Separator)))
	kind := bare(filepath.Base(file))
	if slices.Contains(n.Roles, kind) {
		return stream, kind
	}
	for _, role := range n.Roles {
		if _, ok := n.Stream(role, stream); ok {
			return stream, role
		}
	}
	return stream, ""
}

// source makes an account with every stream enabled.
func source(t *testing.T, n *manifest.Network, role string) *rest.Source {
	t.Helper()
	on := true
	streams := map[string]rest.Settings{}
	for _, s := range n.For(role) {
		streams[s.Name] = rest.Settings{Enabled: &on}
	}
	credentials := map[string]rest.Secret{}
	for name := range n.Credentials {
		credentials[name] = secret("marker-" + name)
	}
	src, err := rest.New(n, rest.Account{
		Name: "main", Role: role, BaseURL: "https://api.example.com", Location: location(t, n),
		Credentials: credentials, Variables: variables[n.Name], Streams: streams,
	})
	if err != nil {
		t.Fatalf("making a source of network %s: %v", n.Name, err)
	}
	return src
}

// work is a pull of the stream around the time at which it was recorded.
func work(s *extractors.Stream, at time.Time) extractors.Work {
	w := extractors.Work{Kind: s.Kind()}
	if s.ForEach != nil {
		item := []string{"71", "72", "73"}
		w.Items = []string{strings.Join(item[:max(len(s.ForEach.Columns), 1)], extractors.ItemSeparator)}
	}
	if s.Window != nil {
		local := at.In(s.Window.Location)
		from := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, s.Window.Location)
		w.Window = schema.Window{From: from.UTC(), To: from.AddDate(0, 0, 1).UTC()}
		if s.Window.Step == extractors.Hour {
			hour := at.Truncate(time.Hour)
			w.Window = schema.Window{From: hour, To: hour.Add(time.Hour)}
		}
	}
	return w
}

// play reads one recording and gives its rows as text.
func play(t *testing.T, n *manifest.Network, src *rest.Source, s *extractors.Stream, file string) string {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at, _ := of(t, n.Name)
	w := work(s, at)
	if n.Auth.Login != nil {
		logIn(t, n, src, s, w)
	}
	call, err := src.Next(s, w)
	if err != nil {
		t.Fatal(err)
	}
	body = src.Redact(body)
	page, err := src.Read(s, w, extractors.Answer{Status: 200, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%d records, last page %v\n", call.Describe, page.Records, page.Done)
	values := extractors.Asked(call.Describe)
	maps.Copy(values, s.Variables)
	for i, out := range s.Outputs {
		c := normalize.Context{
			Network: n.Name, Account: "main", RunID: "run", Stream: s.Name, Location: location(t, n),
			Version: 1, SyncedAt: at, Variables: values,
		}
		if i == 0 && s.Window != nil {
			c.Window, c.By = w.Window, s.Window.By
		}
		writeRows(t, &b, out, body, &c)
	}
	got := b.String()
	for _, word := range []string{"secret-", "marker-", "TEST-IBAN"} {
		if strings.Contains(got, word) {
			t.Errorf("%s: a secret is left in the rows: %s", file, word)
		}
	}
	return got
}

// location is the zone of the account's report days, whosever days the windows are.
func location(t *testing.T, n *manifest.Network) *time.Location {
	t.Helper()
	_, zone := of(t, n.Name)
	return zone
}

// logIn plays the login that comes before a source's first call: testdata/<network>/login.answer.
func logIn(t *testing.T, n *manifest.Network, src *rest.Source, s *extractors.Stream, w extractors.Work) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", n.Name, "login.answer"))
	if err != nil {
		t.Fatal(err)
	}
	call, err := src.Next(s, w)
	if err != nil {
		t.Fatal(err)
	}
	if call.Describe != src.Check().Describe {
		return // it has logged in for another stream
	}
	if page, err := src.Read(s, w, extractors.Answer{Status: 200, Body: body}); err != nil || !page.Control {
		t.Fatalf("the login is read as %+v, %v; want a page of no records", page, err)
	}
}

// writeRows normalizes a body for one table and writes what came out: a paragraph
// for each row with its columns that are not at their default.
func writeRows(t *testing.T, b *strings.Builder, out extractors.Output, body []byte, c *normalize.Context) {
	t.Helper()
	n, err := normalize.Compile(out.Spec)
	if err != nil {
		t.Fatal(err)
	}
	full := func(*schema.Block) (*schema.Block, error) {
		return nil, errors.New("a recording has more rows than a block")
	}
	bad := func(r normalize.BadRow) error {
		fmt.Fprintf(b, "\nbad record %d: %s\n", r.Index, r.Reason)
		return nil
	}
	block, _, err := n.Page(body, c, schema.NewBlock(out.Table), full, bad)
	if err != nil {
		t.Fatal(err)
	}
	writeBlock(t, b, out, block)
}

// writeBlock writes the rows of a block as text.
func writeBlock(t *testing.T, b *strings.Builder, out extractors.Output, block *schema.Block) {
	t.Helper()
	columns := decode(t, block)
	for row := range block.Rows() {
		fmt.Fprintf(b, "\n%s\n", out.Table.Name)
		for i, column := range out.Table.Columns {
			if constant(column.Name) {
				continue
			}
			if text := columns[i](row); text != "" {
				fmt.Fprintf(b, "  %s: %s\n", column.Name, strings.ReplaceAll(text, "\x1f", " | "))
			}
		}
	}
}

// constant are the columns that are equal in all golden rows.
func constant(column string) bool {
	return column == schema.ColumnNetwork || column == schema.ColumnAccount || strings.HasPrefix(column, "_")
}

// decode sends a block through ClickHouse's wire format and gives, per column, the
// text of a row's value; a default is "".
func decode(t *testing.T, block *schema.Block) []func(row int) string {
	t.Helper()
	columns := make([]func(int) string, len(block.Table().Columns))
	var results proto.Results
	for i, column := range block.Table().Columns {
		var data proto.ColResult
		data, columns[i] = reader(column.Type)
		results = append(results, proto.ResultColumn{Name: column.Name, Data: data})
	}
	var (
		wire    proto.Buffer
		decoded proto.Block
	)
	input := block.Input()
	header := proto.Block{Rows: block.Rows(), Columns: len(input), Info: proto.BlockInfo{BucketNum: -1}}
	if err := header.EncodeBlock(&wire, proto.Version, input); err != nil {
		t.Fatalf("encoding the block: %v", err)
	}
	if block.Rows() == 0 {
		return columns
	}
	if err := decoded.DecodeBlock(proto.NewReader(bytes.NewReader(wire.Buf)), proto.Version, results); err != nil {
		t.Fatalf("decoding the block: %v", err)
	}
	return columns
}

// reader gives a column to decode into and the text of its values.
func reader(typ schema.Type) (proto.ColResult, func(int) string) {
	number := func(n uint64) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprint(n)
	}
	instant := func(t time.Time) string {
		if t.Unix() == 0 {
			return ""
		}
		return t.UTC().Format("2006-01-02 15:04:05.000Z")
	}
	switch typ {
	case schema.String:
		c := new(proto.ColStr)
		return c, func(row int) string { return c.Row(row) } // c.Row would copy the column as it is now
	case schema.Word:
		c := new(proto.ColStr).LowCardinality()
		return c, func(row int) string { return c.Row(row) }
	case schema.Decimal:
		c := new(proto.ColDecimal128)
		return proto.Alias(c, "Decimal(38, 10)"), func(row int) string { return amount(c.Row(row)) }
	case schema.Time:
		c := new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli).WithLocation(time.UTC)
		return c, func(row int) string { return instant(c.Row(row)) }
	case schema.WindowTime:
		c := &proto.ColDateTime{Location: time.UTC}
		return c, func(row int) string { return instant(c.Row(row)) }
	case schema.Date:
		c := new(proto.ColDate)
		return c, func(row int) string {
			if c.Row(row).Unix() == 0 {
				return ""
			}
			return c.Row(row).Format(time.DateOnly)
		}
	case schema.Count, schema.Version:
		c := new(proto.ColUInt64)
		return c, func(row int) string { return number(c.Row(row)) }
	case schema.Hour, schema.Flag:
		c := new(proto.ColUInt8)
		return c, func(row int) string { return number(uint64(c.Row(row))) }
	case schema.Dimensions:
		c := proto.NewMap(new(proto.ColStr).LowCardinality(), new(proto.ColStr))
		return c, func(row int) string {
			var parts []string
			for name, value := range c.Row(row) {
				parts = append(parts, fmt.Sprintf("%s=%q", name, value))
			}
			slices.Sort(parts)
			return strings.Join(parts, " ")
		}
	}
	panic(fmt.Sprintf("no reader for type %d", typ))
}

// amount is a Decimal(38, 10) as text, without zeros at its end.
func amount(d proto.Decimal128) string {
	high := new(big.Int).Lsh(big.NewInt(int64(d.High)), 64)
	scaled := high.Add(high, new(big.Int).SetUint64(d.Low))
	if scaled.Sign() == 0 {
		return ""
	}
	return strings.TrimRight(strings.TrimRight(new(big.Rat).SetFrac(scaled, big.NewInt(1e10)).FloatString(10), "0"), ".")
}

// TestStreamsOfOneTableAreKeptApart: publishing a pull removes the rows in its
// scope that it did not bring, so two streams must never share a scope.
func TestStreamsOfOneTableAreKeptApart(t *testing.T) {
	networks, err := manifest.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks {
		for _, role := range n.Roles {
			scopes := map[string]string{}
			for _, s := range source(t, n, role).Streams() {
				for _, out := range s.Outputs {
					if out.Leads {
						continue // what is told of leads is put together, whichever stream tells it
					}
					scope := fmt.Sprintf("%s %v", out.Table.Name, out.Scope)
					if other, taken := scopes[scope]; taken && other != s.Name {
						t.Errorf("network %s, role %s: streams %s and %s both replace %s", n.Name, role, other, s.Name, scope)
					}
					scopes[scope] = s.Name
				}
			}
		}
	}
}
