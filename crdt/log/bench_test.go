package log

import (
	"crypto/rand"
	"testing"
)

func BenchmarkDecode(b *testing.B) {
	e, _ := New(seeded(1), Header{Log: LogID{1}, Seq: 2, Prev: Hash{1}, HLC: 1 << 56, Ctl: []Ref{{1}, {2}}, Deps: []Dep{{Log: LogID{2}, Seq: 1000}}, Key: &KeyID{1}, Kind: KindChat}, make([]byte, 160))
	raw := e.Bytes()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	e := chain(b, seeded(1), LogID{1}, 1)[0]
	dev := DeviceOf(seeded(1))
	for b.Loop() {
		if err := e.Verify(dev); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyRun(b *testing.B) {
	run := chain(b, seeded(1), LogID{1}, 1000)
	dev := DeviceOf(seeded(1))
	for b.Loop() {
		if _, err := VerifyRun(dev, LogID{1}, Height{}, run); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(run)), "ns/entry")
}

func BenchmarkSeal(b *testing.B) {
	h := Header{Log: LogID{1}, Seq: 1}
	for b.Loop() {
		if _, err := Seal(rand.Reader, Key{1}, WorkspaceID{}, &h, make([]byte, 120)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	h := Header{Log: LogID{1}, Seq: 1}
	sealed, _ := Seal(rand.Reader, Key{1}, WorkspaceID{}, &h, make([]byte, 120))
	for b.Loop() {
		if _, err := Open(Key{1}, WorkspaceID{}, &h, sealed); err != nil {
			b.Fatal(err)
		}
	}
}
