package access

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"

	"inselnetz/crdt/log"
)

func sortedRefs(set map[log.Ref]bool) []log.Ref {
	out := []log.Ref{}
	for r := range set {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b log.Ref) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// void returns why operations do not count.
func (x *world) void() string {
	var why []string
	for _, v := range x.state().Void {
		why = append(why, string(v.Why))
	}
	return strings.Join(why, "; ")
}

func wantIn(t *testing.T, x *world, want string, all ...*pc) {
	t.Helper()
	if got := x.in(all...); got != want {
		t.Errorf("in the workspace: %q, want %q; void: %s", got, want, x.void())
	}
}

func TestRule1WorkspaceIsNamedAfterItsGenesis(t *testing.T) {
	x := newWorld(t)
	s := x.state()
	if !s.Founded || s.Office != "Kanzlei Sand" || s.Workspace != x.w || len(s.Devices) != 1 {
		t.Fatalf("state %+v", s)
	}
	f := s.Devices[x.founder.card.Sign]
	if f.Role != Owner || f.Rank != 0 || f.By != x.founder.card.Sign || f.Card != x.founder.card || s.People[f.Person] != x.founder.person {
		t.Errorf("founder %+v", f)
	}
	if s := Resolve(log.WorkspaceID{1}, x.entries); s.Founded || len(s.Devices) != 0 || len(s.Heads()) != 0 {
		t.Errorf("entries of another workspace count: %+v", s)
	}
	if s := Resolve(x.w, nil); s.Founded || s.Stopped || s.CanInvite(x.founder.card.Sign) {
		t.Errorf("nothing resolves to %+v", s)
	}
}

func TestRule1GenesisIsWrittenByTheFounder(t *testing.T) {
	thief, victim := newPC("thief"), newPC("victim")
	payload, err := Found(rand.Reader, FoundInput{Person: victim.person, Device: victim.card})
	if err != nil {
		t.Fatal(err)
	}
	x := &world{t: t, founder: victim}
	x.w = log.WorkspaceID(x.write(thief, payload).Entry.Hash())
	if s := x.state(); s.Founded || len(s.Devices) != 0 {
		t.Errorf("somebody else's device founds: %+v", s.Devices)
	}
}

func TestRule1AWorkspaceIsFoundedOnce(t *testing.T) {
	x := newWorld(t)
	again := newPC("again")
	g := genesis{Type: opGenesis, Person: again.person, Device: again.card, Wraps: []Wrap{{Epoch: 1}}}
	x.write(x.founder, encodePayload(g))
	wantIn(t, x, "founder owner,", x.founder, again)
	if x.void() != string(WhyOnce) {
		t.Errorf("void: %s", x.void())
	}
	// Together with another operation it founds nothing.
	y := &world{t: t, founder: newPC("y")}
	both := encodePayload(genesis{Type: opGenesis, Person: y.founder.person, Device: y.founder.card, Wraps: []Wrap{{Epoch: 1}}}, admission(again, Member))
	y.w = log.WorkspaceID(y.write(y.founder, both).Entry.Hash())
	if y.state().Founded {
		t.Error("genesis with company")
	}
}

func TestRule2FounderGoesOnInTheGenesisLog(t *testing.T) {
	x := newWorld(t)
	ann, bob, cy := newPC("ann"), newPC("bob"), newPC("cy")
	last := x.admit(x.founder, ann, Member)
	wantIn(t, x, "ann member,", ann)
	// A new incarnation names the workspace.
	x.founder.log = log.Card{Workspace: x.w, Device: x.founder.card.Sign, Incarnation: log.Incarnation{2}}
	x.founder.last = log.Height{}
	x.admit(x.founder, bob, Member, last)
	wantIn(t, x, "bob member,", bob)
	// No other log without a workspace counts.
	x.founder.log, x.founder.last = log.Card{Device: x.founder.card.Sign, Incarnation: log.Incarnation{3}}, log.Height{}
	x.admit(x.founder, cy, Member, last)
	wantIn(t, x, "", cy)
}

func TestRule3OnlyOwnersAndAdminsAdmit(t *testing.T) {
	for role, want := range map[Role]string{Owner: "new member,", Admin: "new member,", Member: ""} {
		t.Run(role.String(), func(t *testing.T) {
			x := newWorld(t)
			ann, n := newPC("ann"), newPC("new")
			g := x.admit(x.founder, ann, role)
			x.admit(ann, n, Member, g)
			wantIn(t, x, want, n)
		})
	}
	x := newWorld(t)
	stranger, n := newPC("stranger"), newPC("new")
	x.admit(x.join(stranger), n, Admin, x.genesis())
	wantIn(t, x, "", stranger, n)
}

func TestRule3OwnersAreMadeByOwners(t *testing.T) {
	x := newWorld(t)
	ann, bob, cy := newPC("ann"), newPC("bob"), newPC("cy")
	g := x.admit(x.founder, ann, Admin)
	x.admit(ann, bob, Owner, g)
	x.admit(ann, cy, Admin, g)
	wantIn(t, x, "cy admin,", bob, cy)
}

func TestRule4AKeyIsAdmittedOnce(t *testing.T) {
	for name, steal := range map[string]func(thief, victim *DeviceCard){
		"signing key": func(thief, victim *DeviceCard) { thief.Sign = victim.Sign },
		"box key":     func(thief, victim *DeviceCard) { thief.Box = victim.Box },
		"peer id":     func(thief, victim *DeviceCard) { thief.Peer = victim.Peer },
	} {
		t.Run(name, func(t *testing.T) {
			x := newWorld(t)
			ann, thief := newPC("ann"), newPC("thief")
			x.admit(x.founder, ann, Member)
			steal(&thief.card, &ann.card)
			x.admit(x.founder, thief, Admin)
			if s := x.state(); len(s.Devices) != 2 || s.Devices[ann.card.Sign].Card != ann.card || s.Devices[ann.card.Sign].Role != Member {
				t.Errorf("devices %+v", s.Devices)
			}
			if x.void() != string(WhyKnown) {
				t.Errorf("void: %s", x.void())
			}
		})
	}
}

func TestRule5TheShorterPathWins(t *testing.T) {
	x := newWorld(t)
	ann, bob := newPC("ann"), newPC("bob")
	g := x.admit(x.founder, ann, Admin)
	eve := newPC("eve")
	rival := *bob
	rival.person = eve.person
	x.admit(ann, &rival, Admin, g)  // junior, and earlier by any count
	x.admit(x.founder, bob, Member) // senior
	wantIn(t, x, "bob member,", bob)
	if d := x.state().Devices[bob.card.Sign]; d.Person != bob.person.ID || d.By != x.founder.card.Sign || d.Rank != 2 {
		t.Errorf("admitted by %v, rank %d", d.By, d.Rank)
	}
}

func TestRule5TheEarlierPathWins(t *testing.T) {
	x := newWorld(t)
	first, second, bob := newPC("first"), newPC("second"), newPC("bob")
	x.admit(x.founder, first, Admin)
	g := x.admit(x.founder, second, Admin)
	rival := *bob
	rival.person = newPC("eve").person
	x.admit(second, &rival, Admin, g)
	x.admit(first, bob, Member, g)
	wantIn(t, x, "bob member,", bob)
	if got := x.state().Seniority(); got[1].Card != first.card || got[2].Card != second.card || got[3].Card != bob.card {
		t.Errorf("order of seniority %+v", got)
	}
}

func TestRule6AnAuthorKnewItsOwnAdmission(t *testing.T) {
	x := newWorld(t)
	ann, before, after, late := newPC("ann"), newPC("before"), newPC("after"), newPC("late")
	x.join(ann)
	x.admit(ann, before, Admin, x.genesis()) // written before ann was in
	g := x.admit(x.founder, ann, Admin)
	x.admit(ann, after, Member, g)
	x.admit(ann, late, Member) // its own log carries the knowledge on
	wantIn(t, x, "ann admin,after member,late member,", ann, before, after, late)
}

func TestRule7PersonOfAManagerIsNotGivenAway(t *testing.T) {
	x := newWorld(t)
	ann, bob := newPC("ann"), newPC("bob")
	g := x.admit(x.founder, ann, Admin)
	x.admit(x.founder, bob, Member)
	as := func(name string, p Person) *pc {
		n := newPC(name)
		n.person = p
		return n
	}
	x.admit(ann, as("as owner", x.founder.person), Member, g)
	if len(x.state().Devices) != 3 {
		t.Error("an admin speaks as the owner")
	}
	x.admit(ann, as("second of ann", ann.person), Admin)
	x.admit(ann, as("second of bob", bob.person), Member)
	x.admit(x.founder, as("third of ann", ann.person), Member)
	if s := x.state(); len(s.Devices) != 6 || len(s.People) != 3 || s.PersonRole(ann.person.ID) != Admin || s.PersonRole(bob.person.ID) != Member {
		t.Errorf("%d devices of %d people; void: %s", len(s.Devices), len(s.People), x.void())
	}
	renamed := bob.person
	renamed.Name = "Chef"
	x.admit(ann, as("renamed", renamed), Member)
	if got := x.state().People[bob.person.ID].Name; got != "bob" {
		t.Errorf("bob is called %q", got)
	}
}

func TestRule8WeakCardsAreVoid(t *testing.T) {
	for name, spoil := range map[string]func(*DeviceCard){
		"zero signing key":     func(c *DeviceCard) { c.Sign = log.DeviceID{} },
		"neutral signing key":  func(c *DeviceCard) { c.Sign = log.DeviceID{1} },
		"signing key above p":  func(c *DeviceCard) { copy(c.Sign[:], bytes.Repeat([]byte{0xff}, 32)) },
		"zero box key":         func(c *DeviceCard) { c.Box = BoxKey{} },
		"box key above p":      func(c *DeviceCard) { copy(c.Box[:], bytes.Repeat([]byte{0xff}, 32)) },
		"no peer id":           func(c *DeviceCard) { c.Peer = "" },
		"peer id with newline": func(c *DeviceCard) { c.Peer = "a\nb" },
		"long peer id":         func(c *DeviceCard) { c.Peer = strings.Repeat("a", maxPeer+1) },
		"long name":            func(c *DeviceCard) { c.Name = strings.Repeat("a", maxText+1) },
	} {
		t.Run(name, func(t *testing.T) {
			x := newWorld(t)
			p := newPC("p")
			spoil(&p.card)
			x.admit(x.founder, p, Member)
			if s := x.state(); len(s.Devices) != 1 || len(s.Void) != 1 || s.Stopped {
				t.Errorf("%d devices, void %v", len(s.Devices), s.Void)
			}
			if _, err := x.state().Admit(x.founder.card.Sign, x.state().Keys(x.founder.box), AdmitInput{Device: p.card, Person: p.person, Role: Member}); err == nil {
				t.Error("Admit makes it")
			}
		})
	}
}

func TestRule9AnUnknownOperationStops(t *testing.T) {
	ann := newPC("ann")
	for name, payload := range map[string][]byte{
		"type":                encode([]any{1, []any{[]any{63, "x"}}}),
		"version":             encode([]any{2, "whatever"}),
		"long list":           encode([]any{1, []any{[]any{55, make([]uint64, 40_000)}}}),
		"deep":                append([]byte{0x82, 0x01, 0x81, 0x82, 0x18, 55}, append(bytes.Repeat([]byte{0x81}, 40), 0)...),
		"map":                 encode([]any{1, []any{[]any{55, map[uint64]uint64{1: 2, 3: 4}}}}),
		"role":                encodePayload(admission(newPC("guest"), Carrier+1)),
		"type after known op": encodePayload(admission(ann, Member), []any{63}),
	} {
		t.Run(name, func(t *testing.T) {
			x := newWorld(t)
			bob, cy, dan := newPC("bob"), newPC("cy"), newPC("dan")
			g := x.admit(x.founder, bob, Admin)
			x.write(x.founder, payload)
			x.admit(x.founder, cy, Member)
			x.admit(bob, dan, Member, g)
			s := x.state()
			if !s.Stopped || s.CanInvite(x.founder.card.Sign) {
				t.Error("not stopped")
			}
			if _, err := s.Admit(x.founder.card.Sign, s.Keys(x.founder.box), AdmitInput{Device: newPC("e").card, Person: newPC("e").person, Role: Member}); !errors.Is(err, ErrStopped) {
				t.Errorf("Admit = %v", err)
			}
			wantIn(t, x, "bob admin,dan member,", bob, cy, dan)
			if _, ok := s.Devices[ann.card.Sign]; ok != strings.HasPrefix(name, "type after") {
				t.Errorf("operation before the unknown one counts: %v", ok)
			}
			if !s.Knows(x.entries[2].Entry.Hash().Ref()) || !slices.Contains(s.Heads(), x.entries[3].Entry.Hash().Ref()) {
				t.Error("entries of a newer program are not named as known")
			}
		})
	}
}

func TestRule9AMemberCannotStop(t *testing.T) {
	x := newWorld(t)
	ann := newPC("ann")
	g := x.admit(x.founder, ann, Member)
	x.write(ann, encode([]any{9, "nonsense"}), g)
	if s := x.state(); s.Stopped || !s.CanInvite(x.founder.card.Sign) {
		t.Error("a member stops the workspace")
	}
}

func TestRule9ErasedControlEntryStops(t *testing.T) {
	x := newWorld(t)
	x.admit(x.founder, newPC("ann"), Member)
	erased := Authored{Card: x.entries[1].Card, Entry: x.entries[1].Entry.Erased()}
	if s := Resolve(x.w, []Authored{x.entries[0], erased}); !s.Stopped {
		t.Error("what it said is skipped")
	}
	for _, set := range [][]Authored{{x.entries[0], erased, x.entries[1]}, {x.entries[1], x.entries[0], erased}} {
		if s := Resolve(x.w, set); s.Stopped || len(s.Devices) != 2 {
			t.Error("the erased copy hides the whole one")
		}
	}
}
