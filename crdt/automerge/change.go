package automerge

import (
	"bytes"
	"errors"
	"fmt"

	"inselnetz/crdt/automerge/internal/format"
)

// A Change is what one actor did in one transaction, with all that is needed to
// judge it before it is applied.
type Change struct {
	c    *format.Change
	hash Hash
	body []byte
}

// ParseChange reads one change, plain or compressed. It is checked as far as that
// is possible without the document: its bytes are exactly those that its
// operations encode to. b is copied.
func ParseChange(b []byte, limits *Limits) (*Change, error) {
	chunk, err := format.ReadChunk(bytes.Clone(b), limits)
	if err != nil {
		return nil, corrupt(err)
	}
	if chunk.Type != format.ChangeChunk {
		return nil, fmt.Errorf("%w: a chunk of type %d is no change", ErrCorrupt, chunk.Type)
	}
	if chunk.Size != len(b) {
		return nil, fmt.Errorf("%w: %d bytes after the change", ErrCorrupt, len(b)-chunk.Size)
	}
	var k format.Checker
	return newChange(&k, chunk.Body, chunk.Hash, limits)
}

func newChange(k *format.Checker, body []byte, hash Hash, limits *Limits) (*Change, error) {
	c, err := format.ParseChange(body, limits)
	if err != nil {
		return nil, corrupt(err)
	}
	if err := k.Canonical(c); err != nil {
		return nil, fmt.Errorf("%w: %x: %w", ErrRefused, hash[:], err)
	}
	return &Change{c: c, hash: hash, body: body}, nil
}

// corrupt wraps what the reader of bytes says.
func corrupt(err error) error {
	if errors.Is(err, format.ErrLimit) {
		return fmt.Errorf("%w: %w", ErrLimit, err)
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// Hash names the change.
func (c *Change) Hash() Hash { return c.hash }

// Actor is who made it.
func (c *Change) Actor() ActorID { return ActorID(c.c.Actor) }

// Seq counts the changes of the actor from 1.
func (c *Change) Seq() uint64 { return c.c.Seq }

// StartOp is the counter of its first operation.
func (c *Change) StartOp() uint32 { return c.c.StartOp }

// Len is the number of its operations.
func (c *Change) Len() int { return c.c.NumOps }

// Time is when the actor says it was made: seconds since 1970 by the custom of
// the JavaScript release, 0 for unknown.
func (c *Change) Time() int64 { return c.c.Time }

// Message is what the actor said of it, "" for nothing.
func (c *Change) Message() string { return c.c.Message }

// Deps are the changes that it follows.
func (c *Change) Deps() []Hash { return append([]Hash(nil), c.c.Deps...) }

// Bytes is the change as a chunk of its own, uncompressed.
func (c *Change) Bytes() []byte { return format.AppendChunk(nil, format.ChangeChunk, c.body) }

// shortChunk is the size up to which the reference does not compress a change.
const shortChunk = 256

// Compressed is Bytes deflated, if it is long enough to be worth it. The hash is
// the same.
func (c *Change) Compressed() []byte {
	if b := c.Bytes(); len(b) <= shortChunk {
		return b
	}
	return format.AppendCompressed(nil, c.body)
}
