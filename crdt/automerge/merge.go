package automerge

import (
	"slices"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
)

// Merge applies what the other document has and this one lacks.
func (d *Doc) Merge(other *Doc) error {
	if d.Pending() > 0 || other.Pending() > 0 {
		return ErrPending
	}
	if d == other {
		return nil
	}
	lack, forked := d.lacks(other)
	if forked { // one actor wrote in two places: each change is judged by itself
		var cs []*Change
		for n := range other.graph.rows {
			cs = append(cs, other.at(uint32(n)))
		}
		return d.Apply(append(cs, other.queue...)...)
	}
	m := merger{d: d, from: other, actors: make([]uint32, len(other.actors))}
	for i, a := range other.actors {
		m.actors[i] = none
		if n, ok := d.actorNum[a]; ok {
			m.actors[i] = n
		}
	}
	for _, n := range lack {
		m.change(n)
	}
	if len(d.queue)+len(other.queue) > 0 {
		return d.Apply(other.queue...)
	}
	return nil
}

// lacks are the other's changes that this document has not got. forked is whether
// an actor made different changes here and there.
func (d *Doc) lacks(other *Doc) (rows []uint32, forked bool) {
	have := make([]uint32, len(other.actors))
	for i, a := range other.actors {
		n, ok := d.actorNum[a]
		if !ok {
			continue
		}
		mine, theirs := d.logs[n].changes, other.logs[i].changes
		have[i] = uint32(len(mine))
		if k := min(len(mine), len(theirs)); k > 0 && d.graph.hash(d, mine[k-1]) != other.graph.hash(other, theirs[k-1]) {
			return nil, true
		}
	}
	return other.arrival(have), false
}

// arrival are the changes beyond have, per actor, in the order in which the
// JavaScript release merges them, which its saved documents show: found depth
// first from the heads and turned around, then each as soon as what it depends on
// is there.
func (d *Doc) arrival(have []uint32) []uint32 {
	g := &d.graph
	lacks := func(n uint32) bool { r := &g.rows[n]; return r.seq > have[r.actor] }
	var found, deps []uint32
	seen := make([]bool, len(g.rows))
	for stack := d.sortedHeads(); len(stack) > 0; {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !seen[n] && lacks(n) {
			seen[n] = true
			found = append(found, n)
			stack = g.deps(stack, n)
		}
	}
	slices.Reverse(found)
	// waiting lists, by what is waited for: the last one to wait is first.
	type waiter struct{ n, next uint32 }
	waiters := []waiter{{}} // 0 ends a list
	first := make([]uint32, len(g.rows))
	open := make([]uint32, len(g.rows)) // deps that are not there yet
	ready := make([]uint32, 0, len(found))
	for _, n := range slices.Backward(found) {
		deps = g.deps(deps[:0], n)
		for i, dep := range deps {
			if lacks(dep) && !slices.Contains(deps[:i], dep) {
				open[n]++
				waiters = append(waiters, waiter{n, first[dep]})
				first[dep] = uint32(len(waiters) - 1)
			}
		}
	}
	for _, n := range found {
		if open[n] == 0 {
			ready = append(ready, n)
		}
	}
	for i := 0; i < len(ready); i++ {
		for w := first[ready[i]]; w != 0; w = waiters[w].next {
			if n := waiters[w].n; open[n] == 1 {
				ready = append(ready, n)
			} else {
				open[n]--
			}
		}
	}
	return ready
}

// A merger takes over changes from another document, which has checked them.
type merger struct {
	d, from *Doc
	actors  []uint32 // of the other document -> of this one, none for unknown
	obj     opid.ID  // the last object, in the other's numbers, and in this one's
	objNum  uint32
	next    opid.ID // of the next operation, in this one's numbers
	deps    []uint32
	refs    []opid.ID
}

func (m *merger) change(n uint32) {
	d, g := m.d, &m.from.graph
	r := &g.rows[n]
	if m.actors[r.actor] == none {
		m.actors[r.actor] = d.actor(m.from.actors[r.actor])
	}
	author := m.actors[r.actor]
	m.deps = g.deps(m.deps[:0], n)
	for i, dep := range m.deps { // the same change has the same seq
		t := &g.rows[dep]
		m.deps[i] = d.logs[m.actors[t.actor]].changes[t.seq-1]
	}
	seen := d.graph.before(author, m.deps)
	m.next = opid.ID{Ctr: r.start, Actor: author}
	if r.max >= r.start {
		m.from.logged(r.actor, r.start, r.max, m)
	}
	at := d.commit(author, r.start, r.max-r.start+1, m.deps, seen, g.times.at(n), g.message[n], g.extra[n])
	if h := g.known(n); h != nil && *h != (Hash{}) {
		d.graph.setHash(at, *h)
	}
}

func (m *merger) id(id opid.ID) opid.ID {
	if !id.None() {
		id.Actor = m.actors[id.Actor]
	}
	return id
}

func (m *merger) object(obj opid.ID) uint32 {
	if obj != m.obj {
		m.obj = obj
		m.objNum, _ = m.d.objectOf(m.id(obj))
	}
	return m.objNum
}

// element is the element with that id, none for the head.
func (m *merger) element(id opid.ID) uint32 {
	if id.None() {
		return none
	}
	eid, _, _ := m.d.element(m.id(id))
	return eid
}

// Chars takes over n plain characters.
func (m *merger) Chars(obj, ref, id opid.ID, text []byte, n int) {
	m.d.insertChars(m.object(obj), m.id(id), m.element(ref), text, n)
	m.next.Ctr += uint32(n)
}

// Deletes takes over n deletes of elements.
func (m *merger) Deletes(obj, target opid.ID, n, step int) {
	o := m.object(obj)
	for i := range n {
		t := m.id(target.Add(i * step))
		eid, _, _ := m.d.element(t)
		m.d.kill(o, eid, t, m.next, 1)
		m.next.Ctr++
	}
}

// Add takes over any other operation.
func (m *merger) Add(op *format.Op) {
	o := *op
	o.ID, o.Obj, o.Elem = m.id(op.ID), m.id(op.Obj), m.id(op.Elem)
	m.refs = m.refs[:0]
	for _, r := range op.Refs {
		m.refs = append(m.refs, m.id(r))
	}
	o.Refs = m.refs
	m.next.Ctr++
	obj := m.object(op.Obj)
	switch {
	case o.Insert && m.d.objects[obj].kind == format.MakeText && plain(&o):
		m.d.insertChars(obj, o.ID, m.element(op.Elem), o.Value.Raw, 1)
	case o.Insert:
		m.d.insertCell(obj, m.element(op.Elem), &o)
	case o.Map:
		m.d.put(obj, m.d.keyOf(o.Key), &o)
	default:
		m.d.put(obj, m.element(op.Elem), &o)
	}
}
