package format

import (
	"bytes"

	"inselnetz/crdt/automerge/internal/opid"
)

// A Document is the head of a document and where its changes and operations are.
type Document struct {
	Actors             [][]byte // ascending
	Heads              []Hash   // ascending
	HeadRows           []uint32 // index of each head's change; nil if the writer left them out
	NumChanges, NumOps int

	changes, ops columns
	lim          Limits
}

// ParseDocument reads a document's body: actors, heads, table of the changes'
// columns, that of the operations', the data of both, index of each head's
// change. Columns we do not know are left out, as the reference does; if a
// hash depends on them, comparing it shows. Inflated columns are new memory,
// others part of body.
func ParseDocument(body []byte, lim *Limits) (*Document, error) {
	d := &Document{lim: lim.For(len(body))}
	r := reader{b: body}
	d.Actors = r.actors(&d.lim, "actors")
	d.Heads = r.hashes("heads")
	d.changes, d.ops = r.columnMeta(), r.columnMeta()
	var in inflater
	budget := d.lim.Inflated
	r.columnData(d.changes, historyColumn, &in, &budget)
	r.columnData(d.ops, documentColumn, &in, &budget)
	if r.err == nil && len(r.b) > 0 {
		d.HeadRows = make([]uint32, len(d.Heads))
		for i := range d.HeadRows {
			d.HeadRows[i] = uint32(min(r.uint("index of a head's change"), MaxCounter))
		}
		if len(r.b) > 0 {
			r.fail("%d bytes after the end of the document", len(r.b))
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if err := ascend(d.Actors, d.Heads); err != nil {
		return nil, err
	}
	var f failure
	actors := newRuns(d.changes.get(specActor), "actor", unsigned, false, &f)
	if d.NumChanges = actors.rows(d.lim.Changes); f.err != nil {
		return nil, f.err
	}
	var err error
	d.NumOps, err = countOps(d.ops, &d.lim)
	return d, err
}

// historyColumn reports whether s is a column of the changes in documents.
func historyColumn(s spec) bool {
	switch s {
	case specActor, specSeq, specMaxOp, specTime, specMessage, specDepNum, specDep, specExtraMeta, specExtra:
		return true
	}
	return false
}

// documentColumn reports whether s is a column of operations in documents.
func documentColumn(s spec) bool {
	switch s {
	case specPredNum, specPredActor, specPredCtr:
		return false
	case specIDActor, specIDCtr, specSuccNum, specSuccActor, specSuccCtr:
		return true
	}
	return changeColumn(s)
}

func ascend(actors [][]byte, heads []Hash) error {
	for i := 1; i < len(actors); i++ {
		if bytes.Compare(actors[i-1], actors[i]) >= 0 {
			return malformed("actors do not ascend")
		}
	}
	for i := 1; i < len(heads); i++ {
		if bytes.Compare(heads[i-1][:], heads[i][:]) >= 0 {
			return malformed("heads do not ascend")
		}
	}
	return nil
}

// Ops sets r to the document's operations, in the document's order.
func (d *Document) Ops(r *OpReader) {
	r.init(d.ops, inDocument, d.NumOps, len(d.Actors), &d.lim)
}

// Changes sets r to the document's changes, in the order they were applied by
// whom wrote it.
func (d *Document) Changes(r *ChangeReader) {
	r.init(d.changes, inDocument, d.NumChanges, len(d.Actors), 0, &d.lim)
}

// A ChangeRow is a change without its operations.
type ChangeRow struct {
	Actor   uint32 // index into the chunk's actors
	Seq     uint64
	StartOp uint32   // in bundles; in documents it follows from the operations
	MaxOp   uint32   // counter of the last operation, one less than the first if there is none
	Time    int64    // seconds since 1970
	Message []byte   // nil is none
	Deps    []uint32 // earlier rows; in bundles those from NumChanges on are external. Valid until the next row
	Extra   []byte
}

// A ChangeReader walks the changes of a document or a bundle. It checks that
// each author's changes are numbered from 1 on without gap in documents, that
// dependencies stand before, and that every actor has a change.
type ChangeReader struct {
	failure   failure
	rows, row int
	external  int // hashes a bundle's dependencies may name
	refsLeft  int
	home      home
	seqs      []uint64 // of each actor's last change
	maxOps    []uint32
	raw       []byte
	deps      []uint32

	actor, seq, start, maxOp, time, message, depNum, dep, meta runs
}

func (r *ChangeReader) init(cs columns, h home, rows, actors, external int, lim *Limits) {
	*r = ChangeReader{
		home: h, rows: rows, external: external, refsLeft: lim.Refs, deps: r.deps[:0],
		seqs: make([]uint64, actors), maxOps: make([]uint32, actors),
	}
	f := &r.failure
	col := func(document, bundle spec, name string, k kind) runs {
		s := document
		if h == inBundle {
			s = bundle
		}
		return newRuns(cs.get(s), name, k, false, f)
	}
	r.actor = col(specActor, specActor, "actor", unsigned)
	r.seq = col(specSeq, specSeq, "seq", signed)
	if h == inBundle {
		r.start = newRuns(cs.get(specBundleStart), "start", signed, false, f)
	}
	r.maxOp = col(specMaxOp, specBundleMax, "last operation", signed)
	r.time = col(specTime, specBundleTime, "time", signed)
	r.message = col(specMessage, specBundleMessage, "message", text)
	r.message.maxLen = lim.Key
	r.depNum = col(specDepNum, specBundleDepNum, "number of dependencies", unsigned)
	r.dep = col(specDep, specBundleDep, "dependency", signed)
	r.meta = col(specExtraMeta, specBundleExtraLen, "length of extra bytes", unsigned)
	if h == inBundle {
		r.raw = cs.get(specBundleExtra)
	} else {
		r.raw = cs.get(specExtra)
	}
}

// Err is why Next returned false, nil at a proper end.
func (r *ChangeReader) Err() error { return r.failure.err }

func (r *ChangeReader) refuse(text string, args ...any) {
	r.failure.set(malformed("change %d: "+text, append([]any{r.row}, args...)...))
}

// Next reads the next change into row and reports whether there was one.
// Message and Extra point into the chunk, Deps into r.
func (r *ChangeReader) Next(row *ChangeRow) bool {
	if r.row == r.rows {
		r.finish()
		return false
	}
	if !r.actor.next() || r.actor.val >= uint64(len(r.seqs)) {
		r.refuse("actor %d of %d", r.actor.val, len(r.seqs))
	} else {
		row.Actor = uint32(r.actor.val)
		r.counters(row)
	}
	row.Time, row.Message = 0, nil
	if r.time.delta() {
		row.Time = r.time.sum
	}
	if r.message.next() {
		row.Message = r.message.str
	}
	r.readDeps(row)
	r.readExtra(row)
	if r.failure.err != nil {
		r.rows = r.row
		return false
	}
	r.row++
	return true
}

// counters reads seq, start and last operation.
func (r *ChangeReader) counters(row *ChangeRow) {
	hasSeq, hasMax := r.seq.delta(), r.maxOp.delta()
	seq, maxOp := r.seq.sum, r.maxOp.sum
	if !hasSeq || !hasMax || seq < 1 || seq > MaxCounter || maxOp < 0 || maxOp > MaxCounter {
		r.refuse("seq %d, last operation %d", seq, maxOp)
		return
	}
	row.Seq, row.MaxOp = uint64(seq), uint32(maxOp)
	if r.home == inBundle {
		if !r.start.delta() || r.start.sum < 1 || r.start.sum > maxOp+1 || r.start.sum > MaxCounter {
			r.refuse("operations from %d to %d", r.start.sum, maxOp)
			return
		}
		row.StartOp = uint32(r.start.sum)
	} else if last := &r.seqs[row.Actor]; row.Seq != *last+1 || row.MaxOp < r.maxOps[row.Actor] {
		r.refuse("seq %d up to operation %d after seq %d up to %d", row.Seq, row.MaxOp, *last, r.maxOps[row.Actor])
	}
	r.seqs[row.Actor], r.maxOps[row.Actor] = row.Seq, row.MaxOp
}

func (r *ChangeReader) readDeps(row *ChangeRow) {
	row.Deps, r.deps = nil, r.deps[:0]
	if !r.depNum.next() {
		r.refuse("no number of dependencies")
		return
	}
	n := r.depNum.val
	if n > uint64(r.refsLeft) {
		r.failure.set(beyond("dependencies", n, uint64(r.refsLeft)))
		return
	}
	r.refsLeft -= int(n)
	for range n {
		if !r.dep.delta() {
			r.refuse("no dependency")
			return
		}
		d := r.dep.sum
		inside := d >= 0 && d < int64(r.row)
		outside := r.home == inBundle && d >= int64(r.rows) && d < int64(r.rows+r.external)
		if !inside && !outside {
			r.refuse("depends on change %d", d)
			return
		}
		r.deps = append(r.deps, uint32(d))
	}
	row.Deps = r.deps
}

// readExtra reads the bytes after the change's columns. Documents of old
// writers do not have them.
func (r *ChangeReader) readExtra(row *ChangeRow) {
	row.Extra = nil
	n := uint64(0)
	if r.meta.next() {
		n = r.meta.val
		if r.home == inDocument {
			if n&15 != uint64(Bytes) {
				r.refuse("extra bytes of type %d", n&15)
				return
			}
			n >>= 4
		}
	}
	if n > uint64(len(r.raw)) {
		r.refuse("%d extra bytes, %d left", n, len(r.raw))
		return
	}
	row.Extra, r.raw = r.raw[:n:n], r.raw[n:]
}

func (r *ChangeReader) finish() {
	for _, c := range []*runs{&r.actor, &r.seq, &r.start, &r.maxOp, &r.time, &r.message, &r.depNum, &r.dep, &r.meta} {
		c.done()
	}
	if len(r.raw) > 0 {
		r.refuse("%d bytes after the last extra ones", len(r.raw))
	}
	for a, seq := range r.seqs {
		if seq == 0 && r.home == inDocument {
			r.refuse("actor %d has no change", a)
		}
	}
	r.raw = nil
}

// A DocumentWriter encodes documents. Its zero value must be Reset; it may be
// used for many in turn.
type DocumentWriter struct {
	opEncoder
	table []uint32

	actor, depNum, meta runEncoder
	seq, maxOp          deltaEncoder
	time, dep           deltaEncoder
	message             runEncoder
	extra               []byte
	deflater            deflater

	Plain bool // columns are not deflated: for reading it again at once
}

// Reset begins a document. table[a] is the place of the caller's actor a among
// the actors of the document.
func (w *DocumentWriter) Reset(table []uint32) {
	w.opEncoder.reset(len(table))
	w.table = table
	for _, c := range []*runEncoder{&w.actor, &w.depNum, &w.meta, &w.message} {
		c.reset()
	}
	for _, d := range []*deltaEncoder{&w.seq, &w.maxOp, &w.time, &w.dep} {
		d.reset()
		d.kind = signed
	}
	w.message.kind = text
	w.extra = w.extra[:0]
}

// Change adds a change; its Actor is one of the caller's.
func (w *DocumentWriter) Change(row *ChangeRow) {
	w.actor.put(int64(w.table[row.Actor]))
	w.seq.put(int64(row.Seq))
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
	w.meta.put(int64(len(row.Extra))<<4 | int64(Bytes))
	w.extra = append(w.extra, row.Extra...)
}

// Add adds an operation, Refs being its successors.
func (w *DocumentWriter) Add(op *Op) {
	w.names(&w.idActor, op.ID.Actor, 1)
	w.idCtr.put(int64(op.ID.Ctr))
	w.add(op)
}

// Chars adds n inserts of characters, as ChangeWriter.Chars does. If del names
// an operation, it deletes the first of them, and del+step, del+2·step and so on
// the others.
func (w *DocumentWriter) Chars(obj, id, ref opid.ID, text []byte, n int, del opid.ID, step int) {
	if n <= 0 {
		return
	}
	w.names(&w.idActor, id.Actor, n)
	w.idCtr.series(int64(id.Ctr), n, 1)
	w.chars(obj, ref, id, text, n)
	if del.None() {
		w.refNum.putN(0, n)
		return
	}
	w.refNum.putN(1, n)
	w.names(&w.refActor, del.Actor, n)
	w.refCtr.series(int64(del.Ctr), n, step)
}

// AppendBody appends the document's body. actors are those of the document;
// headRows are the rows of heads, in the same order.
func (w *DocumentWriter) AppendBody(dst []byte, actors [][]byte, heads []Hash, headRows []uint32) []byte {
	dst = appendU(dst, uint64(len(actors)))
	for _, a := range actors {
		dst = appendBytes(dst, a)
	}
	dst = appendU(dst, uint64(len(heads)))
	for i := range heads {
		dst = append(dst, heads[i][:]...)
	}
	by := &w.deflater
	if w.Plain {
		by = nil
	}
	cs, ops := table{deflater: by}, table{deflater: by}
	cs.add(specActor, w.actor.finish())
	cs.add(specSeq, w.seq.finish())
	cs.add(specMaxOp, w.maxOp.finish())
	cs.add(specTime, w.time.finish())
	cs.add(specMessage, w.message.finish())
	cs.add(specDepNum, w.depNum.finish())
	cs.add(specDep, w.dep.finish())
	cs.add(specExtraMeta, w.meta.finish())
	cs.add(specExtra, w.extra)
	w.columns(&ops, inDocument, w.table)
	dst = cs.appendMeta(dst)
	dst = ops.appendMeta(dst)
	dst = append(dst, cs.data...)
	dst = append(dst, ops.data...)
	for _, row := range headRows {
		dst = appendU(dst, uint64(row))
	}
	return dst
}
