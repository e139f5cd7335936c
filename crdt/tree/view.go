package tree

import (
	"cmp"
	"container/heap"
	"iter"
	"slices"
	"strings"

	"inselnetz/crdt/log"
)

// A Node is what a path is now.
type Node struct {
	Path string
	// Shown is what to have on disk. Its own Path is another one if somebody
	// else renamed the file. It has a zero ID and Kind Dir where a directory is
	// only there for what is in it.
	Shown Known
	// Heads are the parents for whoever changes this path now, deletions too;
	// ascending, at most MaxParents.
	Heads   []VersionID
	Others  []Known // further contents, newest first: a conflict if there are any
	Problem Problem // of any name in the path
	Twin    string  // path of what has the name, if Problem has Twin: of the path or of a directory above
	Deleted *Known  // the newest deletion, of a path that is gone; nil if it lives
}

// A Was is what a path was at some time.
type Was struct {
	Path string
	Known
}

// Node returns what a living path is.
func (t *Tree) Node(path string) (Node, bool) {
	s := t.find(path)
	if s == nil || s == t.root || !t.shown(s) {
		return Node{}, false
	}
	problem, twin := t.problem(s)
	return t.node(s, problem, twin), true
}

// node returns what is shown at s.
func (t *Tree) node(s *spot, problem Problem, twin string) Node {
	n := Node{Path: s.path, Problem: problem, Twin: twin}
	home, guest := t.guests[s]
	if !guest {
		home = s
	}
	dirs, files := t.living(home)
	switch {
	case guest:
		n.Heads = t.headsAt(home, func(k Kind) bool { return k == File || k == Link })
		n.Shown, n.Others = t.split(files)
	case len(dirs) > 0 || home.below > 0:
		n.Heads = t.headsAt(home, func(k Kind) bool { return k == Dir || k == Gone })
		n.Shown = Known{Version: Version{Path: s.path, Kind: Dir}}
		if len(dirs) > 0 {
			n.Shown = t.known(dirs[0])
		}
	default:
		n.Heads = t.headsAt(home, func(Kind) bool { return true })
		n.Shown, n.Others = t.split(files)
	}
	return n
}

func (t *Tree) split(vs []*version) (first Known, others []Known) {
	for _, v := range vs[1:] {
		others = append(others, t.known(v))
	}
	return t.known(vs[0]), others
}

// headsAt returns the heads of the files at s that stand for a content of a kind
// that is asked for. If there are too many, living ones go first, then new ones.
func (t *Tree) headsAt(s *spot, want func(Kind) bool) []VersionID {
	var heads []*version
	var buf [1]*version
	for f := s.files; f != nil; f = f.next {
		for _, h := range f.heads(&buf) {
			if want(h.content().kind) {
				heads = append(heads, h)
			}
		}
	}
	if len(heads) > MaxParents {
		slices.SortFunc(heads, func(a, b *version) int {
			if x, y := a.content().kind == Gone, b.content().kind == Gone; x != y {
				if y {
					return -1
				}
				return 1
			}
			return t.order(b, a)
		})
		heads = heads[:MaxParents]
	}
	ids := make([]VersionID, len(heads))
	for i, h := range heads {
		ids[i] = t.id(h.place)
	}
	slices.SortFunc(ids, VersionID.Compare)
	return ids
}

// problem returns what is wrong with any name of the path of s.
func (t *Tree) problem(s *spot) (p Problem, twin string) {
	for ; s.up != nil; s = s.up {
		own, of := ownProblem(s, t.owner(s))
		p |= own
		if twin == "" {
			twin = of
		}
	}
	return p, twin
}

// ownProblem returns what is wrong with the name of s, which owner has.
func ownProblem(s, owner *spot) (p Problem, twin string) {
	p = problems(s.name())
	if owner != s && owner != nil {
		return p | Twin, owner.path
	}
	return p, ""
}

// Gone returns what a path was that is not there any more. Shown is the last
// living version (a deletion if none is known), Others are further ones.
func (t *Tree) Gone(path string) (Node, bool) {
	s := t.find(path)
	if s == nil || s == t.root {
		return Node{}, false
	}
	return t.gone(s)
}

func (t *Tree) gone(s *spot) (Node, bool) {
	if s.files == nil || t.shown(s) {
		return Node{}, false
	}
	n := Node{Path: s.path, Heads: t.headsAt(s, func(Kind) bool { return true })}
	n.Problem, n.Twin = t.problem(s)
	var deleted, last []*version
	var buf [1]*version
	for f := s.files; f != nil; f = f.next {
		deleted = append(deleted, f.contents(&buf)...)
		last = append(last, t.lastLiving(f)...)
	}
	d := t.known(t.newest(deleted))
	n.Deleted, n.Shown = &d, d
	if len(last) > 0 {
		n.Shown, n.Others = t.split(t.contentsOf(last))
	}
	return n, true
}

// lastLiving returns the contents that the deletions of f replaced.
func (t *Tree) lastLiving(f *file) []*version {
	if f.shape == nil {
		return nil
	}
	t.sets++
	var living []*version
	todo := slices.Clone(f.shape.heads)
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if v.links.set == t.sets {
			continue
		}
		v.links.set = t.sets
		if v.kind != Gone {
			living = append(living, v.links.content)
			continue
		}
		for _, p := range v.links.parents {
			if p.follows(v) {
				todo = append(todo, p)
			}
		}
	}
	if len(living) == 0 {
		return nil
	}
	return t.latest(living)
}

// List returns the children of a directory by name; "" is the whole folder.
func (t *Tree) List(dir string) []Node {
	s := t.find(dir)
	if s == nil || s != t.root && !t.shown(s) {
		return nil
	}
	problem, twin := t.problem(s)
	var nodes []Node
	for _, k := range t.shownKids(s) {
		nodes = append(nodes, t.kidNode(k, problem, twin))
	}
	return nodes
}

// kidNode returns the node of k in a directory with these problems.
func (t *Tree) kidNode(k kid, problem Problem, twin string) Node {
	own, of := ownProblem(k.spot, k.owner)
	if of == "" {
		of = twin
	}
	return t.node(k.spot, problem|own, of)
}

// A kid is a child of a spot, and which of its twins has the name.
type kid struct {
	*spot
	owner *spot
}

// shownKids returns the spots right below s that have a node, by name.
func (t *Tree) shownKids(s *spot) []kid {
	var kids []kid
	for _, one := range s.kids {
		owner := t.owner(one)
		for k := range one.ring() {
			if t.shown(k) {
				kids = append(kids, kid{k, owner})
			}
		}
	}
	slices.SortFunc(kids, func(a, b kid) int { return strings.Compare(a.path, b.path) })
	return kids
}

// All returns the living nodes at and below a path, directories before what is
// in them; "" for all. The tree must not change meanwhile.
func (t *Tree) All(prefix string) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		s := t.find(prefix)
		if s == nil || s != t.root && !t.shown(s) {
			return
		}
		problem, twin := t.problem(s)
		if s == t.root || yield(t.node(s, problem, twin)) {
			t.all(s, problem, twin, yield)
		}
	}
}

func (t *Tree) all(s *spot, problem Problem, twin string, yield func(Node) bool) bool {
	for _, k := range t.shownKids(s) {
		n := t.kidNode(k, problem, twin)
		if !yield(n) || !t.all(k.spot, n.Problem, n.Twin, yield) {
			return false
		}
	}
	return true
}

// Trash returns what is gone at and below a path and can be had back, what was
// deleted last first.
func (t *Tree) Trash(prefix string) []Node {
	var nodes []Node
	s := t.find(prefix)
	if s == nil {
		return nil
	}
	var walk func(s *spot)
	walk = func(s *spot) {
		if n, ok := t.gone(s); ok && n.Shown.Kind != Gone {
			nodes = append(nodes, n)
		}
		for k := range s.each() {
			walk(k)
		}
	}
	walk(s)
	slices.SortFunc(nodes, func(a, b Node) int {
		return cmp.Or(b.Deleted.Compare(*a.Deleted), strings.Compare(a.Path, b.Path))
	})
	return nodes
}

// History returns all versions of what is or was at a path, newest first and
// none before one that replaced it.
func (t *Tree) History(path string) []Known {
	s := t.find(path)
	if s == nil {
		return nil
	}
	h := &history{t: t}
	h.take(s)
	if home := t.guests[s]; home != nil {
		h.take(home)
	}
	heap.Init(h)
	var out []Known
	for h.Len() > 0 {
		v := heap.Pop(h).(*version)
		out = append(out, t.known(v))
		if v.lone() {
			continue
		}
		for _, p := range v.links.parents {
			if p.follows(v) {
				if p.links.open--; p.links.open == 0 {
					heap.Push(h, p)
				}
			}
		}
	}
	return out
}

// A history is a heap of versions, the newest on top.
type history struct {
	t  *Tree
	vs []*version
}

// take takes in the last versions of the files at a spot, and counts how many
// follow each other one.
func (h *history) take(s *spot) {
	for f := s.files; f != nil; f = f.next {
		for v := f.list; v != nil; v = v.next {
			follow := int32(0)
			if !v.lone() {
				for _, k := range v.links.kids {
					if v.follows(k) {
						follow++
					}
				}
				v.links.open = follow
			}
			if follow == 0 {
				h.vs = append(h.vs, v)
			}
		}
	}
}

func (h *history) Len() int           { return len(h.vs) }
func (h *history) Less(i, j int) bool { return h.t.order(h.vs[i], h.vs[j]) > 0 }
func (h *history) Swap(i, j int)      { h.vs[i], h.vs[j] = h.vs[j], h.vs[i] }
func (h *history) Push(v any)         { h.vs = append(h.vs, v.(*version)) }
func (h *history) Pop() any {
	v := h.vs[len(h.vs)-1]
	h.vs = h.vs[:len(h.vs)-1]
	return v
}

// Recent returns the newest versions whose own path is at or below prefix, at
// most max, newest first.
func (t *Tree) Recent(prefix string, max int) []Known {
	var vs []*version
	for _, v := range t.versions {
		if !within(v.at.path, prefix) {
			continue
		}
		vs = append(vs, v)
		if len(vs) > 1000+2*max { // so that not all are sorted
			t.newestFirst(vs)
			vs = vs[:max]
		}
	}
	t.newestFirst(vs)
	var out []Known
	for _, v := range vs[:min(max, len(vs))] {
		out = append(out, t.known(v))
	}
	return out
}

// Known returns a version.
func (t *Tree) Known(id VersionID) (Known, bool) {
	v := t.lookup(id)
	if v == nil {
		return Known{}, false
	}
	return t.known(v), true
}

// Had reports whether v brings back what the file was before: whether one of the
// last 1,000 versions that it comes from has its content. v itself need not be
// in the tree.
func (t *Tree) Had(v *Known) bool {
	var todo []*version
	seen := map[*version]bool{}
	add := func(p *version) {
		if p != nil && !seen[p] && len(seen) < 1000 {
			seen[p] = true
			todo = append(todo, p)
		}
	}
	for _, id := range v.Parents {
		add(t.lookup(id))
	}
	for i := 0; i < len(todo); i++ {
		p := todo[i]
		if p.kind == v.Kind && p.size == v.Size && p.sum == v.Sum && p.exec == v.Exec && p.target() == v.Target {
			return true
		}
		if p.links != nil {
			for _, p := range p.links.parents {
				add(p)
			}
		}
	}
	return false
}

func (t *Tree) lookup(id VersionID) *version {
	n, ok := t.logs.of[id.Log]
	if !ok {
		return nil
	}
	return t.versions[place{log: n, n: id.N, seq: id.Seq}]
}

// ChildrenOf returns the versions that name id as a parent, ascending.
func (t *Tree) ChildrenOf(id VersionID) []VersionID {
	n, ok := t.logs.of[id.Log]
	if !ok {
		return nil
	}
	at := place{log: n, n: id.N, seq: id.Seq}
	kids := t.waiting[at]
	if v := t.versions[at]; v != nil && !v.lone() {
		kids = v.links.kids
	}
	var ids []VersionID
	for _, k := range kids {
		ids = append(ids, t.id(k.place))
	}
	slices.SortFunc(ids, VersionID.Compare)
	return ids
}

// At returns what was at and below a path at a time: the fold of the versions
// up to that clock. Directories that were there only for what was in them are
// left out.
func (t *Tree) At(prefix string, when log.HLC) []Was {
	old := New()
	var vs []Known
	mine := map[*file]bool{}
	for _, v := range t.versions {
		if near(v.at.path, prefix) {
			mine[v.file] = true
		}
	}
	for f := range mine {
		for v := f.list; v != nil; v = v.next {
			if v.clock <= when {
				vs = append(vs, t.known(v))
			}
		}
	}
	old.Add(vs...)
	var was []Was
	for n := range old.All(prefix) {
		if n.Shown.ID != (VersionID{}) {
			was = append(was, Was{Path: n.Path, Known: n.Shown})
		}
	}
	return was
}

// near reports whether what lies at a path may be shown at or below prefix.
func near(path, prefix string) bool {
	// What a directory drove from its name depends on what is in that one.
	return within(path, prefix) || strings.Contains(prefix, " (Datei")
}

// within reports whether a path is at or below prefix.
func within(path, prefix string) bool {
	return prefix == "" || path == prefix ||
		len(path) > len(prefix) && path[len(prefix)] == '/' && path[:len(prefix)] == prefix
}

// Conflicts returns the living paths with more than one content, ascending.
func (t *Tree) Conflicts() []string {
	var paths []string
	for s := range t.conflicts {
		if a := t.aways[s]; a != nil {
			s = a.at
		}
		paths = append(paths, s.path)
	}
	slices.Sort(paths)
	return paths
}

// Len returns how many living files and links, and how many versions there are.
func (t *Tree) Len() (living, versions int) { return t.files, len(t.versions) }
