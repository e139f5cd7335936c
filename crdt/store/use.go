package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"inselnetz/crdt/log"
)

// Use sets who understands entries, and makes the views what its limits and
// erased entries ask for; entries put aside are tried again. Call it after
// opening, and whenever the control space has changed. When it returns, nothing
// is shown that does not count, and what is erased is off the disk, unless
// Wiped says otherwise. Used says what changed.
func (s *Store) Use(ctx context.Context, r Reader) error {
	s.using.Lock()
	defer s.using.Unlock()
	var progress func(done, of int)
	err := s.change(func() error {
		s.w.reader = r
		s.mu.Lock()
		s.reader = r
		s.mu.Unlock()
		if s.w.rebuilt {
			progress = s.opts.Rebuild
		}
		return s.relimit(r)
	})
	if err != nil {
		return err
	}
	if err := s.takeOut(ctx); err != nil {
		return err
	}
	if err := s.erase(ctx, r.ErasedRefs()); err != nil {
		return err
	}
	a, err := s.retry(ctx, progress)
	s.report(a)
	if err != nil {
		return err
	}
	if !s.Wiped() {
		if err := s.Wipe(ctx); err != nil {
			s.log.Warn("bytes of what was erased may be left in the files", "err", err)
		}
	}
	return nil
}

// change runs do as the one who may write.
func (s *Store) change(do func() error) error {
	s.imports.Lock()
	defer s.imports.Unlock()
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.closed {
		return ErrClosed
	}
	return do()
}

// Used returns what Use and Drop did since it was last asked.
func (s *Store) Used() Used {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.used
	s.used = Used{}
	return u
}

// report keeps what a transaction did for Used.
func (s *Store) report(a Applied) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range a.touched {
		if key := (ChannelKey{k.space, k.id}); !slices.Contains(s.used.Channels, key) {
			s.used.Channels = append(s.used.Channels, key)
		}
	}
	s.used.Fell = append(s.used.Fell, a.fell...)
	s.used.Erased += a.erased
}

// retry looks at the entries put aside, some at a time.
func (s *Store) retry(ctx context.Context, progress func(done, of int)) (sum Applied, err error) {
	after, done, of := int64(-1), 0, 0
	var without map[log.KeyID]bool
	for {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		n := 0
		err := s.change(func() (err error) {
			if without == nil {
				if without, err = s.locked(ctx); err != nil {
					return s.note(err)
				}
			}
			var ats []int64
			err = s.w.c.query(ctx, "SELECT at, key FROM sealed WHERE at>? ORDER BY at", []any{after}, func(r row) error {
				if r[1] == nil || !without[log.KeyID(r.id(1))] {
					ats = append(ats, r.int(0))
				}
				if len(ats) == maxStep {
					return errStop
				}
				return nil
			})
			if err == nil && progress != nil && of == 0 {
				var r row
				if r, err = s.w.c.get(ctx, "SELECT count(*) FROM sealed"); err == nil {
					of = int(r.int(0))
				}
			}
			if err != nil || len(ats) == 0 {
				return s.note(err)
			}
			n, after = len(ats), ats[len(ats)-1]
			a, err := s.write(false, func(t *tx) error { return t.again(ats) })
			sum.join(a)
			return err
		})
		if err != nil {
			return sum, err
		}
		if n == 0 {
			return sum, s.rest(ctx, &sum)
		}
		if done += n; progress != nil {
			progress(done, of)
		}
	}
}

// locked returns the keys that entries put aside lack and that are still not
// known: a device that carries a space for others need not look at all of it
// again. The caller holds turn.
func (s *Store) locked(ctx context.Context) (map[log.KeyID]bool, error) {
	type sample struct {
		key log.KeyID
		at  int64
	}
	var some []sample
	err := s.w.c.query(ctx, "SELECT key, min(at) FROM sealed WHERE key IS NOT NULL GROUP BY key", nil, func(r row) error {
		some = append(some, sample{log.KeyID(r.id(0)), r.int(1)})
		return nil
	})
	out := map[log.KeyID]bool{}
	for _, k := range some {
		if err != nil || s.w.reader == nil {
			break
		}
		local, _ := splitAt(k.at)
		var e *log.Entry
		if e, err = s.w.c.entry(ctx, k.at); err == nil && s.byID[local] != nil && e.Payload != nil {
			_, plain := s.w.reader.Plain(s.byID[local].card, e)
			out[k.key] = errors.Is(plain, ErrNoKey)
		}
	}
	return out, err
}

// again looks at entries put aside once more.
func (t *tx) again(ats []int64) error {
	t.retrying = true
	for _, at := range ats {
		local, _ := splitAt(at)
		lg := t.local(local)
		if lg == nil {
			return fmt.Errorf("%w: entry of no log", ErrDamaged)
		}
		r, err := t.c.get(context.Background(), "SELECT header, sig, payload, stamp FROM entries WHERE at=?", at)
		if err != nil {
			return damagedIf(err, ErrNotFound)
		}
		e, err := parseEntry(at, r, 0)
		if err != nil {
			return err
		}
		done := e.Kind != log.KindChat || lg.card.Space == log.Control || e.Payload == nil
		if done {
			err = t.look(lg, e, r.uint(3))
		} else {
			done, err = t.open(lg, e, r.uint(3))
		}
		if err != nil {
			return err
		}
		if done {
			err = t.c.exec("DELETE FROM sealed WHERE at=?", at)
		} else {
			err = t.c.exec("UPDATE sealed SET key=?2 WHERE at=?1 AND key IS NOT ?2", at, t.lacks(lg, e))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Rebuild folds all views and the search index anew from the entries. If it is
// interrupted, the next Use goes on with it.
func (s *Store) Rebuild(ctx context.Context, progress func(done, of int)) error {
	err := s.change(func() error {
		_, err := s.write(false, (*tx).clear)
		return err
	})
	if err != nil {
		return err
	}
	_, err = s.retry(ctx, progress)
	return err
}

// clear empties the views and puts all ready entries aside, to be shown again.
// The channels keep their numbers, which readers may be using.
func (t *tx) clear() error {
	if err := t.c.script(clearViews + refill); err != nil {
		return err
	}
	for k := range t.s.chans {
		if _, err := t.channel(k); err != nil {
			return err
		}
	}
	for k, ch := range t.chans {
		ch.name, ch.known, ch.total = "", false, 0
		t.applied.touch(k)
	}
	for id, lg := range t.s.logs {
		if lg.shown > lg.upto && t.log(id) != nil {
			t.edit(id)
		}
	}
	for _, lg := range t.logs {
		lg.shown = lg.upto
	}
	t.posts, t.acts, t.orphans, t.tailOK = nil, nil, 0, false
	return nil
}

// restamp works out the places of a space's entries anew, and with them the
// views.
func (t *tx) restamp(space log.SpaceID) error {
	clear(t.w.stamps[0])
	clear(t.w.stamps[1])
	t.stamped = nil
	for _, id := range t.logIDs() {
		if t.log(id).card.Space != space {
			continue
		}
		lg := t.edit(id)
		lg.ready, lg.stamp, lg.wait = 0, 0, log.Dep{}
		t.woken = append(t.woken, id)
		for _, q := range []string{"UPDATE entries SET stamp=NULL WHERE at BETWEEN ? AND ?", "DELETE FROM sealed WHERE at BETWEEN ? AND ?"} {
			if err := t.c.exec(q, atOf(lg.id, 1), atOf(lg.id, lg.last.Seq)); err != nil {
				return err
			}
		}
	}
	return t.clear()
}

// logIDs returns all logs as this transaction sees them, in ascending order.
func (t *tx) logIDs() []log.LogID {
	var out []log.LogID
	for id := range t.s.logs {
		if t.log(id) != nil {
			out = append(out, id)
		}
	}
	for id := range t.logs {
		if t.s.logs[id] == nil {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b log.LogID) int { return slices.Compare(a[:], b[:]) })
	return out
}
