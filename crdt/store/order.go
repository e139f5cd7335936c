package store

import (
	"context"
	"fmt"
	"slices"

	"inselnetz/crdt/log"
)

// stamp works out the place of a log's next ready entry in the order people see,
// if all that it depends on is ready; else it notes what the log waits for.
func (t *tx) stamp(lg *logState, e *log.Entry) (uint64, bool, error) {
	st, wait, err := t.placed(lg, e, lg.stamp)
	if err != nil {
		return 0, false, err
	}
	lg.wait = wait
	if wait.Seq == 0 {
		return st, true, nil
	}
	if t.waits[wait.Log] == nil {
		t.waits[wait.Log] = map[log.LogID]struct{}{}
	}
	t.waits[wait.Log][lg.lid] = struct{}{}
	return 0, false, nil
}

// placed returns the stamp of an entry whose predecessor has stamp past, or what
// it waits for. What lies beyond a log's limit is neither waited for nor does it
// change the order.
func (t *tx) placed(lg *logState, e *log.Entry, past uint64) (st uint64, wait log.Dep, err error) {
	stamps := append(make([]uint64, 0, len(e.Deps)+1), past)
	for _, d := range e.Deps {
		on := t.log(d.Log)
		switch {
		case on == nil || on.card.Space != lg.card.Space:
			return 0, d, nil
		case on.beyond(d.Seq):
			continue
		case on.ready < d.Seq:
			return 0, d, nil
		}
		st, err := t.stampAt(on, d.Seq)
		if err != nil {
			return 0, log.Dep{}, err
		}
		stamps = append(stamps, st)
	}
	return log.Stamp(e.HLC, stamps...), log.Dep{}, nil
}

// stampAt returns the stamp of a ready entry.
func (t *tx) stampAt(lg *logState, seq uint64) (uint64, error) {
	if seq == lg.ready {
		return lg.stamp, nil
	}
	at := atOf(lg.id, seq)
	for _, m := range t.w.stamps {
		if st, ok := m[at]; ok {
			return st, nil
		}
	}
	r, err := t.c.get(context.Background(), "SELECT stamp FROM entries WHERE at=?", at)
	if err != nil {
		return 0, fmt.Errorf("stamp of entry %d: %w", seq, damagedIf(err, ErrNotFound))
	}
	return r.uint(0), nil
}

// advance goes on with logs that waited for entries that became ready, and with
// those left over by the last transaction.
func (t *tx) advance() error {
	var queue []log.LogID
	for id := range t.w.runnable {
		queue = append(queue, id)
	}
	queue = append(queue, t.woken...)
	slices.SortFunc(queue, func(a, b log.LogID) int { return slices.Compare(a[:], b[:]) })
	for {
		for len(t.moved) > 0 {
			m := t.moved[0]
			t.moved = t.moved[1:]
			for id := range t.w.waiters[m] {
				queue = append(queue, id)
			}
			for id := range t.waits[m] {
				queue = append(queue, id)
			}
		}
		if len(queue) == 0 || t.budget <= 0 {
			break
		}
		id := queue[0]
		queue = queue[1:]
		more, err := t.goOn(id)
		if err != nil {
			return err
		}
		if more {
			queue = append(queue, id)
		}
	}
	t.runnable = queue
	return nil
}

// goOn makes entries of one log ready, as many as can be and the budget
// allows, and says whether there may be more.
func (t *tx) goOn(id log.LogID) (bool, error) {
	lg := t.log(id)
	if lg == nil || lg.ready == lg.last.Seq || lg.wait.Seq > 0 && !t.met(lg.wait) {
		return false, nil
	}
	lg = t.edit(id)
	for ; lg.ready < lg.last.Seq; t.budget-- {
		if t.budget <= 0 {
			return true, nil
		}
		e, err := t.c.entry(context.Background(), atOf(lg.id, lg.ready+1))
		if err != nil {
			return false, err
		}
		st, ok, err := t.stamp(lg, e)
		if err != nil || !ok {
			return false, err
		}
		if err := t.c.exec("UPDATE entries SET stamp=? WHERE at=?", st, atOf(lg.id, e.Seq)); err != nil {
			return false, err
		}
		if err := t.became(lg, e, st); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (t *tx) met(d log.Dep) bool {
	on := t.log(d.Log)
	return on != nil && (on.ready >= d.Seq || on.beyond(d.Seq))
}
