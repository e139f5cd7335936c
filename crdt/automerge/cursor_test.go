package automerge

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

func TestVectorOfCursors(t *testing.T) {
	var want struct{ Cursors map[string]int }
	d := vector(t, "cursor_doc", Options{}, &want)
	obj := textOf(t, d)
	for _, r := range []Reader{d.Reader, must(d.At(d.Heads()))} {
		for s, pos := range want.Cursors {
			if got, err := r.Position(obj, must(ParseCursor(s))); err != nil || got != pos {
				t.Errorf("%s is at %d (%v), want %d", s, got, err, pos)
			}
		}
	}
}

// A cursor stays at its element, and goes where it should when that is deleted,
// in texts and lists, now and at heads.
func TestCursors(t *testing.T) {
	d, obj := newText(t, "ab😀de", Options{Unit: UTF16})
	at := func(pos int, m Move) Cursor { return must(d.Cursor(obj, pos, m)) }
	b, face, half, e := at(1, MoveBefore), at(2, MoveAfter), at(3, MoveBefore), at(5, MoveBefore)
	if end := at(6, MoveAfter); end != End {
		t.Error(end)
	}
	if face.id != half.id {
		t.Error("half of a character is another one")
	}
	d.Commit(CommitOptions{})
	before := d.Heads()
	is := func(r Reader, want ...int) {
		t.Helper()
		for i, c := range []Cursor{b, face, half, e, Start, End} {
			if got := must(r.Position(obj, c)); got != want[i] {
				t.Errorf("cursor %d (%s) is at %d, want %d", i, c, got, want[i])
			}
		}
	}
	is(d.Reader, 1, 2, 2, 5, 0, 6)
	do(t, d.SpliceText(obj, 0, 0, "😀"))
	is(d.Reader, 3, 4, 4, 7, 0, 8)
	do(t, d.SpliceText(obj, 3, 3, "")) // b and the face
	is(d.Reader, 2, 3, 2, 4, 0, 5)
	do(t, d.SpliceText(obj, 0, 5, ""))
	is(d.Reader, 0, 0, 0, 0, 0, 0)
	d.Commit(CommitOptions{})
	is(must(d.At(before)), 1, 2, 2, 5, 0, 6)
	if _, err := must(d.At(nil)).Position(obj, b); err == nil {
		t.Error("a cursor in a text that was not there yet")
	}

	list := must(d.PutObject(Root, Key("l"), KindList))
	do(t, d.Splice(list, 0, 0, Int(1), Int(2), Int(3)), d.Put(list, Index(1), Str("two")))
	c := must(d.Cursor(list, 1, MoveBefore))
	do(t, d.Put(list, Index(1), Str("zwei"))) // the cursor names what is replaced now
	if got := must(d.Position(list, c)); got != 1 {
		t.Error(got)
	}
	do(t, d.Delete(list, Index(1)))
	if got := must(d.Position(list, c)); got != 0 {
		t.Error(got)
	}
	for what, err := range map[string]error{
		"in another list": second(d.Position(obj, c)),
		"of nothing":      second(d.Position(obj, Cursor{kind: cursorAt, id: OpID{99, "\xaa"}})),
		"of a stranger":   second(d.Position(obj, Cursor{kind: cursorAt, id: OpID{1, "\xbb"}})),
		"of a map's key":  second(d.Position(obj, Cursor{kind: cursorAt, id: obj})),
	} {
		if !errors.Is(err, ErrCursor) {
			t.Errorf("a cursor %s: %v", what, err)
		}
	}
	for what, err := range map[string]error{
		"beyond the end":   second(d.Cursor(obj, 1, MoveAfter)),
		"before the start": second(d.Cursor(obj, -1, MoveAfter)),
		"in a map":         second(d.Cursor(Root, 0, MoveAfter)),
		"start of a map":   second(d.Position(Root, Start)),
		"end of a map":     second(d.Position(Root, End)),
	} {
		if err == nil {
			t.Errorf("%s: a cursor", what)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Whatever happens, a cursor is where its element is, and else where the notes say:
// compared with looking at every element.
func TestCursorsAtRandom(t *testing.T) {
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		d, obj := newText(t, "the first text", Options{})
		d.Commit(CommitOptions{})
		var cursors []Cursor
		var past [][]Hash
		for range 30 {
			n := must(d.Len(obj))
			p := rnd.IntN(n + 1)
			do(t, d.SpliceText(obj, p, min(rnd.IntN(4), n-p), "abc"[:rnd.IntN(4)]))
			if n := must(d.Len(obj)); n > 0 {
				cursors = append(cursors, must(d.Cursor(obj, rnd.IntN(n), Move(rnd.IntN(2)))))
			}
			if rnd.IntN(3) == 0 {
				d.Commit(CommitOptions{})
				past = append(past, d.Heads())
			}
		}
		d.Commit(CommitOptions{})
		readers := []Reader{d.Reader, must(d.At(past[rnd.IntN(len(past))])), must(d.At(d.Heads()))}
		for i, r := range readers {
			for _, c := range cursors {
				want, known := slowPosition(r, obj, c)
				if got, err := r.Position(obj, c); known != (err == nil) || got != want {
					t.Fatalf("seed %d, reader %d: %s is at %d (%v), want %d", seed, i, c, got, err, want)
				}
			}
		}
	}
}

func slowPosition(r Reader, obj ObjID, c Cursor) (pos int, known bool) {
	o := must(r.sequence(obj))
	type el struct {
		id, ref OpID
		shows   bool
	}
	var all []el
	index := map[OpID]int{}
	for e := range r.d.seqs.Runs(o.seq) {
		for k := range e.N {
			x := el{id: r.d.outer(e.ID.Add(k)), ref: r.d.outer(e.Ref), shows: r.sees(e.ID.Add(k))}
			if k > 0 {
				x.ref = r.d.outer(e.ID.Add(k - 1))
			}
			x.shows = x.shows && !(e.Deleted && r.sees(e.Del.Add(k*e.Step)))
			index[x.id] = len(all)
			all = append(all, x)
		}
	}
	if in, _ := r.d.inner(c.id); !r.sees(in) {
		return 0, false
	}
	i := index[c.id]
	for c.before && !all[i].shows {
		if all[i].ref == Root {
			return 0, true
		}
		i = index[all[i].ref]
	}
	for _, x := range all[:i] {
		if x.shows {
			pos++
		}
	}
	return pos, true
}

func FuzzCursor(f *testing.F) {
	for _, c := range []Cursor{Start, End, {kind: cursorAt, id: OpID{300, "\xaa\xbb"}}, {kind: cursorAt, before: true, id: OpID{1, "\x01"}}} {
		f.Add(must(c.MarshalBinary()))
	}
	f.Add([]byte{0, 1, 0xaa, 5})
	f.Fuzz(func(t *testing.T, b []byte) {
		var c Cursor
		if c.UnmarshalBinary(b) != nil {
			return
		}
		again := must(c.MarshalBinary())
		if b[0] == cursorVersion && !bytes.Equal(again, b) {
			t.Fatalf("%x becomes %x", b, again)
		}
		if p, err := ParseCursor(c.String()); err != nil || p != c {
			t.Fatalf("%s becomes %v (%v)", c, p, err)
		}
	})
}

func TestCursorForms(t *testing.T) {
	for s, want := range map[string]string{"s": "0101", "e": "0102", "300@aabb": "010302aabbac0202", "-1@01": "010301010101"} {
		c, err := ParseCursor(s)
		if err != nil || c.String() != s {
			t.Errorf("%s: %v", s, err)
		}
		if got := hexOf(must(c.MarshalBinary())); got != want {
			t.Errorf("%s is %s, want %s", s, got, want)
		}
	}
	var c Cursor
	if err := c.UnmarshalBinary([]byte{0, 1, 0xaa, 5}); err != nil || c.String() != "5@aa" {
		t.Error("the older form", c, err)
	}
	for _, s := range []string{"", "x", "_root", "-_root", "--1@aa", "-s", "1@", "0@aa", "99999999999@aa"} {
		if _, err := ParseCursor(s); !errors.Is(err, ErrCursor) {
			t.Errorf("%q is taken", s)
		}
	}
	for _, b := range []string{"", "\x01", "\x02\x01", "\x01\x04", "\x01\x01\x00", "\x01\x03\x00\x01\x01", "\x01\x03\x01\xaa\x00\x01", "\x01\x03\x01\xaa\x01\x03", "\x01\x03\x05\xaa", "\x00\x01\xaa\x05\x01"} {
		if err := c.UnmarshalBinary([]byte(b)); !errors.Is(err, ErrCursor) {
			t.Errorf("%x is taken", b)
		}
	}
}
