package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
)

// A Message is a line of a channel as this device shows it.
type Message struct {
	store.Row
	Own    bool
	Held   int             // devices known to have it on disk, this one included; own messages only
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
	Channel chat.ChannelID
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
	if err := w.checkChannel(ctx, d.Channel); err != nil {
		return Message{}, err
	}
	if d.Reply != nil {
		if _, err := w.row(ctx, *d.Reply); err != nil {
			return Message{}, err
		}
	}
	post := chat.Post{Channel: d.Channel, Text: text, Reply: d.Reply, Mentions: w.mentions(text)}
	a, err := w.say(ctx, post, d.Nonce)
	if err != nil {
		return Message{}, err
	}
	if len(a.Messages) == 0 {
		return Message{}, problem("internal", "the message is not there")
	}
	w.forgetReadMark(d.Channel)
	return w.Message(ctx, a.Messages[0])
}

// say writes one chat operation.
func (w *Workspace) say(ctx context.Context, op chat.Op, nonce string) (store.Applied, error) {
	if w.snapshot() == nil {
		return store.Applied{}, problem("not-member")
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
	return w.append(ctx, w.everyone(), log.KindChat, payload, nonce)
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

func (w *Workspace) checkChannel(ctx context.Context, id chat.ChannelID) error {
	if id == chat.Main {
		return nil
	}
	rows, err := w.Channels(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(rows, func(r store.ChannelRow) bool { return r.ID == id }) {
		return problem("no-such-channel")
	}
	return nil
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
	if err := w.mine(ctx, id); err != nil {
		return Message{}, err
	}
	return w.sayOf(ctx, id, chat.Edit{Message: id, Text: text, Mentions: w.mentions(text)})
}

// Retract takes an own message back.
func (w *Workspace) Retract(ctx context.Context, id chat.MsgID) (Message, error) {
	if err := w.mine(ctx, id); err != nil {
		return Message{}, err
	}
	return w.sayOf(ctx, id, chat.Retract{Message: id})
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
	return w.sayOf(ctx, id, chat.React{Message: id, Word: word, On: on})
}

func (w *Workspace) sayOf(ctx context.Context, id chat.MsgID, op chat.Op) (Message, error) {
	if _, err := w.say(ctx, op, ""); err != nil {
		return Message{}, err
	}
	return w.Message(ctx, id)
}

func (w *Workspace) mine(ctx context.Context, id chat.MsgID) error {
	row, err := w.row(ctx, id)
	switch {
	case err != nil:
		return err
	case row.Author != w.me():
		return problem("not-yours")
	case row.Retracted:
		return problem("retracted")
	}
	return nil
}

func (w *Workspace) row(ctx context.Context, id chat.MsgID) (store.Row, error) {
	if w.snapshot() == nil {
		return store.Row{}, problem("not-member")
	}
	row, err := w.store.Message(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return row, because("no-such-message", err)
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

// CreateChannel begins a channel and returns its id.
func (w *Workspace) CreateChannel(ctx context.Context, name string) (store.ChannelRow, error) {
	name, err := cleanName("name", name)
	if err != nil {
		return store.ChannelRow{}, err
	}
	a, err := w.say(ctx, chat.Create{Name: name}, "")
	if err != nil {
		return store.ChannelRow{}, err
	}
	rows, err := w.Channels(ctx)
	for _, r := range rows {
		if slices.Contains(a.Channels, r.ID) {
			return r, nil
		}
	}
	return store.ChannelRow{}, errors.Join(err, problem("internal", "the channel is not there"))
}

// Channels returns all channels, the one of all first.
func (w *Workspace) Channels(ctx context.Context) ([]store.ChannelRow, error) {
	if w.snapshot() == nil {
		return nil, problem("not-member")
	}
	rows, err := w.store.Channels(ctx, w.everyone(), w.me())
	if err != nil {
		return nil, storeProblem(err, w.dir)
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	for i := range rows { // a marker that is not written yet counts here already
		if mark, ok := w.reading[rows[i].ID]; ok && mark.newest {
			rows[i].Unread, rows[i].Mentioned = 0, false
		}
	}
	return rows, nil
}

// Messages returns a page of a channel.
func (w *Workspace) Messages(ctx context.Context, q store.Query) (Page, error) {
	if err := w.checkChannel(ctx, q.Channel); err != nil {
		return Page{}, err
	}
	q.Space = w.everyone()
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
	if !m.Own {
		return m
	}
	st := w.snapshot()
	m.Held = 1
	for _, dev := range w.store.Held(r.ID.Log, r.ID.Seq) {
		if _, ok := st.Devices[dev]; ok && dev != w.self {
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

// Search returns messages with all words of a text, newest first.
func (w *Workspace) Search(ctx context.Context, text string, channel *chat.ChannelID, before int64, limit int) ([]store.Hit, bool, error) {
	if w.snapshot() == nil {
		return nil, false, problem("not-member")
	}
	hits, more, err := w.store.Search(ctx, w.everyone(), text, channel, before, limit)
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
func (w *Workspace) MarkRead(ctx context.Context, channel chat.ChannelID, id chat.MsgID) error {
	row, err := w.row(ctx, id)
	if err != nil {
		return err
	}
	if row.Channel != channel {
		return problem("no-such-message")
	}
	marks, err := w.store.ReadMarks(ctx, row.Space, channel)
	if err != nil {
		return storeProblem(err, w.dir)
	}
	if marks[w.me()] >= row.Pos {
		return nil
	}
	after, err := w.store.Messages(ctx, store.Query{Space: row.Space, Channel: channel, After: row.Pos, Limit: 1})
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
func (w *Workspace) forgetReadMark(channel chat.ChannelID) {
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
		w.reading = map[chat.ChannelID]readMark{}
	}
	w.mu.Unlock()
	for channel, m := range marks {
		if _, err := w.say(ctx, chat.Read{Channel: channel, Message: m.id}, ""); err != nil {
			w.log.Debug("read marker", "err", err) // it is only how far one has read
		}
	}
}
