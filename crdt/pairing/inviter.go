package pairing

import (
	"bytes"
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
	if d := i.ask.Offer.Device; d.Sign == i.card.Sign || d.Box == i.card.Box || d.Peer == i.card.Peer {
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

// Welcome returns the last message, for a joiner that entry admits in s. The
// control space goes with it as far as the admissions of both devices build on
// it; sync brings the rest.
func (i *Inviter) Welcome(s *access.State, entry log.Hash, addrs []string) ([]byte, error) {
	if i.step != 2 {
		return nil, ErrOrder
	}
	joiner, inviter := s.Devices[i.ask.Offer.Device.Sign], s.Devices[i.card.Sign]
	if !joiner.Card.SameKeys(i.ask.Offer.Device) || joiner.Entry != entry || joiner.Person != i.ask.Offer.Person.ID {
		return nil, fmt.Errorf("%w: entry does not admit it", ErrWelcome)
	}
	in := welcomed{Workspace: s.Workspace, Admission: entry, Entries: []authored{}, Addrs: []string{}}
	for _, a := range s.Closure(entry, inviter.Entry) {
		in.Entries = append(in.Entries, authored{Card: a.Card, Entry: a.Entry.Bytes()})
	}
	for _, a := range addrs {
		if len(a) <= maxAddr && len(in.Addrs) < maxAddrs {
			in.Addrs = append(in.Addrs, a)
		}
	}
	plain := encode(in)
	if len(plain) > maxWelcomed {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(plain))
	}
	sealed, err := access.Seal(i.ask.Offer.Device.Box, i.said.welcomeInfo(), plain)
	if err != nil {
		return nil, err
	}
	return encode(welcome{Version: version, Type: typeWelcome, Sealed: sealed}), nil
}

// Words returns the three words to compare.
func (i *Inviter) Words(w log.WorkspaceID) string {
	if i.step != 2 {
		return ""
	}
	return i.said.words(w)
}

// Limits inside a Welcome.
const (
	maxWelcomed = MaxWelcome - 128
	maxEntries  = 2000
	maxAddrs    = 16
	maxAddr     = 256 // bytes
)

// decodeWelcomed reads the inside of a Welcome.
func decodeWelcomed(plain []byte) (welcomed, error) {
	var in welcomed
	if err := dec.Unmarshal(plain, &in); err != nil || !bytes.Equal(encode(in), plain) {
		return in, fmt.Errorf("%w: inside not in canonical form", ErrMalformed)
	}
	if len(in.Entries) > maxEntries || len(in.Addrs) > maxAddrs || in.Entries == nil || in.Addrs == nil {
		return in, fmt.Errorf("%w: lists inside a welcome", ErrMalformed)
	}
	for _, a := range in.Addrs {
		if len(a) > maxAddr {
			return in, fmt.Errorf("%w: address too long", ErrMalformed)
		}
	}
	return in, nil
}
