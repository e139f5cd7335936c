package access_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// What liars write: operations of every type about anything, in the form of the
// format but regardless of any right.

func (h *history) anyDevice() *pc { return pick(h.r, pool()) }

func (h *history) anyPerson() access.PersonID { return h.anyDevice().person.ID }

func (h *history) anySpace() log.SpaceID {
	if len(h.spaces) == 0 || h.chance(6) {
		return log.Control // names the space of all
	}
	return pick(h.r, h.spaces).id
}

func (h *history) anyLevel() access.Level { return access.Level(1 + h.r.IntN(3)) }

func (h *history) random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(h.r.Uint32())
	}
	return b
}

// place is the end of a content log at some height, the same for all who name it.
func (h *history) place(c log.Card) (seq uint64, hash log.Hash) {
	seq = uint64(1 + h.r.IntN(9))
	return seq, sha256.Sum256(fmt.Appendf(nil, "content %x %d", c.ID(), seq))
}

// cuts names ends of a device's logs: mostly what is held of them, and sometimes
// what is not.
func (h *history) cuts(of log.DeviceID, known []access.Authored, content bool) []oCut {
	heads := map[log.LogID]oCut{}
	for _, a := range known {
		if a.Card.Device == of && (a.Entry.Seq >= heads[a.Entry.Log].Seq) {
			heads[a.Entry.Log] = oCut{Log: a.Entry.Log, Seq: a.Entry.Seq, Hash: a.Entry.Hash()}
		}
	}
	out := []oCut{}
	for _, id := range sortedLogs(heads) {
		c := heads[id]
		switch h.r.IntN(24) {
		case 0: // nothing of it
			c.Seq, c.Hash = 0, log.Hash{}
		case 1: // what does not exist
			c.Hash = log.Hash(h.random(32))
		case 2: // above the real head
			c.Seq += 5
		case 3: // not named
			continue
		}
		out = append(out, c)
	}
	if content {
		out = append(out, h.contentCuts(of)...)
	}
	return oSortCuts(out)
}

func sortedLogs(heads map[log.LogID]oCut) []log.LogID {
	var ids []oCut
	for _, c := range heads {
		ids = append(ids, c)
	}
	ids = oSortCuts(ids)
	var out []log.LogID
	for _, c := range ids {
		out = append(out, c.Log)
	}
	return out
}

func (h *history) contentCuts(of log.DeviceID) []oCut {
	out := []oCut{}
	for range h.r.IntN(4) {
		space := log.Everyone(h.w)
		if len(h.spaces) > 0 && h.chance(2) {
			space = pick(h.r, h.spaces).id
		}
		c := h.contentCard(of, space)
		seq, hash := h.place(c)
		cut := oCut{Space: space, Log: c.ID(), Seq: seq, Hash: hash}
		if h.chance(5) {
			cut = oCut{Space: space} // covers the space
		}
		out = append(out, cut)
	}
	return out
}

// anyOp returns an operation of a random type by a device that knows some
// entries. Sealed parts are junk.
func (h *history) anyOp(by *pc, known []access.Authored) any {
	target := h.anyDevice()
	kind := 2 + h.r.IntN(16)
	if h.chance(4) {
		kind = pick(h.r, []int{6, 7, 7, 9, 9}) // what needs several
	}
	switch kind {
	case 2:
		return h.anyAdmit(target)
	case 3:
		return oLower{Type: 3, Device: target.card.Sign, Role: access.Role(2 + h.r.IntN(4)), Cuts: h.cuts(target.card.Sign, known, false)}
	case 4:
		return oRevoke{Type: 4, Device: target.card.Sign, Cuts: h.cuts(target.card.Sign, known, true)}
	case 5:
		c := h.cuts(target.card.Sign, known, true)
		if len(c) == 0 {
			return oFacts{Type: 15, Disk: 1}
		}
		return oCutOp{Type: 5, Device: target.card.Sign, Cuts: c}
	case 6:
		return h.anyStep(known)
	case 7:
		return h.anyApproval(by)
	case 8:
		return h.anyBegin(by)
	case 9:
		return h.anyMembers()
	case 10:
		return h.anyKey()
	case 11:
		return h.anyWraps()
	case 12:
		return oAsk{Type: 12, Keys: []log.KeyID{pick(h.r, h.keys).id}}
	case 13:
		return h.anyErase(by)
	case 14:
		return oUntil{Type: 14, Device: target.card.Sign, Time: uint64(h.r.IntN(4)) * 1000}
	case 15:
		return oFacts{Type: 15, Disk: uint64(h.r.IntN(3))}
	case 16:
		return oFirstPolicy{Type: 16, Need: 1, Deputies: []oDeputy{{Person: by.person.ID, Keys: []log.DeviceID{by.card.Sign}}}}
	default:
		return oGenesis{Type: 1, Office: "Übernahme", Person: by.person, Device: by.card, Wraps: []oWrap{{Epoch: 1}}}
	}
}

func (h *history) anyAdmit(target *pc) any {
	a := oAdmit{Type: 2, Device: target.card, Person: target.person, Role: access.Role(1 + h.r.IntN(5)), Wraps: []oWrap{}}
	switch h.r.IntN(8) {
	case 0: // as another person
		a.Person = h.anyDevice().person
	case 1: // with keys of another device
		a.Device.Box = h.anyDevice().card.Box
	case 2:
		a.Device.Peer = h.anyDevice().card.Peer
	case 3:
		a.Person.Name = "Chef"
	}
	for range h.r.IntN(3) {
		k := pick(h.r, h.keys)
		a.Wraps = append(a.Wraps, oWrap{Space: k.space, Epoch: k.epoch, Key: k.id, Sealed: [80]byte(h.random(80))})
	}
	return a
}

// anyBegin begins a space: a new one, a direct one of whomever, or one that is
// there with the salt of another.
func (h *history) anyBegin(by *pc) any {
	s := oSpace{Type: 8, Kind: access.Named, Salt: [16]byte(h.random(16)), Name: h.random(60), Key: oFirstKey{ID: log.KeyID(h.random(16)), Wraps: h.anyDeviceWraps()}}
	members := []oMember{}
	if h.chance(3) {
		s.Kind, s.Salt, s.Name = access.Direct, [16]byte{}, []byte{}
		other := h.anyPerson()
		me := by.person.ID
		if h.chance(4) {
			me = h.anyPerson()
		}
		members = oSortMembers([]oMember{{Person: me, Level: access.Write}, {Person: other, Level: access.Write}})
		if len(members) != 2 {
			return oFacts{Type: 15, Disk: 2}
		}
	} else {
		if len(h.spaces) > 0 && h.chance(3) {
			s.Salt = pick(h.r, h.spaces).salt
		}
		for range h.r.IntN(4) {
			members = append(members, oMember{Person: h.anyPerson(), Level: h.anyLevel()})
		}
		members = append(members, oMember{Person: by.person.ID, Level: access.Manage})
	}
	s.Members = oSortMembers(members)
	id := s.id(h.w, by.card.Sign)
	h.spaces = append(h.spaces, knownSpace{id, s.Salt, by})
	h.keys = append(h.keys, knownKey{id, 1, s.Key.ID})
	return s
}

func (h *history) anyMembers() any {
	m := oMembers{Type: 9, Space: h.anySpace(), Name: []byte{}, Set: []oMember{}, Remove: []oLeaver{}}
	if m.Space == log.Control {
		return oFacts{Type: 15, Disk: 1}
	}
	for range h.r.IntN(3) {
		m.Set = append(m.Set, oMember{Person: h.anyPerson(), Level: h.anyLevel()})
	}
	m.Set = oSortMembers(m.Set)
	if len(m.Set) == 0 || h.chance(3) {
		p := h.anyDevice()
		l := oLeaver{Person: p.person.ID, Cuts: []oCut{}}
		if h.chance(2) {
			c := h.contentCard(p.card.Sign, m.Space)
			seq, hash := h.place(c)
			l.Cuts = append(l.Cuts, oCut{Space: m.Space, Log: c.ID(), Seq: seq, Hash: hash})
		}
		m.Remove = append(m.Remove, l)
	}
	return m
}

func (h *history) anyDeviceWraps() []oDeviceWrap {
	out := []oDeviceWrap{}
	for range h.r.IntN(3) {
		out = append(out, oDeviceWrap{Device: h.anyDevice().card.Sign, Sealed: [80]byte(h.random(80))})
	}
	return out
}

// anyKey announces a key after one that was told of; the number of its epoch is
// wrong now and then.
func (h *history) anyKey() any {
	before := pick(h.r, h.keys)
	k := oKey{Type: 10, Space: before.space, Epoch: before.epoch + 1, ID: log.KeyID(h.random(16)), Prevs: []oOldKey{{ID: before.id, Sealed: [72]byte(h.random(72))}}, Wraps: h.anyDeviceWraps()}
	switch h.r.IntN(6) {
	case 0:
		k.Epoch += uint64(h.r.IntN(1 << 20))
	case 1:
		k.Space = h.anySpace()
	case 2:
		k.Prevs[0].ID = log.KeyID(h.random(16))
	}
	h.keys = append(h.keys, knownKey{k.Space, k.Epoch, k.ID})
	return k
}

func (h *history) anyWraps() any {
	k := pick(h.r, h.keys)
	w := oWraps{Type: 11, Space: k.space, Epoch: k.epoch, ID: k.id, Wraps: h.anyDeviceWraps()}
	if h.chance(4) {
		w.Space = access.Network
	}
	return w
}

func (h *history) anyErase(by *pc) any {
	d := h.anyDevice()
	if h.chance(2) {
		d = by
	}
	space := h.anySpace()
	at := space
	if space == log.Control {
		at = log.Everyone(h.w)
	}
	c := h.contentCard(d.card.Sign, at)
	seq, hash := h.place(c)
	return oErase{Type: 13, Space: space, Refs: []oRef{{Device: d.card.Sign, Incarnation: c.Incarnation, Seq: seq, Hash: hash}}}
}

// anyPolicy makes three of the pool or the kit deputies.
func (h *history) anyPolicy() *oPolicy {
	p := &oPolicy{}
	for i := range people {
		if h.chance(4) && len(p.Deputies) < 3 {
			d := oDeputy{Person: pool()[i].person.ID, Keys: []log.DeviceID{pool()[i].card.Sign}}
			for _, q := range pool()[people:] {
				if q.person.ID == d.Person {
					d.Keys = append(d.Keys, q.card.Sign)
				}
			}
			p.Deputies = append(p.Deputies, d)
		}
	}
	if len(p.Deputies) == 0 || h.chance(2) {
		k := h.kit.Deputy()
		p.Deputies = append(p.Deputies, oDeputy{Keys: k.Keys, Box: k.Box})
	}
	p.Need = uint64(len(p.Deputies)/2 + 1)
	return p
}

func (h *history) anyStep(known []access.Authored) any {
	s := oStep{Generation: 1, Previous: access.StepID(h.w), Remove: []oStepRemoval{}, Owners: []oStepOwner{}, Access: []oStepAccess{}}
	if n := len(h.steps); n > 0 && !h.chance(3) { // go on after a step, accepted or not
		before := h.steps[n-1-h.r.IntN(min(n, 3))]
		s.Generation, s.Previous = before.Generation+1, before.id(h.w)
	}
	for range 1 + h.r.IntN(2) {
		switch h.r.IntN(4) {
		case 0, 1:
			s.Policy = h.anyPolicy()
		case 2:
			d := h.anyDevice()
			if len(s.Remove) == 0 {
				s.Remove = append(s.Remove, oStepRemoval{Device: d.card.Sign, Cuts: h.cuts(d.card.Sign, known, true)})
			}
		case 3:
			d := h.anyDevice()
			s.Owners = append(s.Owners, oStepOwner{Card: d.card, Person: d.person})
			if len(h.spaces) > 0 {
				s.Access = append(s.Access, oStepAccess{Space: pick(h.r, h.spaces).id, Person: d.person.ID})
			}
		}
	}
	h.steps = append(h.steps, s)
	return oPropose{Type: 6, Step: s}
}

// anyApproval says yes to a step by the author's key or, rarely, by the kit's;
// or the signature is another's.
func (h *history) anyApproval(by *pc) any {
	if len(h.steps) == 0 {
		return oFacts{Type: 15, Disk: 1}
	}
	n := len(h.steps)
	id := h.steps[n-1-h.r.IntN(min(n, 3))].id(h.w)
	key := by.key
	if h.chance(3) {
		key = h.kit.Sign()
	}
	a := oApprove{Type: 7, Step: id, Key: log.DeviceOf(key), Sig: [64]byte(ed25519.Sign(key, oApprovalText(id)))}
	switch h.r.IntN(8) {
	case 0:
		a.Key = h.anyDevice().card.Sign // signed by another
	case 1:
		a.Sig[3]++
	}
	return a
}

// anyPayload is an entry's content: one to three operations, rarely junk or what
// only a newer program understands.
func (h *history) anyPayload(by *pc, known []access.Authored) []byte {
	switch h.r.IntN(60) {
	case 0:
		return append(oPack(h.anyAdmit(h.anyDevice())), 0)
	case 1:
		return oPack([]any{uint64(50), "later"})
	}
	var ops []any
	for range 1 + h.r.IntN(5)/4 {
		ops = append(ops, h.anyOp(by, known))
	}
	return oPack(ops...)
}

// lie writes an entry at any place of any log of the device, in the knowledge of
// whatever: forks, new logs, dates long past.
func (h *history) lie(p *pc, payload []byte) access.Authored {
	var own []access.Authored
	for _, a := range h.all {
		if a.Card.Device == p.card.Sign {
			own = append(own, a)
		}
	}
	card, after := log.Card{Workspace: h.w, Device: p.card.Sign, Incarnation: h.incarnation()}, log.Height{}
	if len(own) > 0 && !h.chance(4) {
		a := pick(h.r, own)
		card, after = a.Card, log.Height{Seq: a.Entry.Seq, Hash: a.Entry.Hash()}
		if h.chance(6) && a.Card.Workspace == h.w { // from the very beginning
			after = log.Height{}
		}
	}
	var ctl []log.Ref
	for range 1 + h.r.IntN(4) {
		ctl = append(ctl, pick(h.r, h.all).Entry.Hash().Ref())
	}
	if h.chance(2) { // all it can know
		for _, a := range h.all[max(0, len(h.all)-10):] {
			ctl = append(ctl, a.Entry.Hash().Ref())
		}
	}
	h.rewritten++
	return h.sign(p, card, after, payload, slices.Compact(ctl))
}
