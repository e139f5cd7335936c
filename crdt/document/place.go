package document

import "inselnetz/crdt/automerge"

// PositionOf is the position in the text of a byte of [Text].
func PositionOf(r automerge.Reader, offset int) int {
	blocks, err := Blocks(r)
	if err != nil {
		return 0
	}
	pos := 0
	for i := range blocks {
		pos += blocks[i].units()
	}
	if body, err := Body(r); err == nil {
		size, _ := r.Len(body)
		pos = size - pos // -1 if the first block has no beginning of its own
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
