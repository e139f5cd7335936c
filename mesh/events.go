package mesh

import (
	"errors"
	"maps"
	"slices"
	"time"

	"inselnetz/crdt/log"
)

var (
	errDead      = errors.New("no answer")
	errStuck     = errors.New("takes too little")
	errDuplicate = errors.New("another connection is kept")
	errRemoved   = errors.New("not a member any more")
	errOldKey    = errors.New("unknown device with an old network key")
	errBound     = errors.New("the device's card names another peer")
	errFlood     = errors.New("more than any honest device sends")
	errStopped   = errors.New("stopped")
)

// join takes a session whose hello was answered.
func (l *loop) join(s *session) {
	now := time.Now()
	peer, member := l.h.Member(s.device)
	switch {
	case s.device == l.id.Device && s.instance == l.id.Instance:
		l.reject(s, errDuplicate)
		return
	case member && peer != s.peer:
		l.gate.strike(s.peer, now)
		l.reject(s, errBound)
		return
	case !member && !s.newest:
		// Whoever was let in lately has the newest key; one who was removed, and
		// comes under another name, has not.
		l.gate.strike(s.peer, now)
		l.reject(s, errOldKey)
		return
	case len(l.sessions) >= maxSessions, !member && l.strangers() >= maxStrangely:
		l.reject(s, errFlood)
		return
	}
	s.member = member
	l.letThrough(s)
	for _, o := range slices.Clone(l.order) {
		if o.device == s.device && o.instance != s.instance {
			l.probeOld(o, now) // it started anew, or there are two of it
		}
	}
	old := l.sessions[s.key()]
	if spare := l.spares[s.key()]; spare != nil {
		l.end(spare, "", errDuplicate)
	}
	switch {
	case old == nil:
		l.admit(s, now)
	case l.wins(s, old):
		l.end(old, "", errDuplicate)
		s.heard = old.heard
		l.admit(s, now)
		l.changed() // it goes another way
	default:
		// By the rule the old one stays, but it may be dead without knowing.
		s.since = now
		l.spares[s.key()] = s
		l.probeOld(old, now)
		l.wake(now.Add(deadTime))
	}
}

func (l *loop) reject(s *session, why error) {
	l.log.Debug("connection refused", "peer", s.peer, "err", why)
	l.close(s)
	if s.hops == 0 {
		l.book.lost(s.peer, 0, time.Now())
	}
}

func (l *loop) strangers() (n int) {
	for _, s := range l.order {
		if !s.member {
			n++
		}
	}
	return n
}

// wins tells both ends alike which of two connections to one device stays: the
// more direct one, else the one dialed by the lower PeerID, of two by the same the
// newer.
func (l *loop) wins(s, old *session) bool {
	if s.hops != old.hops {
		return s.hops < old.hops
	}
	return s.dialed == old.dialed || s.dialed == (l.self < s.peer)
}

func (l *loop) probeOld(s *session, now time.Time) {
	if s.probe.IsZero() {
		s.probe = now.Add(probeTime)
		l.ping(s, now)
		l.wake(s.probe)
	}
}

// admit starts a session: the other end hears our digest, which also says that
// it was accepted.
func (l *loop) admit(s *session, now time.Time) {
	s.since = now
	s.size = leastWant
	s.asks = map[uint64]*ask{}
	s.views = map[log.SpaceID]*view{}
	s.told = -1
	l.sessions[s.key()] = s
	l.met = true
	i, _ := slices.BinarySearchFunc(l.order, s, func(a, b *session) int { return a.key().compare(b.key()) })
	l.order = slices.Insert(l.order, i, s)
	l.share(s)
	l.tellDigest(s, now)
	l.ping(s, now)
	l.tellAddrs(s)
	l.tellNearTo(s)
	l.due = now // its deadlines are new
	l.welcome(s)
	for _, f := range s.stash {
		l.frame(s, f)
	}
	s.stash = nil
}

// share sets which spaces a session is about. It reports whether some are new.
func (l *loop) share(s *session) (added bool) {
	s.spaces = []log.SpaceID{log.Control}
	if s.member {
		s.spaces = l.h.Spaces(s.device)
	}
	for _, id := range s.spaces {
		if s.views[id] == nil {
			s.views[id] = newView()
			added = true
		}
	}
	maps.DeleteFunc(s.views, func(id log.SpaceID, _ *view) bool { return !slices.Contains(s.spaces, id) })
	l.met = true
	return added
}

// tellDigest compares everything shared with the other end. A device that is not
// known as a member learns nothing; it is told so with an empty list.
func (l *loop) tellDigest(s *session, now time.Time) {
	s.digests++
	s.digestAt = now.Add(digestEvery + l.book.chance.spread(s.peer, s.digests, digestMore))
	l.wake(s.digestAt)
	list := []spaceDigest{}
	if s.member {
		for _, id := range s.spaces[:min(len(s.spaces), maxSpaces)] {
			if now.Sub(l.space(id).looked) > digestEvery {
				l.look(id, now)
			}
			list = append(list, spaceDigest{Space: id, Digest: l.space(id).sum()})
		}
	}
	l.send(s, digestFrame{Type: typeDigest, Digests: list})
	if s.told >= 0 && s.told != l.addrs {
		l.tellAddrs(s)
	}
}

// end ends a session; a spare takes its place.
func (l *loop) end(s *session, left string, why error) {
	if s.ended {
		return
	}
	now := time.Now()
	l.close(s)
	if l.spares[s.key()] == s {
		delete(l.spares, s.key())
		return
	}
	if l.sessions[s.key()] != s {
		return
	}
	delete(l.sessions, s.key())
	l.met = true
	l.order = slices.DeleteFunc(l.order, func(o *session) bool { return o == s })
	for id, f := range l.fetches {
		if f.from == s {
			f.dead.Store(true)
			delete(l.fetches, id)
		}
	}
	switch {
	case left == "":
	case s.hops > 0:
		l.undetoured(s, now)
	default:
		l.book.lost(s.peer, now.Sub(s.since), now)
	}
	l.uncross(s)
	l.nearSoon(now)
	l.reroute()
	if s.heard && left != "" {
		p := l.peer(s)
		p.Here, p.Left, p.Since, p.RTT, p.Path = false, left, now, 0, ""
		p.Via, p.Hops = log.DeviceID{}, 0
		l.left[s.peer] = p
		l.changed()
		l.log.Info("peer left", "peer", s.peer, "how", left, "err", why)
	}
	if spare := l.spares[s.key()]; spare != nil && !errors.Is(why, errStopped) {
		delete(l.spares, s.key())
		l.admit(spare, now)
	}
	l.due = now // its ranges are free for others
}

func (l *loop) close(s *session) {
	s.ended = true
	s.hangUp()
}

// hostile ends a session with a peer that sent what no honest device sends.
func (l *loop) hostile(s *session, why error) {
	if s.ended {
		return
	}
	l.log.Warn("peer sent nonsense", "peer", s.peer, "err", why)
	l.gate.strike(s.peer, time.Now())
	l.end(s, LeftBroke, why)
}

// frame handles one frame of a session; nil is of a type not known here.
func (l *loop) frame(s *session, frame any) {
	if s.ended {
		return
	}
	if l.spares[s.key()] == s {
		s.stash = append(s.stash, frame)
		return // its reader waits for the tokens
	}
	<-s.tokens
	now := time.Now()
	if !s.heard {
		l.hear(s, now)
	}
	switch f := frame.(type) {
	case *digestFrame:
		l.gotDigest(s, f, now)
	case *askFrame:
		for _, id := range f.Spaces {
			if s.member && s.views[id] != nil {
				s.out.ask(id)
			}
		}
	case *heightsFrame:
		if v := l.gotHeights(s, f.Space, f.Heights, now, false); v != nil && !f.More {
			v.listed = true
		}
	case *haveFrame:
		l.gotHeights(s, f.Space, f.Heights, now, true)
	case *wantFrame:
		l.gotWant(s, f)
	case *batchFrame:
		l.gotBatch(s, f, now)
	case *pushed:
		l.gotPush(s, f, now)
	case *addrsFrame:
		l.gotAddrs(s, f, now)
	case *nearFrame:
		l.gotNear(s, f, now)
	case *relayFrame:
		l.gotRelay(s, f, now)
	case *bringFrame:
		l.gotBring(s, f)
	case *refuseFrame:
		l.relays.refuse(legKey{s.peer, f.Token})
	case *punchFrame:
		l.gotPunch(s, f, now)
	case *callFrame:
		if s.member {
			l.links.called(s.device)
		}
	case *whisperFrame:
		if s.member && s.views[f.Space] != nil {
			l.teller.heard(s.device, f)
		}
	case *pingFrame:
		if f.Type == typePing {
			s.mine = false
			l.send(s, pingFrame{Type: typePong, N: f.N})
		} else if f.N == s.ping && !s.pinged.IsZero() {
			l.gotPong(s, now)
		}
	case *goodbyeFrame:
		l.end(s, LeftGoodbye, nil)
	}
}

// hear notes that the other end accepts us: from now on it is here.
func (l *loop) hear(s *session, now time.Time) {
	s.heard = true
	l.gate.pardon(s.peer)
	delete(l.left, s.peer)
	if s.member && s.dialed && len(s.addrs) > 0 && !s.punched && s.peer != l.self {
		l.book.own(s.peer, []string{s.c.Path()}, now)
		l.teller.reached(s.peer, l.book.contacts[s.peer].addrs)
		l.addrs++
	}
	l.nearSoon(now)
	l.reroute()
	l.due = now
	l.changed()
	l.log.Info("peer joined", "peer", s.peer, "addr", s.c.Path(), "hops", s.hops)
	l.welcome(s)
}

// welcome tells the application once that a member's session began.
func (l *loop) welcome(s *session) {
	if s.heard && s.member && !s.welcomed {
		s.welcomed, l.met = true, true
		l.teller.came(s.device)
	}
}

func (l *loop) gotPong(s *session, now time.Time) {
	if s.rtt == 0 {
		l.peersSoon()
	}
	s.rtt = now.Sub(s.pinged)
	if s.best == 0 || s.rtt < s.best {
		s.best = s.rtt
	}
	s.pinged = time.Time{}
	l.peersBy(now.Add(quietTime))
	if !s.probe.IsZero() {
		s.probe = time.Time{}
		if spare := l.spares[s.key()]; spare != nil {
			l.end(spare, "", errDuplicate)
		}
	}
}

func (l *loop) gotDigest(s *session, f *digestFrame, now time.Time) {
	var ask []log.SpaceID
	for _, d := range f.Digests {
		v := s.views[d.Space]
		if v == nil {
			continue
		}
		st := l.space(d.Space)
		if st.sum() == d.Digest {
			l.inSync(s, d.Space, v, st.held)
			continue
		}
		if v.asked.IsZero() || now.Sub(v.asked) >= askGap {
			v.asked = now
			ask = append(ask, d.Space)
		}
	}
	if len(ask) > 0 {
		l.send(s, askFrame{Type: typeAsk, Spaces: ask})
	}
}

// inSync notes that the peer holds just what we hold.
func (l *loop) inSync(s *session, space log.SpaceID, v *view, held log.Heights) {
	changed := log.Heights{}
	for id, at := range held {
		if v.theirs[id] != at {
			changed[id] = at
		}
	}
	if len(changed) > 0 {
		v.theirs = maps.Clone(held)
		l.holds(s, changed)
	}
	if len(changed) > 0 || len(v.lacking) > 0 || !v.listed {
		l.peersSoon()
	}
	v.listed = true
	clear(v.lacking)
}

// holds tells the application what a member has on disk.
func (l *loop) holds(s *session, changed log.Heights) {
	if s.member && len(changed) > 0 {
		l.teller.holds(s.device, changed)
	}
}

func (l *loop) gotHeights(s *session, space log.SpaceID, list []logHeight, now time.Time, news bool) *view {
	v := s.views[space]
	if v == nil {
		return nil
	}
	changed := v.merge(list)
	offered := 0
	for _, v := range s.views {
		offered += len(v.theirs)
	}
	if offered > maxLogs {
		l.hostile(s, errFlood)
		return nil
	}
	l.holds(s, changed)
	held := l.heldOf(space)
	for _, h := range list {
		after := time.Time{}
		if lag := h.Seq - held[h.Log].Seq; news && lag > 0 && lag <= smallLag && l.pushComing(s, h.Log) {
			after = now.Add(pushGrace)
		}
		v.compare(h.Log, held[h.Log], after)
	}
	l.peersSoon()
	l.plan(s, now)
	return v
}

// pushComing reports whether the author of a log is here and will push by itself.
func (l *loop) pushComing(s *session, id log.LogID) bool {
	card, ok := l.h.Card(id)
	if !ok {
		return false
	}
	for _, o := range l.order {
		if o != s && o.heard && o.device == card.Device {
			return true
		}
	}
	return false
}

// gotWant queues what the peer may have of what it wants.
func (l *loop) gotWant(s *session, f *wantFrame) {
	w := served{id: f.ID, max: min(max(int(f.Max), 1), log.MaxBatch)}
	for _, r := range f.Ranges {
		card, ok := l.h.Card(r.Log)
		if !ok || !s.member || s.views[card.Space] == nil {
			continue
		}
		w.ranges = append(w.ranges, r)
		w.cards = append(w.cards, card)
	}
	s.out.serve(w)
}

func (l *loop) gotAddrs(s *session, f *addrsFrame, now time.Time) {
	if !s.member {
		return
	}
	for _, p := range f.Peers {
		peer := PeerID(p.Peer)
		switch _, member := l.members[peer]; {
		case peer == s.peer:
			if l.book.own(peer, p.Addrs, now) {
				l.teller.reached(peer, l.book.contacts[peer].addrs)
				l.addrs++
			}
		case member && peer != l.self:
			if l.book.tell(peer, p.Addrs) {
				l.teller.told(peer, l.book.contacts[peer].told)
			}
		}
	}
	l.due = now
}

// tellAddrs tells a member where we and those connected to us can be dialed.
func (l *loop) tellAddrs(s *session) {
	if !s.member {
		return
	}
	s.told = l.addrs
	list := []peerAddrs{}
	add := func(peer PeerID, addrs []string) {
		if addrs = merge(addrs, nil); len(addrs) > 0 && len(peer) <= maxAddr {
			list = append(list, peerAddrs{Peer: string(peer), Addrs: addrs})
		}
	}
	add(l.self, l.own)
	for _, o := range l.order {
		if c := l.book.contacts[o.peer]; o != s && o.heard && o.member && c != nil && len(list) < maxToldPeers {
			add(o.peer, c.addrs)
		}
	}
	l.send(s, addrsFrame{Type: typeAddrs, Peers: list})
}
