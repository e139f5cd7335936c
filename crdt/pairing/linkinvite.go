package pairing

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// MaxWrong is how many wrong proofs close a link's invite. Whoever sends one
// knows the link's id and not its secret, which no honest device does.
const MaxWrong = 32

// Errors of an invite by link, besides ErrClosed, ErrExpired and ErrLate.
var (
	ErrProof = errors.New("other side does not know the link's secret")
	ErrUsed  = errors.New("another device has used the link")
)

// A LinkInvite is a link and whether it may still be used. It lives in memory
// alone, so a restored backup revives none. It is not for several goroutines at
// once.
type LinkInvite struct {
	link     Link
	card     access.DeviceCard
	deadline time.Time
	closed   bool
	wrong    int
	taken    *Offer
}

// NewLinkInvite makes a link for the device with this card and opens it at time
// now. A lifetime of 0 means LinkLifetime.
func NewLinkInvite(random io.Reader, card access.DeviceCard, addrs []string, lifetime time.Duration, now time.Time) (*LinkInvite, error) {
	if lifetime <= 0 {
		lifetime = LinkLifetime
	}
	deadline := now.Add(min(lifetime, MaxLinkLifetime))
	if err := checkCard(card, card.Peer); err != nil {
		return nil, err
	}
	link, err := NewLink(random, card.Peer, addrs, deadline)
	if err != nil {
		return nil, err
	}
	return &LinkInvite{link: link, card: card, deadline: deadline}, nil
}

// Link returns the link to hand out.
func (v *LinkInvite) Link() Link { return v.link }

// Deadline returns when the invite expires.
func (v *LinkInvite) Deadline() time.Time { return v.deadline }

// Open reports whether a device may knock; else why not. A used link is still
// open to the device that used it, which may have missed its welcome.
func (v *LinkInvite) Open(now time.Time) error {
	switch {
	case v.closed:
		return ErrClosed
	case !now.Before(v.deadline):
		return ErrExpired
	}
	return nil
}

// Taken returns the offer of the device that used the link, if one did.
func (v *LinkInvite) Taken() (Offer, bool) {
	if v.taken == nil {
		return Offer{}, false
	}
	return *v.taken, true
}

// Close ends the invite. Sessions that go on are refused at their next message.
func (v *LinkInvite) Close() { v.closed = true }

// LinkOf returns which link a first message speaks of. It is false for the Ask
// of the number path, and for what is no message.
func LinkOf(first []byte) (LinkID, bool) {
	var k knock
	if decode(first, typeKnock, &k) != nil {
		return LinkID{}, false
	}
	return k.Link, true
}

// A LinkSession is one device that knocked, on the side of the device that lets
// in.
type LinkSession struct {
	invite     *LinkInvite
	peer       string
	asked      time.Time
	step       int // messages taken; -1 after an error
	transcript [32]byte
	offer      Offer
	said       transcript
}

// Knock takes the first message of a peer and returns a Challenge: our proof,
// and a nonce for the other's. Each connection has a session of its own; ending
// the connection is all it takes to end it.
func (v *LinkInvite) Knock(random io.Reader, peer string, b []byte, now time.Time) (*LinkSession, []byte, error) {
	if err := v.Open(now); err != nil {
		return nil, nil, err
	}
	var k knock
	if err := decode(b, typeKnock, &k); err != nil {
		return nil, nil, err
	}
	if k.Link != v.link.ID() {
		return nil, nil, ErrClosed
	}
	c := challenge{Version: version, Type: typeChallenge}
	if _, err := io.ReadFull(random, c.Nonce[:]); err != nil {
		return nil, nil, fmt.Errorf("random nonce: %w", err)
	}
	s := &LinkSession{invite: v, peer: peer, asked: now, step: 1, transcript: linkTranscript(b, c.Nonce, peer, v.card.Peer)}
	c.Proof = v.link.mac("inviter", s.transcript[:])
	return s, encode(c), nil
}

// Claim takes the joiner's proof and offer. If there is no error, this is the
// device to admit, now or already: a device that missed its welcome comes again
// with the same keys and is welcomed by the admission it has.
func (s *LinkSession) Claim(b []byte, now time.Time) (Offer, error) {
	v, turn := s.invite, s.step == 1
	s.step = -1
	if !turn {
		return Offer{}, ErrOrder
	}
	if err := v.Open(now); err != nil {
		return Offer{}, err
	}
	if now.Sub(s.asked) > OpenWithin {
		return Offer{}, ErrLate
	}
	var c claim
	if err := decode(b, typeClaim, &c); err != nil {
		return Offer{}, err
	}
	if want := v.link.mac("joiner", s.transcript[:], c.Sealed); subtle.ConstantTimeCompare(want[:], c.Proof[:]) != 1 {
		v.wrong++
		v.closed = v.wrong >= MaxWrong
		return Offer{}, ErrProof
	}
	offer, err := v.link.openOffer(s.transcript, c.Sealed)
	if err != nil {
		return Offer{}, err
	}
	if err := offer.check(s.peer); err != nil {
		return Offer{}, err
	}
	if offer.of(v.card) {
		return Offer{}, fmt.Errorf("%w: our own keys", ErrMalformed)
	}
	if v.taken != nil && !v.taken.Device.SameKeys(offer.Device) {
		return Offer{}, ErrUsed
	}
	v.taken, s.offer, s.step = &offer, offer, 2
	s.said = transcript(hash("link", s.transcript[:], b))
	return offer, nil
}

// Welcome returns the last messages, to be sent in order, for a joiner that
// entry admits in st.
func (s *LinkSession) Welcome(st *access.State, entry log.Hash, addrs []string) ([][]byte, error) {
	if s.step != 2 {
		return nil, ErrOrder
	}
	return welcomeMessages(st, s.offer, s.invite.card, s.said, entry, addrs)
}

// Words returns three words that both screens show. A link proves both ends
// already; they are for people who want to see it.
func (s *LinkSession) Words(w log.WorkspaceID) string {
	if s.step != 2 {
		return ""
	}
	return s.said.words(w)
}

// of reports whether the offer holds a key of this card.
func (o Offer) of(c access.DeviceCard) bool {
	return o.Device.Sign == c.Sign || o.Device.Box == c.Box || o.Device.Peer == c.Peer
}

// linkTranscript binds a session to what was said first and to both ends of its
// connection.
func linkTranscript(knock []byte, nonce [32]byte, joiner, inviter string) [32]byte {
	return hash("link transcript", knock, nonce[:], []byte(joiner), []byte(inviter))
}

// mac returns HMAC-SHA256 under the link's secret.
func (l Link) mac(purpose string, parts ...[]byte) [32]byte {
	h := hmac.New(sha256.New, l.Secret[:])
	feed(h, "link "+purpose, parts)
	return [32]byte(h.Sum(nil))
}

// cipher returns what encrypts the offer of one session. Its key is of that
// session alone, so its nonce is zero.
func (l Link) cipher(transcript [32]byte) (cipher.AEAD, []byte) {
	key := l.mac("offer", transcript[:])
	c, err := chacha20poly1305.New(key[:])
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	return c, make([]byte, c.NonceSize())
}

func (l Link) sealOffer(transcript [32]byte, o Offer) []byte {
	c, nonce := l.cipher(transcript)
	return c.Seal(nil, nonce, encode(o), transcript[:])
}

func (l Link) openOffer(transcript [32]byte, sealed []byte) (o Offer, err error) {
	c, nonce := l.cipher(transcript)
	b, err := c.Open(nil, nonce, sealed, transcript[:])
	if err != nil {
		return o, fmt.Errorf("%w: %w", ErrProof, err)
	}
	if err := dec.Unmarshal(b, &o); err != nil || !bytes.Equal(encode(o), b) {
		return o, fmt.Errorf("%w: offer not in canonical form", ErrMalformed)
	}
	return o, nil
}
