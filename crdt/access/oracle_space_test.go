package access_test

import (
	"slices"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// oSpaces is what was said about spaces, keys and what to erase.
type oSpaces struct {
	all    map[log.SpaceID]*oSpaceState
	keys   []oAnnounced
	wraps  []oGiven
	erased map[access.ErasedRef]bool
	disks  map[log.DeviceID]uint64
	late   map[log.DeviceID][]oLate // cuts by those who are no managers
}

type oSpaceState struct {
	id      log.SpaceID
	kind    access.SpaceKind
	creator access.PersonID
	begun   []oBegun
	grants  []*oBelonging
	left    []oLeft
	ruled   map[*oEntry]bool // entries that were looked at
	queue   []*oBelonging
}

type oBegun struct {
	entry *oEntry
	op    *oSpace
}

// An oBelonging gives a person a level in a space.
type oBelonging struct {
	person access.PersonID
	level  access.Level
	on     oGrant
	served bool
}

type oLeft struct {
	person access.PersonID
	entry  *oEntry
	cuts   []oCut
}

type oAnnounced struct {
	space log.SpaceID
	epoch uint64
	id    log.KeyID
	by    log.DeviceID
	entry *oEntry
}

type oGiven struct {
	space log.SpaceID
	epoch uint64
	id    log.KeyID
	to    log.DeviceID
}

type oLate struct {
	by   log.DeviceID
	cuts []oCut
}

// standing returns under which role e was written: the strongest of the
// author's grants that holds it, 0 if it does not count.
func (o *oracle) standing(e *oEntry) access.Role {
	if !o.open(e) || e.form != oFine && o.ruled[e] == 0 {
		return 0
	}
	role := access.Role(0)
	for _, g := range o.device(e.author()).grants {
		if r := o.capped(e, g); r != 0 && (role == 0 || r < role) {
			role = r
		}
	}
	return role
}

// capped returns under which role a grant holds e: what a lowering cuts off
// counts as of the lower role. 0 if the grant does not hold it.
func (o *oracle) capped(e *oEntry, g oGrant) access.Role {
	role := g.role
	if !g.under(e) {
		return 0
	}
	for _, l := range o.device(e.author()).lowers {
		cut := !o.within(e, l.cuts)
		if l.entry.author() == e.author() {
			cut = e != l.entry && e.on(l.entry)
		}
		if cut && !g.knew(l.entry) {
			role = max(role, l.role)
		}
	}
	return role
}

// speaks reports whether e counts in spaces: it was written by one who belongs.
func (o *oracle) speaks(e *oEntry) bool {
	r := o.standing(e)
	return r != 0 && r <= access.Member || r == access.Guest && o.wrong == "guests do as members"
}

func (o *oracle) spaces() {
	o.oSpaces = oSpaces{all: map[log.SpaceID]*oSpaceState{}, erased: map[access.ErasedRef]bool{}, disks: map[log.DeviceID]uint64{}, late: map[log.DeviceID][]oLate{}}
	for _, e := range o.entries {
		for _, op := range e.ops {
			if s, ok := op.(*oSpace); ok && o.speaks(e) {
				o.begin(e, s)
			}
		}
	}
	for _, s := range o.all {
		o.members(s)
		o.settle(s)
	}
	o.announce()
	for _, e := range o.entries {
		for _, op := range e.ops {
			switch op := op.(type) {
			case *oErase:
				o.erase(e, op)
			case *oFacts:
				if o.standing(e) != 0 {
					o.disks[e.author()] = op.Disk
				}
			case *oCutOp:
				if o.ruled[e] == 0 && o.speaks(e) {
					o.late[op.Device] = append(o.late[op.Device], oLate{e.author(), op.Cuts})
				}
			}
		}
	}
}

func (o *oracle) begin(e *oEntry, op *oSpace) {
	person := o.person(e.author())
	if op.Kind == access.Direct && !slices.ContainsFunc(op.Members, func(m oMember) bool { return m.Person == person }) && o.wrong != "strangers join direct spaces" {
		return
	}
	id := op.id(o.w, e.author())
	s := o.all[id]
	if s == nil {
		s = &oSpaceState{id: id, kind: op.Kind, creator: person, ruled: map[*oEntry]bool{}}
		o.all[id] = s
	}
	s.begun = append(s.begun, oBegun{e, op})
}

// members gives those a space begins with their levels: whom the deputies let
// in, the creator, and those it named.
func (o *oracle) members(s *oSpaceState) {
	if s.kind == access.Named {
		for _, a := range o.accepted {
			for _, acc := range a.step.Access {
				if acc.Space == s.id {
					o.join(s, acc.Person, access.Manage, oGrant{on: a.proposals})
				}
			}
		}
		for _, b := range s.begun {
			o.join(s, s.creator, access.Manage, oGrant{on: []*oEntry{b.entry}})
		}
	}
	for _, b := range s.begun {
		for _, m := range b.op.Members {
			if m.Person != s.creator || s.kind == access.Direct {
				o.join(s, m.Person, m.Level, oGrant{on: []*oEntry{b.entry}})
			}
		}
	}
}

func (o *oracle) join(s *oSpaceState, p access.PersonID, l access.Level, on oGrant) {
	b := &oBelonging{person: p, level: l, on: on}
	s.grants = append(s.grants, b)
	if l == access.Manage && s.kind == access.Named {
		s.queue = append(s.queue, b)
	}
}

// holdsIn reports whether e of a person lies within its belonging: a removal
// ends it for all that those who removed did not know.
func (o *oracle) holdsIn(s *oSpaceState, b *oBelonging, e *oEntry) bool {
	if !b.on.under(e) {
		return false
	}
	for _, l := range s.left {
		if l.person != b.person || b.on.knew(l.entry) || o.wrong == "who left goes on" {
			continue
		}
		if o.person(l.entry.author()) == b.person { // left by itself
			if e != l.entry && e.on(l.entry) {
				return false
			}
		} else if !l.entry.on(e) {
			return false
		}
	}
	return true
}

func (o *oracle) hasLeft(s *oSpaceState, b *oBelonging) bool {
	return slices.ContainsFunc(s.left, func(l oLeft) bool { return l.person == b.person && !b.on.knew(l.entry) })
}

// settle works out who belongs to a space.
func (o *oracle) settle(s *oSpaceState) {
	o.serveSpace(s)
	for again := s.kind == access.Named; again; {
		again = false
		for _, e := range o.ruledIn {
			for _, op := range e.ops {
				m, ok := op.(*oMembers)
				if !ok || m.Space != s.id || s.ruled[e] {
					continue
				}
				for _, set := range m.Set {
					if set.Level == access.Manage && (o.belongs(s, set.Person) != access.None || o.wrong == "owners let themselves in") {
						s.ruled[e] = true
						o.join(s, set.Person, set.Level, oGrant{on: []*oEntry{e}})
						again = true
					}
				}
			}
		}
		o.serveSpace(s)
	}
}

func (o *oracle) serveSpace(s *oSpaceState) {
	o.serveManagers(s)
	for _, e := range o.entries { // everybody may leave
		for _, op := range e.ops {
			m, ok := op.(*oMembers)
			p := o.person(e.author())
			if !ok || m.Space != s.id || s.kind == access.Direct || s.ruled[e] || o.levelAt(s.id, e) == access.None {
				continue
			}
			for _, l := range m.Remove {
				if l.Person == p {
					s.ruled[e] = true
					s.left = append(s.left, oLeft{p, e, l.Cuts})
				}
			}
		}
	}
}

func (o *oracle) serveManagers(s *oSpaceState) {
	for len(s.queue) > 0 {
		b := s.queue[0]
		s.queue = s.queue[1:]
		b.served = true
		for _, e := range o.entries {
			if o.person(e.author()) != b.person || s.ruled[e] || !o.speaks(e) || !o.holdsIn(s, b, e) {
				continue
			}
			for _, op := range e.ops {
				if m, ok := op.(*oMembers); ok && m.Space == s.id {
					s.ruled[e] = true
					o.change(s, b, e, m)
				}
			}
		}
	}
}

func (o *oracle) change(s *oSpaceState, by *oBelonging, e *oEntry, m *oMembers) {
	for _, l := range m.Remove {
		senior := l.Person != by.person && slices.ContainsFunc(s.grants, func(b *oBelonging) bool {
			return b.person == l.Person && b.served && !slices.ContainsFunc(s.left, func(out oLeft) bool {
				return out.person == b.person && !b.on.knew(out.entry) && e.on(out.entry)
			})
		})
		if !senior || o.wrong == "juniors put out seniors" {
			s.left = append(s.left, oLeft{l.Person, e, l.Cuts})
		}
	}
	for _, set := range m.Set {
		o.join(s, set.Person, set.Level, oGrant{on: []*oEntry{e}})
	}
}

// belongs returns the level of a person.
func (o *oracle) belongs(s *oSpaceState, p access.PersonID) access.Level {
	best := access.None
	for _, b := range s.grants {
		if b.person == p && !o.hasLeft(s, b) && (best == access.None || b.level < best) {
			best = b.level
		}
	}
	return best
}

// personLevel returns what a person may do in a space now: one who has devices of
// guests and carriers only does not manage.
func (o *oracle) personLevel(s *oSpaceState, p access.PersonID) access.Level {
	l, best := o.belongs(s, p), access.Role(0)
	for _, id := range o.live() {
		if r := o.role(id); o.person(id) == p && (best == 0 || r < best) {
			best = r
		}
	}
	if l == access.Manage && best >= access.Guest {
		return access.Write
	}
	return l
}

// level returns what a device may do in a space now.
func (o *oracle) level(space log.SpaceID, id log.DeviceID) access.Level {
	role := o.role(id)
	if !o.known(id) || o.dead[id] != nil {
		return access.None
	}
	if space == o.everyone() || space == log.Control {
		switch {
		case role <= access.Admin:
			return access.Manage
		case role == access.Member:
			return access.Write
		case space == log.Control:
			return access.Read
		}
		return access.None
	}
	s := o.all[space]
	if s == nil || role == access.Carrier {
		return access.None
	}
	l := o.belongs(s, o.person(id))
	if role == access.Guest && l == access.Manage && o.wrong != "guests do as members" {
		return access.Write
	}
	return l
}

// levelAt returns what the author of e could do in a space when it wrote e.
func (o *oracle) levelAt(space log.SpaceID, e *oEntry) access.Level {
	if !o.speaks(e) {
		return access.None
	}
	if space == o.everyone() {
		if o.standing(e) <= access.Admin {
			return access.Manage
		}
		return access.Write
	}
	s, best := o.all[space], access.None
	if s == nil {
		return best
	}
	for _, b := range s.grants {
		if b.person == o.person(e.author()) && o.holdsIn(s, b, e) && (best == access.None || b.level < best) {
			best = b.level
		}
	}
	return best
}
