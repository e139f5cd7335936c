package format

import (
	"math/rand/v2"
	"testing"

	"inselnetz/crdt/automerge/internal/opid"
)

// someDocument is a text of n characters as typing leaves it: short runs from
// here and there, some of them deleted again.
func someDocument(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	var w DocumentWriter
	w.Reset([]uint32{0})
	obj := opid.ID{Ctr: 1}
	w.Add(&Op{ID: obj, Map: true, Key: []byte("text"), Action: MakeText, Value: Value{Type: Null}})
	ctr := uint32(2)
	for ctr < uint32(n) {
		k := 1 + rng.IntN(20)
		text := make([]byte, k)
		for i := range text {
			text[i] = "etaoin shrdlu"[rng.IntN(13)]
		}
		ref := opid.ID{Ctr: uint32(rng.IntN(int(ctr)))}
		if ref.Ctr < 2 {
			ref = opid.ID{}
		}
		id := opid.ID{Ctr: ctr}
		ctr += uint32(k)
		var del opid.ID
		if rng.IntN(3) == 0 {
			del.Ctr = ctr + uint32(k) - 1
			ctr += uint32(k)
		}
		w.Chars(obj, id, ref, text, k, del, -1)
	}
	w.Change(&ChangeRow{Seq: 1, MaxOp: ctr - 1})
	return w.AppendBody(nil, [][]byte{{1, 2, 3, 4}}, make([]Hash, 1), []uint32{0})
}

func BenchmarkReadDocumentOps(b *testing.B) {
	d, err := ParseDocument(someDocument(260_000), nil)
	if err != nil {
		b.Fatal(err)
	}
	var r OpReader
	var op Op
	for b.Loop() {
		d.Ops(&r)
		for r.Next(&op) {
		}
		if r.Err() != nil {
			b.Fatal(r.Err())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(d.NumOps), "ns/row")
}

func BenchmarkParseDocument(b *testing.B) {
	body := someDocument(260_000)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := ParseDocument(body, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOneOpChange(b *testing.B) {
	var w ChangeWriter
	rank := []uint32{0, 1}
	actors := [][]byte{make([]byte, 16), {1, 2, 3, 15: 4}}
	h := Change{Deps: make([]Hash, 1), Seq: 1000, StartOp: 5000}
	w.Reset(0, rank)
	w.Chars(opid.ID{Ctr: 1}, opid.ID{Ctr: 4000}, opid.ID{Ctr: 5000}, []byte("a"), 1)
	buf := w.AppendBody(nil, &h, actors)
	b.Run("insert", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w.Reset(0, rank)
			w.Chars(opid.ID{Ctr: 1}, opid.ID{Ctr: 4000}, opid.ID{Ctr: 5000}, []byte("a"), 1)
			buf = w.AppendBody(buf[:0], &h, actors)
		}
	})
	b.Run("delete", func(b *testing.B) {
		for b.Loop() {
			w.Reset(0, rank)
			w.Deletes(opid.ID{Ctr: 1}, opid.ID{Ctr: 4000, Actor: 1}, 1, -1)
			buf = w.AppendBody(buf[:0], &h, actors)
		}
	})
	b.Run("hash", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			HashOf(ChangeChunk, buf)
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseChange(buf, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		c, err := ParseChange(buf, nil)
		if err != nil {
			b.Fatal(err)
		}
		var k Checker
		for b.Loop() {
			if err := k.Canonical(c); err != nil {
				b.Fatal(err)
			}
		}
	})
}
