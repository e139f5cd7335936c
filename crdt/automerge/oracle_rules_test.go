package automerge

import (
	"encoding/hex"
	"math"
	"slices"
	"testing"
)

// What random histories in oracle/ found, each as the smallest case. The hashes
// are those that the JavaScript release 3.5.0 gives the same edits.

func edited(t *testing.T, actor string, edit func(d *Doc) error) *Doc {
	t.Helper()
	d := New(Options{Actor: ActorID(actor)})
	then(t, d, edit)
	return d
}

func then(t *testing.T, d *Doc, edit func(d *Doc) error) {
	t.Helper()
	if err := edit(d); err != nil {
		t.Fatal(err)
	}
	if !d.Commit(CommitOptions{}) {
		t.Fatal("nothing to commit")
	}
}

func wantHead(t *testing.T, d *Doc, want string) {
	t.Helper()
	if h := d.Heads(); len(h) != 1 || hex.EncodeToString(h[0][:]) != want {
		t.Errorf("heads %x, want %s", h, want)
	}
}

func TestSpliceInsertsBeforeItDeletes(t *testing.T) {
	var text, list ObjID
	d := edited(t, "\xaa", func(d *Doc) (err error) {
		if text, err = d.PutObject(Root, Key("t"), KindText); err != nil {
			return err
		}
		return d.SpliceText(text, 0, 0, "abcdef")
	})
	then(t, d, func(d *Doc) error { return d.SpliceText(text, 2, 2, "XY") })
	wantHead(t, d, "20f793409f27cc44e57d08d2ddef8de343cb1ddf348b29312c7d62dfe8115389")
	then(t, d, func(d *Doc) (err error) {
		if list, err = d.PutObject(Root, Key("l"), KindList); err != nil {
			return err
		}
		return d.Splice(list, 0, 0, Int(1), Int(2), Int(3))
	})
	then(t, d, func(d *Doc) error { return d.Splice(list, 1, 1, Bool(true), Str("x")) })
	wantHead(t, d, "1ac33de9ce77c3246720792529f813444fc10030027c6dff58f25aa2aa725807")
}

func TestDepsNameTheOwnLastChange(t *testing.T) {
	put := func(n int64) func(*Doc) error {
		return func(d *Doc) error { return d.Put(Root, Key("k"), Int(n)) }
	}
	a := edited(t, "\xaa", put(1))
	b := New(Options{Actor: "\xbb"})
	if err := b.Merge(a); err != nil {
		t.Fatal(err)
	}
	then(t, b, put(2))
	if err := a.Merge(b); err != nil {
		t.Fatal(err)
	}
	then(t, a, put(3))
	wantHead(t, a, "1aac9a701bda5fcf4a2198acdd3f04f37a720cecb20b906c6bdb38ee0dfc9c53")
}

func TestIncrementReplacesWhatIsNoCounter(t *testing.T) {
	a := edited(t, "\xaa", func(d *Doc) error { return d.Put(Root, Key("k"), Counter(1)) })
	b := edited(t, "\xbb", func(d *Doc) error { return d.Put(Root, Key("k"), Str("s")) })
	if err := a.Merge(b); err != nil {
		t.Fatal(err)
	}
	then(t, a, func(d *Doc) error { return d.Increment(Root, Key("k"), 2) })
	wantHead(t, a, "17f0c57680f0e6e67014213503d49ef88ab17802d5db8703238d192e9f878878")
	if all, err := a.All(Root, Key("k")); err != nil || len(all) != 1 || all[0].Value != Counter(3) {
		t.Errorf("values %v, %v, want the counter alone", all, err)
	}
}

func TestMergeKeepsTheOrderOfTheReference(t *testing.T) {
	var docs []*Doc
	for _, actor := range []string{"\xaa", "\xbb", "\xcc"} {
		docs = append(docs, edited(t, actor, func(d *Doc) error { return d.Put(Root, Key(d.Actor().String()), Int(1)) }))
	}
	e := New(Options{Actor: "\xdd"})
	for _, m := range [][2]*Doc{{docs[1], docs[2]}, {docs[1], docs[0]}, {e, docs[1]}} {
		if err := m[0].Merge(m[1]); err != nil {
			t.Fatal(err)
		}
	}
	cs, err := e.Changes(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range cs {
		got = append(got, c.Actor().String())
	}
	if want := []string{"aa", "cc", "bb"}; !slices.Equal(got, want) {
		t.Errorf("changes of %v, want %v", got, want)
	}
}

func TestAnEditOfNothingIsNotPending(t *testing.T) {
	var text ObjID
	d := New(Options{Actor: "\xaa", Unit: UTF16})
	then(t, d, func(d *Doc) (err error) {
		if text, err = d.PutObject(Root, Key("t"), KindText); err != nil {
			return err
		}
		return d.SpliceText(text, 0, 0, "😀")
	})
	if err := d.SpliceText(text, 1, 1, ""); err != nil { // within the character
		t.Fatal(err)
	}
	other := edited(t, "\xbb", func(d *Doc) error { return d.Put(Root, Key("k"), Int(1)) })
	if err := d.Merge(other); err != nil {
		t.Fatal(err)
	}
	if n := d.Pending(); n != 0 {
		t.Errorf("%d operations pending after a merge", n)
	}
	if err := other.Merge(d); err != nil {
		t.Fatal(err)
	}
}

func TestPutOfAnEqualFloat(t *testing.T) {
	zero := math.Copysign(0, -1)
	for _, tt := range []struct {
		is, put float64
		pending int
	}{{zero, 0, 0}, {0, zero, 0}, {1, 1, 0}, {1, 2, 1}, {math.NaN(), math.NaN(), 1}} {
		d := edited(t, "\xaa", func(d *Doc) error { return d.Put(Root, Key("k"), Float(tt.is)) })
		if err := d.Put(Root, Key("k"), Float(tt.put)); err != nil {
			t.Fatal(err)
		}
		if n := d.Pending(); n != tt.pending {
			t.Errorf("%v over %v: %d operations, want %d", tt.put, tt.is, n, tt.pending)
		}
	}
}

func TestForkAtTheBeginning(t *testing.T) {
	d := edited(t, "\xaa", func(d *Doc) error { return d.Put(Root, Key("k"), Int(1)) })
	f, err := d.ForkAt(nil, "\xbb")
	if err != nil {
		t.Fatal(err)
	}
	if h := f.Heads(); len(h) != 0 || f.Actor() != "\xbb" {
		t.Errorf("heads %x of %s, want none", h, f.Actor())
	}
}
