package access

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"inselnetz/crdt/log"
)

// maxPast is the number of entries up to which a graph keeps for each entry all
// that it builds on, as bits: 64 MiB at most. Beyond it each question walks down.
const maxPast = 1 << 15

// A graph is a set of control entries and what each of them builds on.
type graph struct {
	genesis *node // nil if not held
	nodes   map[log.Hash]*node
	refs    map[log.Ref]*node
	order   []*node                  // chained entries, each behind those it builds on
	by      map[log.DeviceID][]*node // chained entries in that order
	past    [][]uint64               // by node.index: bits of the indices below; nil beyond maxPast
}

type node struct {
	Authored
	hash    log.Hash
	prev    *node   // entry before it in its log, unless it is the first
	next    []*node // entries that continue its log; several in a fork
	below   []*node // held entries it names: prev and control heads
	chained bool    // all entries before it in its log are held
	draft   bool    // not an entry yet: a maker tries what it would do
	depth   int     // entries on the longest way down
	index   int     // place in graph.order
	in, out int     // span of its branch: those that continue it lie between

	decoded bool
	ops     []operation
	err     error // errVoid or errUnknown

	judgement
}

// A judgement is what one resolution says of an entry; the next one, with more
// steps of the deputies, says it anew.
type judgement struct {
	why     []Why // of each operation
	managed int   // place among the entries of managers, from 1; 0 is none
	stopped bool  // its log is not read from here on
	author  *device
	role    Role // of the author as it wrote this; 0 if the entry has no say
}

// newGraph links the entries of the control space of w. drafts follow each
// other and build on all there is.
func newGraph(w log.WorkspaceID, entries, drafts []Authored, known *graph) *graph {
	g := &graph{nodes: make(map[log.Hash]*node, len(entries)), refs: make(map[log.Ref]*node, len(entries)), by: map[log.DeviceID][]*node{}}
	var first log.LogID
	for _, a := range entries {
		if a.Entry != nil && a.Entry.Hash() == log.Hash(w) && a.Entry.Seq == 1 && a.Card.Workspace == (log.WorkspaceID{}) && wellFormed(a, a.Card.ID()) {
			first = a.Entry.Log
		}
	}
	ids := map[log.Card]log.LogID{}
	all := make([]*node, 0, len(entries)+len(drafts))
	for _, a := range entries {
		if a.Entry == nil || a.Card.Workspace != w && a.Entry.Log != first {
			continue
		}
		id, ok := ids[a.Card]
		if !ok {
			id = a.Card.ID()
			ids[a.Card] = id
		}
		if !wellFormed(a, id) {
			continue
		}
		hash := a.Entry.Hash()
		if n := g.nodes[hash]; n != nil {
			if n.Entry.Payload == nil {
				n.Authored = a
			}
			continue
		}
		n := &node{Authored: a, hash: hash}
		g.nodes[hash] = n
		all = append(all, n)
	}
	g.genesis = g.nodes[log.Hash(w)]
	g.link(all)
	g.draft(drafts)
	g.sort()
	for _, n := range g.order {
		n.decode(known)
	}
	g.descend()
	g.span()
	return g
}

// wellFormed reports whether the entry can belong to the control space of its
// card, whose log is id, at all.
func wellFormed(a Authored, id log.LogID) bool {
	return a.Card.Space == log.Control && a.Entry.Log == id && a.Entry.Kind == log.KindControl && a.Entry.Key == nil
}

func (g *graph) link(all []*node) {
	for _, n := range all {
		if old := g.refs[n.hash.Ref()]; old == nil || bytes.Compare(n.hash[:], old.hash[:]) < 0 {
			g.refs[n.hash.Ref()] = n
		}
	}
	slices.SortFunc(all, func(a, b *node) int { return cmp.Compare(a.Entry.Seq, b.Entry.Seq) })
	for _, n := range all {
		if p := g.nodes[n.Entry.Prev]; p != nil && p.Entry.Log == n.Entry.Log && p.Entry.Seq+1 == n.Entry.Seq {
			n.prev = p
		}
		n.chained = n.Entry.Seq == 1 || n.prev != nil && n.prev.chained
		if n.chained {
			g.order = append(g.order, n)
		}
	}
	for _, n := range g.order {
		if n.prev != nil {
			n.below = append(n.below, n.prev)
		}
		for _, ref := range n.Entry.Ctl {
			if c := g.refs[ref]; c != nil && c.chained && c != n {
				n.below = append(n.below, c)
			}
		}
	}
}

// draft adds entries that are not there yet.
func (g *graph) draft(drafts []Authored) {
	if len(drafts) == 0 {
		return
	}
	built := map[*node]bool{}
	for _, n := range g.order {
		for _, b := range n.below {
			built[b] = true
		}
	}
	below := slices.DeleteFunc(slices.Clone(g.order), func(n *node) bool { return built[n] })
	for _, a := range drafts {
		n := &node{Authored: a, hash: a.Entry.Hash(), chained: true, draft: true, below: below}
		g.nodes[n.hash] = n
		g.order = append(g.order, n)
		below = []*node{n}
	}
}

// sort puts the chained entries in order, those of each device too.
func (g *graph) sort() {
	for _, n := range g.order {
		measure(n)
	}
	slices.SortFunc(g.order, compareNodes)
	for i, n := range g.order {
		n.index = i
		g.by[n.Card.Device] = append(g.by[n.Card.Device], n)
	}
}

// measure fills in depth, without recursion: a chain may be long. Entries name
// each other by hash, so there are no circles; one would count as deep as the
// way it was met on, and end.
func measure(n *node) {
	if n.depth > 0 {
		return
	}
	stack := []*node{n}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		if n.depth > 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		if n.depth == 0 {
			n.depth = -1
			for _, b := range n.below {
				if b.depth == 0 {
					stack = append(stack, b)
				}
			}
			continue
		}
		n.depth = 1
		for _, b := range n.below {
			n.depth = max(n.depth, b.depth+1)
		}
	}
}

// compareNodes orders entries after those they build on.
func compareNodes(a, b *node) int {
	return cmp.Or(cmp.Compare(a.depth, b.depth), bytes.Compare(a.hash[:], b.hash[:]))
}

// descend works out what each entry builds on.
func (g *graph) descend() {
	if len(g.order) > maxPast {
		return
	}
	g.past = make([][]uint64, len(g.order))
	for i, n := range g.order {
		row := make([]uint64, (i+63)/64)
		for _, b := range n.below {
			for j, word := range g.past[b.index] {
				row[j] |= word
			}
			row[b.index/64] |= 1 << (b.index % 64)
		}
		g.past[i] = row
	}
}

// builds reports whether n is or builds on to.
func (g *graph) builds(n, to *node) bool {
	switch {
	case n == to:
		return true
	case n.index <= to.index:
		return false
	case g.past != nil:
		return g.past[n.index][to.index/64]&(1<<(to.index%64)) != 0
	}
	seen := map[*node]bool{n: true}
	for stack := []*node{n}; len(stack) > 0; {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, b := range n.below {
			if b == to {
				return true
			}
			if b.index > to.index && !seen[b] {
				seen[b] = true
				stack = append(stack, b)
			}
		}
	}
	return false
}

// buildsAny reports whether n is or builds on one of to.
func (g *graph) buildsAny(n *node, to []*node) bool {
	return slices.ContainsFunc(to, func(t *node) bool { return g.builds(n, t) })
}

// anyBuilds reports whether one of all is or builds on to.
func (g *graph) anyBuilds(all []*node, to *node) bool {
	return slices.ContainsFunc(all, func(n *node) bool { return g.builds(n, to) })
}

// span numbers the branches of all logs, so that continues is cheap.
func (g *graph) span() {
	for _, n := range g.order {
		if n.prev != nil {
			n.prev.next = append(n.prev.next, n)
		}
	}
	at := 0
	for _, n := range g.order {
		if n.prev != nil {
			continue
		}
		stack := []*node{n}
		for len(stack) > 0 {
			n := stack[len(stack)-1]
			at++
			if n.in != 0 {
				n.out = at
				stack = stack[:len(stack)-1]
				continue
			}
			n.in = at
			stack = append(stack, n.next...)
		}
	}
}

// continues reports whether n is or continues to in its log.
func (n *node) continues(to *node) bool { return n.in >= to.in && n.out <= to.out }

// decode reads the operations of an entry, or takes them over from a graph that
// has read them.
func (n *node) decode(known *graph) {
	if known != nil {
		if k := known.nodes[n.hash]; k != nil && k.decoded && (k.Entry.Payload == nil) == (n.Entry.Payload == nil) {
			n.ops, n.err, n.decoded = k.ops, k.err, true
		}
	}
	if !n.decoded && n.Entry.Payload != nil {
		n.ops, n.err = decodePayload(n.Entry.Payload)
	}
	n.decoded = true
}

// void reports whether no operation of the entry can count.
func (n *node) void() bool { return errors.Is(n.err, errVoid) || n.Entry.Payload == nil }

// limits say where control logs end, ascending by log.
type limits []limit

type limit struct {
	log log.LogID
	end *node // last entry that counts; nil if it is not held, or if nothing counts
}

func (g *graph) limits(cuts []Cut) limits {
	var all limits
	for _, c := range cuts {
		if c.Space == log.Control {
			all = append(all, limit{c.Log, g.end(c)})
		}
	}
	return all
}

// end returns the entry that a cut of a control log names, nil if it is not held.
func (g *graph) end(c Cut) *node {
	if n := g.nodes[c.Hash]; n != nil && n.chained && n.Entry.Log == c.Log && n.Entry.Seq == c.Seq {
		return n
	}
	return nil
}

// hold reports whether n lies within the limits. Logs they do not name are cut
// off whole.
func (l limits) hold(n *node) bool {
	i, ok := slices.BinarySearchFunc(l, n.Entry.Log, func(l limit, id log.LogID) int { return bytes.Compare(l.log[:], id[:]) })
	return ok && l[i].end != nil && l[i].end.continues(n)
}

// closure adds n and all it builds on to seen.
func closure(n *node, seen map[*node]bool) {
	for stack := []*node{n}; len(stack) > 0; {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		stack = append(stack, n.below...)
	}
}
