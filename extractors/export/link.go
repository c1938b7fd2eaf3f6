package export

import (
	"errors"
	"hash/fnv"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"syncd/extractors"
	"syncd/schema/normalize"
)

// signed reads the link of the file. The page is stored when the file is: until then
// the call is made again, because links expire.
func (r *reading) signed() (extractors.Page, error) {
	raw, ok, err := normalize.Lookup(r.body, r.machine.Exports.Sign.URL)
	link := ""
	if ok && err == nil {
		link = plain(raw)
	}
	if link == "" {
		return extractors.Page{}, r.fail(extractors.RetryNow, "the answer has no link to the file")
	}
	if err := checkLink(link, r.machine.Plain); err != nil {
		return extractors.Page{}, r.stop("", "the link to the file of %s cannot be used: %v", r.name(), err)
	}
	c := r.cursor
	page := extractors.Page{
		Records: int(c.Total), Hash: hash(c.Export, c.Artifact),
		File: &extractors.File{URL: link, Name: fileName(r.ask.Item, c.Export, c.Artifact), Size: c.Size},
	}
	if len(r.work.Items) <= 1 && c.Ranges[0] == r.machine.whole(r.work) {
		page.Total = c.Total // of the whole pull: it has no other file
	}
	return r.advance(page), nil
}

// checkLink says what is wrong with a link, without quoting it: it is as good as a key.
// An address in place of a host's name may lie in a network that only we can reach, and
// no storage has one; networks that are simulated have.
func checkLink(link string, plain bool) error {
	u, err := url.Parse(link)
	switch {
	case err != nil:
		return errors.New("it is not a URL")
	case u.Scheme != "https" && (u.Scheme != "http" || !plain):
		return errors.New("it is not https")
	case u.Hostname() == "":
		return errors.New("it has no host")
	case u.User != nil:
		return errors.New("it has a user in it")
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil && !plain {
		return errors.New("its host is an address and no name")
	}
	return nil
}

// shownMax is how much of an item and of an export's name is in the name of a file.
const shownMax = 40

// fileName gives a file a name that no other of the account has: readable as far as it
// goes, and with a digest for what that leaves out.
func fileName(item, export, artifact string) string {
	name := safe(export)
	if item != "" {
		name = safe(item) + "-" + name
	}
	return name + "-" + strconv.FormatUint(hash(item, export, artifact), 16)
}

// safe keeps of a name what can be in that of a file everywhere.
func safe(name string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, name)
	return strings.TrimLeft(kept[:min(len(kept), shownMax)], "-")
}

func hash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p + "\x00")) // a hash takes everything
	}
	return h.Sum64()
}
