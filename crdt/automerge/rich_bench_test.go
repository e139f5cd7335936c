package automerge

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkRich reads and edits the text of the trace with 1,000 marks in it.
func BenchmarkRich(b *testing.B) {
	edits, _ := trace(b)
	d, obj := replay(b, edits, true)
	rnd := rand.New(rand.NewPCG(1, 1))
	size := must(d.Len(obj))
	plain := d.Heads()
	third := d.graph.hash(d, uint32(len(d.graph.rows)/3))
	late := d.graph.hash(d, uint32(len(d.graph.rows)-100))
	run := func(name string, f func()) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
		})
	}
	run("diff of the last 100 edits", func() { must(d.Diff([]Hash{late}, plain)) })
	run("diff from a third", func() { must(d.Diff([]Hash{third}, plain)) })
	run("diff back to a third", func() { must(d.Diff(plain, []Hash{third})) })
	run("diff from nothing", func() { must(d.Diff(nil, plain)) })
	for i := range 1000 {
		at := rnd.IntN(size - 100)
		if err := d.Mark(obj, at, at+rnd.IntN(100), fmt.Sprint("m", i%10), Int(int64(i)), ExpandAfter); err != nil {
			b.Fatal(err)
		}
	}
	d.Commit(CommitOptions{})
	run("marks", func() { must(d.Marks(obj)) })
	run("spans", func() { must(d.Spans(obj)) })
	run("diff of 1,000 marks", func() { must(d.Diff(plain, d.Heads())) })
	marked := d.Heads()
	for i := range 100 {
		if err := d.SpliceText(obj, size/2+i, i%2, "x"); err != nil {
			b.Fatal(err)
		}
	}
	d.Commit(CommitOptions{})
	run("diff of 100 edits among marks", func() { must(d.Diff(marked, d.Heads())) })
	c := must(d.Cursor(obj, size/2, MoveAfter))
	run("cursor", func() { must(d.Position(obj, c)) })
	r := must(d.At(plain))
	run("cursor in the past", func() { must(r.Position(obj, c)) })
	// All is deleted, then somebody types where it was.
	if err := d.SpliceText(obj, 0, size, ""); err != nil {
		b.Fatal(err)
	}
	at := 0
	run("a letter among what is deleted", func() {
		if err := d.SpliceText(obj, at, 0, "x"); err != nil {
			b.Fatal(err)
		}
		at++
	})
}
