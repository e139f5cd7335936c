package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// What an entry did to the views can be taken back: what it posted goes, and
// what it spoke about is folded anew from all that counts. The table acts names,
// for each message, the operations about it.

// An undo gathers what is to be put right when entries do not count any more.
type undo struct {
	gone  []chat.MsgID            // messages taken out
	again map[chat.MsgID]struct{} // messages to be folded anew
	marks map[markKey]int64       // read markers to be found again → where they can be at most
	all   bool                    // what some entry did is not known: everything is to be folded anew
}

type markKey struct {
	ch  int64
	who chat.PersonID
}

func newUndo() *undo {
	return &undo{again: map[chat.MsgID]struct{}{}, marks: map[markKey]int64{}}
}

// Kinds of operations in the table acts.
const (
	actEdit = 1 + iota
	actRetract
	actReact
	actRead
)

func kindOf(op chat.Op) int {
	switch op.(type) {
	case chat.Edit:
		return actEdit
	case chat.Retract:
		return actRetract
	case chat.React:
		return actReact
	case chat.Read:
		return actRead
	}
	return 0
}

// index notes which messages an entry's operations are about.
func (t *tx) index(at int64, ops []chat.Op) error {
	for n, op := range ops {
		id, ok := chat.Target(op)
		if !ok {
			continue
		}
		if err := t.c.exec("INSERT OR IGNORE INTO acts(target, at, n, kind) VALUES(?, ?, ?, ?)", packMsg(id), at, n, kindOf(op)); err != nil {
			return err
		}
	}
	return nil
}

// out takes what an entry did out of the views, as far as it is there; what else
// follows from that is gathered in u. forget also removes it from the acts.
func (t *tx) out(u *undo, lg *logState, e *log.Entry, forget bool) error {
	if e.Kind != log.KindChat || e.Payload == nil {
		return nil
	}
	at := atOf(lg.id, e.Seq)
	ops, who, ok := t.understand(lg, e)
	if !ok {
		_, err := t.c.get(context.Background(), "SELECT 1 FROM sealed WHERE at=?", at)
		if errors.Is(err, ErrNotFound) { // it was shown, and its key is gone
			u.all = true
			return nil
		}
		return err
	}
	for n, op := range ops {
		id := chat.MsgID{Log: lg.lid, Seq: e.Seq, N: uint32(n)}
		var err error
		switch op := op.(type) {
		case chat.Post:
			err = t.unpost(u, id, at)
		case chat.Create:
			err = t.uncreate(chanKey{lg.card.Space, chat.ChannelOf(id)})
		default:
			err = t.unact(u, op, who, at, n, forget)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unpost takes a message out.
func (t *tx) unpost(u *undo, id chat.MsgID, at int64) error {
	ctx := context.Background()
	r, err := t.c.get(ctx, "SELECT pos, text, chan FROM messages WHERE at=? AND n=?", at, id.N)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	pos, ch := r.int(0), r.int(2)
	err = t.c.query(ctx, "SELECT person FROM marks WHERE chan=? AND at=? AND n=?", []any{ch, at, id.N}, func(m row) error {
		u.marks[markKey{ch, m.id(0)}] = pos
		return nil
	})
	if err != nil {
		return err
	}
	if err := t.c.exec("INSERT INTO words(words, rowid, text, chan) VALUES('delete', ?, ?, ?)", pos, r.str(1), ch); err != nil {
		return err
	}
	if err := t.c.exec("DELETE FROM messages WHERE pos=?", pos); err != nil {
		return err
	}
	if err := t.c.exec("DELETE FROM votes WHERE at=? AND n=?", at, id.N); err != nil {
		return err
	}
	state, err := t.channelByID(ch)
	if err != nil {
		return err
	}
	state.total--
	t.applied.touch(state.chanKey)
	u.gone = append(u.gone, id)
	t.tailOK = false
	return nil
}

// uncreate takes a channel's name back.
func (t *tx) uncreate(k chanKey) error {
	if t.chans[k] == nil && t.s.chans[k] == nil {
		return nil
	}
	ch, err := t.channel(k)
	if err != nil {
		return err
	}
	ch.name, ch.known = "", false
	t.applied.touch(k)
	return t.c.exec("UPDATE channels SET name=NULL WHERE id=?", ch.id)
}

// unact gathers what an operation on a message may have changed.
func (t *tx) unact(u *undo, op chat.Op, who chat.PersonID, at int64, n int, forget bool) error {
	id, ok := chat.Target(op)
	if !ok {
		return nil
	}
	key := packMsg(id)
	if forget {
		if err := t.c.exec("DELETE FROM acts WHERE target=? AND at=? AND n=?", key, at, n); err != nil {
			return err
		}
	}
	if err := t.c.exec("DELETE FROM orphans WHERE target=? AND at=? AND n=?", key, at, n); err != nil {
		return err
	}
	r, err := t.c.get(context.Background(), "SELECT changes()")
	if err != nil {
		return err
	}
	t.orphans -= int(r.int(0))
	l, err := t.find(id)
	if err != nil || l == nil {
		return err
	}
	if _, read := op.(chat.Read); !read {
		u.again[id] = struct{}{}
		return nil
	}
	_, err = t.c.get(context.Background(), "SELECT 1 FROM marks WHERE chan=? AND person=? AND at=? AND n=?", l.ch.id, who[:], l.at, l.n)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	u.marks[markKey{l.ch.id, who}] = l.pos
	return err
}

// mend puts right what follows from entries taken out.
func (t *tx) mend(u *undo) error {
	if u.all {
		t.applied.reopen = true
		return t.clear()
	}
	for _, id := range u.gone { // what was said about them waits for their return
		if err := t.replay(id, true); err != nil {
			return err
		}
	}
	for id := range u.again {
		if ok, err := t.refold(id); err != nil {
			return err
		} else if !ok {
			t.applied.reopen = true
			return t.clear()
		}
	}
	for k, pos := range u.marks {
		if err := t.remark(k, pos); err != nil {
			return err
		}
	}
	return nil
}

// refold makes a message what it is after all operations on it that count. It
// returns false if the post itself cannot be read any more.
func (t *tx) refold(id chat.MsgID) (bool, error) {
	l, err := t.find(id)
	if err != nil || l == nil {
		return true, err
	}
	e, err := t.c.entry(context.Background(), l.at)
	if err != nil {
		return false, err
	}
	ops, _, _ := t.understand(t.log(id.Log), e)
	if int(id.N) >= len(ops) {
		return false, nil
	}
	p, _ := ops[id.N].(chat.Post)
	var mentions any
	if len(p.Mentions) > 0 {
		mentions = packPeople(p.Mentions)
	}
	err = t.c.exec("UPDATE messages SET text=?, mentions=?, retracted=0, estamp=NULL, eat=NULL, en=NULL, eclock=NULL WHERE pos=?", p.Text, mentions, l.pos)
	if err != nil {
		return false, err
	}
	if err := t.c.exec("DELETE FROM votes WHERE at=? AND n=?", l.at, l.n); err != nil {
		return false, err
	}
	t.applied.touch(l.ch.chanKey)
	if p.Text != l.chat.Text {
		if err := t.reword(l.pos, l.chat.Text, l.pos, p.Text, l.ch.id); err != nil {
			return false, err
		}
	}
	return true, t.replay(id, false)
}

// replay does all operations on a message that count, with or without read
// markers.
func (t *tx) replay(id chat.MsgID, reads bool) error {
	acts, err := t.actsOn(id, "SELECT at, n FROM acts WHERE target=? AND (? OR kind<>4)", reads)
	if err != nil {
		return err
	}
	for _, a := range acts {
		if err := t.act(a); err != nil {
			return err
		}
	}
	return nil
}

// actsOn returns operations about a message that count, as a query names them by
// the message and one argument.
func (t *tx) actsOn(id chat.MsgID, q string, arg any) ([]act, error) {
	type place struct {
		at int64
		n  int
	}
	var places []place
	err := t.c.query(context.Background(), q, []any{packMsg(id), arg}, func(r row) error {
		places = append(places, place{r.int(0), int(r.int(1))})
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []act
	for _, p := range places {
		local, seq := splitAt(p.at)
		lg := t.local(local)
		if lg == nil {
			return nil, fmt.Errorf("%w: operation of no log", ErrDamaged)
		}
		if !lg.counts(seq) {
			continue
		}
		r, err := t.c.get(context.Background(), "SELECT header, sig, payload, stamp FROM entries WHERE at=?", p.at)
		if err != nil {
			return nil, damagedIf(err, ErrNotFound)
		}
		e, err := parseEntry(p.at, r, 0)
		if err != nil {
			return nil, err
		}
		ops, who, ok := t.understand(lg, e)
		if !ok || p.n >= len(ops) {
			continue
		}
		m := chat.Meta{Place: chat.Place{Stamp: r.uint(3), MsgID: chat.MsgID{Log: lg.lid, Seq: seq, N: uint32(p.n)}}, Author: who, Device: lg.card.Device, Clock: e.HLC}
		out = append(out, act{at: p.at, space: lg.card.Space, meta: m, op: ops[p.n]})
	}
	return out, nil
}

// remark finds where a person's read marker is, from a position back.
func (t *tx) remark(k markKey, pos int64) error {
	ch, err := t.channelByID(k.ch)
	if err != nil {
		return err
	}
	t.applied.touch(ch.chanKey)
	if err := t.c.exec("DELETE FROM marks WHERE chan=? AND person=?", k.ch, k.who[:]); err != nil {
		return err
	}
	type candidate struct{ pos, at, n int64 }
	for {
		var some []candidate
		err := t.c.query(context.Background(), "SELECT pos, at, n FROM messages WHERE chan=? AND pos<=? ORDER BY pos DESC LIMIT 64", []any{k.ch, pos}, func(r row) error {
			some = append(some, candidate{r.int(0), r.int(1), r.int(2)})
			return nil
		})
		if err != nil || len(some) == 0 {
			return err
		}
		for _, c := range some {
			read, err := t.readBy(k.who, ch, c.at, c.n)
			if err != nil {
				return err
			}
			if read {
				return t.c.exec("INSERT OR REPLACE INTO marks(chan, person, at, n) VALUES(?, ?, ?, ?)", k.ch, k.who[:], c.at, c.n)
			}
		}
		pos = some[len(some)-1].pos - 1
	}
}

// readBy reports whether a person put a read marker on a message.
func (t *tx) readBy(who chat.PersonID, ch *chanState, at, n int64) (bool, error) {
	p, err := t.placeOf(0, at, n)
	if err != nil {
		return false, err
	}
	acts, err := t.actsOn(p.MsgID, "SELECT at, n FROM acts WHERE target=? AND kind=?", actRead)
	return slices.ContainsFunc(acts, func(a act) bool {
		r, ok := a.op.(chat.Read)
		return ok && a.meta.Author == who && a.space == ch.space && r.Channel == ch.chanKey.id
	}), err
}
