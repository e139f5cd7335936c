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
	"io"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// Limits of the messages, in bytes.
const (
	MaxMessage = 4 << 10   // Ask, Answer, Reveal, Refusal
	MaxWelcome = 240 << 10 // Welcome
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
	Addrs     []string // where the inviter can be reached
}

// Errors of a session. The session is over after each of them.
var (
	ErrMalformed = errors.New("malformed pairing message")
	ErrVersion   = errors.New("other side speaks a newer version of pairing")
	ErrOrder     = errors.New("pairing message out of order")
	ErrOpening   = errors.New("secret does not open the commitment")
	ErrWelcome   = errors.New("welcome does not prove a membership")
)

// A Reason is why an inviter refuses.
type Reason uint64

// Reasons; a reader treats others like Closed.
const (
	Closed  Reason = 1 // no invite is open, or it closed after wrong numbers
	Expired Reason = 2 // the invite's time is over
	Busy    Reason = 3 // too many devices are asking
	Dropped Reason = 4 // another device took the place, or the session took too long
)

// Refused is the error of a Joiner whose inviter sent a Refusal.
type Refused struct{ Reason Reason }

func (r *Refused) Error() string { return fmt.Sprintf("inviter refused: reason %d", r.Reason) }

// Refusal returns the message that ends a Joiner's session with a reason.
func Refusal(why Reason) []byte { panic("to come") }

// A Joiner is the side of the new device. It sends Start, and hands each message
// that comes to the method of its name, in this order.
type Joiner struct{}

// NewJoiner begins a session. self and peer are the peer ids of both ends as the
// transport has checked them; secret belongs to the offer's box key.
func NewJoiner(random io.Reader, offer Offer, secret access.BoxSecret, self, peer string) (*Joiner, error) {
	panic("to come")
}

// Start returns the Ask.
func (j *Joiner) Start() []byte { panic("to come") }

// Answer takes the inviter's Answer and returns our Reveal.
func (j *Joiner) Answer(b []byte) (reveal []byte, err error) { panic("to come") }

// Reveal takes the inviter's Reveal and returns the number to show.
func (j *Joiner) Reveal(b []byte) (number string, err error) { panic("to come") }

// Welcome takes the Welcome, which comes once the number was typed.
func (j *Joiner) Welcome(b []byte) (Result, error) { panic("to come") }

// Words returns the three words to compare, after Welcome.
func (j *Joiner) Words() string { panic("to come") }

// An Inviter is one session on the side of the device that lets in.
type Inviter struct{}

// NewInviter begins a session. self and peer are the peer ids of both ends as
// the transport has checked them.
func NewInviter(random io.Reader, card access.DeviceCard, self, peer string) (*Inviter, error) {
	panic("to come")
}

// Ask takes the joiner's Ask and returns our Answer.
func (i *Inviter) Ask(b []byte) (answer []byte, err error) { panic("to come") }

// Reveal takes the joiner's Reveal and returns ours.
func (i *Inviter) Reveal(b []byte) (reveal []byte, err error) { panic("to come") }

// Offer returns what the joiner said about itself.
func (i *Inviter) Offer() Offer { panic("to come") }

// Welcome returns the last message, for a joiner that entry admits in s. The
// control space goes with it as far as the admission builds on it.
func (i *Inviter) Welcome(s *access.State, entry log.Hash, addrs []string) ([]byte, error) {
	panic("to come")
}

// Words returns the three words to compare.
func (i *Inviter) Words(w log.WorkspaceID) string { panic("to come") }

// DoorName returns a name made up for one open invite, such as "Tiger Radio 27".
func DoorName(random io.Reader) (string, error) { panic("to come") }
