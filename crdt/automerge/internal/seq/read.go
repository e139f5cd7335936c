package seq

import (
	"iter"

	"inselnetz/crdt/automerge/internal/opid"
)

// run is p as the caller sees it.
func (s *Store) run(p *span) (r Run) {
	s.runFrom(&r, p, 0)
	return r
}

// runFrom makes r, which is zero, what the caller sees of p from its element k on.
func (s *Store) runFrom(r *Run, p *span, k uint32) {
	r.Eid, r.ID.Ctr, r.ID.Actor, r.N = p.eid+k, p.id.Ctr+k, p.id.Actor, int(uint32(p.n)-k)
	if r.Ref = p.ref; k > 0 {
		r.Ref.Ctr, r.Ref.Actor = r.ID.Ctr-1, r.ID.Actor
	}
	if p.isCell() {
		r.IsCell, r.IsMark, r.Cell = true, p.kind&isMark != 0, p.off
		r.Width = p.width()
		return
	}
	r.Text = s.bytes(p)
	units := uint32(p.units) - k
	if p.size == p.n {
		r.Text = r.Text[k:]
	} else {
		i := prefix(r.Text, k)
		units -= astral(r.Text[:i])
		r.Text = r.Text[i:]
	}
	if p.del.Ctr == 0 {
		r.Width = Width{uint32(r.N), units}
		return
	}
	r.Deleted, r.Del, r.Many = true, p.deleter(k), p.kind&isMany != 0
	if r.N > 1 {
		r.Step = int(p.step)
	}
}

// Len is the length of q.
func (s *Store) Len(q *Seq, u Unit) int { return int(s.heads[q.num].width.In(u)) }

// At finds the showing element that covers unit pos: r starts with it and goes
// to the end of its run, off is how many units of it lie before pos. Eid is None
// if pos is not in the sequence.
func (s *Store) At(q *Seq, u Unit, pos int) (r Run, off int) {
	if pos < 0 || pos >= s.Len(q, u) {
		return Run{Eid: None}, 0
	}
	lf := s.seek(q, u, uint32(pos))
	left := uint32(pos) - s.cur.before.In(u)
	sp := s.leaf(lf).sp
	for i := range sp {
		p := &sp[i]
		w := p.wide(u)
		if left >= w {
			left -= w
			continue
		}
		s.hint = i
		k := left
		switch {
		case p.isCell():
			k, off = 0, int(left)
		case u == Units && p.units != p.n:
			var in uint32
			k, in = covering(s.bytes(p), left)
			off = int(in)
		}
		s.runFrom(&r, p, k)
		return r, off
	}
	panic("seq: the sums are broken")
}

// seek finds the leaf that covers unit pos, near the cursor or from the root, and
// moves the cursor there.
func (s *Store) seek(q *Seq, u Unit, pos uint32) uint32 {
	if lf := s.cur.leaf; lf != 0 && s.leaf(lf).seq == q.num {
		for range 3 {
			l, start := s.leaf(lf), s.cur.before.In(u)
			if pos < start {
				if lf = l.prev; lf == 0 {
					break
				}
				s.cur.before = s.cur.before.sub(s.leaf(lf).width)
			} else {
				if pos-start < l.width.In(u) {
					return lf
				}
				if lf = l.next; lf == 0 {
					break
				}
				s.cur.before = s.cur.before.add(l.width)
			}
			s.cur.leaf = lf
		}
	}
	h := &s.heads[q.num]
	at, low := h.root, h.flat
	var before Width
	for !low {
		n := s.node(at)
		x := 0
		for pos-before.In(u) >= n.width[x].In(u) {
			before = before.add(n.width[x])
			x++
		}
		at, low = n.child[x], n.low
	}
	s.cur.leaf, s.cur.before = at, before
	return at
}

// before is what shows before leaf lf; it moves the cursor there.
func (s *Store) before(lf uint32) Width {
	if s.cur.leaf == lf {
		return s.cur.before
	}
	var w Width
	l := s.leaf(lf)
	for p, x := l.parent, l.place; p != 0; {
		n := s.node(p)
		for _, c := range n.width[:x] {
			w = w.add(c)
		}
		p, x = n.parent, n.place
	}
	s.cur.leaf, s.cur.before = lf, w
	return w
}

// Position counts the showing units before eid.
func (s *Store) Position(q *Seq, eid uint32, u Unit) int {
	lf, i, k := s.locate(eid)
	w := s.before(lf).In(u)
	sp := s.leaf(lf).sp
	for j := range sp[:i] {
		w += sp[j].wide(u)
	}
	p := &sp[i]
	if !p.chars() {
		return int(w)
	}
	w += k
	if u == Units && p.units != p.n {
		b := s.bytes(p)
		w += astral(b[:prefix(b, k)])
	}
	return int(w)
}

// Elem is the run that starts with eid and goes to the end of eid's own.
func (s *Store) Elem(eid uint32) (r Run) {
	lf, i, k := s.locate(eid)
	s.runFrom(&r, &s.leaf(lf).sp[i], k)
	return r
}

// Whole is the whole run that eid is in, and which element of it that is.
func (s *Store) Whole(eid uint32) (Run, int) {
	lf, i, k := s.locate(eid)
	return s.run(&s.leaf(lf).sp[i]), int(k)
}

// Owner is the Owner of the sequence that eid is in.
func (s *Store) Owner(eid uint32) uint32 { return s.heads[s.leaf(s.where[eid]).seq].owner }

// Before reports whether a stands before b in document order. Both are in the
// same sequence.
func (s *Store) Before(a, b uint32) bool {
	la, i, j := s.locate(a)
	lb, k, l := s.locate(b)
	if la != lb {
		return s.leafBefore(la, lb)
	}
	return i < k || i == k && j < l
}

// leafBefore compares the ways up from two leaves; the last step in which they
// differ decides.
func (s *Store) leafBefore(a, b uint32) (before bool) {
	la, lb := s.leaf(a), s.leaf(b)
	before = la.place < lb.place
	for p, q := la.parent, lb.parent; p != q; {
		n, m := s.node(p), s.node(q)
		before = n.place < m.place
		p, q = n.parent, m.parent
	}
	return before
}

// More gives the further deleters of a character, those after Run.Del.
func (s *Store) More(eid uint32) []opid.ID { return s.more[eid] }

// Runs goes through q in document order, tombstones included. The store must
// not change meanwhile.
func (s *Store) Runs(q *Seq) iter.Seq[Run] {
	return func(yield func(Run) bool) {
		for lf := s.heads[q.num].first; lf != 0; lf = s.leaf(lf).next {
			sp := s.leaf(lf).sp
			for i := range sp {
				if !yield(s.run(&sp[i])) {
					return
				}
			}
		}
	}
}

// Behind goes through what stands behind eid (None: through all of q) but for
// deleted characters, of which there may be very many.
func (s *Store) Behind(q *Seq, eid uint32) iter.Seq[Run] {
	return func(yield func(Run) bool) {
		lf, i := s.heads[q.num].first, 0
		if eid != None {
			var k uint32
			lf, i, k = s.locate(eid)
			if p := &s.leaf(lf).sp[i]; p.chars() && k+1 < uint32(p.n) {
				var r Run
				if s.runFrom(&r, p, k+1); !yield(r) {
					return
				}
			}
			i++
		}
		for ; lf != 0; lf, i = s.leaf(lf).next, 0 {
			l := s.leaf(lf)
			if !l.cells && l.width == (Width{}) {
				continue
			}
			for ; i < len(l.sp); i++ {
				if p := &l.sp[i]; (p.chars() || p.isCell()) && !yield(s.run(p)) {
					return
				}
			}
		}
	}
}

// Cells goes through the cells of q.
func (s *Store) Cells(q *Seq) iter.Seq[Run] {
	return func(yield func(Run) bool) {
		for lf := s.heads[q.num].first; lf != 0; lf = s.leaf(lf).next {
			l := s.leaf(lf)
			for i := 0; l.cells && i < len(l.sp); i++ {
				if l.sp[i].isCell() && !yield(s.run(&l.sp[i])) {
					return
				}
			}
		}
	}
}

// AppendText appends what shows of q; cell appends that of a cell.
func (s *Store) AppendText(q *Seq, dst []byte, cell func(dst []byte, cell uint32) []byte) []byte {
	for lf := s.heads[q.num].first; lf != 0; lf = s.leaf(lf).next {
		sp := s.leaf(lf).sp
		for i := range sp {
			if p := &sp[i]; p.chars() {
				dst = append(dst, s.bytes(p)...)
			} else if p.isCell() && p.width() != (Width{}) {
				dst = cell(dst, p.off)
			}
		}
	}
	return dst
}
