package access

import (
	"crypto/ed25519"
	"errors"
	"io"

	"inselnetz/crdt/log"
)

var errSoon = errors.New("not built yet")

func (s *State) Known(d log.DeviceID) (Device, bool)             { dev, ok := s.Devices[d]; return dev, ok }
func (s *State) Level(space log.SpaceID, d log.DeviceID) Level   { return None }
func (s *State) PersonLevel(space log.SpaceID, p PersonID) Level { return None }
func (s *State) Limit(c log.Card) (Cut, bool)                    { return Cut{}, false }
func (s *State) Erased(c log.Card, seq uint64, h log.Hash) bool  { return false }
func (s *State) ErasedRefs() []ErasedRef                         { return nil }
func (s *State) Readers(space log.SpaceID) []Device              { return nil }
func (s *State) Stale(space log.SpaceID) bool                    { return false }
func (s *State) NetworkKey(k SpaceKey) SpaceKey                  { return SpaceKey{} }
func (s *State) SpaceName(space log.SpaceID, keys map[log.KeyID]SpaceKey) (string, bool) {
	return "", false
}
func (s *State) Policy() (Policy, int)                { return Policy{}, 0 }
func (s *State) Steps() []StepState                   { return nil }
func (s *State) Records() []Record                    { return nil }
func (s *State) KitKeys(k Kit) map[log.KeyID]SpaceKey { return nil }

// RemoveInput says which devices to remove.
type RemoveInput struct {
	Devices  []log.DeviceID
	Cuts     map[log.DeviceID][]Cut   // last entries known of each
	Handover map[log.SpaceID]PersonID // who manages a space from then on
}

// SpaceInput is what a named space begins with.
type SpaceInput struct {
	Name    string
	Members map[PersonID]Level
}

// SpaceChange says what to change of a named space.
type SpaceChange struct {
	Space  log.SpaceID
	Name   *string // nil leaves it
	Set    map[PersonID]Level
	Remove map[PersonID][]Cut
}

// StepInput is what to propose to the deputies.
type StepInput struct {
	Policy *Policy // nil leaves it
	Remove map[log.DeviceID][]Cut
	Owners []StepOwner
	Access map[log.SpaceID]PersonID
}

type keyring = map[log.KeyID]SpaceKey

func (s *State) SetRole(author log.DeviceID, keys map[log.KeyID]SpaceKey, random io.Reader, person PersonID, r Role, cuts map[log.DeviceID][]Cut) ([][]byte, error) {
	return nil, errSoon
}
func (s *State) Remove(author log.DeviceID, keys map[log.KeyID]SpaceKey, random io.Reader, in RemoveInput) ([][]byte, error) {
	return nil, errSoon
}
func (s *State) Cut(author, device log.DeviceID, cuts []Cut) ([]byte, error) { return nil, errSoon }
func (s *State) CreateSpace(author log.DeviceID, random io.Reader, in SpaceInput) ([][]byte, log.SpaceID, error) {
	return nil, log.SpaceID{}, errSoon
}
func (s *State) CreateDirect(author log.DeviceID, random io.Reader, with PersonID) ([][]byte, log.SpaceID, error) {
	return nil, log.SpaceID{}, errSoon
}
func (s *State) ChangeSpace(author log.DeviceID, keys map[log.KeyID]SpaceKey, random io.Reader, in SpaceChange) ([][]byte, error) {
	return nil, errSoon
}
func (s *State) Rotate(author log.DeviceID, keys map[log.KeyID]SpaceKey, random io.Reader, space log.SpaceID) ([][]byte, error) {
	return nil, errSoon
}
func (s *State) Repair(author log.DeviceID, keys map[log.KeyID]SpaceKey) ([][]byte, error) {
	return nil, errSoon
}
func (s *State) Ask(author log.DeviceID, keys map[log.KeyID]SpaceKey) ([]byte, bool) {
	return nil, false
}
func (s *State) Erase(author log.DeviceID, space log.SpaceID, refs []ErasedRef) ([]byte, error) {
	return nil, errSoon
}
func (s *State) Facts(author log.DeviceID, disk uint64) ([]byte, bool) { return nil, false }
func (s *State) Orphans(devices []log.DeviceID) (handover map[log.SpaceID][]PersonID, lost []log.SpaceID) {
	return nil, nil
}
func (s *State) Propose(in StepInput) (payload []byte, id StepID, err error) {
	return nil, StepID{}, errSoon
}
func (s *State) Approve(sign ed25519.PrivateKey, id StepID) (payload []byte, err error) {
	return nil, errSoon
}
