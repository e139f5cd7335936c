package pairing

import (
	"crypto/subtle"
	"fmt"
	"io"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// An Inviter is one session on the side of the device that lets in.
type Inviter struct {
	card       access.DeviceCard
	self, peer string
	nonce      [32]byte
	step       int // messages taken; -1 after an error
	askRaw     []byte
	ask        ask
	answer     []byte
	said       transcript
	number     string
}

// NewInviter begins a session. self and peer are the peer ids of both ends as
// the transport has checked them.
func NewInviter(random io.Reader, card access.DeviceCard, self, peer string) (*Inviter, error) {
	if err := checkCard(card, self); err != nil {
		return nil, err
	}
	i := &Inviter{card: card, self: self, peer: peer}
	if _, err := io.ReadFull(random, i.nonce[:]); err != nil {
		return nil, fmt.Errorf("random secret: %w", err)
	}
	return i, nil
}

// take is as Joiner.take.
func (i *Inviter) take(n int) error {
	turn := i.step == n
	i.step = -1
	if !turn {
		return ErrOrder
	}
	return nil
}

// Ask takes the joiner's Ask and returns our Answer.
func (i *Inviter) Ask(b []byte) ([]byte, error) {
	if err := i.take(0); err != nil {
		return nil, err
	}
	if err := decode(b, typeAsk, &i.ask); err != nil {
		return nil, err
	}
	if err := i.ask.Offer.check(i.peer); err != nil {
		return nil, err
	}
	if i.ask.Offer.of(i.card) {
		return nil, fmt.Errorf("%w: our own keys", ErrMalformed)
	}
	i.askRaw, i.step = b, 1
	i.answer = encode(answer{Version: version, Type: typeAnswer, Card: i.card, Commitment: commit(invites, i.card, i.nonce, i.peer, i.self)})
	return i.answer, nil
}

// Reveal takes the joiner's Reveal and returns ours.
func (i *Inviter) Reveal(b []byte) ([]byte, error) {
	if err := i.take(1); err != nil {
		return nil, err
	}
	var r reveal
	if err := decode(b, typeReveal, &r); err != nil {
		return nil, err
	}
	want := commit(joins, i.ask.Offer, r.Nonce, i.peer, i.self)
	if subtle.ConstantTimeCompare(want[:], i.ask.Commitment[:]) != 1 {
		return nil, ErrOpening
	}
	i.said = transcriptOf(i.askRaw, i.answer, r.Nonce, i.nonce, i.peer, i.self)
	i.number, i.step = i.said.number(), 2
	return encode(reveal{Version: version, Type: typeReveal, Nonce: i.nonce}), nil
}

// Offer returns what the joiner said about itself.
func (i *Inviter) Offer() Offer { return i.ask.Offer }

// Peer returns the joiner's peer id.
func (i *Inviter) Peer() string { return i.peer }

// shows reports, in constant time, whether the joiner shows this number.
func (i *Inviter) shows(number string) bool {
	return i.step == 2 && subtle.ConstantTimeCompare([]byte(number), []byte(i.number)) == 1
}

// Welcome returns the last messages, to be sent in order, for a joiner that
// entry admits in s.
func (i *Inviter) Welcome(s *access.State, entry log.Hash, addrs []string) ([][]byte, error) {
	if i.step != 2 {
		return nil, ErrOrder
	}
	return welcomeMessages(s, i.ask.Offer, i.card, i.said, entry, addrs)
}

// Words returns the three words to compare.
func (i *Inviter) Words(w log.WorkspaceID) string {
	if i.step != 2 {
		return ""
	}
	return i.said.words(w)
}
