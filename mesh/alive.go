package mesh

import "time"

// Timing of sessions over an AliveConn.
const (
	aliveTime  = 7 * time.Second  // without a sign of the other end until a ping
	askTime    = 30 * time.Second // without a frame until a ping: the computer may live and the program not
	lookAround = 3 * time.Second  // who falls quiet within this is looked at together
	lookAgain  = time.Second      // between questions to the system
)

// An AliveConn is a Conn whose system asks the other end's by itself, every few
// seconds, whether it is there, and tells how long ago it last heard from it. That
// costs neither program anything; ok is false where the system cannot tell.
type AliveConn interface {
	Conn
	Heard() (ago time.Duration, ok bool)
}

// aliveConn returns the Conn as one that can tell, or nil.
func aliveConn(c Conn) AliveConn {
	if a, is := c.(AliveConn); is {
		if _, ok := a.Heard(); ok {
			return a
		}
	}
	return nil
}

// sign returns when the other end last gave a sign: a frame, or what the system
// heard, which is asked only when it matters.
func (l *loop) sign(s *session, now time.Time) time.Time {
	if s.alive == nil {
		return l.seen(s)
	}
	silent := now.Sub(l.known(s))
	if silent >= deadTime || silent+lookAround >= aliveTime && now.Sub(s.lookedAt) >= lookAgain {
		s.lookedAt = now
		if ago, ok := s.alive.Heard(); ok {
			s.aliveAt = now.Add(-ago)
		}
	}
	return l.known(s)
}

// known is the same without asking.
func (l *loop) known(s *session) time.Time { return later(l.seen(s), s.aliveAt) }

// hung reports whether a ping went unanswered for so long that the program at the
// other end is not there, whatever its system says.
func (s *session) hung(seen, now time.Time) bool {
	return !s.pinged.IsZero() && now.Sub(s.pinged) >= deadTime && now.Sub(seen) >= deadTime
}

// pingDue returns when to ping if nothing comes until then, and whether that is
// soon enough to do it now.
func (s *session) pingDue(seen, sign, now time.Time) (at time.Time, due bool) {
	at = sign.Add(s.quiet())
	due = at.Sub(now) <= pingTogether
	if s.alive != nil {
		ask := seen.Add(askTime)
		due = due || ask.Sub(now) <= lookAround
		if ask.Before(at) {
			at = ask
		}
	}
	return at, due
}
