package access

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"inselnetz/crdt/log"
)

func (x *world) input(p *pc, role Role) AdmitInput {
	return AdmitInput{Device: p.card, Person: p.person, Role: role}
}

// letIn admits p with its keys, as a program does.
func (x *world) letIn(by, p *pc, role Role) *State {
	x.t.Helper()
	s := x.state()
	payload, err := s.Admit(by.card.Sign, s.Keys(by.box), x.input(p, role))
	if err != nil {
		x.t.Fatal(err)
	}
	x.write(by, payload, x.entries[len(x.entries)-1])
	x.join(p)
	return x.state()
}

func TestKeysReachWhoIsAdmitted(t *testing.T) {
	x := newWorld(t)
	ann, bob := newPC("ann"), newPC("bob")
	x.letIn(x.founder, ann, Admin)
	s := x.letIn(ann, bob, Member)
	n, id, ok := s.Current(log.Everyone(x.w))
	if !ok || n != 1 {
		t.Fatalf("current epoch %d, %v", n, ok)
	}
	want := s.Keys(x.founder.box)[id]
	if want.Space != log.Everyone(x.w) || want.Epoch != 1 || want.ID != id || want.Key.ID(log.Control, 1) != id {
		t.Errorf("founder holds %+v", want)
	}
	for _, p := range []*pc{ann, bob} {
		if keys := s.Keys(p.box); len(keys) != 2 || keys[id] != want || keys[s.NetworkKey(want).ID] != s.NetworkKey(want) {
			t.Errorf("%s holds %v", p.person.Name, keys)
		}
	}
	if keys := s.Keys(newPC("stranger").box); len(keys) != 0 {
		t.Errorf("a stranger holds %v", keys)
	}
	if _, _, ok := s.Current(log.Control); ok {
		t.Error("the control space has a key")
	}
}

func TestAdmitRefuses(t *testing.T) {
	x := newWorld(t)
	ann, bob, n := newPC("ann"), newPC("bob"), newPC("new")
	x.letIn(x.founder, ann, Admin)
	s := x.letIn(x.founder, bob, Member)
	twin := newPC("twin")
	twin.person = bob.person
	rival := newPC("rival")
	rival.person = x.founder.person
	known := func(p *pc) AdmitInput { in := x.input(p, Member); in.Known = true; return in }
	for name, tt := range map[string]struct {
		by   *pc
		keys map[log.KeyID]SpaceKey
		in   AdmitInput
		want error
	}{
		"admin lets in":              {ann, s.Keys(ann.box), x.input(n, Admin), nil},
		"member":                     {bob, s.Keys(bob.box), x.input(n, Member), ErrNotAllowed},
		"stranger":                   {n, nil, x.input(n, Member), ErrNotAllowed},
		"admin makes owner":          {ann, s.Keys(ann.box), x.input(n, Owner), ErrNotAllowed},
		"role of a newer program":    {ann, s.Keys(ann.box), x.input(n, Carrier+1), ErrNotAllowed},
		"device twice":               {ann, s.Keys(ann.box), known(bob), ErrDeviceKnown},
		"newcomer as somebody else":  {ann, s.Keys(ann.box), x.input(twin, Member), ErrPersonKnown},
		"second device, on purpose":  {ann, s.Keys(ann.box), known(twin), nil},
		"second device of nobody":    {ann, s.Keys(ann.box), known(n), ErrPersonKnown},
		"second device of the owner": {ann, s.Keys(ann.box), known(rival), ErrNotAllowed},
		"without keys":               {ann, nil, x.input(n, Member), ErrNoKeys},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.Admit(tt.by.card.Sign, tt.keys, tt.in); !errors.Is(err, tt.want) {
				t.Errorf("Admit = %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := Found(bytes.NewReader(make([]byte, 20)), FoundInput{Person: n.person, Device: n.card}); err == nil {
		t.Error("Found without randomness")
	}
	if _, err := Found(rand.Reader, FoundInput{Device: n.card}); err == nil {
		t.Error("Found without a person")
	}
	broken := n.person
	broken.Name = "\xff"
	if _, err := Found(rand.Reader, FoundInput{Person: broken, Device: n.card}); err == nil {
		t.Error("Found with a name that is no text")
	}
}

// TestBoxKeyCheckKnowsAllWeakKeys holds the list against the library, which
// refuses to agree on a key with points of small order.
func TestBoxKeyCheckKnowsAllWeakKeys(t *testing.T) {
	mine, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak := func(k BoxKey) bool {
		pub, err := ecdh.X25519().NewPublicKey(k[:])
		if err != nil {
			return true
		}
		_, err = mine.ECDH(pub)
		return err != nil
	}
	for _, s := range smallOrder {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		k := BoxKey(b)
		if !weak(k) || k.check() == nil {
			t.Errorf("%s: library says weak %v, we say %v", s, weak(k), k.check())
		}
		k[31] |= 0x80 // the library does not look at this bit
		if k.check() == nil {
			t.Errorf("%x: not canonical and accepted", k)
		}
	}
	for range 50 {
		s, err := GenerateBox(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if k := s.Public(); weak(k) || k.check() != nil {
			t.Errorf("honest key %x: %v", k, k.check())
		}
	}
	if _, err := GenerateBox(bytes.NewReader(nil)); err == nil {
		t.Error("a key without randomness")
	}
}

func TestSealOpens(t *testing.T) {
	p := newPC("p")
	sealed, err := Seal(p.card.Box, []byte("info"), []byte("hello"))
	if err != nil || len(sealed) != 5+48 {
		t.Fatalf("%d bytes, %v", len(sealed), err)
	}
	if got, err := Open(p.box, []byte("info"), sealed); err != nil || string(got) != "hello" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if _, err := Open(p.box, []byte("other"), sealed); err == nil {
		t.Error("opens with other info")
	}
	for n := range sealed {
		if _, err := Open(p.box, []byte("info"), sealed[:n]); err == nil {
			t.Errorf("opens torn after %d bytes", n)
		}
	}
	if _, err := Seal(BoxKey{}, nil, nil); err == nil {
		t.Error("seals to a weak key")
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"Anna", "\u202eChef", "👩‍⚖️", "a\u0301", "\xff", "   ", "🏴\U000e0067\U000e007f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		shown := ShowName(s)
		if clean, err := CleanName(s); err == nil && ShowName(clean) != strings.Join(strings.Fields(clean), " ") {
			t.Fatalf("clean %q is shown as %q", clean, ShowName(clean))
		}
		if ShowName(shown) != shown {
			t.Fatalf("%q is shown as %q, that as %q", s, shown, ShowName(shown))
		}
		if _, err := CleanName(shown); err != nil {
			t.Fatalf("%q is shown as %q, which is %v", s, shown, err)
		}
	})
}

var update = flag.Bool("update", false, "write the golden files anew")

type goldenWorld struct {
	About     string
	Workspace string
	Scope     string
	Entries   []goldenEntry
	Devices   []goldenDevice
	Heads     []string
	KeyID     string
	Key       string
}

type goldenEntry struct{ Workspace, Device, Incarnation, Entry string }

type goldenDevice struct {
	Sign, Box, BoxSecret, Peer, Name, Person, Role string
	Rank                                           int
}

// TestGoldenWorkspace reads yesterday's office: it must resolve to the same
// devices, and the keys in it must open. Sealing is random, so it is not made
// again.
func TestGoldenWorkspace(t *testing.T) {
	const file = "testdata/workspace.json"
	if *update {
		writeGolden(t, file)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var g goldenWorld
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	w := log.WorkspaceID(unhex(t, g.Workspace))
	var entries []Authored
	for _, ge := range g.Entries {
		e, err := log.Decode(unhex(t, ge.Entry))
		if err != nil {
			t.Fatal(err)
		}
		c := log.Card{Workspace: log.WorkspaceID(unhex(t, ge.Workspace)), Device: log.DeviceID(unhex(t, ge.Device)), Incarnation: log.Incarnation(unhex(t, ge.Incarnation))}
		if e.Log != c.ID() || e.Verify(c.Device) != nil {
			t.Error("entry does not verify")
		}
		entries = append(entries, Authored{Card: c, Entry: e})
	}
	if got := golden(t, Resolve(w, entries), entries, g); !slices.Equal(got.Devices, g.Devices) || !slices.Equal(got.Heads, g.Heads) || got.KeyID != g.KeyID || got.Key != g.Key || got.Scope != g.Scope {
		t.Errorf("resolves to %+v, want %+v", got, g)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// golden writes down what a state says. The secrets are those of want.
func golden(t *testing.T, s *State, entries []Authored, want goldenWorld) goldenWorld {
	t.Helper()
	g := goldenWorld{
		About:     "Golden vectors of crdt/access/RULES.md. All byte strings are hexadecimal. Written by: go test ./crdt/access -run Golden -update",
		Workspace: hex.EncodeToString(s.Workspace[:]),
		Scope:     hex.EncodeToString(s.scope[:]),
	}
	for _, a := range entries {
		g.Entries = append(g.Entries, goldenEntry{hex.EncodeToString(a.Card.Workspace[:]), hex.EncodeToString(a.Card.Device[:]), hex.EncodeToString(a.Card.Incarnation[:]), hex.EncodeToString(a.Entry.Bytes())})
	}
	for _, r := range s.Heads() {
		g.Heads = append(g.Heads, hex.EncodeToString(r[:]))
	}
	_, id, _ := s.Current(log.Everyone(s.Workspace))
	g.KeyID = hex.EncodeToString(id[:])
	for i, d := range s.Seniority() {
		secret := want.Devices[i].BoxSecret
		g.Devices = append(g.Devices, goldenDevice{
			hex.EncodeToString(d.Card.Sign[:]), hex.EncodeToString(d.Card.Box[:]), secret, d.Card.Peer, d.Card.Name,
			hex.EncodeToString(d.Person[:]), d.Role.String(), d.Rank,
		})
		key := s.Keys(BoxSecret(unhex(t, secret)))[id].Key
		if text := hex.EncodeToString(key[:]); g.Key == "" || g.Key == text {
			g.Key = text
		} else {
			t.Errorf("%s holds another key", d.Card.Name)
		}
	}
	return g
}

func writeGolden(t *testing.T, file string) {
	x := newWorld(t)
	ann, bob := newPC("ann"), newPC("bob")
	x.letIn(x.founder, ann, Admin)
	s := x.letIn(ann, bob, Member)
	var secrets goldenWorld
	for _, p := range []*pc{x.founder, ann, bob} {
		secrets.Devices = append(secrets.Devices, goldenDevice{BoxSecret: hex.EncodeToString(p.box[:])})
	}
	raw, err := json.MarshalIndent(golden(t, s, x.entries, secrets), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
