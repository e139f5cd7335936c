package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

type chanKey struct {
	space log.SpaceID
	id    chat.ChannelID
}

// A chanState is a channel as kept in memory. It is never changed once others
// can see it, but replaced.
type chanState struct {
	chanKey
	id    int64 // local number
	name  string
	known bool // it was created, not only written to
	total int
	gen   uint64 // rises with every change of what is in it
}

// A post is a message about to be shown.
type post struct {
	at   int64
	meta chat.Meta
	op   chat.Post
	ch   *chanState
	pos  int64
}

// An act is an operation on a message about to be done.
type act struct {
	at    int64
	space log.SpaceID
	meta  chat.Meta
	op    chat.Op
}

// look takes the operations out of a ready entry, or puts it aside when it
// cannot be read yet.
func (t *tx) look(lg *logState, e *log.Entry, stamp uint64) error {
	if table := listed[e.Kind]; table != "" && lg.card.Space != log.Control {
		return t.c.exec("INSERT OR IGNORE INTO "+table+"(at) VALUES(?)", atOf(lg.id, e.Seq))
	}
	if e.Kind != log.KindChat || lg.card.Space == log.Control || e.Payload == nil {
		return nil
	}
	done, err := t.open(lg, e, stamp)
	if err != nil || done {
		return err
	}
	return t.c.exec("INSERT OR IGNORE INTO sealed(at, key) VALUES(?, ?)", atOf(lg.id, e.Seq), t.lacks(lg, e))
}

// lacks returns the id of the key without which an entry cannot be read; nil if
// that is not what it lacks.
func (t *tx) lacks(lg *logState, e *log.Entry) any {
	if t.w.reader == nil || e.Key == nil {
		return nil
	}
	if _, ok := t.w.reader.Person(lg.card.Device); !ok {
		return nil
	}
	return e.Key[:]
}

// understand returns an entry's operations and whose they are; none if nobody
// will ever read them. ok is false while it cannot be read.
func (t *tx) understand(lg *logState, e *log.Entry) (ops []chat.Op, who chat.PersonID, ok bool) {
	if e.Payload == nil {
		return nil, who, true
	}
	return understand(t.w.reader, lg.card, e)
}

func understand(r Reader, card log.Card, e *log.Entry) (ops []chat.Op, who chat.PersonID, ok bool) {
	if r == nil {
		return nil, who, false
	}
	if who, ok = r.Person(card.Device); !ok {
		return nil, who, false
	}
	plain, err := r.Plain(card, e)
	if errors.Is(err, ErrNoKey) {
		return nil, who, false
	}
	if err == nil {
		ops, err = chat.Decode(plain)
	}
	if err != nil {
		return nil, who, true
	}
	return ops, who, true
}

// open gathers an entry's operations; false means that it cannot be read yet.
func (t *tx) open(lg *logState, e *log.Entry, stamp uint64) (bool, error) {
	ops, person, ok := t.understand(lg, e)
	if !ok {
		return false, nil
	}
	if ops == nil {
		t.s.log.Debug("entry that nobody can read", "log", lg.lid, "seq", e.Seq)
		return true, nil
	}
	if err := t.index(atOf(lg.id, e.Seq), ops); err != nil {
		return false, err
	}
	if !lg.counts(e.Seq) {
		return true, nil
	}
	at := atOf(lg.id, e.Seq)
	for n, op := range ops {
		id := chat.MsgID{Log: lg.lid, Seq: e.Seq, N: uint32(n)}
		m := chat.Meta{Place: chat.Place{Stamp: stamp, MsgID: id}, Author: person, Device: lg.card.Device, Clock: e.HLC}
		switch op := op.(type) {
		case chat.Post:
			if there, err := t.there(at, n); err != nil || there {
				if err != nil {
					return false, err
				}
				continue
			}
			ch, err := t.channel(chanKey{lg.card.Space, op.Channel})
			if err != nil {
				return false, err
			}
			t.posts = append(t.posts, post{at: at, meta: m, op: op, ch: ch})
		case chat.Create:
			ch, err := t.channel(chanKey{lg.card.Space, chat.ChannelOf(id)})
			if err != nil {
				return false, err
			}
			ch.name, ch.known = op.Name, true
			t.applied.touch(ch.chanKey)
			if err := t.c.exec("UPDATE channels SET name=? WHERE id=?", op.Name, ch.id); err != nil {
				return false, err
			}
		default:
			if _, ok := chat.Target(op); ok {
				t.acts = append(t.acts, act{at: at, space: lg.card.Space, meta: m, op: op})
			}
		}
	}
	return true, nil
}

// there reports whether a message is shown already. That can be only while
// entries put aside are tried again.
func (t *tx) there(at int64, n int) (bool, error) {
	if !t.retrying {
		return false, nil
	}
	_, err := t.c.get(context.Background(), "SELECT 1 FROM messages WHERE at=? AND n=?", at, n)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (a *Applied) touch(k chanKey) {
	if !slices.Contains(a.touched, k) {
		a.touched = append(a.touched, k)
	}
	if !slices.Contains(a.Channels, k.id) {
		a.Channels = append(a.Channels, k.id)
	}
}

// channel returns a channel's state to be changed, made if need be.
func (t *tx) channel(k chanKey) (*chanState, error) {
	if ch := t.chans[k]; ch != nil {
		return ch, nil
	}
	if old := t.s.chans[k]; old != nil {
		ch := *old
		t.chans[k] = &ch
		return &ch, nil
	}
	ch := &chanState{chanKey: k, id: t.nextCh}
	t.nextCh++
	t.chans[k] = ch
	return ch, t.c.exec("INSERT INTO channels(id, space, channel, total) VALUES(?, ?, ?, 0)", ch.id, k.space[:], k.id[:])
}

// channelByID returns a channel's state to be changed.
func (t *tx) channelByID(id int64) (*chanState, error) {
	for _, ch := range t.chans {
		if ch.id == id {
			return ch, nil
		}
	}
	old := t.s.chanByID[id]
	if old == nil {
		return nil, fmt.Errorf("%w: message in no channel", ErrDamaged)
	}
	return t.channel(old.chanKey)
}

// show brings the gathered operations into the views: messages first, so that
// what is said about them finds them.
func (t *tx) show() error {
	slices.SortFunc(t.posts, func(a, b post) int { return a.meta.Place.Compare(b.meta.Place) })
	if err := t.place(t.posts); err != nil {
		return err
	}
	t.s.step("acts")
	for _, a := range t.acts {
		if err := t.act(a); err != nil {
			return err
		}
	}
	if t.orphans > 0 {
		for _, p := range t.posts {
			if err := t.adopt(p.meta.MsgID); err != nil {
				return err
			}
		}
	}
	for _, ch := range t.chans {
		if err := t.c.exec("UPDATE channels SET total=? WHERE id=?", ch.total, ch.id); err != nil {
			return err
		}
	}
	return nil
}

// insert stores a message and its words.
func (t *tx) insert(p *post) error {
	var mentions, reply any
	if len(p.op.Mentions) > 0 {
		mentions = packPeople(p.op.Mentions)
	}
	if p.op.Reply != nil {
		reply = packMsg(*p.op.Reply)
	}
	p.ch.total++
	t.applied.touch(p.ch.chanKey)
	if len(t.applied.Messages) < maxNew {
		t.applied.Messages = append(t.applied.Messages, p.meta.MsgID)
	}
	err := t.c.exec("INSERT INTO messages(pos, at, n, chan, stamp, author, clock, text, mentions, reply, retracted) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
		p.pos, p.at, p.meta.N, p.ch.id, p.meta.Stamp, p.meta.Author[:], uint64(p.meta.Clock), p.op.Text, mentions, reply)
	if err != nil {
		return err
	}
	t.s.step("words")
	return t.c.exec("INSERT INTO words(rowid, text, chan) VALUES(?, ?, ?)", p.pos, p.op.Text, p.ch.id)
}

// adopt does what was said about a message before it came.
func (t *tx) adopt(id chat.MsgID) error {
	var acts []act
	key := packMsg(id)
	err := t.c.query(context.Background(), "SELECT at, n, stamp, clock, author, op FROM orphans WHERE target=?", []any{key}, func(r row) error {
		local, seq := splitAt(r.int(0))
		lg := t.local(local)
		if lg == nil {
			return fmt.Errorf("%w: operation of no log", ErrDamaged)
		}
		ops, err := chat.Decode(r.bytes(5))
		if err != nil {
			return fmt.Errorf("%w: stored operation: %w", ErrDamaged, err)
		}
		m := chat.Meta{Place: chat.Place{Stamp: r.uint(2), MsgID: chat.MsgID{Log: lg.lid, Seq: seq, N: uint32(r.int(1))}},
			Author: r.id(4), Device: lg.card.Device, Clock: log.HLC(r.uint(3))}
		acts = append(acts, act{at: r.int(0), space: lg.card.Space, meta: m, op: ops[0]})
		return nil
	})
	if err != nil || len(acts) == 0 {
		return err
	}
	if err := t.c.exec("DELETE FROM orphans WHERE target=?", key); err != nil {
		return err
	}
	t.orphans -= len(acts)
	for _, a := range acts {
		if err := t.act(a); err != nil {
			return err
		}
	}
	return nil
}

// A line is a message as act needs it.
type line struct {
	pos  int64
	at   int64
	n    int64
	chat chat.Message
	ch   *chanState
}

// find returns the message at id, or nil.
func (t *tx) find(id chat.MsgID) (*line, error) {
	lg := t.log(id.Log)
	if lg == nil || id.Seq >= 1<<seqBits {
		return nil, nil
	}
	l := &line{at: atOf(lg.id, id.Seq), n: int64(id.N)}
	r, err := t.c.get(context.Background(), "SELECT pos, chan, author, text, estamp, eat, en, retracted, mentions FROM messages WHERE at=? AND n=?", l.at, l.n)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if l.ch, err = t.channelByID(r.int(1)); err != nil {
		return nil, err
	}
	l.pos = r.int(0)
	l.chat = chat.Message{Channel: l.ch.chanKey.id, Text: r.str(3), Retracted: r.int(7) != 0, Mentions: unpackPeople(r.bytes(8))}
	l.chat.MsgID, l.chat.Author = id, r.id(2)
	if r[4] != nil {
		if l.chat.Edit, err = t.placeOf(r.uint(4), r.int(5), r.int(6)); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// placeOf returns the place of an operation by its entry's number.
func (t *tx) placeOf(stamp uint64, at, n int64) (chat.Place, error) {
	local, seq := splitAt(at)
	lg := t.local(local)
	if lg == nil {
		return chat.Place{}, fmt.Errorf("%w: operation of no log", ErrDamaged)
	}
	return chat.Place{Stamp: stamp, MsgID: chat.MsgID{Log: lg.lid, Seq: seq, N: uint32(n)}}, nil
}

// act does one operation on a message, or keeps it until the message comes.
func (t *tx) act(a act) error {
	id, _ := chat.Target(a.op)
	l, err := t.find(id)
	if err != nil {
		return err
	}
	if l == nil {
		return t.orphan(a, id)
	}
	if l.ch.space != a.space {
		return nil // nobody speaks into another space
	}
	if r, ok := a.op.(chat.Read); ok {
		return t.mark(l, r, a.meta.Author)
	}
	old := l.chat.Text
	if re, ok := a.op.(chat.React); ok {
		if err := t.ballot(l, chat.Ballot{Person: a.meta.Author, Word: re.Word}); err != nil {
			return err
		}
	}
	if !l.chat.Apply(a.op, a.meta) {
		return nil
	}
	t.applied.touch(l.ch.chanKey)
	if re, ok := a.op.(chat.React); ok {
		return t.c.exec("INSERT OR REPLACE INTO votes(at, n, person, word, yes, stamp, byat, byn) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
			l.at, l.n, a.meta.Author[:], re.Word, re.On, a.meta.Stamp, a.at, a.meta.N)
	}
	return t.rewrite(l, a, old)
}

// rewrite stores an edited or retracted message and its words.
func (t *tx) rewrite(l *line, a act, old string) error {
	var mentions any
	if len(l.chat.Mentions) > 0 {
		mentions = packPeople(l.chat.Mentions)
	}
	var err error
	if _, edit := a.op.(chat.Edit); edit {
		err = t.c.exec("UPDATE messages SET text=?, mentions=?, estamp=?, eat=?, en=?, eclock=? WHERE pos=?",
			l.chat.Text, mentions, a.meta.Stamp, a.at, a.meta.N, uint64(a.meta.Clock), l.pos)
	} else {
		err = t.c.exec("UPDATE messages SET text='', mentions=NULL, retracted=1 WHERE pos=?", l.pos)
	}
	if err != nil || l.chat.Text == old {
		return err
	}
	return t.reword(l.pos, old, l.pos, l.chat.Text, l.ch.id)
}

// reword replaces a message's words in the search index.
func (t *tx) reword(pos int64, old string, newPos int64, text string, ch int64) error {
	if err := t.c.exec("INSERT INTO words(words, rowid, text, chan) VALUES('delete', ?, ?, ?)", pos, old, ch); err != nil {
		return err
	}
	return t.c.exec("INSERT INTO words(rowid, text, chan) VALUES(?, ?, ?)", newPos, text, ch)
}

// ballot loads what a person said with a word about a message.
func (t *tx) ballot(l *line, b chat.Ballot) error {
	r, err := t.c.get(context.Background(), "SELECT yes, stamp, byat, byn FROM votes WHERE at=? AND n=? AND person=? AND word=?", l.at, l.n, b.Person[:], b.Word)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p, err := t.placeOf(r.uint(1), r.int(2), r.int(3))
	l.chat.Votes = map[chat.Ballot]chat.Vote{b: {On: r.int(0) != 0, At: p}}
	return err
}

// mark moves a person's read marker, which only goes forward.
func (t *tx) mark(l *line, op chat.Read, who chat.PersonID) error {
	if l.chat.Channel != op.Channel {
		return nil
	}
	r, err := t.c.get(context.Background(), "SELECT m.pos FROM marks k JOIN messages m ON m.at=k.at AND m.n=k.n WHERE k.chan=? AND k.person=?", l.ch.id, who[:])
	if err == nil && r.int(0) >= l.pos {
		return nil
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	t.applied.touch(l.ch.chanKey)
	return t.c.exec("INSERT OR REPLACE INTO marks(chan, person, at, n) VALUES(?, ?, ?, ?)", l.ch.id, who[:], l.at, l.n)
}

func (t *tx) orphan(a act, target chat.MsgID) error {
	op, err := chat.Encode([]chat.Op{a.op})
	if err != nil {
		return fmt.Errorf("encode operation: %w", err)
	}
	t.orphans++
	return t.c.exec("INSERT INTO orphans(target, at, n, stamp, clock, author, op) VALUES(?, ?, ?, ?, ?, ?, ?)",
		packMsg(target), a.at, a.meta.N, a.meta.Stamp, uint64(a.meta.Clock), a.meta.Author[:], op)
}

// packMsg returns the 28 bytes under which views know a message that may not
// be here.
func packMsg(m chat.MsgID) []byte {
	b := append(make([]byte, 0, 28), m.Log[:]...)
	b = binary.BigEndian.AppendUint64(b, m.Seq)
	return binary.BigEndian.AppendUint32(b, m.N)
}

func unpackMsg(b []byte) (m chat.MsgID, ok bool) {
	if len(b) != 28 {
		return m, false
	}
	copy(m.Log[:], b)
	m.Seq, m.N = binary.BigEndian.Uint64(b[16:]), binary.BigEndian.Uint32(b[24:])
	return m, true
}

func packPeople(p []chat.PersonID) []byte {
	b := make([]byte, 0, 16*len(p))
	for i := range p {
		b = append(b, p[i][:]...)
	}
	return b
}

func unpackPeople(b []byte) []chat.PersonID {
	var out []chat.PersonID
	for ; len(b) >= 16; b = b[16:] {
		out = append(out, chat.PersonID(b[:16]))
	}
	return out
}
