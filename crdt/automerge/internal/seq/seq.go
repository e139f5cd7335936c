// Package seq keeps the sequences of a document, texts and lists: the order of
// their elements, which of them show, and where each of them is.
//
// Order is the replicated growable array of the Automerge format: an element
// names the one it was inserted after, and among those inserted after the same
// one the greatest id comes first. Elements never leave; deleted ones stay as
// tombstones with the ids of their deleters.
//
// A Store holds all sequences of one document, a Seq is a small handle in it.
// Each element has an eid, a dense number in order of arrival, by which it is
// found again; the map from ids to eids is the caller's. An element is either a
// character, of which runs are kept together, or a cell: anything else, by a
// number that the caller gives and a width that the caller sets.
//
// A Store is safe for one goroutine at a time, readers included: reading moves
// a cursor.
package seq

import "inselnetz/crdt/automerge/internal/opid"

// None is no element: the head of a sequence as a place to insert after.
const None = ^uint32(0)

// Unit is what positions count.
type Unit uint8

const (
	Points Unit = iota // Unicode code points
	Units              // UTF-16 code units
)

// Width is what an element adds to positions, in both units.
type Width struct{ Points, Units uint32 }

// In is the width in one unit.
func (w Width) In(u Unit) uint32 {
	if u == Units {
		return w.Units
	}
	return w.Points
}

func (w Width) add(x Width) Width { return Width{w.Points + x.Points, w.Units + x.Units} }
func (w Width) sub(x Width) Width { return Width{w.Points - x.Points, w.Units - x.Units} }

// Seq is one text or list. Its zero value is an empty one. Owner is the
// caller's; it must be set before the first insert. A copy made before the
// first insert is another sequence.
type Seq struct {
	Owner uint32
	num   uint32 // of its head in the store, 0: nothing inserted yet
	marks uint32
}

// Marks is the number of mark cells in q, hidden or not.
func (q *Seq) Marks() int { return int(q.marks) }

// A Run is a part of a sequence: one cell, or characters that follow each other
// with consecutive ids and eids, each inserted after the one before, all showing
// or all deleted by consecutive operations. Text points into the store and never
// changes.
type Run struct {
	Eid     uint32  // of the first element; the others count up
	ID, Ref opid.ID // of the first element; what it was inserted after (Ctr 0: head)
	N       int     // elements; 1 for a cell
	Text    []byte  // of the characters, N code points; nil for a cell
	Deleted bool    // characters only; a cell is hidden by its width
	Del     opid.ID // first deleter of the first character
	Step    int     // the first deleter of character i is Del.Ctr + i*Step
	Many    bool    // some character of the run may have further deleters, see More
	IsCell  bool
	IsMark  bool
	Cell    uint32 // the caller's number of a cell
	Width   Width  // of all that shows: zero if deleted
}
