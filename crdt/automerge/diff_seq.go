package automerge

import (
	"slices"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/seq"
)

// fewElements is up to how many elements are looked up one by one; for more, and
// where marks changed, the sequence is gone through.
const fewElements = 1000

// A gap is what changes between two elements that stay: what is inserted, from
// start on, and how much is deleted behind it.
type gap struct {
	start  int
	width  int // of what is inserted
	gone   int
	text   []byte
	marks  []uint32 // of text
	values []Value
	enter  []uint32 // rows of the values
}

// A seqDiff compares a sequence in its two states.
type seqDiff struct {
	*differ
	n      uint32
	o      *object
	isText bool
	full   bool // nothing of it was there before
	gap    gap

	open  [2]open // marks before and after, here
	dirty bool
	set   [2][]uint32
	delta []Mark         // how they differ here
	marks []Mark         // how they differ all over
	last  map[string]int // the last of a name in marks
}

func (f *differ) sequence(n uint32, t *touch) {
	o := &f.d.objects[n]
	f.most = max(f.most+8*o.seq.Marks(), mostSpanMarks(o))
	s := seqDiff{differ: f, n: n, o: o, isText: o.kind == format.MakeText, full: t.full, last: map[string]int{}}
	s.open = [2]open{{d: f.d}, {d: f.d}}
	if !t.full && len(t.at) <= fewElements && f.r[is].at == nil && !t.marks {
		s.some(t.at)
	} else {
		pos := 0
		for e := range f.d.seqs.Runs(o.seq) {
			pos += s.run(&e, pos)
		}
	}
	s.flush()
	for _, m := range s.marks {
		f.add(n, Patch{Kind: PatchMark, Prop: Index(m.Start), Mark: m})
	}
}

// some compares only those elements, which are no marks.
func (s *seqDiff) some(at []uint32) {
	slices.SortFunc(at, s.d.compareElements)
	var marks *markIndex // no mark is touched: those before are those after
	if s.o.seq.Marks() > 0 {
		marks = s.d.marksIn(s.n)
	}
	passed := 0
	for _, eid := range at {
		if marks != nil {
			if n := marks.count(eid); n != passed {
				passed = n
				s.open[is] = marks.open(n)
				s.open[was] = s.open[is]
				s.dirty = true
			}
		}
		e, k := s.d.seqs.Whole(eid)
		s.element(&e, k, s.d.seqs.Position(s.o.seq, eid, s.d.unit(s.o)))
	}
}

// run compares all elements of a run and tells the width that it has after.
func (s *seqDiff) run(e *seq.Run, pos int) int {
	if e.IsCell {
		return s.cell(e, pos)
	}
	if b, ok := s.runShows(was, e); ok {
		if a, ok := s.runShows(is, e); ok {
			return s.chars(e, 0, e.N, pos, b, a)
		}
	}
	start := pos
	for k := 0; k < e.N; {
		m := k + 1
		b, a := s.charShows(was, e, k), s.charShows(is, e, k)
		for m < e.N && s.charShows(was, e, m) == b && s.charShows(is, e, m) == a {
			m++
		}
		pos += s.chars(e, k, m, pos, b, a)
		k = m
	}
	return pos - start
}

// runShows reports whether the characters of a run showed then; ok is false if
// some did and some did not, or that is hard to say.
func (s *seqDiff) runShows(when int, e *seq.Run) (shows, ok bool) {
	r := s.r[when]
	switch {
	case when == was && s.full || !r.sees(e.ID):
		return false, true
	case !r.sees(e.ID.Add(e.N - 1)):
		return false, false
	case !e.Deleted:
		return true, true
	}
	first, last := r.sees(e.Del), r.sees(e.Del.Add((e.N-1)*e.Step))
	if first && last {
		return false, true
	}
	return true, !first && !last && !e.Many
}

// charShows reports whether character k of a run showed then.
func (s *seqDiff) charShows(when int, e *seq.Run, k int) bool {
	if when == was && s.full {
		return false
	}
	r := s.r[when]
	return r.sees(e.ID.Add(k)) && r.shownIn(e, k)
}

// element compares element k of a run at index pos after the change, and tells its
// width there.
func (s *seqDiff) element(e *seq.Run, k, pos int) int {
	if e.IsCell {
		return s.cell(e, pos)
	}
	return s.chars(e, k, k+1, pos, s.charShows(was, e, k), s.charShows(is, e, k))
}

// chars says what becomes of characters [k,m) of a run, which are alike: they
// showed before or not, and show after or not.
func (s *seqDiff) chars(e *seq.Run, k, m, pos int, before, after bool) int {
	if !before && !after {
		return 0
	}
	text := firstPoints(e.Text, m)[len(firstPoints(e.Text, k)):]
	width := s.d.units(widthOf(text))
	switch {
	case before && after:
		s.kept(pos, width)
		return width
	case before:
		s.at(pos)
		s.gap.gone += width
		return 0
	}
	s.addText(pos, width, text)
	return width
}

// cell compares a cell.
func (s *seqDiff) cell(e *seq.Run, pos int) int {
	old, now := none, s.r[is].winner(e.Cell)
	if !s.full {
		old = s.r[was].winner(e.Cell)
	}
	if e.IsMark {
		s.pass(e.Cell)
	}
	width := s.width(now)
	switch {
	case old == none && now == none:
	case old == now:
		if !s.isText || s.d.rows[now].action != format.MakeMap { // a block has no marks
			s.kept(pos, width)
		}
		s.flush()
		s.same(s.n, Index(pos), e.Cell, now)
	case now == none:
		s.at(pos)
		s.gap.gone += s.width(old)
	case !s.isText && old != none:
		s.flush()
		s.add(s.n, Patch{Kind: PatchPut, Prop: Index(pos), Values: []Value{s.r[is].value(now)}, Conflict: s.conflict(is, e.Cell)})
		s.enter(now)
	default:
		s.at(pos)
		s.gap.gone += s.width(old)
		s.addCell(pos, width, now)
	}
	return width
}

// pass goes behind the begin or end of a mark.
func (s *seqDiff) pass(mark uint32) {
	for when := range 2 {
		if !(when == was && s.full) && s.r[when].markShows(mark) {
			s.open[when].pass(mark)
			s.dirty = true
		}
	}
}

// width is that of a row, none: 0.
func (s *seqDiff) width(row uint32) int {
	if row == none {
		return 0
	}
	w := s.d.widthOf(&s.d.rows[row])
	return int(w.In(s.d.unit(s.o)))
}

// at begins a new gap at pos, unless the present one goes that far.
func (s *seqDiff) at(pos int) {
	if s.gap.start+s.gap.width != pos {
		s.flush()
	}
	if s.gap.width == 0 && s.gap.gone == 0 {
		s.gap.start = pos
	}
}

func (s *seqDiff) addCell(pos, width int, row uint32) {
	if !s.isText {
		s.at(pos)
		s.gap.values = append(s.gap.values, s.r[is].value(row))
		s.gap.enter = append(s.gap.enter, row)
		s.gap.width += width
		return
	}
	if s.d.rows[row].action != format.MakeMap {
		s.addText(pos, width, s.d.appendCell(nil, row))
		return
	}
	s.at(pos)
	s.flushText()
	s.add(s.n, Patch{Kind: PatchInsert, Prop: Index(s.gap.start + s.gap.width), Values: []Value{s.r[is].value(row)}})
	s.enter(row)
	s.gap.start += s.gap.width + width
	s.gap.width = 0
}

func (s *seqDiff) addText(pos, width int, text []byte) {
	s.at(pos)
	s.here()
	if len(s.gap.text) > 0 && !slices.EqualFunc(s.gap.marks, s.set[is], s.d.sameMark) {
		s.flushText()
	}
	s.gap.marks = append(s.gap.marks[:0], s.set[is]...)
	s.gap.text = append(s.gap.text, text...)
	s.gap.width += width
}

// flushText writes the text of the gap; what is deleted stays behind it.
func (s *seqDiff) flushText() {
	if len(s.gap.text) == 0 {
		return
	}
	if s.spend(len(s.gap.marks)); s.spent <= s.most {
		s.add(s.n, Patch{Kind: PatchSplice, Prop: Index(s.gap.start), Text: string(s.gap.text), Marks: s.r[is].marksOf(s.gap.marks)})
	}
	s.gap.start += s.gap.width
	s.gap.width, s.gap.text = 0, s.gap.text[:0]
}

// flush writes the gap.
func (s *seqDiff) flush() {
	s.flushText()
	if len(s.gap.values) > 0 {
		s.add(s.n, Patch{Kind: PatchInsert, Prop: Index(s.gap.start), Values: s.gap.values})
		for _, row := range s.gap.enter {
			s.enter(row)
		}
		s.gap.start += s.gap.width
		s.gap.width, s.gap.values, s.gap.enter = 0, nil, nil
	}
	if s.gap.gone > 0 {
		s.add(s.n, Patch{Kind: PatchDelete, Prop: Index(s.gap.start), Len: s.gap.gone})
		s.gap.gone = 0
	}
}

// here works out the marks before and after at this place, and their difference.
func (s *seqDiff) here() {
	if !s.dirty || s.spent > s.most {
		return
	}
	s.dirty = false
	for when := range 2 {
		s.set[when] = s.open[when].set(s.set[when][:0])
	}
	s.delta = s.delta[:0]
	b, a := s.set[was], s.set[is] // both ascend by key
	for len(b) > 0 || len(a) > 0 {
		switch {
		case len(a) == 0 || len(b) > 0 && s.nameOf(b[0]) < s.nameOf(a[0]):
			s.delta = append(s.delta, Mark{Name: s.d.keys[s.nameOf(b[0])]})
			b = b[1:]
			continue
		case len(b) > 0 && s.nameOf(b[0]) == s.nameOf(a[0]):
			if s.d.sameMark(b[0], a[0]) {
				b, a = b[1:], a[1:]
				continue
			}
			b = b[1:]
		}
		s.delta = append(s.delta, Mark{Name: s.d.keys[s.nameOf(a[0])], Value: s.r[is].value(a[0])})
		a = a[1:]
	}
	s.spend(len(s.set[was]) + len(s.set[is]))
}

func (s *seqDiff) nameOf(row uint32) uint32 { return s.d.rows[row].sub }

// kept goes over what showed before and shows now: only its marks may differ.
func (s *seqDiff) kept(pos, width int) {
	if s.gap.width > 0 || s.gap.gone > 0 {
		s.flush()
	}
	if s.here(); len(s.delta) == 0 || width == 0 || s.spent > s.most {
		return
	}
	for _, m := range s.delta {
		m.Start, m.End = pos, pos+width
		if i, ok := s.last[m.Name]; ok && s.marks[i].End == pos && s.marks[i].Value == m.Value {
			s.marks[i].End = m.End
			continue
		}
		s.last[m.Name] = len(s.marks)
		s.marks = append(s.marks, m)
	}
	s.spend(len(s.delta))
}
