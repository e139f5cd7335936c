package seq

import (
	"slices"

	"inselnetz/crdt/automerge/internal/opid"
)

// InsertChars inserts the n code points of text with ids id, id+1, ...: the
// first after element after (None: the head) by the rule of order, each further
// one after the one before. id must be greater than that of after. It returns
// the eid of the first; the others count up.
func (s *Store) InsertChars(q *Seq, id opid.ID, after uint32, text []byte, n int) (eid uint32) {
	s.need(n, len(text))
	s.open(q)
	eid = uint32(len(s.where))
	lf, i, ref := s.makeSpot(q, id, after)
	if i > 0 {
		p := &s.leaf(lf).sp[i-1]
		// The last element of p is after: what was passed over has greater ids.
		if room := maxRun - int(p.n); room > 0 && p.chars() && p.eid+uint32(p.n) == eid && p.last().Add(1) == id {
			m := min(n, room)
			w := s.append(text, m, lf)
			p.n += w.n
			p.size += w.size
			p.units += w.units
			s.bump(lf, Width{uint32(w.n), uint32(w.units)})
			if n == m {
				return eid
			}
			text, n, id, ref = text[w.size:], n-m, id.Add(m), p.last()
		}
	}
	for n > 0 {
		m := min(n, maxRun)
		p := span{id: id, ref: ref, eid: uint32(len(s.where)), off: uint32(len(s.text))}
		w := s.append(text, m, lf)
		p.n, p.size, p.units = w.n, w.size, w.units
		lf, i = s.insert(lf, i, p)
		text, n, id, ref, i = text[p.size:], n-m, id.Add(m), p.last(), i+1
	}
	return eid
}

// A measure is how much text there is.
type measure struct{ n, size, units uint16 }

// append takes the first n code points of text in and gives them their eids, for
// now in leaf lf.
func (s *Store) append(text []byte, n int, lf uint32) measure {
	if n == 1 && len(text) == 1 {
		s.text = append(s.text, text[0])
		s.where = append(s.where, lf)
		return measure{1, 1, 1}
	}
	text = text[:prefix(text, uint32(n))]
	s.text = append(s.text, text...)
	s.number(n, lf)
	m := measure{uint16(n), uint16(len(text)), uint16(n)}
	if len(text) != n {
		m.units += uint16(astral(text))
	}
	return m
}

// number gives n new elements their eids, for now in leaf lf.
func (s *Store) number(n int, lf uint32) {
	for range n {
		s.where = append(s.where, lf)
	}
}

func (s *Store) need(n, size int) {
	if !s.Room(n, size) {
		panic("seq: the store is full")
	}
}

// InsertCell inserts one cell; see InsertChars.
func (s *Store) InsertCell(q *Seq, id opid.ID, after, cell uint32, w Width, mark bool) (eid uint32) {
	s.need(1, 0)
	s.open(q)
	eid = uint32(len(s.where))
	lf, i, ref := s.makeSpot(q, id, after)
	s.number(1, lf)
	s.insert(lf, i, newCell(q, id, ref, eid, cell, w, mark))
	return eid
}

func newCell(q *Seq, id, ref opid.ID, eid, cell uint32, w Width, mark bool) span {
	p := span{id: id, ref: ref, eid: eid, n: 1, kind: isCell}
	if mark {
		p.kind |= isMark
		q.marks++
	}
	p.setCell(cell, w)
	return p
}

func (p *span) setCell(cell uint32, w Width) {
	p.off, p.del = cell, opid.ID{Ctr: w.Points, Actor: w.Units}
}

// makeSpot finds the place for an element with this id that is inserted after
// element after, cutting a span if it lies inside; ref is the id of after.
func (s *Store) makeSpot(q *Seq, id opid.ID, after uint32) (lf uint32, i int, ref opid.ID) {
	h := &s.heads[q.num]
	if h.first == 0 {
		lf = s.newLeaf(q.num)
		h.root, h.flat, h.first, h.last = lf, true, lf, lf
	}
	lf = h.first
	if after != None {
		var k uint32
		lf, i, k = s.locate(after)
		p := &s.leaf(lf).sp[i]
		ref = p.id.Add(int(k))
		if k++; k < uint32(p.n) && !s.greater(p.id.Add(int(k)), id) {
			s.changes(lf)
			lf, i = s.split(lf, i, k)
			return lf, i, ref
		}
		i++
	} else {
		s.cur.leaf, s.cur.before = lf, Width{}
	}
	lf, i = s.skip(lf, i, id)
	s.changes(lf)
	return lf, i, ref
}

// skip finds the first place from span i of leaf lf on whose span does not have
// a greater id than id: the rule of order, because whatever follows the element
// inserted after and has a greater id is a greater sibling of the new one or
// below such a one. The ids in a span ascend, so the first speaks for all.
func (s *Store) skip(lf uint32, i int, id opid.ID) (uint32, int) {
	for {
		l := s.leaf(lf)
		for ; i < len(l.sp); i++ {
			if !s.greater(l.sp[i].id, id) {
				return lf, i
			}
		}
		if l.next == 0 {
			return lf, i
		}
		if !s.greater(s.leaf(l.next).sp[0].id, id) {
			return lf, i // the end of this leaf is the same place
		}
		if s.leaf(l.next).minCtr <= id.Ctr {
			lf, i = l.next, 0
			continue
		}
		low := s.nextLow(l.next, id.Ctr)
		if low == 0 {
			lf = s.heads[l.seq].last
			return lf, len(s.leaf(lf).sp)
		}
		lf, i = low, 0
	}
}

// nextLow finds the first leaf behind lf that holds a counter of at most ctr; 0
// if there is none. So a place behind many greater ids costs a walk up and down.
func (s *Store) nextLow(lf, ctr uint32) uint32 {
	l := s.leaf(lf)
	for p, x := l.parent, l.place; p != 0; {
		n := s.node(p)
		for x++; x < n.n; x++ {
			if n.minCtr[x] > ctr {
				continue
			}
			for !n.low {
				n, x = s.node(n.child[x]), 0
				for n.minCtr[x] > ctr {
					x++
				}
			}
			return n.child[x]
		}
		p, x = n.parent, n.place
	}
	return 0
}

// Kill deletes n showing characters of one run by operations by, by+1, ...
// With n = 1 and a character that is deleted already, by becomes a further
// deleter.
func (s *Store) Kill(eid uint32, n int, by opid.ID) {
	lf, i, k := s.locate(eid)
	l := s.leaf(lf)
	p := &l.sp[i]
	if p.isCell() || int(k)+n > int(p.n) || n > 1 && p.del.Ctr != 0 {
		panic("seq: what is deleted is no showing run")
	}
	if p.del.Ctr != 0 {
		p.kind |= isMany
		s.addMore(eid, by)
		return
	}
	s.changes(lf)
	d := s.cut(p, k, uint32(n))
	w := d.width()
	d.del = by
	if n > 1 {
		d.step = 1
	}
	if !s.killInto(l, i, k, d) {
		lf, i = s.isolate(lf, i, k, uint32(n))
		s.leaf(lf).sp[i] = d
	}
	s.bump(lf, Width{}.sub(w))
}

// killInto joins d, the deleted elements from k on of span i, to a deleted
// neighbour in the leaf that it continues, and reports whether there is one.
func (s *Store) killInto(l *leaf, i int, k uint32, d span) bool {
	p := &l.sp[i]
	rest := uint32(p.n) - k - uint32(d.n)
	if k == 0 && i > 0 {
		if step, ok := joint(&l.sp[i-1], &d); ok {
			join(&l.sp[i-1], &d, step)
			if rest > 0 {
				*p = s.cut(p, uint32(d.n), rest)
			} else {
				l.sp = slices.Delete(l.sp, i, i+1)
			}
			return true
		}
	}
	if rest == 0 && i+1 < len(l.sp) {
		if step, ok := joint(&d, &l.sp[i+1]); ok {
			join(&d, &l.sp[i+1], step)
			l.sp[i+1] = d
			if k > 0 {
				*p = s.cut(p, 0, k)
			} else {
				l.sp = slices.Delete(l.sp, i, i+1)
			}
			return true
		}
	}
	return false
}

func (s *Store) addMore(eid uint32, by opid.ID) {
	if s.more == nil {
		s.more = map[uint32][]opid.ID{}
	}
	s.more[eid] = append(s.more[eid], by)
}

// MakeCell turns a character into a cell and returns its deleters, which are
// the caller's from then on.
func (s *Store) MakeCell(eid, cell uint32, w Width) []opid.ID {
	lf, i, k := s.locate(eid)
	if s.leaf(lf).sp[i].isCell() {
		panic("seq: this is a cell already")
	}
	s.changes(lf)
	lf, i = s.isolate(lf, i, k, 1)
	p := &s.leaf(lf).sp[i]
	before := p.width()
	var dels []opid.ID
	if p.del.Ctr != 0 {
		dels = append(append(dels, p.del), s.more[eid]...)
		delete(s.more, eid)
	}
	p.kind, p.size, p.units = isCell, 0, 0
	s.leaf(lf).cells = true
	p.setCell(cell, w)
	s.bump(lf, w.sub(before))
	return dels
}

// SetWidth sets the width of a cell; zero hides it.
func (s *Store) SetWidth(eid uint32, w Width) {
	lf, i, _ := s.locate(eid)
	p := &s.leaf(lf).sp[i]
	if !p.isCell() {
		panic("seq: a character has the width it has")
	}
	before := p.width()
	if w == before {
		return
	}
	s.changes(lf)
	p.setCell(p.off, w)
	s.bump(lf, w.sub(before))
}
