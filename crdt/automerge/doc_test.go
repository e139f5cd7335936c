package automerge

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestFirstChange(t *testing.T) {
	d := New(Options{Actor: "\xaa"})
	if err := d.Put(Root, Key("a"), Int(1)); err != nil {
		t.Fatal(err)
	}
	d.Commit(CommitOptions{})
	if got := fmt.Sprintf("%x", d.Heads()[0]); got != "6085ab96a521f2ae779ee1002b053e5209c7a40dc62b8b10e0fb7bdb98b65e36" {
		t.Fatal(got)
	}
	l, err := Load(d.Save(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, d, l)
}

func TestOffices(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		docs := []*Doc{New(Options{Actor: "\x01"}), New(Options{Actor: "\x02"}), New(Options{Actor: "\x03"})}
		text, _ := docs[0].PutObject(Root, Key("t"), KindText)
		list, _ := docs[0].PutObject(Root, Key("l"), KindList)
		docs[0].Commit(CommitOptions{})
		for _, d := range docs[1:] {
			if err := d.Merge(docs[0]); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 60 {
			d := docs[r.IntN(3)]
			for range 1 + r.IntN(4) {
				must := func(err error) {
					if err != nil {
						t.Fatal(seed, i, err)
					}
				}
				switch r.IntN(7) {
				case 0, 1:
					n, _ := d.Len(text)
					p := r.IntN(n + 1)
					must(d.SpliceText(text, p, min(r.IntN(3), n-p), []string{"a", "hello", "ü", "😀", ""}[r.IntN(5)]))
				case 2:
					n, _ := d.Len(list)
					must(d.Insert(list, r.IntN(n+1), Int(int64(i))))
				case 3:
					if n, _ := d.Len(list); n > 0 {
						must(d.Put(list, Index(r.IntN(n)), Str("x")))
					}
				case 4:
					must(d.Put(Root, Key(fmt.Sprint("k", r.IntN(4))), Counter(int64(r.IntN(4)))))
				case 5:
					d.Increment(Root, Key(fmt.Sprint("k", r.IntN(4))), 2)
				case 6:
					if n, _ := d.Len(list); n > 0 && r.IntN(2) == 0 {
						must(d.Delete(list, Index(r.IntN(n))))
					} else {
						must(d.Delete(Root, Key(fmt.Sprint("k", r.IntN(4)))))
					}
				}
			}
			if r.IntN(10) == 0 {
				d.Rollback()
			}
			d.Commit(CommitOptions{Time: int64(i)})
			if r.IntN(3) == 0 {
				if err := d.Merge(docs[r.IntN(3)]); err != nil {
					t.Fatal(seed, i, err)
				}
			}
			if r.IntN(5) == 0 {
				l, err := Load(d.Save(), Options{})
				if err != nil {
					t.Fatal(seed, i, err)
				}
				same(t, d, l)
				d2, err := Load(d.Save(), d.o)
				if err != nil {
					t.Fatal(err)
				}
				*d = *d2
				d.Reader.d = d
			}
		}
		for range 2 {
			for _, d := range docs {
				for _, o := range docs {
					if err := d.Merge(o); err != nil {
						t.Fatal(seed, err)
					}
				}
			}
		}
		same(t, docs[0], docs[1])
		same(t, docs[0], docs[2])
		f, err := docs[0].Fork("\x09")
		if err != nil {
			t.Fatal(err)
		}
		same(t, docs[0], f)
	}
}

func same(t *testing.T, a, b *Doc) {
	t.Helper()
	x, _ := a.Materialize(Root)
	y, _ := b.Materialize(Root)
	if fmt.Sprint(x) != fmt.Sprint(y) {
		t.Fatalf("\n%v\n%v", x, y)
	}
	if fmt.Sprint(a.Heads()) != fmt.Sprint(b.Heads()) {
		t.Fatal("heads")
	}
	if a.maxOp != b.maxOp {
		t.Fatal(a.maxOp, b.maxOp)
	}
}

// A reader of a past state reads the same after a rollback, which numbers the
// actors anew.
func TestReaderOutlivesRollback(t *testing.T) {
	d := New(Options{Actor: "\x02"})
	text, _ := d.PutObject(Root, Key("t"), KindText)
	d.SpliceText(text, 0, 0, "one")
	d.Commit(CommitOptions{})
	before := d.Heads()
	if err := d.SetActor("\x01"); err != nil {
		t.Fatal(err)
	}
	d.SpliceText(text, 3, 0, " two")
	d.Commit(CommitOptions{})
	r, err := d.At(before)
	if err != nil {
		t.Fatal(err)
	}
	d.SpliceText(text, 0, 3, "three")
	if n := d.Rollback(); n != 8 {
		t.Fatal(n)
	}
	if got, _ := r.Text(text); got != "one" {
		t.Fatalf("%q", got)
	}
	if got, _ := d.Text(text); got != "one two" {
		t.Fatalf("%q", got)
	}
}
