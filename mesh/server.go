package mesh

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"inselnetz/crdt/log"
)

const maxAsked = 2 * maxBlocks // pieces of one peer waiting to be served

// A server reads what the other end of a link asked for, a frame ahead of what is
// being sent.
type server struct {
	l     *link
	kick  chan struct{}
	ready chan *outFrame
	free  chan *outFrame

	mu     sync.Mutex
	urgent []wanted
	bulk   []wanted
	lacks  []uint32
	last   int64 // number of the last piece asked; -1 before
	busy   bool
}

type wanted struct {
	space  log.SpaceID
	urgent bool
	askPiece
}

// An outFrame is made by the server and sent by the writer.
type outFrame struct {
	buf   []byte // its own, for what fits into one frame
	bytes []byte
	done  chan struct{} // closed when it was sent; of a part of a slab
	whole []byte        // a slab's buffer, free once its last part was sent
}

// A slab is a piece longer than a frame, being sent in parts. The head of each
// part overwrites bytes sent before.
type slab struct {
	number uint32
	urgent bool
	buf    []byte        // frameHead bytes, then the piece
	at     int           // bytes of the piece sent, or being sent
	done   chan struct{} // of the part being sent
}

// frameHead is the room before the bytes of a part that has a frame of its own.
const frameHead = 1 + partHead

func newServer(l *link) *server {
	s := &server{l: l, kick: make(chan struct{}, 1), ready: make(chan *outFrame), free: make(chan *outFrame, 2), last: -1}
	s.free <- &outFrame{}
	s.free <- &outFrame{}
	return s
}

func (s *server) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// ask queues pieces for the other end.
func (s *server) ask(a askBlocks) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if int64(a.pieces[0].number) <= s.last || len(s.urgent)+len(s.bulk)+len(s.lacks)+len(a.pieces) > maxAsked {
		return fmt.Errorf("%w: ask for %d pieces from %d", errFrame, len(a.pieces), a.pieces[0].number)
	}
	s.last = int64(a.pieces[len(a.pieces)-1].number)
	queue := &s.bulk
	if a.urgent {
		queue = &s.urgent
	}
	for _, p := range a.pieces {
		*queue = append(*queue, wanted{a.space, a.urgent, p})
	}
	s.wake()
	return nil
}

// cancel answers with lack what was not begun yet.
func (s *server) cancel(numbers []uint32) {
	not := make(map[uint32]bool, len(numbers))
	for _, n := range numbers {
		not[n] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	drop := func(w wanted) bool {
		if not[w.number] {
			s.lacks = append(s.lacks, w.number)
		}
		return not[w.number]
	}
	s.urgent = slices.DeleteFunc(s.urgent, drop)
	s.bulk = slices.DeleteFunc(s.bulk, drop)
	s.wake()
}

func (s *server) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.busy && len(s.urgent)+len(s.bulk)+len(s.lacks) == 0
}

// run makes frames until the link ends.
func (s *server) run() {
	var slabs []*slab // the last one first
	for {
		var f *outFrame
		select {
		case f = <-s.free:
		case <-s.l.gone:
			return
		}
		f.bytes, f.done, f.whole = nil, nil, nil
		for !s.fill(f, &slabs) {
			select {
			case <-s.kick:
			case <-s.l.gone:
				return
			}
		}
		select {
		case s.ready <- f:
		case <-s.l.gone:
			return
		}
	}
}

// sent takes a frame back from the writer.
func (s *server) sent(f *outFrame) {
	if f.done != nil {
		close(f.done)
	}
	if f.whole != nil {
		putBuffer(f.whole)
	}
	s.l.ls.mu.Lock()
	s.l.used = time.Now()
	s.l.ls.mu.Unlock()
	s.free <- f
}

// fill makes the next frame: what is urgent, then the rest of a long piece, then
// bulk. It reports whether there was anything.
func (s *server) fill(f *outFrame, slabs *[]*slab) bool {
	s.mu.Lock()
	urgent, bulk, lacks := len(s.urgent) > 0, len(s.bulk) > 0, len(s.lacks) > 0
	if lacks {
		n := min(len(s.lacks), maxBlocks)
		f.bytes = encodeNumbers(blockLack, s.lacks[:n])
		s.lacks = s.lacks[n:]
	}
	s.busy = lacks || len(*slabs) > 0
	s.mu.Unlock()
	n := len(*slabs)
	switch {
	case lacks:
		return true
	case urgent && (n == 0 || !(*slabs)[n-1].urgent):
		return s.bundle(f, &s.urgent, slabs)
	case n > 0:
		return s.part(f, slabs)
	case bulk:
		return s.bundle(f, &s.bulk, slabs)
	}
	return false
}

// part makes a frame of the next part of the last slab.
func (s *server) part(f *outFrame, slabs *[]*slab) bool {
	b := (*slabs)[len(*slabs)-1]
	if b.done != nil {
		select {
		case <-b.done:
		case <-s.l.gone:
			return false
		}
	}
	total := len(b.buf) - frameHead
	n := min(MaxFrame-frameHead, total-b.at)
	f.bytes = b.buf[b.at : b.at+frameHead+n]
	f.bytes[0] = blockData
	part{b.number, uint32(total), uint32(b.at), uint32(n)}.put(f.bytes[1:])
	b.at += n
	b.done = make(chan struct{})
	f.done = b.done
	if b.at == total {
		f.whole = b.buf
		*slabs = (*slabs)[:len(*slabs)-1]
	}
	return true
}

// bundle makes a frame of as many pieces of a queue as fit, or of the first part
// of one that is longer.
func (s *server) bundle(f *outFrame, queue *[]wanted, slabs *[]*slab) bool {
	buf := append(f.buf[:0], blockData)
	var may struct {
		space log.SpaceID
		known bool
		yes   bool
	}
	for {
		w, ok := s.take(queue, MaxFrame-len(buf)-partHead, len(buf) == 1)
		if !ok {
			break
		}
		if !may.known || may.space != w.space {
			may.space, may.known, may.yes = w.space, true, s.l.may(w.space)
		}
		if frameHead+longest(int(w.size)) > MaxFrame {
			if b := s.long(w, may.yes); b != nil {
				*slabs = append(*slabs, b)
				return s.part(f, slabs)
			}
			continue
		}
		at := len(buf) + partHead
		buf = slices.Grow(buf, partHead+int(w.size)+sealing)
		got, err := s.read(w, may.yes, buf[:at])
		if err != nil || len(got)-at > int(w.size)+sealing || len(got) == at {
			s.lack(w.number)
			continue
		}
		buf = got
		n := uint32(len(buf) - at)
		part{w.number, n, 0, n}.put(buf[at-partHead:])
	}
	f.buf, f.bytes = buf, buf
	if len(buf) == 1 { // lacks alone
		f.bytes = nil
		return s.fill(f, slabs)
	}
	return true
}

// take takes the first piece of a queue if it is no longer than most, or whatever.
func (s *server) take(queue *[]wanted, most int, whatever bool) (w wanted, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(*queue) == 0 || longest(int((*queue)[0].size)) > most && !whatever {
		return w, false
	}
	w, *queue = pop(*queue)
	s.busy = true
	return w, true
}

// long reads a piece that may need more than one frame; nil if it is not here.
func (s *server) long(w wanted, may bool) *slab {
	buf := getBuffer(frameHead + int(w.size) + sealing)[:frameHead]
	got, err := s.read(w, may, buf)
	if err != nil || len(got) == frameHead || len(got) > frameHead+longest(int(w.size)) {
		putBuffer(buf)
		s.lack(w.number)
		return nil
	}
	return &slab{number: w.number, buf: got, urgent: w.urgent}
}

func (s *server) read(w wanted, may bool, buf []byte) ([]byte, error) {
	c := s.l.ls.m.opts.Contents
	if c == nil || !may {
		return buf, ErrNone
	}
	got, err := c.Read(s.l.p.device, w.space, w.name, w.index, buf)
	if err != nil && !errors.Is(err, ErrNone) {
		s.l.ls.m.log.Debug("piece not read", "peer", s.l.p.peer, "err", err)
	}
	return got, err
}

func (s *server) lack(number uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lacks = append(s.lacks, number)
}

// may reports whether the other end may have what is in a space.
func (l *link) may(space log.SpaceID) bool {
	peer, member := l.ls.m.h.Member(l.p.device)
	return member && peer == l.p.peer && space != log.Control && slices.Contains(l.ls.m.h.Spaces(l.p.device), space)
}
