package access_test

import (
	"slices"
	"strings"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// counts tells what histories were made of.
type counts struct {
	histories, entries, lies, removed, spaces, keys, steps, copies, attacks, failed int
}

func (c *counts) add(h *history, s *access.State) {
	c.histories++
	c.entries += len(h.all)
	c.lies += h.rewritten
	c.removed += len(s.Gone)
	c.spaces += len(s.Spaces)
	c.keys += len(h.keys)
	_, gen := s.Policy()
	c.steps += gen
	c.copies += len(h.copied)
	c.attacks += h.attacks
}

// check holds a finished history against everything that must be so.
func (h *history) check() *access.State {
	p := h.probe()
	s := access.Resolve(h.w, h.all)
	want := fingerprint(s, p)
	said := ofState(s, p)
	h.sameEverywhere(want, p)
	if diff := said.differs(newOracle(h.w, h.all, "").says(p), "resolver", "oracle"); diff != "" {
		h.t.Errorf("resolver and oracle differ:\n%s", diff)
	}
	h.deadKeysChangeNothing(s, said, p)
	h.equivocationUndoesNothing(s)
	h.founderStays(s)
	h.onlyReadersRead(s)
	h.kitReadsNoTalk(s)
	h.honestCount(s)
	return s
}

// sameEverywhere: after all have met, every node says the same, in whatever order
// and how often entries came.
func (h *history) sameEverywhere(want string, p probe) {
	for range 2 {
		n := pick(h.r, h.nodes)
		h.hand(n, h.all...)
		if got := fingerprint(access.Resolve(h.w, n.list), p); got != want {
			h.t.Errorf("%s says otherwise:\n%s", n.name, lineDiff(want, got))
		}
	}
	again := slices.Clone(h.all)
	for range h.r.IntN(10) {
		again = append(again, pick(h.r, h.all))
	}
	h.r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
	if got := fingerprint(access.Resolve(h.w, again), p); got != want {
		h.t.Errorf("in another order:\n%s", lineDiff(want, got))
	}
}

// deadKeysChangeNothing: who holds the keys of removed devices writes anything,
// at any place, dated as it likes. Votes of deputies are left out: they count
// for their deputy also when the device is gone.
func (h *history) deadKeysChangeNothing(s *access.State, said saying, p probe) {
	more := slices.Clone(h.all)
	for _, d := range pool() {
		gone, ok := s.Gone[d.card.Sign]
		if !ok || gone.Removed.By == d.card.Sign {
			continue
		}
		for range 4 {
			op := h.anyOp(d, h.all)
			switch op.(type) {
			case oPropose, oApprove:
				continue
			}
			h.attacks++
			more = append(more, h.lieAside(d, oPack(op)))
		}
	}
	after := access.Resolve(h.w, more)
	if !slices.Equal(accepted(s), accepted(after)) {
		return // it let somebody in who brings along what a quorum signed: the deputies decide, not the key
	}
	if diff := said.differs(ofState(after, p), "before", "after"); diff != "" {
		h.t.Errorf("a dead key changes:\n%s", diff)
	}
}

// lieAside makes a lie that the history does not hold.
func (h *history) lieAside(p *pc, payload []byte) access.Authored {
	n := len(h.all)
	a := h.lie(p, payload)
	if len(h.all) > n {
		h.all = h.all[:n]
		delete(h.byHash, a.Entry.Hash())
	}
	return a
}

// equivocationUndoesNothing: managers that are in write otherwise at old places
// and let others in. Nothing that was is undone.
func (h *history) equivocationUndoesNothing(s *access.State) {
	more := slices.Clone(h.all)
	for _, d := range pool() {
		if by, ok := s.Devices[d.card.Sign]; !ok || by.Role > access.Admin {
			continue
		}
		target := h.anyDevice()
		if h.stolen(s, target) {
			continue
		}
		h.attacks++
		more = append(more, h.lieAside(d, oPack(oAdmit{Type: 2, Device: target.card, Person: target.person, Role: access.Member, Wraps: []oWrap{}})))
	}
	after := access.Resolve(h.w, more)
	if !slices.Equal(accepted(s), accepted(after)) {
		return // deputies who decided twice, and the other decision came to light
	}
	for id := range s.Gone {
		if _, ok := after.Gone[id]; !ok {
			h.t.Errorf("%s is back", dev(id))
		}
	}
	for id, d := range s.Devices {
		a, ok := after.Devices[id]
		if !ok || a.Role > d.Role || a.Person != d.Person && d.By != (log.DeviceID{}) && !h.liars[d.By] {
			h.t.Errorf("%s was %s of %x and is %s of %x", dev(id), d.Role, d.Person[:4], a.Role, a.Person[:4])
		}
	}
	for id, sp := range s.Spaces {
		if len(after.Spaces[id].Members) < len(sp.Members) {
			h.t.Errorf("space %s loses members", short(id[:]))
		}
	}
}

func accepted(s *access.State) []access.StepID {
	var ids []access.StepID
	for _, st := range s.Steps() {
		if st.Accepted {
			ids = append(ids, st.ID)
		}
	}
	return ids
}

// stolen reports whether a device came in with keys of p, or p with those of
// another: whoever is let in first keeps them.
func (h *history) stolen(s *access.State, p *pc) bool {
	for _, q := range pool() {
		d, known := s.Known(q.card.Sign)
		if known && (!d.Card.SameKeys(q.card) || d.Person != q.person.ID) && (p == q || d.Card.Box == p.card.Box || d.Card.Peer == p.card.Peer) {
			return true
		}
	}
	return false
}

// founderStays: only the deputies, those they made owners, or itself remove the
// founder. And as long as none of these did, somebody manages.
func (h *history) founderStays(s *access.State) {
	f := pool()[0].card.Sign
	made := map[log.DeviceID]bool{f: true, {}: true}
	removed := false
	for _, st := range s.Steps() {
		if st.Accepted {
			for _, o := range st.Step.Owners {
				made[o.Card.Sign] = true
			}
			removed = removed || len(st.Step.Remove) > 0
		}
	}
	if gone, ok := s.Gone[f]; ok && !made[gone.Removed.By] && gone.Role == access.Owner {
		h.t.Errorf("the founder was removed by %s", dev(gone.Removed.By))
	}
	if d, ok := s.Devices[f]; ok && d.Role != access.Owner && len(made) == 2 && !h.liars[f] && !h.selfLowered {
		h.t.Errorf("the founder is %s", d.Role)
	}
	manager := false
	for _, d := range s.Devices {
		manager = manager || d.Role <= access.Admin
	}
	if !manager && !removed && len(made) == 2 && !h.liars[f] && !h.selfLowered {
		h.t.Error("nobody manages any more")
	}
}

// onlyReadersRead: what a device can open are the keys that were wrapped to it
// by one who was allowed to, and those before them.
func (h *history) onlyReadersRead(s *access.State) {
	for _, d := range pool() {
		if _, ok := s.Known(d.card.Sign); !ok || !h.chance(3) {
			continue
		}
		may := map[log.KeyID]bool{}
		var add func(id log.KeyID)
		add = func(id log.KeyID) {
			if !may[id] {
				may[id] = true
				for _, b := range h.before[id] {
					add(b)
				}
			}
		}
		for g := range h.allowed {
			if g.to == d.card.Sign {
				add(g.id)
			}
		}
		for id, k := range s.Keys(d.box) {
			if !may[id] && k.Space != access.Network {
				h.t.Errorf("%s opens a key of %s, epoch %d, that was not meant for it", d.name, short(k.Space[:]), k.Epoch)
			}
		}
	}
}

// kitReadsNoTalk: the recovery kit opens no direct space.
func (h *history) kitReadsNoTalk(s *access.State) {
	for id, k := range s.KitKeys(h.kit) {
		if sp, ok := s.Spaces[k.Space]; ok && sp.Kind == access.Direct {
			h.t.Errorf("the kit opens key %s of a direct space", short(id[:]))
		}
	}
	if n := len(s.Heads()); n > log.MaxRefs {
		h.t.Errorf("%d heads", n)
	}
}

// honestCount: what an honest device wrote that nobody accused and that exists
// once counts, or does not for a reason that others gave.
func (h *history) honestCount(s *access.State) {
	for _, r := range s.Records() {
		if !h.honest[r.Entry] || r.Counts {
			continue
		}
		switch r.Why {
		case access.WhyMalformed, access.WhyUnknown, access.WhyOnce:
			h.t.Errorf("an honest %s by %s is void: %s", r.Act, dev(r.Author), r.Why)
		}
		if h.disputed(s, r.Author, map[log.DeviceID]bool{}) {
			continue
		}
		switch r.Why {
		case access.WhyNotAllow:
			// A person may have become a manager meanwhile, or lost a space by what was
			// said against those who let it in there.
			if r.Act != "admit" && r.Act != "raise" && len(h.accused)+len(h.accusedIn) == 0 {
				h.t.Errorf("%s by %s, whom nobody accused, is not allowed", r.Act, dev(r.Author))
			}
		case access.WhySenior, access.WhyDead, access.WhyKnown, access.WhyNoChange, access.WhyOpen, access.WhyNobody:
		default:
			h.t.Errorf("%s by %s, whom nobody accused, is void: %s", r.Act, dev(r.Author), r.Why)
		}
	}
}

// disputed reports whether something was said or done against a device or
// against one that let it in.
func (h *history) disputed(s *access.State, id log.DeviceID, seen map[log.DeviceID]bool) bool {
	if seen[id] {
		return false
	}
	seen[id] = true
	d, known := s.Known(id)
	if !known || h.accused[id] || h.copied[id] || h.liars[id] || h.accusedIn[d.Person] {
		return true
	}
	return slices.ContainsFunc(h.admitters[id], func(by log.DeviceID) bool { return h.disputed(s, by, seen) })
}

func lineDiff(a, b string) string {
	x, y := saying{}, saying{}
	for _, l := range strings.Split(a, "\n") {
		x.put(true, "%s", l)
	}
	for _, l := range strings.Split(b, "\n") {
		y.put(true, "%s", l)
	}
	return x.differs(y, "one", "other")
}
