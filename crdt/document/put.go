package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"inselnetz/crdt/automerge"
)

// mostUpdated is how long a text, in UTF-16 units, is changed rather than replaced.
const mostUpdated = 64 << 10

// putAt sets one nested value by as few edits as possible: of two people who change
// different parts of it, none undoes what the other did. Maps that are missing on
// the way are made.
func (w *writer) putAt(e *Edit) error {
	obj, err := w.blockAt(e.At)
	if err != nil {
		return err
	}
	if len(e.Path) == 0 || len(e.Path) > maxDepth {
		return fmt.Errorf("%w: a path of %d keys", ErrEdit, len(e.Path))
	}
	cost := 0
	for _, k := range e.Path {
		if len(k) > maxName || !utf8.ValidString(k) {
			return fmt.Errorf("%w: a key of %d bytes", ErrEdit, len(k))
		}
		cost += costBlock + len(k)
	}
	n, err := attrsCost(e.Value, len(e.Path))
	if err != nil {
		return err
	}
	if cost += n; cost > maxAttrs {
		return fmt.Errorf("%w: a value of %d bytes", ErrEdit, cost)
	}
	keys, last := e.Path[:len(e.Path)-1], e.Path[len(e.Path)-1]
	for _, k := range keys { // as far as the way is there
		v, ok, err := w.d.Get(obj, automerge.Key(k))
		if err != nil {
			return err
		}
		if !ok || v.Kind() == automerge.KindNull {
			break
		}
		if v.Kind() != automerge.KindMap {
			return fmt.Errorf("%w: %q of the path is no map", ErrEdit, k)
		}
		obj, keys = v.Obj(), keys[1:]
	}
	if err := w.spend(0, cost); err != nil {
		return err
	}
	if e.Value == nil {
		if len(keys) > 0 {
			return nil
		}
		return w.d.Delete(obj, automerge.Key(last))
	}
	for _, k := range keys {
		if obj, err = w.d.PutObject(obj, automerge.Key(k), automerge.KindMap); err != nil {
			return err
		}
	}
	return w.become(obj, last, e.Value, len(e.Path) > 1)
}

// become makes the value of a key what x is, which attrsCost has checked. deep tells
// that strings there are texts.
func (w *writer) become(obj automerge.ObjID, key string, x any, deep bool) error {
	at := automerge.Key(key)
	was, _, err := w.d.Get(obj, at)
	if err != nil {
		return err
	}
	switch x := x.(type) {
	case string:
		if was.Kind() == automerge.KindText {
			if done, err := w.retext(was.Obj(), x); done || err != nil {
				return err
			}
			deep = true
		}
		if !deep {
			return w.d.Put(obj, at, automerge.Str(x))
		}
	case map[string]any:
		if was.Kind() == automerge.KindMap {
			if done, err := w.remap(was.Obj(), x); done || err != nil {
				return err
			}
		}
	case []any:
		if was.Kind() == automerge.KindList && alike(attrOf(w.d.Reader, obj, key), x) {
			return nil
		}
	}
	return w.nest(obj, at, x, false)
}

// remap makes a map say what x does; what stays is not touched. Done is false where
// more must go than a change holds: then it is better replaced.
func (w *writer) remap(obj automerge.ObjID, x map[string]any) (done bool, err error) {
	keys, err := w.d.Keys(obj)
	if err != nil {
		return false, err
	}
	keys = slices.DeleteFunc(keys, func(k string) bool {
		_, stays := x[k]
		return stays
	})
	gone := 0
	for _, k := range keys {
		gone += costAttr + len(k)
	}
	if gone > pieceBytes/2 {
		return false, nil
	}
	if err := w.spend(0, gone); err != nil {
		return false, err
	}
	for _, k := range keys {
		if err := w.d.Delete(obj, automerge.Key(k)); err != nil {
			return false, err
		}
	}
	for _, k := range slices.Sorted(maps.Keys(x)) {
		if err := w.become(obj, k, x[k], true); err != nil {
			return false, err
		}
	}
	return true, nil
}

// retext makes a text read as given by few edits. Done is false where those would be
// more than a change holds: then it is better replaced.
func (w *writer) retext(obj automerge.ObjID, text string) (done bool, err error) {
	if n, err := w.d.Len(obj); err != nil || n > mostUpdated {
		return false, err
	}
	was, err := w.d.Text(obj)
	if err != nil {
		return false, err
	}
	if was == text {
		return true, nil
	}
	a, b := was, text
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	cost := len(a) * costDelete
	if cost > pieceBytes/2 {
		return false, nil
	}
	if err := w.spend(0, cost); err != nil {
		return false, err
	}
	return true, w.d.UpdateText(obj, text)
}

// alike reports whether two values are the same in JSON, in which 1 is 1.0.
func alike(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}
