package access_test

import (
	"bytes"
	"crypto/ed25519"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// Inputs of the list of hostile ones that concern who belongs; HOSTILE.md has
// the whole table.

// office founds one with a recovery kit, and devices d1, d2, … in these roles
// who all know each other.
func office(t *testing.T, roles ...access.Role) *history {
	h := newHistory(t, 0)
	for i, role := range roles {
		h.plain(h.nodes[0], admission(pool()[i+1], role))
	}
	h.meet()
	return h
}

func admission(p *pc, role access.Role) oAdmit {
	return oAdmit{Type: 2, Device: p.card, Person: p.person, Role: role, Wraps: []oWrap{}}
}

// meet brings everything to everyone.
func (h *history) meet() {
	for _, n := range h.nodes {
		h.hand(n, h.all...)
	}
}

func (h *history) resolve() *access.State { return access.Resolve(h.w, h.all) }

// at returns where a node's log ends.
func (n *node) at() oCut { return oCut{Log: n.card.ID(), Seq: n.last.Seq, Hash: n.last.Hash} }

func (h *history) wantIn(p *pc, want bool) {
	h.t.Helper()
	if _, in := h.resolve().Devices[p.card.Sign]; in != want {
		h.t.Errorf("%s is in: %v", p.name, in)
	}
}

// A device that was removed signs an entry as if before its removal: dated long
// ago, in the knowledge of old entries only, in its old log, a branch of it or a
// new one.
func TestHostile11DeadKeyBackdated(t *testing.T) {
	h := office(t, access.Admin, access.Member)
	f, ann, eve := h.nodes[0], h.nodes[1], pool()[9]
	old := ann.last
	h.plain(ann, admission(pool()[5], access.Member))
	h.meet()
	h.plain(f, oRevoke{Type: 4, Device: ann.pc.card.Sign, Cuts: []oCut{ann.at()}})
	before := ofState(h.resolve(), h.probe())
	known := []log.Ref{h.all[1].Entry.Hash().Ref()}
	fresh := log.Card{Workspace: h.w, Device: ann.pc.card.Sign, Incarnation: log.Incarnation{9}}
	for _, op := range []any{
		admission(eve, access.Admin), oRevoke{Type: 4, Device: h.nodes[2].pc.card.Sign, Cuts: []oCut{}},
		oLower{Type: 3, Device: h.nodes[2].pc.card.Sign, Role: access.Carrier, Cuts: []oCut{}}, oUntil{Type: 14, Device: h.nodes[2].pc.card.Sign, Time: 1},
		[]any{uint64(63)},
	} {
		h.sign(ann.pc, ann.card, ann.last, oPack(op), known)
		h.sign(ann.pc, ann.card, old, oPack(op), known)
		h.sign(ann.pc, ann.card, log.Height{}, oPack(op), known)
		h.sign(ann.pc, fresh, log.Height{}, oPack(op), known)
	}
	if diff := before.differs(ofState(h.resolve(), h.probe()), "before", "after"); diff != "" {
		t.Error(diff)
	}
	h.wantIn(pool()[5], true) // what it did before counts
}

// A cut names an entry that nobody has: nothing of that log counts, the device
// is out, and nothing else is harmed. Once the entry is there, it counts.
func TestHostile12CutOfWhatIsNotThere(t *testing.T) {
	h := office(t, access.Admin)
	f, ann := h.nodes[0], h.nodes[1]
	h.plain(ann, admission(pool()[5], access.Member))
	hidden := h.all[len(h.all)-1]
	h.plain(f, oRevoke{Type: 4, Device: ann.pc.card.Sign, Cuts: []oCut{ann.at()}}, admission(pool()[6], access.Member))
	h.wantIn(pool()[5], true)
	without := slices.DeleteFunc(slices.Clone(h.all), func(a access.Authored) bool { return a.Entry == hidden.Entry })
	s := access.Resolve(h.w, without)
	if _, ok := s.Gone[ann.pc.card.Sign]; !ok || s.Stopped || len(s.Devices) != 2 {
		t.Errorf("%d devices, %d gone, stopped %v", len(s.Devices), len(s.Gone), s.Stopped)
	}

	h = office(t, access.Admin)
	f, ann = h.nodes[0], h.nodes[1]
	h.plain(ann, admission(pool()[5], access.Member))
	h.meet()
	h.plain(f, oRevoke{Type: 4, Device: ann.pc.card.Sign, Cuts: []oCut{{Log: ann.card.ID(), Seq: 1, Hash: log.Hash{1, 2, 3}}}})
	h.wantIn(ann.pc, false)
	h.wantIn(pool()[5], false)
	h.plain(f, admission(pool()[5], access.Member)) // let in again by another
	h.wantIn(pool()[5], true)
}

// A cut names a number above the real end of the log, with the hash of its end:
// there is no such entry.
func TestHostile13CutAboveTheHead(t *testing.T) {
	h := office(t, access.Admin)
	f, ann := h.nodes[0], h.nodes[1]
	h.plain(ann, admission(pool()[5], access.Member))
	h.meet()
	end := ann.at()
	for _, seq := range []uint64{end.Seq + 1, log.MaxSeq} {
		end.Seq = seq
		h.plain(f, oRevoke{Type: 4, Device: ann.pc.card.Sign, Cuts: []oCut{end}})
		h.wantIn(ann.pc, false)
		h.wantIn(pool()[5], false)
		// Going on up to the number named does not help.
		h.sign(ann.pc, ann.card, ann.last, oPack(admission(pool()[6], access.Member)), h.resolve().Heads())
		h.wantIn(pool()[6], false)
	}
}

// One deputy approves three times, with every key it has; and two who are no
// deputies.
func TestHostile14OneDeputyThreeTimes(t *testing.T) {
	h := office(t, access.Member, access.Member, access.Member)
	f, two := h.nodes[0], pool()[people+1] // second device of d1's person
	one := pool()[1]
	h.plain(f, admission(two, access.Member))
	s := oStep{Generation: 1, Previous: access.StepID(h.w), Policy: &oPolicy{Need: 2, Deputies: []oDeputy{
		{Person: one.person.ID, Keys: []log.DeviceID{one.card.Sign, two.card.Sign}},
		{Person: pool()[2].person.ID, Keys: []log.DeviceID{pool()[2].card.Sign}},
		{Person: pool()[3].person.ID, Keys: []log.DeviceID{pool()[3].card.Sign}},
	}}, Remove: []oStepRemoval{}, Owners: []oStepOwner{}, Access: []oStepAccess{}}
	h.plain(f, oPropose{Type: 6, Step: s})
	h.vote(f, s, h.kit.Deputy().Keys[0])
	if _, g := h.resolve().Policy(); g != 1 {
		t.Fatalf("generation %d", g)
	}
	next := oStep{Generation: 2, Previous: s.id(h.w), Remove: []oStepRemoval{{Device: f.pc.card.Sign, Cuts: []oCut{f.at()}}}, Owners: []oStepOwner{{Card: one.card, Person: one.person}}, Access: []oStepAccess{}}
	h.plain(f, oPropose{Type: 6, Step: next})
	for _, key := range []log.DeviceID{one.card.Sign, one.card.Sign, two.card.Sign, f.pc.card.Sign, h.kit.Deputy().Keys[0]} {
		h.vote(f, next, key)
	}
	forged := oApprove{Type: 7, Step: next.id(h.w), Key: pool()[2].card.Sign, Sig: [64]byte(ed25519.Sign(one.key, oApprovalText(next.id(h.w))))}
	other := oApprove{Type: 7, Step: next.id(h.w), Key: pool()[3].card.Sign, Sig: [64]byte(ed25519.Sign(pool()[3].key, oApprovalText(s.id(h.w))))}
	h.plain(f, forged, other)
	if _, g := h.resolve().Policy(); g != 1 {
		t.Error("one deputy suffices")
	}
	h.wantIn(f.pc, true)
	h.vote(f, next, pool()[2].card.Sign)
	h.wantIn(f.pc, false)
	if d := h.resolve().Devices[one.card.Sign]; d.Role != access.Owner {
		t.Errorf("the new owner is %s", d.Role)
	}
}

// A key that was removed is let in again: by whom it was removed, by another, in
// ignorance or in full knowledge, under another name, before and after.
func TestHostile15AdmitOfADeadKey(t *testing.T) {
	h := office(t, access.Admin, access.Member)
	f, ann, eve := h.nodes[0], h.nodes[1], h.nodes[2].pc
	other := *eve
	other.person, other.card.Name = pool()[8].person, "neu"
	h.plain(ann, admission(eve, access.Admin)) // not knowing
	h.plain(f, oRevoke{Type: 4, Device: eve.card.Sign, Cuts: []oCut{}})
	h.meet()
	for _, n := range []*node{f, ann} {
		h.plain(n, admission(eve, access.Member))
		h.plain(n, admission(&other, access.Owner))
	}
	h.wantIn(eve, false)
	s := h.resolve()
	if d, ok := s.Gone[eve.card.Sign]; !ok || d.Removed == nil || d.Person != eve.person.ID {
		t.Errorf("gone: %+v", d)
	}
	if _, err := s.Admit(f.pc.card.Sign, s.Keys(f.pc.box), access.AdmitInput{Device: eve.card, Person: eve.person, Role: access.Member, Known: true}); err == nil {
		t.Error("a maker lets it in")
	}
	// Its box key and peer id stay its own, also for another signing key.
	thief := *pool()[7]
	thief.card.Box = eve.card.Box
	h.plain(f, admission(&thief, access.Member))
	h.wantIn(&thief, false)
	// A key that was never in is killed in advance.
	h.plain(f, oRevoke{Type: 4, Device: pool()[6].card.Sign, Cuts: []oCut{}})
	h.meet()
	h.plain(ann, admission(pool()[6], access.Member))
	h.wantIn(pool()[6], false)
}

// A device is removed by one who did not know that it was let in elsewhere: it is
// out, but it was handed the current key with its admission, so that key is not
// used any more.
func TestHostile15DeadKeyHoldsTheCurrentKey(t *testing.T) {
	h := office(t)
	f, eve := h.nodes[0], pool()[2]
	h.admitWithKeys(f, pool()[1], access.Admin)
	h.meet()
	ann := h.nodes[1]
	h.admitWithKeys(ann, eve, access.Member)
	h.plain(f, oRevoke{Type: 4, Device: eve.card.Sign, Cuts: []oCut{}})
	h.meet()
	h.wantIn(eve, false)
	if s := h.resolve(); !s.Stale(log.Everyone(h.w)) {
		t.Error("a removed device holds the key that is used from now on")
	}
}

// Keys that anyone can sign for, or to which nothing can be sealed, are not let
// in: not by an admission, nor by a step of the deputies.
func TestHostile16WeakKeys(t *testing.T) {
	h := office(t)
	f := h.nodes[0]
	weak := map[string]func(*access.DeviceCard){
		"zero":                 func(c *access.DeviceCard) { c.Sign = log.DeviceID{} },
		"neutral":              func(c *access.DeviceCard) { c.Sign = log.DeviceID{1} },
		"second form":          func(c *access.DeviceCard) { copy(c.Sign[:], bytes.Repeat([]byte{0xff}, 32)) },
		"box zero":             func(c *access.DeviceCard) { c.Box = access.BoxKey{} },
		"box of order four":    func(c *access.DeviceCard) { c.Box = access.BoxKey{1} },
		"box in a second form": func(c *access.DeviceCard) { copy(c.Box[:], bytes.Repeat([]byte{0xff}, 32)) },
		"signing key is no key": func(c *access.DeviceCard) {
			c.Sign[31] = 0x80 | 0x7f
			copy(c.Sign[:31], bytes.Repeat([]byte{0xff}, 31))
		},
	}
	for name, spoil := range weak {
		p := *pool()[4]
		spoil(&p.card)
		payload := oPack(admission(&p, access.Member))
		h.write(f, payload, h.view(f).Heads())
		s := oStep{Generation: 1, Previous: access.StepID(h.w), Remove: []oStepRemoval{}, Owners: []oStepOwner{{Card: p.card, Person: p.person}}, Access: []oStepAccess{}}
		h.write(f, oPack(oPropose{Type: 6, Step: s}), h.view(f).Heads())
		h.vote(f, s, h.kit.Deputy().Keys[0])
		if got := h.resolve(); len(got.Devices) != 1 || got.Stopped {
			t.Errorf("%s: %d devices, stopped %v", name, len(got.Devices), got.Stopped)
		}
	}
	// A signature with S above the order of the group is no second approval: it is
	// none.
	s := oStep{Generation: 1, Previous: access.StepID(h.w), Remove: []oStepRemoval{}, Owners: []oStepOwner{{Card: pool()[4].card, Person: pool()[4].person}}, Access: []oStepAccess{}}
	h.plain(f, oPropose{Type: 6, Step: s})
	id := s.id(h.w)
	a := oApprove{Type: 7, Step: id, Key: h.kit.Deputy().Keys[0], Sig: [64]byte(ed25519.Sign(h.kit.Sign(), oApprovalText(id)))}
	addOrder(&a.Sig)
	h.plain(f, a)
	h.wantIn(pool()[4], false)
}

// addOrder adds the order of the group to S, which means the same in arithmetic.
func addOrder(sig *[64]byte) {
	order := []byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 31: 0x10}
	carry := 0
	for i := range 32 {
		sum := int(sig[32+i]) + int(order[i]) + carry
		sig[32+i], carry = byte(sum), sum>>8
	}
}

// Two keys of one epoch, made in two partitions: both open what was written with
// them, all agree on which is used from then on, and a key under a name that is
// not its own opens nothing.
func TestHostile10TwoKeysOfOneEpoch(t *testing.T) {
	h := office(t)
	f := h.nodes[0]
	h.admitWithKeys(f, pool()[1], access.Admin)
	h.meet()
	ann := h.nodes[1]
	everyone := log.Everyone(h.w)
	for _, n := range []*node{f, ann} {
		payloads, err := h.view(n).Rotate(n.pc.card.Sign, h.opens(n), h.rand, everyone)
		if err != nil {
			t.Fatal(err)
		}
		h.append(n, "renews", nil, payloads...)
	}
	one, two := h.view(f), h.view(ann)
	e1, k1, _ := one.Current(everyone)
	e2, k2, _ := two.Current(everyone)
	if e1 != 2 || e2 != 2 || k1 == k2 {
		t.Fatalf("epochs %d and %d", e1, e2)
	}
	h.meet()
	want := min(string(k1[:]), string(k2[:]))
	for _, n := range h.nodes {
		if e, id, ok := h.view(n).Current(everyone); !ok || e != 2 || string(id[:]) != want {
			t.Errorf("%s writes with %x of epoch %d", n.name, id, e)
		}
		keys := h.opens(n)
		for _, id := range []log.KeyID{k1, k2} {
			if k, ok := keys[id]; !ok || k.Key.ID(log.Control, 2) != id {
				t.Errorf("%s does not open %x", n.name, id)
			}
		}
	}
	// A third one claims the name of the key in use.
	h.plain(ann, oKey{Type: 10, Space: log.Control, Epoch: 2, ID: log.KeyID([]byte(want)), Prevs: []oOldKey{{ID: h.keys[0].id}}, Wraps: []oDeviceWrap{{Device: f.pc.card.Sign}}})
	h.meet()
	if k, ok := h.opens(f)[log.KeyID([]byte(want))]; !ok || k.Key.ID(log.Control, 2) != log.KeyID([]byte(want)) {
		t.Error("a false key under the name of one that is in use")
	}
}

// admitWithKeys lets a device in by the package's own maker.
func (h *history) admitWithKeys(by *node, p *pc, role access.Role) {
	h.t.Helper()
	payload, err := h.view(by).Admit(by.pc.card.Sign, h.opens(by), access.AdmitInput{Device: p.card, Person: p.person, Role: role})
	if err != nil {
		h.t.Fatal(err)
	}
	h.append(by, "admits", nil, payload)
}

// TestHostileInputsHaveTests holds HOSTILE.md against the tests there are: each
// of the 25 has a line, and each test a line names is somewhere.
func TestHostileInputsHaveTests(t *testing.T) {
	table, err := os.ReadFile("HOSTILE.md")
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join("..", "..")
	tests := map[string]bool{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && (name == "node_modules" || name == ".git") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil // somebody else's test says so
		}
		pkg, err := filepath.Rel(root, filepath.Dir(path))
		for _, d := range f.Decls {
			if name, ok := testName(d); ok {
				tests[filepath.ToSlash(pkg)+" "+name] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]string{}
	for _, l := range strings.Split(string(table), "\n") {
		if m := regexp.MustCompile(`^\| (\d+) \|`).FindStringSubmatch(l); m != nil {
			lines[m[1]] = l
		}
	}
	if len(lines) != 25 {
		t.Errorf("%d of 25 inputs in the table", len(lines))
	}
	named := regexp.MustCompile("`([a-z/]+)` ((?:`Test[A-Za-z0-9]+`(?:, )?)+)")
	for n, l := range lines {
		all := named.FindAllStringSubmatch(l, -1)
		if len(all) == 0 && !strings.Contains(l, "comes with") {
			t.Errorf("input %s has neither a test nor a time to come", n)
		}
		for _, m := range all {
			for _, test := range strings.Split(m[2], ", ") {
				if !tests[m[1]+" "+strings.Trim(test, "`")] {
					t.Errorf("input %s: no %s in %s", n, test, m[1])
				}
			}
		}
	}
}

func testName(d ast.Decl) (string, bool) {
	f, ok := d.(*ast.FuncDecl)
	if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") {
		return "", false
	}
	return f.Name.Name, true
}
