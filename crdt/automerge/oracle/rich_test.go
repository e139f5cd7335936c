package oracle

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	am "inselnetz/crdt/automerge"
)

// unsupported are steps the engine does not do yet.
var unsupported = map[string]bool{"updateText": true, "cursor": true, "positions": true, "diff": true, "sync": true}

type syncState struct{}

var expands = map[string]am.Expand{"none": am.ExpandNone, "before": am.ExpandBefore, "after": am.ExpandAfter, "both": am.ExpandBoth}

func updateText(doc *am.Doc, obj am.ObjID, d deed) error { return errors.ErrUnsupported }

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

func (e *engine) cursor(d deed) error    { return errors.ErrUnsupported }
func (e *engine) positions(d deed) error { return errors.ErrUnsupported }
func (e *engine) diff(d deed) error      { return errors.ErrUnsupported }
func (e *engine) sync(d deed) error      { return errors.ErrUnsupported }

// bundle loads a bundle of some changes, and then all the others.
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
