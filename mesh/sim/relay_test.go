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
		ears := [3]*ear{{}, {}, {}}
		apart(w, names, [2]string{"a", "b"}, [2]string{"b", "c"})
		for i, m := range ms {
			s := &shelf{has: meshtest.NewContents()}
			s.Node = meshtest.Start(m, w.Node(names[i]), 1, mesh.Options{
				Rand: w.Entropy(names[i]), Contents: s.has,
				Heard: func(_ log.DeviceID, _ log.SpaceID, _ uint8, data []byte) { ears[i].hear(string(data)) },
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
		if !w.Until(time.Second, func() bool { return len(ears[2].said()) == 20 && len(ears[1].said()) == 20 }) {
			w.T.Errorf("c heard %q, b heard %q", ears[2].said(), ears[1].said())
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

func (e *ear) hear(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, what)
}

// TestRelayDies: whoever carried leaves, and another one carries; with nobody left
// to carry, the two are not here.
func TestRelayDies(t *testing.T) {
	for name, leave := range map[string]func(w *sim.World, n *meshtest.Node){
		"goodbye": func(_ *sim.World, n *meshtest.Node) { n.Stop() },
		"crash":   func(w *sim.World, n *meshtest.Node) { w.Crash(string(n.Device.Peer)); n.Stop() },
		"silence": func(w *sim.World, n *meshtest.Node) {
			for _, other := range []string{"a", "b", "c", "d"} {
				if other != string(n.Device.Peer) {
					w.Cut(string(n.Device.Peer), other)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			sim.Run(t, 1, func(w *sim.World) {
				names := []string{"a", "b", "c", "d"}
				_, ms := members(names...)
				w.Cut("a", "c")
				nodes := map[string]*meshtest.Node{}
				for i, m := range ms {
					nodes[names[i]] = meshtest.Start(m, w.Node(names[i]), 1, mesh.Options{Rand: w.Entropy(names[i])})
				}
				stopped := map[string]bool{}
				defer func() {
					for _, name := range names {
						if !stopped[name] {
							nodes[name].Stop()
						}
					}
				}()
				a, c := nodes["a"], nodes["c"]
				both := func() bool { return seen(a, "c").Here && seen(c, "a").Here }
				if !w.Until(15*time.Second, both) {
					w.T.Fatalf("a sees %+v", a.Peers())
				}
				time.Sleep(time.Duration(w.Rand.IntN(int(20 * time.Second))))
				for range 2 {
					by := nodes["b"]
					if seen(a, "c").Via == nodes["d"].Device.ID {
						by = nodes["d"]
					}
					stopped[string(by.Device.Peer)] = name != "silence"
					leave(w, by)
					began := time.Now()
					ok := w.Until(30*time.Second, func() bool {
						via := seen(a, "c").Via
						return !seen(a, string(by.Device.Peer)).Here && (!both() || via != by.Device.ID && via == seen(c, "a").Via)
					})
					if !ok {
						w.T.Fatalf("still through the one that left: %+v", a.Peers())
					}
					w.T.Logf("noticed after %v", time.Since(began))
					if len(a.Here()) > 0 && !w.Until(20*time.Second, both) {
						w.T.Fatalf("the other one does not carry: %+v", a.Peers())
					}
					w.T.Logf("again after %v, a sees %v", time.Since(began), a.Here())
				}
				if both() {
					w.T.Error("here with nobody to carry")
				}
			})
		})
	}
}

// TestRelayChain: two devices in a row carry, three do not.
func TestRelayChain(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		names := []string{"a", "b", "c", "d", "e"}
		o, ms := members(names...)
		apart(w, names, [2]string{"a", "b"}, [2]string{"b", "c"}, [2]string{"c", "d"}, [2]string{"d", "e"})
		run(w, ms, func(nodes []*meshtest.Node) {
			began := time.Now()
			if !w.Until(40*time.Second, func() bool {
				return len(nodes[0].Here()) == 3 && len(nodes[4].Here()) == 3 && len(nodes[2].Here()) == 4
			}) {
				w.T.Fatalf("a sees %v, c %v, e %v", nodes[0].Here(), nodes[2].Here(), nodes[4].Here())
			}
			w.T.Logf("a sees %v after %v", nodes[0].Here(), time.Since(began))
			time.Sleep(30 * time.Second)
			if seen(nodes[0], "e").Here || !seen(nodes[0], "d").Here {
				w.T.Errorf("a sees %v", nodes[0].Here())
			}
			id, seq := nodes[0].Post(o.Space(), "to all")
			if !w.Until(2*time.Second, holds(ms[4], id, seq)) {
				w.T.Error("what a wrote did not come to e")
			}
		})
	})
}

// TestRelayRemoved: who is removed is carried no more, whatever carries him.
func TestRelayRemoved(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		_, ms := members("b", "a", "c")
		w.Cut("a", "c")
		run(w, ms, func(nodes []*meshtest.Node) {
			b, a, c := nodes[0], nodes[1], nodes[2]
			if !w.Until(15*time.Second, func() bool { return seen(a, "c").Here && seen(c, "a").Here }) {
				w.T.Fatalf("a sees %+v", a.Peers())
			}
			card, e := b.Revoke(a.Device)
			b.Push(card, e.Bytes())
			b.Refresh()
			if !w.Until(3*time.Second, func() bool { return b.Relays() == 0 && !seen(c, "a").Here && !seen(a, "c").Here }) {
				w.T.Errorf("b carries %d, c sees %+v", b.Relays(), seen(c, "a"))
			}
			time.Sleep(time.Minute)
			if b.Relays() != 0 || seen(a, "c").Here {
				w.T.Error("it came back")
			}
		})
	})
}

// TestRelayEverywhere: whatever is cut, in the end a device sees just those it can
// reach, directly where it can, and through one or two others where it cannot.
func TestRelayEverywhere(t *testing.T) {
	first, last := uint64(1), uint64(20)
	if *oneSeed != 0 {
		first, last = *oneSeed, *oneSeed
	} else if testing.Short() {
		last = 4
	}
	for seed := first; seed <= last; seed++ {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) { sim.Run(t, seed, relayEverywhere) })
		if !ok {
			t.Fatalf("replay with: go test ./mesh/sim -run TestRelayEverywhere -seed=%d", seed)
		}
	}
}

func relayEverywhere(w *sim.World) {
	var names []string
	for i := range 10 {
		names = append(names, string(rune('a'+i)))
	}
	_, ms := members(names...)
	run(w, ms, func(nodes []*meshtest.Node) {
		for range 3 {
			steps := cutAtRandom(w, names)
			right := func() string {
				for i, n := range nodes {
					for j, name := range names {
						p := seen(n, name)
						direct := p.Via == log.DeviceID{}
						if far := steps[i][j]; i != j && (p.Here != (far <= 3) || p.Here && direct != (far == 1)) {
							return fmt.Sprintf("%s sees %s, which is %d away, as %+v", names[i], name, far, p)
						}
					}
				}
				return ""
			}
			began := time.Now()
			if !w.Until(2*time.Minute, func() bool { return right() == "" }) {
				w.T.Fatal(right())
			}
			w.T.Logf("as it should be after %v", time.Since(began))
		}
	})
}

// cutAtRandom cuts many pairs and returns how many steps apart all are; more than
// there are names where there is no way.
func cutAtRandom(w *sim.World, names []string) [][]int {
	share := 0.3 + 0.6*w.Rand.Float64()
	n := len(names)
	steps := make([][]int, n)
	for i := range steps {
		steps[i] = slices.Repeat([]int{n + 1}, n)
		steps[i][i] = 0
	}
	for i, a := range names {
		for j := i + 1; j < n; j++ {
			if w.Rand.Float64() < share {
				w.Cut(a, names[j])
				continue
			}
			w.Heal(a, names[j])
			steps[i][j], steps[j][i] = 1, 1
		}
	}
	for k := range n {
		for i := range n {
			for j := range n {
				steps[i][j] = min(steps[i][j], steps[i][k]+steps[k][j])
			}
		}
	}
	return steps
}
