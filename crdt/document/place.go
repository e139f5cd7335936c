package document

import (
	"errors"

	"inselnetz/crdt/automerge"
)

// Unmarked reports whether the first block has no beginning in the text: it takes
// no position then.
func Unmarked(r automerge.Reader) (bool, error) {
	body, err := Body(r)
	if err != nil {
		return false, err
	}
	v, ok, err := r.Get(body, automerge.Index(0))
	if err != nil && !errors.Is(err, automerge.ErrRange) {
		return false, err
	}
	return !ok || v.Kind() != automerge.KindMap || isEmbed(attrsOf(r, v.Obj())), nil
}

// PositionOf is the position in the text of a byte of [Text].
func PositionOf(r automerge.Reader, offset int) int {
	blocks, err := Blocks(r)
	if err != nil {
		return 0
	}
	pos := 0
	if unmarked, err := Unmarked(r); err == nil && unmarked {
		pos = -1
	}
	for i := range blocks {
		if i > 0 {
			offset-- // the end of the line
		}
		pos++
		for _, s := range blocks[i].Spans {
			switch {
			case s.Embed != nil:
				pos++
			case offset < len(s.Text):
				return pos + units(s.Text[:max(offset, 0)])
			default:
				offset -= len(s.Text)
				pos += units(s.Text)
			}
		}
		if offset <= 0 {
			return pos
		}
	}
	return pos
}
