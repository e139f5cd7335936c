package seq

import (
	"slices"

	"inselnetz/crdt/automerge/internal/opid"
)

// Each sequence is a B+tree: spans in leaves, sums of what shows in the nodes
// above. An eid leads to its leaf, not to its span, so that spans can split and
// join inside a leaf without work on the index. All parts of all trees lie in
// slabs of the store and name each other by number: little for the garbage
// collector, and small for small sequences. Number 0 is no leaf and no node.
const (
	leafCap  = 32 // spans in a leaf
	nodeCap  = 16 // children of a node
	leafSlab = 16
	nodeSlab = 8
)

// A leaf may move spans to another when it splits: never hold one, or a span of
// it, across an insert.
type leaf struct {
	sp         []span
	parent     uint32 // 0: this is the root
	prev, next uint32
	seq        uint32 // its head
	width      Width  // of its spans
	minCtr     uint32 // least counter of an id in it
	place      uint8  // in the parent
	cells      bool   // some of the spans are cells
}

type node struct {
	parent uint32
	n      uint8
	place  uint8
	low    bool // children are leaves
	child  [nodeCap]uint32
	width  [nodeCap]Width
	minCtr [nodeCap]uint32
}

// A head is the root of one sequence.
type head struct {
	owner       uint32
	root        uint32
	first, last uint32 // leaves
	width       Width
	flat        bool // the root is a leaf
}

// Store holds the sequences of one document.
type Store struct {
	rank   []uint32
	text   []byte   // of all characters; only ever appended to
	where  []uint32 // eid -> leaf
	heads  []head   // the first is no sequence
	leaves []*[leafSlab]leaf
	nodes  []*[nodeSlab]node
	nleaf  uint32
	nnode  uint32
	more   map[uint32][]opid.ID // further deleters
	hint   int                  // span of its leaf that was found last
	build  *Builder

	// The cursor is the leaf where a position was last looked up.
	cur struct {
		leaf   uint32 // 0: none
		before Width  // what shows before the leaf
	}
}

// New returns an empty store.
func New() *Store { return &Store{heads: make([]head, 1)} }

// SetRanks says how actors order: rank[i] is the place of actor i among all by
// bytes. It is copied. Actors may be added any time; ids of unranked ones must
// not be inserted.
func (s *Store) SetRanks(rank []uint32) { s.rank = append(s.rank[:0], rank...) }

// Grow makes room for that many more elements and bytes of text.
func (s *Store) Grow(elems, bytes int) {
	s.where = slices.Grow(s.where, elems)
	s.text = slices.Grow(s.text, bytes)
}

// Room reports whether so much still fits: a store holds at most 2^32-2
// elements and 2^32-1 bytes. Inserting more panics.
func (s *Store) Room(elems, bytes int) bool {
	return uint64(len(s.where))+uint64(elems) < uint64(None) && uint64(len(s.text))+uint64(bytes) <= uint64(None)
}

// Bytes is the length of all characters, also of deleted ones.
func (s *Store) Bytes() int { return len(s.text) }

// Elems is the number of elements in all sequences: eids are below it.
func (s *Store) Elems() int { return len(s.where) }

func (s *Store) leaf(i uint32) *leaf { return &s.leaves[i/leafSlab][i%leafSlab] }
func (s *Store) node(i uint32) *node { return &s.nodes[i/nodeSlab][i%nodeSlab] }

func (s *Store) newLeaf(seq uint32) uint32 {
	s.nleaf++
	if int(s.nleaf/leafSlab) >= len(s.leaves) {
		s.leaves = append(s.leaves, new([leafSlab]leaf))
	}
	l := s.leaf(s.nleaf)
	l.seq, l.minCtr = seq, None
	return s.nleaf
}

func (s *Store) newNode(low bool) uint32 {
	s.nnode++
	if int(s.nnode/nodeSlab) >= len(s.nodes) {
		s.nodes = append(s.nodes, new([nodeSlab]node))
	}
	s.node(s.nnode).low = low
	return s.nnode
}

// open makes the head of q if it has none.
func (s *Store) open(q *Seq) {
	if q.num == 0 {
		q.num = uint32(len(s.heads))
		s.heads = append(s.heads, head{owner: q.Owner})
	}
}

// greater reports a > b: by counter, then by the actor's bytes.
func (s *Store) greater(a, b opid.ID) bool {
	if a.Ctr != b.Ctr {
		return a.Ctr > b.Ctr
	}
	return s.rank[a.Actor] > s.rank[b.Actor]
}

// locate finds the leaf and span of e, and which element of the span it is.
func (s *Store) locate(e uint32) (lf uint32, i int, k uint32) {
	lf = s.where[e]
	sp := s.leaf(lf).sp
	if i = s.hint; i < len(sp) {
		if k = e - sp[i].eid; k < uint32(sp[i].n) {
			return lf, i, k
		}
	}
	for i := range sp {
		if k = e - sp[i].eid; k < uint32(sp[i].n) {
			s.hint = i
			return lf, i, k
		}
	}
	panic("seq: the index of elements is broken")
}

// elemsAre enters the elements of p as lying in leaf lf.
func (s *Store) elemsAre(p *span, lf uint32) {
	w := s.where[p.eid : p.eid+uint32(p.n)]
	for j := range w {
		w[j] = lf
	}
}

// changes is told before the width of something in leaf lf changes: what shows
// before another leaf of the cursor may then be wrong.
func (s *Store) changes(lf uint32) {
	if s.cur.leaf != lf {
		s.cur.leaf = 0
	}
}
