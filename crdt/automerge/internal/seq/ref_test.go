package seq

import (
	"fmt"
	"slices"
	"sort"
	"unicode/utf16"

	"inselnetz/crdt/automerge/internal/opid"
)

type ID = opid.ID

// ---- a slow sequence to compare with: a tree, children by descending id ----

type refElem struct {
	id, ref ID
	text    string
	cell    bool
	mark    bool
	width   Width // of a cell
	by      ID    // who made it the cell it is
	dels    []ID
	kids    []*refElem
}

func (e *refElem) shows() Width {
	switch {
	case len(e.dels) > 0:
		return Width{}
	case e.cell:
		return e.width
	}
	return Width{1, uint32(len(utf16.Encode([]rune(e.text))))}
}

type refSeq struct {
	rank []uint32
	by   map[ID]*refElem
}

func newRef(rank []uint32) *refSeq { return &refSeq{rank, map[ID]*refElem{{}: {}}} }

func (d *refSeq) insert(e *refElem) {
	p := d.by[e.ref]
	i := sort.Search(len(p.kids), func(i int) bool {
		k := p.kids[i].id
		return k.Ctr < e.id.Ctr || k.Ctr == e.id.Ctr && d.rank[k.Actor] < d.rank[e.id.Actor]
	})
	p.kids = slices.Insert(p.kids, i, e)
	d.by[e.id] = e
}

// all walks the tree, without recursion: a long text is a deep tree.
func (d *refSeq) all() (all []*refElem) {
	stack := []*refElem{d.by[ID{}]}
	for len(stack) > 0 {
		e := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if e.id.Ctr != 0 {
			all = append(all, e)
		}
		for _, k := range slices.Backward(e.kids) {
			stack = append(stack, k)
		}
	}
	return all
}

// ---- what must hold inside a store ----

func (s *Store) check(q *Seq) error {
	h := &s.heads[q.num]
	if h.first == 0 {
		return nil
	}
	var leaves []uint32
	k, err := s.checkTree(q, h.root, h.flat, 0, 0, &leaves)
	if err != nil {
		return err
	}
	if k.width != h.width {
		return fmt.Errorf("width of the sequence is %v, its leaves have %v", h.width, k.width)
	}
	prev := uint32(0)
	for lf, i := h.first, 0; lf != 0; lf, i = s.leaf(lf).next, i+1 {
		if i >= len(leaves) || leaves[i] != lf || s.leaf(lf).prev != prev {
			return fmt.Errorf("leaf %d is not linked as it is hung", lf)
		}
		prev = lf
	}
	if h.last != prev {
		return fmt.Errorf("last leaf is %d, not %d", prev, h.last)
	}
	if c := s.cur.leaf; c != 0 && s.leaf(c).seq == q.num {
		var w Width
		for _, lf := range leaves[:slices.Index(leaves, c)] {
			w = w.add(s.leaf(lf).width)
		}
		if w != s.cur.before {
			return fmt.Errorf("cursor at leaf %d says %v, not %v", c, s.cur.before, w)
		}
	}
	return nil
}

func (s *Store) checkTree(q *Seq, at uint32, flat bool, parent uint32, place uint8, leaves *[]uint32) (kid, error) {
	if flat {
		*leaves = append(*leaves, at)
		return s.checkLeaf(q, at, parent, place)
	}
	n, k := s.node(at), kid{at: at, minCtr: None}
	if n.parent != parent || n.place != place || n.n == 0 {
		return k, fmt.Errorf("node %d hangs wrong", at)
	}
	for j := range n.n {
		c, err := s.checkTree(q, n.child[j], n.low, at, j, leaves)
		if err != nil {
			return k, err
		}
		if c.width != n.width[j] || c.minCtr != n.minCtr[j] {
			return k, fmt.Errorf("node %d says %v %d of child %d, not %v %d", at, n.width[j], n.minCtr[j], j, c.width, c.minCtr)
		}
		k.width = k.width.add(c.width)
		k.minCtr = min(k.minCtr, c.minCtr)
	}
	return k, nil
}

func (s *Store) checkLeaf(q *Seq, at, parent uint32, place uint8) (kid, error) {
	l, k, cells := s.leaf(at), kid{at: at, minCtr: None}, false
	if l.parent != parent || l.place != place || l.seq != q.num || len(l.sp) == 0 || len(l.sp) > leafCap {
		return k, fmt.Errorf("leaf %d hangs wrong", at)
	}
	for i := range l.sp {
		p := &l.sp[i]
		if err := s.checkSpan(p, at); err != nil {
			return k, err
		}
		k.width = k.width.add(p.width())
		k.minCtr = min(k.minCtr, p.id.Ctr)
		cells = cells || p.isCell()
	}
	if k.width != l.width || k.minCtr != l.minCtr || cells != l.cells {
		return k, fmt.Errorf("leaf %d says %v %d, not %v %d", at, l.width, l.minCtr, k.width, k.minCtr)
	}
	return k, nil
}

func (s *Store) checkSpan(p *span, at uint32) error {
	if p.isCell() {
		if p.n != 1 || p.size != 0 {
			return fmt.Errorf("cell %+v", *p)
		}
	} else {
		t := []rune(string(s.bytes(p)))
		if len(t) != int(p.n) || len(utf16.Encode(t)) != int(p.units) || p.n == 0 || p.n > maxRun {
			return fmt.Errorf("widths of span %+v", *p)
		}
		if (p.n > 1 && p.del.Ctr != 0) != (p.step != 0) {
			return fmt.Errorf("step of span %+v", *p)
		}
	}
	for e := p.eid; e < p.eid+uint32(p.n); e++ {
		if s.where[e] != at {
			return fmt.Errorf("element %d is said to be in leaf %d, not %d", e, s.where[e], at)
		}
	}
	return nil
}

// ---- comparing a store with the slow sequence ----

// elem is one element of a run.
func elem(r Run, k int) (id, ref ID, text string) {
	id, ref = r.ID.Add(k), r.Ref
	if k > 0 {
		ref = r.ID.Add(k - 1)
	}
	if !r.IsCell {
		text = string([]rune(string(r.Text))[k])
	}
	return id, ref, text
}

func sortIDs(ids []ID) []ID {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b ID) int {
		if a.Ctr != b.Ctr {
			return int(a.Ctr) - int(b.Ctr)
		}
		return int(a.Actor) - int(b.Actor)
	})
	return ids
}

// sameAs compares all that can be asked of q with d.
func (s *Store) sameAs(q *Seq, d *refSeq) error {
	all := d.all()
	var pos Width
	n, first, last := 0, None, None
	for r := range s.Runs(q) {
		var w Width
		for k := range r.N {
			if n == len(all) {
				return fmt.Errorf("more than %d elements", n)
			}
			e := all[n]
			n++
			eid := r.Eid + uint32(k)
			id, ref, text := elem(r, k)
			if id != e.id || ref != e.ref || r.IsCell != e.cell || r.IsMark != e.mark || !e.cell && text != e.text {
				return fmt.Errorf("element %d: %v %v %q, want %+v", n-1, id, ref, text, e)
			}
			if err := s.sameDels(r, k, e); err != nil {
				return err
			}
			if err := s.sameAt(q, eid, e, pos); err != nil {
				return fmt.Errorf("element %d %v: %w", n-1, id, err)
			}
			if last != None && (!s.Before(last, eid) || s.Before(eid, last) || s.Before(eid, eid) || !s.Before(first, eid)) {
				return fmt.Errorf("element %d is not behind those before it", n-1)
			}
			if last = eid; n == 1 {
				first = eid
			}
			w = w.add(e.shows())
			pos = pos.add(e.shows())
		}
		if r.Width != w {
			return fmt.Errorf("run at %d: width %v, want %v", n, r.Width, w)
		}
	}
	if n != len(all) {
		return fmt.Errorf("%d elements, want %d", n, len(all))
	}
	if s.Len(q, Points) != int(pos.Points) || s.Len(q, Units) != int(pos.Units) {
		return fmt.Errorf("length")
	}
	if r, _ := s.At(q, Points, int(pos.Points)); r.Eid != None {
		return fmt.Errorf("something at the end")
	}
	n = 0
	for _, e := range all {
		if e.cell {
			n++
		}
	}
	for r := range s.Cells(q) {
		if n--; !r.IsCell {
			return fmt.Errorf("%v is no cell", r.ID)
		}
	}
	if n != 0 {
		return fmt.Errorf("%d cells are not found", n)
	}
	return s.sameText(q, all)
}

func (s *Store) sameDels(r Run, k int, e *refElem) error {
	if r.IsCell {
		return nil
	}
	var dels []ID
	if r.Deleted {
		dels = append(dels, r.Del.Add(k*r.Step))
	}
	more := s.More(r.Eid + uint32(k))
	if len(more) > 0 && !r.Many {
		return fmt.Errorf("%v has further deleters, its run does not say so", e.id)
	}
	if dels = append(dels, more...); !slices.Equal(sortIDs(dels), sortIDs(e.dels)) {
		return fmt.Errorf("deleters of %v: %v, want %v", e.id, dels, e.dels)
	}
	return nil
}

// sameAt compares what leads from a place to an element and back.
func (s *Store) sameAt(q *Seq, eid uint32, e *refElem, pos Width) error {
	if r := s.Elem(eid); r.ID != e.id || r.Ref != e.ref {
		return fmt.Errorf("by eid: %+v", r)
	}
	if r, k := s.Whole(eid); r.Eid+uint32(k) != eid || r.ID.Add(k) != e.id {
		return fmt.Errorf("whole run: %+v", r)
	}
	if s.Owner(eid) != q.Owner {
		return fmt.Errorf("owner")
	}
	w := e.shows()
	for u := Points; u <= Units; u++ {
		p := int(pos.In(u))
		if g := s.Position(q, eid, u); g != p {
			return fmt.Errorf("position %d, want %d", g, p)
		}
		for o := range int(w.In(u)) {
			if r, off := s.At(q, u, p+o); r.Eid != eid || r.ID != e.id || off != o {
				return fmt.Errorf("at %d is %v + %d", p+o, r.ID, off)
			}
		}
	}
	return nil
}

func (s *Store) sameText(q *Seq, all []*refElem) error {
	want := ""
	for _, e := range all {
		if w := e.shows(); w != (Width{}) && e.cell {
			want += "\ufffc"
		} else if w != (Width{}) {
			want += e.text
		}
	}
	got := s.AppendText(q, nil, func(dst []byte, _ uint32) []byte { return append(dst, "\ufffc"...) })
	if string(got) != want {
		return fmt.Errorf("text %q, want %q", got, want)
	}
	return nil
}
