package access

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"inselnetz/crdt/log"
)

// A pc is a device with its secrets and the control log it writes.
type pc struct {
	key    ed25519.PrivateKey
	box    BoxSecret
	card   DeviceCard
	person Person
	log    log.Card
	last   log.Height
}

func newPC(name string) *pc {
	seed := sha256.Sum256([]byte("sign" + name))
	id := sha256.Sum256([]byte("person" + name))
	p := &pc{key: ed25519.NewKeyFromSeed(seed[:]), box: sha256.Sum256([]byte("box" + name)), person: Person{ID: PersonID(id[:16]), Name: name}}
	p.card = DeviceCard{Sign: log.DeviceOf(p.key), Box: p.box.Public(), Peer: "peer-" + strings.ReplaceAll(name, " ", "-"), Name: "PC " + name}
	p.log = log.Card{Device: p.card.Sign}
	return p
}

// A world is an office and all that was written in its control space.
type world struct {
	t       testing.TB
	w       log.WorkspaceID
	founder *pc
	entries []Authored
}

// newWorld founds an office.
func newWorld(t testing.TB) *world {
	t.Helper()
	f := newPC("founder")
	payload, err := Found(bytes.NewReader(make([]byte, 64)), FoundInput{Office: "Kanzlei Sand", Person: f.person, Device: f.card})
	if err != nil {
		t.Fatal(err)
	}
	x := &world{t: t, founder: f}
	x.w = log.WorkspaceID(x.write(f, payload).Entry.Hash())
	return x
}

// join gives a device the log it writes in this workspace.
func (x *world) join(p *pc) *pc {
	p.log.Workspace = x.w
	return p
}

// write appends an entry to a device's log, made in the knowledge of ctl.
func (x *world) write(p *pc, payload []byte, ctl ...Authored) Authored {
	x.t.Helper()
	h := log.Header{Log: p.log.ID(), Seq: p.last.Seq + 1, Prev: p.last.Hash, Kind: log.KindControl, Ctl: refs(ctl)}
	e, err := log.New(p.key, h, payload)
	if err != nil {
		x.t.Fatal(err)
	}
	p.last = log.Height{Seq: e.Seq, Hash: e.Hash()}
	a := Authored{Card: p.log, Entry: e}
	x.entries = append(x.entries, a)
	return a
}

func refs(known []Authored) []log.Ref {
	set := map[log.Ref]bool{}
	for _, a := range known {
		set[a.Entry.Hash().Ref()] = true
	}
	return sortedRefs(set)
}

func (x *world) state() *State { return Resolve(x.w, x.entries) }

// admission returns an operation that lets p in, without keys.
func admission(p *pc, role Role) admit {
	return admit{Type: opAdmit, Device: p.card, Person: p.person, Role: role, Wraps: []Wrap{}}
}

// admit lets p in, in the knowledge of ctl, and gives it its log.
func (x *world) admit(by, p *pc, role Role, ctl ...Authored) Authored {
	x.t.Helper()
	return x.write(by, encodePayload(admission(x.join(p), role)), ctl...)
}

// in reports which of the devices are in the workspace.
func (x *world) in(all ...*pc) string {
	s, out := x.state(), ""
	for _, p := range all {
		if d, ok := s.Devices[p.card.Sign]; ok {
			out += fmt.Sprintf("%s %s,", p.person.Name, d.Role)
		}
	}
	return out
}

func (x *world) genesis() Authored { return x.entries[0] }
