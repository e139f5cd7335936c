package sim_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

// A knowing Transport makes Conns whose system hears the other end's by itself.
type knowing struct {
	mesh.Transport
	heard func() time.Duration // how long ago
	sent  *atomic.Int64        // frames
}

func (k knowing) Dial(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	c, err := k.Transport.Dial(ctx, to, addrs, proto)
	if err != nil {
		return nil, err
	}
	return knowingConn{c, k}, nil
}

func (k knowing) Accept(ctx context.Context) (mesh.Conn, error) {
	c, err := k.Transport.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return knowingConn{c, k}, nil
}

type knowingConn struct {
	mesh.Conn
	k knowing
}

func (c knowingConn) Heard() (time.Duration, bool) { return c.k.heard(), c.k.heard() >= 0 }

func (c knowingConn) Send(frame []byte) error {
	c.k.sent.Add(1)
	return c.Conn.Send(frame)
}

// alive runs two devices whose systems say what heard returns; sent counts frames.
func alive(t *testing.T, heard func() time.Duration, f func(w *sim.World, a, b *meshtest.Node, sent *atomic.Int64)) {
	sim.Run(t, 1, func(w *sim.World) {
		_, ms := members("a", "b")
		var sent atomic.Int64
		var nodes []*meshtest.Node
		for _, m := range ms {
			name := string(m.Device.Peer)
			tr := knowing{w.Node(name), heard, &sent}
			nodes = append(nodes, meshtest.Start(m, tr, 1, mesh.Options{Rand: w.Entropy(name), Now: w.Clock(name)}))
		}
		defer func() {
			for _, n := range nodes {
				if err := n.Stop(); err != nil {
					w.T.Error(err)
				}
			}
		}()
		a, b := nodes[0], nodes[1]
		if !w.Until(10*time.Second, func() bool { return len(a.Here()) == 1 && len(b.Here()) == 1 }) {
			w.T.Fatal("they do not meet")
		}
		time.Sleep(20 * time.Second)
		f(w, a, b, &sent)
	})
}

// probed is what a system says that asks every five seconds and is answered until
// a moment, on the clock that began with it.
func probed(began, until time.Time) time.Duration {
	now := time.Now()
	if now.After(until) {
		now = until
	}
	return time.Since(now.Add(-now.Sub(began) % (5 * time.Second)))
}

// TestAliveSpeaksLess: where the system knows that the other end is there, an idle
// hour takes a third of the frames, in one session.
func TestAliveSpeaksLess(t *testing.T) {
	hour := func(heard func() time.Duration) (frames int64) {
		alive(t, heard, func(w *sim.World, a, b *meshtest.Node, sent *atomic.Int64) {
			since, before := a.Peers()[0].Since, sent.Load()
			time.Sleep(time.Hour)
			frames = sent.Load() - before
			if p := a.Peers()[0]; !p.Here || !p.Since.Equal(since) || p.RTT == 0 {
				w.T.Errorf("after an hour: %+v", p)
			}
		})
		return frames
	}
	without := hour(func() time.Duration { return -1 })
	with := hour(func() time.Duration { return probed(time.Now().Truncate(time.Hour), time.Now()) })
	t.Logf("frames in an hour: %d, of one that knows %d", without, with)
	if with*3 > without {
		t.Errorf("%d frames in an hour, without the system's help %d", with, without)
	}
}

// TestAliveCablePulled: what the system knows is no reason to notice later.
func TestAliveCablePulled(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Second, 2500 * time.Millisecond, 3900 * time.Millisecond, 27 * time.Second} {
		var pulled atomic.Int64
		heard := func() time.Duration {
			until := time.Now()
			if at := pulled.Load(); at != 0 {
				until = time.Unix(0, at)
			}
			return probed(time.Now().Truncate(time.Hour), until)
		}
		alive(t, heard, func(w *sim.World, a, b *meshtest.Node, _ *atomic.Int64) {
			time.Sleep(wait)
			w.Cut("a", "b")
			pulled.Store(time.Now().UnixNano())
			if !w.Until(10*time.Second, func() bool { return len(a.Here()) == 0 && len(b.Here()) == 0 }) {
				w.T.Errorf("pulled after %v: it does not show", wait)
			}
			if p := a.Peers()[0]; p.Left != mesh.LeftBroke || time.Since(p.LastSeen) > 14*time.Second {
				w.T.Errorf("b left: %+v", p)
			}
		})
	}
}

// TestAliveHung: a program that does not answer is gone, though its system does.
func TestAliveHung(t *testing.T) {
	alive(t, func() time.Duration { return time.Second }, func(w *sim.World, a, b *meshtest.Node, _ *atomic.Int64) {
		w.Cut("a", "b")
		if !w.Until(50*time.Second, func() bool { return len(a.Here()) == 0 && len(b.Here()) == 0 }) {
			w.T.Error("who does not answer is still here")
		}
	})
}
