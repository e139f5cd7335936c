package sim_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

// modem is the line of a slow peer: 64 kbit/s each way.
var modem = sim.Link{Delay: 30 * time.Millisecond, Rate: 8000}

// TestSlowAmongFast: while a slow peer pulls a backlog, what the fast ones write
// is with each other at once, and the slow one gets everything in the end.
func TestSlowAmongFast(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		names := []string{"a", "b", "c", "d", "e", "f", "g", "slow"}
		o, ms := members(names...)
		for i := range 1000 {
			ms[i%7].Append(o.Space(), fmt.Appendf(nil, "%0100d", i))
		}
		for _, name := range names[:7] {
			w.SetLink(name, "slow", modem)
		}
		run(w, ms, func(nodes []*meshtest.Node) {
			if !w.Until(20*time.Second, func() bool { return len(nodes[7].Here()) == 7 && meshtest.Equal(o.Space(), ms[:7]...) }) {
				w.T.Fatal("they do not meet")
			}
			behind := false
			var slowest time.Duration
			for i := range 140 {
				behind = behind || !meshtest.Equal(o.Space(), ms[0], ms[7])
				began := time.Now()
				id, seq := nodes[i%7].Post(o.Space(), fmt.Sprint(i))
				all := func() bool {
					for _, m := range ms[:7] {
						if m.Top(id) < seq {
							return false
						}
					}
					return true
				}
				if !w.Until(10*time.Second, all) {
					w.T.Fatalf("message %d does not come", i)
				}
				slowest = max(slowest, time.Since(began))
				time.Sleep(100 * time.Millisecond)
			}
			if !behind || slowest > 20*time.Millisecond {
				w.T.Errorf("the slowest message took %v; the slow peer lagged: %v", slowest, behind)
			}
			began := time.Now()
			if !w.Until(5*time.Minute, func() bool { return meshtest.Equal(o.Space(), ms...) }) {
				w.T.Fatalf("the slow one has %d entries", len(ms[7].Payloads(o.Space())))
			}
			w.T.Logf("the slowest message took %v, the slow peer %v longer", slowest, time.Since(began))
		})
	})
}

// TestSlowSource: a new device that met a slow peer first has a long log from the
// fast ones that come after.
func TestSlowSource(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, ms := members("founder", "a", "b", "c", "new")
		const n = 8000
		for i := range n {
			ms[0].Append(o.Space(), fmt.Appendf(nil, "%0100d", i))
		}
		card, all := cardOf(ms[0], o.Space()), entriesOf(w, ms[0], o.Space())
		for _, m := range ms[1:4] {
			if _, err := m.Import(w.T.Context(), card, all, false); err != nil {
				w.T.Fatal(err)
			}
		}
		for _, name := range []string{"a", "c", "new"} {
			w.SetLink(name, "b", modem)
		}
		w.Cut("a", "new")
		w.Cut("c", "new")
		run(w, ms[1:], func(nodes []*meshtest.Node) {
			if !w.Until(20*time.Second, holds(ms[4], card.ID(), 1)) {
				w.T.Fatal("nothing comes from the slow one")
			}
			w.HealAll()
			began := time.Now()
			if !w.Until(10*time.Minute, holds(ms[4], card.ID(), n)) {
				w.T.Fatalf("it has %d entries", ms[4].Top(card.ID()))
			}
			took := time.Since(began)
			w.T.Logf("all after %v", took)
			if took > 6*time.Second { // one answer of the slow one takes two
				w.T.Errorf("it took %v with two fast peers beside the slow one", took)
			}
		})
	})
}

// clogged is the Transport of a victim whose other ends read nothing: each Conn
// takes as much as the buffers of TCP and then no more.
type clogged struct {
	mesh.Transport
	from func(mesh.PeerID) bool
}

const pipe = 256 << 10 // bytes

type cloggedConn struct {
	mesh.Conn
	mu   sync.Mutex
	room int
	gone chan struct{}
	once sync.Once
}

func (t clogged) clog(c mesh.Conn, err error) (mesh.Conn, error) {
	if err != nil || !t.from(c.Peer()) {
		return c, err
	}
	return &cloggedConn{Conn: c, room: pipe, gone: make(chan struct{})}, nil
}

func (t clogged) Dial(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	return t.clog(t.Transport.Dial(ctx, to, addrs, proto))
}

func (t clogged) Accept(ctx context.Context) (mesh.Conn, error) {
	return t.clog(t.Transport.Accept(ctx))
}

func (c *cloggedConn) Send(frame []byte) error {
	c.mu.Lock()
	c.room -= len(frame)
	full := c.room < 0
	c.mu.Unlock()
	if !full {
		return c.Conn.Send(frame)
	}
	<-c.gone
	return net.ErrClosed
}

func (c *cloggedConn) Close() error {
	c.once.Do(func() { close(c.gone) })
	return c.Conn.Close()
}

// nagging is the Transport of a member that asks one device without end.
type nagging struct {
	mesh.Transport
	at     mesh.PeerID
	frames [][]byte
}

func (t nagging) nag(c mesh.Conn, err error) (mesh.Conn, error) {
	if err != nil || c.Proto() != mesh.ProtoSync || c.Peer() != t.at {
		return c, err
	}
	return &naggingConn{Conn: c, frames: t.frames}, nil
}

func (t nagging) Dial(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	return t.nag(t.Transport.Dial(ctx, to, addrs, proto))
}

func (t nagging) Accept(ctx context.Context) (mesh.Conn, error) {
	return t.nag(t.Transport.Accept(ctx))
}

type naggingConn struct {
	mesh.Conn
	frames [][]byte
	sent   int
}

// Send sends what it is given, and once the hello is over, everything else too.
func (c *naggingConn) Send(frame []byte) error {
	if c.sent++; c.sent == 3 {
		go func() {
			for ; ; time.Sleep(200 * time.Millisecond) {
				for _, f := range c.frames {
					if c.Conn.Send(f) != nil {
						return
					}
				}
			}
		}()
	}
	return c.Conn.Send(frame)
}

// asking is frames that want a lot of answers: lists, batches and pongs.
func asking(space log.SpaceID, id log.LogID, n int) (frames [][]byte) {
	list := [][]any{{2, []any{space[:]}}}
	for i := range 4 {
		list = append(list, []any{5, 1000 + i, log.MaxBatch, []any{[]any{id[:], 1, n}}})
	}
	for i := range 10 {
		list = append(list, []any{9, i})
	}
	for _, f := range list {
		b, err := cbor.Marshal(f)
		if err != nil {
			panic(err)
		}
		frames = append(frames, b)
	}
	return frames
}

// TestPeersThatReadNothing: members that take nothing from their lines, and go on
// asking, cost a bounded part of memory each and delay nobody else.
func TestPeersThatReadNothing(t *testing.T) {
	const (
		bad  = 8
		each = 1 << 20 // bytes: a batch, a list of heights, what is urgent
	)
	sim.Run(t, 1, func(w *sim.World) {
		names := []string{"a", "b"}
		for i := range bad {
			names = append(names, fmt.Sprintf("x%d", i))
			for _, other := range names[1 : i+2] { // or their memory would count
				w.Cut(other, names[i+2])
			}
		}
		o, ms := members(names...)
		for i := range 4000 {
			ms[0].Append(o.Space(), fmt.Appendf(nil, "%01000d", i))
		}
		a := meshtest.Start(ms[0], clogged{w.Node("a"), func(p mesh.PeerID) bool { return p != "b" }}, 1, mesh.Options{Rand: w.Entropy("a")})
		b := meshtest.Start(ms[1], w.Node("b"), 1, mesh.Options{Rand: w.Entropy("b")})
		if !w.Until(30*time.Second, func() bool { return meshtest.Equal(o.Space(), ms[:2]...) }) {
			w.T.Fatal("a and b do not meet")
		}
		nag := asking(o.Space(), firstLog(ms[0], o.Space()), 4000)
		before := memory()
		nodes := []*meshtest.Node{a, b}
		for i, m := range ms[2:] {
			nodes = append(nodes, meshtest.Start(m, nagging{w.Node(names[i+2]), "a", nag}, 1, mesh.Options{Rand: w.Entropy(names[i+2])}))
		}
		peak := int64(0)
		var slowest time.Duration
		met := 0
		for i := range 450 {
			id, seq := a.Post(o.Space(), fmt.Sprintf("%01000d", i))
			began := time.Now()
			if !w.Until(10*time.Second, holds(ms[1], id, seq)) {
				w.T.Fatal("a message does not come to b")
			}
			slowest = max(slowest, time.Since(began))
			time.Sleep(100 * time.Millisecond)
			if i%20 == 0 {
				peak = max(peak, memory()-before)
				met = max(met, len(a.Here())-1)
			}
		}
		w.T.Logf("%d at once that read nothing: at most %d KiB more; the slowest message to b took %v", met, peak>>10, slowest)
		if met < bad || peak > bad*each || slowest > 100*time.Millisecond {
			w.T.Errorf("%d of %d were there, %d KiB more, the slowest message took %v", met, bad, peak>>10, slowest)
		}
		for _, n := range nodes {
			n.Stop()
		}
		time.Sleep(time.Second) // those who nag notice
	})
}
