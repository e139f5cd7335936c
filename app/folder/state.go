package folder

import (
	"inselnetz/crdt/log"
)

// A Where says where a path's content is as seen from this device.
type Where uint8

const (
	Unknown    Where = iota // no such path
	Here                    // on the disk here
	NotKept                 // not kept on this device
	Fetching                // being fetched
	Waiting                 // no device in reach has it
	CannotKeep              // this disk cannot have such a name
	InUse                   // open in a program here, which keeps it as it is
	Held                    // a change is held by the brake
	Blocked                 // something else is in its place, or the disk failed; see State.Errors
)

// A PathError is why a path on the disk is not in sync.
type PathError struct {
	Path    string
	Err     error
	Suggest string // a name that would do, or ""
}

// A State is how the folder is.
type State struct {
	Missing bool   // the directory is not there: nothing is read or written
	Busy    string // "", "scan", "apply", "house"

	Files int   // living files
	Bytes int64 // their size

	LackFiles int // files whose content is to be fetched
	LackBytes int64
	Rate      int64 // bytes a second that come in
	Waiting   int   // of LackFiles: nobody in reach has them now

	Conflicts int
	Held      int // versions held by the brake

	LocalOnly []string    // changes that stay here alone: no right to write; the first 100
	Errors    []PathError // the first 100
	KeepBytes int64       // older contents and guard copies
	Watch     error       // why changes are not seen at once, or nil
}

// State says how the folder is.
func (f *Folder) State() State { return State{} }

// Here says where the content of a path is.
func (f *Folder) Here(path string) Where { return Unknown }

// UpTo says up to which entry of each log all contents are durable here or were
// replaced.
func (f *Folder) UpTo() map[log.LogID]uint64 { return nil }

// OpenHere returns the documents that a program on this device has open.
func (f *Folder) OpenHere() []string { return nil }
