package pairing

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"inselnetz/crdt/log"
)

const goldenLinkFile = "testdata/link.json"

// A goldenLink is a session by link with fixed secrets, so all but the sealing
// of the welcome is computed again. All byte strings are hexadecimal.
type goldenLink struct {
	About                          string
	Link, LinkSecret, LinkID       string
	JoinerBoxSecret                string
	JoinerNonce, InviterNonce      string
	JoinerPeer, InviterPeer        string
	Knock, Challenge, Claim        string
	Offer, Transcript, Transcript2 string
	Workspace, Words               string
	Welcome                        string // sealing is random: only read
}

func runGoldenLink(t *testing.T) (goldenLink, *LinkJoiner, *LinkSession) {
	ben, anna := newPC("ben"), newPC("anna")
	joiner, inviter, secret := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32), bytes.Repeat([]byte{3}, 16)
	v, err := NewLinkInvite(bytes.NewReader(secret), anna.card, testAddrs, 0, start)
	if err != nil {
		t.Fatal(err)
	}
	j, err := NewLinkJoiner(bytes.NewReader(joiner), v.Link(), ben.offer(), ben.box, ben.card.Peer, anna.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	s, challenge, err := v.Knock(bytes.NewReader(inviter), ben.card.Peer, j.Start(), start)
	if err != nil {
		t.Fatal(err)
	}
	claim := ok[[]byte](t)(j.Challenge(challenge))
	if _, err := s.Claim(claim, start); err != nil {
		t.Fatal(err)
	}
	x, id := hex.EncodeToString, v.Link().ID()
	return goldenLink{
		About: "Golden session by link of crdt/pairing/FORMAT.md. All byte strings are hexadecimal. Written by: go test ./crdt/pairing -run Golden -update",
		Link:  v.Link().String(), LinkSecret: x(secret), LinkID: x(id[:]),
		JoinerBoxSecret: x(ben.box[:]), JoinerNonce: x(joiner), InviterNonce: x(inviter),
		JoinerPeer: ben.card.Peer, InviterPeer: anna.card.Peer,
		Knock: x(j.Start()), Challenge: x(challenge), Claim: x(claim),
		Offer: x(encode(ben.offer())), Transcript: x(s.transcript[:]), Transcript2: x(s.said[:]),
	}, j, s
}

func TestGoldenLink(t *testing.T) {
	got, j, s := runGoldenLink(t)
	if *update {
		g := got
		o := newOffice(t, newPC("anna"))
		entry := o.admit(newPC("ben").offer())
		m, err := s.Welcome(o.state(), entry, testAddrs)
		if err != nil || len(m) != 1 {
			t.Fatalf("%d messages, %v", len(m), err)
		}
		g.Workspace, g.Words, g.Welcome = hex.EncodeToString(o.w[:]), s.Words(o.w), hex.EncodeToString(m[0])
		raw := append(ok[[]byte](t)(json.MarshalIndent(g, "", "  ")), '\n')
		if err := os.WriteFile(goldenLinkFile, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := readGoldenLink(t)
	unhex := func(s string) []byte { return ok[[]byte](t)(hex.DecodeString(s)) }
	r, err := j.Welcome(unhex(want.Welcome))
	if err != nil {
		t.Fatal(err)
	}
	got.Workspace, got.Words, got.Welcome = hex.EncodeToString(r.Workspace[:]), j.Words(), want.Welcome
	if got != want {
		t.Errorf("the format changed:\n%+v\nwas\n%+v", got, want)
	}
	if w := s.Words(log.WorkspaceID(unhex(want.Workspace))); w != want.Words {
		t.Errorf("inviter shows %q", w)
	}
}

func readGoldenLink(t testing.TB) (g goldenLink) {
	raw, err := os.ReadFile(goldenLinkFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func FuzzLink(f *testing.F) {
	f.Add(readGoldenLink(f).Link)
	f.Add("inselnetz:join?")
	f.Add(" <inselnetz:join?hQFQAAAAAAAAAAAAAAAAAAAAAGlwZWVyLWFubmGBcDE5Mi4xNjguMS43OjQwMDEA>\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLink(s)
		if err != nil {
			return
		}
		again, err := ParseLink(l.String())
		if err != nil || !reflect.DeepEqual(again, l) || len(l.String()) > MaxLink {
			t.Fatalf("%q is read and written as %q: %v", s, l, err)
		}
	})
}

// FuzzLinkMessages hands any bytes to both sides of a session by link.
func FuzzLinkMessages(f *testing.F) {
	g := readGoldenLink(f)
	for _, s := range []string{g.Knock, g.Challenge, g.Claim, g.Welcome} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(encode(welcome{Version: version, Type: typePiece, Sealed: make([]byte, 100)}))
	ben, anna := newPC("ben"), newPC("anna")
	f.Fuzz(func(t *testing.T, b []byte) {
		for kind, to := range map[uint64]any{typeKnock: new(knock), typeChallenge: new(challenge), typeClaim: new(claim), typePiece: new(welcome)} {
			if err := decode(b, kind, to); err == nil && !bytes.Equal(encode(to), b) {
				t.Fatalf("type %d decoded and encoded again: %x", kind, encode(to))
			}
		}
		v := newLinkInvite(t, anna)
		LinkOf(b)
		if _, _, err := v.Knock(bytes.NewReader(make([]byte, 32)), ben.card.Peer, b, start); err == nil {
			t.Fatal("a knock without the link's id")
		}
		j, s, challenge := knockAt(t, v, v.Link(), ben)
		if _, err := s.Claim(b, start); err == nil {
			t.Fatal("a claim without the secret")
		}
		if _, err := j.Challenge(b); err == nil {
			t.Fatal("a challenge without the secret")
		}
		j, _, challenge = knockAt(t, v, v.Link(), ben)
		if _, err := j.Challenge(challenge); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Welcome(b); err == nil {
			t.Fatal("a welcome of nobody")
		}
	})
}
