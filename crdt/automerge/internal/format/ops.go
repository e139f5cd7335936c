package format

import (
	"unicode/utf8"

	"inselnetz/crdt/automerge/internal/opid"
)

// home is the kind of chunk operations stand in.
type home uint8

const (
	inChange home = iota
	inDocument
	inBundle
)

// An OpReader walks the operations of a change, a document or a bundle. One
// may be used for many in turn; it must not be copied. It checks each row by
// itself: that its columns agree on what it is, that ids it names are older
// than it, that its value is one. It does not compare rows.
type OpReader struct {
	failure    failure
	rows, row  int
	actors     uint64
	refsLeft   int    // references the chunk may still have
	start      uint32 // counter of the first operation, in changes
	authorRank uint32 // how many of the others come before the author, in changes
	home       home
	raw        []byte    // values not read yet
	refs       []opid.ID // of this row
	last       Op        // this row

	// The next rows that are like this one, and how they move.
	alike            int
	idStep, elemStep uint32

	objActor, objCtr          runs
	keyActor, keyCtr, keyText runs
	idActor, idCtr            runs
	action, meta, mark        runs
	refNum, refActor, refCtr  runs
	insert, expand            bools
}

// init prepares r for rows operations in these columns. Columns of changes and
// documents must be canonical: the reference refuses documents where they are
// not, and of such changes it makes documents nobody can load.
func (r *OpReader) init(cs columns, h home, rows, actors int, lim *Limits) {
	*r = OpReader{home: h, rows: rows, actors: uint64(actors), refsLeft: lim.Refs, refs: r.refs[:0]}
	f, strict := &r.failure, h != inBundle
	for i := range cs {
		b := cs[i].data
		switch s := cs[i].spec &^ deflated; s {
		case specObjActor:
			r.objActor = newRuns(b, "object actor", unsigned, strict, f)
		case specObjCtr:
			if h != inBundle {
				r.objCtr = newRuns(b, "object counter", unsigned, strict, f)
			}
		case specObjDelta:
			if h == inBundle {
				r.objCtr = newRuns(b, "object counter", signed, strict, f)
			}
		case specKeyActor:
			r.keyActor = newRuns(b, "key actor", unsigned, strict, f)
		case specKeyCtr:
			r.keyCtr = newRuns(b, "key counter", signed, strict, f)
		case specKeyText:
			r.keyText = newRuns(b, "key", text, strict, f)
			r.keyText.maxLen = lim.Key
		case specIDActor:
			r.idActor = newRuns(b, "id actor", unsigned, strict, f)
		case specIDCtr:
			if h == inDocument { // the old bundles' own are for places to read
				r.idCtr = newRuns(b, "id counter", signed, strict, f)
			}
		case specInsert:
			r.insert = newBools(b, "insert", f)
		case specAction:
			r.action = newRuns(b, "action", unsigned, strict, f)
		case specValueMeta:
			r.meta = newRuns(b, "value length", unsigned, strict, f)
		case specValue:
			r.raw = b
		case specPredNum, specSuccNum:
			if (s == specSuccNum) == (h == inDocument) {
				r.refNum = newRuns(b, "number of references", unsigned, strict, f)
			}
		case specPredActor, specSuccActor:
			if (s == specSuccActor) == (h == inDocument) {
				r.refActor = newRuns(b, "reference actor", unsigned, strict, f)
			}
		case specPredCtr, specSuccCtr:
			if (s == specSuccCtr) == (h == inDocument) {
				r.refCtr = newRuns(b, "reference counter", signed, strict, f)
			}
		case specExpand:
			r.expand = newBools(b, "expand", f)
		case specMark:
			r.mark = newRuns(b, "mark", text, strict, f)
			r.mark.maxLen = lim.Key
		}
	}
}

// countOps is the number of operations in these columns.
func countOps(cs columns, lim *Limits) (int, error) {
	var f failure
	c := newRuns(cs.get(specAction), "action", unsigned, false, &f)
	n := c.rows(lim.Ops)
	return n, f.err
}

// Complex is how many operations are certainly no characters of a text, told by
// runs without reading rows; there may be more. Columns that are not sound end
// the count.
func (d *Document) Complex() int {
	var r OpReader
	d.Ops(&r)
	total := uint64(0)
	for left := uint64(d.NumOps); left > 0 && r.failure.err == nil; {
		insert, some := r.insert.next(), r.action.next() && r.meta.next()
		if !some {
			break
		}
		n := min(left-1, r.insert.left)
		for _, c := range [...]*runs{&r.action, &r.meta} {
			if c.run == literal {
				n = 0
			}
			n = min(n, c.left)
		}
		r.insert.left -= n
		r.action.left -= n
		r.meta.left -= n
		left -= n + 1
		if !insert || r.action.val != uint64(Set) || r.meta.val&15 != uint64(Str) {
			total += n + 1
		}
	}
	return int(total)
}

// Err is why Next returned false, nil at a proper end.
func (r *OpReader) Err() error { return r.failure.err }

func (r *OpReader) refuse(text string, args ...any) {
	r.failure.set(malformed("operation %d: "+text, append([]any{r.row}, args...)...))
}

// Next reads the next operation into op and reports whether there was one.
// Key, Value and Mark point into the chunk, Refs into r.
func (r *OpReader) Next(op *Op) bool {
	if r.alike > 0 {
		r.alike--
		r.row++
		r.last.ID.Ctr += r.idStep
		r.last.Elem.Ctr += r.elemStep
	} else if r.row == r.rows {
		r.finish()
		return false
	} else {
		r.readRow(&r.last)
		r.row++
		r.lookAhead()
	}
	r.readValue(&r.last)
	r.readRefs(&r.last)
	r.check(&r.last)
	*op = r.last
	if r.failure.err != nil {
		r.rows, r.alike = r.row, 0
		return false
	}
	return true
}

// readRow reads everything but value and references.
func (r *OpReader) readRow(op *Op) {
	r.readID(op)
	r.readObj(op)
	r.readKey(op)
	op.Insert = r.insert.next()
	if !r.action.next() || r.action.val > uint64(Mark) {
		r.refuse("unknown action %d", r.action.val)
	}
	op.Action = Action(r.action.val)
	op.Expand = r.expand.next()
	op.Mark = nil
	if r.mark.next() {
		op.Mark = r.mark.str
	}
}

// lookAhead finds how many of the next rows are like the last one but for
// counters that grow evenly, value and references, and takes them out of the
// columns at once. Typed text is such rows nearly throughout.
func (r *OpReader) lookAhead() {
	all := [...]*runs{
		&r.objActor, &r.objCtr, &r.keyActor, &r.keyCtr, &r.keyText, &r.idActor, &r.idCtr, &r.action, &r.mark,
	}
	if r.failure.err != nil || r.home == inBundle {
		return
	}
	n := uint64(r.rows - r.row)
	for _, c := range all {
		if c.present {
			if c.run == literal {
				return
			}
			n = min(n, c.left)
		}
	}
	for _, c := range [...]*bools{&r.insert, &r.expand} {
		if c.present {
			n = min(n, c.left)
		}
	}
	if n == 0 {
		return
	}
	id, elem := int64(1), int64(0)
	if r.home == inDocument {
		id = int64(r.idCtr.val)
	}
	if r.keyCtr.present && r.keyCtr.run == repeat {
		elem = int64(r.keyCtr.val)
	}
	// The ids are what a straight line goes through: if the last ones are
	// right, so are those between.
	last := Op{Obj: r.last.Obj, Map: r.last.Map, ID: r.last.ID, Elem: r.last.Elem}
	if !last.move(id, elem, int64(n)) {
		return
	}
	r.alike, r.idStep, r.elemStep = int(n), uint32(id), uint32(elem)
	r.idCtr.sum += id * int64(n)
	r.keyCtr.sum += elem * int64(n)
	for _, c := range all {
		c.left -= min(c.left, n)
	}
	r.insert.left -= min(r.insert.left, n)
	r.expand.left -= min(r.expand.left, n)
}

// Typed is rows of plain characters that continue each other: each is inserted
// after the one before, with the next id.
type Typed struct {
	ID, Ref opid.ID // of the first
	Text    []byte
	N       int     // code points in Text, all of the same size
	Del     opid.ID // successor of the first; Ctr 0: none has one
	Step    int     // from successor to successor, 1 or -1
}

// Typed takes the rows that continue the row just read, if that is a plain
// character of a document. It may leave some for Next or a further Typed.
func (r *OpReader) Typed() (t Typed, ok bool) {
	last, size := &r.last, r.meta.val>>4
	if r.alike == 0 || r.home != inDocument || !last.Insert || last.Map || last.Action != Set || r.idStep != 1 || r.elemStep != 1 ||
		last.Value.Type != Str || size == 0 || last.Elem.Add(1) != last.ID || r.meta.run != repeat || r.refNum.run != repeat {
		return t, false
	}
	n := min(uint64(r.alike), r.meta.left, r.refNum.left, uint64(len(r.raw))/size)
	deleted := r.refNum.val == 1
	switch {
	case deleted:
		step := int64(r.refCtr.val)
		if r.refActor.run != repeat || r.refActor.val >= r.actors || r.refCtr.run != repeat || step != 1 && step != -1 {
			return t, false
		}
		n = min(n, r.refActor.left, r.refCtr.left, uint64(r.refsLeft))
		first, end := r.refCtr.sum+step, r.refCtr.sum+step*int64(n)
		if first <= int64(last.ID.Ctr)+1 || end <= int64(last.ID.Ctr)+int64(n) || max(first, end) > MaxCounter {
			return t, false
		}
		t.Del, t.Step = opid.ID{Ctr: uint32(first), Actor: uint32(r.refActor.val)}, int(step)
	case r.refNum.val != 0:
		return t, false
	}
	if n = points(r.raw, int(size), n); n == 0 {
		return t, false
	}
	if deleted {
		r.refsLeft -= int(n)
		r.refActor.left -= n
		r.refCtr.left -= n
		r.refCtr.sum += int64(t.Step) * int64(n)
	}
	r.meta.left -= n
	r.refNum.left -= n
	r.alike -= int(n)
	r.row += int(n)
	t.ID, t.Ref, t.N, t.Text = last.ID.Add(1), last.ID, int(n), r.raw[:n*size]
	r.raw = r.raw[n*size:]
	last.ID.Ctr += uint32(n)
	last.Elem.Ctr += uint32(n)
	return t, true
}

// points is how many code points of that size, at most n, b begins with.
func points(b []byte, size int, n uint64) uint64 {
	for i := range n {
		if size == 1 {
			if b[i] >= utf8.RuneSelf {
				return i
			}
		} else if c, k := utf8.DecodeRune(b[int(i)*size:]); k != size || c == utf8.RuneError && k == 1 {
			return i
		}
	}
	return n
}

// move moves the counters of op n steps on and reports whether they are still
// such as a row may have.
func (op *Op) move(id, elem, n int64) bool {
	const most = MaxCounter + 1
	if id < -most || id > most || elem < -most || elem > most || n > most {
		return false
	}
	i, e := int64(op.ID.Ctr)+id*n, int64(op.Elem.Ctr)+elem*n
	switch {
	case i < 1 || i > MaxCounter || int64(op.Obj.Ctr) >= i:
		return false
	case op.Map || op.Elem.None(): // neither key nor head may begin to move
		return elem == 0
	}
	return e >= 1 && e < i
}

func (r *OpReader) readID(op *Op) {
	switch r.home {
	case inChange:
		op.ID = opid.ID{Ctr: r.start + uint32(r.row)}
	case inDocument:
		if !r.idActor.next() || !r.idCtr.delta() {
			r.refuse("no id")
		}
		op.ID = r.checked(r.idCtr.sum, r.idActor.val)
	case inBundle: // counters follow from the places of the rows
		if !r.idActor.next() || r.idActor.val >= r.actors {
			r.refuse("no actor")
		}
		op.ID = opid.ID{Actor: uint32(r.idActor.val)}
	}
}

// checked makes an id of a counter and an actor's index.
func (r *OpReader) checked(ctr int64, actor uint64) opid.ID {
	if ctr < 1 || ctr > MaxCounter || actor >= r.actors {
		r.refuseID(ctr, actor)
	}
	return opid.ID{Ctr: uint32(ctr), Actor: uint32(actor)}
}

func (r *OpReader) refuseID(ctr int64, actor uint64) {
	r.refuse("counter %d is not between 1 and %d, or actor %d not below %d", ctr, uint32(MaxCounter), actor, r.actors)
}

func (r *OpReader) readObj(op *Op) {
	hasActor, hasCtr := r.objActor.next(), false
	if r.home == inBundle {
		hasCtr = r.objCtr.delta()
	} else {
		hasCtr = r.objCtr.next()
		r.objCtr.sum = int64(r.objCtr.val)
	}
	switch {
	case hasActor && hasCtr:
		op.Obj = r.checked(r.objCtr.sum, r.objActor.val)
	case hasActor || hasCtr:
		r.refuse("half an object id")
	default:
		op.Obj = opid.ID{}
	}
}

func (r *OpReader) readKey(op *Op) {
	op.Map = r.keyText.next()
	hasActor, hasCtr := r.keyActor.next(), r.keyCtr.delta()
	op.Key, op.Elem = nil, opid.ID{}
	switch {
	case op.Map && (hasActor || hasCtr):
		r.refuse("key and element")
	case op.Map:
		op.Key = r.keyText.str
	case hasActor && hasCtr:
		op.Elem = r.checked(r.keyCtr.sum, r.keyActor.val)
	case hasActor || !hasCtr || r.keyCtr.sum != 0:
		r.refuse("neither key nor element")
	}
}

func (r *OpReader) readValue(op *Op) {
	if !r.meta.next() {
		r.refuse("no value")
		return
	}
	typ, n := uint8(r.meta.val&15), r.meta.val>>4
	if n > uint64(len(r.raw)) {
		r.refuse("a value of %d bytes, %d left", n, len(r.raw))
		return
	}
	raw := r.raw[:n:n]
	r.raw = r.raw[n:]
	op.Value = Value{typ, raw}
	if typ == Str && n == 1 && raw[0] < 0x80 {
		return
	}
	if err := checkValue(typ, raw); err != nil {
		r.failure.set(err)
	}
}

func (r *OpReader) readRefs(op *Op) {
	op.Refs = nil
	if !r.refNum.next() {
		r.refuse("no number of references")
		return
	}
	n := r.refNum.val
	if n == 0 {
		return
	}
	if n > uint64(r.refsLeft) {
		r.failure.set(beyond("references", n, uint64(r.refsLeft)))
		return
	}
	r.refsLeft -= int(n)
	r.refs = r.refs[:0]
	for i := range n {
		if !r.refActor.next() || !r.refCtr.delta() {
			r.refuse("no reference")
			return
		}
		id := r.checked(r.refCtr.sum, r.refActor.val)
		if r.failure.err != nil {
			return
		}
		if i > 0 && !r.less(r.refs[i-1], id) {
			r.refuse("references do not ascend")
			return
		}
		r.refs = append(r.refs, id)
	}
	op.Refs = r.refs
}

// less compares ids by counter, then by the bytes of their actors.
func (r *OpReader) less(a, b opid.ID) bool {
	if a.Ctr != b.Ctr {
		return a.Ctr < b.Ctr
	}
	return r.rank(a.Actor) < r.rank(b.Actor)
}

// rank is an actor's place in the order of bytes. The tables of documents and
// bundles have that order, and so have the others of a change.
func (r *OpReader) rank(actor uint32) uint32 {
	switch {
	case r.home != inChange:
		return actor
	case actor == 0:
		return r.authorRank
	case actor <= r.authorRank:
		return actor - 1
	}
	return actor
}

// check checks what the columns of a row say about each other.
func (r *OpReader) check(op *Op) {
	if !op.Map && op.Elem.None() && !op.Insert {
		r.refuse("the head of a sequence is no element")
	}
	switch op.Action {
	case Mark:
	case Increment:
		if op.Value.Type != Int && op.Value.Type != Uint {
			r.refuse("an increment by a value of type %d", op.Value.Type)
		}
		fallthrough
	default:
		if op.Expand || op.Mark != nil {
			r.refuse("action %d with a mark", op.Action)
		}
	case Delete:
		if r.home == inDocument {
			r.refuse("a delete has no row in a document")
		}
		if op.Insert || op.Expand || op.Mark != nil || op.Value.Type != Null || len(op.Refs) == 0 {
			r.refuse("a delete that inserts, has a value or a mark, or deletes nothing")
		}
	}
	if r.home == inBundle {
		return
	}
	if op.Obj.Ctr >= op.ID.Ctr || op.Elem.Ctr >= op.ID.Ctr && !op.Map {
		r.refuse("names what is not older than itself")
	}
	if n := len(op.Refs); n > 0 {
		if r.home == inDocument && op.Refs[0].Ctr <= op.ID.Ctr {
			r.refuse("a successor is not younger than itself")
		} else if r.home == inChange && op.Refs[n-1].Ctr >= op.ID.Ctr {
			r.refuse("a predecessor is not older than itself")
		}
	}
}

// finish checks that every column ends with the last row.
func (r *OpReader) finish() {
	for _, c := range []*runs{
		&r.objActor, &r.objCtr, &r.keyActor, &r.keyCtr, &r.keyText, &r.idActor, &r.idCtr,
		&r.action, &r.meta, &r.mark, &r.refNum, &r.refActor, &r.refCtr,
	} {
		c.done()
	}
	r.insert.done()
	r.expand.done()
	if len(r.raw) > 0 {
		r.refuse("%d bytes after the last value", len(r.raw))
	}
	if r.rows > 0 && r.home != inBundle && r.failure.err == nil && (!r.insert.present || r.expand.present && !r.expand.some) {
		r.refuse("column of inserts missing, or one of expands that says nothing")
	}
	r.raw = nil
}
