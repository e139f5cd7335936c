package access

import (
	"io"

	"inselnetz/crdt/log"
)

// A State is what a set of control entries says. It is not changed once made.
type State struct {
	Workspace log.WorkspaceID
	Founded   bool   // the genesis entry is among the entries
	Office    string // the workspace's name as it was written; show ShowName
	Stopped   bool   // a manager wrote what only a newer program understands
	Devices   map[log.DeviceID]Device
	People    map[PersonID]Person
}

// Resolve works out the state of workspace w. It depends on the set of entries
// alone, not on their order or number. Entries of other spaces and workspaces
// are left aside.
func Resolve(w log.WorkspaceID, entries []Authored) *State { panic("to come") }

// Role returns the role of a device.
func (s *State) Role(d log.DeviceID) (Role, bool) { panic("to come") }

// CanInvite reports whether the device may admit others now.
func (s *State) CanInvite(d log.DeviceID) bool { panic("to come") }

// Peer returns the device with this peer id.
func (s *State) Peer(peer string) (Device, bool) { panic("to come") }

// PersonRole returns the highest role among a person's devices.
func (s *State) PersonRole(p PersonID) Role { panic("to come") }

// Heads returns what the Ctl field of an entry written now holds: the newest
// control entries that count, at most log.MaxRefs, ascending.
func (s *State) Heads() []log.Ref { panic("to come") }

// Knows reports whether the control entry is among those resolved.
func (s *State) Knows(ref log.Ref) bool { panic("to come") }

// Keys returns the space keys sealed to the holder of secret, by the name that
// entries use. It costs some hundred microseconds a key; keep the result.
func (s *State) Keys(secret BoxSecret) map[log.KeyID]SpaceKey { panic("to come") }

// Current returns the epoch in which new entries of a space are to be written,
// and the name of its key.
func (s *State) Current(space log.SpaceID) (epoch uint64, id log.KeyID, ok bool) { panic("to come") }

// Closure returns an entry and all entries it builds on, earlier ones first.
func (s *State) Closure(of log.Hash) []Authored { panic("to come") }

// FoundInput is what a workspace begins with.
type FoundInput struct {
	Office string
	Person Person
	Device DeviceCard
}

// Found returns the payload of a genesis entry. The entry is seq 1 of a log
// whose card has a zero workspace and the control space; its hash is the
// workspace id. The founder goes on writing control entries in that log.
func Found(random io.Reader, in FoundInput) ([]byte, error) { panic("to come") }

// AdmitInput says whom to let in.
type AdmitInput struct {
	Device DeviceCard
	Person Person
	Role   Role
	Known  bool // Person is in the workspace and this is another device of theirs
}

// Admit returns the payload of a control entry by which the device author, which
// holds keys, lets another one in.
func (s *State) Admit(author log.DeviceID, keys map[log.KeyID]SpaceKey, in AdmitInput) ([]byte, error) {
	panic("to come")
}
