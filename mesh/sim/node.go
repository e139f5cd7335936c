package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
)

var (
	errDown    = errors.New("sim: node is down")
	errRefused = errors.New("sim: nobody listens")
	errBroken  = errors.New("sim: connection broke")
	errClosed  = errors.New("sim: connection closed")
)

// A node is one device's transport. Its fields are guarded by the World.
type node struct {
	w         *World
	name      string
	host      int // changes the address
	life      uint64
	up        bool
	done      chan struct{}
	accepted  chan *end
	sightings chan mesh.Sighting
	keys      []log.Key
	door      string
	ends      []*end
	opened    map[string]int // for whom it sends, that they come through a wall
	heard     map[string]heard
	beacons   uint64
}

// heard is the last beacon of another node.
type heard struct {
	life uint64
	host int
	at   time.Duration
}

const (
	beaconEvery = 25 * time.Second
	beaconMore  = 10 * time.Second
	waiting     = 256 // Conns nobody accepted yet
)

func newNode(w *World, name string, host int, life uint64) *node {
	return &node{
		w: w, name: name, host: host, life: life, up: true, done: make(chan struct{}),
		accepted: make(chan *end, waiting), sightings: make(chan mesh.Sighting, 64), heard: map[string]heard{}, opened: map[string]int{},
	}
}

func (n *node) Self() mesh.PeerID { return mesh.PeerID(n.name) }

func (n *node) addr() string { return address(n.name, n.host) }

func address(name string, host int) string { return fmt.Sprintf("sim:%s/%d", name, host) }

func (n *node) Addrs() []string {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	return []string{n.addr()}
}

// Dial takes a round trip; across a cut it takes until ctx ends.
func (n *node) Dial(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	return n.open(ctx, call{to: string(to), addrs: addrs, proto: proto})
}

// A call is a dial on its way.
type call struct {
	to      string
	addrs   []string
	proto   string
	punched bool

	about string // its name, of which there is only one
	live  func() bool
	reply func(*end, error)
}

func (n *node) open(ctx context.Context, c call) (mesh.Conn, error) {
	if c.to == n.name {
		return nil, errors.New("sim: dial to oneself")
	}
	type result struct {
		e   *end
		err error
	}
	answer := make(chan result, 1)
	given := false
	c.live = func() bool { return ctx.Err() == nil }
	c.reply = func(e *end, err error) {
		if given = true; ctx.Err() != nil && e != nil {
			e.shut()
			return
		}
		answer <- result{e, err}
	}
	w := n.w
	w.mu.Lock()
	if !n.up || w.stopped {
		w.mu.Unlock()
		return nil, errDown
	}
	c.about = fmt.Sprintf("dial/%s/%s%s", n.name, c.to, c.proto) // counted apart: dials to several run at once
	w.count[c.about]++
	c.about = fmt.Sprintf("%s/%d", c.about, w.count[c.about])
	w.park(op{
		key:  c.about,
		do:   func() bool { n.dial(c); return false },
		fail: func(err error) { c.reply(nil, err) },
	})
	w.mu.Unlock()
	select {
	case r := <-answer:
		if r.err != nil {
			return nil, r.err
		}
		return r.e, nil
	case <-ctx.Done():
	case <-n.done:
		return nil, errDown
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if given { // it came at the same moment
		if r := <-answer; r.e != nil {
			r.e.shut()
		}
	}
	return nil, fmt.Errorf("sim: dial %s: %w", c.to, ctx.Err())
}

// dial plans the arrival of a dial and the way back.
func (n *node) dial(c call) {
	w := n.w
	at := w.delay(n.name, c.to, c.about)
	w.at(uint64(at), c.about, func() {
		other := w.nodes[c.to]
		switch {
		case !n.up:
			return
		case w.cut[pairOf(n.name, c.to)]:
			return
		case !known(c.proto):
			c.reply(nil, errRefused)
			return
		case !w.passes(n, c):
			if c.punched && c.live() { // it sends again
				w.at(uint64(punchEvery), c.about, func() { n.dial(c) })
			}
			return
		case other == nil || !other.up || len(c.addrs) > 0 && !slices.Contains(c.addrs, other.addr()) || len(other.accepted) == waiting:
			w.at(uint64(at), c.about, func() { c.reply(nil, errRefused) })
			return
		}
		mine, theirs := w.connect(n, other, c.proto)
		w.note("connect", mine.id)
		other.accepted <- theirs
		w.at(uint64(at), c.about, func() {
			if n.up {
				c.reply(mine, nil)
			}
		})
	})
}

func (n *node) Accept(ctx context.Context) (mesh.Conn, error) {
	select {
	case e := <-n.accepted:
		return e, nil
	case <-n.done:
		return nil, errDown
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *node) Sightings() <-chan mesh.Sighting { return n.sightings }

// Announce starts beacons under the newest key.
func (n *node) Announce(keys []log.Key) {
	w := n.w
	w.mu.Lock()
	defer w.mu.Unlock()
	n.keys = slices.Clone(keys)
	if n.up && len(keys) > 0 {
		w.at(w.chance("announce", n.name, w.now())%uint64(10*time.Millisecond), "beacon/"+n.name, n.beacon)
	}
}

// beacon is heard by all who have the key, and repeated.
func (n *node) beacon() {
	if !n.up || len(n.keys) == 0 {
		return
	}
	w := n.w
	n.beacons++
	this := n.beacons
	n.cast(mesh.Sighting{Peer: n.Self(), Addrs: []string{n.addr()}})
	again := beaconEvery + time.Duration(w.chance("beacon", n.name, this)%uint64(beaconMore))
	w.at(uint64(again), "beacon/"+n.name, func() {
		if n.beacons == this {
			n.beacon()
		}
	})
}

// cast sends a beacon to every node it can reach.
func (n *node) cast(s mesh.Sighting) {
	w := n.w
	life, host, key := n.life, n.host, n.keys[0]
	for _, name := range w.names() {
		o := w.nodes[name]
		if _, walled := w.walls[pairOf(n.name, name)]; o == n || walled || w.cut[pairOf(n.name, name)] {
			continue
		}
		about := fmt.Sprintf("sighting/%s/%s/%d", n.name, name, n.beacons)
		w.at(uint64(w.delay(n.name, name, about)), about, func() {
			if !o.up || !slices.Contains(o.keys, key) {
				return
			}
			was := o.heard[n.name]
			s.New = !s.Gone && (was.life != life || was.host != host || w.now()-was.at > 3*beaconEvery)
			o.heard[n.name] = heard{life, host, w.now()}
			if s.Gone {
				delete(o.heard, n.name)
			}
			if s.New { // it has not heard us either
				w.at(w.chance("answer", about)%uint64(50*time.Millisecond), "beacon/"+o.name, o.beacon)
			}
			w.note("sighting", about, s.New, s.Gone)
			select {
			case o.sightings <- s:
			default:
			}
		})
	}
}

func (n *node) ShowDoor(name string) {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	n.door = name
}

func (n *node) Doors() []mesh.Door {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	var list []mesh.Door
	for _, name := range n.w.names() {
		p := pairOf(n.name, name)
		if _, walled := n.w.walls[p]; walled {
			continue
		}
		if o := n.w.nodes[name]; o != n && o.up && o.door != "" && !n.w.cut[p] {
			list = append(list, mesh.Door{Name: o.door, Peer: o.Self(), Addrs: []string{o.addr()}, Seen: time.Now()})
		}
	}
	return list
}

// Close says goodbye and ends all Conns.
func (n *node) Close() error {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	if n.up && len(n.keys) > 0 && !n.w.stopped {
		n.beacons++
		n.cast(mesh.Sighting{Peer: n.Self(), Gone: true})
	}
	n.down(errDown)
	return nil
}

// down ends the node; its Conns break at the other ends as they hear of it.
func (n *node) down(why error) {
	if !n.up {
		return
	}
	n.up = false
	close(n.done)
	for _, e := range slices.Clone(n.ends) {
		e.shut()
	}
}
