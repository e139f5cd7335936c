package access_test

import (
	"crypto/ed25519"
	"slices"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// Scenes are conflicts that chance alone brings about too rarely.

func (h *history) scene() {
	a, b := pick(h.r, h.nodes), pick(h.r, h.nodes)
	scenes := []func(a, b *node){h.removeEachOther, h.upAndDown, h.endsOfAccess, h.oneDeputyVotes, h.deputiesVote, h.putOut, h.leaveAndGoOn, h.forkAndCut, h.adopt}
	pick(h.r, scenes)(a, b)
}

// removeEachOther: two devices remove each other without knowing it.
func (h *history) removeEachOther(a, b *node) {
	h.sync(a, b)
	one, two := h.removal(a, b), h.removal(b, a)
	h.plain(a, one)
	h.plain(b, two)
}

func (h *history) removal(by, of *node) oRevoke {
	return oRevoke{Type: 4, Device: of.pc.card.Sign, Cuts: h.cuts(of.pc.card.Sign, by.list, true)}
}

// upAndDown: one raises a device while another lowers it, and again later.
func (h *history) upAndDown(a, b *node) {
	x := pick(h.r, h.nodes)
	up := func() oAdmit {
		return oAdmit{Type: 2, Device: x.pc.card, Person: x.pc.person, Role: access.Role(1 + h.r.IntN(3)), Wraps: []oWrap{}}
	}
	h.sync(a, b)
	h.sync(a, x)
	h.plain(a, up())
	h.plain(b, oLower{Type: 3, Device: x.pc.card.Sign, Role: access.Role(2 + h.r.IntN(4)), Cuts: h.cuts(x.pc.card.Sign, b.list, false)})
	h.plain(x, h.anyOp(x.pc, x.list))
	if h.chance(2) {
		h.sync(a, b)
		h.plain(a, up())
	}
	h.sync(b, x)
	h.plain(x, h.anyAdmit(h.anyDevice()))
}

func (h *history) endsOfAccess(a, b *node) {
	x := pick(h.r, h.nodes).pc.card.Sign
	end := func() oUntil { return oUntil{Type: 14, Device: x, Time: uint64(h.r.IntN(5)) * 1000} }
	h.sync(a, b)
	h.plain(a, end())
	h.plain(b, end())
	if h.chance(2) {
		h.sync(a, b)
		h.plain(b, end())
	}
}

// tip returns the policy in force and where the next step goes, as all entries
// together say.
func (h *history) tip() (p *oPolicy, generation uint64, previous access.StepID) {
	o := newOracle(h.w, h.all, "")
	previous = access.StepID(h.w)
	if n := len(o.accepted); n > 0 {
		previous = o.accepted[n-1].id
	}
	return o.policy, uint64(o.gen + 1), previous
}

func (h *history) nextStep(known []access.Authored) oStep {
	s := h.anyStep(known).(oPropose).Step
	_, s.Generation, s.Previous = h.tip()
	h.steps[len(h.steps)-1] = s
	return s
}

// keyOf returns the private key of a deputy's key.
func (h *history) keyOf(d log.DeviceID) ed25519.PrivateKey {
	if h.isKit(d) {
		return h.kit.Sign()
	}
	for _, p := range pool() {
		if p.card.Sign == d {
			return p.key
		}
	}
	return nil
}

func (h *history) vote(n *node, s oStep, key log.DeviceID) {
	id := s.id(h.w)
	h.plain(n, oApprove{Type: 7, Step: id, Key: key, Sig: [64]byte(ed25519.Sign(h.keyOf(key), oApprovalText(id)))})
}

// oneDeputyVotes: a deputy says yes with every key it has, several times, and an
// owner says yes to anything.
func (h *history) oneDeputyVotes(a, b *node) {
	p, _, _ := h.tip()
	if p == nil {
		return
	}
	s := h.nextStep(a.list)
	h.plain(a, oPropose{Type: 6, Step: s})
	d := p.Deputies[0]
	for _, e := range p.Deputies {
		if len(e.Keys) > len(d.Keys) {
			d = e
		}
	}
	for range 2 {
		for _, k := range d.Keys {
			h.vote(pick(h.r, []*node{a, b}), s, k)
		}
	}
	if h.chance(2) {
		h.vote(h.nodes[0], s, pool()[0].card.Sign)
	}
}

// deputiesVote: deputies approve a step, or two of one generation.
func (h *history) deputiesVote(a, b *node) {
	p, _, _ := h.tip()
	if p == nil {
		return
	}
	for range 1 + h.r.IntN(2) {
		n := pick(h.r, []*node{a, b})
		s := h.nextStep(n.list)
		h.plain(n, oPropose{Type: 6, Step: s})
		for _, d := range p.Deputies {
			if h.chance(4) {
				continue
			}
			h.vote(n, s, pick(h.r, d.Keys))
		}
	}
}

// putOut: two persons put each other out of a space.
func (h *history) putOut(a, b *node) {
	if len(h.spaces) == 0 {
		return
	}
	id := pick(h.r, h.spaces).id
	h.sync(a, b)
	out := func(p access.PersonID) oMembers {
		m := oMembers{Type: 9, Space: id, Name: []byte{}, Set: []oMember{}, Remove: []oLeaver{{Person: p, Cuts: []oCut{}}}}
		if h.chance(3) {
			m.Set = append(m.Set, oMember{Person: p, Level: h.anyLevel()})
		}
		return m
	}
	raise := func(p access.PersonID) oMembers {
		return oMembers{Type: 9, Space: id, Name: []byte{}, Set: []oMember{{Person: p, Level: h.anyLevel()}}, Remove: []oLeaver{}}
	}
	creator := slices.IndexFunc(h.nodes, func(n *node) bool {
		return slices.ContainsFunc(h.spaces, func(s knownSpace) bool { return s.id == id && s.creator == n.pc })
	})
	if creator >= 0 && h.chance(2) {
		c := h.nodes[creator]
		h.plain(c, oMembers{Type: 9, Space: id, Name: []byte{}, Set: oSortMembers([]oMember{{Person: a.pc.person.ID, Level: access.Manage}, {Person: b.pc.person.ID, Level: access.Manage}}), Remove: []oLeaver{}})
		h.sync(a, c)
		h.sync(b, c)
	}
	h.plain(a, out(b.pc.person.ID))
	h.plain(b, out(a.pc.person.ID))
	if h.chance(2) {
		h.plain(b, raise(h.anyPerson()))
		h.sync(a, b)
		h.plain(a, raise(b.pc.person.ID))
	}
}

// leaveAndGoOn: one is put out of a space and goes on making keys and letting
// others in, in its own partition.
func (h *history) leaveAndGoOn(a, b *node) {
	if len(h.spaces) == 0 {
		return
	}
	s := pick(h.r, h.spaces)
	h.sync(a, b)
	h.plain(a, oMembers{Type: 9, Space: s.id, Name: []byte{}, Set: []oMember{}, Remove: []oLeaver{{Person: b.pc.person.ID, Cuts: []oCut{}}}})
	h.plain(b, oMembers{Type: 9, Space: s.id, Name: []byte{}, Set: []oMember{{Person: h.anyPerson(), Level: h.anyLevel()}}, Remove: []oLeaver{}})
	for _, k := range slices.Clone(h.keys) {
		if k.space == s.id && h.chance(2) {
			next := oKey{Type: 10, Space: s.id, Epoch: k.epoch + 1, ID: log.KeyID(h.random(16)), Prevs: []oOldKey{{ID: k.id}}, Wraps: h.anyDeviceWraps()}
			h.keys = append(h.keys, knownKey{s.id, next.Epoch, next.ID})
			h.plain(b, next)
			return
		}
	}
}

// forkAndCut: a device exists twice for a while; a manager says which branch
// counts, or two of them say so differently.
func (h *history) forkAndCut(a, b *node) {
	x := pick(h.r, h.nodes)
	twin := h.copyOf(x)
	h.plain(x, h.anyOp(x.pc, x.list))
	h.plain(twin, h.anyOp(x.pc, twin.list), h.anyOp(x.pc, twin.list))
	h.sync(a, x)
	h.sync(b, twin)
	if h.chance(2) {
		h.plain(x, h.anyOp(x.pc, x.list))
	}
	for _, n := range []*node{a, b} {
		if cuts := h.cuts(x.pc.card.Sign, n.list, true); len(cuts) > 0 {
			h.plain(n, oCutOp{Type: 5, Device: x.pc.card.Sign, Cuts: cuts})
		}
	}
}

// adopt: the end of a device's content is moved, by managers and by others.
func (h *history) adopt(a, b *node) {
	x := pick(h.r, h.nodes).pc.card.Sign
	for _, n := range []*node{a, b, pick(h.r, h.nodes)} {
		if cuts := oSortCuts(h.contentCuts(x)); len(cuts) > 0 {
			h.plain(n, oCutOp{Type: 5, Device: x, Cuts: cuts})
		}
	}
}
