package lan

import (
	"net"
	"net/netip"
	"slices"
)

const maxIfaces = 24

// An iface is a network interface that carries traffic now.
type iface struct {
	Index int
	Name  string
	Addrs []netip.Prefix
}

// interfaces lists those that are up, have a carrier, reach several devices and
// have an address; or the loopback one alone.
func interfaces(loopback bool) []iface {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var usable []iface
	for _, i := range all {
		if !usableFlags(i.Flags, loopback) {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		f := iface{Index: i.Index, Name: i.Name}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				if ip, ok := netip.AddrFromSlice(n.IP); ok && (!loopback || ip.Unmap().Is4()) {
					ones, _ := n.Mask.Size()
					f.Addrs = append(f.Addrs, netip.PrefixFrom(ip.Unmap(), ones))
				}
			}
		}
		if len(f.Addrs) > 0 && len(usable) < maxIfaces {
			slices.SortFunc(f.Addrs, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
			usable = append(usable, f)
		}
	}
	return usable
}

func usableFlags(f net.Flags, loopback bool) bool {
	const carries = net.FlagUp | net.FlagRunning
	if f&carries != carries || (f&net.FlagLoopback != 0) != loopback {
		return false
	}
	return loopback || f&(net.FlagBroadcast|net.FlagMulticast) != 0
}

// compare says whether interfaces differ, and whether there is news for others:
// a cable plugged in, another address. That something went away is no news.
func compare(was, is []iface) (changed, news bool) {
	for _, now := range is {
		i := slices.IndexFunc(was, func(f iface) bool { return f.Index == now.Index && f.Name == now.Name })
		if i < 0 {
			return true, true
		}
		for _, a := range now.Addrs {
			if !slices.Contains(was[i].Addrs, a) {
				return true, true
			}
		}
		changed = changed || len(was[i].Addrs) != len(now.Addrs)
	}
	return changed || len(was) != len(is), false
}

// claims are the addresses told to others, those most likely to help first.
func claims(ifs []iface) []netip.Addr {
	var all []netip.Addr
	for _, f := range ifs {
		for _, p := range f.Addrs {
			if a := p.Addr(); a.Is4() || !a.IsLinkLocalUnicast() { // without its zone such an IPv6 address helps nobody
				all = append(all, a)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b netip.Addr) int { return claimRank(a) - claimRank(b) })
	return all[:min(len(all), maxClaims)]
}

func claimRank(a netip.Addr) int {
	switch {
	case a.Is4() && a.IsPrivate():
		return 0
	case a.Is4():
		return 1
	default:
		return 2
	}
}

// broadcast returns the directed broadcast address of an IPv4 prefix.
func broadcast(p netip.Prefix) (netip.Addr, bool) {
	if !p.Addr().Is4() || p.Bits() > 30 {
		return netip.Addr{}, false
	}
	a := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		a[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(a), true
}
