package tree

// derive works out what the fresh versions and all that follow from them stand
// for.
func (t *Tree) derive(fresh []*version) {
	set := t.following(fresh)
	for _, v := range set {
		v.links.circle = 0
	}
	rest := t.inOrder(set)
	if len(rest) == 0 {
		return
	}
	t.findCircles(rest)
	t.inOrder(rest)
	for _, v := range rest {
		if v.links.circle != 0 { // it may be a head again
			v.file.shape.heads = append(v.file.shape.heads, v)
		}
	}
}

// following returns the versions among fresh that have links, and all that
// follow from them.
func (t *Tree) following(fresh []*version) []*version {
	t.sets++
	var set []*version
	add := func(v *version) {
		if v.links != nil && v.links.set != t.sets {
			v.links.set = t.sets
			set = append(set, v)
		}
	}
	for _, v := range fresh {
		add(v)
	}
	for i := 0; i < len(set); i++ {
		for _, k := range set[i].links.kids {
			add(k)
		}
	}
	return set
}

// inOrder derives versions, parents first, and returns those that it cannot
// because they are in a circle or follow from one. The set is closed: what
// follows from a version in it is in it too.
func (t *Tree) inOrder(set []*version) (rest []*version) {
	t.sets++
	for _, v := range set {
		v.links.set = t.sets
	}
	var ready []*version
	for _, v := range set {
		l := v.links
		l.open = 0
		for _, p := range l.parents {
			if p.links.set == t.sets && p.follows(v) {
				l.open++
			}
		}
		if l.open == 0 {
			ready = append(ready, v)
		}
	}
	n := 0
	for ; len(ready) > 0; n++ {
		v := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		v.links.open = -1
		t.deriveOne(v)
		for _, k := range v.links.kids {
			if !v.follows(k) {
				continue
			}
			if k.links.open--; k.links.open == 0 {
				ready = append(ready, k)
			}
		}
	}
	if n == len(set) {
		return nil
	}
	for _, v := range set {
		if v.links.open > 0 {
			rest = append(rest, v)
		}
	}
	return rest
}

// deriveOne works out what v stands for, when that of its parents is known.
func (t *Tree) deriveOne(v *version) {
	l := v.links
	l.content, l.path, l.depth = v, v, 0
	var sources, paths []*version
	for _, p := range l.parents {
		if !p.follows(v) {
			continue
		}
		l.depth = max(l.depth, p.links.depth+1)
		sources = append(sources, p.links.content)
		paths = append(paths, p.links.path)
	}
	if len(sources) == 0 {
		return
	}
	if is := t.contentsOf(t.latest(sources)); len(is) == 1 && is[0].same(v) {
		l.content = is[0]
	}
	if is := t.newest(t.latest(paths)); is.at == v.at {
		l.path = is
	}
}

// findCircles numbers the circles among versions: sets of two and more each of
// which follows from each other one (Tarjan's strongly connected components).
func (t *Tree) findCircles(set []*version) {
	type step struct {
		v   *version
		kid int
	}
	index := make(map[*version]int, len(set)) // from 1, in order of visit
	low := make(map[*version]int, len(set))
	in := make(map[*version]bool, len(set))
	var stack []*version
	for _, root := range set {
		if index[root] != 0 {
			continue
		}
		way := []step{{v: root}}
		for len(way) > 0 {
			s := &way[len(way)-1]
			v := s.v
			if s.kid == 0 && index[v] == 0 {
				index[v] = len(index) + 1
				low[v] = index[v]
				stack, in[v] = append(stack, v), true
			}
			if s.kid < len(v.links.kids) {
				k := v.links.kids[s.kid]
				s.kid++
				if index[k] == 0 {
					way = append(way, step{v: k})
				} else if in[k] {
					low[v] = min(low[v], index[k])
				}
				continue
			}
			way = way[:len(way)-1]
			if len(way) > 0 {
				up := way[len(way)-1].v
				low[up] = min(low[up], low[v])
			}
			if low[v] == index[v] {
				stack = t.closeCircle(stack, v, in)
			}
		}
	}
}

// closeCircle takes a circle, the end of the stack from first on, off it.
func (t *Tree) closeCircle(stack []*version, first *version, in map[*version]bool) []*version {
	from := len(stack) - 1
	for stack[from] != first {
		from--
	}
	if len(stack)-from > 1 {
		t.circles++
		for _, v := range stack[from:] {
			v.links.circle = t.circles
		}
	}
	for _, v := range stack[from:] {
		delete(in, v)
	}
	return stack[:from]
}
