package document

import (
	"reflect"

	"inselnetz/crdt/automerge"
)

// Replace makes the text say what blocks do, and leaves alone the blocks at its
// beginning and end that say it already: what others write there meanwhile stays.
// See [Apply] for commit.
func Replace(d *automerge.Doc, blocks []Block, commit func() error) error {
	body, err := Body(d.Reader)
	if err != nil {
		return err
	}
	size, err := d.Len(body)
	if err != nil {
		return err
	}
	was, err := Blocks(d.Reader)
	if err != nil {
		return err
	}
	total := 0
	for _, b := range was {
		total += b.units()
	}
	if total != size { // the first block has no marker of its own
		was = nil
	}
	from := 0
	for from < len(was) && from < len(blocks) && reflect.DeepEqual(was[from], blocks[from]) {
		from++
	}
	end := 0
	for end < len(was)-from && end < len(blocks)-from && reflect.DeepEqual(was[len(was)-1-end], blocks[len(blocks)-1-end]) {
		end++
	}
	at, del := 0, size
	for i, b := range was {
		switch {
		case i < from:
			at += b.units()
			del -= b.units()
		case i >= len(was)-end:
			del -= b.units()
		}
	}
	edits := EditsOf(at, blocks[from:len(blocks)-end])
	if del > 0 {
		edits = append([]Edit{{Kind: Splice, At: at, Del: del}}, edits...)
	}
	return Apply(d, edits, commit)
}

// units is what a block takes with its marker, in UTF-16.
func (b Block) units() int {
	n := 1
	for _, s := range b.Spans {
		if s.Embed != nil {
			n++
		}
		n += units(s.Text)
	}
	return n
}
