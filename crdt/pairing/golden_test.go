package pairing

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

var update = flag.Bool("update", false, "write the golden files anew")

const goldenFile = "testdata/session.json"

// A golden session: both secrets are fixed, so all but the sealing is
// computed again. All byte strings are hexadecimal.
type golden struct {
	About                                  string
	JoinerBoxSecret, JoinerNonce           string
	InviterNonce, JoinerPeer, InviterPeer  string
	Ask, Answer, JoinerReveal, InviterShow string
	Transcript, Number                     string
	Workspace, Words                       string
	Welcome                                string // sealing is random: only read
}

func (g golden) run(t *testing.T) (golden, *Joiner, *Inviter) {
	ben, anna := newPC("ben"), newPC("anna")
	joiner, inviter := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	j, err := NewJoiner(bytes.NewReader(joiner), ben.offer(), ben.box, ben.card.Peer, anna.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	i, err := NewInviter(bytes.NewReader(inviter), anna.card, anna.card.Peer, ben.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	must := ok[[]byte](t)
	ask := j.Start()
	answer := must(i.Ask(ask))
	opened := must(j.Answer(answer))
	back := must(i.Reveal(opened))
	number := ok[string](t)(j.Reveal(back))
	x := hex.EncodeToString
	return golden{
		About:           "Golden session of crdt/pairing/FORMAT.md. All byte strings are hexadecimal. Written by: go test ./crdt/pairing -run Golden -update",
		JoinerBoxSecret: x(ben.box[:]), JoinerNonce: x(joiner), InviterNonce: x(inviter),
		JoinerPeer: ben.card.Peer, InviterPeer: anna.card.Peer,
		Ask: x(ask), Answer: x(answer), JoinerReveal: x(opened), InviterShow: x(back),
		Transcript: x(j.said[:]), Number: number,
	}, j, i
}

func TestGoldenSession(t *testing.T) {
	got, j, i := golden{}.run(t)
	if *update {
		writeGolden(t, got, i)
	}
	raw, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	var want golden
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	unhex := func(s string) []byte { return ok[[]byte](t)(hex.DecodeString(s)) }
	r, err := j.Welcome(unhex(want.Welcome))
	if err != nil {
		t.Fatal(err)
	}
	got.Workspace, got.Words, got.Welcome = hex.EncodeToString(r.Workspace[:]), j.Words(), want.Welcome
	if got != want {
		t.Errorf("the format changed:\n%+v\nwas\n%+v", got, want)
	}
	if w := i.Words(log.WorkspaceID(unhex(want.Workspace))); w != want.Words {
		t.Errorf("inviter shows %q", w)
	}
	if len(r.Keys) != 2 || len(r.State.Devices) != 2 {
		t.Errorf("%d keys, %d devices", len(r.Keys), len(r.State.Devices))
	}
}

func writeGolden(t *testing.T, g golden, i *Inviter) {
	o := newOffice(t, newPC("anna"))
	hash := o.admit(newPC("ben").offer())
	m := ok[[]byte](t)(one(i.Welcome(o.state(), hash, []string{"192.168.1.7:4001"})))
	g.Workspace, g.Words, g.Welcome = hex.EncodeToString(o.w[:]), i.Words(o.w), hex.EncodeToString(m)
	raw := append(ok[[]byte](t)(json.MarshalIndent(g, "", "  ")), '\n')
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(goldenFile, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWordsAreGood(t *testing.T) {
	if len(words) != 256 {
		t.Fatalf("%d words", len(words))
	}
	seen := map[string]bool{}
	for _, w := range words {
		key := strings.ToLower(w)
		if seen[key] {
			t.Errorf("%s twice", w)
		}
		seen[key] = true
		if len(w) > 10 || strings.Trim(w[1:], "abcdefghijklmnopqrstuvwxyz") != "" || w[0] < 'A' || w[0] > 'Z' {
			t.Errorf("%s is not one short plain word", w)
		}
	}
}

func TestDoorName(t *testing.T) {
	for in, want := range map[[3]byte]string{{0, 1, 0}: words[0] + " " + words[1] + " 10", {255, 255, 255}: words[255] + " " + words[255] + " 85", {2, 3, 89}: words[2] + " " + words[3] + " 99"} {
		if got, err := DoorName(bytes.NewReader(in[:])); err != nil || got != want {
			t.Errorf("DoorName = %q, %v, want %q", got, err, want)
		}
	}
	if _, err := DoorName(bytes.NewReader(nil)); err == nil {
		t.Error("a name without randomness")
	}
}

func FuzzMessages(f *testing.F) {
	raw, err := os.ReadFile(goldenFile)
	if err != nil {
		f.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(raw, &g); err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{g.Ask, g.Answer, g.JoinerReveal, g.Welcome} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(Refusal(Busy))
	f.Fuzz(func(t *testing.T, b []byte) {
		for kind, to := range map[uint64]any{typeAsk: new(ask), typeAnswer: new(answer), typeReveal: new(reveal), typeWelcome: new(welcome), typeRefusal: new(refusal)} {
			if err := decode(b, kind, to); err == nil && !bytes.Equal(encode(to), b) {
				t.Fatalf("type %d decoded and encoded again: %x", kind, encode(to))
			}
		}
		// Whatever comes at any point is an error or goes on as it should.
		j, i := begin(t, newPC("ben"), newPC("anna"))
		_, _ = i.Ask(b)
		_, _ = i.Reveal(b)
		_, _ = j.Answer(b)
		_, _ = j.Reveal(b)
		_, _ = j.Welcome(b)
	})
}

// FuzzWelcomed feeds the inside of a welcome, which is an inviter's to make.
func FuzzWelcomed(f *testing.F) {
	ben, anna := newPC("ben"), newPC("anna")
	payload, err := access.Found(bytes.NewReader(make([]byte, 64)), access.FoundInput{Person: anna.person, Device: anna.card})
	if err != nil {
		f.Fatal(err)
	}
	card := log.Card{Device: anna.card.Sign}
	e, err := log.New(anna.key, log.Header{Log: card.ID(), Seq: 1, Kind: log.KindControl}, payload)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encode(welcomed{Workspace: log.WorkspaceID(e.Hash()), Admission: e.Hash(), Entries: []authored{{Card: card, Entry: e.Bytes()}}, Addrs: []string{"a"}}))
	j, i := begin(f, ben, anna)
	answer, err := i.Ask(j.Start())
	if err != nil {
		f.Fatal(err)
	}
	if _, err := j.Answer(answer); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := decodeWelcomed(b)
		if err != nil {
			return
		}
		if !bytes.Equal(encode(in), b) {
			t.Fatalf("decoded and encoded again: %x", encode(in))
		}
		if _, err := j.examine(in); err == nil {
			t.Fatal("nobody admitted this device")
		}
	})
}
