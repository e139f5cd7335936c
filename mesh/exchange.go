package mesh

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"inselnetz/crdt/log"
)

// plan asks a peer for what it has and we lack, as far as its credit goes.
func (l *loop) plan(s *session, now time.Time) {
	for !s.ended && len(s.asks) < wants(s.size) && s.load+s.size <= credit {
		list, next := s.candidates(l.heldOf, l.fetches, now)
		l.wake(next)
		if s.slow {
			list = slices.DeleteFunc(list, func(c candidate) bool { return l.quicker(s, c, now) })
		}
		ranges := fill(list, s.size)
		if len(ranges) == 0 {
			return
		}
		for _, r := range ranges {
			f := l.fetches[r.Log]
			if f == nil {
				f = &fetch{from: s, upTo: r.From - 1}
				l.fetches[r.Log] = f
			}
			f.asked = true
		}
		s.askNumber++
		a := &ask{id: s.askNumber, ranges: ranges, max: s.size, at: now}
		s.asks[a.id] = a
		s.load += a.max
		l.wake(now.Add(wantTime))
		l.send(s, wantFrame{Type: typeWant, ID: a.id, Max: uint64(a.max), Ranges: ranges})
	}
}

// quicker reports whether a log can be had from another peer than a slow one. As
// only one peer at a time is asked for a log, a slow one would keep it to its end.
func (l *loop) quicker(than *session, c candidate, now time.Time) bool {
	return slices.ContainsFunc(l.order, func(s *session) bool {
		v := s.views[c.space]
		if s == than || s.slow || v == nil {
			return false
		}
		k := v.lacking[c.Log]
		return k != nil && !k.after.After(now) && v.theirs[c.Log].Seq >= c.From
	})
}

// planAll asks again where a log came free.
func (l *loop) planAll(now time.Time) {
	for _, s := range slices.Clone(l.order) {
		l.plan(s, now)
	}
}

// unanswered frees what a peer was asked for and did not send in time.
func (l *loop) unanswered(s *session, a *ask, now time.Time) {
	delete(s.asks, a.id)
	s.load -= a.max
	s.size = max(s.size/2, leastWant)
	s.slow = true
	for _, r := range a.ranges {
		l.release(s, r.Log)
		l.putOff(s, r.Log, now, func(k *lack) { k.after = now.Add(wantTime) })
	}
	l.due = now
}

// release says that no want for a log is on its way any more.
func (l *loop) release(s *session, id log.LogID) {
	f := l.fetches[id]
	if f == nil || f.from != s {
		return
	}
	if f.asked = false; f.pending == 0 {
		delete(l.fetches, id)
	}
}

func (l *loop) putOff(s *session, id log.LogID, now time.Time, how func(*lack)) {
	for _, v := range s.views {
		if k := v.lacking[id]; k != nil {
			how(k)
			l.wake(k.after)
		}
	}
}

func (l *loop) gotBatch(s *session, f *batchFrame, now time.Time) {
	a := s.asks[f.ID]
	if a == nil {
		return // too late; it was given up
	}
	delete(s.asks, f.ID)
	s.load -= a.max
	took := now.Sub(a.at) - s.best
	s.size, s.slow = resize(s.size, took), took > slowAnswer
	rest := slices.Clone(a.ranges)
	for _, p := range f.Parts {
		card := p.Card.Unpack()
		i := slices.IndexFunc(rest, func(r log.Range) bool { return r.Log == card.ID() })
		if i < 0 || s.views[card.Space] == nil || uint64(len(p.Entries)) > rest[i].To-rest[i].From+1 {
			l.hostile(s, fmt.Errorf("batch with what was not asked for"))
			return
		}
		l.take(s, card, rest[i], p.Entries)
		rest = slices.Delete(rest, i, i+1)
	}
	for _, r := range rest {
		l.release(s, r.Log)
		if len(f.Parts) == 0 {
			l.putOff(s, r.Log, now, func(k *lack) { k.failed(now) })
		}
	}
	l.due = now
	l.plan(s, now)
}

// take queues entries that were asked for.
func (l *loop) take(s *session, card log.Card, r log.Range, entries [][]byte) {
	f := l.fetches[r.Log]
	if f == nil || f.from != s {
		return
	}
	n := 0
	for _, e := range entries {
		n += len(e)
	}
	f.asked = false
	f.upTo = r.From + uint64(len(entries)) - 1
	f.pending++
	f.bulk++
	s.load += n
	s.in.put(job{card: card, fetch: f, entries: entries, to: f.upTo, bytes: n, count: 1})
}

// gotPush takes an entry that was just made, if it is the next one here.
func (l *loop) gotPush(s *session, p *pushed, now time.Time) {
	v := s.views[p.card.Space]
	if v == nil {
		return
	}
	l.holds(s, v.merge([]logHeight{{Log: p.id, Seq: p.at.Seq, Hash: p.at.Hash}}))
	held := l.heldOf(p.card.Space)
	v.compare(p.id, held[p.id], time.Time{})
	f := l.fetches[p.id]
	switch {
	case f == nil && p.at.Seq == held[p.id].Seq+1:
		f = &fetch{from: s}
	case f != nil && f.from == s && !f.asked && f.pending > 0 && !f.dead.Load() && p.at.Seq == f.upTo+1:
	default:
		l.plan(s, now)
		return
	}
	if s.in.put(job{card: p.card, fetch: f, entries: [][]byte{p.entry}, live: true, to: p.at.Seq, bytes: len(p.entry), count: 1}) {
		f.upTo = p.at.Seq
		f.pending++
		l.fetches[p.id] = f
	}
}

// imported takes the outcome of a job.
func (l *loop) imported(s *session, j job, at log.Height, err error) {
	now := time.Now()
	id := j.card.ID()
	f := j.fetch
	f.pending -= j.count
	if !j.live {
		f.bulk -= j.count
		s.load -= j.bytes
	}
	grown := at.Seq > 0 && l.grew(j.card.Space, id, at)
	if l.fetches[id] == f && f.pending == 0 && !f.asked {
		delete(l.fetches, id)
	}
	if grown && j.card.Space == log.Control {
		l.controlGrew(now)
	}
	switch {
	case err == nil:
		l.putOff(s, id, now, func(k *lack) { k.fails, k.behind = 0, false })
	case errors.Is(err, errStale):
	case errors.Is(err, ErrHostile):
		l.hostile(s, err)
	case l.ctx.Err() != nil:
	default:
		l.refused(s, j, id, err, now)
	}
	l.planAll(now)
}

// refused puts off a log that did not go in, longer each time.
func (l *loop) refused(s *session, j job, id log.LogID, err error, now time.Time) {
	l.log.Debug("import put off", "peer", s.peer, "err", err)
	l.look(j.card.Space, now)
	l.putOff(s, id, now, func(k *lack) {
		k.failed(now)
		k.ctl = errors.Is(err, ErrNeedControl)
		k.behind = errors.Is(err, ErrBehind) && k.fails > 1
	})
	v := s.views[log.Control]
	if errors.Is(err, ErrNeedControl) && v != nil && now.Sub(v.asked) >= askGap {
		v.asked = now
		l.send(s, askFrame{Type: typeAsk, Spaces: []log.SpaceID{log.Control}})
	}
}

// controlGrew gives what waited for the control space another try, and looks
// again at who is a member.
func (l *loop) controlGrew(now time.Time) {
	for _, s := range l.order {
		for _, v := range s.views {
			for _, k := range v.lacking {
				if k.ctl {
					k.ctl, k.after = false, now
				}
			}
		}
	}
	l.membersAt = now
	l.due = now
}

// push sends a new own entry to everyone for whom it is the next.
func (l *loop) push(card log.Card, id log.LogID, at log.Height, entry []byte) {
	l.grew(card.Space, id, at)
	var frame []byte
	for _, s := range slices.Clone(l.order) {
		v := s.views[card.Space]
		if v == nil || !s.member || v.knows(id) != at.Seq-1 {
			continue
		}
		if frame == nil {
			frame = encode(pushFrame{Type: typePush, Card: card.Pack(), Entry: entry})
		}
		if s.out.push(frame) {
			v.sent[id] = at.Seq
		}
	}
	if card.Space == log.Control {
		l.controlGrew(time.Now())
	}
}

// advanced looks at a log that grew, and has what is new read for a push.
func (l *loop) advanced(space log.SpaceID, id log.LogID) {
	at, ok := l.h.Heights(space)[id]
	if !ok {
		return
	}
	old := l.space(space).held[id].Seq
	if !l.grew(space, id, at) {
		return
	}
	if space == log.Control {
		l.controlGrew(time.Now())
	}
	card, ok := l.h.Card(id)
	if !ok || card.Device != l.id.Device {
		return // heights are enough for what others wrote
	}
	l.readers.Go(func() {
		entries, err := l.h.Entries(l.ctx, id, old+1, min(at.Seq, old+smallLag), log.MaxBatch)
		if err != nil {
			return // heights bring it
		}
		l.post(func(l *loop) { l.pushRead(card, id, entries) })
	})
}

func (l *loop) pushRead(card log.Card, id log.LogID, entries [][]byte) {
	for _, b := range entries {
		if e, err := log.Decode(b); err == nil {
			l.push(card, id, log.Height{Seq: e.Seq, Hash: e.Hash()}, b)
		}
	}
}
