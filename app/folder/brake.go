package folder

import (
	"errors"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// A Brake decides when too much of what one device does is held back until a
// person looked at it. It decides only; the Folder holds. It is for one
// goroutine at a time.
type Brake struct{}

// Reasons of a Holding.
const (
	HeldMany      = "many"      // too many files within minutes
	HeldShare     = "share"     // too large a part of the folder within minutes
	HeldDay       = "day"       // too much within a day
	HeldEncrypted = "encrypted" // files that were readable look encrypted
)

// A Holding is a device whose versions are held, and why.
type Holding struct {
	Device  log.DeviceID
	Why     string           // HeldMany ...
	At      time.Time        // when the brake fell
	Window  time.Time        // the effective time from which on its changes were counted
	Counted []tree.VersionID // the changes in the window that were let through
}

// NewBrake returns a brake that saw nothing yet.
func NewBrake() *Brake { return &Brake{} }

// LoadBrake returns the brake that Save wrote.
func LoadBrake(data []byte) (*Brake, error) { return nil, errors.ErrUnsupported }

// Save returns everything the brake knows, as JSON.
func (b *Brake) Save() ([]byte, error) { return nil, errors.ErrUnsupported }

// Effective returns when a change counts as made: at its clock, but not before
// seen, when this device last was in sync with its author, nor after now. So
// nobody escapes by a clock set back, and what was done long ago offline counts
// where it was done.
func Effective(clock log.HLC, seen, now time.Time) time.Time { return now }

// Judge says whether a version is to be held, and counts it else. was is the
// living version on this device's disk that it changes or deletes (with the path
// it has there), nil if there is none; files is how many files the folder has;
// at is the effective time. Versions of one log come in ascending order. One that
// was judged already gets false and is not counted again.
func (b *Brake) Judge(v tree.Known, was *tree.Known, files int, at time.Time) (hold bool) {
	return false
}

// Sample looks at how the content that v brings begins (4 KiB or more, or all of
// it) and at how the one it replaces does, before it is applied, and says
// whether v's device is held from now on.
func (b *Brake) Sample(v tree.Known, first []byte, was tree.Known, old []byte, at time.Time) (hold bool) {
	return false
}

// Holds reports whether a device is held: none of its versions is to be added,
// except those that a Verdict named.
func (b *Brake) Holds(dev log.DeviceID) bool { return false }

// Held returns all devices that are held, ascending.
func (b *Brake) Held() []Holding { return nil }

// Decide takes in a verdict. If it ends a holding, that is returned: versions up
// to v.Upto are then to be added without judging, later ones judged anew. A
// verdict of the held device itself ends nothing.
func (b *Brake) Decide(v Verdict) (Holding, bool) { return Holding{}, false }
