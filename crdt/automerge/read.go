package automerge

import (
	"fmt"
	"slices"
	"time"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
	"inselnetz/crdt/automerge/internal/seq"
)

// A Reader reads a document as it is, or as it was at some heads. It copies
// nothing: it is good as long as the document, and reads past states also after
// later edits.
type Reader struct {
	d    *Doc
	at   []uint32 // nil: now; else the highest counter of each actor
	rows []uint32 // the heads
	turn int      // of the document's numbers that at holds
}

// At reads the document as it was when those were its heads. No heads are the
// empty document.
func (d *Doc) At(heads []Hash) (Reader, error) {
	rows, err := d.graph.rowsOf(d, heads)
	if err != nil {
		return Reader{}, err
	}
	return Reader{d, d.counters(d.graph.clock(rows)), rows, d.turn}, nil
}

// counters are the highest operations of a clock, by actor; never nil.
func (d *Doc) counters(c clock) []uint32 {
	out := make([]uint32, len(d.actors))
	for a := range c {
		for s := c[a]; s > 0; s-- { // empty changes have no operations of their own
			r := &d.graph.rows[d.logs[a].changes[s-1]]
			if out[a] = r.max; r.max >= r.start {
				break
			}
		}
	}
	return out
}

// sees reports whether the reader knows of an operation.
func (r Reader) sees(id opid.ID) bool {
	return r.at == nil || int(id.Actor) < len(r.at) && id.Ctr <= r.at[id.Actor]
}

// shown appends the rows of a slot that show, ascending by id.
func (r Reader) shown(to []uint32, head uint32) []uint32 {
	if r.at == nil || head == none {
		return r.d.visible(to, head)
	}
	for n := head; n != none; n = r.d.rows[n].next {
		if r.shows(n) {
			to = append(to, n)
		}
	}
	return to
}

func (r Reader) shows(n uint32) bool {
	row := &r.d.rows[n]
	if r.at == nil {
		return row.shows()
	}
	if !row.value() || !r.sees(row.id) {
		return false
	}
	if row.succ.None() {
		return true
	}
	counter := row.action == format.Set && row.typ == typeCounter
	hides := func(by opid.ID) bool { return r.sees(by) && !(counter && r.d.increment(by) != none) }
	if hides(row.succ) {
		return false
	}
	return row.flags&rowMoreSuccs == 0 || !slices.ContainsFunc(r.d.succs[n], hides)
}

// increment is the row of an increment with that id, or none.
func (d *Doc) increment(id opid.ID) uint32 {
	if p, ok := d.find(id); ok && p.kind == logRows && d.rows[p.at].action == format.Increment {
		return p.at
	}
	return none
}

// winner is the row of a slot that shows before the others, or none.
func (r Reader) winner(head uint32) uint32 {
	if r.at == nil {
		return r.d.winner(head)
	}
	if rows := r.shown(nil, head); len(rows) > 0 {
		return rows[len(rows)-1]
	}
	return none
}

// value is what a row puts there.
func (r Reader) value(n uint32) Value {
	row := &r.d.rows[n]
	if isMake(row.action) {
		return Value{kind: kindOf(row.action), obj: r.d.outer(row.id)}
	}
	v := scalar(row.typ, r.d.raw(row))
	if v.kind == KindCounter {
		v.num += uint64(r.sum(n))
	}
	return v
}

// sum is what increments have added to a counter.
func (r Reader) sum(n uint32) int64 {
	if r.at == nil {
		return r.d.sums[n]
	}
	var sum int64
	for _, by := range r.d.succsOf(nil, n) {
		if inc := r.d.increment(by); inc != none && r.sees(by) {
			row := &r.d.rows[inc]
			sum += int64(scalar(row.typ, r.d.raw(row)).num)
		}
	}
	return sum
}

// object finds an object; every reading begins with it. If the document was
// rebuilt since, actors have other numbers, changes the same.
func (r *Reader) object(id ObjID) (uint32, error) {
	if r.at != nil && r.turn != r.d.turn {
		r.at, r.turn = r.d.counters(r.d.graph.clock(r.rows)), r.d.turn
	}
	n, err := r.d.object(id)
	if err == nil && !r.sees(r.d.idOf(n)) && id != Root {
		err = fmt.Errorf("%w then: %s", ErrNoObject, id)
	}
	return n, err
}

// ObjectKind is what an object is: a map, list, text or table.
func (r Reader) ObjectKind(obj ObjID) (Kind, error) {
	n, err := r.object(obj)
	if err != nil {
		return KindNull, err
	}
	return kindOf(r.d.objects[n].kind), nil
}

// A Conflict is one of several values that were set at the same time.
type Conflict struct {
	Value Value
	ID    OpID // of the operation that set it
}

// Get is the value of a key or element; ok is false where there is none. Of values
// set at the same time all readers show the same one.
func (r Reader) Get(obj ObjID, p Prop) (v Value, ok bool, err error) {
	all, err := r.All(obj, p)
	if err != nil || len(all) == 0 {
		return Value{}, false, err
	}
	return all[len(all)-1].Value, true, nil
}

// All are the values of a key or element: more than one, if several were set at
// the same time. The last one is what Get gives.
func (r Reader) All(obj ObjID, p Prop) ([]Conflict, error) {
	n, err := r.object(obj)
	if err != nil {
		return nil, err
	}
	o := &r.d.objects[n]
	if o.isMap() != p.isKey {
		return nil, fmt.Errorf("%w: %s of a %s", ErrKind, p, kindOf(o.kind))
	}
	var rows []uint32
	if p.isKey {
		key, ok := r.d.keyNum[p.key]
		if !ok {
			return nil, nil
		}
		rows = r.shown(nil, o.head(key))
	} else {
		e, ok := r.elemAt(o, p.index)
		if !ok {
			return nil, nil
		}
		if !e.IsCell {
			return []Conflict{{Str(string(firstPoints(e.Text, 1))), r.d.outer(e.ID)}}, nil
		}
		rows = r.shown(nil, e.Cell)
	}
	out := make([]Conflict, 0, len(rows))
	for _, n := range rows {
		out = append(out, Conflict{r.value(n), r.d.outer(r.d.rows[n].id)})
	}
	return out, nil
}

// elemAt is the run that begins with the element at a position.
func (r Reader) elemAt(o *object, pos int) (seq.Run, bool) {
	u := r.d.unit(o)
	if r.at == nil {
		e, _ := r.d.elemAt(o, pos)
		return e, e.Eid != seq.None
	}
	for e := range r.runs(o) {
		w := int(e.Width.Points)
		if u == seq.Units {
			w = int(e.Width.Units)
		}
		if pos >= w {
			pos -= w
			continue
		}
		for pos > 0 && !e.IsCell { // cut to the element
			c := firstPoints(e.Text, 1)
			if pos -= r.d.first(&seq.Run{Text: c}, u); pos < 0 {
				break
			}
			e.Text, e.ID, e.Eid, e.N = e.Text[len(c):], e.ID.Add(1), e.Eid+1, e.N-1
		}
		return e, true
	}
	return seq.Run{}, false
}

// runs goes through what shows in a sequence; cells have their width then.
func (r Reader) runs(o *object) func(func(seq.Run) bool) {
	return func(yield func(seq.Run) bool) {
		all := r.d.seqs.Runs(o.seq)
		if r.at != nil {
			all = r.d.seqs.RunsAt(o.seq, r.at)
		}
		for e := range all {
			if e.IsCell {
				n := r.winner(e.Cell)
				if n == none {
					continue
				}
				e.Width = r.d.widthOf(&r.d.rows[n])
			} else if e.Deleted {
				continue
			}
			if !yield(e) {
				return
			}
		}
	}
}

// Keys are the keys of a map that have a value, in the order of their bytes.
func (r Reader) Keys(obj ObjID) ([]string, error) {
	n, err := r.object(obj)
	if err != nil {
		return nil, err
	}
	o := &r.d.objects[n]
	if !o.isMap() {
		return nil, fmt.Errorf("%w: %s is a %s", ErrKind, obj, kindOf(o.kind))
	}
	var out []string
	for _, s := range r.d.sorted(o) {
		if r.winner(s.head) != none {
			out = append(out, r.d.keys[s.key])
		}
	}
	return out, nil
}

// Len is the number of keys, of elements, or of units of a text.
func (r Reader) Len(obj ObjID) (int, error) {
	n, err := r.object(obj)
	if err != nil {
		return 0, err
	}
	o := &r.d.objects[n]
	if o.isMap() {
		count := 0
		for _, s := range o.slots {
			if r.winner(s.head) != none {
				count++
			}
		}
		return count, nil
	}
	if r.at == nil {
		return r.d.seqs.Len(o.seq, r.d.unit(o)), nil
	}
	size := 0
	for e := range r.runs(o) {
		if r.d.unit(o) == seq.Units {
			size += int(e.Width.Units)
		} else {
			size += int(e.Width.Points)
		}
	}
	return size, nil
}

// objectChar stands in a text for what is no text.
const objectChar = "\uFFFC"

// Text is the text of a text object; blocks and other values in it are U+FFFC.
func (r Reader) Text(obj ObjID) (string, error) {
	n, err := r.object(obj)
	if err != nil {
		return "", err
	}
	if r.d.objects[n].kind != format.MakeText {
		return "", fmt.Errorf("%w: %s is a %s", ErrKind, obj, kindOf(r.d.objects[n].kind))
	}
	return string(r.appendText(nil, n)), nil
}

func (r Reader) appendText(to []byte, n uint32) []byte {
	cell := func(to []byte, head uint32) []byte {
		if n := r.winner(head); n != none {
			return r.d.appendCell(to, n)
		}
		return to
	}
	q := r.d.objects[n].seq
	if r.at == nil {
		return r.d.seqs.AppendText(q, to, cell)
	}
	return r.d.seqs.AppendTextAt(q, r.at, to, cell)
}

// appendCell appends what the row of a cell is in a text.
func (d *Doc) appendCell(to []byte, n uint32) []byte {
	row := &d.rows[n]
	if row.action == format.Set && row.typ == typeStr {
		return append(to, d.raw(row)...)
	}
	return append(to, objectChar...)
}

// Materialize is an object and all in it as values of Go: map[string]any, []any,
// string for texts and strings, bool, int64 (also counters), uint64, float64,
// []byte, time.Time, nil, and Value for what is of a later version of the format.
func (r Reader) Materialize(obj ObjID) (any, error) {
	n, err := r.object(obj)
	if err != nil {
		return nil, err
	}
	type task struct {
		obj uint32
		to  func(any)
	}
	var out any
	tasks := []task{{n, func(v any) { out = v }}}
	for len(tasks) > 0 { // a document may be nested deeper than a stack is
		t := tasks[len(tasks)-1]
		tasks = tasks[:len(tasks)-1]
		o := &r.d.objects[t.obj]
		put := func(row uint32, to func(any)) {
			if isMake(r.d.rows[row].action) {
				tasks = append(tasks, task{r.d.rows[row].sub, to})
				return
			}
			to(native(r.value(row)))
		}
		switch {
		case o.kind == format.MakeText:
			t.to(string(r.appendText(nil, t.obj)))
		case o.isMap():
			m := map[string]any{}
			t.to(m)
			for _, s := range o.slots {
				if n := r.winner(s.head); n != none {
					key := r.d.keys[s.key]
					put(n, func(v any) { m[key] = v })
				}
			}
		default:
			list := []any{}
			var rows []uint32
			for e := range r.runs(o) {
				rows = append(rows, r.winner(e.Cell))
			}
			list = slices.Grow(list, len(rows))[:len(rows)]
			t.to(list)
			for i, n := range rows {
				put(n, func(v any) { list[i] = v })
			}
		}
	}
	return out, nil
}

func native(v Value) any {
	switch v.kind {
	case KindNull:
		return nil
	case KindBool:
		return v.Bool()
	case KindInt, KindCounter:
		return v.Int()
	case KindUint:
		return v.Uint()
	case KindFloat:
		return v.Float()
	case KindStr:
		return v.str
	case KindBytes:
		return v.Bytes()
	case KindTimestamp:
		return time.UnixMilli(v.Int()).UTC()
	}
	return v
}
