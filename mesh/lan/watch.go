package lan

import (
	"net"
	"net/netip"
	"time"

	manet "github.com/multiformats/go-multiaddr/net"
)

const lookPause = 100 * time.Millisecond // between looks the system gave reason for: notices come in swarms

// lookSoon has the interfaces looked at because the system says that they changed.
func (t *Transport) lookSoon() {
	t.mu.Lock()
	at := later(time.Now(), t.looked.Add(lookPause))
	if at.Before(t.air.nextLook) {
		t.air.nextLook = at
	}
	t.mu.Unlock()
	t.wake()
}

// dropOrphans ends connections from an address this device does not have any more,
// which would be silent until their ends gave up. The address of an interface that
// is down for a moment stays, and so do its connections.
func (t *Transport) dropOrphans() {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return
	}
	own := map[netip.Addr]bool{}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				own[ip.Unmap()] = true
			}
		}
	}
	var orphans []*conn
	t.mu.Lock()
	for c := range t.conns {
		if ip, err := manet.ToIP(c.muxed.LocalMultiaddr()); err == nil && orphan(ip, own) {
			orphans = append(orphans, c)
		}
	}
	t.mu.Unlock()
	for _, c := range orphans {
		t.log.Debug("connection from an address that is gone", "peer", c.peer, "addr", c.path)
		c.Close()
	}
}

// orphan reports whether a connection's own address is known and gone. QUIC does
// not always know its own.
func orphan(ip net.IP, own map[netip.Addr]bool) bool {
	a, ok := netip.AddrFromSlice(ip)
	a = a.Unmap()
	return ok && !a.IsUnspecified() && !own[a]
}
