package format

import (
	"slices"
	"unicode/utf8"

	"inselnetz/crdt/automerge/internal/opid"
)

// opEncoder gathers columns of operations. Actors stay as the caller numbers
// them until columns is called.
type opEncoder struct {
	rows               int
	objActor, keyActor actorEncoder
	idActor, refActor  actorEncoder
	objCtr, action     runEncoder
	meta, refNum       runEncoder
	keyText, mark      runEncoder
	keyCtr, idCtr      deltaEncoder
	refCtr, objDelta   deltaEncoder
	insert, expand     boolEncoder
	raw                []byte
	used               []uint32 // actors seen by see, with repeats of one after another left out
	local              []uint32 // what number gave
	seen               []bool
}

const headless = -1 // an actor that is null

// reset forgets the rows; actors is how many the caller's table has.
func (e *opEncoder) reset(actors int) {
	e.rows = 0
	for _, a := range []*actorEncoder{&e.objActor, &e.keyActor, &e.idActor, &e.refActor} {
		a.reset()
	}
	for _, c := range []*runEncoder{&e.objCtr, &e.action, &e.meta, &e.refNum, &e.keyText, &e.mark} {
		c.reset()
	}
	for _, d := range []*deltaEncoder{&e.keyCtr, &e.idCtr, &e.refCtr, &e.objDelta} {
		d.reset()
		d.kind = signed
	}
	e.keyText.kind, e.mark.kind = text, text
	e.insert.reset()
	e.expand.reset()
	for _, a := range e.used {
		e.seen[a] = false
	}
	e.raw, e.used = e.raw[:0], e.used[:0]
	if len(e.local) < actors {
		e.local, e.seen = make([]uint32, actors), make([]bool, actors)
	}
}

// names adds n rows of an actor to a column.
func (e *opEncoder) names(c *actorEncoder, actor uint32, n int) {
	if c.put(int64(actor), n) && !e.seen[actor] {
		e.seen[actor] = true
		e.used = append(e.used, actor)
	}
}

// number numbers the actors used as changes do: the author 0, the others from
// 1 in the order of their bytes. It returns the others.
func (e *opEncoder) number(author uint32, rank []uint32) []uint32 {
	if i := slices.Index(e.used, author); i >= 0 {
		e.seen[author] = false
		e.used = slices.Delete(e.used, i, i+1)
	}
	if len(e.used) > 1 {
		slices.SortFunc(e.used, func(a, b uint32) int { return int(rank[a]) - int(rank[b]) })
	}
	e.local[author] = 0
	for i, a := range e.used {
		e.local[a] = uint32(i + 1)
	}
	return e.used
}

func (e *opEncoder) object(obj opid.ID, n int) {
	if obj.None() {
		e.objActor.put(headless, n)
		e.objCtr.null(n)
	} else {
		e.names(&e.objActor, obj.Actor, n)
		e.objCtr.putN(int64(obj.Ctr), n)
	}
}

// objectDelta adds a row to the column that bundles have for the object's counter.
func (e *opEncoder) objectDelta(obj opid.ID) {
	if obj.None() {
		e.objDelta.null(1)
	} else {
		e.objDelta.put(int64(obj.Ctr))
	}
}

// element adds one row with that element as its key.
func (e *opEncoder) element(elem opid.ID) {
	if elem.None() {
		e.keyActor.put(headless, 1)
	} else {
		e.names(&e.keyActor, elem.Actor, 1)
	}
	e.keyCtr.put(int64(elem.Ctr))
	e.keyText.null(1)
}

// add adds an operation with its references.
func (e *opEncoder) add(op *Op) {
	e.rows++
	e.object(op.Obj, 1)
	if op.Map {
		e.keyActor.put(headless, 1)
		e.keyCtr.null(1)
		e.keyText.text(op.Key)
	} else {
		e.element(op.Elem)
	}
	e.insert.put(op.Insert, 1)
	e.action.put(int64(op.Action))
	e.meta.put(int64(len(op.Value.Raw))<<4 | int64(op.Value.Type))
	e.raw = append(e.raw, op.Value.Raw...)
	e.refNum.put(int64(len(op.Refs)))
	for _, r := range op.Refs {
		e.names(&e.refActor, r.Actor, 1)
		e.refCtr.put(int64(r.Ctr))
	}
	e.expand.put(op.Expand, 1)
	if op.Mark != nil {
		e.mark.text(op.Mark)
	} else {
		e.mark.null(1)
	}
}

// chars adds n inserts of characters but for their references.
func (e *opEncoder) chars(obj, ref, id opid.ID, text []byte, n int) {
	if n <= 0 {
		return
	}
	e.rows += n
	e.object(obj, n)
	e.element(ref)
	e.names(&e.keyActor, id.Actor, n-1)
	e.keyCtr.series(int64(id.Ctr), n-1, 1)
	e.keyText.null(n - 1)
	e.insert.put(true, n)
	e.action.putN(int64(Set), n)
	e.raw = append(e.raw, text...)
	if len(text) == n {
		e.meta.putN(1<<4|int64(Str), n)
	} else {
		for len(text) > 0 {
			_, size := utf8.DecodeRune(text)
			e.meta.put(int64(size)<<4 | int64(Str))
			text = text[size:]
		}
	}
	e.expand.put(false, n)
	e.mark.null(n)
}

// deletes adds n deletes of elements, target and its followers by step.
func (e *opEncoder) deletes(obj, target opid.ID, n, step int) {
	if n <= 0 {
		return
	}
	e.rows += n
	e.object(obj, n)
	e.names(&e.keyActor, target.Actor, n)
	e.keyCtr.series(int64(target.Ctr), n, step)
	e.keyText.null(n)
	e.insert.put(false, n)
	e.action.putN(int64(Delete), n)
	e.meta.putN(int64(Null), n)
	e.refNum.putN(1, n)
	e.names(&e.refActor, target.Actor, n)
	e.refCtr.series(int64(target.Ctr), n, step)
	e.expand.put(false, n)
	e.mark.null(n)
}

// columns adds the columns to t, with every actor a as local[a]. It may be
// called once.
func (e *opEncoder) columns(t *table, h home, local []uint32) {
	num, actor, ctr := specPredNum, specPredActor, specPredCtr
	if h == inDocument {
		num, actor, ctr = specSuccNum, specSuccActor, specSuccCtr
	}
	t.add(specObjActor, e.objActor.finish(local))
	if h == inBundle {
		t.add(specObjDelta, e.objDelta.finish())
	} else {
		t.add(specObjCtr, e.objCtr.finish())
	}
	t.add(specKeyActor, e.keyActor.finish(local))
	t.add(specKeyCtr, e.keyCtr.finish())
	t.add(specKeyText, e.keyText.finish())
	t.add(specIDActor, e.idActor.finish(local))
	t.add(specIDCtr, e.idCtr.finish())
	t.add(specInsert, e.insert.finish())
	t.add(specAction, e.action.finish())
	t.add(specValueMeta, e.meta.finish())
	t.add(specValue, e.raw)
	t.add(num, e.refNum.finish())
	t.add(actor, e.refActor.finish(local))
	t.add(ctr, e.refCtr.finish())
	if e.expand.some {
		t.add(specExpand, e.expand.finish())
	}
	t.add(specMark, e.mark.finish())
}
