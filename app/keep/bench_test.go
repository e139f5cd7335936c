package keep

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// BenchmarkKeep keeps 50,000 contents of 4 KiB and opens the store again, with
// its index and without.
func BenchmarkKeep(b *testing.B) {
	const n = 50000
	for b.Loop() {
		dir := b.TempDir()
		f, err := disk.Open(dir)
		must(b, err)
		heap := func() float64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return float64(m.HeapAlloc)
		}
		step := func(name string, each int, g func()) {
			begin := time.Now()
			g()
			b.ReportMetric(float64(time.Since(begin).Nanoseconds())/float64(each)/1000, name)
		}
		before := heap()
		s, err := Open(f, "keep", Options{})
		must(b, err)
		data := make([]byte, 4096)
		name := func(i int) tree.Sum {
			binary.BigEndian.PutUint64(data, uint64(i))
			return sha256.Sum256(data)
		}
		sums := make([]tree.Sum, n)
		for i := range sums {
			sums[i] = name(i)
		}
		step("put-µs", n, func() {
			for i, sum := range sums {
				binary.BigEndian.PutUint64(data, uint64(i))
				must(b, s.Put(sum, data))
			}
		})
		step("sync-ms", 1000, func() { must(b, s.Sync()) })
		step("read-µs", n, func() {
			for _, sum := range sums {
				if _, err := s.ReadAt(sum, data, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.ReportMetric((heap()-before-float64(len(sums)*32))/n, "B/content")
		step("close-ms", 1000, func() { must(b, s.Close()) })
		step("open-ms", 1000, func() {
			s, err = Open(f, "keep", Options{})
			must(b, err)
		})
		if s.Len() != n {
			b.Fatal(s.Len())
		}
		must(b, s.Close())
		must(b, os.Remove(dir+"/keep/index"))
		step("rebuild-ms", 1000, func() {
			s, err = Open(f, "keep", Options{})
			must(b, err)
		})
		if s.Len() != n {
			b.Fatal(s.Len())
		}
		for i := range 2000 {
			must(b, os.WriteFile(fmt.Sprintf("%s/f%d", dir, i), data, 0o600))
		}
		step("adopt-µs", 2000, func() {
			for i := range 2000 {
				must(b, s.Adopt(name(n+i), 4096, fmt.Sprint("f", i)))
			}
		})
		must(b, s.SyncAll())
		step("compact-ms", 1000, func() { must(b, s.Compact(b.Context())) })
		must(b, s.Close())
		must(b, f.Close())
	}
}
