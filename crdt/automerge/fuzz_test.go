package automerge

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"reflect"
	"runtime/metrics"
	"slices"
	"testing"

	"inselnetz/crdt/automerge/internal/format"
)

// allocated is how many bytes were ever allocated.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// mostMemory is what the reading of so many bytes may allocate, all together.
func mostMemory(input int) uint64 { return 64<<20 + 100*uint64(input) }

// spend fails if more memory was allocated since before than input allows.
func spend(t testing.TB, before uint64, input int) {
	t.Helper()
	if got := allocated() - before; got > mostMemory(input) {
		t.Errorf("%d MB allocated for %d bytes", got>>20, input)
	}
}

// rawChunks is the type that says: no chunk is made around these bytes.
const rawChunks = 4

// chunked puts a body that the fuzzer made into a chunk, so that it need not guess
// checksums.
func chunked(typ byte, body []byte) []byte {
	switch typ % 5 {
	case rawChunks:
		return body
	case format.CompressedChunk:
		return format.AppendCompressed(nil, body)
	}
	return format.AppendChunk(nil, typ%5, body)
}

// chunkSeeds adds every chunk of the vectors and hostile inputs, as body and as it is.
func chunkSeeds(f *testing.F) {
	var hostile []struct{ Hex string }
	readJSON(f, "testdata/hostile.json", &hostile)
	var all [][]byte
	for _, h := range hostile {
		b, err := hex.DecodeString(h.Hex)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, b)
	}
	for _, v := range vectors(f) {
		all = append(all, v.bytes(f))
	}
	d := rich(f)
	all = append(all, d.Save())
	for _, c := range must(d.Changes(nil)) {
		all = append(all, c.Bytes())
	}
	for _, b := range all {
		f.Add(byte(rawChunks), b)
		if c, err := format.ReadChunk(b, nil); err == nil {
			f.Add(c.Type, c.Body)
		}
	}
}

// rich is a small document of two actors with everything in it.
func rich(t testing.TB) *Doc {
	t.Helper()
	d := New(Options{Actor: "\x01"})
	text := must(d.PutObject(Root, Key("text"), KindText))
	list := must(d.PutObject(Root, Key("list"), KindList))
	inner := must(d.InsertObject(list, 0, KindMap))
	for _, err := range []error{
		d.SpliceText(text, 0, 0, "Hällo 😀 world"),
		d.Mark(text, 1, 5, "bold", Bool(true), ExpandAfter),
		d.Insert(list, 1, Int(-5)),
		d.Insert(list, 2, Counter(3)),
		d.Put(inner, Key("x"), Float(math.Pi)),
		d.Put(Root, Key("n"), Counter(1)),
		d.Put(Root, Key("b"), Bytes([]byte{1, 2})),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	d.Commit(CommitOptions{Message: "one", Time: 1})
	e := must(d.Fork("\x02"))
	for i, x := range []*Doc{d, e} {
		for _, err := range []error{
			x.SpliceText(text, 3+i, 2, fmt.Sprint("<", i, ">")),
			x.Increment(Root, Key("n"), int64(i)+1),
			x.Increment(list, Index(2), 2),
			x.Put(Root, Key("k"), Int(int64(i))),
			x.Put(list, Index(1), Str("set")),
			second(x.SplitBlock(text, 2, map[string]any{"type": "p"})),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		x.Commit(CommitOptions{})
		if err := x.Delete(text, Index(0)); err != nil {
			t.Fatal(err)
		}
		x.Commit(CommitOptions{})
	}
	if err := d.Merge(e); err != nil {
		t.Fatal(err)
	}
	d.Commit(CommitOptions{Empty: true, Time: 7})
	return d
}

// readAll reads all there is, now and at some past heads.
func readAll(t testing.TB, d *Doc) any {
	t.Helper()
	out, err := d.Materialize(Root)
	if err != nil {
		t.Fatal(err)
	}
	cs, err := d.Changes(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(cs); i += 1 + len(cs)/4 {
		r, err := d.At([]Hash{cs[i].Hash()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Materialize(Root); err != nil {
			t.Fatal(err)
		}
	}
	for n := range min(len(d.objects), 50) {
		if d.objects[n].kind == format.MakeText {
			id := d.outer(d.idOf(uint32(n)))
			if _, err := d.Marks(id); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Spans(id); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// lasts checks that a document which was taken in can be saved and loaded, which is
// what poisoned changes prevent.
func lasts(t testing.TB, d *Doc) {
	t.Helper()
	value := readAll(t, d)
	l, err := Load(d.Save(), Options{Actor: "\x77"})
	if err != nil {
		t.Fatalf("saved, it does not load: %v", err)
	}
	if !slices.Equal(l.Heads(), d.Heads()) || l.Held() != d.Held() {
		t.Fatal("loaded again, the heads are others")
	}
	if got := readAll(t, l); !alike(got, value) {
		t.Fatalf("loaded again: %v, was %v", got, value)
	}
	if err := l.Put(Root, Key("edit"), Int(1)); err != nil {
		return // counters may be used up
	}
	l.Commit(CommitOptions{})
	if err := d.Merge(l); err != nil {
		t.Fatal(err)
	}
}

// alike is DeepEqual, but a NaN equals itself.
func alike(a, b any) bool {
	return reflect.DeepEqual(a, b) || fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
}

func FuzzLoad(f *testing.F) {
	chunkSeeds(f)
	f.Fuzz(func(t *testing.T, typ byte, body []byte) {
		b := chunked(typ, body)
		before := allocated()
		d, err := Load(b, Options{})
		spend(t, before, len(b))
		if err == nil {
			lasts(t, d)
		}
		// Heads can hardly be guessed: take what the document says of them for
		// granted, work them out, and it is a document like any other.
		if d, err = Load(b, Options{Unverified: true}); err != nil {
			return
		}
		_ = readAll(t, d)
		if d.Verify() != nil {
			lasts(t, d)
		}
	})
}

func FuzzLoadIncremental(f *testing.F) {
	chunkSeeds(f)
	base := rich(f).Save()
	f.Fuzz(func(t *testing.T, typ byte, body []byte) {
		for _, start := range [][]byte{nil, base} {
			d, err := Load(start, Options{})
			if err != nil {
				t.Fatal(err)
			}
			had := d.Heads()
			b := chunked(typ, body)
			before := allocated()
			err = d.LoadIncremental(append(b[:len(b):len(b)], base...))
			spend(t, before, len(b)+len(base))
			if len(start) > 0 && err != nil && len(d.Heads()) > 0 && !d.Has(had[0]) {
				t.Fatal("what was there is gone")
			}
			lasts(t, d)
		}
	})
}

func FuzzApplyChange(f *testing.F) {
	base := rich(f)
	saved, had := base.Save(), base.Heads()
	after := must(base.Fork("\x03"))
	text, _, _ := after.Get(Root, Key("text"))
	list, _, _ := after.Get(Root, Key("list"))
	for i, edit := range []func() error{
		func() error { return after.SpliceText(text.Obj(), 2, 3, "new 😀") },
		func() error { return after.Mark(text.Obj(), 0, 4, "em", Str("x"), ExpandBoth) },
		func() error { return after.Unmark(text.Obj(), 1, 3, "bold", ExpandAfter) },
		func() error { return after.Delete(list.Obj(), Index(0)) },
		func() error { return after.Increment(list.Obj(), Index(1), -7) },
		func() error { return after.Put(Root, Key("k"), Timestamp(5)) },
		func() error { return after.Delete(Root, Key("n")) },
		func() error { return second(after.SplitBlock(text.Obj(), 1, nil)) },
		func() error { return after.Splice(list.Obj(), 0, 1, Int(1), Str("zwei"), Null()) },
	} {
		if err := edit(); err != nil {
			f.Fatal(i, err)
		}
		after.Commit(CommitOptions{Time: int64(i)})
	}
	chunkSeeds(f)
	for _, c := range must(after.Changes(had)) {
		f.Add(format.ChangeChunk, c.body)
		// The same without those before it, straight after the base.
		alone := append([]byte{}, c.body...)
		copy(alone[1:], had[0][:])
		f.Add(format.ChangeChunk, alone)
	}
	f.Fuzz(func(t *testing.T, typ byte, body []byte) {
		b := chunked(typ, body)
		before := allocated()
		c, err := ParseChange(b, nil)
		if err != nil {
			spend(t, before, len(b))
			return
		}
		d, err := Load(saved, Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = d.Apply(c)
		spend(t, before, len(b)+len(saved))
		if err != nil {
			if !bytes.Equal(d.Save(), saved) {
				t.Fatal("a refused change left a trace")
			}
			return
		}
		lasts(t, d)
	})
}

func FuzzSyncMessage(f *testing.F) {
	base := rich(f)
	saved := base.Save()
	a, b := &peer{base, map[*peer]*SyncState{}}, newPeer("\x05")
	b.set(f, "x", 1)
	for range 6 {
		for _, way := range [][2]*peer{{a, b}, {b, a}} {
			m := way[0].GenerateSync(way[0].state(way[1]))
			f.Add(m, byte(rawChunks), []byte{})
			if m != nil {
				_ = way[1].ReceiveSync(way[1].state(way[0]), m)
			}
		}
	}
	for _, c := range must(b.Changes(nil)) {
		f.Add(NewSyncState().Encode(), format.ChangeChunk, c.body)
	}
	f.Fuzz(func(t *testing.T, message []byte, typ byte, body []byte) {
		if s, err := DecodeSyncState(message); err == nil {
			if again, err := DecodeSyncState(s.Encode()); err != nil || !slices.Equal(again.shared, s.shared) {
				t.Fatal("a state does not survive its encoding")
			}
		}
		m, err := readSyncMessage(message)
		if err != nil {
			return
		}
		if len(body) > 0 {
			m.payload = append(m.payload, chunked(typ, body))
		}
		first := m.append(nil)
		if m, err = readSyncMessage(first); err != nil || !bytes.Equal(m.append(nil), first) {
			t.Fatalf("a message does not survive its encoding: %v", err)
		}
		d, err := Load(saved, Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := NewSyncState()
		before := allocated()
		for range 3 {
			_ = d.ReceiveSync(s, first)
			for n := 0; d.GenerateSync(s) != nil; n++ {
				if n > 3 {
					t.Fatal("speaks without end")
				}
			}
		}
		spend(t, before, 3*(len(first)+len(saved)))
		lasts(t, d)
	})
}
