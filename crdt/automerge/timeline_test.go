package automerge

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestTimeline(t *testing.T) {
	times := []int64{0, 1, -1, math.MaxInt32, math.MinInt32, math.MinInt32 + 1, math.MaxInt64, math.MinInt64, 1_790_000_000, 1_790_000_000_000}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		var l timeline
		var want []int64
		for range 20 {
			x := times[r.IntN(len(times))]
			want = append(want, x)
			l.add(x)
		}
		for i, x := range want {
			if got := l.at(uint32(i)); got != x {
				t.Fatalf("seed %d: %d is %d, not %d, first %d", seed, i, got, x, want[0])
			}
		}
	}
}
