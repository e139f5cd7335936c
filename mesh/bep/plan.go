package bep

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"time"

	"github.com/syncthing/syncthing/lib/protocol"
)

// An entry is what we say a path is.
type entry struct {
	file   File // as shown; of a Gone only path, kind, time and base
	was    Kind // of a Gone: what it was
	vector protocol.Vector
	stamp  uint64 // digest of vector
	seq    int64  // of the change it was announced with
	perms  uint16 // as a device last said; 0: none did

	// shared says that another device has exactly this. common is the last state
	// that was shared, if this one is not: what both began with, should both have
	// changed it.
	shared bool
	common *common
}

type common struct {
	base   string
	vector protocol.Vector
}

// settled notes that another device has what we have.
func (e *entry) settled() { e.shared, e.common = true, nil }

// leave notes that the entry is about to show something of ours.
func (e *entry) leave() {
	if e.shared {
		e.common = &common{base: e.file.Base, vector: e.vector.Copy()}
		e.shared = false
	}
}

// sameFile says whether two files are one for other devices.
func sameFile(a, b File) bool {
	return a.Kind == b.Kind && (a.Kind == Gone || a.Kind == Dir ||
		a.Size == b.Size && a.Sum == b.Sum && a.Target == b.Target && a.Time == b.Time && a.Exec == b.Exec)
}

// sameContent says whether a want has the content of a file; false if that cannot
// be known without reading it.
func sameContent(f File, w *want) bool {
	if f.Kind != w.kind {
		return false
	}
	switch f.Kind {
	case Link:
		return f.Target == w.target
	case Plain:
		return f.Size == w.size && (w.size == 0 || w.sum != [32]byte{} && w.sum == f.Sum)
	}
	return true
}

// sameMeta says whether time and executable bit agree; seconds are enough, since
// some file systems have no more.
func sameMeta(f File, w *want) bool {
	return f.Kind != Plain || f.Time/1e9 == w.time/1e9 && f.Exec == w.exec(f.Exec)
}

// A step is what becomes of a want.
type step uint8

const (
	stepNone     step = iota // ours is newer, or nobody needs it
	stepAdopt                // the same on both sides: take the version
	stepMerge                // the same on both sides, made by both: merge the versions
	stepKeep                 // ours wins: announce it above theirs
	stepTake                 // theirs replaces ours
	stepRevive               // theirs wins over our deletion, made without knowledge of it
	stepConflict             // both changed it: keep both
)

// decide says what becomes of a want, given what we have (nil: nothing ever).
func decide(e *entry, w *want) step {
	if e == nil {
		if w.kind == Gone {
			return stepNone
		}
		return stepTake
	}
	same := sameContent(e.file, w)
	switch w.vector.Compare(e.vector) {
	case protocol.Equal, protocol.Lesser:
		return stepNone
	case protocol.Greater:
		if same && sameMeta(e.file, w) {
			return stepAdopt
		}
		return stepTake
	}
	switch {
	case same && sameMeta(e.file, w):
		return stepMerge
	case w.kind == Gone:
		return stepKeep
	case e.file.Kind == Gone:
		return stepRevive
	case same && wins(e, w):
		return stepNone // they will take our time and merge
	case same:
		return stepRevive
	}
	return stepConflict
}

// wins is Syncthing's rule of who wins a conflict: both sides come to the same
// result.
func wins(e *entry, w *want) bool {
	if e.file.Time != w.time {
		return e.file.Time > w.time
	}
	return e.vector.Compare(w.vector) == protocol.ConcurrentGreater
}

// after returns the version for what is at a path after a step. took says that
// what is shown there is what the other device announced.
func after(s step, e *entry, w *want, took bool, own protocol.ShortID, now time.Time) protocol.Vector {
	var ours protocol.Vector
	won := false
	if e != nil {
		ours = e.vector
		won = s == stepConflict && wins(e, w)
	}
	merged := merge(ours, w.vector)
	switch {
	case s == stepTake && took, s == stepAdopt:
		return w.vector.Copy()
	case took && !won, s == stepMerge:
		return merged
	}
	return raise(merged, own, now)
}

// merge returns a version that is above both, without sharing memory with them.
func merge(a, b protocol.Vector) protocol.Vector { return a.Copy().Merge(b.Copy()) }

// raise returns v with one more change by a device. Counters follow the clock, as
// Syncthing's do: so a version stays above those that were forgotten.
func raise(v protocol.Vector, by protocol.ShortID, now time.Time) protocol.Vector {
	n := max(v.Counter(by)+1, uint64(max(0, now.Unix())))
	if n > math.MaxInt64 {
		n = math.MaxInt64
	}
	return merge(v, protocol.Vector{Counters: []protocol.Counter{{ID: by, Value: n}}})
}

var vectorSeed = maphash.MakeSeed()

// digest stands for a version in memory.
func digest(v protocol.Vector) uint64 {
	var h maphash.Hash
	h.SetSeed(vectorSeed)
	var b [16]byte
	for _, c := range v.Counters {
		binary.BigEndian.PutUint64(b[:], uint64(c.ID))
		binary.BigEndian.PutUint64(b[8:], c.Value)
		h.Write(b[:])
	}
	return h.Sum64()
}
