package mesh

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"inselnetz/crdt/log"
)

const dialTime = 8 * time.Second

// Options tunes a Mesh. Its zero value is right for most offices.
type Options struct {
	Log     *slog.Logger     // nil discards
	Rand    io.Reader        // nonces and jitter; nil means crypto/rand
	Now     func() time.Time // the wall clock told to others; nil means time.Now
	Version string           // of the program, told to members, at most 64 bytes

	// OnChange is called when someone came, left or changed; not concurrently
	// and with no lock held. It must not block for long.
	OnChange func()
	// Join takes a connection opened by a device that wants to join, and closes
	// it. At most 16 run at once, two for one peer. Nil refuses them.
	Join func(ctx context.Context, c Conn)

	Contents Contents // what others may fetch; nil serves nothing and fetches plain
	// Heard takes a whisper of a member, Came is called when a member's session
	// begins, for example to tell it what holds. As OnChange, not concurrently
	// and with no lock held; they must not block for long.
	Heard func(from log.DeviceID, space log.SpaceID, kind uint8, data []byte)
	Came  func(dev log.DeviceID)
	// Told takes where others say that a member is reached, at most eight addresses;
	// what it says of itself goes to Holdings.Reached. Called like Heard.
	Told func(peer PeerID, addrs []string)
}

// A Mesh keeps sessions with all reachable members and brings the logs of
// Holdings to the same height on all of them.
type Mesh struct {
	t    Transport
	h    Holdings
	id   Identity
	opts Options
	self PeerID
	log  *slog.Logger

	inbox  inbox
	gate   *gate
	teller *teller
	links  *links
	relays *relays
	epoch  time.Time // of the clock sessions note frames by

	conns   sync.WaitGroup // dials, hellos and sessions
	readers sync.WaitGroup

	mu      sync.Mutex
	peers   []Peer
	running bool
}

// New returns a Mesh; Run makes it act.
func New(t Transport, h Holdings, id Identity, opts Options) *Mesh {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Rand == nil {
		opts.Rand = rand.Reader
	}
	opts.Rand = &lockedReader{r: opts.Rand}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Version = opts.Version[:min(len(opts.Version), maxVersion)]
	m := &Mesh{
		t: t, h: h, id: id, opts: opts, self: t.Self(), log: opts.Log,
		inbox: inbox{signal: make(chan struct{}, 1)}, gate: newGate(), epoch: time.Now(),
	}
	m.teller = &teller{m: m, signal: make(chan struct{}, 1)}
	m.links = newLinks(m)
	m.relays = newRelays(m)
	return m
}

// Run finds peers and syncs until ctx ends, then says goodbye and waits for its
// goroutines. It does not close the Transport. A Mesh runs once.
func (m *Mesh) Run(ctx context.Context) error {
	var seed chance
	if _, err := io.ReadFull(m.opts.Rand, seed[:]); err != nil {
		return fmt.Errorf("random seed: %w", err)
	}
	m.mu.Lock()
	if m.running {
		m.mu.Unlock()
		return errors.New("mesh runs already")
	}
	m.running = true
	m.mu.Unlock()

	accepting, stopAccepting := context.WithCancel(ctx)
	working, stopWorking := context.WithCancel(context.Background())
	defer stopWorking()
	l := &loop{
		Mesh: m, ctx: working, book: newBook(m.self, seed),
		sessions: map[sessionKey]*session{}, spares: map[sessionKey]*session{},
		left: map[PeerID]Peer{}, detours: map[PeerID]*detour{}, dials: map[PeerID]underWay{}, nearTold: []string{}, spaces: map[log.SpaceID]*spaceState{}, fetches: map[log.LogID]*fetch{},
	}
	m.links.open(working)
	l.recheck(time.Now(), true)

	var helpers sync.WaitGroup
	var failed error
	helpers.Go(func() { m.teller.run(accepting) })
	helpers.Go(func() { m.sightings(accepting) })
	helpers.Go(func() {
		defer stopAccepting()
		if err := m.accept(accepting, working); accepting.Err() == nil {
			failed = fmt.Errorf("accept connections: %w", err)
		}
	})
	l.run(accepting)
	stopAccepting()
	helpers.Wait()
	l.stop()
	m.drain(l, stopWorking)
	if failed != nil {
		return failed
	}
	return ctx.Err()
}

// drain lets goodbyes out, then ends what is left. What goroutines still post
// is not handled.
func (m *Mesh) drain(l *loop, stop context.CancelFunc) {
	over := make(chan struct{})
	end := time.AfterFunc(graceClose, func() {
		stop()
		close(over)
	})
	for _, s := range l.order {
		select {
		case <-s.written:
		case <-over:
		}
	}
	if end.Stop() {
		stop()
	}
	l.cut()
	m.links.close()
	m.relays.meet(nil)
	m.gate.close()
	m.mu.Lock()
	m.running, m.peers = false, nil
	m.mu.Unlock()
	m.conns.Wait()
	m.readers.Wait()
}

// accept takes connections and lets their ends prove themselves.
func (m *Mesh) accept(ctx, working context.Context) error {
	for {
		c, err := m.t.Accept(ctx)
		if err != nil {
			return err
		}
		m.take(ctx, working, c, way{})
	}
}

// take lets the other end of a new Conn in, or not.
func (m *Mesh) take(ctx, working context.Context, c Conn, by way) {
	switch c.Proto() {
	case ProtoSync:
		var g *guest
		if len(m.id.Keys()) > 0 {
			g = m.gate.enter(c, time.Now())
		}
		if g == nil {
			c.Close()
			return
		}
		m.conns.Go(func() { m.greet(working, c, by, g) })
	case ProtoBlocks:
		m.conns.Go(func() { m.links.accept(c) })
	case ProtoRelay:
		m.conns.Go(func() { m.relays.accept(working, c) })
	case ProtoSeen:
		m.conns.Go(func() { m.tellSeen(c) })
	case ProtoJoin:
		if m.opts.Join == nil || by.through != nil || !m.gate.enterJoin(c.Peer()) {
			c.Close()
			return
		}
		m.conns.Go(func() {
			defer m.gate.leaveJoin(c.Peer())
			defer c.Close()
			m.opts.Join(ctx, c)
		})
	default:
		c.Close()
	}
}

// greet says hello over a new connection and runs the session. It reports
// whether the other end proved itself.
func (m *Mesh) greet(ctx context.Context, c Conn, by way, guests ...*guest) bool {
	defer c.Close()
	late := time.AfterFunc(helloTime, func() { c.Close() })
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	g, err := hello(c, m.self, m.id, by.dialed, m.opts)
	late.Stop()
	for _, v := range guests {
		m.gate.leave(v)
		if err != nil && (!v.member || errors.Is(err, errProof)) {
			m.gate.strike(c.Peer(), time.Now())
		}
	}
	if err != nil {
		m.log.Debug("hello failed", "peer", c.Peer(), "err", err)
		return false
	}
	s := &session{
		greeting: g, way: by, c: c, alive: aliveConn(c), peer: c.Peer(), out: newOutbox(),
		in:      &imports{kick: make(chan struct{}, 1)},
		tokens:  make(chan struct{}, readAhead),
		gone:    make(chan struct{}),
		written: make(chan struct{}),
	}
	s.seen.Store(m.clock())
	m.post(func(l *loop) {
		if by.dialed && by.hops == 0 {
			l.dialed(s.peer, true)
		}
		l.join(s)
		if by.dialed && by.hops > 0 {
			l.detoured(s.peer)
		}
	})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(s.written)
		s.write(ctx, m)
	})
	wg.Go(func() { s.importer(ctx, m) })
	s.read(m)
	s.hangUp()
	wg.Wait()
	return true
}

func (m *Mesh) sightings(ctx context.Context) {
	for {
		select {
		case s, ok := <-m.t.Sightings():
			if !ok {
				return
			}
			m.post(func(l *loop) { l.sighted(s) })
		case <-ctx.Done():
			return
		}
	}
}

// Peers returns everyone here, and members who are not, in order of PeerID.
// It may be called from anywhere.
func (m *Mesh) Peers() []Peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Peer(nil), m.peers...)
}

// Push sends a new entry of this device, committed here, to everyone who can use
// it at once. It never blocks.
func (m *Mesh) Push(card log.Card, entry []byte) {
	e, err := log.Decode(entry)
	if err != nil || card.ID() != e.Log {
		m.log.Error("not an entry to push", "err", err)
		return
	}
	at := log.Height{Seq: e.Seq, Hash: e.Hash()}
	m.tell(func(l *loop) {
		l.push(card, e.Log, at, entry)
		l.planAll(time.Now())
	})
}

// Advanced says that a log grew by other means than a session's import; what is
// new is read through Holdings and pushed. It never blocks.
func (m *Mesh) Advanced(space log.SpaceID, id log.LogID) {
	m.tell(func(l *loop) { l.advanced(space, id) })
}

// Refresh says that keys, members or spaces changed: sessions are checked again,
// beacons use the new keys, new members are dialed. It never blocks.
func (m *Mesh) Refresh() {
	m.tell(func(l *loop) {
		l.recheck(time.Now(), true)
		l.due = time.Now()
	})
}

// Forget says that logs of a space end earlier than they did, or are gone: what
// is held is looked up again, and others are asked what they have. It never
// blocks.
func (m *Mesh) Forget(space log.SpaceID) {
	m.tell(func(l *loop) {
		now := time.Now()
		delete(l.spaces, space)
		for _, s := range slices.Clone(l.order) {
			if s.views[space] == nil {
				continue
			}
			s.views[space] = newView()
			l.tellDigest(s, now)
			l.send(s, askFrame{Type: typeAsk, Spaces: []log.SpaceID{space}})
		}
	})
}

// tell posts what the application has to say, while the Mesh runs; when it
// starts it reads everything anyway.
func (m *Mesh) tell(f func(*loop)) {
	m.mu.Lock()
	running := m.running
	m.mu.Unlock()
	if running {
		m.post(f)
	}
}

func (m *Mesh) post(f func(*loop)) { m.inbox.put(f) }

func (m *Mesh) clock() int64 { return int64(time.Since(m.epoch)) }

// An inbox is what the loop has to handle, in order. Sessions bound what they
// put in by their tokens.
type inbox struct {
	signal chan struct{}
	mu     sync.Mutex
	list   []func(*loop)
}

func (b *inbox) put(f func(*loop)) {
	b.mu.Lock()
	b.list = append(b.list, f)
	b.mu.Unlock()
	select {
	case b.signal <- struct{}{}:
	default:
	}
}

func (b *inbox) take() []func(*loop) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.list
	b.list = nil
	return list
}

// lockedReader lets several hellos read random bytes at once.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (r *lockedReader) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.r.Read(b)
}
