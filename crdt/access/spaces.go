package access

import (
	"maps"
	"slices"

	"inselnetz/crdt/log"
)

// A space is a named or direct space as it is worked out.
type space struct {
	Space
	begun   bool
	people  map[PersonID]*standing
	order   []PersonID // by which standing began
	ops     map[PersonID][]spaceOp
	all     []spaceOp
	queue   []*hold
	renamed *node // entry that named it last
}

// A spaceOp is an operation on the members of a space.
type spaceOp struct {
	node *node
	op   int
	*members
	done *bool
}

// A standing is what was said of one person in one space.
type standing struct {
	grants []membership
	ends   []ending
	holds  []*hold
}

type membership struct {
	nodes []*node
	op    int // place in the entry, of a members operation; else -1
	level Level
}

// An ending ends the memberships that do not build on it.
type ending struct {
	node *node
	self bool // by the person itself: ends what builds on it
	cuts []Cut
}

// A hold is the time in which a person has a say in a space.
type hold struct {
	person PersonID
	membership
	done bool
}

// resolveSpaces works out who belongs to which space.
func (s *State) resolveSpaces() {
	s.spaces = map[log.SpaceID]*space{}
	var order []*space
	for _, n := range s.graph.order {
		if n.author == nil {
			continue
		}
		for i, op := range n.ops {
			if b, ok := op.(*beginSpace); ok {
				if sp, why := s.begin(n, b); why != Counts {
					n.why[i] = why
				} else {
					n.why[i] = Counts
					if !sp.begun {
						sp.begun = true
						order = append(order, sp)
					}
				}
			}
		}
	}
	s.collectMembers()
	for _, sp := range order {
		s.seat(sp)
		s.runSpace(sp)
		s.handOver(sp)
		for _, p := range sp.order {
			sp.people[p].judge(s.graph)
		}
	}
}

// judge says of memberships that were nothing new when they were read whether
// they are all that is left.
func (st *standing) judge(g *graph) {
	var best, next Level
	var last membership
	for _, m := range st.grants {
		switch {
		case !st.survives(g, m):
		case m.level.above(best):
			best, next, last = m.level, best, m
		case m.level.above(next):
			next = m.level
		}
	}
	if best.above(next) && last.op >= 0 && last.nodes[0].why[last.op] == WhyNoChange {
		last.nodes[0].why[last.op] = Counts
	}
}

// begin notes a space that an entry begins.
func (s *State) begin(n *node, b *beginSpace) (*space, Why) {
	d := n.author
	if !n.role.belongs() {
		return nil, WhyNotAllow
	}
	if b.Kind == Direct && !slices.ContainsFunc(b.Members, func(m member) bool { return m.Person == d.Person }) {
		return nil, WhyNotAllow
	}
	id := b.id(s.Workspace, d.id)
	sp := s.spaces[id]
	if sp == nil {
		sp = &space{Space: Space{ID: id, Kind: b.Kind, Creator: d.Person}, people: map[PersonID]*standing{}, ops: map[PersonID][]spaceOp{}}
		s.spaces[id] = sp
	}
	sp.all = append(sp.all, spaceOp{node: n, members: &members{Name: b.Name, Set: b.Members}})
	return sp, Counts
}

// collectMembers sorts the operations on members by space and author.
func (s *State) collectMembers() {
	for _, n := range s.graph.order {
		if n.author == nil {
			continue
		}
		for i, op := range n.ops {
			m, ok := op.(*members)
			if !ok {
				continue
			}
			sp := s.spaces[m.Space]
			switch {
			case sp == nil:
				n.why[i] = WhyNobody
			case sp.Kind == Direct || !n.role.belongs():
				n.why[i] = WhyNotAllow
			default:
				n.why[i] = WhyNotAllow // until somebody's say makes it count
				sp.ops[n.author.Person] = append(sp.ops[n.author.Person], spaceOp{node: n, op: i, members: m, done: new(bool)})
			}
		}
	}
}

// seat gives the first members their say: whom the deputies let in, the
// creator, and whom the creator named.
func (s *State) seat(sp *space) {
	begins := sp.all
	sp.all = nil
	if sp.Kind == Named {
		for _, step := range s.steps {
			for _, a := range step.Step.Access {
				if step.Accepted && a.Space == sp.ID {
					s.join(sp, a.Person, membership{s.proposals[step.ID], -1, Manage})
				}
			}
		}
	}
	for _, b := range begins {
		at := []*node{b.node}
		if sp.Kind == Named {
			s.join(sp, b.node.author.Person, membership{at, -1, Manage})
		}
		for _, m := range b.Set {
			if sp.Kind == Direct || m.Person != b.node.author.Person {
				s.join(sp, m.Person, membership{at, -1, m.Level})
			}
		}
		sp.rename(b.node, b.Name)
	}
	for _, ops := range sp.ops {
		sp.all = append(sp.all, ops...)
	}
	slices.SortFunc(sp.all, func(a, b spaceOp) int {
		if a.node.managed != b.node.managed {
			return a.node.managed - b.node.managed
		}
		return a.op - b.op
	})
	sp.all = slices.DeleteFunc(sp.all, func(o spaceOp) bool { return o.node.managed == 0 })
}

// rename takes the latest name.
func (sp *space) rename(n *node, name []byte) {
	if len(name) > 0 && (sp.renamed == nil || sp.renamed.index <= n.index) {
		sp.renamed, sp.Name, sp.NameKey = n, name, nameKey(name)
	}
}

func (sp *space) standing(p PersonID) *standing {
	st := sp.people[p]
	if st == nil {
		st = &standing{}
		sp.people[p] = st
		sp.order = append(sp.order, p)
	}
	return st
}

// join lets a person in, or in higher.
func (s *State) join(sp *space, p PersonID, m membership) Why {
	st := sp.standing(p)
	if len(st.grants)+len(st.ends) >= maxChanges {
		return WhyTooMany
	}
	had := st.level(s.graph)
	st.grants = append(st.grants, m)
	h := &hold{person: p, membership: m}
	st.holds = append(st.holds, h)
	sp.queue = append(sp.queue, h)
	if !st.level(s.graph).above(had) {
		return WhyNoChange
	}
	return Counts
}

// survives reports whether no removal ends a membership.
func (st *standing) survives(g *graph, m membership) bool {
	return !slices.ContainsFunc(st.ends, func(e ending) bool { return !g.anyBuilds(m.nodes, e.node) })
}

// level returns the best level of a person, None outside.
func (st *standing) level(g *graph) Level {
	var best Level
	for _, m := range st.grants {
		if m.level.above(best) && st.survives(g, m) {
			best = m.level
		}
	}
	return best
}

// levelAt returns the level with which a person wrote n: of the memberships it
// builds on, those whose removals build on n.
func (st *standing) levelAt(g *graph, n *node) Level {
	var best Level
	for _, m := range st.grants {
		if m.level.above(best) && st.holdsAt(g, m, n) {
			best = m.level
		}
	}
	return best
}

// holdsAt reports whether n was written under a membership.
func (st *standing) holdsAt(g *graph, m membership, n *node) bool {
	if !g.buildsAny(n, m.nodes) {
		return false
	}
	for _, e := range st.ends {
		if g.anyBuilds(m.nodes, e.node) {
			continue
		}
		if e.self && g.builds(n, e.node) && n != e.node || !e.self && !g.builds(e.node, n) {
			return false
		}
	}
	return true
}

// knownLevel returns the level that the author of n knew a person to have.
func (st *standing) knownLevel(g *graph, n *node) Level {
	var best Level
	for _, m := range st.grants {
		if !m.level.above(best) || !g.buildsAny(n, m.nodes) {
			continue
		}
		over := func(e ending) bool { return g.builds(n, e.node) && !g.anyBuilds(m.nodes, e.node) }
		if !slices.ContainsFunc(st.ends, over) {
			best = m.level
		}
	}
	return best
}

// senior reports whether what a person says in the space was read, and nothing
// that n knows of ended it.
func (st *standing) senior(g *graph, n *node) bool {
	return slices.ContainsFunc(st.holds, func(h *hold) bool {
		return h.done && h.level == Manage && !slices.ContainsFunc(st.ends, func(e ending) bool {
			return g.builds(n, e.node) && !g.anyBuilds(h.nodes, e.node)
		})
	})
}

// runSpace reads what members say on members, in the order in which they came.
func (s *State) runSpace(sp *space) {
	for len(sp.queue) > 0 {
		h := sp.queue[0]
		sp.queue = sp.queue[1:]
		h.done = true
		st := sp.people[h.person]
		var asked *node // the last one, with so many endings
		ends, in := 0, false
		for _, o := range sp.ops[h.person] {
			if *o.done {
				continue
			}
			if o.node != asked || len(st.ends) != ends {
				asked, ends, in = o.node, len(st.ends), st.holdsAt(s.graph, h.membership, o.node)
			}
			if !in {
				continue
			}
			if h.level != Manage {
				s.leave(sp, st, o)
				continue
			}
			*o.done = true
			s.applyMembers(sp, o)
		}
	}
}

// leave lets somebody go who does not manage; of such an operation nothing else
// counts.
func (s *State) leave(sp *space, st *standing, o spaceOp) {
	i := slices.IndexFunc(o.Remove, func(l leaver) bool { return l.Person == o.node.author.Person })
	if i < 0 || st.levelAt(s.graph, o.node) == Manage {
		return
	}
	*o.done = true
	o.node.why[o.op] = s.expel(sp, o.node, o.Remove[i])
}

// applyMembers applies an operation of somebody who may do it.
func (s *State) applyMembers(sp *space, o spaceOp) {
	n := o.node
	var refused []Why
	counts := false
	judge := func(why Why) {
		if why == Counts {
			counts = true
		} else {
			refused = append(refused, why)
		}
	}
	for _, l := range o.Remove {
		judge(s.expel(sp, n, l))
	}
	for _, m := range o.Set {
		judge(s.join(sp, m.Person, membership{[]*node{n}, o.op, m.Level}))
	}
	if len(o.Name) > 0 {
		sp.rename(n, o.Name)
		counts = true
	}
	if n.why[o.op] = Counts; !counts {
		n.why[o.op] = refused[0]
	}
}

// expel ends the memberships of a person.
func (s *State) expel(sp *space, n *node, l leaver) Why {
	st := sp.standing(l.Person)
	self := l.Person == n.author.Person
	switch {
	case len(st.grants)+len(st.ends) >= maxChanges:
		return WhyTooMany
	case !self && st.senior(s.graph, n):
		return WhySenior
	}
	st.ends = append(st.ends, ending{n, self, l.Cuts})
	return Counts
}

// handOver lets owners and admins raise members to manage, which is all they may
// do in a space that is not theirs. It goes on as long as that makes others
// count.
func (s *State) handOver(sp *space) {
	for again := true; again; {
		again = false
		for _, o := range sp.all {
			if *o.done || !o.node.role.manages() {
				continue
			}
			for _, m := range o.Set {
				st := sp.people[m.Person]
				if m.Level != Manage || st == nil || st.level(s.graph) == None {
					continue
				}
				*o.done, again = true, true
				o.node.why[o.op] = s.join(sp, m.Person, membership{[]*node{o.node}, o.op, Manage})
			}
			if *o.done {
				s.runSpace(sp)
			}
		}
	}
}

// level returns what a person may do now. Guests do not manage.
func (s *State) levelIn(sp *space, p PersonID) Level {
	st := sp.people[p]
	if st == nil {
		return None
	}
	level := st.level(s.graph)
	if level == Manage && s.guestOnly(p) {
		return Write
	}
	return level
}

// guestOnly reports whether all devices by which a person is in are a guest's.
func (s *State) guestOnly(p PersonID) bool {
	role := s.roles[p]
	return role == Guest || role == Carrier
}

// public returns what others see of a space.
func (sp *space) public(s *State) Space {
	out := sp.Space
	out.Members = map[PersonID]Level{}
	for _, p := range sp.order {
		if l := s.levelIn(sp, p); l != None {
			out.Members[p] = l
		}
	}
	return out
}

// Level returns what a device that is in may do in a space.
func (s *State) Level(id log.SpaceID, d log.DeviceID) Level {
	dev, ok := s.Devices[d]
	switch {
	case !ok:
		return None
	case id == log.Control && !dev.Role.belongs():
		return Read
	case id == log.Control, id == log.Everyone(s.Workspace):
		switch {
		case dev.Role.manages():
			return Manage
		case dev.Role.belongs():
			return Write
		}
		return None
	}
	level := s.Spaces[id].Members[dev.Person]
	switch {
	case dev.Role == Carrier:
		return None
	case dev.Role == Guest && level == Manage:
		return Write
	}
	return level
}

// PersonLevel returns what a person may do in a space by the best of its
// devices; in named and direct ones also if none is in.
func (s *State) PersonLevel(id log.SpaceID, p PersonID) Level {
	if sp, ok := s.Spaces[id]; ok {
		return sp.Members[p]
	}
	var best Level
	for d, dev := range s.Devices {
		if dev.Person == p {
			if l := s.Level(id, d); l.above(best) {
				best = l
			}
		}
	}
	return best
}

// Readers returns the devices that may read a space, by Rank. Everybody reads
// the control space and knows the network key.
func (s *State) Readers(id log.SpaceID) []Device {
	return slices.DeleteFunc(s.Seniority(), func(d Device) bool {
		return id != Network && s.Level(id, d.Card.Sign) == None
	})
}

// spaceIDs returns the named and direct spaces in a fixed order.
func (s *State) spaceIDs() []log.SpaceID {
	return slices.SortedFunc(maps.Keys(s.Spaces), func(a, b log.SpaceID) int { return slices.Compare(a[:], b[:]) })
}
