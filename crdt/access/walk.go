package access

import (
	"errors"
	"slices"
)

// walk reads what managers say, the most senior first: owners' tenures in the
// order they began, then admins'. Steps of the deputies were applied before.
func (s *State) walk() {
	s.grant(s.device(s.first.Device.Sign), &grant{nodes: []*node{s.graph.genesis}, role: Owner})
	for i, j := 0, 0; i < len(s.owners) || j < len(s.admins); {
		if i < len(s.owners) {
			s.read(s.owners[i])
			i++
		} else {
			s.read(s.admins[j])
			j++
		}
	}
}

// registerFounder makes the founder's device known before all others. Its tenure
// begins behind those that the deputies gave.
func (s *State) registerFounder() {
	f := s.first.Device
	d := s.device(f.Sign)
	s.register(d, f, s.first.Person)
	d.By, d.Entry = f.Sign, s.graph.genesis.hash
}

// register makes the keys of a card a device of a person.
func (s *State) register(d *device, c DeviceCard, p Person) Why {
	if d.known {
		if !d.Card.SameKeys(c) || d.Person != p.ID {
			return WhyKnown
		}
		return Counts
	}
	if _, taken := s.boxes[c.Box]; taken {
		return WhyKnown
	}
	if _, taken := s.peers[c.Peer]; taken {
		return WhyKnown
	}
	d.known, d.Card, d.Person = true, c, p.ID
	s.order = append(s.order, c.Sign)
	s.boxes[c.Box], s.peers[c.Peer] = c.Sign, c.Sign
	if _, ok := s.People[p.ID]; !ok {
		s.People[p.ID] = p
	}
	return Counts
}

// grant gives a known device a role from the entries of g on.
func (s *State) grant(d *device, g *grant) {
	d.grants = append(d.grants, g)
	if d.Entry == ([32]byte{}) {
		d.Entry = g.nodes[0].hash
	}
	if g.role.manages() {
		s.enqueue(&tenure{dev: d, role: g.role, nodes: g.nodes})
	}
	// An owner by one who did not know of a lowering, which did not know of it
	// either, begins as admin.
	unaware := func(l *lowering) bool { return l.caps(s.graph, g) && !s.graph.buildsAny(l.node, g.nodes) }
	if g.role == Owner && d.roleOf(s.graph, g) == Admin && slices.ContainsFunc(d.lowers, unaware) {
		s.enqueue(&tenure{dev: d, role: Admin, nodes: g.nodes})
	}
	s.tally(d)
}

// maxChiefs is the number of devices of a manager that bars looks at.
const maxChiefs = 64

// tally keeps the devices by which a person manages.
func (s *State) tally(d *device) {
	d.now = d.role(s.graph)
	now := d.known && d.removal == nil && d.now.manages()
	if now != d.manages {
		if d.manages = now; now && !slices.Contains(s.chiefs[d.Person], d) {
			s.chiefs[d.Person] = append(s.chiefs[d.Person], d)
		}
	}
}

// bars reports whether a person manages by an admission that does not build on
// n, so that only an owner or the person adds a device to it in n.
func (s *State) bars(p PersonID, n *node) bool {
	asked := 0
	for _, d := range s.chiefs[p] {
		if !d.manages {
			continue
		}
		if asked++; asked > maxChiefs {
			return true
		}
		for _, g := range d.grants {
			if d.roleOf(s.graph, g).manages() && !s.graph.anyBuilds(g.nodes, n) {
				return true
			}
		}
	}
	return false
}

func (s *State) enqueue(t *tenure) {
	t.dev.tenures = append(t.dev.tenures, t)
	if t.role == Owner {
		s.owners = append(s.owners, t)
	} else {
		s.admins = append(s.admins, t)
	}
}

// read applies the entries that a device wrote in a tenure.
func (s *State) read(t *tenure) {
	s.places++
	t.place = s.places
	t.done = t.by == nil || slices.ContainsFunc(t.dev.grants, func(g *grant) bool { return g.role == Owner && t.by.caps(s.graph, g) })
	for _, n := range s.graph.by[t.dev.id] {
		if n.managed != 0 || !s.graph.buildsAny(n, t.nodes) || !s.within(t, n) {
			continue
		}
		s.managed = append(s.managed, n)
		n.managed = len(s.managed)
		n.role = t.role
		if n.prev != nil && n.prev.stopped || !s.apply(t, n) {
			n.stopped = true
		}
	}
}

// within reports whether n lies in the tenure: before the end of its log, and
// before what lowered its author.
func (s *State) within(t *tenure, n *node) bool {
	d := t.dev
	if !d.holds(s.graph, n) {
		return false
	}
	for _, l := range d.lowers {
		if t.lowered(s.graph, l) && !l.before(s.graph, n) {
			return false
		}
	}
	if t.by == nil {
		return true
	}
	return slices.ContainsFunc(d.grants, func(g *grant) bool {
		return g.role == Owner && t.by.caps(s.graph, g) && s.graph.buildsAny(n, g.nodes)
	})
}

// apply applies one entry of a manager. It returns false if the log must not be
// read further.
func (s *State) apply(t *tenure, n *node) bool {
	if n == s.graph.genesis {
		n.why[0] = Counts
		if len(n.why) == 2 {
			n.why[1] = Counts
		}
		return true
	}
	if n.Entry.Payload == nil { // nobody erases control entries: what it said is not known
		s.Stopped = true
		return false
	}
	if errors.Is(n.err, errVoid) {
		s.Void = append(s.Void, Void{n.hash, -1, WhyMalformed})
		return true
	}
	for i, op := range n.ops {
		why, mine := s.applyOp(t, n, i, op)
		if !mine {
			continue
		}
		n.why[i] = why
		if why != Counts {
			s.Void = append(s.Void, Void{n.hash, i, why})
		}
	}
	if n.err != nil {
		s.Stopped = true
		return false
	}
	return true
}

// applyOp applies an operation on devices, or returns why it does not count.
// mine is false for the other operations.
func (s *State) applyOp(t *tenure, n *node, i int, op operation) (why Why, mine bool) {
	switch op := op.(type) {
	case *admit:
		return s.admit(t, n, i, op), true
	case *lower:
		return s.lower(t, n, i, op), true
	case *revoke:
		return s.revoke(t, n, op), true
	case *cut:
		return s.cut(t, n, op), true
	case *until:
		return s.until(n, i, op), true
	case *genesis, *policy:
		return WhyOnce, true
	}
	return Counts, false
}

func (s *State) admit(t *tenure, n *node, i int, op *admit) Why {
	if op.Role == Owner && t.role != Owner {
		return WhyNotAllow
	}
	// Who adds a device to a person can speak as that person.
	p, d := op.Person.ID, s.device(op.Device.Sign)
	same := d.known && d.now <= op.Role
	if p != t.dev.Person && t.role != Owner && !same && s.bars(p, n) {
		return WhyNotAllow
	}
	news := !d.known
	if why := s.register(d, op.Device, op.Person); why != Counts {
		return why
	}
	if news {
		d.By = t.dev.Card.Sign
	}
	// Whoever removed a device may have met it by an admission of a junior, which
	// is read later: that one is history. All others come too late, for ever.
	late := d.removal != nil && !s.graph.anyBuilds(d.removal.nodes, n)
	if late && !news {
		return WhyDead
	}
	if len(d.grants)+len(d.lowers) >= maxChanges {
		return WhyTooMany
	}
	had := d.now
	g := &grant{nodes: []*node{n}, op: i, role: op.Role}
	s.grant(d, g)
	switch {
	case late:
		return WhyDead
	case had != 0 && d.roleOf(s.graph, g) >= had:
		return WhyNoChange
	}
	return Counts
}

// lower is kept also if the role is not above it yet: a junior may have raised
// it, who is read later.
func (s *State) lower(t *tenure, n *node, i int, op *lower) Why {
	d := s.device(op.Device)
	switch {
	case d.removal != nil:
		return WhyDead
	case d != t.dev && d.senior(s.graph, n):
		return WhySenior
	case len(d.grants)+len(d.lowers) >= maxChanges:
		return WhyTooMany
	}
	l := &lowering{node: n, op: i, role: op.Role, self: d == t.dev, limits: s.graph.limits(op.Cuts)}
	d.lowers = append(d.lowers, l)
	if op.Role == Admin {
		nodes := []*node{n}
		for _, g := range d.grants {
			if g.role == Owner && l.caps(s.graph, g) && !s.graph.buildsAny(n, g.nodes) {
				nodes = append(nodes, g.nodes...)
			}
		}
		s.enqueue(&tenure{dev: d, role: Admin, nodes: nodes, by: l})
	}
	s.tally(d)
	return Counts
}

func (s *State) revoke(t *tenure, n *node, op *revoke) Why {
	d := s.device(op.Device)
	if d.removal != nil {
		s.addCuts(d, op.Cuts, false, false)
		return WhyDead
	}
	if d != t.dev && d.senior(s.graph, n) {
		return WhySenior
	}
	d.removal = &removal{nodes: []*node{n}, self: d == t.dev, cuts: op.Cuts}
	if !d.removal.self {
		d.removal.limits = s.graph.limits(op.Cuts)
	}
	d.Removed = &Removal{By: t.dev.Card.Sign, Entry: n.hash, Clock: n.Entry.HLC}
	s.addCuts(d, op.Cuts, false, false)
	s.tally(d)
	return Counts
}

func (s *State) cut(t *tenure, n *node, op *cut) Why {
	d := s.device(op.Device)
	live := d.removal == nil
	if live && d != t.dev && d.senior(s.graph, n) {
		return WhySenior
	}
	s.addCuts(d, op.Cuts, live, d == t.dev)
	return Counts
}

// until sets when a guest's access ends.
func (s *State) until(n *node, i int, op *until) Why {
	d := s.device(op.Device)
	if len(d.untils) >= maxChanges {
		return WhyTooMany
	}
	d.untils = append(d.untils, deadline{n, i, int64(op.Time)})
	return Counts
}
