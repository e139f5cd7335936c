package automerge

import "math"

// A timeline holds the times of changes in four bytes each: most lie within
// decades of the first in seconds, or within weeks in milliseconds.
type timeline struct {
	first int64
	near  []int32 // from first, or math.MinInt32
	far   map[int]int64
}

func (t *timeline) add(time int64) {
	if len(t.near) == 0 {
		t.first = time
	}
	off := time - t.first
	if overflow := (time >= 0) != (t.first >= 0) && (off >= 0) != (time >= 0); overflow || off <= math.MinInt32 || off > math.MaxInt32 {
		if t.far == nil {
			t.far = map[int]int64{}
		}
		t.far[len(t.near)] = time
		off = math.MinInt32
	}
	t.near = append(t.near, int32(off))
}

func (t *timeline) at(n uint32) int64 {
	if off := t.near[n]; off != math.MinInt32 {
		return t.first + int64(off)
	}
	return t.far[int(n)]
}
