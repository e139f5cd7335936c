package seq

import (
	"unicode/utf8"

	"inselnetz/crdt/automerge/internal/opid"
)

// maxRun bounds the characters of a span, and with them the search for one of
// them and the work of moving the span to another leaf.
const maxRun = 512

const (
	isCell uint8 = 1 << iota
	isMark
	isMany // some character may have further deleters
)

// A span is a Run as it is stored.
type span struct {
	id, ref opid.ID
	del     opid.ID // first deleter, Ctr 0: shows; of a cell its width
	eid     uint32
	off     uint32 // of the first character in the text; of a cell its number
	n       uint16
	size    uint16 // bytes; equal to n if all ASCII
	units   uint16
	step    int8 // see Run.Step; 0 if n is 1
	kind    uint8
}

func (p *span) isCell() bool { return p.kind&isCell != 0 }

// chars reports whether p is showing characters.
func (p *span) chars() bool { return p.kind&isCell == 0 && p.del.Ctr == 0 }

// width is what p adds to positions.
func (p *span) width() Width {
	if p.isCell() {
		return Width{p.del.Ctr, p.del.Actor}
	}
	if p.del.Ctr != 0 {
		return Width{}
	}
	return Width{uint32(p.n), uint32(p.units)}
}

// wide is width in one unit; small enough to be inlined.
func (p *span) wide(u Unit) uint32 {
	points, units := uint32(p.n), uint32(p.units)
	if p.kind&isCell != 0 {
		points, units = p.del.Ctr, p.del.Actor
	} else if p.del.Ctr != 0 {
		return 0
	}
	if u == Units {
		return units
	}
	return points
}

// last is the id of the last element of p.
func (p *span) last() opid.ID { return opid.ID{Ctr: p.id.Ctr + uint32(p.n) - 1, Actor: p.id.Actor} }

// deleter is the first deleter of character k of a deleted span.
func (p *span) deleter(k uint32) opid.ID { return p.del.Add(int(k) * int(p.step)) }

// bytes is the text of p, of characters.
func (s *Store) bytes(p *span) []byte {
	end := p.off + uint32(p.size)
	return s.text[p.off:end:end]
}

// cut is elements [k,k+n) of p.
func (s *Store) cut(p *span, k, n uint32) span {
	r := *p
	if k == 0 && n == uint32(p.n) {
		return r
	}
	r.eid += k
	r.n = uint16(n)
	if p.size == p.n {
		r.off += k
		r.size, r.units = r.n, r.n
	} else {
		b := s.bytes(p)
		i := prefix(b, k)
		j := i + prefix(b[i:], n)
		r.off += uint32(i)
		r.size = uint16(j - i)
		r.units = r.n + uint16(astral(b[i:j]))
	}
	if k > 0 {
		r.id.Ctr += k
		r.ref = opid.ID{Ctr: r.id.Ctr - 1, Actor: r.id.Actor}
	}
	if r.del.Ctr != 0 {
		r.del = p.deleter(k)
	}
	if n == 1 {
		r.step = 0
	}
	return r
}

// joint tells whether b, which follows a in its sequence, continues it, and the
// step of both together. Characters whose eids follow have texts that follow.
func joint(a, b *span) (step int8, ok bool) {
	if (a.kind|b.kind)&isCell != 0 || int(a.n)+int(b.n) > maxRun ||
		b.id != a.id.Add(int(a.n)) || b.ref != a.last() ||
		b.eid != a.eid+uint32(a.n) {
		return 0, false
	}
	if a.del.Ctr == 0 || b.del.Ctr == 0 {
		return 0, a.del.Ctr == b.del.Ctr
	}
	if a.del.Actor != b.del.Actor {
		return 0, false
	}
	switch n := uint32(a.n); {
	case a.step >= 0 && b.step >= 0 && b.del.Ctr == a.del.Ctr+n:
		return 1, true
	case a.step <= 0 && b.step <= 0 && b.del.Ctr == a.del.Ctr-n:
		return -1, true
	}
	return 0, false
}

// join appends b to a.
func join(a, b *span, step int8) {
	a.n += b.n
	a.size += b.size
	a.units += b.units
	a.kind |= b.kind
	a.step = step
}

// prefix is the length in bytes of the first k code points of b.
func prefix(b []byte, k uint32) int {
	i := 0
	for ; k > 0; k-- {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		_, w := utf8.DecodeRune(b[i:])
		i += w
	}
	return i
}

// astral counts the code points of b that take two UTF-16 units.
func astral(b []byte) (n uint32) {
	for _, c := range b {
		if c >= 0xf0 {
			n++
		}
	}
	return n
}

// covering finds the code point of b that covers UTF-16 unit r, and which unit
// of it that is.
func covering(b []byte, r uint32) (k, off uint32) {
	for i := 0; i < len(b); k++ {
		w, u := 1, uint32(1)
		if c := b[i]; c >= 0xf0 {
			w, u = 4, 2
		} else if c >= 0xe0 {
			w = 3
		} else if c >= 0xc0 {
			w = 2
		}
		if r < u {
			return k, r
		}
		r -= u
		i += w
	}
	panic("seq: unit beyond its run")
}
