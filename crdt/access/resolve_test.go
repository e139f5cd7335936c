package access

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"inselnetz/crdt/log"
)

// hostileWorld writes a random history: admissions by whoever, in the knowledge
// of whatever, with forks, new incarnations, unknown and malformed operations.
func hostileWorld(t *rapid.T, tb testing.TB) *world {
	x := newWorld(tb)
	pcs := []*pc{x.founder}
	for i := range 7 {
		pcs = append(pcs, x.join(newPC(fmt.Sprint(i))))
	}
	heights := map[*pc][]log.Height{}
	pick := func(n int, name string) int { return rapid.IntRange(0, n-1).Draw(t, name) }
	for range rapid.IntRange(1, 25).Draw(t, "entries") {
		by := pcs[pick(len(pcs), "author")]
		switch pick(8, "where") {
		case 0: // fork
			if old := heights[by]; len(old) > 0 {
				by.last = old[pick(len(old), "old")]
			}
		case 1: // new incarnation
			by.log = log.Card{Workspace: x.w, Device: by.card.Sign, Incarnation: log.Incarnation{byte(len(x.entries))}}
			by.last, heights[by] = log.Height{}, nil
		}
		heights[by] = append(heights[by], by.last)
		var ctl []Authored
		for range pick(4, "known") {
			ctl = append(ctl, x.entries[len(x.entries)-1-pick(min(len(x.entries), 6), "which")])
		}
		target := pcs[pick(len(pcs), "target")]
		op := admit{Type: opAdmit, Device: target.card, Person: target.person, Role: Role(1 + pick(3, "role")), Wraps: []Wrap{}}
		if pick(4, "person") == 0 {
			op.Person.ID = pcs[pick(len(pcs), "whose")].person.ID
		}
		payload := encodePayload(op)
		switch pick(20, "damage") {
		case 0:
			payload = append(payload, 0)
		case 1:
			payload = encodePayload(op, []any{50})
		case 2:
			payload = encodePayload(op, admission(pcs[pick(len(pcs), "second")], Member))
		}
		x.write(by, payload, ctl...)
	}
	return x
}

// said is what a State says, for comparing.
func said(s *State) any {
	return []any{s.Founded, s.Office, s.Stopped, s.Devices, s.People, s.Void, s.order, s.Heads()}
}

func TestStateDependsOnTheSetAlone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := hostileWorld(rt, t)
		want := said(x.state())
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		for range 3 {
			again := slices.Clone(x.entries)
			for range r.IntN(10) {
				again = append(again, x.entries[r.IntN(len(x.entries))])
			}
			r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
			if got := said(Resolve(x.w, again)); !reflect.DeepEqual(got, want) {
				rt.Fatalf("in another order:\n%+v\nbefore:\n%+v", got, want)
			}
		}
	})
}

func TestStateIsWhatTheOracleSays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := hostileWorld(rt, t)
		s := x.state()
		o := newOracle(x)
		o.run()
		if !maps.Equal(s.Devices, o.devices) || !maps.Equal(s.People, o.people) || s.Stopped != o.stopped || !slices.Equal(s.Heads(), o.heads()) {
			rt.Fatalf("resolver:\n%+v stopped %v heads %x\noracle:\n%+v stopped %v heads %x", s.Devices, s.Stopped, s.Heads(), o.devices, o.stopped, o.heads())
		}
	})
}

// TestNobodyChangesWhatASeniorDecided adds anything to a history, back-dated and
// forked as its author likes: what more senior devices decided stays as it is.
func TestNobodyChangesWhatASeniorDecided(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := hostileWorld(rt, t)
		before := x.state()
		by := x.join(newPC(fmt.Sprint(rapid.IntRange(0, 6).Draw(rt, "hostile"))))
		by.log.Incarnation = log.Incarnation{0xff}
		rank := before.Devices[by.card.Sign].Rank
		if role, ok := before.Role(by.card.Sign); !ok || !role.manages() {
			rank = len(before.Devices)
		}
		for i := range 3 {
			target := newPC(fmt.Sprint(rapid.IntRange(0, 9).Draw(rt, "target")))
			op := admission(target, Role(1+rapid.IntRange(0, 2).Draw(rt, "role")))
			x.write(by, encodePayload(op), x.entries[rapid.IntRange(0, len(x.entries)-1).Draw(rt, fmt.Sprint("knows", i))])
		}
		after := x.state()
		for id, d := range before.Devices {
			if before.Devices[d.By].Rank < rank && after.Devices[id] != d {
				rt.Fatalf("device %d changes %+v to %+v", rank, d, after.Devices[id])
			}
		}
		if after.Stopped != before.Stopped {
			rt.Fatal("known operations stop the workspace")
		}
	})
}

// An oracle works out the same as Resolve, slowly: it takes one grant after the
// other, each time the most senior one of all that were not looked at yet.
type oracle struct {
	x       *world
	byHash  map[log.Hash]Authored
	byRef   map[log.Ref]Authored
	devices map[log.DeviceID]Device
	people  map[PersonID]Person
	paths   map[log.DeviceID][]step
	stopped bool
	taken   map[string]bool
}

// A step of a grant path: an entry by its depth and hash, and the operation.
type step struct {
	depth int
	hash  log.Hash
	op    int
}

func newOracle(x *world) *oracle {
	o := &oracle{
		x: x, byHash: map[log.Hash]Authored{}, byRef: map[log.Ref]Authored{}, taken: map[string]bool{},
		devices: map[log.DeviceID]Device{}, people: map[PersonID]Person{}, paths: map[log.DeviceID][]step{},
	}
	for _, a := range x.entries {
		o.byHash[a.Entry.Hash()] = a
		o.byRef[a.Entry.Hash().Ref()] = a
	}
	f := x.founder
	o.devices[f.card.Sign] = Device{Card: f.card, Person: f.person.ID, Role: Owner, By: f.card.Sign, Entry: log.Hash(x.w)}
	o.people[f.person.ID] = f.person
	o.paths[f.card.Sign] = nil
	return o
}

// below returns the entries that a names. In these histories nothing is missing.
func (o *oracle) below(a Authored) []Authored {
	var out []Authored
	if p, ok := o.byHash[a.Entry.Prev]; ok {
		out = append(out, p)
	}
	for _, r := range a.Entry.Ctl {
		out = append(out, o.byRef[r])
	}
	return out
}

func (o *oracle) depth(a Authored) int {
	d := 1
	for _, b := range o.below(a) {
		d = max(d, 1+o.depth(b))
	}
	return d
}

func (o *oracle) knew(a Authored, h log.Hash) bool {
	return a.Entry.Hash() == h || slices.ContainsFunc(o.below(a), func(b Authored) bool { return o.knew(b, h) })
}

// counted reports whether the author had a say when it wrote a.
func (o *oracle) counted(a Authored) bool {
	d, ok := o.devices[a.Card.Device]
	return ok && d.Role <= Admin && o.knew(a, d.Entry) && (a.Card.Workspace == o.x.w || a.Card == o.x.entries[0].Card)
}

// behindUnknown reports whether a stands after an unknown operation in its log.
func (o *oracle) behindUnknown(a Authored) bool {
	p, ok := o.byHash[a.Entry.Prev]
	return ok && (o.unknown(p) && o.counted(p) || o.behindUnknown(p))
}

func (o *oracle) unknown(a Authored) bool {
	ops, err := decodePayload(a.Entry.Payload)
	return err != nil && (ops != nil || bytes.HasSuffix(a.Entry.Payload, encode([]any{50})))
}

type grant struct {
	path []step
	by   Device
	op   *admit
}

func (o *oracle) next() (best grant, found bool) {
	for _, a := range o.x.entries[1:] {
		if !o.counted(a) || o.behindUnknown(a) {
			continue
		}
		if o.unknown(a) {
			o.stopped = true
		}
		ops, _ := decodePayload(a.Entry.Payload)
		for i, op := range ops {
			g := grant{path: append(slices.Clone(o.paths[a.Card.Device]), step{o.depth(a), a.Entry.Hash(), i}), by: o.devices[a.Card.Device], op: op.(*admit)}
			if !o.taken[fmt.Sprint(g.path)] && (!found || compareSteps(g.path, best.path) < 0) {
				best, found = g, true
			}
		}
	}
	return best, found
}

func (o *oracle) run() {
	for {
		g, ok := o.next()
		if !ok {
			return
		}
		o.taken[fmt.Sprint(g.path)] = true
		if g.op.Role == Owner && g.by.Role != Owner {
			continue
		}
		taken, personRole := false, Role(99)
		for _, d := range o.devices {
			taken = taken || d.Card.Sign == g.op.Device.Sign || d.Card.Box == g.op.Device.Box || d.Card.Peer == g.op.Device.Peer
			if d.Person == g.op.Person.ID {
				personRole = min(personRole, d.Role)
			}
		}
		if taken || personRole <= Admin && g.by.Role != Owner && g.by.Person != g.op.Person.ID {
			continue
		}
		last := g.path[len(g.path)-1]
		o.paths[g.op.Device.Sign] = g.path
		o.devices[g.op.Device.Sign] = Device{Card: g.op.Device, Person: g.op.Person.ID, Role: g.op.Role, By: g.by.Card.Sign, Rank: len(o.devices), Entry: last.hash}
		if _, ok := o.people[g.op.Person.ID]; !ok {
			o.people[g.op.Person.ID] = g.op.Person
		}
	}
}

// heads are the counted entries that no other one knew of.
func (o *oracle) heads() []log.Ref {
	set := map[log.Ref]bool{}
	for _, a := range o.x.entries {
		known := slices.ContainsFunc(o.x.entries, func(b Authored) bool {
			return b.Entry.Hash() != a.Entry.Hash() && o.counted(b) && o.knew(b, a.Entry.Hash())
		})
		if o.counted(a) && !known {
			set[a.Entry.Hash().Ref()] = true
		}
	}
	return sortedRefs(set)
}

func compareSteps(a, b []step) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), slices.CompareFunc(a, b, func(a, b step) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), bytes.Compare(a.hash[:], b.hash[:]), cmp.Compare(a.op, b.op))
	}))
}

func TestClosureIsEnoughToResolve(t *testing.T) {
	x := newWorld(t)
	ann, bob, cy := newPC("ann"), newPC("bob"), newPC("cy")
	g := x.admit(x.founder, ann, Admin)
	a := x.admit(ann, bob, Member, g)
	x.admit(x.founder, cy, Member)
	part := x.state().Closure(a.Entry.Hash())
	if len(part) != 3 || part[0].Entry.Hash() != log.Hash(x.w) || part[2].Entry != a.Entry {
		t.Fatalf("%d entries", len(part))
	}
	if d, ok := Resolve(x.w, part).Devices[bob.card.Sign]; !ok || d.By != ann.card.Sign {
		t.Error("the closure does not prove the admission")
	}
	if got := x.state().Closure(log.Hash{1}); len(got) != 0 {
		t.Errorf("closure of nothing: %d", len(got))
	}
}

// TestLongHistoryDoesNotRecurse holds a chain that a recursive walk would feel.
func TestLongHistoryDoesNotRecurse(t *testing.T) {
	x := newWorld(t)
	for range 20_000 {
		x.founder.last = log.Height{Seq: x.founder.last.Seq, Hash: x.founder.last.Hash}
		x.write(x.founder, []byte{0x80})
	}
	x.admit(x.founder, newPC("ann"), Member)
	if s := x.state(); len(s.Devices) != 2 || len(s.Heads()) != 1 {
		t.Errorf("%d devices, %d heads", len(s.Devices), len(s.Heads()))
	}
}

func BenchmarkResolve200(b *testing.B) {
	x := newWorld(b)
	by, last := x.founder, x.genesis()
	for i := range 200 {
		p := newPC(fmt.Sprint(i))
		last = x.admit(by, p, Admin, last)
		if i%10 == 0 {
			by = p
		}
	}
	for b.Loop() {
		if s := x.state(); len(s.Devices) != 201 {
			b.Fatalf("%d devices", len(s.Devices))
		}
	}
}
