package automerge

import (
	"slices"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
	"inselnetz/crdt/automerge/internal/seq"
)

// Save is the whole document as a file: one document chunk, and the changes that
// wait for others behind it. Edits that are not committed are not in it.
func (d *Doc) Save() []byte {
	out := d.document(nil)
	for _, c := range d.queue {
		out = format.AppendChunk(out, format.ChangeChunk, c.body)
	}
	d.saved = slices.Clone(d.graph.heads)
	return out
}

// SaveIncremental is what came since the last Save, Load or SaveIncremental:
// changes to be written behind what was saved before.
func (d *Doc) SaveIncremental() []byte {
	var out []byte
	for _, n := range d.graph.after(d.saved) {
		d.body = d.appendChange(d.body[:0], n)
		out = format.AppendChunk(out, format.ChangeChunk, d.body)
	}
	d.saved = slices.Clone(d.graph.heads)
	return out
}

// SaveSince is the changes after those heads.
func (d *Doc) SaveSince(heads []Hash) ([]byte, error) {
	rows, err := d.graph.rowsOf(d, heads)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, n := range d.graph.after(rows) {
		d.body = d.appendChange(d.body[:0], n)
		out = format.AppendChunk(out, format.ChangeChunk, d.body)
	}
	return out, nil
}

// A saver writes a document chunk.
type saver struct {
	d   *Doc
	w   format.DocumentWriter
	max []uint32 // operations beyond are left out
	all bool     // none are
	ref []opid.ID
}

// document is the changes of a clock, nil for all, as a document chunk.
func (d *Doc) document(c clock) []byte { return d.documentChunk(c, false) }

// copied is the same for this program to read at once: deflating takes most of the
// time of a copy.
func (d *Doc) copied(c clock) []byte { return d.documentChunk(c, true) }

func (d *Doc) documentChunk(c clock, plain bool) []byte {
	s := saver{d: d, all: c == nil && d.Pending() == 0}
	s.w.Plain = plain
	g := &d.graph
	if c == nil {
		c = d.everything()
	}
	s.max = d.counters(c)
	table, names := d.savedActors(c)
	s.w.Reset(table)
	heads, headRows := s.changes(c)
	s.objects()
	hashes := make([]Hash, len(heads))
	for i, n := range heads {
		hashes[i] = g.hash(d, n)
	}
	body := s.w.AppendBody(nil, names, hashes, headRows)
	return format.AppendChunk(nil, format.DocumentChunk, body)
}

// everything is the clock of all changes.
func (d *Doc) everything() clock {
	c := make(clock, len(d.actors))
	for a := range c {
		c[a] = uint32(len(d.logs[a].changes))
	}
	return c
}

// savedActors numbers the actors that have a change, in the order of their bytes.
func (d *Doc) savedActors(c clock) (table []uint32, names [][]byte) {
	byRank := make([]uint32, len(d.actors))
	for a, r := range d.rank {
		byRank[r] = uint32(a)
	}
	table = make([]uint32, len(d.actors))
	for _, a := range byRank {
		if int(a) < len(c) && c[a] > 0 {
			table[a] = uint32(len(names))
			names = append(names, d.names[a])
		}
	}
	return table, names
}

// changes writes the rows of the changes; it returns the heads in the order of
// their hashes, and the rows that they have got.
func (s *saver) changes(c clock) (heads, rows []uint32) {
	d, g := s.d, &s.d.graph
	number := make([]uint32, len(g.rows))
	next := uint32(0)
	followed := make([]bool, len(g.rows))
	var deps []uint32
	for n := range g.rows {
		r := &g.rows[n]
		if int(r.actor) >= len(c) || r.seq > c[r.actor] {
			number[n] = none
			continue
		}
		number[n] = next
		next++
		row := format.ChangeRow{Actor: r.actor, Seq: uint64(r.seq), MaxOp: r.max, Time: g.times.at(uint32(n)), Extra: g.extra[uint32(n)]}
		if m, ok := g.message[uint32(n)]; ok {
			row.Message = []byte(m)
		}
		deps = g.deps(deps[:0], uint32(n))
		for i, dep := range deps {
			followed[dep] = true
			deps[i] = number[dep]
		}
		row.Deps = deps
		s.w.Change(&row)
	}
	for n := range g.rows {
		if number[n] != none && !followed[n] {
			heads = append(heads, uint32(n))
		}
	}
	slices.SortFunc(heads, func(a, b uint32) int { return compareHash(g.hash(d, a), g.hash(d, b)) })
	for _, n := range heads {
		rows = append(rows, number[n])
	}
	return heads, rows
}

func (s *saver) has(id opid.ID) bool {
	return s.all || int(id.Actor) < len(s.max) && id.Ctr <= s.max[id.Actor]
}

// objects writes all operations, object by object in the order of their ids.
func (s *saver) objects() {
	d := s.d
	for _, n := range d.objectsByID() {
		if n != 0 && !s.has(d.idOf(n)) {
			continue
		}
		o := &d.objects[n]
		if o.isMap() {
			for _, sl := range d.sorted(o) {
				s.slot(sl.head)
			}
			continue
		}
		id := d.idOf(n)
		for e := range d.seqs.Runs(o.seq) {
			if e.IsCell {
				s.slot(e.Cell)
			} else {
				s.run(id, e)
			}
		}
	}
}

// objectsByID are all objects in the order of the operations that made them.
func (d *Doc) objectsByID() []uint32 {
	order := make([]uint32, len(d.objects))
	for n := range order {
		order[n] = uint32(n)
	}
	slices.SortFunc(order, func(a, b uint32) int { return d.compare(d.idOf(a), d.idOf(b)) })
	return order
}

// slot writes the rows of a key or element.
func (s *saver) slot(head uint32) {
	d := s.d
	for n := head; n != none; n = d.rows[n].next {
		r := &d.rows[n]
		if !s.has(r.id) {
			continue
		}
		op := d.op(n)
		s.ref = d.succsOf(s.ref[:0], n)
		if !s.all {
			s.ref = slices.DeleteFunc(s.ref, func(id opid.ID) bool { return !s.has(id) })
		}
		op.Refs = s.ref
		s.w.Add(&op)
	}
}

// run writes plain characters.
func (s *saver) run(obj opid.ID, e seq.Run) {
	if !s.all { // ids ascend within a run
		if !s.has(e.ID) {
			return
		}
		if most := s.max[e.ID.Actor] - e.ID.Ctr + 1; uint32(e.N) > most {
			e.N = int(most)
			e.Text = firstPoints(e.Text, e.N)
		}
	}
	if !e.Many && (s.all || !e.Deleted || s.has(e.Del) && s.has(e.Del.Add((e.N-1)*e.Step))) {
		s.w.Chars(obj, e.ID, e.Ref, e.Text, e.N, e.Del, e.Step)
		return
	}
	for i := range e.N { // one by one
		c := firstPoints(e.Text, 1)
		e.Text = e.Text[len(c):]
		op := format.Op{ID: e.ID.Add(i), Obj: obj, Elem: e.Ref, Insert: true, Action: format.Set, Value: format.Value{Type: typeStr, Raw: c}}
		if i > 0 {
			op.Elem = e.ID.Add(i - 1)
		}
		s.ref = s.ref[:0]
		if e.Deleted {
			s.ref = append(s.ref, e.Del.Add(i*e.Step))
			if e.Many {
				s.ref = append(s.ref, s.d.seqs.More(e.Eid+uint32(i))...)
				slices.SortFunc(s.ref, s.d.compare)
			}
			if !s.all {
				s.ref = slices.DeleteFunc(s.ref, func(id opid.ID) bool { return !s.has(id) })
			}
		}
		op.Refs = s.ref
		s.w.Add(&op)
	}
}
