package lan

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds of what strangers may occupy. A member's address is a friend's: a
// sealed beacon came from it. Friends have their own bounds, so that no stranger
// takes a member's place.
const (
	strangerOpen  = 48                    // connections of one address that have proven nothing
	strangerRate  = 50 * time.Millisecond // one more connection each
	strangerBurst = 60
	strangersOpen = 256 // of all strange addresses together
	friendOpen    = 64
	friendRate    = 10 * time.Millisecond
	friendBurst   = 200
	friendFor     = 10 * time.Minute
	maxGuarded    = 4096 // addresses
)

// A guard decides, before anything is computed, whether a connection from an
// address is let through.
type guard struct {
	mu      sync.Mutex
	sources map[netip.Addr]*guarded
	open    int // unproven connections of strangers
	refused int // connections, since the start
}

type guarded struct {
	open    int
	strange int       // how many of them count among the strangers'
	full    time.Time // when the bucket was, or will be, full
	friend  time.Time // until when
}

// A pass is one connection let through.
type pass struct {
	g    *guard
	addr netip.Addr
	done bool
}

// admit lets a connection through or returns nil.
func (g *guard) admit(now time.Time, addr netip.Addr) *pass {
	addr = addr.WithZone("").Unmap()
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.source(now, addr)
	if s == nil {
		return nil
	}
	friend := now.Before(s.friend)
	limit, rate, burst := strangerOpen, strangerRate, strangerBurst
	if friend {
		limit, rate, burst = friendOpen, friendRate, friendBurst
	}
	if s.full.Before(now) {
		s.full = now
	}
	if s.open >= limit || s.full.Sub(now) > time.Duration(burst-1)*rate || !friend && g.open >= strangersOpen {
		g.refused++
		return nil
	}
	s.full = s.full.Add(rate)
	s.open++
	if !friend {
		s.strange++
		g.open++
	}
	return &pass{g: g, addr: addr}
}

// befriend says that a member was heard at an address.
func (g *guard) befriend(now time.Time, addr netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.source(now, addr.WithZone("").Unmap()); s != nil {
		s.friend = now.Add(friendFor)
		g.open -= s.strange
		s.strange = 0
	}
}

// source finds or makes the record of an address; nil if there is no room.
func (g *guard) source(now time.Time, addr netip.Addr) *guarded {
	if s := g.sources[addr]; s != nil {
		return s
	}
	if g.sources == nil {
		g.sources = map[netip.Addr]*guarded{}
	}
	if len(g.sources) >= maxGuarded {
		for a, s := range g.sources {
			if s.open == 0 && s.full.Before(now) && s.friend.Before(now) {
				delete(g.sources, a)
			}
		}
		if len(g.sources) >= maxGuarded {
			return nil
		}
	}
	s := &guarded{}
	g.sources[addr] = s
	return s
}

// release gives the place back. It may be called again.
func (p *pass) release() {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	if p.done {
		return
	}
	p.done = true
	s := p.g.sources[p.addr] // kept while anything is open
	s.open--
	if s.strange > s.open {
		s.strange--
		p.g.open--
	}
}

// A bucket allows a number of packets a second.
type bucket struct {
	full time.Time
}

func (b *bucket) allow(now time.Time, rate time.Duration, burst int) bool {
	if b.full.Before(now) {
		b.full = now
	}
	if b.full.Sub(now) > time.Duration(burst-1)*rate {
		return false
	}
	b.full = b.full.Add(rate)
	return true
}
