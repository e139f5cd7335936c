package sim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

// A liar is the Transport of a member that went bad: behind an honest hello it
// spoils, repeats and makes up frames.
type liar struct {
	mesh.Transport
	mu   sync.Mutex
	rand *rand.Rand
}

func (l *liar) Dial(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	c, err := l.Transport.Dial(ctx, to, addrs, proto)
	if err != nil {
		return nil, err
	}
	return &lie{Conn: c, l: l}, nil
}

func (l *liar) Accept(ctx context.Context) (mesh.Conn, error) {
	c, err := l.Transport.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return &lie{Conn: c, l: l}, nil
}

type lie struct {
	mesh.Conn
	l    *liar
	sent int
}

func (c *lie) Send(frame []byte) error {
	c.l.mu.Lock()
	c.sent++
	var extra [][]byte
	if c.sent > 2 {
		switch r := c.l.rand; r.IntN(5) {
		case 0:
			frame = append([]byte(nil), frame...)
			frame[r.IntN(len(frame))] ^= byte(1 << r.IntN(8))
		case 1:
			frame = frame[:r.IntN(len(frame))]
		case 2:
			extra = append(extra, frame)
		case 3:
			extra = append(extra, invented(r))
		}
	}
	c.l.mu.Unlock()
	for _, f := range append(extra, frame) {
		if err := c.Conn.Send(f); err != nil {
			return err
		}
	}
	return nil
}

// invented is a well-formed frame no honest device sends.
func invented(r *rand.Rand) []byte {
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	space := make([]byte, 16)
	if r.IntN(2) == 0 {
		s := log.Everyone(log.WorkspaceID{7})
		space = s[:]
	}
	heights := []any{}
	for range r.IntN(500) {
		heights = append(heights, []any{random(16), r.Uint64N(1<<48) + 1, random(32)})
	}
	ranges := []any{}
	for range 1 + r.IntN(60) {
		ranges = append(ranges, []any{random(16), 1, r.Uint64N(1<<48) + 1})
	}
	frames := [][]any{
		{1, []any{[]any{space, random(16)}}},
		{2, []any{space, space}},
		{3, space, r.IntN(2) == 0, heights},
		{4, space, heights},
		{5, r.Uint64N(10), 262144, ranges},
		{6, r.Uint64N(10), []any{}},
		{6, r.Uint64N(10), []any{[]any{random(96), []any{random(100)}}}},
		{7, random(96), random(100)},
		{8, []any{[]any{"a", []any{"sim:nowhere/0", "sim:b/0"}}}},
		{9, r.Uint64()},
		{10, r.Uint64N(3)},
		{14, []any{"a", "b", "nobody"}},
		{15, random(16), []string{"a", "b", "nobody"}[r.IntN(3)]},
		{16, random(16), []string{"a", "b", "nobody"}[r.IntN(3)], r.IntN(4)},
		{17, random(16)},
		{r.IntN(23)},
	}
	b, err := cbor.Marshal(frames[r.IntN(len(frames))])
	if err != nil {
		panic(err)
	}
	return b
}

// TestHostileMember: a member that sends junk keeps nobody from the others.
func TestHostileMember(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) { sim.Run(t, seed, hostileMember) })
		if !ok {
			t.Fatalf("seed %d", seed)
		}
	}
}

func hostileMember(w *sim.World) {
	of := newOffice(w)
	bad := of.names[len(of.names)-1]
	for i, name := range of.names {
		of.start(name)
		if i > 0 && name == bad {
			of.quit(name)
			l := &liar{Transport: w.Node(name), rand: rand.New(rand.NewPCG(w.Rand.Uint64(), 0))}
			of.nodes[name] = meshtest.Start(of.held[name], l, 200, mesh.Options{Rand: w.Entropy(name)})
		}
	}
	defer func() {
		for _, name := range of.up() {
			of.quit(name)
		}
	}()
	for range 20 {
		of.post(of.names[w.Rand.IntN(len(of.names))], 1+w.Rand.IntN(5))
		time.Sleep(time.Duration(w.Rand.IntN(int(time.Second))))
	}
	var honest []*meshtest.Memory
	var posted int
	for _, name := range of.names {
		if name != bad {
			honest = append(honest, of.held[name])
			posted = max(posted, len(of.held[name].Payloads(of.o.Space())))
		}
	}
	if len(honest) > 1 && !w.Until(2*time.Minute, func() bool { return meshtest.Equal(of.o.Space(), honest...) }) {
		w.T.Errorf("honest members differ")
	}
	for _, m := range honest {
		for _, text := range m.Payloads(of.o.Space()) {
			var who string
			var n int
			if _, err := fmt.Sscanf(text, "%s says %d", &who, &n); err != nil || n >= len(of.acked) || of.acked[n] != text {
				w.T.Errorf("somebody holds %q, which nobody wrote", text)
			}
		}
	}
}

// TestStrangersFlood: ten thousand connections of those who have no key leave
// memory flat and messages quick.
func TestStrangersFlood(t *testing.T) {
	attempts := 10_000
	if testing.Short() {
		attempts = 1000
	}
	sim.Run(t, 1, func(w *sim.World) {
		founder, friend := meshtest.NewDevice("a", "a"), meshtest.NewDevice("b", "b")
		o := meshtest.NewOffice(founder)
		ma, mb := meshtest.NewMemory(o, founder), meshtest.NewMemory(o, friend)
		ma.Admit(friend)
		mb.Take(ma)
		a := meshtest.Start(ma, w.Node("a"), 1, mesh.Options{Rand: w.Entropy("a"), Join: func(_ context.Context, c mesh.Conn) { c.Recv() }})
		b := meshtest.Start(mb, w.Node("b"), 1, mesh.Options{Rand: w.Entropy("b")})
		defer a.Stop()
		defer b.Stop()
		if !w.Until(20*time.Second, func() bool { return len(a.Here()) == 1 && len(b.Here()) == 1 }) {
			w.T.Fatal("a and b did not meet")
		}
		before := memory()
		var wg sync.WaitGroup
		for i := range 40 { // hosts, each with many names would need more of the World
			wg.Go(func() { flood(w, fmt.Sprintf("x%02d", i), attempts/40) })
		}
		var slowest time.Duration
		for i := range 100 {
			id, seq := a.Post(o.Space(), fmt.Sprint(i))
			began := time.Now()
			if !w.Until(10*time.Second, func() bool { return mb.Heights(o.Space())[id].Seq >= seq }) {
				w.T.Fatal("a message did not arrive during the flood")
			}
			slowest = max(slowest, time.Since(began))
			time.Sleep(50 * time.Millisecond)
		}
		wg.Wait()
		time.Sleep(time.Minute)
		after := memory()
		w.T.Logf("slowest message %v, memory %d KiB before, %d KiB after", slowest, before>>10, after>>10)
		if slowest > time.Second {
			w.T.Errorf("a message took %v", slowest)
		}
		if after > before+4<<20 {
			w.T.Errorf("memory grew from %d to %d bytes", before, after)
		}
		if len(a.Here()) != 1 || len(b.Here()) != 1 {
			w.T.Errorf("a sees %v, b sees %v", a.Here(), b.Here())
		}
	})
}

func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// flood connects again and again and says all kinds of things.
func flood(w *sim.World, name string, times int) {
	tr := w.Node(name)
	defer tr.Close()
	r := rand.New(rand.NewPCG(1, uint64(len(name)+int(name[1])*10+int(name[2]))))
	open := []any{1, make([]byte, 32), make([]byte, 16)}
	first, _ := cbor.Marshal(open)
	for range times {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		proto := mesh.ProtoSync
		if r.IntN(10) == 0 {
			proto = mesh.ProtoJoin
		}
		c, err := tr.Dial(ctx, mesh.PeerID("ab"[r.IntN(2):][:1]), nil, proto)
		cancel()
		if err != nil {
			continue
		}
		switch r.IntN(5) {
		case 0: // says nothing, stays
			time.Sleep(time.Duration(r.IntN(int(time.Second))))
		case 1:
			c.Send(make([]byte, r.IntN(mesh.MaxFrame)))
		case 2:
			c.Send(first)
			c.Send(invented(r))
		case 3:
			c.Send(invented(r))
		case 4:
			c.Send(first)
			c.Recv()
		}
		c.Close()
	}
}
