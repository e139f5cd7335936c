// Package pairing lets a new device into a workspace by a number of six digits
// that its screen shows and an admin types: a state machine for either side,
// without a network. FORMAT.md describes the messages.
//
// Both sides commit to a secret before either opens its own, so nobody between
// them can choose what the number comes out as; the only attack left is to
// guess, once a session. An open invite lives in memory alone: a restored
// backup of the admin's device holds none.
package pairing

import (
	"errors"
	"fmt"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// Limits of the messages, in bytes.
const (
	MaxMessage = 4 << 10   // Ask, Answer, Reveal, Refusal
	MaxWelcome = 240 << 10 // each message of a Welcome
)

// An Offer is what a new device says about itself.
type Offer struct {
	_      struct{} `cbor:",toarray"`
	Device access.DeviceCard
	Person access.Person
}

// A Result is what the new device holds after the Welcome.
type Result struct {
	Workspace log.WorkspaceID
	State     *access.State
	Entries   []access.Authored // the control space that the State was made of, earlier ones first
	Keys      map[log.KeyID]access.SpaceKey
	Inviter   access.DeviceCard
	Person    access.Person // whose device it is now; may be another than offered
	Role      access.Role
	Addrs     []string // where the inviter can be reached
}

// Errors of a session. The session is over after each of them.
var (
	ErrMalformed = errors.New("malformed pairing message")
	ErrVersion   = errors.New("other side speaks a newer version of pairing")
	ErrOrder     = errors.New("pairing message out of order")
	ErrOpening   = errors.New("secret does not open the commitment")
	ErrWelcome   = errors.New("welcome does not prove a membership")
	ErrTooLarge  = errors.New("control space is too large for a welcome")
	ErrMore      = errors.New("welcome goes on in the next message") // no failure: the session goes on
)

// A Reason is why an inviter refuses.
type Reason uint64

// Reasons; a reader treats others like Closed.
const (
	Closed  Reason = 1 // no invite is open, or it closed after wrong numbers
	Expired Reason = 2 // the invite's time is over
	Busy    Reason = 3 // too many devices are asking
	Dropped Reason = 4 // the session went wrong, took too long, or made room for another
	Used    Reason = 5 // another device has used the link
)

// Refused is the error of a Joiner whose inviter sent a Refusal.
type Refused struct{ Reason Reason }

func (r *Refused) Error() string { return fmt.Sprintf("inviter refused: reason %d", r.Reason) }

// Refusal returns the message that ends a Joiner's session with a reason.
func Refusal(why Reason) []byte {
	return encode(refusal{Version: version, Type: typeRefusal, Reason: why})
}

// ReasonOf returns the Reason that fits an error of an Invite.
func ReasonOf(err error) Reason {
	switch {
	case errors.Is(err, ErrClosed):
		return Closed
	case errors.Is(err, ErrExpired):
		return Expired
	case errors.Is(err, ErrBusy):
		return Busy
	case errors.Is(err, ErrUsed):
		return Used
	}
	return Dropped
}

// check reports whether an offer can be admitted at all, from this peer.
func (o Offer) check(peer string) error {
	if o.Person.ID == (access.PersonID{}) || len(o.Person.Name) > maxName {
		return fmt.Errorf("%w: person without id or with a name too long", ErrMalformed)
	}
	return checkCard(o.Device, peer)
}

const maxName = 256 // bytes, as in operations

// checkCard refuses a card that cannot be admitted, and one of another device
// than the transport is connected to.
func checkCard(c access.DeviceCard, peer string) error {
	if err := c.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if c.Peer != peer {
		return fmt.Errorf("%w: card of another device", ErrMalformed)
	}
	return nil
}
