package pairing

import (
	"errors"
	"io"
	"time"

	"inselnetz/crdt/access"
)

// Limits of an open invite.
const (
	Lifetime   = 10 * time.Minute
	MaxMisses  = 3  // wrong numbers that close it
	MaxWaiting = 5  // sessions at a time
	MaxSource  = 2  // sessions at a time from one source
	MaxReveals = 32 // sessions that get as far as a number: each is one guess in a million
	OpenWithin = 5 * time.Second
)

// Errors of an invite.
var (
	ErrClosed    = errors.New("invite is closed")
	ErrExpired   = errors.New("invite has expired")
	ErrBusy      = errors.New("too many devices are asking")
	ErrNotNumber = errors.New("not a number of six digits")
	ErrMiss      = errors.New("no waiting device shows this number")
	ErrTwice     = errors.New("two waiting devices show this number")
)

// An Invite keeps the sessions of one open invite and decides which of them is
// let in. It is no place for several goroutines.
type Invite struct{}

// NewInvite opens an invite at time now for the device with this card, whose
// peer id is card.Peer.
func NewInvite(random io.Reader, card access.DeviceCard, now time.Time) *Invite { panic("to come") }

// Ask begins a session with a peer. source is the host it comes from, such as
// its IP address. dropped is the peer of a session that had to make room, if
// any, to be sent a Refusal(Dropped).
func (v *Invite) Ask(peer, source string, b []byte, now time.Time) (answer []byte, dropped string, err error) {
	panic("to come")
}

// Reveal goes on with the session of a peer.
func (v *Invite) Reveal(peer string, b []byte, now time.Time) (reveal []byte, err error) {
	panic("to come")
}

// Drop ends the session of a peer whose connection broke.
func (v *Invite) Drop(peer string) { panic("to come") }

// Stale ends sessions that took too long to open and returns their peers, to be
// sent a Refusal(Dropped).
func (v *Invite) Stale(now time.Time) []string { panic("to come") }

// Waiting returns the sessions that show a number, the first one first.
func (v *Invite) Waiting() []*Inviter { panic("to come") }

// Type takes the number an admin typed, with or without blanks, and returns the
// one session that shows it. The invite is closed then, and after ErrTwice,
// and after the last miss.
func (v *Invite) Type(number string, now time.Time) (*Inviter, error) { panic("to come") }

// Tries returns how many misses are left.
func (v *Invite) Tries() int { panic("to come") }

// Open reports whether a number can be typed; else why not.
func (v *Invite) Open(now time.Time) error { panic("to come") }

// Deadline returns when the invite expires.
func (v *Invite) Deadline() time.Time { panic("to come") }

// Close ends the invite and returns the peers of its sessions, to be sent a
// Refusal(Closed).
func (v *Invite) Close() []string { panic("to come") }
