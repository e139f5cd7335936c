package pairing

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// A LinkJoiner is the side of a new device that was given a Link. It sends
// Start, and hands each message that comes to the method of its name, in this
// order.
type LinkJoiner struct {
	link    Link
	offer   Offer
	secret  access.BoxSecret
	step    int // messages taken; -1 after an error
	knock   []byte
	said    transcript
	welcome inWelcome

	workspace log.WorkspaceID
}

// NewLinkJoiner begins a session. self and peer are the peer ids of both ends as
// the transport has checked them; secret belongs to the offer's box key. The
// error is ErrLink if peer is not who the link leads to.
func NewLinkJoiner(random io.Reader, link Link, offer Offer, secret access.BoxSecret, self, peer string) (*LinkJoiner, error) {
	if err := offer.check(self); err != nil {
		return nil, err
	}
	if secret.Public() != offer.Device.Box {
		return nil, fmt.Errorf("%w: secret of another box key", ErrMalformed)
	}
	if peer != link.Peer {
		return nil, fmt.Errorf("%w: it leads to another device", ErrLink)
	}
	k := knock{Version: version, Type: typeKnock, Link: link.ID()}
	if _, err := io.ReadFull(random, k.Nonce[:]); err != nil {
		return nil, fmt.Errorf("random nonce: %w", err)
	}
	return &LinkJoiner{link: link, offer: offer, secret: secret, knock: encode(k)}, nil
}

// Start returns the Knock.
func (j *LinkJoiner) Start() []byte { return j.knock }

func (j *LinkJoiner) take(n int) error {
	turn := j.step == n
	j.step = -1
	if !turn {
		return ErrOrder
	}
	return nil
}

// Challenge takes the inviter's Challenge and returns our Claim. Only here, when
// the inviter has proved that it made the link, do we say who we are.
func (j *LinkJoiner) Challenge(b []byte) ([]byte, error) {
	if err := j.take(0); err != nil {
		return nil, err
	}
	var c challenge
	if err := decode(b, typeChallenge, &c); err != nil {
		return nil, err
	}
	t := linkTranscript(j.knock, c.Nonce, j.offer.Device.Peer, j.link.Peer)
	if want := j.link.mac("inviter", t[:]); subtle.ConstantTimeCompare(want[:], c.Proof[:]) != 1 {
		return nil, ErrProof
	}
	out := claim{Version: version, Type: typeClaim, Sealed: j.link.sealOffer(t, j.offer)}
	out.Proof = j.link.mac("joiner", t[:], out.Sealed)
	claimed := encode(out)
	j.said, j.step = transcript(hash("link", t[:], claimed)), 1
	return claimed, nil
}

// Welcome takes the Welcome. ErrMore means that it goes on in the next message.
func (j *LinkJoiner) Welcome(b []byte) (Result, error) {
	if err := j.take(1); err != nil {
		return Result{}, err
	}
	in, err := j.welcome.take(b, j.secret, j.said)
	if errors.Is(err, ErrMore) {
		j.step = 1
	}
	if err != nil {
		return Result{}, err
	}
	r, err := examine(in, j.offer, j.secret, func(s *access.State) (access.Device, bool) { return s.Peer(j.link.Peer) })
	if err == nil {
		j.workspace, j.step = in.Workspace, 2
	}
	return r, err
}

// Words returns the three words as the inviter's screen shows them, after
// Welcome.
func (j *LinkJoiner) Words() string {
	if j.step != 2 {
		return ""
	}
	return j.said.words(j.workspace)
}
