package automerge

import (
	"slices"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
)

func (d *Doc) loadChanges(doc *format.Document) error {
	g := &d.graph
	g.addMany(doc.NumChanges)
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
	g.settle()
	if len(g.heads) != len(doc.Heads) {
		return damaged("%d heads, but %d are named", len(g.heads), len(doc.Heads))
	}
	for i := range d.logs {
		d.logs[i].changes = slices.Clip(d.logs[i].changes)
	}
	return nil
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
