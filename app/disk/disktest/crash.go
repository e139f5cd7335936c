package disktest

import (
	"maps"
	"math/rand/v2"
	"slices"

	"inselnetz/app/disk"
)

// An assign puts a node, or nothing, at a name.
type assign struct {
	dir  *node
	name string
	node *node
}

// A change is what happens to names at once: all of it or nothing survives.
type change struct {
	assigns []assign
	emptied []*node // directories that it removes
}

// link changes names now and remembers that this is not durable.
func (s *state) link(as ...assign) {
	gone := map[*node]bool{}
	for _, a := range as {
		if old := a.dir.kids[s.key(a.name)]; old != nil {
			gone[old] = true
		}
	}
	t := s.now()
	for _, a := range as {
		a.dir.meta.time = t
		s.dirty[a.dir] = true
		if a.node == nil {
			delete(a.dir.kids, s.key(a.name))
			continue
		}
		delete(gone, a.node)
		a.dir.kids[s.key(a.name)] = a.node
		a.node.parent, a.node.name = a.dir, a.name
	}
	c := change{assigns: as}
	for n := range gone { // one at most
		n.parent = nil
		s.used -= int64(len(n.data))
		s.free = append(s.free, n.inode)
		if n.kind == disk.Dir {
			c.emptied = append(c.emptied, n)
		}
	}
	s.pending = append(s.pending, c)
}

// apply makes a change durable.
func (s *state) apply(c change) {
	for _, a := range c.assigns {
		if a.node == nil {
			delete(a.dir.savedKids, s.key(a.name))
		}
	}
	for _, a := range c.assigns {
		if a.node != nil {
			a.dir.savedKids[s.key(a.name)] = saved{a.name, a.node}
		}
	}
}

func (s *state) saveFile(n *node) {
	n.savedMeta = n.meta
	if n.kind == disk.File {
		n.savedData, n.share = n.data, true
	}
	delete(s.dirty, n)
}

type (
	nameKey struct { // a name
		dir  *node
		name string
	}
	insideKey struct{ dir *node } // all that happened in a directory
)

// keys returns what a change writes, and what it relies on of earlier ones: if
// they are lost, so is it.
func (s *state) keys(c change) (writes []any, inside []insideKey, relies []any) {
	for _, a := range c.assigns {
		writes = append(writes, nameKey{a.dir, s.key(a.name)})
		if a.node != nil {
			writes = append(writes, a.node)
		}
		inside = append(inside, insideKey{a.dir})
		relies = append(relies, a.dir)
	}
	for _, d := range c.emptied {
		relies = append(relies, insideKey{d})
	}
	return writes, inside, append(relies, writes...)
}

// saveNames makes the names in a directory durable, and what they rely on.
func (s *state) saveNames(d *node) {
	need := map[any]bool{insideKey{d}: true}
	keep := make([]bool, len(s.pending))
	for i, c := range slices.Backward(s.pending) {
		writes, inside, relies := s.keys(c)
		for _, k := range writes {
			keep[i] = keep[i] || need[k]
		}
		for _, k := range inside {
			keep[i] = keep[i] || need[k]
		}
		if keep[i] {
			for _, k := range relies {
				need[k] = true
			}
		}
	}
	rest := s.pending[:0:0]
	for i, c := range s.pending {
		if keep[i] {
			s.apply(c)
		} else {
			rest = append(rest, c)
		}
	}
	s.pending = rest
	s.saveFile(d)
}

// crash loses what is not durable: of the changes of names a beginning
// survives, or some that do not rely on lost ones; of each file not flushed any
// mixture of before and after.
func (s *state) crash() {
	dropped := map[any]bool{}
	first := 0 // change that is lost in any case
	if s.rng.IntN(3) > 0 {
		first = s.rng.IntN(len(s.pending) + 1)
		if s.rng.IntN(3) == 0 {
			first = len(s.pending)
		}
	}
	some := s.rng.IntN(2) == 0 // later ones may survive nevertheless
	for i, c := range s.pending {
		writes, inside, relies := s.keys(c)
		lost := i == first || i > first && (!some || s.rng.IntN(2) == 0)
		for _, k := range relies {
			lost = lost || dropped[k]
		}
		if !lost {
			s.apply(c)
			continue
		}
		for _, k := range writes {
			dropped[k] = true
		}
		for _, k := range inside {
			dropped[k] = true
		}
	}
	s.pending, s.free, s.used = nil, nil, 0
	clear(s.watchers)
	s.rebuild(s.root, map[uint64]bool{})
	clear(s.dirty)
}

func (s *state) rebuild(n *node, inodes map[uint64]bool) {
	if inodes[n.inode] { // given again after a removal that was lost
		s.inode++
		n.inode = s.inode
	}
	inodes[n.inode] = true
	if s.dirty[n] {
		if s.rng.IntN(2) == 0 {
			n.meta = n.savedMeta
		}
		if n.kind == disk.File {
			n.data = torn(s.rng, n.savedData, n.data)
		}
	}
	n.savedMeta, n.savedData, n.share = n.meta, n.data, true
	s.used += int64(len(n.data))
	if n.kind != disk.Dir {
		return
	}
	clear(n.kids)
	for _, key := range slices.Sorted(maps.Keys(n.savedKids)) {
		kid := n.savedKids[key]
		n.kids[key] = kid.node
		kid.node.parent, kid.node.name = n, kid.name
		s.rebuild(kid.node, inodes)
	}
}

// torn returns what a crash leaves of a file that was not flushed.
func torn(rng *rand.Rand, before, after []byte) []byte {
	const page = 4096
	switch rng.IntN(6) {
	case 0:
		return before
	case 1:
		return after
	case 2: // the size came through, the data did not
		out := make([]byte, len(after))
		copy(out, before)
		return out
	case 3: // a part
		n := rng.IntN(len(after) + 1)
		return append(slices.Clone(after[:n]), before[min(n, len(before)):]...)
	case 4: // new and empty, or old and shortened
		return before[:min(len(before), len(after))]
	}
	out := make([]byte, len(after))
	copy(out, before)
	for at := 0; at < len(after); at += page {
		if rng.IntN(2) == 0 {
			end := min(at+page, len(after))
			copy(out[at:end], after[at:end])
		}
	}
	return out
}

// copy returns a disk of its own with the same state.
func (s *state) copy() *state {
	c := &state{
		opts: s.opts, rng: rand.New(rand.NewPCG(s.rng.Uint64(), s.rng.Uint64())), dirty: map[*node]bool{},
		used: s.used, last: s.last, inode: s.inode, free: slices.Clone(s.free), watchers: map[*disk.Feed]bool{},
	}
	twins := map[*node]*node{}
	var twin func(n *node) *node
	twin = func(n *node) *node {
		if n == nil {
			return nil
		}
		if t, ok := twins[n]; ok {
			return t
		}
		n.share = true
		t := *n
		t.writers = nil
		twins[n] = &t
		t.parent = twin(n.parent)
		if n.kind == disk.Dir {
			t.kids, t.savedKids = map[string]*node{}, map[string]saved{}
			for k, kid := range n.kids {
				t.kids[k] = twin(kid)
			}
			for k, kid := range n.savedKids {
				t.savedKids[k] = saved{kid.name, twin(kid.node)}
			}
		}
		return &t
	}
	c.root = twin(s.root)
	for n := range s.dirty {
		c.dirty[twin(n)] = true
	}
	for _, p := range s.pending {
		var q change
		for _, a := range p.assigns {
			q.assigns = append(q.assigns, assign{twin(a.dir), a.name, twin(a.node)})
		}
		for _, d := range p.emptied {
			q.emptied = append(q.emptied, twin(d))
		}
		c.pending = append(c.pending, q)
	}
	return c
}
