package mesh

import (
	"context"
	"slices"
	"time"

	"inselnetz/crdt/log"
)

// Limits of the loop.
const (
	maxSessions  = 256
	maxStrangely = 16 // sessions with devices not known as members
	strangerTime = time.Minute
	membersEvery = 30 * time.Second
)

// A loop owns the state of a running Mesh: only its functions, called one at a
// time by run, touch it. It waits for nobody. Holdings answer it from memory.
type loop struct {
	*Mesh
	ctx      context.Context
	book     *book
	sessions map[sessionKey]*session
	spares   map[sessionKey]*session // duplicates, until the other is known to live
	order    []*session              // all in sessions, in order of key
	left     map[PeerID]Peer         // how those who are not here left
	members  map[PeerID][]string
	keys     []log.Key

	spaces  map[log.SpaceID]*spaceState
	fetches map[log.LogID]*fetch
	detours map[PeerID]*detour

	dials     map[PeerID]underWay
	crossings []*crossing // relays whose legs do not stand yet

	nearTold []string // whom members were told this device can carry to
	nearAt   time.Time
	detourAt time.Time

	met          bool // who is here for blocks changed
	addrs        int  // version of what is known of addresses
	own          []string
	due          time.Time
	haveAt       time.Time
	membersAt    time.Time
	peersChanged bool
	notify       bool // and the application is told
	peersAt      time.Time
}

// spaceState is what is on disk here of one space, as the others were told or
// will be.
type spaceState struct {
	held   log.Heights
	digest *[16]byte
	fresh  map[log.LogID]bool // not told yet
	looked time.Time
}

// run handles what is posted, and what is due, until ctx ends.
func (l *loop) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		for _, f := range l.inbox.take() {
			f(l)
		}
		now := time.Now()
		if !l.due.After(now) {
			l.due = now.Add(quietTime)
			l.tick(now)
		}
		if l.met {
			l.meet()
		}
		if l.peersChanged {
			l.publish(now)
		}
		timer.Reset(time.Until(l.due))
		select {
		case <-l.inbox.signal:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
}

// wake makes sure that tick runs at a time.
func (l *loop) wake(at time.Time) {
	if !at.IsZero() && at.Before(l.due) {
		l.due = at
	}
}

// tick does what is due and wakes itself for what is next.
func (l *loop) tick(now time.Time) {
	if !l.haveAt.IsZero() {
		if l.haveAt.After(now) {
			l.wake(l.haveAt)
		} else {
			l.tellHave()
		}
	}
	if !l.membersAt.After(now) {
		l.recheck(now, false)
	}
	l.wake(l.membersAt)
	if !l.peersAt.IsZero() && !l.peersAt.After(now) {
		l.peersChanged = true
	}
	l.wake(l.peersAt)
	for _, s := range slices.Concat(l.order, l.spareList()) {
		l.tend(s, now)
	}
	l.planAll(now)
	l.afresh(now)
	l.dial(now)
	l.tellNear(now)
	l.detour(now)
	l.punchAll(now)
}

func (l *loop) spareList() []*session {
	var list []*session
	for _, s := range l.spares {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *session) int { return a.key().compare(b.key()) })
	return list
}

// tend pings, compares and ends one session as time goes by.
func (l *loop) tend(s *session, now time.Time) {
	seen, sign := l.seen(s), l.sign(s, now)
	switch {
	case s.ended:
		return
	case l.spares[s.key()] == s:
		l.wake(seen.Add(deadTime))
		if now.Sub(seen) >= deadTime {
			l.end(s, LeftBroke, errDead)
		}
		return
	case !s.heard && now.Sub(s.since) >= helloTime,
		now.Sub(sign) >= deadTime,
		s.hung(seen, now),
		!s.probe.IsZero() && !s.probe.After(now),
		!s.member && now.Sub(s.since) >= strangerTime,
		s.out.stuck(now):
		l.end(s, LeftBroke, errDead)
		return
	}
	if !s.heard {
		l.wake(s.since.Add(helloTime))
	}
	ping, due := s.pingDue(seen, sign, now)
	if s.pinged.IsZero() && due {
		l.ping(s, now)
	}
	if s.pinged.IsZero() {
		l.wake(ping)
	} else {
		l.wake(later(s.pinged, seen).Add(deadTime))
	}
	l.wake(sign.Add(deadTime))
	l.wake(s.probe)
	for _, a := range s.asks {
		if now.Sub(a.at) >= wantTime {
			l.unanswered(s, a, now)
		} else {
			l.wake(a.at.Add(wantTime))
		}
	}
	if s.digestAt.Sub(now) <= digestSoon {
		l.tellDigest(s, now)
	}
	l.wake(s.digestAt)
}

func (l *loop) seen(s *session) time.Time { return l.epoch.Add(time.Duration(s.seen.Load())) }

func (l *loop) ping(s *session, now time.Time) {
	s.ping++
	s.pinged, s.mine = now, true
	l.send(s, pingFrame{Type: typePing, N: s.ping})
}

// send queues a frame that must arrive, or ends a session that takes too little.
func (l *loop) send(s *session, frame any) {
	if !s.ended && !s.out.put(encode(frame)) {
		l.end(s, LeftBroke, errStuck)
	}
}

// space returns the state of a space, read from Holdings when it is first used.
func (l *loop) space(id log.SpaceID) *spaceState {
	s := l.spaces[id]
	if s == nil {
		s = &spaceState{held: l.h.Heights(id), fresh: map[log.LogID]bool{}, looked: time.Now()}
		if s.held == nil {
			s.held = log.Heights{}
		}
		l.spaces[id] = s
	}
	return s
}

func (l *loop) heldOf(id log.SpaceID) log.Heights { return l.space(id).held }

func (s *spaceState) sum() [16]byte {
	if s.digest == nil {
		d := s.held.Digest()
		s.digest = &d
	}
	return *s.digest
}

// grew notes a log's new height on disk. All others are told soon.
func (l *loop) grew(space log.SpaceID, id log.LogID, at log.Height) bool {
	st := l.space(space)
	if at.Seq <= st.held[id].Seq {
		return false
	}
	st.held[id] = at
	st.digest = nil
	st.fresh[id] = true
	if l.haveAt.IsZero() {
		l.haveAt = time.Now().Add(haveDelay)
		l.wake(l.haveAt)
	}
	for _, s := range l.order {
		if v := s.views[space]; v != nil {
			v.compare(id, at, time.Time{})
		}
	}
	l.peersSoon()
	return true
}

// look reads a space's heights anew, in case a change was not reported.
func (l *loop) look(space log.SpaceID, now time.Time) {
	st := l.space(space)
	st.looked = now
	all := l.h.Heights(space)
	for _, id := range sortedKeys(all) {
		l.grew(space, id, all[id])
	}
}

// tellHave tells every member's session what came on disk.
func (l *loop) tellHave() {
	l.haveAt = time.Time{}
	for _, id := range sortedKeys(l.spaces) {
		st := l.spaces[id]
		if len(st.fresh) == 0 {
			continue
		}
		list := make([]logHeight, 0, len(st.fresh))
		for _, log := range sortedKeys(st.fresh) {
			list = append(list, logHeight{Log: log, Seq: st.held[log].Seq, Hash: st.held[log].Hash})
		}
		clear(st.fresh)
		for part := range slices.Chunk(list, maxHeightsFrame) {
			frame := encode(haveFrame{Type: typeHave, Space: id, Heights: part})
			for _, s := range slices.Clone(l.order) {
				if s.member && s.views[id] != nil && !s.ended && !s.out.put(frame) {
					l.end(s, LeftBroke, errStuck)
				}
			}
		}
	}
}

// peersSoon publishes, but not for every single entry.
func (l *loop) peersSoon() { l.peersBy(time.Now().Add(250 * time.Millisecond)) }

func (l *loop) peersBy(at time.Time) {
	if l.peersAt.IsZero() || at.Before(l.peersAt) {
		l.peersAt = at
		l.wake(at)
	}
}
