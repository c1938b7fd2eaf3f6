package config

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a container image may have no zones

	"syncd/internal/strictyaml"
)

// zoneNames are the zones of the Go distribution, one a line; for suggestions.
//
//go:embed zones.txt
var zoneNames string

// loadZone loads a zone by its IANA name. Its error suggests the one that was
// probably meant: by spelling, or by its city.
func loadZone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, errors.New("the zone Local is another one on every machine; an IANA name such as Europe/Berlin or UTC is needed")
	}
	loc, err := time.LoadLocation(name)
	if err == nil {
		return loc, nil
	}
	known := strings.Fields(zoneNames)
	meant := strictyaml.Suggest(name, known)
	for _, zone := range known {
		if _, city, _ := strings.Cut(zone, "/"); meant == "" && city != "" && strings.EqualFold(city, strings.ReplaceAll(name, " ", "_")) {
			meant = zone
		}
	}
	if meant != "" {
		return nil, fmt.Errorf("there is no zone %q; did you mean %s?", name, meant)
	}
	return nil, fmt.Errorf("there is no zone %q; an IANA name such as Europe/Berlin or UTC is needed", name)
}
