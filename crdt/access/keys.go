package access

import (
	"bytes"
	"cmp"
	"slices"

	"inselnetz/crdt/log"
)

// A ring holds the announced keys of a space.
type ring struct {
	keys map[log.KeyID]*announced
	list []*announced // by epoch, then as announced
}

// An announced key is valid for reading for ever.
type announced struct {
	space  log.SpaceID // as operations name it
	epoch  uint64
	id     log.KeyID
	by     []log.DeviceID // that announced it and so hold it
	prevs  []oldKey
	wraps  []wraps
	sealed bool // an announced key holds it: whoever opens that one opens this
}

// wraps are copies of one key that one entry holds.
type wraps struct {
	node  *node
	list  []deviceWrap
	given bool // by an admission that is void only because of a removal it did not know
}

// A networkCopy is the key of the network for devices that cannot derive it.
type networkCopy struct {
	epoch uint64
	id    log.KeyID
	wraps
}

// none is what a key holds of one before it that its author could not open.
var none [72]byte

// keyOp is an operation that announces a key.
type keyOp struct {
	node *node
	op   int
	*newKey
}

// resolveKeys works out which keys were announced and who has copies.
func (s *State) resolveKeys() {
	s.keys = map[log.SpaceID]*ring{}
	w := s.first.Wraps[0]
	s.announce(s.graph.genesis, log.Control, 1, w.Key, nil)
	var later []keyOp
	for _, n := range s.graph.order {
		if n.author == nil {
			continue
		}
		for i, op := range n.ops {
			switch op := op.(type) {
			case *beginSpace:
				if id := op.id(s.Workspace, n.author.id); n.why[i] == Counts {
					s.announce(n, id, 1, op.Key.ID, nil)
				}
			case *newKey:
				later = append(later, keyOp{n, i, op})
			}
		}
	}
	// A key follows from keys of lower epochs, whatever the entries build on.
	slices.SortStableFunc(later, func(a, b keyOp) int { return cmp.Compare(a.Epoch, b.Epoch) })
	for _, k := range later {
		k.node.why[k.op] = s.follow(k)
	}
	s.collectWraps()
	for _, r := range s.keys {
		for _, k := range r.list {
			for _, p := range k.prevs {
				if p.Sealed != none {
					r.keys[p.ID].sealed = true
				}
			}
		}
	}
}

// follow announces a key that replaces others.
func (s *State) follow(k keyOp) Why {
	if k.Space != log.Control && s.spaces[k.Space] == nil {
		return WhyNobody
	}
	if !s.levelAt(k.Space, k.node).writes() {
		return WhyNotAllow
	}
	r, epoch := s.keys[k.Space], uint64(0)
	for _, p := range k.Prevs {
		prev := r.keys[p.ID]
		if prev == nil {
			return WhyKeys
		}
		epoch = max(epoch, prev.epoch)
	}
	if k.Epoch != epoch+1 {
		return WhyKeys
	}
	if old := r.keys[k.ID]; old != nil && old.epoch != k.Epoch {
		return WhyKeys
	}
	s.announce(k.node, k.Space, k.Epoch, k.ID, k.Prevs)
	return Counts
}

func (s *State) announce(n *node, id log.SpaceID, epoch uint64, key log.KeyID, prevs []oldKey) {
	r := s.keys[id]
	if r == nil {
		r = &ring{keys: map[log.KeyID]*announced{}}
		s.keys[id] = r
	}
	k := r.keys[key]
	if k == nil {
		k = &announced{space: id, epoch: epoch, id: key, prevs: prevs}
		r.keys[key] = k
		r.list = append(r.list, k)
	}
	k.by = append(k.by, n.Card.Device)
}

// collectWraps notes the copies of announced keys.
func (s *State) collectWraps() {
	add := func(n *node, id log.SpaceID, epoch uint64, key log.KeyID, list []deviceWrap, given bool) Why {
		if id == Network {
			s.copies = append(s.copies, networkCopy{epoch, key, wraps{n, list, given}})
			return Counts
		}
		r := s.keys[id]
		if r == nil || r.keys[key] == nil || r.keys[key].epoch != epoch {
			return WhyKeys
		}
		r.keys[key].wraps = append(r.keys[key].wraps, wraps{n, list, given})
		return Counts
	}
	for _, n := range s.graph.order {
		if n.author == nil {
			continue
		}
		for i, op := range n.ops {
			switch op := op.(type) {
			case *genesis, *admit:
				device, list := n.author.id, []Wrap(nil)
				if g, ok := op.(*genesis); ok {
					list = g.Wraps
				} else if a, ok := op.(*admit); ok {
					device, list = a.Device.Sign, a.Wraps
				}
				given := n.why[i] == WhyDead && !s.knewGone(s.devices[device], n)
				// A repeated admission gives nothing new but its keys.
				if n.why[i] != Counts && n.why[i] != WhyNoChange && !given {
					continue
				}
				for _, w := range list {
					add(n, w.Space, w.Epoch, w.Key, []deviceWrap{{Device: device, Sealed: w.Sealed}}, given)
				}
			case *beginSpace:
				if n.why[i] == Counts {
					add(n, op.id(s.Workspace, n.author.id), 1, op.Key.ID, op.Key.Wraps, false)
				}
			case *newKey:
				if n.why[i] == Counts {
					add(n, op.Space, op.Epoch, op.ID, op.Wraps, false)
				}
			case *moreWraps:
				if n.why[i] = WhyNotAllow; op.Space == Network && n.role.belongs() || s.levelAt(op.Space, n) != None {
					n.why[i] = add(n, op.Space, op.Epoch, op.ID, op.Wraps, false)
				}
			}
		}
	}
}

// levelAt returns what the author of n could do in a space, named as operations
// name it, as it wrote n.
func (s *State) levelAt(named log.SpaceID, n *node) Level {
	sp := s.spaces[named]
	switch {
	case n.author == nil || !n.role.belongs(): // guests and carriers change nothing
		return None
	case named == log.Control && n.role.manages():
		return Manage
	case named == log.Control:
		return Write
	case sp == nil || sp.people[n.author.Person] == nil:
		return None
	}
	return sp.people[n.author.Person].levelAt(s.graph, n)
}

// couldRead reports whether the author of n had reason to take a device for a
// reader of a space.
func (s *State) couldRead(named log.SpaceID, id log.DeviceID, n *node) bool {
	d := s.devices[id]
	if d == nil || !d.known || s.knewGone(d, n) {
		return false
	}
	if named != log.Control {
		sp := s.spaces[named]
		if sp == nil || sp.people[d.Person] == nil || sp.people[d.Person].knownLevel(s.graph, n) == None {
			return false
		}
	}
	for _, of := range d.grants {
		if !s.graph.buildsAny(n, of.nodes) {
			continue
		}
		role := of.role
		for _, l := range d.lowers {
			if l.role > role && l.caps(s.graph, of) && s.graph.builds(n, l.node) {
				role = l.role
			}
		}
		if role.belongs() || role == Guest && named != log.Control {
			return true
		}
	}
	return false
}

// knewGone reports whether the author of n knew that a device was removed.
func (s *State) knewGone(d *device, n *node) bool {
	r := d.removal
	return r != nil && s.graph.buildsAny(n, r.nodes) && (r.council == nil || r.council.knew(s.graph, n))
}

// holders returns the devices that hold a key, as far as entries say.
func (s *State) holders(k *announced) map[log.DeviceID]bool {
	held := map[log.DeviceID]bool{}
	for _, d := range k.by {
		held[d] = true
	}
	for _, w := range k.wraps {
		for i := range w.list {
			if id := w.list[i].Device; !held[id] && (w.given || s.couldRead(k.space, id, w.node)) {
				held[id] = true
			}
		}
	}
	return held
}

// named returns the id by which operations name a space.
func (s *State) named(id log.SpaceID) log.SpaceID {
	if id == log.Everyone(s.Workspace) {
		return log.Control
	}
	return id
}

// space returns the id of a space named in an operation.
func (s *State) space(named log.SpaceID) log.SpaceID {
	if named == log.Control {
		return log.Everyone(s.Workspace)
	}
	return named
}

// ring returns the keys of a space, none for spaces without keys.
func (s *State) ring(id log.SpaceID) *ring {
	if r := s.keys[s.named(id)]; r != nil && id != log.Control {
		return r
	}
	return &ring{}
}

// current returns the key in which new entries are to be written, nil if there
// is none.
func (r *ring) current() *announced {
	var best *announced
	for _, k := range r.list {
		if best == nil || k.epoch > best.epoch || k.epoch == best.epoch && bytes.Compare(k.id[:], best.id[:]) < 0 {
			best = k
		}
	}
	return best
}

// tips returns the keys that no other one leads to, by epoch, the newest first.
func (r *ring) tips() []*announced {
	var all []*announced
	for _, k := range r.list {
		if !k.sealed {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, compareKeys)
	return all
}

// Current returns the epoch in which new entries of a space are to be written,
// and the name of its key.
func (s *State) Current(id log.SpaceID) (epoch uint64, key log.KeyID, ok bool) {
	if k := s.ring(id).current(); k != nil {
		return k.epoch, k.id, true
	}
	return 0, log.KeyID{}, false
}

// Stale reports whether somebody who may not read a space holds the key in which
// new entries of it would be written: it is to be replaced before the next one.
func (s *State) Stale(id log.SpaceID) bool {
	k := s.ring(id).current()
	if k == nil {
		return false
	}
	for d := range s.holders(k) {
		if s.Level(id, d) == None {
			return true
		}
	}
	if k.space != log.Control {
		return false
	}
	for _, c := range s.copies {
		for i := range c.list {
			if d := s.devices[c.list[i].Device]; c.epoch == k.epoch && d != nil && d.known && d.removal != nil && !s.knewGone(d, c.node) {
				return true
			}
		}
	}
	return false
}
