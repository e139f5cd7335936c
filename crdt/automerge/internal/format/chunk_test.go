package format

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"testing"

	"inselnetz/crdt/automerge/internal/opid"
)

// read reads everything a chunk says, and checks that what was taken can be
// written again.
func read(t testing.TB, c Chunk) error {
	switch c.Type {
	case ChangeChunk:
		ch, err := ParseChange(c.Body, nil)
		if err != nil {
			return err
		}
		var k Checker
		return k.Canonical(ch)
	case BundleChunk:
		b, err := ParseBundle(c.Body, nil)
		if err != nil {
			return err
		}
		bodies, err := b.Bodies()
		for _, body := range bodies {
			if ch, err := ParseChange(body, nil); err == nil {
				var k Checker
				if err := k.Canonical(ch); err != nil {
					return err // such as a predecessor that is not older
				}
			}
		}
		return err
	}
	d, err := ParseDocument(c.Body, nil)
	if err != nil {
		return err
	}
	if d.NumOps > 1<<16 || d.NumChanges > 1<<16 {
		return errors.New("too long for this test")
	}
	body, err := rewrite(d)
	if err != nil {
		return err
	}
	again, err := ParseDocument(body, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []spec{
		specObjActor, specObjCtr, specKeyActor, specKeyCtr, specKeyText, specIDActor, specIDCtr, specInsert, specAction,
		specValueMeta, specValue, specSuccNum, specSuccActor, specSuccCtr, specExpand, specMark,
	} {
		if !bytes.Equal(d.ops.get(s), again.ops.get(s)) {
			t.Fatalf("column %d is %x, then %x", s, d.ops.get(s), again.ops.get(s))
		}
	}
	typedLikeRows(t, d)
	return nil
}

// typedLikeRows checks that rows taken by the run are those taken one by one.
func typedLikeRows(t testing.TB, d *Document) {
	var one, run OpReader
	d.Ops(&one)
	d.Ops(&run)
	var a, b Op
	for run.Next(&b) {
		if !one.Next(&a) || !sameOp(&a, &b) {
			t.Fatalf("%+v, but %+v by the run", a, b)
		}
		for {
			typed, ok := run.Typed()
			if !ok {
				break
			}
			size := len(typed.Text) / typed.N
			for i := range typed.N {
				b = Op{
					ID: typed.ID.Add(i), Obj: a.Obj, Elem: typed.Ref.Add(i), Insert: true, Action: Set,
					Value: Value{Str, typed.Text[i*size : (i+1)*size]},
				}
				if !typed.Del.None() {
					b.Refs = []opid.ID{typed.Del.Add(i * typed.Step)}
				}
				if !one.Next(&a) || !sameOp(&a, &b) {
					t.Fatalf("%+v, but %+v by the run", a, b)
				}
			}
		}
	}
	if one.Next(&a) || one.Err() != nil || run.Err() != nil {
		t.Fatal("not all rows by the run", one.Err(), run.Err())
	}
}

func sameOp(a, b *Op) bool {
	return a.ID == b.ID && a.Obj == b.Obj && a.Map == b.Map && bytes.Equal(a.Key, b.Key) && a.Elem == b.Elem && a.Insert == b.Insert &&
		a.Action == b.Action && a.Value.Type == b.Value.Type && bytes.Equal(a.Value.Raw, b.Value.Raw) && a.Expand == b.Expand &&
		bytes.Equal(a.Mark, b.Mark) && slices.Equal(a.Refs, b.Refs)
}

func TestTyped(t *testing.T) {
	d, err := ParseDocument(someDocument(20_000), nil)
	if err != nil {
		t.Fatal(err)
	}
	typedLikeRows(t, d)
	body, err := rewrite(d)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseDocument(body, nil)
	if err != nil {
		t.Fatal(err)
	}
	sameColumns(t, d, again)
}

// TestTypedOtherwise: runs of longer characters, and of those deleted forwards.
func TestTypedOtherwise(t *testing.T) {
	var w DocumentWriter
	w.Reset([]uint32{0})
	obj := opid.ID{Ctr: 1}
	w.Add(&Op{ID: obj, Map: true, Key: []byte("t"), Action: MakeText})
	w.Chars(obj, opid.ID{Ctr: 2}, opid.ID{}, []byte("äöüßÄÖ"), 6, opid.ID{}, 0)
	w.Chars(obj, opid.ID{Ctr: 8}, opid.ID{Ctr: 7}, []byte("abc€€€€😀x"), 9, opid.ID{Ctr: 20}, 1)
	w.Chars(obj, opid.ID{Ctr: 17}, opid.ID{Ctr: 16}, []byte("€"), 1, opid.ID{}, 1)
	w.Chars(obj, opid.ID{Ctr: 40}, opid.ID{Ctr: 1}, []byte("abcdef"), 6, opid.ID{Ctr: 57}, -1)
	w.Change(&ChangeRow{Seq: 1, MaxOp: 57})
	d, err := ParseDocument(w.AppendBody(nil, [][]byte{{1}}, nil, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	typedLikeRows(t, d)
	var r OpReader
	d.Ops(&r)
	runs := 0
	for op := (Op{}); r.Next(&op); {
		for {
			if _, ok := r.Typed(); !ok {
				break
			}
			runs++
		}
	}
	if runs < 3 {
		t.Errorf("%d runs were taken", runs)
	}
}

// wellFormed are those of the crafted inputs in hostile.json that nothing is wrong
// with as bytes: they are harmless, or for the engine to refuse.
var wellFormed = []string{
	"identity", "change col count-1 run", // the reference does not check columns of changes either
	"head index wrong", "no head index", // indexes are not used
	"wrong head", "keys swapped (unsorted rows)", "ids swapped", "max_op too big", "max_op too small", // not to be seen in a row
	"no extra meta col", "no time col", // old writers left them out
	"short col deflated", "deflate + trailing bytes", // of no consequence
	"makeTable", "make with value", "mark in map", "insert in map",
}

func TestHostile(t *testing.T) {
	var hs []struct{ Name, Hex string }
	readJSON(t, "../../testdata/hostile.json", &hs)
	for _, h := range hs {
		c, err := ReadChunk(unhex(t, h.Hex), nil)
		if err != nil {
			t.Errorf("%s: %v", h.Name, err)
			continue
		}
		err = read(t, c)
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", h.Name, err)
		}
		if want := slices.Contains(wellFormed, h.Name); (err == nil) != want {
			t.Errorf("%s: %v, want it read: %v", h.Name, err, want)
		}
	}
}

func TestChunk(t *testing.T) {
	body := bytes.Repeat([]byte("body"), 200)
	for _, typ := range []byte{DocumentChunk, ChangeChunk, BundleChunk} {
		b := AppendChunk([]byte("x"), typ, body)[1:]
		c, err := ReadChunk(append(b, "more"...), nil)
		if err != nil || c.Type != typ || !bytes.Equal(c.Body, body) || c.Size != len(b) || c.Hash != HashOf(typ, body) {
			t.Errorf("type %d: %+v, %v", typ, c, err)
		}
		for i := range len(b) { // cut anywhere, or with one bit wrong
			if _, err := ReadChunk(b[:i], nil); !errors.Is(err, ErrMalformed) {
				t.Fatalf("type %d cut at %d: %v", typ, i, err)
			}
			bad := bytes.Clone(b)
			bad[i] ^= 1
			if _, err := ReadChunk(bad, nil); err == nil {
				t.Fatalf("type %d wrong at %d", typ, i)
			}
		}
	}
	b := AppendCompressed(nil, body)
	c, err := ReadChunk(b, nil)
	if err != nil || c.Type != ChangeChunk || !bytes.Equal(c.Body, body) || c.Hash != HashOf(ChangeChunk, body) || len(b) > 100 {
		t.Errorf("compressed to %d bytes: %+v, %v", len(b), c, err)
	}
	if _, err := ReadChunk(b, &Limits{Inflated: len(body) - 1}); !errors.Is(err, ErrLimit) {
		t.Errorf("compressed, beyond the limit: %v", err)
	}
	if _, err := ReadChunk(b, &Limits{Inflated: len(body)}); err != nil {
		t.Errorf("compressed, just within the limit: %v", err)
	}
	if n := testing.AllocsPerRun(10, func() { HashOf(ChangeChunk, body[:400]) }); n > 0 {
		t.Errorf("a hash takes %v allocations", n)
	}
}

// TestBombs: a few bytes that claim to be very many are refused before memory
// is taken for them.
func TestBombs(t *testing.T) {
	var d deflater
	zeros := d.deflate(make([]byte, 200<<20))
	huge := appendS(nil, 1<<60)
	for name, b := range map[string][]byte{
		"compressed change": appendChunk(nil, Hash{}, CompressedChunk, zeros),
		"deflated column": AppendChunk(nil, DocumentChunk, append(appendU(
			[]byte{0, 0, 0, 1, byte(specAction | deflated)}, uint64(len(zeros))), zeros...)),
		"operations": AppendChunk(nil, DocumentChunk, append([]byte{0, 0, 0, 1, byte(specAction), byte(len(huge) + 1)}, append(huge, 1)...)),
		"changes":    AppendChunk(nil, DocumentChunk, append([]byte{0, 0, 1, byte(specActor), byte(len(huge) + 1), 0}, append(huge, 0)...)),
		"actors":     AppendChunk(nil, DocumentChunk, append(appendU(nil, 1<<40), 1, 1)),
		"heads":      AppendChunk(nil, DocumentChunk, append([]byte{0}, appendU(nil, 1<<59)...)),
		"columns":    AppendChunk(nil, DocumentChunk, append([]byte{0, 0}, appendU(nil, 1<<63)...)),
		"bundle":     AppendChunk(nil, BundleChunk, append([]byte{0, 0, 0, 1, byte(specAction), byte(len(huge) + 1)}, append(huge, 1)...)),
		"an actor":   AppendChunk(nil, DocumentChunk, append(appendU([]byte{1}, 200), make([]byte, 300)...)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c, err := ReadChunk(b, nil)
		if err == nil {
			err = read(t, c)
		}
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrLimit) && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		if used, most := after.TotalAlloc-before.TotalAlloc, uint64(64<<20+100*len(b)); used > most {
			t.Errorf("%s: %d bytes taken for %d", name, used, len(b))
		}
	}
}

func TestLimits(t *testing.T) {
	doc := someDocument(2000)
	for name, lim := range map[string]Limits{"operations": {Ops: 10}, "inflated": {Inflated: 300}, "actor": {Actor: 3}, "successors": {Refs: 5}, "key": {Key: 3}} {
		d, err := ParseDocument(doc, &lim)
		if err == nil {
			_, err = rewrite(d)
		}
		if !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var huge *Limits
	if l := huge.For(1 << 30); l.Ops <= 0 || l.Inflated <= 0 {
		t.Errorf("limits of a gigabyte: %+v", l)
	}
}

func seeds(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(unhex(f, v.Hex))
	}
	var hs []struct{ Hex string }
	readJSON(f, "../../testdata/hostile.json", &hs)
	for _, h := range hs {
		f.Add(unhex(f, h.Hex))
	}
	f.Add(AppendChunk(nil, DocumentChunk, someDocument(300)))
}

// FuzzChunk: no chunk makes the reader panic, hang or take much memory, and a
// document that is taken has the columns it would be written with. The checksum
// is mended, or nothing would come through.
func FuzzChunk(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 9 {
			r := reader{b: b[9:]}
			if body := r.take(r.uint("length"), "body"); r.err == nil {
				b = appendChunk(nil, HashOf(b[8], body), b[8], body)
			}
		}
		c, err := ReadChunk(b, nil)
		if err == nil {
			_ = read(t, c)
		}
	})
}

// FuzzChange: a change that is taken is parsed again to the same.
func FuzzChange(f *testing.F) {
	for _, v := range vectors(f) {
		if c, err := ReadChunk(unhex(f, v.Hex), nil); err == nil && c.Type == ChangeChunk {
			f.Add(c.Body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := ParseChange(body, nil)
		if err != nil || c.NumOps > 1<<16 {
			return
		}
		var k Checker
		err = k.Canonical(c)
		if err == nil && !bytes.Equal(k.body, body) {
			t.Fatalf("%x is written as %x", body, k.body)
		}
		var r OpReader
		c.Ops(&r)
		n := 0
		for op := (Op{}); r.Next(&op); n++ {
		}
		if n < c.NumOps && r.Err() == nil || err == nil && r.Err() != nil {
			t.Fatalf("%d of %d operations: %v", n, c.NumOps, r.Err())
		}
	})
}
