package automerge

import (
	"fmt"
	"math"

	"inselnetz/crdt/automerge/internal/format"
)

// unlimited is for what this program itself has made.
var unlimited = Limits{
	Inflated: math.MaxInt32, Ops: math.MaxInt32, Rows: math.MaxInt32, Changes: math.MaxInt32, Actors: math.MaxInt32,
	Actor: math.MaxInt32, Key: math.MaxInt32, Refs: math.MaxInt32,
}

// roomFor reports whether so much more fits: operations that are no plain text,
// characters, and bytes of text and values. A document grows only as far as Load
// takes it back with the same limits.
func (d *Doc) roomFor(rows, points, bytes int) error {
	most := &d.most
	switch {
	case len(d.rows)+rows > most.Rows+(d.seqs.Bytes()+len(d.vals))/8: // Load counts the bytes of the file
		return fmt.Errorf("%w: %d operations that are no plain text (Limits.Rows)", ErrLimit, len(d.rows))
	case d.seqs.Bytes()+len(d.vals)+bytes > most.Inflated/2:
		return fmt.Errorf("%w: %d bytes of text and values (half of Limits.Inflated)", ErrLimit, most.Inflated/2)
	case !d.seqs.Room(rows+points, bytes):
		return fmt.Errorf("%w: %d elements", ErrLimit, uint32(math.MaxUint32))
	case uint64(d.maxOp)+uint64(rows+points) >= format.MaxCounter:
		return fmt.Errorf("%w: %d operations", ErrLimit, uint32(format.MaxCounter))
	}
	return nil
}
