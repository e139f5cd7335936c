package automerge

import (
	"fmt"
	"slices"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
	"inselnetz/crdt/automerge/internal/seq"
)

// A Fate tells in which of two states something is.
type Fate uint8

// The fates.
const (
	Stays Fate = iota
	Comes      // not there before
	Goes       // not there after
)

// A Part is a stretch of a text in two states: characters of one fate and with the
// same marks, or a block.
type Part struct {
	Text    string
	Marks   map[string]Value // as in the state after; of what goes, before. Others may share it
	Block   ObjID            // the map of a block; Root if the part is text
	Fate    Fate
	By      ActorID // who inserted what comes, deleted what goes, changed the block last; "" if only the state before knows
	Changed bool    // of a block that stays: something in it may be another
}

// Compare is a text as it is at some heads, with what it had at others and has no
// more still in its place. What neither state shows is left out. The states may be
// in any order; it costs as much as reading the text and what lies between them.
func (d *Doc) Compare(obj ObjID, before, after []Hash) ([]Part, error) {
	f, err := d.between(before, after)
	if err != nil {
		return nil, err
	}
	n, err := d.object(obj)
	if err != nil {
		return nil, err
	}
	o := &d.objects[n]
	if o.kind != format.MakeText {
		return nil, fmt.Errorf("%w: %s is a %s", ErrKind, obj, kindOf(o.kind))
	}
	f.most = mostSpanMarks(o)
	c := comparer{seqDiff: seqDiff{differ: f, n: n, o: o, isText: true, dirty: true}}
	c.open = [2]open{{d: d}, {d: d}}
	c.inside()
	for e := range d.seqs.Runs(o.seq) {
		c.run(&e)
		if f.spent > f.most {
			return nil, fmt.Errorf("%w: more than %d marks overlap", ErrLimit, f.most)
		}
	}
	c.flush()
	return c.parts, nil
}

type comparer struct {
	seqDiff
	touched map[uint32]opid.ID // objects in or below which something differs: the newest operation there, as touch.last
	parts   []Part
	next    Part // its text is in buf
	buf     []byte
	marks   []uint32 // of next
}

// inside notes the objects that operations between the states have to do with, and
// those around them.
func (c *comparer) inside() {
	c.find()
	c.touched = map[uint32]opid.ID{}
	for m, t := range c.differ.touched {
		for m != 0 {
			last, known := c.touched[m]
			newer := !t.last.None() && (last.None() || c.d.less(last, t.last))
			if known && !newer {
				break
			}
			if c.touched[m] = last; newer {
				c.touched[m] = t.last
			}
			m = c.d.rows[c.d.objects[m].row].obj
		}
	}
}

// run takes in all elements of a run.
func (c *comparer) run(e *seq.Run) {
	if e.IsCell {
		c.cell(e)
		return
	}
	if b, ok := c.runShows(was, e); ok {
		if a, ok := c.runShows(is, e); ok && (!e.Many || !b || a) {
			c.chars(e, 0, e.N, b, a)
			return
		}
	}
	for k := 0; k < e.N; {
		b, a := c.charShows(was, e, k), c.charShows(is, e, k)
		by := c.killer(e, k)
		m := k + 1
		for m < e.N && c.charShows(was, e, m) == b && c.charShows(is, e, m) == a && c.killer(e, m) == by {
			m++
		}
		c.chars(e, k, m, b, a)
		k = m
	}
}

// chars takes in characters [k,m) of a run, which have one fate and one deleter.
func (c *comparer) chars(e *seq.Run, k, m int, before, after bool) {
	if !before && !after {
		return
	}
	text := firstPoints(e.Text, m)[len(firstPoints(e.Text, k)):]
	switch {
	case before && after:
		c.text(text, Stays, none)
	case before:
		c.text(text, Goes, c.killer(e, k))
	default:
		c.text(text, Comes, c.maker(e.ID))
	}
}

// maker is the actor of an operation that the state before does not know, else none.
func (c *comparer) maker(id opid.ID) uint32 {
	if c.r[was].sees(id) {
		return none
	}
	return id.Actor
}

// killer is the actor who deleted character k of a run, as the state after knows, or
// none. Of several it is the one with the least operation.
func (c *comparer) killer(e *seq.Run, k int) uint32 {
	if !e.Deleted {
		return none
	}
	var by opid.ID
	if id := e.Del.Add(k * e.Step); c.r[is].sees(id) {
		by = id
	}
	if e.Many {
		for _, id := range c.d.seqs.More(e.Eid + uint32(k)) {
			if c.r[is].sees(id) && (by.None() || c.d.less(id, by)) {
				by = id
			}
		}
	}
	if by.None() {
		return none
	}
	return by.Actor
}

// cell takes in a cell.
func (c *comparer) cell(e *seq.Run) {
	if e.IsMark {
		c.pass(e.Cell)
	}
	old, now := c.r[was].winner(e.Cell), c.r[is].winner(e.Cell)
	if old == now {
		if now != none {
			c.row(now, Stays, none)
		}
		return
	}
	if old != none {
		by := none
		for _, id := range c.d.succsOf(nil, old) {
			if c.r[is].sees(id) {
				by = id.Actor
				break
			}
		}
		c.row(old, Goes, by)
	}
	if now != none {
		c.row(now, Comes, c.maker(c.d.rows[now].id))
	}
}

// row takes in what a row puts into the text.
func (c *comparer) row(n uint32, fate Fate, by uint32) {
	row := &c.d.rows[n]
	if row.action != format.MakeMap {
		c.text(c.d.appendCell(nil, n), fate, by)
		return
	}
	c.flush()
	last, changed := c.touched[row.sub]
	if changed = changed && fate == Stays; changed && !last.None() {
		by = last.Actor
	}
	c.parts = append(c.parts, Part{Block: c.d.outer(row.id), Fate: fate, By: c.actor(by), Changed: changed})
}

func (c *comparer) actor(n uint32) ActorID {
	if n == none {
		return ""
	}
	return c.d.actors[n]
}

func (c *comparer) text(text []byte, fate Fate, by uint32) {
	if len(text) == 0 {
		return
	}
	c.here()
	set := c.set[is]
	if fate == Goes {
		set = c.set[was]
	}
	if who := c.actor(by); len(c.buf) > 0 && (c.next.Fate != fate || c.next.By != who || !slices.EqualFunc(c.marks, set, c.d.sameMark)) {
		c.flush()
	}
	if len(c.buf) == 0 {
		c.next = Part{Fate: fate, By: c.actor(by)}
		c.marks = append(c.marks[:0], set...)
	}
	c.buf = append(c.buf, text...)
}

// flush ends the text so far.
func (c *comparer) flush() {
	if len(c.buf) == 0 {
		return
	}
	r := c.r[is]
	if c.next.Fate == Goes {
		r = c.r[was]
	}
	if c.spend(len(c.marks)); c.spent <= c.most {
		c.next.Text, c.next.Marks = string(c.buf), r.marksOf(c.marks)
		c.parts = append(c.parts, c.next)
	}
	c.buf = c.buf[:0]
}
