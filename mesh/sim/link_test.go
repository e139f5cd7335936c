package sim_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

// members returns the holdings of some devices that know each other.
func members(names ...string) (*meshtest.Office, []*meshtest.Memory) {
	founder := meshtest.NewDevice(names[0], mesh.PeerID(names[0]))
	o := meshtest.NewOffice(founder)
	ms := []*meshtest.Memory{meshtest.NewMemory(o, founder)}
	for _, name := range names[1:] {
		d := meshtest.NewDevice(name, mesh.PeerID(name))
		ms[0].Admit(d)
		ms = append(ms, meshtest.NewMemory(o, d))
	}
	for _, m := range ms[1:] {
		m.Take(ms[0])
	}
	return o, ms
}

// run starts all and stops them at the end of f. Their dials may be made late.
func run(w *sim.World, ms []*meshtest.Memory, f func(nodes []*meshtest.Node), late ...time.Duration) {
	var nodes []*meshtest.Node
	for i, m := range ms {
		name := string(m.Device.Peer)
		tr := w.Node(name)
		if i < len(late) {
			tr = slow{tr, late[i]}
		}
		nodes = append(nodes, meshtest.Start(m, tr, 1, mesh.Options{Rand: w.Entropy(name), Now: w.Clock(name)}))
	}
	defer func() {
		for _, n := range nodes {
			if err := n.Stop(); err != nil {
				w.T.Error(err)
			}
		}
	}()
	f(nodes)
}

// slow dials late.
type slow struct {
	mesh.Transport
	by time.Duration
}

func (s slow) Dial(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	time.Sleep(s.by)
	return s.Transport.Dial(ctx, to, addrs, proto)
}

func holds(m *meshtest.Memory, id log.LogID, seq uint64) func() bool {
	return func() bool { return m.Top(id) >= seq }
}

// TestHistoryDoesNotDelay: while a long history comes over a slow link, a message
// written now arrives now.
func TestHistoryDoesNotDelay(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, ms := members("a", "b", "c")
		for i := range 8000 {
			ms[2].Append(o.Space(), fmt.Appendf(nil, "%0100d", i))
		}
		all, err := ms[2].Entries(w.T.Context(), firstLog(ms[2], o.Space()), 1, 8000, 1<<30)
		if err != nil {
			w.T.Fatal(err)
		}
		card, _ := ms[2].Card(firstLog(ms[2], o.Space()))
		if _, err := ms[0].Import(w.T.Context(), card, all, false); err != nil {
			w.T.Fatal(err)
		}
		w.SetLinks(sim.Link{Rate: 200_000})
		run(w, ms[:2], func(nodes []*meshtest.Node) {
			a, b := nodes[0], nodes[1]
			if !w.Until(10*time.Second, func() bool { return len(a.Here()) == 1 && ms[1].Top(card.ID()) > 0 }) {
				w.T.Fatal("history does not come")
			}
			var slowest time.Duration
			n := 0
			for ms[1].Top(card.ID()) < 8000 {
				began := time.Now()
				id, seq := a.Post(o.Space(), "now")
				if !w.Until(20*time.Second, holds(b.Memory, id, seq)) {
					w.T.Fatal("never came")
				}
				slowest = max(slowest, time.Since(began))
				n++
				time.Sleep(300 * time.Millisecond)
			}
			w.T.Logf("%d messages meanwhile, the slowest took %v", n, slowest)
			if n < 10 || slowest > time.Second {
				w.T.Errorf("%d messages, the slowest took %v", n, slowest)
			}
		})
	})
}

func firstLog(m *meshtest.Memory, space log.SpaceID) log.LogID {
	for id := range m.Heights(space) {
		return id
	}
	return log.LogID{}
}

// TestSlowPeer: one device behind a line that hardly carries anything delays
// nobody else, and gets everything in the end.
func TestSlowPeer(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, ms := members("a", "b", "c")
		for i := range 500 {
			ms[0].Append(o.Space(), fmt.Appendf(nil, "%0100d", i))
		}
		w.SetLink("a", "c", sim.Link{Rate: 5000})
		w.SetLink("b", "c", sim.Link{Rate: 5000})
		run(w, ms, func(nodes []*meshtest.Node) {
			if !w.Until(20*time.Second, func() bool { return len(nodes[0].Here()) == 2 && meshtest.Equal(o.Space(), ms[:2]...) }) {
				w.T.Fatal("they do not meet")
			}
			for i := range 100 {
				began := time.Now()
				id, seq := nodes[0].Post(o.Space(), fmt.Sprint(i))
				if !w.Until(5*time.Second, holds(ms[1], id, seq)) || time.Since(began) > 50*time.Millisecond {
					w.T.Fatalf("message %d took %v", i, time.Since(began))
				}
				time.Sleep(100 * time.Millisecond)
			}
			if !w.Until(5*time.Minute, func() bool { return meshtest.Equal(o.Space(), ms...) }) {
				w.T.Errorf("the slow one has %d entries", len(ms[2].Payloads(o.Space())))
			}
		})
	})
}

// TestManyLogs: more logs than fit into one list of heights.
func TestManyLogs(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, ms := members("a", "b")
		const n = 3000
		for i := range n {
			card := log.Card{Workspace: o.Workspace, Space: o.Space(), Device: ms[0].Device.ID, Incarnation: log.Incarnation{byte(i), byte(i >> 8), 9}}
			e, err := log.New(ms[0].Device.Key, log.Header{Log: card.ID(), Seq: 1, Kind: log.KindChat}, []byte("x"))
			if err != nil {
				w.T.Fatal(err)
			}
			if _, err := ms[0].Import(w.T.Context(), card, [][]byte{e.Bytes()}, false); err != nil {
				w.T.Fatal(err)
			}
		}
		run(w, ms, func(nodes []*meshtest.Node) {
			if !w.Until(20*time.Second, func() bool { return meshtest.Equal(o.Space(), ms...) }) {
				w.T.Errorf("%d of %d logs came", len(ms[1].Heights(o.Space())), n)
			}
		})
	})
}

// TestIdle: two devices in sync say next to nothing, and nothing changes.
func TestIdle(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		_, ms := members("a", "b")
		var changes atomic.Int64
		a := meshtest.Start(ms[0], w.Node("a"), 1, mesh.Options{Rand: w.Entropy("a"), OnChange: func() { changes.Add(1) }})
		b := meshtest.Start(ms[1], w.Node("b"), 1, mesh.Options{Rand: w.Entropy("b")})
		time.Sleep(time.Minute)
		if len(a.Here()) != 1 || changes.Load() == 0 {
			w.T.Errorf("a sees %v after %d changes", a.Here(), changes.Load())
		}
		_, before := w.Trace()
		changed := changes.Load()
		time.Sleep(10 * time.Minute)
		_, after := w.Trace()
		// A ping and its pong every 4 s, two digests a minute, beacons.
		if got := after - before; got > 2*150+2*20+2*30 {
			w.T.Errorf("%d frames in ten idle minutes", got)
		}
		if changes.Load() != changed {
			w.T.Errorf("%d changes while nothing changed", changes.Load()-changed)
		}
		b.Stop()
		if !w.Until(time.Second, func() bool { return changes.Load() > changed }) {
			w.T.Error("b left and nobody was told")
		}
		a.Stop()
	})
}

// TestJoin: who wants to join gets through to the application, few at a time.
func TestJoin(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		_, ms := members("a")
		a := meshtest.Start(ms[0], w.Node("a"), 1, mesh.Options{Rand: w.Entropy("a"), Join: func(ctx context.Context, c mesh.Conn) {
			stop := context.AfterFunc(ctx, func() { c.Close() })
			defer stop()
			for f, err := c.Recv(); err == nil; f, err = c.Recv() {
				c.Send(f)
			}
		}})
		defer a.Stop()
		x := w.Node("x")
		answered := 0
		for range 5 {
			c, err := x.Dial(w.T.Context(), "a", nil, mesh.ProtoJoin)
			if err != nil {
				w.T.Fatal(err)
			}
			defer c.Close()
			c.Send([]byte("hello"))
			if f, err := c.Recv(); err == nil && string(f) == "hello" {
				answered++
			}
		}
		if answered != 2 {
			w.T.Errorf("%d at once of one peer, want 2", answered)
		}
	})
}

// TestChain: a message passes through devices that do not see each other's
// neighbours, each hop within a fifth of a second.
func TestChain(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		names := []string{"a", "b", "c", "d", "e"}
		o, ms := members(names...)
		for i, x := range names {
			for j, y := range names {
				if j > i+1 {
					w.Cut(x, y)
				}
			}
		}
		run(w, ms, func(nodes []*meshtest.Node) {
			if !w.Until(30*time.Second, func() bool { return len(nodes[1].Here()) == 2 && len(nodes[3].Here()) == 2 }) {
				w.T.Fatal("the chain does not form")
			}
			time.Sleep(5 * time.Second)
			for range 20 {
				began := time.Now()
				id, seq := nodes[0].Post(o.Space(), "from one end")
				if !w.Until(5*time.Second, holds(ms[4], id, seq)) || time.Since(began) > 800*time.Millisecond {
					w.T.Fatalf("took %v to the other end", time.Since(began))
				}
				time.Sleep(time.Second)
			}
		})
	})
}

// TestNoForwardingTwice: when all are connected, an entry goes to each device
// once; nobody is asked for what its author sends.
func TestNoForwardingTwice(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, ms := members("a", "b", "c", "d", "e", "f")
		run(w, ms, func(nodes []*meshtest.Node) {
			if !w.Until(30*time.Second, func() bool {
				for _, n := range nodes {
					if len(n.Here()) < 5 {
						return false
					}
				}
				return true
			}) {
				w.T.Fatal("they do not meet")
			}
			time.Sleep(2 * time.Second)
			before := 0
			for _, m := range ms {
				all, _ := m.Imports()
				before += all
			}
			for i := range 60 {
				id, seq := nodes[i%6].Post(o.Space(), fmt.Sprint(i))
				time.Sleep(300 * time.Millisecond)
				if held := ms[i%6].Held(id, seq); held != 5 {
					w.T.Errorf("the author knows of %d who hold entry %d, want 5", held, i)
				}
			}
			after := 0
			for _, m := range ms {
				all, _ := m.Imports()
				after += all
			}
			if got := after - before; got != 60*5 {
				w.T.Errorf("%d imports of 60 entries on 5 devices", got)
			}
		})
	})
}

// TestCrossedDials: both dial at the same time; one connection stays, and stays.
func TestCrossedDials(t *testing.T) {
	for seed := range uint64(60) {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			sim.Run(t, seed, func(w *sim.World) {
				_, ms := members("a", "b")
				w.SetLinks(sim.Link{Delay: 500 * time.Millisecond, Jitter: 300 * time.Millisecond})
				late := 2*time.Second + time.Duration(w.Rand.IntN(int(4*time.Second)))
				run(w, ms, func(nodes []*meshtest.Node) {
					time.Sleep(30 * time.Second)
					var since [2]time.Time
					for i, n := range nodes {
						if len(n.Here()) != 1 {
							w.T.Fatalf("%d sees %v", i, n.Here())
						}
						since[i] = n.Peers()[0].Since
					}
					time.Sleep(2 * time.Minute)
					for i, n := range nodes {
						if p := n.Peers()[0]; !p.Here || !p.Since.Equal(since[i]) {
							w.T.Errorf("%d had a session since %v, now since %v", i, since[i], p.Since)
						}
					}
				}, late)
			})
		})
		if !ok {
			return
		}
	}
}

// TestCablePulled: without a goodbye it shows within ten seconds, as unknown; when
// the cable is back the two meet at once.
func TestCablePulled(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, ms := members("a", "b")
		run(w, ms, func(nodes []*meshtest.Node) {
			a, b := nodes[0], nodes[1]
			if !w.Until(10*time.Second, func() bool { return len(a.Here()) == 1 && len(b.Here()) == 1 }) {
				w.T.Fatal("they do not meet")
			}
			time.Sleep(20 * time.Second)
			w.Cut("a", "b")
			if !w.Until(10*time.Second, func() bool { return len(a.Here()) == 0 && len(b.Here()) == 0 }) {
				w.T.Fatal("the pulled cable does not show")
			}
			if p := a.Peers()[0]; p.Left != mesh.LeftBroke || time.Since(p.LastSeen) > 12*time.Second {
				w.T.Errorf("b left: %+v", p)
			}
			id, seq := a.Post(o.Space(), "while apart")
			time.Sleep(20 * time.Second)
			w.Heal("a", "b")
			began := time.Now()
			if !w.Until(20*time.Second, holds(ms[1], id, seq)) || time.Since(began) > 2*time.Second {
				w.T.Errorf("together again after %v", time.Since(began))
			}
		})
	})
}

// TestNewAddress: a device that gets another address is found again at once.
func TestNewAddress(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, ms := members("a", "b")
		run(w, ms, func(nodes []*meshtest.Node) {
			a := nodes[0]
			if !w.Until(10*time.Second, func() bool { return len(a.Here()) == 1 }) {
				w.T.Fatal("they do not meet")
			}
			time.Sleep(20 * time.Second)
			w.Move("b")
			began := time.Now()
			id, seq := a.Post(o.Space(), "where are you")
			if !w.Until(20*time.Second, holds(ms[1], id, seq)) || time.Since(began) > 5*time.Second {
				w.T.Errorf("took %v", time.Since(began))
			}
		})
	})
}

// TestFiftyDevices: a whole office starts at once, and a message is everywhere
// right away.
func TestFiftyDevices(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds of processor time")
	}
	sim.Run(t, 1, func(w *sim.World) {
		var names []string
		for i := range 50 {
			names = append(names, fmt.Sprintf("n%02d", i))
		}
		o, ms := members(names...)
		run(w, ms, func(nodes []*meshtest.Node) {
			began := time.Now()
			if !w.Until(30*time.Second, func() bool {
				return !slices.ContainsFunc(nodes, func(n *meshtest.Node) bool { return len(n.Here()) < 49 })
			}) {
				w.T.Fatal("they do not meet")
			}
			w.T.Logf("all met after %v", time.Since(began))
			time.Sleep(2 * time.Second)
			id, seq := nodes[7].Post(o.Space(), "good morning")
			began = time.Now()
			if !w.Until(time.Second, func() bool {
				return !slices.ContainsFunc(ms, func(m *meshtest.Memory) bool { return !holds(m, id, seq)() })
			}) {
				w.T.Error("not everywhere within a second")
			}
			w.T.Logf("everywhere after %v", time.Since(began))
			if !w.Until(time.Second, func() bool { return ms[7].Held(id, seq) == 49 }) {
				w.T.Errorf("the author knows of %d who hold it", ms[7].Held(id, seq))
			}
		})
	})
}
