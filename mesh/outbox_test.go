package mesh

import (
	"runtime"
	"testing"
)

// TestOutboxBounded: a peer that reads nothing and has us answer with the smallest
// frames there are costs no more memory than one that is sent large ones.
func TestOutboxBounded(t *testing.T) {
	for _, size := range []int{1, 3, 100, 10_000} {
		heap := func() int64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		o := newOutbox()
		before := heap()
		n := 0
		for o.put(make([]byte, size)) {
			n++
		}
		if grown := heap() - before; grown > 2*maxUrgentQueue {
			t.Errorf("%d frames of %d bytes take %d KiB", n, size, grown>>10)
		}
		for range n {
			o.next()
		}
		if o.bytes != 0 {
			t.Errorf("%d bytes wait in an empty outbox", o.bytes)
		}
	}
}
