package postback

import (
	"net/http"
	"net/netip"
	"strings"
)

// forwardedFor is the header in which proxies say for whom they call.
const forwardedFor = "X-Forwarded-For"

// sourceOf gives the address that a call came from. A caller on this machine is taken for
// a proxy: then it is the last address that X-Forwarded-For names, which is the one that
// the proxy itself wrote. Of others the header is not believed.
func sourceOf(r *http.Request) netip.Addr {
	source, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := source.Addr().Unmap()
	if !addr.IsLoopback() {
		return addr
	}
	list := r.Header[forwardedFor]
	if len(list) == 0 {
		return addr
	}
	last := list[len(list)-1]
	if i := strings.LastIndexByte(last, ','); i >= 0 {
		last = last[i+1:]
	}
	if forwarded, err := netip.ParseAddr(strings.TrimSpace(last)); err == nil {
		return forwarded.Unmap()
	}
	return addr
}
