package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"inselnetz/crdt/log"
)

// unfinished returns the damaged database from which a program that was
// stopped had not yet taken everything over; empty if there is none.
func (s *Store) unfinished() (string, error) {
	name, err := os.ReadFile(filepath.Join(s.dir, salvageName))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if base := string(name); base == filepath.Base(base) && strings.HasPrefix(base, dbName+".damaged-") {
		return filepath.Join(s.dir, base), nil
	}
	return "", nil // a note cut short: nothing was moved yet
}

// begin notes that a salvage is under way, before anything is moved.
func (s *Store) begin() (string, error) {
	name := dbName + ".damaged-" + s.opts.Now().UTC().Format("20060102-150405")
	aside := filepath.Join(s.dir, name)
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, os.ErrNotExist) {
			break
		}
		aside = filepath.Join(s.dir, fmt.Sprintf("%s-%d", name, n))
	}
	f, err := os.Create(filepath.Join(s.dir, salvageName))
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := f.WriteString(filepath.Base(aside)); err != nil {
		return "", err
	}
	return aside, f.Sync()
}

// moveAside gives the damaged files another name, the database last: once it
// has its new name, what lies at the old one is only what an earlier attempt
// had taken over, and goes.
func (s *Store) moveAside(aside string) error {
	if _, err := os.Lstat(aside); err == nil {
		for _, end := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(s.path() + end); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("remove unfinished database: %w", err)
			}
		}
		return nil
	}
	for _, end := range []string{"-wal", "-shm", ""} {
		s.step("aside" + end)
		err := os.Rename(s.path()+end, aside+end)
		if errors.Is(err, os.ErrNotExist) && end == "" { // only the write-ahead log is left
			err = os.WriteFile(aside, nil, 0o600)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("move damaged database aside: %w", err)
		}
	}
	if err := os.Remove(filepath.Join(s.dir, suspectName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// end notes that everything was taken over, once that is safe on disk.
func (s *Store) end() error {
	s.step("salvaged")
	s.turn.Lock()
	_, err := s.write(true, func(t *tx) error {
		return t.c.exec("DELETE FROM sealed WHERE at<0") // anything: this commit waits for those before it
	})
	s.turn.Unlock()
	if err != nil {
		return err
	}
	return os.Remove(filepath.Join(s.dir, salvageName))
}

// A find is what salvage has seen of the logs and values in a damaged file.
type find struct {
	cards  map[log.LogID]log.Card
	ends   map[log.LogID]uint64 // where logs ended, as far as was noted
	values map[string]value
	vers   map[string]uint64
}

// salvage takes over what can be read of a damaged database.
func (s *Store) salvage(aside string) (Report, error) {
	r := Report{Lost: true}
	p, err := openPages(aside)
	if err != nil {
		return r, err
	}
	defer p.close()
	c := s.w.c
	if err := c.script("CREATE TABLE found(log BLOB, seq INTEGER, header BLOB, sig BLOB, payload BLOB);"); err != nil {
		return r, err
	}
	f := &find{cards: map[log.LogID]log.Card{}, ends: map[log.LogID]uint64{}, values: map[string]value{}, vers: map[string]uint64{}}
	if err := s.gather(p, f); err != nil {
		return r, err
	}
	if err := c.script("CREATE INDEX found_at ON found(log, seq);"); err != nil {
		return r, err
	}
	if err := s.keepValues(f); err != nil {
		return r, err
	}
	whole := len(f.ends) > 0
	for _, id := range slices.SortedFunc(maps.Keys(f.cards), func(a, b log.LogID) int { return bytes.Compare(a[:], b[:]) }) {
		n, err := s.restore(f.cards[id])
		if err != nil {
			return r, err
		}
		r.Salvaged += n
		if end, ok := f.ends[id]; !ok || uint64(n) < end {
			whole = false
		}
	}
	for id := range f.ends {
		if _, ok := f.cards[id]; !ok {
			whole = false
		}
	}
	r.Lost = !whole
	if err := s.tidy(); err != nil {
		return r, err
	}
	s.log.Warn("took entries over from the damaged database", "entries", r.Salvaged, "lost", r.Lost, "file", aside)
	return r, nil
}

// gather sorts the rows of all pages into what they can be.
func (s *Store) gather(p *pages, f *find) error {
	c := s.w.c
	if err := c.script("BEGIN"); err != nil {
		return err
	}
	var failed error
	p.each(func(v []value) {
		if failed == nil {
			failed = s.sort(v, f)
		}
	})
	if failed != nil {
		c.script("ROLLBACK")
		return failed
	}
	return c.script("COMMIT")
}

// sort recognises a row by its columns, as the tables of schema have them.
func (s *Store) sort(v []value, f *find) error {
	kinds := make([]byte, len(v))
	for i := range v {
		kinds[i] = v[i].kind
	}
	switch {
	case len(v) == 6 && kinds[1] == 3 && kinds[2] == 3 && (kinds[3] == 3 || kinds[3] == 0): // entries
		if card, ok := decodeCard(v[5].data); ok && kinds[5] == 3 {
			f.cards[card.ID()] = card
		}
		var payload []byte
		if kinds[3] == 3 {
			payload = append([]byte{}, v[3].data...)
		}
		e, err := log.FromParts(v[1].data, v[2].data, payload)
		if err != nil {
			return nil
		}
		var stored any
		if payload != nil {
			stored = payload
		}
		return s.w.c.exec("INSERT INTO found(log, seq, header, sig, payload) VALUES(?, ?, ?, ?, ?)", e.Log[:], e.Seq, e.Raw, e.Sig[:], stored)
	case len(v) == 6 && kinds[0] == 3 && kinds[1] == 1 && kinds[2] == 3 && kinds[3] == 3 && kinds[4] == 3: // aside
		return s.keepAside(v)
	case len(v) == 1 && kinds[0] == 3 && len(v[0].data) == len(log.LogID{}): // dropped
		s.w.dropped[log.LogID(v[0].data)] = struct{}{}
		return s.w.c.exec("INSERT OR IGNORE INTO dropped(log) VALUES(?)", v[0].data)
	case len(v) == 5 && kinds[1] == 3 && kinds[2] == 1 && kinds[3] == 1: // logs
		if card, ok := decodeCard(v[1].data); ok {
			f.cards[card.ID()] = card
			f.ends[card.ID()] = max(f.ends[card.ID()], uint64(max(v[2].num, 0)))
		}
	case len(v) == 4 && kinds[0] == 2 && kinds[1] == 1 && (kinds[2] == 3 || kinds[2] == 0) && kinds[3] == 3: // vals
		key, version := string(v[0].data), uint64(v[1].num)
		var val []byte
		if kinds[2] == 3 {
			val = append([]byte{}, v[2].data...)
		}
		if bytes.Equal(valueSum(key, version, val), v[3].data) && version >= f.vers[key] {
			f.values[key], f.vers[key] = value{kind: kinds[2], data: val}, version
		}
	}
	return nil
}

// keepAside takes over an entry that was set aside.
func (s *Store) keepAside(v []value) error {
	var payload []byte
	var stored any
	if v[5].kind == 3 {
		payload = append([]byte{}, v[5].data...)
		stored = payload
	}
	e, err := log.FromParts(v[3].data, v[4].data, payload)
	if err != nil {
		return nil
	}
	hash := e.Hash()
	if !bytes.Equal(v[0].data, e.Log[:]) || !bytes.Equal(v[2].data, hash[:]) {
		return nil
	}
	return s.w.c.exec("INSERT OR REPLACE INTO aside(log, seq, hash, header, sig, payload) VALUES(?, ?, ?, ?, ?, ?)", e.Log[:], e.Seq, hash[:], e.Raw, e.Sig[:], stored)
}

func (s *Store) keepValues(f *find) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	_, err := s.write(true, func(t *tx) error {
		for key, v := range f.values {
			if err := t.put(key, f.vers[key], v.data); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// restore imports what was found of a log, from where it ends to the next gap,
// and returns where it ends then.
func (s *Store) restore(card log.Card) (int, error) {
	ctx, c, id := context.Background(), s.w.c, card.ID()
	at := s.Heights(card.Space)[id]
	var run []*log.Entry
	for {
		var next *log.Entry
		s.turn.Lock()
		err := c.query(ctx, "SELECT header, sig, payload FROM found WHERE log=? AND seq=?", []any{id[:], at.Seq + 1}, func(r row) error {
			e, err := parseEntry(int64(at.Seq+1), r, 0)
			if err != nil || e.Extends(at) != nil || e.Verify(card.Device) != nil {
				return nil
			}
			if next == nil || next.Payload == nil {
				next = e
			}
			return nil
		})
		s.turn.Unlock()
		if err != nil {
			return 0, s.note(err)
		}
		if next != nil {
			run = append(run, next)
			at = log.Height{Seq: next.Seq, Hash: next.Hash()}
		}
		if len(run) == log.MaxRun || next == nil && len(run) > 0 {
			if _, err := s.importRun(ctx, card, run, false, true); err != nil {
				return 0, fmt.Errorf("take over entries: %w", err)
			}
			run = nil
		}
		if next == nil {
			return int(at.Seq), nil
		}
	}
}

// tidy forgets what was found and is held by now. Entries after a gap stay: a
// peer may fill it.
func (s *Store) tidy() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	for id, lg := range s.logs {
		if err := s.w.c.exec("DELETE FROM found WHERE log=? AND seq<=?", id[:], lg.last.Seq); err != nil {
			return s.note(err)
		}
	}
	r, err := s.w.c.get(context.Background(), "SELECT count(*) FROM found")
	if err != nil {
		return s.note(err)
	}
	left := r.int(0) > 0
	s.found.Store(left)
	if left {
		return nil
	}
	s.w.c.forget()
	return s.note(s.w.c.script("DROP TABLE found"))
}

// resume goes on with what was found after a gap in a log that grew.
func (s *Store) resume(card log.Card) error {
	if !s.found.Load() {
		return nil
	}
	before := s.Heights(card.Space)[card.ID()].Seq
	end, err := s.restore(card)
	if err != nil || uint64(end) == before {
		return err
	}
	return s.tidy()
}
