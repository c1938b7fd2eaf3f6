package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
)

// Running gives the loader's address of the engine that another process runs over
// dataDir, for who wants to ask it beside that process; ok is false when none runs.
// The password must be the one that the engine was started with. The address holds
// it: hand it to the driver, never to a log.
func Running(dataDir, password string) (dsn string, ok bool, err error) {
	files, err := newLayout(dataDir)
	if err != nil {
		return "", false, err
	}
	if _, err := os.Stat(files.daemonLock()); errors.Is(err, fs.ErrNotExist) {
		return "", false, nil // no engine was ever here, and none shall be made
	}
	lock, err := takeDirectory(files)
	if err == nil {
		return "", false, lock.Close()
	}
	if !errors.As(err, new(*HeldError)) {
		return "", false, err
	}
	text, err := os.ReadFile(files.ports())
	if err != nil {
		return "", false, fmt.Errorf("finding the running ClickHouse: %w", err)
	}
	var p ports
	if err := json.Unmarshal(text, &p); err != nil {
		return "", false, fmt.Errorf("reading the ports of the running ClickHouse: %w", err)
	}
	u := url.URL{Scheme: "clickhouse", User: url.UserPassword(loaderUser, password), Host: p.native()}
	return u.String(), true, nil
}
