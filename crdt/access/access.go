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

// A Role says what a device may do in the control space and what it may read.
type Role uint64

// Roles, the strongest first. Guests read the named spaces they are members of;
// carriers keep and pass on what they cannot read.
const (
	Owner   Role = 1
	Admin   Role = 2
	Member  Role = 3
	Guest   Role = 4
	Carrier Role = 5
)

func (r Role) String() string {
	switch r {
	case Owner:
		return "owner"
	case Admin:
		return "admin"
	case Member:
		return "member"
	case Guest:
		return "guest"
	case Carrier:
		return "carrier"
	}
	return "unknown"
}

// manages reports whether operations of such a device change who is in.
func (r Role) manages() bool { return r == Owner || r == Admin }

// belongs reports whether such a device reads the space of all.
func (r Role) belongs() bool { return r >= Owner && r <= Member }

// A Level says what a person may do in a space.
type Level uint64

// Levels, the highest first. None is no access.
const (
	None   Level = 0
	Manage Level = 1
	Write  Level = 2
	Read   Level = 3
)

func (l Level) String() string {
	switch l {
	case Manage:
		return "manage"
	case Write:
		return "write"
	case Read:
		return "read"
	}
	return "none"
}

// writes reports whether l is Write or higher.
func (l Level) writes() bool { return l == Manage || l == Write }

// above reports whether l allows more than o.
func (l Level) above(o Level) bool { return l != None && (o == None || l < o) }

// Network is the space that the network key is kept under. It has no entries;
// its keys are derived from those of the space of all, see State.NetworkKey.
var Network = log.SpaceID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// A SpaceKind says how members of a space come about.
type SpaceKind uint64

// Kinds of spaces: a named one has members that change, a direct one is of two
// persons for ever.
const (
	Named  SpaceKind = 1
	Direct SpaceKind = 2
)

// A Space is a named or direct space.
type Space struct {
	ID      log.SpaceID
	Kind    SpaceKind
	Name    []byte    // sealed; State.SpaceName opens it
	NameKey log.KeyID // that opens it
	Members map[PersonID]Level
	Creator PersonID
}

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

// A Cut says where a log ends: at this entry. Seq 0 and the zero hash say that
// nothing of it counts. With a zero log it only says that its author knew which
// logs there are in the space.
type Cut struct {
	_     struct{}    `cbor:",toarray"`
	Space log.SpaceID // log.Control for a control log
	Log   log.LogID
	Seq   uint64
	Hash  log.Hash
}

// Authored is an entry of the control space with the identity of its log.
type Authored struct {
	Card  log.Card
	Entry *log.Entry
}

// A Device is one admitted installation.
type Device struct {
	Card    DeviceCard
	Person  PersonID
	Role    Role
	By      log.DeviceID // that admitted it first; for the founder itself, zero if the deputies did
	Rank    int          // place in the order of seniority; the founder has 0
	Entry   log.Hash     // of its first admission
	Until   int64        // when a guest's access ends, in milliseconds since 1970; 0 is never
	Disk    uint64       // what it says of its disk: 0 nothing, 1 encrypted, 2 not
	Stays   bool         // says that it is meant to stay on
	Removed *Removal     // nil as long as it is in
}

// A Removal says how a device went.
type Removal struct {
	By    log.DeviceID // zero: by the deputies
	Step  StepID       // theirs
	Entry log.Hash     // that removed it; zero if the deputies did
	Clock log.HLC      // of the entry, or of the one that proposed the step
}

// An ErasedRef names a content entry whose payload is to be dropped.
type ErasedRef struct {
	Card log.Card
	Seq  uint64
	Hash log.Hash
}

// Errors of making operations.
var (
	ErrNotAllowed  = errors.New("this device may not do that")
	ErrSenior      = errors.New("that device is senior to this one")
	ErrStopped     = errors.New("control space holds operations of a newer program")
	ErrDeviceKnown = errors.New("device is already in the workspace")
	ErrDead        = errors.New("device was removed for ever")
	ErrPersonKnown = errors.New("person is already in the workspace")
	ErrUnknown     = errors.New("nothing of that name is in the workspace")
	ErrNoChange    = errors.New("nothing would change")
	ErrCard        = errors.New("device card is not usable")
	ErrNoKeys      = errors.New("space key is not held here")
	ErrPolicy      = errors.New("recovery policy is not usable")
	ErrTooMuch     = errors.New("too much for one operation")
)
