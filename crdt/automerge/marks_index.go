package automerge

import (
	"fmt"
	"slices"
	"sort"
)

// A markIndex tells which marks are open anywhere in the present state of one text,
// without going through all of them. It is made when it is first asked.
type markIndex struct {
	d     *Doc
	obj   uint32
	rows  []uint32   // begins and ends of marks, in the order of the text
	snaps []markSnap // ascending by at
	news  []uint32   // not among rows yet
}

// A markSnap is what is open before rows[at].
type markSnap struct {
	at   int
	open open
}

const (
	markStep = 64 // marks between snaps, where not more are open
	markNews = 64 // with more new ones the index is made anew
)

// marksIn is the index of a text.
func (d *Doc) marksIn(obj uint32) *markIndex {
	ix := d.marked
	if ix == nil || ix.obj != obj || len(ix.news) > markNews {
		ix = &markIndex{d: d, obj: obj}
		for e := range d.seqs.Cells(d.objects[obj].seq) {
			if e.IsMark && d.Reader.markShows(e.Cell) {
				ix.rows = append(ix.rows, e.Cell)
			}
		}
		d.marked = ix
	}
	for _, n := range ix.news {
		i := ix.count(d.rows[n].key)
		ix.rows = slices.Insert(ix.rows, i, n)
		ix.snaps = ix.snaps[:sort.Search(len(ix.snaps), func(k int) bool { return ix.snaps[k].at > i })]
	}
	ix.news = ix.news[:0]
	return ix
}

// noteMark notes that a mark came into a text, or that one goes.
func (d *Doc) noteMark(obj, row uint32, comes bool) {
	switch ix := d.marked; {
	case ix == nil || ix.obj != obj:
	case !comes:
		d.marked = nil
	case len(ix.news) <= markNews:
		ix.news = append(ix.news, row)
	}
}

// count is how many of the rows lie before an element, or are it.
func (ix *markIndex) count(eid uint32) int {
	return sort.Search(len(ix.rows), func(i int) bool { return ix.d.seqs.Before(eid, ix.d.rows[ix.rows[i]].key) })
}

// open is what is open behind the first n rows.
func (ix *markIndex) open(n int) open {
	from := sort.Search(len(ix.snaps), func(k int) bool { return ix.snaps[k].at > n })
	o, at, last := open{d: ix.d}, 0, from == len(ix.snaps)
	if from > 0 {
		o, at = ix.snaps[from-1].open.clone(), ix.snaps[from-1].at
	}
	for since := 0; at < n; at++ {
		if since++; last && since > max(markStep, o.count()) {
			ix.snaps = append(ix.snaps, markSnap{at, o.clone()})
			since = 0
		}
		o.pass(ix.rows[at])
	}
	return o
}

func (o *open) clone() open {
	c := open{o.d, slices.Clone(o.names)}
	for i := range c.names {
		c.names[i].rows = slices.Clone(c.names[i].rows)
	}
	return c
}

func (o *open) count() (n int) {
	for i := range o.names {
		n += len(o.names[i].rows)
	}
	return n
}

// MarksIn is Marks for the stretch [start,end) of a text, cut to it; a character is
// not cut at its start. In the present state it costs next to nothing for a short
// stretch, however many marks there are.
func (r Reader) MarksIn(obj ObjID, start, end int) ([]Mark, error) {
	o, err := r.text(obj)
	if err != nil || o.seq.Marks() == 0 {
		return nil, err
	}
	if r.at != nil {
		all, err := r.Marks(obj)
		all = slices.DeleteFunc(all, func(m Mark) bool { return m.End <= start || m.Start >= end })
		for i := range all {
			all[i].Start, all[i].End = max(all[i].Start, start), min(all[i].End, end)
		}
		return all, err
	}
	if size := r.d.seqs.Len(o.seq, r.d.o.Unit); start < 0 || end < start || end > size {
		return nil, fmt.Errorf("%w: %d to %d of %d", ErrRange, start, end, size)
	}
	s := sweep{r: r, now: map[uint32]sweepState{}, out: map[uint32][]Mark{}, marks: open{d: r.d}}
	after := uint32(none)
	if start > 0 {
		e, off := r.d.elemAt(o, start-1)
		after, s.pos = e.Eid, start-1-off+r.d.first(&e, r.d.o.Unit)
		ix := r.d.marksIn(o.seq.Owner)
		s.marks = ix.open(ix.count(after))
		for i := range s.marks.names {
			key := s.marks.names[i].key
			s.now[key] = sweepState{s.marks.winner(key), s.pos}
		}
	}
	for e := range r.d.seqs.Behind(o.seq, after) {
		if s.pos >= end {
			break
		}
		if !e.IsCell {
			s.pos += r.d.units(e.Width)
			continue
		}
		if e.IsMark && r.markShows(e.Cell) {
			s.pass(e.Cell)
		}
		if n := r.winner(e.Cell); n != none {
			s.pos += r.d.units(r.d.widthOf(&r.d.rows[n]))
		}
	}
	s.pos = min(s.pos, end)
	return s.all(), nil
}
