package loaders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/clickhouse-go/v2"
)

const (
	// dialTimeout bounds the making of a connection, TLS included.
	dialTimeout = 10 * time.Second
	// packetTimeout is how long a bulk connection waits for a packet before it looks
	// whether it was told to stop; a longer silence is no failure.
	packetTimeout = 30 * time.Second
)

// errDSN stands for every fault of a DSN. The URL package's own words may quote
// the password, so they go nowhere.
var errDSN = errors.New("the warehouse's DSN is neither a clickhouse://user:password@host:port/ address nor one of https:// or http:// (special characters in the password are written as %XX)")

// parseDSN reads a DSN: clickhouse:// (or tcp://, native://) for the native protocol,
// http:// and https:// for the other, as does clickhouse://...?protocol=http. Its error
// never quotes the DSN.
func parseDSN(dsn string, compress bool) (*clickhouse.Options, error) {
	dsn, ok := spelled(dsn)
	if !ok {
		return nil, errDSN
	}
	o, err := clickhouse.ParseDSN(dsn)
	if err != nil || len(o.Addr) == 0 {
		return nil, errDSN
	}
	o.DialTimeout = cmp.Or(o.DialTimeout, dialTimeout)
	// Comparing a large window takes longer than the driver's default patience.
	o.ReadTimeout = max(o.ReadTimeout, 10*time.Minute)
	o.ClientInfo.Products = append(o.ClientInfo.Products, struct{ Name, Version string }{Name: "syncd"})
	if o.Compression == nil && (compress || !loopback(o.Addr)) {
		o.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	}
	if o.Protocol == clickhouse.HTTP {
		o.TransportFunc = overHTTP
	}
	return o, nil
}

// spelled gives a DSN as the driver spells it: HTTP by its scheme, with the parameter
// secure where it is encrypted, and never the parameter protocol.
func spelled(dsn string) (string, bool) {
	scheme, rest, ok := strings.Cut(dsn, "://")
	if !ok {
		return "", false
	}
	rest, query, _ := strings.Cut(rest, "?")
	query, _, _ = strings.Cut(query, "#")
	params, err := url.ParseQuery(query)
	if err != nil {
		return "", false
	}
	overHTTP := scheme == "http" || scheme == "https"
	switch scheme {
	case "https":
		if secure := params.Get("secure"); params.Has("secure") && secure != "" && secure != "true" && secure != "1" {
			return "", false
		}
		params.Set("secure", "true")
	case "http", "clickhouse", "tcp", "native":
	default:
		return "", false
	}
	switch protocol := params.Get("protocol"); {
	case !params.Has("protocol"):
	case protocol == "http" || protocol == "https":
		if protocol == "https" {
			params.Set("secure", "true")
		}
		overHTTP = true
	case protocol == "native" && !overHTTP:
	default:
		return "", false
	}
	params.Del("protocol")
	if overHTTP {
		scheme = "http"
		// The driver's own reading of the parameter.
		if secure := params.Get("secure"); params.Has("secure") && (secure == "" || isTrue(secure)) {
			scheme = "https"
		} else {
			params.Del("secure")
		}
	}
	dsn = scheme + "://" + rest
	if len(params) > 0 {
		dsn += "?" + params.Encode()
	}
	return dsn, true
}

func isTrue(word string) bool {
	yes, _ := strconv.ParseBool(word)
	return yes
}

// loopback reports whether all addresses are of this machine: there compression
// only costs.
func loopback(addrs []string) bool {
	for _, a := range addrs {
		host, _, err := net.SplitHostPort(a)
		if err != nil {
			host = a
		}
		if host == "localhost" {
			continue
		}
		ip, err := netip.ParseAddr(host)
		if err != nil || !ip.IsLoopback() {
			return false
		}
	}
	return true
}

// dialBulk makes a connection for bulk INSERTs, to the first address that answers.
func (w *Warehouse) dialBulk(ctx context.Context) (*ch.Client, error) {
	o := ch.Options{
		User:        w.driver.Auth.Username,
		Password:    w.driver.Auth.Password,
		DialTimeout: w.driver.DialTimeout,
		ReadTimeout: packetTimeout,
		TLS:         w.driver.TLS,
		ClientName:  "syncd",
		Settings:    insertSettings(),
	}
	switch w.bulkCompression() {
	case clickhouse.CompressionZSTD:
		o.Compression = ch.CompressionZSTD
	case clickhouse.CompressionLZ4:
		o.Compression = ch.CompressionLZ4
	}
	var errs []error
	for _, addr := range w.driver.Addr {
		o.Address = addr
		client, err := ch.Dial(ctx, o)
		if err == nil {
			return client, nil
		}
		errs = append(errs, fmt.Errorf("connecting to %s: %w", addr, err))
	}
	return nil, errors.Join(errs...)
}

// bulkCompression is what bulk INSERTs are packed with: nothing, LZ4 or ZSTD. Whatever
// else the DSN says is for the other statements; LZ4 costs least.
func (w *Warehouse) bulkCompression() clickhouse.CompressionMethod {
	if w.driver.Compression == nil {
		return clickhouse.CompressionNone
	}
	switch m := w.driver.Compression.Method; m {
	case clickhouse.CompressionNone, clickhouse.CompressionZSTD:
		return m
	}
	return clickhouse.CompressionLZ4
}
