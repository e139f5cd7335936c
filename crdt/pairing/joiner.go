package pairing

import (
	"crypto/subtle"
	"errors"
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
	welcome    inWelcome
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

// Welcome takes the Welcome, which comes once the number was typed. ErrMore
// means that it goes on in the next message.
func (j *Joiner) Welcome(b []byte) (Result, error) {
	if err := j.take(2); err != nil {
		return Result{}, err
	}
	in, err := j.welcome.take(b, j.secret, j.said)
	if errors.Is(err, ErrMore) {
		j.step = 2
	}
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

func (j *Joiner) examine(in welcomed) (Result, error) {
	r, err := examine(in, j.offer, j.secret, func(s *access.State) (access.Device, bool) {
		d, ok := s.Devices[j.answer.Card.Sign]
		return d, ok && d.Card.SameKeys(j.answer.Card)
	})
	r.Inviter = j.answer.Card // with its name of today
	return r, err
}

// Words returns the three words to compare, after Welcome.
func (j *Joiner) Words() string {
	if j.step != 3 {
		return ""
	}
	return j.said.words(j.workspace)
}
