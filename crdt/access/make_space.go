package access

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"inselnetz/crdt/log"
)

// SpaceInput is what a named space begins with. Its creator manages it.
type SpaceInput struct {
	Name    string
	Members map[PersonID]Level
}

// CreateSpace returns the payloads that begin a named space, and its id.
func (s *State) CreateSpace(author log.DeviceID, random io.Reader, in SpaceInput) ([][]byte, log.SpaceID, error) {
	fail := func(err error) ([][]byte, log.SpaceID, error) { return nil, log.SpaceID{}, err }
	if err := s.mayMake(author); err != nil {
		return fail(err)
	}
	op := beginSpace{Type: opSpace, Kind: Named, Members: memberList(in.Members)}
	if _, err := io.ReadFull(random, op.Salt[:]); err != nil {
		return fail(fmt.Errorf("random salt: %w", err))
	}
	people := slices.Collect(maps.Keys(in.Members))
	return s.createSpace(author, random, op, in.Name, append(people, s.Devices[author].Person))
}

// CreateDirect returns the payloads that begin the space of the author's person
// and another, and its id. If it was begun before there are no payloads.
func (s *State) CreateDirect(author log.DeviceID, random io.Reader, with PersonID) ([][]byte, log.SpaceID, error) {
	if err := s.mayMake(author); err != nil {
		return nil, log.SpaceID{}, err
	}
	self := s.Devices[author].Person
	if _, ok := s.People[with]; !ok || with == self {
		return nil, log.SpaceID{}, ErrUnknown
	}
	id := DirectID(s.Workspace, self, with)
	if _, begun := s.Spaces[id]; begun {
		return nil, id, nil
	}
	op := beginSpace{Type: opSpace, Kind: Direct, Name: []byte{}, Members: memberList(map[PersonID]Level{self: Write, with: Write})}
	return s.createSpace(author, random, op, "", []PersonID{self, with})
}

// createSpace completes an operation that begins a space for the devices of
// people.
func (s *State) createSpace(author log.DeviceID, random io.Reader, op beginSpace, name string, people []PersonID) ([][]byte, log.SpaceID, error) {
	fail := func(err error) ([][]byte, log.SpaceID, error) { return nil, log.SpaceID{}, err }
	if len(op.Members) > maxMembers {
		return fail(ErrTooMuch)
	}
	id := op.id(s.Workspace, author)
	key, err := newSpaceKey(random)
	if err != nil {
		return fail(err)
	}
	first := SpaceKey{Space: id, Epoch: 1, ID: key.ID(id, 1), Key: key}
	if op.Kind == Named {
		if op.Name, err = sealName(random, first, s.Workspace, name); err != nil {
			return fail(err)
		}
	}
	var to []DeviceCard
	for _, d := range s.Seniority() {
		if d.Role <= Guest && slices.Contains(people, d.Person) {
			to = append(to, d.Card)
		}
	}
	wraps, err := s.wrapAll(first, id, append(to, s.kitFor(op.Kind)...))
	if err != nil {
		return fail(err)
	}
	op.Key = firstKey{ID: first.ID, Wraps: wraps[:min(len(wraps), maxWraps)]}
	payloads, err := pack(append([]any{op}, moreOps(id, first, wraps[len(op.Key.Wraps):])...))
	if err != nil {
		return fail(err)
	}
	if _, err := s.try(author, payloads...); err != nil {
		return fail(err)
	}
	return payloads, id, nil
}

func memberList(m map[PersonID]Level) []member {
	out := []member{}
	for _, p := range slices.SortedFunc(maps.Keys(m), comparePeople) {
		out = append(out, member{Person: p, Level: m[p]})
	}
	return out
}

// SpaceChange says what to change of a named space.
type SpaceChange struct {
	Space  log.SpaceID
	Name   *string            // nil leaves it
	Set    map[PersonID]Level // also of those who are members; None is not a level to set
	Remove map[PersonID][]Cut // with the last entries known of their logs in the space
}

// ChangeSpace returns the payloads that change who belongs to a named space, or
// its name. Who comes gets the keys; if somebody goes, the others get a new one.
func (s *State) ChangeSpace(author log.DeviceID, keys map[log.KeyID]SpaceKey, random io.Reader, in SpaceChange) ([][]byte, error) {
	if err := s.mayMake(author); err != nil {
		return nil, err
	}
	sp, ok := s.Spaces[in.Space]
	if !ok {
		return nil, ErrUnknown
	}
	op := members{Type: opMembers, Space: in.Space, Name: []byte{}, Set: memberList(in.Set), Remove: []leaver{}}
	leave := map[PersonID][]Cut{}
	maps.Copy(leave, in.Remove)
	for p, l := range in.Set { // who gets less is removed and let in again
		if _, ok := leave[p]; !ok && sp.Members[p].above(l) {
			leave[p] = nil
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(leave), comparePeople) {
		op.Remove = append(op.Remove, leaver{Person: p, Cuts: sortedCuts(leave[p])})
	}
	if in.Name != nil {
		current := s.ring(in.Space).current()
		key, held := keys[current.id]
		if !held {
			return nil, ErrNoKeys
		}
		var err error
		if op.Name, err = sealName(random, key, s.Workspace, *in.Name); err != nil {
			return nil, err
		}
	}
	same := len(op.Remove)+len(op.Name) == 0
	for p, l := range in.Set {
		same = same && sp.Members[p] == l
	}
	if same {
		return nil, ErrNoChange
	}
	payloads, err := pack([]any{op})
	if err != nil {
		return nil, err
	}
	after, err := s.try(author, payloads...)
	if err != nil {
		return nil, err
	}
	if err := after.obeyed(in); err != nil {
		return nil, err
	}
	return s.keysAfter(author, keys, random, op, after)
}

// obeyed returns an error if somebody does not have the level that a change
// gives: a senior member keeps what it has.
func (s *State) obeyed(in SpaceChange) error {
	now := s.Spaces[in.Space].Members
	for p, l := range in.Set {
		if now[p] != l && (l != Manage || !s.guestOnly(p)) {
			return ErrSenior
		}
	}
	for p := range in.Remove {
		if _, set := in.Set[p]; !set && now[p] != None {
			return ErrSenior
		}
	}
	return nil
}

// keysAfter returns the payloads of a change of members and of the keys that
// follow from it.
func (s *State) keysAfter(author log.DeviceID, keys map[log.KeyID]SpaceKey, random io.Reader, op members, after *State) ([][]byte, error) {
	ops := []any{op}
	switch {
	case after.writesNow(op.Space, after.devices[author]) && after.Stale(op.Space):
		rotation, err := after.rotation(keys, random, op.Space)
		if err != nil {
			return nil, err
		}
		ops = append(ops, rotation...)
	case after.Level(op.Space, author) != None:
		for _, need := range after.lacking(op.Space, keys) {
			wraps, err := s.wrapAll(keys[need.key.id], need.key.space, need.to)
			if err != nil {
				return nil, err
			}
			ops = append(ops, moreOps(need.key.space, keys[need.key.id], wraps)...)
		}
	}
	payloads, err := pack(ops)
	if err != nil {
		return nil, err
	}
	_, err = s.try(author, payloads...)
	return payloads, err
}

// Erase returns the payload that has the content of entries dropped everywhere.
func (s *State) Erase(author log.DeviceID, space log.SpaceID, refs []ErasedRef) ([]byte, error) {
	if err := s.mayMake(author); err != nil {
		return nil, err
	}
	op := erase{Type: opErase, Space: s.named(space), Refs: []erasedRef{}}
	if space == log.Control || len(refs) == 0 {
		return nil, ErrNotAllowed
	}
	if len(refs) > maxErased {
		return nil, ErrTooMuch
	}
	for _, r := range refs {
		op.Refs = append(op.Refs, erasedRef{Device: r.Card.Device, Incarnation: r.Card.Incarnation, Seq: r.Seq, Hash: r.Hash})
	}
	payload, err := only(pack([]any{op}))
	if err != nil {
		return nil, err
	}
	after, err := s.try(author, payload)
	if err != nil {
		return nil, err
	}
	for _, r := range refs {
		if !after.Erased(r.Card, r.Seq, r.Hash) {
			return nil, ErrNotAllowed
		}
	}
	return payload, nil
}
