// Package format reads and writes the bytes of the Automerge format: chunks,
// changes, documents and bundles, as rows. It knows nothing of what operations
// mean to one another.
//
// Whatever is read may come from a stranger. Everything is checked before it is
// believed, counts are compared with the bytes there are before memory is taken
// for them, and what is refused is refused with an error that wraps
// ErrMalformed or ErrLimit. No value of this package may be used by two
// goroutines at once.
package format

import (
	"errors"
	"fmt"
	"math"

	"inselnetz/crdt/automerge/internal/opid"
)

// ErrMalformed is wrapped by the refusal of bytes that are not what they claim
// to be.
var ErrMalformed = errors.New("malformed")

// ErrLimit is wrapped by the refusal of bytes that stay within the format but
// not within the Limits.
var ErrLimit = errors.New("beyond limit")

func malformed(text string, args ...any) error {
	return fmt.Errorf("%w: "+text, append([]any{ErrMalformed}, args...)...)
}

func beyond(what string, n, limit uint64) error {
	return fmt.Errorf("%w: %s %d, at most %d", ErrLimit, what, n, limit)
}

// A Hash is the SHA-256 of a chunk, and the name of a change.
type Hash [32]byte

// MaxCounter is the greatest counter an operation may have. The format has 64
// bits for it; the reference refuses changes beyond 32, so we do everywhere.
const MaxCounter = 1<<32 - 1

// Limits bounds what a stranger's bytes may cost. A zero field stands for its
// default; defaults that depend on the input count its bytes as stored.
type Limits struct {
	Inflated int // bytes a chunk may inflate to, all columns together: 24 MiB + 32 × input
	Ops      int // operations in a chunk: 2^20 + 1032 × input, what DEFLATE can hold of text
	Rows     int // operations in a document that are no plain characters, for the engine to observe, or in a bundle: 2^18 + half the input
	Changes  int // changes in a chunk: 2^19 + input
	Actors   int // actors in a chunk: 65,536
	Actor    int // bytes of an actor's name: 128
	Key      int // bytes of a map key, a mark's name or a message: 1 MiB
	Refs     int // predecessors or successors in a chunk: 2^20 + 1032 × input
}

// For is l with its zero fields replaced by the defaults for an input of that
// many bytes. A nil l is all defaults.
func (l *Limits) For(input int) Limits {
	var f Limits
	if l != nil {
		f = *l
	}
	def := func(field *int, base, factor int64) {
		if *field <= 0 {
			*field = int(min(base+factor*int64(input), math.MaxInt32))
		}
	}
	def(&f.Inflated, 24<<20, 32)
	def(&f.Ops, 1<<20, 1032)
	def(&f.Rows, 1<<18+int64(input)/2, 0)
	def(&f.Changes, 1<<19, 1)
	def(&f.Actors, 1<<16, 0)
	def(&f.Actor, 128, 0)
	def(&f.Key, 1<<20, 0)
	def(&f.Refs, 1<<20, 1032)
	return f
}

// An Action says what an operation does.
type Action uint8

// The actions there are; changes with others are refused.
const (
	MakeMap Action = iota
	Set
	MakeList
	Delete
	MakeText
	Increment
	MakeTable
	Mark
)

// Types of a Value. Those from 10 to 15 are not given out yet and kept as they
// are.
const (
	Null uint8 = iota
	False
	True
	Uint      // uLEB
	Int       // sLEB
	Float     // 8 bytes, little-endian
	Str       // UTF-8
	Bytes     // anything
	Counter   // sLEB
	Timestamp // sLEB, milliseconds since 1970
)

// A Value is a scalar as it is stored.
type Value struct {
	Type uint8  // 0 to 15
	Raw  []byte // its bytes in the value column; valid as long as the chunk's
}

// An Op is one row of operations. In changes actor 0 is the author and i is
// Others[i-1]; in documents and bundles actors index the chunk's table.
type Op struct {
	ID, Obj opid.ID // Obj.Ctr 0 is the root
	Key     []byte  // key in a map
	Map     bool    // Key counts, not Elem
	Insert  bool    // makes a new element after Elem
	Expand  bool    // of a Mark
	Action  Action
	Elem    opid.ID // element of a sequence; Ctr 0 is its head
	Value   Value
	Mark    []byte    // name of a Mark; nil is none
	Refs    []opid.ID // predecessors in changes and bundles, successors in documents; ascending; valid until the next row
}
