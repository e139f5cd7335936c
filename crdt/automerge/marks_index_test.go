package automerge

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// cut is marks cut to a stretch.
func cut(all []Mark, start, end int) (out []Mark) {
	for _, m := range all {
		if m.Start, m.End = max(m.Start, start), min(m.End, end); m.Start < m.End {
			out = append(out, m)
		}
	}
	return out
}

// Whatever is edited, the index tells the same as going through all marks.
func TestMarksIn(t *testing.T) {
	asked := 0
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 8))
		o := Options{Unit: Unit(seed % 2), Actor: "\x01"}
		d := New(o)
		obj := must(d.PutObject(Root, Key("t"), KindText))
		d.Commit(CommitOptions{})
		other := must(d.Fork("\x02"))
		for i := range 150 {
			e := []*Doc{d, d, other}[rnd.IntN(3)]
			size := must(e.Len(obj))
			at := rnd.IntN(size + 1)
			end := at + rnd.IntN(size-at+1)
			switch x := rnd.IntN(12); {
			case x < 5:
				do(t, e.SpliceText(obj, at, 0, []string{"hello", "é😀", "x"}[rnd.IntN(3)]))
			case x < 6:
				do(t, e.SpliceText(obj, at, min(end-at, 5), ""))
			case x < 10:
				many := 1
				if i%40 == 0 {
					many = 100
				}
				for range many {
					do(t, e.Mark(obj, at, end, []string{"b", "i", "c"}[rnd.IntN(3)], []Value{Bool(true), Null(), Int(2)}[rnd.IntN(3)], Expand(rnd.IntN(4))))
				}
			case x == 10:
				_, err := e.SplitBlock(obj, at, nil)
				do(t, err)
			default:
				d.Commit(CommitOptions{})
				other.Commit(CommitOptions{})
				do(t, d.Merge(other))
			}
			if rnd.IntN(40) == 0 {
				e.Rollback()
			}
			size = must(d.Len(obj))
			start := rnd.IntN(size + 1)
			end = start + rnd.IntN(size-start+1)
			for start > 0 && start < size && inPair(d, obj, start) {
				start--
			}
			got, want := must(d.MarksIn(obj, start, end)), cut(must(d.Marks(obj)), start, end)
			if len(want) > 0 {
				asked++
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d, step %d: [%d,%d): %v, want %v", seed, i, start, end, got, want)
			}
		}
		d.Commit(CommitOptions{})
		r := must(d.At(d.Heads()))
		size := must(d.Len(obj))
		if got, want := must(r.MarksIn(obj, size/3, size/2)), cut(must(d.Marks(obj)), size/3, size/2); !slices.Equal(got, want) {
			t.Errorf("seed %d: in the past %v, want %v", seed, got, want)
		}
	}
	if asked < 3000 {
		t.Errorf("only %d times there were marks", asked)
	}
}

// inPair reports whether a position lies within a character.
func inPair(d *Doc, obj ObjID, pos int) bool {
	n, _ := d.object(obj)
	_, off := d.elemAt(&d.objects[n], pos)
	return off > 0
}

func TestMarksInRefuses(t *testing.T) {
	d, obj := newText(t, "abc", Options{})
	do(t, d.Mark(obj, 0, 2, "b", Bool(true), ExpandNone))
	for _, at := range [][2]int{{-1, 2}, {2, 1}, {0, 4}} {
		if _, err := d.MarksIn(obj, at[0], at[1]); err == nil {
			t.Errorf("%v is taken", at)
		}
	}
	if _, err := d.MarksIn(Root, 0, 0); err == nil {
		t.Error("the root is taken for a text")
	}
}

// Letters typed among many marks have those of the place in patches, as reading
// the whole text tells.
func TestDiffAmongManyMarks(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 9))
	d, obj := newText(t, strings.Repeat("some words ", 300), Options{})
	for i := range 600 {
		at := rnd.IntN(3000)
		do(t, d.Mark(obj, at, at+rnd.IntN(200), fmt.Sprint("m", i%5), Int(int64(i%3)), ExpandAfter))
	}
	d.Commit(CommitOptions{})
	for range 300 {
		before := d.Heads()
		at := rnd.IntN(must(d.Len(obj)))
		do(t, d.SpliceText(obj, at, 0, "x"))
		d.Commit(CommitOptions{})
		ps := must(d.Diff(before, d.Heads()))
		want := map[string]Value{}
		for _, m := range cut(must(d.Marks(obj)), at, at+1) {
			want[m.Name] = m.Value
		}
		if len(want) == 0 {
			want = nil
		}
		if len(ps) != 1 || ps[0].Kind != PatchSplice || !reflect.DeepEqual(ps[0].Marks, want) {
			t.Fatalf("%+v, want marks %v", ps, want)
		}
	}
}
