package format

import "inselnetz/crdt/automerge/internal/opid"

// A single is a change's only operation so far, if it is a character inserted
// or an element deleted. Typing with a commit per keystroke makes changes of
// just that, and their hashes are most of the work of checking such a history;
// written without columns in between they cost a third.
type single struct {
	action  Action // Delete or Set; MakeMap is none
	obj     opid.ID
	elem    opid.ID // inserted after, or deleted
	text    [4]byte
	size    int
	chained bool // more operations came: it is in the columns
}

// flush moves the single operation into the columns, as another one comes.
func (w *ChangeWriter) flush() {
	s := w.one
	w.one.action, w.one.chained = MakeMap, true
	switch s.action {
	case Set:
		w.chars(s.obj, s.elem, opid.ID{}, s.text[:s.size], 1)
		w.refNum.putN(0, 1)
	case Delete:
		w.deletes(s.obj, s.elem, 1, 1)
	}
}

// appendOthers numbers the others a single operation names and appends them; it
// returns the numbers of the actors of object and element.
func (w *ChangeWriter) appendOthers(dst []byte, actors [][]byte) (out []byte, obj, elem byte) {
	a, b := w.author, w.author
	if !w.one.obj.None() {
		a = w.one.obj.Actor
	}
	if !w.one.elem.None() {
		b = w.one.elem.Actor
	}
	switch {
	case a == w.author && b == w.author:
		return append(dst, 0), 0, 0
	case a == b:
		return appendBytes(append(dst, 1), actors[a]), 1, 1
	case b == w.author:
		return appendBytes(append(dst, 1), actors[a]), 1, 0
	case a == w.author:
		return appendBytes(append(dst, 1), actors[b]), 0, 1
	case w.rank[a] < w.rank[b]:
		return appendBytes(appendBytes(append(dst, 2), actors[a]), actors[b]), 1, 2
	}
	return appendBytes(appendBytes(append(dst, 2), actors[b]), actors[a]), 2, 1
}

// lone is the header of a run of one value.
const lone = 0x7f

// appendSingle appends others, table and columns of a single operation.
func (w *ChangeWriter) appendSingle(dst []byte, actors [][]byte) []byte {
	s := &w.one
	dst, obj, elem := w.appendOthers(dst, actors)
	var meta, data [64]byte
	m, d := meta[:1], data[:0]
	add := func(c spec, from int) {
		m = append(m, byte(c), byte(len(d)-from))
		meta[0]++
	}
	if !s.obj.None() {
		d = append(d, lone, obj)
		m = append(m, byte(specObjActor), 2)
		from := len(d)
		d = appendU(append(d, lone), uint64(s.obj.Ctr))
		add(specObjCtr, from)
		meta[0]++
	}
	if !s.elem.None() {
		d = append(d, lone, elem)
		m = append(m, byte(specKeyActor), 2)
		meta[0]++
	}
	from := len(d)
	d = appendS(append(d, lone), int64(s.elem.Ctr))
	add(specKeyCtr, from)
	key := d[from:]
	if s.action == Set {
		d = append(d, 0, 1, lone, byte(Set), lone)
		m = append(m, byte(specInsert), 2, byte(specAction), 2, byte(specValueMeta), 2, byte(specValue), byte(s.size), byte(specPredNum), 2)
		d = append(append(append(d, byte(s.size)<<4|Str), s.text[:s.size]...), lone, 0)
		meta[0] += 5
	} else {
		d = append(d, 1, lone, byte(Delete), lone, byte(Null), lone, 1, lone, elem)
		d = append(d, key...)
		m = append(m, byte(specInsert), 1, byte(specAction), 2, byte(specValueMeta), 2,
			byte(specPredNum), 2, byte(specPredActor), 2, byte(specPredCtr), byte(len(key)))
		meta[0] += 6
	}
	return append(append(dst, m...), d...)
}
