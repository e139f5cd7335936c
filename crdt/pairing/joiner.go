package pairing

import (
	"crypto/subtle"
	"fmt"
	"io"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// A Joiner is the side of the new device. It sends Start, and hands each message
// that comes to the method of its name, in this order.
type Joiner struct {
	offer      Offer
	secret     access.BoxSecret
	self, peer string
	nonce      [32]byte
	step       int // messages taken; -1 after an error
	ask        []byte
	answerRaw  []byte
	answer     answer
	said       transcript
	workspace  log.WorkspaceID
}

// NewJoiner begins a session. self and peer are the peer ids of both ends as the
// transport has checked them; secret belongs to the offer's box key.
func NewJoiner(random io.Reader, offer Offer, secret access.BoxSecret, self, peer string) (*Joiner, error) {
	if err := offer.check(self); err != nil {
		return nil, err
	}
	if secret.Public() != offer.Device.Box {
		return nil, fmt.Errorf("%w: secret of another box key", ErrMalformed)
	}
	j := &Joiner{offer: offer, secret: secret, self: self, peer: peer}
	if _, err := io.ReadFull(random, j.nonce[:]); err != nil {
		return nil, fmt.Errorf("random secret: %w", err)
	}
	j.ask = encode(ask{Version: version, Type: typeAsk, Offer: offer, Commitment: commit(joins, offer, j.nonce, self, peer)})
	return j, nil
}

// Start returns the Ask.
func (j *Joiner) Start() []byte { return j.ask }

// take returns an error unless it is the turn of message n, and keeps the session
// from going on if the caller fails; the caller sets step when it succeeds.
func (j *Joiner) take(n int) error {
	turn := j.step == n
	j.step = -1
	if !turn {
		return ErrOrder
	}
	return nil
}

// Answer takes the inviter's Answer and returns our Reveal.
func (j *Joiner) Answer(b []byte) ([]byte, error) {
	if err := j.take(0); err != nil {
		return nil, err
	}
	if err := decode(b, typeAnswer, &j.answer); err != nil {
		return nil, err
	}
	if err := checkCard(j.answer.Card, j.peer); err != nil {
		return nil, err
	}
	j.answerRaw, j.step = b, 1
	return encode(reveal{Version: version, Type: typeReveal, Nonce: j.nonce}), nil
}

// Reveal takes the inviter's Reveal and returns the number to show.
func (j *Joiner) Reveal(b []byte) (string, error) {
	if err := j.take(1); err != nil {
		return "", err
	}
	var r reveal
	if err := decode(b, typeReveal, &r); err != nil {
		return "", err
	}
	want := commit(invites, j.answer.Card, r.Nonce, j.self, j.peer)
	if subtle.ConstantTimeCompare(want[:], j.answer.Commitment[:]) != 1 {
		return "", ErrOpening
	}
	j.said, j.step = transcriptOf(j.ask, j.answerRaw, j.nonce, r.Nonce, j.self, j.peer), 2
	return j.said.number(), nil
}

// Welcome takes the Welcome, which comes once the number was typed.
func (j *Joiner) Welcome(b []byte) (Result, error) {
	if err := j.take(2); err != nil {
		return Result{}, err
	}
	var m welcome
	if err := decode(b, typeWelcome, &m); err != nil {
		return Result{}, err
	}
	plain, err := access.Open(j.secret, j.said.welcomeInfo(), m.Sealed)
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrWelcome, err)
	}
	in, err := decodeWelcomed(plain)
	if err != nil {
		return Result{}, err
	}
	r, err := j.examine(in)
	if err != nil {
		return Result{}, err
	}
	j.workspace, j.step = in.Workspace, 3
	return r, nil
}

// examine checks that what the inviter sent admits exactly this device, that the
// inviter may let in, and that the keys are there. Names are not compared: a
// device that missed its first welcome may ask again, of another admin and with
// its name typed better, and its admission stands.
func (j *Joiner) examine(in welcomed) (Result, error) {
	r := Result{Workspace: in.Workspace, Inviter: j.answer.Card, Addrs: in.Addrs}
	for _, a := range in.Entries {
		e, err := log.Decode(a.Entry)
		if err != nil {
			return r, fmt.Errorf("%w: %w", ErrWelcome, err)
		}
		if err := a.Card.Device.Check(); err != nil {
			return r, fmt.Errorf("%w: %w", ErrWelcome, err)
		}
		if e.Log != a.Card.ID() || e.Verify(a.Card.Device) != nil {
			return r, fmt.Errorf("%w: entry not by its author", ErrWelcome)
		}
		r.Entries = append(r.Entries, access.Authored{Card: a.Card, Entry: e})
	}
	r.State = access.Resolve(in.Workspace, r.Entries)
	self, ok := r.State.Devices[j.offer.Device.Sign]
	switch {
	case r.State.Stopped:
		return r, fmt.Errorf("%w: %w", ErrWelcome, access.ErrStopped)
	case !r.State.Founded:
		return r, fmt.Errorf("%w: no genesis", ErrWelcome)
	case !ok || self.Entry != in.Admission:
		return r, fmt.Errorf("%w: not admitted", ErrWelcome)
	case !self.Card.SameKeys(j.offer.Device) || self.Person != j.offer.Person.ID:
		return r, fmt.Errorf("%w: admitted as somebody else", ErrWelcome)
	case !r.State.CanInvite(j.answer.Card.Sign) || !r.State.Devices[j.answer.Card.Sign].Card.SameKeys(j.answer.Card):
		return r, fmt.Errorf("%w: the device we spoke with may not let in", ErrWelcome)
	}
	r.Keys = r.State.Keys(j.secret)
	if _, id, ok := r.State.Current(log.Everyone(in.Workspace)); !ok || r.Keys[id].ID != id {
		return r, fmt.Errorf("%w: %w", ErrWelcome, access.ErrNoKeys)
	}
	return r, nil
}

// Words returns the three words to compare, after Welcome.
func (j *Joiner) Words() string {
	if j.step != 3 {
		return ""
	}
	return j.said.words(j.workspace)
}
