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
	now     Role // as far as was read
	known   bool // admitted at some time; else it was only spoken of
	grants  []*grant
	lowers  []*lowering
	tenures []*tenure
	removal *removal
	ends    map[log.LogID]*logEnd
	covered map[log.SpaceID]bool // once it is gone only logs with an end count there
	adopted []adoption
	untils  []deadline
}

// A grant is an admission. One by the deputies lies in all entries that propose
// it.
type grant struct {
	nodes []*node
	op    int // place in the entry
	role  Role
}

// A lowering caps the grants that do not build on it.
type lowering struct {
	node   *node
	op     int // place in the entry
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
	council *motion // of the deputies, else nil
	cuts    []Cut
	limits  limits
}

// A logEnd says where a log ends while its device is in, and after.
type logEnd struct {
	first   Cut  // of the most senior author
	best    Cut  // the furthest; counts once the device was removed
	live    bool // first is set: by a cut of a device that was in
	control *node
	bound   bool // control binds entries of the control space
	named   Cut  // control, as it was named
}

// An adoption is a cut of a device that is gone by somebody who does not manage.
// It counts in spaces that the author may write in and that no manager covers.
type adoption struct {
	by   log.DeviceID
	cuts []Cut
}

type deadline struct {
	node *node
	op   int
	time int64
}

// end returns when the access of d ends: of those ends that nobody knew and
// replaced, the earliest.
func (d *device) end(g *graph) int64 {
	var end int64
	for i, u := range d.untils {
		replaced := slices.ContainsFunc(d.untils, func(v deadline) bool {
			return v.node != u.node && g.builds(v.node, u.node) || v.node == u.node && v.op > u.op
		})
		if !replaced && u.time != 0 && (end == 0 || u.time < end) {
			end = d.untils[i].time
		}
	}
	return end
}

// judge says of admissions and lowerings whether they change anything now that
// all were read: what is nothing new when it is read can be all that is left.
func (d *device) judge(g *graph) {
	best, n := d.role(g), 0
	var last *grant
	for _, of := range d.grants {
		if d.roleOf(g, of) == best {
			last, n = of, n+1
		}
	}
	if n == 1 && len(last.nodes) == 1 && last.op < len(last.nodes[0].why) && last.nodes[0].why[last.op] == WhyNoChange {
		last.nodes[0].why[last.op] = Counts
	}
	if !d.known {
		return
	}
	for _, l := range d.lowers {
		l.node.why[l.op] = WhyNoChange
	}
	for _, of := range d.grants {
		var most *lowering
		for _, l := range d.lowers {
			if (most == nil || l.role > most.role) && l.caps(g, of) {
				most = l
			}
		}
		if most != nil {
			most.node.why[most.op] = Counts
		}
	}
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
		return n == l.node || !g.builds(n, l.node)
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

// lowered reports whether l takes from what t gives. Two lowerings of one entry
// take together, and one to admin gives nothing back of what another took before.
func (t *tenure) lowered(g *graph, l *lowering) bool {
	if l == t.by || l.role <= t.role {
		return false
	}
	return t.by != nil && l.node == t.by.node || !g.anyBuilds(t.nodes, l.node) || t.by != nil && !t.left(g, l)
}

// left reports whether an admission as owner is there that t.by lowers and l does
// not.
func (t *tenure) left(g *graph, l *lowering) bool {
	return slices.ContainsFunc(t.dev.grants, func(of *grant) bool {
		return of.role == Owner && t.by.caps(g, of) && !l.caps(g, of)
	})
}

// ended reports whether a tenure is over for the author of n, who knows of what
// ended it; nil knows of all.
func (t *tenure) ended(g *graph, n *node) bool {
	return t.dev.removal != nil || slices.ContainsFunc(t.dev.lowers, func(l *lowering) bool {
		return t.lowered(g, l) && (n == nil || g.builds(n, l.node))
	})
}

// senior reports whether what d says was read, so that n, which is read behind
// it, cannot undo it. That d was lowered helps only who knew of it: else old
// attempts of juniors would come into force.
func (d *device) senior(g *graph, n *node) bool {
	return slices.ContainsFunc(d.tenures, func(t *tenure) bool { return t.done && !t.ended(g, n) })
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
			e.bound, e.control, e.named = true, s.graph.end(c), c
		}
	}
}

// further reports whether cut a leaves more than b; of two forks the lower hash
// does.
func further(a, b Cut) bool {
	return a.Seq > b.Seq || a.Seq == b.Seq && bytes.Compare(a.Hash[:], b.Hash[:]) < 0
}
