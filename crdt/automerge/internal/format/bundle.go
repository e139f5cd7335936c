package format

import (
	"cmp"
	"slices"

	"inselnetz/crdt/automerge/internal/opid"
)

// A Bundle is some changes, in columns together: what the reference calls an
// experimental chunk.
type Bundle struct {
	Deps               []Hash   // of changes not in the bundle
	Actors             [][]byte // ascending
	NumChanges, NumOps int

	changes, ops columns
	lim          Limits
}

// ParseBundle reads a bundle's body: hashes it depends on, actors, table and
// data of the changes' columns, table and data of the operations'.
func ParseBundle(body []byte, l *Limits) (*Bundle, error) {
	b := &Bundle{lim: l.For(len(body))}
	lim := b.lim
	r := reader{b: body}
	b.Deps = r.hashes("dependencies")
	b.Actors = r.actors(&b.lim, "actors")
	var in inflater
	budget := b.lim.Inflated
	b.changes = r.columnMeta()
	r.columnData(b.changes, bundleHistoryColumn, &in, &budget)
	b.ops = r.columnMeta()
	r.columnData(b.ops, bundleColumn, &in, &budget)
	if len(r.b) > 0 {
		r.fail("%d bytes after the end of the bundle", len(r.b))
	}
	if r.err != nil {
		return nil, r.err
	}
	if err := ascend(b.Actors, nil); err != nil {
		return nil, err
	}
	var f failure
	actors := newRuns(b.changes.get(specActor), "actor", unsigned, false, &f)
	if b.NumChanges = actors.rows(b.lim.Changes); f.err != nil {
		return nil, f.err
	}
	var err error
	lim.Ops = b.lim.Rows // all of them are held at once
	b.NumOps, err = countOps(b.ops, &lim)
	return b, err
}

// bundleHistoryColumn reports whether s is a column of the changes in bundles.
func bundleHistoryColumn(s spec) bool {
	switch s {
	case specActor, specSeq, specBundleStart, specBundleMax, specBundleTime, specBundleMessage,
		specBundleDepNum, specBundleDep, specBundleExtraLen, specBundleExtra:
		return true
	}
	return false
}

// bundleColumn reports whether s is a column of operations in bundles.
func bundleColumn(s spec) bool {
	switch s {
	case specObjDelta, specIDActor, specIDCtr, specPlace:
		return true
	case specObjCtr:
		return false
	}
	return changeColumn(s)
}

// rows reads the operations, with their references in memory of their own.
func (b *Bundle) rows() ([]Op, error) {
	var r OpReader
	r.init(b.ops, inBundle, b.NumOps, len(b.Actors), &b.lim)
	var ops []Op // grows as rows prove to be there
	var op Op
	var refs []opid.ID
	for r.Next(&op) {
		n := len(refs)
		refs = append(refs, op.Refs...)
		op.Refs = refs[n:len(refs):len(refs)]
		ops = append(ops, op)
	}
	return ops, r.Err()
}

// places reads which row holds each operation, in the order of actors, then
// counters. Bundles of an earlier form have a column of counters instead.
func (b *Bundle) places(ops []Op) ([]uint32, error) {
	var f failure
	if col := b.ops.get(specPlace); len(col) > 0 {
		places := make([]uint32, 0, len(ops))
		seen := make([]bool, len(ops))
		c := newRuns(col, "place", signed, false, &f)
		for range ops {
			if !c.delta() || c.sum < 0 || c.sum >= int64(len(ops)) || seen[c.sum] {
				c.refuse("place %d of %d", c.sum, len(ops))
				return nil, f.err
			}
			seen[c.sum] = true
			places = append(places, uint32(c.sum))
		}
		c.done()
		return places, f.err
	}
	c := newRuns(b.ops.get(specIDCtr), "id counter", signed, false, &f)
	places := make([]uint32, 0, len(ops))
	for i := range ops {
		if !c.delta() || c.sum < 1 || c.sum > MaxCounter {
			c.refuse("counter %d", c.sum)
			return nil, f.err
		}
		ops[i].ID.Ctr = uint32(c.sum)
		places = append(places, uint32(i))
	}
	c.done()
	slices.SortStableFunc(places, func(x, y uint32) int { return byActor(ops[x].ID, ops[y].ID) })
	return places, f.err
}

// changeRows reads the changes, with everything in memory of its own.
func (b *Bundle) changeRows() ([]ChangeRow, error) {
	var r ChangeReader
	r.init(b.changes, inBundle, b.NumChanges, len(b.Actors), len(b.Deps), &b.lim)
	var rows []ChangeRow
	var row ChangeRow
	for r.Next(&row) {
		row.Deps = slices.Clone(row.Deps)
		rows = append(rows, row)
	}
	return rows, r.Err()
}

// Bodies writes the bundle's changes one by one, in its order, which is one
// where dependencies come first. They are canonical; nothing else about them
// has been checked.
func (b *Bundle) Bodies() ([][]byte, error) {
	rows, err := b.changeRows()
	if err != nil {
		return nil, err
	}
	ops, err := b.rows()
	if err != nil {
		return nil, err
	}
	places, err := b.places(ops)
	if err != nil {
		return nil, err
	}
	first, err := b.share(rows, ops, places)
	if err != nil {
		return nil, err
	}
	rank := make([]uint32, len(b.Actors))
	for i := range rank {
		rank[i] = uint32(i)
	}
	var w ChangeWriter
	bodies, hashes := make([][]byte, 0, len(rows)), make([]Hash, 0, len(rows))
	budget := b.lim.Inflated
	for i, row := range rows {
		h := Change{Seq: row.Seq, StartOp: row.StartOp, Time: row.Time, Message: string(row.Message), Extra: row.Extra}
		for _, d := range row.Deps {
			if int(d) < len(hashes) {
				h.Deps = append(h.Deps, hashes[d])
			} else {
				h.Deps = append(h.Deps, b.Deps[int(d)-len(rows)])
			}
		}
		w.Reset(row.Actor, rank)
		for j := range int(row.MaxOp - row.StartOp + 1) {
			w.Add(&ops[places[first[i]+j]])
		}
		body := w.AppendBody(nil, &h, b.Actors)
		if budget -= len(body); budget < 0 {
			return nil, beyond("bytes of changes", uint64(b.lim.Inflated-budget), uint64(b.lim.Inflated))
		}
		bodies = append(bodies, body)
		hashes = append(hashes, HashOf(ChangeChunk, body))
	}
	return bodies, nil
}

// share gives each change its operations: first[i] is where those of change i
// begin in places. Changes of an actor take them in the order of their seq.
func (b *Bundle) share(rows []ChangeRow, ops []Op, places []uint32) (first []int, err error) {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int {
		return cmp.Or(cmp.Compare(rows[x].Actor, rows[y].Actor), cmp.Compare(rows[x].Seq, rows[y].Seq))
	})
	first = make([]int, len(rows))
	at := 0
	for _, i := range order {
		row := &rows[i]
		first[i] = at
		if n := row.MaxOp - row.StartOp + 1; uint64(n) > uint64(len(places)-at) {
			return nil, malformed("change %d has %d operations, %d are left", i, n, len(places)-at)
		}
		n := int(row.MaxOp - row.StartOp + 1)
		for j := range n {
			op := &ops[places[at+j]]
			ctr := row.StartOp + uint32(j)
			if op.ID.Actor != row.Actor || op.ID.Ctr != 0 && op.ID.Ctr != ctr {
				return nil, malformed("change %d has operations of another", i)
			}
		}
		at += n
	}
	if at != len(places) {
		return nil, malformed("%d operations belong to no change", len(places)-at)
	}
	return first, nil
}

// A BundleWriter encodes bundles. Its zero value must be Reset.
type BundleWriter struct {
	opEncoder
	table  []uint32
	places []opid.ID // of the rows

	actor, depNum, extraLen runEncoder
	message                 runEncoder
	seq, start, maxOp       deltaEncoder
	time, dep               deltaEncoder
	extra                   []byte
}

// Reset begins a bundle. table[a] is the place of the caller's actor a among
// the actors of the bundle.
func (w *BundleWriter) Reset(table []uint32) {
	w.opEncoder.reset(len(table))
	w.table, w.places = table, w.places[:0]
	for _, c := range []*runEncoder{&w.actor, &w.depNum, &w.extraLen, &w.message} {
		c.reset()
	}
	for _, d := range []*deltaEncoder{&w.seq, &w.start, &w.maxOp, &w.time, &w.dep} {
		d.reset()
		d.kind = signed
	}
	w.message.kind = text
	w.extra = w.extra[:0]
}

// Change adds a change, dependencies before those that have them. Deps are rows
// of the bundle, or the number of all its changes plus the index of a hash.
func (w *BundleWriter) Change(row *ChangeRow) {
	w.actor.put(int64(w.table[row.Actor]))
	w.seq.put(int64(row.Seq))
	w.start.put(int64(row.StartOp))
	w.maxOp.put(int64(row.MaxOp))
	w.time.put(row.Time)
	if len(row.Message) > 0 {
		w.message.text(row.Message)
	} else {
		w.message.null(1)
	}
	w.depNum.put(int64(len(row.Deps)))
	for _, d := range row.Deps {
		w.dep.put(int64(d))
	}
	w.extraLen.put(int64(len(row.Extra)))
	w.extra = append(w.extra, row.Extra...)
}

// Add adds an operation, Refs being its predecessors. The reference puts them in
// the order of a document, each delete behind what it deletes; no reader needs
// that, but columns in that order are the shortest.
func (w *BundleWriter) Add(op *Op) {
	w.names(&w.idActor, op.ID.Actor, 1)
	w.objectDelta(op.Obj)
	w.add(op)
	w.places = append(w.places, opid.ID{Ctr: op.ID.Ctr, Actor: w.table[op.ID.Actor]})
}

// AppendBody appends the bundle's body; deps are the changes outside of it.
func (w *BundleWriter) AppendBody(dst []byte, actors [][]byte, deps []Hash) []byte {
	dst = appendU(dst, uint64(len(deps)))
	for i := range deps {
		dst = append(dst, deps[i][:]...)
	}
	dst = appendU(dst, uint64(len(actors)))
	for _, a := range actors {
		dst = appendBytes(dst, a)
	}
	var d deflater
	cs, ops := table{deflater: &d}, table{deflater: &d}
	cs.add(specActor, w.actor.finish())
	cs.add(specSeq, w.seq.finish())
	cs.add(specBundleStart, w.start.finish())
	cs.add(specBundleMax, w.maxOp.finish())
	cs.add(specBundleTime, w.time.finish())
	w.message.some = true // this column stands even if nobody said anything
	cs.add(specBundleMessage, w.message.finish())
	cs.add(specBundleDepNum, w.depNum.finish())
	cs.add(specBundleDep, w.dep.finish())
	cs.add(specBundleExtraLen, w.extraLen.finish())
	cs.add(specBundleExtra, w.extra)
	w.columns(&ops, inBundle, w.table)
	order := make([]int, len(w.places))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return byActor(w.places[x], w.places[y]) })
	places := deltaEncoder{runEncoder: runEncoder{kind: signed}}
	for _, i := range order {
		places.put(int64(i))
	}
	ops.add(specPlace, places.finish())
	dst = append(cs.appendMeta(dst), cs.data...)
	return append(ops.appendMeta(dst), ops.data...)
}

// byActor orders ids by actor, then counter.
func byActor(a, b opid.ID) int {
	return cmp.Or(cmp.Compare(a.Actor, b.Actor), cmp.Compare(a.Ctr, b.Ctr))
}
