package mesh

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Timing of dials.
const (
	firstBackoff = 500 * time.Millisecond
	lastBackoff  = 30 * time.Second
	idleBackoff  = 2 * time.Minute        // for a member neither sighted nor reached for long
	patientFails = 24                     // failures until idleBackoff
	staleDial    = 300 * time.Millisecond // after which a dial is begun again where its peer is sighted anew
	politeness   = 3 * time.Second        // the higher PeerID waits this and up to 2/3 more
	steady       = 10 * time.Second
	sightedFor   = 5 * time.Minute
	maxDials     = 16
	maxUnknown   = 128 // sighted peers that are not members
	maxAddrs     = 8   // kept of one peer
	maxDialed    = 16  // of one peer in one dial
)

// A book holds whom to dial and when. It only decides.
type book struct {
	self     PeerID
	contacts map[PeerID]*contact
	chance   chance
}

// A chance is jitter that depends on what it is for and not on what was asked
// before, so that a simulation can repeat it.
type chance [32]byte

// of returns a number in [0, 1) for the n-th time with a peer.
func (c chance) of(peer PeerID, n int) float64 {
	h := sha256.Sum256(fmt.Appendf(c[:], "/%d/%s", n, peer))
	return float64(binary.BigEndian.Uint64(h[:8])>>11) / (1 << 53)
}

func (c chance) spread(peer PeerID, n int, over time.Duration) time.Duration {
	return time.Duration(c.of(peer, n) * float64(over))
}

type contact struct {
	member  bool
	addrs   []string // sighted, reached, or told by itself
	kept    []string // by the application: reached before, or typed by a person
	told    []string // by others
	opened  []string // where it was let through last (punch.go)
	sighted time.Time
	fresh   time.Time // last sighting that cleared the backoff
	gone    bool
	fails   int
	tries   int // of dials, ever
	next    time.Time
	dialing bool
	again   bool // sighted anew while dialing
}

func newBook(self PeerID, chance chance) *book {
	return &book{self: self, contacts: map[PeerID]*contact{}, chance: chance}
}

func (b *book) at(peer PeerID, now time.Time) *contact {
	c := b.contacts[peer]
	if c == nil {
		c = &contact{next: b.first(peer, now)}
		b.contacts[peer] = c
	}
	return c
}

// first is when a peer that became dialable is dialed: the lower PeerID dials at
// once, the other gives it time, because dials that meet disturb each other.
func (b *book) first(peer PeerID, now time.Time) time.Time {
	if b.self < peer {
		return now
	}
	return now.Add(politeness + b.chance.spread(peer, 0, politeness*2/3))
}

func merge(first, second []string) []string { return mergeTo(maxAddrs, first, second) }

// mergeTo keeps so many addresses of lists, the first ones, each once.
func mergeTo(most int, lists ...[]string) []string {
	var out []string
	for _, a := range slices.Concat(lists...) {
		if a != "" && len(a) <= maxAddr && !slices.Contains(out, a) && len(out) < most {
			out = append(out, a)
		}
	}
	return out
}

// where returns the addresses of a contact to dial, the likely ones first.
func (c *contact) where() []string { return mergeTo(maxDialed, c.addrs, c.kept, c.told) }

// members sets who is a member. Others stay only while they are sighted.
func (b *book) members(all map[PeerID][]string, now time.Time) {
	for _, p := range slices.Sorted(maps.Keys(all)) {
		if p == b.self {
			continue
		}
		c := b.at(p, now)
		c.member = true
		if !slices.Equal(c.kept, all[p]) {
			c.kept = slices.Clone(all[p])
			b.hope(p, c, now)
		}
	}
	for p, c := range b.contacts {
		if _, is := all[p]; !is {
			c.member = false
			if now.Sub(c.sighted) > sightedFor && !c.dialing {
				delete(b.contacts, p)
			}
		}
	}
}

// sight notes a beacon. It reports whether a connected peer should be probed,
// because its address is new.
func (b *book) sight(s Sighting, connected bool, now time.Time) (probe bool) {
	if s.Peer == b.self || s.Peer == "" {
		return false
	}
	c := b.contacts[s.Peer]
	if c == nil {
		if s.Gone || b.unknown() >= maxUnknown {
			return false
		}
		c = b.at(s.Peer, now)
	}
	if s.Gone {
		c.gone = true
		return false
	}
	c.gone, c.sighted = false, now
	c.addrs = merge(s.Addrs, c.addrs)
	if !s.New || now.Sub(c.fresh) < time.Second {
		return false
	}
	c.fresh = now
	if connected {
		return true
	}
	b.hope(s.Peer, c, now)
	return false
}

// hope forgets failures: something is new.
func (b *book) hope(peer PeerID, c *contact, now time.Time) {
	c.fails = 0
	c.again = c.dialing
	if first := b.first(peer, now); first.Before(c.next) {
		c.next = first
	}
}

func (b *book) unknown() (n int) {
	for _, c := range b.contacts {
		if !c.member {
			n++
		}
	}
	return n
}

// tell notes addresses others know of a member. It reports whether one is new.
func (b *book) tell(peer PeerID, addrs []string) bool {
	c := b.contacts[peer]
	if c == nil || !c.member {
		return false
	}
	old := c.told
	c.told = merge(addrs, old)
	return slices.ContainsFunc(c.told, func(a string) bool { return !slices.Contains(old, a) })
}

// own notes addresses a member said are its own, or was reached at. It reports
// whether they change anything.
func (b *book) own(peer PeerID, addrs []string, now time.Time) bool {
	if peer == b.self {
		return false
	}
	c := b.at(peer, now)
	old := c.addrs
	c.addrs = merge(addrs, old)
	return !slices.Equal(old, c.addrs)
}

func (c *contact) dialable(now time.Time) bool {
	recent := !c.sighted.IsZero() && now.Sub(c.sighted) < sightedFor && !c.gone
	return !c.dialing && (recent || c.member && len(c.addrs)+len(c.kept)+len(c.told) > 0)
}

// due returns whom to dial now, longest due first, and when to look again; zero
// if only something new can make a difference.
func (b *book) due(now time.Time, connected func(PeerID) bool) (dial []PeerID, next time.Time) {
	running := 0
	for p, c := range b.contacts {
		if c.dialing {
			running++
		}
		if connected(p) || !c.dialable(now) {
			continue
		}
		if !c.next.After(now) {
			dial = append(dial, p)
		} else if next.IsZero() || c.next.Before(next) {
			next = c.next
		}
	}
	slices.SortFunc(dial, func(p, q PeerID) int {
		return cmp.Or(b.contacts[p].next.Compare(b.contacts[q].next), cmp.Compare(p, q))
	})
	return dial[:min(len(dial), max(0, maxDials-running))], next
}

// start notes that a dial began, and returns the addresses for it.
func (b *book) start(peer PeerID) []string {
	c := b.contacts[peer]
	c.dialing, c.again = true, false
	return c.where()
}

// done notes how a dial ended.
func (b *book) done(peer PeerID, ok bool, now time.Time) {
	c := b.contacts[peer]
	if c == nil {
		return
	}
	c.dialing = false
	switch {
	case ok:
	case c.again:
		c.fails, c.next = 0, now
	default:
		b.failed(peer, c, now)
	}
	c.again = false
}

func (b *book) failed(peer PeerID, c *contact, now time.Time) {
	c.fails++
	c.tries++
	most := lastBackoff
	if c.fails > patientFails && now.Sub(c.sighted) > sightedFor {
		most = idleBackoff
	}
	wait := min(firstBackoff<<min(c.fails-1, 16), most)
	c.next = now.Add(wait/2 + b.chance.spread(peer, c.tries, wait/2))
}

// lost notes that a session ended. One that did not last counts as a failure,
// so that two devices who cannot agree do not spin.
func (b *book) lost(peer PeerID, lasted time.Duration, now time.Time) {
	c := b.contacts[peer]
	if c == nil {
		return
	}
	if lasted < steady {
		b.failed(peer, c, now)
		return
	}
	c.fails, c.next = 0, b.first(peer, now)
}
