// Package disktest is a disk in memory for tests: it loses at a crash what was
// not made durable, as a journaled file system does, and fails when told to.
package disktest

import (
	"time"

	"inselnetz/app/disk"
)

// Options are the properties of a Disk. The zero value is a case-sensitive disk
// of 1 TB that can exchange but not clone, as ext4.
type Options struct {
	Folds      bool  // names that differ in case only are one
	NoExchange bool  // Exchange is not supported
	Clones     bool  // Clone is supported
	NoCloses   bool  // watching does not tell when a writer closes
	Coarse     int64 // ns to which times are cut, 0: none
	Total      int64 // bytes of the disk
	Now        func() time.Time
}

// FS is a disk in memory; it implements disk.FS and can be watched. All that
// happens at random is drawn from its seed.
type FS struct {
	disk.FS
	// Fail, if not nil, is asked before each call whether it fails. An error from
	// WriteAt, CopyFrom and Create comes after a part was done. Op is the name of
	// the method, of handles too; of renames and clones the path is the new one.
	Fail func(op, path string) error
	// At, if not nil, is called before each call with no lock held. It may edit by
	// User or end the FS by Kill or Crash: the call then fails with ErrDead.
	At func(op, path string)
}

// New returns an empty disk.
func New(seed uint64, opts Options) *FS { return &FS{} }
