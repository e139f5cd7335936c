package automerge

import (
	"slices"
	"strings"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
	"inselnetz/crdt/automerge/internal/seq"
)

// An object is a map, with its slots, or a sequence.
type object struct {
	row   uint32 // that made it; none for the root
	kind  format.Action
	dirty bool // slots are not in the order of their keys
	slots []slot
	index map[uint32]int // key -> slot, of a map with many
	seq   *seq.Seq
}

// A slot is a key of a map and its first operation.
type slot struct{ key, head uint32 }

const manySlots = 12

func (o *object) isMap() bool { return o.kind == format.MakeMap || o.kind == format.MakeTable }

func (o *object) find(key uint32) int {
	if o.index == nil && len(o.slots) > manySlots { // as loaded
		o.reindex()
	}
	if o.index != nil {
		if i, ok := o.index[key]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(o.slots, func(s slot) bool { return s.key == key })
}

// head is the first operation of a key, or none.
func (o *object) head(key uint32) uint32 {
	if i := o.find(key); i >= 0 {
		return o.slots[i].head
	}
	return none
}

func (o *object) setHead(key, head uint32) {
	if i := o.find(key); i >= 0 {
		o.slots[i].head = head
		return
	}
	o.slots = append(o.slots, slot{key, head})
	o.dirty = len(o.slots) > 1
	switch {
	case o.index != nil:
		o.index[key] = len(o.slots) - 1
	case len(o.slots) > manySlots:
		o.reindex()
	}
}

func (o *object) reindex() {
	o.index = make(map[uint32]int, len(o.slots))
	for i, s := range o.slots {
		o.index[s.key] = i
	}
}

// sorted are the slots of a map in the order of their keys' bytes.
func (d *Doc) sorted(o *object) []slot {
	if o.dirty {
		slices.SortFunc(o.slots, func(a, b slot) int { return strings.Compare(d.keys[a.key], d.keys[b.key]) })
		o.dirty = false
		if o.index != nil {
			o.reindex()
		}
	}
	return o.slots
}

// newObject is the object that a row makes.
func (d *Doc) newObject(n uint32) uint32 {
	o := object{row: n, kind: d.rows[n].action}
	num := uint32(len(d.objects))
	if !o.isMap() {
		o.seq = &seq.Seq{Owner: num}
	}
	d.objects = append(d.objects, o)
	d.rows[n].sub = num
	return num
}

func isMake(a format.Action) bool {
	return a == format.MakeMap || a == format.MakeList || a == format.MakeText || a == format.MakeTable
}

// objectOf is the object that an operation made.
func (d *Doc) objectOf(id opid.ID) (uint32, bool) {
	if id.None() {
		return 0, true
	}
	p, ok := d.find(id)
	if !ok || p.kind != logRows || !isMake(d.rows[p.at].action) {
		return 0, false
	}
	return d.rows[p.at].sub, true
}

// idOf is the operation that made an object.
func (d *Doc) idOf(obj uint32) opid.ID {
	if d.objects[obj].row == none {
		return opid.ID{}
	}
	return d.rows[d.objects[obj].row].id
}

// The operations below are known to be possible: the caller has looked.

// insertChars puts n plain characters behind an element of a text.
func (d *Doc) insertChars(obj uint32, id opid.ID, after uint32, text []byte, n int) (eid uint32) {
	eid = d.seqs.InsertChars(d.objects[obj].seq, id, after, text, n)
	d.logs[id.Actor].chars(id.Ctr, uint32(n), eid, obj)
	d.maxOp = max(d.maxOp, id.Ctr+uint32(n)-1)
	return eid
}

// insertCell puts anything else behind an element.
func (d *Doc) insertCell(obj, after uint32, op *format.Op) uint32 {
	n := d.addRow(obj, none, op)
	r := &d.rows[n]
	if isMake(op.Action) {
		d.newObject(n)
	}
	var w seq.Width
	if r = &d.rows[n]; r.shows() {
		r.vis = 1
		w = d.widthOf(r)
	}
	r.key = d.seqs.InsertCell(d.objects[obj].seq, op.ID, after, n, w, op.Action == format.Mark)
	d.logs[op.ID.Actor].row(op.ID.Ctr, n)
	if op.Action == format.Mark {
		d.noteMark(obj, n, true)
	}
	return n
}

// kill deletes n characters from element eid on, which are in one run and show; or
// one element that has nothing but its insert.
func (d *Doc) kill(obj, eid uint32, target, by opid.ID, n int) {
	step := int8(1)
	if n == 1 {
		step = 0
		if e := d.seqs.Elem(eid); e.IsCell {
			d.addSucc(e.Cell, e.Cell, by, false, 0)
			d.refresh(e.Cell)
			d.logs[by.Actor].kills(by.Ctr, 1, target, 0, obj)
			d.maxOp = max(d.maxOp, by.Ctr)
			return
		}
	}
	d.seqs.Kill(eid, n, by)
	d.logs[by.Actor].kills(by.Ctr, uint32(n), target, step, obj)
	d.maxOp = max(d.maxOp, by.Ctr+uint32(n)-1)
}

// put applies a set, make, increment or delete on a key or element: op.Refs are
// its preds, all in that slot.
func (d *Doc) put(obj, key uint32, op *format.Op) uint32 {
	o := &d.objects[obj]
	head := none
	switch {
	case op.Map:
		head = o.head(key)
	case op.Action == format.Delete && len(op.Refs) == 1 && op.Refs[0] == op.Elem:
		d.kill(obj, key, op.Elem, op.ID, 1)
		return none
	default:
		head = d.cell(obj, key)
	}
	n := d.addRow(obj, key, op)
	d.logs[op.ID.Actor].row(op.ID.Ctr, n)
	if isMake(op.Action) {
		d.newObject(n)
	}
	var sum int64
	if op.Action == format.Increment {
		v := scalar(op.Value.Type, op.Value.Raw)
		sum = int64(v.num)
	}
	for _, p := range op.Refs {
		at, _ := d.rowOf(p)
		d.addSucc(head, at, op.ID, op.Action == format.Increment, sum)
	}
	if op.Action == format.Delete {
		if !op.Map {
			d.refresh(head)
		}
		return n
	}
	head = d.link(head, n)
	if d.rows[n].shows() {
		d.show(head, n)
	}
	if op.Map {
		d.objects[obj].setHead(key, head)
	} else {
		d.refresh(head)
	}
	return n
}

// rowOf is the row of an operation that is one, or of a character that became one.
func (d *Doc) rowOf(id opid.ID) (uint32, bool) {
	p, ok := d.find(id)
	switch {
	case !ok || p.kind == logKills:
		return 0, false
	case p.kind == logRows:
		return p.at, true
	}
	e := d.seqs.Elem(p.at)
	return e.Cell, e.IsCell
}
