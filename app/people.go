package app

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"inselnetz/app/vault"
	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/mesh"
)

// Presence says whether someone is reachable.
type Presence string

// Presences.
const (
	Here    Presence = "here"
	Away    Presence = "away"    // said goodbye
	Unknown Presence = "unknown" // the connection broke
	Never   Presence = "never"   // not seen yet
)

// A Person of the workspace as this device knows them.
type Person struct {
	ID       access.PersonID
	Name     string
	Role     access.Role // zero: has left
	Deputy   bool
	Until    int64         // a guest's access ends then, ms since 1970; 0: no end
	Roles    []access.Role // that this device may give the person now, without the present one
	Removal  string        // see Workspace.removal
	Another  bool          // this device may let in another device of the person
	Self     bool
	Presence Presence
	Devices  []Device
}

// A Device of a person as this device knows it.
type Device struct {
	ID       log.DeviceID
	Name     string
	Self     bool
	Presence Presence
	Since    time.Time // zero if unknown
	Path     string
	Via      string // name of the device that carries between us; empty: direct
	RTT      time.Duration
	Behind   uint64
	Twice    bool
	Seen     int64  // when it was last reached, ms since 1970; 0 if never
	Disk     uint64 // as access.Device.Disk
	Stays    bool   // is meant to stay on, as it says
	Removal  string // see Workspace.removal
	Gone     int64  // when it was removed, by the remover's clock; 0 if it is in
	Late     int    // entries in quarantine
}

// Info is how this device stands.
type Info struct {
	Member    bool
	Joining   bool
	Version   string
	Office    string
	Person    access.PersonID
	Device    string // name of this device
	CanInvite bool
	Kit       string // state of the recovery sheet
	Managers  int    // people who manage the office
	Approvals int    // steps of recovery that wait for this person
	Notices   []Notice
	Now       time.Time
	Start     time.Time
}

// oldestClock is before the first release: a clock that shows less is wrong.
var oldestClock = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Now is this device's clock.
func (w *Workspace) Now() time.Time { return w.opts.Now() }

// Info returns how this device stands.
func (w *Workspace) Info() Info {
	now := w.opts.Now()
	join := w.JoinState().Step
	kit, wanted := KitNone, 0
	if st := w.snapshot(); st != nil {
		kit, _ = w.kitState(st)
		wanted = w.wanted()
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	i := Info{
		Joining: join == StepConnecting || join == StepNumber || join == StepWords,
		Version: w.opts.Version, Now: now, Start: w.start, Device: ComputerName(),
	}
	for _, n := range w.notices {
		i.Notices = append(i.Notices, n)
	}
	if now.Before(oldestClock) {
		i.Notices = append(i.Notices, Notice{Code: "clock"})
	}
	if w.store.Err() != nil {
		i.Notices = append(i.Notices, Notice{Code: "check-damaged"})
	}
	if st := w.state; st != nil {
		d := st.Devices[w.self]
		i.Member, i.Office, i.Person = true, access.ShowName(st.Office), d.Person
		i.Device, i.CanInvite = access.ShowName(d.Card.Name), st.CanInvite(w.self) && !st.Stopped
		i.Kit, i.Managers, i.Approvals = kit, managers(st), wanted
		_, in := st.Devices[w.self]
		for _, n := range []struct {
			code string
			is   bool
		}{
			{"one-admin", i.Managers < 2 && i.CanInvite}, // told to those who can do something about it
			{"kit-waiting", kit == KitWaiting},
			{"secrets-in-file", w.id.vault.Place() == vault.InFile},
			{"approve-wanted", wanted > 0},
			{"left", !in},
		} {
			if n.is {
				i.Notices = append(i.Notices, Notice{Code: n.code})
			}
		}
	}
	slices.SortFunc(i.Notices, func(a, b Notice) int { return cmp.Compare(a.Code, b.Code) })
	return i
}

func managers(st *access.State) int {
	n := 0
	for id := range st.People {
		if r := st.PersonRole(id); r == access.Owner || r == access.Admin {
			n++
		}
	}
	return n
}

// settled is how long two instances of a device must be here at a time to count
// as copies: after a restart the old one is still being probed.
const settled = 10 * time.Second

// People returns everyone who is in, this person first, then by name; and those
// who have left, with devices that were removed, the latest first.
func (w *Workspace) People() (in, gone []Person) {
	w.mu.RLock()
	st, m := w.state, w.mesh
	w.mu.RUnlock()
	if st == nil {
		return nil, nil
	}
	look := w.lookAround(st, m)
	people, left := map[access.PersonID]*Person{}, map[access.PersonID]*Person{}
	for _, d := range st.Seniority() {
		p := people[d.Person]
		if p == nil {
			p = w.person(st, d.Person)
			people[d.Person] = p
		}
		dev := look.device(d)
		p.Self = p.Self || dev.Self
		if p.Until == 0 || d.Until != 0 && d.Until < p.Until {
			p.Until = d.Until
		}
		p.Devices = append(p.Devices, dev)
	}
	for _, d := range sortedGone(st) {
		p := left[d.Person]
		if p == nil {
			p = &Person{ID: d.Person, Name: access.ShowName(st.People[d.Person].Name), Role: st.PersonRole(d.Person), Presence: Never}
			left[d.Person] = p
		}
		p.Devices = append(p.Devices, look.device(d))
	}
	in, gone = listPeople(people), listPeople(left)
	slices.SortStableFunc(gone, func(a, b Person) int { return cmp.Compare(lastGone(b), lastGone(a)) })
	return in, gone
}

func lastGone(p Person) (at int64) {
	for _, d := range p.Devices {
		at = max(at, d.Gone)
	}
	return at
}

// person is what is known of someone, without devices.
func (w *Workspace) person(st *access.State, id access.PersonID) *Person {
	p := &Person{ID: id, Name: access.ShowName(st.People[id].Name), Role: st.PersonRole(id), Presence: Never}
	policy, _ := st.Policy()
	p.Deputy = slices.ContainsFunc(policy.Deputies, func(d access.Deputy) bool { return d.Person == id })
	for _, r := range []access.Role{access.Owner, access.Admin, access.Member, access.Guest} {
		if r != p.Role && st.MayRole(w.self, id, r) == nil {
			p.Roles = append(p.Roles, r)
		}
	}
	p.Removal = w.removal(st, devicesOf(st, id)...)
	mine := st.Devices[w.self]
	p.Another = st.CanInvite(w.self) && (id == mine.Person || mine.Role == access.Owner || p.Role > access.Admin)
	return p
}

func listPeople(people map[access.PersonID]*Person) []Person {
	out := make([]Person, 0, len(people))
	for _, p := range people {
		slices.SortFunc(p.Devices, func(a, b Device) int { return cmp.Or(cmp.Compare(a.Name, b.Name), bytes.Compare(a.ID[:], b.ID[:])) })
		for _, d := range p.Devices {
			p.Presence = better(p.Presence, d.Presence)
		}
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b Person) int {
		switch {
		case a.Self != b.Self && a.Self:
			return -1
		case a.Self != b.Self:
			return 1
		}
		return cmp.Or(cmp.Compare(a.Name, b.Name), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out
}

// A view is what this device sees of others at one moment.
type view struct {
	w    *Workspace
	st   *access.State
	seen map[mesh.PeerID]mesh.Peer
	here map[mesh.PeerID]int // instances: a copy may run beside the original
}

func (w *Workspace) lookAround(st *access.State, m *mesh.Mesh) view {
	v := view{w, st, map[mesh.PeerID]mesh.Peer{}, map[mesh.PeerID]int{}}
	if m == nil {
		return v
	}
	for _, p := range m.Peers() {
		if old, ok := v.seen[p.PeerID]; !ok || p.Here && !old.Here {
			v.seen[p.PeerID] = p
		}
		if p.Here && time.Since(p.Since) > settled {
			v.here[p.PeerID]++
		}
	}
	return v
}

func (v view) device(d access.Device) Device {
	dev := Device{ID: d.Card.Sign, Name: access.ShowName(d.Card.Name), Presence: Never, Disk: d.Disk, Stays: d.Stays}
	peer := mesh.PeerID(d.Card.Peer)
	if d.Removed != nil {
		dev.Gone, dev.Late = max(d.Removed.Clock.Millis(), 1), v.w.lateOf(d.Card.Sign)
		return dev
	}
	dev.Removal = v.w.removal(v.st, dev.ID)
	if dev.ID == v.w.self {
		dev.Self, dev.Presence, dev.Since = true, Here, v.w.start
		return dev
	}
	dev.Seen = v.w.seenAt(peer)
	if s, ok := v.seen[peer]; ok {
		dev.Presence, dev.Path, dev.RTT, dev.Behind, dev.Since = presence(s), s.Path, s.RTT, s.Behind, s.Since
		if by, ok := v.st.Devices[s.Via]; ok && s.Here {
			dev.Via = access.ShowName(by.Card.Name)
		}
		dev.Twice = v.here[s.PeerID] > 1
		if s.Here {
			dev.Seen = v.w.opts.Now().UnixMilli()
		}
	}
	if dev.Presence == Never && dev.Seen != 0 { // before this program started
		dev.Presence, dev.Since = Away, time.UnixMilli(dev.Seen)
	}
	return dev
}

func presence(p mesh.Peer) Presence {
	switch {
	case p.Here:
		return Here
	case p.Left == mesh.LeftGoodbye:
		return Away
	case p.Left == mesh.LeftBroke:
		return Unknown
	}
	return Never
}

// better is the one that says more about a person of several devices.
func better(a, b Presence) Presence {
	order := []Presence{Never, Away, Unknown, Here}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}
