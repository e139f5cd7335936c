package store

import (
	"context"
	"errors"
	"slices"

	"inselnetz/crdt/log"
)

// A device that existed twice wrote two branches of one log. When a limit names
// the branch that is not held here, the other one makes room: its entries move
// to the table aside, the log ends before them, and sync brings the named ones.

// makeRoom moves what of a log is not on the chain its limit names aside, as far
// as that is known, and takes the named chain from aside if it is there.
func (t *tx) makeRoom(lg *logState) (fell bool, err error) {
	if !lg.pending() {
		return false, nil
	}
	chain, follows, joined, err := t.chainAside(lg)
	if err != nil {
		return false, err
	}
	if !joined && lg.last.Seq < lg.limit.Seq {
		return false, nil // it may be the named branch, of which more is to come
	}
	from := follows + 1
	if !joined {
		proof, err := t.forkedAt(lg)
		if err != nil {
			return false, err
		}
		if from = lg.limit.Seq; proof > 0 {
			from = min(from, proof)
		}
	}
	if from <= lg.last.Seq {
		if err := t.setAside(lg, from); err != nil {
			return false, err
		}
		fell = true
	}
	if !joined {
		return fell, nil
	}
	for _, e := range chain {
		if err := t.add(lg, e); err != nil {
			return fell, err
		}
		hash := e.Hash()
		if err := t.c.exec("DELETE FROM aside WHERE log=? AND seq=? AND hash=?", lg.lid[:], e.Seq, hash[:]); err != nil {
			return fell, err
		}
	}
	return fell, nil
}

// chainAside returns the entries set aside that lead to the one a limit names,
// and the number of the held entry they follow, if they do.
func (t *tx) chainAside(lg *logState) (chain []*log.Entry, follows uint64, joined bool, err error) {
	for at := lg.limit; at.Seq > 0; {
		r, err := t.c.get(context.Background(), "SELECT header, sig, payload FROM aside WHERE log=? AND seq=? AND hash=?", lg.lid[:], at.Seq, at.Hash[:])
		if errors.Is(err, ErrNotFound) {
			return nil, 0, false, nil
		}
		if err != nil {
			return nil, 0, false, err
		}
		e, err := parseEntry(int64(at.Seq), r, 0)
		if err != nil {
			return nil, 0, false, err
		}
		chain = append([]*log.Entry{e}, chain...)
		at = log.Height{Seq: e.Seq - 1, Hash: e.Prev}
		if at.Seq == 0 || at.Seq <= lg.last.Seq {
			held, err := t.hashAt(lg, at.Seq)
			if err != nil {
				return nil, 0, false, err
			}
			if held == at.Hash {
				return chain, at.Seq, true, nil
			}
		}
	}
	return nil, 0, false, nil
}

// hashAt returns the hash of a held entry; zero for number 0.
func (t *tx) hashAt(lg *logState, seq uint64) (log.Hash, error) {
	if seq == 0 {
		return log.Hash{}, nil
	}
	e, err := t.c.entry(context.Background(), atOf(lg.id, seq))
	if err != nil {
		return log.Hash{}, err
	}
	return e.Hash(), nil
}

// forkedAt returns the lowest number of what is held of a log for which there are
// two entries, 0 if none is known.
func (t *tx) forkedAt(lg *logState) (uint64, error) {
	r, err := t.c.get(context.Background(), "SELECT min(seq) FROM forks WHERE log=? AND seq<=?", lg.id, lg.last.Seq)
	if err != nil {
		return 0, err
	}
	return r.uint(0), nil
}

// setAside moves a log's entries from a number on aside. The order of the space
// is worked out anew, since others may have built on them.
func (t *tx) setAside(lg *logState, from uint64) error {
	ctx := context.Background()
	for seq := from; seq <= lg.last.Seq; seq++ {
		e, err := t.c.entry(ctx, atOf(lg.id, seq))
		if err != nil {
			return err
		}
		var payload any
		if e.Payload != nil {
			payload = e.Payload
		}
		hash := e.Hash()
		err = t.c.exec("INSERT OR REPLACE INTO aside(log, seq, hash, header, sig, payload) VALUES(?, ?, ?, ?, ?, ?)", lg.lid[:], seq, hash[:], e.Raw, e.Sig[:], payload)
		if err != nil {
			return err
		}
		delete(t.w.erased, atOf(lg.id, seq))
	}
	for _, q := range []string{"DELETE FROM entries WHERE at BETWEEN ? AND ?", "DELETE FROM sealed WHERE at BETWEEN ? AND ?", "DELETE FROM files WHERE at BETWEEN ? AND ?", "DELETE FROM documents WHERE at BETWEEN ? AND ?", "DELETE FROM posted WHERE at BETWEEN ? AND ?"} {
		if err := t.c.exec(q, atOf(lg.id, from), atOf(lg.id, lg.last.Seq)); err != nil {
			return err
		}
	}
	t.s.log.Warn("part of a log is of another branch than counts and was set aside", "log", lg.lid, "from", from, "to", lg.last.Seq)
	lg.last, lg.clock, lg.own = log.Height{}, 0, 0
	if from > 1 {
		e, err := t.c.entry(ctx, atOf(lg.id, from-1))
		if err != nil {
			return err
		}
		lg.last, lg.clock = log.Height{Seq: e.Seq, Hash: e.Hash()}, e.HLC
	}
	t.applied.fell = append(t.applied.fell, lg.card)
	if err := t.forgetKept(lg.card.Space); err != nil {
		return err
	}
	if err := t.restamp(lg.card.Space); err != nil {
		return err
	}
	return t.keepLimit(lg)
}

// maxGiven is how often a log gives way to entries of which it is not certain
// that they lead to the named one: whoever has the device's key can sign as many
// branches as they like. Going back twice as far each time, it is enough for any
// log.
const maxGiven = 40

// leads reports whether a run holds the entry that the log's limit names.
func (lg *logState) leads(run []*log.Entry) bool {
	return slices.ContainsFunc(run, func(e *log.Entry) bool { return e.Seq == lg.limit.Seq && e.Hash() == lg.limit.Hash })
}

// giveWay makes room in a log whose limit names an entry that is not held, when
// entries came that are of another branch than is held. first is the first number
// at which they are known to differ; 0 if they only do not follow.
func (s *Store) giveWay(lg *logState, first uint64) error {
	a, err := s.write(false, func(t *tx) error {
		lg := t.edit(lg.lid)
		if first == 0 {
			var err error
			if first, err = t.forkedAt(lg); err != nil {
				return err
			}
		}
		if first == 0 { // twice as far back each time
			r, err := t.c.get(context.Background(), "SELECT count(*) FROM aside WHERE log=?", lg.lid[:])
			if err != nil {
				return err
			}
			back := max(1, r.uint(0))
			first = lg.last.Seq + 1 - min(back, lg.last.Seq)
		}
		return t.setAside(lg, first)
	})
	s.report(a)
	return err
}
