package access

import (
	"bytes"
	"cmp"
	"slices"

	"inselnetz/crdt/log"
)

// A graph is a set of control entries and what each of them builds on.
type graph struct {
	genesis *node // nil if not held
	nodes   map[log.Hash]*node
	refs    map[log.Ref]*node
	by      map[log.DeviceID][]*node // chained entries in the order they count
}

type node struct {
	Authored
	hash    log.Hash
	prev    *node   // entry before it in its log, unless it is the first
	below   []*node // held entries it names: prev and control heads
	chained bool    // all entries before it in its log are held
	depth   int     // entries on the longest way down; orders one author's entries

	visit  int // last question asked of reaches
	answer bool
}

// newGraph links the entries of the control space of w.
func newGraph(w log.WorkspaceID, entries []Authored) graph {
	g := graph{nodes: map[log.Hash]*node{}, refs: map[log.Ref]*node{}, by: map[log.DeviceID][]*node{}}
	var first log.LogID
	for _, a := range entries {
		if a.Entry != nil && a.Entry.Hash() == log.Hash(w) && a.Entry.Seq == 1 && a.Card.Workspace == (log.WorkspaceID{}) && a.wellFormed() {
			first = a.Entry.Log
		}
	}
	for _, a := range entries {
		if a.Entry == nil || !a.wellFormed() || a.Card.Workspace != w && a.Entry.Log != first {
			continue
		}
		hash := a.Entry.Hash()
		if n := g.nodes[hash]; n != nil {
			if n.Entry.Payload == nil {
				n.Authored = a
			}
			continue
		}
		g.nodes[hash] = &node{Authored: a, hash: hash}
	}
	g.genesis = g.nodes[log.Hash(w)]
	g.link()
	return g
}

// wellFormed reports whether the entry can belong to the control space of its
// card at all.
func (a Authored) wellFormed() bool {
	return a.Card.Space == log.Control && a.Entry.Log == a.Card.ID() && a.Entry.Kind == log.KindControl && a.Entry.Key == nil
}

func (g *graph) link() {
	all := make([]*node, 0, len(g.nodes))
	for _, n := range g.nodes {
		all = append(all, n)
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
	}
	for _, n := range all {
		if n.prev != nil && n.prev.chained {
			n.below = append(n.below, n.prev)
		}
		for _, ref := range n.Entry.Ctl {
			if c := g.refs[ref]; c != nil && c.chained && c != n {
				n.below = append(n.below, c)
			}
		}
	}
	for _, n := range all {
		if n.chained {
			measure(n)
			g.by[n.Card.Device] = append(g.by[n.Card.Device], n)
		}
	}
	for _, list := range g.by {
		slices.SortFunc(list, compareNodes)
	}
}

// measure fills in depth, without recursion: a chain may be long. Entries name
// each other by hash, so there are no circles; one would count as deep as the
// way it was met on, and end.
func measure(n *node) {
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

// reaches reports whether n is or builds on to. question is above 0 and the same
// for the same to, another one for another.
func (g *graph) reaches(n, to *node, question int) bool {
	if n == to {
		return true
	}
	if n.depth <= to.depth {
		return false
	}
	if n.visit == question {
		return n.answer
	}
	stack := []*node{n}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		if n.visit != question {
			n.visit, n.answer = question, false
			for _, b := range n.below {
				if b != to && b.depth > to.depth && b.visit != question {
					stack = append(stack, b)
				}
			}
			continue
		}
		stack = stack[:len(stack)-1]
		for _, b := range n.below {
			n.answer = n.answer || b == to || b.depth > to.depth && b.visit == question && b.answer
		}
	}
	return n.answer
}

// descend adds n and all it builds on to seen.
func (g *graph) descend(n *node, seen map[*node]bool) {
	stack := []*node{n}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		stack = append(stack, n.below...)
	}
}
