package format

import (
	"bytes"
	"unicode/utf8"

	"inselnetz/crdt/automerge/internal/opid"
)

// A Change is the head of a change and where its operations are. It keeps the
// body it was parsed from.
type Change struct {
	Deps    []Hash
	Actor   []byte // the author
	Seq     uint64 // 1 for the author's first change
	StartOp uint32 // counter of the first operation
	Time    int64  // seconds since 1970 by convention; 0 is none
	Message string // "" is none
	Others  [][]byte
	Extra   []byte // bytes after the columns: part of the hash, not ours to understand
	NumOps  int

	body []byte
	cols columns
	lim  Limits
}

// ParseChange reads a change's body: dependencies, author, seq, start, time,
// message, other actors, table of columns, columns, extra bytes. Columns we do
// not know are refused: the reference drops them and loses the hash.
func ParseChange(body []byte, lim *Limits) (*Change, error) {
	c := &Change{body: body, lim: lim.For(len(body))}
	r := reader{b: body}
	c.Deps = r.hashes("dependencies")
	c.Actor = r.actor(&c.lim)
	c.Seq = r.uint("seq")
	start := r.uint("start")
	c.Time = r.int("time")
	message := r.take(r.uint("length of the message"), "message")
	c.Others = r.actors(&c.lim, "other actors")
	c.cols = r.columnMeta()
	for i := range c.cols {
		if s := c.cols[i].spec; !changeColumn(s) || c.cols[i].size == 0 {
			r.fail("a change with column %d of %d bytes", s, c.cols[i].size)
		}
	}
	r.columnData(c.cols, changeColumn, nil, nil) // none is deflated
	c.Extra = r.b
	switch {
	case r.err != nil:
		return nil, r.err
	case c.Seq == 0 || c.Seq > MaxCounter:
		return nil, malformed("seq %d", c.Seq)
	case len(message) > c.lim.Key:
		return nil, beyond("bytes of a message", uint64(len(message)), uint64(c.lim.Key))
	case !utf8.Valid(message):
		return nil, malformed("the message is no UTF-8")
	}
	c.Message = string(message)
	var err error
	if c.NumOps, err = countOps(c.cols, &c.lim); err != nil {
		return nil, err
	}
	if start == 0 || start > MaxCounter || start+uint64(c.NumOps)-1 > MaxCounter {
		return nil, malformed("%d operations from counter %d", c.NumOps, start)
	}
	c.StartOp = uint32(start)
	return c, nil
}

// changeColumn reports whether s is a column changes may have.
func changeColumn(s spec) bool {
	switch s {
	case specObjActor, specObjCtr, specKeyActor, specKeyCtr, specKeyText, specInsert, specAction,
		specValueMeta, specValue, specPredNum, specPredActor, specPredCtr, specExpand, specMark:
		return true
	}
	return false
}

// Ops sets r to the change's operations.
func (c *Change) Ops(r *OpReader) {
	r.init(c.cols, inChange, c.NumOps, 1+len(c.Others), &c.lim)
	r.start = c.StartOp
	for r.authorRank < uint32(len(c.Others)) && bytes.Compare(c.Others[r.authorRank], c.Actor) < 0 {
		r.authorRank++
	}
}

// A Checker compares changes with what their operations encode to. Its zero
// value is ready; it may be used for many changes in turn.
type Checker struct {
	r      OpReader
	w      ChangeWriter
	op     Op
	rank   []uint32
	actors [][]byte
	body   []byte
}

// Canonical reports why c's operations, read and written again, would not
// give its very bytes. A document keeps operations, not changes, so such a
// change could not be found again in one, nor its hash.
func (k *Checker) Canonical(c *Change) error {
	k.actors = append(append(k.actors[:0], c.Actor), c.Others...)
	for i := 1; i < len(c.Others); i++ {
		if bytes.Compare(c.Others[i-1], c.Others[i]) >= 0 {
			return malformed("other actors do not ascend")
		}
	}
	c.Ops(&k.r)
	k.rank = k.rank[:0]
	for i := range k.actors {
		k.rank = append(k.rank, k.r.rank(uint32(i)))
	}
	if a := int(k.r.authorRank); a < len(c.Others) && bytes.Equal(c.Others[a], c.Actor) {
		return malformed("the author is among the other actors")
	}
	k.w.Reset(0, k.rank)
	for k.r.Next(&k.op) {
		k.w.Add(&k.op)
	}
	if err := k.r.Err(); err != nil {
		return err
	}
	k.body = k.w.AppendBody(k.body[:0], c, k.actors)
	if !bytes.Equal(k.body, c.body) {
		return malformed("the change is not in its canonical form")
	}
	return nil
}

// A ChangeWriter encodes changes. Ids are indexes into the caller's own table
// of actors: the writer finds which are used, sorts and renumbers them. Its
// zero value must be Reset; it may be used for many changes in turn.
type ChangeWriter struct {
	opEncoder
	author uint32
	rank   []uint32 // place of each actor in the order of bytes
	table  table
	one    single
}

// Reset begins a change by author. rank[i] is the place of actor i in the
// order of bytes; it is kept until AppendBody.
func (w *ChangeWriter) Reset(author uint32, rank []uint32) {
	if w.one.chained || len(w.local) < len(rank) {
		w.opEncoder.reset(len(rank))
	}
	w.author, w.rank = author, rank
	w.one.action, w.one.chained = MakeMap, false
}

// Add adds an operation; its ID is not looked at, it follows from the place.
func (w *ChangeWriter) Add(op *Op) {
	w.flush()
	w.add(op)
}

// Chars adds n inserts of characters into the text obj, text being their n code
// points. Their ids ascend from id on; the first stands after ref (head: Ctr
// 0), each other one after the one before.
func (w *ChangeWriter) Chars(obj, ref, id opid.ID, text []byte, n int) {
	if n == 1 && w.one.action == MakeMap && !w.one.chained && len(text) > 0 && len(text) <= len(w.one.text) {
		w.one.action, w.one.obj, w.one.elem = Set, obj, ref
		w.one.size = copy(w.one.text[:], text)
		return
	}
	w.flush()
	w.chars(obj, ref, id, text, n)
	w.refNum.putN(0, n)
}

// Deletes adds n deletes of the elements target, target+step, ... of obj, each
// of which has the element's insert as its only predecessor.
func (w *ChangeWriter) Deletes(obj, target opid.ID, n, step int) {
	if n == 1 && w.one.action == MakeMap && !w.one.chained {
		w.one.action, w.one.obj, w.one.elem = Delete, obj, target
		return
	}
	w.flush()
	w.deletes(obj, target, n, step)
}

// AppendBody appends the body of the change of what was added, with Deps, Seq,
// StartOp, Time, Message and Extra of h; actors is the caller's table.
func (w *ChangeWriter) AppendBody(dst []byte, h *Change, actors [][]byte) []byte {
	dst = appendU(dst, uint64(len(h.Deps)))
	for i := range h.Deps {
		dst = append(dst, h.Deps[i][:]...)
	}
	dst = appendBytes(dst, actors[w.author])
	dst = appendU(dst, h.Seq)
	dst = appendU(dst, uint64(h.StartOp))
	dst = appendS(dst, h.Time)
	dst = appendU(dst, uint64(len(h.Message)))
	dst = append(dst, h.Message...)
	if w.one.action != MakeMap {
		return append(w.appendSingle(dst, actors), h.Extra...)
	}
	used := w.number(w.author, w.rank)
	dst = appendU(dst, uint64(len(used)))
	for _, a := range used {
		dst = appendBytes(dst, actors[a])
	}
	w.table.reset()
	w.columns(&w.table, inChange, w.local)
	dst = w.table.appendMeta(dst)
	dst = append(dst, w.table.data...)
	return append(dst, h.Extra...)
}

func appendBytes(dst, b []byte) []byte {
	return append(appendU(dst, uint64(len(b))), b...)
}
