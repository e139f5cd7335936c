package oracle

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	am "inselnetz/crdt/automerge"
)

// unsupported are steps the engine does not do yet.
var unsupported = map[string]bool{}

var expands = map[string]am.Expand{"none": am.ExpandNone, "before": am.ExpandBefore, "after": am.ExpandAfter, "both": am.ExpandBoth}

// updateText is judged by what comes out: which characters of several equal ones
// stay is for each program to choose. So replay takes a replica that does this for
// one edited elsewhere, and this is done on a copy.
func updateText(doc *am.Doc, obj am.ObjID, d deed) error {
	if err := doc.UpdateText(obj, *d.S); err != nil {
		return err
	}
	s, err := doc.Text(obj)
	if err == nil && s != *d.S {
		err = fmt.Errorf("text %q after updating it to %q", s, *d.S)
	}
	return err
}

func mark(doc *am.Doc, obj am.ObjID, d deed) error {
	return doc.Mark(obj, d.Pos, d.End, *d.S, input(d.V), expands[d.K])
}

func unmark(doc *am.Doc, obj am.ObjID, d deed) error {
	return doc.Unmark(obj, d.Pos, d.End, *d.S, expands[d.K])
}

func splitBlock(doc *am.Doc, obj am.ObjID, d deed) error {
	_, err := doc.SplitBlock(obj, d.Pos, integers(d.Block).(map[string]any))
	return err
}

func joinBlock(doc *am.Doc, obj am.ObjID, d deed) error { return doc.JoinBlock(obj, d.Pos) }

func updateBlock(doc *am.Doc, obj am.ObjID, d deed) error {
	_, err := doc.UpdateBlock(obj, d.Pos, integers(d.Block).(map[string]any))
	return err
}

// integers are the numbers of JSON as JavaScript takes them: integers where they
// are some.
func integers(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) {
			return int64(v)
		}
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = integers(v[k])
		}
	}
	return v
}

func (e *engine) cursor(d deed) error {
	if e.isForeign(d.R) {
		return nil // may name what is not committed
	}
	obj, err := am.ParseObjID(d.Obj)
	if err != nil {
		return err
	}
	move := am.MoveAfter
	if d.K == "before" {
		move = am.MoveBefore
	}
	c, err := e.docs[d.R].Cursor(obj, d.Pos, move)
	if err == nil && c.String() != d.Cursor {
		err = fmt.Errorf("cursor %s, want %s", c, d.Cursor)
	}
	return err
}

func (e *engine) positions(d deed) error {
	for _, p := range d.Positions {
		obj, err := am.ParseObjID(p.Obj)
		if err != nil {
			return err
		}
		c, err := am.ParseCursor(p.Cursor)
		if err != nil {
			return err
		}
		pos, err := e.docs[d.R].Position(obj, c)
		if err != nil || pos != p.Pos {
			return fmt.Errorf("cursor %s is at %d, %v, want %d", c, pos, err, p.Pos)
		}
	}
	return nil
}

// bundle loads a bundle of some changes, and then all the others. Bundles are not
// compared: the JavaScript release writes several deletes of one element in the
// order of a hash table.
func (e *engine) bundle(d deed) error {
	all, err := e.docs[d.R].Changes(nil)
	if err != nil {
		return err
	}
	doc := am.New(am.Options{Unit: am.UTF16})
	if err := doc.LoadIncremental(d.Bytes); err != nil {
		return err
	}
	var rest []*am.Change
	for _, c := range all {
		if !slices.Contains(d.Hashes, hashes([]am.Hash{c.Hash()})[0]) {
			rest = append(rest, c)
		}
	}
	if err := doc.Apply(rest...); err != nil {
		return err
	}
	return equalHeads(doc, hashes(e.docs[d.R].Heads()))
}

// rich writes what a text has beside characters.
func (d *dumper) rich(obj am.ObjID, depth int) {
	marks, err := d.r.Marks(obj)
	if err != nil {
		d.fail(err)
	}
	for _, m := range marks {
		d.line(depth, "mark %d %d %s %s", m.Start, m.End, quote(m.Name), looseScalar(m.Value))
	}
	spans, err := d.r.Spans(obj)
	if err != nil {
		d.fail(err)
	}
	for _, s := range spans {
		var with strings.Builder
		for _, name := range slices.Sorted(maps.Keys(s.Marks)) {
			fmt.Fprintf(&with, " %s=%s", quote(name), looseScalar(s.Marks[name]))
		}
		if s.Block == am.Root {
			d.line(depth, "text %s%s", quote(s.Text), &with)
			continue
		}
		v, err := d.r.Materialize(s.Block)
		if err != nil {
			d.fail(err)
		}
		d.line(depth, "block %s%s", loose(v), &with)
	}
}

func poorer(s string) string { return s }
