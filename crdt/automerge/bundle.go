package automerge

import (
	"fmt"

	"inselnetz/crdt/automerge/internal/format"
)

// changesOfBundle are the changes in the body of a bundle, in its order. Each is
// written anew and then judged as if it had come alone.
func changesOfBundle(body []byte, limits *Limits) ([]*Change, error) {
	b, err := format.ParseBundle(body, limits)
	if err != nil {
		return nil, corrupt(err)
	}
	bodies, err := b.Bodies()
	if err != nil {
		return nil, corrupt(err)
	}
	out := make([]*Change, 0, len(bodies))
	for i, body := range bodies {
		c, err := newChange(body, format.HashOf(format.ChangeChunk, body), limits)
		if err != nil {
			return nil, fmt.Errorf("change %d of a bundle: %w", i, err)
		}
		out = append(out, c)
	}
	return out, nil
}
