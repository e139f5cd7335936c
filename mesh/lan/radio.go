package lan

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// Multicast groups of the beacon: administratively scoped for IPv4, link-local
// and transient for IPv6.
var (
	group4 = net.IPv4(239, 193, 73, 78)
	group6 = net.ParseIP("ff12::696e:7365:6c")
)

// A radio sends packets to everybody near, on every interface, and hears them.
// For each IPv4 address there is a socket bound to it: so the packet leaves
// through its interface even where no route says so.
type radio struct {
	port     int
	loopback bool
	deaf     error // why beacons cannot be heard here; nil if they can
	notes    *notes

	hear4 *net.UDPConn
	hear6 *net.UDPConn // nil where there is no IPv6
	wg    sync.WaitGroup

	mu      sync.Mutex // guards the rest
	ifs     []iface
	senders map[netip.Prefix]*net.UDPConn
	joined4 map[int]bool // by interface index
	joined6 map[int]bool
}

func newRadio(ctx context.Context, port int, loopback bool) (*radio, error) {
	r := &radio{
		port: port, loopback: loopback,
		senders: map[netip.Prefix]*net.UDPConn{}, joined4: map[int]bool{}, joined6: map[int]bool{},
	}
	lc := net.ListenConfig{Control: shareSocket}
	c, err := lc.ListenPacket(ctx, "udp4", net.JoinHostPort("0.0.0.0", strconv.Itoa(port)))
	if err != nil { // someone took the port for himself: be deaf, but let others hear and dial
		r.deaf = err
		if c, err = lc.ListenPacket(ctx, "udp4", "0.0.0.0:0"); err != nil {
			return nil, fmt.Errorf("listen for beacons: %w", err)
		}
	}
	r.hear4 = c.(*net.UDPConn)
	ipv4.NewPacketConn(r.hear4).SetControlMessage(ipv4.FlagDst, true) // for notes alone
	if !loopback {
		if c, err := lc.ListenPacket(ctx, "udp6", net.JoinHostPort("::", strconv.Itoa(port))); err == nil {
			r.hear6 = c.(*net.UDPConn)
		}
	}
	return r, nil
}

// run hands packets to heard until the radio is closed.
func (r *radio) run(heard func(packet []byte, from netip.Addr, by Way)) {
	for _, c := range []*net.UDPConn{r.hear4, r.hear6} {
		if c == nil {
			continue
		}
		r.wg.Go(func() {
			buf, side := make([]byte, maxPacket+1), make([]byte, 128)
			for {
				n, sides, _, from, err := c.ReadMsgUDPAddrPort(buf, side)
				if errors.Is(err, net.ErrClosed) {
					return
				}
				if err != nil {
					time.Sleep(10 * time.Millisecond) // a passing fault of the network; never spin on it
					continue
				}
				addr := from.Addr().Unmap()
				if n <= maxPacket && addr.IsLoopback() == r.loopback {
					heard(buf[:n], addr, wayOf(addr, side[:sides]))
				}
			}
		})
	}
}

// tune follows the interfaces: joins groups, opens and closes sockets.
func (r *radio) tune(ifs []iface) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ifs = ifs
	wanted := map[netip.Prefix]bool{}
	present := map[int]bool{}
	p4, p6 := ipv4.NewPacketConn(r.hear4), (*ipv6.PacketConn)(nil)
	if r.hear6 != nil {
		p6 = ipv6.NewPacketConn(r.hear6)
	}
	for _, f := range ifs {
		present[f.Index] = true
		ni := &net.Interface{Index: f.Index, Name: f.Name}
		for _, a := range f.Addrs {
			if !a.Addr().Is4() {
				continue
			}
			wanted[a] = true
			if r.senders[a] == nil {
				if c := openSender(a.Addr(), ni); c != nil {
					r.senders[a] = c
				}
			}
		}
		if r.loopback {
			continue
		}
		// Joining again after the interface was gone: leave first, the kernel may
		// still hold the old membership.
		if !r.joined4[f.Index] {
			p4.LeaveGroup(ni, &net.UDPAddr{IP: group4})
			r.joined4[f.Index] = p4.JoinGroup(ni, &net.UDPAddr{IP: group4}) == nil
		}
		if p6 != nil && !r.joined6[f.Index] {
			p6.LeaveGroup(ni, &net.UDPAddr{IP: group6})
			r.joined6[f.Index] = p6.JoinGroup(ni, &net.UDPAddr{IP: group6}) == nil
		}
	}
	for a, c := range r.senders {
		if !wanted[a] {
			c.Close()
			delete(r.senders, a)
		}
	}
	for _, joined := range []map[int]bool{r.joined4, r.joined6} {
		for index := range joined {
			if !present[index] {
				delete(joined, index)
			}
		}
	}
}

func openSender(a netip.Addr, ni *net.Interface) *net.UDPConn {
	lc := net.ListenConfig{Control: shareSocket}
	c, err := lc.ListenPacket(context.Background(), "udp4", netip.AddrPortFrom(a, 0).String())
	if err != nil {
		return nil
	}
	p := ipv4.NewPacketConn(c)
	p.SetMulticastInterface(ni)
	p.SetMulticastTTL(1)
	p.SetMulticastLoopback(true) // a second program on this computer wants to hear it
	return c.(*net.UDPConn)
}

// send gives each way out its own packet and sends it there. Errors are normal:
// an interface may have gone since it was listed.
func (r *radio) send(packet func() []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a, c := range r.senders {
		p := packet()
		if p == nil {
			return
		}
		for _, to := range r.targets(a) {
			_, err := c.WriteToUDPAddrPort(p, netip.AddrPortFrom(to, uint16(r.port)))
			r.notes.sent(a.Addr(), to, err)
		}
	}
	if r.hear6 == nil {
		return
	}
	for _, f := range r.ifs {
		if !r.joined6[f.Index] || !hasIPv6(f) {
			continue
		}
		if p := packet(); p != nil {
			_, err := r.hear6.WriteToUDP(p, &net.UDPAddr{IP: group6, Port: r.port, Zone: f.Name})
			r.notes.sent(netip.IPv6Unspecified().WithZone(f.Name), netip.Addr{}, err)
		}
	}
}

// targets are where a packet goes from an IPv4 address.
func (r *radio) targets(a netip.Prefix) []netip.Addr {
	if r.loopback {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 255, 255, 255})}
	}
	all := []netip.Addr{netip.AddrFrom4([4]byte(group4.To4())), netip.AddrFrom4([4]byte{255, 255, 255, 255})}
	if b, ok := broadcast(a); ok {
		all = append(all, b)
	}
	return all
}

func hasIPv6(f iface) bool {
	for _, a := range f.Addrs {
		if a.Addr().Is6() {
			return true
		}
	}
	return false
}

func (r *radio) close() {
	r.hear4.Close()
	if r.hear6 != nil {
		r.hear6.Close()
	}
	r.wg.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.senders {
		c.Close()
	}
	clear(r.senders)
}
