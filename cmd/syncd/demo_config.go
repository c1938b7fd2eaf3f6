package main

import (
	"fmt"
	"net"
	"strings"

	"syncd/internal/config"
)

// demoConfig is a configuration as a user would write it. Only the schedules and
// paces are faster, so that there is something to see.
func demoConfig(dir, listen string, networks []demoNetwork) (*config.Config, error) {
	var text strings.Builder
	fmt.Fprintf(&text, `
warehouse: {dsn: embedded}
state: {dsn: "sqlite:%[1]s/state.db"}
data_dir: %[1]q
http: {listen: %[2]q}
accounts:
`, dir, freeOr(listen))
	keys := map[string]string{}
	for _, n := range networks {
		fmt.Fprintf(&text, "  - name: %s\n    base_url: %s\n%s", n.account, n.url, n.config)
		keys[n.key.variable] = n.key.value
	}
	environment := func(name string) (string, bool) {
		key, ok := keys[name]
		return key, ok
	}
	cfg, err := config.Parse("demo.yaml", []byte(text.String()), environment, dir)
	if err != nil {
		return nil, fmt.Errorf("making the demo's configuration: %w", err)
	}
	return cfg, nil
}

// freeOr gives the address if it can be listened at, else the same host with any
// free port: a demo should not fail for a port.
func freeOr(listen string) string {
	socket, err := net.Listen("tcp", listen)
	if err != nil {
		host, _, splitErr := net.SplitHostPort(listen)
		if splitErr != nil {
			return listen
		}
		if socket, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
			return listen
		}
	}
	defer socket.Close()
	return socket.Addr().String()
}
