package automerge

import (
	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
)

// hashOf works out the hash of a change whose deps have theirs.
func (d *Doc) hashOf(n uint32) Hash {
	d.body = d.appendChange(d.body[:0], n)
	return format.HashOf(format.ChangeChunk, d.body)
}

// appendChange appends the body of a change, from the log.
func (d *Doc) appendChange(to []byte, n uint32) []byte {
	r := &d.graph.rows[n]
	h := format.Change{Seq: uint64(r.seq), StartOp: r.start, Time: d.graph.times.at(n)}
	if r.dep != none { // working out a hash uses all that is reused here
		d.graph.hash(d, r.dep)
		for _, dep := range d.graph.more[n] {
			d.graph.hash(d, dep)
		}
	}
	d.deps = d.graph.deps(d.deps[:0], n)
	d.hashes = d.hashes[:0]
	for _, dep := range d.deps {
		d.hashes = append(d.hashes, *d.graph.known(dep))
	}
	h.Deps = d.hashes
	if len(d.graph.message) > 0 {
		h.Message = d.graph.message[n]
	}
	if len(d.graph.extra) > 0 {
		h.Extra = d.graph.extra[n]
	}
	w := &d.change
	w.Reset(r.actor, d.rank)
	if r.max >= r.start {
		d.logged(r.actor, r.start, r.max, w)
	}
	return w.AppendBody(to, &h, d.names)
}

// operations takes operations in the numbers of the document that they are in: a
// [format.ChangeWriter], or another document in a merge.
type operations interface {
	Add(op *format.Op)
	Chars(obj, ref, id opid.ID, text []byte, n int)
	Deletes(obj, target opid.ID, n, step int)
}

// logged writes an actor's operations with those counters.
func (d *Doc) logged(actor, from, to uint32, w operations) {
	l := &d.logs[actor]
	for i := l.from(from); i < len(l.runs) && l.runs[i].ctr <= to; i++ {
		r := &l.runs[i]
		k := max(from, r.ctr) - r.ctr
		n := min(to-r.ctr, r.n-1) + 1 - k
		id := opid.ID{Ctr: r.ctr + k, Actor: actor}
		switch r.kind {
		case logChars:
			d.loggedChars(r, k, n, id, w)
		case logKills:
			p := r.place(k)
			w.Deletes(d.idOf(r.obj), p.target, int(n), int(r.step))
		case logRows:
			for j := range n {
				op := d.op(r.at + k + j)
				w.Add(&op)
			}
		}
	}
}

func (d *Doc) loggedChars(r *logRun, k, n uint32, id opid.ID, w operations) {
	obj := d.idOf(r.obj)
	for n > 0 {
		e := d.seqs.Elem(r.at + k)
		if e.IsCell {
			op := d.op(e.Cell)
			w.Add(&op)
			e.N = 1
		} else {
			text := e.Text
			if e.N > int(n) {
				e.N = int(n)
				text = firstPoints(text, e.N)
			}
			w.Chars(obj, e.Ref, id, text, e.N)
		}
		k, n, id = k+uint32(e.N), n-uint32(e.N), id.Add(e.N)
	}
}

// firstPoints is the first n code points.
func firstPoints(b []byte, n int) []byte {
	i := 0
	for ; n > 0; n-- {
		for i++; i < len(b) && b[i]&0xc0 == 0x80; i++ {
		}
	}
	return b[:i]
}

// op is the operation of a row, with its preds; good until the next call.
func (d *Doc) op(n uint32) format.Op {
	r := &d.rows[n]
	op := format.Op{
		ID: r.id, Obj: d.idOf(r.obj), Map: r.flags&rowMap != 0, Insert: r.flags&rowInsert != 0, Expand: r.flags&rowExpand != 0,
		Action: r.action, Value: format.Value{Type: r.typ, Raw: d.raw(r)},
	}
	if r.flags&rowNamed != 0 {
		d.markName = append(d.markName[:0], d.keys[r.sub]...)
		op.Mark = d.markName
	}
	switch {
	case op.Map:
		d.keyName = append(d.keyName[:0], d.keys[r.key]...)
		op.Key = d.keyName
	case op.Insert:
		op.Elem = d.seqs.Elem(r.key).Ref
	default:
		op.Elem = d.seqs.Elem(r.key).ID
	}
	d.refs = d.predsOf(d.refs[:0], n)
	op.Refs = d.refs
	return op
}

// at is a change with its bytes.
func (d *Doc) at(n uint32) *Change {
	body := d.appendChange(nil, n)
	c, err := format.ParseChange(body, &unlimited)
	if err != nil {
		panic("automerge: own change does not parse: " + err.Error()) // a mistake of this package
	}
	return &Change{c: c, hash: d.graph.hash(d, n), body: body}
}

// ChangeBy is the seq-th change of an actor, from 1.
func (d *Doc) ChangeBy(actor ActorID, seq uint64) (*Change, bool) {
	n, ok := d.actorNum[actor]
	if !ok || seq == 0 || seq > uint64(len(d.logs[n].changes)) {
		return nil, false
	}
	return d.at(d.logs[n].changes[seq-1]), true
}

// NextSeq is the number of the next change that an actor makes, from 1.
func (d *Doc) NextSeq(actor ActorID) uint64 {
	n, ok := d.actorNum[actor]
	if !ok {
		return 1
	}
	return uint64(len(d.logs[n].changes)) + 1
}

// Change is the change with that hash.
func (d *Doc) Change(h Hash) (*Change, bool) {
	n, ok := d.graph.lookup(d, h)
	if !ok {
		return nil, false
	}
	return d.at(n), true
}

// Changes are those that are neither among the changes with those hashes nor
// what they depend on, in the order of application. nil gives all.
func (d *Doc) Changes(since []Hash) ([]*Change, error) {
	rows, err := d.graph.rowsOf(d, since)
	if err != nil {
		return nil, err
	}
	var out []*Change
	for _, n := range d.graph.after(rows) {
		out = append(out, d.at(n))
	}
	return out, nil
}

// after are the changes that the given ones do not know, in the order of
// application.
func (g *graph) after(rows []uint32) []uint32 {
	c := g.clock(rows)
	left := 0
	for a, seq := range g.last {
		left += int(seq)
		if a < len(c) {
			left -= int(c[a])
		}
	}
	out := make([]uint32, left)
	for n := len(g.rows) - 1; left > 0; n-- { // mostly they are the last ones
		if r := &g.rows[n]; int(r.actor) >= len(c) || c[r.actor] < r.seq {
			left--
			out[left] = uint32(n)
		}
	}
	return out
}
