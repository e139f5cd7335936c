package seq

import (
	"fmt"

	"inselnetz/crdt/automerge/internal/opid"
)

// Leaves and nodes are left with room for edits after filling.
const (
	leafFill = leafCap * 3 / 4
	nodeFill = nodeCap * 3 / 4
)

// Builder fills an empty sequence with elements in document order.
type Builder struct {
	s     *Store
	q     *Seq
	cur   span // grows until something does not continue it; n = 0: none
	spans [leafFill]span
	n     int
	level []kid // of the leaves so far, later of the nodes
	path  []trail
	err   error
}

// A trail is a part of the path from the head to the last element: elements
// with consecutive ids, each inserted after the one before.
type trail struct {
	first opid.ID
	n     uint32
}

// Build begins to fill q. There is one builder at a time; until Done nothing
// else may touch the store but More.
func (s *Store) Build(q *Seq) *Builder {
	if q.num != 0 {
		panic("seq: a sequence is filled only once")
	}
	if s.build == nil {
		s.build = &Builder{}
	}
	s.open(q)
	b := s.build
	b.s, b.q, b.err = s, q, nil
	b.level, b.path = b.level[:0], b.path[:0]
	return b
}

// Char adds a character that was inserted after ref; del is its first deleter
// (Ctr 0: it shows).
func (b *Builder) Char(id, ref opid.ID, text []byte, del opid.ID) (eid uint32) {
	return b.add(id, ref, text, 1, del, 0)
}

// Chars adds n characters with consecutive ids, text being their n code points:
// the first was inserted after ref, each other one after the one before. If del
// names an operation, it and del+step, del+2·step and so on are their first
// deleters; step is 1 or -1.
func (b *Builder) Chars(id, ref opid.ID, text []byte, n int, del opid.ID, step int) (eid uint32) {
	eid = uint32(len(b.s.where))
	for n > 0 {
		k, size := n, len(text)
		if k > maxRun {
			k = maxRun
			size = prefix(text, maxRun)
		}
		b.add(id, ref, text[:size], k, del, int8(step))
		text, n = text[size:], n-k
		ref, id = id.Add(k-1), id.Add(k)
		if del.Ctr != 0 {
			del = del.Add(k * step)
		}
	}
	return eid
}

// add adds n characters, at most maxRun.
func (b *Builder) add(id, ref opid.ID, text []byte, n int, del opid.ID, step int8) (eid uint32) {
	s := b.s
	s.need(n, len(text))
	x := span{id: id, ref: ref, del: del, eid: uint32(len(s.where)), off: uint32(len(s.text))}
	if n > 1 && del.Ctr != 0 {
		x.step = step
	}
	w := s.append(text, n, 0)
	x.n, x.size, x.units = w.n, w.size, w.units
	if step, ok := joint(&b.cur, &x); ok && b.cur.n > 0 {
		join(&b.cur, &x, step)
	} else {
		b.next(x)
		n-- // of which the path has been told
	}
	if b.err == nil {
		b.path[len(b.path)-1].n += uint32(n) // the last element is the end of the path
	}
	return x.eid
}

// Deleter adds a further deleter to the last character.
func (b *Builder) Deleter(id opid.ID) {
	b.cur.kind |= isMany
	b.s.addMore(uint32(len(b.s.where)-1), id)
}

// Cell adds a cell.
func (b *Builder) Cell(id, ref opid.ID, cell uint32, w Width, mark bool) (eid uint32) {
	b.s.need(1, 0)
	eid = uint32(len(b.s.where))
	b.s.number(1, 0)
	b.next(newCell(b.q, id, ref, eid, cell, w, mark))
	return eid
}

// next puts the current span away and begins another with x.
func (b *Builder) next(x span) {
	if b.err == nil {
		b.err = b.follow(x.id, x.ref)
	}
	b.flush()
	b.cur = x
}

// follow checks that an element may come now: after its reference, which is on
// the path to the last element, and with a lesser id than the one after that
// reference that it ends the turn of.
func (b *Builder) follow(id, ref opid.ID) error {
	s := b.s
	if ref.Ctr != 0 && !s.greater(id, ref) {
		return fmt.Errorf("seq: element %d of actor %d is not greater than the one it follows", id.Ctr, id.Actor)
	}
	var turn opid.ID
	for ; len(b.path) > 0; b.path = b.path[:len(b.path)-1] {
		t := &b.path[len(b.path)-1]
		if k := ref.Ctr - t.first.Ctr; ref.Ctr != 0 && ref.Actor == t.first.Actor && k < t.n {
			if k+1 < t.n {
				turn = ref.Add(1)
				t.n = k + 1
			}
			break
		}
		turn = t.first
	}
	if ref.Ctr != 0 && len(b.path) == 0 {
		return fmt.Errorf("seq: element %d of actor %d stands where the one it follows is not before it", id.Ctr, id.Actor)
	}
	if turn.Ctr != 0 && !s.greater(turn, id) {
		return fmt.Errorf("seq: element %d of actor %d stands behind a lesser one after the same element", id.Ctr, id.Actor)
	}
	if k := len(b.path); k > 0 && ref.Add(1) == id {
		b.path[k-1].n++
		return nil
	}
	b.path = append(b.path, trail{id, 1})
	return nil
}

// flush puts the current span into the leaf to be.
func (b *Builder) flush() {
	if b.cur.n == 0 {
		return
	}
	b.spans[b.n] = b.cur
	b.cur = span{}
	if b.n++; b.n == leafFill {
		b.leaf()
	}
}

// leaf makes a leaf of the spans gathered.
func (b *Builder) leaf() {
	s := b.s
	h := &s.heads[b.q.num]
	lf := s.newLeaf(b.q.num)
	l := s.leaf(lf)
	l.sp = append(make([]span, 0, b.n), b.spans[:b.n]...)
	b.n = 0
	for i := range l.sp {
		p := &l.sp[i]
		l.width = l.width.add(p.width())
		l.minCtr = min(l.minCtr, p.id.Ctr)
		l.cells = l.cells || p.isCell()
		s.elemsAre(p, lf)
	}
	h.width = h.width.add(l.width)
	if h.last != 0 {
		l.prev = h.last
		s.leaf(h.last).next = lf
	} else {
		h.first = lf
	}
	h.last = lf
	b.level = append(b.level, kid{lf, l.width, l.minCtr})
}

// Done ends filling. It fails if an element was not where the rule of order puts
// it, or not greater than what it was inserted after; the store is then unusable.
func (b *Builder) Done() error {
	b.flush()
	if b.n > 0 {
		b.leaf()
	}
	if len(b.level) > 0 {
		h := &b.s.heads[b.q.num]
		h.flat = len(b.level) == 1
		for low := true; len(b.level) > 1; low = false {
			b.nodes(low)
		}
		h.root = b.level[0].at
	}
	if cap(b.path) > 1024 || cap(b.level) > 1024 {
		b.path, b.level = nil, nil
	}
	b.q = nil
	return b.err
}

// nodes puts the next level over the present one.
func (b *Builder) nodes(low bool) {
	up := b.level[:0] // written behind what is read
	for level := b.level; len(level) > 0; {
		at := b.s.newNode(low)
		n := b.s.node(at)
		k := kid{at: at, minCtr: None}
		m := min(len(level), nodeFill)
		for j, c := range level[:m] {
			n.child[j], n.width[j], n.minCtr[j] = c.at, c.width, c.minCtr
			b.s.setParent(low, c.at, at, uint8(j))
			k.width = k.width.add(c.width)
			k.minCtr = min(k.minCtr, c.minCtr)
		}
		n.n = uint8(m)
		level = level[m:]
		up = append(up, k)
	}
	b.level = up
}
