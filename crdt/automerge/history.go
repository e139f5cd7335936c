package automerge

import (
	"fmt"
	"slices"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
)

// A Record is what the history tells of a change without looking at its bytes.
type Record struct {
	Actor    ActorID
	Seq      uint64
	Time     int64 // as Change.Time
	Ops      int
	Deps     []int     // changes that it follows: places among the records
	Inserted int       // elements into texts and lists; marks are none
	Deleted  []Deleted // elements that it took from texts and lists
}

// Deleted says how many elements of one change another one took away. Several may
// name the same. What two take away at the same time both count.
type Deleted struct {
	Of int // the change that inserted them: its place among the records
	N  int
}

// Records are all changes, each behind those that it follows. It costs far less than
// [Doc.Changes].
func (d *Doc) Records() []Record {
	g := &d.graph
	out := make([]Record, len(g.rows))
	var deps []uint32
	var pool []int
	var gone []Deleted
	for n := range g.rows {
		r := &g.rows[n]
		deps = g.deps(deps[:0], uint32(n))
		from := len(pool)
		for _, dep := range deps {
			pool = append(pool, int(dep))
		}
		out[n] = Record{
			Actor: d.actors[r.actor], Seq: uint64(r.seq), Time: g.times.at(uint32(n)), Ops: int(r.max + 1 - r.start),
			Deps: pool[from:len(pool):len(pool)],
		}
		first := len(gone)
		out[n].Inserted, gone = d.tally(r, gone)
		out[n].Deleted = gone[first:len(gone):len(gone)]
	}
	return out
}

// HashAt is the hash of a change by its place among the records.
func (d *Doc) HashAt(n int) Hash { return d.graph.hash(d, uint32(n)) }

// tally counts what a change inserted and appends what it deleted.
func (d *Doc) tally(r *changeRow, gone []Deleted) (inserted int, _ []Deleted) {
	l := &d.logs[r.actor]
	first := len(gone)
	for i := l.from(r.start); i < len(l.runs) && l.runs[i].ctr <= r.max; i++ {
		run := &l.runs[i]
		k, end := uint32(0), min(run.n, r.max+1-run.ctr)
		if run.ctr < r.start {
			k = r.start - run.ctr
		}
		switch run.kind {
		case logChars:
			inserted += int(end - k)
		case logKills:
			for k < end {
				n, many := d.targets(run, k, end)
				if last := len(gone) - 1; last >= first && gone[last].Of == n {
					gone[last].N += int(many)
				} else {
					gone = append(gone, Deleted{n, int(many)})
				}
				k += many
			}
		default:
			for ; k < end; k++ {
				if row := &d.rows[run.at+k]; row.flags&rowInsert != 0 && row.action != format.Mark {
					inserted++
				}
			}
		}
	}
	return inserted, gone
}

// targets is the change that inserted the target of delete k of a run, and how many
// of the deletes up to end have targets of it.
func (d *Doc) targets(run *logRun, k, end uint32) (change int, many uint32) {
	at := run.place(k).target
	n, _ := d.changeOf(at)
	r := &d.graph.rows[n]
	switch {
	case run.step > 0:
		many = r.max - at.Ctr + 1
	case run.step < 0:
		many = at.Ctr - r.start + 1
	default:
		many = 1
	}
	return int(n), min(many, end-k)
}

// changeOf is the change that an operation is in; ok is false for one that is in none
// yet.
func (d *Doc) changeOf(id opid.ID) (n uint32, ok bool) {
	l := &d.logs[id.Actor]
	i, ok := slices.BinarySearchFunc(l.changes, id.Ctr, func(n, ctr uint32) int {
		switch r := &d.graph.rows[n]; {
		case r.max < ctr:
			return -1
		case r.start > ctr:
			return 1
		}
		return 0
	})
	if !ok {
		return 0, false
	}
	return l.changes[i], true
}

// TimeOf is the time of the change that an operation is in, as Change.Time; ok is
// false for an operation that the reader does not know, or that is in no change yet.
func (r Reader) TimeOf(id OpID) (at int64, ok bool) {
	in, ok := r.d.inner(id)
	if _, err := r.object(Root); !ok || err != nil || in.None() || !r.sees(in) {
		return 0, false
	}
	n, ok := r.d.changeOf(in)
	if !ok {
		return 0, false
	}
	return r.d.graph.times.at(n), true
}

// A Write is an operation that put a value at a key.
type Write struct {
	Key   string
	ID    OpID
	Value Value // of a counter: with all that was added
}

// Writes are all that ever put a value at a key of a map, ascending by key and id:
// also those whose value does not show because another one or a delete followed. So
// a program can judge itself whose word counts.
func (r Reader) Writes(obj ObjID) ([]Write, error) {
	n, err := r.object(obj)
	if err != nil {
		return nil, err
	}
	o := &r.d.objects[n]
	if !o.isMap() {
		return nil, fmt.Errorf("%w: %s is a %s", ErrKind, obj, kindOf(o.kind))
	}
	var out []Write
	for _, s := range r.d.sorted(o) {
		for n := s.head; n != none; n = r.d.rows[n].next {
			if row := &r.d.rows[n]; row.value() && r.sees(row.id) {
				out = append(out, Write{r.d.keys[s.key], r.d.outer(row.id), r.value(n)})
			}
		}
	}
	return out, nil
}
