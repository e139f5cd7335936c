package automerge

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/seq"
)

// A Mark is a stretch of a text, [Start,End) in the units of the document, that
// has a name and a value: bold, a link, a comment.
type Mark struct {
	Start, End int
	Name       string
	Value      Value
}

// A Span is a part of a text: characters that have the same marks, or a block.
type Span struct {
	Text  string
	Marks map[string]Value // nil for none; other spans may share it
	Block ObjID            // the map of a block; Root if the span is text
}

// spanMarks bounds the marks of all spans of a text together, beside some for each
// mark: many that overlap make a list that is far longer than the text.
const spanMarks = 1 << 18

func mostSpanMarks(o *object) int { return spanMarks + 8*o.seq.Marks() }

// markShows reports whether a row is a mark that was not deleted.
func (r Reader) markShows(n uint32) bool {
	row := &r.d.rows[n]
	if row.action != format.Mark || !r.sees(row.id) {
		return false
	}
	return row.succ.None() || !r.sees(row.succ) && (row.flags&rowMoreSuccs == 0 || !slices.ContainsFunc(r.d.succs[n], r.sees))
}

// parts goes through a text: characters that show, and cells, each with the row
// that shows there (none: nothing) and the mark that it is (none: not one).
func (r Reader) parts(o *object) iter.Seq2[seq.Run, part] {
	return func(yield func(seq.Run, part) bool) {
		all := r.d.seqs.Runs(o.seq)
		if r.at != nil {
			all = r.d.seqs.RunsAt(o.seq, r.at)
		}
		for e := range all {
			p := part{none, none}
			if e.IsCell {
				if e.IsMark && r.markShows(e.Cell) {
					p.mark = e.Cell
				}
				p.shown = r.winner(e.Cell)
				e.Width = seq.Width{}
				if p.shown != none {
					e.Width = r.d.widthOf(&r.d.rows[p.shown])
				} else if p.mark == none {
					continue
				}
			} else if e.Deleted {
				continue
			}
			if !yield(e, p) {
				return
			}
		}
	}
}

type part struct{ shown, mark uint32 }

// open are the marks that have begun and not ended, by name. Of those with one
// name the greatest id decides.
type open struct {
	d     *Doc
	names []openName // ascending by key
}

type openName struct {
	key  uint32
	rows []uint32 // ascending by id
}

func (o *open) name(key uint32) (int, bool) {
	return slices.BinarySearchFunc(o.names, key, func(n openName, key uint32) int { return int(n.key) - int(key) })
}

// winner is the row that decides for a name, or none.
func (o *open) winner(key uint32) uint32 {
	i, ok := o.name(key)
	if !ok {
		return none
	}
	rows := o.names[i].rows
	return rows[len(rows)-1]
}

// pass goes behind the begin or end of a mark and tells its name; ok is false if
// it is the end of none.
func (o *open) pass(n uint32) (key uint32, ok bool) {
	row := &o.d.rows[n]
	if row.flags&rowNamed == 0 {
		begin, ok := o.d.rowOf(row.id.Add(-1))
		if !ok || o.d.rows[begin].flags&rowNamed == 0 {
			return 0, false
		}
		key = o.d.rows[begin].sub
		return key, o.end(key, begin)
	}
	key = row.sub
	i, ok := o.name(key)
	if !ok {
		o.names = slices.Insert(o.names, i, openName{key: key})
	}
	rows := &o.names[i].rows
	at, _ := o.find(*rows, n)
	*rows = slices.Insert(*rows, at, n)
	return key, true
}

func (o *open) end(key, begin uint32) bool {
	i, ok := o.name(key)
	if !ok {
		return false
	}
	rows := &o.names[i].rows
	at, ok := o.find(*rows, begin)
	if !ok {
		return false
	}
	if *rows = slices.Delete(*rows, at, at+1); len(*rows) == 0 {
		o.names = slices.Delete(o.names, i, i+1)
	}
	return true
}

func (o *open) find(rows []uint32, n uint32) (int, bool) {
	id := o.d.rows[n].id
	return slices.BinarySearchFunc(rows, n, func(m, _ uint32) int { return o.d.compare(o.d.rows[m].id, id) })
}

// set appends the rows that decide here, of marks that are no unmarks.
func (o *open) set(to []uint32) []uint32 {
	for i := range o.names {
		rows := o.names[i].rows
		if n := rows[len(rows)-1]; o.d.rows[n].typ != typeNull {
			to = append(to, n)
		}
	}
	return to
}

// sameMark reports whether two begins, or none, have the same name and value.
func (d *Doc) sameMark(a, b uint32) bool {
	if a == b || a == none || b == none {
		return a == b
	}
	x, y := &d.rows[a], &d.rows[b]
	return x.sub == y.sub && x.typ == y.typ && string(d.raw(x)) == string(d.raw(y))
}

// text finds a text object.
func (r *Reader) text(id ObjID) (*object, error) {
	n, err := r.object(id)
	if err != nil {
		return nil, err
	}
	o := &r.d.objects[n]
	if o.kind != format.MakeText {
		return nil, fmt.Errorf("%w: %s is a %s", ErrKind, id, kindOf(o.kind))
	}
	return o, nil
}

// units is a width in the units of the document.
func (d *Doc) units(w seq.Width) int {
	if d.o.Unit == UTF16 {
		return int(w.Units)
	}
	return int(w.Points)
}

// Marks are the marks of a text, by name and place. Of marks with one name that
// overlap the one made last decides; stretches that touch and have the same value
// are one.
func (r Reader) Marks(obj ObjID) ([]Mark, error) {
	o, err := r.text(obj)
	if err != nil || o.seq.Marks() == 0 {
		return nil, err
	}
	s := sweep{r: r, now: map[uint32]sweepState{}, out: map[uint32][]Mark{}, marks: open{d: r.d}}
	for e, p := range r.parts(o) {
		if p.mark != none {
			s.pass(p.mark)
		}
		s.pos += r.d.units(e.Width)
	}
	return s.all(), nil
}

// A sweep goes along a text and gathers its marks.
type sweep struct {
	r     Reader
	now   map[uint32]sweepState // by name
	out   map[uint32][]Mark
	marks open
	pos   int
}

type sweepState struct {
	row   uint32 // that decides now
	start int
}

// pass goes behind the begin or end of a mark.
func (s *sweep) pass(mark uint32) {
	if key, ok := s.marks.pass(mark); ok {
		if w := s.marks.winner(key); w != s.now[key].row {
			s.end(key)
			s.now[key] = sweepState{w, s.pos}
		}
	}
}

// end ends the stretch in which one mark of a name decides.
func (s *sweep) end(key uint32) {
	now, ok := s.now[key]
	if !ok || now.row == none || now.start >= s.pos || s.r.d.rows[now.row].typ == typeNull {
		return
	}
	m := Mark{now.start, s.pos, s.r.d.keys[key], s.r.value(now.row)}
	if l := s.out[key]; len(l) > 0 && l[len(l)-1].End == m.Start && l[len(l)-1].Value == m.Value {
		l[len(l)-1].End = s.pos
		return
	}
	s.out[key] = append(s.out[key], m)
}

// all are the marks by name and place, at the end of the way.
func (s *sweep) all() []Mark {
	var all []Mark
	for key := range s.now {
		s.end(key)
		all = append(all, s.out[key]...)
	}
	slices.SortFunc(all, func(a, b Mark) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return a.Start - b.Start
	})
	return all
}

// Spans are the parts of a text: characters with their marks, and blocks. What is
// neither text nor block is the character U+FFFC.
func (r Reader) Spans(obj ObjID) ([]Span, error) {
	o, err := r.text(obj)
	if err != nil {
		return nil, err
	}
	var out []Span
	var buf []byte
	var had, has []uint32 // marks of what is in buf, marks here
	marks, dirty, total := open{d: r.d}, false, 0
	flush := func() {
		if len(buf) > 0 {
			out = append(out, Span{Text: string(buf), Marks: r.marksOf(had)})
			total += len(had)
			buf = buf[:0]
		}
	}
	for e, p := range r.parts(o) {
		if p.mark != none {
			_, ok := marks.pass(p.mark)
			dirty = dirty || ok
		}
		if e.IsCell && p.shown == none {
			continue
		}
		if e.IsCell && r.d.rows[p.shown].action == format.MakeMap {
			flush()
			out = append(out, Span{Block: r.d.outer(r.d.rows[p.shown].id)})
			continue
		}
		if dirty {
			has, dirty = marks.set(has[:0]), false
			total += len(has)
		}
		if !slices.EqualFunc(had, has, r.d.sameMark) {
			flush()
			had = append(had[:0], has...)
		}
		if total > mostSpanMarks(o) {
			return nil, fmt.Errorf("%w: more than %d marks overlap", ErrLimit, mostSpanMarks(o))
		}
		if e.IsCell {
			buf = r.d.appendCell(buf, p.shown)
		} else {
			buf = append(buf, e.Text...)
		}
	}
	flush()
	return out, nil
}

func (r Reader) marksOf(rows []uint32) map[string]Value {
	if len(rows) == 0 {
		return nil
	}
	out := make(map[string]Value, len(rows))
	for _, n := range rows {
		out[r.d.name(&r.d.rows[n])] = r.value(n)
	}
	return out
}
