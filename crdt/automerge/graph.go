package automerge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// A changeRow is a change in the graph. Its operations have the counters start to
// max; an empty change has max = start-1.
type changeRow struct {
	actor, seq, start, max uint32
	dep                    uint32 // the first of its deps, or none; further ones in graph.more
}

// The graph is every change, in the order of application: deps come before what
// depends on them.
type graph struct {
	rows    []changeRow
	more    map[uint32][]uint32
	times   timeline
	message map[uint32]string
	extra   map[uint32][]byte
	heads   []uint32 // changes that no other depends on, ascending
	open    *openSet // in place of heads, see addMany
	lone    []uint64 // bit n: when change n came it followed all others
	last    clock    // of all changes

	pages   []*[hashPage]Hash // zero: not worked out yet
	byHash  map[uint64]uint32 // the first 8 bytes
	clash   map[Hash]uint32   // those whose first 8 bytes are another's too
	indexed int               // rows before it are in byHash

	clocks map[uint32]clock // of a few changes, see before
}

// A clock says how far each actor's changes are known: by actor, the seq of the
// last one. Actors beyond its end are at 0.
type clock []uint32

const hashPage = 256

func (g *graph) init() {
	*g = graph{
		more: map[uint32][]uint32{}, message: map[uint32]string{}, extra: map[uint32][]byte{},
		byHash: map[uint64]uint32{}, clash: map[Hash]uint32{}, clocks: map[uint32]clock{},
	}
}

func (g *graph) deps(to []uint32, n uint32) []uint32 {
	if dep := g.rows[n].dep; dep != none {
		to = append(to, dep)
		if len(g.more) > 0 {
			to = append(to, g.more[n]...)
		}
	}
	return to
}

// add appends a change; deps in the order in which the change names them.
func (g *graph) add(r changeRow, deps []uint32, time int64, message string, extra []byte) uint32 {
	n := uint32(len(g.rows))
	r.dep = none
	if len(deps) > 0 {
		r.dep = deps[0]
		if len(deps) > 1 {
			g.more[n] = slices.Clone(deps[1:])
		}
	}
	g.rows = append(g.rows, r)
	g.times.add(time)
	for int(r.actor) >= len(g.last) {
		g.last = append(g.last, 0)
	}
	g.last[r.actor] = r.seq
	if message != "" {
		g.message[n] = message
	}
	if len(extra) > 0 {
		g.extra[n] = bytes.Clone(extra)
	}
	if n%64 == 0 {
		g.lone = append(g.lone, 0)
	}
	if g.follow(n, deps) == 1 {
		g.lone[n/64] |= 1 << (n % 64)
	}
	return n
}

// follow puts n among the heads in place of its deps and tells how many there are.
func (g *graph) follow(n uint32, deps []uint32) int {
	switch {
	case g.open != nil:
		g.open.follow(n, deps)
		return g.open.count
	case len(g.heads) == 1 && len(deps) == 1 && g.heads[0] == deps[0]:
		g.heads[0] = n
		return 1
	}
	var gone []int
	for _, dep := range deps {
		if i, ok := slices.BinarySearch(g.heads, dep); ok {
			gone = append(gone, i)
		}
	}
	slices.Sort(gone)
	for _, i := range slices.Backward(slices.Compact(gone)) {
		g.heads = slices.Delete(g.heads, i, i+1)
	}
	g.heads = append(g.heads, n)
	return len(g.heads)
}

// An openSet is the heads while many changes are added: a bit for each change.
type openSet struct {
	bits  []uint64
	count int
}

func (s *openSet) follow(n uint32, deps []uint32) {
	for _, dep := range deps {
		if bit := uint64(1) << (dep % 64); s.bits[dep/64]&bit != 0 {
			s.bits[dep/64] &^= bit
			s.count--
		}
	}
	s.bits[n/64] |= 1 << (n % 64)
	s.count++
}

// addMany prepares for n changes to be added to an empty graph. Until settle,
// which ends it, the graph has no heads: keeping them in a list would take the
// square of their number, and a few bytes of a document may make as many as there
// are changes.
func (g *graph) addMany(n int) {
	g.rows, g.times.near = make([]changeRow, 0, n), make([]int32, 0, n)
	g.open = &openSet{bits: make([]uint64, n/64+1)}
}

func (g *graph) settle() {
	g.heads = make([]uint32, 0, g.open.count)
	for i, word := range g.open.bits {
		for ; word != 0; word &= word - 1 {
			g.heads = append(g.heads, uint32(i*64+bits.TrailingZeros64(word)))
		}
	}
	g.open = nil
}

// setHash notes a hash that is known.
func (g *graph) setHash(n uint32, h Hash) {
	for int(n/hashPage) >= len(g.pages) {
		g.pages = append(g.pages, nil)
	}
	if g.pages[n/hashPage] == nil {
		g.pages[n/hashPage] = new([hashPage]Hash)
	}
	g.pages[n/hashPage][n%hashPage] = h
}

func (g *graph) known(n uint32) *Hash {
	if p := int(n / hashPage); p < len(g.pages) && g.pages[p] != nil {
		return &g.pages[p][n%hashPage]
	}
	return nil
}

// hash is the hash of a change; of those before it, what it takes to know it is
// worked out too.
func (g *graph) hash(d *Doc, n uint32) Hash {
	if h, ok := g.knows(n); ok {
		return h
	}
	open := []uint32{n}
	for len(open) > 0 {
		m := open[len(open)-1]
		if _, ok := g.knows(m); ok {
			open = open[:len(open)-1]
			continue
		}
		before := len(open)
		if dep := g.rows[m].dep; dep != none {
			if _, ok := g.knows(dep); !ok {
				open = append(open, dep)
			}
			if len(g.more) > 0 {
				for _, dep := range g.more[m] {
					if _, ok := g.knows(dep); !ok {
						open = append(open, dep)
					}
				}
			}
		}
		if len(open) == before {
			g.setHash(m, d.hashOf(m))
			open = open[:before-1]
		}
	}
	h, _ := g.knows(n)
	return h
}

// knows is the hash of a change, if it has been worked out.
func (g *graph) knows(n uint32) (Hash, bool) {
	if k := g.known(n); k != nil && *k != (Hash{}) {
		return *k, true
	}
	return Hash{}, false
}

// shortHistory is how many changes keep their hashes once the document that they
// came in has been checked.
const shortHistory = 1 << 15

// forget drops the hashes of a long history but those of the heads: new changes
// need no others, and 32 bytes each are more than all else about a change. Who
// asks for one makes them be worked out again.
func (g *graph) forget() {
	if len(g.rows) <= shortHistory {
		return
	}
	heads := make([]Hash, len(g.heads))
	for i, n := range g.heads {
		heads[i], _ = g.knows(n)
	}
	g.drop()
	for i, n := range g.heads {
		g.setHash(n, heads[i])
	}
}

// drop forgets every hash.
func (g *graph) drop() {
	g.pages, g.indexed = nil, 0
	clear(g.byHash)
	clear(g.clash)
}

// lookup finds a change by its hash.
func (g *graph) lookup(d *Doc, h Hash) (uint32, bool) {
	for _, n := range g.heads {
		if k := g.known(n); k != nil && *k == h {
			return n, true
		}
	}
	for ; g.indexed < len(g.rows); g.indexed++ {
		n := uint32(g.indexed)
		full := g.hash(d, n)
		short := binary.LittleEndian.Uint64(full[:])
		if _, taken := g.byHash[short]; taken {
			g.clash[full] = n
		} else {
			g.byHash[short] = n
		}
	}
	if n, ok := g.byHash[binary.LittleEndian.Uint64(h[:])]; ok && g.hash(d, n) == h {
		return n, true
	}
	n, ok := g.clash[h]
	return n, ok
}

// rowsOf are the changes with those hashes.
func (g *graph) rowsOf(d *Doc, hs []Hash) ([]uint32, error) {
	var out []uint32
	for _, h := range hs {
		n, ok := g.lookup(d, h)
		if !ok {
			return nil, fmt.Errorf("%w: %x", ErrHeads, h[:])
		}
		out = append(out, n)
	}
	return out, nil
}

// clock is the clock of those changes and all they depend on.
func (g *graph) clock(rows []uint32) clock {
	var c clock
	if len(rows) == 0 {
		return c
	}
	top := slices.Max(rows)
	in := make([]uint64, top/64+1)
	left := 0 // marked, not visited
	mark := func(n uint32) {
		if in[n/64]&(1<<(n%64)) == 0 {
			in[n/64] |= 1 << (n % 64)
			left++
		}
	}
	for _, n := range rows {
		mark(n)
	}
	for n := top; left > 0; n-- { // deps lie before
		if in[n/64]&(1<<(n%64)) == 0 {
			continue
		}
		if left--; left == 0 && g.lone[n/64]&(1<<(n%64)) != 0 && int(n) >= len(g.rows)/2 {
			return g.upTo(n, c)
		}
		r := &g.rows[n]
		c = c.with(r.actor, r.seq)
		if r.dep == none {
			continue
		}
		mark(r.dep)
		if len(g.more) > 0 {
			for _, m := range g.more[n] {
				mark(m)
			}
		}
	}
	return c
}

// with is the clock that knows also that much of an actor.
func (c clock) with(actor, seq uint32) clock {
	for int(actor) >= len(c) {
		c = append(c, 0)
	}
	c[actor] = max(c[actor], seq)
	return c
}

// upTo is c and the clock of all changes up to n: that of all, less those that
// came after n.
func (g *graph) upTo(n uint32, c clock) clock {
	all := slices.Clone(g.last)
	for i := int(n) + 1; i < len(g.rows); i++ {
		r := &g.rows[i]
		all[r.actor] = min(all[r.actor], r.seq-1)
	}
	for a, seq := range c {
		all[a] = max(all[a], seq)
	}
	return all
}

// before is the clock of what a change with those deps by that actor may know,
// its own not included. The result belongs to the graph and is good until the
// next call.
//
// A few clocks are kept, of the changes last seen: a change that follows one of
// them takes it over, so that a long line of changes costs nothing each.
func (g *graph) before(actor uint32, deps []uint32) clock {
	if len(deps) == 0 {
		return nil
	}
	if len(deps) == 1 {
		if c, ok := g.clocks[deps[0]]; ok {
			return c
		}
	}
	var c clock
	for _, dep := range deps {
		k, ok := g.clocks[dep]
		if !ok {
			k = g.clock([]uint32{dep})
		}
		for len(c) < len(k) {
			c = append(c, 0)
		}
		for a, s := range k {
			c[a] = max(c[a], s)
		}
	}
	return c
}

const keptClocks = 16

// keep notes the clock of change n, made from the clock before it.
func (g *graph) keep(n uint32, deps []uint32, c clock) {
	r := &g.rows[n]
	if len(deps) == 1 && g.rows[deps[0]].actor == r.actor {
		delete(g.clocks, deps[0]) // taken over; needed again only if the actor forked
	} else {
		c = slices.Clone(c)
	}
	for int(r.actor) >= len(c) {
		c = append(c, 0)
	}
	c[r.actor] = r.seq
	if len(g.clocks) >= keptClocks {
		oldest := n
		for k := range g.clocks {
			oldest = min(oldest, k)
		}
		delete(g.clocks, oldest)
	}
	g.clocks[n] = c
}

// Heads are the hashes of the changes that nothing follows yet, ascending.
func (d *Doc) Heads() []Hash {
	out := make([]Hash, 0, len(d.graph.heads))
	for _, n := range d.graph.heads {
		out = append(out, d.graph.hash(d, n))
	}
	slices.SortFunc(out, compareHash)
	return out
}

func compareHash(a, b Hash) int { return bytes.Compare(a[:], b[:]) }

// Has reports whether the document contains a change.
func (d *Doc) Has(h Hash) bool {
	_, ok := d.graph.lookup(d, h)
	return ok
}

// sortedHeads are the changes of the heads in the order of their hashes.
func (d *Doc) sortedHeads() []uint32 { return d.byHash(slices.Clone(d.graph.heads)) }

// localDeps are what a change made here depends on: the heads and, even where they
// follow it, its actor's change before. Call begin first.
func (d *Doc) localDeps() []uint32 {
	out := slices.Clone(d.graph.heads)
	if own := d.logs[d.me].changes; len(own) > 0 && !slices.Contains(out, own[len(own)-1]) {
		out = append(out, own[len(own)-1])
	}
	return d.byHash(out)
}

func (d *Doc) byHash(out []uint32) []uint32 {
	if len(out) > 1 {
		slices.SortFunc(out, func(a, b uint32) int { return compareHash(d.graph.hash(d, a), d.graph.hash(d, b)) })
	}
	return out
}
