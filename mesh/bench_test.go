package mesh_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
)

// wires join transports in one process with no delay, to measure what a Mesh
// itself costs.
type wires struct {
	mu    sync.Mutex
	nodes map[mesh.PeerID]*wired
}

type wired struct {
	w    *wires
	self mesh.PeerID
	in   chan mesh.Conn
}

type wire struct {
	peer  mesh.PeerID
	proto string
	out   chan<- []byte
	in    <-chan []byte
	done  chan struct{}
	end   func()
}

func (w *wires) node(name mesh.PeerID) *wired {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := &wired{w, name, make(chan mesh.Conn, 16)}
	w.nodes[name] = n
	return n
}

func (n *wired) Self() mesh.PeerID               { return n.self }
func (n *wired) Sightings() <-chan mesh.Sighting { return nil }
func (n *wired) Announce([]log.Key)              {}
func (n *wired) ShowDoor(string)                 {}
func (n *wired) Doors() []mesh.Door              { return nil }
func (n *wired) Addrs() []string                 { return []string{"wire:" + string(n.self)} }
func (n *wired) Close() error                    { return nil }

func (n *wired) Secure(context.Context, mesh.Conn, mesh.PeerID, bool, string) (mesh.Conn, error) {
	return nil, io.ErrClosedPipe
}

func (n *wired) DialPunched(context.Context, mesh.PeerID, []string, string) (mesh.Conn, error) {
	return nil, io.ErrClosedPipe
}

func (n *wired) Punch(context.Context, mesh.PeerID, []string) {}

func (n *wired) Dial(_ context.Context, to mesh.PeerID, _ []string, proto string) (mesh.Conn, error) {
	n.w.mu.Lock()
	other := n.w.nodes[to]
	n.w.mu.Unlock()
	if other == nil {
		return nil, errors.New("nobody")
	}
	ab, ba, done := make(chan []byte, 16), make(chan []byte, 16), make(chan struct{})
	end := sync.OnceFunc(func() { close(done) })
	other.in <- &wire{n.self, proto, ba, ab, done, end}
	return &wire{to, proto, ab, ba, done, end}, nil
}

func (n *wired) Accept(ctx context.Context) (mesh.Conn, error) {
	select {
	case c := <-n.in:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *wire) Peer() mesh.PeerID { return c.peer }
func (c *wire) Proto() string     { return c.proto }
func (c *wire) Path() string      { return "wire" }
func (c *wire) Close() error      { c.end(); return nil }

func (c *wire) Send(b []byte) error {
	select {
	case c.out <- slices.Clone(b):
		return nil
	case <-c.done:
		return io.EOF
	}
}

func (c *wire) Recv() ([]byte, error) {
	select {
	case b := <-c.in:
		return b, nil
	case <-c.done:
		return nil, io.EOF
	}
}

// crew starts n nodes that know each other.
func crew(tb testing.TB, n int, prepare func(first *meshtest.Memory)) []*meshtest.Node {
	w := &wires{nodes: map[mesh.PeerID]*wired{}}
	founder := meshtest.NewDevice("p00", "p00")
	o := meshtest.NewOffice(founder)
	ms := []*meshtest.Memory{meshtest.NewMemory(o, founder)}
	for i := 1; i < n; i++ {
		name := fmt.Sprintf("p%02d", i)
		d := meshtest.NewDevice(name, mesh.PeerID(name))
		ms[0].Admit(d)
		ms = append(ms, meshtest.NewMemory(o, d))
	}
	var nodes []*meshtest.Node
	for _, m := range ms[1:] {
		m.Take(ms[0])
	}
	if prepare != nil {
		prepare(ms[0])
	}
	for i, m := range ms {
		tr := w.node(m.Device.Peer)
		for _, p := range ms {
			m.Reached(p.Device.Peer, []string{"wire"})
		}
		nodes = append(nodes, meshtest.Start(m, tr, byte(i), mesh.Options{}))
	}
	tb.Cleanup(func() {
		for _, n := range nodes {
			n.Stop()
		}
	})
	return nodes
}

func wait(tb testing.TB, cond func() bool) {
	for end := time.Now().Add(time.Minute); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatal("waited a minute")
		}
	}
}

// BenchmarkPush is from Push here to the import there.
func BenchmarkPush(b *testing.B) {
	for _, n := range []int{2, 10} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			nodes := crew(b, n, nil)
			wait(b, func() bool {
				return !slices.ContainsFunc(nodes, func(m *meshtest.Node) bool { return len(m.Here()) < n-1 })
			})
			space := nodes[0].Office.Space()
			last := nodes[n-1]
			b.ResetTimer()
			for i := range b.N {
				id, seq := nodes[0].Post(space, fmt.Sprint(i))
				for last.Top(id) < seq {
					runtime.Gosched()
				}
			}
		})
	}
}

// BenchmarkBacklog is 100,000 entries from one device to a new one; most of it
// is checking and keeping them.
func BenchmarkBacklog(b *testing.B) {
	const count = 100_000
	for b.Loop() {
		b.StopTimer()
		var space log.SpaceID
		nodes := crew(b, 2, func(m *meshtest.Memory) {
			space = m.Office.Space()
			for i := range count {
				m.Append(space, fmt.Appendf(nil, "%0120d", i))
			}
		})
		b.StartTimer()
		wait(b, func() bool { return meshtest.Equal(space, nodes[0].Memory, nodes[1].Memory) })
	}
	b.ReportMetric(float64(count)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
