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
	Founded   bool                    // the genesis entry is among the entries
	Office    string                  // the workspace's name as it was written; show ShowName
	Stopped   bool                    // a manager wrote what only a newer program understands
	Devices   map[log.DeviceID]Device // in the workspace now
	Gone      map[log.DeviceID]Device // removed for ever
	People    map[PersonID]Person     // all that ever were
	Spaces    map[log.SpaceID]Space   // named and direct
	Void      []Void                  // operations of managers on devices that do not count, in order of seniority

	graph *graph
	scope scope
	first *genesis

	steps     []StepState // accepted, then open ones of the next generation
	proposals map[StepID][]*node
	admitted  map[log.DeviceID]bool // by an entry that counts or does not
	policy    Policy

	devices map[log.DeviceID]*device // also those that were only spoken of
	order   []log.DeviceID           // known devices by Rank
	boxes   map[BoxKey]log.DeviceID
	peers   map[string]log.DeviceID
	owners  []*tenure
	admins  []*tenure
	places  int                    // tenures read
	chiefs  map[PersonID][]*device // that manage, or did as far as was read
	managed []*node                // entries of managers in the order they were read

	spaces map[log.SpaceID]*space
	keys   map[log.SpaceID]*ring // by space as operations name it
	copies []networkCopy
	roles  map[PersonID]Role      // the strongest of a person's devices
	asks   map[log.DeviceID]*node // the last in which it asks
	asked  map[log.DeviceID][]log.KeyID
	erased map[ErasedRef]bool
	once   map[ErasedRef]bool // would be erased, had nothing ended its author's say
	heads  []log.Ref
}

// A Void operation does not count, for the reason Why.
type Void struct {
	Entry log.Hash
	Op    int // place in the entry; -1 for all of it
	Why   Why
}

// Resolve works out the state of workspace w. It depends on the set of entries
// alone, not on their order or number. Entries of other spaces and workspaces
// are left aside.
func Resolve(w log.WorkspaceID, entries []Authored) *State {
	return resolve(w, newGraph(w, entries, nil, nil))
}

func resolve(w log.WorkspaceID, g *graph) *State {
	s := &State{Workspace: w, graph: g}
	s.reset()
	if !s.found() {
		return s
	}
	s.council()
	s.settle()
	s.judgeAuthors()
	s.resolveSpaces()
	s.resolveKeys()
	s.resolveRest()
	s.publish()
	s.heads = s.headsOf()
	return s
}

// reset forgets what entries say about devices, to read them anew.
func (s *State) reset() {
	s.Stopped, s.Void = false, nil
	s.Devices, s.Gone = map[log.DeviceID]Device{}, map[log.DeviceID]Device{}
	s.People, s.Spaces = map[PersonID]Person{}, map[log.SpaceID]Space{}
	s.devices, s.order = map[log.DeviceID]*device{}, nil
	s.boxes, s.peers = map[BoxKey]log.DeviceID{}, map[string]log.DeviceID{}
	s.owners, s.admins, s.managed, s.chiefs, s.places = nil, nil, nil, map[PersonID][]*device{}, 0
	for _, n := range s.graph.order {
		n.judgement = judgement{why: n.why}
		if n.why == nil {
			n.why = make([]Why, len(n.ops))
		}
		for i := range n.why {
			n.why[i] = WhyOutsider
		}
	}
}

// found reads the genesis entry.
func (s *State) found() bool {
	n := s.graph.genesis
	if n == nil {
		return false
	}
	if errors.Is(n.err, errUnknown) {
		s.Stopped = true
	}
	if n.err != nil || len(n.ops) == 0 || len(n.ops) > 2 {
		return false
	}
	g, ok := n.ops[0].(*genesis)
	if !ok || g.Device.Sign != n.Card.Device {
		return false
	}
	if len(n.ops) == 2 {
		p, ok := n.ops[1].(*policy)
		if !ok {
			return false
		}
		s.policy = p.policy()
	}
	s.Founded, s.Office, s.scope, s.first = true, g.Office, scopeOf(g.Salt, g.Device.Sign), g
	return true
}

// judgeAuthors says of each entry with which role its author wrote it: outside
// the walk an entry has a say if it lies before the end of its log and builds on
// an admission of its author.
func (s *State) judgeAuthors() {
	for _, n := range s.graph.order {
		d := s.devices[n.Card.Device]
		if n.prev != nil && n.prev.stopped {
			n.stopped = true
			continue
		}
		if d == nil || !d.known || n.void() || n.err != nil && n.managed == 0 {
			continue
		}
		if !d.holds(s.graph, n) {
			s.verdicts(n, WhyCut)
			continue
		}
		if n.role = d.roleAt(s.graph, n); n.role == 0 {
			continue
		}
		n.author = d
		if n.managed == 0 {
			s.verdicts(n, WhyNotAllow)
		}
	}
}

// verdicts gives all operations of an entry that have no better one a verdict.
func (s *State) verdicts(n *node, why Why) {
	for i := range n.why {
		if n.why[i] == WhyOutsider {
			n.why[i] = why
		}
	}
}

// settle works out the roles that the walk leaves.
func (s *State) settle() {
	s.roles = map[PersonID]Role{}
	for i, id := range s.order {
		d := s.devices[id]
		d.Rank, d.Role = i, d.role(s.graph)
		d.judge(s.graph)
		if r := s.roles[d.Person]; d.removal == nil && (r == 0 || d.Role < r) {
			s.roles[d.Person] = d.Role
		}
	}
}

// publish fills in the exported fields.
func (s *State) publish() {
	for _, id := range s.order {
		d := s.devices[id]
		if d.Role == Guest {
			d.Until = d.end(s.graph)
		}
		if d.Removed != nil {
			s.Gone[id] = d.Device
		} else {
			s.Devices[id] = d.Device
		}
	}
	for id, sp := range s.spaces {
		s.Spaces[id] = sp.public(s)
	}
}

// Role returns the role of a device that is in.
func (s *State) Role(d log.DeviceID) (Role, bool) {
	dev, ok := s.Devices[d]
	return dev.Role, ok
}

// Known returns a device that is or was in the workspace.
func (s *State) Known(d log.DeviceID) (Device, bool) {
	if dev, ok := s.Devices[d]; ok {
		return dev, true
	}
	dev, ok := s.Gone[d]
	return dev, ok
}

// CanInvite reports whether the device may admit others now.
func (s *State) CanInvite(d log.DeviceID) bool { return !s.Stopped && s.Devices[d].Role.manages() }

// Peer returns the device in the workspace with this peer id.
func (s *State) Peer(peer string) (Device, bool) {
	d, ok := s.Devices[s.peers[peer]]
	return d, ok && d.Card.Peer == peer
}

// Seniority returns the devices that are in by Rank, the most senior first.
func (s *State) Seniority() []Device {
	all := make([]Device, 0, len(s.order))
	for _, id := range s.order {
		if d, ok := s.Devices[id]; ok {
			all = append(all, d)
		}
	}
	return all
}

// PersonRole returns the strongest role among a person's devices that are in,
// or 0.
func (s *State) PersonRole(p PersonID) Role { return s.roles[p] }

// headsOf returns the newest entries that count: those of managers first, the
// most senior author's first, then those of others, of each device one before any second;
// log.MaxRefs in all. None of them builds on another.
func (s *State) headsOf() []log.Ref {
	var others []*node
	for _, n := range s.graph.order {
		if n.managed == 0 && slices.Contains(n.why, Counts) {
			others = append(others, n)
		}
	}
	chosen := s.newest(s.managed)
	// If there are too many, those go first without which somebody would never
	// come to know of its admission, and so have no say.
	slices.SortStableFunc(chosen, func(a, b *node) int { return cmp.Compare(s.admits(b), s.admits(a)) })
	chosen = append(chosen, roundRobin(s.newest(others))...)
	chosen = chosen[:min(len(chosen), log.MaxRefs)]
	refs := []log.Ref{}
	for _, n := range chosen {
		if !slices.ContainsFunc(chosen, func(o *node) bool { return o != n && s.graph.builds(o, n) }) {
			refs = append(refs, n.hash.Ref())
		}
	}
	slices.SortFunc(refs, func(a, b log.Ref) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(refs)
}

// roundRobin puts the first entry of each device first, then the second ones, so
// that none crowds out another.
func roundRobin(all []*node) []*node {
	round := map[*node]int{}
	seen := map[log.DeviceID]int{}
	for _, n := range all {
		seen[n.Card.Device]++
		round[n] = seen[n.Card.Device]
	}
	slices.SortStableFunc(all, func(a, b *node) int { return cmp.Compare(round[a], round[b]) })
	return all
}

// admits returns 1 if an entry admits a device that is in, else 0.
func (s *State) admits(n *node) int {
	for _, op := range n.ops {
		if a, ok := op.(*admit); ok {
			if d := s.devices[a.Device.Sign]; d != nil && d.known && d.removal == nil {
				return 1
			}
		}
	}
	return 0
}

// newest returns those of all that no other of them builds on, by the rank of
// their authors, the deepest first.
func (s *State) newest(all []*node) []*node {
	built := map[*node]bool{}
	for _, n := range all {
		for _, below := range n.below {
			closure(below, built)
		}
	}
	heads := slices.DeleteFunc(slices.Clone(all), func(n *node) bool { return built[n] })
	slices.SortFunc(heads, func(a, b *node) int {
		return cmp.Or(cmp.Compare(s.rank(a), s.rank(b)), cmp.Compare(b.depth, a.depth), bytes.Compare(a.hash[:], b.hash[:]))
	})
	return heads
}

// rank returns the rank of the author of n, behind all others that of one whose
// admission does not count.
func (s *State) rank(n *node) int {
	if d := s.devices[n.Card.Device]; d != nil && d.known {
		return d.Rank
	}
	return len(s.order)
}

// Heads returns what the Ctl field of an entry written now holds: the newest
// control entries that count, at most log.MaxRefs, ascending.
func (s *State) Heads() []log.Ref { return slices.Clone(s.heads) }

// HeadHashes returns the entries that Heads names, ascending. In all but offices
// with more than log.MaxRefs heads their Closure holds all that counts.
func (s *State) HeadHashes() []log.Hash {
	var out []log.Hash
	for _, ref := range s.heads {
		out = append(out, s.graph.refs[ref].hash)
	}
	return out
}

// Knows reports whether the control entry is among those resolved.
func (s *State) Knows(ref log.Ref) bool { return s.graph.refs[ref] != nil }

// Closure returns the entries named and all that they build on, earlier ones
// first.
func (s *State) Closure(of ...log.Hash) []Authored {
	seen := map[*node]bool{}
	for _, hash := range of {
		if n := s.graph.nodes[hash]; n != nil {
			closure(n, seen)
		}
	}
	all := slices.SortedFunc(maps.Keys(seen), compareNodes)
	out := make([]Authored, 0, len(all))
	for _, n := range all {
		out = append(out, n.Authored)
	}
	return out
}
