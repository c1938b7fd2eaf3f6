package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
)

// loopback is the only address that the engine listens at.
const loopback = "127.0.0.1"

// Ports are taken from below those that kernels give to outgoing connections
// (32768 and up on Linux), so that one that was ours yesterday is ours today.
const (
	portMin = 20000
	portMax = 32000
)

// ports are where the engine answers. They are kept in a file, because a BI
// tool that was set up once should find the engine again.
type ports struct {
	Native int `json:"native"`
	HTTP   int `json:"http"`
}

func (p ports) native() string { return net.JoinHostPort(loopback, strconv.Itoa(p.Native)) }
func (p ports) http() string   { return net.JoinHostPort(loopback, strconv.Itoa(p.HTTP)) }

// free says whether both can be listened at now.
func (p ports) free() bool { return portFree(p.Native) && portFree(p.HTTP) }

// choosePorts returns the ports in the file if they are free, else new ones,
// which it writes there. kept is false if there were others before.
func choosePorts(file string) (p ports, kept bool, err error) {
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kept = true // nobody knows any
	case err != nil:
		return ports{}, false, fmt.Errorf("reading the ports: %w", err)
	case json.Unmarshal(text, &p) == nil && p.Native != p.HTTP && p.free():
		return p, true, nil
	}
	if p.Native, err = freePort(0); err != nil {
		return ports{}, false, err
	}
	if p.HTTP, err = freePort(p.Native); err != nil {
		return ports{}, false, err
	}
	text, err = json.Marshal(p)
	if err != nil {
		return ports{}, false, fmt.Errorf("encoding the ports: %w", err)
	}
	if err := writePrivate(file, append(text, '\n')); err != nil {
		return ports{}, false, fmt.Errorf("keeping the ports: %w", err)
	}
	return p, kept, nil
}

// freePort returns a random port that is free, and not the one named. Random,
// so that two engines that start at the same moment rarely meet.
func freePort(but int) (int, error) {
	for range 1000 {
		port := portMin + rand.IntN(portMax-portMin)
		if port != but && portFree(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port between %d and %d", portMin, portMax)
}

func portFree(port int) bool {
	if port <= 0 || port > 65535 {
		return false
	}
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
