package oracle

import (
	"errors"
	"slices"
	"strings"

	am "inselnetz/crdt/automerge"
)

// unsupported are steps the engine does not do yet.
var unsupported = map[string]bool{"updateText": true, "mark": true, "unmark": true, "splitBlock": true,
	"joinBlock": true, "updateBlock": true, "cursor": true, "positions": true, "diff": true, "bundle": true, "sync": true}

type syncState struct{}

func updateText(doc *am.Doc, obj am.ObjID, d deed) error  { return errors.ErrUnsupported }
func mark(doc *am.Doc, obj am.ObjID, d deed) error        { return errors.ErrUnsupported }
func unmark(doc *am.Doc, obj am.ObjID, d deed) error      { return errors.ErrUnsupported }
func splitBlock(doc *am.Doc, obj am.ObjID, d deed) error  { return errors.ErrUnsupported }
func joinBlock(doc *am.Doc, obj am.ObjID, d deed) error   { return errors.ErrUnsupported }
func updateBlock(doc *am.Doc, obj am.ObjID, d deed) error { return errors.ErrUnsupported }

func (e *engine) cursor(d deed) error    { return errors.ErrUnsupported }
func (e *engine) positions(d deed) error { return errors.ErrUnsupported }
func (e *engine) diff(d deed) error      { return errors.ErrUnsupported }
func (e *engine) bundle(d deed) error    { return errors.ErrUnsupported }
func (e *engine) sync(d deed) error      { return errors.ErrUnsupported }

func (d *dumper) rich(obj am.ObjID, depth int) {}

// poorer drops from a reading what the engine cannot tell yet.
func poorer(s string) string {
	lines := strings.Split(s, "\n")
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool {
		l = strings.TrimLeft(l, " ")
		return strings.HasPrefix(l, "text \"") || strings.HasPrefix(l, "block {") || strings.HasPrefix(l, "mark ")
	}), "\n")
}
