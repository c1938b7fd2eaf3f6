package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// usage is what a process has used, as /proc tells it. The figures of a process
// that has ended are those of its last reading.
type usage struct {
	cpu time.Duration
	// peak and now are resident bytes; peak is the kernel's own high-water mark.
	peak, now int64
}

// ticks a second in /proc/PID/stat: USER_HZ, 100 on every Linux.
const ticks = 100

// readUsage reads a process's usage; an error means that it is gone.
func readUsage(pid int) (usage, error) {
	var u usage
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // from the third field on
	for _, i := range []int{11, 12} {                                         // utime and stime
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return u, err
		}
		u.cpu += time.Duration(n) * time.Second / ticks
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	u.peak, u.now = kilobytes(status, "VmHWM:"), kilobytes(status, "VmRSS:")
	if u.peak == 0 {
		return u, os.ErrProcessDone // a zombie has no memory
	}
	return u, nil
}

func kilobytes(status []byte, name string) int64 {
	_, rest, _ := bytes.Cut(status, []byte(name))
	fields := bytes.Fields(rest[:max(bytes.IndexByte(rest, '\n'), 0)])
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return n << 10
}

// childrenOf finds the processes that a process started.
func childrenOf(pid int) []int {
	entries, _ := os.ReadDir("/proc")
	var children []int
	for _, e := range entries {
		child, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			children = append(children, child)
		}
	}
	return children
}

// watch reads the usage of processes again and again: what the kernel knows of a
// process is gone with it, and what waiting for it tells mixes in its children.
type watch struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu   sync.Mutex
	last map[int]usage
}

// readEvery is how often: the CPU time of the last moments is lost.
const readEvery = 50 * time.Millisecond

func startWatch(pids func() []int) *watch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{cancel: cancel, last: map[int]usage{}}
	w.wg.Go(func() {
		tick := time.NewTicker(readEvery)
		defer tick.Stop()
		for {
			for _, pid := range pids() {
				if u, err := readUsage(pid); err == nil {
					w.mu.Lock()
					w.last[pid] = u
					w.mu.Unlock()
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return w
}

// stop ends the readings and gives the last of each process.
func (w *watch) stop() map[int]usage {
	w.cancel()
	w.wg.Wait()
	return w.last
}

// ownCPU is what this process has used of all cores.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
