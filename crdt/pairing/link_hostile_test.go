package pairing

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// knockAt brings a device as far as the inviter's challenge.
func knockAt(t testing.TB, v *LinkInvite, l Link, p pc) (*LinkJoiner, *LinkSession, []byte) {
	t.Helper()
	j, err := NewLinkJoiner(rand.Reader, l, p.offer(), p.box, p.card.Peer, l.Peer)
	if err != nil {
		t.Fatal(err)
	}
	s, challenge, err := v.Knock(rand.Reader, p.card.Peer, j.Start(), start)
	if err != nil {
		t.Fatal(err)
	}
	return j, s, challenge
}

// Somebody on the network knows neither the link nor its id, or only the id.
func TestHostileWrongSecret(t *testing.T) {
	anna, eve := newPC("anna"), newPC("eve")
	v := newLinkInvite(t, anna)
	guess := v.Link()
	guess.Secret[15] ^= 1
	_, _, _, err := claimBy(t, v, guess, eve, start)
	wantErr(t, "another secret", err, ErrClosed)

	// With the id of the link and another secret she gets a challenge that she
	// cannot check, and her claim is wrong.
	j, err := NewLinkJoiner(rand.Reader, guess, eve.offer(), eve.box, eve.card.Peer, anna.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	j.knock = encode(knock{Version: version, Type: typeKnock, Link: v.Link().ID(), Nonce: [32]byte{1}})
	s, challenge, err := v.Knock(rand.Reader, eve.card.Peer, j.knock, start)
	if err != nil {
		t.Fatal(err)
	}
	_, err = j.Challenge(challenge)
	wantErr(t, "an inviter with another secret", err, ErrProof)
	_, err = s.Claim(encode(claim{Version: version, Type: typeClaim, Sealed: guess.sealOffer(s.transcript, eve.offer())}), start)
	wantErr(t, "claim", err, ErrProof)
	_, err = s.Claim(nil, start)
	wantErr(t, "after an error", err, ErrOrder)
	if _, taken := v.Taken(); taken || v.Open(start) != nil {
		t.Error("the link is used up")
	}
}

// Strangers may knock as often as they like; who sends wrong proofs for the
// right id closes the link, for its id has got about.
func TestHostileFloodAtALink(t *testing.T) {
	anna, ben, eve := newPC("anna"), newPC("ben"), newPC("eve")
	v := newLinkInvite(t, anna)
	for i := range 1000 {
		stranger := Link{Secret: [16]byte{byte(i), byte(i >> 8)}, Peer: anna.card.Peer}
		_, _, _, err := claimBy(t, v, stranger, eve, start)
		wantErr(t, "stranger", err, ErrClosed)
		if _, _, err := v.Knock(rand.Reader, "peer-eve", []byte("nonsense"), start); !errors.Is(err, ErrMalformed) {
			t.Fatalf("Knock = %v", err)
		}
	}
	if err := v.Open(start); err != nil {
		t.Fatalf("strangers closed it: %v", err)
	}
	bad := encode(claim{Version: version, Type: typeClaim, Sealed: make([]byte, 100)})
	for i := range MaxWrong {
		if err := v.Open(start); err != nil {
			t.Fatalf("closed after %d: %v", i, err)
		}
		_, s, _ := knockAt(t, v, v.Link(), eve)
		_, err := s.Claim(bad, start)
		wantErr(t, "wrong proof", err, ErrProof)
	}
	_, _, _, err := claimBy(t, v, v.Link(), ben, start)
	wantErr(t, "after too many", err, ErrClosed)
}

// What was said in one session is worth nothing in another, nor to another end.
func TestHostileReplayOfALink(t *testing.T) {
	anna, ben, eve := newPC("anna"), newPC("ben"), newPC("eve")
	v := newLinkInvite(t, anna)
	j, s, challenge := knockAt(t, v, v.Link(), ben)
	claimed := ok[[]byte](t)(j.Challenge(challenge))

	// to a new session of the same peer, and of another one
	for _, peer := range []string{ben.card.Peer, eve.card.Peer} {
		again, _, err := v.Knock(rand.Reader, peer, j.Start(), start)
		if err != nil {
			t.Fatal(err)
		}
		_, err = again.Claim(claimed, start)
		wantErr(t, "claim replayed by "+peer, err, ErrProof)
	}
	// an old challenge to a new session of the joiner
	j2, _, _ := knockAt(t, v, v.Link(), ben)
	_, err := j2.Challenge(challenge)
	wantErr(t, "challenge replayed", err, ErrProof)
	// a welcome of another session
	o := newOffice(t, anna)
	if _, err := s.Claim(claimed, start); err != nil {
		t.Fatal(err)
	}
	entry := o.admit(ben.offer())
	m, err := s.Welcome(o.state(), entry, nil)
	if err != nil {
		t.Fatal(err)
	}
	j3, _, _, err := claimBy(t, v, v.Link(), ben, start)
	if err != nil {
		t.Fatal(err)
	}
	_, err = j3.Welcome(m[0])
	wantErr(t, "welcome replayed", err, ErrWelcome)
}

// TestHostileBetweenLink: eve speaks with both and passes on what she can. The
// transport shows both sides her own peer id, which is part of every proof.
func TestHostileBetweenLink(t *testing.T) {
	anna, ben, eve := newPC("anna"), newPC("ben"), newPC("eve")
	v := newLinkInvite(t, anna)
	_, err := NewLinkJoiner(rand.Reader, v.Link(), ben.offer(), ben.box, ben.card.Peer, eve.card.Peer)
	wantErr(t, "ben notices whom he reached", err, ErrLink)

	// Anna sees a knock of eve; what ben proves is for a connection of his.
	j, err := NewLinkJoiner(rand.Reader, v.Link(), ben.offer(), ben.box, ben.card.Peer, anna.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	s, challenge, err := v.Knock(rand.Reader, eve.card.Peer, j.Start(), start)
	if err != nil {
		t.Fatal(err)
	}
	_, err = j.Challenge(challenge)
	wantErr(t, "challenge for eve", err, ErrProof)
	_, err = s.Claim(encode(claim{Version: version, Type: typeClaim}), start)
	wantErr(t, "nothing for anna", err, ErrProof)
}

// A proof sent back to whom it came from proves nothing.
func TestHostileReflectionOfALink(t *testing.T) {
	anna, ben := newPC("anna"), newPC("ben")
	v := newLinkInvite(t, anna)
	_, s, raw := knockAt(t, v, v.Link(), ben)
	var c challenge
	if err := decode(raw, typeChallenge, &c); err != nil {
		t.Fatal(err)
	}
	_, err := s.Claim(encode(claim{Version: version, Type: typeClaim, Proof: c.Proof}), start)
	wantErr(t, "inviter's own proof", err, ErrProof)
}

// A joiner says who it is only to whom has proved to have made the link.
func TestHostileInviterLearnsNothing(t *testing.T) {
	ben, anna := newPC("ben"), newPC("anna")
	l := newLinkInvite(t, anna).Link()
	for name, b := range map[string][]byte{
		"no proof":      encode(challenge{Version: version, Type: typeChallenge}),
		"nothing":       nil,
		"torn":          encode(challenge{Version: version, Type: typeChallenge})[:40],
		"another type":  encode(knock{Version: version, Type: typeKnock}),
		"refusal":       Refusal(Used),
		"newer version": encode([]any{2, 7, "whatever"}),
	} {
		j, err := NewLinkJoiner(rand.Reader, l, ben.offer(), ben.box, ben.card.Peer, anna.card.Peer)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(j.Start(), []byte(ben.person.Name)) || bytes.Contains(j.Start(), l.Secret[:]) {
			t.Error("the knock tells who knocks, or the secret")
		}
		if out, err := j.Challenge(b); err == nil || out != nil {
			t.Errorf("%s: answered", name)
		}
		_, err = j.Challenge(b)
		wantErr(t, name+", again", err, ErrOrder)
		if j.Words() != "" {
			t.Error("words too early")
		}
	}
	// what goes over the wire afterwards is encrypted
	v := newLinkInvite(t, anna)
	j, _, challenge := knockAt(t, v, v.Link(), ben)
	claimed := ok[[]byte](t)(j.Challenge(challenge))
	if bytes.Contains(claimed, ben.card.Sign[:]) || bytes.Contains(claimed, []byte("PC ben")) {
		t.Error("the claim can be read")
	}
}

// Whoever has the link still cannot claim to be another device.
func TestHostileOfferInAClaim(t *testing.T) {
	anna, ben, eve := newPC("anna"), newPC("ben"), newPC("eve")
	foreign, ours, weak, nobody := eve.offer(), eve.offer(), eve.offer(), eve.offer()
	foreign.Device.Peer = ben.card.Peer
	ours.Device.Sign = anna.card.Sign
	weak.Device.Sign = log.DeviceID{1}
	nobody.Person.ID = access.PersonID{}
	for name, offer := range map[string]any{
		"card of another": foreign, "our own key": ours, "weak key": weak, "person without id": nobody, "no offer": []any{1}, "a field more": []any{eve.card, eve.person, 0},
	} {
		t.Run(name, func(t *testing.T) {
			v := newLinkInvite(t, anna)
			_, s, _ := knockAt(t, v, v.Link(), eve)
			c, nonce := v.link.cipher(s.transcript)
			m := claim{Version: version, Type: typeClaim, Sealed: c.Seal(nil, nonce, encode(offer), s.transcript[:])}
			m.Proof = v.link.mac("joiner", s.transcript[:], m.Sealed)
			_, err := s.Claim(encode(m), start)
			wantErr(t, "Claim", err, ErrMalformed)
			if _, taken := v.Taken(); taken {
				t.Error("the link is used up by nobody")
			}
		})
	}
	t.Run("sealed otherwise", func(t *testing.T) {
		v := newLinkInvite(t, anna)
		_, s, _ := knockAt(t, v, v.Link(), eve)
		m := claim{Version: version, Type: typeClaim, Sealed: make([]byte, 64)}
		m.Proof = v.link.mac("joiner", s.transcript[:], m.Sealed)
		_, err := s.Claim(encode(m), start)
		wantErr(t, "Claim", err, ErrProof)
	})
}

// The welcome must come from the device that made the link, and it must be one
// that may let in.
func TestHostileWelcomeByLink(t *testing.T) {
	anna, ben, eve := newPC("anna"), newPC("ben"), newPC("eve")
	o := newOffice(t, anna)
	o.admit(eve.offer())
	entry := o.admit(ben.offer())
	v := newLinkInvite(t, eve) // a member who is no admin hands out a link
	j, s, _, err := claimBy(t, v, v.Link(), ben, start)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Welcome(o.state(), entry, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = j.Welcome(m[0])
	wantErr(t, "by a member", err, ErrWelcome)

	other := newOffice(t, eve) // an office in which the maker of the link is unknown
	entry = other.admit(ben.offer())
	v = newLinkInvite(t, anna)
	j, s, _, err = claimBy(t, v, v.Link(), ben, start)
	if err != nil {
		t.Fatal(err)
	}
	in := welcomed{Workspace: other.w, Admission: entry, Entries: []authored{}, Addrs: []string{}}
	for _, a := range other.entries {
		in.Entries = append(in.Entries, authored{Card: a.Card, Entry: a.Entry.Bytes()})
	}
	sealed := ok[[]byte](t)(access.Seal(ben.card.Box, s.said.welcomeInfo(), encode(in)))
	_, err = j.Welcome(encode(welcome{Version: version, Type: typeWelcome, Sealed: sealed}))
	wantErr(t, "of another office", err, ErrWelcome)
	_, err = j.Welcome(nil)
	wantErr(t, "again", err, ErrOrder)
}
