package seq

import (
	"iter"

	"inselnetz/crdt/automerge/internal/opid"
)

// RunsAt goes through what q held at a clock (the highest counter of each actor;
// actors beyond it: nothing): showing characters, with Deleted false, and all
// cells inserted by then, whose state at the clock is the caller's to tell.
func (s *Store) RunsAt(q *Seq, clock []uint32) iter.Seq[Run] {
	return func(yield func(Run) bool) {
		for lf := s.heads[q.num].first; lf != 0; lf = s.leaf(lf).next {
			sp := s.leaf(lf).sp
			for i := range sp {
				if !s.spanAt(&sp[i], clock, yield) {
					return
				}
			}
		}
	}
}

func seen(clock []uint32, id opid.ID) bool {
	return int(id.Actor) < len(clock) && id.Ctr <= clock[id.Actor]
}

// spanAt yields the parts of p that showed.
func (s *Store) spanAt(p *span, clock []uint32, yield func(Run) bool) bool {
	if !seen(clock, p.id) {
		return true
	}
	if p.isCell() {
		return yield(s.run(p))
	}
	n := min(uint32(p.n), clock[p.id.Actor]-p.id.Ctr+1)
	if p.del.Ctr == 0 {
		return yield(s.part(p, 0, n))
	}
	if p.kind&isMany != 0 {
		return s.manyAt(p, n, clock, yield)
	}
	a, b := p.alive(clock)
	if b = min(b, n); a < b {
		return yield(s.part(p, a, b-a))
	}
	return true
}

// alive is the part [a,b) of a deleted span whose first deleters are beyond the
// clock: they count up or down, so it is its end or its beginning.
func (p *span) alive(clock []uint32) (a, b uint32) {
	n := uint32(p.n)
	if !seen(clock, p.deleter(0)) && !seen(clock, p.deleter(n-1)) {
		return 0, n
	}
	c := clock[p.del.Actor]
	switch {
	case p.step >= 0:
		return min(n, c-p.del.Ctr+1), n
	case c >= p.del.Ctr:
		return 0, 0
	}
	return 0, p.del.Ctr - c
}

// manyAt is spanAt where characters may have further deleters.
func (s *Store) manyAt(p *span, n uint32, clock []uint32, yield func(Run) bool) bool {
	from := uint32(0)
	for k := uint32(0); k <= n; k++ {
		if k < n && !s.gone(p, k, clock) {
			continue
		}
		if from < k && !yield(s.part(p, from, k-from)) {
			return false
		}
		from = k + 1
	}
	return true
}

// gone reports whether character k of a deleted span was deleted by then.
func (s *Store) gone(p *span, k uint32, clock []uint32) bool {
	if seen(clock, p.deleter(k)) {
		return true
	}
	for _, id := range s.more[p.eid+k] {
		if seen(clock, id) {
			return true
		}
	}
	return false
}

// part is elements [k,k+n) of p as showing.
func (s *Store) part(p *span, k, n uint32) Run {
	c := s.cut(p, k, n)
	c.del, c.step = opid.ID{}, 0
	return s.run(&c)
}

// AppendTextAt appends what showed of q at a clock, see RunsAt.
func (s *Store) AppendTextAt(q *Seq, clock []uint32, dst []byte, cell func(dst []byte, cell uint32) []byte) []byte {
	for r := range s.RunsAt(q, clock) {
		if r.IsCell {
			dst = cell(dst, r.Cell)
		} else {
			dst = append(dst, r.Text...)
		}
	}
	return dst
}
