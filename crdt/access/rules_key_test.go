package access

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"inselnetz/crdt/log"
)

func newRandom(n byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{n}) }

// rotate gives a space a new key.
func (x *world) rotate(by *pc, id log.SpaceID, n byte) log.KeyID {
	x.t.Helper()
	payloads, err := x.state().Rotate(by.card.Sign, x.keysOf(by), newRandom(n), id)
	x.puts(by, payloads, err)
	_, key, _ := x.state().Current(id)
	return key
}

func (x *world) opens(p *pc, keys ...log.KeyID) bool {
	held := x.keysOf(p)
	return !slices.ContainsFunc(keys, func(k log.KeyID) bool { _, ok := held[k]; return !ok })
}

func (x *world) repair(by *pc) int {
	x.t.Helper()
	payloads, err := x.state().Repair(by.card.Sign, x.keysOf(by))
	x.puts(by, payloads, err)
	return len(payloads)
}

func TestRule40WhoWritesAnnouncesKeys(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob", "cy")
	ann, bob, cy := all[0], all[1], all[2]
	id := x.room(ann, "Akten", map[PersonID]Level{bob.person.ID: Write, cy.person.ID: Read})
	_, first, _ := x.state().Current(id)
	_, everyones, _ := x.state().Current(log.Everyone(x.w))
	key := func(space log.SpaceID, epoch uint64, n byte, prev log.KeyID) newKey {
		return newKey{Type: opKey, Space: space, Epoch: epoch, ID: log.KeyID{n}, Prevs: []oldKey{{ID: prev}}, Wraps: []deviceWrap{}}
	}
	x.wantWhy(x.now(bob, key(id, 2, 1, first)), "+")
	x.wantWhy(x.now(cy, key(id, 2, 2, first)), "not-allowed")
	x.wantWhy(x.now(x.founder, key(id, 2, 3, first)), "not-allowed")
	x.wantWhy(x.now(bob, key(id, 4, 4, first)), "keys")
	x.wantWhy(x.now(bob, key(id, 3, 5, log.KeyID{99})), "keys")
	x.wantWhy(x.now(bob, key(id, 2, 6, everyones)), "keys")
	x.wantWhy(x.now(bob, key(log.SpaceID{1}, 2, 7, first)), "nobody")
	x.wantWhy(x.now(cy, key(log.Control, 2, 8, everyones)), "+")
	x.wantWhy(x.now(cy, key(log.Control, 3, 8, log.KeyID{8})), "keys") // one id, one epoch
	if n, k, _ := x.state().Current(id); n != 2 || k != (log.KeyID{1}) {
		t.Errorf("epoch %d, key %x", n, k)
	}
}

func TestRule41TheHighestEpochThenTheLowestID(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob")
	everyone := log.Everyone(x.w)
	_, first, _ := x.state().Current(everyone)
	known := x.state().Heads()
	for i, p := range all {
		x.writeRefs(p, encodePayload(newKey{Type: opKey, Epoch: 2, ID: log.KeyID{byte(9 - i)}, Prevs: []oldKey{{ID: first}}, Wraps: []deviceWrap{}}), known)
	}
	if n, k, ok := x.state().Current(everyone); n != 2 || k != (log.KeyID{8}) || !ok {
		t.Errorf("epoch %d, key %x", n, k)
	}
}

func TestRule42OlderKeysLieUnderNewerOnes(t *testing.T) {
	x := newWorld(t)
	bob := x.team(Member, "bob")[0]
	everyone := log.Everyone(x.w)
	var keys []log.KeyID
	for n := range byte(5) {
		keys = append(keys, x.rotate(x.founder, everyone, n))
	}
	cy := newPC("cy")
	s := x.letIn(x.founder, cy, Member)
	if !x.opens(cy, keys...) || !x.opens(bob, keys...) {
		t.Error("a newcomer does not read what was before")
	}
	if d := s.devices[cy.card.Sign]; d == nil || len(s.graph.by[x.founder.card.Sign][len(s.graph.by[x.founder.card.Sign])-1].ops[0].(*admit).Wraps) != 1 {
		t.Error("the newcomer got more than the newest key")
	}
}

func TestRule42AKeyGivenToNobodyIsReplaced(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "eve")
	everyone := log.Everyone(x.w)
	x.repair(x.founder)
	_, first, _ := x.state().Current(everyone)
	x.now(all[1], newKey{Type: opKey, Epoch: 2, ID: log.KeyID{1}, Prevs: []oldKey{{ID: first, Sealed: [72]byte{1}}}, Wraps: []deviceWrap{}})
	if x.opens(all[0], log.KeyID{1}) {
		t.Fatal("opens what was given to nobody")
	}
	key := x.rotate(all[0], everyone, 9)
	if n, k, _ := x.state().Current(everyone); n != 3 || k != key || !x.opens(x.founder, key, first) {
		t.Errorf("epoch %d", n)
	}
	// eve said that the first key lies under hers, which is not so: who comes then
	// gets it all the same.
	cy := newPC("cy")
	x.letIn(x.founder, cy, Member)
	if !x.opens(cy, first, key) {
		t.Error("the newcomer cannot read what was before")
	}
}

func TestRule42AKeyNotHeldIsNotLost(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob")
	ann, bob := all[0], all[1]
	id := x.room(ann, "Akten", levels(Write, bob))
	_, first, _ := x.state().Current(id)
	// bob begins a new epoch without having opened the key before.
	payloads, err := x.state().Rotate(bob.card.Sign, nil, rnd(), id)
	x.puts(bob, payloads, err)
	cy := x.team(Member, "cy")[0]
	x.now(ann, set(id, levels(Read, cy)))
	x.repair(bob)
	if x.opens(cy, first) != true {
		x.repair(ann)
	}
	_, second, _ := x.state().Current(id)
	if !x.opens(cy, first, second) {
		t.Error("the first key is lost")
	}
}

func TestRule43AWrapForAStrangerDoesNotMakeStale(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob", "cy")
	ann, bob, cy := all[0], all[1], all[2]
	id := x.room(ann, "Akten", levels(Write, bob))
	n, key, _ := x.state().Current(id)
	x.now(bob, moreWraps{Type: opWraps, Space: id, Epoch: n, ID: key, Wraps: []deviceWrap{{Device: cy.card.Sign}, {Device: newPC("x").card.Sign}}})
	if x.state().Stale(id) {
		t.Error("stale by a copy for a stranger")
	}
	// One who did not know of a removal gives the removed a copy.
	known := x.state().Heads()
	x.writeRefs(ann, encodePayload(set(id, nil, bob)), known)
	_, err := x.state().Rotate(ann.card.Sign, x.keysOf(ann), rnd(), id)
	must0(t, err)
	if !x.state().Stale(id) {
		t.Error("not stale with the removed holding the key")
	}
	x.wantWhy(x.now(cy, moreWraps{Type: opWraps, Space: id, Epoch: n, ID: key, Wraps: []deviceWrap{}}), "not-allowed")
}

func TestRule43TheLastCopyOfAnAuthorIsOpened(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob")
	id := x.room(all[0], "Akten", nil)
	x.now(all[0], set(id, levels(Read, all[1])))
	n, key, _ := x.state().Current(id)
	broken := moreWraps{Type: opWraps, Space: id, Epoch: n, ID: key, Wraps: []deviceWrap{{Device: all[1].card.Sign}}}
	x.now(all[0], broken)
	if x.opens(all[1], key) {
		t.Fatal("opens a broken copy")
	}
	if payload, ok := x.state().Ask(all[1].card.Sign, x.keysOf(all[1])); !ok {
		t.Fatal("bob does not ask")
	} else {
		x.put(all[1], payload)
	}
	if x.repair(all[0]) == 0 || !x.opens(all[1], key) {
		t.Error("not mended")
	}
	held := s1(x, all[0], key)
	w := lastByAuthor([]wraps{{node: x.state().graph.order[0], list: []deviceWrap{{Device: all[1].card.Sign}, {Device: all[1].card.Sign}}}, {node: x.state().graph.order[0], list: []deviceWrap{{Device: all[1].card.Sign}}}}, all[1].card.Sign)
	if len(w) != 1 || held.Epoch != 1 {
		t.Errorf("%d copies of one author are tried", len(w))
	}
}

func s1(x *world, p *pc, key log.KeyID) SpaceKey { return x.keysOf(p)[key] }

func TestRule44StaleAfterARemoval(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob")
	guest := x.team(Guest, "guest")[0]
	for _, p := range []*pc{x.founder} {
		x.repair(p)
	}
	everyone := log.Everyone(x.w)
	id := x.room(all[0], "Akten", levels(Write, all[1], x.founder))
	_, before, _ := x.state().Current(everyone)
	if x.state().Stale(everyone) || x.state().Stale(id) {
		t.Fatal("stale with nobody gone")
	}
	x.now(x.founder, removalOf(all[1], all[1].end()))
	if !x.state().Stale(everyone) || !x.state().Stale(id) {
		t.Fatal("not stale after a removal")
	}
	after := x.rotate(x.founder, everyone, 1)
	x.rotate(x.founder, id, 2)
	s := x.state()
	if s.Stale(everyone) || s.Stale(id) || x.opens(all[1], after) || !x.opens(all[1], before) || !x.opens(all[0], after) {
		t.Error("after the new key")
	}
	// A guest that goes knew the key of the network.
	x.now(x.founder, removalOf(guest, guest.end()))
	if !x.state().Stale(everyone) || x.state().Stale(id) {
		t.Error("stale after the guest went")
	}
	// A lowering to guest takes the space of all away.
	x.rotate(x.founder, everyone, 3)
	x.now(x.founder, loweringOf(all[0], Guest, all[0].end()))
	if !x.state().Stale(everyone) {
		t.Error("not stale after a lowering")
	}
}

// TestRule43OneTheDeputiesRemoved: a member who knows of it cannot have the key
// changed for ever, one who does not know makes it stale.
func TestRule43OneTheDeputiesRemoved(t *testing.T) {
	x, kit := kitWorld(t)
	ann, bob := newPC("ann"), newPC("bob")
	x.letIn(x.founder, ann, Member)
	x.letIn(x.founder, bob, Member)
	everyone := log.Everyone(x.w)
	step := x.propose(ann, StepInput{Remove: map[log.DeviceID][]Cut{bob.card.Sign: nil}})
	between := x.state().Heads() // proposed and not accepted
	x.approve(ann, kit.Sign(), step)
	if !x.state().Stale(everyone) {
		t.Fatal("not stale")
	}
	x.rotate(ann, everyone, 3)
	n, key, _ := x.state().Current(everyone)
	give := moreWraps{Type: opWraps, Epoch: n, ID: key, Wraps: []deviceWrap{{Device: bob.card.Sign}}}
	x.now(ann, give)
	if x.state().Stale(everyone) {
		t.Error("stale by a copy of one who knew")
	}
	unaware := x.founder.fork(x.founder.last)
	x.writeRefs(unaware, encodePayload(give), between)
	if !x.state().Stale(everyone) {
		t.Error("not stale by a copy of one who did not know")
	}
}

// TestRule44AnAdmissionThatCameTooLateGaveItsKeys: in one partition a device is
// let in with keys, in another it is removed.
func TestRule44AnAdmissionThatCameTooLateGaveItsKeys(t *testing.T) {
	x := newWorld(t)
	ada := newPC("ada")
	x.letIn(x.founder, ada, Admin)
	bob := newPC("bob")
	for _, again := range []bool{false, true} {
		before := x.state()
		payload, err := before.Admit(ada.card.Sign, x.keysOf(ada), x.input(bob, Member))
		must0(t, err)
		x.writeRefs(x.founder, encodePayload(removalOf(bob)), before.Heads())
		a := x.writeRefs(ada, payload, before.Heads())
		x.wantWhy(a, "dead")
		if s := x.state(); !s.Stale(log.Everyone(x.w)) {
			t.Error("the removed holds the key, and it is not stale")
		}
		if again {
			break
		}
		x.rotate(x.founder, log.Everyone(x.w), 5)
		bob = newPC("bob again")
	}
	// Who knew of the removal makes nothing stale.
	x.rotate(x.founder, log.Everyone(x.w), 6)
	op := admission(bob, Member)
	n, key, _ := x.state().Current(log.Everyone(x.w))
	op.Wraps = []Wrap{{Epoch: n, Key: key}, {Space: Network, Epoch: n, Key: key}}
	x.wantWhy(x.now(ada, op), "dead")
	if x.state().Stale(log.Everyone(x.w)) {
		t.Error("stale by copies for one known to be removed")
	}
}

func TestRule44OneWhoRotatesUnawareIsFollowedByAnother(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob")
	x.repair(x.founder)
	everyone := log.Everyone(x.w)
	known := x.state()
	payloads, err := known.Rotate(all[0].card.Sign, x.keysOf(all[0]), rnd(), everyone)
	must0(t, err)
	x.writeRefs(x.founder, encodePayload(removalOf(all[1], all[1].end())), known.Heads())
	x.writeRefs(all[0], payloads[0], known.Heads())
	if !x.state().Stale(everyone) {
		t.Error("the removed has the new key, and it is not stale")
	}
}

func TestRule45TheNetworkKeyForGuestsAndCarriers(t *testing.T) {
	x := newWorld(t)
	bob := x.team(Member, "bob")[0]
	everyone := log.Everyone(x.w)
	guest := newPC("guest")
	s := x.letIn(x.founder, guest, Guest)
	_, id, _ := s.Current(everyone)
	want := s.NetworkKey(x.keysOf(x.founder)[id])
	if got := x.keysOf(guest); len(got) != 1 || got[want.ID] != want || want.Space != Network {
		t.Errorf("the guest holds %v", got)
	}
	carrier := x.team(Carrier, "carrier")[0] // without keys
	if x.repair(x.founder) == 0 || !x.opens(carrier, want.ID) || !x.opens(bob, want.ID, id) {
		t.Error("the carrier does not know the network")
	}
	if x.repair(x.founder) != 0 {
		t.Error("repairs what is whole")
	}
	id = x.rotate(bob, everyone, 4)
	want = x.state().NetworkKey(x.keysOf(bob)[id])
	if !x.opens(guest, want.ID) || !x.opens(carrier, want.ID) || x.opens(guest, id) {
		t.Error("after a new key of the space of all")
	}
}

func TestRule46TheKitGetsKeys(t *testing.T) {
	x, kit := kitWorld(t)
	all := x.team(Member, "ann", "bob")
	everyone := log.Everyone(x.w)
	if len(x.state().KitKeys(kit)) != 0 || x.repair(x.founder) == 0 {
		t.Fatal("nothing to repair")
	}
	named := x.room(all[0], "Akten", nil)
	payloads, direct, err := x.state().CreateDirect(all[0].card.Sign, rnd(), all[1].person.ID)
	x.puts(all[0], payloads, err)
	for _, id := range []log.SpaceID{everyone, named, direct} {
		x.rotate(all[0], id, id[0])
	}
	s := x.state()
	keys := s.KitKeys(kit)
	for id, want := range map[log.SpaceID]bool{everyone: true, named: true, direct: false} {
		if _, key, _ := s.Current(id); (keys[key] != SpaceKey{}) != want {
			t.Errorf("the kit reads %v: %v", id, !want)
		}
		if s.Stale(id) {
			t.Errorf("stale by the kit: %v", id)
		}
	}
	// Another kit in force gets its own.
	next, err := NewKit(newRandom(9))
	must0(t, err)
	step := x.propose(x.founder, StepInput{Policy: &Policy{Need: 1, Deputies: []Deputy{next.Deputy()}}})
	x.approve(x.founder, kit.Sign(), step)
	if len(x.state().KitKeys(next)) != 0 {
		t.Fatal("the new kit has keys already")
	}
	x.repair(x.founder)
	x.repair(all[0])
	keys = x.state().KitKeys(next)
	for _, id := range []log.SpaceID{everyone, named} {
		if _, key, _ := s.Current(id); keys[key] == (SpaceKey{}) {
			t.Errorf("the new kit does not read %v", id)
		}
	}
}

func TestRule47WhoLacksAKeyGetsIt(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob")
	everyone := log.Everyone(x.w)
	_, key, _ := x.state().Current(everyone)
	payload, ok := x.state().Ask(all[0].card.Sign, nil)
	if !ok {
		t.Fatal("ann does not ask")
	}
	x.put(all[0], payload)
	if _, again := x.state().Ask(all[0].card.Sign, nil); again {
		t.Error("asks twice for the same")
	}
	if x.repair(x.founder) == 0 || !x.opens(all[0], key) || !x.opens(all[1], key) {
		t.Error("not repaired")
	}
	if x.repair(x.founder) != 0 || x.repair(all[0]) != 0 {
		t.Error("repairs once more")
	}
	if _, ok := x.state().Ask(all[0].card.Sign, x.keysOf(all[0])); ok {
		t.Error("asks for what it has")
	}
	if _, err := x.state().Repair(newPC("stranger").card.Sign, nil); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("a stranger repairs: %v", err)
	}
}
