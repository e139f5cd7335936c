package automerge

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// common is the length of the longest common subsequence, by its definition.
func common(a, b []rune) int {
	line := make([]int, len(b)+1)
	for _, c := range a {
		before := 0
		for j := range b {
			was := line[j+1]
			switch {
			case c == b[j]:
				line[j+1] = before + 1
			case line[j] > was:
				line[j+1] = line[j]
			}
			before = was
		}
	}
	return line[len(b)]
}

func randomText(r *rand.Rand, n int, letters string) string {
	of := []rune(letters)
	out := make([]rune, n)
	for i := range out {
		out[i] = of[r.IntN(len(of))]
	}
	return string(out)
}

func TestMatchIsMinimal(t *testing.T) {
	for seed := range seeds(t, 4000) {
		r := rand.New(rand.NewPCG(seed, 4))
		letters := "abcdefghijklmnop"[:1+r.IntN(16)]
		m := matcher{a: []rune(randomText(r, r.IntN(40), letters)), b: []rune(randomText(r, r.IntN(40), letters))}
		m.match()
		kept, last := 0, -1
		for i, j := range m.to {
			if j < 0 {
				continue
			}
			if j <= last || m.a[i] != m.b[j] {
				t.Fatalf("SEED=%d: match of %q and %q: %v", seed, string(m.a), string(m.b), m.to)
			}
			kept, last = kept+1, j
		}
		if want := common(m.a, m.b); kept != want {
			t.Fatalf("SEED=%d: %d of %q and %q in common, want %d", seed, kept, string(m.a), string(m.b), want)
		}
	}
}

func TestUpdateText(t *testing.T) {
	for seed := range seeds(t, 300) {
		r := rand.New(rand.NewPCG(seed, 5))
		o := Options{Actor: "\x01", Unit: []Unit{CodePoints, UTF16}[r.IntN(2)]}
		d, text := newText(t, "", o)
		for range 12 {
			if r.IntN(4) == 0 { // elements that are no plain characters
				n := must(d.Len(text))
				do(t, d.Insert(text, r.IntN(n+1), []Value{Str("xyz"), Str(""), Str("😀b"), Int(3)}[r.IntN(4)]))
			}
			old := []rune(must(d.Text(text)))
			from := r.IntN(len(old) + 1)
			to := from + r.IntN(len(old)-from+1)
			if r.IntN(2) == 0 {
				to = min(to, from+3)
			}
			want := string(old[:from]) + randomText(r, r.IntN(8), "abü😀e\u0301\uFFFC") + string(old[to:])
			do(t, d.UpdateText(text, want))
			if got := must(d.Text(text)); got != want {
				t.Fatalf("SEED=%d: %q, want %q", seed, got, want)
			}
			d.Commit(CommitOptions{})
			do(t, d.UpdateText(text, want))
			if d.Pending() > 0 {
				t.Fatalf("SEED=%d: %d edits for nothing", seed, d.Pending())
			}
		}
	}
}

func TestUpdateTextKeeps(t *testing.T) {
	d, text := newText(t, "The quick fox jumps", Options{Actor: "\x01"})
	do(t, d.Mark(text, 4, 9, "bold", Bool(true), ExpandNone))
	d.Commit(CommitOptions{})
	other := must(d.Fork("\x02"))
	do(t, other.SpliceText(text, 10, 3, "dog"))
	other.Commit(CommitOptions{})
	do(t, d.UpdateText(text, "A quick brown fox jumped"))
	if n := d.Pending(); n != 3+1+6+1+2 { // The-A, brown, s-ed
		t.Errorf("%d edits", n)
	}
	d.Commit(CommitOptions{})
	do(t, d.Merge(other))
	if got := must(d.Text(text)); got != "A quick brown dog jumped" {
		t.Errorf("%q", got)
	}
	if m := must(d.Marks(text)); len(m) != 1 || m[0].Start != 2 || m[0].End != 7 {
		t.Errorf("%+v", m)
	}
	do(t, d.UpdateText(text, "not \xff UTF-8"))
	if got := must(d.Text(text)); got != "not \uFFFD UTF-8" {
		t.Errorf("%q", got)
	}
	if err := d.UpdateText(Root, "x"); !errors.Is(err, ErrKind) {
		t.Error(err)
	}
	if err := d.UpdateText(ObjID{Ctr: 99, Actor: "\x01"}, "x"); !errors.Is(err, ErrNoObject) {
		t.Error(err)
	}
}

// Texts that have little in common take bounded time, and still come out right.
func TestUpdateTextFar(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 6))
	for name, tt := range map[string]struct{ a, b string }{
		"nothing in common":     {strings.Repeat("a", 300_000), strings.Repeat("b", 300_000)},
		"by chance":             {randomText(r, 300_000, "abcdefgh"), randomText(r, 300_000, "abcdefgh")},
		"a few letters":         {randomText(r, 300_000, "ab"), randomText(r, 200_000, "ab")},
		"turned round":          {strings.Repeat("ab", 100_000) + strings.Repeat("c", 100_000), strings.Repeat("c", 100_000) + strings.Repeat("ab", 100_000)},
		"one against very many": {"x", randomText(r, 1_000_000, "abcx")},
	} {
		m := matcher{a: []rune(tt.a), b: []rune(tt.b)}
		began := time.Now()
		m.match()
		if took := time.Since(began); took > time.Minute { // without the bound it would be hours
			t.Errorf("%s: took %v", name, took)
		}
		var out strings.Builder
		at := 0
		do(t, m.edits(func(pos, del int, ins string) error {
			for n := out.Len(); n < pos; n++ { // one byte per letter here
				out.WriteByte(tt.a[at])
				at++
			}
			at += del
			out.WriteString(ins)
			return nil
		}, false))
		out.WriteString(tt.a[at:])
		if out.String() != tt.b {
			t.Errorf("%s: wrong text", name)
		}
	}
}
