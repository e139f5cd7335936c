package access_test

import (
	"slices"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// oWalked is what owners and admins said.
type oWalked struct {
	devices map[log.DeviceID]*oDevice
	order   []log.DeviceID // in which devices became known
	people  map[access.PersonID]access.Person
	dead    map[log.DeviceID]*oDeath // also keys never seen
	ruled   map[*oEntry]access.Role  // entries that counted, under which role
	ruledIn []*oEntry                // in the order they counted
	ended   map[*oEntry]bool         // logs are not read after these
	done    []*oTenure

	owners, admins []*oTenure
}

type oDevice struct {
	card   access.DeviceCard
	person access.PersonID
	by     log.DeviceID
	entry  log.Hash
	asked  access.Role // that it was to have, for those dead before they came
	grants []oGrant
	claims []oGrant // void because of its removal, of which others need not have known
	lowers []oLowering
	cuts   []oCutting // by revoke and cut operations, as they counted
	untils []oUntilSaid
}

// An oGrant is a role and the entries that give it.
type oGrant struct {
	role access.Role
	on   []*oEntry
	of   []*oEntry // of a role that is left after a lowering: what gave the one before it
	by   *oEntry   // and the lowering
}

type oLowering struct {
	role  access.Role
	entry *oEntry
	cuts  []oCut
}

type oCutting struct {
	cuts  []oCut
	alive bool // the device was in when this counted
	own   bool // its own word, which ends no control log
}

type oDeath struct {
	by    log.DeviceID
	step  access.StepID
	entry *oEntry
	cuts  []oCut
}

type oUntilSaid struct {
	entry *oEntry
	time  uint64
}

type oTenure struct {
	device log.DeviceID
	grant  oGrant
}

func (g oGrant) under(e *oEntry) bool { return slices.ContainsFunc(g.on, e.on) }

// left is what a lowering leaves of a grant: from the lowering on, or from the
// grant on if neither knew of the other.
func left(g oGrant, role access.Role, by *oEntry) oGrant {
	on := g.on
	if g.under(by) {
		on = []*oEntry{by}
	}
	return oGrant{role, on, g.on, by}
}

// knew reports whether the grant was given in the knowledge of e.
func (g oGrant) knew(e *oEntry) bool {
	if g.of != nil {
		return g.by == e || slices.ContainsFunc(g.of, func(by *oEntry) bool { return by.on(e) })
	}
	return slices.ContainsFunc(g.on, func(by *oEntry) bool { return by.on(e) })
}

func (o *oracle) walk() {
	o.oWalked = oWalked{
		devices: map[log.DeviceID]*oDevice{}, people: map[access.PersonID]access.Person{}, dead: map[log.DeviceID]*oDeath{},
		ruled: map[*oEntry]access.Role{}, ended: map[*oEntry]bool{},
	}
	o.stopped = false
	for _, a := range o.accepted {
		for _, r := range a.step.Remove {
			if o.dead[r.Device] == nil {
				o.dead[r.Device] = &oDeath{step: a.id, cuts: r.Cuts}
			} else {
				d := o.device(r.Device)
				d.cuts = append(d.cuts, oCutting{r.Cuts, false, false})
			}
		}
	}
	g := o.genesis.ops[0].(*oGenesis)
	var steps []*oTenure
	o.know(g.Device, g.Person, g.Device.Sign, o.genesis.hash)
	for i, a := range o.accepted {
		for _, own := range a.step.Owners {
			if o.removedBy(own.Card.Sign, i) {
				o.neverIn(own.Card, own.Person, access.Owner, log.DeviceID{}, log.Hash{})
				continue
			}
			if o.clash(own.Card) || o.known(own.Card.Sign) && !o.same(own.Card, own.Person) {
				continue
			}
			if !o.known(own.Card.Sign) {
				o.know(own.Card, own.Person, log.DeviceID{}, log.Hash{})
			}
			t := o.grant(own.Card.Sign, oGrant{role: access.Owner, on: a.proposals})
			steps = append(steps, t)
		}
	}
	f := o.grant(g.Device.Sign, oGrant{role: access.Owner, on: []*oEntry{o.genesis}})
	o.owners, o.admins = append(steps, f), nil
	for len(o.owners)+len(o.admins) > 0 {
		queue := &o.owners
		if len(o.owners) == 0 {
			queue = &o.admins
		}
		t := (*queue)[0]
		*queue = (*queue)[1:]
		o.serve(t)
	}
}

// removedBy reports whether one of the first steps, up to number n, removes a
// device. What later ones remove was an owner's device until then.
func (o *oracle) removedBy(id log.DeviceID, n int) bool {
	return slices.ContainsFunc(o.accepted[:n+1], func(a oAccepted) bool {
		return slices.ContainsFunc(a.step.Remove, func(r oStepRemoval) bool { return r.Device == id })
	})
}

func (o *oracle) know(c access.DeviceCard, p access.Person, by log.DeviceID, entry log.Hash) {
	d := o.device(c.Sign)
	d.card, d.person, d.by, d.entry = c, p.ID, by, entry
	o.order = append(o.order, c.Sign)
	if _, ok := o.people[p.ID]; !ok {
		o.people[p.ID] = p
	}
}

// neverIn remembers a device that was dead before it came.
func (o *oracle) neverIn(c access.DeviceCard, p access.Person, asked access.Role, by log.DeviceID, entry log.Hash) {
	if !o.known(c.Sign) && !o.clash(c) {
		o.know(c, p, by, entry)
		o.device(c.Sign).asked = asked
	}
}

// device returns what is said about a device, admitted or not.
func (o *oracle) device(id log.DeviceID) *oDevice {
	if o.devices[id] == nil {
		o.devices[id] = &oDevice{}
	}
	return o.devices[id]
}

// known reports whether a device was ever admitted.
func (o *oracle) known(id log.DeviceID) bool { return slices.Contains(o.order, id) }

func (o *oracle) person(id log.DeviceID) access.PersonID { return o.device(id).person }

// grant adds a grant to a device.
func (o *oracle) grant(id log.DeviceID, g oGrant) *oTenure {
	d := o.device(id)
	d.grants = append(d.grants, g)
	return &oTenure{device: id, grant: g}
}

// roleOf returns what a grant amounts to: lowering wins over what did not know
// of it.
func (o *oracle) roleOf(d *oDevice, g oGrant) access.Role {
	role := g.role
	for _, l := range d.lowers {
		if !g.knew(l.entry) || o.wrong == "lowering again wins" {
			role = max(role, l.role)
		}
	}
	if o.wrong == "lowering does not last" {
		return g.role
	}
	return role
}

// role returns the strongest role of a device, 0 if it never had one.
func (o *oracle) role(id log.DeviceID) access.Role {
	role := access.Role(0)
	for _, g := range o.device(id).grants {
		if r := o.roleOf(o.device(id), g); role == 0 || r < role {
			role = r
		}
	}
	return role
}

// within reports whether e lies within the cuts: on the way down from one of
// the entries they name. A log not named is cut off whole.
func (o *oracle) within(e *oEntry, cuts []oCut) bool {
	for _, c := range cuts {
		if c.Space != log.Control || c.Log != e.Entry.Log {
			continue
		}
		if o.wrong == "cuts by number" {
			return e.Entry.Seq <= c.Seq
		}
		for _, end := range o.entries {
			if end.hash == c.Hash && end.Entry.Seq == c.Seq {
				for p := end; p != nil; p = p.prev {
					if p == e {
						return true
					}
				}
			}
		}
	}
	return o.wrong == "logs not named go on" && !slices.ContainsFunc(cuts, func(c oCut) bool { return c.Log == e.Entry.Log })
}

// open reports whether no cut of its device ends the log before e.
func (o *oracle) open(e *oEntry) bool {
	d := o.device(e.author())
	if death := o.dead[e.author()]; death != nil && o.wrong != "dead keys go on" {
		if death.by == e.author() { // left by itself: what it wrote not knowing that counts
			if e != death.entry && e.on(death.entry) {
				return false
			}
		} else if !o.within(e, death.cuts) {
			return false
		}
	}
	first := map[log.LogID]bool{}
	for _, said := range d.cuts {
		for _, c := range said.cuts {
			if !said.alive || said.own || c.Log != e.Entry.Log || first[c.Log] {
				continue
			}
			first[c.Log] = true
			if !o.within(e, []oCut{c}) {
				return false
			}
		}
	}
	for p := e.prev; p != nil; p = p.prev {
		if o.ended[p] {
			return false
		}
	}
	return true
}

// holds reports whether e lies within a grant: known to it, and within the cuts
// of every lowering of it.
func (o *oracle) holds(e *oEntry, g oGrant) bool {
	if !g.under(e) && o.wrong != "nobody needs to know its admission" {
		return false
	}
	for _, l := range o.device(e.author()).lowers {
		if g.knew(l.entry) || l.role <= g.role {
			continue
		}
		if l.entry.author() == e.author() { // lowered itself
			if e != l.entry && e.on(l.entry) {
				return false
			}
		} else if !o.within(e, l.cuts) {
			return false
		}
	}
	return true
}

// serve lets what a device wrote under one grant count.
func (o *oracle) serve(t *oTenure) {
	o.done = append(o.done, t)
	for _, e := range o.entries {
		if e.author() != t.device || o.ruled[e] != 0 || !o.holds(e, t.grant) || !o.open(e) {
			continue
		}
		o.ruled[e] = t.grant.role
		o.ruledIn = append(o.ruledIn, e)
		if e == o.genesis {
			continue
		}
		for _, op := range e.ops {
			o.rule(t, e, op)
		}
		if e.form == oUnknown {
			o.stopped = true
			o.ended[e] = true
		}
	}
}

// over reports whether a tenure has ended, by removal or by a lowering that e
// knew of: what one tried against a senior does not come to count later.
func (o *oracle) over(t *oTenure, e *oEntry) bool {
	return o.dead[t.device] != nil || slices.ContainsFunc(o.device(t.device).lowers, func(l oLowering) bool {
		return !t.grant.knew(l.entry) && l.role > t.grant.role && e.on(l.entry)
	})
}

// senior reports whether a device speaks before the author of e.
func (o *oracle) senior(d log.DeviceID, e *oEntry) bool {
	if o.wrong == "juniors remove seniors" {
		return false
	}
	return d != e.author() && slices.ContainsFunc(o.done, func(t *oTenure) bool { return t.device == d && !o.over(t, e) })
}

// rule applies an operation on the workspace.
func (o *oracle) rule(t *oTenure, e *oEntry, op any) {
	by := t.device
	switch op := op.(type) {
	case *oAdmit:
		o.admit(t, e, op)
	case *oLower:
		if o.dead[op.Device] != nil || o.senior(op.Device, e) {
			return
		}
		d := o.device(op.Device)
		d.lowers = append(d.lowers, oLowering{op.Role, e, op.Cuts})
		for _, g := range d.grants {
			if g.of == nil && g.role < op.Role && !g.knew(e) {
				o.queue(o.grant(op.Device, left(g, op.Role, e)))
				break
			}
		}
	case *oRevoke:
		if o.dead[op.Device] != nil {
			d := o.device(op.Device)
			d.cuts = append(d.cuts, oCutting{op.Cuts, false, false})
			return
		}
		if o.senior(op.Device, e) {
			return
		}
		o.dead[op.Device] = &oDeath{by: by, entry: e, cuts: op.Cuts}
	case *oCutOp:
		if o.dead[op.Device] != nil || !o.senior(op.Device, e) {
			d := o.device(op.Device)
			d.cuts = append(d.cuts, oCutting{op.Cuts, o.dead[op.Device] == nil, op.Device == by})
		}
	case *oUntil:
		o.sayUntil(e, op)
	}
}

func (o *oracle) sayUntil(e *oEntry, op *oUntil) {
	d := o.device(op.Device)
	d.untils = append(d.untils, oUntilSaid{e, op.Time})
}

// until returns when a device's access ends: the earliest of those ends that
// nobody replaced who knew them. 0 is no end.
func (o *oracle) until(d *oDevice) uint64 {
	best := uint64(0)
	for i, u := range d.untils {
		replaced := slices.ContainsFunc(d.untils, func(v oUntilSaid) bool { return v.entry != u.entry && v.entry.on(u.entry) })
		replaced = replaced || slices.ContainsFunc(d.untils[i+1:], func(v oUntilSaid) bool { return v.entry == u.entry })
		if o.wrong == "the last end of access wins" {
			replaced = i < len(d.untils)-1
		}
		if !replaced && u.time-1 < best-1 { // 0 turns into the highest
			best = u.time
		}
	}
	return best
}

func (o *oracle) queue(t *oTenure) {
	switch t.grant.role {
	case access.Owner:
		o.owners = append(o.owners, t)
	case access.Admin:
		o.admins = append(o.admins, t)
	}
}

// clash reports whether any key of a card is another device's.
func (o *oracle) clash(c access.DeviceCard) bool {
	for _, id := range o.order {
		d := o.devices[id].card
		if (d.Sign == c.Sign || d.Box == c.Box || d.Peer == c.Peer) && !d.SameKeys(c) {
			return true
		}
	}
	return false
}

func (o *oracle) same(c access.DeviceCard, p access.Person) bool {
	d := o.devices[c.Sign]
	return d.card.SameKeys(c) && d.person == p.ID
}

func (o *oracle) admit(t *oTenure, e *oEntry, a *oAdmit) {
	id := a.Device.Sign
	if a.Role == access.Owner && t.grant.role != access.Owner && o.wrong != "admins make owners" {
		return
	}
	if o.clash(a.Device) || o.known(id) && !o.same(a.Device, a.Person) {
		return
	}
	gains := !o.known(id) || a.Role < o.role(id)
	if gains && o.managed(a.Person.ID, e) && o.person(t.device) != a.Person.ID && t.grant.role != access.Owner && o.wrong != "persons are given away" {
		return
	}
	g := oGrant{role: a.Role, on: []*oEntry{e}}
	if death := o.dead[id]; death != nil && o.wrong != "the dead come back" && !o.history(death, e) {
		// Too late, but others may have given it keys, and what its removal left
		// of its logs stays.
		news := !o.known(id)
		o.neverIn(a.Device, a.Person, a.Role, t.device, e.hash)
		if d := o.device(id); news {
			o.queue(o.grant(id, g))
		} else {
			d.claims = append(d.claims, g)
		}
		return
	}
	if !o.known(id) {
		o.know(a.Device, a.Person, t.device, e.hash)
	}
	if o.wrong == "the dead come back" {
		delete(o.dead, id)
	}
	o.queue(o.grant(id, g))
	for _, l := range o.device(id).lowers { // said before the device was met
		if !g.knew(l.entry) && l.role > g.role {
			o.queue(o.grant(id, left(g, l.role, l.entry)))
		}
	}
}

// history reports whether a death was decided in the knowledge of e: then e is
// what came before it, and not a return.
func (o *oracle) history(death *oDeath, e *oEntry) bool {
	if death.entry != nil {
		return death.entry.on(e)
	}
	for _, a := range o.accepted {
		if a.id == death.step {
			return slices.ContainsFunc(a.proposals, func(p *oEntry) bool { return p.on(e) })
		}
	}
	return false
}

// managed reports whether a device of the person is an owner's or admin's now,
// by what was said without knowing e.
func (o *oracle) managed(p access.PersonID, e *oEntry) bool {
	return slices.ContainsFunc(o.order, func(id log.DeviceID) bool {
		d := o.device(id)
		return d.person == p && o.dead[id] == nil && slices.ContainsFunc(d.grants, func(g oGrant) bool {
			return o.roleOf(d, g) <= access.Admin && !slices.ContainsFunc(g.on, func(by *oEntry) bool { return by.on(e) })
		})
	})
}

// live returns the devices that are in.
func (o *oracle) live() []log.DeviceID {
	return slices.DeleteFunc(slices.Clone(o.order), func(id log.DeviceID) bool { return o.dead[id] != nil })
}
