package document

import (
	"bytes"
	"container/heap"
	"maps"
	"slices"
	"time"

	"inselnetz/crdt/automerge"
)

// pause is how long nothing may come from an actor within a session.
const pause = 5 * time.Minute

// A Session is what one actor did without a longer pause.
type Session struct {
	Actor    automerge.ActorID
	From, To time.Time        // of its first and last change; zero: not said
	Heads    []automerge.Hash // of the document after it and all sessions before, ascending
	Changes  int
	Ops      int // characters inserted and deleted, marks, blocks and so on
}

// History is the life of a document. What was done at the same time apart comes in
// the order of its times, so it is the same on all devices that hold the same.
func History(d *automerge.Doc) ([]Session, error) {
	changes, err := d.Changes(nil)
	if err != nil {
		return nil, err
	}
	var out []Session
	heads := map[automerge.Hash]bool{}
	for _, c := range lived(changes) {
		at, n := timeOf(c), len(out)
		if n == 0 || out[n-1].Actor != c.Actor() || at.Sub(out[n-1].To) > pause {
			if n > 0 {
				out[n-1].Heads = sorted(heads)
			}
			out = append(out, Session{Actor: c.Actor(), From: at})
			n++
		}
		s := &out[n-1]
		s.To = at
		s.Changes++
		s.Ops += c.Len()
		for _, h := range c.Deps() {
			delete(heads, h)
		}
		heads[c.Hash()] = true
	}
	if n := len(out); n > 0 {
		out[n-1].Heads = sorted(heads)
	}
	return out, nil
}

func sorted(heads map[automerge.Hash]bool) []automerge.Hash {
	return slices.SortedFunc(maps.Keys(heads), func(a, b automerge.Hash) int { return bytes.Compare(a[:], b[:]) })
}

func timeOf(c *automerge.Change) time.Time {
	if c.Time() == 0 {
		return time.Time{}
	}
	return time.Unix(c.Time(), 0)
}

// lived orders changes so that each follows what it depends on, and else by time.
// An actor's changes stay together as long as nobody else's was made more than a
// pause before them.
func lived(changes []*automerge.Change) []*automerge.Change {
	index := make(map[automerge.Hash]int, len(changes))
	for i, c := range changes {
		index[c.Hash()] = i
	}
	waits := make([]int, len(changes)) // for so many others
	next := make([][]int, len(changes))
	ready := &queue{}
	for i, c := range changes {
		for _, h := range c.Deps() {
			if on, ok := index[h]; ok {
				waits[i]++
				next[on] = append(next[on], i)
			}
		}
		if waits[i] == 0 {
			ready.changes = append(ready.changes, c)
		}
	}
	heap.Init(ready)
	out := make([]*automerge.Change, 0, len(changes))
	for last := (*automerge.Change)(nil); ready.Len() > 0; {
		at := 0
		if last != nil {
			for i, c := range ready.changes { // as many as there are branches
				if c.Actor() == last.Actor() && c.Time()-ready.changes[0].Time() <= int64(pause.Seconds()) {
					at = i
					break
				}
			}
		}
		last = heap.Remove(ready, at).(*automerge.Change)
		out = append(out, last)
		for _, n := range next[index[last.Hash()]] {
			if waits[n]--; waits[n] == 0 {
				heap.Push(ready, changes[n])
			}
		}
	}
	return out
}

// A queue is a heap of changes, the earliest first.
type queue struct{ changes []*automerge.Change }

func (q *queue) Len() int      { return len(q.changes) }
func (q *queue) Swap(i, j int) { q.changes[i], q.changes[j] = q.changes[j], q.changes[i] }
func (q *queue) Push(x any)    { q.changes = append(q.changes, x.(*automerge.Change)) }

func (q *queue) Less(i, j int) bool {
	a, b := q.changes[i], q.changes[j]
	if a.Time() != b.Time() {
		return a.Time() < b.Time()
	}
	x, y := a.Hash(), b.Hash()
	return bytes.Compare(x[:], y[:]) < 0
}

func (q *queue) Pop() any {
	c := q.changes[len(q.changes)-1]
	q.changes = q.changes[:len(q.changes)-1]
	return c
}
