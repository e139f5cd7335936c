package access

import (
	"testing"

	"inselnetz/crdt/log"
)

func TestRule3GuestsAndCarriersAreLetInByAdmins(t *testing.T) {
	x := newWorld(t)
	ann := x.team(Admin, "ann")[0]
	g, c, n := newPC("guest"), newPC("carrier"), newPC("new")
	x.now(ann, admission(x.join(g), Guest))
	x.now(ann, admission(x.join(c), Carrier))
	for _, p := range []*pc{g, c} {
		x.wantWhy(x.now(p, admission(n, Guest)), "not-allowed")
	}
	wantIn(t, x, "guest guest,carrier carrier,", g, c, n)
}

func TestRule4AdmittingAgainRaises(t *testing.T) {
	x := newWorld(t)
	ann, bob := x.team(Admin, "ann")[0], x.team(Member, "bob")[0]
	x.wantWhy(x.now(ann, admission(bob, Member)), "no-change")
	x.wantWhy(x.now(ann, admission(bob, Admin)), "+")
	x.wantWhy(x.now(bob, admission(newPC("cy"), Member)), "+")
	x.wantWhy(x.now(ann, admission(bob, Member)), "no-change")
	wantIn(t, x, "bob admin,", bob)
	if d := x.state().Devices[bob.card.Sign]; d.By != x.founder.card.Sign || d.Rank != 2 {
		t.Errorf("bob: by %v, rank %d", d.By, d.Rank)
	}
}

func TestRule4AnotherPersonsKeysAreNotRaised(t *testing.T) {
	x := newWorld(t)
	bob := x.team(Member, "bob")[0]
	as := admission(bob, Admin)
	as.Person = newPC("eve").person
	x.wantWhy(x.now(x.founder, as), "known")
	wantIn(t, x, "bob member,", bob)
}

func TestRule5AllOwnersComeBeforeAdmins(t *testing.T) {
	x := newWorld(t)
	ann := x.team(Admin, "ann")[0]
	olga := x.team(Owner, "olga")[0]
	// Both remove each other, neither knowing of it.
	known := x.state().Heads()
	x.writeRefs(ann, encodePayload(removalOf(olga)), known)
	x.writeRefs(olga, encodePayload(removalOf(ann, ann.end())), known)
	wantIn(t, x, "olga owner,", ann, olga)
}

func TestRule5OneOfTwoWhoRemoveEachOtherRemains(t *testing.T) {
	x := newWorld(t)
	all := x.team(Admin, "ann", "bob")
	known := x.state().Heads()
	a := x.writeRefs(all[0], encodePayload(removalOf(all[1], all[1].end())), known)
	b := x.writeRefs(all[1], encodePayload(removalOf(all[0], all[0].end())), known)
	wantIn(t, x, "ann admin,", all...)
	x.wantWhy(a, "+")
	x.wantWhy(b, "cut")
}

func TestRule6EitherOfTwoAdmissionsWillDo(t *testing.T) {
	x := newWorld(t)
	all := x.team(Admin, "ann", "bob")
	cy, dan := newPC("cy"), newPC("dan")
	known := x.state().Heads()
	x.writeRefs(all[0], encodePayload(admission(x.join(cy), Admin)), known)
	second := x.writeRefs(all[1], encodePayload(admission(cy, Admin)), known)
	x.write(cy, encodePayload(admission(dan, Member)), second) // never heard of the first
	x.wantWhy(second, "no-change")
	wantIn(t, x, "cy admin,dan member,", cy, dan)
}

func TestRule12ACutNamesTheBranchThatCounts(t *testing.T) {
	x := newWorld(t)
	ann := x.team(Admin, "ann")[0]
	first := ann.last
	left := ann.fork(first)
	right := ann.fork(first)
	known := x.state().Heads()
	bob, cy := newPC("bob"), newPC("cy")
	x.writeRefs(left, encodePayload(admission(bob, Member)), known)
	x.writeRefs(right, encodePayload(admission(cy, Member)), known)
	wantIn(t, x, "bob member,cy member,", bob, cy)
	x.now(x.founder, cut{Type: opCut, Device: ann.card.Sign, Cuts: []Cut{right.end()}})
	wantIn(t, x, "cy member,", bob, cy)
	x.now(x.founder, cut{Type: opCut, Device: ann.card.Sign, Cuts: []Cut{left.end()}})
	wantIn(t, x, "cy member,", bob, cy)
}

func TestRule12ACutOfWhatIsNotHeldLeavesNothing(t *testing.T) {
	for name, change := range map[string]func(*Cut){
		"unknown hash":          func(c *Cut) { c.Hash[3]++ },
		"above the end":         func(c *Cut) { c.Seq += 5 },
		"another entry's place": func(c *Cut) { c.Seq-- },
		"another log's entry":   func(c *Cut) { c.Log[0]++ },
		"nothing":               func(c *Cut) { c.Seq, c.Hash = 0, log.Hash{} },
	} {
		t.Run(name, func(t *testing.T) {
			x := newWorld(t)
			ann := x.team(Admin, "ann")[0]
			bob := newPC("bob")
			x.now(ann, facts{Type: opFacts})
			x.now(ann, admission(bob, Member))
			end := ann.end()
			change(&end)
			x.now(x.founder, removalOf(ann, end))
			wantNot(t, x, ann, bob)
		})
	}
}

func TestRule16ALoweringCapsWhatDidNotKnowOfIt(t *testing.T) {
	x := newWorld(t)
	ann, bob := x.team(Admin, "ann")[0], x.team(Member, "bob")[0]
	known := x.state().Heads()
	x.writeRefs(x.founder, encodePayload(loweringOf(bob, Guest)), known)
	a := x.writeRefs(ann, encodePayload(admission(bob, Admin)), known)
	wantIn(t, x, "bob guest,", bob)
	x.wantWhy(a, "no-change")
	x.wantWhy(x.now(ann, admission(bob, Member)), "+") // knows of it
	wantIn(t, x, "bob member,", bob)
	x.wantWhy(x.now(x.founder, loweringOf(bob, Member)), "no-change")
}

// TestRule16ASeniorLowersWhomAJuniorRaised: the lowering is read before the
// raising that it knows of.
func TestRule16ASeniorLowersWhomAJuniorRaised(t *testing.T) {
	x := newWorld(t)
	ann, bob := x.team(Admin, "ann")[0], x.team(Member, "bob")[0]
	x.now(ann, admission(bob, Admin))
	x.wantWhy(x.now(x.founder, loweringOf(bob, Member)), "+")
	wantIn(t, x, "bob member,", bob)
	x.wantWhy(x.now(ann, admission(bob, Admin)), "+")
	x.now(ann, loweringOf(bob, Guest))
	x.wantWhy(x.now(x.founder, admission(bob, Member)), "+") // and raises whom a junior lowered
	wantIn(t, x, "bob member,", bob)
}

func TestRule16ALoweringWaitsForItsDevice(t *testing.T) {
	x := newWorld(t)
	ann, bob := x.team(Admin, "ann")[0], newPC("bob")
	known := x.state().Heads()
	x.writeRefs(x.founder, encodePayload(loweringOf(bob, Member)), known) // the founder heard of bob elsewhere
	x.writeRefs(ann, encodePayload(admission(x.join(bob), Admin)), known)
	cy := newPC("cy")
	x.now(bob, admission(cy, Member))
	wantIn(t, x, "bob member,", bob, cy)
}

func TestRule17JuniorsDoNotTouchSeniors(t *testing.T) {
	x := newWorld(t)
	all := x.team(Admin, "ann", "bob")
	olga := x.team(Owner, "olga")[0]
	for _, by := range []*pc{all[1], all[0]} {
		for _, of := range []*pc{x.founder, olga, all[0]} {
			if by == of {
				continue
			}
			x.wantWhy(x.now(by, removalOf(of)), "senior")
			x.wantWhy(x.now(by, loweringOf(of, Member)), "senior")
			x.wantWhy(x.now(by, cut{Type: opCut, Device: of.card.Sign, Cuts: []Cut{of.end()}}), "senior")
		}
	}
	x.wantWhy(x.now(olga, removalOf(x.founder)), "senior")
	wantIn(t, x, "founder owner,ann admin,bob admin,olga owner,", x.founder, all[0], all[1], olga)
	x.wantWhy(x.now(all[0], loweringOf(all[1], Member, all[1].end())), "+")
	x.wantWhy(x.now(olga, removalOf(all[0], all[0].end())), "+")
	wantIn(t, x, "bob member,", all...)
}

func TestRule18ARemovedKeyNeverComesBack(t *testing.T) {
	x := newWorld(t)
	ann, bob := x.team(Admin, "ann")[0], x.team(Member, "bob")[0]
	before := x.state().Heads()
	x.now(x.founder, removalOf(bob, bob.end()))
	x.wantWhy(x.now(x.founder, admission(bob, Owner)), "dead")
	x.wantWhy(x.now(ann, admission(bob, Member)), "dead")
	x.wantWhy(x.writeRefs(ann, encodePayload(admission(bob, Admin)), before), "dead")
	wantNot(t, x, bob)
	s := x.state()
	d, ok := s.Known(bob.card.Sign)
	if !ok || d.Removed == nil || d.Removed.By != x.founder.card.Sign || d.Removed.Clock == 0 || s.People[bob.person.ID].Name != "bob" {
		t.Errorf("of bob is known %+v", d)
	}
	again := x.second(bob, "bob again")
	x.wantWhy(x.now(ann, admission(again, Member)), "+")
}

func TestRule18AKeyCanBeRemovedInAdvance(t *testing.T) {
	x := newWorld(t)
	ann, bob := x.team(Admin, "ann")[0], newPC("bob")
	known := x.state().Heads()
	x.now(x.founder, removalOf(bob))
	x.wantWhy(x.writeRefs(ann, encodePayload(admission(x.join(bob), Admin)), known), "dead")
	x.now(bob, admission(newPC("cy"), Member))
	wantNot(t, x, bob, newPC("cy"))
}

func TestRule19WorkBeforeTheCutCounts(t *testing.T) {
	x := newWorld(t)
	ann := x.team(Admin, "ann")[0]
	bob, cy, dan := newPC("bob"), newPC("cy"), newPC("dan")
	x.now(ann, admission(x.join(bob), Admin))
	x.now(bob, admission(cy, Member))
	end := ann.end()
	x.now(x.founder, removalOf(ann, end))
	x.wantWhy(x.now(ann, admission(dan, Member)), "cut")
	// Another log of the same key, dated back.
	ghost := ann.fork(log.Height{})
	ghost.log.Incarnation = log.Incarnation{7}
	x.write(ghost, encodePayload(admission(dan, Member)), x.entries[1])
	wantIn(t, x, "bob admin,cy member,", ann, bob, cy, dan)
	// A later removal moves nothing.
	x.wantWhy(x.now(bob, removalOf(ann, ann.end())), "dead")
	wantNot(t, x, dan)
}

func TestRule19ASeniorRemovesWhomAJuniorLetIn(t *testing.T) {
	x := newWorld(t)
	ann := x.team(Admin, "ann")[0]
	bob, cy := newPC("bob"), newPC("cy")
	x.now(ann, admission(x.join(bob), Admin))
	x.now(bob, admission(cy, Member))
	x.now(x.founder, removalOf(bob, bob.end())) // read before ann's admission of bob
	wantIn(t, x, "cy member,", bob, cy)
	if d, ok := x.state().Gone[bob.card.Sign]; !ok || d.Role != Admin {
		t.Errorf("bob is gone as %+v", d)
	}
}

func TestRule19ALoweredAdminCountsUpToTheCut(t *testing.T) {
	x := newWorld(t)
	ann := x.team(Admin, "ann")[0]
	bob, cy := newPC("bob"), newPC("cy")
	x.now(ann, admission(bob, Member))
	end := ann.end()
	late := x.now(ann, admission(cy, Member))
	x.now(x.founder, loweringOf(ann, Member, end))
	wantIn(t, x, "ann member,bob member,", ann, bob, cy)
	x.wantWhy(late, "not-allowed")
}

func TestRule20SelfRemovalEndsOnlyWhatBuildsOnIt(t *testing.T) {
	x := newWorld(t)
	all := x.team(Admin, "ann", "bob")
	ann, bob := all[0], all[1]
	begin := ann.last
	x.now(ann, removalOf(bob, bob.end()))
	back := ann.fork(begin)
	x.write(back, encodePayload(removalOf(ann)), x.entries[1]) // dated back, cuts nothing of it
	wantNot(t, x, ann, bob)
	x.wantWhy(x.now(back, admission(newPC("cy"), Member)), "cut")
}

func TestRule20SelfLoweringEndsOnlyWhatBuildsOnIt(t *testing.T) {
	x := newWorld(t)
	ann := x.team(Owner, "ann")[0]
	bob, cy, dan := newPC("bob"), newPC("cy"), newPC("dan")
	x.now(ann, admission(bob, Owner))
	x.now(ann, loweringOf(ann, Admin))
	x.wantWhy(x.now(ann, admission(cy, Owner)), "not-allowed")
	x.wantWhy(x.now(ann, admission(dan, Member)), "+")
	wantIn(t, x, "ann admin,bob owner,dan member,", ann, bob, cy, dan)
}

func TestRule21ALoweredOwnerGoesOnAsAdmin(t *testing.T) {
	x := newWorld(t)
	olga := x.team(Owner, "olga")[0]
	bob, cy, dan, eve := newPC("bob"), newPC("cy"), newPC("dan"), newPC("eve")
	x.now(olga, admission(bob, Owner))
	x.now(x.founder, loweringOf(olga, Admin, olga.end()))
	unaware := olga.fork(olga.last)
	x.writeRefs(unaware, encodePayload(admission(cy, Member)), nil)
	x.now(olga, admission(dan, Member))
	x.wantWhy(x.now(olga, admission(eve, Owner)), "not-allowed")
	wantIn(t, x, "olga admin,bob owner,dan member,", olga, bob, cy, dan, eve)
}

func TestRule22ContentEndsAtTheFurthestCut(t *testing.T) {
	x := newWorld(t)
	all := x.team(Admin, "ann", "bob")
	everyone := log.Everyone(x.w)
	cy := x.team(Member, "cy")[0]
	c := x.content(cy, everyone)
	other := c
	other.Incarnation[0] = 1
	limit := func(c log.Card, want Cut) {
		t.Helper()
		if got, ok := x.state().Limit(c); !ok || got != want {
			t.Errorf("ends at %+v, %v, want %+v", got, ok, want)
		}
	}
	if _, ok := x.state().Limit(c); ok {
		t.Error("the log of a member ends")
	}
	x.now(all[0], removalOf(cy, at(c, 5)))
	limit(c, at(c, 5))
	limit(other, at(other, 0)) // the space is covered
	x.now(all[1], cut{Type: opCut, Device: cy.card.Sign, Cuts: []Cut{at(c, 3)}})
	limit(c, at(c, 5))
	x.now(all[1], cut{Type: opCut, Device: cy.card.Sign, Cuts: []Cut{at(c, 9)}})
	limit(c, at(c, 9)) // adopted
	x.wantWhy(x.now(all[1], removalOf(cy, at(other, 2))), "dead")
	limit(other, at(other, 2)) // the cuts of a second removal count
}

func TestRule22OthersCoverSpacesTheRemoverIsNotIn(t *testing.T) {
	x := newWorld(t)
	ann := x.team(Admin, "ann")[0]
	team := x.team(Member, "bob", "cy", "dan")
	bob, cy, dan := team[0], team[1], team[2]
	payloads, id, err := x.state().CreateDirect(bob.card.Sign, rnd(), cy.person.ID)
	x.puts(bob, payloads, err)
	direct, all := x.content(cy, id), x.content(cy, log.Everyone(x.w))
	x.now(ann, removalOf(cy, at(all, 2)))
	if c, ok := x.state().Limit(direct); ok {
		t.Errorf("an unknown space ends at %+v", c)
	}
	adopt := func(by *pc, c Cut) string {
		return x.why(x.now(by, cut{Type: opCut, Device: cy.card.Sign, Cuts: []Cut{c}}))
	}
	if got := adopt(dan, at(direct, 4)); got != "not-allowed" {
		t.Errorf("a stranger to the space cuts it: %s", got)
	}
	if got := adopt(bob, at(direct, 4)) + adopt(bob, at(all, 8)); got != "+not-allowed" {
		t.Errorf("bob's cuts: %s", got)
	}
	s := x.state()
	if c, ok := s.Limit(direct); !ok || c != at(direct, 4) {
		t.Errorf("direct space ends at %+v, %v", c, ok)
	}
	if c, _ := s.Limit(all); c != at(all, 2) {
		t.Errorf("covered space ends at %+v", c)
	}
	x.now(ann, cut{Type: opCut, Device: cy.card.Sign, Cuts: []Cut{{Space: id}}}) // covers, names nothing
	if c, ok := x.state().Limit(direct); !ok || c != at(direct, 0) {
		t.Errorf("covered by an admin it ends at %+v, %v", c, ok)
	}
}

func TestRule23ACutEndsALogOfADeviceThatIsIn(t *testing.T) {
	x := newWorld(t)
	ann, bob := x.team(Admin, "ann")[0], x.team(Member, "bob")[0]
	c := x.content(bob, log.Everyone(x.w))
	known := x.state().Heads()
	x.writeRefs(ann, encodePayload(cut{Type: opCut, Device: bob.card.Sign, Cuts: []Cut{at(c, 9)}}), known)
	x.writeRefs(x.founder, encodePayload(cut{Type: opCut, Device: bob.card.Sign, Cuts: []Cut{at(c, 5)}}), known)
	s := x.state()
	if got, ok := s.Limit(c); !ok || got != at(c, 5) {
		t.Errorf("ends at %+v", got)
	}
	other := c
	other.Incarnation[0] = 1
	if got, ok := s.Limit(other); ok {
		t.Errorf("a log without a cut ends at %+v", got)
	}
	x.wantWhy(x.now(bob, cut{Type: opCut, Device: ann.card.Sign, Cuts: []Cut{at(c, 5)}}), "not-allowed")
}

func TestRule23OneDoesNotCutOnesOwnControlLog(t *testing.T) {
	x := newWorld(t)
	ann := x.team(Admin, "ann")[0]
	begin, bob := ann.last, newPC("bob")
	x.now(ann, admission(bob, Member))
	back := ann.fork(begin)
	x.write(back, encodePayload(cut{Type: opCut, Device: ann.card.Sign, Cuts: []Cut{{Log: ann.log.ID()}}}), x.entries[1])
	wantIn(t, x, "ann admin,bob member,", ann, bob)
}

func TestRule24AGuestsAccessEnds(t *testing.T) {
	x := newWorld(t)
	all := x.team(Admin, "ann", "bob")
	guest := x.team(Guest, "guest")[0]
	end := func() int64 { return x.state().Devices[guest.card.Sign].Until }
	set := func(by *pc, ms uint64, ctl []log.Ref) Authored {
		return x.writeRefs(by, encodePayload(until{Type: opUntil, Device: guest.card.Sign, Time: ms}), ctl)
	}
	known := x.state().Heads()
	set(all[0], 5000, known)
	set(all[1], 9000, known)
	if end() != 5000 {
		t.Errorf("ends at %d", end())
	}
	set(x.founder, 0, known) // unknown to each other: an end wins over none
	if end() != 5000 {
		t.Errorf("ends at %d", end())
	}
	set(x.founder, 9000, x.state().Heads()) // read before those it knows of
	if end() != 9000 {
		t.Errorf("known and replaced: ends at %d", end())
	}
	x.wantWhy(set(guest, 0, x.state().Heads()), "not-allowed")
}

func TestRule25ADeviceTellsOfItsDisk(t *testing.T) {
	x := newWorld(t)
	bob, guest := x.team(Member, "bob")[0], x.team(Guest, "guest")[0]
	for _, p := range []*pc{bob, guest} {
		for _, disk := range []uint64{1, 2} {
			payload, differs := x.state().Facts(p.card.Sign, disk, false)
			if !differs {
				t.Fatal("nothing to say")
			}
			x.put(p, payload)
		}
		if d := x.state().Devices[p.card.Sign]; d.Disk != 2 {
			t.Errorf("disk %d", d.Disk)
		}
	}
	if _, differs := x.state().Facts(bob.card.Sign, 2, false); differs {
		t.Error("says it again")
	}
	for _, stays := range []bool{true, false} {
		payload, differs := x.state().Facts(bob.card.Sign, 2, stays)
		if !differs {
			t.Fatal("does not say that it stays on, or no more")
		}
		x.put(bob, payload)
		if d := x.state().Devices[bob.card.Sign]; d.Disk != 2 || d.Stays != stays {
			t.Errorf("disk %d, stays %v, want 2, %v", d.Disk, d.Stays, stays)
		}
	}
}

// TestLoweringGivesNothingBack: an owner lowered to member and then, by somebody
// who knew, "to admin" manages no more.
func TestLoweringGivesNothingBack(t *testing.T) {
	x := newWorld(t)
	ada, bob := newPC("ada"), newPC("bob")
	x.letIn(x.founder, ada, Owner)
	x.letIn(x.founder, bob, Member)
	x.now(x.founder, loweringOf(ada, Member))
	x.now(x.founder, loweringOf(ada, Admin))
	if r := x.state().Devices[ada.card.Sign].Role; r != Member {
		t.Fatalf("ada is %v", r)
	}
	x.now(ada, loweringOf(bob, Guest))
	if r := x.state().Devices[bob.card.Sign].Role; r != Member {
		t.Errorf("a member lowered bob to %v", r)
	}
}
