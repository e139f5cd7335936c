package app

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
)

// A ChannelRef names a channel: its space, and the channel there. The zero space
// stands for that of all.
type ChannelRef struct {
	Space log.SpaceID
	ID    chat.ChannelID
}

// A Channel is a conversation as this device shows it.
type Channel struct {
	store.ChannelRow
	Ref   ChannelRef
	Kind  string          // "everyone", "named", "direct"
	In    string          // name of its named space
	With  access.PersonID // the other person of a direct one
	Write bool            // this person may write here
}

// Kinds of spaces as people know them.
const (
	KindEveryone = "everyone"
	KindNamed    = "named"
	KindDirect   = "direct"
)

// orAll returns the space of all for none.
func (w *Workspace) orAll(space log.SpaceID) log.SpaceID {
	if space == (log.SpaceID{}) {
		return w.everyone()
	}
	return space
}

// ChannelText is how a channel is named to pages and scripts: in the space of
// all by its own id, elsewhere with the space before it.
func (w *Workspace) ChannelText(c ChannelRef) string {
	if c.Space == w.everyone() {
		return c.ID.String()
	}
	return c.Space.String() + "." + c.ID.String()
}

// ParseChannel reads what ChannelText wrote; nothing is the channel of all.
func (w *Workspace) ParseChannel(s string) (ChannelRef, error) {
	c := ChannelRef{Space: w.everyone(), ID: chat.Main}
	if s == "" {
		return c, nil
	}
	space, id, elsewhere := strings.Cut(s, ".")
	var err error
	if elsewhere {
		if c.Space, err = log.ParseSpaceID(space); err != nil {
			return c, because("no-such-channel", err)
		}
	} else {
		id = s
	}
	if c.ID, err = chat.ParseChannelID(id); err != nil {
		return c, because("no-such-channel", err)
	}
	return c, nil
}

// readable returns the spaces this device may read, the space of all first, then
// named ones, then direct ones, each in ascending order of id.
func (w *Workspace) readable(st *access.State) []log.SpaceID {
	var out []log.SpaceID
	for id := range st.Spaces {
		if st.Level(id, w.self) != access.None {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b log.SpaceID) int {
		return cmp.Or(cmp.Compare(st.Spaces[a].Kind, st.Spaces[b].Kind), slices.Compare(a[:], b[:]))
	})
	if st.Level(w.everyone(), w.self) != access.None {
		out = slices.Insert(out, 0, w.everyone())
	}
	return out
}

// Channels returns all channels this person may read: those of all first, then
// those of named spaces, then direct ones, by name.
func (w *Workspace) Channels(ctx context.Context) ([]Channel, error) {
	st := w.snapshot()
	if st == nil {
		return nil, problem("not-member")
	}
	var out []Channel
	for _, space := range w.readable(st) {
		rows, err := w.store.Channels(ctx, space, w.me())
		if err != nil {
			return nil, storeProblem(err, w.dir)
		}
		about := w.about(st, space)
		for _, r := range rows {
			c := about
			c.ChannelRow, c.Ref = r, ChannelRef{space, r.ID}
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Channel) int {
		if a.Kind != KindNamed || b.Kind != KindNamed {
			return 0
		}
		return cmp.Compare(strings.ToLower(a.In), strings.ToLower(b.In))
	})
	w.mu.RLock()
	defer w.mu.RUnlock()
	for i := range out { // a marker that is not written yet counts here already
		if mark, ok := w.reading[out[i].Ref]; ok && mark.newest {
			out[i].Unread, out[i].Mentioned = 0, false
		}
	}
	return out, nil
}

// about fills in what all channels of a space have in common.
func (w *Workspace) about(st *access.State, space log.SpaceID) Channel {
	c := Channel{Kind: KindEveryone, Write: mayWrite(st.Level(space, w.self))}
	s, ok := st.Spaces[space]
	switch {
	case !ok:
	case s.Kind == access.Direct:
		c.Kind = KindDirect
		for p := range s.Members {
			if p != access.PersonID(w.me()) {
				c.With = p
			}
		}
	default:
		c.Kind = KindNamed
		c.In = w.spaceName(st, space)
	}
	return c
}

func mayWrite(l access.Level) bool { return l == access.Manage || l == access.Write }

// spaceName is the name of a named space, empty if it cannot be read here.
func (w *Workspace) spaceName(st *access.State, space log.SpaceID) string {
	name, ok := st.SpaceName(space, w.keyring())
	if !ok {
		return ""
	}
	return access.ShowName(name)
}

func (w *Workspace) checkChannel(ctx context.Context, c ChannelRef) error {
	st := w.snapshot()
	switch {
	case st == nil:
		return problem("not-member")
	case st.Level(c.Space, w.self) == access.None:
		return problem("no-such-channel")
	case c.ID == chat.Main:
		return nil
	}
	rows, err := w.store.Channels(ctx, c.Space, w.me())
	if err != nil {
		return storeProblem(err, w.dir)
	}
	if !slices.ContainsFunc(rows, func(r store.ChannelRow) bool { return r.ID == c.ID }) {
		return problem("no-such-channel")
	}
	return nil
}

// CreateChannel begins a channel in a space.
func (w *Workspace) CreateChannel(ctx context.Context, space log.SpaceID, name string) (Channel, error) {
	name, err := cleanName("name", name)
	if err != nil {
		return Channel{}, err
	}
	space = w.orAll(space)
	a, err := w.say(ctx, space, chat.Create{Name: name}, "")
	if err != nil {
		return Channel{}, err
	}
	rows, err := w.Channels(ctx)
	for _, r := range rows {
		if r.Ref.Space == space && slices.Contains(a.Channels, r.ID) {
			return r, nil
		}
	}
	if err == nil {
		err = problem("internal", "the channel is not there")
	}
	return Channel{}, err
}
