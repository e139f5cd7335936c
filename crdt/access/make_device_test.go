package access

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"inselnetz/crdt/log"
)

func TestAGuestIsLetInWithSpacesAndAnEnd(t *testing.T) {
	x := newWorld(t)
	guest := newPC("guest")
	id := x.room(x.founder, "Akten", nil)
	in := AdmitInput{Device: guest.card, Person: guest.person, Role: Guest, Until: 5000, Spaces: map[log.SpaceID]Level{id: Read}}
	payload, err := x.state().Admit(x.founder.card.Sign, x.keysOf(x.founder), in)
	must0(t, err)
	x.put(x.founder, payload)
	s := x.state()
	if d := s.Devices[guest.card.Sign]; d.Role != Guest || d.Until != 5000 || s.Level(id, guest.card.Sign) != Read {
		t.Errorf("guest %+v", d)
	}
	if name, ok := s.SpaceName(id, s.Keys(guest.box)); !ok || name != "Akten" {
		t.Errorf("the guest reads %q", name)
	}
	// Who does not manage the space lets nobody into it.
	ada := x.team(Admin, "ada")[0]
	x.repair(x.founder)
	other := newPC("other")
	in.Device, in.Person = other.card, other.person
	if _, err := x.state().Admit(ada.card.Sign, x.keysOf(ada), in); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("Admit = %v", err)
	}
}

func TestASecondDeviceGetsThePersonsSpaces(t *testing.T) {
	x := newWorld(t)
	bob := newPC("bob")
	x.letIn(x.founder, bob, Member)
	id := x.room(x.founder, "Akten", levels(Write, bob))
	phone := x.second(bob, "phone")
	in := AdmitInput{Device: phone.card, Person: bob.person, Role: Member, Known: true}
	payload, err := x.state().Admit(x.founder.card.Sign, x.keysOf(x.founder), in)
	must0(t, err)
	x.put(x.founder, payload)
	_, key, _ := x.state().Current(id)
	if !x.opens(phone, key) || x.state().Level(id, phone.card.Sign) != Write {
		t.Error("the second device lacks the space")
	}
}

func TestRemoveTakesDevicesAndHandsOver(t *testing.T) {
	x := newWorld(t)
	bob, cy := newPC("bob"), newPC("cy")
	x.letIn(x.founder, bob, Member)
	x.letIn(x.founder, cy, Member)
	phone := x.second(bob, "phone")
	x.now(x.founder, admission(phone, Member))
	x.repair(x.founder)
	id := x.room(bob, "Akten", levels(Write, cy))
	lost := x.room(bob, "Privat", nil)
	s := x.state()
	gone := []log.DeviceID{bob.card.Sign, phone.card.Sign}
	handover, alone := s.Orphans(gone)
	if !slices.Equal(handover[id], []PersonID{cy.person.ID}) || len(handover) != 1 || !slices.Equal(alone, []log.SpaceID{lost}) {
		t.Errorf("orphans %v, %v", handover, alone)
	}
	if h, l := s.Orphans(gone[:1]); len(h)+len(l) != 0 {
		t.Errorf("one of two devices orphans %v, %v", h, l)
	}
	cuts := map[log.DeviceID][]Cut{bob.card.Sign: {at(x.content(bob, log.Everyone(x.w)), 3)}}
	payloads, err := s.Remove(x.founder.card.Sign, x.keysOf(x.founder), rnd(), RemoveInput{Devices: gone, Cuts: cuts, Handover: map[log.SpaceID]PersonID{id: cy.person.ID}})
	x.puts(x.founder, payloads, err)
	s = x.state()
	everyone := log.Everyone(x.w)
	n, key, _ := s.Current(everyone)
	if len(s.Devices) != 2 || s.Level(id, cy.card.Sign) != Manage || s.Stale(everyone) || n != 2 || !x.opens(cy, key) || x.opens(bob, key) {
		t.Errorf("%d devices, epoch %d", len(s.Devices), n)
	}
	if c, ok := s.Limit(x.content(bob, everyone)); !ok || c.Seq != 3 {
		t.Errorf("bob's log ends at %+v, %v", c, ok)
	}
	if !s.Stale(id) || s.PersonLevel(id, bob.person.ID) != Manage { // cy gives the space a new key
		t.Error("the handed over space")
	}
	if _, err := s.Remove(x.founder.card.Sign, nil, rnd(), RemoveInput{Devices: gone}); !errors.Is(err, ErrDead) {
		t.Errorf("once more: %v", err)
	}
	if _, err := s.Remove(cy.card.Sign, nil, rnd(), RemoveInput{Devices: []log.DeviceID{x.founder.card.Sign}}); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("by a member: %v", err)
	}
}

func TestSetRoleOfAPersonWithTwoDevices(t *testing.T) {
	x := newWorld(t)
	ada := newPC("ada")
	x.letIn(x.founder, ada, Admin)
	bob := newPC("bob")
	x.letIn(x.founder, bob, Member)
	phone := x.second(bob, "phone")
	x.now(x.founder, admission(phone, Guest))
	set := func(by *pc, r Role, want error) {
		t.Helper()
		if err := x.state().MayRole(by.card.Sign, bob.person.ID, r); !errors.Is(err, want) {
			t.Errorf("MayRole(%v) = %v, want %v", r, err, want)
		}
		payloads, err := x.state().SetRole(by.card.Sign, x.keysOf(by), rnd(), bob.person.ID, r, nil)
		if !errors.Is(err, want) {
			t.Fatalf("SetRole(%v) = %v, want %v", r, err, want)
		}
		for _, p := range payloads {
			x.put(by, p)
		}
		if want == nil && (x.state().PersonRole(bob.person.ID) != r || x.state().Devices[phone.card.Sign].Role != r) {
			t.Errorf("roles %v, %v", x.state().PersonRole(bob.person.ID), x.state().Devices[phone.card.Sign].Role)
		}
	}
	set(ada, Owner, ErrNotAllowed)
	set(ada, Admin, nil)
	set(ada, Admin, ErrNoChange)
	set(ada, Member, nil)
	set(ada, Guest, nil)
	if s := x.state(); s.Stale(log.Everyone(x.w)) {
		t.Error("the lowered read on")
	}
	set(ada, Member, nil)
	set(x.founder, Owner, nil)
	set(ada, Member, ErrSenior)
}

// TestKitIsAsItWas: who printed a kit years ago must still get in.
func TestKitIsAsItWas(t *testing.T) {
	var k Kit
	for i := range k.Secret {
		k.Secret[i] = byte(i)
	}
	d := k.Deputy()
	sum := k.Checksum()
	box := k.Box()
	got := hex.EncodeToString(sum[:]) + " " + hex.EncodeToString(d.Keys[0][:]) + " " + hex.EncodeToString(box[:])
	const want = "c1ba f240257eca1ff151943571de2da250265a4a8ad042db3206471d91822ac9666b 81a4868c2ed9b0e0d6ed2a482b2fa8109c32cde6ff40557c476a6f0a27df34bc"
	if got != want {
		t.Errorf("kit %s", got)
	}
	if !d.Kit() || d.Box != box.Public() || (Policy{Need: 1, Deputies: []Deputy{d}}).check() != nil {
		t.Errorf("deputy %+v", d)
	}
	if _, err := NewKit(bytes.NewReader(make([]byte, 21))); err == nil {
		t.Error("a kit without randomness")
	}
}
