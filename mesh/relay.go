package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"inselnetz/crdt/log"
)

// Limits of what this device carries for others, and of Conns that are to be a leg.
const (
	maxHops       = 2   // members between two ends
	maxRelays     = 256 // carried at once
	maxRelaysPeer = 40  // with one peer as an end; below what mesh/lan takes from one address
	maxKnocks     = 16  // Conns of one peer whose token nobody waits for
	relayBurst    = 64  // asked by one peer at once
	relayRate     = 250 * time.Millisecond
	relayIdle     = 45 * time.Second // without a frame until the end
)

var (
	errRelay   = errors.New("no way through this member")
	errRefused = fmt.Errorf("%w: it refused", errRelay)
)

// A token names one relay between two neighbours on the way.
type token [16]byte

// A leg is a Conn of ProtoRelay on its way: who dialed the session dials it too,
// and the other end waits for it by its token.
type leg struct {
	conn chan Conn     // holds at most one
	no   chan struct{} // closed: it will not come
	over chan struct{} // closed: it was taken, or nobody waits any more
	deny sync.Once
	end  sync.Once
}

type legKey struct {
	peer PeerID
	token
}

// relays is what this device carries for others, and what others carry for it.
type relays struct {
	m *Mesh

	mu      sync.Mutex
	members map[PeerID]bool // who has a session as a member; nil: not running
	legs    map[legKey]*leg
	knocks  map[PeerID]int // Conns that came and nobody took yet
	brought map[PeerID]int // being brought by a peer
	carried map[PeerID]int // relays by both their ends
	count   int
}

func newRelays(m *Mesh) *relays {
	return &relays{m: m, legs: map[legKey]*leg{}, knocks: map[PeerID]int{}, brought: map[PeerID]int{}, carried: map[PeerID]int{}}
}

// meet sets who has a session as a member; nil when the Mesh ends.
func (rs *relays) meet(members map[PeerID]bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.members = members
}

// meets reports whether a peer has a session as a member.
func (rs *relays) meets(peer PeerID) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.members[peer]
}

// at returns the leg of this name, whoever came first.
func (rs *relays) at(k legKey) *leg {
	g := rs.legs[k]
	if g == nil {
		g = &leg{conn: make(chan Conn, 1), no: make(chan struct{}), over: make(chan struct{})}
		rs.legs[k] = g
	}
	return g
}

// expect begins to wait for a leg.
func (rs *relays) expect(k legKey) *leg {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.at(k)
}

// forget ends a leg that came and was not taken, or never will be.
func (rs *relays) forget(k legKey) {
	rs.mu.Lock()
	g := rs.legs[k]
	delete(rs.legs, k)
	rs.mu.Unlock()
	if g == nil {
		return
	}
	g.end.Do(func() { close(g.over) })
	select {
	case c := <-g.conn:
		c.Close()
	default:
	}
}

// refuse says that a peer will not carry.
func (rs *relays) refuse(k legKey) {
	rs.mu.Lock()
	g := rs.legs[k]
	rs.mu.Unlock()
	if g != nil {
		g.deny.Do(func() { close(g.no) })
	}
}

// take counts one more for a peer, unless it has as many as it may.
func (rs *relays) take(of map[PeerID]int, peer PeerID, most int) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.members == nil || of[peer] >= most {
		return false
	}
	of[peer]++
	return true
}

func (rs *relays) give(of map[PeerID]int, peer PeerID) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if of[peer]--; of[peer] <= 0 {
		delete(of, peer)
	}
}

// accept takes a Conn that is to be a leg, from a member that has a session here.
// Its token may be here before the frame that tells of it.
func (rs *relays) accept(ctx context.Context, c Conn) {
	peer := c.Peer()
	rs.mu.Lock()
	ok := rs.members[peer] && rs.knocks[peer] < maxKnocks
	if ok {
		rs.knocks[peer]++
	}
	rs.mu.Unlock()
	if !ok {
		c.Close()
		return
	}
	defer rs.give(rs.knocks, peer)
	late := time.AfterFunc(helloTime, func() { c.Close() })
	stop := context.AfterFunc(ctx, func() { c.Close() })
	frame, err := c.Recv()
	late.Stop()
	stop()
	if err != nil || len(frame) != len(token{}) {
		c.Close()
		return
	}
	k := legKey{peer, token(frame)}
	g := rs.expect(k)
	select {
	case g.conn <- c:
	default: // twice the same token
		c.Close()
		return
	}
	timer := time.NewTimer(dialTime)
	defer timer.Stop()
	select {
	case <-g.over:
		return
	case <-g.no:
	case <-timer.C:
	case <-ctx.Done():
	}
	rs.forget(k)
}

// reach brings about a leg to the other end of a session.
func (rs *relays) reach(ctx context.Context, s *session, k legKey, g *leg) (c Conn, err error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		select {
		case <-g.no:
		case <-s.gone:
		case <-ctx.Done():
		}
		cancel()
	})
	if s.dialed {
		if c, err = rs.m.open(ctx, s.peer, s.way, ProtoRelay); err != nil {
			return nil, err
		}
		if err := c.Send(k.token[:]); err != nil {
			c.Close()
			return nil, err
		}
		return c, nil
	}
	select {
	case c = <-g.conn:
		g.end.Do(func() { close(g.over) })
		return c, nil
	case <-ctx.Done():
		select {
		case <-g.no:
			return nil, errRefused
		default:
			return nil, fmt.Errorf("%w: %w", errRelay, ctx.Err())
		}
	}
}

// fresh makes up the name of a leg to the other end of a session.
func (rs *relays) fresh(s *session) (legKey, *leg, error) {
	k := legKey{peer: s.peer}
	if _, err := io.ReadFull(rs.m.opts.Rand, k.token[:]); err != nil {
		return k, nil, fmt.Errorf("random token: %w", err)
	}
	return k, rs.expect(k), nil
}

// ask has the other end of a session carry to a member.
func (l *loop) ask(through *session, k legKey, to PeerID) {
	l.send(through, relayFrame{Type: typeRelay, Token: k.token, Peer: string(to)})
}

// dial opens a Conn that was asked for with ask.
func (rs *relays) dial(ctx context.Context, through *session, k legKey, g *leg, to PeerID, proto string) (Conn, error) {
	defer rs.forget(k)
	c, err := rs.reach(ctx, through, k, g)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		select {
		case <-g.no:
			c.Close()
		case <-ctx.Done():
		}
	})
	s, err := rs.m.t.Secure(ctx, c, to, true, proto)
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("%w: %w", errRelay, err)
	}
	return s, nil
}

// open dials a peer on a way that is known to lead there.
func (m *Mesh) open(ctx context.Context, to PeerID, by way, proto string) (Conn, error) {
	switch {
	case by.through == nil && by.punched:
		return m.t.DialPunched(ctx, to, by.addrs, proto)
	case by.through == nil:
		return m.t.Dial(ctx, to, by.addrs, proto)
	}
	k, g, err := m.relays.fresh(by.through)
	if err != nil {
		return nil, err
	}
	m.post(func(l *loop) { l.ask(by.through, k, to) })
	return m.relays.dial(ctx, by.through, k, g, to, proto)
}

// bring takes a Conn that a member carries to us.
func (rs *relays) bring(ctx context.Context, s *session, k legKey, g *leg, from PeerID, hops int) {
	c, err := rs.reach(ctx, s, k, g)
	rs.forget(k)
	if err == nil {
		securing, cancel := context.WithTimeout(ctx, helloTime)
		carrier := c
		if c, err = rs.m.t.Secure(securing, carrier, from, false, ""); err != nil {
			carrier.Close()
		}
		cancel()
	}
	rs.give(rs.brought, s.peer)
	if err != nil {
		rs.m.log.Debug("not brought together", "peer", from, "err", err)
		return
	}
	rs.m.take(ctx, ctx, c, way{through: s, hops: hops})
}

// hold counts a relay that is to be carried between two peers.
func (rs *relays) hold(a, b PeerID) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.members == nil || rs.count >= maxRelays || rs.carried[a] >= maxRelaysPeer || rs.carried[b] >= maxRelaysPeer {
		return false
	}
	rs.count++
	rs.carried[a]++
	rs.carried[b]++
	return true
}

func (rs *relays) drop(a, b PeerID) {
	rs.give(rs.carried, a)
	rs.give(rs.carried, b)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.count--
}

// A bank is one of the two ends a relay is carried between.
type bank struct {
	s *session
	k legKey
	g *leg
}

// A crossing is a relay whose legs do not stand yet. The loop has them in order,
// and refuses those of a session that ends: each by itself would do it at the same
// moment, in any order.
type crossing struct{ from, to bank }

// cross has a relay brought about and carried.
func (l *loop) cross(x *crossing) {
	l.crossings = append(l.crossings, x)
	l.conns.Go(func() { l.relays.carry(l.ctx, x) })
}

// crossed takes a crossing off the list, and says so where nothing came of it.
func (l *loop) crossed(x *crossing, refuse bool) {
	i := slices.Index(l.crossings, x)
	if i < 0 {
		return // its session ended
	}
	l.crossings = slices.Delete(l.crossings, i, i+1)
	if refuse {
		l.send(x.from.s, refuseFrame{Type: typeRefuse, Token: x.from.k.token})
	}
}

// uncross refuses what waits for a session that ended.
func (l *loop) uncross(s *session) {
	for _, x := range slices.Clone(l.crossings) {
		if x.from.s == s || x.to.s == s {
			l.crossed(x, true)
		}
	}
}

// carry joins two members until one goes, their sessions end, or nothing is said.
func (rs *relays) carry(ctx context.Context, x *crossing) {
	from, to := x.from, x.to
	defer rs.drop(from.s.peer, to.s.peer)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var conns [2]Conn
	var errs [2]error
	for i, e := range []bank{from, to} {
		wg.Go(func() {
			if conns[i], errs[i] = rs.reach(ctx, e.s, e.k, e.g); errs[i] != nil {
				cancel()
			}
			rs.forget(e.k)
		})
	}
	wg.Wait()
	err := errors.Join(errs[:]...)
	rs.m.post(func(l *loop) { l.crossed(x, err != nil) })
	if err != nil {
		rs.m.log.Debug("nothing to carry", "err", err)
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
		return
	}
	rs.pump(ctx, conns[0], conns[1], from.s.gone, to.s.gone)
}

// pump carries frames both ways, one at a time: what one end does not take waits
// at the other.
func (rs *relays) pump(ctx context.Context, a, b Conn, gone ...<-chan struct{}) {
	over := make(chan struct{})
	var once sync.Once
	end := func() {
		once.Do(func() {
			close(over)
			a.Close()
			b.Close()
		})
	}
	idle := time.AfterFunc(relayIdle, end)
	defer idle.Stop()
	var wg sync.WaitGroup
	for _, way := range [][2]Conn{{a, b}, {b, a}} {
		wg.Go(func() {
			defer end()
			for {
				frame, err := way[0].Recv()
				if err != nil || way[1].Send(frame) != nil {
					return
				}
				idle.Reset(relayIdle)
			}
		})
	}
	wg.Go(func() {
		defer end()
		select {
		case <-gone[0]:
		case <-gone[1]:
		case <-ctx.Done():
		case <-over:
		}
	})
	wg.Wait()
}

// Relays returns how many connections of others this device carries; for tests
// and doctors.
func (m *Mesh) Relays() int {
	m.relays.mu.Lock()
	defer m.relays.mu.Unlock()
	return m.relays.count
}

// via is the member next to us on the way of a session; zero if it is direct.
func (s *session) via() (dev log.DeviceID) {
	if s.through != nil {
		return s.through.device
	}
	return dev
}
