package pairing

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// A pc is a device with its secrets.
type pc struct {
	key    ed25519.PrivateKey
	box    access.BoxSecret
	card   access.DeviceCard
	person access.Person
}

func newPC(name string) pc {
	seed := sha256.Sum256([]byte("sign" + name))
	p := pc{key: ed25519.NewKeyFromSeed(seed[:]), box: sha256.Sum256([]byte("box" + name))}
	p.card = access.DeviceCard{Sign: log.DeviceOf(p.key), Box: p.box.Public(), Peer: "peer-" + name, Name: "PC " + name}
	id := sha256.Sum256([]byte("person" + name))
	p.person = access.Person{ID: access.PersonID(id[:16]), Name: name}
	return p
}

func (p pc) offer() Offer { return Offer{Device: p.card, Person: p.person} }

// An office is a workspace with its founder's device.
type office struct {
	pc
	t       *testing.T
	w       log.WorkspaceID
	card    log.Card
	last    log.Height
	entries []access.Authored
	role    access.Role // of those who are admitted
}

func newOffice(t *testing.T, founder pc) *office {
	t.Helper()
	payload, err := access.Found(rand.Reader, access.FoundInput{Office: "Kanzlei", Person: founder.person, Device: founder.card})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{pc: founder, t: t, card: log.Card{Device: founder.card.Sign}, role: access.Member}
	o.w = log.WorkspaceID(o.write(payload, nil))
	return o
}

func (o *office) write(payload []byte, ctl []log.Ref) log.Hash {
	o.t.Helper()
	e, err := log.New(o.key, log.Header{Log: o.card.ID(), Seq: o.last.Seq + 1, Prev: o.last.Hash, Ctl: ctl, Kind: log.KindControl}, payload)
	if err != nil {
		o.t.Fatal(err)
	}
	o.last = log.Height{Seq: e.Seq, Hash: e.Hash()}
	o.entries = append(o.entries, access.Authored{Card: o.card, Entry: e})
	return e.Hash()
}

func (o *office) state() *access.State { return access.Resolve(o.w, o.entries) }

func (o *office) admit(p Offer) log.Hash {
	o.t.Helper()
	s := o.state()
	payload, err := s.Admit(o.pc.card.Sign, s.Keys(o.box), access.AdmitInput{Device: p.Device, Person: p.Person, Role: o.role})
	if err != nil {
		o.t.Fatal(err)
	}
	return o.write(payload, s.Heads())
}

// admitWithoutKeys writes an admission that carries no keys, as RULES.md of
// crdt/access describes it.
func (o *office) admitWithoutKeys(p Offer) log.Hash {
	o.t.Helper()
	return o.write(encode([]any{1, []any{[]any{2, p.Device, p.Person, o.role, []any{}}}}), o.state().Heads())
}

// pair brings a session as far as the number.
func pair(t *testing.T, joiner, inviter pc) (*Joiner, *Inviter, string) {
	t.Helper()
	j, err := NewJoiner(rand.Reader, joiner.offer(), joiner.box, joiner.card.Peer, inviter.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	i, err := NewInviter(rand.Reader, inviter.card, inviter.card.Peer, joiner.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := i.Ask(j.Start())
	if err != nil {
		t.Fatal(err)
	}
	opened, err := j.Answer(answer)
	if err != nil {
		t.Fatal(err)
	}
	back, err := i.Reveal(opened)
	if err != nil {
		t.Fatal(err)
	}
	number, err := j.Reveal(back)
	if err != nil {
		t.Fatal(err)
	}
	return j, i, number
}

// one returns the only message of a welcome.
func one(all [][]byte, err error) ([]byte, error) {
	if err != nil || len(all) != 1 {
		return nil, errors.Join(err, fmt.Errorf("%d messages", len(all)))
	}
	return all[0], nil
}

func TestJoin(t *testing.T) {
	anna, ben := newPC("anna"), newPC("ben")
	o := newOffice(t, anna)
	j, i, number := pair(t, ben, anna)
	if len(number) != 6 || !i.shows(number) {
		t.Fatalf("number %q is not the inviter's", number)
	}
	hash := o.admit(i.Offer())
	m, err := one(i.Welcome(o.state(), hash, []string{"192.168.1.7:4001"}))
	if err != nil {
		t.Fatal(err)
	}
	r, err := j.Welcome(m)
	if err != nil {
		t.Fatal(err)
	}
	if r.Workspace != o.w || len(r.Keys) != 2 || r.Inviter != anna.card || !slices.Equal(r.Addrs, []string{"192.168.1.7:4001"}) || len(r.Entries) != 2 {
		t.Errorf("result %+v", r)
	}
	if w := j.Words(); w == "" || w != i.Words(o.w) || len(strings.Fields(w)) != 3 {
		t.Errorf("words %q and %q", w, i.Words(o.w))
	}
	for id, k := range r.Keys { // of the space of all, and of the network
		if o.state().Keys(anna.box)[id] != k {
			t.Error("the new device holds another key than the founder")
		}
	}
}
