package tree

import (
	"fmt"
	"runtime"
	"testing"

	"inselnetz/crdt/log"
)

// import100000 returns the versions of a folder as one device imports it: paths
// of 30 bytes, 100 a directory.
func import100000() []Known {
	vs := make([]Known, 100_000)
	for i := range vs {
		vs[i] = Known{ID: id(1, uint64(1+i/500), uint32(i%500)), Author: Author{Device: log.DeviceID{1}, Clock: log.HLC(i) << 16}}
		vs[i].Path = fmt.Sprintf("Mandant %04d/Entwurf %04d.odt", i/100, i%100)
		vs[i].Kind, vs[i].Size, vs[i].Time, vs[i].Sum = File, 4096, int64(i), Sum{1, byte(i), byte(i >> 8), byte(i >> 16)}
	}
	return vs
}

func ops(vs []Known) []Op {
	out := make([]Op, len(vs))
	for i := range vs {
		out[i] = vs[i].Version
	}
	return out
}

func BenchmarkDecode100000(b *testing.B) {
	packs, err := Pack(ops(import100000()), 0)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, p := range packs {
			if _, err := Decode(p.Bytes); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(packs)), "entries")
}

func BenchmarkAdd100000(b *testing.B) {
	vs := import100000()
	for b.Loop() {
		New().Add(vs...)
	}
}

func BenchmarkAdd100000InBatches(b *testing.B) {
	vs := import100000()
	for b.Loop() {
		t := New()
		for i := 0; i < len(vs); i += 500 {
			t.Add(vs[i : i+500]...)
		}
	}
}

func BenchmarkAll100000(b *testing.B) {
	t := of(import100000()...)
	for b.Loop() {
		for range t.All("") {
		}
	}
}

// chain returns n versions of a file, each replacing the one before, by two
// devices in turn.
func chain(n int) []Known {
	vs := make([]Known, n)
	for i := range vs {
		vs[i] = at(byte(1+i%2), i+1, "Akten/oft.odt", byte(i%250+1))
		if i > 0 {
			vs[i].Parents = []VersionID{vs[i-1].ID}
		}
	}
	return vs
}

func BenchmarkChain10000(b *testing.B) {
	vs := chain(10_000)
	for b.Loop() {
		t := New()
		for _, v := range vs {
			t.Add(v)
		}
	}
}

func BenchmarkChain10000Backwards(b *testing.B) {
	vs := chain(10_000)
	for b.Loop() {
		t := New()
		for i := len(vs) - 500; i >= 0; i -= 500 {
			t.Add(vs[i : i+500]...)
		}
	}
}

func TestMemory(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	vs := import100000()
	packs, err := Pack(ops(vs), 0)
	if err != nil {
		t.Fatal(err)
	}
	vs = nil
	before := heap()
	tr := New()
	for seq, p := range packs {
		ops, err := Decode(p.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		var vs []Known
		for i, op := range ops {
			vs = append(vs, Known{ID: id(1, uint64(1+seq), uint32(i)), Author: Author{Clock: log.HLC(seq)}, Version: op.(Version)})
		}
		tr.Add(vs...)
	}
	per := (heap() - before) / 100_000
	runtime.KeepAlive(packs)
	t.Logf("%d bytes a file", per)
	if per > 450 {
		t.Errorf("%d bytes a file, at most 450", per)
	}
	runtime.KeepAlive(tr)
}
