package automerge

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
)

// A stroke is one edit of a text: at pos, del characters out, ins in.
type stroke struct {
	pos, del int
	ins      string
}

// strokes is the public editing trace of the Automerge paper if INSELNETZ_TRACE
// names its file, else one of about that shape.
func strokes(t testing.TB) (out []stroke) {
	name := os.Getenv("INSELNETZ_TRACE")
	if name == "" {
		t.Log("INSELNETZ_TRACE is not set: a made-up trace")
		return madeUpStrokes()
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var in struct{ Txns []struct{ Patches [][3]any } }
	if err := json.NewDecoder(z).Decode(&in); err != nil {
		t.Fatal(err)
	}
	for _, x := range in.Txns {
		for _, p := range x.Patches {
			out = append(out, stroke{int(p[0].(float64)), int(p[1].(float64)), p[2].(string)})
		}
	}
	return out
}

func madeUpStrokes() (out []stroke) {
	r := rand.New(rand.NewPCG(1, 1))
	size := 0
	for len(out) < 259_778 {
		pos := r.IntN(size + 1)
		for n, back := r.IntN(300), 0; n > 0; n-- {
			if back == 0 && r.IntN(15) == 0 {
				back = r.IntN(11)
			}
			if pos > 0 && back > 0 {
				back, pos, size = back-1, pos-1, size-1
				out = append(out, stroke{pos, 1, ""})
			} else {
				out = append(out, stroke{pos, 0, string(rune('a' + r.IntN(26)))})
				pos, size = pos+1, size+1
			}
		}
	}
	return out
}

// typed is a text made by those edits, committed after each or at the end.
func typed(t testing.TB, ss []stroke, each bool) *Doc {
	d := New(Options{Actor: "\x01\x02\x03\x04"})
	text, err := d.PutObject(Root, Key("text"), KindText)
	if err != nil {
		t.Fatal(err)
	}
	if each {
		d.Commit(CommitOptions{})
	}
	for _, s := range ss {
		if err := d.SpliceText(text, s.pos, s.del, s.ins); err != nil {
			t.Fatal(err)
		}
		if each {
			d.Commit(CommitOptions{})
		}
	}
	d.Commit(CommitOptions{})
	return d
}

func heapNow() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkLoadTrace(b *testing.B) {
	ss := strokes(b)
	for _, c := range []struct {
		name             string
		each, unverified bool
	}{{"one change", false, false}, {"one change, unverified", false, true}, {"change each, unverified", true, true}, {"change each", true, false}} {
		saved := typed(b, ss, c.each).Save()
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			before := heapNow()
			var d *Doc
			for b.Loop() {
				var err error
				if d, err = Load(saved, Options{Unverified: c.unverified}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(heapNow()-before), "heap-B")
			b.ReportMetric(float64(len(saved)), "file-B")
			runtime.KeepAlive(d)
		})
	}
}

func BenchmarkSaveTrace(b *testing.B) {
	ss := strokes(b)
	for _, each := range []bool{false, true} {
		d := typed(b, ss, each)
		d.Heads()
		b.Run(map[bool]string{false: "one change", true: "change each"}[each], func(b *testing.B) {
			for b.Loop() {
				d.Save()
			}
		})
	}
}

func BenchmarkTyping(b *testing.B) {
	ss := strokes(b)
	for _, each := range []bool{false, true} {
		b.Run(map[bool]string{false: "one change", true: "change each"}[each], func(b *testing.B) {
			for b.Loop() {
				typed(b, ss, each).Heads()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(ss)), "ns/edit")
		})
	}
}

// BenchmarkLoadMany loads many small things.
func BenchmarkLoadMany(b *testing.B) {
	const n = 100_000
	for name, fill := range map[string]func(d *Doc, i int){
		"keys": func(d *Doc, i int) { d.Put(Root, Key(fmt.Sprint("key", i)), Int(int64(i))) },
		"maps": func(d *Doc, i int) {
			o, _ := d.PutObject(Root, Key(fmt.Sprint("key", i)), KindMap)
			d.Put(o, Key("x"), Int(1))
		},
		"texts": func(d *Doc, i int) {
			o, _ := d.PutObject(Root, Key(fmt.Sprint("key", i)), KindText)
			d.SpliceText(o, 0, 0, "hello")
		},
		"commits": func(d *Doc, i int) {
			d.Put(Root, Key("key"), Int(int64(i)))
			d.Commit(CommitOptions{})
		},
	} {
		d := New(Options{Actor: "\x01"})
		for i := range n {
			fill(d, i)
		}
		d.Commit(CommitOptions{})
		saved := d.Save()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := heapNow()
			var d *Doc
			for b.Loop() {
				var err error
				if d, err = Load(saved, Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(heapNow()-before)/n, "heap-B/thing")
			runtime.KeepAlive(d)
		})
	}
}
