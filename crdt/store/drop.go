package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"inselnetz/crdt/log"
)

// Drop removes all entries of a space from this device, so that nothing of them
// is left in its files but the ids of its logs. A log of it that was this
// device's own must not be continued: Append returns ErrDropped.
func (s *Store) Drop(ctx context.Context, space log.SpaceID) error {
	if space == log.Control {
		return errors.New("the control space stays")
	}
	s.using.Lock()
	defer s.using.Unlock()
	err := s.change(func() error {
		var ids []log.LogID
		for id, lg := range s.logs {
			if lg.card.Space == space {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			return nil
		}
		a, err := s.writeSecure(func(t *tx) error { return t.drop(space, ids) })
		if err != nil {
			return err
		}
		s.forgotten(space, ids)
		s.report(a)
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.Wipe(ctx); err != nil {
		s.log.Warn("bytes of a dropped space may be left in the files", "err", err)
	}
	return nil
}

// forgotten removes what is in memory of dropped logs. byID and chanByID keep
// theirs for those who are reading.
func (s *Store) forgotten(space log.SpaceID, ids []log.LogID) {
	for _, id := range ids {
		s.w.dropped[id] = struct{}{}
		delete(s.w.waiters, id)
	}
	s.held.mu.Lock()
	for _, id := range ids {
		delete(s.held.logs, id)
	}
	s.held.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.chans, func(k chanKey, _ *chanState) bool { return k.space == space })
	s.unwiped = true
}

// drop removes a space's logs and all that was made of them.
func (t *tx) drop(space log.SpaceID, ids []log.LogID) error {
	for k, ch := range t.s.chans {
		if k.space != space {
			continue
		}
		t.applied.touch(k)
		if err := t.dropChannel(ch); err != nil {
			return err
		}
	}
	t.gone = map[log.LogID]struct{}{}
	var locals []string
	for _, id := range ids {
		t.s.step("drop")
		lg := t.s.logs[id]
		from, to := atOf(lg.id, 0), atOf(lg.id+1, 0)-1
		locals = append(locals, strconv.FormatInt(lg.id, 10))
		for _, table := range []string{"entries", "sealed", "files", "documents", "posted", "votes"} {
			if err := t.c.exec("DELETE FROM "+table+" WHERE at BETWEEN ? AND ?", from, to); err != nil {
				return err
			}
		}
		for _, q := range []string{"DELETE FROM logs WHERE id=?", "DELETE FROM held WHERE log=?", "DELETE FROM forks WHERE log=?", "DELETE FROM limits WHERE log=?"} {
			if err := t.c.exec(q, lg.id); err != nil {
				return err
			}
		}
		if err := t.c.exec("DELETE FROM aside WHERE log=?", id[:]); err != nil {
			return err
		}
		if err := t.c.exec("INSERT OR IGNORE INTO dropped(log) VALUES(?)", id[:]); err != nil {
			return err
		}
		maps.DeleteFunc(t.w.erased, func(at int64, _ struct{}) bool { return at >= from && at <= to })
		t.gone[id] = struct{}{}
	}
	for _, table := range []string{"acts", "orphans"} { // no index has them by log: all at once
		if err := t.c.script(fmt.Sprintf("DELETE FROM %s WHERE at>>%d IN (%s)", table, seqBits, strings.Join(locals, ","))); err != nil {
			return err
		}
	}
	if err := t.forgetKept(space); err != nil {
		return err
	}
	if err := t.dropFound(); err != nil {
		return err
	}
	clear(t.w.stamps[0])
	clear(t.w.stamps[1])
	r, err := t.c.get(context.Background(), "SELECT count(*) FROM orphans")
	if err != nil {
		return err
	}
	t.orphans, t.tailOK = int(r.int(0)), false
	return t.c.exec("INSERT OR IGNORE INTO todo(what) VALUES('wipe')")
}

// dropFound removes what was found behind gaps of logs that are not held: it is
// not known which space they are of, and peers bring it again.
func (t *tx) dropFound() error {
	if !t.s.found.Load() {
		return nil
	}
	var lost []log.LogID
	err := t.c.query(context.Background(), "SELECT DISTINCT log FROM found", nil, func(r row) error {
		if id := log.LogID(r.id(0)); t.log(id) == nil {
			lost = append(lost, id)
		}
		return nil
	})
	for _, id := range lost {
		if err == nil {
			err = t.c.exec("DELETE FROM found WHERE log=?", id[:])
		}
	}
	return err
}

// dropChannel removes a channel with its messages and their words.
func (t *tx) dropChannel(ch *chanState) error {
	type text struct {
		pos  int64
		text string
	}
	for {
		var some []text
		err := t.c.query(context.Background(), "SELECT pos, text FROM messages WHERE chan=? LIMIT 1024", []any{ch.id}, func(r row) error {
			some = append(some, text{r.int(0), r.str(1)})
			return nil
		})
		if err != nil {
			return err
		}
		if len(some) == 0 {
			break
		}
		for _, m := range some {
			if err := t.c.exec("INSERT INTO words(words, rowid, text, chan) VALUES('delete', ?, ?, ?)", m.pos, m.text, ch.id); err != nil {
				return err
			}
			if err := t.c.exec("DELETE FROM messages WHERE pos=?", m.pos); err != nil {
				return err
			}
		}
	}
	if err := t.c.exec("DELETE FROM marks WHERE chan=?", ch.id); err != nil {
		return err
	}
	return t.c.exec("DELETE FROM channels WHERE id=?", ch.id)
}
