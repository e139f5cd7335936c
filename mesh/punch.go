package mesh

import (
	"context"
	"slices"
	"time"
)

// Timing of punching: two ends of a session that is carried send to each other's
// addresses at the same moment, so that the routers and firewalls in front of both
// take what comes for an answer. The carrier tells each end how it is seen from
// outside. Where it works a direct session takes the place of the carried one.
const (
	punchSoon   = 200 * time.Millisecond // after the carried session began
	punchTime   = 3 * time.Second        // for the sending
	punchEvery  = 8 * time.Second        // between tries, at first
	punchTries  = 3                      // until it is left alone for long
	punchLater  = 15 * time.Minute
	punchGap    = 2 * time.Second // between two that one peer asks for
	outsideTime = 2 * time.Second // for the carrier to tell how we are seen
)

// Steps of a punchFrame.
const (
	punchAsk    = 1 // by the one who dialed the carried session, with its addresses
	punchAnswer = 2 // with the other's
	punchGo     = 3 // the other sends now; the first dials half a round trip later
)

// A punch is the state of a session that is carried. It belongs to the loop.
type punch struct {
	n     uint64 // of the try
	open  bool   // it was not answered yet
	tries int
	next  time.Time
	asked time.Time // by the other end
	to    []string  // its addresses, until it says go
}

// punchAll begins what is due.
func (l *loop) punchAll(now time.Time) {
	for _, s := range l.order {
		if s.hops == 0 || !s.dialed || !s.heard || !s.member {
			continue
		}
		p := &s.punch
		if p.next.IsZero() {
			p.next = s.since.Add(punchSoon)
		}
		if !p.next.After(now) {
			p.n, p.open = p.n+1, true
			p.tries++
			wait := punchEvery
			if p.tries%punchTries == 0 {
				wait = punchLater
			}
			p.next = now.Add(wait + l.book.chance.spread(s.peer, p.tries, wait/4))
			l.tellOutside(s, punchAsk, p.n)
		}
		l.wake(p.next)
	}
}

// tellOutside finds out how this device is seen, and tells the other end of a
// session with a step.
func (l *loop) tellOutside(s *session, step, n uint64) {
	own, via := slices.Clone(l.own), s.first()
	var addrs []string
	if c := l.book.contacts[via.peer]; c != nil {
		addrs = c.where()
	}
	if via.dialed || via.punched {
		addrs = merge([]string{via.c.Path()}, addrs)
	}
	l.conns.Go(func() {
		if seen := l.outside(l.ctx, via.peer, addrs); seen != "" && !slices.Contains(own, seen) {
			own = append([]string{seen}, own...)
		}
		own = mergeTo(maxPunchAddrs, own)
		l.post(func(l *loop) {
			if len(own) > 0 {
				l.send(s, punchFrame{Type: typePunch, Step: step, N: n, Addrs: own})
			}
		})
	})
}

// outside asks a peer at which address it sees this device; empty if it cannot say.
func (m *Mesh) outside(ctx context.Context, by PeerID, addrs []string) string {
	ctx, cancel := context.WithTimeout(ctx, outsideTime)
	defer cancel()
	c, err := m.t.DialPunched(ctx, by, addrs, ProtoSeen)
	if err != nil {
		m.log.Debug("not told how this device is seen", "peer", by, "err", err)
		return ""
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	frame, err := c.Recv()
	if err != nil || len(frame) > maxAddr {
		return ""
	}
	return string(frame)
}

// tellSeen tells a member how it is seen. Others hear nothing.
func (m *Mesh) tellSeen(c Conn) {
	defer c.Close()
	if m.relays.meets(c.Peer()) {
		_ = c.Send([]byte(c.Path())) // who does not hear it asks again
	}
}

func (l *loop) gotPunch(s *session, f *punchFrame, now time.Time) {
	p := &s.punch
	if !s.member || s.hops == 0 || s.dialed != (f.Step == punchAnswer) {
		return
	}
	switch f.Step {
	case punchAsk:
		if now.Sub(p.asked) >= punchGap {
			p.asked, p.n, p.to = now, f.N, f.Addrs
			l.tellOutside(s, punchAnswer, f.N)
		}
	case punchAnswer:
		if f.N == p.n && p.open {
			p.open = false
			l.send(s, punchFrame{Type: typePunch, Step: punchGo, N: f.N, Addrs: []string{}})
			l.conns.Go(func() { l.dialPunched(l.ctx, s.peer, f.Addrs, s.best/2) })
		}
	case punchGo:
		if to := p.to; f.N == p.n && len(to) > 0 {
			p.to = nil
			if c := l.book.contacts[s.peer]; c != nil {
				c.opened = to
			}
			l.conns.Go(func() {
				ctx, cancel := context.WithTimeout(l.ctx, punchTime)
				defer cancel()
				l.t.Punch(ctx, s.peer, to)
			})
		}
	}
}

// dialPunched dials at the moment at which the other end sends.
func (m *Mesh) dialPunched(ctx context.Context, to PeerID, addrs []string, after time.Duration) {
	dialing, cancel := context.WithTimeout(ctx, punchTime)
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	c, err := m.t.DialPunched(dialing, to, addrs, ProtoSync)
	cancel()
	if err != nil {
		m.log.Debug("no direct way", "peer", to, "err", err)
		return
	}
	m.greet(ctx, c, way{dialed: true, addrs: []string{c.Path()}, punched: true})
}

// letThrough marks a session that the other end dialed, if it came where it was
// let through.
func (l *loop) letThrough(s *session) {
	c := l.book.contacts[s.peer]
	if c != nil && !s.dialed && s.hops == 0 && slices.Contains(c.opened, s.c.Path()) {
		s.punched, s.addrs = true, []string{s.c.Path()}
	}
}
