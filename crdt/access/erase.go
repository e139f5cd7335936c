package access

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"inselnetz/crdt/log"
)

// resolveRest works out what was erased, asked and said of devices.
func (s *State) resolveRest() {
	s.erased, s.asks, s.asked = map[ErasedRef]bool{}, map[log.DeviceID]*node{}, map[log.DeviceID][]log.KeyID{}
	s.once = map[ErasedRef]bool{}
	for _, n := range s.graph.order {
		s.resolveOnce(n)
		if n.author == nil {
			continue
		}
		for i, op := range n.ops {
			switch op := op.(type) {
			case *erase:
				n.why[i] = s.applyErase(n, op)
			case *ask:
				n.why[i] = Counts
				s.asks[n.author.id], s.asked[n.author.id] = n, op.Keys
			case *cut:
				if n.managed == 0 {
					n.why[i] = s.adopt(n, op)
				}
			case *facts:
				n.why[i] = Counts
				n.author.Disk, n.author.Stays = op.Disk%staysOn, op.Disk >= staysOn
			}
		}
	}
}

// applyErase applies an erasure: one may erase what devices of one's own person
// wrote; all else only who manages the space.
func (s *State) applyErase(n *node, op *erase) Why {
	sp := s.spaces[op.Space]
	switch {
	case op.Space != log.Control && sp == nil:
		return WhyNobody
	case !n.role.belongs():
		return WhyNotAllow
	}
	all := s.levelAt(op.Space, n) == Manage && (sp == nil || sp.Kind == Named)
	why := WhyNoChange
	for _, r := range op.Refs {
		d := s.devices[r.Device]
		if !all && (d == nil || !d.known || d.Person != n.author.Person) {
			if why != Counts {
				why = WhyNotAllow
			}
			continue
		}
		why = Counts
		s.erased[s.erasedRef(op.Space, r)] = true
	}
	return why
}

// resolveOnce notes what an entry would erase if nothing had ended its author's
// say: where that was not known, payloads were dropped.
func (s *State) resolveOnce(n *node) {
	d := s.devices[n.Card.Device]
	if d == nil || !d.known || n.err != nil {
		return
	}
	for _, op := range n.ops {
		e, ok := op.(*erase)
		if !ok {
			continue
		}
		sp := s.spaces[e.Space]
		if e.Space != log.Control && sp == nil {
			continue
		}
		all, in := false, false
		for _, g := range d.grants {
			if s.graph.buildsAny(n, g.nodes) {
				in = in || g.role.belongs()
				all = all || sp == nil && g.role.manages()
			}
		}
		if sp != nil && sp.Kind == Named && sp.people[d.Person] != nil {
			for _, m := range sp.people[d.Person].grants {
				all = all || m.level == Manage && s.graph.buildsAny(n, m.nodes)
			}
		}
		for _, r := range e.Refs {
			of := s.devices[r.Device]
			if in && (all || of != nil && of.known && of.Person == d.Person) {
				s.once[s.erasedRef(e.Space, r)] = true
			}
		}
	}
}

func (s *State) erasedRef(named log.SpaceID, r erasedRef) ErasedRef {
	card := log.Card{Workspace: s.Workspace, Space: s.space(named), Device: r.Device, Incarnation: r.Incarnation}
	return ErasedRef{card, r.Seq, r.Hash}
}

// ErasedOnce reports whether the payload of an entry may be missing: it is to be
// dropped, or was where nobody knew yet that the say of who erased it had ended.
func (s *State) ErasedOnce(c log.Card, seq uint64, h log.Hash) bool {
	return s.once[ErasedRef{c, seq, h}]
}

// Erased reports whether the payload of an entry is to be dropped.
func (s *State) Erased(c log.Card, seq uint64, h log.Hash) bool {
	return s.erased[ErasedRef{c, seq, h}]
}

// ErasedRefs returns all entries whose payload is to be dropped, in a fixed
// order.
func (s *State) ErasedRefs() []ErasedRef {
	return slices.SortedFunc(maps.Keys(s.erased), func(a, b ErasedRef) int {
		return cmp.Or(
			bytes.Compare(a.Card.Space[:], b.Card.Space[:]), bytes.Compare(a.Card.Device[:], b.Card.Device[:]),
			bytes.Compare(a.Card.Incarnation[:], b.Card.Incarnation[:]), cmp.Compare(a.Seq, b.Seq), bytes.Compare(a.Hash[:], b.Hash[:]),
		)
	})
}

// Limit says where a log ends: one of a removed device, of somebody who was
// removed from the space, or one that was cut. Content behind it waits until
// somebody adopts it. It returns false if the log goes on.
func (s *State) Limit(c log.Card) (Cut, bool) {
	d := s.devices[c.Device]
	if d == nil {
		return Cut{}, false
	}
	id := c.ID()
	if c.Space == log.Control {
		return d.controlLimit(s, id)
	}
	end, limited := s.deviceLimit(d, c.Space, id)
	if sp := s.spaces[c.Space]; sp != nil && sp.people[d.Person] != nil {
		st := sp.people[d.Person]
		if left, ok := st.end(c.Space, id); ok && !st.level(s.graph).writes() && (!limited || further(end, left)) {
			end, limited = left, true
		}
	}
	return end, limited
}

// deviceLimit says where a log of a device in a space ends, whoever may write
// there.
func (s *State) deviceLimit(d *device, space log.SpaceID, id log.LogID) (Cut, bool) {
	e := d.ends[id]
	switch {
	case d.removal == nil && (e == nil || !e.live):
		return Cut{}, false
	case d.removal == nil:
		return e.first, true
	case d.covered[space] && e != nil:
		return e.best, true
	case d.covered[space]:
		return Cut{Space: space, Log: id}, true
	}
	// Who removed it did not know this space: those who write there say.
	best, covered := Cut{Space: space, Log: id}, false
	if e != nil {
		best = e.best
	}
	for _, a := range d.adopted {
		if !s.writesNow(space, s.devices[a.by]) {
			continue
		}
		for _, c := range a.cuts {
			covered = covered || c.Space == space
			if c.Space == space && c.Log == id && further(c, best) {
				best = c
			}
		}
	}
	if !covered && e != nil && e.live {
		return e.first, true
	}
	return best, covered
}

// controlLimit says where a control log of a device ends.
func (d *device) controlLimit(s *State, id log.LogID) (Cut, bool) {
	end, limited := Cut{Log: id}, false
	switch r := d.removal; {
	case r == nil:
	case r.self: // what does not build on it counts
		n := r.nodes[0].Entry
		if end, limited = (Cut{Log: id, Seq: n.Seq, Hash: n.Hash()}), n.Log == id; !limited {
			return Cut{}, false
		}
	default:
		limited = true
		if i, ok := slices.BinarySearchFunc(r.cuts, end, compareCuts); ok {
			end = r.cuts[i]
		}
	}
	if e := d.ends[id]; e != nil && e.bound && (!limited || further(end, e.named)) {
		end, limited = e.named, true
	}
	return end, limited
}

// adopt notes a cut by somebody who does not manage.
func (s *State) adopt(n *node, op *cut) Why {
	d := s.devices[op.Device]
	if d == nil || !d.known {
		return WhyNobody
	}
	if d.removal == nil || !n.role.belongs() {
		return WhyNotAllow
	}
	why := WhyNotAllow
	for _, c := range op.Cuts {
		if c.Space != log.Control && !d.covered[c.Space] && s.writesNow(c.Space, n.author) {
			why = Counts
		}
	}
	d.adopted = append(d.adopted, adoption{n.author.id, op.Cuts})
	return why
}

// writesNow reports whether a device may write in a space when all was read.
func (s *State) writesNow(id log.SpaceID, d *device) bool {
	if d.removal != nil || !d.Role.belongs() {
		return false
	}
	sp := s.spaces[id]
	return id == log.Everyone(s.Workspace) || sp != nil && s.levelIn(sp, d.Person).writes()
}

// end returns where the removals of a person say that a log ends, the furthest
// of them; false if the person was never removed.
func (st *standing) end(space log.SpaceID, id log.LogID) (Cut, bool) {
	best := Cut{Space: space, Log: id}
	for _, e := range st.ends {
		i, ok := slices.BinarySearchFunc(e.cuts, Cut{Space: space, Log: id}, compareCuts)
		if ok && further(e.cuts[i], best) {
			best = e.cuts[i]
		}
	}
	return best, len(st.ends) > 0
}
