package lan

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

const (
	maxDialAddrs = 16
	maxDialNames = 4
	maxOutside   = 4 // addresses from outside of this device
	maxNameAddrs = 4 // of one name that are dialed
)

// errAddr is what a text that is no address wraps.
var errAddr = errors.New("not an address")

// CheckAddr brings an address that a person typed, "host" or "host:port" with an
// IP address or a name of the DNS as host, into the form that Dial takes.
func CheckAddr(text string) (string, error) {
	host, service := splitTyped(strings.TrimSpace(text), DefaultPort)
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil || port == 0 {
		return "", fmt.Errorf("%w: port %q", errAddr, service)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if a.IsUnspecified() || a.IsMulticast() {
			return "", fmt.Errorf("%w: nobody can be reached at %s", errAddr, host)
		}
		return netip.AddrPortFrom(a.Unmap(), uint16(port)).String(), nil
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !isName(host) {
		return "", fmt.Errorf("%w: %q", errAddr, host)
	}
	return net.JoinHostPort(host, strconv.FormatUint(port, 10)), nil
}

// isName reports whether a text is a name of the DNS (RFC 1123, section 2.1), at
// most 100 bytes long so that it can be told to others. What looks like a
// mistyped IPv4 address is none.
func isName(host string) bool {
	if len(host) == 0 || len(host) > 100 {
		return false
	}
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, c := range l {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// parseNames keeps the texts that are a name and a port, in order, each once.
func parseNames(texts []string) []string {
	var all []string
	known := map[string]bool{}
	for _, text := range texts {
		host, _, err := net.SplitHostPort(text)
		if err != nil || !isName(host) {
			continue
		}
		name, err := CheckAddr(text)
		if err == nil && !known[name] && len(all) < maxDialNames {
			known[name] = true
			all = append(all, name)
		}
	}
	return all
}

// lookup asks the system for the addresses of a name with its port.
func lookup(ctx context.Context, name string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(name)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, err
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var all []netip.AddrPort
	for _, ip := range ips[:min(len(ips), maxNameAddrs)] {
		all = append(all, netip.AddrPortFrom(ip.Unmap(), uint16(port)))
	}
	return all, nil
}

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
