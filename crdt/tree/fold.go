package tree

import (
	"bytes"
	"cmp"
	"slices"

	"inselnetz/crdt/log"
)

// A place is a VersionID with its log as a number of this Tree.
type place struct {
	log uint32
	n   uint32
	seq uint64
}

// A version is a Known as the tree holds it. A folder has hundreds of thousands,
// most of them alone in their file, so what only others need lies apart.
type version struct {
	place  place
	clock  log.HLC
	size   int64
	time   int64
	sum    Sum
	at     *spot // its own path
	file   *file
	next   *version // in the file
	more   *more    // nil if all in it is empty
	links  *links   // nil if it has neither known parents nor children
	device uint32
	kind   Kind
	exec   bool
}

type more struct {
	blocks  []Sum
	target  string
	parents []VersionID
}

// links are the neighbours of a version, and what it stands for (RULES in
// FORMAT.md): the version that set its content, and the one that set its path.
type links struct {
	parents, kids []*version
	content, path *version
	depth         uint32 // longest way to a version without parents
	circle        uint32 // number of the circle it is in, 0 if in none
	set, walk     uint32 // number of the last set it was in and of the last walk here
	open          int32  // parents not yet done, while deriving
}

// A file is all versions joined by parents.
type file struct {
	list  *version
	n     int32
	live  bool  // as it is placed
	dirty bool  // to be settled
	at    *spot // where it lies; nil if not placed
	next  *file // at that spot
	shape *shape
}

// A shape is what a file of several versions comes to. A file of one has none.
type shape struct {
	heads    []*version // while dirty: and versions that are none any more
	contents []*version // living ones, no two the same, newest first; or one deletion
}

func (v *version) lone() bool { return v.links == nil }

// content returns the version that set the content of v.
func (v *version) content() *version {
	if v.links == nil {
		return v
	}
	return v.links.content
}

// path returns the version that set the path of v.
func (v *version) path() *version {
	if v.links == nil {
		return v
	}
	return v.links.path
}

func (v *version) link() *links {
	if v.links == nil {
		v.links = &links{content: v, path: v}
	}
	return v.links
}

func (v *version) target() string {
	if v.more == nil {
		return ""
	}
	return v.more.target
}

// same reports whether two versions have the same content.
func (v *version) same(w *version) bool {
	return v.kind == w.kind && v.size == w.size && v.sum == w.sum && v.exec == w.exec && v.target() == w.target()
}

// follows reports whether the edge from kid to its parent v counts: within a
// circle none does.
func (v *version) follows(kid *version) bool {
	return v.links.circle == 0 || v.links.circle != kid.links.circle
}

// order compares versions by clock, log, sequence number and number.
func (t *Tree) order(a, b *version) int {
	if c := cmp.Compare(a.clock, b.clock); c != 0 {
		return c
	}
	if a.place.log != b.place.log {
		return bytes.Compare(t.logs.all[a.place.log][:], t.logs.all[b.place.log][:])
	}
	return cmp.Or(cmp.Compare(a.place.seq, b.place.seq), cmp.Compare(a.place.n, b.place.n))
}

func (t *Tree) newestFirst(vs []*version) {
	slices.SortFunc(vs, func(a, b *version) int { return t.order(b, a) })
}

// heads returns the heads of f; buf is room for one.
func (f *file) heads(buf *[1]*version) []*version {
	if f.shape == nil {
		buf[0] = f.list
		return buf[:]
	}
	return f.shape.heads
}

// contents returns the contents of f as in its shape; buf is room for one.
func (f *file) contents(buf *[1]*version) []*version {
	if f.shape == nil {
		buf[0] = f.list
		return buf[:]
	}
	return f.shape.contents
}

// join makes one file of two and returns it. The other one leaves its spot.
func (t *Tree) join(w *work, a, b *file) *file {
	if a == b {
		return a
	}
	if a.n < b.n {
		a, b = b, a
	}
	t.lift(w, b)
	w.soil(a)
	var buf [1]*version
	heads := b.heads(&buf)
	if a.shape == nil {
		a.shape = &shape{heads: []*version{a.list}}
	}
	a.shape.heads = append(a.shape.heads, heads...)
	last := b.list
	for v := b.list; v != nil; v = v.next {
		v.file, last = a, v
	}
	last.next, a.list = a.list, b.list
	a.n += b.n
	b.list, b.n, b.shape = nil, 0, nil
	return a
}

// tie makes p a parent of kid.
func (t *Tree) tie(w *work, p, kid *version) {
	p.link().kids = append(p.link().kids, kid)
	kid.link().parents = append(kid.link().parents, p)
	t.join(w, p.file, kid.file)
}

// settle works out what a file that changed comes to and places it.
func (t *Tree) settle(w *work, f *file) {
	f.dirty = false
	if f.n == 0 {
		return // joined to another one
	}
	at, live := f.list.at, f.list.kind != Gone
	if f.n > 1 {
		s := f.shape
		s.heads = t.onlyHeads(s.heads)
		var sources, paths []*version
		for _, h := range s.heads {
			sources = append(sources, h.links.content)
			paths = append(paths, h.links.path)
		}
		s.contents = t.contentsOf(t.latest(sources))
		at, live = t.newest(t.latest(paths)).at, s.contents[0].kind != Gone
	}
	t.put(w, f, at, live)
}

// onlyHeads returns those that nothing follows, each once.
func (t *Tree) onlyHeads(vs []*version) []*version {
	t.walks++
	return slices.DeleteFunc(vs, func(v *version) bool {
		l := v.links
		if l.walk == t.walks {
			return true
		}
		l.walk = t.walks
		return slices.ContainsFunc(l.kids, v.follows)
	})
}

// latest returns vs, each once, without those that another one of them follows,
// directly or not.
func (t *Tree) latest(vs []*version) []*version {
	if len(vs) == 1 {
		return vs
	}
	t.walks++
	least := ^uint32(0)
	vs = slices.DeleteFunc(vs, func(v *version) bool {
		l := v.links
		least = min(least, l.depth)
		again := l.walk == t.walks
		l.walk = t.walks
		return again
	})
	if len(vs) == 1 {
		return vs
	}
	t.walks++
	todo := slices.Clone(vs)
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, p := range v.links.parents {
			if p.follows(v) && p.links.depth >= least && p.links.walk != t.walks {
				p.links.walk = t.walks
				todo = append(todo, p)
			}
		}
	}
	return slices.DeleteFunc(vs, func(v *version) bool { return v.links.walk == t.walks })
}

// contentsOf returns what these versions hold: the living contents, no two the
// same, newest first; or the newest deletion if there is nothing else.
func (t *Tree) contentsOf(vs []*version) []*version {
	if len(vs) > 1 {
		t.newestFirst(vs)
	}
	var out []*version
	for _, v := range vs {
		if v.kind != Gone && !slices.ContainsFunc(out, v.same) {
			out = append(out, v)
		}
	}
	if out == nil {
		return vs[:1]
	}
	return out
}

func (t *Tree) newest(vs []*version) *version { return slices.MaxFunc(vs, t.order) }
