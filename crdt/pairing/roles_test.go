package pairing

import (
	"crypto/ed25519"
	"crypto/rand"
	"testing"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// joinBy lets a device in by a link of host, for the admission that is there
// already.
func joinBy(t *testing.T, st *access.State, host, p pc, entry log.Hash) (Result, error) {
	t.Helper()
	v := newLinkInvite(t, host)
	j, s, _, err := claimBy(t, v, v.Link(), p, start)
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.Welcome(st, entry, nil)
	if err != nil {
		return Result{}, err
	}
	return j.Welcome(all[len(all)-1])
}

// Guests and carriers hold the network key and not that of the space of all;
// guests hold those of the spaces they are let into.
func TestGuestsAndCarriersJoin(t *testing.T) {
	anna := newPC("anna")
	o := newOffice(t, anna)
	st := o.state()
	payloads, room, err := st.CreateSpace(anna.card.Sign, rand.Reader, access.SpaceInput{Name: "Steuer", Members: map[access.PersonID]access.Level{anna.person.ID: access.Manage}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range payloads {
		o.write(p, st.Heads())
	}
	for role, spaces := range map[access.Role]map[log.SpaceID]access.Level{access.Guest: {room: access.Write}, access.Carrier: nil} {
		p := newPC(role.String())
		st := o.state()
		payload, err := st.Admit(anna.card.Sign, st.Keys(anna.box), access.AdmitInput{Device: p.card, Person: p.person, Role: role, Spaces: spaces})
		if err != nil {
			t.Fatal(err)
		}
		entry := o.write(payload, st.Heads())
		r, err := joinBy(t, o.state(), anna, p, entry)
		if err != nil || r.Role != role {
			t.Errorf("%s: %v, joined as %s", role, err, r.Role)
			continue
		}
		held := map[log.SpaceID]bool{}
		for _, k := range r.Keys {
			held[k.Space] = true
		}
		if !held[access.Network] || held[log.Everyone(o.w)] || held[room] != (role == access.Guest) {
			t.Errorf("%s holds keys of %v", role, held)
		}
	}
}

// An owner whom the kit alone made lets others in: the newcomer must see the
// proposal and the approval.
func TestJoinByAnOwnerOfTheKit(t *testing.T) {
	anna, ben, cy := newPC("anna"), newPC("ben"), newPC("cy")
	kit := access.Kit{Secret: [22]byte{7}}
	deputy := kit.Deputy()
	payload, err := access.Found(rand.Reader, access.FoundInput{Office: "Kanzlei", Person: anna.person, Device: anna.card, Kit: &deputy})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{pc: anna, t: t, card: log.Card{Device: anna.card.Sign}, role: access.Member}
	o.w = log.WorkspaceID(o.write(payload, nil))
	o.admit(ben.offer())

	// Anna's device is gone. Ben proposes himself, with the kit he approves.
	b := &office{pc: ben, t: t, w: o.w, card: log.Card{Workspace: o.w, Device: ben.card.Sign}, entries: o.entries, role: access.Member}
	st := b.state()
	payload, step, err := st.Propose(access.StepInput{Owners: []access.StepOwner{{Card: ben.card, Person: ben.person}}})
	if err != nil {
		t.Fatal(err)
	}
	b.write(payload, st.Heads())
	st = b.state()
	if payload, err = st.Approve(ed25519.PrivateKey(kit.Sign()), step); err != nil {
		t.Fatal(err)
	}
	b.write(payload, st.Heads())
	st = b.state()
	if !st.CanInvite(ben.card.Sign) {
		t.Fatal("ben is no owner")
	}
	entry := b.admit(cy.offer())
	r, err := joinBy(t, b.state(), ben, cy, entry)
	if err != nil || r.Role != access.Member || !r.State.CanInvite(ben.card.Sign) {
		t.Errorf("%v, %s", err, r.Role)
	}
	// cy was admitted by anna before, missed the welcome and asks ben now
	dee := newPC("dee")
	a := &office{pc: anna, t: t, w: o.w, card: o.card, last: o.last, entries: o.entries, role: access.Member}
	entry = a.admit(dee.offer())
	all := &office{pc: ben, t: t, w: o.w, entries: append(a.entries, b.entries...)}
	if _, err := joinBy(t, all.state(), ben, dee, entry); err != nil {
		t.Errorf("welcomed by ben for anna's admission: %v", err)
	}
}
