package sim

import (
	"fmt"
	"slices"
	"time"

	"inselnetz/mesh"
)

const (
	buffer = 256 << 10              // bytes a Conn takes that do not get through
	ahead  = 100 * time.Millisecond // how far Send runs ahead of a slow link
)

// An end is one end of a Conn. Its fields are guarded by the World.
type end struct {
	w     *World
	id    string
	n     *node
	peer  *end
	proto string
	hosts [2]int // of both nodes when it was made: it dies with either address

	in     [][]byte
	signal chan struct{} // something came
	ready  bool          // no more will come
	done   chan struct{} // closed here
	closed bool

	sent     uint64        // frames, and the close
	free     time.Duration // when the link is free again
	last     time.Duration // when the last thing sent arrives
	flight   []arrival     // on its way, in order
	inFlight int           // bytes
}

// An arrival is a frame, or a close, on its way.
type arrival struct {
	at   time.Duration
	do   func()
	size int
}

// connect makes the two ends of a Conn.
func (w *World) connect(a, b *node, proto string) (from, to *end) {
	key := fmt.Sprintf("%s>%s", a.name, b.name)
	w.count[key]++
	make1 := func(n *node, way string) *end {
		return &end{
			w: w, id: fmt.Sprintf("%s/%d%s", key, w.count[key], way), n: n, proto: proto,
			signal: make(chan struct{}, 1), done: make(chan struct{}),
		}
	}
	from, to = make1(a, ">"), make1(b, "<")
	from.peer, to.peer = to, from
	from.hosts, to.hosts = [2]int{a.host, b.host}, [2]int{b.host, a.host}
	a.ends, b.ends = append(a.ends, from), append(b.ends, to)
	return from, to
}

func (e *end) Peer() mesh.PeerID { return e.peer.n.Self() }
func (e *end) Proto() string     { return e.proto }
func (e *end) Path() string      { return address(e.peer.n.name, e.hosts[1]) }

// blocked reports whether frames get nowhere just now.
func (e *end) blocked() bool {
	return e.w.cut[pairOf(e.n.name, e.peer.n.name)] || e.hosts != [2]int{e.n.host, e.peer.n.host}
}

func (e *end) Send(frame []byte) error {
	if len(frame) > mesh.MaxFrame {
		return fmt.Errorf("sim: frame of %d bytes", len(frame))
	}
	w := e.w
	w.mu.Lock()
	if e.closed || w.stopped {
		w.mu.Unlock()
		return errClosed
	}
	frame = slices.Clone(frame)
	taken := make(chan error, 1)
	w.park(op{
		key:  e.id,
		do:   func() bool { return e.take(frame, taken) },
		fail: func(err error) { taken <- err },
	})
	w.mu.Unlock()
	select {
	case err := <-taken:
		return err
	case <-e.done:
		return errClosed
	}
}

// take puts a frame on the link, unless its buffer is full.
func (e *end) take(frame []byte, taken chan<- error) (again bool) {
	switch {
	case e.closed:
		taken <- errClosed
		return false
	case e.ready:
		taken <- errBroken
		return false
	case e.blocked() && e.inFlight > buffer:
		return true
	}
	w := e.w
	e.sent++
	link := w.link(e.n.name, e.peer.n.name)
	if link.Loss > 0 && float64(w.chance("loss", e.id, e.sent)>>11)/(1<<53) < link.Loss {
		w.note("loss", e.id, e.sent)
		w.at(0, e.id, e.sever)
		taken <- nil
		return false
	}
	if link.Rate > 0 {
		e.free = max(e.free, w.now()) + time.Duration(len(frame))*time.Second/time.Duration(link.Rate)
	} else {
		e.free = w.now()
	}
	n := e.sent
	e.arrive(e.free, func() {
		if p := e.peer; !p.closed && !p.ready {
			w.note("frame", e.id, n, len(frame))
			p.in = append(p.in, frame)
			p.wake()
		}
	}, len(frame))
	if wait := e.free - w.now() - ahead; wait > 0 {
		w.at(uint64(wait), "sent/"+e.id, func() { taken <- nil })
	} else {
		taken <- nil
	}
	return false
}

// arrive plans what happens at the other end when something sent gets there,
// after everything sent before.
func (e *end) arrive(from time.Duration, do func(), size int) {
	at := max(from+e.w.delay(e.n.name, e.peer.n.name, e.id, e.sent), e.last+1)
	e.last = at
	e.flight = append(e.flight, arrival{at, do, size})
	e.inFlight += size
	e.w.at(uint64(at-e.w.now()), e.id, e.land)
}

// land lets the first thing on its way arrive, unless the cable is cut.
func (e *end) land() {
	if len(e.flight) == 0 || e.flight[0].at > e.w.now() || e.blocked() {
		return
	}
	a := e.flight[0]
	e.flight = e.flight[1:]
	e.inFlight -= a.size
	a.do()
}

// resume delivers what a cut held up.
func (e *end) resume() {
	for i, a := range e.flight {
		if a.at > e.w.now() {
			return
		}
		e.w.at(uint64(i), e.id, e.land)
	}
}

func (e *end) wake() {
	select {
	case e.signal <- struct{}{}:
	default:
	}
}

func (e *end) Recv() ([]byte, error) {
	for {
		e.w.mu.Lock()
		var frame []byte
		var err error
		got := true
		switch {
		case e.closed:
			err = errClosed
		case len(e.in) > 0:
			frame, e.in = e.in[0], e.in[1:]
		case e.ready:
			err = errBroken
		default:
			got = false
		}
		e.w.mu.Unlock()
		if got {
			return frame, err
		}
		select {
		case <-e.signal:
		case <-e.done:
		}
	}
}

func (e *end) Close() error {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	e.shut()
	return nil
}

// shut ends this end now, and the other when what was sent has arrived.
func (e *end) shut() {
	if e.closed {
		return
	}
	e.closed = true
	close(e.done)
	e.n.ends = slices.DeleteFunc(e.n.ends, func(o *end) bool { return o == e })
	if !e.w.stopped && !e.ready {
		e.sent++
		e.arrive(e.w.now(), e.peer.over, 0)
	}
}

// over says at this end that no more comes.
func (e *end) over() {
	if !e.closed && !e.ready {
		e.w.note("over", e.id)
		e.ready = true
		e.wake()
	}
}

// sever breaks the Conn at both ends.
func (e *end) sever() {
	e.over()
	e.w.at(1, e.peer.id, e.peer.over)
}
