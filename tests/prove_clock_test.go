package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// proving is the binary that can be told to end itself at a named step, and whose wall
// clock can be told to jump: SYNCD_CLOCK="1500:10800,4000:-7200" puts it forward three
// hours a second and a half after the start, and two hours behind the true time after
// four. Timers do not notice, as they do not when somebody sets the machine's clock.
//
// The clock is the standard library's own: one file of it is replaced while building, so
// that every reading of the clock jumps and nothing in the tree knows of it.
var proving = sync.OnceValues(func() (string, error) {
	dir, err := scratch()
	if err != nil {
		return "", err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("asking for the standard library: %w", err)
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	const reading, imports = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n", "\t\"math/bits\"\n"
	if strings.Count(string(text), reading) != 1 || strings.Count(string(text), imports) != 1 {
		return "", fmt.Errorf("%s reads the clock in another way than was known: the jumps of clocks have to be built otherwise", source)
	}
	edited := filepath.Join(dir, "time.go")
	shifted := strings.NewReplacer(reading, reading+"\tsec += clockShift(mono)\n", imports, imports+"\t\"syscall\"\n").Replace(string(text)) + clockShift
	if err := os.WriteFile(edited, []byte(shifted), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: edited}})
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	return build("syncd-proving", "-tags", "crashtest", "-overlay", list)
})

// clockShift is what is added to package time. It is read once, before anybody else's
// initialization, and without anything that package time may not import.
const clockShift = `
type clockJump struct{ after, by int64 }

var clockJumps = readClockJumps()

func readClockJumps() (jumps []clockJump) {
	text, _ := syscall.Getenv("SYNCD_CLOCK")
	v, sign, digits := clockJump{}, int64(1), int64(0)
	for i := 0; i <= len(text); i++ {
		c := byte(',')
		if i < len(text) {
			c = text[i]
		}
		switch {
		case c == ':':
			v.after, sign, digits = digits*1000*1000, 1, 0
		case c == '-':
			sign = -1
		case c == ',':
			if v.by = sign * digits; text != "" {
				jumps = append(jumps, v)
			}
			sign, digits = 1, 0
		default:
			digits = digits*10 + int64(c-'0')
		}
	}
	return jumps
}

func clockShift(mono int64) (by int64) {
	for _, j := range clockJumps {
		if mono-startNano >= j.after {
			by = j.by
		}
	}
	return by
}
`
