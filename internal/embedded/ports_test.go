package embedded

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestPortsAreKeptWhileTheyAreFree(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ports.json")
	first, kept, err := choosePorts(file)
	if err != nil || !kept || first.Native == first.HTTP {
		t.Fatalf("first start: %+v, kept %v, %v", first, kept, err)
	}
	second, kept, err := choosePorts(file)
	if err != nil || !kept || second != first {
		t.Errorf("second start: %+v, kept %v, %v; want %+v", second, kept, err, first)
	}

	taken, err := net.Listen("tcp", first.native())
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	third, kept, err := choosePorts(file)
	if err != nil || kept || third.Native == first.Native {
		t.Errorf("with the native port taken: %+v, kept %v, %v; want others", third, kept, err)
	}
	if fourth, kept, err := choosePorts(file); err != nil || !kept || fourth != third {
		t.Errorf("after that: %+v, kept %v, %v; want %+v", fourth, kept, err, third)
	}
}

func TestABrokenPortsFileIsReplaced(t *testing.T) {
	for name, text := range map[string]string{
		"cut off": `{"nat`, "empty": "", "the same port twice": `{"native": 23456, "http": 23456}`, "no ports": "{}", "out of range": `{"native": 70000, "http": 23456}`,
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "ports.json")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			p, _, err := choosePorts(file)
			if err != nil || !p.free() || p.Native == p.HTTP {
				t.Errorf("got %+v, %v; want two free ports", p, err)
			}
		})
	}
}
