package app

import (
	"bytes"
	"cmp"
	"slices"
	"time"

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
	Never   Presence = "never"   // not seen since this program started
)

// A Person of the workspace as this device knows them.
type Person struct {
	ID       access.PersonID
	Name     string
	Role     access.Role
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
	RTT      time.Duration
	Behind   uint64
	Twice    bool
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
	Notices   []Notice
	Now       time.Time
	Start     time.Time
}

// oldestClock is before the first release: a clock that shows less is wrong.
var oldestClock = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Info returns how this device stands.
func (w *Workspace) Info() Info {
	now := w.opts.Now()
	join := w.JoinState().Step
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
		if managers(st) < 2 && i.CanInvite { // those who can do something about it
			i.Notices = append(i.Notices, Notice{Code: "one-admin"})
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

// People returns everyone with their devices: this person first, then by name.
func (w *Workspace) People() []Person {
	w.mu.RLock()
	st, m := w.state, w.mesh
	w.mu.RUnlock()
	if st == nil {
		return nil
	}
	seen, here := map[mesh.PeerID]mesh.Peer{}, map[mesh.PeerID]int{}
	if m != nil {
		for _, p := range m.Peers() {
			if old, ok := seen[p.PeerID]; !ok || p.Here && !old.Here {
				seen[p.PeerID] = p
			}
			if p.Here && time.Since(p.Since) > settled {
				here[p.PeerID]++ // instances: a copy may run beside the original
			}
		}
	}
	people := map[access.PersonID]*Person{}
	for id, p := range st.People {
		people[id] = &Person{ID: id, Name: access.ShowName(p.Name), Role: st.PersonRole(id), Presence: Never}
	}
	for id, d := range st.Devices {
		p := people[d.Person]
		dev := Device{ID: id, Name: access.ShowName(d.Card.Name), Presence: Never}
		if id == w.self {
			p.Self, dev.Self, dev.Presence, dev.Since = true, true, Here, w.start
		} else if s, ok := seen[mesh.PeerID(d.Card.Peer)]; ok {
			dev.Presence, dev.Path, dev.RTT, dev.Behind, dev.Since = presence(s), s.Path, s.RTT, s.Behind, s.Since
			dev.Twice = here[s.PeerID] > 1
		}
		p.Devices = append(p.Devices, dev)
	}
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
