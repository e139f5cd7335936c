package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
)

// A Message is a line of a channel as this device shows it.
type Message struct {
	store.Row
	Own    bool
	Erase  bool            // this person may erase it for good
	Of     int             // devices that may read it; own messages only
	Held   int             // of these, known to have it on disk, this one included; own messages only
	ReadBy []chat.PersonID // other people whose read marker is at it or after; own messages only
}

// A Page is part of a channel.
type Page struct {
	Messages       []Message
	Earlier, Later bool
	Total          int
	ReadUpTo       int64 // position of this person's read marker
}

// A Draft is a message to be posted.
type Draft struct {
	Channel ChannelRef
	Text    string
	Reply   *chat.MsgID
	Nonce   string // the same one posts once; at most 64 bytes
}

// Words that a reaction can say, in the order the window offers them.
var Words = []string{"agree", "thanks", "done", "seen", "question", "no"}

// Post writes a message. It is safe on disk when Post returns.
func (w *Workspace) Post(ctx context.Context, d Draft) (Message, error) {
	if len(d.Nonce) > 64 {
		return Message{}, problem("nonce-long")
	}
	text, err := cleanText(d.Text)
	if err != nil {
		return Message{}, err
	}
	d.Channel.Space = w.orAll(d.Channel.Space)
	if err := w.checkChannel(ctx, d.Channel); err != nil {
		return Message{}, err
	}
	if d.Reply != nil {
		to, err := w.row(ctx, *d.Reply)
		if err == nil && to.Space != d.Channel.Space {
			err = problem("no-such-message")
		}
		if err != nil {
			return Message{}, err
		}
	}
	post := chat.Post{Channel: d.Channel.ID, Text: text, Reply: d.Reply, Mentions: w.mentions(text)}
	a, err := w.say(ctx, d.Channel.Space, post, d.Nonce)
	if err != nil {
		return Message{}, err
	}
	if len(a.Messages) == 0 {
		return Message{}, problem("internal", "the message is not there")
	}
	w.forgetReadMark(d.Channel)
	return w.Message(ctx, a.Messages[0])
}

// say writes one chat operation into a space.
func (w *Workspace) say(ctx context.Context, space log.SpaceID, op chat.Op, nonce string) (store.Applied, error) {
	st := w.snapshot()
	switch {
	case st == nil:
		return store.Applied{}, problem("not-member")
	case st.Level(space, w.self) == access.None:
		return store.Applied{}, problem("no-such-channel")
	case !mayWrite(st.Level(space, w.self)):
		return store.Applied{}, problem("only-reading")
	}
	payload, err := chat.Encode([]chat.Op{op})
	switch {
	case errors.Is(err, chat.ErrTooLong):
		return store.Applied{}, because("too-long", err, chat.MaxText, chat.MaxText)
	case errors.Is(err, chat.ErrEmpty):
		return store.Applied{}, because("empty", err)
	case errors.Is(err, chat.ErrText):
		return store.Applied{}, because("not-text", err)
	case err != nil:
		return store.Applied{}, because("bad-request", err, err.Error())
	}
	return w.append(ctx, space, log.KindChat, payload, nonce)
}

// cleanText makes line ends alike and gives a text's faults their sentence,
// before anything is written.
func cleanText(s string) (string, error) {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	switch {
	case strings.TrimSpace(s) == "":
		return "", problem("empty")
	case len(s) > chat.MaxText:
		return "", problem("too-long", len(s), chat.MaxText)
	case !utf8.ValidString(s):
		return "", problem("not-text")
	}
	return s, nil
}

// mentions finds the people a text names with an @.
func (w *Workspace) mentions(text string) []chat.PersonID {
	var out []chat.PersonID
	if !strings.Contains(text, "@") {
		return nil
	}
	for id, p := range w.snapshot().People {
		if strings.Contains(text, "@"+p.Name) && len(out) < chat.MaxMentions {
			out = append(out, chat.PersonID(id))
		}
	}
	slices.SortFunc(out, func(a, b chat.PersonID) int { return slices.Compare(a[:], b[:]) })
	return out
}

// Edit replaces the text of an own message.
func (w *Workspace) Edit(ctx context.Context, id chat.MsgID, text string) (Message, error) {
	text, err := cleanText(text)
	if err != nil {
		return Message{}, err
	}
	row, err := w.mine(ctx, id)
	if err != nil {
		return Message{}, err
	}
	return w.sayOf(ctx, row, chat.Edit{Message: id, Text: text, Mentions: w.mentions(text)})
}

// Retract takes an own message back.
func (w *Workspace) Retract(ctx context.Context, id chat.MsgID) (Message, error) {
	row, err := w.mine(ctx, id)
	if err != nil {
		return Message{}, err
	}
	return w.sayOf(ctx, row, chat.Retract{Message: id})
}

// React says a word about a message, or takes it back.
func (w *Workspace) React(ctx context.Context, id chat.MsgID, word string, on bool) (Message, error) {
	if !slices.Contains(Words, word) {
		return Message{}, problem("bad-word")
	}
	row, err := w.row(ctx, id)
	if err != nil {
		return Message{}, err
	}
	if row.Retracted {
		return Message{}, problem("retracted")
	}
	return w.sayOf(ctx, row, chat.React{Message: id, Word: word, On: on})
}

// sayOf says something about a message, where it is, and returns the message.
func (w *Workspace) sayOf(ctx context.Context, row store.Row, op chat.Op) (Message, error) {
	if _, err := w.say(ctx, row.Space, op, ""); err != nil {
		return Message{}, err
	}
	return w.Message(ctx, row.ID)
}

// mine returns an own message that can be changed.
func (w *Workspace) mine(ctx context.Context, id chat.MsgID) (store.Row, error) {
	row, err := w.row(ctx, id)
	switch {
	case err != nil:
		return row, err
	case row.Author != w.me():
		return row, problem("not-yours")
	case row.Retracted:
		return row, problem("retracted")
	}
	return row, nil
}

func (w *Workspace) row(ctx context.Context, id chat.MsgID) (store.Row, error) {
	if w.snapshot() == nil {
		return store.Row{}, problem("not-member")
	}
	row, err := w.store.Message(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return row, because("no-such-message", err)
	}
	if err == nil && w.snapshot().Level(row.Space, w.self) == access.None {
		return store.Row{}, problem("no-such-message") // of a space this device has left
	}
	return row, storeProblem(err, w.dir)
}

// me is the person of this device.
func (w *Workspace) me() chat.PersonID {
	st := w.snapshot()
	if st == nil {
		return w.id.person()
	}
	return chat.PersonID(st.Devices[w.self].Person)
}

// Messages returns a page of a channel.
func (w *Workspace) Messages(ctx context.Context, q store.Query) (Page, error) {
	q.Space = w.orAll(q.Space)
	if err := w.checkChannel(ctx, ChannelRef{q.Space, q.Channel}); err != nil {
		return Page{}, err
	}
	p, err := w.store.Messages(ctx, q)
	if err != nil {
		return Page{}, storeProblem(err, w.dir)
	}
	marks, err := w.store.ReadMarks(ctx, q.Space, q.Channel)
	if err != nil {
		return Page{}, storeProblem(err, w.dir)
	}
	out := Page{Messages: make([]Message, len(p.Rows)), Earlier: p.Earlier, Later: p.Later, Total: p.Total, ReadUpTo: marks[w.me()]}
	for i, r := range p.Rows {
		out.Messages[i] = w.message(r, marks)
	}
	return out, nil
}

// Replies returns the answers to a message, in order, at most limit of them.
func (w *Workspace) Replies(ctx context.Context, id chat.MsgID, limit int) ([]Message, error) {
	row, err := w.row(ctx, id)
	if err != nil {
		return nil, err
	}
	rows, err := w.store.Replies(ctx, row, limit)
	if err != nil {
		return nil, storeProblem(err, w.dir)
	}
	marks, err := w.store.ReadMarks(ctx, row.Space, row.Channel)
	if err != nil {
		return nil, storeProblem(err, w.dir)
	}
	out := make([]Message, len(rows))
	for i, r := range rows {
		out[i] = w.message(r, marks)
	}
	return out, nil
}

// Message returns one message.
func (w *Workspace) Message(ctx context.Context, id chat.MsgID) (Message, error) {
	row, err := w.row(ctx, id)
	if err != nil {
		return Message{}, err
	}
	marks, err := w.store.ReadMarks(ctx, row.Space, row.Channel)
	if err != nil {
		return Message{}, storeProblem(err, w.dir)
	}
	return w.message(row, marks), nil
}

func (w *Workspace) message(r store.Row, marks map[chat.PersonID]int64) Message {
	m := Message{Row: r, Own: r.Author == w.me()}
	st := w.snapshot()
	m.Erase = w.mayErase(st, r)
	if !m.Own {
		return m
	}
	readers := st.Readers(r.Space)
	m.Of, m.Held = len(readers), 1
	for _, dev := range w.store.Held(r.ID.Log, r.ID.Seq) {
		if dev != w.self && slices.ContainsFunc(readers, func(d access.Device) bool { return d.Card.Sign == dev }) {
			m.Held++
		}
	}
	for person, pos := range marks {
		if pos >= r.Pos && person != r.Author {
			m.ReadBy = append(m.ReadBy, person)
		}
	}
	slices.SortFunc(m.ReadBy, func(a, b chat.PersonID) int { return slices.Compare(a[:], b[:]) })
	return m
}

// Search returns messages with all words of a text, newest first, in one channel
// or in all.
func (w *Workspace) Search(ctx context.Context, text string, channel *ChannelRef, before int64, limit int) ([]store.Hit, bool, error) {
	st := w.snapshot()
	if st == nil {
		return nil, false, problem("not-member")
	}
	spaces := w.readable(st)
	var id *chat.ChannelID
	if channel != nil {
		if err := w.checkChannel(ctx, *channel); err != nil {
			return nil, false, err
		}
		spaces, id = []log.SpaceID{channel.Space}, &channel.ID
	}
	hits, more, err := w.store.Search(ctx, spaces, text, id, before, limit)
	return hits, more, storeProblem(err, w.dir)
}

// A readMark is how far this person has read a channel, before it is written.
type readMark struct {
	id     chat.MsgID
	pos    int64
	newest bool // nothing is after it
}

// readPause is how long reading goes on before the marker is written: one entry
// for many messages read in a row.
const readPause = 1500 * time.Millisecond

// MarkRead notes that everything up to a message was read.
func (w *Workspace) MarkRead(ctx context.Context, channel ChannelRef, id chat.MsgID) error {
	row, err := w.row(ctx, id)
	if err != nil {
		return err
	}
	channel.Space = w.orAll(channel.Space)
	if (ChannelRef{row.Space, row.Channel}) != channel {
		return problem("no-such-message")
	}
	if !mayWrite(w.snapshot().Level(row.Space, w.self)) {
		return nil // a guest that only reads leaves no trace
	}
	marks, err := w.store.ReadMarks(ctx, row.Space, row.Channel)
	if err != nil {
		return storeProblem(err, w.dir)
	}
	if marks[w.me()] >= row.Pos {
		return nil
	}
	after, err := w.store.Messages(ctx, store.Query{Space: row.Space, Channel: row.Channel, After: row.Pos, Limit: 1})
	if err != nil {
		return storeProblem(err, w.dir)
	}
	w.mu.Lock()
	if w.reading[channel].pos < row.Pos {
		w.reading[channel] = readMark{id: id, pos: row.Pos, newest: len(after.Rows) == 0}
	}
	w.mu.Unlock()
	w.changed("channels", "")
	return nil
}

// forgetReadMark notes that a marker is not at the newest message any more.
func (w *Workspace) forgetReadMark(channel ChannelRef) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.reading[channel]; ok {
		m.newest = false
		w.reading[channel] = m
	}
}

// writeReadMarks writes markers now and then, and once more at the end.
func (w *Workspace) writeReadMarks(ctx context.Context) error {
	tick := time.NewTicker(readPause)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		w.flushReadMarks(context.WithoutCancel(ctx))
	}
	return nil
}

func (w *Workspace) flushReadMarks(ctx context.Context) {
	w.mu.Lock()
	marks := w.reading
	if len(marks) > 0 {
		w.reading = map[ChannelRef]readMark{}
	}
	w.mu.Unlock()
	for channel, m := range marks {
		if _, err := w.say(ctx, channel.Space, chat.Read{Channel: channel.ID, Message: m.id}, ""); err != nil {
			w.log.Debug("read marker", "err", err) // it is only how far one has read
		}
	}
}
