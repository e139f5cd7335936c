package seq

import (
	"iter"
	"math"
	"math/bits"
	"math/rand"
	"slices"
	"strings"
	"testing"
)

func fresh(ranks ...uint32) (*Store, *Seq) {
	s := New()
	s.SetRanks(ranks)
	return s, &Seq{Owner: 1}
}

func at(ctr, actor uint32) ID { return ID{Ctr: ctr, Actor: actor} }

func text(s *Store, q *Seq) string {
	return string(s.AppendText(q, nil, func(dst []byte, _ uint32) []byte { return append(dst, '|') }))
}

func runs(s *Store, q *Seq) int {
	n := 0
	for range s.Runs(q) {
		n++
	}
	return n
}

func checked(t *testing.T, s *Store, q *Seq) {
	t.Helper()
	if err := s.check(q); err != nil {
		t.Fatal(err)
	}
}

func TestEmpty(t *testing.T) {
	s, q := fresh(0)
	if r, _ := s.At(q, Points, 0); r.Eid != None || s.Len(q, Units) != 0 || text(s, q) != "" || runs(s, q) != 0 {
		t.Fatal("something in nothing")
	}
	if r, _ := s.At(q, Points, -1); r.Eid != None {
		t.Fatal("something before nothing")
	}
	if err := s.Build(q).Done(); err != nil || text(s, q) != "" {
		t.Fatal(err)
	}
	if e := s.InsertChars(q, at(1, 0), None, []byte("a"), 1); e != 0 || text(s, q) != "a" {
		t.Fatal("insert after filling with nothing")
	}
	checked(t, s, q)
}

// A letter that continues a run whose end another has deleted meanwhile shows.
func TestContinuingWhatIsDeleted(t *testing.T) {
	s, q := fresh(0, 1)
	a := s.InsertChars(q, at(5, 0), None, []byte("a"), 1)
	s.Kill(a, 1, at(6, 1))
	s.InsertChars(q, at(6, 0), a, []byte("b"), 1)
	if got := text(s, q); got != "b" {
		t.Fatalf("%q", got)
	}
	checked(t, s, q)
}

// Ids or eids that merely follow do not make a run.
func TestNotARun(t *testing.T) {
	s, q := fresh(0, 1)
	p := &Seq{}
	a := s.InsertChars(q, at(1, 0), None, []byte("a"), 1)
	s.InsertChars(p, at(2, 1), None, []byte("é"), 1)
	s.InsertChars(q, at(2, 0), a, []byte("b"), 1) // another sequence got the eid between
	s.InsertChars(q, at(3, 0), None, []byte("c"), 1)
	c := s.InsertCell(q, at(4, 0), None, 7, Width{1, 1}, false)
	s.InsertChars(q, at(5, 0), c, []byte("d"), 1)      // after a cell
	e := s.InsertChars(q, at(6, 1), a, []byte("e"), 1) // eid follows, the reference does not
	s.InsertChars(q, at(7, 0), e, []byte("f"), 1)      // counter follows, the actor does not
	s.InsertChars(q, at(8, 1), e, []byte("g"), 1)
	if got := text(s, q); got != "|dcaegfb" {
		t.Fatalf("%q", got)
	}
	if n := runs(s, q); n != 8 {
		t.Fatalf("%d runs", n)
	}
	if text(s, p) != "é" {
		t.Fatal(text(s, p))
	}
	checked(t, s, q)
	checked(t, s, p)
}

// Typing, backspacing and deleting forward leave few runs.
func TestFewRuns(t *testing.T) {
	s, q := fresh(0)
	after, ctr := None, uint32(1)
	for range 5000 {
		after = s.InsertChars(q, at(ctr, 0), after, []byte("x"), 1)
		ctr++
	}
	if n := runs(s, q); n != (5000+maxRun-1)/maxRun {
		t.Fatalf("%d runs of 5000 typed letters", n)
	}
	for e := uint32(999); e >= 600; e-- {
		s.Kill(e, 1, at(ctr, 0))
		ctr++
	}
	for e := uint32(2000); e < 2400; e++ {
		s.Kill(e, 1, at(ctr, 0))
		ctr++
	}
	if n := runs(s, q); n > 18 {
		t.Fatalf("%d runs after deleting", n)
	}
	r := s.Elem(610)
	if !r.Deleted || r.Step != -1 || r.Del.Ctr != 5001+389 {
		t.Fatalf("%+v", r)
	}
	checked(t, s, q)
	s, q = fresh(0)
	s.InsertChars(q, at(1, 0), None, []byte(strings.Repeat("é😀", 1000)), 2000)
	if s.Len(q, Points) != 2000 || s.Len(q, Units) != 3000 || runs(s, q) != 4 {
		t.Fatal("a long paste")
	}
	checked(t, s, q)
	s.InsertChars(q, at(2001, 0), 1999, []byte(strings.Repeat("z", 600)), 600) // fills the last run up
	if runs(s, q) != 6 || s.Len(q, Points) != 2600 {
		t.Fatalf("%d runs", runs(s, q))
	}
	checked(t, s, q)
}

// A change before the leaf of the cursor must not leave it wrong.
func TestCursor(t *testing.T) {
	s, q := fresh(0, 1)
	r := rand.New(rand.NewSource(1))
	for i := range uint32(3000) {
		ref := None
		if i > 0 {
			ref = uint32(r.Intn(int(i)))
		}
		s.InsertChars(q, at(i+1, 0), ref, []byte("x"), 1)
	}
	first, _ := s.At(q, Points, 0)
	second, _ := s.At(q, Points, 1)
	cell := s.InsertCell(q, at(9000, 0), None, 0, Width{}, true)
	for i, change := range []func(){
		func() { s.Kill(first.Eid, 1, at(4000, 1)) },
		func() { s.MakeCell(second.Eid, 3, Width{5, 6}) },
		func() { s.SetWidth(cell, Width{2, 3}) },
		func() { s.InsertChars(q, at(9001, 1), None, []byte("yy"), 2) },
		func() { s.InsertCell(q, at(9003, 1), cell, 0, Width{9, 9}, false) },
	} {
		s.At(q, Units, 2500)
		change()
		if err := s.check(q); err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
		if r, _ := s.At(q, Points, 2500); s.Position(q, r.Eid, Points) != 2500 {
			t.Fatalf("change %d: position", i)
		}
	}
	if q.Marks() != 1 {
		t.Fatalf("%d marks", q.Marks())
	}
}

// Concurrent inserts at one place: the greatest id first, whole runs at a time,
// and many of them are passed over without looking at each.
func TestOrder(t *testing.T) {
	s, q := fresh(1, 0, 2) // bytes: actor 1 < 0 < 2
	a := s.InsertChars(q, at(1, 0), None, []byte("ab"), 2)
	s.InsertChars(q, at(5, 0), a, []byte("00"), 2)
	s.InsertChars(q, at(5, 1), a, []byte("11"), 2)
	s.InsertChars(q, at(5, 2), a, []byte("22"), 2)
	s.InsertChars(q, at(4, 2), a, []byte("3"), 1)
	if got := text(s, q); got != "a2200113b" {
		t.Fatal(got)
	}
	s, q = fresh(0, 1)
	for i := range uint32(50_000) {
		s.InsertChars(q, at(10+i, 1), None, []byte("x"), 1)
	}
	e := s.InsertChars(q, at(5, 0), None, []byte("y"), 1)
	f := s.InsertChars(q, at(40_000, 0), None, []byte("z"), 1)
	if s.Position(q, e, Points) != 50_001 || s.Position(q, f, Points) != 50_000+10-40_000 {
		t.Fatalf("at %d and %d", s.Position(q, e, Points), s.Position(q, f, Points))
	}
	checked(t, s, q)
}

// An element goes behind the rest of the run in which what it was inserted after
// lies, if that has greater ids.
func TestOrderInARun(t *testing.T) {
	for rank, want := range [2]string{"axbc", "abcx"} {
		s, q := fresh(uint32(rank), uint32(1-rank))
		a := s.InsertChars(q, at(1, 0), None, []byte("abc"), 3)
		s.InsertChars(q, at(2, 1), a, []byte("x"), 1)
		if got := text(s, q); got != want {
			t.Errorf("rank %d: %s, want %s", rank, got, want)
		}
		checked(t, s, q)
	}
	// The cursor stands behind a run that is cut.
	s, q := fresh(0)
	s.InsertChars(q, at(1, 0), None, []byte(strings.Repeat("x", 30_000)), 30_000)
	s.At(q, Points, 29_999)
	s.InsertChars(q, at(30_001, 0), 100, []byte("y"), 1)
	checked(t, s, q)
	if r, _ := s.At(q, Points, 30_000); r.Eid != 29_999 {
		t.Errorf("last element is %d", r.Eid)
	}
}

// Deletes that go on with the right counters, but in the other direction.
func TestDeletesThatDoNotContinue(t *testing.T) {
	del := func(ctrs ...uint32) (steps []int) {
		s, q := fresh(0, 1)
		s.InsertChars(q, at(1, 0), None, []byte("abcdef"), 6)
		for e, c := range ctrs {
			s.Kill(uint32(e), 1, at(c, 1))
		}
		for r := range s.Runs(q) {
			steps = append(steps, r.Step)
			for k := range r.N {
				if e := r.Eid + uint32(k); int(e) < len(ctrs) && r.Del.Add(k*r.Step).Ctr != ctrs[e] {
					t.Errorf("%v: element %d deleted by %d", ctrs, e, r.Del.Add(k*r.Step).Ctr)
				}
			}
		}
		checked(t, s, q)
		return steps
	}
	for _, c := range []struct{ ctrs, steps any }{
		{[]uint32{12, 11, 10, 15}, []int{-1, 0, 0}},
		{[]uint32{10, 11, 12, 7}, []int{1, 0, 0}},
		{[]uint32{10, 11, 12, 11}, []int{1, 0, 0}},
		{[]uint32{12, 11, 10, 9, 10, 11}, []int{-1, 1}},
	} {
		if got := del(c.ctrs.([]uint32)...); !slices.Equal(got, c.steps.([]int)) {
			t.Errorf("%v: steps %v, want %v", c.ctrs, got, c.steps)
		}
	}
	// Joining keeps that some have further deleters.
	s, q := fresh(0, 1)
	s.InsertChars(q, at(1, 0), None, []byte("ab"), 2)
	s.Kill(1, 1, at(11, 1))
	s.Kill(1, 1, at(9, 0))
	s.Kill(0, 1, at(12, 1))
	if r := s.Elem(0); r.N != 2 || !r.Many {
		t.Errorf("%+v", r)
	}
}

func TestBehind(t *testing.T) {
	h := newHistory(rand.New(rand.NewSource(5)))
	for range 60 {
		h.edit(0)
	}
	s, q := h.peers[0].s, &h.peers[0].q[0]
	var all []uint32
	for r := range s.Runs(q) {
		for k := range r.N {
			all = append(all, r.Eid+uint32(k))
		}
	}
	for _, walk := range []iter.Seq[Run]{s.Runs(q), s.RunsAt(q, h.peers[0].clock), s.Behind(q, None), s.Behind(q, all[0]), s.Cells(q)} {
		for range walk { // all can be left early
			break
		}
	}
	shows := func(e uint32) bool { r := s.Elem(e); return r.IsCell || !r.Deleted }
	for i, e := range append([]uint32{None}, all...) {
		var got, want []uint32
		for r := range s.Behind(q, e) {
			for k := range r.N {
				got = append(got, r.Eid+uint32(k))
			}
		}
		for _, e := range all[i:] {
			if shows(e) {
				want = append(want, e)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("behind element %d: %v, want %v", i-1, got, want)
		}
	}
}

// The order of filling is checked: each of these is one step from what is right.
func TestBuilderRefuses(t *testing.T) {
	type el struct{ id, ref ID }
	id := func(c uint32) ID { return at(c, 0) }
	for name, els := range map[string][]el{
		"siblings ascending":       {{id(1), ID{}}, {id(2), ID{}}},
		"the same twice":           {{id(1), ID{}}, {id(1), ID{}}},
		"not greater":              {{id(5), ID{}}, {id(4), id(5)}},
		"itself":                   {{id(5), ID{}}, {id(5), id(5)}},
		"unknown reference":        {{id(5), ID{}}, {id(9), id(7)}},
		"reference comes later":    {{id(9), id(5)}, {id(5), ID{}}},
		"reference is passed":      {{id(5), ID{}}, {id(4), ID{}}, {id(6), id(5)}},
		"nested siblings":          {{id(1), ID{}}, {id(3), id(1)}, {id(7), id(1)}},
		"inside a run":             {{id(1), ID{}}, {id(2), id(1)}, {id(3), id(2)}, {id(9), id(1)}},
		"passed inside a run":      {{at(1, 1), ID{}}, {at(2, 1), at(1, 1)}, {at(3, 1), at(2, 1)}, {at(2, 0), at(1, 1)}, {at(9, 1), at(3, 1)}},
		"actors of siblings":       {{at(3, 0), ID{}}, {at(3, 1), ID{}}},
		"actor of the reference":   {{at(3, 0), ID{}}, {at(4, 0), at(3, 1)}},
		"below a run":              {{id(1), ID{}}, {id(2), id(1)}, {at(9, 1), id(2)}, {id(5), id(3)}},
		"behind its place in time": {{id(1), ID{}}, {id(2), id(1)}, {id(8), ID{}}},
	} {
		for _, cells := range []bool{false, true} {
			s, q := fresh(0, 1)
			b := s.Build(q)
			for _, e := range els {
				if cells {
					b.Cell(e.id, e.ref, 0, Width{1, 1}, false)
				} else {
					b.Char(e.id, e.ref, []byte("x"), ID{})
				}
			}
			if b.Done() == nil {
				t.Errorf("%s: taken (cells: %v)", name, cells)
			}
		}
	}
	s, q := fresh(0, 1)
	b := s.Build(q)
	for _, e := range []el{{id(4), ID{}}, {id(5), id(4)}, {at(6, 1), id(4)}, {id(6), id(4)}, {id(3), ID{}}, {at(2, 1), ID{}}} {
		b.Char(e.id, e.ref, []byte("x"), ID{})
	}
	if b.Done() == nil {
		t.Error("5 stands before 6 after the same element: taken")
	}
	b = s.Build(&Seq{})
	for _, e := range []el{{id(4), ID{}}, {at(6, 1), id(4)}, {id(6), id(4)}, {id(5), id(4)}, {id(6), id(5)}, {at(3, 1), ID{}}, {id(3), ID{}}} {
		b.Char(e.id, e.ref, []byte("x"), ID{})
	}
	if err := b.Done(); err != nil {
		t.Error(err)
	}
}

// Wrong calls are mistakes of the caller.
func TestPanics(t *testing.T) {
	s, q := fresh(0)
	e := s.InsertChars(q, at(1, 0), None, []byte("abc"), 3)
	c := s.InsertCell(q, at(4, 0), 2, 0, Width{1, 1}, false)
	s.Kill(e, 1, at(5, 0))
	for name, f := range map[string]func(){
		"deleting a cell":          func() { s.Kill(c, 1, at(6, 0)) },
		"deleting across":          func() { s.Kill(e+1, 3, at(6, 0)) },
		"width of a character":     func() { s.SetWidth(e+1, Width{}) },
		"a cell of a cell":         func() { s.MakeCell(c, 1, Width{}) },
		"filling what has content": func() { s.Build(q) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: taken", name)
				}
			}()
			f()
		}()
	}
	checked(t, s, q)
	if !s.Room(1000, 1000) || bits.UintSize == 64 && s.Room(math.MaxInt, 0) {
		t.Error("room")
	}
}

// A deleted run with further deleters in it, at every time.
func TestFurtherDeletersInThePast(t *testing.T) {
	s, q := fresh(0, 1, 2)
	s.InsertChars(q, at(1, 0), None, []byte("abcdef"), 6)
	s.Kill(1, 4, at(10, 1)) // b..e by 10..13
	s.Kill(2, 1, at(20, 2)) // c again
	s.Kill(3, 1, at(15, 2))
	for clock, want := range map[[3]uint32]string{
		{6, 0, 0}: "abcdef", {6, 10, 0}: "acdef", {6, 12, 0}: "aef", {6, 13, 0}: "af", {6, 9, 20}: "abef",
		{6, 0, 15}: "abcef", {3, 10, 0}: "ac", {3, 0, 20}: "ab", {0, 99, 99}: "",
	} {
		if got := string(s.AppendTextAt(q, clock[:], nil, nil)); got != want {
			t.Errorf("%v: %q, want %q", clock, got, want)
		}
	}
	if dels := s.MakeCell(2, 0, Width{}); !slices.Equal(dels, []ID{at(11, 1), at(20, 2)}) || s.More(2) != nil {
		t.Errorf("deleters %v", dels)
	}
	checked(t, s, q)
}
