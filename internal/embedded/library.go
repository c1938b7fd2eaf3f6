package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	libraryEnv  = "SYNCD_LIBCHDB"
	libraryFile = "libchdb.so"
)

// ErrNoLibrary is wrapped by the error of Library when the engine's library is
// not installed.
var ErrNoLibrary = errors.New("the embedded ClickHouse is not installed")

// Library finds the engine's library: where SYNCD_LIBCHDB says, else beside the
// executable, else in the node_modules of the executable's folder, of the
// working directory, or of a folder above one of these. The error says how to
// install it, and wraps ErrNoLibrary.
func Library() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding our own executable: %w", err)
	}
	// A link in /usr/local/bin is not where the library is.
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	wd, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the working directory: %w", err)
	}
	return findLibrary(os.Getenv(libraryEnv), filepath.Dir(exe), wd)
}

func findLibrary(fromEnv, exeDir, workDir string) (string, error) {
	if fromEnv != "" {
		path, err := filepath.Abs(fromEnv)
		if err != nil {
			return "", fmt.Errorf("reading %s: %w", libraryEnv, err)
		}
		if !isFile(path) {
			return "", fmt.Errorf("%w: %s names %s, which is not a file", ErrNoLibrary, libraryEnv, path)
		}
		return path, nil
	}
	if path := filepath.Join(exeDir, libraryFile); isFile(path) {
		return path, nil
	}
	inModules := filepath.Join("node_modules", "@chdb", libraryPackage(), libraryFile)
	for _, start := range []string{exeDir, workDir} {
		// Tests and `go run` start below the project's folder.
		for dir := start; ; dir = filepath.Dir(dir) {
			if path := filepath.Join(dir, inModules); isFile(path) {
				return path, nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", fmt.Errorf("%w (looked for %s and %s in and above %s): "+
		"run `npm ci --ignore-scripts` in the project's folder, or set %s=/path/to/%s, or set warehouse.dsn to a ClickHouse server of your own",
		ErrNoLibrary, libraryFile, inModules, strings.Join([]string{exeDir, workDir}, " and "), libraryEnv, libraryFile)
}

// libraryPackage names the npm package for this machine.
func libraryPackage() string {
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	if runtime.GOOS == "linux" {
		return "lib-linux-" + arch + "-gnu"
	}
	return "lib-" + runtime.GOOS + "-" + arch
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
