package manifest

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"syncd/internal/strictyaml"
)

// networks holds a file per network, networks/<name>.yaml, and for a network whose
// catalogue is long a directory of further streams, networks/<name>/*.yaml.
//
//go:embed networks
var networks embed.FS

// Load reads the embedded manifests, ordered by name. The error is a
// strictyaml.Problems with every mistake of every manifest.
func Load() ([]*Network, error) {
	dir, err := fs.Sub(networks, "networks")
	if err != nil {
		return nil, fmt.Errorf("opening the embedded manifests: %w", err)
	}
	return LoadFS(dir)
}

// LoadFS reads the manifests in fsys: <name>.yaml for each network, with further
// streams in <name>/*.yaml, which are taken in the order of their names.
func LoadFS(fsys fs.FS) ([]*Network, error) {
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("listing manifests: %w", err)
	}
	var (
		loaded   []*Network
		problems strictyaml.Problems
	)
	for _, name := range names {
		parts, err := fs.Glob(fsys, path.Join(strings.TrimSuffix(name, ".yaml"), "*.yaml"))
		if err != nil {
			return nil, fmt.Errorf("listing the parts of %s: %w", name, err)
		}
		files := make([]file, 0, 1+len(parts))
		for _, f := range slices.Concat([]string{name}, parts) {
			src, err := fs.ReadFile(fsys, f)
			if err != nil {
				return nil, fmt.Errorf("reading manifest %s: %w", f, err)
			}
			files = append(files, file{name: f, src: src})
		}
		n, found := parse(files)
		problems = append(problems, found...)
		loaded = append(loaded, n)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return loaded, nil
}

// Parse reads and checks a manifest that is one file.
func Parse(name string, src []byte) (*Network, strictyaml.Problems) {
	return parse([]file{{name: name, src: src}})
}

// file is one file of a manifest.
type file struct {
	name string
	src  []byte
}

// streamsFile is what a further file of a manifest may hold.
type streamsFile struct {
	Streams []*Stream `yaml:"streams"`
}

// parse reads a manifest: its first file is the network, the others add streams.
// What did not decode is not checked further, because half of it would be
// complained of twice; everything else is.
func parse(files []file) (*Network, strictyaml.Problems) {
	n := &Network{}
	at, problems := strictyaml.Decode(files[0].name, files[0].src, n)
	fill(n.Streams)
	c := checker{network: n, head: at}
	c.locate(n.Streams, at, problems)
	for _, f := range files[1:] {
		var more streamsFile
		at, found := strictyaml.Decode(f.name, f.src, &more)
		fill(more.Streams)
		problems = append(problems, found...)
		c.locate(more.Streams, at, found)
		n.Streams = append(n.Streams, more.Streams...)
	}
	n.setDefaults()
	c.skipHead = slices.ContainsFunc(problems, func(p strictyaml.Problem) bool { return !strings.HasPrefix(p.Path, "streams[") })
	problems = append(problems, c.check()...)
	problems.Sort()
	// What holds for two roles is said once.
	return n, slices.Compact(problems)
}

// fill puts empty streams where the list has items without a value, which is a mistake
// that is told of already.
func fill(streams []*Stream) {
	for i, s := range streams {
		if s == nil {
			streams[i] = &Stream{}
		}
	}
}

// SettledDefault is Stream.Settled where it is not given. Networks correct their decisions
// within days.
const SettledDefault = 7 * 24 * time.Hour

// setDefaults fills in what a zero means, so that readers need not know.
func (n *Network) setDefaults() {
	n.Reach = cmp.Or(n.Reach, ReachVerified)
	n.Pace.Parallel = max(n.Pace.Parallel, 1)
	n.setExportDefaults()
	for _, s := range n.Streams {
		if s.Evidence == "" {
			s.Evidence = n.Evidence
		}
		if len(s.Roles) == 0 {
			s.Roles = slices.Clone(n.Roles)
		}
		if s.Paging.Kind == "" {
			s.Paging.Kind = PagingNone
		}
		if w := s.Window; w != nil {
			if w.Zone == "" {
				w.Zone = ZoneAccount
			}
		}
		if c := s.Changes; c != nil && len(c.Roles) == 0 {
			c.Roles = slices.Clone(s.Roles)
		}
		if f := s.ForEach; f != nil {
			f.Batch = max(f.Batch, 1)
			if f.OpenLeads != "" && s.Settled == 0 {
				s.Settled = SettledDefault
			}
		}
		if s.Leads && s.Output.Table == "conversions" {
			// A record that tells of a lead need not know its day, or both of its ids.
			s.Output.Identity = []string{"conversion_id", "click_id"}
		}
	}
}

// For gives the streams that a role may read, in the catalogue's order.
func (n *Network) For(role string) []*Stream {
	var readable []*Stream
	for _, s := range n.Streams {
		if slices.Contains(s.Roles, role) {
			readable = append(readable, s)
		}
	}
	return readable
}

// Stream gives the stream of a name that a role may read. A name below a
// template's ("stats/custom/geo") gives the template.
func (n *Network) Stream(role, name string) (*Stream, bool) {
	for _, s := range n.For(role) {
		if s.Name == name || s.Slices != nil && strings.HasPrefix(name, s.Name+"/") {
			return s, true
		}
	}
	return nil, false
}
