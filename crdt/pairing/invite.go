package pairing

import (
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"inselnetz/crdt/access"
)

// Limits of an open invite.
const (
	Lifetime   = 10 * time.Minute
	OpenWithin = 5 * time.Second // from an Ask to its Reveal
	MaxMisses  = 3               // wrong numbers that close it
	MaxAsking  = 16              // sessions that did not open their commitment yet
	MaxWaiting = 5               // sessions that show a number
	MaxSource  = 2               // of them from one source
	MaxReveals = 32              // sessions that ever got a number: each is one guess in a million
)

// Errors of an invite.
var (
	ErrClosed    = errors.New("invite is closed")
	ErrExpired   = errors.New("invite has expired")
	ErrBusy      = errors.New("too many devices are asking")
	ErrNotNumber = errors.New("not a number of six digits")
	ErrMiss      = errors.New("no waiting device shows this number")
	ErrLate      = errors.New("secret was opened too late")
	ErrTwice     = errors.New("two waiting devices show this number")
)

// An Invite keeps the sessions of one open invite and decides which of them is
// let in. It is not for several goroutines at once.
type Invite struct {
	random   io.Reader
	card     access.DeviceCard
	deadline time.Time
	closed   bool
	misses   int
	reveals  int
	sessions []*session // in the order they asked, then in the order they opened
}

type session struct {
	*Inviter
	source string
	asked  time.Time
	opened bool
}

// NewInvite opens an invite at time now for the device with this card, whose
// peer id is card.Peer.
func NewInvite(random io.Reader, card access.DeviceCard, now time.Time) *Invite {
	return &Invite{random: random, card: card, deadline: now.Add(Lifetime)}
}

// Ask begins a session with a peer. source is the host it comes from, such as
// its IP address. dropped is the peer of a session that had to make room, if
// any, to be sent a Refusal(Dropped). A peer that asks again begins anew.
func (v *Invite) Ask(peer, source string, b []byte, now time.Time) (answer []byte, dropped string, err error) {
	if err := v.Open(now); err != nil {
		return nil, "", err
	}
	if v.reveals >= MaxReveals {
		return nil, "", ErrBusy
	}
	in, err := NewInviter(v.random, v.card, v.card.Peer, peer)
	if err != nil {
		return nil, "", err
	}
	if answer, err = in.Ask(b); err != nil {
		return nil, "", err
	}
	v.Drop(peer)
	// Commitments that are never opened push out each other, never a session
	// that shows a number.
	if asking := v.filter(false); len(asking) >= MaxAsking {
		dropped = asking[0].peer
		v.Drop(dropped)
	}
	v.sessions = append(v.sessions, &session{Inviter: in, source: source, asked: now})
	return answer, dropped, nil
}

// Reveal goes on with the session of a peer; dropped is as for Ask. After an
// error the session is over.
func (v *Invite) Reveal(peer string, b []byte, now time.Time) (reveal []byte, dropped string, err error) {
	if err := v.Open(now); err != nil {
		return nil, "", err
	}
	at := slices.IndexFunc(v.sessions, func(s *session) bool { return s.peer == peer })
	if at < 0 {
		return nil, "", ErrOrder
	}
	s := v.sessions[at]
	v.sessions = slices.Delete(v.sessions, at, at+1)
	if now.Sub(s.asked) > OpenWithin {
		return nil, "", ErrLate
	}
	if v.reveals >= MaxReveals {
		return nil, "", ErrBusy
	}
	room, ok := v.room(s.source)
	if !ok {
		return nil, "", ErrBusy
	}
	// Only now do we open our own secret: whoever got a number has used up one of
	// the guesses.
	if reveal, err = s.Inviter.Reveal(b); err != nil {
		return nil, "", err
	}
	if room != nil {
		dropped = room.peer
		v.Drop(dropped)
	}
	v.reveals++
	s.opened = true
	v.sessions = append(v.sessions, s)
	return reveal, dropped, nil
}

// room returns whether a session from source may show a number, and the session
// to drop for it, if any: one source must not keep out the others.
func (v *Invite) room(source string) (*session, bool) {
	waiting := v.filter(true)
	count := map[string]int{}
	for _, s := range waiting {
		count[s.source]++
	}
	if count[source] >= MaxSource {
		return nil, false
	}
	if len(waiting) < MaxWaiting {
		return nil, true
	}
	for _, s := range slices.Backward(waiting) {
		if count[s.source] > count[source]+1 {
			return s, true
		}
	}
	return nil, false
}

func (v *Invite) filter(opened bool) []*session {
	var out []*session
	for _, s := range v.sessions {
		if s.opened == opened {
			out = append(out, s)
		}
	}
	return out
}

// Drop ends the session of a peer whose connection broke.
func (v *Invite) Drop(peer string) {
	v.sessions = slices.DeleteFunc(v.sessions, func(s *session) bool { return s.peer == peer })
}

// Stale ends sessions that took too long to open and returns their peers, to be
// sent a Refusal(Dropped).
func (v *Invite) Stale(now time.Time) []string {
	var peers []string
	for _, s := range v.filter(false) {
		if now.Sub(s.asked) > OpenWithin {
			peers = append(peers, s.peer)
			v.Drop(s.peer)
		}
	}
	return peers
}

// Waiting returns the sessions that show a number, the first one first.
func (v *Invite) Waiting() []*Inviter {
	var out []*Inviter
	for _, s := range v.filter(true) {
		out = append(out, s.Inviter)
	}
	return out
}

// Type takes the number an admin typed, with or without blanks, and returns the
// one session that shows it. The invite is closed then, and after ErrTwice,
// and after the ErrMiss that leaves no Tries.
func (v *Invite) Type(number string, now time.Time) (*Inviter, error) {
	if err := v.Open(now); err != nil {
		return nil, err
	}
	number = strings.Join(strings.Fields(number), "")
	if len(number) != 6 || strings.Trim(number, "0123456789") != "" {
		return nil, ErrNotNumber
	}
	var found []*session
	for _, s := range v.filter(true) {
		if s.shows(number) {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 1:
		v.closed = true
		v.Drop(found[0].peer)
		return found[0].Inviter, nil
	case 0:
		v.misses++
		v.closed = v.misses >= MaxMisses
		return nil, ErrMiss
	default:
		v.closed = true
		return nil, ErrTwice
	}
}

// Tries returns how many misses are left.
func (v *Invite) Tries() int { return MaxMisses - v.misses }

// Open reports whether a number can be typed; else why not.
func (v *Invite) Open(now time.Time) error {
	switch {
	case v.closed:
		return ErrClosed
	case !now.Before(v.deadline):
		return ErrExpired
	}
	return nil
}

// Deadline returns when the invite expires.
func (v *Invite) Deadline() time.Time { return v.deadline }

// Close ends the invite and returns the peers of its sessions, to be sent a
// Refusal(Closed).
func (v *Invite) Close() []string {
	v.closed = true
	var peers []string
	for _, s := range v.sessions {
		peers = append(peers, s.peer)
	}
	v.sessions = nil
	return peers
}
