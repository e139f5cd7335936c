package app

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
	"inselnetz/mesh"
)

// A Way is how a device that is here is reached.
type Way string

// Ways.
const (
	WayMember   Way = "member"   // another device carries between the two
	WayInside   Way = "inside"   // within this computer
	WayNear     Way = "near"     // directly, in a network this computer is in
	WayRouted   Way = "routed"   // directly, in another network, such as by a VPN
	WayInternet Way = "internet" // directly, at a public address
	WayUnknown  Way = ""
)

// A Standing is how a device stands to this one: by which way it is reached, and
// what either has that the other has not. Nothing of it is kept.
type Standing struct {
	Way  Way
	Via  log.DeviceID // WayMember: which device carries
	Hops int          // WayMember: how many carry, one after the other
	Lag  store.Lag
}

// Standings returns how every other device stands to this one.
func (w *Workspace) Standings(ctx context.Context) (map[log.DeviceID]Standing, error) {
	w.mu.RLock()
	st, m := w.state, w.mesh
	w.mu.RUnlock()
	if st == nil {
		return nil, problem("not-member")
	}
	look, own := w.lookAround(st, m), ownPrefixes()
	out := map[log.DeviceID]Standing{}
	sharing := map[log.SpaceID][]log.DeviceID{}
	for id, d := range st.Devices {
		if id == w.self {
			continue
		}
		s := Standing{}
		if p := look.seen[mesh.PeerID(d.Card.Peer)]; p.Here {
			s.Way = wayOf(p.Path, own)
			if p.Via != (log.DeviceID{}) {
				s.Way, s.Via, s.Hops = WayMember, p.Via, p.Hops
			}
		}
		out[id] = s
		for _, space := range (*holdings)(w).Spaces(id) {
			sharing[space] = append(sharing[space], id)
		}
	}
	for space, devs := range sharing {
		lags, err := w.store.Lags(ctx, space, devs)
		if err != nil {
			return nil, err
		}
		for id, lag := range lags {
			s := out[id]
			s.Lag.Add(lag)
			out[id] = s
		}
	}
	return out, nil
}

// wayOf tells from where a device is reached what lies between. own are the
// networks this computer is in: in them public addresses are near as well.
func wayOf(path string, own []netip.Prefix) Way {
	at, err := netip.ParseAddrPort(path)
	if err != nil {
		return WayUnknown
	}
	addr := at.Addr().Unmap().WithZone("")
	switch {
	case addr.IsLoopback():
		return WayInside
	case addr.IsLinkLocalUnicast() || slices.ContainsFunc(own, func(p netip.Prefix) bool { return p.Contains(addr) }):
		return WayNear
	case addr.IsPrivate() || behindNAT.Contains(addr):
		return WayRouted
	}
	return WayInternet
}

// behindNAT are the addresses of providers and VPNs that are not reached from outside.
var behindNAT = netip.MustParsePrefix("100.64.0.0/10")

// ownPrefixes are the networks this computer is in, without itself.
func ownPrefixes() (out []netip.Prefix) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil // then what is private is called routed
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLoopback() {
			out = append(out, p.Masked())
		}
	}
	return out
}
