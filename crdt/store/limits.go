package store

import (
	"context"
	"fmt"
	"slices"

	"inselnetz/crdt/log"
)

// A log may have a limit: a named entry up to which it counts. Entries after it
// are held and passed on, but not shown, and the order of others does not depend
// on them. While the named entry is not held, nothing of the log is shown.

// noEnd is how far a log without a limit counts.
const noEnd = 1<<seqBits - 1

// counts reports whether an entry of the log is to be shown.
func (lg *logState) counts(seq uint64) bool { return !lg.cut || seq <= lg.upto }

// beyond reports whether an entry of the log, held or not, lies after its limit.
func (lg *logState) beyond(seq uint64) bool { return lg.cut && seq > lg.limit.Seq }

// known returns up to which entry others may build on the log.
func (lg *logState) known() uint64 {
	if lg.cut {
		return min(lg.ready, lg.limit.Seq)
	}
	return lg.ready
}

// pending reports whether the entry that a limit names is not held yet.
func (lg *logState) pending() bool { return lg.cut && lg.upto < lg.limit.Seq }

// relimit takes over the limits of a reader. The caller holds turn.
func (s *Store) relimit(r Reader) error {
	var changed []log.LogID
	for id, lg := range s.logs {
		if lg.card.Space == log.Control {
			continue
		}
		if at, cut := r.Limit(lg.card); cut != lg.cut || cut && at != lg.limit {
			changed = append(changed, id)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	slices.SortFunc(changed, func(a, b log.LogID) int { return slices.Compare(a[:], b[:]) })
	a, err := s.write(false, func(t *tx) error {
		lowest := map[log.LogID]uint64{} // from where on the order may have changed
		for _, id := range changed {
			lg := t.edit(id)
			old := lg.limit.Seq
			if !lg.cut {
				old = noEnd
			}
			at, cut := r.Limit(lg.card)
			now := at.Seq
			if !cut {
				now = noEnd
			}
			if now > old || lg.ready > now {
				lowest[id] = min(old, now)
			}
			if err := t.setLimit(lg, at, cut); err != nil {
				return err
			}
		}
		for _, id := range changed {
			if t.log(id) == nil {
				continue
			}
			if _, err := t.makeRoom(t.edit(id)); err != nil {
				return err
			}
		}
		return t.reorder(lowest)
	})
	s.report(a)
	return err
}

// setLimit gives a log its limit.
func (t *tx) setLimit(lg *logState, at log.Height, cut bool) error {
	was, shown := lg.upto, lg.shown
	if !lg.cut {
		was, shown = noEnd, lg.last.Seq
	}
	upto := uint64(noEnd)
	if cut {
		upto = 0
		if at.Seq > 0 && at.Seq <= lg.last.Seq {
			e, err := t.c.entry(context.Background(), atOf(lg.id, at.Seq))
			if err != nil {
				return err
			}
			if e.Hash() == at.Hash {
				upto = at.Seq
			}
		}
	}
	lg.cut, lg.limit, lg.upto, lg.shown = cut, at, upto, max(upto, min(shown, lg.ready))
	if !cut {
		lg.limit = log.Height{}
	}
	t.moved = append(t.moved, lg.lid) // some may wait for what no longer matters
	if upto < was {
		if err := t.forgetKept(lg.card.Space); err != nil {
			return err
		}
	}
	if upto > was {
		if err := t.comeIn(lg, was, min(upto, lg.last.Seq)); err != nil {
			return err
		}
	}
	return t.keepLimit(lg)
}

// comeIn puts the entries after from up to to aside, to be shown.
func (t *tx) comeIn(lg *logState, from, to uint64) error {
	return t.c.exec("INSERT OR IGNORE INTO sealed(at) SELECT at FROM entries WHERE at>? AND at<=? AND stamp IS NOT NULL", atOf(lg.id, from), atOf(lg.id, to))
}

func (t *tx) keepLimit(lg *logState) error {
	if !lg.cut {
		return t.c.exec("DELETE FROM limits WHERE log=?", lg.id)
	}
	return t.c.exec("INSERT OR REPLACE INTO limits(log, seq, hash, upto, shown) VALUES(?, ?, ?, ?, ?)", lg.id, lg.limit.Seq, lg.limit.Hash[:], lg.upto, lg.shown)
}

// reached takes note that the entry a limit names has come.
func (t *tx) reached(lg *logState) error {
	lg.upto = lg.limit.Seq
	lg.shown = max(lg.shown, lg.upto)
	t.applied.reopen = true
	if err := t.comeIn(lg, 0, lg.upto-1); err != nil {
		return err
	}
	return t.keepLimit(lg)
}

// takeOut takes entries that do not count any more out of the views, some at a
// time.
func (s *Store) takeOut(ctx context.Context) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		more = false
		err := s.change(func() error {
			for id, lg := range s.logs {
				if !lg.cut || lg.shown <= lg.upto {
					continue
				}
				more = true
				a, err := s.write(false, func(t *tx) error { return t.takeOut(t.edit(id)) })
				s.report(a)
				return err
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// takeOut takes the last entries of a log that may still be shown out of the
// views.
func (t *tx) takeOut(lg *logState) error {
	var ats []int64
	err := t.c.query(context.Background(), "SELECT at FROM entries WHERE at>? AND at<=? AND stamp IS NOT NULL AND payload IS NOT NULL ORDER BY at DESC LIMIT ?",
		[]any{atOf(lg.id, lg.upto), atOf(lg.id, lg.shown), maxStep}, func(r row) error {
			ats = append(ats, r.int(0))
			return nil
		})
	if err != nil {
		return err
	}
	u := newUndo()
	for _, at := range ats {
		e, err := t.c.entry(context.Background(), at)
		if err != nil {
			return err
		}
		if err := t.out(u, lg, e, false); err != nil {
			return err
		}
	}
	if lg.shown = lg.upto; len(ats) == maxStep {
		_, seq := splitAt(ats[len(ats)-1])
		lg.shown = seq - 1
	}
	if err := t.keepLimit(lg); err != nil {
		return err
	}
	return t.mend(u)
}

// reorder looks whether entries that build on these logs after a number stand
// where they should, and puts the whole space in order if not. Mostly they do: a
// clock is nearly always after all that its author had seen.
func (t *tx) reorder(lowest map[log.LogID]uint64) error {
	var spaces []log.SpaceID
	for id := range lowest {
		if lg := t.log(id); lg != nil && !slices.Contains(spaces, lg.card.Space) {
			spaces = append(spaces, lg.card.Space)
		}
	}
	for _, space := range spaces {
		for _, id := range t.logIDs() {
			lg := t.log(id)
			if lg.card.Space != space {
				continue
			}
			ok, err := t.inPlace(lg, lowest)
			if err != nil {
				return err
			}
			if !ok {
				if err := t.restamp(space); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

// inPlace checks the stamps of those entries of a log that build on others after
// these numbers.
func (t *tx) inPlace(lg *logState, lowest map[log.LogID]uint64) (bool, error) {
	type built struct {
		e           *log.Entry
		stamp, past uint64
	}
	var some []built
	var past uint64
	err := t.c.query(context.Background(), "SELECT header, sig, stamp FROM entries WHERE at BETWEEN ? AND ? ORDER BY at", []any{atOf(lg.id, 1), atOf(lg.id, lg.ready)}, func(r row) error {
		e, err := log.FromParts(r.bytes(0), r.bytes(1), nil)
		if err != nil {
			return fmt.Errorf("%w: stored entry: %w", ErrDamaged, err)
		}
		for _, d := range e.Deps {
			if low, ok := lowest[d.Log]; ok && d.Seq > low {
				some = append(some, built{e, r.uint(2), past})
				break
			}
		}
		past = r.uint(2)
		return nil
	})
	if err != nil {
		return false, err
	}
	for _, b := range some {
		st, wait, err := t.placed(lg, b.e, b.past)
		if err != nil || wait.Seq > 0 || st != b.stamp {
			return false, err
		}
	}
	return true, nil
}
