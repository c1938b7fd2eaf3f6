//go:build !crashtest

package main

// crashAfter is nil in every build but that of the crash tests.
var crashAfter func(step string)
