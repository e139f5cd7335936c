package mesh

import (
	"slices"
	"sync"
	"time"
)

// Limits on those who have not proved anything yet.
const (
	maxStrangers = 32 // hellos of peers that are not members, at once
	maxPerPeer   = 4  // hellos of one peer, at once
	maxJoins     = 16
	maxJoinsPeer = 2
	maxStrikes   = 1024
	maxRefusal   = 5 * time.Minute
)

// A gate decides who may try a hello. Members have places of their own, so
// strangers cannot keep them out; a stranger too many ends the oldest one's try.
type gate struct {
	mu      sync.Mutex
	members map[PeerID]bool
	strikes map[PeerID]strike
	trying  []*guest // oldest first
	joins   map[PeerID]int
	joining int
}

type guest struct {
	c      Conn
	member bool
}

type strike struct {
	count int
	last  time.Time
	until time.Time
}

func newGate() *gate {
	return &gate{strikes: map[PeerID]strike{}, joins: map[PeerID]int{}}
}

// enter returns nil if the peer is refused for now.
func (g *gate) enter(c Conn, now time.Time) *guest {
	g.mu.Lock()
	peer := c.Peer()
	v := &guest{c: c, member: g.members[peer]}
	var out []Conn
	mine, strangers := 0, 0
	for _, t := range g.trying {
		if t.c.Peer() == peer {
			mine++
		}
		if !t.member {
			strangers++
		}
	}
	refused := g.strikes[peer].until.After(now) || mine >= maxPerPeer
	if !refused {
		if !v.member && strangers >= maxStrangers {
			i := slices.IndexFunc(g.trying, func(t *guest) bool { return !t.member })
			out = append(out, g.trying[i].c)
			g.trying = slices.Delete(g.trying, i, i+1)
		}
		g.trying = append(g.trying, v)
	}
	g.mu.Unlock()
	for _, c := range out {
		c.Close()
	}
	if refused {
		return nil
	}
	return v
}

func (g *gate) leave(v *guest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.trying, v); i >= 0 {
		g.trying = slices.Delete(g.trying, i, i+1)
	}
}

// enterJoin reports whether one more joining device of this peer is let on.
func (g *gate) enterJoin(peer PeerID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.joining >= maxJoins || g.joins[peer] >= maxJoinsPeer {
		return false
	}
	g.joining++
	g.joins[peer]++
	return true
}

func (g *gate) leaveJoin(peer PeerID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.joining--
	if g.joins[peer]--; g.joins[peer] == 0 {
		delete(g.joins, peer)
	}
}

// strike refuses the peer for a time that doubles with each strike.
func (g *gate) strike(peer PeerID, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, known := g.strikes[peer]
	if !known && len(g.strikes) >= maxStrikes {
		g.forget()
	}
	if now.Sub(s.last) > 2*maxRefusal {
		s.count = 0
	}
	s.count++
	s.last, s.until = now, now.Add(min(time.Second<<min(s.count-1, 16), maxRefusal))
	g.strikes[peer] = s
}

// forget makes room by dropping the strike that is oldest.
func (g *gate) forget() {
	var oldest PeerID
	for p, s := range g.strikes {
		if o := g.strikes[oldest]; oldest == "" || s.last.Before(o.last) {
			oldest = p
		}
	}
	delete(g.strikes, oldest)
}

func (g *gate) pardon(peer PeerID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.strikes, peer)
}

// admit sets who is a member, and forgives everyone: who had no key yesterday
// may have one now.
func (g *gate) admit(members map[PeerID]bool, forgive bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members = members
	if forgive {
		clear(g.strikes)
	}
}

// close ends all tries.
func (g *gate) close() {
	g.mu.Lock()
	trying := slices.Clone(g.trying)
	g.mu.Unlock()
	for _, v := range trying {
		v.c.Close()
	}
}
