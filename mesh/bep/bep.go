package bep

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/syncthing/syncthing/lib/protocol"
)

// Errors that callers branch on.
var (
	// ErrRefused is what a Folder returns for a path or a content that it does
	// not take, now or later: the gateway says so and does not ask again.
	ErrRefused = errors.New("not taken here")
	// ErrUnknown says that there is no such device or folder.
	ErrUnknown = errors.New("no such device or folder")
	// ErrAway says that what a device wants to change is not known here, because
	// it was not connected since the program began.
	ErrAway = errors.New("the device is not connected")
)

// A DeviceID names a Syncthing device: SHA-256 of its certificate. Its String is
// what people type and compare.
type DeviceID = protocol.DeviceID

// ParseDeviceID reads a device id as people write it.
func ParseDeviceID(s string) (DeviceID, error) {
	id, err := protocol.DeviceIDFromString(s)
	if err == nil && id == protocol.EmptyDeviceID {
		err = errors.New("empty device id")
	}
	return id, err
}

// A Kind is what a path is.
type Kind uint8

const (
	Gone Kind = iota // nothing is there
	Plain
	Dir
	Link
)

// A File is what a folder shows at a path.
type File struct {
	Path   string // slash-separated, relative, NFC
	Kind   Kind
	Size   int64    // of a Plain
	Time   int64    // of the last change, ns since 1970
	Exec   bool     // of a Plain
	Sum    [32]byte // of a Plain: equal for equal contents, see crdt/tree
	Target string   // of a Link

	// Base says, in words of the Folder, what a change of this file builds on: all
	// that is at the path, or only the shown one while others compete with it. Of
	// a Gone too, if something was there. ≤ 4 KiB.
	Base string
	// Version names the shown version for Restore.
	Version string
}

// A Folder is what is shared: what it shows, and ways to change it. Its methods
// may be called from several goroutines; what changes it is durable on return.
//
// base is the File.Base that the other device knew; "" if it knew nothing. A
// change with a base that was replaced meanwhile is a conflict, which the Folder
// keeps.
type Folder interface {
	// Files yields all living files, parents before what is in them. An error
	// means that this is not all, and nothing is concluded from what is missing.
	Files(ctx context.Context, yield func(File) bool) error
	// Look returns what is at a path.
	Look(ctx context.Context, path string) (File, error)
	// Changed receives after changes; several may be one.
	Changed() <-chan struct{}
	// Blocks returns the block size of a Plain and the SHA-256 of each block.
	Blocks(ctx context.Context, f File) (size int, hashes [][32]byte, err error)
	// Read reads len(p) bytes of a Plain, or fails.
	Read(ctx context.Context, f File, off int64, p []byte) error

	// Put makes a Plain of what r holds and returns what is then at the path. If r
	// fails nothing happened.
	Put(ctx context.Context, f File, base string, r io.Reader) (File, error)
	// Mkdir and Link make what they say.
	Mkdir(ctx context.Context, path, base string) (File, error)
	Link(ctx context.Context, path, target, base string) (File, error)
	// Remove removes one path. A directory in which something is left stays,
	// which is no error.
	Remove(ctx context.Context, path, base string) (File, error)
	// Restore shows an earlier version again.
	Restore(ctx context.Context, path, version string) (File, error)
}

// A Share is a Folder and the name under which devices know it.
type Share struct {
	ID     string // equal on both sides
	Label  string // shown on the other side when it is asked whether it wants it
	Folder Folder
}

// A Device is one with which folders are shared.
type Device struct {
	ID      DeviceID
	Name    string
	Addrs   []string // host:port or tcp://host:port to dial; empty: it dials
	Folders []string // ids of Shares
}

// State keeps what the gateway must remember of a share, a few bytes per path.
// Losing it loses no content: what is equal on both sides is found equal again,
// what is not is kept from both.
type State interface {
	Load(share string) ([]byte, error) // nil, nil: nothing yet
	Save(share string, data []byte) error
}

// Options describe a Gateway. Cert and State are required.
type Options struct {
	Cert    tls.Certificate // from NewCertificate; the DeviceID is its hash
	Name    string          // of this device, told to approved devices; "": Inselnetz
	Listen  string          // host:port; "": only dials; Syncthing's usual port is 22000
	Devices []Device
	Shares  []Share
	State   State

	OnChange func()           // the Status changed; must not block; nil: nobody asks
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil discards
}

// Status is what people see of a Gateway.
type Status struct {
	ID        DeviceID
	Listen    string // where it listens, "" if it does not
	Devices   []DeviceStatus
	Strangers []Stranger // devices that tried and are not in Options, newest first, ≤ 8
}

// A Stranger is a device that connected and is not known.
type Stranger struct {
	ID   DeviceID
	Addr string
	Seen time.Time
}

// DeviceStatus is how it stands with a device.
type DeviceStatus struct {
	ID        DeviceID
	Name      string
	Connected bool
	Addr      string
	Client    string    // program and version
	Seen      time.Time // when it was last connected; zero: not since the program began
	Err       string    // why it is not connected; "" if nothing is known
	Folders   []FolderStatus
}

// Waits says why a folder is not exchanged with a device.
type Waits string

const (
	WaitsNot       Waits = ""          // it is exchanged
	WaitsDevice    Waits = "device"    // it is not connected
	WaitsAccept    Waits = "accept"    // it has to be accepted over there
	WaitsPaused    Waits = "paused"    // it is paused over there
	WaitsEncrypted Waits = "encrypted" // it is set up over there as an encrypted one, which we do not speak
)

// FolderStatus is how it stands with a folder shared with a device.
type FolderStatus struct {
	Share  string
	Waits  Waits
	Theirs int         // changes of theirs that are not here yet, without held ones
	Bytes  int64       // of contents among these
	Ours   int         // changes of ours that are not there yet
	InSync bool        // connected, and nothing left in either direction
	Held   *Held       // the brake holds; nil: it does not
	Errors []PathError // what could not be taken, ≤ 100
}

// A PathError says why a path was not taken.
type PathError struct{ Path, Err string }

// Held is what the brake holds of a device in a folder.
type Held struct {
	Since     time.Time
	Changed   int      // files that it wants to change
	Deleted   int      // files that it wants to delete
	New       int      // new ones
	Encrypted bool     // its changes look encrypted
	Paths     []string // some of the changed and deleted, ≤ 100, by name
	Away      bool     // it was not connected since the program began: Accept and Discard must wait
}
