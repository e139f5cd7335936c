package automerge

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
	"inselnetz/crdt/automerge/internal/seq"
)

// Load reads a document: what Save wrote, also with changes and bundles after it,
// or changes alone. No bytes are the empty document. Changes whose deps are missing
// are held back, but only if there is a document to begin with.
func Load(b []byte, o Options) (*Doc, error) {
	d := New(o)
	if err := d.load(b); err != nil {
		return nil, err
	}
	d.saved = slices.Clone(d.graph.heads)
	return d, nil
}

// load fills an empty document.
func (d *Doc) load(b []byte) error {
	in := d.intake(len(b))
	for len(b) > 0 {
		n, err := in.chunk(b)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	if err := in.apply(); err != nil {
		return err
	}
	if d.Held() > 0 && !in.begun {
		return fmt.Errorf("%w: changes without those that they depend on", ErrCorrupt)
	}
	return nil
}

// A loader reads the rows of a document chunk.
type loader struct {
	d     *Doc
	makes map[opid.ID]uint32 // objects by the operation that made them
	logs  []actorLog         // not in order yet
	dels  []deletion         // of rows
	most  int                // rows

	obj   uint32
	objID opid.ID
	build *seq.Builder

	slot    bool   // one is open
	key     []byte // of the slot in a map
	elem    opid.ID
	ref     opid.ID
	from    uint32    // its first row
	succs   []opid.ID // of its rows, one after another
	succEnd []int     // where those of each row end

	begun map[opid.ID]bool // marks that began in this object

	order, spare []uint64 // of the runs of one log: counter and place

	held bool // the slot is a plain character so far
	char []byte
	by   []opid.ID
}

// A deletion is one pred of a delete: the document has no row for it.
type deletion struct {
	id  opid.ID
	row uint32
}

func damaged(text string, args ...any) error {
	return fmt.Errorf("%w: "+text, append([]any{ErrCorrupt}, args...)...)
}

// loadDocument reads the body of a document chunk into an empty document.
func (d *Doc) loadDocument(body []byte, limits *Limits) error {
	doc, err := format.ParseDocument(body, limits)
	if err != nil {
		return corrupt(err)
	}
	for _, a := range doc.Actors { // in the order of their bytes
		if len(a) == 0 || len(a) > maxActor {
			return damaged("an actor id of %d bytes", len(a))
		}
		d.actorNum[ActorID(a)] = uint32(len(d.actors))
		d.actors, d.names = append(d.actors, ActorID(a)), append(d.names, bytes.Clone(a))
	}
	d.logs = make([]actorLog, len(d.actors))
	d.rankActors()
	if err := d.loadChanges(doc); err != nil {
		return err
	}
	l := loader{d: d, makes: map[opid.ID]uint32{}, logs: make([]actorLog, len(d.actors)), most: limits.For(len(body)).Rows}
	cells := doc.Complex()
	if cells > l.most {
		return errTooMany
	}
	d.rows = make([]row, 0, cells)
	d.seqs.Grow(doc.NumOps-cells, 0)
	var r format.OpReader
	var op format.Op
	doc.Ops(&r)
	for r.Next(&op) {
		if err := l.row(&op); err != nil {
			return err
		}
		for l.held {
			t, ok := r.Typed()
			if !ok {
				break
			}
			if err := l.typed(&t); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(l.leave(), r.Err()); err != nil {
		return corrupt(err)
	}
	if err := l.finish(); err != nil {
		return err
	}
	return d.loadHeads(doc)
}

// enter begins an object.
func (l *loader) enter(id opid.ID) error {
	d := l.d
	if err := l.leave(); err != nil {
		return err
	}
	if !d.less(l.objID, id) {
		return damaged("objects out of order")
	}
	n, ok := l.makes[id]
	if !ok {
		return damaged("operations of an object that is not there")
	}
	l.obj, l.objID, l.key = n, id, nil
	clear(l.begun)
	if !d.objects[n].isMap() {
		l.build = d.seqs.Build(d.objects[n].seq)
	}
	return nil
}

// leave ends an object.
func (l *loader) leave() error {
	if err := l.endSlot(); err != nil {
		return err
	}
	if l.build != nil {
		b := l.build
		l.build = nil
		if err := b.Done(); err != nil {
			return corrupt(err)
		}
	}
	return nil
}

// row takes the next operation.
func (l *loader) row(op *format.Op) error {
	d := l.d
	if op.Obj != l.objID {
		if err := l.enter(op.Obj); err != nil {
			return err
		}
	}
	kind := d.objects[l.obj].kind
	switch isMap := d.objects[l.obj].isMap(); {
	case isMap != op.Map, op.Map && op.Insert, op.Action == format.Delete,
		op.Insert && op.Action == format.Increment,
		op.Action == format.Mark && (!op.Insert || kind != format.MakeText),
		op.Action == format.Increment && op.Value.Type != typeInt && op.Value.Type != typeUint:
		return damaged("operation %d of %s makes no sense where it is", op.ID.Ctr, d.actors[op.ID.Actor])
	case isMap && (!l.slot || !bytes.Equal(op.Key, l.key)):
		if err := l.endSlot(); err != nil {
			return err
		}
		if l.key != nil && bytes.Compare(op.Key, l.key) <= 0 {
			return damaged("keys out of order")
		}
		l.key = op.Key
		if l.key == nil {
			l.key = []byte{}
		}
		l.begin()
	case op.Insert:
		if err := l.endSlot(); err != nil {
			return err
		}
		l.begin()
		l.elem, l.ref = op.ID, op.Elem
		if op.Action == format.Mark {
			if err := l.mark(op); err != nil {
				return err
			}
		}
		if kind == format.MakeText && plain(op) {
			l.held, l.char, l.by = true, op.Value.Raw, append(l.by[:0], op.Refs...)
			return nil
		}
	case !isMap && (!l.slot || op.Elem != l.elem):
		return damaged("operation %d of %s is not behind its element", op.ID.Ctr, d.actors[op.ID.Actor])
	}
	if l.held { // the character is not plain after all
		l.held = false
		char := format.Op{ID: l.elem, Insert: true, Action: format.Set, Value: format.Value{Type: typeStr, Raw: l.char}, Refs: l.by}
		if err := l.add(&char); err != nil {
			return err
		}
	}
	return l.add(op)
}

// mark checks that a mark begins before it ends: the reference refuses documents
// in which one does not.
func (l *loader) mark(op *format.Op) error {
	switch {
	case op.Mark == nil && !l.begun[op.ID.Add(-1)]:
		return damaged("a mark ends before it begins")
	case op.Mark != nil && l.begun == nil:
		l.begun = map[opid.ID]bool{op.ID: true}
	case op.Mark != nil:
		l.begun[op.ID] = true
	}
	return nil
}

func (l *loader) begin() {
	l.slot, l.from = true, uint32(len(l.d.rows))
	l.succs, l.succEnd = l.succs[:0], l.succEnd[:0]
}

// add makes a row of an operation.
func (l *loader) add(op *format.Op) error {
	d := l.d
	if len(d.rows) >= l.most {
		return errTooMany
	}
	if n := uint32(len(d.rows)); n > l.from && !d.less(d.rows[n-1].id, op.ID) {
		return damaged("operations of one place out of order")
	}
	l.succs = append(l.succs, op.Refs...)
	l.succEnd = append(l.succEnd, len(l.succs))
	var key uint32
	if op.Map {
		key = d.keyOf(op.Key)
	}
	op.Refs = nil
	n := d.addRow(l.obj, key, op)
	l.logs[op.ID.Actor].row(op.ID.Ctr, n)
	if isMake(op.Action) {
		if _, twice := l.makes[op.ID]; twice {
			return damaged("an operation that is there twice")
		}
		l.makes[op.ID] = d.newObject(n)
	}
	return nil
}

// endSlot puts a key or element in its place, now that all its rows are there.
func (l *loader) endSlot() error {
	if !l.slot {
		return nil
	}
	l.slot = false
	d := l.d
	if l.held {
		l.held = false
		return l.plain()
	}
	head, end := l.from, uint32(len(d.rows))
	rows := d.rows[head:end]
	for i := range rows {
		r := &rows[i]
		r.next, r.prev = head+uint32(i)+1, head+uint32(i)-1
		if r.shows() {
			rows[0].vis++
		}
	}
	rows[0].prev, rows[len(rows)-1].next = end-1, none
	if len(l.succs) > 0 {
		if err := l.resolve(head, end); err != nil {
			return err
		}
	}
	if o := &d.objects[l.obj]; o.isMap() {
		o.slots = append(o.slots, slot{d.rows[head].key, head})
		return nil
	}
	var w seq.Width
	if n := d.winner(head); n != none {
		w = d.widthOf(&d.rows[n])
	}
	eid := l.build.Cell(l.elem, l.ref, head, w, d.rows[head].action == format.Mark)
	for i := head; i < end; i++ {
		d.rows[i].key = eid
	}
	return nil
}

// plain adds a plain character.
func (l *loader) plain() error {
	var del opid.ID
	if len(l.by) > 0 {
		del = l.by[0]
	}
	eid := l.build.Char(l.elem, l.ref, l.char, del)
	l.logs[l.elem.Actor].chars(l.elem.Ctr, 1, eid, l.obj)
	for i, by := range l.by {
		if i > 0 {
			l.build.Deleter(by)
		}
		if !l.d.less(l.elem, by) {
			return damaged("an element deleted before it was there")
		}
		l.logs[by.Actor].killed(by.Ctr, l.elem, l.obj)
	}
	return nil
}

// typed takes characters that continue the one that is held. The last of them
// is held in its turn: rows that update it may follow.
func (l *loader) typed(t *format.Typed) error {
	if err := l.plain(); err != nil {
		return err
	}
	n := t.N - 1
	size := len(t.Text) / t.N
	if n > 0 {
		eid := l.build.Chars(t.ID, t.Ref, t.Text[:n*size], n, t.Del, t.Step)
		l.logs[t.ID.Actor].chars(t.ID.Ctr, uint32(n), eid, l.obj)
		if !t.Del.None() {
			l.deleted(t, n)
		}
	}
	l.elem, l.ref = t.ID.Add(n), t.Ref.Add(n)
	l.char, l.by = t.Text[n*size:], l.by[:0]
	if !t.Del.None() {
		l.by = append(l.by, t.Del.Add(n*t.Step))
	}
	return nil
}

// deleted notes the deletes of the first n characters of t.
func (l *loader) deleted(t *format.Typed, n int) {
	log := &l.logs[t.Del.Actor]
	switch {
	case t.Step > 0:
		log.kills(t.Del.Ctr, uint32(n), t.ID, 1, l.obj)
	case n == 1:
		log.killed(t.Del.Ctr, t.ID, l.obj)
	default: // the last one was deleted first
		log.kills(t.Del.Ctr-uint32(n-1), uint32(n), t.ID.Add(n-1), -1, l.obj)
	}
}

// resolve finds the succs of a slot's rows: other rows of it, or deletes.
func (l *loader) resolve(head, end uint32) error {
	d, from := l.d, 0
	for i := head; i < end; i++ {
		succs := l.succs[from:l.succEnd[i-head]]
		from = l.succEnd[i-head]
		for _, by := range succs {
			if !d.less(d.rows[i].id, by) {
				return damaged("an operation replaced before it was there")
			}
			k, ok := slices.BinarySearchFunc(d.rows[i+1:end], by, func(r row, id opid.ID) int { return d.compare(r.id, id) })
			if !ok {
				l.dels = append(l.dels, deletion{by, i})
				d.addSucc(head, i, by, false, 0)
				continue
			}
			j := i + 1 + uint32(k)
			r := &d.rows[j]
			if r.action == format.Mark {
				return damaged("a mark that replaces something")
			}
			if r.pred.None() {
				r.pred = d.rows[i].id
			} else {
				r.flags |= rowMorePreds
				d.preds[j] = append(d.preds[j], d.rows[i].id)
			}
			inc := r.action == format.Increment
			var sum int64
			if inc {
				sum = int64(scalar(r.typ, d.raw(r)).num)
			}
			d.addSucc(head, i, by, inc, sum)
		}
	}
	return nil
}
