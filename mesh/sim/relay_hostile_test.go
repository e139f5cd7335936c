package sim_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

// A forger is the Transport of a member that puts frames of its own into its
// session with one peer, and notes what comes back.
type forger struct {
	mesh.Transport
	to mesh.PeerID

	mu   sync.Mutex
	conn *forged
	got  [][]byte
}

type forged struct {
	mesh.Conn
	f  *forger
	mu sync.Mutex
}

func (f *forger) wrap(c mesh.Conn, err error) (mesh.Conn, error) {
	if err != nil || c.Peer() != f.to || c.Proto() != mesh.ProtoSync {
		return c, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conn = &forged{Conn: c, f: f}
	return f.conn, nil
}

func (f *forger) Dial(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	return f.wrap(f.Transport.Dial(ctx, to, addrs, proto))
}

func (f *forger) Accept(ctx context.Context) (mesh.Conn, error) {
	return f.wrap(f.Transport.Accept(ctx))
}

func (c *forged) Send(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Conn.Send(frame)
}

func (c *forged) Recv() ([]byte, error) {
	frame, err := c.Conn.Recv()
	if len(frame) > 1 && frame[1] >= 14 {
		c.f.mu.Lock()
		c.f.got = append(c.f.got, frame)
		c.f.mu.Unlock()
	}
	return frame, err
}

// say sends a frame of the forger's own.
func (f *forger) say(t *testing.T, frame ...any) {
	b, err := cbor.Marshal(frame)
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	c := f.conn
	f.mu.Unlock()
	if err := c.Send(b); err != nil {
		t.Error(err)
	}
}

// refused returns how many frames came that refuse one of these tokens.
func (f *forger) refused(tokens ...[]byte) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, frame := range f.got {
		for _, token := range tokens {
			if frame[1] == 17 && bytes.Contains(frame, token) {
				n++
			}
		}
	}
	return n
}

func tokenOf(n int) []byte { return binary.BigEndian.AppendUint64(make([]byte, 8), uint64(n)+1) }

// TestRelayAttacks: nobody but members is carried, to nobody but members, and not
// more than is bearable.
func TestRelayAttacks(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, ms := members("b", "a", "c")
		w.Cut("a", "c")
		mal := &forger{Transport: w.Node("a"), to: "b"}
		b := meshtest.Start(ms[0], w.Node("b"), 1, mesh.Options{Rand: w.Entropy("b")})
		a := meshtest.Start(ms[1], mal, 1, mesh.Options{Rand: w.Entropy("a")})
		c := meshtest.Start(ms[2], w.Node("c"), 1, mesh.Options{Rand: w.Entropy("c")})
		guest := meshtest.Start(meshtest.NewMemory(o, meshtest.NewDevice("x", "x")), w.Node("x"), 1, mesh.Options{Rand: w.Entropy("x")})
		nobody := w.Node("y")
		defer func() {
			for _, n := range []*meshtest.Node{a, b, c, guest} {
				n.Stop()
			}
		}()
		if !w.Until(15*time.Second, func() bool { return seen(a, "c").Via == b.Device.ID && seen(b, "x").Stranger }) {
			w.T.Fatalf("a sees %+v, b sees %+v", a.Peers(), b.Peers())
		}
		carried := b.Relays()

		for _, tr := range []mesh.Transport{nobody, guest.Transport} { // a stranger, and one that waits to be admitted
			leg, err := tr.Dial(w.T.Context(), "b", nil, mesh.ProtoRelay)
			if err == nil {
				leg.Send(tokenOf(0))
				if f, err := leg.Recv(); err == nil {
					w.T.Errorf("a stranger's leg was answered: %x", f)
				}
			}
		}

		for i, target := range []string{"nobody", "x", "a", "y"} {
			token := tokenOf(100 + i)
			mal.say(w.T, 15, token, target)
			if !w.Until(2*time.Second, func() bool { return mal.refused(token) == 1 }) || b.Relays() != carried {
				w.T.Errorf("to be carried to %s was not refused; %d carried", target, b.Relays())
			}
		}
		for i, from := range []string{"nobody", "x", "b", "a"} { // b is made to believe that a brings somebody
			token := tokenOf(200 + i)
			mal.say(w.T, 16, token, from, 1)
			if !w.Until(2*time.Second, func() bool { return mal.refused(token) == 1 }) {
				w.T.Errorf("%s was brought", from)
			}
		}

		var tokens [][]byte
		for i := range 300 {
			tokens = append(tokens, tokenOf(1000+i))
			mal.say(w.T, 15, tokens[i], "c")
		}
		most := 0
		w.Until(time.Second, func() bool { most = max(most, b.Relays()); return false })
		if n := mal.refused(tokens...); most > carried+40 || n < 240 {
			w.T.Errorf("%d relays for one member, %d asks refused", most, n)
		}
		if !w.Until(20*time.Second, func() bool { return mal.refused(tokens...) >= 300 && b.Relays() <= carried }) {
			w.T.Errorf("b still carries %d, refused %d", b.Relays(), mal.refused(tokens...))
		}

		open := 0
		for i := range 60 {
			leg, err := mal.Transport.Dial(w.T.Context(), "b", nil, mesh.ProtoRelay)
			if err != nil {
				w.T.Fatal(err)
			}
			leg.Send(tokenOf(5000 + i))
			open++
			go func() {
				leg.Recv()
				mal.mu.Lock()
				defer mal.mu.Unlock()
				open--
			}()
		}
		left := func() int { mal.mu.Lock(); defer mal.mu.Unlock(); return open }
		if !w.Until(time.Second, func() bool { return left() <= 16 }) {
			w.T.Errorf("%d legs of nothing are kept", left())
		}
		if !w.Until(15*time.Second, func() bool { return left() == 0 }) {
			w.T.Errorf("%d legs of nothing are still kept", left())
		}
		if !seen(b, "a").Here || !seen(b, "c").Here {
			w.T.Error("honest sessions suffered")
		}
	})
}

// An elder is the Transport of a program from before relays: it neither sends nor
// understands what belongs to them.
type elder struct{ mesh.Transport }

type elderConn struct{ mesh.Conn }

func (e elder) Dial(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	c, err := e.Transport.Dial(ctx, to, addrs, proto)
	if err != nil {
		return nil, err
	}
	return elderConn{c}, nil
}

func (e elder) Accept(ctx context.Context) (mesh.Conn, error) {
	for {
		c, err := e.Transport.Accept(ctx)
		if err != nil {
			return nil, err
		}
		if c.Proto() != mesh.ProtoRelay {
			return elderConn{c}, nil
		}
		c.Close()
	}
}

func (c elderConn) Send(frame []byte) error {
	if c.Proto() == mesh.ProtoSync && len(frame) > 1 && frame[1] >= 14 && frame[1] <= 17 && frame[0] < 0x90 {
		return nil
	}
	return c.Conn.Send(frame)
}

func (c elderConn) Recv() ([]byte, error) {
	for {
		frame, err := c.Conn.Recv()
		if err != nil || c.Proto() != mesh.ProtoSync || len(frame) < 2 || frame[1] < 14 || frame[1] > 17 || frame[0] >= 0x90 {
			return frame, err
		}
	}
}

// TestRelayElder: a program from before relays neither carries nor is carried to,
// and is a full member otherwise.
func TestRelayElder(t *testing.T) {
	for _, old := range []string{"b", "c"} {
		t.Run(old, func(t *testing.T) {
			sim.Run(t, 1, func(w *sim.World) {
				names := []string{"a", "b", "c"}
				o, ms := members(names...)
				w.Cut("a", "c")
				var nodes []*meshtest.Node
				for i, m := range ms {
					tr := w.Node(names[i])
					if names[i] == old {
						tr = elder{tr}
					}
					nodes = append(nodes, meshtest.Start(m, tr, 1, mesh.Options{Rand: w.Entropy(names[i])}))
				}
				defer func() {
					for _, n := range nodes {
						if err := n.Stop(); err != nil {
							w.T.Error(err)
						}
					}
				}()
				time.Sleep(time.Minute)
				if seen(nodes[0], "c").Here || nodes[1].Relays() > 0 {
					w.T.Error("carried though one does not know how")
				}
				since := seen(nodes[1], "c").Since
				id, seq := nodes[0].Post(o.Space(), "hello")
				if !w.Until(2*time.Second, holds(ms[2], id, seq)) {
					w.T.Error("an entry does not come through")
				}
				time.Sleep(time.Minute)
				if p := seen(nodes[1], "c"); !p.Here || !p.Since.Equal(since) {
					w.T.Errorf("the session did not last: %+v", p)
				}
			})
		})
	}
}
