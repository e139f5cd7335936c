package document

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"inselnetz/crdt/automerge"
)

// Whatever a text says, it says the new blocks afterwards; blocks that stay keep
// what somebody else writes in them at the same time.
func TestReplace(t *testing.T) {
	pool := []Block{
		{Kind: "paragraph", Spans: []Span{{Text: "eins 😀"}}}, {Kind: "heading", Level: 1, Spans: []Span{{Text: "zwei"}}},
		{Kind: "bullet", Spans: []Span{{Text: "drei", Marks: map[string]any{"strong": true}}, {Text: " vier"}}}, {Kind: "paragraph"},
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 9))
		pick := func() (out []Block) {
			for range 1 + r.IntN(5) {
				out = append(out, pool[r.IntN(len(pool))])
			}
			return out
		}
		d := automerge.New(automerge.Options{Unit: automerge.UTF16})
		if err := Create(d, Meta{Title: "x"}, pick(), nil); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			want := pick()
			if err := Replace(d, want, nil); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if got, err := Blocks(d.Reader); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d:\n%v\nwant\n%v, %v", seed, got, want, err)
			}
		}
	}
}
