package automerge

import "inselnetz/crdt/automerge/internal/opid"

// An actorLog holds what one actor did: runs of operations by ascending counter.
// It finds any operation by its id, and gives those of a change in their order.
type actorLog struct {
	runs    []logRun
	hit     int      // the run found last
	changes []uint32 // change rows by seq-1
}

type logKind uint8

const (
	logChars logKind = iota // plain characters inserted: at is the first element
	logKills                // deletes whose one pred is the element: at is the counter of the first target
	logRows                 // anything else: at is the first row
)

// A logRun is n operations with counters from ctr on.
type logRun struct {
	ctr, n uint32
	at     uint32
	actor  uint32 // kills: of the targets
	obj    uint32 // chars and kills
	kind   logKind
	step   int8 // kills: from target to target; 0 when n is 1
}

// A place is where an operation is.
type place struct {
	kind   logKind
	at     uint32  // element (chars) or row
	obj    uint32  // chars and kills
	target opid.ID // kills
}

func (r *logRun) place(k uint32) place {
	switch r.kind {
	case logKills:
		return place{kind: logKills, obj: r.obj, target: opid.ID{Ctr: uint32(int64(r.at) + int64(k)*int64(r.step)), Actor: r.actor}}
	case logChars:
		return place{kind: logChars, at: r.at + k, obj: r.obj}
	}
	return place{kind: logRows, at: r.at + k}
}

// find is where the operation with that counter is.
func (l *actorLog) find(ctr uint32) (place, bool) {
	if l.hit < len(l.runs) {
		if r := &l.runs[l.hit]; ctr-r.ctr < r.n {
			return r.place(ctr - r.ctr), true
		}
	}
	i := l.from(ctr)
	if i == len(l.runs) || l.runs[i].ctr > ctr {
		return place{}, false
	}
	l.hit = i
	r := &l.runs[i]
	return r.place(ctr - r.ctr), true
}

// from is the first run that ends at ctr or later.
func (l *actorLog) from(ctr uint32) int {
	if k := len(l.runs); k == 0 || l.runs[k-1].ctr <= ctr && ctr-l.runs[k-1].ctr < l.runs[k-1].n {
		return max(k-1, 0)
	}
	lo, hi := 0, len(l.runs)
	for lo < hi {
		m := int(uint(lo+hi) / 2)
		if r := &l.runs[m]; r.ctr+(r.n-1) < ctr {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

func (l *actorLog) last() *logRun {
	if len(l.runs) == 0 {
		return nil
	}
	return &l.runs[len(l.runs)-1]
}

// chars notes n characters inserted, elements from eid on.
func (l *actorLog) chars(ctr, n, eid, obj uint32) {
	if r := l.last(); r != nil && r.kind == logChars && r.ctr+r.n == ctr && r.at+r.n == eid && r.obj == obj {
		r.n += n
		return
	}
	l.runs = append(l.runs, logRun{ctr: ctr, n: n, at: eid, obj: obj, kind: logChars})
}

// kills notes n deletes: of target, target+step, …; step is 0 for a single one.
func (l *actorLog) kills(ctr, n uint32, target opid.ID, step int8, obj uint32) {
	if r := l.last(); r != nil && r.kind == logKills && r.ctr+r.n == ctr && r.actor == target.Actor && r.obj == obj {
		for _, s := range [2]int8{1, -1} {
			if (r.step == s || r.n == 1) && (step == s || n == 1) && int64(r.at)+int64(r.n)*int64(s) == int64(target.Ctr) {
				r.n, r.step = r.n+n, s
				return
			}
		}
	}
	if n == 1 {
		step = 0
	}
	l.runs = append(l.runs, logRun{ctr: ctr, n: n, at: target.Ctr, actor: target.Actor, obj: obj, kind: logKills, step: step})
}

// row notes one operation in a row.
func (l *actorLog) row(ctr, row uint32) {
	if r := l.last(); r != nil && r.kind == logRows && r.ctr+r.n == ctr && r.at+r.n == row {
		r.n++
		return
	}
	l.runs = append(l.runs, logRun{ctr: ctr, n: 1, at: row, kind: logRows})
}

// find is where an operation is.
func (d *Doc) find(id opid.ID) (place, bool) {
	if id.None() || int(id.Actor) >= len(d.logs) {
		return place{}, false
	}
	return d.logs[id.Actor].find(id.Ctr)
}

// element is the element that an insert made, and its object.
func (d *Doc) element(id opid.ID) (eid, obj uint32, ok bool) {
	p, ok := d.find(id)
	switch {
	case !ok:
	case p.kind == logChars:
		return p.at, p.obj, true
	case p.kind == logRows && d.rows[p.at].flags&rowInsert != 0:
		return d.rows[p.at].key, d.rows[p.at].obj, true
	}
	return 0, 0, false
}
