package automerge

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Records tell the same as the changes do.
func TestRecords(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 6))
		docs, _ := scribbled(t, rnd, Unit(seed%2))
		d := docs[0]
		records := d.Records()
		changes := must(d.Changes(nil))
		if len(changes) != len(records) {
			t.Fatalf("seed %d: %d records of %d changes", seed, len(records), len(changes))
		}
		for i, r := range records {
			c := changes[i]
			var deps []Hash
			for _, n := range r.Deps {
				if n >= i {
					t.Errorf("seed %d: record %d follows %d", seed, i, n)
				}
				deps = append(deps, d.HashAt(n))
			}
			slices.SortFunc(deps, compareHash)
			if d.HashAt(i) != c.Hash() || r.Actor != c.Actor() || r.Seq != c.Seq() || r.Time != c.Time() || r.Ops != c.Len() || !slices.Equal(deps, c.Deps()) {
				t.Errorf("seed %d: record %d: %+v of %+v", seed, i, r, c)
			}
		}
	}
}

func TestRecordsCount(t *testing.T) {
	a, obj := newText(t, "hello 😀", Options{})
	a.Commit(CommitOptions{Time: 5})
	b := must(a.Fork("\xbb"))
	do(t, a.Mark(obj, 0, 2, "b", Bool(true), ExpandNone), a.SpliceText(obj, 7, 0, "wörld"))
	must(a.SplitBlock(obj, 0, map[string]any{"t": Str("p")}))
	a.Commit(CommitOptions{Time: 6})
	do(t, b.SpliceText(obj, 4, 3, "")) // o 😀
	b.Commit(CommitOptions{})
	do(t, b.Merge(a))
	do(t, b.SpliceText(obj, 0, 7, "x")) // block, hell, wö
	b.Commit(CommitOptions{})
	var in []int
	gone := map[[2]int]int{}
	for i, r := range b.Records() {
		in = append(in, r.Inserted)
		for _, x := range r.Deleted {
			gone[[2]int{i, x.Of}] += x.N
		}
	}
	if !slices.Equal(in, []int{7, 0, 6, 1}) || len(gone) != 3 || gone[[2]int{1, 0}] != 3 || gone[[2]int{3, 0}] != 4 || gone[[2]int{3, 2}] != 3 {
		t.Errorf("inserted %v, deleted %v; text %q", in, gone, must(b.Text(obj)))
	}
}
