package lan

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
)

// member is a program on a host of the lab that runs a Mesh, as the member of an
// office that all names make up, and tells whom it sees and by whom. A name with an
// address, "name@address", is one the others know the address of.
func member(name string, names []string) error {
	reached := map[mesh.PeerID][]string{}
	for i, n := range names {
		if who, addr, ok := strings.Cut(n, "@"); ok {
			names[i] = who
			reached[peerOf(who)] = []string{addr}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	t, err := New(ctx, Options{Key: key(name), Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	defer t.Close()
	var devices []meshtest.Device
	for _, n := range names {
		devices = append(devices, meshtest.NewDevice(n, peerOf(n)))
	}
	o := meshtest.NewOffice(devices[0])
	founder := meshtest.NewMemory(o, devices[0])
	m := founder
	for i, d := range devices[1:] {
		founder.Admit(d)
		if names[i+1] == name {
			m = meshtest.NewMemory(o, d)
		}
	}
	if m != founder {
		m.Take(founder)
	}
	for p, addrs := range reached {
		m.Reached(p, addrs)
	}
	out := json.NewEncoder(os.Stdout)
	changed := make(chan struct{}, 1)
	n := meshtest.Start(m, t, 1, mesh.Options{
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
		OnChange: func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		},
	})
	out.Encode(event{Ev: "ready", Peer: t.Self(), At: time.Now()})
	over := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(over)
	}()
	for {
		select {
		case <-changed:
		case <-over:
			return n.Stop()
		}
		for _, p := range n.Peers() {
			e := event{Ev: "left", Peer: p.PeerID, At: time.Now()}
			if p.Here {
				e.Ev = "here"
				for i, d := range devices {
					if d.ID == p.Via {
						e.Ev = "via " + names[i]
					}
				}
			}
			out.Encode(e)
		}
	}
}

func peerOf(name string) mesh.PeerID {
	g := &guard{}
	h, err := newHost(key(name), g)
	if err != nil {
		panic(err)
	}
	defer h.close()
	return mesh.PeerID(h.self.String())
}

// sees waits until a node sees another in a way.
func sees(t *testing.T, n *labNode, of, how string) time.Time {
	t.Helper()
	peer := peerOf(of)
	return n.await(30*time.Second, func(e event) bool { return e.Ev == how && e.Peer == peer }).At
}

// closed has a host drop, or refuse, every connection that others begin.
func closed(t *testing.T, h *meshtest.LabHost, verdict string) {
	t.Helper()
	for _, rule := range []string{
		"add table inet shut",
		"add chain inet shut in { type filter hook input priority 0; }",
		"add rule inet shut in iif lo accept",
		"add rule inet shut in udp dport 21960 drop", // else QUIC from both ends at once finds a way through, by what is established
		"add rule inet shut in ct state established,related accept",
		"add rule inet shut in udp dport 21961 accept",
		"add rule inet shut in " + verdict,
	} {
		if out, err := h.Command(t.Context(), "nft", rule).CombinedOutput(); err != nil {
			t.Skipf("no firewall here: %v: %s", err, out)
		}
	}
}

// TestLabRelayFirewall: two whose firewalls let nothing in have a session through
// the one that is open.
func TestLabRelayFirewall(t *testing.T) {
	for name, verdict := range map[string]string{
		"drops":   "drop",
		"refuses": "reject with tcp reset",
	} {
		t.Run(name, func(t *testing.T) {
			if verdict != "drop" {
				verdict = "meta l4proto tcp " + verdict
			}
			lab := meshtest.NewLab(t)
			lab.Bridge("a")
			names := []string{"ann", "bob", "cem"}
			nodes := map[string]*labNode{}
			start := time.Now()
			for i, n := range names {
				h := lab.Host(false)
				h.Plug("eth0", "a", fmt.Sprintf("10.77.0.%d/24", i+1))
				if n != "bob" {
					closed(t, h, verdict)
					if verdict != "drop" {
						closed(t, h, "drop")
					}
				}
				nodes[n] = startNode(t, h, "member "+n+" "+strings.Join(names, ","))
			}
			here := sees(t, nodes["ann"], "cem", "via bob")
			there := sees(t, nodes["cem"], "ann", "via bob")
			t.Logf("a session through bob after %v and %v", here.Sub(start), there.Sub(start))
			nodes["bob"].stop()
			sees(t, nodes["ann"], "cem", "left")
		})
	}
}

// TestLabRelaySubnets: devices of two networks meet through one that is in both,
// also if nobody can dial it.
func TestLabRelaySubnets(t *testing.T) {
	for name, shut := range map[string]bool{"open": false, "closed": true} {
		t.Run(name, func(t *testing.T) {
			lab := meshtest.NewLab(t)
			lab.Bridge("a")
			lab.Bridge("b")
			left, middle, right := lab.Host(false), lab.Host(false), lab.Host(false)
			left.Plug("eth0", "a", "10.77.0.1/24")
			middle.Plug("eth0", "a", "10.77.0.2/24")
			middle.Plug("eth1", "b", "10.78.0.2/24")
			right.Plug("eth0", "b", "10.78.0.3/24")
			if shut {
				closed(t, middle, "drop")
			}
			nodes := map[string]*labNode{}
			start := time.Now()
			for n, h := range map[string]*meshtest.LabHost{"ann": left, "bob": middle, "cem": right} {
				nodes[n] = startNode(t, h, "member "+n+" ann,bob,cem")
			}
			here := sees(t, nodes["ann"], "cem", "via bob")
			there := sees(t, nodes["cem"], "ann", "via bob")
			t.Logf("a session through bob after %v and %v", here.Sub(start), there.Sub(start))
		})
	}
}
