package access

import (
	"bytes"
	"cmp"
	"errors"
	"maps"
	"slices"

	"inselnetz/crdt/log"
)

// A State is what a set of control entries says. It is not changed once made.
type State struct {
	Workspace log.WorkspaceID
	Founded   bool   // the genesis entry is among the entries
	Office    string // the workspace's name as it was written; show ShowName
	Stopped   bool   // a manager wrote what only a newer program understands
	Devices   map[log.DeviceID]Device
	People    map[PersonID]Person
	Gone      map[log.DeviceID]Device // removed for ever
	Spaces    map[log.SpaceID]Space   // named and direct
	Void      []Void                  // operations of managers that do not count, in order of seniority

	graph  graph
	scope  scope
	order  []log.DeviceID // by Rank
	wraps  map[log.DeviceID][]Wrap
	epochs map[epoch]log.KeyID // announced keys
	boxes  map[BoxKey]log.DeviceID
	peers  map[string]log.DeviceID
	heads  []log.Ref
}

// A Void operation does not count, for the reason Why.
type Void struct {
	Entry log.Hash
	Op    int // place in the entry; -1 for all of it
	Why   string
}

// An epoch of a space, which is named as operations name it.
type epoch struct {
	space  log.SpaceID
	number uint64
}

// Resolve works out the state of workspace w. It depends on the set of entries
// alone, not on their order or number. Entries of other spaces and workspaces
// are left aside.
func Resolve(w log.WorkspaceID, entries []Authored) *State {
	s := &State{
		Workspace: w,
		Devices:   map[log.DeviceID]Device{},
		People:    map[PersonID]Person{},
		wraps:     map[log.DeviceID][]Wrap{},
		epochs:    map[epoch]log.KeyID{},
		boxes:     map[BoxKey]log.DeviceID{},
		peers:     map[string]log.DeviceID{},
	}
	s.graph = newGraph(w, entries)
	if s.found() {
		s.walk()
	}
	return s
}

// found applies the genesis operation.
func (s *State) found() bool {
	n := s.graph.genesis
	if n == nil {
		return false
	}
	ops, err := decodePayload(n.Entry.Payload)
	if errors.Is(err, errUnknown) {
		s.Stopped = true
	}
	if err != nil || len(ops) == 0 || len(ops) > 2 {
		return false
	}
	g, ok := ops[0].(*genesis)
	if !ok || g.Device.Sign != n.Card.Device {
		return false
	}
	for _, op := range ops[1:] {
		if _, ok := op.(*policy); !ok {
			return false
		}
	}
	s.Founded, s.Office, s.scope = true, g.Office, scopeOf(g.Salt, g.Device.Sign)
	s.epochs[epoch{g.Wraps[0].Space, g.Wraps[0].Epoch}] = g.Wraps[0].Key
	s.add(Device{Card: g.Device, Person: g.Person.ID, Role: Owner, By: g.Device.Sign, Entry: n.hash}, g.Person, g.Wraps)
	return true
}

// add makes a device known. Devices are added in order of seniority.
func (s *State) add(d Device, p Person, wraps []Wrap) {
	d.Rank = len(s.order)
	s.order = append(s.order, d.Card.Sign)
	s.Devices[d.Card.Sign] = d
	s.boxes[d.Card.Box] = d.Card.Sign
	s.peers[d.Card.Peer] = d.Card.Sign
	s.wraps[d.Card.Sign] = wraps
	if _, ok := s.People[p.ID]; !ok {
		s.People[p.ID] = p
	}
}

// walk applies what managers wrote, the most senior one first. Those it adds are
// appended to s.order: first all that the founder admitted, then all that the
// first of these admitted, and so on, which is the order of the grant path,
// shorter first and then earlier.
func (s *State) walk() {
	var counted []*node
	for i := 0; i < len(s.order); i++ {
		by := s.Devices[s.order[i]]
		if !by.Role.manages() {
			continue
		}
		grant := s.graph.nodes[by.Entry]
		stopped := map[*node]bool{}
		for _, n := range s.graph.by[by.Card.Sign] {
			// Tenure: an author that did not know its own admission wrote before
			// it had a say.
			if !s.graph.reaches(n, grant, i+1) {
				continue
			}
			counted = append(counted, n)
			if stopped[n.prev] || !s.apply(by, n) {
				stopped[n] = true
			}
		}
	}
	s.heads = s.headsOf(counted)
}

// apply applies one entry of a manager. It returns false if the log must not be
// read further.
func (s *State) apply(by Device, n *node) bool {
	if n == s.graph.genesis {
		return true
	}
	if n.Entry.Payload == nil { // nobody erases control entries: what it said is not known
		s.Stopped = true
		return false
	}
	ops, err := decodePayload(n.Entry.Payload)
	if errors.Is(err, errVoid) {
		s.Void = append(s.Void, Void{n.hash, -1, err.Error()})
		return true
	}
	for i, op := range ops {
		if why := s.admit(by, n, op); why != "" {
			s.Void = append(s.Void, Void{n.hash, i, why})
		}
	}
	if err != nil {
		s.Stopped = true
		return false
	}
	return true
}

// admit applies an operation, or returns why it does not count.
func (s *State) admit(by Device, n *node, op any) string {
	a, ok := op.(*admit)
	if !ok {
		return "a workspace is founded once"
	}
	if err := s.mayAdmit(by, a.Device, a.Person.ID, a.Role); err != nil {
		return err.Error()
	}
	s.add(Device{Card: a.Device, Person: a.Person.ID, Role: a.Role, By: by.Card.Sign, Entry: n.hash}, a.Person, a.Wraps)
	return ""
}

// mayAdmit returns an error if by must not admit a device, as far as its
// seniors have spoken.
func (s *State) mayAdmit(by Device, d DeviceCard, p PersonID, r Role) error {
	if !by.Role.manages() || r == Owner && by.Role != Owner {
		return ErrNotAllowed
	}
	_, sign := s.Devices[d.Sign]
	_, box := s.boxes[d.Box]
	_, peer := s.peers[d.Peer]
	if sign || box || peer {
		return ErrDeviceKnown
	}
	// Who adds a device to a person can speak as that person.
	if _, known := s.People[p]; known && p != by.Person && by.Role != Owner && s.PersonRole(p).manages() {
		return ErrNotAllowed
	}
	return nil
}

// headsOf returns those nodes that no other of them builds on.
func (s *State) headsOf(counted []*node) []log.Ref {
	built := map[*node]bool{}
	for _, n := range counted {
		for _, below := range n.below {
			s.graph.descend(below, built)
		}
	}
	heads := slices.DeleteFunc(counted, func(n *node) bool { return built[n] })
	slices.SortFunc(heads, func(a, b *node) int {
		return cmp.Or(cmp.Compare(s.Devices[a.Card.Device].Rank, s.Devices[b.Card.Device].Rank), cmp.Compare(b.depth, a.depth), bytes.Compare(a.hash[:], b.hash[:]))
	})
	refs := []log.Ref{}
	for _, n := range heads[:min(len(heads), log.MaxRefs)] {
		refs = append(refs, n.hash.Ref())
	}
	slices.SortFunc(refs, func(a, b log.Ref) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(refs)
}

// Role returns the role of a device.
func (s *State) Role(d log.DeviceID) (Role, bool) {
	dev, ok := s.Devices[d]
	return dev.Role, ok
}

// CanInvite reports whether the device may admit others now.
func (s *State) CanInvite(d log.DeviceID) bool { return !s.Stopped && s.Devices[d].Role.manages() }

// Peer returns the device with this peer id.
func (s *State) Peer(peer string) (Device, bool) {
	id, ok := s.peers[peer]
	return s.Devices[id], ok
}

// Seniority returns all devices by Rank, the founder first.
func (s *State) Seniority() []Device {
	all := make([]Device, 0, len(s.order))
	for _, id := range s.order {
		all = append(all, s.Devices[id])
	}
	return all
}

// PersonRole returns the highest role among a person's devices, or 0.
func (s *State) PersonRole(p PersonID) Role {
	var role Role
	for _, d := range s.Devices {
		if d.Person == p && (role == 0 || d.Role < role) {
			role = d.Role
		}
	}
	return role
}

// Heads returns what the Ctl field of an entry written now holds: the newest
// control entries that count, at most log.MaxRefs, ascending.
func (s *State) Heads() []log.Ref { return slices.Clone(s.heads) }

// Knows reports whether the control entry is among those resolved.
func (s *State) Knows(ref log.Ref) bool { return s.graph.refs[ref] != nil }

// Closure returns the entries named and all that they build on, earlier ones
// first.
func (s *State) Closure(of ...log.Hash) []Authored {
	seen := map[*node]bool{}
	for _, hash := range of {
		if n := s.graph.nodes[hash]; n != nil {
			s.graph.descend(n, seen)
		}
	}
	all := slices.SortedFunc(maps.Keys(seen), compareNodes)
	out := make([]Authored, 0, len(all))
	for _, n := range all {
		out = append(out, n.Authored)
	}
	return out
}
