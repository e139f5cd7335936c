package automerge

import (
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
)

// An Expand tells whether text that is inserted at the edge of a mark gets it.
type Expand uint8

// The zero value is what JavaScript takes if nothing is said.
const (
	ExpandAfter Expand = iota // text behind the mark gets it, text before it does not
	ExpandBefore
	ExpandBoth
	ExpandNone
)

func (e Expand) before() bool { return e == ExpandBefore || e == ExpandBoth }
func (e Expand) after() bool  { return e == ExpandAfter || e == ExpandBoth }

// insertionPlace is the element behind which something goes that is inserted
// behind after, the last element that shows before the place (none: the head):
// behind the begin of a mark that expands at its start and behind the end of one
// that does not expand, and never into a mark that is empty. Only the elements up
// to the next one that shows are looked at.
func (d *Doc) insertionPlace(obj, after uint32) uint32 {
	type spot struct {
		eid  uint32
		mark opid.ID
	}
	spots := []spot{{eid: after}}
	var at map[opid.ID]int // of a mark in spots
	for e := range d.seqs.Behind(d.objects[obj].seq, after) {
		if !e.IsCell {
			break
		}
		if row := &d.rows[e.Cell]; row.action == format.Mark {
			begins := row.flags&rowNamed != 0
			i, empty := at[row.id.Add(-1)]
			if empty = empty && !begins && i < len(spots) && spots[i].mark == row.id.Add(-1); empty {
				spots = spots[:i]
			} else if begins == (row.flags&rowExpand != 0) {
				if at == nil {
					at = map[opid.ID]int{}
				}
				at[row.id] = len(spots)
				spots = append(spots, spot{e.Eid, row.id})
			}
		}
		if d.winner(e.Cell) != none {
			break
		}
	}
	return spots[len(spots)-1].eid
}

// Mark gives the stretch [start,end) of a text a mark. expand tells what becomes
// of text inserted at its edges later.
func (d *Doc) Mark(obj ObjID, start, end int, name string, v Value, expand Expand) error {
	if err := v.check(); err != nil {
		return err
	}
	if !utf8.ValidString(name) || len(name) > d.most.Key {
		return fmt.Errorf("%w: a name is UTF-8 of at most %d bytes", ErrValue, d.most.Key)
	}
	n, err := d.textAt(obj, start)
	if err != nil {
		return err
	}
	if size := d.seqs.Len(d.objects[n].seq, d.o.Unit); end < start || end > size {
		return fmt.Errorf("%w: %d to %d of %d", ErrRange, start, end, size)
	}
	if start == end && expand == ExpandNone {
		return nil // nothing could ever have it
	}
	if err := d.begin(); err != nil {
		return err
	}
	raw, typ := v.append(nil)
	op := format.Op{ID: d.nextID(), Obj: d.idOf(n), Insert: true, Action: format.Mark,
		Value: format.Value{Type: typ, Raw: raw}, Expand: expand.before(), Mark: append([]byte{}, name...)}
	begin := d.rows[d.insertCell(n, d.placeAt(n, start), &op)].key
	after := begin
	if start < end {
		// Within one element of several units both ends have the same place.
		if a := d.placeAt(n, end); a != none && d.seqs.Before(begin, a) {
			after = a
		}
	}
	op = format.Op{ID: d.nextID(), Obj: op.Obj, Insert: true, Action: format.Mark, Expand: expand.after()}
	d.insertCell(n, after, &op)
	return nil
}

// Unmark takes the marks of that name from the stretch [start,end) of a text.
func (d *Doc) Unmark(obj ObjID, start, end int, name string, expand Expand) error {
	return d.Mark(obj, start, end, name, Null(), expand)
}

// textAt finds a text that has such a position.
func (d *Doc) textAt(obj ObjID, pos int) (uint32, error) {
	n, err := d.object(obj)
	if err != nil {
		return n, err
	}
	o := &d.objects[n]
	if o.kind != format.MakeText {
		return n, fmt.Errorf("%w: %s is a %s", ErrKind, obj, kindOf(o.kind))
	}
	if size := d.seqs.Len(o.seq, d.o.Unit); pos < 0 || pos > size {
		return n, fmt.Errorf("%w: %d of %d", ErrRange, pos, size)
	}
	return n, nil
}

// SplitBlock puts a block, a paragraph's beginning say, into a text: a map that
// takes one unit there. block is what the map holds: values of Go as Materialize
// gives them, in which strings become texts (a Value from Str does not), []any
// and map[string]any become lists and maps.
func (d *Doc) SplitBlock(obj ObjID, pos int, block map[string]any) (ObjID, error) {
	if err := checkNative(block, 0); err != nil {
		return Root, err
	}
	if _, err := d.textAt(obj, pos); err != nil {
		return Root, err
	}
	id, err := d.insert(obj, pos, format.MakeMap, format.Value{})
	if err != nil {
		return Root, err
	}
	return d.outer(id), d.fill(d.outer(id), block)
}

// JoinBlock removes the block at a position.
func (d *Doc) JoinBlock(obj ObjID, pos int) error {
	n, err := d.textAt(obj, pos)
	if err != nil {
		return err
	}
	s, err := d.spot(obj, Index(pos))
	if err != nil {
		return err
	}
	if len(s.rows) == 0 || d.rows[s.rows[len(s.rows)-1]].action != format.MakeMap {
		return fmt.Errorf("%w: no block at %d of %s", ErrKind, pos, d.outer(d.idOf(n)))
	}
	s.rows = s.rows[len(s.rows)-1:]
	return d.change1(&s, format.Delete, format.Value{})
}

// UpdateBlock replaces the block at a position by a new one: what others change
// in the old one at the same time is lost.
func (d *Doc) UpdateBlock(obj ObjID, pos int, block map[string]any) (ObjID, error) {
	if err := checkNative(block, 0); err != nil {
		return Root, err
	}
	if err := d.JoinBlock(obj, pos); err != nil {
		return Root, err
	}
	return d.SplitBlock(obj, pos, block)
}

// fill puts values of Go into a new, empty map in the order of its keys.
func (d *Doc) fill(obj ObjID, m map[string]any) error {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v, kind := fromNative(m[k])
		if !kind.IsObject() {
			if err := d.Put(obj, Key(k), v); err != nil {
				return err
			}
			continue
		}
		sub, err := d.PutObject(obj, Key(k), kind)
		if err == nil {
			err = d.fillObject(sub, m[k])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Doc) fillObject(obj ObjID, v any) error {
	switch v := v.(type) {
	case string:
		return d.SpliceText(obj, 0, 0, v)
	case map[string]any:
		return d.fill(obj, v)
	case []any:
		for i, x := range v {
			s, kind := fromNative(x)
			if !kind.IsObject() {
				if err := d.Insert(obj, i, s); err != nil {
					return err
				}
				continue
			}
			sub, err := d.InsertObject(obj, i, kind)
			if err == nil {
				err = d.fillObject(sub, x)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// fromNative is a value of Go as one of a document; of an object only its kind.
func fromNative(v any) (Value, Kind) {
	switch v := v.(type) {
	case string:
		return Value{}, KindText
	case map[string]any:
		return Value{}, KindMap
	case []any:
		return Value{}, KindList
	case bool:
		return Bool(v), KindBool
	case int:
		return Int(int64(v)), KindInt
	case int64:
		return Int(v), KindInt
	case uint64:
		return Uint(v), KindUint
	case float64:
		return Float(v), KindFloat
	case []byte:
		return Bytes(v), KindBytes
	case time.Time:
		return Timestamp(v.UnixMilli()), KindTimestamp
	case Value:
		return v, v.kind
	}
	return Null(), KindNull
}

const deepest = 1000 // of a value of Go

// checkNative refuses what fromNative does not know.
func checkNative(v any, depth int) error {
	if depth > deepest {
		return fmt.Errorf("%w: nested deeper than %d", ErrLimit, deepest)
	}
	switch v := v.(type) {
	case nil, bool, int, int64, uint64, float64, []byte, time.Time, string:
		return nil
	case Value:
		return v.check()
	case map[string]any:
		for k, x := range v {
			if !utf8.ValidString(k) {
				return fmt.Errorf("%w: a key that is not UTF-8", ErrValue)
			}
			if err := checkNative(x, depth+1); err != nil {
				return err
			}
		}
		return nil
	case []any:
		for _, x := range v {
			if err := checkNative(x, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("%w: a %T", ErrValue, v)
}
