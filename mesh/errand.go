package mesh

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"inselnetz/crdt/log"
)

// An errand is one Fetch. Its fields, and its methods but those that say
// otherwise, belong to links.mu.
type errand struct {
	ls      *links
	space   log.SpaceID
	pieces  []Piece
	quick   bool // it is small and goes before others
	prefer  map[log.DeviceID]bool
	got     func(i int, data []byte) error
	missing func(i int)

	cands  []*source // in the order they are asked
	by     map[*partner]*source
	next   int // the first piece nobody was asked for
	back   []int32
	lacked map[int32]sources // who said to lack a piece
	twice  map[int32]int     // pieces asked of two: how many of them may still answer
	sure   []bool            // pieces that came, or are missing
	left   int               // pieces without their call
	bytes  int64             // of pieces not sure
	vtime  int64             // grows with what is asked; the least goes first

	ready *sync.Cond
	queue []delivery
	over  bool
	err   error
}

// A source is a partner as one errand sees it.
type source struct {
	p      *partner
	number int
	prefer bool
	active bool    // may be asked
	failed bool    // cannot be reached now
	own    []int32 // pieces to be asked of it, that others lack
	asked  int     // pieces asked and not answered
	limit  int     // of asked; grows as it shows to have pieces
}

// sources is a set of them, by number.
type sources [maxSessions / 64]uint64

func (s sources) with(c *source) sources {
	s[c.number/64] |= 1 << (c.number % 64)
	return s
}

func (s sources) has(c *source) bool { return s[c.number/64]&(1<<(c.number%64)) != 0 }

// A delivery is a piece as it came, or that it is missing.
type delivery struct {
	i    int32
	from *link // nil: missing
	cand *source
	data []byte
	size int // of the window
}

// Fetch brings pieces of a space here from the devices that have them: first
// those of prefer that are here, then all that share the space. For each piece it
// calls got with its checked bytes, or missing when nobody here has it now; both
// from several goroutines. data belongs to got until it returns. Fetch returns
// when each piece had its call, or when ctx ends or got fails, with that error;
// no call happens after it returned.
func (m *Mesh) Fetch(ctx context.Context, space log.SpaceID, pieces []Piece, prefer []log.DeviceID, got func(i int, data []byte) error, missing func(i int)) error {
	if err := ctx.Err(); err != nil || len(pieces) == 0 {
		return err
	}
	e := &errand{
		ls: m.links, space: space, pieces: pieces, got: got, missing: missing, left: len(pieces),
		prefer: map[log.DeviceID]bool{}, by: map[*partner]*source{},
		lacked: map[int32]sources{}, twice: map[int32]int{}, sure: make([]bool, len(pieces)),
	}
	for _, p := range pieces {
		if p.Size < 0 || p.Size > MaxPiece {
			return fmt.Errorf("fetch a piece of %d bytes", p.Size)
		}
		e.bytes += int64(p.guess())
	}
	for _, d := range prefer {
		e.prefer[d] = true
	}
	e.ready = sync.NewCond(&m.links.mu)
	m.links.begin(e)
	stop := context.AfterFunc(ctx, func() {
		m.links.mu.Lock()
		defer m.links.mu.Unlock()
		e.end(ctx.Err())
	})
	defer stop()
	var workers sync.WaitGroup
	for range min(len(pieces), max(2, runtime.GOMAXPROCS(0))) {
		workers.Go(e.work)
	}
	workers.Wait()
	return e.err
}

// begin starts an errand. It takes the lock. What is small goes first.
func (ls *links) begin(e *errand) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	e.vtime = ls.passed
	if e.quick = e.bytes <= urgentSize; e.quick {
		e.vtime -= 8 * urgentSize
	}
	ls.errands = append(ls.errands, e)
	e.meet()
}

// end ends an errand; what is on its way for it is not wanted any more.
func (e *errand) end(err error) {
	if e.over {
		return
	}
	e.over, e.err = true, err
	e.ls.errands = slices.DeleteFunc(e.ls.errands, func(o *errand) bool { return o == e })
	for _, d := range e.queue {
		if d.from != nil {
			d.from.release(d.size)
			putBuffer(d.data)
		}
	}
	e.queue = nil
	for _, c := range e.cands {
		for _, l := range c.p.links {
			l.forget(e)
		}
	}
	e.ready.Broadcast()
}

// meet looks anew at who is here.
func (e *errand) meet() {
	if e.over {
		return
	}
	now := time.Now()
	var fresh []*source
	for _, p := range e.ls.list() {
		if e.by[p] == nil && p.shares(e.space) && len(e.cands)+len(fresh) < maxSessions {
			c := &source{p: p, prefer: e.prefer[p.device], limit: maxUnknownPieces}
			if c.prefer {
				c.limit = maxBlocks
			}
			e.by[p] = c
			fresh = append(fresh, c)
		}
	}
	slices.SortStableFunc(fresh, func(a, b *source) int { return nearest(a.p, b.p) })
	for _, c := range fresh {
		c.number = len(e.cands)
		e.cands = append(e.cands, c)
	}
	var free []int32
	for _, c := range e.cands {
		c.failed = !c.p.usable(now) || !c.p.shares(e.space)
		if c.failed {
			free = append(free, c.own...)
			c.own = nil
		}
	}
	for _, i := range free {
		e.again(i)
	}
	e.settle()
}

// settle has somebody to ask for what is left, or says that it is missing.
func (e *errand) settle() {
	if e.over {
		return
	}
	active, preferred := 0, 0
	for _, c := range e.cands {
		if c.prefer && !c.failed && preferred < maxPreferred {
			c.active = true
			preferred++
		}
		if c.active && !c.failed {
			active++
		}
	}
	if active == 0 {
		active = e.more()
	}
	if active == 0 {
		for ; e.next < len(e.pieces); e.next++ {
			e.miss(int32(e.next))
		}
		for _, i := range e.back {
			e.miss(i)
		}
		e.back = nil
		return
	}
	for _, c := range e.cands {
		if c.active && !c.failed && e.wants(c) {
			e.rouse(c)
		}
	}
}

// more lets some more partners be asked, and returns how many.
func (e *errand) more() (n int) {
	for _, c := range e.cands {
		if n < spreadTo && !c.active && !c.failed {
			c.active = true
			n++
			e.rouse(c)
		}
	}
	return n
}

// rouse has a partner's link look for work, or makes one.
func (e *errand) rouse(c *source) {
	if len(c.p.links) > 0 {
		c.p.links[0].wake()
	} else {
		e.ls.reach(c.p, false)
	}
}

// wants reports whether there is something to ask of a source.
func (e *errand) wants(c *source) bool {
	return c.active && !c.failed && c.asked < c.limit && (len(c.own) > 0 || len(e.back) > 0 || e.next < len(e.pieces))
}

// pick takes the next piece to ask of a source, if it has at most most bytes.
func (e *errand) pick(c *source, most int) (i int32, ok bool) {
	take := func(list *[]int32) bool {
		for len(*list) > 0 {
			i = (*list)[0]
			if e.sure[i] {
				*list = (*list)[1:]
				continue
			}
			if ok = e.pieces[i].guess() <= most; ok {
				*list = (*list)[1:]
			}
			return true
		}
		return false
	}
	if take(&c.own) || take(&e.back) {
		return i, ok
	}
	if e.next < len(e.pieces) && e.pieces[e.next].guess() <= most {
		e.next++
		return int32(e.next - 1), true
	}
	return 0, false
}

// lack notes that a source does not have a piece.
func (e *errand) lack(c *source, i int32) {
	if e.over || e.sure[i] {
		return
	}
	c.limit = max(c.limit/2, leastPieces)
	e.lacked[i] = e.lacked[i].with(c)
	e.again(i)
}

// again has a piece asked of somebody who did not say to lack it.
func (e *errand) again(i int32) {
	if e.over || e.sure[i] {
		return
	}
	if n := e.twice[i]; n > 0 { // another may still answer
		delete(e.twice, i)
		return
	}
	lacked := e.lacked[i]
	if lacked == (sources{}) {
		e.back = append(e.back, i)
		e.settle()
		return
	}
	best := e.best(lacked)
	if best == nil && e.more() > 0 {
		best = e.best(lacked)
	}
	if best == nil {
		e.miss(i)
		return
	}
	best.own = append(best.own, i)
	e.rouse(best)
}

// best returns the active candidate with the least to do, but those.
func (e *errand) best(but sources) (best *source) {
	load := func(c *source) int { return c.asked + len(c.own) }
	for _, c := range e.cands {
		if c.active && !c.failed && !but.has(c) && (best == nil || load(c) < load(best)) {
			best = c
		}
	}
	return best
}

func (e *errand) miss(i int32) {
	if !e.sure[i] {
		e.settled(i)
		e.put(delivery{i: i})
	}
}

// settled notes that a piece needs no more asking.
func (e *errand) settled(i int32) {
	e.sure[i] = true
	e.bytes -= int64(e.pieces[i].guess())
	delete(e.lacked, i)
	delete(e.twice, i)
}

func (e *errand) put(d delivery) {
	e.queue = append(e.queue, d)
	e.ready.Signal()
}

// work hands out what came, until the errand is over. It takes the lock.
func (e *errand) work() {
	e.ls.mu.Lock()
	defer e.ls.mu.Unlock()
	for {
		for len(e.queue) == 0 && !e.over {
			e.ready.Wait()
		}
		if e.over {
			return
		}
		var d delivery
		d, e.queue = pop(e.queue)
		e.ls.mu.Unlock()
		done, err := e.handle(d)
		e.ls.mu.Lock()
		if d.from != nil {
			d.from.release(d.size)
		}
		if err != nil {
			e.end(err)
		}
		if done {
			if e.left--; e.left == 0 {
				e.end(nil)
			}
		}
	}
}

// guess is how many bytes of a window a piece takes before they are known.
func (p Piece) guess() int {
	if p.Size == 0 {
		return 256 << 10
	}
	return p.Size
}

// holds reports whether these are a piece's bytes, as far as that is known.
func (p Piece) holds(plain []byte) bool {
	return (p.Size == 0 || len(plain) == p.Size) && (p.Hash == [32]byte{} || sha256.Sum256(plain) == p.Hash)
}

var errLie = errors.New("not the bytes that were asked for")

// handle checks a piece and hands it out. It takes the lock, but not during calls.
func (e *errand) handle(d delivery) (done bool, err error) {
	if d.from == nil {
		e.missing(int(d.i))
		return true, nil
	}
	defer putBuffer(d.data)
	p := e.pieces[d.i]
	plain := d.data
	if c := e.ls.m.opts.Contents; c != nil {
		plain, err = c.Take(d.from.p.device, e.space, p, d.data)
	}
	if err == nil && !p.holds(plain) {
		err = errLie
	}
	e.ls.mu.Lock()
	fresh := !e.over && !e.sure[d.i]
	if err != nil {
		e.ls.m.log.Debug("piece refused", "peer", d.from.p.peer, "err", err)
		d.from.lied()
		e.lack(d.cand, d.i)
	} else if fresh {
		e.settled(d.i)
		d.cand.limit = min(2*d.cand.limit, maxBlocks)
		d.from.told()
	}
	e.ls.mu.Unlock()
	if err != nil || !fresh {
		return false, nil
	}
	return true, e.got(int(d.i), plain)
}
