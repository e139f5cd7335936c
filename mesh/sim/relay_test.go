package sim_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

// apart cuts every pair of names that is not one of those given.
func apart(w *sim.World, names []string, together ...[2]string) {
	for i, a := range names {
		for _, b := range names[i+1:] {
			if !slices.Contains(together, [2]string{a, b}) {
				w.Cut(a, b)
			}
		}
	}
}

// seen is what a node knows of another.
func seen(n interface{ Peers() []mesh.Peer }, of string) mesh.Peer {
	for _, p := range n.Peers() {
		if p.PeerID == mesh.PeerID(of) {
			return p
		}
	}
	return mesh.Peer{}
}

// TestRelay: two that cannot reach each other have a session through a third, with
// whispers and blocks, and a direct one as soon as there is a way.
func TestRelay(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		names := []string{"a", "b", "c"}
		o, ms := members(names...)
		var nodes []*shelf
		ears := [3][]string{}
		apart(w, names, [2]string{"a", "b"}, [2]string{"b", "c"})
		for i, m := range ms {
			s := &shelf{has: meshtest.NewContents()}
			s.Node = meshtest.Start(m, w.Node(names[i]), 1, mesh.Options{
				Rand: w.Entropy(names[i]), Contents: s.has,
				Heard: func(_ log.DeviceID, _ log.SpaceID, _ uint8, data []byte) { ears[i] = append(ears[i], string(data)) },
			})
			nodes = append(nodes, s)
		}
		defer func() {
			for _, n := range nodes {
				if err := n.Stop(); err != nil {
					w.T.Error(err)
				}
			}
		}()
		a, b, c := nodes[0], nodes[1], nodes[2]
		began := time.Now()
		if !w.Until(15*time.Second, func() bool { return seen(a, "c").Here && seen(c, "a").Here }) {
			w.T.Fatalf("a sees %+v, b carries %d", a.Peers(), b.Relays())
		}
		w.T.Logf("a session through b after %v", time.Since(began))
		if p, q := seen(a, "c"), seen(c, "a"); p.Via != b.Device.ID || q.Via != b.Device.ID || p.Device != c.Device.ID {
			w.T.Errorf("a sees c as %+v, c sees a as %+v", p, q)
		}
		if p := seen(a, "b"); p.Via != (log.DeviceID{}) {
			w.T.Errorf("b is not direct: %+v", p)
		}
		if !w.Until(10*time.Second, func() bool { return seen(a, "c").RTT > 0 }) {
			w.T.Error("no round trip measured")
		}
		for i := range 20 {
			a.Whisper(o.Space(), 1, fmt.Append(nil, i))
		}
		if !w.Until(time.Second, func() bool { return len(ears[2]) == 20 && len(ears[1]) == 20 }) {
			w.T.Errorf("c heard %q, b heard %q", ears[2], ears[1])
		}
		pieces, data := meshtest.Made("x", 50, 128<<10)
		c.stock(pieces, data)
		got, err := meshtest.Fetch(w.T.Context(), a.Mesh, o.Space(), pieces, data, nil, nil)
		if err == nil {
			err = got.Check(len(pieces), 0)
		}
		if err != nil || b.Relays() != 2 {
			w.T.Errorf("blocks through b, which carries %d: %v", b.Relays(), err)
		}
		w.Heal("a", "c")
		if !w.Until(40*time.Second, func() bool {
			return seen(a, "c").Via == log.DeviceID{} && seen(c, "a").Via == log.DeviceID{} && b.Relays() == 0
		}) {
			w.T.Fatalf("not direct though it could be: %+v; b carries %d", seen(a, "c"), b.Relays())
		}
		if !seen(a, "c").Here || !seen(c, "a").Here {
			w.T.Error("gone with the detour")
		}
		more, bytes := meshtest.Made("y", 10, 1000)
		c.stock(more, bytes)
		got, err = meshtest.Fetch(w.T.Context(), a.Mesh, o.Space(), more, bytes, nil, nil)
		if err != nil || got.Check(len(more), 0) != nil || b.Relays() != 0 {
			w.T.Errorf("blocks directly: %v; b carries %d", err, b.Relays())
		}
	})
}
