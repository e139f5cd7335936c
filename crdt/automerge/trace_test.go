package automerge

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// An edit replaces del code points at pos by ins.
type edit struct {
	pos, del int
	ins      string
}

// trace is the public editing trace of the Automerge paper, 259,778 edits of a
// text of 104,852 characters: the file that INSELNETZ_TRACE names, else the one
// beside the project, else one made up of the same shape.
func trace(tb testing.TB) ([]edit, string) {
	path := os.Getenv("INSELNETZ_TRACE")
	if path == "" {
		path = "../../../shared/data/automerge-paper.json.gz"
	}
	f, err := os.Open(path)
	if err != nil {
		tb.Logf("no trace at %s: one is made up", path)
		return madeUp()
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	var all struct {
		EndContent string
		Txns       []struct{ Patches [][]any }
	}
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		tb.Fatal(err)
	}
	var edits []edit
	for _, t := range all.Txns {
		for _, p := range t.Patches {
			edits = append(edits, edit{int(p[0].(float64)), int(p[1].(float64)), p[2].(string)})
		}
	}
	return edits, all.EndContent
}

// madeUp types, goes back and jumps about as people do.
func madeUp() ([]edit, string) {
	r := rand.New(rand.NewPCG(1, 2))
	var text []rune
	var edits []edit
	pos := 0
	for len(edits) < 259_778 {
		if r.IntN(60) == 0 {
			pos = r.IntN(len(text) + 1)
		}
		if pos > 0 && r.IntN(10) < 3 {
			pos--
			edits = append(edits, edit{pos, 1, ""})
			text = append(text[:pos], text[pos+1:]...)
			continue
		}
		c := rune('a' + r.IntN(26))
		edits = append(edits, edit{pos, 0, string(c)})
		text = append(text[:pos], append([]rune{c}, text[pos:]...)...)
		pos++
	}
	return edits, string(text)
}

// replay types the trace, with a change an edit or one change.
func replay(tb testing.TB, edits []edit, each bool) (*Doc, ObjID) {
	d := New(Options{Actor: "0123456789abcdef"})
	text, err := d.PutObject(Root, Key("text"), KindText)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range edits {
		if err := d.SpliceText(text, e.pos, e.del, e.ins); err != nil {
			tb.Fatal(err)
		}
		if each {
			d.Commit(CommitOptions{})
		}
	}
	d.Commit(CommitOptions{})
	return d, text
}

func TestTrace(t *testing.T) {
	edits, want := trace(t)
	for _, each := range []bool{false, true} {
		d, text := replay(t, edits, each)
		if got, _ := d.Text(text); got != want {
			t.Fatal("another text")
		}
		l, err := Load(d.Save(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := l.Text(text); got != want || fmt.Sprint(l.Heads()) != fmt.Sprint(d.Heads()) {
			t.Fatal("another text after loading")
		}
	}
}

func perEdit(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/edit")
}

func BenchmarkTraceOneChange(b *testing.B) {
	edits, _ := trace(b)
	for b.Loop() {
		replay(b, edits, false)
	}
	perEdit(b, len(edits))
}

func BenchmarkTraceOneChangeHash(b *testing.B) {
	edits, _ := trace(b)
	for b.Loop() {
		d, _ := replay(b, edits, false)
		d.Heads()
	}
	perEdit(b, len(edits))
}

func BenchmarkTraceChangeEach(b *testing.B) {
	edits, _ := trace(b)
	for b.Loop() {
		replay(b, edits, true)
	}
	perEdit(b, len(edits))
}

func BenchmarkTraceChangeEachHash(b *testing.B) {
	edits, _ := trace(b)
	for b.Loop() {
		d, _ := replay(b, edits, true)
		d.Heads()
	}
	perEdit(b, len(edits))
}

func BenchmarkText(b *testing.B) {
	edits, _ := trace(b)
	d, text := replay(b, edits, true)
	b.Run("now", func(b *testing.B) {
		for b.Loop() {
			d.Text(text)
		}
	})
	mid := d.graph.hash(d, uint32(len(d.graph.rows)/2))
	d.Heads()
	d.Has(Hash{})
	b.Run("half way", func(b *testing.B) {
		for b.Loop() {
			r, err := d.At([]Hash{mid})
			if err != nil {
				b.Fatal(err)
			}
			r.Text(text)
		}
	})
}

// BenchmarkMerge merges two branches of 100,000 edits each.
func BenchmarkMerge(b *testing.B) {
	for _, each := range []bool{false, true} {
		for _, kind := range []string{"typed", "random", "prepend"} {
			b.Run(fmt.Sprintf("%s/each=%v", kind, each), func(b *testing.B) {
				base := New(Options{Actor: "base"})
				text, _ := base.PutObject(Root, Key("text"), KindText)
				base.SpliceText(text, 0, 0, strings.Repeat("lorem ipsum ", 1000))
				base.Commit(CommitOptions{})
				branch := func(a ActorID) *Doc {
					d, err := base.Fork(a)
					if err != nil {
						b.Fatal(err)
					}
					r := rand.New(rand.NewPCG(uint64(a[0]), 1))
					pos, n := 0, 12_000
					for i := range 100_000 {
						switch {
						case kind == "prepend":
							pos = 0
						case kind == "random" || i%100 == 0:
							pos = r.IntN(n)
						}
						d.SpliceText(text, pos, 0, "x")
						pos, n = pos+1, n+1
						if each {
							d.Commit(CommitOptions{})
						}
					}
					d.Commit(CommitOptions{})
					return d
				}
				x, y := branch("x"), branch("y")
				x.Heads()
				y.Heads()
				file := x.Save()
				b.ResetTimer()
				for range b.N {
					b.StopTimer()
					to, err := Load(file, Options{})
					if err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					if err := to.Merge(y); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkWorst has what is quadratic in some engines.
func BenchmarkWorst(b *testing.B) {
	b.Run("one place typed over", func(b *testing.B) {
		for b.Loop() {
			d := New(Options{})
			text, _ := d.PutObject(Root, Key("t"), KindText)
			d.SpliceText(text, 0, 0, "ab")
			for range 200_000 {
				d.SpliceText(text, 1, 0, "x")
				d.SpliceText(text, 1, 1, "")
			}
			d.Commit(CommitOptions{})
		}
	})
	b.Run("one key set", func(b *testing.B) {
		for b.Loop() {
			d := New(Options{})
			for i := range 200_000 {
				d.Put(Root, Key("k"), Int(int64(i)))
			}
			d.Commit(CommitOptions{})
		}
	})
	b.Run("one element set", func(b *testing.B) {
		for b.Loop() {
			d := New(Options{})
			l, _ := d.PutObject(Root, Key("l"), KindList)
			d.Insert(l, 0, Int(1))
			for i := range 200_000 {
				d.Put(l, Index(0), Int(int64(i)))
			}
			d.Commit(CommitOptions{})
		}
	})
	b.Run("one counter", func(b *testing.B) {
		for b.Loop() {
			d := New(Options{})
			d.Put(Root, Key("k"), Counter(1))
			for range 200_000 {
				d.Increment(Root, Key("k"), 1)
			}
			d.Commit(CommitOptions{})
			if _, err := Load(d.Save(), Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkMaps loads a map of 100,000 small inserts.
func BenchmarkMaps(b *testing.B) {
	d := New(Options{})
	l, _ := d.PutObject(Root, Key("m"), KindMap)
	for i := range 100_000 {
		d.Put(l, Key(fmt.Sprintf("key-%d", i)), Int(int64(i)))
	}
	d.Commit(CommitOptions{})
	file := d.Save()
	for b.Loop() {
		if _, err := Load(file, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSmall opens 1,000 small documents.
func BenchmarkSmall(b *testing.B) {
	d := New(Options{})
	text, _ := d.PutObject(Root, Key("text"), KindText)
	for i := range 40 {
		d.SpliceText(text, utf8.RuneCountInString("sentence. ")*i, 0, "sentence. ")
		d.Commit(CommitOptions{})
	}
	file := d.Save()
	docs := make([]*Doc, 1000)
	for b.Loop() {
		for i := range docs {
			docs[i], _ = Load(file, Options{})
		}
	}
	var with, without runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&with)
	runtime.KeepAlive(docs)
	clear(docs)
	runtime.GC()
	runtime.ReadMemStats(&without)
	b.ReportMetric(float64(with.HeapAlloc-without.HeapAlloc)/1e6, "MB")
}
