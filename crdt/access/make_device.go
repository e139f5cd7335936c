package access

import (
	"cmp"
	"io"
	"maps"
	"math"
	"slices"

	"inselnetz/crdt/log"
)

// SetRole returns the payloads that give all devices of a person a role. cuts
// are the last entries known of each, for those that are lowered; those of the
// control space need not be among them.
func (s *State) SetRole(author log.DeviceID, keys map[log.KeyID]SpaceKey, random io.Reader, person PersonID, r Role, cuts map[log.DeviceID][]Cut) ([][]byte, error) {
	if err := s.mayMake(author); err != nil {
		return nil, err
	}
	if !r.known() {
		return nil, ErrNotAllowed
	}
	ops, found, err := s.roleOps(person, r, cuts, func(d Device) ([]Wrap, error) { return s.wrapsFor(keys, d.Card, r) })
	if err != nil {
		return nil, err
	}
	switch {
	case !found:
		return nil, ErrUnknown
	case len(ops) == 0:
		return nil, ErrNoChange
	}
	payloads, after, err := s.andRotate(author, keys, random, ops)
	if err != nil {
		return nil, err
	}
	for id, d := range s.Devices {
		now, in := after.Role(id)
		if d.Person == person && in && (r > d.Role && now < r || r < d.Role && now > r) {
			return nil, ErrNoChange
		}
	}
	return payloads, nil
}

// roleOps are the operations that give all devices of a person a role, with keys
// from wraps for those that had none.
func (s *State) roleOps(person PersonID, r Role, cuts map[log.DeviceID][]Cut, wraps func(Device) ([]Wrap, error)) (ops []any, found bool, err error) {
	var raises []any
	for _, d := range s.Seniority() {
		if d.Person != person {
			continue
		}
		found = true
		switch {
		case r > d.Role:
			ops = append(ops, lower{Type: opLower, Device: d.Card.Sign, Role: r, Cuts: s.withControl(d.Card.Sign, cuts[d.Card.Sign])})
		case r < d.Role:
			a := admit{Type: opAdmit, Device: d.Card, Person: s.People[person], Role: r, Wraps: []Wrap{}}
			if !d.Role.belongs() {
				if a.Wraps, err = wraps(d); err != nil {
					return nil, found, err
				}
			}
			raises = append(raises, a)
		}
	}
	return append(ops, raises...), found, nil // whose person manages no longer may be raised by others
}

// withControl adds to cuts where the control logs of a device end, as far as
// they are held.
func (s *State) withControl(d log.DeviceID, cuts []Cut) []Cut {
	ends := map[log.LogID]Cut{}
	var covered []Cut
	for _, n := range s.graph.by[d] {
		c := Cut{Space: log.Control, Log: n.Entry.Log, Seq: n.Entry.Seq, Hash: n.hash}
		if old, ok := ends[c.Log]; !ok || further(c, old) {
			ends[c.Log] = c
		}
	}
	for _, c := range cuts {
		if c.Log == (log.LogID{}) {
			covered = append(covered, c)
		} else {
			ends[c.Log] = c
		}
	}
	return sortedCuts(slices.AppendSeq(covered, maps.Values(ends)))
}

func sortedCuts(cuts []Cut) []Cut {
	out := append([]Cut{}, cuts...)
	slices.SortFunc(out, func(a, b Cut) int { return cmp.Or(compareCuts(a, b), cmp.Compare(b.Seq, a.Seq)) })
	return slices.CompactFunc(out, func(a, b Cut) bool { return compareCuts(a, b) == 0 })
}

// RemoveInput says which devices to remove for ever.
type RemoveInput struct {
	Devices  []log.DeviceID
	Cuts     map[log.DeviceID][]Cut   // the last entries known of each; those of the control space need not be among them
	Handover map[log.SpaceID]PersonID // who manages a space from then on
}

// Remove returns the payloads that remove devices, hand over spaces, and give
// new keys to every space that the author may write in and a removed device
// could read.
func (s *State) Remove(author log.DeviceID, keys map[log.KeyID]SpaceKey, random io.Reader, in RemoveInput) ([][]byte, error) {
	if err := s.mayMake(author); err != nil {
		return nil, err
	}
	if len(in.Devices) == 0 {
		return nil, ErrNoChange
	}
	var ops []any
	for _, id := range slices.SortedFunc(maps.Keys(in.Handover), compareSpaces) {
		if s.Spaces[id].Members[in.Handover[id]] == Manage {
			continue
		}
		ops = append(ops, members{Type: opMembers, Space: id, Name: []byte{}, Set: []member{{Person: in.Handover[id], Level: Manage}}, Remove: []leaver{}})
	}
	for _, d := range in.Devices {
		if _, ok := s.Devices[d]; !ok {
			if _, gone := s.Gone[d]; gone {
				return nil, ErrDead
			}
			return nil, ErrUnknown
		}
		cuts := s.withControl(d, in.Cuts[d])
		first := cuts[:min(len(cuts), maxCuts)]
		ops = append(ops, revoke{Type: opRevoke, Device: d, Cuts: first})
		for more := range slices.Chunk(cuts[len(first):], maxCuts) {
			ops = append(ops, cut{Type: opCut, Device: d, Cuts: more})
		}
	}
	payloads, after, err := s.andRotate(author, keys, random, ops)
	if err != nil {
		return nil, err
	}
	for id, p := range in.Handover {
		if l := after.Spaces[id].Members[p]; l != Manage {
			return nil, ErrNotAllowed
		}
	}
	return payloads, nil
}

// andRotate returns the payloads of ops and of new keys for all spaces that are
// stale after them and that the author may write in, and the state after them.
func (s *State) andRotate(author log.DeviceID, keys map[log.KeyID]SpaceKey, random io.Reader, ops []any) ([][]byte, *State, error) {
	payloads, err := pack(ops)
	if err != nil {
		return nil, nil, err
	}
	after, err := s.try(author, payloads...)
	if err != nil {
		return nil, nil, err
	}
	var more []any
	for _, id := range append([]log.SpaceID{log.Everyone(s.Workspace)}, after.spaceIDs()...) {
		if !after.writesNow(id, after.devices[author]) || !after.Stale(id) {
			continue
		}
		rotation, err := after.rotation(keys, random, id)
		if err != nil {
			return nil, nil, err
		}
		more = append(more, rotation...)
	}
	if len(more) == 0 {
		return payloads, after, nil
	}
	rotations, err := pack(more)
	if err != nil {
		return nil, nil, err
	}
	payloads = append(payloads, rotations...)
	after, err = s.try(author, payloads...)
	return payloads, after, err
}

// MayRemove returns nil if author may remove a device now; else ErrSenior,
// ErrNotAllowed, ErrUnknown, ErrDead or ErrStopped.
func (s *State) MayRemove(author, device log.DeviceID) error {
	if err := s.mayMake(author); err != nil {
		return err
	}
	d, by := s.devices[device], s.devices[author]
	switch {
	case d == nil || !d.known:
		return ErrUnknown
	case d.removal != nil:
		return ErrDead
	case !by.Role.manages():
		return ErrNotAllowed
	case d != by && s.place(d) < s.speaks(by):
		return ErrSenior
	}
	return nil
}

// speaks returns when what a device would say now is read, a high number if
// never.
func (s *State) speaks(d *device) int {
	place := math.MaxInt
	for _, t := range d.tenures {
		if t.done && !slices.ContainsFunc(d.lowers, func(l *lowering) bool { return t.lowered(s.graph, l) }) {
			place = min(place, t.place)
		}
	}
	return place
}

// place returns when the first of what a device said and that stands was read, a
// high number if there is none.
func (s *State) place(d *device) int {
	place := math.MaxInt
	for _, t := range d.tenures {
		if t.done && !t.ended(s.graph, nil) {
			place = min(place, t.place)
		}
	}
	return place
}

// MayRole returns nil if author may give a person's devices a role now; else
// ErrSenior, ErrNotAllowed, ErrUnknown, ErrNoChange or ErrStopped.
func (s *State) MayRole(author log.DeviceID, p PersonID, r Role) error {
	if err := s.mayMake(author); err != nil {
		return err
	}
	by := s.devices[author]
	if !r.known() || !by.Role.manages() || r == Owner && by.Role != Owner {
		return ErrNotAllowed
	}
	if by.Role != Owner && by.Person != p && len(s.chiefs[p]) > 0 {
		for _, d := range s.Devices {
			if d.Person == p && d.Role > r {
				return s.mayRaise(author, p, r)
			}
		}
	}
	err := ErrUnknown
	for id, d := range s.Devices {
		switch {
		case d.Person != p:
		case r > d.Role && id != author && s.place(s.devices[id]) < s.speaks(by):
			return ErrSenior
		case r != d.Role:
			err = nil
		case err != nil:
			err = ErrNoChange
		}
	}
	return err
}

// mayRaise tries to give all devices of somebody who manages, or did, a role:
// whether that bars the author depends on who made them so, and in what order that
// is read.
func (s *State) mayRaise(author log.DeviceID, p PersonID, r Role) error {
	ops, _, err := s.roleOps(p, r, nil, func(Device) ([]Wrap, error) { return []Wrap{}, nil })
	if err != nil {
		return err
	}
	payloads, err := pack(ops)
	if err != nil {
		return err
	}
	_, err = s.try(author, payloads...)
	return err
}

// Cut returns the payload that ends logs of a device: names the branch of a fork
// that counts, or adopts late work of a removed one.
func (s *State) Cut(author, device log.DeviceID, cuts []Cut) ([]byte, error) {
	if err := s.mayMake(author); err != nil {
		return nil, err
	}
	if _, ok := s.Known(device); !ok {
		return nil, ErrUnknown
	}
	payload, err := only(pack([]any{cut{Type: opCut, Device: device, Cuts: sortedCuts(cuts)}}))
	if err != nil {
		return nil, err
	}
	_, err = s.try(author, payload)
	return payload, err
}

// SetUntil returns the payload that says when a guest's access ends, in
// milliseconds since 1970; 0 is never.
func (s *State) SetUntil(author, device log.DeviceID, end int64) ([]byte, error) {
	if err := s.mayMake(author); err != nil {
		return nil, err
	}
	if s.Devices[device].Role != Guest || end < 0 {
		return nil, ErrNotAllowed
	}
	payload, err := checked(encodePayload(until{Type: opUntil, Device: device, Time: uint64(end)}))
	if err != nil {
		return nil, err
	}
	_, err = s.try(author, payload)
	return payload, err
}

// Facts returns the payload by which a device says how its disk is, 0 unknown, 1
// encrypted, 2 not, and whether it is meant to stay on. It returns false if it
// said so before.
func (s *State) Facts(author log.DeviceID, disk uint64, stays bool) ([]byte, bool) {
	d, ok := s.Devices[author]
	if s.Stopped || !ok || d.Disk == disk && d.Stays == stays {
		return nil, false
	}
	if stays {
		disk += staysOn
	}
	payload, err := checked(encodePayload(facts{Type: opFacts, Disk: disk}))
	return payload, err == nil
}

// Orphans says what a removal of devices leaves without care: the spaces that
// nobody manages then, with the members who could, and the spaces that nobody
// reads then.
func (s *State) Orphans(devices []log.DeviceID) (handover map[log.SpaceID][]PersonID, lost []log.SpaceID) {
	handover = map[log.SpaceID][]PersonID{}
	for _, id := range s.spaceIDs() {
		before, after := s.Readers(id), []Device{}
		for _, d := range before {
			if !slices.Contains(devices, d.Card.Sign) {
				after = append(after, d)
			}
		}
		managed := func(all []Device) bool {
			return slices.ContainsFunc(all, func(d Device) bool { return s.Level(id, d.Card.Sign) == Manage })
		}
		switch {
		case len(after) == len(before):
		case len(after) == 0:
			lost = append(lost, id)
		case s.Spaces[id].Kind == Named && managed(before) && !managed(after):
			people := []PersonID{}
			for _, d := range after {
				if d.Role.belongs() {
					people = append(people, d.Person)
				}
			}
			slices.SortFunc(people, comparePeople)
			handover[id] = slices.Compact(people)
		}
	}
	return handover, lost
}
