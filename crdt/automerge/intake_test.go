package automerge

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"inselnetz/crdt/automerge/internal/format"
)

// TestManyChunks: chunks that are each within the limits are not, many of them.
func TestManyChunks(t *testing.T) {
	d := busy(t, rand.New(rand.NewPCG(9, 9)), 40)
	saved := d.Save()
	all, err := d.Changes(nil)
	if err != nil {
		t.Fatal(err)
	}
	var hashes []Hash
	ops := 0
	for _, c := range all {
		hashes = append(hashes, c.Hash())
		ops += c.Len()
	}
	bundle, err := d.SaveBundle(hashes)
	if err != nil {
		t.Fatal(err)
	}
	long := func(n int) []byte { // a change of one long value, compressed
		x := New(Options{Actor: "\x05"})
		if err := x.Put(Root, Key("a"), Bytes(make([]byte, n))); err != nil {
			t.Fatal(err)
		}
		x.Commit(CommitOptions{})
		cs, err := x.Changes(nil)
		if err != nil {
			t.Fatal(err)
		}
		return format.AppendCompressed(nil, cs[0].body)
	}
	for name, tt := range map[string]struct {
		chunk  []byte
		limits Limits
	}{
		"documents": {saved, Limits{Changes: 2*len(all) + 1}},
		"bundles":   {bundle, Limits{Changes: 2*len(all) + 1}},
		"rows":      {saved, Limits{Ops: 2*ops + 1}},
		"values":    {long(1000), Limits{Inflated: 2500}},
	} {
		for n := 1; n <= 4; n++ {
			l := New(Options{Limits: tt.limits})
			err := l.LoadIncremental(slices.Repeat(tt.chunk, n))
			if n == 1 && err != nil || n == 4 && !errors.Is(err, format.ErrLimit) {
				t.Errorf("%d %s: %v", n, name, err)
			}
			if n == 4 && name != "values" {
				same(t, d, l) // what came before is there
			}
		}
	}
	if err := New(Options{}).LoadIncremental(slices.Repeat(long(1<<20), 40)); !errors.Is(err, format.ErrLimit) {
		t.Errorf("40 MB in few bytes: %v", err)
	}
}

// TestLargeBatch: more than what is applied at once, in parts and out of order.
func TestLargeBatch(t *testing.T) {
	d := New(Options{Actor: "\x01", Limits: Limits{Inflated: 64 << 20}})
	for i := range 20 {
		if err := d.Put(Root, Key(string(rune('a'+i))), Bytes(bytes.Repeat([]byte{byte(i)}, 1<<20))); err != nil {
			t.Fatal(err)
		}
		d.Commit(CommitOptions{})
	}
	cs, err := d.Changes(nil)
	if err != nil {
		t.Fatal(err)
	}
	rand.New(rand.NewPCG(3, 3)).Shuffle(len(cs), func(i, j int) { cs[i], cs[j] = cs[j], cs[i] })
	var b []byte
	for _, c := range cs {
		b = append(b, c.Bytes()...)
	}
	l := New(d.o)
	if err := l.LoadIncremental(b); err != nil {
		t.Fatal(err)
	}
	if fmtHeads(d) != fmtHeads(l) {
		t.Error("other heads")
	}
	// One of them is refused: the others stay, and the error says so.
	bad := append(cs[0].Bytes(), format.AppendChunk(nil, format.ChangeChunk, slices.Concat([]byte{0, 1, 9, 2, 1, 0, 0, 0, 0}))...)
	l = New(d.o)
	if err := l.LoadIncremental(append(bad, b...)); !errors.Is(err, ErrRefused) {
		t.Errorf("a change 2 without a change 1: %v", err)
	}
	if fmtHeads(d) != fmtHeads(l) {
		t.Error("other heads beside a change that is refused")
	}
}

func fmtHeads(d *Doc) string {
	s := ""
	for _, h := range d.Heads() {
		s += hashHex(h)
	}
	return s
}

func TestCompressed(t *testing.T) {
	d := New(Options{Actor: "\x01"})
	for _, n := range []int{1, 10_000} {
		if err := d.Put(Root, Key("a"), Bytes(make([]byte, n))); err != nil {
			t.Fatal(err)
		}
		d.Commit(CommitOptions{})
	}
	cs, err := d.Changes(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cs {
		b := c.Compressed()
		if short := bytes.Equal(b, c.Bytes()); short != (i == 0) || len(b) > 256 {
			t.Errorf("change %d: %d bytes of %d", i, len(b), len(c.Bytes()))
		}
		if again, err := ParseChange(b, nil); err != nil || again.Hash() != c.Hash() || !bytes.Equal(again.Bytes(), c.Bytes()) {
			t.Errorf("change %d is another: %v", i, err)
		}
	}
}
