package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// A Space is the unit of access, as this device shows it.
type Space struct {
	ID      log.SpaceID
	Name    string // empty for the space of all
	Kind    string // KindEveryone or KindNamed
	Level   access.Level
	Members []SpaceMember // those who manage it first, then by name
}

// A SpaceMember is a person in a space.
type SpaceMember struct {
	Person access.PersonID
	Name   string
	Level  access.Level
}

// Spaces returns the spaces this person is in, without direct ones: the space of
// all first, then by name.
func (w *Workspace) Spaces() ([]Space, error) {
	st := w.snapshot()
	if st == nil {
		return nil, problem("not-member")
	}
	var out []Space
	for _, id := range w.readable(st) {
		if s, ok := st.Spaces[id]; ok && s.Kind == access.Direct {
			continue
		}
		out = append(out, w.space(st, id))
	}
	slices.SortStableFunc(out, func(a, b Space) int {
		return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) // the one of all has no name
	})
	return out, nil
}

func (w *Workspace) space(st *access.State, id log.SpaceID) Space {
	out := Space{ID: id, Kind: KindEveryone, Level: st.Level(id, w.self)}
	s, ok := st.Spaces[id]
	if !ok {
		return out
	}
	out.Kind, out.Name = KindNamed, w.spaceName(st, id)
	for p, l := range s.Members {
		if st.PersonRole(p) != 0 { // who has left is not worth a line
			out.Members = append(out.Members, SpaceMember{p, access.ShowName(st.People[p].Name), l})
		}
	}
	slices.SortFunc(out.Members, func(a, b SpaceMember) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.Name, b.Name), bytes.Compare(a.Person[:], b.Person[:]))
	})
	return out
}

// CreateSpace begins a named space. This person manages it.
func (w *Workspace) CreateSpace(ctx context.Context, name string, members map[access.PersonID]access.Level) (Space, error) {
	name, err := cleanName("name", name)
	if err != nil {
		return Space{}, err
	}
	st := w.snapshot()
	if st == nil {
		return Space{}, problem("not-member")
	}
	delete(members, access.PersonID(w.me()))
	if err := allIn(st, members); err != nil {
		return Space{}, err
	}
	payloads, id, err := st.CreateSpace(w.self, rand.Reader, access.SpaceInput{Name: name, Members: members})
	if err != nil {
		return Space{}, accessProblem(err)
	}
	if err := w.control(ctx, payloads...); err != nil {
		return Space{}, err
	}
	return w.space(w.snapshot(), id), nil
}

// ChangeSpace renames a space, lets people in, or takes them out. Whoever leaves
// a space takes itself out. The result is zero for one who left.
func (w *Workspace) ChangeSpace(ctx context.Context, id log.SpaceID, name string, set map[access.PersonID]access.Level, remove []access.PersonID) (Space, error) {
	st := w.snapshot()
	if st == nil {
		return Space{}, problem("not-member")
	}
	if err := allIn(st, set); err != nil {
		return Space{}, err
	}
	change := access.SpaceChange{Space: id, Set: set}
	if name != "" {
		name, err := cleanName("name", name)
		if err != nil {
			return Space{}, err
		}
		change.Name = &name
	}
	for _, p := range remove {
		if change.Remove == nil {
			change.Remove = map[access.PersonID][]access.Cut{}
		}
		change.Remove[p] = nil
		for dev, d := range st.Devices {
			if d.Person == p {
				change.Remove[p] = append(change.Remove[p], w.cutsIn(id, dev)...)
			}
		}
	}
	payloads, err := st.ChangeSpace(w.self, w.keyring(), rand.Reader, change)
	if err != nil {
		return Space{}, accessProblem(err)
	}
	if err := w.control(ctx, payloads...); err != nil {
		return Space{}, err
	}
	st = w.snapshot()
	if st.Level(id, w.self) == access.None {
		return Space{}, nil
	}
	return w.space(st, id), nil
}

// allIn refuses people who are not, or not any more, in the workspace.
func allIn(st *access.State, people map[access.PersonID]access.Level) error {
	for p := range people {
		if st.PersonRole(p) == 0 {
			return problem("no-such-person")
		}
	}
	return nil
}

// Direct returns the channel of this person and another, which is begun if need
// be.
func (w *Workspace) Direct(ctx context.Context, with access.PersonID) (Channel, error) {
	st := w.snapshot()
	switch {
	case st == nil:
		return Channel{}, problem("not-member")
	case with == access.PersonID(w.me()) || st.PersonRole(with) == 0:
		return Channel{}, problem("no-such-person")
	}
	id := access.DirectID(w.ws, access.PersonID(w.me()), with)
	if _, ok := st.Spaces[id]; !ok {
		payloads, _, err := st.CreateDirect(w.self, rand.Reader, with)
		if err != nil {
			return Channel{}, accessProblem(err)
		}
		if err := w.control(ctx, payloads...); err != nil {
			return Channel{}, err
		}
	}
	rows, err := w.Channels(ctx)
	for _, c := range rows {
		if c.Ref == (ChannelRef{id, chat.Main}) {
			return c, nil
		}
	}
	return Channel{}, cmp.Or(err, error(problem("no-key")))
}

// accessProblem gives the errors of making operations their sentence.
func accessProblem(err error) error {
	for _, c := range []struct {
		err  error
		code string
	}{
		{access.ErrSenior, "senior"},
		{access.ErrNotAllowed, "not-permitted"},
		{access.ErrStopped, "update-needed"},
		{access.ErrNoKeys, "no-key"},
		{access.ErrUnknown, "no-such-person"},
		{access.ErrNoChange, "no-change"},
		{access.ErrPolicy, "policy"},
		{access.ErrTooMuch, "too-much"},
		{access.ErrDead, "device-removed"},
		{access.ErrDeviceKnown, "device-known"},
		{access.ErrPersonKnown, "device-known"},
		{access.ErrCard, "device-known"},
	} {
		if errors.Is(err, c.err) {
			return because(c.code, err)
		}
	}
	return err
}
