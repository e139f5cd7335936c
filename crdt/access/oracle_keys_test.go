package access_test

import (
	"bytes"
	"cmp"
	"slices"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// Keys, what to erase, and where content ends.

func (o *oracle) announced(space log.SpaceID, id log.KeyID) (oAnnounced, bool) {
	for _, k := range o.keys {
		if k.space == space && k.id == id {
			return k, true
		}
	}
	return oAnnounced{}, false
}

// A key is announced at a place: keys are judged by epoch first, then by place.
type oPlace struct {
	epoch uint64
	entry *oEntry
	key   *oKey // or
	space *oSpace
}

// announce finds the keys that are keys, and who was given them.
func (o *oracle) announce() {
	g := o.genesis.ops[0].(*oGenesis)
	first := g.Wraps[0]
	o.keys = append(o.keys, oAnnounced{o.everyone(), 1, first.Key, g.Device.Sign, o.genesis})
	var places []oPlace
	for _, e := range o.entries {
		for _, op := range e.ops {
			switch op := op.(type) {
			case *oSpace:
				if s := o.all[op.id(o.w, e.author())]; s != nil && slices.ContainsFunc(s.begun, func(b oBegun) bool { return b.entry == e }) {
					places = append(places, oPlace{1, e, nil, op})
				}
			case *oKey:
				places = append(places, oPlace{op.Epoch, e, op, nil})
			}
		}
	}
	slices.SortStableFunc(places, func(a, b oPlace) int { return cmp.Compare(a.epoch, b.epoch) })
	for _, p := range places {
		if p.space != nil {
			o.announceKey(p.space.id(o.w, p.entry.author()), 1, p.space.Key.ID, p.entry, p.space.Key.Wraps)
		} else {
			o.newKey(p.entry, p.key)
		}
	}
	for _, e := range o.entries {
		for _, op := range e.ops {
			if w, ok := op.(*oWraps); ok {
				space := o.named(w.Space)
				may := o.levelAt(space, e) != access.None
				if w.Space == access.Network {
					may = o.speaks(e)
				}
				if may {
					o.give(space, w.Epoch, w.ID, e, w.Wraps)
				}
			}
			if a, ok := op.(*oAdmit); ok && o.ruled[e] != 0 && o.gives(e, a) {
				death := o.dead[a.Device.Sign]
				late := death != nil && !o.history(death, e)
				for _, w := range a.Wraps {
					reads := a.Role <= access.Member || a.Role == access.Guest && w.Space != log.Control
					if late && reads && !o.knewGone(a.Device.Sign, e) { // it came too late; the keys with it did not
						o.wraps = append(o.wraps, oGiven{o.named(w.Space), w.Epoch, w.Key, a.Device.Sign})
						continue
					}
					o.give(o.named(w.Space), w.Epoch, w.Key, e, []oDeviceWrap{{Device: a.Device.Sign}})
				}
			}
		}
	}
}

// gives reports whether an admission counted.
func (o *oracle) gives(e *oEntry, a *oAdmit) bool {
	d := o.device(a.Device.Sign)
	return slices.ContainsFunc(slices.Concat(d.grants, d.claims), func(g oGrant) bool { return slices.Contains(g.on, e) })
}

func (o *oracle) newKey(e *oEntry, op *oKey) {
	space, highest := o.named(op.Space), uint64(0)
	if !writes(o.levelAt(space, e)) && o.wrong != "readers make keys" {
		return
	}
	for _, p := range op.Prevs {
		k, ok := o.announced(space, p.ID)
		if !ok {
			return
		}
		highest = max(highest, k.epoch)
	}
	if op.Epoch != highest+1 && o.wrong != "epochs jump" {
		return
	}
	o.announceKey(space, op.Epoch, op.ID, e, op.Wraps)
}

func (o *oracle) announceKey(space log.SpaceID, epoch uint64, id log.KeyID, e *oEntry, wraps []oDeviceWrap) {
	if _, ok := o.announced(space, id); !ok {
		o.keys = append(o.keys, oAnnounced{space, epoch, id, e.author(), e})
	}
	o.give(space, epoch, id, e, wraps)
}

// give notes wraps for those who could read as far as the entry knew; copies of
// the network key for all who come in and of whose removal it did not know.
func (o *oracle) give(space log.SpaceID, epoch uint64, id log.KeyID, e *oEntry, wraps []oDeviceWrap) {
	for _, w := range wraps {
		knew := o.readAt(space, w.Device, e)
		if space == access.Network {
			knew = o.known(w.Device) && !o.knewGone(w.Device, e)
		}
		if knew || o.wrong == "wraps for anybody" {
			o.wraps = append(o.wraps, oGiven{space, epoch, id, w.Device})
		}
	}
}

// knewGone reports whether e knew that a device was removed: by the entry that
// did so, or by the step and the deputies' approvals of it.
func (o *oracle) knewGone(id log.DeviceID, e *oEntry) bool {
	death := o.dead[id]
	if death == nil || death.entry != nil {
		return death != nil && e.on(death.entry)
	}
	for _, a := range o.accepted {
		if a.id != death.step || !slices.ContainsFunc(a.proposals, e.on) {
			continue
		}
		said := map[access.PersonID]bool{}
		for x := range e.past {
			for _, op := range x.ops {
				if p, ok := op.(*oApprove); ok && o.heard(x) && p.Step == a.id && p.valid() {
					for _, d := range a.by.Deputies {
						if slices.Contains(d.Keys, p.Key) {
							said[d.Person] = true
						}
					}
				}
			}
		}
		return len(said) >= int(a.by.Need)
	}
	return false
}

// readAt reports whether a device could read a space as far as e knew.
func (o *oracle) readAt(space log.SpaceID, id log.DeviceID, e *oEntry) bool {
	if o.knewGone(id, e) {
		return false
	}
	role := access.Role(0)
	for _, g := range slices.Concat(o.device(id).grants, o.device(id).claims) {
		if !slices.ContainsFunc(g.on, e.on) {
			continue
		}
		r := g.role
		for _, l := range o.device(id).lowers {
			if e.on(l.entry) && !g.knew(l.entry) {
				r = max(r, l.role)
			}
		}
		if role == 0 || r < role {
			role = r
		}
	}
	switch {
	case role == 0:
		return false
	case space == access.Network:
		return true
	case space == o.everyone():
		return role <= access.Member
	case role == access.Carrier:
		return false
	}
	s := o.all[space]
	if s == nil {
		return false
	}
	return slices.ContainsFunc(s.grants, func(b *oBelonging) bool {
		ended := slices.ContainsFunc(s.left, func(l oLeft) bool { return l.person == b.person && e.on(l.entry) && !b.on.knew(l.entry) })
		return b.person == o.person(id) && slices.ContainsFunc(b.on.on, e.on) && !ended
	})
}

// current returns the newest key of a space.
func (o *oracle) current(space log.SpaceID) (best oAnnounced, ok bool) {
	for _, k := range o.keys {
		if k.space == space && (!ok || k.epoch > best.epoch || k.epoch == best.epoch && bytes.Compare(k.id[:], best.id[:]) < 0) {
			best, ok = k, true
		}
	}
	return best, ok
}

// stale reports whether one holds the newest key who may not read any more.
func (o *oracle) stale(space log.SpaceID) bool {
	k, ok := o.current(space)
	if !ok || o.wrong == "keys stay fresh" {
		return false
	}
	gone := func(id log.DeviceID) bool { return o.level(space, id) == access.None && !o.kit(id) }
	if gone(k.by) {
		return true
	}
	return slices.ContainsFunc(o.wraps, func(w oGiven) bool {
		network := space == o.everyone() && w.space == access.Network && w.epoch == k.epoch && (!o.known(w.to) || o.dead[w.to] != nil)
		return w.space == space && w.epoch == k.epoch && w.id == k.id && gone(w.to) || network && !o.kit(w.to)
	})
}

// kit reports whether id is the key of a recovery kit, in force or earlier.
func (o *oracle) kit(id log.DeviceID) bool {
	policies := []*oPolicy{o.policy}
	if len(o.genesis.ops) == 2 {
		if p, ok := o.genesis.ops[1].(*oFirstPolicy); ok {
			policies = append(policies, &oPolicy{Deputies: p.Deputies})
		}
	}
	for _, a := range o.accepted {
		policies = append(policies, a.step.Policy)
	}
	for _, p := range policies {
		if p != nil && slices.ContainsFunc(p.Deputies, func(d oDeputy) bool { return d.Person == access.PersonID{} && slices.Contains(d.Keys, id) }) {
			return true
		}
	}
	return false
}

func (o *oracle) erase(e *oEntry, op *oErase) {
	space := o.named(op.Space)
	if !o.speaks(e) || space != o.everyone() && o.all[space] == nil {
		return
	}
	manages := o.levelAt(space, e) == access.Manage
	if s := o.all[space]; s != nil && s.kind == access.Direct {
		manages = false
	}
	for _, r := range op.Refs {
		own := o.known(r.Device) && o.person(r.Device) == o.person(e.author())
		if own || manages || o.wrong == "anybody erases" {
			o.erased[access.ErasedRef{Card: log.Card{Workspace: o.w, Space: space, Device: r.Device, Incarnation: r.Incarnation}, Seq: r.Seq, Hash: r.Hash}] = true
		}
	}
}

// limit returns where a content log ends.
func (o *oracle) limit(c log.Card) (oCut, bool) {
	d := o.device(c.Device)
	end, ok := oCut{}, false
	var named []oCut // while the device was in: of exactly this log, the first counts
	for _, s := range d.cuts {
		for _, cut := range s.cuts {
			if s.alive && cut.Log == c.ID() {
				named = append(named, cut)
			}
		}
	}
	if len(named) > 0 {
		end, ok = named[0], true
	}
	if death := o.dead[c.Device]; death != nil {
		said, late := slices.Clone(death.cuts), slices.Clone(named[:min(1, len(named))])
		for _, s := range d.cuts {
			if !s.alive {
				said = append(said, s.cuts...)
			}
		}
		for _, l := range o.late[c.Device] {
			if o.known(c.Device) && writes(o.level(c.Space, l.by)) {
				late = append(late, l.cuts...)
			}
		}
		if _, covered := o.highest(c, said); covered {
			end, ok = o.highest(c, append(said, named...))
		} else {
			end, ok = o.highest(c, late)
		}
	}
	s := o.all[c.Space]
	if s == nil || s.kind == access.Direct || writes(o.belongs(s, d.person)) {
		return end, ok
	}
	var said []oCut
	left := false
	for _, l := range s.left {
		if l.person == d.person {
			left = true
			said = append(said, l.cuts...)
		}
	}
	if left {
		put, named := o.highest(c, said)
		if !named {
			put = oCut{}
		}
		if !ok || put.Seq < end.Seq {
			end, ok = put, true
		}
	}
	return end, ok
}

// highest returns the highest cut of a log among those said; none if nothing was
// said of its space.
func (o *oracle) highest(c log.Card, said []oCut) (oCut, bool) {
	end, ok := oCut{}, false
	for _, cut := range said {
		if cut.Space != c.Space {
			continue
		}
		ok = true
		if cut.Log == c.ID() && (cut.Seq > end.Seq || cut.Seq == end.Seq && bytes.Compare(cut.Hash[:], end.Hash[:]) < 0) {
			end = cut
			if o.wrong == "the first cut of content stays" {
				return end, ok
			}
		}
	}
	return end, ok
}
