package sim_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

var (
	oneSeed = flag.Uint64("seed", 0, "replay this seed alone")
	seeds   = flag.Int("seeds", 500, "number of seeds")
)

// TestConverge: whatever the network, the clocks and the power do, everyone
// holds the same in the end, and nothing that was acknowledged is lost.
func TestConverge(t *testing.T) {
	first, last := uint64(1), uint64(*seeds)
	if *oneSeed != 0 {
		first, last = *oneSeed, *oneSeed
	} else if testing.Short() {
		last = 50
	}
	for seed := first; seed <= last; seed++ {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			sim.Run(t, seed, func(w *sim.World) { newOffice(w).live() })
		})
		if !ok {
			t.Fatalf("replay with: go test ./mesh/sim -run TestConverge -seed=%d", seed)
		}
	}
}

// TestSameSeedSameTrace: a failing seed can be replayed because everything
// happens again as it did.
func TestSameSeedSameTrace(t *testing.T) {
	for seed := range uint64(10) {
		var first [32]byte
		var events int
		for i := range 3 {
			var got [32]byte
			var n int
			t.Run(fmt.Sprintf("%d/%d", seed, i), func(t *testing.T) {
				sim.Run(t, seed, func(w *sim.World) {
					newOffice(w).live()
					got, n = w.Trace()
				})
			})
			if i == 0 {
				first, events = got, n
			}
			if got != first || n != events || n == 0 {
				t.Errorf("seed %d: run %d had %d deliveries, the first %d, or others", seed, i, n, events)
			}
		}
	}
}

// An office is some simulated devices and what they were told is saved.
type office struct {
	w      *sim.World
	o      *meshtest.Office
	names  []string
	held   map[string]*meshtest.Memory
	nodes  map[string]*meshtest.Node
	starts byte
	acked  []string
}

func newOffice(w *sim.World) *office { return officeOf(w, 2+w.Rand.IntN(7)) }

// officeOf makes an office of n devices, named in order: a to z, then a1 and so on.
func officeOf(w *sim.World, n int) *office {
	of := &office{w: w, held: map[string]*meshtest.Memory{}, nodes: map[string]*meshtest.Node{}}
	founder := meshtest.NewDevice("a", "a")
	of.o = meshtest.NewOffice(founder)
	for i := range n {
		name := string(rune('a' + i%26))
		if i >= 26 {
			name += fmt.Sprint(i / 26)
		}
		of.names = append(of.names, name)
		d := meshtest.NewDevice(name, mesh.PeerID(name))
		m := meshtest.NewMemory(of.o, d)
		m.Disk = func(entries [][]byte) time.Duration {
			last := entries[len(entries)-1]
			return time.Millisecond + time.Duration(last[len(last)-1])*10*time.Microsecond + time.Duration(len(last))
		}
		of.held[name] = m
		if i == 0 {
			continue
		}
		of.held["a"].Admit(d)
		m.Take(of.held["a"]) // those admitted later are heard of later
	}
	return of
}

func (of *office) start(name string) {
	of.starts++
	tr := of.w.Node(name)
	of.nodes[name] = meshtest.Start(of.held[name], tr, of.starts, mesh.Options{
		Rand: of.w.Entropy(name), Now: of.w.Clock(name), Version: "sim",
	})
	time.Sleep(time.Millisecond) // it reads its heights before anyone writes, or after: always the same
}

// crash pulls the plug: what did not return is not on disk.
func (of *office) crash(name string) {
	of.held[name].Crash()
	of.w.Crash(name)
	of.nodes[name].Stop()
	delete(of.nodes, name)
}

func (of *office) quit(name string) {
	if err := of.nodes[name].Stop(); err != nil {
		of.w.T.Error(err)
	}
	of.nodes[name].Transport.Close()
	delete(of.nodes, name)
}

func (of *office) post(name string, n int) {
	node := of.nodes[name]
	for range n {
		text := fmt.Sprintf("%s says %d", name, len(of.acked))
		if of.w.Rand.IntN(10) == 0 {
			node.Append(of.o.Space(), []byte(text)) // nobody told the Mesh
		} else {
			node.Post(of.o.Space(), text)
		}
		of.acked = append(of.acked, text)
		time.Sleep(time.Microsecond) // one thing at an instant, for the same trace
	}
}

func (of *office) up() []string { return slices.Sorted(maps.Keys(of.nodes)) }

func (of *office) live() { of.liveFor(20 + of.w.Rand.IntN(20)) }

// liveFor lets some things happen to the office, then mends everything, and looks
// whether all hold the same.
func (of *office) liveFor(acts int) {
	w := of.w
	defer func() {
		for _, name := range of.up() {
			of.quit(name)
		}
	}()
	for _, name := range of.names {
		if w.Rand.IntN(3) > 0 {
			of.start(name)
		}
	}
	for range acts {
		of.act()
		time.Sleep(time.Duration(w.Rand.IntN(int(3 * time.Second))))
	}
	w.HealAll()
	w.SetLinks(sim.Link{})
	for _, name := range of.names {
		if of.nodes[name] == nil {
			of.start(name)
		}
	}
	of.post(of.names[0], 1)
	var all []*meshtest.Memory
	for _, name := range of.names {
		all = append(all, of.held[name])
	}
	if !w.Until(5*time.Minute, func() bool { return meshtest.Equal(log.Control, all...) && meshtest.Equal(of.o.Space(), all...) }) {
		for _, name := range of.names {
			m := of.held[name]
			w.T.Logf("%s: control %d, entries %d, here %v", name, len(m.Payloads(log.Control)), len(m.Payloads(of.o.Space())), of.nodes[name].Here())
		}
		w.T.Fatalf("not equal; %d were acknowledged", len(of.acked))
	}
	slices.Sort(of.acked)
	if got := of.held["a"].Payloads(of.o.Space()); !slices.Equal(got, of.acked) {
		w.T.Errorf("%d entries in the end, %d were acknowledged", len(got), len(of.acked))
	}
	for _, name := range of.names {
		if n := of.held[name].Forks(); n > 0 {
			w.T.Errorf("%s saw %d forks", name, n)
		}
	}
}

// act does one thing to the office.
func (of *office) act() {
	w := of.w
	name := of.names[w.Rand.IntN(len(of.names))]
	other := of.names[w.Rand.IntN(len(of.names))]
	if of.nodes[name] == nil {
		of.start(name)
		return
	}
	switch w.Rand.IntN(16) {
	default:
		of.post(name, 1+w.Rand.IntN(4))
	case 0:
		of.post(name, 100+w.Rand.IntN(200))
	case 1:
		of.crash(name)
	case 2:
		of.quit(name)
	case 3:
		half := w.Rand.IntN(len(of.names))
		w.Partition(of.names[:half], of.names[half:])
	case 4:
		w.HealAll()
	case 5:
		if name != other {
			w.Cut(name, other)
		}
	case 6:
		w.Move(name)
	case 7:
		decade := 10 * 365 * 24 * time.Hour
		w.SetClock(name, time.Duration(w.Rand.Int64N(2*int64(decade)))-decade)
	case 8:
		w.SetLinks(sim.Link{Loss: 0.05 * w.Rand.Float64()})
	case 9:
		w.SetLinks(sim.Link{Delay: time.Duration(w.Rand.IntN(int(300 * time.Millisecond))), Jitter: time.Second / 10})
	case 10:
		w.SetLinks(sim.Link{Rate: 20_000 + w.Rand.IntN(200_000)})
	case 11:
		of.crash(name)
		of.start(name)
	}
}
