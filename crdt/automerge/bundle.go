package automerge

import (
	"slices"
	"sort"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
	"inselnetz/crdt/automerge/internal/seq"
)

// SaveBundle is the changes with those hashes as one bundle, a chunk that
// LoadIncremental takes. It is shorter than the changes one by one; releases
// before 2025 cannot read it.
func (d *Doc) SaveBundle(hashes []Hash) ([]byte, error) {
	if d.Pending() > 0 {
		return nil, ErrPending
	}
	rows, err := d.graph.rowsOf(d, hashes)
	if err != nil {
		return nil, err
	}
	slices.Sort(rows)
	b := bundler{d: d, rows: slices.Compact(rows), at: map[uint32]uint32{}}
	for i, n := range b.rows {
		b.at[n] = uint32(i)
	}
	table, names := b.actors()
	b.w.Reset(table)
	deps := b.changes()
	b.each(b.w.Add)
	return format.AppendChunk(nil, format.BundleChunk, b.w.AppendBody(nil, names, deps)), nil
}

// A bundler writes a bundle.
type bundler struct {
	d    *Doc
	rows []uint32          // changes, in the order of application
	at   map[uint32]uint32 // their places in the bundle
	w    format.BundleWriter
	dels []opid.ID // of a key or element
}

// actors numbers the actors that the changes name, in the order of their bytes.
func (b *bundler) actors() (table []uint32, names [][]byte) {
	d := b.d
	used := make([]bool, len(d.actors))
	see := func(id opid.ID) {
		if !id.None() {
			used[id.Actor] = true
		}
	}
	for _, n := range b.rows {
		used[d.graph.rows[n].actor] = true
	}
	b.each(func(op *format.Op) {
		see(op.Obj)
		see(op.Elem)
		for _, id := range op.Refs {
			see(id)
		}
	})
	byRank := make([]uint32, len(d.actors))
	for a, r := range d.rank {
		byRank[r] = uint32(a)
	}
	table = make([]uint32, len(d.actors))
	for _, a := range byRank {
		if used[a] {
			table[a] = uint32(len(names))
			names = append(names, d.names[a])
		}
	}
	return table, names
}

// changes writes the changes and returns the hashes that they depend on besides.
func (b *bundler) changes() (outside []Hash) {
	d, g := b.d, &b.d.graph
	place := map[uint32]uint32{}
	var deps []uint32
	for _, n := range b.rows {
		r := &g.rows[n]
		deps = g.deps(deps[:0], n)
		for i, dep := range deps {
			at, ok := b.at[dep]
			if !ok {
				if at, ok = place[dep]; !ok {
					at = uint32(len(b.rows) + len(outside))
					place[dep], outside = at, append(outside, g.hash(d, dep))
				}
			}
			deps[i] = at
		}
		b.w.Change(&format.ChangeRow{
			Actor: r.actor, Seq: uint64(r.seq), StartOp: r.start, MaxOp: r.max,
			Time: g.times.at(n), Message: []byte(g.message[n]), Deps: deps, Extra: g.extra[n],
		})
	}
	return outside
}

// has reports whether an operation belongs to one of the changes.
func (b *bundler) has(id opid.ID) bool {
	d := b.d
	changes := d.logs[id.Actor].changes
	i := sort.Search(len(changes), func(i int) bool { return d.graph.rows[changes[i]].max >= id.Ctr })
	if i == len(changes) {
		return false
	}
	_, ok := b.at[changes[i]]
	return ok
}

// each calls f with every operation of the changes, with its preds: objects by
// their ids, keys and elements in their order, deletes behind what they delete.
// op is good until f returns.
func (b *bundler) each(f func(op *format.Op)) {
	d := b.d
	for _, n := range d.objectsByID() {
		o := &d.objects[n]
		if o.isMap() {
			for _, sl := range d.sorted(o) {
				b.slot(sl.head, f)
			}
			continue
		}
		for e := range d.seqs.Runs(o.seq) {
			if e.IsCell {
				b.slot(e.Cell, f)
			} else {
				b.run(n, e, f)
			}
		}
	}
}

// slot gives the operations of a key or element.
func (b *bundler) slot(head uint32, f func(op *format.Op)) {
	d := b.d
	b.dels = b.dels[:0]
	for n := head; n != none; n = d.rows[n].next {
		b.dels = d.succsOf(b.dels, n)
	}
	for n := head; n != none; n = d.rows[n].next {
		id := d.rows[n].id
		b.dels = slices.DeleteFunc(b.dels, func(by opid.ID) bool { return by == id })
		if b.has(id) {
			op := d.op(n)
			f(&op)
		}
	}
	b.deletes(f)
}

// deletes gives the deletes in b.dels, each once.
func (b *bundler) deletes(f func(op *format.Op)) {
	d := b.d
	slices.SortFunc(b.dels, d.compare)
	b.dels = slices.Compact(b.dels)
	for _, by := range b.dels {
		if !b.has(by) {
			continue
		}
		p, _ := d.find(by)
		if p.kind == logRows {
			op := d.op(p.at)
			f(&op)
			continue
		}
		f(&format.Op{ID: by, Obj: d.idOf(p.obj), Elem: p.target, Action: format.Delete, Refs: []opid.ID{p.target}})
	}
}

// run gives plain characters.
func (b *bundler) run(obj uint32, e seq.Run, f func(op *format.Op)) {
	d := b.d
	id := d.idOf(obj)
	for i := range e.N {
		c := firstPoints(e.Text, 1)
		e.Text = e.Text[len(c):]
		op := format.Op{ID: e.ID.Add(i), Obj: id, Elem: e.Ref, Insert: true, Action: format.Set, Value: format.Value{Type: typeStr, Raw: c}}
		if i > 0 {
			op.Elem = e.ID.Add(i - 1)
		}
		if b.has(op.ID) {
			f(&op)
		}
		if e.Deleted {
			b.dels = append(b.dels[:0], e.Del.Add(i*e.Step))
			if e.Many {
				b.dels = append(b.dels, d.seqs.More(e.Eid+uint32(i))...)
			}
			b.deletes(f)
		}
	}
}
