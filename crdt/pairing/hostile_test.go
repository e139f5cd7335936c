package pairing

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// begin returns both sides of a session before the first message.
func begin(t testing.TB, joiner, inviter pc) (*Joiner, *Inviter) {
	t.Helper()
	j, err := NewJoiner(rand.Reader, joiner.offer(), joiner.box, joiner.card.Peer, inviter.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	i, err := NewInviter(rand.Reader, inviter.card, inviter.card.Peer, joiner.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	return j, i
}

func ok[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestHostileOpeningOfAnotherSecret(t *testing.T) {
	j, i := begin(t, newPC("ben"), newPC("anna"))
	must := ok[[]byte](t)
	answer := must(i.Ask(j.Start()))
	must(j.Answer(answer))
	other := encode(reveal{Version: version, Type: typeReveal, Nonce: [32]byte{1}})
	_, err := i.Reveal(other)
	wantErr(t, "inviter", err, ErrOpening)
	_, err = j.Reveal(other)
	wantErr(t, "joiner", err, ErrOpening)
}

// A commitment is made to one card; the card sent beside it must be that one.
func TestHostileOpeningToAnotherCard(t *testing.T) {
	ben, eve, anna := newPC("ben"), newPC("eve"), newPC("anna")
	j, i := begin(t, ben, anna)
	nonce := j.nonce
	swapped := eve.offer()
	swapped.Device.Peer = ben.card.Peer
	must := ok[[]byte](t)
	must(i.Ask(encode(ask{Version: version, Type: typeAsk, Offer: swapped, Commitment: j.askCommitment()})))
	_, err := i.Reveal(encode(reveal{Version: version, Type: typeReveal, Nonce: nonce}))
	wantErr(t, "joiner's card swapped", err, ErrOpening)

	j, i = begin(t, ben, anna)
	must(i.Ask(j.Start()))
	card := eve.card
	card.Peer = anna.card.Peer
	opened := must(j.Answer(encode(answer{Version: version, Type: typeAnswer, Card: card, Commitment: commit(invites, anna.card, i.nonce, ben.card.Peer, anna.card.Peer)})))
	_, err = j.Reveal(must(i.Reveal(opened)))
	wantErr(t, "inviter's card swapped", err, ErrOpening)
}

func (j *Joiner) askCommitment() [32]byte {
	return commit(joins, j.offer, j.nonce, j.self, j.peer)
}

// Sent back its own commitment and secret, a side must not accept them.
func TestHostileReflection(t *testing.T) {
	ben, anna := newPC("ben"), newPC("anna")
	j, _ := begin(t, ben, anna)
	card := ben.card
	card.Peer = anna.card.Peer
	opened := ok[[]byte](t)(j.Answer(encode(answer{Version: version, Type: typeAnswer, Card: card, Commitment: j.askCommitment()})))
	_, err := j.Reveal(opened)
	wantErr(t, "own secret", err, ErrOpening)
}

// What was said in one session is worth nothing in another: ends differ, or
// secrets do.
func TestHostileReplay(t *testing.T) {
	ben, anna := newPC("ben"), newPC("anna")
	must := ok[[]byte](t)
	j, i := begin(t, ben, anna)
	asked := j.Start()
	opened := must(j.Answer(must(i.Ask(asked))))
	revealed := must(i.Reveal(opened))
	first := ok[string](t)(j.Reveal(revealed))

	i2, err := NewInviter(rand.Reader, anna.card, anna.card.Peer, "peer-eve")
	if err != nil {
		t.Fatal(err)
	}
	_, err = i2.Ask(asked)
	wantErr(t, "from another peer", err, ErrMalformed)

	// From the same peer it is a new session with a new secret of ours, so another
	// number.
	_, i3 := begin(t, ben, anna)
	must(i3.Ask(asked))
	must(i3.Reveal(opened))
	if i3.said == i.said || i3.shows(first) {
		t.Error("a replayed session has the old transcript")
	}
	j4, i4 := begin(t, ben, anna)
	must(j4.Answer(must(i4.Ask(j4.Start()))))
	_, err = j4.Reveal(revealed)
	wantErr(t, "old secret of the inviter", err, ErrOpening)
}

// TestHostileInTheMiddle: eve speaks with both and passes on what she can. Each
// side computes a number over its own session, and they differ.
func TestHostileInTheMiddle(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1) // else chance makes two numbers equal now and then
	ben, anna, eve := newPC("ben"), newPC("anna"), newPC("eve")
	asBen, asAnna := eve, eve // towards either she must use her own connection
	same := 0
	for range 50 {
		_, _, shown := pair(t, ben, asAnna)
		_, i, _ := pair(t, asBen, anna)
		if i.shows(shown) {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d of 50 numbers were the same", same)
	}
	// Passing on Ben's own words does not help: the ends of the connection are
	// part of them.
	j, err := NewJoiner(rand.Reader, ben.offer(), ben.box, ben.card.Peer, eve.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	i, err := NewInviter(rand.Reader, anna.card, anna.card.Peer, eve.card.Peer)
	if err != nil {
		t.Fatal(err)
	}
	_, err = i.Ask(j.Start())
	wantErr(t, "passed on", err, ErrMalformed)
}

func TestHostileOrder(t *testing.T) {
	ben, anna := newPC("ben"), newPC("anna")
	must := ok[[]byte](t)
	j, i := begin(t, ben, anna)
	_, err := i.Reveal(encode(reveal{Version: version, Type: typeReveal}))
	wantErr(t, "reveal before ask", err, ErrOrder)
	_, err = i.Ask(j.Start())
	wantErr(t, "after an error", err, ErrOrder)
	_, err = j.Reveal(encode(reveal{Version: version, Type: typeReveal}))
	wantErr(t, "reveal before answer", err, ErrOrder)

	j, i = begin(t, ben, anna)
	_, err = j.Answer(j.Start())
	wantErr(t, "an ask for an answer", err, ErrOrder)

	j, i = begin(t, ben, anna)
	answer := must(i.Ask(j.Start()))
	must(j.Answer(answer))
	_, err = j.Answer(answer)
	wantErr(t, "answer twice", err, ErrOrder)
	_, err = i.Ask(j.Start())
	wantErr(t, "ask twice", err, ErrOrder)
	_, err = one(i.Welcome(&access.State{}, log.Hash{}, nil))
	wantErr(t, "welcome too early", err, ErrOrder)
	if j.Words() != "" || i.Words(log.WorkspaceID{}) != "" {
		t.Error("words too early")
	}
}

func TestHostileMessages(t *testing.T) {
	ben, anna := newPC("ben"), newPC("anna")
	j, _ := begin(t, ben, anna)
	good := j.Start()
	longName := ben.offer()
	longName.Person.Name = strings.Repeat("a", maxName+1)
	nobody := ben.offer()
	nobody.Person.ID = access.PersonID{}
	weak := ben.offer()
	weak.Device.Sign = log.DeviceID{1}
	foreign := ben.offer()
	foreign.Device.Peer = "peer-eve"
	ours := ben.offer()
	ours.Device.Sign = anna.card.Sign
	as := func(o Offer) []byte { return encode(ask{Version: version, Type: typeAsk, Offer: o}) }
	for name, tt := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":             {nil, ErrMalformed},
		"no list":             {[]byte{1}, ErrMalformed},
		"empty list":          {[]byte{0x80}, ErrMalformed},
		"trailing byte":       {append(bytes.Clone(good), 0), ErrMalformed},
		"torn":                {good[:len(good)-1], ErrMalformed},
		"long integer":        {append([]byte{good[0], 0x18, 1}, good[2:]...), ErrMalformed},
		"newer version":       {encode([]any{2, "whatever"}), ErrMalformed},
		"newer version, type": {encode([]any{2, 1, "whatever"}), ErrVersion},
		"unknown type":        {encode([]any{1, 9}), ErrOrder},
		"above 4 KiB":         {encode([]any{1, 1, make([]byte, MaxMessage)}), ErrMalformed},
		"above all limits":    {make([]byte, MaxWelcome+1), ErrMalformed},
		"a field more":        {encode([]any{1, 1, ben.offer(), make([]byte, 32), 0}), ErrMalformed},
		"short commitment":    {encode([]any{1, 1, ben.offer(), make([]byte, 31)}), ErrMalformed},
		"long name":           {as(longName), ErrMalformed},
		"person without id":   {as(nobody), ErrMalformed},
		"weak key":            {as(weak), ErrMalformed},
		"card of another":     {as(foreign), ErrMalformed},
		"our own key":         {as(ours), ErrMalformed},
		"deep nesting":        {bytes.Repeat([]byte{0x81}, 4000), ErrMalformed},
		"promised list":       {[]byte{0x9a, 0xff, 0xff, 0xff, 0xff}, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			_, i := begin(t, ben, anna)
			_, err := i.Ask(tt.b)
			wantErr(t, "Ask", err, tt.want)
		})
	}
	if _, err := NewJoiner(rand.Reader, ben.offer(), anna.box, ben.card.Peer, anna.card.Peer); !errors.Is(err, ErrMalformed) {
		t.Errorf("secret of another: %v", err)
	}
	if _, err := NewJoiner(bytes.NewReader(nil), ben.offer(), ben.box, ben.card.Peer, anna.card.Peer); err == nil {
		t.Error("a session without randomness")
	}
	if _, err := NewInviter(rand.Reader, anna.card, "peer-eve", ben.card.Peer); !errors.Is(err, ErrMalformed) {
		t.Errorf("card of another: %v", err)
	}
}

func TestRefusalSaysWhy(t *testing.T) {
	for _, why := range []Reason{Closed, Expired, Busy, Dropped, 99} {
		j, _ := begin(t, newPC("ben"), newPC("anna"))
		_, err := j.Answer(Refusal(why))
		var r *Refused
		if !errors.As(err, &r) || r.Reason != why {
			t.Errorf("Answer = %v", err)
		}
	}
	j, _, _ := pair(t, newPC("ben"), newPC("anna"))
	_, err := j.Welcome(Refusal(Closed))
	var r *Refused
	if !errors.As(err, &r) {
		t.Errorf("Welcome = %v", err)
	}
	for err, want := range map[error]Reason{ErrClosed: Closed, ErrExpired: Expired, ErrBusy: Busy, ErrLate: Dropped, fmt.Errorf("x: %w", ErrOpening): Dropped} {
		if got := ReasonOf(err); got != want {
			t.Errorf("ReasonOf(%v) = %d", err, got)
		}
	}
}

// A hostile inviter sends a welcome that does not make a member.
func TestHostileWelcome(t *testing.T) {
	ben, anna, eve := newPC("ben"), newPC("anna"), newPC("eve")
	welcomeOf := func(o *office, hash log.Hash) welcomed {
		in := welcomed{Workspace: o.w, Admission: hash, Entries: []authored{}, Addrs: []string{}}
		for _, a := range o.entries {
			in.Entries = append(in.Entries, authored{Card: a.Card, Entry: a.Entry.Bytes()})
		}
		return in
	}
	for name, tt := range map[string]struct {
		make func(o *office) welcomed
		want error
	}{
		"honest": {func(o *office) welcomed { return welcomeOf(o, o.admit(ben.offer())) }, nil},
		"honest, name typed better": {func(o *office) welcomed {
			offer := ben.offer()
			offer.Person.Name, offer.Device.Name = "Benn", "Laptop"
			return welcomeOf(o, o.admit(offer))
		}, nil},
		"workspace of another name": {func(o *office) welcomed {
			in := welcomeOf(o, o.admit(ben.offer()))
			in.Workspace[0]++
			return in
		}, ErrWelcome},
		"genesis missing": {func(o *office) welcomed {
			in := welcomeOf(o, o.admit(ben.offer()))
			in.Entries = in.Entries[1:]
			return in
		}, ErrWelcome},
		"not admitted":            {func(o *office) welcomed { return welcomeOf(o, log.Hash(o.w)) }, ErrWelcome},
		"somebody else admitted":  {func(o *office) welcomed { return welcomeOf(o, o.admit(eve.offer())) }, ErrWelcome},
		"another admission named": {func(o *office) welcomed { o.admit(ben.offer()); return welcomeOf(o, log.Hash(o.w)) }, ErrWelcome},
		"other box key": {func(o *office) welcomed {
			offer := ben.offer()
			offer.Device.Box = eve.card.Box
			return welcomeOf(o, o.admit(offer))
		}, ErrWelcome},
		"other peer id": {func(o *office) welcomed {
			offer := ben.offer()
			offer.Device.Peer = eve.card.Peer
			return welcomeOf(o, o.admit(offer))
		}, ErrWelcome},
		"known as another person": {func(o *office) welcomed {
			offer := ben.offer()
			offer.Person = eve.person
			return welcomeOf(o, o.admit(offer))
		}, nil},
		"spoilt signature": {func(o *office) welcomed {
			in := welcomeOf(o, o.admit(ben.offer()))
			c := *o.entries[1].Entry
			c.Sig[5]++
			in.Entries[1].Entry = c.Bytes()
			return in
		}, ErrWelcome},
		"entry of another author": {func(o *office) welcomed {
			in := welcomeOf(o, o.admit(ben.offer()))
			in.Entries[1].Card.Device = eve.card.Sign
			return in
		}, ErrWelcome},
		"weak author": {func(o *office) welcomed {
			in := welcomeOf(o, o.admit(ben.offer()))
			in.Entries[1].Card.Device = log.DeviceID{1}
			return in
		}, ErrWelcome},
		"torn entry": {func(o *office) welcomed {
			in := welcomeOf(o, o.admit(ben.offer()))
			in.Entries[1].Entry = in.Entries[1].Entry[1:]
			return in
		}, ErrWelcome},
		"no keys": {func(o *office) welcomed { return welcomeOf(o, o.admitWithoutKeys(ben.offer())) }, access.ErrNoKeys},
		"newer program": {func(o *office) welcomed {
			hash := o.admit(ben.offer())
			o.write(encode([]any{1, []any{[]any{63}}}), nil)
			return welcomeOf(o, hash)
		}, access.ErrStopped},
		"too many addresses": {func(o *office) welcomed {
			in := welcomeOf(o, o.admit(ben.offer()))
			in.Addrs = make([]string, maxAddrs+1)
			return in
		}, ErrMalformed},
		"long address": {func(o *office) welcomed {
			in := welcomeOf(o, o.admit(ben.offer()))
			in.Addrs = []string{strings.Repeat("a", maxAddr+1)}
			return in
		}, ErrMalformed},
		"too many entries": {func(o *office) welcomed {
			in := welcomeOf(o, o.admit(ben.offer()))
			in.Entries = make([]authored, maxEntries+1)
			return in
		}, ErrMalformed},
		"null lists": {func(o *office) welcomed { return welcomed{Workspace: o.w} }, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			j, i, _ := pair(t, ben, anna)
			in := tt.make(newOffice(t, anna))
			sealed := ok[[]byte](t)(access.Seal(ben.card.Box, i.said.welcomeInfo(), encode(in)))
			_, err := j.Welcome(encode(welcome{Version: version, Type: typeWelcome, Sealed: sealed}))
			wantErr(t, "Welcome", err, tt.want)
			if (j.Words() != "") != (tt.want == nil) {
				t.Error("words after a bad welcome, or none after a good one")
			}
		})
	}
}

func TestHostileWelcomeOfAnotherSession(t *testing.T) {
	ben, anna := newPC("ben"), newPC("anna")
	o := newOffice(t, anna)
	_, i, _ := pair(t, ben, anna)
	j2, _, _ := pair(t, ben, anna)
	hash := o.admit(ben.offer())
	m := ok[[]byte](t)(one(i.Welcome(o.state(), hash, nil)))
	_, err := j2.Welcome(m)
	wantErr(t, "Welcome", err, ErrWelcome)
}

// A member who is no admin opens a door of its own and passes on what it knows.
func TestHostileWelcomeByAMember(t *testing.T) {
	ben, anna, eve := newPC("ben"), newPC("anna"), newPC("eve")
	o := newOffice(t, anna)
	o.admit(eve.offer())
	hash := o.admit(ben.offer())
	j, i, _ := pair(t, ben, eve)
	_, err := j.Welcome(ok[[]byte](t)(one(i.Welcome(o.state(), hash, nil))))
	wantErr(t, "Welcome", err, ErrWelcome)
}

func TestInviterWelcomesOnlyWhoIsAdmitted(t *testing.T) {
	ben, anna, eve := newPC("ben"), newPC("anna"), newPC("eve")
	o := newOffice(t, anna)
	_, i, _ := pair(t, ben, anna)
	hash := o.admit(eve.offer())
	_, err := one(i.Welcome(o.state(), hash, nil))
	wantErr(t, "nobody admitted", err, ErrWelcome)
	o.admit(ben.offer())
	_, err = one(i.Welcome(o.state(), hash, nil))
	wantErr(t, "another entry", err, ErrWelcome)
}

// A device admitted once asks again, of an admin admitted later than itself.
func TestWelcomeAgainByAnotherAdmin(t *testing.T) {
	anna, ben, cy := newPC("anna"), newPC("ben"), newPC("cy")
	o := newOffice(t, anna)
	hash := o.admit(ben.offer())
	o.role = access.Admin
	o.admit(cy.offer())
	j, i, _ := pair(t, ben, cy)
	m := ok[[]byte](t)(one(i.Welcome(o.state(), hash, []string{"a", strings.Repeat("b", maxAddr+1)})))
	r, err := j.Welcome(m)
	if err != nil || r.Inviter != cy.card || len(r.Keys) != 2 || len(r.Addrs) != 1 {
		t.Errorf("Welcome = %+v, %v", r, err)
	}
}

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
