// Package opid is the name of an operation: a counter and whose it is.
package opid

// An ID names an operation. Actor is an index into a table of actors that the
// context gives; Ctr 0 stands for no operation: the root object, the head of a
// sequence.
type ID struct{ Ctr, Actor uint32 }

// None reports whether id names no operation.
func (id ID) None() bool { return id.Ctr == 0 }

// Add is the id that many counters on, of the same actor.
func (id ID) Add(n int) ID { return ID{uint32(int64(id.Ctr) + int64(n)), id.Actor} }
