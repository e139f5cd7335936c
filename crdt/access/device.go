package access

import (
	"bytes"
	"slices"

	"inselnetz/crdt/log"
)

// maxChanges is how often grants and lowerings of one device count, and grants
// and removals of one person in one space: each is held against each.
const maxChanges = 256

// A device is what the walk knows of a signing key.
type device struct {
	Device
	id      log.DeviceID
	manages bool // counted as one by which its person manages
	known   bool // admitted at some time; else it was only spoken of
	grants  []*grant
	lowers  []*lowering
	tenures []*tenure
	removal *removal
	ends    map[log.LogID]*logEnd
	covered map[log.SpaceID]bool // once it is gone only logs with an end count there
	adopted []adoption
	until   *deadline
}

// A grant is an admission. One by the deputies lies in all entries that propose
// it.
type grant struct {
	nodes []*node
	role  Role
}

// A lowering caps the grants that do not build on it.
type lowering struct {
	node   *node
	role   Role
	self   bool // by the device itself: ends what builds on it
	limits limits
}

// A tenure is a time in which a device manages.
type tenure struct {
	dev   *device
	role  Role
	nodes []*node   // its entries build on one of them
	by    *lowering // of an owner to admin; nil for a grant
	done  bool      // its entries were read
	place int       // when, from 1
}

// A removal ends a device for ever.
type removal struct {
	nodes   []*node // that say so; proposals, if the deputies did
	self    bool
	council bool
	limits  limits
}

// A logEnd says where a log ends while its device is in, and after.
type logEnd struct {
	first   Cut  // of the most senior author
	best    Cut  // the furthest; counts once the device was removed
	live    bool // first is set: by a cut of a device that was in
	control *node
	bound   bool // control binds entries of the control space
}

// An adoption is a cut of a device that is gone by somebody who does not manage.
// It counts in spaces that the author may write in and that no manager covers.
type adoption struct {
	by   log.DeviceID
	cuts []Cut
}

type deadline struct {
	node *node
	time int64
}

// device returns what is known of a signing key.
func (s *State) device(id log.DeviceID) *device {
	d := s.devices[id]
	if d == nil {
		d = &device{id: id}
		s.devices[id] = d
	}
	return d
}

// caps reports whether l weakens what g grants.
func (l *lowering) caps(g *graph, of *grant) bool {
	return l.role > of.role && !g.anyBuilds(of.nodes, l.node)
}

// roleOf returns the role that a grant gives after all lowerings.
func (d *device) roleOf(g *graph, of *grant) Role {
	role := of.role
	for _, l := range d.lowers {
		if l.role > role && l.caps(g, of) {
			role = l.role
		}
	}
	return role
}

// role returns the strongest role of a device, 0 if it has none.
func (d *device) role(g *graph) Role {
	var role Role
	for _, of := range d.grants {
		if r := d.roleOf(g, of); role == 0 || r < role {
			role = r
		}
	}
	return role
}

// roleAt returns the role with which the device wrote n, 0 if it did not know
// that it was admitted.
func (d *device) roleAt(g *graph, n *node) Role {
	var role Role
	for _, of := range d.grants {
		if role != 0 && of.role >= role || !g.buildsAny(n, of.nodes) {
			continue
		}
		r := of.role
		for _, l := range d.lowers {
			if l.role > r && l.caps(g, of) && !l.before(g, n) {
				r = l.role
			}
		}
		if role == 0 || r < role {
			role = r
		}
	}
	return role
}

// before reports whether n was written before the lowering, as far as it says.
func (l *lowering) before(g *graph, n *node) bool {
	if l.self {
		return !g.builds(n, l.node)
	}
	return l.limits.hold(n)
}

// holds reports whether an entry of the device lies before the end of its log.
func (d *device) holds(g *graph, n *node) bool {
	if r := d.removal; r != nil {
		if r.self && g.buildsAny(n, r.nodes) && !slices.Contains(r.nodes, n) || !r.self && !r.limits.hold(n) {
			return false
		}
	}
	if e := d.ends[n.Entry.Log]; e != nil && e.bound {
		return e.control != nil && e.control.continues(n)
	}
	return true
}

// ended reports whether a tenure is over, so that what it was held by may be
// removed by others.
func (t *tenure) ended(g *graph) bool {
	return t.dev.removal != nil || t.capped(g) != t.role
}

// capped returns the role a tenure has after all lowerings.
func (t *tenure) capped(g *graph) Role {
	role := t.role
	for _, l := range t.dev.lowers {
		if l != t.by && l.role > role && !g.anyBuilds(t.nodes, l.node) {
			role = l.role
		}
	}
	return role
}

// senior reports whether what d says was read, so that nobody behind it can
// undo it.
func (d *device) senior(g *graph) bool {
	return slices.ContainsFunc(d.tenures, func(t *tenure) bool { return t.done && !t.ended(g) })
}

// addCuts notes where logs of d end, as the manager whose entry is n says. In
// order of seniority the first counts while d is in, the furthest once it is
// not.
func (s *State) addCuts(d *device, cuts []Cut, live, self bool) {
	for _, c := range cuts {
		if d.ends == nil {
			d.ends, d.covered = map[log.LogID]*logEnd{}, map[log.SpaceID]bool{}
		}
		if !live {
			d.covered[c.Space] = true
		}
		e := d.ends[c.Log]
		if e == nil {
			e = &logEnd{best: c}
			d.ends[c.Log] = e
		}
		if further(c, e.best) {
			e.best = c
		}
		if live && !e.live {
			e.live, e.first = true, c
		}
		// A device that ends its own control logs would undo what it did.
		if live && !self && !e.bound && c.Space == log.Control {
			e.bound, e.control = true, s.graph.end(c)
		}
	}
}

// further reports whether cut a leaves more than b; of two forks the lower hash
// does.
func further(a, b Cut) bool {
	return a.Seq > b.Seq || a.Seq == b.Seq && bytes.Compare(a.Hash[:], b.Hash[:]) < 0
}
