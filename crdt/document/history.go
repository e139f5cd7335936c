package document

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"inselnetz/crdt/automerge"
)

// What a session is.
const (
	pause        = 5 * time.Minute  // a writer's run of changes ends so
	together     = 10 * time.Second // who goes on so soon writes together with those who wrote meanwhile
	longSession  = 15 * time.Minute // it ends also without a pause
	mostSessions = 200              // then old ones that lie close become one
	fineSessions = 50               // so many of the newest stay as they are
)

// A Session is what one writer did without a longer pause, or several did together.
type Session struct {
	Actors   []automerge.ActorID // who wrote, the one who did most first
	From, To time.Time           // of its earliest and latest change; zero: not said
	Heads    []automerge.Hash    // of the document after it and all sessions before, ascending
	Changes  int
	Ops      int // characters inserted and deleted, marks, blocks and so on
	Added    int // characters, blocks and embeds; what came and went within the session is not counted
	Removed  int // of sessions before
}

// History is the life of a document. What was done at the same time apart comes in
// the order of its times, so it is the same on all devices that hold the same.
func History(d *automerge.Doc) []Session {
	all := d.Records()
	order := lived(all)
	bounds := coarser(all, order, bounds(all, order))
	of := make([]int, len(all)) // change -> session
	for i, end := range bounds {
		for _, n := range order[start(bounds, i):end] {
			of[n] = i
		}
	}
	heads := map[int]bool{}
	out := make([]Session, 0, len(bounds))
	for i, end := range bounds {
		s := Session{Changes: end - start(bounds, i)}
		amount := map[automerge.ActorID]int{}
		for _, n := range order[start(bounds, i):end] {
			r := &all[n]
			s.add(r)
			amount[r.Actor] += r.Ops
			for _, x := range r.Deleted {
				if of[x.Of] == i {
					s.Added -= x.N
				} else {
					s.Removed += x.N
				}
			}
			for _, dep := range r.Deps {
				delete(heads, dep)
			}
			heads[n] = true
		}
		s.Added = max(s.Added, 0) // two may have deleted the same
		for n := range heads {
			s.Heads = append(s.Heads, d.HashAt(n))
		}
		slices.SortFunc(s.Heads, func(a, b automerge.Hash) int { return slices.Compare(a[:], b[:]) })
		for a := range amount {
			s.Actors = append(s.Actors, a)
		}
		slices.SortFunc(s.Actors, func(a, b automerge.ActorID) int {
			return cmp.Or(cmp.Compare(amount[b], amount[a]), cmp.Compare(a, b))
		})
		out = append(out, s)
	}
	return out
}

// add counts a change in.
func (s *Session) add(r *automerge.Record) {
	s.Ops += r.Ops
	s.Added += r.Inserted
	if r.Time == 0 {
		return
	}
	at := time.Unix(r.Time, 0)
	if s.From.IsZero() || at.Before(s.From) {
		s.From = at
	}
	if at.After(s.To) {
		s.To = at
	}
}

// start is where the ith session begins in the order of changes.
func start(bounds []int, i int) int {
	if i == 0 {
		return 0
	}
	return bounds[i-1]
}

// bounds are where each session ends in the order of changes. A writer's time is
// always compared with the same writer's: clocks of devices may differ by hours.
func bounds(all []automerge.Record, order []int) (out []int) {
	type writer struct {
		last, first int64 // of its changes; in its session
		at          int   // its session
	}
	writers := map[automerge.ActorID]writer{}
	before := automerge.ActorID("") // who wrote the last one
	closed := 0                     // sessions before it are over for good
	for i, n := range order {
		r := &all[n]
		if i > 0 && r.Time == 0 { // not said
			continue
		}
		w, known := writers[r.Actor]
		goesOn := known && w.at >= closed && (r.Actor == before && near(w.last, r.Time, pause) || near(w.last, r.Time, together))
		switch {
		case goesOn && near(w.first, r.Time, longSession):
			out = out[:w.at] // with all that has begun since
			for a, other := range writers {
				if other.at > w.at {
					other.at = w.at
					writers[a] = other
				}
			}
		case i > 0:
			out = append(out, i)
			if goesOn {
				closed = len(out)
			}
		}
		if !known || w.at != len(out) {
			w.first = r.Time
		}
		writers[r.Actor] = writer{r.Time, w.first, len(out)}
		before = r.Actor
	}
	if len(order) > 0 {
		out = append(out, len(order))
	}
	return out
}

// near reports whether times are no further apart than that. They may be anything.
func near(a, b int64, most time.Duration) bool {
	if a > b {
		a, b = b, a
	}
	return uint64(b)-uint64(a) <= uint64(most.Seconds())
}

// coarser joins sessions until they are at most mostSessions: again and again those
// two neighbours that take the least time together, never one of the newest.
func coarser(all []automerge.Record, order, bounds []int) []int {
	if len(bounds) <= mostSessions {
		return bounds
	}
	spans := make([]span, len(bounds)-fineSessions)
	for i := range spans {
		spans[i] = span{before: i - 1, next: i + 1}
		for _, n := range order[start(bounds, i):bounds[i]] {
			spans[i].see(all[n].Time)
		}
	}
	pairs := &pairs{}
	push := func(i int) {
		if i >= 0 && spans[i].next < len(spans) {
			heap.Push(pairs, pair{spans[i].with(&spans[spans[i].next]), i, spans[i].turn, spans[spans[i].next].turn})
		}
	}
	for i := range spans {
		push(i)
	}
	for left := len(bounds); left > mostSessions; {
		p := heap.Pop(pairs).(pair)
		a := &spans[p.at]
		if a.gone || a.next >= len(spans) || a.turn != p.turn || spans[a.next].turn != p.other {
			continue // one of them has grown since
		}
		b := &spans[a.next]
		a.see(b.from)
		a.see(b.to)
		a.turn++
		b.gone = true
		bounds[p.at], bounds[a.next] = bounds[a.next], -1
		if a.next = b.next; a.next < len(spans) {
			spans[a.next].before = p.at
		}
		left--
		push(p.at)
		push(a.before)
	}
	return slices.DeleteFunc(bounds, func(end int) bool { return end < 0 })
}

// A span is one or more sessions that are joined; from and to are 0 if not said.
type span struct {
	from, to     int64
	before, next int
	turn         int // counts how often it has grown
	gone         bool
}

func (s *span) see(at int64) {
	if at == 0 {
		return
	}
	if s.from == 0 || at < s.from {
		s.from = at
	}
	if s.to == 0 || at > s.to {
		s.to = at
	}
}

// with is how many seconds both take together.
func (s *span) with(b *span) uint64 {
	both := *s
	both.see(b.from)
	both.see(b.to)
	return uint64(both.to) - uint64(both.from)
}

// A pair is a span and the next one, as they were after so many turns.
type pair struct {
	size            uint64
	at, turn, other int
}

// pairs are a heap, the shortest first, of equal ones the oldest.
type pairs []pair

func (p pairs) Len() int      { return len(p) }
func (p pairs) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p pairs) Less(i, j int) bool {
	return p[i].size < p[j].size || p[i].size == p[j].size && p[i].at < p[j].at
}
func (p *pairs) Push(x any) { *p = append(*p, x.(pair)) }

func (p *pairs) Pop() any {
	x := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return x
}

// lived orders changes so that each follows what it depends on, and else by time.
func lived(all []automerge.Record) []int {
	waits := make([]int, len(all)) // for so many others
	next := make([][]int, len(all))
	ready := &queue{all: all}
	for n := range all {
		for _, on := range all[n].Deps {
			next[on] = append(next[on], n)
		}
		if waits[n] = len(all[n].Deps); waits[n] == 0 {
			ready.at = append(ready.at, n)
		}
	}
	heap.Init(ready)
	out := make([]int, 0, len(all))
	for ready.Len() > 0 {
		n := heap.Pop(ready).(int)
		out = append(out, n)
		for _, m := range next[n] {
			if waits[m]--; waits[m] == 0 {
				heap.Push(ready, m)
			}
		}
	}
	return out
}

// A queue is a heap of changes, the earliest first.
type queue struct {
	all []automerge.Record
	at  []int
}

func (q *queue) Len() int      { return len(q.at) }
func (q *queue) Swap(i, j int) { q.at[i], q.at[j] = q.at[j], q.at[i] }
func (q *queue) Push(x any)    { q.at = append(q.at, x.(int)) }

func (q *queue) Less(i, j int) bool {
	a, b := &q.all[q.at[i]], &q.all[q.at[j]]
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Actor, b.Actor), cmp.Compare(a.Seq, b.Seq)) < 0
}

func (q *queue) Pop() any {
	n := q.at[len(q.at)-1]
	q.at = q.at[:len(q.at)-1]
	return n
}
