package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

type unreadKey struct {
	ch int64
	me chat.PersonID
}

// An unreadCount holds as long as its channel's gen does not change.
type unreadCount struct {
	gen       uint64
	n         int
	mentioned bool
}

// Channels returns a space's channels, the one of all first, then by name.
func (s *Store) Channels(ctx context.Context, space log.SpaceID, me chat.PersonID) ([]ChannelRow, error) {
	s.mu.RLock()
	main := s.chans[chanKey{space, chat.Main}]
	var list []*chanState
	for k, ch := range s.chans {
		if k.space == space && ch.known && k.id != chat.Main {
			list = append(list, ch)
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(list, func(a, b *chanState) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)), slices.Compare(a.chanKey.id[:], b.chanKey.id[:]))
	})
	if main == nil {
		main = &chanState{chanKey: chanKey{space, chat.Main}, id: -1}
	}
	out := make([]ChannelRow, 0, len(list)+1)
	err := s.read(ctx, func(c *conn) error {
		for _, ch := range append([]*chanState{main}, list...) {
			row, err := s.channelRow(ctx, c, ch, me)
			if err != nil {
				return err
			}
			out = append(out, row)
		}
		return nil
	})
	return out, err
}

func (s *Store) channelRow(ctx context.Context, c *conn, ch *chanState, me chat.PersonID) (ChannelRow, error) {
	out := ChannelRow{Space: ch.space, ID: ch.chanKey.id, Name: ch.name, Total: ch.total}
	if ch.total == 0 {
		return out, nil
	}
	last, err := c.get(ctx, "SELECT clock, text FROM messages WHERE chan=? ORDER BY pos DESC LIMIT 1", ch.id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return out, err
	}
	if err == nil {
		out.LastAt, out.LastText = log.HLC(last.uint(0)).Millis(), last.str(1)
	}
	key := unreadKey{ch.id, me}
	s.mu.RLock()
	n, ok := s.unread[key]
	s.mu.RUnlock()
	if !ok || n.gen != ch.gen {
		if n, err = countUnread(ctx, c, ch, me); err != nil {
			return out, err
		}
		s.mu.Lock()
		if len(s.unread) > 4096 { // more people than use this device ask
			clear(s.unread)
		}
		s.unread[key] = n
		s.mu.Unlock()
	}
	out.Unread, out.Mentioned = n.n, n.mentioned
	return out, nil
}

// countUnread counts the newest messages of others after the person's marker.
func countUnread(ctx context.Context, c *conn, ch *chanState, me chat.PersonID) (unreadCount, error) {
	n := unreadCount{gen: ch.gen}
	after, err := markOf(ctx, c, ch.id, me)
	if err != nil {
		return n, err
	}
	// The limit is on what is looked at, so that own messages do not make it slow.
	r, err := c.get(ctx, `SELECT count(*), coalesce(max(mentions IS NOT NULL AND instr(mentions, ?) > 0), 0) FROM
		(SELECT author, mentions, retracted FROM messages WHERE chan=? AND pos>? ORDER BY pos DESC LIMIT ?) WHERE author<>? AND NOT retracted`,
		me[:], ch.id, after, MaxUnread, me[:])
	if err != nil {
		return n, err
	}
	n.n, n.mentioned = int(r.int(0)), r.int(1) != 0
	return n, nil
}

func markOf(ctx context.Context, c *conn, ch int64, who chat.PersonID) (int64, error) {
	r, err := c.get(ctx, "SELECT m.pos FROM marks k JOIN messages m ON m.at=k.at AND m.n=k.n WHERE k.chan=? AND k.person=?", ch, who[:])
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return r.int(0), nil
}

// ReadMarks returns up to which position people have read a channel.
func (s *Store) ReadMarks(ctx context.Context, space log.SpaceID, channel chat.ChannelID) (map[chat.PersonID]int64, error) {
	out := map[chat.PersonID]int64{}
	ch := s.channel(space, channel)
	if ch == nil {
		return out, nil
	}
	err := s.read(ctx, func(c *conn) error {
		return c.query(ctx, "SELECT k.person, m.pos FROM marks k JOIN messages m ON m.at=k.at AND m.n=k.n WHERE k.chan=?", []any{ch.id}, func(r row) error {
			out[r.id(0)] = r.int(1)
			return nil
		})
	})
	return out, err
}

func (s *Store) channel(space log.SpaceID, id chat.ChannelID) *chanState {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.chans[chanKey{space, id}]
}

const messageCols = "SELECT pos, at, n, chan, stamp, author, clock, text, mentions, reply, eclock, retracted FROM messages "

// Messages returns a page of a channel.
func (s *Store) Messages(ctx context.Context, q Query) (Page, error) {
	var p Page
	ch := s.channel(q.Space, q.Channel)
	if ch == nil {
		return p, nil
	}
	p.Total = ch.total
	if q.Limit <= 0 {
		q.Limit = 50
	}
	err := s.read(ctx, func(c *conn) (err error) {
		// One more than asked for says whether there is more.
		switch {
		case q.After > 0:
			p.Rows, err = s.rows(ctx, c, "WHERE chan=? AND pos>? ORDER BY pos LIMIT ?", ch.id, q.After, q.Limit+1)
			p.Rows, p.Later = cut(p.Rows, q.Limit)
			p.Earlier = true
		case q.Around > 0:
			before, err := s.rows(ctx, c, "WHERE chan=? AND pos<? ORDER BY pos DESC LIMIT ?", ch.id, q.Around, q.Limit/2+1)
			if err != nil {
				return err
			}
			before, p.Earlier = cut(before, q.Limit/2)
			slices.Reverse(before)
			after, err := s.rows(ctx, c, "WHERE chan=? AND pos>=? ORDER BY pos LIMIT ?", ch.id, q.Around, q.Limit-len(before)+1)
			if err != nil {
				return err
			}
			after, p.Later = cut(after, q.Limit-len(before))
			p.Rows = append(before, after...)
		default:
			if q.Before == 0 {
				q.Before = 1 << 62
			} else {
				p.Later = true
			}
			p.Rows, err = s.rows(ctx, c, "WHERE chan=? AND pos<? ORDER BY pos DESC LIMIT ?", ch.id, q.Before, q.Limit+1)
			p.Rows, p.Earlier = cut(p.Rows, q.Limit)
			slices.Reverse(p.Rows)
		}
		if err != nil {
			return err
		}
		if err := edges(ctx, c, ch.id, &p); err != nil {
			return err
		}
		return s.complete(ctx, c, p.Rows)
	})
	return p, err
}

func cut(rows []Row, n int) ([]Row, bool) {
	if len(rows) <= n {
		return rows, false
	}
	return rows[:n], true
}

// edges looks what is beyond a page's ends.
func edges(ctx context.Context, c *conn, ch int64, p *Page) error {
	if len(p.Rows) == 0 {
		p.Earlier, p.Later = p.Earlier && p.Total > 0, p.Later && p.Total > 0
		return nil
	}
	has := func(q string, pos int64) (bool, error) {
		_, err := c.get(ctx, q, ch, pos)
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	var err error
	if p.Earlier, err = has("SELECT 1 FROM messages WHERE chan=? AND pos<? LIMIT 1", p.Rows[0].Pos); err != nil {
		return err
	}
	p.Later, err = has("SELECT 1 FROM messages WHERE chan=? AND pos>? LIMIT 1", p.Rows[len(p.Rows)-1].Pos)
	return err
}

// Replies returns the messages of its channel that answer a message, in the order
// people see, at most limit of them.
func (s *Store) Replies(ctx context.Context, to Row, limit int) ([]Row, error) {
	ch := s.channel(to.Space, to.Channel)
	if ch == nil {
		return nil, ErrNotFound
	}
	var rows []Row
	err := s.read(ctx, func(c *conn) (err error) {
		if rows, err = s.rows(ctx, c, "WHERE reply=? AND chan=? ORDER BY pos LIMIT ?", packMsg(to.ID), ch.id, limit); err != nil {
			return err
		}
		return s.complete(ctx, c, rows)
	})
	return rows, err
}

// Message returns one message, or ErrNotFound.
func (s *Store) Message(ctx context.Context, id chat.MsgID) (Row, error) {
	s.mu.RLock()
	lg := s.logs[id.Log]
	s.mu.RUnlock()
	if lg == nil || id.Seq >= 1<<seqBits {
		return Row{}, ErrNotFound
	}
	var rows []Row
	err := s.read(ctx, func(c *conn) (err error) {
		if rows, err = s.rows(ctx, c, "WHERE at=? AND n=?", atOf(lg.id, id.Seq), id.N); err != nil {
			return err
		}
		if len(rows) == 0 {
			return ErrNotFound
		}
		return s.complete(ctx, c, rows)
	})
	if err != nil {
		return Row{}, err
	}
	return rows[0], nil
}

// rows reads messages without what other tables say about them.
func (s *Store) rows(ctx context.Context, c *conn, where string, args ...any) ([]Row, error) {
	out := []Row{}
	err := c.query(ctx, messageCols+where, args, func(r row) error {
		m, err := s.row(r)
		out = append(out, m)
		return err
	})
	return out, err
}

func (s *Store) row(r row) (Row, error) {
	local, seq := splitAt(r.int(1))
	s.mu.RLock()
	lg, ch := s.byID[local], s.chanByID[r.int(3)]
	s.mu.RUnlock()
	if lg == nil || ch == nil {
		return Row{}, fmt.Errorf("%w: message of no log or channel", ErrDamaged)
	}
	m := Row{
		ID: chat.MsgID{Log: lg.lid, Seq: seq, N: uint32(r.int(2))}, Pos: r.int(0), Space: ch.space, Channel: ch.chanKey.id,
		Author: r.id(5), Device: lg.card.Device, Text: r.str(7), At: log.HLC(r.uint(6)).Millis(), Placed: log.HLC(r.uint(4)).Millis(),
		Retracted: r.int(11) != 0, Mentions: unpackPeople(r.bytes(8)),
	}
	if r[10] != nil {
		m.Edited = log.HLC(r.uint(10)).Millis()
	}
	if id, ok := unpackMsg(r.bytes(9)); ok {
		m.Reply = &Quote{ID: id}
	}
	return m, nil
}

// complete adds replies, quotes and reactions to messages.
func (s *Store) complete(ctx context.Context, c *conn, rows []Row) error {
	for i := range rows {
		m := &rows[i]
		s.mu.RLock()
		lg, ch := s.logs[m.ID.Log], s.chans[chanKey{m.Space, m.Channel}]
		s.mu.RUnlock()
		if lg == nil || ch == nil {
			continue // of a space that was dropped meanwhile
		}
		at := atOf(lg.id, m.ID.Seq)
		r, err := c.get(ctx, "SELECT count(*) FROM messages WHERE reply=? AND chan=?", packMsg(m.ID), ch.id)
		if err != nil {
			return err
		}
		m.Replies = int(r.int(0))
		err = c.query(ctx, "SELECT word, person FROM votes WHERE at=? AND n=? AND yes ORDER BY word, person LIMIT 1000", []any{at, m.ID.N}, func(r row) error {
			if n := len(m.Reactions); n == 0 || m.Reactions[n-1].Word != r.str(0) {
				m.Reactions = append(m.Reactions, Reaction{Word: r.str(0)})
			}
			last := &m.Reactions[len(m.Reactions)-1]
			last.By = append(last.By, r.id(1))
			return nil
		})
		if err != nil {
			return err
		}
		if m.Reply != nil {
			if err := s.quote(ctx, c, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// quote fills in what a message answers, if that is in the same space.
func (s *Store) quote(ctx context.Context, c *conn, m *Row) error {
	s.mu.RLock()
	lg := s.logs[m.Reply.ID.Log]
	s.mu.RUnlock()
	if lg == nil || lg.card.Space != m.Space || m.Reply.ID.Seq >= 1<<seqBits {
		return nil
	}
	r, err := c.get(ctx, "SELECT pos, author, text, retracted FROM messages WHERE at=? AND n=?", atOf(lg.id, m.Reply.ID.Seq), m.Reply.ID.N)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	m.Reply.Pos, m.Reply.Author, m.Reply.Text, m.Reply.Retracted = r.int(0), r.id(1), r.str(2), r.int(3) != 0
	return nil
}
