//go:build crashtest

package main

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// crashAfter kills the process, as kill -9 does, when the step that SYNCD_CRASH
// names ("received:3") was completed for the third time. Only the crash tests'
// build has it.
var crashAfter = func() func(step string) {
	name, count, _ := strings.Cut(os.Getenv("SYNCD_CRASH"), ":")
	n, err := strconv.Atoi(count)
	if err != nil {
		n = 1
	}
	var seen atomic.Int64
	return func(step string) {
		if step == name && seen.Add(1) == int64(n) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // nothing may happen after
		}
	}
}()
