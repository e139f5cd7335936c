package access

import (
	"bytes"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/log"
)

func TestRule10MalformedEntriesAreVoid(t *testing.T) {
	p := newPC("p")
	good := encodePayload(admission(p, Member))
	op := encode(admission(p, Member))
	for name, payload := range map[string][]byte{
		"empty":              {},
		"not a list":         {0x01},
		"trailing byte":      append(bytes.Clone(good), 0),
		"long integer":       bytes.Join([][]byte{{0x82, 0x18, 0x01, 0x81}, op}, nil),
		"indefinite list":    bytes.Join([][]byte{{0x9f, 0x01, 0x81}, op, {0xff}}, nil),
		"no operations":      encode([]any{1, []any{}}),
		"a field more":       encode([]any{1, []any{op2(t, op, true)}}),
		"a field less":       encode([]any{1, []any{op2(t, op, false)}}),
		"65 operations":      encodePayload(slices.Repeat([]any{admission(p, Member)}, 65)...),
		"short key":          bytes.Replace(good, append([]byte{0x58, 0x20}, p.card.Box[:]...), append([]byte{0x58, 0x1f}, p.card.Box[:31]...), 1),
		"null list of keys":  encodePayload(admit{Type: opAdmit, Device: p.card, Person: p.person, Role: Member}),
		"person without id":  encodePayload(admit{Type: opAdmit, Device: p.card, Role: Member, Wraps: []Wrap{}}),
		"one good, one bad":  encodePayload(admission(p, Member), admit{Type: opAdmit, Role: Member, Wraps: []Wrap{}}),
		"name not in UTF-8":  bytes.Replace(good, []byte("PC p"), []byte("PC \xff"), 1),
		"401 keys":           encodePayload(admit{Type: opAdmit, Device: p.card, Person: p.person, Role: Member, Wraps: make([]Wrap, 401)}),
		"deep nesting":       append([]byte{0x82, 0x01}, bytes.Repeat([]byte{0x81}, 1000)...),
		"list of 2^32 items": {0x82, 0x01, 0x9a, 0xff, 0xff, 0xff, 0xff},
	} {
		t.Run(name, func(t *testing.T) {
			x := newWorld(t)
			x.write(x.founder, payload)
			s := x.state()
			if len(s.Devices) != 1 || s.Stopped || len(s.Void) != 1 {
				t.Errorf("%d devices, stopped %v, void %v", len(s.Devices), s.Stopped, s.Void)
			}
			x.admit(x.founder, newPC("next"), Member)
			if len(x.state().Devices) != 2 {
				t.Error("the log ends at a void entry")
			}
		})
	}
}

// op2 returns an operation with its last field twice, or without it.
func op2(t *testing.T, op []byte, more bool) []any {
	t.Helper()
	var fields []any
	if err := cbor.Unmarshal(op, &fields); err != nil {
		t.Fatal(err)
	}
	if more {
		return append(fields, fields[len(fields)-1])
	}
	return fields[:len(fields)-1]
}

func TestRule11OnlyControlEntriesOfTheWorkspaceCount(t *testing.T) {
	for name, change := range map[string]func(x *world, h *log.Header, c *log.Card){
		"other kind":        func(_ *world, h *log.Header, _ *log.Card) { h.Kind = log.KindChat },
		"sealed":            func(_ *world, h *log.Header, _ *log.Card) { h.Key = &log.KeyID{1} },
		"other space":       func(_ *world, h *log.Header, c *log.Card) { c.Space = log.SpaceID{1}; h.Log = c.ID() },
		"other workspace":   func(_ *world, h *log.Header, c *log.Card) { c.Workspace = log.WorkspaceID{1}; h.Log = c.ID() },
		"card does not fit": func(_ *world, _ *log.Header, c *log.Card) { c.Incarnation = log.Incarnation{9} },
		"entry before it is missing": func(_ *world, h *log.Header, _ *log.Card) {
			h.Seq, h.Prev = 2, log.Hash{1}
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := newWorld(t)
			p := x.founder
			card := log.Card{Workspace: x.w, Device: p.card.Sign, Incarnation: log.Incarnation{2}}
			h := log.Header{Log: card.ID(), Seq: 1, Kind: log.KindControl, Ctl: refs(x.entries)}
			change(x, &h, &card)
			e, err := log.New(p.key, h, encodePayload(admission(newPC("ann"), Member)))
			if err != nil {
				t.Fatal(err)
			}
			x.entries = append(x.entries, Authored{Card: card, Entry: e}, Authored{})
			if s := x.state(); len(s.Devices) != 1 || s.Stopped {
				t.Errorf("devices %+v", s.Devices)
			}
		})
	}
}

func TestRule12AForkVoidsNothing(t *testing.T) {
	x := newWorld(t)
	ann, bob, cy := newPC("ann"), newPC("bob"), newPC("cy")
	at := x.founder.last
	x.admit(x.founder, ann, Member)
	x.founder.last = at
	x.admit(x.founder, bob, Member)
	x.admit(x.founder, cy, Member) // continues the second branch
	wantIn(t, x, "ann member,bob member,cy member,", ann, bob, cy)
}

func TestRule13OnlyAnnouncedKeysCount(t *testing.T) {
	x := newWorld(t)
	ann := newPC("ann")
	s := x.state()
	other := log.Key{9}
	first, err := wrap(s.scope, ann.card, log.Control, 1, other)
	if err != nil {
		t.Fatal(err)
	}
	next, err := wrap(s.scope, ann.card, log.Control, 2, other)
	if err != nil {
		t.Fatal(err)
	}
	a := admission(x.join(ann), Member)
	a.Wraps = []Wrap{first, next}
	x.write(x.founder, encodePayload(a))
	if keys := x.state().Keys(ann.box); len(keys) != 0 {
		t.Errorf("keys nobody announced: %v", keys)
	}
	if n, _, ok := x.state().Current(log.Everyone(x.w)); !ok || n != 1 {
		t.Errorf("current epoch %d", n)
	}
}

func TestRule13AWrapHoldsTheKeyItNames(t *testing.T) {
	x := newWorld(t)
	ann := newPC("ann")
	s := x.state()
	_, id, _ := s.Current(log.Everyone(x.w))
	wrong := log.Key{9}
	sealed, err := Seal(ann.card.Box, wrapInfo(s.scope, ann.card, log.Control, 1, id), wrong[:])
	if err != nil {
		t.Fatal(err)
	}
	a := admission(x.join(ann), Member)
	a.Wraps = []Wrap{{Epoch: 1, Key: id, Sealed: [80]byte(sealed)}}
	x.write(x.founder, encodePayload(a))
	if keys := x.state().Keys(ann.box); len(keys) != 0 {
		t.Errorf("another key under the announced name: %v", keys)
	}
}

func TestRule13AWrapIsBoundToItsPlace(t *testing.T) {
	ann, bob := newPC("ann"), newPC("bob")
	sc, key := scope{1}, log.Key{2}
	w, err := wrap(sc, ann.card, log.Control, 1, key)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.unwrap(sc, ann.card, ann.box); err != nil || got != key {
		t.Fatalf("unwrap = %v, %v", got, err)
	}
	moved := ann.card
	moved.Sign = bob.card.Sign
	later, space := w, w
	later.Epoch, later.Key = 2, key.ID(log.Control, 2)
	space.Space, space.Key = log.SpaceID{1}, key.ID(log.SpaceID{1}, 1)
	for name, try := range map[string]func() (log.Key, error){
		"other workspace": func() (log.Key, error) { return w.unwrap(scope{2}, ann.card, ann.box) },
		"other device":    func() (log.Key, error) { return w.unwrap(sc, moved, ann.box) },
		"other secret":    func() (log.Key, error) { return w.unwrap(sc, ann.card, bob.box) },
		"other epoch":     func() (log.Key, error) { return later.unwrap(sc, ann.card, ann.box) },
		"other space":     func() (log.Key, error) { return space.unwrap(sc, ann.card, ann.box) },
	} {
		if got, err := try(); err == nil {
			t.Errorf("%s: opens to %v", name, got)
		}
	}
}

func TestRule14NamesNeverVoid(t *testing.T) {
	x := newWorld(t)
	p := newPC("p")
	p.person.Name = "\u202efehC" // shows as "Chef" turned around
	x.admit(x.founder, p, Member)
	wantIn(t, x, p.person.Name+" member,", p)
	if got := ShowName(x.state().People[p.person.ID].Name); got != "fehC" {
		t.Errorf("shown as %q", got)
	}
}

func TestRule15HeadsNameWhatIsKnown(t *testing.T) {
	x := newWorld(t)
	ann, bob := newPC("ann"), newPC("bob")
	want := func(entries ...Authored) {
		t.Helper()
		if got := x.state().Heads(); !slices.Equal(got, refs(entries)) {
			t.Errorf("heads %x, want %x", got, refs(entries))
		}
	}
	want(x.genesis())
	g := x.admit(x.founder, ann, Admin)
	want(g)
	a := x.admit(ann, bob, Member, g)
	want(a)
	b := x.admit(x.founder, newPC("cy"), Member)
	want(a, b) // neither knew of the other
	x.write(bob, []byte{1}, a)
	want(a, b) // what a member writes is not named
	c := x.admit(x.founder, newPC("dan"), Member, a)
	want(c)
	for _, e := range x.entries {
		if !x.state().Knows(e.Entry.Hash().Ref()) {
			t.Error("an entry held is not known")
		}
	}
	if x.state().Knows(log.Ref{1}) {
		t.Error("an entry not held is known")
	}
}

func TestRule15HeadsAreBounded(t *testing.T) {
	x := newWorld(t)
	var last Authored
	var admins []*pc
	for i := range 20 {
		p := newPC(string(rune('a' + i)))
		last = x.admit(x.founder, p, Admin)
		admins = append(admins, p)
	}
	for i, p := range admins {
		x.admit(p, newPC("of "+string(rune('a'+i))), Member, last)
	}
	heads := x.state().Heads()
	if len(heads) != log.MaxRefs || !slices.IsSortedFunc(heads, func(a, b log.Ref) int { return bytes.Compare(a[:], b[:]) }) {
		t.Errorf("%d heads", len(heads))
	}
	for _, e := range x.entries[21:37] { // those of the most senior authors
		if !slices.Contains(heads, e.Entry.Hash().Ref()) {
			t.Error("a senior's entry gave way")
		}
	}
}
