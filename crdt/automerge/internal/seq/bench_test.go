package seq

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"math/rand"
	"os"
	"runtime"
	"testing"
)

type patch struct {
	pos, del int
	ins      string
}

// trace is the public editing trace of the Automerge paper if INSELNETZ_TRACE
// names its file, else one of about that shape.
func trace(t testing.TB) ([]patch, string) {
	name := os.Getenv("INSELNETZ_TRACE")
	if name == "" {
		t.Log("INSELNETZ_TRACE is not set: a made-up trace")
		return madeUp(), ""
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
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var in struct {
		EndContent string
		Txns       []struct{ Patches [][3]any }
	}
	if err := json.Unmarshal(b, &in); err != nil {
		t.Fatal(err)
	}
	var out []patch
	for _, x := range in.Txns {
		for _, p := range x.Patches {
			out = append(out, patch{int(p[0].(float64)), int(p[1].(float64)), p[2].(string)})
		}
	}
	return out, in.EndContent
}

// madeUp types in bursts here and there and takes a third of it back.
func madeUp() (out []patch) {
	r := rand.New(rand.NewSource(1))
	size := 0
	for len(out) < 259_778 {
		pos := r.Intn(size + 1)
		for n, back := r.Intn(300), 0; n > 0; n-- {
			if back == 0 && r.Intn(15) == 0 {
				back = r.Intn(11)
			}
			if pos > 0 && back > 0 {
				back--
				pos--
				size--
				out = append(out, patch{pos, 1, ""})
			} else {
				out = append(out, patch{pos, 0, string(rune('a' + r.Intn(26)))})
				pos++
				size++
			}
		}
	}
	return out
}

func replay(s *Store, q *Seq, ps []patch, u Unit) {
	ctr := uint32(1)
	for i := range ps {
		p := &ps[i]
		for d := p.del; d > 0; {
			r, _ := s.At(q, u, p.pos)
			n := min(d, r.N)
			s.Kill(r.Eid, n, ID{Ctr: ctr})
			ctr += uint32(n)
			d -= n
		}
		if p.ins == "" {
			continue
		}
		after := None
		if p.pos > 0 {
			r, _ := s.At(q, u, p.pos-1)
			after = r.Eid
		}
		n := 0
		for range p.ins {
			n++
		}
		s.InsertChars(q, ID{Ctr: ctr}, after, []byte(p.ins), n)
		ctr += uint32(n)
	}
}

// TestTrace plays the trace and looks at the heap it leaves.
func TestTrace(t *testing.T) {
	ps, want := trace(t)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s, q := New(), &Seq{}
	s.SetRanks([]uint32{0})
	replay(s, q, ps, Points)
	runtime.GC()
	runtime.ReadMemStats(&after)
	heap := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	spans, leaves := 0, 0
	for lf := s.heads[q.num].first; lf != 0; lf = s.leaf(lf).next {
		leaves++
		spans += len(s.leaf(lf).sp)
	}
	t.Logf("%d elements in %d spans in %d leaves, %d bytes", s.Elems(), spans, leaves, heap)
	if heap > 3<<20 {
		t.Errorf("%d bytes of heap", heap)
	}
	if got := string(s.AppendText(q, nil, nil)); want != "" && got != want {
		t.Error("another text than the trace ends with")
	}
	if err := s.check(q); err != nil {
		t.Error(err)
	}
	runtime.KeepAlive(ps)
}

func BenchmarkTrace(b *testing.B) {
	ps, _ := trace(b)
	for _, u := range []Unit{Points, Units} {
		b.Run([]string{"points", "units"}[u], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, q := New(), &Seq{}
				s.SetRanks([]uint32{0})
				replay(s, q, ps, u)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(ps)), "ns/edit")
		})
	}
}

// BenchmarkBuild fills a sequence with the elements of the trace.
func BenchmarkBuild(b *testing.B) {
	ps, _ := trace(b)
	s, q := New(), &Seq{}
	s.SetRanks([]uint32{0})
	replay(s, q, ps, Points)
	var rows []Run
	for r := range s.Runs(q) {
		rows = append(rows, r)
	}
	b.ReportAllocs()
	for b.Loop() {
		t, p := New(), &Seq{}
		t.SetRanks([]uint32{0})
		t.Grow(s.Elems(), len(s.text))
		f := t.Build(p)
		for _, r := range rows {
			for k := range r.N {
				id, ref, del := r.ID.Add(k), r.Ref, r.Del
				if k > 0 {
					ref = r.ID.Add(k - 1)
				}
				if r.Deleted {
					del = del.Add(k * r.Step)
				}
				f.Char(id, ref, r.Text[k:k+1], del)
			}
		}
		if err := f.Done(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.Elems()), "ns/row")
}

// BenchmarkText reads the text of the trace, now and of the past.
func BenchmarkText(b *testing.B) {
	ps, _ := trace(b)
	s, q := New(), &Seq{}
	s.SetRanks([]uint32{0})
	replay(s, q, ps, Points)
	var dst []byte
	b.Run("now", func(b *testing.B) {
		for b.Loop() {
			dst = s.AppendText(q, dst[:0], nil)
		}
	})
	b.Run("past", func(b *testing.B) {
		for b.Loop() {
			dst = s.AppendTextAt(q, []uint32{130_000}, dst[:0], nil)
		}
	})
}

// BenchmarkMerge applies what another did meanwhile, the cases that could be
// quadratic: at one place both, and each at a place of its own.
func BenchmarkMerge(b *testing.B) {
	const n = 100_000
	cases := map[string]func(s *Store, q *Seq, actor uint32){
		"prepend": func(s *Store, q *Seq, actor uint32) {
			for i := range uint32(n) {
				s.InsertChars(q, ID{Ctr: 2000 + i, Actor: actor}, None, []byte("x"), 1)
			}
		},
		"random": func(s *Store, q *Seq, actor uint32) {
			r := rand.New(rand.NewSource(int64(actor)))
			for i := range uint32(n) {
				s.InsertChars(q, ID{Ctr: 2000 + i, Actor: actor}, uint32(r.Intn(1000)), []byte("x"), 1)
			}
		},
		"one place": func(s *Store, q *Seq, actor uint32) {
			for i := range uint32(n) {
				s.InsertChars(q, ID{Ctr: 2000 + i, Actor: actor}, 500, []byte("x"), 1)
			}
		},
		"typing": func(s *Store, q *Seq, actor uint32) {
			after := uint32(500)
			for i := range uint32(n) {
				after = s.InsertChars(q, ID{Ctr: 2000 + i, Actor: actor}, after, []byte("x"), 1)
			}
		},
	}
	for name, f := range cases {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s, q := New(), &Seq{}
				s.SetRanks([]uint32{0, 1, 2})
				s.InsertChars(q, ID{Ctr: 1}, None, make([]byte, 1000), 1000)
				f(s, q, 1)
				f(s, q, 2)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(2*n), "ns/edit")
		})
	}
}

// TestSmall looks at what many short texts cost.
func TestSmall(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s, qs := New(), make([]Seq, 10_000)
	s.SetRanks([]uint32{0})
	ctr := uint32(1)
	for i := range qs {
		at := None
		for range 10 {
			at = s.InsertChars(&qs[i], ID{Ctr: ctr}, at, []byte("eight ch"), 8) + 7
			ctr += 8
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / int64(len(qs))
	t.Logf("%d bytes for a text of 80 characters", each)
	if each > 800 {
		t.Errorf("%d bytes for a text of 80 characters", each)
	}
	runtime.KeepAlive(qs)
	runtime.KeepAlive(s)
}
