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
	begun := false
	var changes []*Change
	for len(b) > 0 {
		var n int
		if chunk, err := format.ReadChunk(b, &d.o.Limits); err != nil {
			return corrupt(err)
		} else if chunk.Type == format.DocumentChunk && !begun {
			if err := d.loadDocument(chunk.Body); err != nil {
				d.reset()
				return err
			}
			n, begun = chunk.Size, true
		} else {
			cs, size, err := d.chunk(b)
			if err != nil {
				return err
			}
			changes, n = append(changes, cs...), size
		}
		b = b[n:]
	}
	if err := d.Apply(changes...); err != nil {
		return err
	}
	if d.Held() > 0 && !begun {
		return fmt.Errorf("%w: changes without those that they depend on", ErrCorrupt)
	}
	return nil
}

// chunk reads the changes of the next chunk, and how many bytes it takes.
func (d *Doc) chunk(b []byte) ([]*Change, int, error) {
	chunk, err := format.ReadChunk(b, &d.o.Limits)
	if err != nil {
		return nil, 0, corrupt(err)
	}
	switch chunk.Type {
	case format.DocumentChunk:
		o := d.o
		o.Unverified = false
		other := New(o)
		if err := other.loadDocument(chunk.Body); err != nil {
			return nil, 0, err
		}
		cs, err := other.Changes(nil)
		return cs, chunk.Size, err
	case format.BundleChunk:
		cs, err := changesOfBundle(chunk.Body, &d.o.Limits)
		return cs, chunk.Size, err
	}
	c, err := newChange(bytes.Clone(chunk.Body), chunk.Hash, &d.o.Limits)
	return []*Change{c}, chunk.Size, err
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
func (d *Doc) loadDocument(body []byte) error {
	doc, err := format.ParseDocument(body, &d.o.Limits)
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
	l := loader{d: d, makes: map[opid.ID]uint32{}, logs: make([]actorLog, len(d.actors)), most: d.o.Limits.For(len(body)).Rows}
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

func (d *Doc) loadChanges(doc *format.Document) error {
	g := &d.graph
	g.rows, g.times.near = make([]changeRow, 0, doc.NumChanges), make([]int32, 0, doc.NumChanges)
	var r format.ChangeReader
	var row format.ChangeRow
	doc.Changes(&r)
	for r.Next(&row) {
		deps := row.Deps
		n := g.add(changeRow{actor: row.Actor, seq: uint32(row.Seq), max: row.MaxOp}, deps, row.Time, string(row.Message), row.Extra)
		d.logs[row.Actor].changes = append(d.logs[row.Actor].changes, n)
	}
	if err := r.Err(); err != nil {
		return corrupt(err)
	}
	for i := range d.logs {
		d.logs[i].changes = slices.Clip(d.logs[i].changes)
	}
	return nil
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
		switch {
		case o.index != nil:
			o.index[d.rows[head].key] = len(o.slots) - 1
		case len(o.slots) > manySlots:
			o.reindex()
		}
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

// killed is kills for deletes that come in the order of what they delete.
func (l *actorLog) killed(ctr uint32, target opid.ID, obj uint32) {
	r := l.last()
	if r != nil && r.kind == logKills && ctr+1 == r.ctr && r.actor == target.Actor && r.obj == obj && (r.step == -1 || r.n == 1) && r.at+1 == target.Ctr {
		r.ctr, r.at, r.n, r.step = ctr, target.Ctr, r.n+1, -1
		return
	}
	l.kills(ctr, 1, target, 0, obj)
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

// finish adds the deletes and puts every actor's log in order.
func (l *loader) finish() error {
	d := l.d
	if err := l.deletes(); err != nil {
		return err
	}
	for a := range l.logs {
		runs := l.logs[a].runs
		l.sort(runs)
		to, next := &d.logs[a], uint32(0)
		for _, k := range l.order {
			r := &runs[uint32(k)]
			if r.ctr < next {
				return damaged("operation %d of %s is there twice", r.ctr, d.actors[a])
			}
			next = r.ctr + r.n
			switch r.kind {
			case logChars:
				to.chars(r.ctr, r.n, r.at, r.obj)
			case logKills:
				to.kills(r.ctr, r.n, opid.ID{Ctr: r.at, Actor: r.actor}, r.step, r.obj)
			default:
				for k := range r.n {
					to.row(r.ctr+k, r.at+k)
				}
			}
		}
		to.runs = slices.Clone(to.runs)
		l.logs[a].runs = nil
		if err := d.tile(uint32(a)); err != nil {
			return err
		}
	}
	return nil
}

// sort puts into l.order the runs' counters, ascending, with their places in the
// lower half. There are about as many runs as the text has places of work; a
// radix sort is a tenth of the time of slices.Sort there.
func (l *loader) sort(runs []logRun) {
	l.order = l.order[:0]
	sorted, all := true, uint32(0)
	for i := range runs {
		l.order = append(l.order, uint64(runs[i].ctr)<<32|uint64(i))
		sorted = sorted && (i == 0 || runs[i-1].ctr < runs[i].ctr)
		all |= runs[i].ctr
	}
	if sorted {
		return
	}
	if len(runs) < 256 {
		slices.Sort(l.order)
		return
	}
	const bits = 11
	l.spare = slices.Grow(l.spare[:0], len(runs))[:len(runs)]
	for shift := 32; all>>(shift-32) != 0; shift += bits {
		var from [1 << bits]uint32
		for _, k := range l.order {
			from[k>>shift&(1<<bits-1)]++
		}
		sum := uint32(0)
		for i, n := range from {
			from[i] = sum
			sum += n
		}
		for _, k := range l.order {
			at := &from[k>>shift&(1<<bits-1)]
			l.spare[*at] = k
			*at++
		}
		l.order, l.spare = l.spare, l.order
	}
}

// deletes makes the operations that have no rows, from the succs that name them.
func (l *loader) deletes() error {
	d := l.d
	slices.SortStableFunc(l.dels, func(x, y deletion) int { return d.compare(x.id, y.id) })
	for i := 0; i < len(l.dels); {
		id, first := l.dels[i].id, &d.rows[l.dels[i].row]
		op := format.Op{ID: id, Map: first.flags&rowMap != 0, Action: format.Delete}
		obj, key := first.obj, first.key
		single := first.flags&rowInsert != 0
		for ; i < len(l.dels) && l.dels[i].id == id; i++ {
			r := &d.rows[l.dels[i].row]
			if r.obj != obj || r.key != key {
				return damaged("a delete at two places")
			}
			op.Refs = append(op.Refs, r.id)
		}
		if single && len(op.Refs) == 1 {
			l.logs[id.Actor].kills(id.Ctr, 1, op.Refs[0], 0, obj)
			continue
		}
		if len(d.rows) >= l.most {
			return errTooMany
		}
		l.logs[id.Actor].row(id.Ctr, d.addRow(obj, key, &op))
	}
	return nil
}

// tile finds where each change of an actor starts, and that its changes are
// exactly its operations.
func (d *Doc) tile(a uint32) error {
	l := &d.logs[a]
	g := &d.graph
	i, off := 0, uint32(0)
	var deps []uint32
	for _, n := range l.changes {
		c := &g.rows[n]
		c.start = c.max + 1
		for i < len(l.runs) && l.runs[i].ctr+off <= c.max {
			r := &l.runs[i]
			from, last := r.ctr+off, min(c.max, r.ctr+(r.n-1))
			if c.start > c.max {
				c.start = from
			} else if prev := &l.runs[i-1]; off == 0 && prev.ctr+prev.n != from {
				return damaged("change %d of %s lacks operation %d", c.seq, d.actors[a], from-1)
			}
			if off = last - r.ctr + 1; off == r.n {
				i, off = i+1, 0
			}
			if last == c.max {
				break
			}
		}
		if c.start <= c.max {
			if end := i; off == 0 && l.runs[end-1].ctr+(l.runs[end-1].n-1) != c.max {
				return damaged("change %d of %s lacks operation %d", c.seq, d.actors[a], c.max)
			}
		}
		deps = g.deps(deps[:0], n)
		for _, dep := range deps {
			if c.start <= g.rows[dep].max {
				return damaged("change %d of %s starts before what it follows ends", c.seq, d.actors[a])
			}
		}
		d.maxOp = max(d.maxOp, c.max)
	}
	if i < len(l.runs) {
		return damaged("operation %d of %s is in no change", l.runs[i].ctr+off, d.actors[a])
	}
	return nil
}

// loadHeads takes the heads that the document names, and checks them unless told
// not to.
func (d *Doc) loadHeads(doc *format.Document) error {
	g := &d.graph
	if len(doc.Heads) != len(g.heads) {
		return damaged("%d heads, but %d are named", len(g.heads), len(doc.Heads))
	}
	if !d.o.Unverified {
		if got := d.Heads(); !slices.Equal(got, doc.Heads) {
			return damaged("changes do not have the hashes that are named")
		}
		g.forget()
		return nil
	}
	if len(g.heads) == 1 {
		g.setHash(g.heads[0], doc.Heads[0])
	} else if rows := slices.Clone(doc.HeadRows); len(rows) == len(g.heads) {
		slices.Sort(rows)
		if heads := slices.Clone(g.heads); slices.Equal(slices.Compact(rows), slices.Sorted(slices.Values(heads))) {
			for i, n := range doc.HeadRows {
				g.setHash(n, doc.Heads[i])
			}
		}
	}
	return nil
}

// Verify works out the hash of every change anew and reports whether the heads
// are those that were loaded. Only Unverified documents need it.
func (d *Doc) Verify() error {
	if d.Pending() > 0 {
		return ErrPending
	}
	heads := d.Heads()
	g := &d.graph
	g.drop()
	if got := d.Heads(); !slices.Equal(got, heads) {
		return damaged("changes do not have the hashes that were loaded")
	}
	return nil
}
