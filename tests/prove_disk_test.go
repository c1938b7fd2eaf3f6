package tests

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// disk is a small disk of the seed's own, mounted in a namespace that a helper process
// holds, so that it can be full or read-only while all else goes on. It needs no
// privileges where users may have namespaces.
type disk struct {
	t    *testing.T
	path string // as processes in the namespace see it
	keep *exec.Cmd
}

// diskSize is room for a state and an embedded ClickHouse of a seed.
const diskSize = "1g"

func newDisk(t *testing.T, path string) *disk {
	t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	d := &disk{t: t, path: path}
	d.keep = exec.Command("unshare", "-rm", "sh", "-c", `mount -t tmpfs -o size=`+diskSize+` none "$0" && echo mounted && exec cat`, path)
	hold, err := d.keep.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.keep.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.keep.Stderr = os.Stderr
	if err := d.keep.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = hold.Close()
		_ = d.keep.Wait() // cat ends with its input
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "mounted\n" {
		t.Fatalf("a small disk cannot be mounted here: %q %v", line, err)
	}
	return d
}

// outside gives the path of something on the disk for processes out of the namespace.
func (d *disk) outside(name string) string {
	return filepath.Join(fmt.Sprintf("/proc/%d/root", d.keep.Process.Pid), d.path, name)
}

// inside gives the words that run a command in the namespace.
func (d *disk) inside() []string {
	return []string{"nsenter", "-t", strconv.Itoa(d.keep.Process.Pid), "-U", "-m", "--preserve-credentials"}
}

func (d *disk) remount(options string) error {
	words := append(d.inside(), "mount", "-o", "remount,"+options, "none", d.path)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("remounting the small disk with %s: %w: %s", options, err, out)
	}
	return nil
}

// fill leaves no room on the disk but for some bytes, if what is on it does not grow
// faster than it can be shut.
func (d *disk) fill(leave uint64) {
	d.t.Helper()
	for more := range uint64(8) {
		var v syscall.Statfs_t
		if err := syscall.Statfs(d.outside(""), &v); err != nil {
			d.t.Fatal(err)
		}
		if d.remount(fmt.Sprintf("size=%d", (v.Blocks-v.Bfree)*uint64(v.Bsize)+leave+more<<16)) == nil {
			return
		}
	}
}

// mend makes room, and lets it be written to.
func (d *disk) mend() {
	d.t.Helper()
	if err := d.remount("rw,size=" + diskSize); err != nil {
		d.t.Fatal(err)
	}
}
