package automerge

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
)

// Apply applies changes in an order in which each follows what it depends on.
// Known ones are passed over; those that depend on unknown changes are held back
// until these arrive, see Missing. A change that is refused leaves no trace, nor
// do those that depend on it; the others are applied and the error tells which
// were refused and why.
func (d *Doc) Apply(changes ...*Change) error {
	if d.Pending() > 0 {
		return ErrPending
	}
	batch := append(d.queue, changes...)
	d.queue = nil
	if len(batch) == 1 { // the usual case, without tables
		c := batch[0]
		deps, err := d.depsOf(c)
		if err == nil {
			if d.hasChange(c) {
				return nil
			}
			return d.apply(c, deps)
		}
	}
	return d.applyAll(batch)
}

// hasChange is Has for a change that is likely new: no table of hashes is made if its
// actor has not got that far.
func (d *Doc) hasChange(c *Change) bool {
	a, ok := d.actorNum[c.Actor()]
	if !ok || c.c.Seq > uint64(len(d.logs[a].changes)) || c.c.Seq == 0 {
		return false
	}
	return d.graph.hash(d, d.logs[a].changes[c.c.Seq-1]) == c.hash
}

// depsOf are the rows of what a change depends on.
func (d *Doc) depsOf(c *Change) ([]uint32, error) { return d.graph.rowsOf(d, c.c.Deps) }

// applyAll applies a batch: whoever waited longer goes first, then in the order
// given, each as soon as nothing is missing (the order of the reference, which
// the order of changes in a saved document shows).
func (d *Doc) applyAll(batch []*Change) error {
	type waiter struct {
		c    *Change
		lack int
	}
	waiting := map[Hash][]int{} // by what is missing
	var all []waiter
	var ready []int
	seen := map[Hash]bool{}
	for _, c := range batch {
		if seen[c.hash] || d.hasChange(c) {
			continue
		}
		seen[c.hash] = true
		w := waiter{c: c}
		for i, dep := range c.c.Deps {
			if !d.Has(dep) && !slices.Contains(c.c.Deps[:i], dep) {
				w.lack++
				waiting[dep] = append(waiting[dep], len(all))
			}
		}
		if w.lack == 0 {
			ready = append(ready, len(all))
		}
		all = append(all, w)
	}
	var errs []error
	refused := map[int]bool{}
	done := map[int]bool{}
	for len(ready) > 0 {
		i := ready[0]
		ready = ready[1:]
		done[i] = true
		c := all[i].c
		var err error
		if refused[i] {
			err = fmt.Errorf("%w: %x: depends on a refused change", ErrRefused, c.hash[:])
		} else if deps, e := d.depsOf(c); e != nil {
			err = e
		} else {
			err = d.apply(c, deps)
		}
		if err != nil && len(errs) < 10 {
			errs = append(errs, err)
		}
		for _, j := range waiting[c.hash] {
			refused[j] = refused[j] || err != nil
			if all[j].lack--; all[j].lack == 0 {
				ready = append(ready, j)
			}
		}
	}
	most := d.o.Queue
	if most == 0 {
		most = 10_000
	}
	for i, w := range all {
		switch {
		case done[i] || refused[i]:
		case len(d.queue) >= most:
			errs = append(errs, fmt.Errorf("%w: %d changes wait already", ErrLimit, most))
			return errors.Join(errs...)
		default:
			d.queue = append(d.queue, w.c)
		}
	}
	return errors.Join(errs...)
}

// Missing are the changes that others wait for: deps of what is held back and
// those of heads that are unknown, ascending.
func (d *Doc) Missing(heads []Hash) []Hash {
	held := map[Hash]bool{}
	for _, c := range d.queue {
		held[c.hash] = true
	}
	var out []Hash
	need := func(h Hash) {
		if !held[h] && !d.Has(h) {
			out = append(out, h)
		}
	}
	for _, c := range d.queue {
		for _, dep := range c.c.Deps {
			need(dep)
		}
	}
	for _, h := range heads {
		need(h)
	}
	slices.SortFunc(out, compareHash)
	return slices.Compact(out)
}

// Held is how many changes wait for others.
func (d *Doc) Held() int { return len(d.queue) }

// An applier applies one change.
type applier struct {
	d      *Doc
	c      *Change
	author uint32
	local  []uint32 // actors of the change -> of the document
	seen   clock    // what it may know

	obj    opid.ID // the object of the last operation
	objNum uint32
}

func refusedf(c *Change, text string, args ...any) error {
	return fmt.Errorf("%w: %x: "+text, append([]any{ErrRefused, c.hash[:]}, args...)...)
}

// apply applies a change whose deps are there.
func (d *Doc) apply(c *Change, deps []uint32) error {
	a := applier{d: d, c: c}
	if err := a.place(deps); err != nil {
		return err
	}
	var r format.OpReader
	var op format.Op
	c.c.Ops(&r)
	for r.Next(&op) {
		if err := a.apply(&op); err != nil {
			d.rebuild()
			return refusedf(c, "operation %d@%s: %w", op.ID.Ctr, c.Actor(), err)
		}
	}
	if err := r.Err(); err != nil {
		d.rebuild()
		return refusedf(c, "%w", err)
	}
	d.commit(a.author, c.c.StartOp, uint32(c.c.NumOps), deps, a.seen, c.c.Time, c.c.Message, c.c.Extra)
	d.graph.setHash(uint32(len(d.graph.rows)-1), c.hash)
	return nil
}

// place checks where a change stands among the others.
func (a *applier) place(deps []uint32) error {
	d, c := a.d, a.c
	least := uint32(0)
	for _, n := range deps {
		least = max(least, d.graph.rows[n].max)
	}
	if c.c.StartOp <= least {
		return refusedf(c, "starts at operation %d, but follows operation %d", c.c.StartOp, least)
	}
	if uint64(c.c.StartOp)+uint64(c.c.NumOps) > format.MaxCounter {
		return refusedf(c, "operations beyond %d", uint32(format.MaxCounter))
	}
	if len(c.c.Actor) == 0 || len(c.c.Actor) > maxActor {
		return refusedf(c, "an actor id of %d bytes", len(c.c.Actor))
	}
	known, ok := d.actorNum[c.Actor()]
	if !ok && len(d.actors) >= d.most.Actors {
		return refusedf(c, "%w: %d actors", ErrLimit, d.most.Actors)
	}
	have := 0
	if ok {
		have = len(d.logs[known].changes)
	}
	switch {
	case c.c.Seq == 0 || c.c.Seq > uint64(have)+1:
		return refusedf(c, "change %d of its actor, after change %d", c.c.Seq, have)
	case c.c.Seq <= uint64(have):
		return refusedf(c, "its actor made another change %d", c.c.Seq)
	}
	for _, o := range c.c.Others {
		n, ok := d.actorNum[ActorID(o)]
		if !ok {
			return refusedf(c, "names an actor that is unknown: %x", o)
		}
		a.local = append(a.local, n)
	}
	a.author = d.actor(c.Actor())
	a.local = slices.Insert(a.local, 0, a.author)
	a.seen = d.graph.before(a.author, deps)
	if have > 0 {
		if int(a.author) >= len(a.seen) || a.seen[a.author] != uint32(have) {
			return refusedf(c, "does not follow its actor's change %d", have)
		}
		if last := d.logs[a.author].changes[have-1]; d.graph.rows[last].max >= c.c.StartOp {
			return refusedf(c, "starts at operation %d, which its actor has used", c.c.StartOp)
		}
	}
	return nil
}

// sees reports whether the change may know an operation: it follows it.
func (a *applier) sees(id opid.ID, now uint32) bool {
	if id.Actor == a.author && id.Ctr >= a.c.c.StartOp {
		return id.Ctr < now
	}
	if int(id.Actor) >= len(a.seen) || a.seen[id.Actor] == 0 {
		return false
	}
	last := a.d.logs[id.Actor].changes[a.seen[id.Actor]-1]
	return id.Ctr <= a.d.graph.rows[last].max
}

// id translates an id of the change.
func (a *applier) id(id opid.ID, now uint32) (opid.ID, bool) {
	if id.None() {
		return id, true
	}
	if int(id.Actor) >= len(a.local) {
		return id, false
	}
	id.Actor = a.local[id.Actor]
	return id, a.sees(id, now)
}

var (
	errNoElement = errors.New("names an element that is not there")
	errNoPred    = errors.New("replaces an operation that is not there")
	errTooMany   = fmt.Errorf("%w: too many operations that are no plain text", ErrLimit)
)

// apply checks and applies one operation.
func (a *applier) apply(op *format.Op) error {
	d, now := a.d, op.ID.Ctr
	var ok bool
	op.ID.Actor = a.author
	if op.Obj, ok = a.id(op.Obj, now); !ok {
		return fmt.Errorf("object: %w", ErrNoObject)
	}
	if op.Obj != a.obj {
		if a.objNum, ok = d.objectOf(op.Obj); !ok {
			return ErrNoObject
		}
		a.obj = op.Obj
	}
	if d.objects[a.objNum].isMap() != op.Map {
		return ErrKind
	}
	if op.Insert {
		return a.insert(op, now)
	}
	return a.update(op, now)
}

func (a *applier) insert(op *format.Op, now uint32) error {
	d := a.d
	kind := d.objects[a.objNum].kind
	switch {
	case op.Map:
		return errors.New("an insert in a map")
	case len(op.Refs) > 0:
		return errors.New("an insert that replaces something")
	case op.Action == format.Delete, op.Action == format.Increment:
		return errors.New("an insert of nothing")
	case op.Action == format.Mark && kind != format.MakeText:
		return errors.New("a mark outside of a text")
	}
	after := uint32(none)
	var ok bool
	if op.Elem, ok = a.id(op.Elem, now); !ok {
		return errNoElement
	}
	if !op.Elem.None() {
		eid, obj, ok := d.element(op.Elem)
		if !ok || obj != a.objNum {
			return errNoElement
		}
		after = eid
	}
	if kind == format.MakeText && plain(op) {
		if err := d.roomFor(0, 1, len(op.Value.Raw)); err != nil {
			return err
		}
		d.insertChars(a.objNum, op.ID, after, op.Value.Raw, 1)
		return nil
	}
	if err := d.roomFor(1, 0, len(op.Value.Raw)); err != nil {
		return err
	}
	if op.Action == format.Mark && op.Mark == nil {
		if err := a.endsMark(op, after); err != nil {
			return err
		}
	}
	d.insertCell(a.objNum, after, op)
	return nil
}

// plain reports whether an insert is a plain character.
func plain(op *format.Op) bool {
	if op.Action != format.Set || op.Value.Type != typeStr || op.Expand || op.Mark != nil || len(op.Value.Raw) == 0 {
		return false
	}
	_, size := utf8.DecodeRune(op.Value.Raw)
	return size == len(op.Value.Raw)
}

// endsMark checks that the mark which ends here began before: the reference
// refuses documents in which it did not.
func (a *applier) endsMark(op *format.Op, after uint32) error {
	d := a.d
	n, ok := d.rowOf(op.ID.Add(-1))
	if !ok || d.rows[n].action != format.Mark || d.rows[n].flags&rowNamed == 0 || d.rows[n].obj != a.objNum {
		return errors.New("a mark that ends without a beginning")
	}
	if begin := d.rows[n].key; after == none || begin != after && !d.seqs.Before(begin, after) {
		return errors.New("a mark that ends before it begins")
	}
	return nil
}

func (a *applier) update(op *format.Op, now uint32) error {
	d := a.d
	switch {
	case op.Action == format.Mark:
		return errors.New("a mark that is no insert")
	case op.Action == format.Delete && (len(op.Refs) == 0 || op.Value.Type != typeNull || op.Expand || op.Mark != nil):
		return errors.New("a delete of nothing, or with a value")
	case op.Action == format.Increment && op.Value.Type != typeInt && op.Value.Type != typeUint:
		return errors.New("an increment by what is no whole number")
	}
	var key uint32
	var ok bool
	if op.Map {
		key = d.keyOf(op.Key)
	} else {
		if op.Elem, ok = a.id(op.Elem, now); !ok || op.Elem.None() {
			return errNoElement
		}
		eid, obj, ok := d.element(op.Elem)
		if !ok || obj != a.objNum {
			return errNoElement
		}
		key = eid
	}
	for i := range op.Refs {
		if op.Refs[i], ok = a.id(op.Refs[i], now); !ok {
			return errNoPred
		}
		if i > 0 && !d.less(op.Refs[i-1], op.Refs[i]) {
			return errors.New("replaced operations are not in order")
		}
		if !d.inSlot(op.Refs[i], a.objNum, key, op.Map) {
			return errNoPred
		}
	}
	if op.Action != format.Delete || len(op.Refs) > 1 || op.Map {
		if err := d.roomFor(1, 0, len(op.Value.Raw)); err != nil {
			return err
		}
	}
	d.put(a.objNum, key, op)
	return nil
}

// inSlot reports whether an operation can be replaced in that key or element.
func (d *Doc) inSlot(id opid.ID, obj, key uint32, isMap bool) bool {
	p, ok := d.find(id)
	if !ok {
		return false
	}
	switch p.kind {
	case logChars:
		return !isMap && p.obj == obj && p.at == key
	case logRows:
		r := &d.rows[p.at]
		return r.obj == obj && r.key == key && (r.flags&rowMap != 0) == isMap && r.action != format.Delete
	}
	return false
}

// commit makes the operations start, start+1, … of an actor a change.
func (d *Doc) commit(actor, start, n uint32, deps []uint32, seen clock, time int64, message string, extra []byte) uint32 {
	l := &d.logs[actor]
	row := changeRow{actor: actor, seq: uint32(len(l.changes) + 1), start: start, max: start + n - 1}
	c := d.graph.add(row, deps, time, message, extra)
	l.changes = append(l.changes, c)
	d.graph.keep(c, deps, seen)
	d.maxOp = max(d.maxOp, row.max)
	return c
}
