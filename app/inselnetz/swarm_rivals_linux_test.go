//go:build linux && swarm

package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	hashicorp "github.com/hashicorp/mdns"
	p2pcrypto "github.com/libp2p/go-libp2p/core/crypto"
	p2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	p2pmdns "github.com/libp2p/go-libp2p/p2p/discovery/mdns"
	"github.com/multiformats/go-multiaddr"

	"inselnetz/mesh/meshtest"
)

const rivalEnv = "INSELNETZ_SWARM_RIVAL"

// rivalPrograms find each other and do nothing else. found is told of each the
// first time or more often.
var rivalPrograms = map[string]func(t *testing.T, name, addr string, found func(string)){
	"hashicorp/mdns": hashicorpRival,
	"libp2p's mdns":  libp2pRival,
}

// TestSwarmRivals: discovery by mDNS alone on as many hosts, without and with a
// default route. Started by itself on a host it is one of the programs.
func TestSwarmRivals(t *testing.T) {
	if which := os.Getenv(rivalEnv); which != "" {
		f := strings.Split(which, ";")
		seen := map[string]bool{f[1]: true}
		found := make(chan string)
		go rivalPrograms[f[0]](t, f[1], f[2], func(name string) { found <- name })
		for name := range found {
			if !seen[name] {
				seen[name] = true
				fmt.Println("found", name)
			}
		}
		return
	}
	n := swarmSize(t)
	roomForNeighbours(t)
	for _, name := range []string{"hashicorp/mdns", "libp2p's mdns"} {
		for _, route := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, default route %v", name, route), func(t *testing.T) { rivals(t, n, name, route) })
		}
	}
}

// hashicorpRival is as the library's README shows it: a responder, and a question
// every 30 s.
func hashicorpRival(t *testing.T, name, addr string, found func(string)) {
	const service = "_rival._tcp"
	s, err := hashicorp.NewMDNSService(name, service, "", name+".local.", 8000, []net.IP{net.ParseIP(addr)}, []string{"rival"})
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := hashicorp.NewServer(&hashicorp.Config{Zone: s}); err != nil {
		fmt.Println("error", err)
	}
	for {
		entries := make(chan *hashicorp.ServiceEntry, 256)
		params := hashicorp.DefaultParams(service)
		params.Entries, params.DisableIPv6 = entries, true
		if err := hashicorp.Query(params); err != nil {
			fmt.Println("error", err)
		}
		close(entries)
		for e := range entries {
			found(strings.TrimSuffix(e.Name, "."+service+".local."))
		}
		time.Sleep(30 * time.Second)
	}
}

// A lonelyHost is as much of a libp2p host as its mDNS asks for.
type lonelyHost struct {
	p2phost.Host
	id  peer.ID
	net lonelyNetwork
}

func (h lonelyHost) ID() peer.ID              { return h.id }
func (h lonelyHost) Network() network.Network { return h.net }

type lonelyNetwork struct {
	network.Network
	addr multiaddr.Multiaddr
}

func (n lonelyNetwork) InterfaceListenAddresses() ([]multiaddr.Multiaddr, error) {
	return []multiaddr.Multiaddr{n.addr}, nil
}

// libp2pRival is the service alone: no host beneath it takes or makes connections,
// nor is any made to whom it finds. It asks when it sees fit.
func libp2pRival(t *testing.T, _, addr string, found func(string)) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Error(err)
		return
	}
	priv, err := p2pcrypto.UnmarshalEd25519PrivateKey(key)
	if err != nil {
		t.Error(err)
		return
	}
	h := lonelyHost{net: lonelyNetwork{addr: multiaddr.StringCast("/ip4/" + addr + "/tcp/4001")}}
	if h.id, err = peer.IDFromPrivateKey(priv); err != nil {
		t.Error(err)
		return
	}
	if err := p2pmdns.NewMdnsService(h, "", finder(found)).Start(); err != nil {
		fmt.Println("error", err)
	}
}

type finder func(string)

func (f finder) HandlePeerFound(p peer.AddrInfo) { f(p.ID.String()) }

// rivals runs one program on each of n hosts and counts who found whom, foundTime
// after the last of them was started and once more after the quiet time.
func rivals(t *testing.T, n int, name string, route bool) {
	const foundTime, quiet = 30 * time.Second, time.Minute
	lab := meshtest.NewLab(t)
	lab.Bridge("lan")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var hosts []*meshtest.LabHost
	var pids []int
	lines := make(chan string, 100*n)
	for i := range n {
		h := lab.Host(false)
		addr := fmt.Sprintf("10.77.0.%d", i+1)
		h.Plug("eth0", "lan", addr+"/24")
		if route {
			if out, err := h.Command(t.Context(), "ip", "route", "add", "default", "dev", "eth0").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		count(t, h)
		hosts = append(hosts, h)
	}
	for i, h := range hosts {
		cmd := h.Command(context.Background(), exe, "-test.run=^TestSwarmRivals$")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s;host%d;10.77.0.%d", rivalEnv, name, i, i+1))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Signal(syscall.SIGKILL); cmd.Wait() })
		go func() {
			for s := bufio.NewScanner(out); s.Scan(); {
				lines <- s.Text()
			}
		}()
		pids = append(pids, cmd.Process.Pid)
	}
	time.Sleep(foundTime)
	found, why := 0, ""
	drain := func() int {
		for len(lines) > 0 {
			line := <-lines
			if strings.HasPrefix(line, "found") {
				found++
			} else if rest, ok := strings.CutPrefix(line, "error "); ok {
				why = fmt.Sprintf(" (%s)", rest)
			}
		}
		return found
	}
	soon := drain()
	r := idle(t, hosts, pids, quiet)
	late := drain()
	way := map[bool]string{false: "no default route", true: "with a default route"}[route]
	row(fmt.Sprintf("%s alone, %s", name, way), fmt.Sprintf("%d, then %d of %d%s", soon, late, n*(n-1), why), fmt.Sprintf("%.0f (%.0f questions, %.0f answers)", r.packets.sum(), r.packets[3], r.packets[4]+r.packets[5]),
		fmt.Sprintf("%.2f %%", r.cpuMean), fmt.Sprintf("%.0f MiB", r.most))
}
