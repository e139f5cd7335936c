// Package sim is the simulated network: delay, loss, partition, crash and clock
// in one process, in virtual time, the same for the same seed.
package sim

import (
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"inselnetz/mesh"
)

// A Link is how frames travel between two nodes, each way.
type Link struct {
	Delay  time.Duration // at least; 0 means 200 µs
	Jitter time.Duration // at most this on top; 0 means 300 µs
	Loss   float64       // chance of each frame to break its Conn
	Rate   int           // bytes a second; 0 is no limit
}

// A World is one simulated network inside a testing/synctest bubble.
//
// Code under test runs as always: goroutines, timers, blocking calls. Nothing
// travels while any of them can still run; then what was sent is taken in a
// fixed order, and deliveries happen one at a time. Code on top must not call
// synctest.Wait, because the World does; it sleeps, or waits with Until. For the
// same trace each time it must not do two things at one instant whose goroutines
// meet, such as starting a node and writing to its holdings: sleep in between.
type World struct {
	T    *testing.T
	Rand *rand.Rand // for the script of the test, from the seed
	Log  io.Writer  // gets a line for every delivery; nil discards

	seed   uint64
	start  time.Time
	notify chan struct{}
	over   chan struct{}

	mu      sync.Mutex
	nodes   map[string]*node
	links   map[pair]Link
	usual   Link
	cut     map[pair]bool
	walls   map[pair]wall
	parked  []op
	events  events
	offsets map[string]time.Duration
	count   map[string]uint64 // of conns per link and starts per node
	trace   hash.Hash
	traced  int
	stopped bool
}

// pair is two names in order.
type pair struct{ a, b string }

// A wall is what routers let through between two nodes.
type wall struct{ punch bool }

func pairOf(a, b string) pair {
	if b < a {
		a, b = b, a
	}
	return pair{a, b}
}

// Run runs f in a bubble with a World made from seed. Afterwards everything f
// started is cut off and must end by itself. The global random source is
// replaced for the test, so tests that use it cannot be parallel.
func Run(t *testing.T, seed uint64, f func(w *World)) {
	t.Helper()
	cryptotest.SetGlobalRandom(t, seed)
	synctest.Test(t, func(t *testing.T) {
		w := &World{
			T: t, Rand: rand.New(rand.NewPCG(seed, 1)), seed: seed, start: time.Now(),
			notify: make(chan struct{}, 1), over: make(chan struct{}),
			nodes: map[string]*node{}, links: map[pair]Link{}, cut: map[pair]bool{}, walls: map[pair]wall{},
			offsets: map[string]time.Duration{}, count: map[string]uint64{}, trace: sha256.New(),
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.run()
		}()
		defer func() {
			w.stop()
			<-done
		}()
		f(w)
	})
}

func (w *World) stop() {
	w.mu.Lock()
	w.stopped = true
	for _, name := range w.names() {
		w.nodes[name].down(errDown)
	}
	for _, o := range w.parked {
		o.fail(errDown)
	}
	w.parked = nil
	w.mu.Unlock()
	close(w.over)
}

// Node connects a node under its name, which is also its PeerID. A node that
// crashed or was closed comes back with this.
func (w *World) Node(name string) mesh.Transport {
	w.mu.Lock()
	defer w.mu.Unlock()
	host := 0
	if old := w.nodes[name]; old != nil {
		if old.up {
			panic("sim: node " + name + " is up")
		}
		host = old.host
	}
	w.count[name]++
	n := newNode(w, name, host, w.count[name])
	w.nodes[name] = n
	return n
}

// Crash ends a node's transport as killing the process does: every Conn breaks,
// at the other end a little later, without a goodbye.
func (w *World) Crash(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.nodes[name]; n != nil {
		n.down(errDown)
	}
}

// Move gives a node another address. Its Conns carry nothing any more, and
// neither end is told.
func (w *World) Move(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.nodes[name]
	n.host++
	w.at(0, "beacon/"+name, n.beacon)
}

// SetLink sets how frames travel between two nodes.
func (w *World) SetLink(a, b string, l Link) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.links[pairOf(a, b)] = l
}

// SetLinks sets it for all pairs that SetLink was not called for.
func (w *World) SetLinks(l Link) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.usual = l
}

// Cut pulls the cable between two nodes: frames wait, dials go nowhere.
func (w *World) Cut(a, b string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut[pairOf(a, b)] = true
}

// Wall puts routers in front of two nodes: they do not hear or dial each other,
// unless they do so at the same moment where punch says that this passes.
func (w *World) Wall(a, b string, punch bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.walls[pairOf(a, b)] = wall{punch}
}

// Heal undoes Cut. Conns that were not given up carry what waited, and both
// nodes notice that they are near again.
func (w *World) Heal(a, b string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heal(pairOf(a, b))
}

func (w *World) heal(p pair) {
	if !w.cut[p] {
		return
	}
	delete(w.cut, p)
	for _, name := range []string{p.a, p.b} {
		n := w.nodes[name]
		if n == nil || !n.up {
			continue
		}
		delete(n.heard, p.a)
		delete(n.heard, p.b)
		w.at(w.chance("heal", p.a, p.b, name, w.now())%uint64(50*time.Millisecond), "beacon/"+name, n.beacon)
		for _, e := range n.ends {
			w.at(0, "resume/"+e.id, e.resume)
		}
	}
}

// Partition cuts every pair of nodes that share none of the groups, and heals
// all others.
func (w *World) Partition(groups ...[]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := w.names()
	for i, a := range names {
		for _, b := range names[i+1:] {
			together := slices.ContainsFunc(groups, func(g []string) bool { return slices.Contains(g, a) && slices.Contains(g, b) })
			if together {
				w.heal(pairOf(a, b))
			} else {
				w.cut[pairOf(a, b)] = true
			}
		}
	}
}

// HealAll heals every pair.
func (w *World) HealAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.names() {
		for _, b := range w.names() {
			w.heal(pairOf(a, b))
		}
	}
}

// SetClock moves a node's wall clock away from virtual time.
func (w *World) SetClock(name string, offset time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offsets[name] = offset
}

// Clock returns the wall clock of a node.
func (w *World) Clock(name string) func() time.Time {
	return func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return time.Now().Round(0).Add(w.offsets[name])
	}
}

// Entropy returns random bytes for a node, made from the seed, its name and how
// often it was started.
func (w *World) Entropy(name string) io.Reader {
	w.mu.Lock()
	defer w.mu.Unlock()
	return rand.NewChaCha8(w.sum("entropy", name, w.count[name]))
}

// Until waits until cond holds, looking every 10 ms of virtual time, and reports
// whether it did within limit.
func (w *World) Until(limit time.Duration, cond func() bool) bool {
	for end := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		if cond() {
			return true
		}
		if !time.Now().Before(end) {
			return false
		}
	}
}

// Trace returns a hash over all deliveries so far, and their number. The same
// seed and code give the same.
func (w *World) Trace() (sum [32]byte, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return [32]byte(w.trace.Sum(nil)), w.traced
}

// names returns all nodes there ever were, in order.
func (w *World) names() []string {
	var list []string
	for name := range w.nodes {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func (w *World) now() time.Duration { return time.Since(w.start) }

// sum hashes the seed and what is asked about: chance without a shared source,
// whose order of use would matter.
func (w *World) sum(about ...any) [32]byte {
	h := sha256.New()
	fmt.Fprintln(h, append([]any{w.seed}, about...)...)
	return [32]byte(h.Sum(nil))
}

func (w *World) chance(about ...any) uint64 {
	s := w.sum(about...)
	return binary.BigEndian.Uint64(s[:])
}

func (w *World) link(a, b string) Link {
	l, ok := w.links[pairOf(a, b)]
	if !ok {
		l = w.usual
	}
	if l.Delay == 0 {
		l.Delay = 200 * time.Microsecond
	}
	if l.Jitter == 0 {
		l.Jitter = 300 * time.Microsecond
	}
	return l
}

// delay is how long the n-th thing of a kind takes from a to b.
func (w *World) delay(a, b string, about ...any) time.Duration {
	l := w.link(a, b)
	return l.Delay + time.Duration(w.chance(append([]any{"delay", a, b}, about...)...)%uint64(l.Jitter))
}

func (w *World) note(about ...any) {
	w.traced++
	line := fmt.Sprintln(append([]any{int64(w.now())}, about...)...)
	io.WriteString(w.trace, line)
	if w.Log != nil {
		io.WriteString(w.Log, line)
	}
}

// An event happens at a time; events of one time happen in order of their keys.
type event struct {
	at  time.Duration
	key string
	do  func()
}

type events []event

func (e events) Len() int      { return len(e) }
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && strings.Compare(e[i].key, e[j].key) < 0
}
func (e *events) Push(x any) { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}

// at plans an event for a time from now. The World is locked.
func (w *World) at(in uint64, key string, do func()) {
	heap.Push(&w.events, event{w.now() + time.Duration(in), key, do})
	w.wake()
}

func (w *World) wake() {
	select {
	case w.notify <- struct{}{}:
	default:
	}
}

// An op is a call of a node that waits to be taken.
type op struct {
	key  string
	do   func() (again bool) // takes it, or leaves it for later
	fail func(error)
}

// park leaves an op to the World. The World is locked.
func (w *World) park(o op) {
	w.parked = append(w.parked, o)
	w.wake()
}

// run takes what nodes do and lets happen what is due, until the World stops.
func (w *World) run() {
	for {
		synctest.Wait()
		w.mu.Lock()
		if w.stopped {
			w.mu.Unlock()
			return
		}
		took := w.takeParked()
		if !took && len(w.events) > 0 && w.events[0].at <= w.now() {
			heap.Pop(&w.events).(event).do()
			took = true
		}
		var next <-chan time.Time
		if !took && len(w.events) > 0 {
			next = time.After(w.events[0].at - w.now())
		}
		w.mu.Unlock()
		if took {
			continue
		}
		select {
		case <-next:
		case <-w.notify:
		case <-w.over:
		}
	}
}

func (w *World) takeParked() bool {
	list := w.parked
	w.parked = nil
	slices.SortStableFunc(list, func(a, b op) int { return strings.Compare(a.key, b.key) })
	took := false
	for _, o := range list {
		if o.do() {
			w.parked = append(w.parked, o)
		} else {
			took = true
		}
	}
	return took
}
