package access

import (
	"bytes"
	"io"
	"slices"

	"inselnetz/crdt/log"
)

// maxRepair is how many copies one call of Repair makes.
const maxRepair = 1000

// Rotate returns the payloads that give a space a new key: for all who may read
// it, with the keys before it underneath.
func (s *State) Rotate(author log.DeviceID, keys map[log.KeyID]SpaceKey, random io.Reader, space log.SpaceID) ([][]byte, error) {
	if err := s.mayMake(author); err != nil {
		return nil, err
	}
	ops, err := s.rotation(keys, random, space)
	if err != nil {
		return nil, err
	}
	payloads, err := pack(ops)
	if err != nil {
		return nil, err
	}
	_, err = s.try(author, payloads...)
	return payloads, err
}

// rotation returns the operations that give a space a new key.
func (s *State) rotation(keys map[log.KeyID]SpaceKey, random io.Reader, id log.SpaceID) ([]any, error) {
	r := s.ring(id)
	current := r.current()
	if current == nil {
		return nil, ErrUnknown
	}
	key, err := newSpaceKey(random)
	if err != nil {
		return nil, err
	}
	next := SpaceKey{Space: id, Epoch: current.epoch + 1, Key: key}
	next.ID = key.ID(current.space, next.Epoch)
	op := newKey{Type: opKey, Space: current.space, Epoch: next.Epoch, ID: next.ID, Prevs: []oldKey{}}
	// Those not held are named all the same, or a key that nobody was given would
	// stay the current one.
	prevs := append([]*announced{current}, slices.DeleteFunc(r.tips(), func(k *announced) bool { return k == current })...)
	for _, k := range prevs[:min(len(prevs), maxPrevs)] {
		old := oldKey{ID: k.id}
		if held, ok := keys[k.id]; ok {
			if old.Sealed, err = sealOld(random, key, next.ID, held); err != nil {
				return nil, err
			}
		}
		op.Prevs = append(op.Prevs, old)
	}
	slices.SortFunc(op.Prevs, func(a, b oldKey) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	wraps, err := s.wrapAll(next, current.space, s.recipients(id))
	if err != nil {
		return nil, err
	}
	op.Wraps = wraps[:min(len(wraps), maxWraps)]
	ops := append([]any{op}, moreOps(current.space, next, wraps[len(op.Wraps):])...)
	if current.space != log.Control {
		return ops, nil
	}
	net := s.NetworkKey(next)
	copies, err := s.wrapAll(net, Network, s.outsiders())
	if err != nil {
		return nil, err
	}
	return append(ops, moreOps(Network, net, copies)...), nil
}

// recipients returns who gets keys of a space: the devices that may read it,
// and the recovery kit unless the space is of two.
func (s *State) recipients(id log.SpaceID) []DeviceCard {
	var to []DeviceCard
	for _, d := range s.Readers(id) {
		to = append(to, d.Card)
	}
	return append(to, s.kitFor(s.Spaces[id].Kind)...)
}

// kitFor returns the kit in force, if it gets keys of spaces of a kind.
func (s *State) kitFor(kind SpaceKind) []DeviceCard {
	if kit, ok := s.policy.kit(); ok && kind != Direct {
		return []DeviceCard{kit.card()}
	}
	return nil
}

// outsiders returns the devices that cannot derive the key of the network.
func (s *State) outsiders() []DeviceCard {
	var out []DeviceCard
	for _, d := range s.Seniority() {
		if !d.Role.belongs() {
			out = append(out, d.Card)
		}
	}
	return out
}

// wrapAll seals a key to devices. named is its space as operations name it.
func (s *State) wrapAll(key SpaceKey, named log.SpaceID, to []DeviceCard) ([]deviceWrap, error) {
	out := make([]deviceWrap, 0, len(to))
	for _, card := range to {
		w, err := wrap(s.scope, card, named, key.Epoch, key.Key)
		if err != nil {
			return nil, err
		}
		out = append(out, deviceWrap{Device: card.Sign, Sealed: w.Sealed})
	}
	return out, nil
}

// moreOps returns operations that hold copies of a key.
func moreOps(named log.SpaceID, key SpaceKey, all []deviceWrap) []any {
	var ops []any
	for part := range slices.Chunk(all, maxWraps) {
		ops = append(ops, moreWraps{Type: opWraps, Space: named, Epoch: key.Epoch, ID: key.ID, Wraps: part})
	}
	return ops
}

// Repair returns the payloads that give keys to whoever should have them and
// has not: readers without a key or who asked for it, the recovery kit, and the
// key of the network for those outside the space of all. It returns nil if
// nobody lacks what this device holds. One call makes at most 1,000 copies.
func (s *State) Repair(author log.DeviceID, keys map[log.KeyID]SpaceKey) ([][]byte, error) {
	if err := s.mayMake(author); err != nil {
		return nil, err
	}
	var ops []any
	room := maxRepair
	give := func(key SpaceKey, named log.SpaceID, to []DeviceCard) error {
		to = to[:min(len(to), room)]
		room -= len(to)
		wraps, err := s.wrapAll(key, named, to)
		ops = append(ops, moreOps(named, key, wraps)...)
		return err
	}
	everyone := log.Everyone(s.Workspace)
	for _, id := range append([]log.SpaceID{everyone}, s.spaceIDs()...) {
		if s.Level(id, author) == None {
			continue
		}
		for _, need := range s.lacking(id, keys) {
			if err := give(keys[need.key.id], need.key.space, need.to); err != nil {
				return nil, err
			}
		}
	}
	if current := s.ring(everyone).current(); s.Level(everyone, author) != None && current != nil {
		if held, ok := keys[current.id]; ok {
			net := s.NetworkKey(held)
			if err := give(net, Network, s.withoutCopy(net)); err != nil {
				return nil, err
			}
		}
	}
	if len(ops) == 0 {
		return nil, nil
	}
	payloads, err := pack(ops)
	if err != nil {
		return nil, err
	}
	_, err = s.try(author, payloads...)
	return payloads, err
}

// A need is a key and who lacks it.
type need struct {
	key *announced
	to  []DeviceCard
}

// lacking returns who lacks which of the keys of a space that are held here.
func (s *State) lacking(id log.SpaceID, keys map[log.KeyID]SpaceKey) []need {
	r := s.ring(id)
	direct := make(map[log.KeyID]map[log.DeviceID]bool, len(r.list))
	for _, k := range r.list {
		direct[k.id] = s.holders(k)
		for _, card := range s.kitFor(s.Spaces[id].Kind) {
			if slices.ContainsFunc(k.wraps, func(w wraps) bool { return w.has(card.Sign) }) {
				direct[k.id][card.Sign] = true
			}
		}
	}
	tips := s.heldTips(id, keys)
	missing := map[log.KeyID][]DeviceCard{}
	for _, card := range s.recipients(id) {
		opens := r.reach(func(k *announced) bool { return direct[k.id][card.Sign] })
		for _, k := range tips {
			if !opens[k.id] {
				missing[k.id] = append(missing[k.id], card)
			}
		}
		for _, key := range s.asked[card.Sign] {
			k := r.keys[key]
			if _, held := keys[key]; k == nil || !held || slices.ContainsFunc(missing[key], func(c DeviceCard) bool { return c.Sign == card.Sign }) {
				continue
			}
			answered := slices.ContainsFunc(k.wraps, func(w wraps) bool { return w.has(card.Sign) && s.graph.builds(w.node, s.asks[card.Sign]) })
			if !answered {
				missing[key] = append(missing[key], card)
			}
		}
	}
	var out []need
	for _, k := range slices.Backward(r.list) {
		if to := missing[k.id]; len(to) > 0 {
			out = append(out, need{k, to})
		}
	}
	return out
}

// reach returns the keys that somebody can open who holds some directly.
func (r *ring) reach(holds func(*announced) bool) map[log.KeyID]bool {
	opens := map[log.KeyID]bool{}
	// Keys come after those before them, so going back each is met once all that
	// lead to it were.
	for _, k := range slices.Backward(r.list) {
		if !opens[k.id] && !holds(k) {
			continue
		}
		opens[k.id] = true
		for _, p := range k.prevs {
			if p.Sealed != none {
				opens[p.ID] = true
			}
		}
	}
	return opens
}

func (w wraps) has(to log.DeviceID) bool {
	return slices.ContainsFunc(w.list, func(d deviceWrap) bool { return d.Device == to })
}

// withoutCopy returns the devices that cannot derive the key of the network and
// have no copy of it.
func (s *State) withoutCopy(net SpaceKey) []DeviceCard {
	return slices.DeleteFunc(s.outsiders(), func(c DeviceCard) bool {
		return slices.ContainsFunc(s.copies, func(n networkCopy) bool { return n.id == net.ID && n.has(c.Sign) })
	})
}

// Ask returns the payload by which a device asks for keys it should be able to
// open and cannot. It returns false if there are none, or if it asked for all of
// them and nobody answered yet.
func (s *State) Ask(author log.DeviceID, keys map[log.KeyID]SpaceKey) ([]byte, bool) {
	if s.mayMake(author) != nil {
		return nil, false
	}
	var want []log.KeyID
	news := false
	for _, id := range append([]log.SpaceID{log.Everyone(s.Workspace)}, s.spaceIDs()...) {
		if s.Level(id, author) == None {
			continue
		}
		for _, k := range slices.Backward(s.ring(id).list) {
			if _, held := keys[k.id]; held || len(want) == maxAsked {
				continue
			}
			want = append(want, k.id)
			waits := slices.Contains(s.asked[author], k.id) && !slices.ContainsFunc(k.wraps, func(w wraps) bool {
				return w.has(author) && s.graph.builds(w.node, s.asks[author])
			})
			news = news || !waits
		}
	}
	if !news {
		return nil, false
	}
	payload, err := checked(encodePayload(ask{Type: opAsk, Keys: want}))
	if err != nil {
		return nil, false
	}
	_, err = s.try(author, payload)
	return payload, err == nil
}
