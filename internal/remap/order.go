package remap

import (
	"slices"

	"syncd/schema/normalize"
	"syncd/state"
)

// order gives versions that were issued once new ones, in the same order.
type order struct {
	was []uint64
	// base is the new version of the smallest.
	base uint64
}

// add takes versions in, before seal.
func (o *order) add(versions ...uint64) { o.was = append(o.was, versions...) }

// addPulls takes in the versions of pulls and their pages.
func (o *order) addPulls(pulls []*pull) {
	for _, p := range pulls {
		o.add(p.version)
		for _, r := range p.Pages {
			o.add(dated(r))
		}
	}
}

// addOpen takes in the versions of pulls that are not published yet.
func (o *order) addOpen(pulls []state.PullVersions) {
	for _, p := range pulls {
		o.add(p.Version)
		if p.FileVersion != 0 {
			o.add(p.FileVersion)
		}
		for _, page := range p.Pages {
			o.add(page.Version)
		}
	}
}

// seal ends the taking in and gives how many versions are needed.
func (o *order) seal() int {
	slices.Sort(o.was)
	o.was = slices.Compact(o.was)
	return len(o.was)
}

// of gives the new version of one that was taken in.
func (o *order) of(version uint64) uint64 {
	i, _ := slices.BinarySearch(o.was, version)
	return o.base + uint64(i)
}

// open gives pulls that are not published yet with their new versions.
func (o *order) open(pulls []state.PullVersions) []state.PullVersions {
	dated := slices.Clone(pulls)
	for i := range dated {
		p := &dated[i]
		p.Version = o.of(p.Version)
		if p.FileVersion != 0 {
			p.FileVersion = o.of(p.FileVersion)
		}
		p.Pages = slices.Clone(p.Pages)
		for j := range p.Pages {
			p.Pages[j].Version = o.of(p.Pages[j].Version)
		}
	}
	return dated
}

// spans gives spans by the new versions.
func (o *order) spans(list []normalize.Span) normalize.Spans {
	dated := slices.Clone(list)
	for i := range dated {
		dated[i].Version = o.of(dated[i].Version)
	}
	return normalize.NewSpans(dated)
}
