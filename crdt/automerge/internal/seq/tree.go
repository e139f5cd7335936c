package seq

// bump adds d, two's complement, to the width of a leaf and of all above it.
func (s *Store) bump(lf uint32, d Width) {
	l := s.leaf(lf)
	l.width = l.width.add(d)
	h := &s.heads[l.seq]
	h.width = h.width.add(d)
	for p, x := l.parent, l.place; p != 0; {
		n := s.node(p)
		n.width[x] = n.width[x].add(d)
		p, x = n.parent, n.place
	}
}

// lower tells a leaf and all above it that it holds counter ctr.
func (s *Store) lower(lf, ctr uint32) {
	l := s.leaf(lf)
	if ctr >= l.minCtr {
		return
	}
	l.minCtr = ctr
	for p, x := l.parent, l.place; p != 0; {
		n := s.node(p)
		if n.minCtr[x] <= ctr {
			return
		}
		n.minCtr[x] = ctr
		p, x = n.parent, n.place
	}
}

// insert puts p before span i of leaf lf, with sums and index, and returns where
// it went.
func (s *Store) insert(lf uint32, i int, p span) (uint32, int) {
	if len(s.leaf(lf).sp) == leafCap {
		lf, i = s.makeRoom(lf, i)
	}
	s.leaf(lf).insert(i, p)
	if s.where[p.eid] != lf {
		s.elemsAre(&p, lf)
	}
	s.lower(lf, p.id.Ctr)
	if p.isCell() {
		s.leaf(lf).cells = true
	}
	if w := p.width(); w != (Width{}) {
		s.bump(lf, w)
	}
	return lf, i
}

// insert puts p before span i of a leaf that has room.
func (l *leaf) insert(i int, p span) {
	n := len(l.sp)
	if n == cap(l.sp) {
		t := make([]span, n, min(max(1, 2*n), leafCap))
		copy(t, l.sp)
		l.sp = t
	}
	l.sp = l.sp[:n+1]
	copy(l.sp[i+1:], l.sp[i:n])
	l.sp[i] = p
}

// split cuts span i of leaf lf before its element k, 0 < k < n, and returns
// where the right part is; the left one is before it, see leftOf.
func (s *Store) split(lf uint32, i int, k uint32) (uint32, int) {
	l := s.leaf(lf)
	if len(l.sp) == leafCap {
		lf, i = s.makeRoom(lf, i)
		l = s.leaf(lf)
		if i == len(l.sp) { // span i itself begins the next leaf
			lf, i = l.next, 0
			l = s.leaf(lf)
		}
	}
	p := &l.sp[i]
	right := s.cut(p, k, uint32(p.n)-k)
	*p = s.cut(p, 0, k)
	l.insert(i+1, right) // sums stay, and the left part has the lesser counter
	return lf, i + 1
}

// leftOf is the place before span i of leaf lf.
func (s *Store) leftOf(lf uint32, i int) (uint32, int) {
	if i > 0 {
		return lf, i - 1
	}
	lf = s.leaf(lf).prev
	return lf, len(s.leaf(lf).sp) - 1
}

// isolate makes elements [k,k+n) of span i of leaf lf a span of their own and
// returns where it is.
func (s *Store) isolate(lf uint32, i int, k, n uint32) (uint32, int) {
	if k > 0 {
		lf, i = s.split(lf, i, k)
	}
	if n < uint32(s.leaf(lf).sp[i].n) {
		lf, i = s.split(lf, i, n)
		return s.leftOf(lf, i)
	}
	return lf, i
}

// makeRoom splits a full leaf and returns where place i of it is now. Who
// appends to the sequence leaves full leaves behind.
func (s *Store) makeRoom(lf uint32, i int) (uint32, int) {
	at := leafCap / 2
	if i == leafCap && s.leaf(lf).next == 0 {
		at = leafCap
	}
	r := s.splitLeaf(lf, at)
	if i > at || at == leafCap {
		return r, i - at
	}
	return lf, i
}

// splitLeaf moves the spans of lf from at on to a new leaf behind it.
func (s *Store) splitLeaf(lf uint32, at int) uint32 {
	l := s.leaf(lf)
	r := s.newLeaf(l.seq)
	n := s.leaf(r)
	if at < len(l.sp) {
		n.sp = make([]span, len(l.sp)-at, leafCap)
		copy(n.sp, l.sp[at:])
		l.sp = l.sp[:at]
	}
	for i := range n.sp {
		p := &n.sp[i]
		n.width = n.width.add(p.width())
		n.minCtr = min(n.minCtr, p.id.Ctr)
		n.cells = n.cells || p.isCell()
		s.elemsAre(p, r)
	}
	l.width = l.width.sub(n.width)
	l.minCtr, l.cells = None, false
	for i := range l.sp {
		l.minCtr = min(l.minCtr, l.sp[i].id.Ctr)
		l.cells = l.cells || l.sp[i].isCell()
	}
	n.prev, n.next = lf, l.next
	if l.next != 0 {
		s.leaf(l.next).prev = r
	} else {
		s.heads[l.seq].last = r
	}
	l.next = r
	if l.parent == 0 {
		s.newRoot(l.seq, lf, true)
	}
	s.addChild(l.seq, l.parent, l.place, kid{r, n.width, n.minCtr}, l.minCtr)
	return r
}

// A kid is a child with its sums.
type kid struct {
	at     uint32
	width  Width
	minCtr uint32
}

// newRoot puts a node above the only root, whose sums its one child has.
func (s *Store) newRoot(seq, child uint32, low bool) {
	p := s.newNode(low)
	n, h := s.node(p), &s.heads[seq]
	n.n = 1
	n.child[0], n.width[0] = child, h.width
	s.setParent(low, child, p, 0)
	h.root, h.flat = p, false
}

// addChild puts k behind child x of node p. Its sums were part of x's until now;
// minCtr is what is left in x.
func (s *Store) addChild(seq, p uint32, x uint8, k kid, minCtr uint32) {
	n := s.node(p)
	if n.n == nodeCap {
		p, x = s.splitNode(seq, p, x)
		n = s.node(p)
	}
	for j := n.n; j > x+1; j-- {
		n.child[j], n.width[j], n.minCtr[j] = n.child[j-1], n.width[j-1], n.minCtr[j-1]
		s.setParent(n.low, n.child[j], p, j)
	}
	n.n++
	n.child[x+1], n.width[x+1], n.minCtr[x+1] = k.at, k.width, k.minCtr
	n.width[x], n.minCtr[x] = n.width[x].sub(k.width), minCtr
	s.setParent(n.low, k.at, p, x+1)
}

// splitNode splits a full node and returns where its child x is now.
func (s *Store) splitNode(seq, p uint32, x uint8) (uint32, uint8) {
	n := s.node(p)
	at := uint8(nodeCap / 2)
	if x == nodeCap-1 { // appending leaves full nodes behind
		at = nodeCap - 1
	}
	r := s.newNode(n.low)
	m := s.node(r)
	m.n = nodeCap - at
	up := kid{at: r, minCtr: None}
	for j := range m.n {
		m.child[j], m.width[j], m.minCtr[j] = n.child[at+j], n.width[at+j], n.minCtr[at+j]
		up.width = up.width.add(m.width[j])
		up.minCtr = min(up.minCtr, m.minCtr[j])
		s.setParent(m.low, m.child[j], r, j)
	}
	n.n = at
	left := None
	for _, c := range n.minCtr[:at] {
		left = min(left, c)
	}
	if n.parent == 0 {
		s.newRoot(seq, p, false)
	}
	s.addChild(seq, n.parent, n.place, up, left)
	if x >= at {
		return r, x - at
	}
	return p, x
}

func (s *Store) setParent(low bool, c, p uint32, x uint8) {
	if low {
		l := s.leaf(c)
		l.parent, l.place = p, x
	} else {
		n := s.node(c)
		n.parent, n.place = p, x
	}
}
