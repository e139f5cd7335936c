package tree

import (
	"cmp"
	"slices"
	"strings"
)

// oracle folds versions as the rules in FORMAT.md say, slowly.
type oracle struct {
	vs       []Known
	n        int
	parent   [][]bool // [kid][parent], that count
	above    [][]bool // [v][w]: w is an ancestor of v, by parents that count
	content  []int    // the version that set it
	path     []int
	file     []int // number of the file of each version
	byID     map[VersionID]int
	contents map[int][]int // per file
	place    map[int]string
}

func newOracle(vs []Known) *oracle {
	o := &oracle{byID: map[VersionID]int{}, contents: map[int][]int{}, place: map[int]string{}}
	for _, v := range vs {
		if _, ok := o.byID[v.ID]; !ok {
			o.byID[v.ID] = len(o.vs)
			o.vs = append(o.vs, v)
		}
	}
	o.n = len(o.vs)
	o.parents()
	o.content, o.path = make([]int, o.n), make([]int, o.n)
	for i := range o.vs {
		o.content[i], o.path[i] = -1, -1
	}
	for i := range o.vs {
		o.standsFor(i)
	}
	for f := range o.n {
		if heads := o.heads(f); len(heads) > 0 {
			o.contents[f] = o.hold(o.latest(pick(heads, o.content)))
			o.place[f] = o.vs[o.newest(o.latest(pick(heads, o.path)))].Path
		}
	}
	return o
}

func matrix(n int) [][]bool {
	m := make([][]bool, n)
	for i := range m {
		m[i] = make([]bool, n)
	}
	return m
}

func closure(edges [][]bool) [][]bool {
	n := len(edges)
	m := matrix(n)
	for i := range m {
		copy(m[i], edges[i])
	}
	for k := range n {
		for i := range n {
			if m[i][k] {
				for j := range n {
					m[i][j] = m[i][j] || m[k][j]
				}
			}
		}
	}
	return m
}

// parents finds which parents count and which versions are of one file.
func (o *oracle) parents() {
	named := matrix(o.n)
	for i, v := range o.vs {
		for _, id := range v.Parents {
			p, ok := o.byID[id]
			if ok && (id.Log != v.ID.Log || id.Seq < v.ID.Seq || id.Seq == v.ID.Seq && id.N < v.ID.N) {
				named[i][p] = true
			}
		}
	}
	reach := closure(named)
	o.parent = matrix(o.n)
	both := matrix(o.n)
	for i := range o.n {
		for j := range o.n {
			o.parent[i][j] = named[i][j] && !(reach[i][j] && reach[j][i])
			if named[i][j] {
				both[i][j], both[j][i] = true, true
			}
		}
	}
	o.above = closure(o.parent)
	joined := closure(both)
	o.file = make([]int, o.n)
	for i := range o.n {
		o.file[i] = i
		for j := range i {
			if joined[i][j] {
				o.file[i] = o.file[j]
				break
			}
		}
	}
}

func (o *oracle) heads(file int) (heads []int) {
	for i := range o.n {
		head := o.file[i] == file
		for j := range o.n {
			head = head && !o.parent[j][i]
		}
		if head {
			heads = append(heads, i)
		}
	}
	return heads
}

func pick(vs, from []int) []int {
	var out []int
	for _, v := range vs {
		out = append(out, from[v])
	}
	return out
}

// latest drops those that are ancestors of others, and doubles.
func (o *oracle) latest(vs []int) (out []int) {
	for _, v := range vs {
		drop := slices.Contains(out, v)
		for _, w := range vs {
			drop = drop || o.above[w][v]
		}
		if !drop {
			out = append(out, v)
		}
	}
	return out
}

func (o *oracle) newest(vs []int) int {
	return slices.MaxFunc(vs, func(a, b int) int { return o.vs[a].Compare(o.vs[b]) })
}

// hold returns the contents that versions come to together.
func (o *oracle) hold(vs []int) (out []int) {
	vs = slices.Clone(vs)
	slices.SortFunc(vs, func(a, b int) int { return o.vs[b].Compare(o.vs[a]) })
	for _, v := range vs {
		living := o.vs[v].Kind != Gone
		for _, w := range out {
			living = living && !o.vs[v].SameContent(&o.vs[w].Version)
		}
		if living {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return vs[:1]
	}
	return out
}

func (o *oracle) standsFor(v int) {
	if o.content[v] >= 0 {
		return
	}
	var parents []int
	for p := range o.n {
		if o.parent[v][p] {
			o.standsFor(p)
			parents = append(parents, p)
		}
	}
	o.content[v], o.path[v] = v, v
	if len(parents) == 0 {
		return
	}
	if c := o.hold(o.latest(pick(parents, o.content))); len(c) == 1 && o.vs[c[0]].SameContent(&o.vs[v].Version) {
		o.content[v] = c[0]
	}
	if p := o.newest(o.latest(pick(parents, o.path))); o.vs[p].Path == o.vs[v].Path {
		o.path[v] = p
	}
}

// dirOf returns the directory of a path, "" at the top.
func dirOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return ""
}

// nodes returns all living nodes by path.
func (o *oracle) nodes() map[string]Node {
	type here struct{ dirs, files []int }
	at := map[string]*here{}
	get := func(p string) *here {
		if at[p] == nil {
			at[p] = &here{}
		}
		return at[p]
	}
	for f, path := range o.place {
		for _, c := range o.contents[f] {
			switch o.vs[c].Kind {
			case Gone:
				continue
			case Dir:
				get(path).dirs = append(get(path).dirs, c)
			default:
				get(path).files = append(get(path).files, c)
			}
			for d := dirOf(path); d != ""; d = dirOf(d) {
				get(d)
			}
		}
	}
	isDir := func(path string) bool {
		for p := range at {
			if dirOf(p) == path {
				return true
			}
		}
		return at[path] != nil && len(at[path].dirs) > 0
	}
	out := map[string]Node{}
	for path, h := range at {
		show := func(path string, vs []int) Node {
			n := Node{Path: path}
			for i, v := range o.hold(vs) {
				if i == 0 {
					n.Shown = o.vs[v]
				} else {
					n.Others = append(n.Others, o.vs[v])
				}
			}
			return n
		}
		if !isDir(path) {
			n := show(path, h.files)
			n.Heads = o.headsAt(path, File, Dir, Link, Gone)
			out[path] = n
			continue
		}
		n := Node{Path: path, Shown: Known{Version: Version{Path: path, Kind: Dir}}}
		if len(h.dirs) > 0 {
			n = show(path, h.dirs)
		}
		n.Heads = o.headsAt(path, Dir, Gone)
		out[path] = n
		if len(h.files) > 0 {
			i := 1
			for at[awayPath(path, i)] != nil {
				i++
			}
			n := show(awayPath(path, i), h.files)
			n.Heads = o.headsAt(path, File, Link)
			out[n.Path] = n
		}
	}
	o.problems(out)
	return out
}

func (o *oracle) headsAt(path string, kinds ...Kind) (ids []VersionID) {
	for f, p := range o.place {
		if p != path {
			continue
		}
		for _, h := range o.heads(f) {
			if slices.Contains(kinds, o.vs[o.content[h]].Kind) {
				ids = append(ids, o.vs[h].ID)
			}
		}
	}
	slices.SortFunc(ids, VersionID.Compare)
	return ids
}

// first returns the oldest version that names a path or one below it.
func (o *oracle) first(path string) *Known {
	var first *Known
	for i := range o.vs {
		v := &o.vs[i]
		if (v.Path == path || strings.HasPrefix(v.Path, path+"/")) && (first == nil || v.Compare(*first) < 0) {
			first = v
		}
	}
	return first
}

func (o *oracle) problems(nodes map[string]Node) {
	base := func(p string) string { return p[strings.LastIndexByte(p, '/')+1:] }
	owner := func(path string) string {
		var twins []string
		for p := range nodes {
			if dirOf(p) == dirOf(path) && Key(base(p)) == Key(base(path)) {
				twins = append(twins, p)
			}
		}
		return slices.MinFunc(twins, func(a, b string) int {
			fa, fb := o.first(a), o.first(b)
			switch {
			case fa != nil && fb != nil && fa != fb:
				return fa.Compare(*fb)
			case (fa == nil) != (fb == nil):
				if fa == nil {
					return 1
				}
				return -1
			}
			return cmp.Compare(a, b)
		})
	}
	for path, n := range nodes {
		for p := path; p != ""; p = dirOf(p) {
			n.Problem |= problems(base(p))
			if own := owner(p); own != p {
				n.Problem |= Twin
				if n.Twin == "" {
					n.Twin = own
				}
			}
		}
		nodes[path] = n
	}
}

// gone returns what can be had back, by path: the living contents last there.
func (o *oracle) gone() map[string][]Known {
	living := o.nodes()
	last := map[string][]int{}
	for f, path := range o.place {
		if _, ok := living[path]; ok {
			continue
		}
		var found []int
		var up func(v int)
		up = func(v int) {
			if o.vs[v].Kind != Gone {
				found = append(found, o.content[v])
				return
			}
			for p := range o.n {
				if o.parent[v][p] {
					up(p)
				}
			}
		}
		for _, h := range o.heads(f) {
			up(h)
		}
		last[path] = append(last[path], o.latest(found)...)
	}
	out := map[string][]Known{}
	for path, vs := range last {
		if len(vs) == 0 {
			continue
		}
		for _, v := range o.hold(vs) {
			out[path] = append(out[path], o.vs[v])
		}
	}
	return out
}
