package tests

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"syncd/tests/affisesim"
)

// smallDisk runs a command on a data folder with a disk of its own that is too small,
// and once more when there is room. The disk is mounted in a namespace of the test's
// own, which needs no privileges where users may have one.
const smallDisk = `
mount -t tmpfs -o "size=$SMALL" none data || exit 97
"$0" "$@"
echo "first: $?" >&2
mount -o remount,size=1g data || exit 98
exec "$0" "$@"
`

func TestAFullDiskStopsTheRunAndWithRoomItGoesOn(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "none", t.TempDir()).CombinedOutput(); err != nil {
		t.Fatalf("a full disk cannot be shown, because nobody may mount a small one here: %v: %s", err, out)
	}
	b := newBed(t, affisesim.Options{Conversions: 20_000, Clicks: -1}).onServer()
	x := recent(t, "main", "UTC", 20)
	b.config(adminAccount("main", "UTC", x.from, unpaced))
	if err := os.Mkdir(b.data(""), 0o700); err != nil {
		t.Fatal(err)
	}
	b.env = append(b.env, "SMALL=1m")
	args := []string{"-rm", "sh", "-c", smallDisk, b.binary, "run", "--backfill", x.day(x.from) + ".." + x.day(time.Now()), "--only", "main/conversions"}
	b.binary = "unshare"
	r := b.run(args...).ended(t, 0)
	before, _, ok := strings.Cut(r.stderr, "first: 1\n")
	if !ok {
		t.Fatalf("the first run did not end with exit 1:\n%s", tail(r.stderr))
	}
	says(t, before, "full")
	if strings.Contains(r.stderr, "goroutine ") {
		t.Errorf("it panicked:\n%s", tail(r.stderr))
	}
	conn, _ := b.warehouse()
	b.conversionsEqual(conn, x)
	// An answer that the disk had no room for was not kept: those in hand are asked again.
	if n := len(b.network.Repeated(0)); n > 2 {
		t.Errorf("%d calls were made twice", n)
	}
}
