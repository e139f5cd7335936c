package mesh

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"inselnetz/crdt/log"
)

// Timing of sessions.
const (
	helloTime  = 5 * time.Second
	quietTime  = 4 * time.Second // without a frame until a ping
	deadTime   = 9 * time.Second // without a frame until the end
	probeTime  = 2 * time.Second // for an old connection to answer when a new one exists
	maxStuck   = 30 * time.Second
	graceClose = 500 * time.Millisecond
	readAhead  = 4 // frames read and not handled

	// Pings due within this go together: with many peers a device that has nothing
	// to do wakes up a few times a round, and not once for each.
	pingTogether = 400 * time.Millisecond
)

// sessionKey tells apart a device and a running copy of it.
type sessionKey struct {
	device   log.DeviceID
	instance [16]byte
}

func (k sessionKey) compare(o sessionKey) int {
	return cmp.Or(bytes.Compare(k.device[:], o.device[:]), bytes.Compare(k.instance[:], o.instance[:]))
}

// A session is one Conn whose other end proved itself. Its goroutines read,
// write and import; everything below "of the loop" belongs to the loop.
type session struct {
	greeting
	way
	c      Conn
	peer   PeerID
	out    *outbox
	in     *imports
	tokens chan struct{} // frames read and not handled yet
	gone   chan struct{} // closed at the end of the session
	once   sync.Once
	seen   atomic.Int64 // when the last frame came, on the Mesh's clock
	alive  AliveConn    // c, where its system knows more; nil: frames alone tell

	written chan struct{} // closed when the writer ended

	// of the loop
	member    bool
	heard     bool // a frame came after the hello: the other end accepts us too
	welcomed  bool // the application knows that it began
	ended     bool
	stash     []any // frames of a spare
	since     time.Time
	rtt       time.Duration
	best      time.Duration // shortest rtt
	ping      uint64
	mine      bool      // the last ping was ours
	pinged    time.Time // when the unanswered ping went; zero if none
	aliveAt   time.Time // when the system last heard the other end, as far as it was asked
	lookedAt  time.Time // when it was asked
	probe     time.Time // until when the ping must be answered; zero if no matter
	digestAt  time.Time
	digests   int // sent
	spaces    []log.SpaceID
	views     map[log.SpaceID]*view
	told      int             // version of the addresses told
	near      map[PeerID]bool // whom it can carry to; nil: it never said
	asked     time.Time       // until when its asks to carry use up what they may
	punch     punch
	askNumber uint64
	asks      map[uint64]*ask
	load      int  // bytes asked for or waiting for import
	size      int  // bytes of the next want
	slow      bool // the last answer took long
}

// quiet is how long we wait for a frame before we ping: not as long as the other
// end, so that one pings alone, and next time the other.
func (s *session) quiet() time.Duration {
	if s.alive != nil {
		return aliveTime
	}
	wait := quietTime
	if s.mine {
		wait += time.Second
	}
	if !s.dialed {
		wait += time.Second / 2
	}
	return wait
}

// A way is how a Conn came about.
type way struct {
	dialed  bool     // by this device
	addrs   []string // that were dialed
	through *session // that carries it; nil: direct
	hops    int      // members in between
	punched bool     // addrs lead there only while both ends send (punch.go)
}

func (s *session) key() sessionKey { return sessionKey{s.device, s.instance} }

// hangUp ends the session's goroutines.
func (s *session) hangUp() {
	s.once.Do(func() { close(s.gone) })
	s.c.Close()
}

// read posts frames to the loop, a few ahead of it at most.
func (s *session) read(m *Mesh) {
	for {
		frame, err := s.c.Recv()
		if err != nil {
			m.post(func(l *loop) { l.end(s, LeftBroke, err) })
			return
		}
		s.seen.Store(m.clock())
		f, err := decode(frame)
		if p, is := f.(*pushFrame); is && err == nil {
			f, err = openPush(p)
		}
		if err != nil {
			m.post(func(l *loop) { l.hostile(s, err) })
			return
		}
		select {
		case s.tokens <- struct{}{}:
		case <-s.gone:
			return
		}
		m.post(func(l *loop) { l.frame(s, f) })
	}
}

// pushed is a push whose entry was decoded, outside the loop.
type pushed struct {
	card  log.Card
	entry []byte
	id    log.LogID
	at    log.Height
}

func openPush(p *pushFrame) (*pushed, error) {
	e, err := log.Decode(p.Entry)
	if err != nil {
		return nil, err
	}
	card := p.Card.Unpack()
	if card.ID() != e.Log {
		return nil, errors.New("push under another log's card")
	}
	return &pushed{card, p.Entry, e.Log, log.Height{Seq: e.Seq, Hash: e.Hash()}}, nil
}

// write sends what the outbox holds until the session ends.
func (s *session) write(ctx context.Context, m *Mesh) {
	for {
		frame, space, want, end := s.out.next()
		var err error
		switch {
		case frame != nil:
			err = s.out.send(s.c, frame)
		case space != nil:
			err = s.writeHeights(m.h, *space)
		case want != nil:
			frame := serve(ctx, m.h, *want)
			err = s.out.send(s.c, frame)
		case end:
			s.c.Close()
			return
		default:
			select {
			case <-s.out.kick:
			case <-s.gone:
				return
			}
		}
		if err != nil {
			m.post(func(l *loop) { l.end(s, LeftBroke, err) })
			return
		}
	}
}

// writeHeights sends all heights of a space, urgent frames in between.
func (s *session) writeHeights(h Holdings, space log.SpaceID) error {
	all := h.Heights(space)
	list := make([]logHeight, 0, len(all))
	for id, at := range all {
		list = append(list, logHeight{Log: id, Seq: at.Seq, Hash: at.Hash})
	}
	slices.SortFunc(list, func(a, b logHeight) int { return bytes.Compare(a.Log[:], b.Log[:]) })
	for {
		n := min(len(list), maxHeightsFrame)
		part := heightsFrame{Type: typeHeights, Space: space, More: n < len(list), Heights: list[:n]}
		if err := s.out.send(s.c, encode(part)); err != nil {
			return err
		}
		if list = list[n:]; len(list) == 0 {
			return nil
		}
	}
}

// serve reads a batch for a want. What cannot be read is left out; heights tell
// the peer that it still lacks it.
func serve(ctx context.Context, h Holdings, w served) []byte {
	f := batchFrame{Type: typeBatch, ID: w.id, Parts: []batchPart{}}
	left := w.max
	for i, r := range w.ranges {
		if i > 0 && left < 1024 {
			break
		}
		entries, err := h.Entries(ctx, r.Log, r.From, r.To, left)
		if err != nil || len(entries) == 0 {
			continue
		}
		sum := 0
		for _, e := range entries {
			sum += len(e)
		}
		if len(f.Parts) > 0 && sum > left {
			break // the one it had to return is too long; its turn comes
		}
		f.Parts = append(f.Parts, batchPart{Card: w.cards[i].Pack(), Entries: entries})
		left -= sum
	}
	return encode(f)
}

// A job is entries of one log to be imported.
type job struct {
	card    log.Card
	fetch   *fetch
	entries [][]byte
	live    bool
	to      uint64 // number of the last entry
	bytes   int
	count   int // of put jobs gathered in this one
}

// imports is what waits for import from one peer, live entries first.
type imports struct {
	kick chan struct{}

	mu   sync.Mutex
	live []job
	bulk []job
	held int // bytes of live jobs
}

const maxLiveQueue = 1 << 20

func (q *imports) put(j job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if j.live {
		if q.held+j.bytes > maxLiveQueue {
			return false
		}
		q.held += j.bytes
	}
	if j.live && j.fetch.bulk == 0 {
		// Entries that came one by one while the disk was busy go in one step.
		if n := len(q.live); n > 0 && q.live[n-1].fetch == j.fetch {
			last := &q.live[n-1]
			last.entries = append(last.entries, j.entries...)
			last.bytes += j.bytes
			last.count += j.count
			last.to = j.to
		} else {
			q.live = append(q.live, j)
		}
	} else {
		q.bulk = append(q.bulk, j)
	}
	select {
	case q.kick <- struct{}{}:
	default:
	}
	return true
}

func (q *imports) next() (j job, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case len(q.live) > 0:
		j, q.live = pop(q.live)
	case len(q.bulk) > 0:
		j, q.bulk = pop(q.bulk)
	default:
		return j, false
	}
	if j.live {
		q.held -= j.bytes
	}
	return j, true
}

// importer stores what the peer sent, one job after another.
func (s *session) importer(ctx context.Context, m *Mesh) {
	for {
		j, ok := s.in.next()
		if !ok {
			select {
			case <-s.in.kick:
				continue
			case <-s.gone:
				return
			}
		}
		var at log.Height
		var err error
		if j.fetch.dead.Load() {
			err = errStale
		} else if at, err = importJob(ctx, m.h, j); err == nil && at.Seq < j.to {
			err = ErrNeedControl // only the first part went in
		}
		if err != nil {
			j.fetch.dead.Store(true)
		}
		m.post(func(l *loop) { l.imported(s, j, at, err) })
	}
}

// errStale: an earlier part of the same log did not go in.
var errStale = errors.New("skipped")

// importJob imports a job. Control logs may name each other's entries back and
// forth, so of a control batch that needs more, as much as possible goes in.
func importJob(ctx context.Context, h Holdings, j job) (log.Height, error) {
	at, err := h.Import(ctx, j.card, j.entries, j.live)
	if !errors.Is(err, ErrNeedControl) || j.card.Space != log.Control || len(j.entries) < 2 {
		return at, err
	}
	var got log.Height
	rest := j.entries
	for n := len(rest) / 2; n > 0; n = min(n/2, len(rest)) {
		at, e := h.Import(ctx, j.card, rest[:n], j.live)
		if e == nil {
			got, rest = at, rest[n:]
			n = 2 * len(rest)
		} else if !errors.Is(e, ErrNeedControl) {
			return got, e
		}
	}
	if len(rest) == 0 {
		return got, nil
	}
	return got, err
}

// sortedKeys gives loops over a map an order, where the order reaches the wire.
func sortedKeys[K ~[16]byte, V any](m map[K]V) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int { return bytes.Compare(a[:], b[:]) })
}
