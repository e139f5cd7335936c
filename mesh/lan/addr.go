package lan

import (
	"net"
	"net/netip"
	"strconv"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

const maxDialAddrs = 16

// parseAddrs keeps the texts that are addresses, in order, each once.
func parseAddrs(texts []string) []netip.AddrPort {
	var all []netip.AddrPort
	known := map[netip.AddrPort]bool{}
	for _, text := range texts {
		a, err := netip.ParseAddrPort(text)
		if err != nil || a.Port() == 0 || a.Addr().IsMulticast() || a.Addr().IsUnspecified() {
			continue
		}
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		if !known[a] && len(all) < maxDialAddrs {
			known[a] = true
			all = append(all, a)
		}
	}
	return all
}

// splitTyped takes what a person typed as an address: a host with or without port.
func splitTyped(text string, port int) (host, service string) {
	if h, p, err := net.SplitHostPort(text); err == nil {
		return h, p
	}
	if a, err := netip.ParseAddr(text); err == nil {
		return a.String(), strconv.Itoa(port)
	}
	return text, strconv.Itoa(port)
}

func quicAddr(a netip.AddrPort) (ma.Multiaddr, error) {
	m, err := manet.FromNetAddr(net.UDPAddrFromAddrPort(a))
	if err != nil {
		return nil, err
	}
	return m.Encapsulate(ma.StringCast("/quic-v1")), nil
}

// pathText shows a libp2p address as "host:port".
func pathText(m ma.Multiaddr) string {
	if m == nil {
		return ""
	}
	thin, _ := ma.SplitFunc(m, func(c ma.Component) bool { return c.Protocol().Code == ma.P_QUIC_V1 })
	a, err := manet.ToNetAddr(thin)
	if err != nil {
		return m.String()
	}
	if at, ok := addrOf(a); ok {
		return at.String()
	}
	return a.String()
}

// addrOf returns a socket address without the disguise of IPv4 as IPv6.
func addrOf(a net.Addr) (netip.AddrPort, bool) {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		ap = a.AddrPort()
	case *net.UDPAddr:
		ap = a.AddrPort()
	default:
		return ap, false
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), true
}
