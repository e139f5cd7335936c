package automerge

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
	"inselnetz/crdt/automerge/internal/seq"
)

// ErrCursor is what is said of a cursor that names nothing in the sequence, or of
// bytes and text that are no cursor.
var ErrCursor = errors.New("automerge: no such cursor")

// A Cursor is a place in a list or text that stays where it is while others edit:
// it names an element, the start, or the end. The zero value is the start.
type Cursor struct {
	kind   cursorKind
	before bool
	id     OpID
}

type cursorKind uint8

const (
	cursorStart cursorKind = iota
	cursorEnd
	cursorAt
)

// Start and End are the cursors of the two ends, whatever is inserted there.
var (
	Start = Cursor{}
	End   = Cursor{kind: cursorEnd}
)

// A Move tells where a cursor goes when its element is deleted.
type Move uint8

// The zero value is what JavaScript takes if nothing is said.
const (
	MoveAfter  Move = iota // to the next element that shows
	MoveBefore             // to the one that it was inserted behind, as far as that shows
)

// String is the usual form: "s", "e", "counter@actor", or with a "-" before it
// for a cursor that moves before.
func (c Cursor) String() string {
	switch {
	case c.kind == cursorStart:
		return "s"
	case c.kind == cursorEnd:
		return "e"
	case c.before:
		return "-" + c.id.String()
	}
	return c.id.String()
}

// ParseCursor reads what String wrote.
func ParseCursor(s string) (Cursor, error) {
	switch s {
	case "s":
		return Start, nil
	case "e":
		return End, nil
	}
	c := Cursor{kind: cursorAt}
	rest, before := strings.CutPrefix(s, "-")
	c.before = before
	var err error
	if c.id, err = ParseObjID(rest); err != nil || c.id == Root {
		return Start, fmt.Errorf("%w: %s", ErrCursor, strconv.Quote(s))
	}
	return c, nil
}

// Tags of the binary form: version, what the cursor names, how it moves.
const (
	cursorVersion = 1
	tagStart      = 1
	tagEnd        = 2
	tagAt         = 3
	tagBefore     = 1
	tagAfter      = 2
)

// AppendBinary writes the form that other implementations read.
func (c Cursor) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, cursorVersion)
	switch c.kind {
	case cursorStart:
		return append(b, tagStart), nil
	case cursorEnd:
		return append(b, tagEnd), nil
	}
	b = format.AppendUint(append(b, tagAt), uint64(len(c.id.Actor)))
	b = append(b, c.id.Actor...)
	b = format.AppendUint(b, uint64(c.id.Ctr))
	if c.before {
		return append(b, tagBefore), nil
	}
	return append(b, tagAfter), nil
}

// MarshalBinary is AppendBinary.
func (c Cursor) MarshalBinary() ([]byte, error) { return c.AppendBinary(nil) }

// UnmarshalBinary reads what AppendBinary wrote, and the older form without tags.
func (c *Cursor) UnmarshalBinary(b []byte) error {
	got, ok := readCursor(b)
	if !ok {
		return fmt.Errorf("%w: %x", ErrCursor, b)
	}
	*c = got
	return nil
}

func readCursor(b []byte) (c Cursor, ok bool) {
	if len(b) < 2 || b[0] > cursorVersion {
		return c, false
	}
	old := b[0] == 0
	if b = b[1:]; !old {
		tag := b[0]
		b = b[1:]
		if tag != tagAt {
			return Cursor{kind: cursorKind(tag - tagStart)}, (tag == tagStart || tag == tagEnd) && len(b) == 0
		}
	}
	n, used := format.ReadUint(b)
	if used <= 0 || n == 0 || n > maxActor || uint64(len(b)-used) < n {
		return c, false
	}
	c = Cursor{kind: cursorAt, id: OpID{Actor: ActorID(b[used : used+int(n)])}}
	b = b[used+int(n):]
	ctr, used := format.ReadUint(b)
	if used <= 0 || ctr == 0 || ctr > format.MaxCounter {
		return c, false
	}
	c.id.Ctr = uint32(ctr)
	if b = b[used:]; old {
		return c, len(b) == 0
	}
	if len(b) != 1 || b[0] != tagBefore && b[0] != tagAfter {
		return c, false
	}
	c.before = b[0] == tagBefore
	return c, true
}

// Cursor names the element at a position of a list or text; at the length of it,
// the end.
func (r Reader) Cursor(obj ObjID, pos int, m Move) (Cursor, error) {
	o, err := r.sequence(obj)
	if err != nil {
		return Start, err
	}
	e, ok := seq.Run{}, false
	if pos >= 0 {
		e, ok = r.elemAt(o, pos)
	}
	if !ok {
		if size, err := r.Len(obj); err != nil || pos != size {
			return Start, fmt.Errorf("%w: %d of %d", ErrRange, pos, size)
		}
		return End, nil
	}
	id := e.ID
	if e.IsCell {
		id = r.d.rows[r.winner(e.Cell)].id
	}
	return Cursor{kind: cursorAt, before: m == MoveBefore, id: r.d.outer(id)}, nil
}

// sequence finds a list or text.
func (r *Reader) sequence(obj ObjID) (*object, error) {
	n, err := r.object(obj)
	if err != nil {
		return nil, err
	}
	if r.d.objects[n].isMap() {
		return nil, fmt.Errorf("%w: %s is a %s", ErrKind, obj, kindOf(r.d.objects[n].kind))
	}
	return &r.d.objects[n], nil
}

// Position is where a cursor is now.
func (r Reader) Position(obj ObjID, c Cursor) (int, error) {
	switch c.kind {
	case cursorStart:
		_, err := r.sequence(obj)
		return 0, err
	case cursorEnd:
		if _, err := r.sequence(obj); err != nil {
			return 0, err
		}
		return r.Len(obj)
	}
	o, err := r.sequence(obj)
	if err != nil {
		return 0, err
	}
	id, ok := r.d.inner(c.id)
	eid, ok2 := r.cursorElement(id, o)
	if !ok || !ok2 {
		return 0, fmt.Errorf("%w: %s in %s", ErrCursor, c, obj)
	}
	if c.before && !r.elementShows(eid) {
		if eid, ok = r.shownBefore(eid); !ok {
			return 0, nil
		}
	}
	return r.position(o, eid), nil
}

// cursorElement is the element that an operation inserted or updated.
func (r Reader) cursorElement(id opid.ID, o *object) (uint32, bool) {
	p, ok := r.d.find(id)
	switch {
	case !ok || !r.sees(id) || p.kind == logKills:
		return 0, false
	case p.kind == logChars:
		return p.at, r.d.objects[p.obj].seq == o.seq
	}
	row := &r.d.rows[p.at]
	return row.key, row.flags&rowMap == 0 && r.d.objects[row.obj].seq == o.seq
}

// elementShows reports whether an element, which the reader knows, shows.
func (r Reader) elementShows(eid uint32) bool {
	e, k := r.d.seqs.Whole(eid)
	return r.shownIn(&e, k)
}

// shownIn is elementShows of element k of a run.
func (r Reader) shownIn(e *seq.Run, k int) bool {
	switch {
	case e.IsCell:
		return r.winner(e.Cell) != none
	case !e.Deleted:
		return true
	case r.at == nil:
		return false
	}
	if r.sees(e.Del.Add(k * e.Step)) {
		return false
	}
	for _, by := range r.d.seqs.More(e.Eid + uint32(k)) {
		if r.sees(by) {
			return false
		}
	}
	return true
}

// shownBefore goes from a hidden element to the one that it was inserted behind,
// and on, until one shows.
func (r Reader) shownBefore(eid uint32) (uint32, bool) {
	for {
		e, k := r.d.seqs.Whole(eid)
		if r.at == nil && e.Deleted {
			k = 0 // none of the run shows
		}
		for ; k >= 0; k-- {
			if r.shownIn(&e, k) {
				return e.Eid + uint32(k), true
			}
		}
		if e.Ref.None() {
			return 0, false
		}
		eid, _, _ = r.d.element(e.Ref)
	}
}

// position counts what shows before an element.
func (r Reader) position(o *object, eid uint32) int {
	u := r.d.unit(o)
	if r.at == nil {
		return r.d.seqs.Position(o.seq, eid, u)
	}
	pos := 0
	for e := range r.runs(o) {
		w := int(e.Width.Points)
		if u == seq.Units {
			w = int(e.Width.Units)
		}
		if k := eid - e.Eid; k < uint32(e.N) {
			if e.IsCell {
				return pos
			}
			w := widthOf(firstPoints(e.Text, int(k)))
			if u == seq.Units {
				return pos + int(w.Units)
			}
			return pos + int(w.Points)
		}
		if r.d.seqs.Before(eid, e.Eid) {
			break
		}
		pos += w
	}
	return pos
}
