package access

import (
	"errors"
	"testing"

	"inselnetz/crdt/log"
)

// room begins a named space.
func (x *world) room(by *pc, name string, with map[PersonID]Level) log.SpaceID {
	x.t.Helper()
	payloads, id, err := x.state().CreateSpace(by.card.Sign, newRandom(byte(len(x.entries))), SpaceInput{Name: name, Members: with})
	x.puts(by, payloads, err)
	return id
}

func levels(l Level, all ...*pc) map[PersonID]Level {
	out := map[PersonID]Level{}
	for _, p := range all {
		out[p.person.ID] = l
	}
	return out
}

// set lets persons into a space, out is who is removed from it.
func set(id log.SpaceID, with map[PersonID]Level, out ...*pc) members {
	m := members{Type: opMembers, Space: id, Name: []byte{}, Set: memberList(with), Remove: []leaver{}}
	for p := range levels(Read, out...) {
		m.Remove = append(m.Remove, leaver{Person: p, Cuts: []Cut{}})
	}
	if len(m.Remove) == 2 && comparePeople(m.Remove[0].Person, m.Remove[1].Person) > 0 {
		m.Remove[0], m.Remove[1] = m.Remove[1], m.Remove[0]
	}
	return m
}

func (x *world) wantLevels(id log.SpaceID, want string, all ...*pc) {
	x.t.Helper()
	s, got := x.state(), ""
	for _, p := range all {
		if got += " "; s.Level(id, p.card.Sign) != None {
			got += s.Level(id, p.card.Sign).String()
		} else {
			got += "-"
		}
	}
	if got != " "+want {
		x.t.Errorf("levels%s, want %s", got, want)
	}
}

func TestRule32GuestsChangeNothing(t *testing.T) {
	x := newWorld(t)
	bob := x.team(Member, "bob")[0]
	guest, carrier := x.team(Guest, "guest")[0], x.team(Carrier, "carrier")[0]
	id := x.room(bob, "Akten", levels(Write, guest, carrier))
	_, key, _ := x.state().Current(id)
	for _, p := range []*pc{guest, carrier} {
		x.wantWhy(x.now(p, beginSpace{Type: opSpace, Kind: Named, Name: make([]byte, nameOverhead), Members: []member{}, Key: firstKey{Wraps: []deviceWrap{}}}), "not-allowed")
		x.wantWhy(x.now(p, set(id, nil, p)), "not-allowed")
		x.wantWhy(x.now(p, newKey{Type: opKey, Space: id, Epoch: 2, ID: log.KeyID{1}, Prevs: []oldKey{{ID: key}}, Wraps: []deviceWrap{}}), "not-allowed")
		x.wantWhy(x.now(p, moreWraps{Type: opWraps, Space: id, Epoch: 1, ID: key, Wraps: []deviceWrap{}}), "not-allowed")
		x.wantWhy(x.now(p, moreWraps{Type: opWraps, Space: Network, Epoch: 1, ID: key, Wraps: []deviceWrap{}}), "not-allowed")
		x.wantWhy(x.now(p, erase{Type: opErase, Space: id, Refs: []erasedRef{{Device: p.card.Sign, Seq: 1}}}), "not-allowed")
		x.wantWhy(x.now(p, ask{Type: opAsk, Keys: []log.KeyID{}}, facts{Type: opFacts, Disk: 1}), "+ +")
	}
}

func TestRule32WhoIsOutSaysNothingInSpaces(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob")
	id := x.room(all[0], "Akten", levels(Manage, all[1]))
	before := all[1].last
	x.now(all[1], set(id, levels(Read, x.founder)))
	x.now(x.founder, removalOf(all[1], all[1].end()))
	x.wantWhy(x.now(all[1], set(id, nil, x.founder)), "cut")
	back := all[1].fork(before)
	x.wantWhy(x.now(back, set(id, nil, x.founder)), "cut")
	x.wantLevels(id, "read manage -", x.founder, all[0], all[1])
	// A stranger, and one who did not know that it was in.
	early := x.join(newPC("early"))
	a := x.write(early, encodePayload(beginSpace{Type: opSpace, Kind: Named, Name: make([]byte, nameOverhead), Members: []member{}, Key: firstKey{Wraps: []deviceWrap{}}}), x.genesis())
	x.now(x.founder, admission(early, Member))
	x.wantWhy(a, "outsider")
}

func TestRule33ADirectSpaceIsOfTwo(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob", "cy")
	ann, bob, cy := all[0], all[1], all[2]
	s := x.state()
	a, id, err := s.CreateDirect(ann.card.Sign, rnd(), bob.person.ID)
	must0(t, err)
	b, id2, err := s.CreateDirect(bob.card.Sign, newRandom(7), ann.person.ID)
	must0(t, err)
	if id != id2 || id != DirectID(x.w, ann.person.ID, bob.person.ID) {
		t.Fatal("two spaces of the same two")
	}
	known := s.Heads()
	x.writeRefs(ann, a[0], known)
	x.writeRefs(bob, b[0], known)
	x.wantLevels(id, "write write - -", ann, bob, cy, x.founder)
	if got := x.keysOf(ann); len(got) != 2 { // both that were begun
		t.Errorf("ann holds %d keys", len(got))
	}
	x.wantWhy(x.now(ann, set(id, levels(Read, cy))), "not-allowed")
	x.wantWhy(x.now(x.founder, set(id, levels(Manage, x.founder))), "not-allowed")
	begin := beginSpace{Type: opSpace, Kind: Direct, Name: []byte{}, Members: memberList(levels(Write, ann, bob)), Key: firstKey{ID: log.KeyID{5}, Wraps: []deviceWrap{}}}
	x.wantWhy(x.now(cy, begin), "not-allowed")
	if p, id3, err := x.state().CreateDirect(ann.card.Sign, rnd(), bob.person.ID); p != nil || id3 != id || err != nil {
		t.Error("begun once more")
	}
}

func TestRule33ANamedSpaceIsItsCreators(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob")
	id := x.room(all[0], "Akten", nil)
	op := x.state().graph.order[len(x.state().graph.order)-1].ops[0].(*beginSpace)
	copied := *op
	x.now(all[1], copied) // the same words by another make another space
	s := x.state()
	if len(s.Spaces) != 2 || s.Spaces[id].Creator != all[0].person.ID || s.Spaces[id].Kind != Named {
		t.Errorf("spaces %v", s.Spaces)
	}
	x.wantLevels(id, "manage - -", all[0], all[1], x.founder)
}

func TestRule34JuniorsDoNotRemoveSeniorsFromASpace(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob", "cy", "dan")
	ann, bob, cy, dan := all[0], all[1], all[2], all[3]
	id := x.room(ann, "Akten", levels(Read, dan))
	x.now(ann, set(id, levels(Manage, bob)))
	x.now(bob, set(id, levels(Manage, cy)))
	x.wantWhy(x.now(bob, set(id, nil, ann)), "senior")
	x.wantWhy(x.now(cy, set(id, nil, bob)), "senior")
	x.wantWhy(x.now(dan, set(id, nil, cy)), "not-allowed")
	x.wantWhy(x.now(x.founder, set(id, nil, ann)), "not-allowed") // an owner, but not here
	x.wantLevels(id, "manage manage manage read", ann, bob, cy, dan)
	x.wantWhy(x.now(bob, set(id, nil, cy)), "+")
	x.wantWhy(x.now(cy, set(id, nil, dan)), "not-allowed")
	x.wantLevels(id, "manage manage - read", ann, bob, cy, dan)
}

func TestRule34OneOfTwoManagersWhoRemoveEachOtherRemains(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob", "cy")
	id := x.room(all[0], "Akten", nil)
	x.now(all[0], set(id, levels(Manage, all[1])))
	x.now(all[0], set(id, levels(Manage, all[2])))
	known := x.state().Heads()
	x.writeRefs(all[1], encodePayload(set(id, nil, all[2])), known)
	x.writeRefs(all[2], encodePayload(set(id, nil, all[1])), known)
	x.wantLevels(id, "manage manage -", all...)
}

func TestRule35ARemovalEndsWhatDoesNotBuildOnIt(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob", "cy", "dan")
	ann, bob, cy, dan := all[0], all[1], all[2], all[3]
	id := x.room(ann, "Akten", levels(Manage, bob))
	x.now(bob, set(id, levels(Write, cy))) // ann knows of it
	known := x.state().Heads()
	late := x.writeRefs(bob, encodePayload(set(id, levels(Write, dan))), known)
	x.writeRefs(ann, encodePayload(set(id, nil, bob)), known)
	x.wantLevels(id, "manage - write -", ann, bob, cy, dan)
	x.wantWhy(late, "not-allowed")
	x.now(ann, set(id, levels(Write, bob)))
	x.wantLevels(id, "manage write write -", ann, bob, cy, dan)
}

func TestRule35RemovedAndSetIsLowered(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob")
	id := x.room(all[0], "Akten", levels(Manage, all[1]))
	x.now(all[0], set(id, levels(Read, all[1]))) // alone it takes nothing
	x.wantLevels(id, "manage manage", all...)
	x.now(all[0], set(id, levels(Read, all[1]), all[1]))
	x.wantLevels(id, "manage read", all...)
	payloads, err := x.state().ChangeSpace(all[0].card.Sign, x.keysOf(all[0]), rnd(), SpaceChange{Space: id, Set: levels(Write, all[1])})
	x.puts(all[0], payloads, err)
	payloads, err = x.state().ChangeSpace(all[0].card.Sign, x.keysOf(all[0]), rnd(), SpaceChange{Space: id, Set: levels(Read, all[1])})
	x.puts(all[0], payloads, err)
	x.wantLevels(id, "manage read", all...)
}

func TestRule35ContentEndsUntilLetInAgain(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob")
	id := x.room(all[0], "Akten", levels(Write, all[1]))
	c := x.content(all[1], id)
	other := c
	other.Incarnation[0] = 1
	x.now(all[0], members{Type: opMembers, Space: id, Name: []byte{}, Set: []member{}, Remove: []leaver{{Person: all[1].person.ID, Cuts: []Cut{at(c, 4)}}}})
	s := x.state()
	if got, ok := s.Limit(c); !ok || got != at(c, 4) {
		t.Errorf("ends at %+v, %v", got, ok)
	}
	if got, ok := s.Limit(other); !ok || got != at(other, 0) {
		t.Errorf("a log nobody knew ends at %+v, %v", got, ok)
	}
	if _, ok := s.Limit(x.content(all[1], log.Everyone(x.w))); ok {
		t.Error("the removal reaches into another space")
	}
	x.now(all[0], set(id, levels(Write, all[1])))
	if got, ok := x.state().Limit(other); ok {
		t.Errorf("let in again it ends at %+v", got)
	}
}

func TestRule35ASeniorLetsInAgainWhomAJuniorRemoved(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob", "cy")
	id := x.room(all[0], "Akten", levels(Manage, all[1]))
	x.now(all[0], set(id, levels(Write, all[2])))
	x.now(all[1], set(id, nil, all[2]))
	payloads, err := x.state().ChangeSpace(all[0].card.Sign, x.keysOf(all[0]), rnd(), SpaceChange{Space: id, Set: levels(Write, all[2])})
	x.puts(all[0], payloads, err)
	x.wantLevels(id, "manage manage write", all...)
}

func TestRule36EverybodyMayLeave(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob", "cy")
	ann, bob, cy := all[0], all[1], all[2]
	id := x.room(ann, "Akten", levels(Read, bob, cy))
	x.now(ann, set(id, levels(Manage, cy)))
	x.wantWhy(x.now(bob, set(id, nil, bob)), "+")
	x.wantWhy(x.now(ann, set(id, nil, ann)), "+")
	x.wantLevels(id, "- - manage", all...)
	x.wantWhy(x.now(cy, set(id, levels(Write, bob))), "+")
	x.wantLevels(id, "- write manage", all...)
}

func TestRule20LeavingASpaceVoidsNothing(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob", "cy")
	ann, bob, cy := all[0], all[1], all[2]
	id := x.room(ann, "Akten", levels(Manage, bob, cy))
	begin := ann.last
	x.now(ann, set(id, nil, bob))
	back := ann.fork(begin)
	x.now(back, set(id, nil, ann))
	x.wantLevels(id, "- - manage", all...)
}

func TestRule37OwnersAndAdminsHandOver(t *testing.T) {
	x := newWorld(t)
	ada := x.team(Admin, "ada")[0]
	all := x.team(Member, "ann", "bob", "cy")
	ann, bob, cy := all[0], all[1], all[2]
	id := x.room(ann, "Akten", levels(Write, bob))
	x.wantWhy(x.now(ada, set(id, levels(Manage, ada))), "not-allowed")
	x.wantWhy(x.now(ada, set(id, levels(Manage, cy))), "not-allowed")
	x.wantWhy(x.now(ada, set(id, levels(Write, cy))), "not-allowed")
	x.wantWhy(x.now(bob, set(id, levels(Manage, bob))), "not-allowed")
	x.wantWhy(x.now(ada, set(id, levels(Manage, bob), ann)), "+") // hands over, removes nobody
	x.wantLevels(id, "- manage manage -", ada, ann, bob, cy)
	x.wantWhy(x.now(bob, set(id, nil, ann)), "senior")
	x.wantWhy(x.now(bob, set(id, levels(Read, cy))), "+")
	x.wantWhy(x.now(ada, set(id, levels(Manage, cy))), "+") // whom that made a member
	x.wantLevels(id, "- manage manage manage", ada, ann, bob, cy)
}

func TestRule38LevelsByRole(t *testing.T) {
	x := newWorld(t)
	ada, bob := x.team(Admin, "ada")[0], x.team(Member, "bob")[0]
	guest, carrier := x.team(Guest, "guest")[0], x.team(Carrier, "carrier")[0]
	all := []*pc{x.founder, ada, bob, guest, carrier}
	id := x.room(bob, "Akten", levels(Manage, guest, carrier))
	x.wantLevels(id, "- - manage write -", all...)
	x.wantLevels(log.Everyone(x.w), "manage manage write - -", all...)
	x.wantLevels(log.Control, "manage manage write read read", all...)
	s := x.state()
	if n := len(s.Readers(id)); n != 2 {
		t.Errorf("%d read the space", n)
	}
	if a, b, c := len(s.Readers(log.Everyone(x.w))), len(s.Readers(log.Control)), len(s.Readers(Network)); a != 3 || b != 5 || c != 5 {
		t.Errorf("%d, %d and %d read", a, b, c)
	}
	if s.PersonLevel(id, guest.person.ID) != Write || s.PersonLevel(log.Everyone(x.w), bob.person.ID) != Write {
		t.Error("levels of persons")
	}
	x.wantWhy(x.now(guest, set(id, nil, carrier)), "not-allowed")
	x.now(x.founder, admission(guest, Member)) // no longer a guest
	x.wantWhy(x.now(guest, set(id, levels(Read, x.founder))), "+")
}

func TestRule39TheNameOfASpace(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob")
	id := x.room(all[0], "Akten Müller", nil)
	name := func(p *pc) string { n, _ := x.state().SpaceName(id, x.keysOf(p)); return n }
	if name(all[0]) != "Akten Müller" || name(all[1]) != "" {
		t.Errorf("names %q, %q", name(all[0]), name(all[1]))
	}
	renamed := "Akten"
	payloads, err := x.state().ChangeSpace(all[0].card.Sign, x.keysOf(all[0]), rnd(), SpaceChange{Space: id, Name: &renamed, Set: levels(Read, all[1])})
	x.puts(all[0], payloads, err)
	if name(all[0]) != "Akten" || name(all[1]) != "Akten" {
		t.Errorf("names %q, %q", name(all[0]), name(all[1]))
	}
	if _, err := x.state().ChangeSpace(all[1].card.Sign, x.keysOf(all[1]), rnd(), SpaceChange{Space: id, Name: &renamed}); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("a reader renames: %v", err)
	}
	if len(x.state().Spaces[id].Name) != nameOverhead+namePad {
		t.Error("the length tells of the name")
	}
}

func TestRule48WhoMayErase(t *testing.T) {
	x := newWorld(t)
	ada := x.team(Admin, "ada")[0]
	all := x.team(Member, "ann", "bob", "cy")
	ann, bob, cy := all[0], all[1], all[2]
	phone := x.second(bob, "phone")
	x.now(x.founder, admission(phone, Member))
	named := x.room(ann, "Akten", levels(Write, bob))
	payloads, direct, err := x.state().CreateDirect(ann.card.Sign, rnd(), bob.person.ID)
	x.puts(ann, payloads, err)
	everyone := log.Everyone(x.w)
	for name, tt := range map[string]struct {
		by    *pc
		space log.SpaceID
		ok    bool
	}{
		"own":                          {bob, named, true},
		"own, by another device":       {phone, named, true},
		"own, in the space of all":     {bob, everyone, true},
		"own, in a direct space":       {bob, direct, true},
		"by the space's manager":       {ann, named, true},
		"by the other of two":          {ann, direct, false},
		"by an owner, elsewhere":       {x.founder, named, false},
		"by an owner, in a direct one": {x.founder, direct, false},
		"by an admin, of all":          {ada, everyone, true},
		"by a member, of all":          {ann, everyone, false},
		"by a stranger to the space":   {cy, named, false},
		"in no space":                  {ann, log.SpaceID{9}, false},
	} {
		t.Run(name, func(t *testing.T) {
			ref := ErasedRef{Card: x.content(bob, tt.space), Seq: 3, Hash: log.Hash{1}}
			s := x.state()
			payload, err := s.Erase(tt.by.card.Sign, tt.space, []ErasedRef{ref})
			if (err == nil) != tt.ok {
				t.Fatalf("Erase = %v", err)
			}
			if err == nil {
				after, err := s.try(tt.by.card.Sign, payload)
				if err != nil || !after.Erased(ref.Card, 3, log.Hash{1}) || after.Erased(ref.Card, 4, log.Hash{1}) || len(after.ErasedRefs()) != 1 || after.ErasedRefs()[0] != ref {
					t.Errorf("erased %v, %v", after.ErasedRefs(), err)
				}
				return
			}
			op := erase{Type: opErase, Space: s.named(tt.space), Refs: []erasedRef{{Device: bob.card.Sign, Seq: 3, Hash: log.Hash{1}}}}
			if after, err := s.try(tt.by.card.Sign, encodePayload(op)); err == nil || after != nil && after.Erased(ref.Card, 3, log.Hash{1}) {
				t.Error("it counts")
			}
		})
	}
	if _, err := x.state().Erase(x.founder.card.Sign, log.Control, []ErasedRef{{Card: bob.log, Seq: 1}}); err == nil {
		t.Error("erases control entries")
	}
}

func TestRule49ChangesAreBounded(t *testing.T) {
	x := newWorld(t)
	all := x.team(Member, "ann", "bob")
	id := x.room(all[0], "Akten", nil)
	var ops []any
	for range 40 {
		ops = append(ops, set(id, levels(Write, all[1]), all[1]))
	}
	known := x.state().Heads()
	for range 4 { // 320 changes
		x.writeRefs(all[0], encodePayload(ops...), known)
	}
	st := x.state().spaces[id].people[all[1].person.ID]
	if n := len(st.grants) + len(st.ends); n != maxChanges {
		t.Errorf("%d changes are held", n)
	}
	x.wantWhy(x.now(all[0], set(id, nil, all[1])), "too-many")
	x.wantWhy(x.now(all[0], set(id, nil, x.founder)), "+") // of others it goes on
}
