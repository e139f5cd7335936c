package access

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"

	"inselnetz/crdt/log"
)

// FoundInput is what a workspace begins with.
type FoundInput struct {
	Office string
	Person Person
	Device DeviceCard
	Kit    *Deputy // decides alone as long as there are no deputies; nil for none
}

// Found returns the payload of a genesis entry. The entry is seq 1 of a log
// whose card has a zero workspace and the control space; its hash is the
// workspace id. The founder goes on writing control entries in that log.
func Found(random io.Reader, in FoundInput) ([]byte, error) {
	g := genesis{Type: opGenesis, Office: in.Office, Person: in.Person, Device: in.Device}
	var key log.Key
	if _, err := io.ReadFull(random, g.Salt[:]); err != nil {
		return nil, fmt.Errorf("random salt: %w", err)
	}
	if _, err := io.ReadFull(random, key[:]); err != nil {
		return nil, fmt.Errorf("random key: %w", err)
	}
	w, err := wrap(scopeOf(g.Salt, in.Device.Sign), in.Device, log.Control, 1, key)
	if err != nil {
		return nil, err
	}
	g.Wraps = []Wrap{w}
	return checked(encodePayload(g))
}

// AdmitInput says whom to let in.
type AdmitInput struct {
	Device DeviceCard
	Person Person
	Role   Role
	Known  bool                  // Person is in the workspace and this is another device of theirs
	Until  int64                 // when a guest's access ends, in milliseconds since 1970; 0 is never
	Spaces map[log.SpaceID]Level // for a guest
}

// Admit returns the payload of a control entry by which the device author, which
// holds keys, lets another one in. Unless Known is set it refuses a person who
// is in the workspace: a newcomer makes up its own id and must not become
// somebody else.
func (s *State) Admit(author log.DeviceID, keys map[log.KeyID]SpaceKey, in AdmitInput) ([]byte, error) {
	by, ok := s.Devices[author]
	switch {
	case s.Stopped:
		return nil, ErrStopped
	case !ok || !in.Role.known():
		return nil, ErrNotAllowed
	}
	if _, known := s.People[in.Person.ID]; known != in.Known {
		return nil, ErrPersonKnown
	}
	if err := s.mayAdmit(by, in.Device, in.Person.ID, in.Role); err != nil {
		return nil, err
	}
	a := admit{Type: opAdmit, Device: in.Device, Person: in.Person, Role: in.Role, Wraps: []Wrap{}}
	for e, id := range s.epochs {
		held, ok := keys[id]
		if !ok {
			return nil, fmt.Errorf("%w: epoch %d", ErrNoKeys, e.number)
		}
		w, err := wrap(s.scope, in.Device, e.space, e.number, held.Key)
		if err != nil {
			return nil, err
		}
		a.Wraps = append(a.Wraps, w)
	}
	slices.SortFunc(a.Wraps, func(a, b Wrap) int {
		return cmp.Or(bytes.Compare(a.Space[:], b.Space[:]), cmp.Compare(a.Epoch, b.Epoch))
	})
	return checked(encodePayload(a))
}

// Keys returns the space keys sealed to the holder of secret, by the name that
// entries use. It costs some hundred microseconds a key; keep the result.
func (s *State) Keys(secret BoxSecret) map[log.KeyID]SpaceKey {
	keys := map[log.KeyID]SpaceKey{}
	d, ok := s.Devices[s.boxes[secret.Public()]]
	if !ok {
		return keys
	}
	for _, w := range s.wraps[d.Card.Sign] {
		// Only the announced key of an epoch is one: else a manager could give
		// two devices different keys and they would not read each other.
		if s.epochs[epoch{w.Space, w.Epoch}] != w.Key {
			continue
		}
		if key, err := w.unwrap(s.scope, d.Card, secret); err == nil {
			keys[w.Key] = SpaceKey{Space: s.space(w.Space), Epoch: w.Epoch, ID: w.Key, Key: key}
		}
	}
	return keys
}

// Current returns the epoch in which new entries of a space are to be written,
// and the name of its key.
func (s *State) Current(space log.SpaceID) (number uint64, id log.KeyID, ok bool) {
	for e, k := range s.epochs {
		if s.space(e.space) == space && e.number > number {
			number, id, ok = e.number, k, true
		}
	}
	return number, id, ok
}

// space returns the id of a space named in an operation.
func (s *State) space(named log.SpaceID) log.SpaceID {
	if named == log.Control {
		return log.Everyone(s.Workspace)
	}
	return named
}
