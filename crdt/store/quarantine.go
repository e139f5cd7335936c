package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// Quarantined returns what lies beyond the limits of logs, log by log.
func (s *Store) Quarantined(ctx context.Context) ([]Quarantine, error) {
	s.mu.RLock()
	reader := s.reader
	var logs []*logState
	for _, lg := range s.logs {
		if lg.card.Space != log.Control {
			logs = append(logs, lg)
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(logs, func(a, b *logState) int { return bytes.Compare(a.lid[:], b.lid[:]) })
	var out []Quarantine
	err := s.read(ctx, func(c *conn) error {
		for _, lg := range logs {
			q := Quarantine{Card: lg.card, Limit: lg.limit, Last: lg.last}
			see := func(at int64, r row) error { return q.add(reader, lg, at, r) }
			if lg.beyond(lg.last.Seq) {
				q.Entries = int(lg.last.Seq - lg.limit.Seq)
				err := c.query(ctx, "SELECT header, sig, payload, at FROM entries WHERE at>? AND at<=? ORDER BY at",
					[]any{atOf(lg.id, lg.limit.Seq), atOf(lg.id, lg.last.Seq)}, func(r row) error {
						if len(q.Messages) == MaxQuarantined {
							return errStop
						}
						return see(r.int(3), r)
					})
				if err != nil {
					return err
				}
			}
			err := c.query(ctx, "SELECT header, sig, payload, seq FROM aside WHERE log=? ORDER BY seq", []any{lg.lid[:]}, func(r row) error {
				q.Aside++
				return see(r.int(3), r)
			})
			if err != nil {
				return err
			}
			if q.Entries+q.Aside > 0 {
				out = append(out, q)
			}
		}
		return nil
	})
	return out, err
}

// add names the messages of an entry.
func (q *Quarantine) add(reader Reader, lg *logState, at int64, r row) error {
	if len(q.Messages) >= MaxQuarantined || r[2] == nil {
		return nil
	}
	e, err := parseEntry(at, r, 0)
	if err != nil || e.Kind != log.KindChat {
		return err
	}
	ops, _, _ := understand(reader, lg.card, e)
	for n, op := range ops {
		if p, ok := op.(chat.Post); ok && len(q.Messages) < MaxQuarantined {
			q.Messages = append(q.Messages, QuarantinedMessage{
				ID: chat.MsgID{Log: lg.lid, Seq: e.Seq, N: uint32(n)}, Channel: p.Channel, Text: p.Text, At: e.HLC.Millis(),
			})
		}
	}
	return nil
}

// Related returns the held entries with text of a message: its post and every
// edit of it by the same person, also those that lost, are in quarantine or set
// aside. Entries erased already are not among them.
func (s *Store) Related(ctx context.Context, id chat.MsgID) ([]Ref, error) {
	s.mu.RLock()
	reader, post := s.reader, s.logs[id.Log]
	s.mu.RUnlock()
	f := &family{id: id, reader: reader, post: post}
	err := s.read(ctx, func(c *conn) error {
		if post != nil && id.Seq >= 1 && id.Seq <= post.last.Seq {
			if err := f.take(ctx, c, post, id.Seq); err != nil {
				return err
			}
		}
		var ats []int64
		err := c.query(ctx, "SELECT at FROM acts WHERE target=? AND kind=? ORDER BY at", []any{packMsg(id), actEdit}, func(r row) error {
			ats = append(ats, r.int(0))
			return nil
		})
		if err != nil {
			return err
		}
		for _, at := range ats {
			local, seq := splitAt(at)
			s.mu.RLock()
			lg := s.byID[local]
			s.mu.RUnlock()
			if lg == nil {
				return fmt.Errorf("%w: operation of no log", ErrDamaged)
			}
			if err := f.take(ctx, c, lg, seq); err != nil {
				return err
			}
		}
		return c.query(ctx, "SELECT header, sig, payload, seq, log FROM aside WHERE payload IS NOT NULL ORDER BY log, seq", nil, func(r row) error {
			e, err := parseEntry(r.int(3), r, 0)
			if err != nil {
				return err
			}
			s.mu.RLock()
			lg := s.logs[log.LogID(r.id(4))]
			s.mu.RUnlock()
			if lg != nil && f.speaks(lg, e) {
				f.add(lg, e)
			}
			return nil
		})
	})
	return f.refs, err
}

// A family is a message's entries as far as they are gathered.
type family struct {
	id     chat.MsgID
	reader Reader
	post   *logState // nil if nothing of the message's log is held
	refs   []Ref
}

// take adds an entry of a log, unless it is erased or of another person.
func (f *family) take(ctx context.Context, c *conn, lg *logState, seq uint64) error {
	at := atOf(lg.id, seq)
	r, err := c.get(ctx, "SELECT header, sig, payload FROM entries WHERE at=?", at)
	if errors.Is(err, ErrNotFound) {
		return nil // the log became shorter meanwhile
	}
	if err != nil {
		return err
	}
	e, err := parseEntry(at, r, 0)
	if err != nil {
		return err
	}
	if e.Payload != nil && f.same(lg) {
		f.add(lg, e)
	}
	return nil
}

func (f *family) add(lg *logState, e *log.Entry) {
	ref := Ref{Card: lg.card, Seq: e.Seq, Hash: e.Hash()}
	if !slices.Contains(f.refs, ref) {
		f.refs = append(f.refs, ref)
	}
}

// same reports whether a log is of the person who wrote the message, or may be.
func (f *family) same(lg *logState) bool {
	if f.post == nil || f.reader == nil || lg == f.post {
		return true
	}
	a, okA := f.reader.Person(f.post.card.Device)
	b, okB := f.reader.Person(lg.card.Device)
	return (!okA || !okB || a == b) && lg.card.Space == f.post.card.Space
}

// speaks reports whether an entry set aside posts or edits the message.
func (f *family) speaks(lg *logState, e *log.Entry) bool {
	if lg.lid == f.id.Log && e.Seq == f.id.Seq {
		return true
	}
	ops, _, _ := understand(f.reader, lg.card, e)
	return f.same(lg) && slices.ContainsFunc(ops, func(op chat.Op) bool {
		edit, ok := op.(chat.Edit)
		return ok && edit.Message == f.id
	})
}
