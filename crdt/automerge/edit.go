package automerge

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
	"inselnetz/crdt/automerge/internal/seq"
)

// A tx is the operations since the last commit: those of d.me from start on.
type tx struct {
	open  bool
	start uint32
}

// begin opens a transaction, if none is open.
func (d *Doc) begin() error {
	if err := d.roomFor(2, 0, 0); err != nil {
		return err
	}
	if d.tx.open {
		return nil
	}
	if d.me == none {
		if len(d.o.Actor) > maxActor {
			return fmt.Errorf("%w: an actor id has 1 to %d bytes", ErrValue, maxActor)
		}
		d.me = d.actor(d.Actor())
	}
	d.tx = tx{open: true, start: d.maxOp + 1}
	return nil
}

// nextID is the id of the next operation of the transaction.
func (d *Doc) nextID() opid.ID { return opid.ID{Ctr: d.maxOp + 1, Actor: d.me} }

// Pending is the number of operations since the last commit.
func (d *Doc) Pending() int {
	if !d.tx.open {
		return 0
	}
	d.tx.open = d.maxOp >= d.tx.start // an edit that changed nothing opens none
	return int(d.maxOp + 1 - d.tx.start)
}

// CommitOptions describe a change.
type CommitOptions struct {
	Message string // UTF-8; cut at a quarter of Limits.Key
	Time    int64  // seconds since 1970, by custom; 0 for unknown
	Empty   bool   // commit also without edits: a change that only says what its actor had seen
}

// Commit makes a change of the edits since the last one and reports whether there
// is one; Heads names it.
func (d *Doc) Commit(o CommitOptions) bool {
	n := d.Pending()
	if n == 0 {
		d.tx.open = false
		if !o.Empty || d.begin() != nil {
			return false
		}
	}
	deps := d.localDeps()
	d.tx.open = false
	message := strings.ToValidUTF8(o.Message[:min(len(o.Message), d.most.Key/4)], "\uFFFD")
	d.commit(d.me, d.tx.start, uint32(n), deps, d.graph.before(d.me, deps), o.Time, message, nil)
	return true
}

// Rollback drops the edits since the last commit and tells how many they were. It
// costs as much as saving and loading the document.
func (d *Doc) Rollback() int {
	n := d.Pending()
	d.tx.open = false
	if n > 0 {
		d.rebuild()
	}
	return n
}

// object finds an object that exists.
func (d *Doc) object(id ObjID) (uint32, error) {
	in, ok := d.inner(id)
	if !ok {
		return 0, fmt.Errorf("%w: %s", ErrNoObject, id)
	}
	n, ok := d.objectOf(in)
	if !ok {
		return 0, fmt.Errorf("%w: %s", ErrNoObject, id)
	}
	return n, nil
}

// A spot is a key or an element, with what shows there.
type spot struct {
	obj, key uint32
	isMap    bool
	id       opid.ID // of the element
	char     bool    // a plain character that shows
	rows     []uint32
}

// spot finds a prop that is there; of a map, also one that is not.
func (d *Doc) spot(obj ObjID, p Prop) (s spot, err error) {
	if s.obj, err = d.object(obj); err != nil {
		return s, err
	}
	o := &d.objects[s.obj]
	if s.isMap = o.isMap(); s.isMap != p.isKey {
		return s, fmt.Errorf("%w: %s of a %s", ErrKind, p, kindOf(o.kind))
	}
	if s.isMap {
		if !utf8.ValidString(p.key) || len(p.key) > d.most.Key {
			return s, fmt.Errorf("%w: a key is UTF-8 of at most %d bytes", ErrValue, d.most.Key)
		}
		s.key = d.key(p.key)
		s.rows = d.visible(nil, o.head(s.key))
		return s, nil
	}
	e, _ := d.elemAt(o, p.index)
	if e.Eid == seq.None {
		return s, fmt.Errorf("%w: %d of %d", ErrRange, p.index, d.seqs.Len(o.seq, d.unit(o)))
	}
	s.key, s.id, s.char = e.Eid, e.ID, !e.IsCell
	if e.IsCell {
		s.rows = d.visible(nil, e.Cell)
	}
	return s, nil
}

// unit is what positions in a sequence count.
func (d *Doc) unit(o *object) seq.Unit {
	if o.kind == format.MakeText {
		return d.o.Unit
	}
	return seq.Points
}

func (d *Doc) elemAt(o *object, pos int) (seq.Run, int) {
	if pos < 0 || pos >= d.seqs.Len(o.seq, d.unit(o)) {
		return seq.Run{Eid: seq.None}, 0
	}
	return d.seqs.At(o.seq, d.unit(o), pos)
}

// preds are the ids of what shows at a spot.
func (d *Doc) spotPreds(s *spot) []opid.ID {
	d.refs = d.refs[:0]
	if s.char {
		d.refs = append(d.refs, s.id)
	}
	for _, n := range s.rows {
		d.refs = append(d.refs, d.rows[n].id)
	}
	return d.refs
}

// op begins an operation on a spot.
func (d *Doc) spotOp(s *spot, a format.Action) format.Op {
	op := format.Op{ID: d.nextID(), Obj: d.idOf(s.obj), Map: s.isMap, Elem: s.id, Action: a, Refs: d.spotPreds(s)}
	if s.isMap {
		op.Key = []byte(d.keys[s.key])
	}
	return op
}

func (v Value) check() error {
	switch {
	case v.kind.IsObject():
		return fmt.Errorf("%w: a %s is made by PutObject or InsertObject", ErrValue, v.kind)
	case v.kind == KindStr && !utf8.ValidString(v.str):
		return fmt.Errorf("%w: a string that is not UTF-8", ErrValue)
	}
	return nil
}

// Put sets a key of a map, or replaces an element. Setting what is there already
// does nothing; if others set something else at the same time, it decides for it.
func (d *Doc) Put(obj ObjID, p Prop, v Value) error {
	if err := v.check(); err != nil {
		return err
	}
	s, err := d.spot(obj, p)
	if err != nil {
		return err
	}
	raw, typ := v.append(nil)
	if len(s.rows) > 0 {
		w := &d.rows[s.rows[len(s.rows)-1]]
		if w.action == format.Set && w.typ == typ && sameScalar(typ, d.raw(w), raw) {
			if s.rows = s.rows[:len(s.rows)-1]; len(s.rows) == 0 {
				return nil
			}
			return d.change1(&s, format.Delete, format.Value{})
		}
	} else if s.char && typ == typeStr {
		e := d.seqs.Elem(s.key)
		if string(firstPoints(e.Text, 1)) == string(raw) {
			return nil
		}
	}
	return d.change1(&s, format.Set, format.Value{Type: typ, Raw: raw})
}

// change1 does one operation on a spot.
func (d *Doc) change1(s *spot, a format.Action, v format.Value) error {
	if err := d.begin(); err != nil {
		return err
	}
	if err := d.roomFor(1, 0, len(v.Raw)); err != nil {
		return err
	}
	op := d.spotOp(s, a)
	op.Value = v
	d.put(s.obj, s.key, &op)
	return nil
}

var makes = map[Kind]format.Action{KindMap: format.MakeMap, KindList: format.MakeList, KindText: format.MakeText, KindTable: format.MakeTable}

func kindOf(a format.Action) Kind {
	switch a {
	case format.MakeList:
		return KindList
	case format.MakeText:
		return KindText
	case format.MakeTable:
		return KindTable
	}
	return KindMap
}

// sameScalar reports whether two values of one type are equal, floats as numbers:
// the two zeros are, two NaN are not. So does the JavaScript release.
func sameScalar(typ uint8, a, b []byte) bool {
	if typ == typeFloat {
		return scalar(typ, a).Float() == scalar(typ, b).Float()
	}
	return string(a) == string(b)
}

// PutObject sets a key or element to a new, empty object.
func (d *Doc) PutObject(obj ObjID, p Prop, k Kind) (ObjID, error) {
	a, ok := makes[k]
	if !ok {
		return Root, fmt.Errorf("%w: a %s is no object", ErrValue, k)
	}
	s, err := d.spot(obj, p)
	if err != nil {
		return Root, err
	}
	if err := d.begin(); err != nil {
		return Root, err
	}
	op := d.spotOp(&s, a)
	d.put(s.obj, s.key, &op)
	return d.outer(op.ID), nil
}

// Increment adds to a counter. Of values set at the same time it adds to every
// counter; those that are none, it replaces.
func (d *Doc) Increment(obj ObjID, p Prop, by int64) error {
	s, err := d.spot(obj, p)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(s.rows, func(n uint32) bool { r := &d.rows[n]; return r.action == format.Set && r.typ == typeCounter }) {
		return fmt.Errorf("%w: %s is no counter", ErrValue, p)
	}
	raw, typ := Int(by).append(nil)
	return d.change1(&s, format.Increment, format.Value{Type: typ, Raw: raw})
}

// Delete removes a key, which may be missing, or an element. Of a text it removes
// what covers that unit.
func (d *Doc) Delete(obj ObjID, p Prop) error {
	if !p.isKey {
		_, err := d.deleteRange(obj, p.index, 1)
		return err
	}
	s, err := d.spot(obj, p)
	if err != nil || len(s.rows) == 0 {
		return err
	}
	return d.change1(&s, format.Delete, format.Value{})
}

// sequence finds a list or text.
func (d *Doc) sequence(obj ObjID) (uint32, error) {
	n, err := d.object(obj)
	if err == nil && d.objects[n].isMap() {
		err = fmt.Errorf("%w: %s is a %s", ErrKind, obj, kindOf(d.objects[n].kind))
	}
	return n, err
}

// deleteRange removes what covers the units from pos on; an element that begins
// before pos stays.
func (d *Doc) deleteRange(obj ObjID, pos, del int) (uint32, error) {
	n, err := d.sequence(obj)
	if err != nil {
		return n, err
	}
	o := d.objects[n]
	if size := d.seqs.Len(o.seq, d.unit(&o)); pos < 0 || del < 0 || pos > size || del > size-pos {
		return n, fmt.Errorf("%w: %d to %d of %d", ErrRange, pos, pos+del, size)
	}
	if del > 0 {
		if err := d.begin(); err != nil {
			return n, err
		}
	}
	for del > 0 {
		e, off := d.elemAt(&o, pos)
		if e.Eid == seq.None {
			break
		}
		if off > 0 {
			pos += d.first(&e, d.unit(&o)) - off
			continue
		}
		if err := d.roomFor(0, del, 0); err != nil {
			return n, err
		}
		del -= d.deleteAt(n, &e, del, d.unit(&o))
	}
	return n, nil
}

// first is the width of the first element of a run that shows.
func (d *Doc) first(e *seq.Run, u seq.Unit) int {
	w := e.Width
	if !e.IsCell {
		w = widthOf(firstPoints(e.Text, 1))
	}
	if u == seq.Units {
		return int(w.Units)
	}
	return int(w.Points)
}

// deleteAt deletes from the run e on at most so many units, but all of an
// element that they begin in; it tells how many units went.
func (d *Doc) deleteAt(obj uint32, e *seq.Run, del int, u seq.Unit) int {
	if e.IsCell {
		s := spot{obj: obj, key: e.Eid, id: e.ID, rows: d.visible(nil, e.Cell)}
		op := d.spotOp(&s, format.Delete)
		d.put(obj, e.Eid, &op)
		return d.first(e, u)
	}
	n, units := 0, 0
	if u == seq.Points || int(e.Width.Units) == e.N {
		n = min(e.N, del)
		units = n
	} else {
		for b := e.Text; len(b) > 0 && units < del; n++ {
			_, size := utf8.DecodeRune(b)
			units++
			if size == 4 {
				units++
			}
			b = b[size:]
		}
	}
	d.kill(obj, e.Eid, e.ID, d.nextID(), n)
	return units
}

// placeAt is the element after which something goes to stand at a position; a
// position within an element is behind it.
func (d *Doc) placeAt(n uint32, pos int) uint32 {
	o := &d.objects[n]
	after := uint32(none)
	if pos > 0 {
		e, _ := d.seqs.At(o.seq, d.unit(o), pos-1)
		after = e.Eid
	}
	if o.seq.Marks() > 0 {
		after = d.insertionPlace(n, after)
	}
	return after
}

// SpliceText replaces del units of a text from pos on. Characters that are only
// partly covered at the end go too; a position within a character is behind it.
// The text is written first and what it replaces deleted then, as the JavaScript
// release does since 3.0: a change's hash shows the order.
func (d *Doc) SpliceText(obj ObjID, pos, del int, text string) error {
	n, err := d.object(obj)
	if err == nil && d.objects[n].kind != format.MakeText {
		err = fmt.Errorf("%w: %s is a %s", ErrKind, obj, kindOf(d.objects[n].kind))
	}
	if err != nil {
		return err
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	size := d.seqs.Len(d.objects[n].seq, d.o.Unit)
	if pos < 0 || pos > size || del < 0 {
		return fmt.Errorf("%w: %d of %d", ErrRange, pos, size)
	}
	if text != "" {
		if pos, err = d.insertText(n, pos, text); err != nil {
			return err
		}
		size = d.seqs.Len(d.objects[n].seq, d.o.Unit)
	}
	_, err = d.deleteRange(obj, pos, min(del, size-pos))
	return err
}

// insertText writes characters and tells the position behind them.
func (d *Doc) insertText(n uint32, pos int, text string) (int, error) {
	if err := d.begin(); err != nil {
		return pos, err
	}
	points := utf8.RuneCountInString(text)
	if err := d.roomFor(0, points, len(text)); err != nil {
		return pos, err
	}
	if pos > 0 { // a position within a character is behind it
		o := &d.objects[n]
		e, off := d.seqs.At(o.seq, d.unit(o), pos-1)
		pos += d.first(&e, d.unit(o)) - off - 1
	}
	d.insertChars(n, d.nextID(), d.placeAt(n, pos), []byte(text), points)
	if d.o.Unit == UTF16 {
		return pos + int(widthOf([]byte(text)).Units), nil
	}
	return pos + points, nil
}

// Insert puts a value into a list, or a text, so that it has that index.
func (d *Doc) Insert(obj ObjID, index int, v Value) error {
	if err := v.check(); err != nil {
		return err
	}
	raw, typ := v.append(nil)
	_, err := d.insert(obj, index, format.Set, format.Value{Type: typ, Raw: raw})
	return err
}

// InsertObject puts a new, empty object into a list.
func (d *Doc) InsertObject(obj ObjID, index int, k Kind) (ObjID, error) {
	a, ok := makes[k]
	if !ok {
		return Root, fmt.Errorf("%w: a %s is no object", ErrValue, k)
	}
	id, err := d.insert(obj, index, a, format.Value{})
	return d.outer(id), err
}

func (d *Doc) insert(obj ObjID, index int, a format.Action, v format.Value) (opid.ID, error) {
	n, err := d.sequence(obj)
	if err != nil {
		return opid.ID{}, err
	}
	o := &d.objects[n]
	if size := d.seqs.Len(o.seq, d.unit(o)); index < 0 || index > size {
		return opid.ID{}, fmt.Errorf("%w: %d of %d", ErrRange, index, size)
	}
	if err := d.begin(); err != nil {
		return opid.ID{}, err
	}
	if err := d.roomFor(1, 0, len(v.Raw)); err != nil {
		return opid.ID{}, err
	}
	op := format.Op{ID: d.nextID(), Obj: d.idOf(n), Insert: true, Action: a, Value: v}
	after := d.placeAt(n, index)
	if o.kind == format.MakeText && plain(&op) {
		d.insertChars(n, op.ID, after, v.Raw, 1)
	} else {
		d.insertCell(n, after, &op)
	}
	return op.ID, nil
}

// Splice removes del elements of a list from index on and puts values there.
func (d *Doc) Splice(obj ObjID, index, del int, values ...Value) error {
	for _, v := range values {
		if err := v.check(); err != nil {
			return err
		}
	}
	n, err := d.sequence(obj)
	if err != nil {
		return err
	}
	o := &d.objects[n]
	if size := d.seqs.Len(o.seq, d.unit(o)); index < 0 || del < 0 || index > size || del > size-index {
		return fmt.Errorf("%w: %d to %d of %d", ErrRange, index, index+del, size)
	}
	for i, v := range values {
		if err := d.Insert(obj, index+i, v); err != nil {
			return err
		}
	}
	_, err = d.deleteRange(obj, index+len(values), del)
	return err
}
