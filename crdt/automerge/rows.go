package automerge

import (
	"slices"
	"unicode/utf8"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
	"inselnetz/crdt/automerge/internal/seq"
)

// A row is an operation that is no plain character and no plain delete of an
// element: those live in runs of the sequence and of the log.
//
// The operations of one key or element (a slot) are chained in ascending order of
// their ids. prev of the first names the last, its vis counts those that show and
// its top is the last of them, none while nobody has asked.
type row struct {
	id         opid.ID
	obj        uint32
	key        uint32 // number of the key, or the element
	next, prev uint32
	vis, top   uint32
	off, len   uint32  // of the raw value in vals
	sub        uint32  // the object that a make made; the name of a mark
	pred, succ opid.ID // the first; further ones in Doc.preds, Doc.succs
	action     format.Action
	typ        uint8 // of the value
	flags      uint8
}

const (
	rowInsert uint8 = 1 << iota
	rowMap
	rowExpand
	rowNamed     // a mark with a name: it begins here
	rowHidden    // replaced, deleted
	rowMorePreds // further ones in Doc.preds
	rowMoreSuccs
)

// value reports whether the operation puts a value somewhere.
func (r *row) value() bool {
	return r.action != format.Delete && r.action != format.Increment && r.action != format.Mark
}

func (r *row) shows() bool { return r.flags&rowHidden == 0 && r.value() }

// addRow keeps an operation in document-wide numbers. key is its key or element.
func (d *Doc) addRow(obj, key uint32, op *format.Op) uint32 {
	n := uint32(len(d.rows))
	r := row{id: op.ID, obj: obj, key: key, next: none, prev: n, top: none, off: uint32(len(d.vals)), len: uint32(len(op.Value.Raw)), sub: none, action: op.Action, typ: op.Value.Type}
	d.vals = append(d.vals, op.Value.Raw...)
	if op.Map {
		r.flags |= rowMap
	}
	if op.Insert {
		r.flags |= rowInsert
	}
	if op.Expand {
		r.flags |= rowExpand
	}
	if op.Mark != nil {
		r.flags |= rowNamed
		r.sub = d.keyOf(op.Mark)
	}
	if len(op.Refs) > 0 {
		r.pred = op.Refs[0]
		if len(op.Refs) > 1 {
			r.flags |= rowMorePreds
			d.preds[n] = slices.Clone(op.Refs[1:])
		}
	}
	d.rows = append(d.rows, r)
	d.maxOp = max(d.maxOp, op.ID.Ctr)
	return n
}

// raw is the value's bytes.
func (d *Doc) raw(r *row) []byte { return d.vals[r.off : r.off+r.len : r.off+r.len] }

// name is the name of the mark that begins at r.
func (d *Doc) name(r *row) string {
	if r.flags&rowNamed == 0 {
		return ""
	}
	return d.keys[r.sub]
}

// predsOf appends the preds of a row.
func (d *Doc) predsOf(to []opid.ID, n uint32) []opid.ID {
	r := &d.rows[n]
	if !r.pred.None() {
		to = append(to, r.pred)
		if r.flags&rowMorePreds != 0 {
			to = append(to, d.preds[n]...)
		}
	}
	return to
}

// succsOf appends the succs of a row, ascending.
func (d *Doc) succsOf(to []opid.ID, n uint32) []opid.ID {
	r := &d.rows[n]
	if !r.succ.None() {
		to = append(to, r.succ)
		if r.flags&rowMoreSuccs != 0 {
			to = append(to, d.succs[n]...)
		}
	}
	return to
}

// link puts row n into the chain that begins at head, none for an empty one, and
// returns where it begins now.
func (d *Doc) link(head, n uint32) uint32 {
	r := &d.rows[n]
	if head == none {
		r.prev, r.next = n, none
		return n
	}
	h := &d.rows[head]
	at := h.prev
	for d.less(r.id, d.rows[at].id) {
		if at == head {
			r.next, r.prev, r.vis, r.top = head, h.prev, h.vis, h.top
			h.prev, h.vis, h.top = n, 0, none
			return n
		}
		at = d.rows[at].prev
	}
	a := &d.rows[at]
	r.next, r.prev = a.next, at
	a.next = n
	if r.next == none {
		h.prev = n
	} else {
		d.rows[r.next].prev = n
	}
	return head
}

// addSucc notes that by follows row n in the slot that begins at head. sum is what
// it adds, if it is an increment.
func (d *Doc) addSucc(head, n uint32, by opid.ID, inc bool, sum int64) {
	r := &d.rows[n]
	if r.action == format.Mark {
		d.noteMark(r.obj, n, false)
	}
	switch {
	case r.succ.None():
		r.succ = by
	default:
		more := d.succs[n]
		if d.less(by, r.succ) {
			more, r.succ = slices.Insert(more, 0, r.succ), by
		} else {
			i := len(more)
			for i > 0 && d.less(by, more[i-1]) {
				i--
			}
			more = slices.Insert(more, i, by)
		}
		r.flags |= rowMoreSuccs
		d.succs[n] = more
	}
	if inc && r.typ == typeCounter && r.action == format.Set {
		d.sums[n] += sum
		return
	}
	if r.shows() {
		h := &d.rows[head]
		h.vis--
		if h.top == n {
			h.top = none
		}
	}
	r.flags |= rowHidden
}

// show notes that row n of a slot, just linked, shows.
func (d *Doc) show(head, n uint32) {
	h := &d.rows[head]
	h.vis++
	if h.vis == 1 || h.top != none && d.less(d.rows[h.top].id, d.rows[n].id) {
		h.top = n
	}
}

// winner is the row of a slot that shows before the others, or none.
func (d *Doc) winner(head uint32) uint32 {
	if head == none || d.rows[head].vis == 0 {
		return none
	}
	h := &d.rows[head]
	if h.top == none {
		h.top = h.prev
		for !d.rows[h.top].shows() {
			h.top = d.rows[h.top].prev
		}
	}
	return h.top
}

// visible appends the rows of a slot that show, ascending by id.
func (d *Doc) visible(to []uint32, head uint32) []uint32 {
	if head == none {
		return to
	}
	from := len(to)
	for at, left := d.winner(head), d.rows[head].vis; left > 0; at = d.rows[at].prev {
		if d.rows[at].shows() {
			to = append(to, at)
			left--
		}
	}
	slices.Reverse(to[from:])
	return to
}

// widthOf is what a row takes in its sequence while it shows.
func (d *Doc) widthOf(r *row) seq.Width {
	if r.action == format.Mark {
		return seq.Width{}
	}
	if d.objects[r.obj].kind == format.MakeText && r.action == format.Set && r.typ == typeStr {
		return widthOf(d.raw(r))
	}
	return seq.Width{Points: 1, Units: 1}
}

// widthOf measures UTF-8.
func widthOf(b []byte) seq.Width {
	n := uint32(utf8.RuneCount(b))
	w := seq.Width{Points: n, Units: n}
	for _, c := range b {
		if c >= 0xf0 {
			w.Units++
		}
	}
	return w
}

// refresh tells the sequence what the element shows now.
func (d *Doc) refresh(head uint32) {
	var w seq.Width
	if n := d.winner(head); n != none {
		w = d.widthOf(&d.rows[n])
	}
	d.seqs.SetWidth(d.rows[head].key, w)
}

// cell is the slot of an element; a plain character becomes one.
func (d *Doc) cell(obj, eid uint32) uint32 {
	e := d.seqs.Elem(eid)
	if e.IsCell {
		return e.Cell
	}
	_, size := utf8.DecodeRune(e.Text)
	op := format.Op{ID: e.ID, Insert: true, Action: format.Set, Value: format.Value{Type: typeStr, Raw: e.Text[:size]}}
	n := d.addRow(obj, eid, &op)
	d.rows[n].vis = 1
	w := widthOf(e.Text[:size])
	if e.Deleted {
		w = seq.Width{}
	}
	by := d.seqs.MakeCell(eid, n, w)
	for _, id := range by {
		d.addSucc(n, n, id, false, 0)
	}
	return n
}
