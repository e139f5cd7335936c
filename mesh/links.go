package mesh

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"inselnetz/crdt/log"
)

// Timing and limits of the exchange of blocks.
const (
	linkIdle         = 60 * time.Second
	linkStill        = 20 * time.Second // without a byte of what was asked for until the end
	linkSteal        = 5 * time.Second  // until a piece is asked of another too, that has nothing to do
	callTime         = 5 * time.Second  // for the other side to dial
	window           = 16 << 20         // bytes asked of one peer and not handled yet
	maxLinks         = 2                // Conns to one peer
	askChunk         = 1 << 20          // bytes asked for in one frame
	urgentSize       = 1 << 20          // a Fetch with no more bytes left goes before others
	maxUnknownPieces = 64               // pieces asked of one that has not shown to have any
	leastPieces      = 16
	spreadTo         = 4 // peers asked at first when none is preferred, and more each time
	maxPreferred     = 8
)

// links is what this device has to do with others over blocks: who is here, the
// Conns to them, and what is being fetched. Every method with a small letter that
// does not say otherwise is called with mu held.
type links struct {
	m   *Mesh
	ctx context.Context // ends what dials; set by open

	mu       sync.Mutex
	running  bool
	partners map[log.DeviceID]*partner
	errands  []*errand
	passed   int64 // least vtime of an errand lately
}

// A partner is a member's device that has a session with us.
type partner struct {
	device log.DeviceID
	peer   PeerID
	way
	spaces []log.SpaceID
	rtt    time.Duration

	gone    bool    // the session ended
	links   []*link // the first is the one we ask over
	came    chan struct{}
	dialing bool
	called  time.Time // when it last asked us to dial
	fails   int
	until   time.Time // not dialed before
}

func newLinks(m *Mesh) *links { return &links{m: m, partners: map[log.DeviceID]*partner{}} }

// open lets partners come; ctx ends dials.
func (ls *links) open(ctx context.Context) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.running, ls.ctx = true, ctx
}

// close ends all, and what is still being fetched is missing. It takes the lock.
func (ls *links) close() {
	ls.meet(nil)
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.running = false
}

// meet sets who is here. It takes the lock.
func (ls *links) meet(now []partner) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if !ls.running {
		return
	}
	is := make(map[log.DeviceID]bool, len(now))
	for _, n := range now {
		is[n.device] = true
		p := ls.partners[n.device]
		if p != nil && p.peer != n.peer {
			ls.leave(p)
			p = nil
		}
		if p == nil {
			p = &partner{device: n.device, peer: n.peer}
			ls.partners[n.device] = p
		}
		if p.through != n.through || p.punched != n.punched { // what goes another way from now on is asked anew
			p.fails, p.until = 0, time.Time{}
			for _, l := range p.links {
				l.hangUp()
			}
		}
		p.way, p.spaces, p.rtt = n.way, n.spaces, n.rtt
	}
	for _, p := range ls.list() {
		if !is[p.device] {
			ls.leave(p)
		}
	}
	for _, e := range slices.Clone(ls.errands) {
		e.meet()
	}
}

func (ls *links) leave(p *partner) {
	p.gone = true
	delete(ls.partners, p.device)
	for _, l := range p.links {
		l.hangUp()
	}
}

// list returns the partners in order.
func (ls *links) list() []*partner {
	list := make([]*partner, 0, len(ls.partners))
	for _, p := range ls.partners {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *partner) int { return bytes.Compare(a.device[:], b.device[:]) })
	return list
}

// nearest orders partners by whom to ask first.
func nearest(a, b *partner) int {
	linked := func(p *partner) int { return min(len(p.links), 1) }
	return cmp.Or(linked(b)-linked(a), cmp.Compare(a.rtt, b.rtt), bytes.Compare(a.device[:], b.device[:]))
}

// usable reports whether it makes sense to wait for a partner.
func (p *partner) usable(now time.Time) bool {
	return !p.gone && (len(p.links) > 0 || p.dialing || !p.until.After(now))
}

func (p *partner) shares(space log.SpaceID) bool { return slices.Contains(p.spaces, space) }

// reach dials a partner to which there is no link. asked says that it wanted that.
func (ls *links) reach(p *partner, asked bool) {
	if !ls.running || p.gone || p.dialing || len(p.links) > 0 {
		return
	}
	p.dialing, p.came = true, make(chan struct{})
	ctx, by, came := ls.ctx, p.way, p.came
	ls.m.conns.Go(func() { ls.dial(ctx, p, by, came, asked) })
}

// dial opens a link, or has the other side do it.
func (ls *links) dial(ctx context.Context, p *partner, by way, came <-chan struct{}, asked bool) {
	dialing, cancel := context.WithTimeout(ctx, dialTime)
	c, err := ls.m.open(dialing, p.peer, by, ProtoBlocks)
	cancel()
	if err == nil {
		ls.mu.Lock()
		p.dialing = false
		l := ls.add(p, c)
		ls.mu.Unlock()
		l.run()
		return
	}
	ls.m.log.Debug("dial for blocks failed", "peer", p.peer, "err", err)
	if !asked {
		ls.m.post(func(l *loop) { l.call(p.device) })
		timer := time.NewTimer(callTime)
		defer timer.Stop()
		select {
		case <-came:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	p.dialing = false
	if len(p.links) == 0 && !asked {
		ls.failed(p, time.Now())
	}
}

// failed puts off the next dial, and has errands go on without.
func (ls *links) failed(p *partner, now time.Time) {
	p.fails++
	p.until = now.Add(min(firstBackoff<<min(p.fails-1, 16), lastBackoff))
	for _, e := range slices.Clone(ls.errands) {
		e.meet()
	}
}

// accept takes a Conn another device opened, if it has a session as a member. It
// takes the lock, and returns when the Conn ended.
func (ls *links) accept(c Conn) {
	ls.mu.Lock()
	var l *link
	for _, p := range ls.partners {
		if p.peer == c.Peer() && ls.running {
			l = ls.add(p, c)
		}
	}
	ls.mu.Unlock()
	if l == nil {
		c.Close()
		return
	}
	l.run()
}

// add makes a link of a Conn; one too many ends the oldest.
func (ls *links) add(p *partner, c Conn) *link {
	l := newLink(ls, p, c)
	if p.gone || !ls.running {
		l.hangUp()
		return l
	}
	if len(p.links) >= maxLinks {
		p.links[0].hangUp()
	}
	p.links = append(p.links, l)
	if p.came != nil {
		close(p.came)
		p.came = nil
	}
	l.wake()
	return l
}

// ended forgets a link whose goroutines ended. What was asked over it is asked of
// others, or again. It takes the lock.
func (ls *links) ended(l *link) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	p := l.p
	p.links = slices.DeleteFunc(p.links, func(o *link) bool { return o == l })
	var open []*request
	for _, n := range slices.Sorted(maps.Keys(l.asked)) {
		if r := l.asked[n]; r.e != nil {
			r.cand.asked--
			open = append(open, r)
		}
	}
	clear(l.asked)
	switch {
	case p.gone:
	case l.helped:
		p.fails = 0
	case len(open) > 0:
		ls.failed(p, time.Now())
	}
	for _, r := range open {
		r.e.again(r.i)
	}
	for _, e := range slices.Clone(ls.errands) {
		e.meet()
	}
}

// called dials a partner that cannot dial us. It takes the lock.
func (ls *links) called(dev log.DeviceID) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	now := time.Now()
	if p := ls.partners[dev]; p != nil && now.Sub(p.called) >= time.Second {
		p.called = now
		ls.reach(p, true)
	}
}

// Links returns how many Conns for blocks are open; for tests and doctors.
func (m *Mesh) Links() (n int) {
	m.links.mu.Lock()
	defer m.links.mu.Unlock()
	for _, p := range m.links.partners {
		n += len(p.links)
	}
	return n
}
