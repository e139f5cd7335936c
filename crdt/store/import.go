package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"inselnetz/crdt/log"
)

// Import adds entries of one log, in order. It checks that they continue the
// log, and their signatures: of all when live, else one a run. Entries held
// already are skipped. An entry without its payload is refused with ErrStripped,
// unless the Reader says it may come so: nobody strips messages. On an error some of the entries
// may have been stored.
func (s *Store) Import(ctx context.Context, card log.Card, entries []*log.Entry, live bool) (Applied, error) {
	a, err := s.importRun(ctx, card, entries, live, false)
	if err == nil && a.Entries > 0 && s.found.Load() {
		if err := s.resume(card); err != nil {
			s.log.Warn("going on after a gap", "err", err)
		}
		a.Height = s.Heights(card.Space)[card.ID()]
	}
	return a, err
}

// importRun imports entries, those of a damaged file also without payload.
func (s *Store) importRun(ctx context.Context, card log.Card, entries []*log.Entry, live, salvaged bool) (Applied, error) {
	var sum Applied
	id := card.ID()
	for len(entries) > 0 {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		n := min(len(entries), maxStep)
		a, err := s.importStep(card, id, entries[:n], live, salvaged)
		sum.join(a)
		sum.Height = a.Height
		if err != nil {
			return sum, err
		}
		entries = entries[n:]
		if err := s.rest(ctx, &sum); err != nil {
			return sum, err
		}
	}
	if sum.reopen {
		a, err := s.retry(ctx, nil)
		sum.join(a)
		return sum, err
	}
	return sum, nil
}

func (s *Store) importStep(card log.Card, id log.LogID, run []*log.Entry, live, salvaged bool) (Applied, error) {
	s.mu.RLock()
	var held log.Height
	if lg := s.logs[id]; lg != nil {
		held = lg.last
	}
	s.mu.RUnlock()
	if run[0].Seq > held.Seq+1 {
		return Applied{Height: held}, fmt.Errorf("%w: at %d, offered from %d", ErrBehind, held.Seq, run[0].Seq)
	}
	// Signatures take the longest and need no turn at writing.
	skip := 0
	for skip < len(run) && run[skip].Seq <= held.Seq {
		skip++
	}
	if err := verify(card.Device, id, run[skip:], live); err != nil {
		return Applied{Height: held}, err
	}
	s.imports.Lock() // one import at a time waits for its turn, so own entries wait for one at most
	defer s.imports.Unlock()
	s.turn.Lock()
	defer s.turn.Unlock()
	if !salvaged {
		if err := s.unstripped(card, run); err != nil {
			return Applied{Height: held}, err
		}
	}
	known, err := s.meet(card, id, run)
	held = log.Height{} // it may have changed
	if lg := s.logs[id]; lg != nil {
		held = lg.last
	}
	if err != nil || known == len(run) {
		return Applied{Height: held}, err
	}
	if known < skip { // the log became shorter meanwhile
		if err := verify(card.Device, id, run[known:], live); err != nil {
			return Applied{Height: held}, err
		}
	}
	if s.offBranch(card, run[known:]) {
		return Applied{Height: held}, fmt.Errorf("%w: another branch counts", ErrFork)
	}
	a, err := s.write(false, func(t *tx) error {
		lg, err := t.enter(card)
		if err != nil {
			return err
		}
		for i := known; i < len(run); i++ {
			if err := t.add(lg, run[i]); err != nil {
				return err
			}
		}
		t.applied.Height = lg.last
		return nil
	})
	if err != nil {
		a.Height = held
	}
	return a, err
}

// unstripped refuses entries without payload that may not come so.
func (s *Store) unstripped(card log.Card, run []*log.Entry) error {
	r := s.w.reader
	for _, e := range run {
		if e.Payload == nil && (r == nil || card.Space == log.Control || !r.Stripped(card, e.Seq, e.Hash())) {
			return fmt.Errorf("%w: entry %d", ErrStripped, e.Seq)
		}
	}
	return nil
}

// offBranch reports whether a run leads past another entry than the one that the
// log's limit names at its place.
func (s *Store) offBranch(card log.Card, run []*log.Entry) bool {
	if s.w.reader == nil || card.Space == log.Control {
		return false
	}
	at, cut := s.w.reader.Limit(card)
	return cut && slices.ContainsFunc(run, func(e *log.Entry) bool { return e.Seq == at.Seq && e.Hash() != at.Hash })
}

// meet returns how many entries of a run are held already, and checks that the
// next one continues the log. A log of which another branch counts than is held
// gives way. The caller holds turn.
func (s *Store) meet(card log.Card, id log.LogID, run []*log.Entry) (known int, err error) {
	for again := true; ; again = false {
		lg := s.logs[id]
		if lg == nil {
			lg = &logState{}
		}
		for known = 0; known < len(run) && run[known].Seq <= lg.last.Seq; known++ {
		}
		var first uint64
		if known > 0 {
			first, err = s.compare(card, id, run[:known])
		} else {
			err = nil
		}
		if err == nil && known < len(run) {
			switch next := run[known]; {
			case next.Seq > lg.last.Seq+1:
				err = fmt.Errorf("%w: at %d, offered from %d", ErrBehind, lg.last.Seq, next.Seq)
			case next.Extends(lg.last) == nil:
			case next.Verify(card.Device) == nil:
				err = fmt.Errorf("%w: entry %d follows another one than is held", ErrFork, next.Seq)
			default:
				err = next.Extends(lg.last)
			}
		}
		if !again || !errors.Is(err, ErrFork) || !lg.pending() || lg.last.Seq == 0 || s.offBranch(card, run) {
			return known, err
		}
		if !lg.leads(run) {
			if s.w.given[id] >= maxGiven {
				return known, err
			}
			s.w.given[id]++
		}
		if e := s.giveWay(lg, first); e != nil {
			return known, e
		}
	}
}

// verify checks a run's links and signatures.
func verify(by log.DeviceID, id log.LogID, run []*log.Entry, live bool) error {
	if len(run) == 0 {
		return nil
	}
	_, err := log.VerifyRun(by, id, log.Height{Seq: run[0].Seq - 1, Hash: run[0].Prev}, run)
	if err != nil || !live {
		return err
	}
	for _, e := range run[:len(run)-1] { // the last one's was checked
		if err := e.Verify(by); err != nil {
			return err
		}
	}
	return nil
}

// compare looks whether entries of a log are the ones held. If not, and both
// are signed, the device wrote two at one place, and the proof is stored; first
// is the number of that place. The caller holds turn.
func (s *Store) compare(card log.Card, id log.LogID, run []*log.Entry) (first uint64, err error) {
	ctx := context.Background()
	lg := s.logs[id]
	last := run[len(run)-1]
	if last.Log != id {
		return 0, fmt.Errorf("%w: another log in a run", log.ErrChain)
	}
	ours, err := s.w.c.entry(ctx, atOf(lg.id, last.Seq))
	if err != nil {
		return 0, s.note(err)
	}
	if ours.Hash() == last.Hash() {
		return 0, nil // and so all before it, or they would not link
	}
	bad := error(nil)
	for _, e := range run {
		ours, err := s.w.c.entry(ctx, atOf(lg.id, e.Seq))
		if err != nil {
			return 0, s.note(err)
		}
		if ours.Hash() == e.Hash() {
			continue
		}
		proof := log.NewForkProof(ours, e)
		if bad = proof.Check(card.Device); bad != nil {
			continue
		}
		raw, err := encodeProof(proof)
		if err != nil {
			return 0, err
		}
		_, err = s.write(false, func(t *tx) error {
			return t.c.exec("INSERT OR IGNORE INTO forks(log, seq, proof) VALUES(?, ?, ?)", lg.id, e.Seq, raw)
		})
		if err != nil {
			return 0, err
		}
		return e.Seq, fmt.Errorf("%w: entry %d of log %s", ErrFork, e.Seq, id)
	}
	return 0, bad
}

// entry reads an entry and checks that it is the one that was stored there.
func (c *conn) entry(ctx context.Context, at int64) (*log.Entry, error) {
	r, err := c.get(ctx, "SELECT header, sig, payload FROM entries WHERE at=?", at)
	if err != nil {
		return nil, fmt.Errorf("read entry: %w", damagedIf(err, ErrNotFound))
	}
	return parseEntry(at, r, 0)
}

// parseEntry reads an entry from three columns of a row.
func parseEntry(at int64, r row, i int) (*log.Entry, error) {
	payload := r.bytes(i + 2)
	if payload == nil && r[i+2] != nil {
		payload = []byte{}
	}
	e, err := log.FromParts(r.bytes(i), r.bytes(i+1), payload)
	if err != nil {
		return nil, fmt.Errorf("%w: stored entry: %w", ErrDamaged, err)
	}
	if _, seq := splitAt(at); e.Seq != seq {
		return nil, fmt.Errorf("%w: entry %d is stored as %d", ErrDamaged, e.Seq, seq)
	}
	return e, nil
}

// damagedIf turns an error that cannot be, unless the database is damaged.
func damagedIf(err, impossible error) error {
	if errors.Is(err, impossible) {
		return fmt.Errorf("%w: an entry is missing", ErrDamaged)
	}
	return err
}
