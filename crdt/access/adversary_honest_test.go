package access_test

import (
	"bytes"
	"maps"
	"slices"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// What honest devices do: they ask the package's makers, in the light of what
// they know, and append what these return.

// act lets an honest device do something and reports whether it did: it may turn
// out not to be allowed.
func (h *history) act(n *node) bool {
	s, before := h.view(n), len(h.all)
	d, in := s.Devices[n.pc.card.Sign]
	if !in || s.Stopped {
		return false
	}
	manages := d.Role == access.Owner || d.Role == access.Admin
	switch k := h.r.IntN(20); {
	case manages && k < 5:
		h.letIn(n)
	case manages && k < 7:
		h.changeRole(n)
	case manages && k < 9:
		h.remove(n)
	case manages && k == 9:
		target := pick(h.r, sortedDevices(s.Gone, s.Devices))
		if cuts := h.knownCuts(n, target); len(cuts) > 0 {
			payload, err := s.Cut(n.pc.card.Sign, target, cuts)
			h.append(n, "cuts", err, payload)
		}
	case k < 12:
		h.beginSpace(n)
	case k < 14:
		h.changeSpace(n)
	case k == 14:
		h.tend(n)
	case k == 15:
		payload, ok := s.Facts(n.pc.card.Sign, uint64(h.r.IntN(3)), false)
		if ok {
			h.append(n, "facts", nil, payload)
		}
	case k == 16:
		h.eraseSome(n)
	case k == 17:
		h.propose(n)
	default:
		h.approve(n)
	}
	return len(h.all) > before
}

// append writes what a maker returned.
func (h *history) append(n *node, what string, err error, payloads ...[]byte) {
	if err != nil {
		return
	}
	s := h.view(n)
	if _, ended := s.Limit(n.card); ended { // somebody cut our log: go on in a new one
		n.card, n.last = log.Card{Workspace: h.w, Device: n.pc.card.Sign, Incarnation: h.incarnation()}, log.Height{}
	}
	made := map[log.Hash]bool{}
	var all []any
	for _, p := range payloads {
		ops, form := oUnpack(p)
		if form != oFine {
			h.t.Errorf("%s makes a malformed payload", what)
		}
		all = append(all, ops...)
		a := h.write(n, p, s.Heads())
		h.honest[a.Entry.Hash()], made[a.Entry.Hash()] = true, true
		h.note("%s %s: %s", n.name, what, describe(ops))
		h.suspect(n, n.pc, ops)
	}
	h.learn(n, s, h.view(n), all)
	// What a maker makes counts where it was made. (Of a member that exists twice
	// only one branch is named as known; a key in a space begun in the other one
	// may not be allowed.)
	for _, r := range h.view(n).Records() {
		vote := r.Act == "propose" || r.Act == "approve" // may take the ground from under itself
		twins := r.Why == access.WhyNotAllow && len(h.copied)+len(h.liars) > 0
		if made[r.Entry] && !r.Counts && !vote && !twins && r.Why != access.WhyNoChange {
			h.t.Errorf("%s %s, and it does not count: %s %s", n.name, what, r.Act, r.Why)
		}
	}
}

// learn remembers spaces and keys that came about, and checks that keys are only
// wrapped to those who may have them, before or after.
func (h *history) learn(n *node, before, after *access.State, ops []any) {
	check := func(space log.SpaceID, id log.KeyID, wraps []oDeviceWrap) {
		for _, w := range wraps {
			h.allowed[oGiven{id: id, to: w.Device}] = true
			at := space
			if at == log.Control {
				at = log.Everyone(h.w)
			}
			if _, there := after.Spaces[at]; !there && at != log.Everyone(h.w) && at != access.Network {
				continue // it came to nothing, which append reports
			}
			if !h.isKit(w.Device) && !mayHave(before, at, w.Device) && !mayHave(after, at, w.Device) {
				h.t.Errorf("%s wraps a key of %s to %s, who may not read there", n.name, short(at[:]), dev(w.Device))
			}
		}
	}
	for _, op := range ops {
		switch op := op.(type) {
		case *oSpace:
			id := op.id(h.w, n.pc.card.Sign)
			h.spaces = append(h.spaces, knownSpace{id, op.Salt, n.pc})
			h.keys = append(h.keys, knownKey{id, 1, op.Key.ID})
			check(id, op.Key.ID, op.Key.Wraps)
			h.allowed[oGiven{id: op.Key.ID, to: n.pc.card.Sign}] = true
		case *oKey:
			h.keys = append(h.keys, knownKey{op.Space, op.Epoch, op.ID})
			check(op.Space, op.ID, op.Wraps)
			for _, p := range op.Prevs {
				h.before[op.ID] = append(h.before[op.ID], p.ID)
			}
		case *oWraps:
			check(op.Space, op.ID, op.Wraps)
		case *oAdmit:
			for _, w := range op.Wraps {
				h.allowed[oGiven{id: w.Key, to: op.Device.Sign}] = true
			}
		case *oPropose:
			h.steps = append(h.steps, op.Step)
		}
	}
}

// mayHave reports whether a device may hold keys of a space; of the network
// whoever is in.
func mayHave(s *access.State, space log.SpaceID, d log.DeviceID) bool {
	if space == access.Network {
		_, in := s.Devices[d]
		return in
	}
	return s.Level(space, d) != access.None
}

func (h *history) isKit(d log.DeviceID) bool { return d == h.kit.Deputy().Keys[0] }

func sortedDevices(all ...map[log.DeviceID]access.Device) []log.DeviceID {
	var out []log.DeviceID
	for _, p := range pool() {
		for _, m := range all {
			if _, ok := m[p.card.Sign]; ok {
				out = append(out, p.card.Sign)
			}
		}
	}
	return out
}

// letIn admits a device that is not in yet, or one that is known to others only.
func (h *history) letIn(n *node) {
	s := h.view(n)
	p := h.anyDevice()
	if _, known := s.Known(p.card.Sign); known {
		return
	}
	in := access.AdmitInput{Device: p.card, Person: p.person, Role: access.Role(1 + h.r.IntN(5)), Spaces: map[log.SpaceID]access.Level{}}
	if h.chance(2) {
		in.Role = access.Admin
	}
	_, in.Known = s.People[p.person.ID]
	if in.Role == access.Guest {
		in.Until = int64(h.r.IntN(3)) * 1000
		for _, id := range sortedSpaces(s) {
			if s.Level(id, n.pc.card.Sign) == access.Manage && s.Spaces[id].Kind == access.Named && h.chance(2) {
				in.Spaces[id] = access.Write
			}
		}
	}
	payload, err := s.Admit(n.pc.card.Sign, h.opens(n), in)
	h.append(n, "admits", err, payload)
}

func sortedSpaces(s *access.State) []log.SpaceID {
	return slices.SortedFunc(maps.Keys(s.Spaces), func(a, b log.SpaceID) int { return bytes.Compare(a[:], b[:]) })
}

// knownCuts returns the ends of a device's logs as a node knows them.
func (h *history) knownCuts(n *node, of log.DeviceID) []access.Cut {
	heads := map[log.LogID]oCut{}
	for _, a := range n.list {
		if a.Card.Device == of && a.Entry.Seq >= heads[a.Entry.Log].Seq {
			heads[a.Entry.Log] = oCut{Log: a.Entry.Log, Seq: a.Entry.Seq, Hash: a.Entry.Hash()}
		}
	}
	var all []oCut
	for _, id := range sortedLogs(heads) {
		all = append(all, heads[id])
	}
	var out []access.Cut
	for _, c := range oSortCuts(append(all, h.contentCuts(of)...)) {
		out = append(out, access.Cut{Space: c.Space, Log: c.Log, Seq: c.Seq, Hash: c.Hash})
	}
	return out
}

func (h *history) changeRole(n *node) {
	s := h.view(n)
	p := h.anyPerson()
	cuts := map[log.DeviceID][]access.Cut{}
	for _, d := range h.devicesOf(s, p) {
		cuts[d] = h.controlCuts(n, d)
	}
	payloads, err := s.SetRole(n.pc.card.Sign, h.opens(n), h.rand, p, access.Role(1+h.r.IntN(5)), cuts)
	h.append(n, "sets a role", err, payloads...)
}

func (h *history) controlCuts(n *node, d log.DeviceID) []access.Cut {
	return slices.DeleteFunc(h.knownCuts(n, d), func(c access.Cut) bool { return c.Space != log.Control })
}

func (h *history) devicesOf(s *access.State, p access.PersonID) []log.DeviceID {
	return slices.DeleteFunc(sortedDevices(s.Devices), func(d log.DeviceID) bool { return s.Devices[d].Person != p })
}

func (h *history) remove(n *node) {
	s := h.view(n)
	in := access.RemoveInput{Devices: h.devicesOf(s, h.anyPerson()), Cuts: map[log.DeviceID][]access.Cut{}, Handover: map[log.SpaceID]access.PersonID{}}
	if len(in.Devices) > 1 && h.chance(2) {
		in.Devices = in.Devices[:1]
	}
	if len(in.Devices) == 0 || slices.Contains(in.Devices, n.pc.card.Sign) && !h.chance(4) {
		return
	}
	for _, d := range in.Devices {
		in.Cuts[d] = h.knownCuts(n, d)
	}
	over, _ := s.Orphans(in.Devices)
	for _, id := range sortedSpaces(s) {
		if len(over[id]) > 0 {
			in.Handover[id] = over[id][0]
		}
	}
	payloads, err := s.Remove(n.pc.card.Sign, h.opens(n), h.rand, in)
	h.append(n, "removes", err, payloads...)
}

func (h *history) beginSpace(n *node) {
	s := h.view(n)
	if h.chance(3) {
		payloads, _, err := s.CreateDirect(n.pc.card.Sign, h.rand, h.anyPerson())
		h.append(n, "begins a direct space", err, payloads...)
		return
	}
	if len(h.spaces) > 5 {
		return
	}
	in := access.SpaceInput{Name: "Sommerfest", Members: map[access.PersonID]access.Level{n.pc.person.ID: access.Manage}}
	for _, d := range sortedDevices(s.Devices) {
		if h.chance(3) {
			in.Members[s.Devices[d].Person] = h.anyLevel()
		}
	}
	in.Members[n.pc.person.ID] = access.Manage
	payloads, _, err := s.CreateSpace(n.pc.card.Sign, h.rand, in)
	h.append(n, "begins a space", err, payloads...)
}

func (h *history) changeSpace(n *node) {
	s := h.view(n)
	ids := sortedSpaces(s)
	if len(ids) == 0 {
		return
	}
	in := access.SpaceChange{Space: pick(h.r, ids), Set: map[access.PersonID]access.Level{}, Remove: map[access.PersonID][]access.Cut{}}
	who := h.anyDevice()
	switch h.r.IntN(4) {
	case 0:
		name := "Winterfest"
		in.Name = &name
	case 1:
		in.Set[who.person.ID] = h.anyLevel()
	default:
		in.Remove[who.person.ID] = slices.DeleteFunc(h.knownCuts(n, who.card.Sign), func(c access.Cut) bool { return c.Space != in.Space })
		if h.chance(3) {
			in.Set[who.person.ID] = access.Read
		}
	}
	payloads, err := s.ChangeSpace(n.pc.card.Sign, h.opens(n), h.rand, in)
	h.append(n, "changes a space", err, payloads...)
}

// tend does what the program does by itself: it renews stale keys, gives keys to
// who lacks them, and asks for its own.
func (h *history) tend(n *node) {
	s := h.view(n)
	for _, id := range append(sortedSpaces(s), log.Everyone(h.w)) {
		if s.Stale(id) {
			payloads, err := s.Rotate(n.pc.card.Sign, h.opens(n), h.rand, id)
			h.append(n, "renews a key", err, payloads...)
			return
		}
	}
	if payload, ok := s.Ask(n.pc.card.Sign, h.opens(n)); ok && h.chance(2) {
		h.append(n, "asks", nil, payload)
		return
	}
	payloads, err := s.Repair(n.pc.card.Sign, h.opens(n))
	h.append(n, "repairs", err, payloads...)
}

func (h *history) eraseSome(n *node) {
	s := h.view(n)
	space := log.Everyone(h.w)
	if ids := sortedSpaces(s); len(ids) > 0 && h.chance(2) {
		space = pick(h.r, ids)
	}
	d := pick(h.r, sortedDevices(s.Devices, s.Gone))
	c := h.contentCard(d, space)
	seq, hash := h.place(c)
	payload, err := s.Erase(n.pc.card.Sign, space, []access.ErasedRef{{Card: c, Seq: seq, Hash: hash}})
	h.append(n, "erases", err, payload)
}

func (h *history) propose(n *node) {
	s := h.view(n)
	if p, _ := s.Policy(); len(p.Deputies) == 0 {
		return
	}
	var in access.StepInput
	d := h.anyDevice()
	switch h.r.IntN(4) {
	case 0, 1:
		raw := h.anyPolicy()
		in.Policy = &access.Policy{Need: raw.Need}
		for _, dep := range raw.Deputies {
			in.Policy.Deputies = append(in.Policy.Deputies, access.Deputy{Person: dep.Person, Keys: dep.Keys, Box: dep.Box})
		}
	case 2:
		in.Remove = map[log.DeviceID][]access.Cut{d.card.Sign: h.knownCuts(n, d.card.Sign)}
	case 3:
		in.Owners = []access.StepOwner{{Card: d.card, Person: d.person}}
		in.Access = map[log.SpaceID]access.PersonID{}
		for _, id := range sortedSpaces(s) {
			if s.Spaces[id].Kind == access.Named {
				in.Access[id] = d.person.ID
			}
		}
	}
	payload, _, err := s.Propose(in)
	h.append(n, "proposes", err, payload)
}

// approve says yes to an open step, by the device's key or with the kit in hand.
func (h *history) approve(n *node) {
	s := h.view(n)
	open := slices.DeleteFunc(slices.Clone(s.Steps()), func(s access.StepState) bool { return s.Accepted })
	if len(open) == 0 {
		return
	}
	key := n.pc.key
	if h.chance(3) {
		key = h.kit.Sign()
	}
	payload, err := s.Approve(key, pick(h.r, open).ID)
	h.append(n, "approves", err, payload)
}
