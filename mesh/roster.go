package mesh

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"inselnetz/crdt/log"
)

// recheck brings sessions and dials in line with who is a member now. keys says
// that the network keys may have changed.
func (l *loop) recheck(now time.Time, keys bool) {
	l.membersAt = now.Add(membersEvery)
	old := len(l.members)
	l.members = l.h.Members()
	l.book.members(l.members, now)
	is := make(map[PeerID]bool, len(l.members))
	for p := range l.members {
		is[p] = true
	}
	l.gate.admit(is, keys)
	if got := l.id.Keys(); !slices.Equal(got, l.keys) {
		l.keys = slices.Clone(got)
		l.teller.announce(l.keys)
	}
	if got := slices.Sorted(slices.Values(l.t.Addrs())); !slices.Equal(got, l.own) {
		l.own = got
		l.addrs++ // told with the next digest
	}
	for p := range l.left {
		if !is[p] {
			delete(l.left, p)
		}
	}
	if old != len(l.members) {
		l.changed()
	}
	for _, s := range slices.Clone(l.order) {
		l.recheckSession(s, now)
	}
	l.nearSoon(now)
	l.reroute()
}

func (l *loop) recheckSession(s *session, now time.Time) {
	peer, member := l.h.Member(s.device)
	switch {
	case member && peer != s.peer:
		l.end(s, LeftBroke, errBound)
		return
	case !member && s.member:
		l.end(s, LeftBroke, errRemoved)
		return
	}
	came := member && !s.member
	s.member = member
	if l.share(s) || came {
		// What it said of these spaces before went unheard.
		l.tellDigest(s, now)
		if member {
			l.send(s, askFrame{Type: typeAsk, Spaces: s.spaces[:min(len(s.spaces), maxSpaces)]})
		}
	}
	if came {
		l.tellAddrs(s)
		l.tellNearTo(s)
		l.changed()
		l.welcome(s)
	}
}

// dial begins the dials that are due.
func (l *loop) dial(now time.Time) {
	if len(l.keys) == 0 {
		return
	}
	connected := map[PeerID]bool{}
	for _, s := range l.order {
		connected[s.peer] = connected[s.peer] || s.hops == 0
	}
	list, next := l.book.due(now, func(p PeerID) bool { return connected[p] })
	for _, p := range list {
		addrs := l.book.start(p)
		dialing, stop := context.WithTimeout(l.ctx, dialTime)
		l.dials[p] = underWay{now, stop}
		l.conns.Go(func() {
			defer stop()
			l.Mesh.dial(l.ctx, dialing, p, addrs)
		})
	}
	l.wake(next)
}

// An underWay is a dial that has not ended.
type underWay struct {
	since time.Time
	stop  context.CancelFunc
}

// afresh gives up dials that began before their peer could be reached, as that is
// heard of: they would go on for seconds into nothing. Where the other end dials
// first they are left, as two that meet disturb each other.
func (l *loop) afresh(now time.Time) {
	for peer, d := range l.dials {
		c, stale := l.book.contacts[peer], d.since.Add(staleDial)
		switch {
		case c == nil || !c.again || l.self > peer:
		case stale.After(now):
			l.wake(stale)
		default:
			d.stop()
		}
	}
}

// sighted notes a beacon. A peer that is connected and has a new address is
// probed: if its old connection is dead it is dialed anew.
func (l *loop) sighted(s Sighting) {
	now := time.Now()
	connected := false
	for _, o := range l.order {
		connected = connected || o.peer == s.Peer && o.hops == 0
	}
	if l.book.sight(s, connected, now) {
		for _, o := range slices.Clone(l.order) {
			if o.peer == s.Peer && o.hops == 0 && now.Sub(o.since) > probeTime {
				l.probeOld(o, now)
			}
		}
	}
	if p, ok := l.left[s.Peer]; ok && s.Gone && p.Left == LeftBroke {
		p.Left = LeftGoodbye
		l.left[s.Peer] = p
		l.changed()
	}
	if s.New || s.Gone || !connected {
		l.due = now
	}
}

// peer describes a session.
func (l *loop) peer(s *session) Peer {
	p := Peer{
		Device: s.device, Instance: s.instance, PeerID: s.peer, Here: true,
		Since: s.since, LastSeen: l.known(s), Path: s.c.Path(), Via: s.via(), Hops: s.hops, RTT: s.rtt,
		Clock: s.clock, Version: s.version, Stranger: !s.member,
	}
	for id, v := range s.views {
		if s.member {
			p.Behind += v.behind(l.heldOf(id))
		}
	}
	return p
}

// changed says that presence changed: it is published when the turn ends.
func (l *loop) changed() {
	l.peersChanged = true
	l.notify = true
}

// publish makes the list Peers returns.
func (l *loop) publish(now time.Time) {
	var list []Peer
	here := map[PeerID]bool{}
	for _, s := range l.order {
		if s.heard {
			list = append(list, l.peer(s))
			here[s.peer] = true
		}
	}
	for p := range l.members {
		if here[p] || p == l.self {
			continue
		}
		if was, ok := l.left[p]; ok {
			list = append(list, was)
		} else {
			list = append(list, Peer{PeerID: p})
		}
	}
	slices.SortFunc(list, func(a, b Peer) int {
		return cmp.Or(cmp.Compare(a.PeerID, b.PeerID), sessionKey{a.Device, a.Instance}.compare(sessionKey{b.Device, b.Instance}))
	})
	l.peersChanged, l.peersAt = false, time.Time{}
	l.mu.Lock()
	l.peers = list
	l.mu.Unlock()
	if l.notify {
		l.notify = false
		l.teller.presence()
	}
}

// dial opens one connection, as long as dialing lasts, and says hello. It reports
// to the loop.
func (m *Mesh) dial(ctx, dialing context.Context, peer PeerID, addrs []string) {
	c, err := m.t.Dial(dialing, peer, addrs, ProtoSync)
	if err != nil {
		m.log.Debug("dial failed", "peer", peer, "err", err)
		m.post(func(l *loop) { l.dialed(peer, false) })
		return
	}
	if !m.greet(ctx, c, way{dialed: true, addrs: addrs}) {
		m.post(func(l *loop) { l.dialed(peer, false) })
	}
}

func (l *loop) dialed(peer PeerID, ok bool) {
	delete(l.dials, peer)
	l.book.done(peer, ok, time.Now())
	l.reroute()
	l.due = time.Now()
}

// stop says goodbye to everyone.
func (l *loop) stop() {
	for _, s := range l.order {
		s.out.put(encode(goodbyeFrame{Type: typeGoodbye}))
		s.out.finish()
	}
	for _, s := range l.spareList() {
		l.close(s)
	}
}

// cut ends all sessions at once.
func (l *loop) cut() {
	for _, s := range slices.Clone(l.order) {
		l.close(s)
	}
}

// meet tells who can be asked for blocks.
func (l *loop) meet() {
	l.met = false
	var list []partner
	for _, s := range l.order {
		if !s.heard || !s.member || slices.ContainsFunc(list, func(p partner) bool { return p.device == s.device }) {
			continue
		}
		p := partner{device: s.device, peer: s.peer, spaces: slices.Clone(s.spaces), rtt: s.best, way: way{through: s.through, punched: s.punched}}
		if c := l.book.contacts[s.peer]; s.punched {
			p.addrs = s.addrs
		} else if c != nil {
			p.addrs = c.where()
		}
		list = append(list, p)
	}
	l.links.meet(list)
	members := map[PeerID]bool{}
	for _, s := range l.order {
		members[s.peer] = members[s.peer] || s.heard && s.member
	}
	l.relays.meet(members)
}

// call asks a device to dial us for blocks.
func (l *loop) call(dev log.DeviceID) {
	for _, s := range slices.Clone(l.order) {
		if s.device == dev && s.member && s.heard {
			l.send(s, callFrame{Type: typeCall})
		}
	}
}

// hostileDevice ends the sessions of a device that sends nonsense over a link.
func (l *loop) hostileDevice(dev log.DeviceID, why error) {
	for _, s := range slices.Clone(l.order) {
		if s.device == dev {
			l.hostile(s, why)
		}
	}
}

// teller calls out to the application, so that the loop waits for nobody.
type teller struct {
	m      *Mesh
	signal chan struct{}
	work   tasks
}

// tasks is what the teller has to do; what comes in the meantime is gathered.
type tasks struct {
	holding map[log.DeviceID]log.Heights
	reached map[PeerID][]string
	told    map[PeerID][]string
	keys    *[]log.Key
	change  bool
	arrived []log.DeviceID
	heard   []heard
	load    map[log.DeviceID]int // bytes in heard
}

// heard is a whisper to be told.
type heard struct {
	from log.DeviceID
	*whisperFrame
}

// maxHeard bounds what one device whispered and the application has not taken.
const maxHeard = 256 << 10

func (t *teller) add(f func(*tasks)) {
	t.m.mu.Lock()
	f(&t.work)
	t.m.mu.Unlock()
	select {
	case t.signal <- struct{}{}:
	default:
	}
}

func (t *teller) holds(dev log.DeviceID, h log.Heights) {
	t.add(func(w *tasks) {
		if w.holding == nil {
			w.holding = map[log.DeviceID]log.Heights{}
		}
		if w.holding[dev] == nil {
			w.holding[dev] = h
		} else {
			maps.Copy(w.holding[dev], h)
		}
	})
}

func (t *teller) reached(p PeerID, addrs []string) {
	t.add(func(w *tasks) {
		if w.reached == nil {
			w.reached = map[PeerID][]string{}
		}
		w.reached[p] = slices.Clone(addrs)
	})
}

func (t *teller) told(p PeerID, addrs []string) {
	if t.m.opts.Told == nil {
		return
	}
	t.add(func(w *tasks) {
		if w.told == nil {
			w.told = map[PeerID][]string{}
		}
		w.told[p] = slices.Clone(addrs)
	})
}

func (t *teller) came(dev log.DeviceID) {
	t.add(func(w *tasks) { w.arrived = append(w.arrived, dev) })
}

func (t *teller) heard(from log.DeviceID, f *whisperFrame) {
	t.add(func(w *tasks) {
		size := len(f.Data) + 64
		if w.load[from]+size > maxHeard {
			return
		}
		if w.load == nil {
			w.load = map[log.DeviceID]int{}
		}
		w.load[from] += size
		w.heard = append(w.heard, heard{from, f})
	})
}

func (t *teller) announce(keys []log.Key) { t.add(func(w *tasks) { w.keys = &keys }) }
func (t *teller) presence()               { t.add(func(w *tasks) { w.change = true }) }

func (t *teller) run(ctx context.Context) {
	for {
		t.m.mu.Lock()
		w := t.work
		t.work = tasks{}
		t.m.mu.Unlock()
		if w.keys != nil {
			t.m.t.Announce(*w.keys)
		}
		for dev, h := range w.holding {
			t.m.h.Holds(dev, h)
		}
		for p, addrs := range w.reached {
			t.m.h.Reached(p, addrs)
		}
		for p, addrs := range w.told {
			t.m.opts.Told(p, addrs)
		}
		if w.change && t.m.opts.OnChange != nil {
			t.m.opts.OnChange()
		}
		for _, dev := range w.arrived {
			if t.m.opts.Came != nil {
				t.m.opts.Came(dev)
			}
		}
		for _, h := range w.heard {
			if t.m.opts.Heard != nil {
				t.m.opts.Heard(h.from, h.Space, h.Kind, h.Data)
			}
		}
		select {
		case <-t.signal:
		case <-ctx.Done():
			return
		}
	}
}
