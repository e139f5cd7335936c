package automerge

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"inselnetz/crdt/automerge/internal/format"
)

// busy is a document that three actors edited, now and then merging.
func busy(t testing.TB, r *rand.Rand, steps int) *Doc {
	docs := []*Doc{New(Options{Actor: "\x01"}), New(Options{Actor: "\x02\x01"}), New(Options{Actor: "\x02"})}
	text, _ := docs[0].PutObject(Root, Key("t"), KindText)
	list, _ := docs[0].PutObject(Root, Key("l"), KindList)
	docs[0].Commit(CommitOptions{Message: "begin"})
	for _, d := range docs[1:] {
		if err := d.Merge(docs[0]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range steps {
		d := docs[r.IntN(3)]
		for range 1 + r.IntN(4) {
			editAny(t, r, d, text, list)
		}
		d.Commit(CommitOptions{Time: int64(i), Empty: r.IntN(9) == 0, Message: []string{"", "", "hm"}[r.IntN(3)]})
		if r.IntN(3) == 0 {
			if err := d.Merge(docs[r.IntN(3)]); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, d := range docs[1:] {
		if err := docs[0].Merge(d); err != nil {
			t.Fatal(err)
		}
	}
	return docs[0]
}

// editAny does something to the text, the list or the root map.
func editAny(t testing.TB, r *rand.Rand, d *Doc, text, list ObjID) {
	n, _ := d.Len(text)
	m, _ := d.Len(list)
	p, q, key := r.IntN(n+1), r.IntN(m+1), Key(fmt.Sprint("k", r.IntN(4)))
	var err error
	switch r.IntN(10) {
	case 0, 1, 2:
		err = d.SpliceText(text, p, min(r.IntN(5), n-p), []string{"a", "hello", "ü", "😀ß", ""}[r.IntN(5)])
	case 3:
		err = d.Insert(list, q, Int(int64(q)))
	case 4:
		if q < m {
			err = d.Put(list, Index(q), Str("x"))
		}
	case 5:
		err = d.Put(Root, key, Counter(int64(q)))
	case 6:
		if v, ok, _ := d.Get(Root, key); ok && v.Kind() == KindCounter {
			err = d.Increment(Root, key, 2)
		}
	case 7:
		if q < m {
			err = d.Delete(list, Index(q))
		} else {
			err = d.Delete(Root, key)
		}
	case 8:
		if p < n {
			err = d.Mark(text, p, n, "bold", Bool(r.IntN(2) == 0), ExpandAfter)
		}
	case 9:
		if p < n {
			err = d.Put(text, Index(p), Str("long"))
		} else {
			_, err = d.SplitBlock(text, p, map[string]any{"type": "p"})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestBundle: a document at some heads takes a bundle of the rest and is the
// document again.
func TestBundle(t *testing.T) {
	for seed := range seeds(t, 60) {
		t.Logf("SEED=%d", seed)
		r := rand.New(rand.NewPCG(seed, 3))
		d := busy(t, r, 30)
		all, err := d.Changes(nil)
		if err != nil {
			t.Fatal(err)
		}
		from := []Hash{all[r.IntN(len(all))].Hash()}
		old, err := d.ForkAt(from, "\x07")
		if err != nil {
			t.Fatal(err)
		}
		rest, err := d.Changes(from)
		if err != nil {
			t.Fatal(err)
		}
		var hashes []Hash
		for _, c := range rest {
			hashes = append(hashes, c.Hash())
		}
		r.Shuffle(len(hashes), func(i, j int) { hashes[i], hashes[j] = hashes[j], hashes[i] })
		b, err := d.SaveBundle(hashes)
		if err != nil {
			t.Fatal(err)
		}
		if err := old.LoadIncremental(b); err != nil {
			t.Fatal(err)
		}
		same(t, d, old)
		cs, err := changesIn(b)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(cs, rest, func(a, b *Change) bool { return a.Hash() == b.Hash() }) {
			t.Fatal("other changes than those that were put in")
		}
	}
}

// changesIn are the changes of a bundle.
func changesIn(b []byte) ([]*Change, error) {
	in := New(Options{}).intake(len(b))
	_, err := in.chunk(b)
	return in.batch, err
}

func TestBundleRefused(t *testing.T) {
	d := busy(t, rand.New(rand.NewPCG(1, 3)), 10)
	if _, err := d.SaveBundle([]Hash{{1}}); !errors.Is(err, ErrHeads) {
		t.Error(err)
	}
	b, err := d.SaveBundle(d.Heads())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(b, Options{}); err == nil {
		t.Error("a bundle of the last change alone was loaded")
	}
	chunk, err := format.ReadChunk(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range chunk.Body { // any byte may be wrong
		for _, x := range []byte{1, 0x80, 0xff} {
			body := slices.Clone(chunk.Body)
			body[i] ^= x
			_, _ = changesIn(format.AppendChunk(nil, format.BundleChunk, body))
		}
	}
	if err := d.Put(Root, Key("x"), Int(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.SaveBundle(d.Heads()); !errors.Is(err, ErrPending) {
		t.Error(err)
	}
}
