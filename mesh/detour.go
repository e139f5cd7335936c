package mesh

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Timing of detours: sessions through a member that both ends have one with.
const (
	detourSoon = 250 * time.Millisecond // after a direct dial failed, or nothing can be dialed, or it is far away
	detourLate = 2 * time.Second        // where a direct dial may still succeed
	detourGap  = 20 * time.Millisecond  // between two asked of one member
	detourLook = 200 * time.Millisecond // between two looks at who needs one
	nearDelay  = 300 * time.Millisecond // gathers what changed before it is told
	maxDetours = 16                     // being brought about
)

// A detour is what is tried for a member that is not reached directly. It belongs
// to the loop.
type detour struct {
	since time.Time // when it could first be tried; zero while there is a session, or no way
	fails int
	next  time.Time
	busy  bool
}

// wait is how long a direct way is given first; the lower PeerID asks first.
func (d *detour) wait(l *loop, p PeerID, now time.Time) time.Duration {
	wait := detourLate
	if c := l.book.contacts[p]; c == nil || c.fails > 0 || c.sighted.IsZero() || !c.dialing && !c.dialable(now) {
		wait = detourSoon
	}
	if l.self > p {
		wait += politeness/2 + l.book.chance.spread(p, 0, politeness/2)
	}
	return wait
}

// reroute has detours looked at soon.
func (l *loop) reroute() {
	if at := time.Now().Add(detourLook); l.detourAt.IsZero() || at.Before(l.detourAt) {
		l.detourAt = at
		l.wake(at)
	}
}

// vias returns the members that say to have a session with one, the best first;
// those alone by whom it is fewer than so many hops away.
func (l *loop) vias(p PeerID, hops int) []*session {
	var list []*session
	for _, s := range l.order {
		if s.member && s.heard && s.hops+1 < hops && s.near[p] && s.peer != p {
			list = append(list, s)
		}
	}
	slices.SortStableFunc(list, func(a, b *session) int {
		return cmp.Or(cmp.Compare(a.hops, b.hops), cmp.Compare(a.best, b.best), cmp.Compare(a.peer, b.peer))
	})
	return list
}

// detour asks members to carry to those who are not here.
func (l *loop) detour(now time.Time) {
	if l.detourAt.IsZero() || l.detourAt.After(now) {
		l.wake(l.detourAt)
		return
	}
	l.detourAt = time.Time{}
	again := func(at time.Time) {
		if l.detourAt.IsZero() || at.Before(l.detourAt) {
			l.detourAt = at
		}
		l.wake(at)
	}
	here := map[PeerID]int{l.self: 0} // hops
	for _, s := range l.order {
		if hops, is := here[s.peer]; !is || s.hops < hops {
			here[s.peer] = s.hops
		}
	}
	busy := 0
	for p, d := range l.detours {
		if d.busy {
			busy++
		} else if _, member := l.members[p]; !member {
			delete(l.detours, p)
		}
	}
	asked := map[PeerID]bool{}
	for _, p := range slices.Sorted(maps.Keys(l.members)) {
		d := l.detours[p]
		hops, is := here[p]
		if !is {
			hops = maxHops + 1
		}
		var vias []*session
		if hops > 1 {
			vias = l.vias(p, hops)
		}
		if len(vias) == 0 {
			if d != nil {
				d.since = time.Time{}
			}
			continue
		}
		if d == nil {
			d = &detour{}
			l.detours[p] = d
		}
		if d.since.IsZero() {
			d.since = now
		}
		at := d.since.Add(d.wait(l, p, now))
		at = later(at, d.next)
		via := vias[d.fails%len(vias)]
		switch {
		case d.busy:
		case at.After(now):
			again(later(at, now.Add(detourLook)))
		case busy >= maxDetours: // one that ends has them looked at again
		case asked[via.first().peer]:
			again(now.Add(detourGap))
		default:
			asked[via.first().peer] = true
			busy++
			l.detourBegin(d, via, p, now)
		}
	}
}

// first is the session with the neighbour that all of a session's frames go to.
func (s *session) first() *session {
	for s.through != nil {
		s = s.through
	}
	return s
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (l *loop) detourBegin(d *detour, via *session, p PeerID, now time.Time) {
	k, g, err := l.relays.fresh(via)
	d.fails++
	wait := min(firstBackoff<<min(d.fails-1, 16), lastBackoff)
	d.next = now.Add(wait/2 + l.book.chance.spread(p, d.fails, wait/2))
	if err != nil {
		l.log.Debug("detour failed", "peer", p, "err", err)
		l.reroute()
		return
	}
	l.ask(via, k, p)
	d.busy = true
	l.conns.Go(func() {
		c, err := l.relays.dial(l.ctx, via, k, g, p, ProtoSync)
		if err == nil && l.greet(l.ctx, c, way{dialed: true, through: via, hops: via.hops + 1}) {
			return
		}
		l.log.Debug("detour failed", "peer", p, "err", err)
		l.post(func(l *loop) { l.detoured(p) })
	})
}

// detoured notes that a try for a detour came to an end.
func (l *loop) detoured(p PeerID) {
	if d := l.detours[p]; d != nil {
		d.busy = false
	}
	l.reroute()
}

// undetoured notes that a session on a detour ended.
func (l *loop) undetoured(s *session, now time.Time) {
	if d := l.detours[s.peer]; d != nil && now.Sub(s.since) >= steady {
		d.fails, d.next = 0, now
	}
}

// nearby returns whom this device can carry to: members with a session of their own
// with it, who speak of that too.
func (l *loop) nearby() []string {
	list := []string{}
	for _, s := range l.order {
		if s.member && s.heard && s.hops == 0 && s.near != nil && len(s.peer) <= maxAddr && !slices.Contains(list, string(s.peer)) && len(list) < maxToldPeers {
			list = append(list, string(s.peer))
		}
	}
	slices.Sort(list)
	return list
}

// nearSoon tells members whom this device can carry to, if that changed.
func (l *loop) nearSoon(now time.Time) {
	if l.nearAt.IsZero() {
		l.nearAt = now.Add(nearDelay)
		l.wake(l.nearAt)
	}
}

func (l *loop) tellNear(now time.Time) {
	if l.nearAt.IsZero() || l.nearAt.After(now) {
		l.wake(l.nearAt)
		return
	}
	l.nearAt = time.Time{}
	list := l.nearby()
	if slices.Equal(list, l.nearTold) {
		return
	}
	l.nearTold = list
	for _, s := range slices.Clone(l.order) {
		l.tellNearTo(s)
	}
}

// tellNearTo tells one end of a session, which also says that we take part.
func (l *loop) tellNearTo(s *session) {
	if s.member && s.hops < maxHops {
		l.send(s, nearFrame{Type: typeNear, Peers: l.nearTold})
	}
}

func (l *loop) gotNear(s *session, f *nearFrame, now time.Time) {
	if !s.member {
		return
	}
	if s.near == nil {
		l.nearSoon(now)
	}
	s.near = make(map[PeerID]bool, len(f.Peers))
	for _, p := range f.Peers {
		s.near[PeerID(p)] = true
	}
	l.reroute()
}

// gotRelay carries from one member's session to another's, if it may.
func (l *loop) gotRelay(s *session, f *relayFrame, now time.Time) {
	refuse := func(why string) {
		l.log.Debug("not carried", "peer", s.peer, "why", why)
		l.relays.refuse(legKey{s.peer, f.Token})
		l.send(s, refuseFrame{Type: typeRefuse, Token: f.Token})
	}
	if !s.member || !s.heard {
		return
	}
	if s.asked.Before(now) {
		s.asked = now
	}
	if s.asked.Sub(now) > (relayBurst-1)*relayRate {
		refuse("too often")
		return
	}
	s.asked = s.asked.Add(relayRate)
	i := slices.IndexFunc(l.order, func(o *session) bool {
		return string(o.peer) == f.Peer && o.member && o.heard && o.hops == 0 && o.near != nil
	})
	_, member := l.members[PeerID(f.Peer)]
	switch {
	case i < 0 || !member || f.Peer == string(s.peer):
		refuse("not here")
		return
	case s.hops+1 > maxHops:
		refuse("too far")
		return
	case !l.relays.hold(s.peer, PeerID(f.Peer)):
		refuse("too many")
		return
	}
	to := l.order[i]
	k, g, err := l.relays.fresh(to)
	if err != nil {
		l.relays.drop(s.peer, to.peer)
		refuse("no token")
		return
	}
	a := bank{s: s, k: legKey{s.peer, f.Token}}
	a.g = l.relays.expect(a.k)
	l.send(to, bringFrame{Type: typeBring, Token: k.token, Peer: string(s.peer), Hops: uint64(s.hops) + 1})
	l.cross(&crossing{a, bank{to, k, g}})
}

// gotBring takes a member that another one brings.
func (l *loop) gotBring(s *session, f *bringFrame) {
	from := PeerID(f.Peer)
	_, member := l.members[from]
	if !s.member || !member || from == l.self || from == s.peer || f.Hops < 1 || f.Hops > maxHops || s.hops > 0 ||
		!l.relays.take(l.relays.brought, s.peer, maxKnocks) {
		l.send(s, refuseFrame{Type: typeRefuse, Token: f.Token})
		return
	}
	k := legKey{s.peer, f.Token}
	g := l.relays.expect(k)
	l.conns.Go(func() { l.relays.bring(l.ctx, s, k, g, from, int(f.Hops)) })
}
