package access

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"fmt"
	"io"
	"maps"
	"slices"

	"inselnetz/crdt/log"
)

// maxPayload is how long the payloads made here are at most, so that an entry
// with all its references stays below log.MaxEntry.
const maxPayload = 60 << 10

// FoundInput is what a workspace begins with.
type FoundInput struct {
	Office string
	Person Person
	Device DeviceCard
	Kit    *Deputy // decides alone as long as there are no deputies; nil for none
}

// Found returns the payload of a genesis entry. The entry is seq 1 of a log
// whose card has a zero workspace and the control space; its hash is the
// workspace id. The founder goes on writing control entries in that log. The
// kit gets its keys by Repair.
func Found(random io.Reader, in FoundInput) ([]byte, error) {
	g := genesis{Type: opGenesis, Office: in.Office, Person: in.Person, Device: in.Device}
	if _, err := io.ReadFull(random, g.Salt[:]); err != nil {
		return nil, fmt.Errorf("random salt: %w", err)
	}
	key, err := newSpaceKey(random)
	if err != nil {
		return nil, err
	}
	w, err := wrap(scopeOf(g.Salt, in.Device.Sign), in.Device, log.Control, 1, key)
	if err != nil {
		return nil, err
	}
	g.Wraps = []Wrap{w}
	if in.Kit == nil {
		return checked(encodePayload(g))
	}
	return checked(encodePayload(g, policy{Type: opPolicy, Need: 1, Deputies: []Deputy{*in.Kit}}))
}

func newSpaceKey(random io.Reader) (log.Key, error) {
	var key log.Key
	if _, err := io.ReadFull(random, key[:]); err != nil {
		return key, fmt.Errorf("random key: %w", err)
	}
	return key, nil
}

// AdmitInput says whom to let in.
type AdmitInput struct {
	Device DeviceCard
	Person Person
	Role   Role
	Known  bool                  // Person is in the workspace and this is another device of theirs
	Until  int64                 // when a guest's access ends, in milliseconds since 1970; 0 is never
	Spaces map[log.SpaceID]Level // to join in the same entry, as guests do; the author manages them
}

// Admit returns the payload of a control entry by which the device author, which
// holds keys, lets another one in. Unless Known is set it refuses a person who
// is in the workspace: a newcomer makes up its own id and must not become
// somebody else.
func (s *State) Admit(author log.DeviceID, keys map[log.KeyID]SpaceKey, in AdmitInput) ([]byte, error) {
	if err := s.mayMake(author); err != nil {
		return nil, err
	}
	if _, known := s.People[in.Person.ID]; known != in.Known {
		return nil, ErrPersonKnown
	}
	if d, known := s.Known(in.Device.Sign); known && d.Removed != nil {
		return nil, ErrDead
	} else if known {
		return nil, ErrDeviceKnown
	}
	if !in.Role.known() || in.Until < 0 {
		return nil, ErrNotAllowed
	}
	if err := in.Device.Check(); err != nil {
		return nil, err
	}
	wraps, err := s.wrapsFor(keys, in.Device, in.Role)
	if err != nil {
		return nil, err
	}
	ops := []any{}
	if in.Until != 0 {
		ops = append(ops, until{Type: opUntil, Device: in.Device.Sign, Time: uint64(in.Until)})
	}
	for _, id := range slices.SortedFunc(maps.Keys(in.Spaces), compareSpaces) {
		ops = append(ops, members{Type: opMembers, Space: id, Name: []byte{}, Set: []member{{Person: in.Person.ID, Level: in.Spaces[id]}}, Remove: []leaver{}})
	}
	for _, id := range s.spaceIDs() {
		_, joins := in.Spaces[id]
		if in.Role == Carrier || !joins && s.Spaces[id].Members[in.Person.ID] == None {
			continue
		}
		if s.Spaces[id].Kind == Direct && s.Devices[author].Person != in.Person.ID {
			continue // the other one of the two gives it
		}
		for _, k := range s.heldTips(id, keys) {
			w, err := wrap(s.scope, in.Device, k.space, k.epoch, keys[k.id].Key)
			if err != nil {
				return nil, err
			}
			if wraps = append(wraps, w); len(wraps) >= 100 {
				break // Repair gives the rest
			}
		}
	}
	a := admit{Type: opAdmit, Device: in.Device, Person: in.Person, Role: in.Role, Wraps: wraps}
	payload, err := checked(encodePayload(append([]any{a}, ops...)...))
	if err != nil {
		return nil, err
	}
	if len(payload) > maxPayload {
		return nil, ErrTooMuch
	}
	_, err = s.try(author, payload)
	return payload, err
}

// wrapsFor returns what a device needs of the space of all: its keys, or the key
// of the network for those who do not read it.
func (s *State) wrapsFor(keys map[log.KeyID]SpaceKey, to DeviceCard, r Role) ([]Wrap, error) {
	everyone := log.Everyone(s.Workspace)
	current := s.ring(everyone).current()
	if current == nil {
		return nil, ErrUnknown
	}
	held, ok := keys[current.id]
	if !ok {
		return nil, fmt.Errorf("%w: epoch %d", ErrNoKeys, current.epoch)
	}
	if !r.belongs() {
		w, err := wrap(s.scope, to, Network, held.Epoch, s.NetworkKey(held).Key)
		return []Wrap{w}, err
	}
	var wraps []Wrap
	for _, k := range s.heldTips(everyone, keys) {
		w, err := wrap(s.scope, to, k.space, k.epoch, keys[k.id].Key)
		if err != nil {
			return nil, err
		}
		if wraps = append(wraps, w); len(wraps) >= 50 {
			break // Repair gives the rest
		}
	}
	return wraps, nil
}

// heldTips returns the keys of a space that are held and under no other held
// one, the newest first.
func (s *State) heldTips(id log.SpaceID, keys map[log.KeyID]SpaceKey) []*announced {
	r := s.ring(id)
	under := map[log.KeyID]bool{}
	for _, k := range r.list {
		if _, held := keys[k.id]; held {
			for _, p := range k.prevs {
				if p.Sealed != none {
					under[p.ID] = true
				}
			}
		}
	}
	var tips []*announced
	for _, k := range r.list {
		if _, held := keys[k.id]; held && !under[k.id] {
			tips = append(tips, k)
		}
	}
	slices.SortFunc(tips, compareKeys)
	return tips
}

func compareKeys(a, b *announced) int {
	return cmp.Or(cmp.Compare(b.epoch, a.epoch), bytes.Compare(a.id[:], b.id[:]))
}

func compareSpaces(a, b log.SpaceID) int { return bytes.Compare(a[:], b[:]) }

func comparePeople(a, b PersonID) int { return bytes.Compare(a[:], b[:]) }

func compareDevices(a, b log.DeviceID) int { return bytes.Compare(a[:], b[:]) }

// mayMake returns an error if a device can write no operation at all.
func (s *State) mayMake(author log.DeviceID) error {
	if s.Stopped {
		return ErrStopped
	}
	if _, ok := s.Devices[author]; !ok {
		return ErrNotAllowed
	}
	return nil
}

// try resolves with entries that author would write now, which know of all
// there is. It returns the state after them, and an error for the first
// operation that would not count.
func (s *State) try(author log.DeviceID, payloads ...[]byte) (*State, error) {
	card := log.Card{Workspace: s.Workspace, Device: author, Incarnation: log.Incarnation{0xfd, 'd', 'r', 'a', 'f', 't'}}
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) // Resolve does not look at signatures
	entries := make([]Authored, 0, len(s.graph.nodes))
	for _, n := range s.graph.nodes {
		entries = append(entries, n.Authored)
	}
	var drafts []Authored
	var last log.Height
	for _, p := range payloads {
		e, err := log.New(key, log.Header{Log: card.ID(), Seq: last.Seq + 1, Prev: last.Hash, Kind: log.KindControl}, p)
		if err != nil {
			return nil, err
		}
		drafts = append(drafts, Authored{Card: card, Entry: e})
		last = log.Height{Seq: e.Seq, Hash: e.Hash()}
	}
	after := resolve(s.Workspace, newGraph(s.Workspace, entries, drafts, s.graph))
	for _, d := range drafts {
		n := after.graph.nodes[d.Entry.Hash()]
		if n.err != nil {
			return nil, n.err
		}
		for i, why := range n.why {
			if err := why.err(n.ops[i]); err != nil {
				return nil, err
			}
		}
	}
	return after, nil
}

// err returns what whoever made a void operation is told.
func (w Why) err(op operation) error {
	switch w {
	case Counts, WhyOpen, WhyNoChange: // makers look at what has changed
		return nil
	case WhySenior:
		return ErrSenior
	case WhyDead:
		return ErrDead
	case WhyKnown:
		return ErrDeviceKnown
	case WhyNobody:
		return ErrUnknown
	case WhyKeys:
		return ErrNoKeys
	case WhyTooMany:
		return ErrTooMuch
	case WhyMalformed, WhyUnknown:
		return errVoid
	}
	return fmt.Errorf("%w: %T", ErrNotAllowed, op)
}

// pack puts operations into as few payloads as hold them, in their order.
func pack(ops []any) ([][]byte, error) {
	var out [][]byte
	for len(ops) > 0 {
		n, size := 0, 0
		for n < len(ops) && n < maxOps {
			more := len(encode(ops[n]))
			if n > 0 && size+more > maxPayload-16 {
				break
			}
			size += more
			n++
		}
		payload, err := checked(encodePayload(ops[:n]...))
		if err != nil {
			return nil, err
		}
		if len(payload) > maxPayload {
			return nil, ErrTooMuch
		}
		out, ops = append(out, payload), ops[n:]
	}
	return out, nil
}

// only returns the one payload that operations fit in.
func only(payloads [][]byte, err error) ([]byte, error) {
	switch {
	case err != nil:
		return nil, err
	case len(payloads) != 1:
		return nil, ErrTooMuch
	}
	return payloads[0], nil
}
