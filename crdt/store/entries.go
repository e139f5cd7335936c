package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"inselnetz/crdt/log"
)

// Spaces returns the spaces with at least one log, in ascending order.
func (s *Store) Spaces() []log.SpaceID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []log.SpaceID
	for _, lg := range s.logs {
		if lg.last.Seq > 0 && !slices.Contains(out, lg.card.Space) {
			out = append(out, lg.card.Space)
		}
	}
	slices.SortFunc(out, func(a, b log.SpaceID) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// Heights returns a copy of the heights of a space's logs.
func (s *Store) Heights(space log.SpaceID) log.Heights {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := log.Heights{}
	for id, lg := range s.logs {
		if lg.card.Space == space && lg.last.Seq > 0 {
			out[id] = lg.last
		}
	}
	return out
}

// Card returns the identity of a log held here.
func (s *Store) Card(id log.LogID) (log.Card, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	lg := s.logs[id]
	if lg == nil {
		return log.Card{}, false
	}
	return lg.card, true
}

// Cards returns the identities of a space's logs, in ascending order of log.
func (s *Store) Cards(space log.SpaceID) []log.Card {
	var out []log.Card
	for _, lg := range s.logsOf(space) {
		out = append(out, lg.card)
	}
	return out
}

func (s *Store) logsOf(space log.SpaceID) []*logState {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*logState
	for _, lg := range s.logs {
		if lg.card.Space == space {
			out = append(out, lg)
		}
	}
	slices.SortFunc(out, func(a, b *logState) int { return bytes.Compare(a.lid[:], b.lid[:]) })
	return out
}

// Control returns all entries of the control space, log by log.
func (s *Store) Control(ctx context.Context) ([]Stored, error) {
	var out []Stored
	err := s.read(ctx, func(c *conn) error {
		for _, lg := range s.logsOf(log.Control) {
			err := c.query(ctx, "SELECT header, sig, payload, at FROM entries WHERE at BETWEEN ? AND ? ORDER BY at",
				[]any{atOf(lg.id, 1), atOf(lg.id, lg.last.Seq)}, func(r row) error {
					e, err := parseEntry(r.int(3), r, 0)
					out = append(out, Stored{lg.card, e})
					return err
				})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// Entries returns encoded entries of a log, in order, at least one and as many
// as fit in max bytes, not past to. The signature of the last one was checked.
func (s *Store) Entries(ctx context.Context, id log.LogID, from, to uint64, max int) ([][]byte, error) {
	s.mu.RLock()
	lg := s.logs[id]
	s.mu.RUnlock()
	if lg == nil || from < 1 || from > to || from > lg.last.Seq {
		return nil, fmt.Errorf("entries %d to %d of log %s: %w", from, to, id, ErrNotFound)
	}
	to = min(to, lg.last.Seq)
	var run []*log.Entry
	var out [][]byte
	size := 0
	err := s.read(ctx, func(c *conn) error {
		return c.query(ctx, "SELECT header, sig, payload, at FROM entries WHERE at BETWEEN ? AND ? ORDER BY at",
			[]any{atOf(lg.id, from), atOf(lg.id, to)}, func(r row) error {
				e, err := parseEntry(r.int(3), r, 0)
				if err != nil {
					return err
				}
				// What the disk spoiled must not make us look hostile.
				if n := len(run); e.Log != id || e.Seq != from+uint64(n) || n > 0 && e.Prev != run[n-1].Hash() {
					return fmt.Errorf("%w: entry %d is not the one stored", ErrDamaged, e.Seq)
				}
				b := e.Bytes()
				if size += len(b); size > max && len(run) > 0 {
					return errStop
				}
				run, out = append(run, e), append(out, b)
				return nil
			})
	})
	if err == nil && len(run) == 0 { // the log has become shorter meanwhile
		err = fmt.Errorf("entries %d to %d of log %s: %w", from, to, id, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	// The last signature speaks for the run. One further back may be wrong: it
	// was not looked at when the entry came with others.
	for n := len(run); n > 0; n-- {
		if run[n-1].Verify(lg.card.Device) == nil {
			return out[:n], nil
		}
	}
	return nil, fmt.Errorf("entries of log %s from %d: %w", id, from, log.ErrSignature)
}
