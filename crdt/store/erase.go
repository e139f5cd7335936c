package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"inselnetz/crdt/log"
)

// eraseStep is how many entries one transaction erases.
const eraseStep = 256

// erase drops the payload of held entries that are erased, and takes out of the
// views what they did.
func (s *Store) erase(ctx context.Context, refs []Ref) error {
	for len(refs) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(refs), eraseStep)
		err := s.change(func() error {
			todo, err := s.unerased(refs[:n])
			if err != nil || len(todo) == 0 {
				return s.note(err)
			}
			a, err := s.writeSecure(func(t *tx) error { return t.erase(todo) })
			if err != nil {
				return err
			}
			for _, e := range todo {
				if e.at > 0 {
					s.w.erased[e.at] = struct{}{}
				}
			}
			s.mu.Lock()
			s.unwiped = true
			s.mu.Unlock()
			s.report(a)
			return nil
		})
		if err != nil {
			return err
		}
		refs = refs[n:]
	}
	return nil
}

// writeSecure runs do in a transaction that leaves zeroes where something was,
// and returns when the disk has it.
func (s *Store) writeSecure(do func(*tx) error) (Applied, error) {
	if err := s.w.c.script("PRAGMA secure_delete=ON"); err != nil {
		return Applied{}, s.note(err)
	}
	a, err := s.write(true, do)
	if e := s.w.c.script("PRAGMA secure_delete=FAST"); err == nil {
		err = s.note(e)
	}
	return a, err
}

// A fade is an entry to be erased. at is 0 when it is only set aside or found
// behind a gap.
type fade struct {
	ref Ref
	lid log.LogID
	at  int64
}

// unerased returns which of these entries still have their payload here.
func (s *Store) unerased(refs []Ref) ([]fade, error) {
	ctx, c := context.Background(), s.w.c
	var out []fade
	elsewhere := s.found.Load()
	if !elsewhere {
		r, err := c.get(ctx, "SELECT count(*) FROM aside WHERE payload IS NOT NULL")
		if err != nil {
			return nil, err
		}
		elsewhere = r.int(0) > 0
	}
	for _, ref := range refs {
		if ref.Card.Space == log.Control || ref.Seq < 1 || ref.Seq >= 1<<seqBits {
			continue
		}
		f := fade{ref: ref, lid: ref.Card.ID()}
		if lg := s.logs[f.lid]; lg != nil && ref.Seq <= lg.last.Seq {
			at := atOf(lg.id, ref.Seq)
			if _, done := s.w.erased[at]; !done {
				e, err := c.entry(ctx, at)
				switch {
				case err != nil:
					return nil, err
				case e.Hash() != ref.Hash:
				case e.Payload == nil:
					s.w.erased[at] = struct{}{}
				default:
					f.at = at
				}
			}
		}
		if f.at == 0 && elsewhere {
			there, err := s.elsewhere(f)
			if err != nil {
				return nil, err
			}
			if !there {
				continue
			}
		} else if f.at == 0 {
			continue
		}
		out = append(out, f)
	}
	return out, nil
}

// elsewhere reports whether an entry's payload is held outside its log.
func (s *Store) elsewhere(f fade) (bool, error) {
	q := "SELECT 1 FROM aside WHERE log=?1 AND seq=?2 AND payload IS NOT NULL"
	if s.found.Load() {
		q += " UNION ALL SELECT 1 FROM found WHERE log=?1 AND seq=?2 AND payload IS NOT NULL"
	}
	_, err := s.w.c.get(context.Background(), q, f.lid[:], f.ref.Seq)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// erase drops payloads. That bytes of them may be left in the files is noted in
// the same transaction.
func (t *tx) erase(todo []fade) error {
	u := newUndo()
	for _, f := range todo {
		t.s.step("erase")
		if f.at > 0 {
			if err := t.eraseEntry(u, f); err != nil {
				return err
			}
		}
		if err := t.c.exec("UPDATE aside SET payload=NULL WHERE log=? AND seq=? AND hash=?", f.lid[:], f.ref.Seq, f.ref.Hash[:]); err != nil {
			return err
		}
		if t.s.found.Load() { // a name is as good as a hash: what it holds is no entry of the log, or this one
			if err := t.c.exec("UPDATE found SET payload=NULL WHERE log=? AND seq=?", f.lid[:], f.ref.Seq); err != nil {
				return err
			}
		}
	}
	t.applied.erased = len(todo)
	if err := t.mend(u); err != nil {
		return err
	}
	return t.c.exec("INSERT OR IGNORE INTO todo(what) VALUES('wipe')")
}

func (t *tx) eraseEntry(u *undo, f fade) error {
	e, err := t.c.entry(context.Background(), f.at)
	if err != nil {
		return err
	}
	if err := t.out(u, t.log(f.lid), e, true); err != nil {
		return err
	}
	if e.Kind == log.KindDocument {
		if err := t.forgetKept(f.ref.Card.Space); err != nil {
			return err
		}
	}
	if err := t.c.exec("UPDATE entries SET payload=NULL WHERE at=?", f.at); err != nil {
		return err
	}
	return t.c.exec("DELETE FROM sealed WHERE at=?", f.at)
}

// Wiped reports whether no bytes of what was erased or dropped are left in the
// files. Use and Drop see to it; where they could not (the disk is full), Wipe
// tries again.
func (s *Store) Wiped() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return !s.unwiped
}

// Wipe frees the files of bytes of what was erased or dropped: the index is
// merged into one piece, the database written anew, and the write-ahead log
// emptied. Reading goes on but for a moment at the end; own entries wait.
func (s *Store) Wipe(ctx context.Context) error {
	return s.change(func() error {
		if s.Wiped() {
			return nil
		}
		if err := s.wipe(ctx); err != nil {
			return fmt.Errorf("wipe: %w", s.note(err))
		}
		s.mu.Lock()
		s.unwiped = false
		s.mu.Unlock()
		return nil
	})
}

func (s *Store) wipe(ctx context.Context) error {
	c := s.w.c
	s.step("optimize")
	if err := c.script("INSERT INTO words(words) VALUES('optimize')"); err != nil {
		return err
	}
	s.step("vacuum")
	if err := c.vacuum(); err != nil {
		return err
	}
	s.step("checkpoint")
	if _, err := c.get(ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil { // most of it while others read
		return err
	}
	if err := s.emptyLog(ctx); err != nil {
		return err
	}
	s.step("wiped")
	return c.exec("DELETE FROM todo WHERE what='wipe'")
}

// emptyLog moves the write-ahead log into the database and cuts it to nothing,
// which can be done only while nobody reads.
func (s *Store) emptyLog(ctx context.Context) error {
	var idle []*conn
	defer func() {
		for _, c := range idle {
			s.readers <- c
		}
	}()
	for range maxReaders {
		select {
		case c := <-s.readers:
			idle = append(idle, c)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r, err := s.w.c.get(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err != nil {
		return err
	}
	if r.int(0) != 0 {
		return errors.New("another program reads the database")
	}
	return nil
}

// DamagedCopies lists the damaged databases that were moved aside, by their
// paths. Erasing does not touch them, so they may hold text that was erased
// later.
func (s *Store) DamagedCopies() ([]string, error) {
	all, err := filepath.Glob(filepath.Join(s.dir, dbName+".damaged-*"))
	return slices.DeleteFunc(all, func(p string) bool {
		return strings.HasSuffix(p, "-wal") || strings.HasSuffix(p, "-shm")
	}), err
}
