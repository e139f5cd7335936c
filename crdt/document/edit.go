package document

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"inselnetz/crdt/automerge"
)

// An EditKind is what an Edit does.
type EditKind string

// The kinds of edits, and the fields that each has beside At.
const (
	Splice EditKind = "splice" // Del units go, Text comes with Marks
	Mark   EditKind = "mark"   // [At,End) gets Name with Value; Expand
	Unmark EditKind = "unmark" // [At,End) loses Name; Expand
	Split  EditKind = "split"  // a block or embed comes, with the attributes Block
	Join   EditKind = "join"   // the block or embed at At goes
	Update EditKind = "update" // the block or embed at At gets the attributes Block; null takes one away, others stay
	Put    EditKind = "put"    // the one value at Path in the block or embed at At becomes Value; null takes it away
)

// An Edit is one step of an editor, or what an editor must do to show what others
// did; see [Apply] and [Patches]. Positions count UTF-16 units and are right when
// all edits before it are done.
type Edit struct {
	Kind   EditKind       `json:"kind"`
	At     int            `json:"at"`
	Del    int            `json:"del,omitempty"`
	End    int            `json:"end,omitempty"`
	Text   string         `json:"text,omitempty"`
	Marks  map[string]any `json:"marks,omitzero"` // of Text; nil: those that the place has, and in a patch none
	Name   string         `json:"name,omitempty"`
	Value  any            `json:"value,omitempty"` // true, a number or a string; of put: any value of JSON
	Block  map[string]any `json:"block,omitempty"`
	Expand string         `json:"expand,omitempty"` // after, before, both, none; "" is what the name has
	Path   []string       `json:"path,omitempty"`   // of put: keys, of which all but the last lead through maps
}

// ErrEdit is wrapped by errors about an edit that makes no sense.
var ErrEdit = errors.New("edit does not fit the document")

// Bounds of an edit. Text is bounded by who reads it.
const (
	maxName   = 256      // bytes of a mark's name or an attribute's
	maxString = 8 << 10  // bytes of a value
	maxAttrs  = 16 << 10 // bytes of a block's attributes together
	maxDepth  = 8        // of a value within an attribute
)

// A change may have this much, in code points of text and in bytes as a guess that
// is never too low, so that it stays below MaxChange.
const (
	piecePoints = 8000
	pieceBytes  = 36 << 10
)

// What operations cost at most, in bytes.
const (
	costDelete = 8  // one character, of many authors in no order
	costMark   = 48 // and its name and value
	costBlock  = 48 // and its attributes
	costAttr   = 24
)

// Apply does edits. After an error those before the wrong one are done; the caller
// rolls back. What would be more than one entry may hold is done in pieces: commit
// is called between them, and shall commit and pass on the change. Without commit
// everything stays one. What is pending at the end the caller commits.
func Apply(d *automerge.Doc, edits []Edit, commit func() error) error {
	body, err := Body(d.Reader)
	if err != nil {
		return err
	}
	w := writer{d: d, body: body, commit: commit}
	for i := range edits {
		if err := w.edit(&edits[i]); err != nil {
			return fmt.Errorf("edit %d (%s): %w", i, edits[i].Kind, err)
		}
	}
	return w.settle()
}

// A writer does edits and knows how much is pending.
type writer struct {
	d      *automerge.Doc
	body   automerge.ObjID
	commit func() error
	points int
	bytes  int
	fresh  []stretch // ascending
}

// A stretch is text that was just inserted and shall have exactly these marks. It
// gets them later, when all are known: finding out what it has goes through all
// marks of the text.
type stretch struct {
	start, end int
	marks      map[string]automerge.Value
}

func (w *writer) edit(e *Edit) error {
	size, err := w.d.Len(w.body)
	if err != nil {
		return err
	}
	if e.At < 0 || e.At > size || e.Del < 0 || e.Del > size-e.At {
		return fmt.Errorf("%w: %d and %d more of %d", ErrEdit, e.At, e.Del, size)
	}
	switch e.Kind {
	case Splice:
		return w.splice(e)
	case Mark, Unmark:
		if e.End < e.At || e.End > size {
			return fmt.Errorf("%w: %d to %d of %d", ErrEdit, e.At, e.End, size)
		}
		return w.mark(e)
	case Split:
		return w.split(e)
	case Join:
		if _, err := w.blockAt(e.At); err != nil {
			return err
		}
		return w.remove(e.At, 1)
	case Update:
		return w.update(e)
	case Put:
		return w.putAt(e)
	}
	return fmt.Errorf("%w: unknown", ErrEdit)
}

// spend makes room for an operation, by a commit where the change would become too
// long.
func (w *writer) spend(points, bytes int) error {
	if w.points+w.bytes > 0 && w.commit != nil && (w.points+points > piecePoints || w.bytes+bytes > pieceBytes) {
		if err := w.settle(); err != nil {
			return err
		}
		if err := w.commit(); err != nil {
			return err
		}
		w.points, w.bytes = 0, 0
	}
	w.points += points
	w.bytes += bytes
	return nil
}

func (w *writer) splice(e *Edit) error {
	if !utf8.ValidString(e.Text) {
		return fmt.Errorf("%w: the text is no UTF-8", ErrEdit)
	}
	marks, cost, err := marksOf(e.Marks)
	if err != nil {
		return err
	}
	points := utf8.RuneCountInString(e.Text)
	if points <= piecePoints/2 && e.Del <= piecePoints/4 && len(e.Text)+e.Del*costDelete+cost <= pieceBytes {
		// One step, so that Automerge sees what replaces what.
		if err := w.spend(points, len(e.Text)+e.Del*costDelete+cost); err != nil {
			return err
		}
		return w.write(e.At, e.Del, e.Text, marks)
	}
	at := e.At
	for text := e.Text; text != ""; {
		n, points := len(text), 0
		for i := range text {
			if points == piecePoints/2 || i > pieceBytes/2 {
				n = i
				break
			}
			points++
		}
		if err := w.spend(points, n+cost); err != nil {
			return err
		}
		if err := w.write(at, 0, text[:n], marks); err != nil {
			return err
		}
		at += units(text[:n])
		text = text[n:]
	}
	return w.remove(at, e.Del)
}

// remove deletes units, in pieces.
func (w *writer) remove(at, del int) error {
	for del > 0 {
		n := min(del, piecePoints/4)
		if err := w.spend(0, n*costDelete); err != nil {
			return err
		}
		before, err := w.d.Len(w.body)
		if err != nil {
			return err
		}
		if err := w.write(at, n, "", nil); err != nil {
			return err
		}
		after, err := w.d.Len(w.body)
		if err != nil {
			return err
		}
		if before == after {
			return nil // a position within a character at the end: nothing is behind it
		}
		del -= before - after
	}
	return nil
}

// write replaces text and notes which marks it shall have, nil for those that it
// gets by itself.
func (w *writer) write(at, del int, text string, marks map[string]automerge.Value) error {
	if err := w.moves(at); err != nil {
		return err
	}
	if marks == nil && text != "" { // it takes the marks of what is before it
		if err := w.settle(); err != nil {
			return err
		}
	}
	if err := w.d.SpliceText(w.body, at, del, text); err != nil {
		return err
	}
	if marks != nil && text != "" {
		w.fresh = append(w.fresh, stretch{at, at + units(text), marks})
	}
	return nil
}

// moves is told of a change to the text before it happens. Where that is not
// behind all fresh stretches, they settle first.
func (w *writer) moves(at int) error {
	if n := len(w.fresh); n > 0 && at < w.fresh[n-1].end {
		return w.settle()
	}
	return nil
}

func (w *writer) mark(e *Edit) error {
	expand, err := expandOf(e.Name, e.Expand)
	if err != nil {
		return err
	}
	v := automerge.Null()
	if e.Kind == Mark {
		if v, err = valueOf(e.Value); err != nil {
			return err
		}
	}
	if err := checkName(e.Name); err != nil {
		return err
	}
	if err := w.settle(); err != nil {
		return err
	}
	if err := w.spend(0, costMark+len(e.Name)+len(v.Str())); err != nil {
		return err
	}
	return w.d.Mark(w.body, e.At, e.End, e.Name, v, expand)
}

func (w *writer) split(e *Edit) error {
	cost, err := attrsCost(e.Block, 0)
	if err != nil {
		return err
	}
	if cost > maxAttrs {
		return fmt.Errorf("%w: attributes of %d bytes", ErrEdit, cost)
	}
	if err := w.spend(1, costBlock+cost); err != nil {
		return err
	}
	if err := w.moves(e.At); err != nil {
		return err
	}
	obj, err := w.d.SplitBlock(w.body, e.At, nil)
	if err != nil {
		return err
	}
	return w.put(obj, e.Block)
}

// blockAt is the map at a position.
func (w *writer) blockAt(at int) (automerge.ObjID, error) {
	v, ok, err := w.d.Get(w.body, automerge.Index(at))
	if err != nil {
		return automerge.Root, fmt.Errorf("%w: %w", ErrEdit, err)
	}
	if !ok || v.Kind() != automerge.KindMap {
		return automerge.Root, fmt.Errorf("%w: no block at %d", ErrEdit, at)
	}
	return v.Obj(), nil
}

// update sets attributes one by one: two people who change different ones, or the
// same one alike, do not end up with two blocks, as with Automerge's UpdateBlock.
func (w *writer) update(e *Edit) error {
	obj, err := w.blockAt(e.At)
	if err != nil {
		return err
	}
	cost, err := attrsCost(e.Block, 0)
	if err != nil {
		return err
	}
	if cost > maxAttrs {
		return fmt.Errorf("%w: attributes of %d bytes", ErrEdit, cost)
	}
	if err := w.spend(0, cost); err != nil {
		return err
	}
	return w.put(obj, e.Block)
}

// put sets attributes that attrsCost has checked.
func (w *writer) put(obj automerge.ObjID, attrs map[string]any) error {
	for _, k := range slices.Sorted(maps.Keys(attrs)) {
		var err error
		switch x := attrs[k].(type) {
		case nil:
			err = w.d.Delete(obj, automerge.Key(k))
		case map[string]any, []any:
			err = w.nest(obj, automerge.Key(k), x, false)
		default:
			var v automerge.Value
			if v, err = valueOf(x); err == nil {
				err = w.d.Put(obj, automerge.Key(k), v)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// nest puts a value of JSON below an attribute: strings become texts.
func (w *writer) nest(obj automerge.ObjID, at automerge.Prop, x any, insert bool) error {
	object := func(k automerge.Kind) (automerge.ObjID, error) {
		if i, ok := at.Index(); insert && ok {
			return w.d.InsertObject(obj, i, k)
		}
		return w.d.PutObject(obj, at, k)
	}
	switch x := x.(type) {
	case string:
		sub, err := object(automerge.KindText)
		if err != nil {
			return err
		}
		return w.d.SpliceText(sub, 0, 0, x)
	case []any:
		sub, err := object(automerge.KindList)
		for i := 0; err == nil && i < len(x); i++ {
			err = w.nest(sub, automerge.Index(i), x[i], true)
		}
		return err
	case map[string]any:
		sub, err := object(automerge.KindMap)
		for _, k := range slices.Sorted(maps.Keys(x)) {
			if err == nil {
				err = w.nest(sub, automerge.Key(k), x[k], false)
			}
		}
		return err
	}
	v, err := valueOf(x)
	if err != nil {
		return err
	}
	if i, ok := at.Index(); insert && ok {
		return w.d.Insert(obj, i, v)
	}
	return w.d.Put(obj, at, v)
}

// attrsCost checks a value of JSON and guesses what it costs in a change.
func attrsCost(x any, depth int) (int, error) {
	if depth > maxDepth {
		return 0, fmt.Errorf("%w: attributes nested deeper than %d", ErrEdit, maxDepth)
	}
	total := costAttr
	switch x := x.(type) {
	case nil:
	case map[string]any:
		for k, v := range x {
			if len(k) > maxName || !utf8.ValidString(k) {
				return 0, fmt.Errorf("%w: an attribute's name of %d bytes", ErrEdit, len(k))
			}
			n, err := attrsCost(v, depth+1)
			if err != nil {
				return 0, err
			}
			total += n + len(k)
		}
	case []any:
		for _, v := range x {
			n, err := attrsCost(v, depth+1)
			if err != nil {
				return 0, err
			}
			total += n
		}
	default:
		v, err := valueOf(x)
		if err != nil {
			return 0, err
		}
		total += len(v.Str())
		if depth > 1 {
			total += utf8.RuneCountInString(v.Str()) // as a text
		}
	}
	return total, nil
}

// valueOf is a scalar of JSON as Automerge has it; a number without fraction is an
// integer.
func valueOf(x any) (automerge.Value, error) {
	switch x := x.(type) {
	case nil:
		return automerge.Null(), nil
	case bool:
		return automerge.Bool(x), nil
	case int:
		return automerge.Int(int64(x)), nil
	case int64:
		return automerge.Int(x), nil
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			return automerge.Int(int64(x)), nil
		}
		return automerge.Float(x), nil
	case string:
		if len(x) > maxString || !utf8.ValidString(x) {
			return automerge.Value{}, fmt.Errorf("%w: a value of %d bytes", ErrEdit, len(x))
		}
		return automerge.Str(x), nil
	}
	return automerge.Value{}, fmt.Errorf("%w: a value of type %T", ErrEdit, x)
}

func checkName(name string) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) {
		return fmt.Errorf("%w: a mark's name of %d bytes", ErrEdit, len(name))
	}
	return nil
}

// marksOf checks marks and guesses what they cost; nil stays nil.
func marksOf(marks map[string]any) (map[string]automerge.Value, int, error) {
	if marks == nil {
		return nil, 0, nil
	}
	out := make(map[string]automerge.Value, len(marks))
	cost := 4 * costMark // what may have to be taken away
	for name, x := range marks {
		if err := checkName(name); err != nil {
			return nil, 0, err
		}
		v, err := valueOf(x)
		if err != nil {
			return nil, 0, err
		}
		if v.Kind() == automerge.KindNull {
			continue
		}
		out[name] = v
		cost += costMark + len(name) + len(v.Str())
	}
	if cost > maxAttrs {
		return nil, 0, fmt.Errorf("%w: marks of %d bytes", ErrEdit, cost)
	}
	return out, cost, nil
}

// expandOf reads how a mark grows; "" takes what marks of that name do.
func expandOf(name, s string) (automerge.Expand, error) {
	switch s {
	case "":
		if name == "link" || strings.HasPrefix(name, "comment:") {
			return automerge.ExpandNone, nil
		}
		return automerge.ExpandAfter, nil
	case "after":
		return automerge.ExpandAfter, nil
	case "before":
		return automerge.ExpandBefore, nil
	case "both":
		return automerge.ExpandBoth, nil
	case "none":
		return automerge.ExpandNone, nil
	}
	return 0, fmt.Errorf("%w: expand %q", ErrEdit, s)
}

// units is how many UTF-16 units a text has.
func units(s string) int {
	n := 0
	for _, c := range s {
		if n++; c > 0xffff {
			n++
		}
	}
	return n
}
