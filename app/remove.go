package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
)

// cutsIn says where the logs of a device end in a space, as far as this device
// knows them. It also says that no other log of the device counts there.
func (w *Workspace) cutsIn(space log.SpaceID, dev log.DeviceID) []access.Cut {
	cuts := []access.Cut{{Space: space}}
	heights := w.store.Heights(space)
	for _, c := range w.store.Cards(space) {
		if h, ok := heights[c.ID()]; ok && c.Device == dev {
			cuts = append(cuts, access.Cut{Space: space, Log: c.ID(), Seq: h.Seq, Hash: h.Hash})
		}
	}
	return cuts
}

// cutsOf says where all logs of a device end, in the spaces that this device
// reads. In others their members say so once they hear of the removal.
func (w *Workspace) cutsOf(st *access.State, dev log.DeviceID) []access.Cut {
	cuts := w.cutsIn(log.Control, dev)
	for _, space := range w.readable(st) {
		cuts = append(cuts, w.cutsIn(space, dev)...)
	}
	return cuts
}

// devicesOf returns the devices of a person that are in, in ascending order.
func devicesOf(st *access.State, p access.PersonID) []log.DeviceID {
	var out []log.DeviceID
	for id, d := range st.Devices {
		if d.Person == p {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b log.DeviceID) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// SetRole gives all devices of a person a role.
func (w *Workspace) SetRole(ctx context.Context, p access.PersonID, role access.Role) error {
	st := w.snapshot()
	if st == nil {
		return problem("not-member")
	}
	cuts := map[log.DeviceID][]access.Cut{}
	for _, dev := range devicesOf(st, p) {
		cuts[dev] = w.cutsIn(log.Control, dev)
	}
	if role > access.Admin && managersBut(st, p) == 0 {
		return problem("last-manager")
	}
	payloads, err := st.SetRole(w.self, w.keyring(), rand.Reader, p, role, cuts)
	if err != nil {
		return accessProblem(err)
	}
	return w.control(ctx, payloads...)
}

// managersBut is how many people besides one manage the office.
func managersBut(st *access.State, but access.PersonID) (n int) {
	for id := range st.People {
		if r := st.PersonRole(id); (r == access.Owner || r == access.Admin) && id != but {
			n++
		}
	}
	return n
}

// Leaving is what it would mean to remove a person or a device.
type Leaving struct {
	Name     string
	Whole    bool // the person has no device left then
	Devices  []log.DeviceID
	Handover []Handover
	Orphaned []string // see Workspace.spaceTitle
	Managers int      // people left who manage the office
	Deputy   bool
}

// A Handover is a space that nobody would manage any more.
type Handover struct {
	Space   log.SpaceID
	Name    string
	Choices []access.PersonID
}

// Leaving returns what it would mean to remove all devices of a person, or one.
func (w *Workspace) Leaving(p access.PersonID, dev log.DeviceID) (Leaving, error) {
	st := w.snapshot()
	if st == nil {
		return Leaving{}, problem("not-member")
	}
	devices, err := w.leavers(st, p, dev)
	if err != nil {
		return Leaving{}, err
	}
	p = st.Devices[devices[0]].Person
	out := Leaving{Name: access.ShowName(st.People[p].Name), Devices: devices, Whole: len(devices) == len(devicesOf(st, p))}
	if dev != (log.DeviceID{}) {
		out.Name = access.ShowName(st.Devices[dev].Card.Name)
	}
	out.Managers = managersBut(st, p)
	if r := st.PersonRole(p); !out.Whole && (r == access.Owner || r == access.Admin) {
		out.Managers++
	}
	policy, _ := st.Policy()
	out.Deputy = out.Whole && slices.ContainsFunc(policy.Deputies, func(d access.Deputy) bool { return d.Person == p })
	handover, lost := st.Orphans(devices)
	for space, choices := range handover {
		slices.SortFunc(choices, func(a, b access.PersonID) int { return bytes.Compare(a[:], b[:]) })
		out.Handover = append(out.Handover, Handover{space, w.spaceName(st, space), choices})
	}
	slices.SortFunc(out.Handover, func(a, b Handover) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), bytes.Compare(a.Space[:], b.Space[:]))
	})
	for _, space := range lost {
		out.Orphaned = append(out.Orphaned, w.spaceTitle(st, space, p))
	}
	slices.Sort(out.Orphaned)
	return out, nil
}

// spaceTitle is the name of a space, of a direct one the other person's, empty
// if it is not known here.
func (w *Workspace) spaceTitle(st *access.State, space log.SpaceID, not access.PersonID) string {
	s := st.Spaces[space]
	if s.Kind != access.Direct {
		return w.spaceName(st, space)
	}
	for p := range s.Members {
		if p != not {
			return access.ShowName(st.People[p].Name)
		}
	}
	return ""
}

func (w *Workspace) leavers(st *access.State, p access.PersonID, dev log.DeviceID) ([]log.DeviceID, error) {
	if dev != (log.DeviceID{}) {
		if _, ok := st.Devices[dev]; !ok {
			return nil, problem("no-such-person")
		}
		return []log.DeviceID{dev}, nil
	}
	if all := devicesOf(st, p); len(all) > 0 {
		return all, nil
	}
	return nil, problem("no-such-person")
}

// Remove removes all devices of a person, or one, for ever. What this device
// knows of their work stays; spaces go into the hands named; keys are renewed.
func (w *Workspace) Remove(ctx context.Context, p access.PersonID, dev log.DeviceID, handover map[log.SpaceID]access.PersonID) error {
	st := w.snapshot()
	if st == nil {
		return problem("not-member")
	}
	devices, err := w.leavers(st, p, dev)
	if err != nil {
		return err
	}
	if p = st.Devices[devices[0]].Person; len(devices) == len(devicesOf(st, p)) && managersBut(st, p) == 0 {
		return problem("last-manager")
	}
	in := access.RemoveInput{Devices: devices, Cuts: map[log.DeviceID][]access.Cut{}, Handover: handover}
	for _, d := range devices {
		in.Cuts[d] = w.cutsOf(st, d)
	}
	payloads, err := st.Remove(w.self, w.keyring(), rand.Reader, in)
	if err != nil {
		return accessProblem(err)
	}
	return w.control(ctx, payloads...)
}

// Removal says whether this device may remove another: "yes", or why not:
// "self", "senior", "not-allowed".
func (w *Workspace) removal(st *access.State, devices ...log.DeviceID) string {
	for _, d := range devices {
		switch err := st.MayRemove(w.self, d); {
		case d == w.self:
			return "self"
		case err == nil:
		case errors.Is(err, access.ErrSenior):
			return "senior"
		default:
			return "not-allowed"
		}
	}
	if len(devices) == 0 {
		return "not-allowed"
	}
	return "yes"
}

// Late is the work of one removed device that came too late: it is kept and
// shown nowhere else.
type Late struct {
	Device   log.DeviceID
	Name     string
	Person   access.PersonID
	Entries  int
	Messages []store.QuarantinedMessage
	Adopt    bool // this device may take it over
}

// Late returns what removed devices wrote after their removal was decided.
func (w *Workspace) Late(ctx context.Context) ([]Late, error) {
	st := w.snapshot()
	if st == nil {
		return nil, problem("not-member")
	}
	found, err := w.store.Quarantined(ctx)
	if err != nil {
		return nil, storeProblem(err, w.dir)
	}
	byDevice := map[log.DeviceID]*Late{}
	for _, q := range found {
		d, gone := st.Gone[q.Card.Device]
		if !gone || q.Card.Space == log.Control || st.Level(q.Card.Space, w.self) == access.None {
			continue
		}
		l := byDevice[d.Card.Sign]
		if l == nil {
			l = &Late{Device: d.Card.Sign, Name: access.ShowName(d.Card.Name), Person: d.Person, Adopt: st.CanInvite(w.self)}
			byDevice[d.Card.Sign] = l
		}
		l.Entries += q.Entries
		l.Messages = append(l.Messages, q.Messages...)
	}
	out := make([]Late, 0, len(byDevice))
	for _, l := range byDevice {
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b Late) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), bytes.Compare(a.Device[:], b.Device[:]))
	})
	return out, nil
}

// Adopt takes over what a removed device wrote too late, as far as it is here.
func (w *Workspace) Adopt(ctx context.Context, dev log.DeviceID) error {
	st := w.snapshot()
	if st == nil {
		return problem("not-member")
	}
	found, err := w.store.Quarantined(ctx)
	if err != nil {
		return storeProblem(err, w.dir)
	}
	var cuts []access.Cut
	for _, q := range found {
		if q.Card.Device == dev && q.Card.Space != log.Control && st.Level(q.Card.Space, w.self) != access.None {
			cuts = append(cuts, access.Cut{Space: q.Card.Space, Log: q.Card.ID(), Seq: q.Last.Seq, Hash: q.Last.Hash})
		}
	}
	if len(cuts) == 0 {
		return problem("no-change")
	}
	payload, err := st.Cut(w.self, dev, cuts)
	if err != nil {
		return accessProblem(err)
	}
	return w.control(ctx, payload)
}

// lateOf is how many entries of a removed device are in quarantine.
func (w *Workspace) lateOf(dev log.DeviceID) int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.late[dev]
}

// countLate counts what is in quarantine, and says so to who can adopt it.
func (w *Workspace) countLate(ctx context.Context) {
	total, byDevice := 0, map[log.DeviceID]int{}
	if found, err := w.Late(ctx); err == nil {
		for _, l := range found {
			total += l.Entries
			byDevice[l.Device] = l.Entries
		}
	}
	w.mu.Lock()
	w.late = byDevice
	w.mu.Unlock()
	w.unnote("late-work")
	if total > 0 && w.snapshot().CanInvite(w.self) {
		w.note("late-work", total)
	}
	w.changed("people", "")
}
