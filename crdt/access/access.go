// Package access works out from the control space who belongs to a workspace,
// what they may do and which keys they hold. RULES.md says the rules in words.
//
// The package is pure: it has no clock, disk or socket. Entries handed to it
// carry signatures that were checked before.
package access

import (
	"errors"

	"inselnetz/crdt/log"
)

type (
	// PersonID names a human of the workspace.
	PersonID [16]byte
	// BoxKey is an X25519 public key that space keys and welcomes are sealed to.
	BoxKey [32]byte
	// BoxSecret is the private key of a BoxKey.
	BoxSecret [32]byte
)

// A Role says what a device may do in the control space.
type Role uint64

// Roles. Values above Member are reserved: 4 guest, 5 carrier.
const (
	Owner  Role = 1
	Admin  Role = 2
	Member Role = 3
)

func (r Role) String() string {
	switch r {
	case Owner:
		return "owner"
	case Admin:
		return "admin"
	case Member:
		return "member"
	}
	return "unknown"
}

// manages reports whether operations of such a device count.
func (r Role) manages() bool { return r == Owner || r == Admin }

// A Person is a human of the workspace.
type Person struct {
	_    struct{} `cbor:",toarray"`
	ID   PersonID
	Name string // as it was written; show ShowName(Name)
}

// A DeviceCard is a device's three public keys and its name.
type DeviceCard struct {
	_    struct{}     `cbor:",toarray"`
	Sign log.DeviceID // signs entries
	Box  BoxKey       // receives keys
	Peer string       // text form of the peer id on the network
	Name string       // as it was written; show ShowName(Name)
}

// A SpaceKey is the key of one epoch of a space.
type SpaceKey struct {
	Space log.SpaceID
	Epoch uint64
	ID    log.KeyID // as entries name it
	Key   log.Key
}

// Authored is an entry of the control space with the identity of its log.
type Authored struct {
	Card  log.Card
	Entry *log.Entry
}

// A Device is one admitted installation.
type Device struct {
	Card   DeviceCard
	Person PersonID
	Role   Role
	By     log.DeviceID // that admitted it; for the founder itself
	Rank   int          // place in the order of seniority; the founder has 0
	Entry  log.Hash     // of its admission
}

// Errors of making operations.
var (
	ErrNotAllowed  = errors.New("this device may not do that")
	ErrStopped     = errors.New("control space holds operations of a newer program")
	ErrDeviceKnown = errors.New("device is already in the workspace")
	ErrPersonKnown = errors.New("person is already in the workspace")
	ErrCard        = errors.New("device card is not usable")
	ErrNoKeys      = errors.New("space key is not held here")
)
