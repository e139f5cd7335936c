package seq

import (
	"iter"

	"inselnetz/crdt/automerge/internal/opid"
)

// Store holds the sequences of one document.
type Store struct{}

// New returns an empty store.
func New() *Store { return &Store{} }

// SetRanks says how actors order: rank[i] is the place of actor i among all by
// bytes. It is copied. Actors may be added any time; ids of unranked ones must
// not be inserted.
func (s *Store) SetRanks(rank []uint32) { panic("seq: not yet") }

// Grow makes room for that many more elements and bytes of text.
func (s *Store) Grow(elems, bytes int) {}

// Room reports whether so much still fits: a store holds at most 2^32-2
// elements and 2^32-1 bytes. Inserting more panics.
func (s *Store) Room(elems, bytes int) bool { return true }

// Elems is the number of elements in all sequences: eids are below it.
func (s *Store) Elems() int { panic("seq: not yet") }

// InsertChars inserts the n code points of text with ids id, id+1, ...: the
// first after element after (None: the head) by the rule of order, each further
// one after the one before. id must be greater than that of after. It returns
// the eid of the first; the others count up.
func (s *Store) InsertChars(q *Seq, id opid.ID, after uint32, text []byte, n int) (eid uint32) {
	panic("seq: not yet")
}

// InsertCell inserts one cell; see InsertChars.
func (s *Store) InsertCell(q *Seq, id opid.ID, after, cell uint32, w Width, mark bool) (eid uint32) {
	panic("seq: not yet")
}

// Kill deletes n showing characters of one run by operations by, by+1, ...
// With n = 1 and a character that is deleted already, by becomes a further
// deleter.
func (s *Store) Kill(eid uint32, n int, by opid.ID) { panic("seq: not yet") }

// MakeCell turns a character into a cell and returns its deleters, which are
// the caller's from then on.
func (s *Store) MakeCell(eid, cell uint32, w Width) []opid.ID { panic("seq: not yet") }

// SetWidth sets the width of a cell; zero hides it.
func (s *Store) SetWidth(eid uint32, w Width) { panic("seq: not yet") }

// At finds the showing element that covers unit pos: r starts with it and goes
// to the end of its run, off is how many units of it lie before pos. Eid is None
// if pos is not in the sequence.
func (s *Store) At(q *Seq, u Unit, pos int) (r Run, off int) { panic("seq: not yet") }

// Elem is the run that starts with eid and goes to the end of eid's own.
func (s *Store) Elem(eid uint32) Run { panic("seq: not yet") }

// ID is the id of an element.
func (s *Store) ID(eid uint32) opid.ID { panic("seq: not yet") }

// Owner is the Owner of the sequence that eid is in.
func (s *Store) Owner(eid uint32) uint32 { panic("seq: not yet") }

// Position counts the showing units before eid.
func (s *Store) Position(q *Seq, eid uint32, u Unit) int { panic("seq: not yet") }

// Runs goes through q in document order, tombstones included. The store must
// not change meanwhile.
func (s *Store) Runs(q *Seq) iter.Seq[Run] { panic("seq: not yet") }

// RunsFrom is Runs beginning with eid itself.
func (s *Store) RunsFrom(eid uint32) iter.Seq[Run] { panic("seq: not yet") }

// RunsAt goes through what q held at a clock (the highest counter of each actor;
// actors beyond it: nothing): showing characters, with Deleted false, and all
// cells inserted by then, whose state at the clock is the caller's to tell.
func (s *Store) RunsAt(q *Seq, clock []uint32) iter.Seq[Run] { panic("seq: not yet") }

// Prev is the element before eid in document order, hidden or not.
func (s *Store) Prev(eid uint32) (uint32, bool) { panic("seq: not yet") }

// Len is the length of q.
func (s *Store) Len(q *Seq, u Unit) int { panic("seq: not yet") }

// More gives the further deleters of a character, those after Run.Del.
func (s *Store) More(eid uint32) []opid.ID { panic("seq: not yet") }

// AppendText appends what shows of q; cell appends that of a cell.
func (s *Store) AppendText(q *Seq, dst []byte, cell func(dst []byte, cell uint32) []byte) []byte {
	panic("seq: not yet")
}

// AppendTextAt appends what showed of q at a clock, see RunsAt.
func (s *Store) AppendTextAt(q *Seq, clock []uint32, dst []byte, cell func(dst []byte, cell uint32) []byte) []byte {
	panic("seq: not yet")
}

// Builder fills an empty sequence with elements in document order.
type Builder struct{}

// Build begins to fill q. There is one builder at a time; until Done nothing
// else may touch the store but More.
func (s *Store) Build(q *Seq) *Builder { panic("seq: not yet") }

// Char adds a character that was inserted after ref; del is its first deleter
// (Ctr 0: it shows).
func (b *Builder) Char(id, ref opid.ID, text []byte, del opid.ID) (eid uint32) {
	panic("seq: not yet")
}

// Deleter adds a further deleter to the last character.
func (b *Builder) Deleter(id opid.ID) { panic("seq: not yet") }

// Cell adds a cell.
func (b *Builder) Cell(id, ref opid.ID, cell uint32, w Width, mark bool) (eid uint32) {
	panic("seq: not yet")
}

// Done ends filling. It fails if an element was not where the rule of order puts
// it, or not greater than what it was inserted after; the store is then unusable.
func (b *Builder) Done() error { panic("seq: not yet") }
