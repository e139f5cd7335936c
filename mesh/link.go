package mesh

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// A link is one Conn of ProtoBlocks. Its goroutines read, write, read what the
// other end asked for, and watch the time.
type link struct {
	ls   *links
	p    *partner
	c    Conn
	kick chan struct{}
	gone chan struct{}
	once sync.Once
	srv  *server

	// of links.mu
	asked   map[uint32]*request
	number  uint32 // of the next piece asked
	out     int    // bytes asked and not handled
	cancels []uint32
	heard   time.Time // when what was asked for last came, or was asked with nothing open
	used    time.Time
	helped  bool // a piece came that was right
	lies    int  // pieces in a row that were not

	// of the reader
	scratch []byte
	arrived []uint32
}

// A request is a piece asked over a link.
type request struct {
	e     *errand // nil: not wanted any more
	cand  *source
	i     int32
	size  int // of the window
	at    time.Time
	stole bool // another was asked too

	longest int
	buf     []byte // of the reader: what came
	total   uint32
}

const maxLies = 64

func newLink(ls *links, p *partner, c Conn) *link {
	l := &link{
		ls: ls, p: p, c: c, kick: make(chan struct{}, 1), gone: make(chan struct{}),
		asked: map[uint32]*request{}, used: time.Now(), heard: time.Now(),
	}
	l.srv = newServer(l)
	return l
}

func (l *link) wake() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// hangUp ends the link's goroutines. It needs no lock.
func (l *link) hangUp() {
	l.once.Do(func() {
		close(l.gone)
		l.c.Close()
	})
}

// run moves frames until the link ends. It takes the lock.
func (l *link) run() {
	var wg sync.WaitGroup
	wg.Go(l.write)
	wg.Go(l.srv.run)
	wg.Go(l.watch)
	err := l.read()
	over := false
	select {
	case <-l.gone:
		over = true
	default:
	}
	l.hangUp()
	wg.Wait()
	l.ls.ended(l)
	if errors.Is(err, errFrame) && !over {
		l.ls.m.post(func(lo *loop) { lo.hostileDevice(l.p.device, err) })
	}
}

// watch ends the link when nothing comes, or nothing is to be said any more, and
// lets others help a slow peer.
func (l *link) watch() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.gone:
			return
		}
		now := time.Now()
		l.ls.mu.Lock()
		still := len(l.asked) > 0 && now.Sub(l.heard) >= linkStill
		idle := len(l.asked) == 0 && now.Sub(l.used) >= linkIdle && l.srv.idle()
		if len(l.asked) > 0 {
			l.share(now)
		}
		l.ls.mu.Unlock()
		if still || idle {
			l.hangUp()
			return
		}
	}
}

// share has pieces that do not come asked of others that have nothing to do.
func (l *link) share(now time.Time) {
	for _, r := range l.asked {
		e := r.e
		if e == nil || r.stole || now.Sub(r.at) < linkSteal || e.sure[r.i] {
			continue
		}
		if o := e.best(e.lacked[r.i].with(r.cand)); o != nil && o.asked+len(o.own) == 0 {
			r.stole = true
			e.twice[r.i]++
			o.own = append(o.own, r.i)
			e.rouse(o)
		}
	}
}

// write sends what there is: what we ask first, then what we serve.
func (l *link) write() {
	defer l.hangUp()
	for {
		frame, err := l.askMore()
		if frame == nil && err == nil {
			select {
			case f := <-l.srv.ready:
				err = l.c.Send(f.bytes)
				l.srv.sent(f)
			case <-l.kick:
			case <-l.gone:
				return
			}
		} else if err == nil {
			err = l.c.Send(frame)
		}
		if err != nil {
			return
		}
	}
}

// askMore makes a frame of what is to be cancelled or asked; nil if nothing is. It
// takes the lock, but not while it asks Contents.
func (l *link) askMore() ([]byte, error) {
	l.ls.mu.Lock()
	if n := min(len(l.cancels), maxBlocks); n > 0 {
		frame := encodeNumbers(blockCancel, l.cancels[:n])
		l.cancels = l.cancels[n:]
		l.ls.mu.Unlock()
		return frame, nil
	}
	e, first, list := l.pull(time.Now())
	l.ls.mu.Unlock()
	if e == nil {
		return nil, nil
	}
	a := askBlocks{urgent: e.quick, space: e.space, pieces: make([]askPiece, 0, len(list))}
	var unknown []uint32
	for n, i := range list {
		p := e.pieces[i]
		q := askPiece{number: first + uint32(n), name: p.Content, index: p.Index, size: uint32(p.Size)}
		if c := l.ls.m.opts.Contents; c != nil {
			var ok bool
			if q.name, ok = c.Ask(l.p.device, e.space, p.Content, p.Index); !ok {
				unknown = append(unknown, q.number)
				continue
			}
		}
		a.pieces = append(a.pieces, q)
	}
	if len(unknown) > 0 {
		l.lacks(unknown)
	}
	if len(a.pieces) == 0 {
		return l.askMore()
	}
	return a.encode(), nil
}

// pull takes pieces to ask for, of the errand whose turn it is, and numbers them.
func (l *link) pull(now time.Time) (best *errand, first uint32, list []int32) {
	if l.p.gone || len(l.p.links) == 0 || l.p.links[0] != l || len(l.asked) >= maxBlocks {
		return nil, 0, nil
	}
	var cand *source
	for _, e := range l.ls.errands {
		if c := e.by[l.p]; c != nil && e.wants(c) && l.room(e) > 0 && (best == nil || e.vtime < best.vtime) {
			best, cand = e, c
		}
	}
	if best == nil {
		return nil, 0, nil
	}
	e := best
	first = l.number
	e.vtime = max(e.vtime, l.ls.passed-8*urgentSize)
	l.ls.passed = max(l.ls.passed, e.vtime)
	for sum := 0; sum < askChunk && len(list) < maxAskOne && len(l.asked) < maxBlocks && e.wants(cand); {
		i, ok := e.pick(cand, l.room(e))
		if !ok {
			break
		}
		size := e.pieces[i].guess()
		if len(l.asked) == 0 {
			l.heard = now
		}
		l.asked[l.number] = &request{e: e, cand: cand, i: i, size: size, longest: longest(e.pieces[i].Size), at: now}
		l.number++
		l.out += size
		cand.asked++
		sum += size
		e.vtime += int64(size)
		list = append(list, i)
	}
	l.used = now
	if len(list) == 0 {
		return nil, 0, nil
	}
	return e, first, list
}

// room is how many bytes more may be asked for. What is asked in bulk is asked in
// larger parts.
func (l *link) room(e *errand) int {
	room := window - l.out
	switch {
	case l.out == 0:
		return MaxPiece
	case e.quick:
		return room + urgentSize
	case room < askChunk/2:
		return 0
	}
	return room
}

// release says that bytes asked for were handled.
func (l *link) release(size int) {
	l.out -= size
	l.wake()
}

// forget drops what was asked for an errand that is over.
func (l *link) forget(e *errand) {
	for n, r := range l.asked {
		if r.e == e {
			r.e = nil
			r.cand.asked--
			l.cancels = append(l.cancels, n)
		}
	}
	slices.Sort(l.cancels)
	l.wake()
}

// told notes that the peer sent a piece that is right, lied that it is not.
func (l *link) told() { l.helped, l.lies = true, 0 }

func (l *link) lied() {
	if l.lies++; l.lies >= maxLies {
		l.helped = false
		l.hangUp()
	}
}

// lacks notes that the peer does not have pieces. It takes the lock.
func (l *link) lacks(numbers []uint32) error {
	l.ls.mu.Lock()
	defer l.ls.mu.Unlock()
	for _, n := range numbers {
		r := l.asked[n]
		if r == nil || r.buf != nil {
			return fmt.Errorf("%w: answer to what was not asked", errFrame)
		}
		delete(l.asked, n)
		if r.e != nil {
			r.cand.asked--
			r.e.lack(r.cand, r.i)
		}
		l.release(r.size)
	}
	l.heard = time.Now()
	l.used = l.heard
	return nil
}

// read takes frames until the link ends.
func (l *link) read() error {
	s, _ := l.c.(StreamConn)
	for {
		var size int
		var r io.Reader
		var err error
		if s != nil {
			size, r, err = s.RecvStream()
		} else {
			var frame []byte
			frame, err = l.c.Recv()
			size, r = len(frame), bytes.NewReader(frame)
		}
		if err != nil {
			return err
		}
		if err := l.frame(size, r); err != nil {
			return err
		}
	}
}

// frame reads one frame of a size.
func (l *link) frame(size int, r io.Reader) error {
	if cap(l.scratch) < partHead {
		l.scratch = make([]byte, 64<<10)
	}
	kind := l.scratch[:1]
	if size < 1 {
		return fmt.Errorf("%w: empty", errFrame)
	}
	if _, err := io.ReadFull(r, kind); err != nil {
		return err
	}
	if kind[0] == blockData {
		return l.data(size-1, r)
	}
	if size > len(l.scratch) {
		return fmt.Errorf("%w: %d bytes of type %d", errFrame, size, kind[0])
	}
	b := l.scratch[:size]
	if _, err := io.ReadFull(r, b[1:]); err != nil {
		return err
	}
	switch b[0] {
	case blockAsk:
		a, err := decodeAsk(b)
		if err != nil {
			return err
		}
		return l.srv.ask(a)
	case blockCancel, blockLack:
		numbers, err := decodeNumbers(b)
		if err != nil {
			return err
		}
		if b[0] == blockLack {
			return l.lacks(numbers)
		}
		l.srv.cancel(numbers)
	}
	return nil
}

// data reads the parts of a data frame straight to where they belong.
func (l *link) data(room int, r io.Reader) error {
	l.arrived = l.arrived[:0]
	for room > 0 {
		if room < partHead {
			return fmt.Errorf("%w: part cut short", errFrame)
		}
		if _, err := io.ReadFull(r, l.scratch[:partHead]); err != nil {
			return err
		}
		room -= partHead
		p := partOf(l.scratch)
		if err := p.check(room); err != nil {
			return err
		}
		q, err := l.request(p)
		if err != nil {
			return err
		}
		q.buf = q.buf[:p.offset+p.length]
		if _, err := io.ReadFull(r, q.buf[p.offset:]); err != nil {
			return err
		}
		room -= int(p.length)
		if p.offset+p.length == p.total {
			l.arrived = append(l.arrived, p.number)
		}
	}
	l.came()
	return nil
}

// request returns what a part belongs to, with room for it. It takes the lock.
func (l *link) request(p part) (*request, error) {
	l.ls.mu.Lock()
	defer l.ls.mu.Unlock()
	l.heard = time.Now()
	q := l.asked[p.number]
	switch {
	case q == nil, len(q.buf) != int(p.offset), p.offset > 0 && q.total != p.total, int(p.total) > q.longest:
		return nil, fmt.Errorf("%w: part of what was not asked for", errFrame)
	case q.buf == nil:
		q.buf, q.total = getBuffer(int(p.total)), p.total
		if grown := int(p.total) - q.size; grown > sealing { // of a size that was not known
			q.size += grown
			l.out += grown
		}
	}
	return q, nil
}

// came hands over the pieces that are here whole. It takes the lock.
func (l *link) came() {
	l.ls.mu.Lock()
	defer l.ls.mu.Unlock()
	l.used = l.heard
	for _, n := range l.arrived {
		r := l.asked[n]
		delete(l.asked, n)
		if r.e == nil {
			putBuffer(r.buf)
			l.release(r.size)
			continue
		}
		r.cand.asked--
		r.e.put(delivery{i: r.i, from: l, cand: r.cand, data: r.buf, size: r.size})
	}
}
