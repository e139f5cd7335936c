package automerge

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
)

// A PatchKind is what a patch does.
type PatchKind uint8

// The kinds of patches.
const (
	PatchPut       PatchKind = iota // Prop gets Values[0]; Conflict tells whether there are others
	PatchInsert                     // Values are inserted at Prop of a list; a block at Prop of a text
	PatchSplice                     // Text, with Marks, is inserted at Prop of a text
	PatchDelete                     // a key goes, or Len elements (units of a text) from Prop on
	PatchIncrement                  // the counter at Prop grows By
	PatchConflict                   // Prop, whose value is the same, has others beside it now
	PatchMark                       // a stretch of a text gets Mark; null: it has none of that name now
)

// A Patch is one step from one state of a document to another. Patches are applied
// in order; a new object comes empty, and what is in it by further patches.
// Indices and paths are right at the moment when the patch is applied.
type Patch struct {
	Kind     PatchKind
	Obj      ObjID
	Prop     Prop
	Values   []Value
	Text     string
	Marks    map[string]Value
	Len      int
	By       int64
	Conflict bool
	Mark     Mark

	at *step
}

// A Step leads from an object to one in it.
type Step struct {
	Obj  ObjID
	Prop Prop
}

type step struct {
	Step
	up *step
}

// Path leads from the root to Obj.
func (p Patch) Path() []Step {
	var out []Step
	for s := p.at; s != nil; s = s.up {
		out = append(out, s.Step)
	}
	slices.Reverse(out)
	return out
}

// Key is the key that p is; ok is false for an index.
func (p Prop) Key() (key string, ok bool) { return p.key, p.isKey }

// Index is the index that p is; ok is false for a key.
func (p Prop) Index() (index int, ok bool) { return p.index, !p.isKey }

// Diff is how the document gets from its state at some heads to that at others,
// which may be older. It costs what changed in between, as long as the later state
// is the present one; else the texts and lists that changed are read in full.
func (d *Doc) Diff(before, after []Hash) ([]Patch, error) {
	f, err := d.between(before, after)
	if err != nil {
		return nil, err
	}
	f.find()
	for _, n := range slices.Sorted(maps.Keys(f.touched)) {
		if f.reached(was, n) && f.reached(is, n) {
			f.object(n, f.touched[n])
		}
	}
	for i := 0; i < len(f.fresh); i++ {
		f.object(f.fresh[i], &touch{full: true})
	}
	if f.spent > f.most {
		return nil, fmt.Errorf("%w: more than %d marks overlap", ErrLimit, f.most)
	}
	return f.out, nil
}

// between begins to compare two states.
func (d *Doc) between(before, after []Hash) (*differ, error) {
	f := &differ{
		d: d, touched: map[uint32]*touch{}, steps: map[uint32]*step{},
		places: map[uint32]map[uint32]int{}, shown: [2]map[uint32]bool{{0: true}, {0: true}},
	}
	for i, heads := range [][]Hash{before, after} {
		rows, err := d.graph.rowsOf(d, heads)
		if err != nil {
			return nil, err
		}
		if d.areHeads(rows) {
			f.r[i] = d.Reader
			f.clocks[i] = d.counters(d.graph.last)
			if d.Pending() > 0 { // these are no part of it
				f.r[i].at = f.clocks[i]
			}
			continue
		}
		f.clocks[i] = d.counters(d.graph.clock(rows))
		f.r[i] = Reader{d: d, at: f.clocks[i], rows: rows, turn: d.turn}
	}
	return f, nil
}

// areHeads reports whether changes are those that nothing follows.
func (d *Doc) areHeads(rows []uint32) bool {
	if len(rows) != len(d.graph.heads) {
		return false
	}
	for _, n := range rows {
		if !slices.Contains(d.graph.heads, n) {
			return false
		}
	}
	return true
}

// A differ holds one Diff. Objects that were there are visited by ascending
// number, then new ones as they appear: so those around an object come before it.
type differ struct {
	d       *Doc
	r       [2]Reader   // before, after
	clocks  [2][]uint32 // of both
	touched map[uint32]*touch
	fresh   []uint32 // objects that are new where they are
	out     []Patch
	spent   int // marks looked at
	most    int // see mostSpanMarks
	steps   map[uint32]*step
	places  map[uint32]map[uint32]int // elements of lists at a past state
	shown   [2]map[uint32]bool        // object -> whether it is reached
}

const (
	was = iota
	is
)

// A touch is what operations between the two states have to do with in an object.
type touch struct {
	at    []uint32 // keys or elements
	full  bool     // the object is new: all of it
	marks bool     // some are marks
	last  opid.ID  // the newest operation that only the state after knows
}

func (f *differ) touch(obj uint32) *touch {
	t, ok := f.touched[obj]
	if !ok {
		t = &touch{}
		f.touched[obj] = t
	}
	return t
}

// find notes what the operations touch that one state knows and the other does not.
func (f *differ) find() {
	for a := range f.d.logs {
		from, to := f.clocks[was][a], f.clocks[is][a]
		news := from < to
		if from > to {
			from, to = to, from
		}
		if from == to {
			continue
		}
		l := &f.d.logs[a]
		for i := l.from(from + 1); i < len(l.runs) && l.runs[i].ctr <= to; i++ {
			r := &l.runs[i]
			k, end := uint32(0), min(r.n, to-r.ctr+1)
			if r.ctr <= from {
				k = from + 1 - r.ctr
			}
			for ; k < end; k++ {
				t := f.op(r.place(k))
				if id := (opid.ID{Ctr: r.ctr + k, Actor: uint32(a)}); news && (t.last.None() || f.d.less(t.last, id)) {
					t.last = id
				}
			}
		}
	}
}

func (f *differ) op(p place) (t *touch) {
	switch p.kind {
	case logChars:
		t = f.touch(p.obj)
		t.at = append(t.at, p.at)
	case logKills:
		eid, obj, _ := f.d.element(p.target)
		t = f.touch(obj)
		t.at = append(t.at, eid)
		t.marks = t.marks || f.d.seqs.Elem(eid).IsMark
	default:
		row := &f.d.rows[p.at]
		t = f.touch(row.obj)
		t.at = append(t.at, row.key)
		t.marks = t.marks || row.flags&rowMap == 0 && f.d.rows[f.d.slotOf(row)].action == format.Mark
	}
	return t
}

// object says what changed in one object.
func (f *differ) object(n uint32, t *touch) {
	o := &f.d.objects[n]
	slices.Sort(t.at)
	t.at = slices.Compact(t.at)
	switch {
	case !o.isMap():
		f.sequence(n, t)
		return
	case t.full:
		for _, s := range f.d.sorted(o) {
			f.slot(n, s.key, none, f.r[is].winner(s.head))
		}
		return
	}
	slices.SortFunc(t.at, func(a, b uint32) int { return strings.Compare(f.d.keys[a], f.d.keys[b]) })
	for _, key := range t.at {
		head := o.head(key)
		f.slot(n, key, f.r[was].winner(head), f.r[is].winner(head))
	}
}

// reached reports whether an object is in the document then, as the value that
// shows of each key and element on the way.
func (f *differ) reached(when int, n uint32) bool {
	var way []uint32
	shown, known := false, false
	for {
		if shown, known = f.shown[when][n]; known {
			break
		}
		way = append(way, n)
		row := &f.d.rows[f.d.objects[n].row]
		if f.r[when].winner(f.d.slotOf(row)) != f.d.objects[n].row {
			break
		}
		n = row.obj
	}
	for _, m := range way {
		f.shown[when][m] = shown
	}
	return shown
}

// slotOf is the first operation of the key or element of a row.
func (d *Doc) slotOf(row *row) uint32 {
	if row.flags&rowMap != 0 {
		return d.objects[row.obj].head(row.key)
	}
	return d.seqs.Elem(row.key).Cell
}

// add appends a patch of an object.
func (f *differ) add(n uint32, p Patch) {
	p.Obj, p.at = f.d.outer(f.d.idOf(n)), f.step(n)
	f.out = append(f.out, p)
}

// spend counts marks looked at.
func (f *differ) spend(n int) { f.spent += n }

// step is the way to an object after the change.
func (f *differ) step(n uint32) *step {
	if n == 0 {
		return nil
	}
	if s, ok := f.steps[n]; ok {
		return s
	}
	// Not by recursion: a document may be nested deeper than a stack is.
	way := []uint32{}
	for m := n; m != 0 && f.steps[m] == nil; m = f.d.rows[f.d.objects[m].row].obj {
		way = append(way, m)
	}
	for _, m := range slices.Backward(way) {
		row := &f.d.rows[f.d.objects[m].row]
		p := Prop{}
		if row.flags&rowMap != 0 {
			p = Key(f.d.keys[row.key])
		} else {
			p = Index(f.placeOf(row.obj, row.key))
		}
		f.steps[m] = &step{Step{f.d.outer(f.d.idOf(row.obj)), p}, f.steps[row.obj]}
	}
	return f.steps[n]
}

// placeOf is the index of an element after the change.
func (f *differ) placeOf(obj, eid uint32) int {
	o, r := &f.d.objects[obj], f.r[is]
	if r.at == nil {
		return f.d.seqs.Position(o.seq, eid, f.d.unit(o))
	}
	places, ok := f.places[obj]
	if !ok {
		places = map[uint32]int{}
		f.places[obj] = places
		pos := 0
		for e := range r.runs(o) {
			if e.IsCell {
				places[e.Eid] = pos
			}
			pos += int(e.Width.In(f.d.unit(o)))
		}
	}
	return places[eid]
}

// slot says what becomes of a key: the rows that showed and show, or none.
func (f *differ) slot(n, key, old, now uint32) {
	p := Patch{Prop: Key(f.d.keys[key])}
	switch {
	case old == now:
		if now != none {
			f.same(n, p.Prop, f.d.slotOf(&f.d.rows[now]), now)
		}
		return
	case now == none:
		p.Kind = PatchDelete
	default:
		p.Kind, p.Values, p.Conflict = PatchPut, []Value{f.r[is].value(now)}, f.conflict(is, f.d.slotOf(&f.d.rows[now]))
	}
	f.add(n, p)
	f.enter(now)
}

// enter puts the object that a row makes on the list: it is new where it is.
func (f *differ) enter(row uint32) {
	if row != none && isMake(f.d.rows[row].action) {
		f.fresh = append(f.fresh, f.d.rows[row].sub)
	}
}

func (f *differ) conflict(when int, head uint32) bool { return len(f.r[when].shown(nil, head)) > 1 }

// same says what changed although the value is the same: a counter, a conflict.
func (f *differ) same(n uint32, at Prop, head, row uint32) {
	if r := &f.d.rows[row]; r.action == format.Set && r.typ == typeCounter {
		if by := f.r[is].sum(row) - f.r[was].sum(row); by != 0 {
			f.add(n, Patch{Kind: PatchIncrement, Prop: at, By: by})
		}
	}
	if f.conflict(is, head) && !f.conflict(was, head) {
		f.add(n, Patch{Kind: PatchConflict, Prop: at})
	}
}

// compareElements orders elements of one sequence as they stand in it.
func (d *Doc) compareElements(a, b uint32) int {
	switch {
	case a == b:
		return 0
	case d.seqs.Before(a, b):
		return -1
	}
	return 1
}
