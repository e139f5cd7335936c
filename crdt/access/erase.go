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
	for _, n := range s.graph.order {
		if n.author == nil {
			continue
		}
		for i, op := range n.ops {
			switch op := op.(type) {
			case *erase:
				n.why[i] = s.applyErase(n, op)
			case *ask:
				if n.why[i] = WhyNotAllow; n.role <= Guest {
					n.why[i] = Counts
					s.asks[n.author.id], s.asked[n.author.id] = n, op.Keys
				}
			case *facts:
				n.why[i] = Counts
				n.author.Disk = op.Disk
			}
		}
	}
}

// applyErase applies an erasure: one may erase what devices of one's own person
// wrote; all else only who manages the space.
func (s *State) applyErase(n *node, op *erase) Why {
	id := s.space(op.Space)
	sp := s.spaces[op.Space]
	switch {
	case op.Space != log.Control && sp == nil:
		return WhyNobody
	case n.role > Guest:
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
		card := log.Card{Workspace: s.Workspace, Space: id, Device: r.Device, Incarnation: r.Incarnation}
		s.erased[ErasedRef{card, r.Seq, r.Hash}] = true
	}
	return why
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

// Limit says where a log of content ends: one of a removed device, of somebody
// who was removed from the space, or one that was cut. What lies behind waits
// until somebody adopts it. It returns false if the log goes on.
func (s *State) Limit(c log.Card) (Cut, bool) {
	d := s.devices[c.Device]
	if d == nil || c.Space == log.Control {
		return Cut{}, false
	}
	id := c.ID()
	end, limited := Cut{Log: id}, false
	if e := d.ends[id]; d.removal != nil {
		limited = true
		if e != nil {
			end = e.best
		}
	} else if e != nil && e.live {
		end, limited = e.first, true
	}
	if sp := s.spaces[c.Space]; sp != nil && sp.people[d.Person] != nil {
		st := sp.people[d.Person]
		if left, ok := st.end(id); ok && !st.level(s.graph).writes() && (!limited || further(end, left)) {
			end, limited = left, true
		}
	}
	return end, limited
}

// end returns where the removals of a person say that a log ends, the furthest
// of them; false if the person was never removed.
func (st *standing) end(id log.LogID) (Cut, bool) {
	best := Cut{Log: id}
	for _, e := range st.ends {
		if i, ok := slices.BinarySearchFunc(e.cuts, id, func(c Cut, id log.LogID) int { return bytes.Compare(c.Log[:], id[:]) }); ok && further(e.cuts[i], best) {
			best = e.cuts[i]
		}
	}
	return best, len(st.ends) > 0
}
