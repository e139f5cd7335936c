package sim_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

// TestControlBackAndForth: two admins whose control entries name each other's, so
// that neither log goes in whole before the other.
func TestControlBackAndForth(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		_, ms := members("a", "b", "c")
		for i := range 40 {
			name := fmt.Sprint("new", i)
			ms[i%2].Admit(meshtest.NewDevice(name, "z"))
			ms[(i+1)%2].Take(ms[i%2])
		}
		run(w, ms, func(nodes []*meshtest.Node) {
			began := time.Now()
			if !w.Until(30*time.Second, func() bool { return meshtest.Equal(log.Control, ms...) }) {
				w.T.Fatalf("c has %d of %d control entries", len(ms[2].Payloads(log.Control)), len(ms[0].Payloads(log.Control)))
			}
			if took := time.Since(began); took > 5*time.Second {
				w.T.Errorf("took %v", took)
			}
		})
	})
}

// TestFork: a device that exists twice is found out, does not keep others from
// syncing, and does not make them talk without end.
func TestFork(t *testing.T) {
	for name, more := range map[string]int{"same length": 1, "longer": 3} {
		t.Run(name, func(t *testing.T) {
			sim.Run(t, 1, func(w *sim.World) {
				o, ms := members("a", "b")
				ms[0].Append(o.Space(), []byte("common"))
				copied := ms[0].Copy()
				ms[0].Append(o.Space(), []byte("one way"))
				ms[1].Import(w.T.Context(), cardOf(ms[0], o.Space()), entriesOf(w, ms[0], o.Space()), true)
				for range more {
					copied.Append(o.Space(), []byte("the other way"))
				}
				ms[0] = copied
				run(w, ms, func(nodes []*meshtest.Node) {
					if !w.Until(30*time.Second, func() bool { return ms[1].Forks() > 0 || ms[0].Forks() > 0 }) {
						w.T.Fatal("nobody noticed")
					}
					id, seq := nodes[1].Post(o.Space(), "from b")
					if !w.Until(5*time.Second, holds(ms[0], id, seq)) {
						w.T.Error("a fork keeps other logs from syncing")
					}
					_, before := w.Trace()
					time.Sleep(10 * time.Minute)
					if _, after := w.Trace(); after-before > 900 {
						w.T.Errorf("%d frames in ten minutes", after-before)
					}
				})
			})
		})
	}
}

func cardOf(m *meshtest.Memory, space log.SpaceID) log.Card {
	card, _ := m.Card(firstLog(m, space))
	return card
}

func entriesOf(w *sim.World, m *meshtest.Memory, space log.SpaceID) [][]byte {
	list, err := m.Entries(w.T.Context(), firstLog(m, space), 1, 1<<40, 1<<30)
	if err != nil {
		w.T.Fatal(err)
	}
	return list
}

// TestPrivateSpace: who does not share a space hears nothing of it, and sharing it
// later brings all of it.
func TestPrivateSpace(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, ms := members("a", "b", "c")
		secret := log.SpaceID{5}
		o.Share(secret, ms[0].Device.ID, ms[1].Device.ID)
		run(w, ms, func(nodes []*meshtest.Node) {
			if !w.Until(20*time.Second, func() bool { return len(nodes[0].Here()) == 2 && len(nodes[1].Here()) == 2 }) {
				w.T.Fatal("they do not meet")
			}
			id, seq := nodes[0].Post(secret, "for b alone")
			if !w.Until(time.Second, holds(ms[1], id, seq)) {
				w.T.Error("b did not get it")
			}
			time.Sleep(2 * time.Minute)
			if len(ms[2].Payloads(secret)) > 0 || ms[0].Held(id, seq) != 1 {
				w.T.Error("c got what is not for it")
			}
			o.Share(secret, ms[0].Device.ID, ms[1].Device.ID, ms[2].Device.ID)
			for _, n := range nodes {
				n.Refresh()
			}
			if !w.Until(5*time.Second, func() bool { return meshtest.Equal(secret, ms...) }) {
				w.T.Error("c shares the space now and has nothing of it")
			}
		})
	})
}

// TestAdvanced: entries the Mesh was not handed are read and pushed too.
func TestAdvanced(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, ms := members("a", "b")
		run(w, ms, func(nodes []*meshtest.Node) {
			if !w.Until(20*time.Second, func() bool { return len(nodes[0].Here()) == 1 && len(nodes[1].Here()) == 1 }) {
				w.T.Fatal("they do not meet")
			}
			time.Sleep(time.Second)
			_, bulk := ms[1].Imports()
			var last *log.Entry
			for range 3 {
				_, last = ms[0].Append(o.Space(), []byte("x"))
			}
			nodes[0].Advanced(o.Space(), last.Log)
			if !w.Until(30*time.Millisecond, holds(ms[1], last.Log, last.Seq)) {
				w.T.Error("not pushed")
			}
			if _, now := ms[1].Imports(); now != bulk {
				w.T.Error("asked for, not pushed")
			}
			// What nobody told the Mesh at all is found when heights are compared.
			_, last = ms[0].Append(o.Space(), []byte("y"))
			if !w.Until(70*time.Second, holds(ms[1], last.Log, last.Seq)) {
				w.T.Error("not found")
			}
		})
	})
}

// mute is the Transport of a member that never answers a want.
type mute struct{ mesh.Transport }

type muteConn struct{ mesh.Conn }

func (m mute) Dial(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	c, err := m.Transport.Dial(ctx, to, addrs, proto)
	return muteConn{c}, err
}

func (m mute) Accept(ctx context.Context) (mesh.Conn, error) {
	c, err := m.Transport.Accept(ctx)
	return muteConn{c}, err
}

func (c muteConn) Send(frame []byte) error {
	if frame[0] == 0x83 && frame[1] == 6 {
		return nil
	}
	return c.Conn.Send(frame)
}

// TestSilentPeer: what one peer does not send is asked of another.
func TestSilentPeer(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, ms := members("a", "b", "c")
		for i := range 300 {
			ms[2].Append(o.Space(), fmt.Append(nil, i))
		}
		if _, err := ms[1].Import(w.T.Context(), cardOf(ms[2], o.Space()), entriesOf(w, ms[2], o.Space()), false); err != nil {
			w.T.Fatal(err)
		}
		b := meshtest.Start(ms[1], mute{w.Node("b")}, 1, mesh.Options{Rand: w.Entropy("b")})
		a := meshtest.Start(ms[0], w.Node("a"), 1, mesh.Options{Rand: w.Entropy("a")})
		if !w.Until(20*time.Second, func() bool { return len(a.Here()) == 1 }) {
			w.T.Fatal("they do not meet")
		}
		time.Sleep(5 * time.Second)
		c := meshtest.Start(ms[2], w.Node("c"), 1, mesh.Options{Rand: w.Entropy("c")})
		if !w.Until(15*time.Second, func() bool { return meshtest.Equal(o.Space(), ms...) }) {
			w.T.Errorf("a has %d entries", len(ms[0].Payloads(o.Space())))
		}
		if len(a.Here()) != 2 {
			w.T.Errorf("a sees %v; a slow peer is no dead peer", a.Here())
		}
		for _, n := range []*meshtest.Node{a, b, c} {
			n.Stop()
		}
	})
}

// TestRefused: a device whose card names another peer is not let in, and of those
// nobody knows only some.
func TestRefused(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, ms := members("a")
		moved := meshtest.NewDevice("b", "elsewhere")
		ms[0].Admit(moved)
		a := meshtest.Start(ms[0], w.Node("a"), 1, mesh.Options{Rand: w.Entropy("a")})
		stolen := meshtest.NewMemory(o, moved)
		stolen.Take(ms[0])
		nodes := []*meshtest.Node{a, meshtest.Start(stolen, w.Node("b"), 1, mesh.Options{Rand: w.Entropy("b")})}
		time.Sleep(20 * time.Second)
		if len(a.Here()) > 0 {
			w.T.Errorf("a sees %v", a.Here())
		}
		for i := range 30 {
			name := fmt.Sprintf("s%02d", i)
			m := meshtest.NewMemory(o, meshtest.NewDevice(name, mesh.PeerID(name)))
			nodes = append(nodes, meshtest.Start(m, w.Node(name), 1, mesh.Options{Rand: w.Entropy(name)}))
		}
		time.Sleep(20 * time.Second)
		if n := len(a.Here()); n == 0 || n > 16 {
			w.T.Errorf("%d strangers", n)
		}
		for _, n := range nodes {
			n.Stop()
		}
	})
}

// TestReachedIsWhatAnswered: of several addresses that were dialed the one that
// answered is kept, and told, and no other.
func TestReachedIsWhatAnswered(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		_, ms := members("a", "b", "c")
		ms[0].Reached("b", []string{"sim:nowhere/7", "sim:b/0"})
		run(w, ms, func(nodes []*meshtest.Node) {
			if !w.Until(30*time.Second, func() bool { return len(nodes[0].Here()) == 2 && len(nodes[2].Here()) == 2 }) {
				w.T.Fatal("they do not meet")
			}
			time.Sleep(2 * time.Minute)
			for i, of := range []mesh.PeerID{"b", "a"} {
				if got := nodes[i].Members()[of]; !slices.Equal(got, []string{"sim:" + string(of) + "/0"}) {
					w.T.Errorf("%s reached %s at %q", ms[i].Device.Peer, of, got)
				}
			}
		})
	})
}
