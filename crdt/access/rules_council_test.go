package access

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"inselnetz/crdt/log"
)

// kitWorld founds an office with a recovery kit.
func kitWorld(t testing.TB) (*world, Kit) {
	t.Helper()
	kit, err := NewKit(rnd())
	must0(t, err)
	deputy := kit.Deputy()
	f := newPC("founder")
	payload, err := Found(rnd(), FoundInput{Office: "Kanzlei Sand", Person: f.person, Device: f.card, Kit: &deputy})
	must0(t, err)
	x := &world{t: t, founder: f}
	x.w = log.WorkspaceID(x.write(f, payload).Entry.Hash())
	return x, kit
}

func deputyOf(all ...*pc) Deputy {
	d := Deputy{Person: all[0].person.ID}
	for _, p := range all {
		d.Keys = append(d.Keys, p.card.Sign)
	}
	return d
}

// deputies founds an office in which ann, bob and cy, members, and the kit
// decide, three of four.
func deputies(t testing.TB) (*world, Kit, []*pc) {
	x, kit := kitWorld(t)
	team := x.team(Member, "ann", "bob", "cy")
	p := Policy{Need: 3, Deputies: []Deputy{deputyOf(team[0]), deputyOf(team[1]), deputyOf(team[2]), kit.Deputy()}}
	id := x.propose(x.founder, StepInput{Policy: &p})
	x.approve(team[0], kit.Sign(), id)
	if got, n := x.state().Policy(); n != 1 || got.Need != 3 {
		t.Fatalf("policy %+v, generation %d", got, n)
	}
	return x, kit, team
}

func (x *world) propose(by *pc, in StepInput) StepID {
	x.t.Helper()
	payload, id, err := x.state().Propose(in)
	if err != nil {
		x.t.Fatal(err)
	}
	x.put(by, payload)
	return id
}

// approve has a device write the approval by a key.
func (x *world) approve(by *pc, key ed25519.PrivateKey, id StepID) Authored {
	x.t.Helper()
	payload, err := x.state().Approve(key, id)
	if err != nil {
		x.t.Fatal(err)
	}
	return x.put(by, payload)
}

func (x *world) step(id StepID) StepState {
	for _, s := range x.state().Steps() {
		if s.ID == id {
			return s
		}
	}
	return StepState{}
}

func newOwner(p *pc) StepInput {
	return StepInput{Owners: []StepOwner{{Card: p.card, Person: p.person}}}
}

func TestRule26PoliciesAreOfMoreThanHalf(t *testing.T) {
	ann, bob := newPC("ann"), newPC("bob")
	kit, err := NewKit(rnd())
	must0(t, err)
	weak, box := deputyOf(ann), deputyOf(ann)
	weak.Keys = []log.DeviceID{{1}}
	box.Box = ann.card.Box
	boxless := kit.Deputy()
	boxless.Box = BoxKey{}
	many := []Deputy{}
	for i := range 17 {
		many = append(many, deputyOf(newPC(string(rune('a'+i)))))
	}
	for name, tt := range map[string]struct {
		p  Policy
		ok bool
	}{
		"the kit alone":      {Policy{Need: 1, Deputies: []Deputy{kit.Deputy()}}, true},
		"two of three":       {Policy{Need: 2, Deputies: []Deputy{deputyOf(ann), deputyOf(bob), kit.Deputy()}}, true},
		"half":               {Policy{Need: 1, Deputies: []Deputy{deputyOf(ann), kit.Deputy()}}, false},
		"more than all":      {Policy{Need: 3, Deputies: []Deputy{deputyOf(ann), kit.Deputy()}}, false},
		"nobody":             {Policy{}, false},
		"one person twice":   {Policy{Need: 2, Deputies: []Deputy{deputyOf(ann), deputyOf(ann)}}, false},
		"two kits":           {Policy{Need: 2, Deputies: []Deputy{kit.Deputy(), kit.Deputy()}}, false},
		"one key of two":     {Policy{Need: 2, Deputies: []Deputy{deputyOf(ann), {Person: bob.person.ID, Keys: []log.DeviceID{ann.card.Sign}}}}, false},
		"weak key":           {Policy{Need: 1, Deputies: []Deputy{weak}}, false},
		"no key":             {Policy{Need: 1, Deputies: []Deputy{{Person: ann.person.ID}}}, false},
		"person with a box":  {Policy{Need: 1, Deputies: []Deputy{box}}, false},
		"kit without a box":  {Policy{Need: 1, Deputies: []Deputy{boxless}}, false},
		"sixteen":            {Policy{Need: 9, Deputies: many[:16]}, true},
		"more than sixteen":  {Policy{Need: 9, Deputies: many}, false},
		"need beyond 2^63":   {Policy{Need: 1<<63 + 1, Deputies: []Deputy{kit.Deputy()}}, false},
		"eight keys of some": {Policy{Need: 1, Deputies: []Deputy{deputyOf(newPC("1"), newPC("2"), newPC("3"), newPC("4"), newPC("5"), newPC("6"), newPC("7"), newPC("8"))}}, true},
	} {
		if err := tt.p.check(); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRule26WithoutAPolicyNothingIsAccepted(t *testing.T) {
	x := newWorld(t)
	if _, _, err := x.state().Propose(newOwner(newPC("ann"))); err == nil {
		t.Error("a step without deputies")
	}
	step := Step{Generation: 1, Previous: StepID(x.w), Owners: newOwner(newPC("ann")).Owners, Remove: []StepRemoval{}, Access: []StepAccess{}}
	x.wantWhy(x.now(x.founder, propose{Type: opPropose, Step: step}), "open")
	x.approve(x.founder, x.founder.key, step.id(x.w))
	wantNot(t, x, newPC("ann"))
}

func TestRule27AQuorumOfDeputiesDecides(t *testing.T) {
	x, kit, team := deputies(t)
	dan := x.join(newPC("dan"))
	id := x.propose(team[0], newOwner(dan))
	x.approve(team[0], team[0].key, id)
	x.approve(team[0], team[0].key, id) // once more
	x.approve(team[1], team[0].key, id) // and carried by another
	wantNot(t, x, dan)
	if s := x.step(id); len(s.By) != 1 || s.Need != 3 || s.Accepted || s.Proposer != team[0].card.Sign {
		t.Errorf("step %+v", s)
	}
	x.approve(team[1], team[1].key, id)
	wantNot(t, x, dan)
	last := x.approve(team[1], kit.Sign(), id)
	wantIn(t, x, "dan owner,", dan)
	x.wantWhy(last, "+")
	if s := x.step(id); len(s.By) != 3 || !s.Accepted || s.By[2] != (PersonID{}) {
		t.Errorf("step %+v", s)
	}
	x.wantWhy(x.now(dan, removalOf(x.founder, x.founder.end())), "+")
	wantNot(t, x, x.founder)
}

func TestRule27StepsAreAChain(t *testing.T) {
	x, kit, team := deputies(t)
	all := []*pc{x.join(newPC("d")), x.join(newPC("e"))}
	first, second := x.propose(team[0], newOwner(all[0])), x.propose(team[1], newOwner(all[1]))
	for _, id := range []StepID{first, second} { // all sign both
		for _, p := range team {
			x.approve(p, p.key, id)
			if s := x.step(id); s.Accepted {
				break
			}
		}
		if x.step(second).ID == (StepID{}) {
			break // no longer open
		}
	}
	if len(x.state().Devices) != 5 {
		t.Fatalf("two steps of one generation count: %d devices", len(x.state().Devices))
	}
	// Both in one bag: the lower id, whatever was heard first.
	y, _, team := deputies(t)
	a, b := y.propose(team[0], newOwner(y.join(newPC("d")))), y.propose(team[1], newOwner(y.join(newPC("e"))))
	known := y.state().Heads()
	for _, id := range []StepID{a, b} {
		for _, p := range team {
			op := approve{Type: opApprove, Step: id, Key: p.card.Sign}
			copy(op.Sig[:], ed25519.Sign(p.key, approvalText(id)))
			y.writeRefs(p, encodePayload(op), known)
		}
	}
	low, high := a, b
	if bytes.Compare(a[:], b[:]) > 0 {
		low, high = b, a
	}
	if !y.step(low).Accepted || y.step(high).Accepted || len(y.state().Devices) != 5 {
		t.Error("not the lower id")
	}
	_ = kit
}

func TestRule27AnotherWorkspacesStepCountsForNothing(t *testing.T) {
	x, kit, team := deputies(t)
	step := Step{Generation: 2, Previous: StepID{1}, Owners: newOwner(newPC("dan")).Owners, Remove: []StepRemoval{}, Access: []StepAccess{}}
	x.now(team[0], propose{Type: opPropose, Step: step})
	for _, k := range []ed25519.PrivateKey{kit.Sign(), team[0].key, team[1].key} {
		op := approve{Type: opApprove, Step: step.id(x.w), Key: log.DeviceOf(k)}
		copy(op.Sig[:], ed25519.Sign(k, approvalText(step.id(x.w))))
		x.wantWhy(x.now(team[0], op), "open")
	}
	wantNot(t, x, newPC("dan"))
}

func TestRule28AnOwnerAndADeputyChangeThePolicy(t *testing.T) {
	x, kit, team := deputies(t)
	change := func(need uint64) StepInput {
		return StepInput{Policy: &Policy{Need: need, Deputies: []Deputy{deputyOf(team[0]), deputyOf(team[1]), kit.Deputy()}}}
	}
	id := x.propose(team[0], change(2))
	x.approve(team[0], team[0].key, id)
	if x.step(id).Accepted {
		t.Fatal("one deputy changes the policy")
	}
	x.approve(x.founder, x.founder.key, id)
	if p, n := x.state().Policy(); n != 2 || p.Need != 2 || !x.step(id).Owner {
		t.Errorf("policy %+v, %d", p, n)
	}
	// Not for other steps, not by an admin, not by the owner's own voice, not in
	// another's name.
	if id := x.propose(team[0], newOwner(x.join(newPC("dan")))); true {
		x.approve(team[0], team[0].key, id)
		x.approve(x.founder, x.founder.key, id)
		wantNot(t, x, newPC("dan"))
	}
	x.now(x.founder, admission(team[0], Owner))
	id = x.propose(team[0], change(3))
	x.approve(team[0], team[0].key, id)
	if x.step(id).Accepted {
		t.Error("an owner who is the deputy decides alone")
	}
	x.approve(team[1], x.founder.key, id) // the founder's voice in another's log
	if x.step(id).Owner && x.step(id).Accepted {
		t.Error("an owner's voice counts outside its own entries")
	}
	x.approve(team[1], team[1].key, id) // another person, beside the owner ann
	if !x.step(id).Accepted {
		t.Errorf("owner and deputy: %+v", x.step(id))
	}
}

func TestRule29RemovalDoesNotDisarmTheDeputies(t *testing.T) {
	x, _, team := deputies(t)
	dan := x.join(newPC("dan"))
	// The thief of the founder's laptop removes all deputies, to nothing.
	x.now(x.founder, removalOf(team[0]), removalOf(team[1]), removalOf(team[2]))
	wantNot(t, x, team...)
	id := x.propose(team[0], StepInput{Remove: map[log.DeviceID][]Cut{x.founder.card.Sign: {x.founder.end()}}, Owners: newOwner(dan).Owners})
	for _, p := range team {
		x.approve(p, p.key, id)
	}
	wantIn(t, x, "dan owner,", x.founder, dan)
	// What the founder's log said up to the end that the step names counts still:
	// the deputies name the last entry they trust.
	wantNot(t, x, team...)
}

// TestRule29NorByRemovingWhoLetThemIn: cut off whole, an admin's admissions are
// gone, and all that was written by whom it let in.
func TestRule29NorByRemovingWhoLetThemIn(t *testing.T) {
	x, kit := kitWorld(t)
	ada := x.team(Admin, "ada")[0]
	var team []*pc
	for _, n := range []string{"ann", "bob"} {
		p := newPC(n)
		x.now(ada, admission(x.join(p), Member))
		team = append(team, p)
	}
	p := Policy{Need: 2, Deputies: []Deputy{deputyOf(team[0]), deputyOf(team[1]), kit.Deputy()}}
	x.approve(team[0], kit.Sign(), x.propose(x.founder, StepInput{Policy: &p}))
	good := x.founder.end()
	x.now(x.founder, removalOf(ada))
	wantNot(t, x, team...)
	if s := x.state(); !s.Admitted(team[0].card.Sign) || s.Admitted(newPC("eve").card.Sign) {
		t.Error("who was ever admitted")
	}
	id := x.propose(team[0], StepInput{Remove: map[log.DeviceID][]Cut{x.founder.card.Sign: {good}}})
	for _, p := range team {
		x.approve(p, p.key, id)
	}
	wantIn(t, x, "ann member,bob member,", append(team, x.founder)...)
}

func TestRule29AStepMayNameAnEarlierEnd(t *testing.T) {
	x, _, team := deputies(t)
	dan, good := x.join(newPC("dan")), x.founder.end()
	x.now(x.founder, removalOf(team[0]), removalOf(team[1]), removalOf(team[2]))
	id := x.propose(team[0], StepInput{Remove: map[log.DeviceID][]Cut{x.founder.card.Sign: {good}}, Owners: newOwner(dan).Owners})
	for _, p := range team {
		x.approve(p, p.key, id)
	}
	wantIn(t, x, "ann member,bob member,cy member,dan owner,", append(team, x.founder, dan)...)
}

func TestRule29ABadApprovalHindersNoOther(t *testing.T) {
	x, _, team := deputies(t)
	id := x.propose(team[0], newOwner(x.join(newPC("dan"))))
	bad := approve{Type: opApprove, Step: id, Key: team[1].card.Sign}
	x.wantWhy(x.now(team[0], bad), "open")
	strangers := newPC("stranger")
	x.approveAs(team[0], strangers, id)
	for _, p := range team {
		x.approve(team[0], p.key, id)
	}
	wantIn(t, x, "dan owner,", newPC("dan"))
}

// sign writes an approval that no maker would make.
func (x *world) sign(by *pc, key ed25519.PrivateKey, id StepID) Authored {
	op := approve{Type: opApprove, Step: id, Key: log.DeviceOf(key)}
	copy(op.Sig[:], ed25519.Sign(key, approvalText(id)))
	return x.now(by, op)
}

// approveAs writes an approval with a key that is no deputy's.
func (x *world) approveAs(by, with *pc, id StepID) {
	x.wantWhy(x.sign(by, with.key, id), "open")
}

func TestRule29StrangersCarryNothing(t *testing.T) {
	x, _, team := deputies(t)
	stranger, dan := x.join(newPC("stranger")), x.join(newPC("dan"))
	payload, id, err := x.state().Propose(newOwner(dan))
	must0(t, err)
	a := x.put(stranger, payload)
	for _, p := range team {
		op := approve{Type: opApprove, Step: id, Key: p.card.Sign}
		copy(op.Sig[:], ed25519.Sign(p.key, approvalText(id)))
		x.now(p, op)
	}
	wantNot(t, x, dan)
	x.wantWhy(a, "outsider")
	x.put(team[0], payload)
	wantIn(t, x, "dan owner,", dan)
}

func TestRule30StepsComeBeforeTheFounder(t *testing.T) {
	x, _, team := deputies(t)
	known, good := x.state().Heads(), x.founder.end()
	dan := x.join(newPC("dan"))
	payload, id, err := x.state().Propose(StepInput{Remove: map[log.DeviceID][]Cut{x.founder.card.Sign: {good}}, Owners: newOwner(dan).Owners})
	must0(t, err)
	x.writeRefs(team[0], payload, known)
	for _, p := range team {
		op := approve{Type: opApprove, Step: id, Key: p.card.Sign}
		copy(op.Sig[:], ed25519.Sign(p.key, approvalText(id)))
		x.writeRefs(p, encodePayload(op), known)
	}
	// In the other partition the founder does what it likes.
	x.writeRefs(x.founder, encodePayload(removalOf(dan), removalOf(team[0]), admission(newPC("eve"), Owner)), known)
	wantIn(t, x, "ann member,dan owner,", x.founder, team[0], dan, newPC("eve"))
	s := x.state()
	if d := s.Gone[x.founder.card.Sign]; d.Removed == nil || d.Removed.Step != id || d.Removed.By != (log.DeviceID{}) || s.Devices[dan.card.Sign].Rank != 1 {
		t.Errorf("founder %+v, dan %+v", d, s.Devices[dan.card.Sign])
	}
	// An owner made by a step has a say in entries that know of it.
	x.wantWhy(x.now(dan, admission(newPC("new"), Admin)), "+")
}

func TestRule30AMemberMadeOwnerKeepsItsPast(t *testing.T) {
	x, _, team := deputies(t)
	payloads, id, err := x.state().CreateSpace(team[0].card.Sign, rnd(), SpaceInput{Name: "Personal"})
	x.puts(team[0], payloads, err)
	step := x.propose(team[1], newOwner(team[0]))
	for _, p := range team {
		x.approve(p, p.key, step)
	}
	wantIn(t, x, "ann owner,", team[0])
	if x.state().PersonLevel(id, team[0].person.ID) != Manage {
		t.Error("the space is lost")
	}
}

// TestRule30AMemberMadeOwnerKeepsItsKeys: its admission, read behind the step,
// gives nothing new but the keys in it.
func TestRule30AMemberMadeOwnerKeepsItsKeys(t *testing.T) {
	x, kit := kitWorld(t)
	ben := newPC("ben")
	x.letIn(x.founder, ben, Member)
	before := len(x.keysOf(ben))
	step := x.propose(ben, newOwner(ben))
	x.approve(ben, kit.Sign(), step)
	wantIn(t, x, "ben owner,", ben)
	if n := len(x.keysOf(ben)); n != before || n != 2 {
		t.Errorf("%d keys, before %d", n, before)
	}
}

func TestRule30AStepAboutTheFounder(t *testing.T) {
	x, kit := kitWorld(t)
	step := x.propose(x.founder, newOwner(x.founder))
	x.approve(x.founder, kit.Sign(), step)
	d := x.state().Devices[x.founder.card.Sign]
	if d.By != x.founder.card.Sign || d.Rank != 0 || d.Entry != log.Hash(x.w) {
		t.Errorf("founder %+v", d)
	}
}

func TestRule28NotBehindAnUnknownOperation(t *testing.T) {
	x, kit := kitWorld(t)
	olga := x.team(Owner, "olga")[0]
	p := Policy{Need: 2, Deputies: []Deputy{deputyOf(olga), kit.Deputy()}}
	step := x.propose(olga, StepInput{Policy: &p})
	x.approve(x.founder, kit.Sign(), step)
	next := Step{Generation: 2, Previous: step, Policy: &Policy{Need: 1, Deputies: []Deputy{kit.Deputy()}}, Remove: []StepRemoval{}, Owners: []StepOwner{}, Access: []StepAccess{}}
	x.now(olga, propose{Type: opPropose, Step: next})
	x.put(x.founder, encode([]any{1, []any{[]any{63}}}))
	x.sign(x.founder, x.founder.key, next.id(x.w))
	x.sign(olga, kit.Sign(), next.id(x.w))
	if x.step(next.id(x.w)).Accepted {
		t.Error("an owner's approval behind an unknown operation counts")
	}
}

func TestRule30DeputiesLetSomebodyManageASpace(t *testing.T) {
	x, kit, team := deputies(t)
	payloads, id, err := x.state().CreateSpace(x.founder.card.Sign, rnd(), SpaceInput{Name: "Personal"})
	x.puts(x.founder, payloads, err)
	step := x.propose(team[0], StepInput{Remove: map[log.DeviceID][]Cut{x.founder.card.Sign: nil}, Access: map[log.SpaceID]PersonID{id: team[0].person.ID}})
	for _, p := range team {
		x.approve(p, p.key, step)
	}
	s := x.state()
	if s.Level(id, team[0].card.Sign) != Manage || s.Level(id, x.founder.card.Sign) != None {
		t.Errorf("levels %v, %v", s.Level(id, team[0].card.Sign), s.Level(id, x.founder.card.Sign))
	}
	// The kit opens it, so its name is not lost.
	if name, ok := s.SpaceName(id, s.KitKeys(kit)); !ok || name != "Personal" {
		t.Errorf("the kit reads %q, %v", name, ok)
	}
	// The one let in comes before the creator.
	x.wantWhy(x.now(team[0], members{Type: opMembers, Space: id, Name: []byte{}, Set: []member{}, Remove: []leaver{{Person: x.founder.person.ID, Cuts: []Cut{}}}}), "+")
}

func TestRule31DeadForLaterSteps(t *testing.T) {
	x, _, team := deputies(t)
	dan := x.join(newPC("dan"))
	x.now(x.founder, admission(dan, Admin))
	step := x.propose(team[0], StepInput{Remove: map[log.DeviceID][]Cut{dan.card.Sign: nil}})
	for _, p := range team {
		x.approve(p, p.key, step)
	}
	wantNot(t, x, dan)
	if _, _, err := x.state().Propose(newOwner(dan)); err != ErrDead {
		t.Errorf("Propose = %v", err)
	}
	again := Step{Generation: 3, Previous: step, Owners: newOwner(dan).Owners, Remove: []StepRemoval{}, Access: []StepAccess{}}
	x.now(team[0], propose{Type: opPropose, Step: again})
	for _, p := range team {
		x.approve(p, p.key, again.id(x.w))
	}
	if !x.step(again.id(x.w)).Accepted {
		t.Error("not accepted")
	}
	x.now(dan, admission(newPC("eve"), Owner))
	wantNot(t, x, dan, newPC("eve"))
}
