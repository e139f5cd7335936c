package automerge

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

// letters are the characters, with their marks or without, and blocks of parts, but
// those of one fate.
func letters(parts []Part, but Fate, marks bool) (out []string) {
	for _, p := range parts {
		switch {
		case p.Fate == but:
		case p.Block != Root:
			out = append(out, p.Block.String())
		default:
			for _, c := range p.Text {
				s := string(c)
				if marks {
					s = fmt.Sprint(s, p.Marks)
				}
				out = append(out, s)
			}
		}
	}
	return out
}

// What stays and comes is the state after, what stays and goes that before; all
// devices say the same.
func TestCompareAtRandom(t *testing.T) {
	texts := 0
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		docs, states := scribbled(t, rnd, Unit(seed%2))
		d := docs[0]
		do(t, docs[1].Merge(d))
		for range 12 {
			from, to := states[rnd.IntN(len(states))], states[rnd.IntN(len(states))]
			if rnd.IntN(3) == 0 {
				to = d.Heads()
			}
			was, is := must(d.At(from)), must(d.At(to))
			for n := range d.objects {
				id := d.outer(d.idOf(uint32(n)))
				if kindOf(d.objects[n].kind) != KindText {
					continue
				}
				texts++
				parts := must(d.Compare(id, from, to))
				if other := must(docs[1].Compare(id, from, to)); !reflect.DeepEqual(other, parts) {
					t.Fatalf("seed %d: %v\non another device %v", seed, parts, other)
				}
				var before, after []Part
				spans, _ := was.Spans(id) // an error: there was no such text
				for _, s := range spans {
					before = append(before, Part{Text: s.Text, Block: s.Block})
				}
				spans, _ = is.Spans(id)
				for _, s := range spans {
					after = append(after, Part{Text: s.Text, Marks: s.Marks, Block: s.Block})
				}
				if got, want := letters(parts, Goes, true), letters(after, Goes, true); !reflect.DeepEqual(got, want) {
					t.Fatalf("seed %d: after: %v, want %v", seed, got, want)
				}
				if got, want := letters(parts, Comes, false), letters(before, Goes, false); !reflect.DeepEqual(got, want) {
					t.Fatalf("seed %d: before: %v, want %v", seed, got, want)
				}
			}
		}
	}
	if texts < 1000 {
		t.Errorf("only %d texts were compared", texts)
	}
}

// scribbled are three documents that wrote at once, of which the first has all, and
// states of it.
func scribbled(t *testing.T, rnd *rand.Rand, u Unit) (docs []*Doc, states [][]Hash) {
	t.Helper()
	for _, a := range []ActorID{"\x01", "\x02", "\x03"} {
		docs = append(docs, New(Options{Unit: u, Actor: a}))
	}
	states = [][]Hash{nil}
	for range 40 {
		d := docs[rnd.IntN(3)]
		for range 1 + rnd.IntN(6) {
			do(t, scribble(d, rnd))
		}
		d.Commit(CommitOptions{})
		if rnd.IntN(3) == 0 {
			do(t, d.Merge(docs[rnd.IntN(3)]))
		}
		if d == docs[0] {
			states = append(states, d.Heads())
		}
	}
	do(t, docs[0].Merge(docs[1]), docs[0].Merge(docs[2]))
	return docs, append(states, docs[0].Heads())
}

func TestCompareSaysWho(t *testing.T) {
	a, obj := newText(t, "hello 😀 world", Options{})
	stays := must(a.SplitBlock(obj, 0, map[string]any{"t": Str("p")}))
	a.Commit(CommitOptions{})
	first := a.Heads()
	b, c := must(a.Fork("\xbb")), must(a.Fork("\xcc"))
	do(t, b.SpliceText(obj, 3, 3, "XY"), b.Put(stays, Key("t"), Str("q"))) // he[llo]
	b.Commit(CommitOptions{})
	do(t, c.SpliceText(obj, 5, 5, "")) // hell[o 😀 w]orld
	block := must(c.SplitBlock(obj, 5, nil))
	c.Commit(CommitOptions{})
	do(t, a.Merge(b), a.Merge(c))
	do(t, a.Mark(obj, 0, 3, "b", Bool(true), ExpandNone))
	a.Commit(CommitOptions{})
	say := func(from, to []Hash) (out []string) {
		for _, p := range must(a.Compare(obj, from, to)) {
			text := p.Text
			if p.Block != Root {
				text = map[ObjID]string{stays: "¶", block: "§"}[p.Block]
				if p.Changed {
					text += "!"
				}
			}
			out = append(out, fmt.Sprintf("%s %s%x %d", text, []string{"=", "+", "-"}[p.Fate], string(p.By), len(p.Marks)))
		}
		return out
	}
	last := a.Heads()
	for name, tt := range map[string]struct {
		from, to []Hash
		want     []string
	}{
		"all":    {first, last, []string{"¶! =bb 0", "he = 1", "XY +bb 0", "ll -bb 0", "§ +cc 0", "o 😀 w -cc 0", "orld = 0"}},
		"of one": {first, b.Heads(), []string{"¶! =bb 0", "he = 0", "XY +bb 0", "llo -bb 0", " 😀 world = 0"}},
		"back":   {last, first, []string{"¶! = 0", "he = 0", "XY - 0", "ll + 0", "§ - 0", "o 😀 w + 0", "orld = 0"}},
		"none":   {last, last, []string{"¶ = 0", "he = 1", "XY = 0", "§ = 0", "orld = 0"}},
		"start":  {nil, first, []string{"¶ +aa 0", "hello 😀 world +aa 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := say(tt.from, tt.to); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
	if _, err := a.Compare(Root, first, last); err == nil {
		t.Error("the root is taken for a text")
	}
	if _, err := a.Compare(obj, []Hash{{1}}, last); err == nil {
		t.Error("unknown heads are taken")
	}
}
