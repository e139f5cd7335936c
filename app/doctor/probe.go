package doctor

import (
	"context"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"time"
)

// commandTime bounds each program that is asked.
const commandTime = 4 * time.Second

// maxOutput bounds what is read of a program.
const maxOutput = 4 << 20

// Look asks the operating system; nothing is sent to anybody. ports are those that
// others must reach.
func Look(ctx context.Context, ports ...int) System {
	s := System{Interfaces: interfaces(), Out: outgoing(), Gateways: gateways(ctx)}
	s.Firewall = firewall(ctx, ports)
	s.Neighbours = Neighbours(ctx)
	return s
}

// settleTime is how long a system takes to find out that nobody has an address.
const settleTime = 9 * time.Second

// Settled asks for the neighbours until each of these addresses has answered or is
// known to be silent, for as long as that may take.
func Settled(ctx context.Context, addrs []netip.Addr) []Neighbour {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		all := Neighbours(ctx)
		open := slices.ContainsFunc(all, func(n Neighbour) bool {
			return (n.State == Unsure || n.State == Asked) &&
				slices.ContainsFunc(addrs, func(a netip.Addr) bool { return n.Addr.WithZone("") == a.WithZone("") })
		})
		if !open || !agesNeighbours {
			return all
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			for i := range all {
				if all[i].State == Asked {
					all[i].State = Silent
				}
			}
			return all
		}
	}
}

// Nudge sends one byte to the discard port of addresses of the local network, so
// that the system asks who has them.
func Nudge(addrs []netip.Addr) {
	for _, a := range addrs {
		if c, err := net.Dial("udp", netip.AddrPortFrom(a, 9).String()); err == nil {
			_, _ = c.Write([]byte{0}) // what the system learns of it is asked for later
			c.Close()
		}
	}
}

// interfaces lists all there are, with what the system knows of their kind.
func interfaces() []Interface {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	out := []Interface{}
	for _, i := range all {
		const carries = net.FlagUp | net.FlagRunning
		f := Interface{Name: i.Name, Kind: kindOf(i.Name), Up: i.Flags&carries == carries}
		if i.Flags&net.FlagLoopback != 0 {
			f.Kind = Loopback
		}
		addrs, _ := i.Addrs() // an interface that has just gone has none
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				f.Addrs = append(f.Addrs, p)
			}
		}
		out = append(out, f)
	}
	return out
}

// outgoing names the interface that leads outside. Connecting a UDP socket makes
// the system choose a way and sends nothing. The addresses are for documentation.
func outgoing() string {
	for _, to := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} {
		c, err := net.Dial("udp", to)
		if err != nil {
			continue
		}
		from := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
		c.Close()
		for _, i := range interfaces() {
			if slices.ContainsFunc(i.Addrs, func(p netip.Prefix) bool { return p.Addr() == from }) {
				return i.Name
			}
		}
	}
	return ""
}

// output runs a program of the system; empty if it is not there or fails.
func output(ctx context.Context, name string, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second
	quietly(cmd)
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return string(out[:min(len(out), maxOutput)])
}
