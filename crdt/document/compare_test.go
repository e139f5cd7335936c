package document

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"inselnetz/crdt/automerge"
)

// told writes what Compare says: a block as "kind[change actor]: spans".
func told(blocks []Compared) (out []string) {
	sign := func(c Change, by automerge.ActorID) string {
		if c == "" {
			return ""
		}
		return fmt.Sprintf("[%s %x]", c, string(by))
	}
	for _, b := range blocks {
		s := b.Kind + sign(b.Change, b.By) + ":"
		for _, p := range b.Parts {
			if p.Embed != nil {
				p.Text = fmt.Sprint(p.Embed["t"])
			}
			s += " " + p.Text + sign(p.Change, p.By)
		}
		out = append(out, s)
	}
	return out
}

func TestCompare(t *testing.T) {
	for name, tt := range map[string]struct {
		edits          []Edit // by 02, of "abc" and the task "de" with a table behind it and the heading "f"
		want           []string
		added, removed int
	}{
		"nothing":             {nil, []string{"paragraph: abc", "task: de table", "heading: f"}, 0, 0},
		"typing":              {[]Edit{{Kind: Splice, At: 2, Del: 1, Text: "XY"}}, []string{"paragraph: a XY[added 02] b[removed 02] c", "task: de table", "heading: f"}, 2, 1},
		"bold is no change":   {[]Edit{{Kind: Mark, At: 1, End: 3, Name: "strong", Value: true}}, []string{"paragraph: ab c", "task: de table", "heading: f"}, 0, 0},
		"ticked":              {[]Edit{{Kind: Update, At: 4, Block: map[string]any{"checked": true}}}, []string{"paragraph: abc", "task[changed 02]: de table", "heading: f"}, 0, 0},
		"ticked and not":      {[]Edit{{Kind: Update, At: 4, Block: map[string]any{"checked": true}}, {Kind: Update, At: 4, Block: map[string]any{"checked": nil}}}, []string{"paragraph: abc", "task: de table", "heading: f"}, 0, 0},
		"a cell":              {[]Edit{{Kind: Put, At: 7, Path: []string{"cells", "a:b"}, Value: "new"}}, []string{"paragraph: abc", "task: de table[changed 02]", "heading: f"}, 0, 0},
		"a cell goes":         {[]Edit{{Kind: Put, At: 7, Path: []string{"cells", "a:a"}}}, []string{"paragraph: abc", "task: de table[changed 02]", "heading: f"}, 0, 0},
		"the table goes":      {[]Edit{{Kind: Join, At: 7}}, []string{"paragraph: abc", "task: de table[removed 02]", "heading: f"}, 0, 1},
		"a block more":        {EditsOf(8, []Block{{Kind: Quote, Spans: []Span{{Text: "q"}}}}), []string{"paragraph: abc", "task: de table", "quote[added 02]: q[added 02]", "heading: f"}, 1, 0},
		"split":               {[]Edit{{Kind: Split, At: 2, Block: map[string]any{"t": "quote"}}}, []string{"paragraph: a", "quote[changed 02]: bc", "task: de table", "heading: f"}, 0, 0},
		"an empty block more": {[]Edit{{Kind: Split, At: 4, Block: map[string]any{"t": "quote"}}}, []string{"paragraph: abc", "quote[added 02]:", "task: de table", "heading: f"}, 0, 0},
		"joined":              {[]Edit{{Kind: Join, At: 4}}, []string{"paragraph[changed 02]: abc ¶[removed 02] de table", "heading: f"}, 0, 0},
		"a block less":        {[]Edit{{Kind: Splice, At: 4, Del: 4}}, []string{"paragraph: abc", "task[removed 02]: de[removed 02] table[removed 02]", "heading: f"}, 0, 3},
		"from one to another": {[]Edit{{Kind: Splice, At: 3, Del: 3}}, []string{"paragraph[changed 02]: ab c[removed 02] ¶[removed 02] d[removed 02] e table", "heading: f"}, 0, 2},
		"all":                 {[]Edit{{Kind: Splice, At: 0, Del: 10}}, []string{"paragraph[removed 02]: abc[removed 02]", "task[removed 02]: de[removed 02] table[removed 02]", "heading[removed 02]: f[removed 02]"}, 0, 7},
		"over a whole one":    {[]Edit{{Kind: Splice, At: 2, Del: 7, Text: "😀"}}, []string{"paragraph[changed 02]: a 😀[added 02] bc[removed 02] ¶[removed 02] de[removed 02] table[removed 02] ¶[removed 02] f"}, 1, 5},
	} {
		t.Run(name, func(t *testing.T) {
			d := created(t, Block{Kind: Paragraph, Spans: []Span{{Text: "abc"}}},
				Block{Kind: Task, Spans: []Span{{Text: "de"}, {Embed: map[string]any{"t": "table", "cells": map[string]any{"a:a": "x", "a:b": "y"}}}}},
				Block{Kind: Heading, Level: 1, Spans: []Span{{Text: "f"}}})
			first := d.Heads()
			if err := d.SetActor("\x02"); err != nil {
				t.Fatal(err)
			}
			if err := Apply(d, tt.edits, nil); err != nil {
				t.Fatal(err)
			}
			d.Commit(automerge.CommitOptions{})
			blocks, added, removed, err := Compare(d, first, d.Heads())
			if err != nil {
				t.Fatal(err)
			}
			if got := told(blocks); !reflect.DeepEqual(got, tt.want) || added != tt.added || removed != tt.removed {
				t.Errorf("+%d -%d\ngot  %q\nwant %q", added, removed, got, tt.want)
			}
		})
	}
}

func TestCompareRefuses(t *testing.T) {
	d := created(t, text("abc")...)
	if _, _, _, err := Compare(d, []automerge.Hash{{1}}, d.Heads()); err == nil {
		t.Error("unknown heads are taken")
	}
	if _, _, _, err := Compare(d, d.Heads(), nil); err == nil {
		t.Error("nothing has a text")
	}
	if blocks, added, _, err := Compare(d, nil, d.Heads()); err != nil || added != 3 || blocks[0].Change != Added {
		t.Errorf("%+v, %d, %v", blocks, added, err)
	}
}

// Without what was removed it is the state after, and the figures fit both.
func TestCompareAtRandom(t *testing.T) {
	for _, seed := range seeds(t, 60) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		a := created(t, sample...)
		b, err := a.Fork("\x02")
		if err != nil {
			t.Fatal(err)
		}
		states := [][]automerge.Hash{a.Heads()}
		for i := range 40 {
			d := []*automerge.Doc{a, b}[rnd.IntN(2)]
			if err := Apply(d, overJSON(t, scribble(rnd, d, i)), nil); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			d.Commit(automerge.CommitOptions{})
			if rnd.IntN(4) == 0 {
				if err := errorsOf(a.Merge(b), b.Merge(a)); err != nil {
					t.Fatal(err)
				}
			}
			states = append(states, a.Heads())
		}
		for range 10 {
			from, to := states[rnd.IntN(len(states))], states[rnd.IntN(len(states))]
			got, added, removed, err := Compare(a, from, to)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			was, is := mustBlocks(t, mustAt(t, a, from)), mustBlocks(t, mustAt(t, a, to))
			if x := after(got); !reflect.DeepEqual(x, joined(is)) {
				t.Fatalf("seed %d:\n%+v, want\n%+v", seed, x, joined(is))
			}
			if added-removed != length(is)-length(was) || added > length(is) || removed > length(was) {
				t.Errorf("seed %d: +%d -%d from %d to %d", seed, added, removed, length(was), length(is))
			}
		}
	}
}

func mustAt(t testing.TB, d *automerge.Doc, heads []automerge.Hash) automerge.Reader {
	t.Helper()
	r, err := d.At(heads)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// after is what Compare shows of the state after.
func after(blocks []Compared) []Block {
	var out []Block
	for _, b := range blocks {
		if b.Change == Removed {
			continue
		}
		for _, p := range b.Parts {
			if p.Change != Removed {
				b.Spans = append(b.Spans, p.Span)
			}
		}
		out = append(out, b.Block)
	}
	return joined(out)
}

// length counts characters and embeds.
func length(blocks []Block) (n int) {
	for _, b := range blocks {
		for _, s := range b.Spans {
			if n += utf8.RuneCountInString(s.Text); s.Embed != nil {
				n++
			}
		}
	}
	return n
}

// long is a document of 300,000 characters in paragraphs, by 500,000 operations of
// several people in 10,000 changes, and its state after half of them.
func long(tb testing.TB) (d *automerge.Doc, half []automerge.Hash) {
	tb.Helper()
	rnd := rand.New(rand.NewPCG(1, 1))
	d = created(tb)
	body, err := Body(d.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range 10_000 {
		if err := d.SetActor(automerge.ActorID(fmt.Sprintf("actor-%d", i/20%7))); err != nil {
			tb.Fatal(err)
		}
		size, _ := d.Len(body)
		at := rnd.IntN(size + 1)
		edits := []Edit{{Kind: Splice, At: at, Text: strings.Repeat("word ", 6)}, {Kind: Splice, At: at + 30, Text: "more1 letts"}}
		if i%20 == 0 {
			edits = append(edits, Edit{Kind: Split, At: at, Block: map[string]any{"t": Paragraph}})
		}
		if size > 100 {
			edits = append(edits, Edit{Kind: Splice, At: rnd.IntN(size - 10), Del: 9})
		}
		if err := Apply(d, edits, nil); err != nil {
			tb.Fatal(err)
		}
		d.Commit(automerge.CommitOptions{Time: int64(1000 + i*20)})
		if i == 5000 {
			half = d.Heads()
		}
	}
	size, _ := d.Len(body)
	tb.Logf("%d characters", size)
	return d, half
}

func BenchmarkLong(b *testing.B) {
	d, half := long(b)
	now := d.Heads()
	late := slices.Clone(half)
	if changes, err := d.Changes(nil); err == nil {
		late = []automerge.Hash{changes[len(changes)-100].Hash()}
	}
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for name, heads := range map[string][]automerge.Hash{"half": half, "late": late} {
		run("at "+name, func() error { _, err := d.At(heads); return err })
		run("blocks at "+name, func() error { _, err := Blocks(mustAt(b, d, heads)); return err })
		run("diff from "+name, func() error { _, err := d.Diff(heads, now); return err })
		run("diff to "+name, func() error { _, err := d.Diff(now, heads); return err })
		run("compare from "+name, func() error { _, _, _, err := Compare(d, heads, now); return err })
		run("compare to "+name, func() error { _, _, _, err := Compare(d, now, heads); return err })
	}
	run("compare from nothing", func() error { _, _, _, err := Compare(d, nil, now); return err })
	run("history", func() error { History(d); return nil })
	run("blocks", func() error { _, err := Blocks(d.Reader); return err })
}

// BenchmarkKeystroke types in a long text without marks and with 20,000 of them: what
// it costs to do that, to commit it, and to tell another page.
func BenchmarkKeystroke(b *testing.B) {
	for _, marks := range []int{0, 20_000} {
		d := created(b, Block{Kind: Paragraph, Spans: []Span{{Text: strings.Repeat("some words ", 30_000)}}})
		body := mustBody(b, d)
		size, _ := d.Len(body)
		rnd := rand.New(rand.NewPCG(1, 1))
		for range marks {
			at := 1 + rnd.IntN(size-20)
			if err := d.Mark(body, at, at+1+rnd.IntN(15), []string{"strong", "em", "link"}[rnd.IntN(3)], automerge.Bool(true), automerge.ExpandAfter); err != nil {
				b.Fatal(err)
			}
		}
		d.Commit(automerge.CommitOptions{})
		for name, how := range map[string]map[string]any{"plain": {}, "bold": {"strong": true}, "as it is": nil} {
			b.Run(fmt.Sprintf("%d marks, %s", marks, name), func(b *testing.B) {
				at := size/2 + rnd.IntN(1000)
				var apply, commit, patch time.Duration
				for b.Loop() {
					before, start := d.Heads(), time.Now()
					if err := Apply(d, []Edit{{Kind: Splice, At: at, Text: "x", Marks: how}}, nil); err != nil {
						b.Fatal(err)
					}
					applied := time.Now()
					d.Commit(automerge.CommitOptions{})
					committed := time.Now()
					if _, _, err := Patches(d, before, d.Heads()); err != nil {
						b.Fatal(err)
					}
					apply, commit, patch = apply+applied.Sub(start), commit+committed.Sub(applied), patch+time.Since(committed)
					at++
				}
				for _, x := range []struct {
					unit string
					took time.Duration
				}{{"ns-apply", apply}, {"ns-commit", commit}, {"ns-patches", patch}} {
					b.ReportMetric(float64(x.took.Nanoseconds())/float64(b.N), x.unit)
				}
			})
		}
	}
}
