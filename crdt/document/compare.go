package document

import (
	"reflect"
	"unicode/utf8"

	"inselnetz/crdt/automerge"
)

// A Change tells what became of a part of the text between two states.
type Change string

// The changes; "" is none.
const (
	Added   Change = "added"
	Removed Change = "removed"
	Changed Change = "changed" // an attribute is another; of a block also: split off or joined by those around it
)

// A Compared is a block in two states. Its attributes are those of the state after,
// of a removed one those before; its Spans are in Parts.
type Compared struct {
	Block
	Change Change
	By     automerge.ActorID // who did that; "" if that cannot be said
	Parts  []ComparedSpan
}

// A ComparedSpan is a span in two states; see Compared.
type ComparedSpan struct {
	Span
	Change Change
	By     automerge.ActorID
}

// joinSign stands for the beginning of a block that was removed while text stayed.
const joinSign = "¶"

// Compare is the text at the heads after, with what it had at the heads before still
// in it, marked as removed. added and removed count characters and embeds.
//
// A block is added or removed if all in it is. Where a block was split, the part
// that got the new beginning is changed. Where blocks were joined, the block that
// took the text in is changed, and has joinSign as removed text at the seam.
func Compare(d *automerge.Doc, before, after []automerge.Hash) (blocks []Compared, added, removed int, err error) {
	was, err := d.At(before)
	if err != nil {
		return nil, 0, 0, err
	}
	is, err := d.At(after)
	if err != nil {
		return nil, 0, 0, err
	}
	body, err := Body(is)
	if err != nil {
		return nil, 0, 0, err
	}
	parts, err := d.Compare(body, before, after)
	if err != nil {
		return nil, 0, 0, err
	}
	c := collator{was: was, is: is, began: -1}
	for i := range parts {
		c.part(&parts[i])
	}
	c.settle()
	if len(c.out) == 0 {
		c.out = append(c.out, Compared{Block: Block{Kind: Paragraph}})
	}
	return c.out, c.added, c.removed, nil
}

// A collator makes blocks of parts. gone are those whose beginning was removed, as
// long as it is open whether text that stays joins the block before.
type collator struct {
	was, is        automerge.Reader
	out            []Compared
	gone           []Compared
	bare           bool // the first of gone never had a beginning
	began          int  // the block of out that was added and had nothing yet that stays, or -1
	added, removed int
}

var fates = map[automerge.Fate]Change{automerge.Comes: Added, automerge.Goes: Removed}

func (c *collator) part(p *automerge.Part) {
	if p.Block == automerge.Root {
		c.span(ComparedSpan{Span{Text: p.Text, Marks: plainMarks(p.Marks)}, fates[p.Fate], p.By}, utf8.RuneCountInString(p.Text))
		return
	}
	r := c.is
	if p.Fate == automerge.Goes {
		r = c.was
	}
	attrs := attrsOf(r, p.Block)
	change, by := fates[p.Fate], p.By
	if p.Changed && !reflect.DeepEqual(attrsOf(c.was, p.Block), attrs) {
		change = Changed
	}
	if change == "" {
		by = ""
	}
	if isEmbed(attrs) {
		c.span(ComparedSpan{Span{Embed: attrs}, change, by}, 1)
		return
	}
	b := Compared{Block: blockOf(attrs), Change: change, By: by}
	if change == Removed {
		c.gone = append(c.gone, b)
		return
	}
	c.settle()
	c.out = append(c.out, b)
	if c.began = -1; change == Added {
		c.began = len(c.out) - 1
	}
}

// span takes in what is in a block; size is how many characters it counts.
func (c *collator) span(s ComparedSpan, size int) {
	switch s.Change {
	case Added:
		c.added += size
	case Removed:
		c.removed += size
		if len(c.gone) == 0 && len(c.out) == 0 {
			c.gone = append(c.gone, Compared{Block: Block{Kind: Paragraph}, Change: Removed, By: s.By})
			c.bare = true
		}
		if n := len(c.gone); n > 0 {
			c.gone[n-1].Parts = append(c.gone[n-1].Parts, s)
			return
		}
	}
	if len(c.out) == 0 {
		c.out = append(c.out, Compared{Block: Block{Kind: Paragraph}}) // the implicit one
	}
	n := len(c.out) - 1
	b := &c.out[n]
	for i, g := range c.gone { // joined
		if i > 0 || !c.bare {
			if b.Change == "" {
				b.Change, b.By = Changed, g.By
			}
			b.Parts = append(b.Parts, ComparedSpan{Span{Text: joinSign}, Removed, g.By})
		}
		b.Parts = append(b.Parts, g.Parts...)
	}
	c.gone, c.bare = nil, false
	b.Parts = append(b.Parts, s)
	if (s.Change == "" || s.Change == Changed) && c.began == n {
		b.Change, c.began = Changed, -1 // split off
	}
}

// settle ends the block: what is gone was removed with all that was in it.
func (c *collator) settle() {
	c.out = append(c.out, c.gone...)
	c.gone, c.bare, c.began = nil, false, -1
}
