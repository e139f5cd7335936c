// Package stick is the file by which two devices exchange entries that have no
// network between them, sealed so that only members of the workspace can open it.
//
// A file is written from its start to its end and read likewise, with one record
// of it in memory. FORMAT.md describes it. What the entries in it are worth is for
// the reader to judge: a file is as trustworthy as a peer.
package stick

import (
	"errors"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// Errors of reading a file. Those of the underlying reader are passed on.
var (
	ErrNotStick = errors.New("not a file of this program")
	ErrNewer    = errors.New("file of a newer version of this program")
	ErrForeign  = errors.New("file that this device cannot open")
	ErrDamaged  = errors.New("file is damaged or cut short")
)

// Locks is for whom something is sealed: who holds one of the keys, and the
// devices with these box keys.
type Locks struct {
	Keys  []log.Key
	Boxes []access.BoxKey
}

// Keys are those of the device that reads a file.
type Keys struct {
	Box     access.BoxSecret
	Network []log.Key                   // of the workspace
	Space   func(log.SpaceID) []log.Key // of a space; nil: none are held
}

// An About says what a file is. It is the first thing in it.
type About struct {
	_       struct{} `cbor:",toarray"`
	By      log.DeviceID
	At      int64        // ms since 1970, by the clock of that device
	For     log.DeviceID // whom it was made for; zero: all
	Entries uint64
	Pieces  uint64 // of contents of files
}

// A Part is some entries of one log, in order, as they travel between devices.
type Part struct {
	Card    log.Card
	Entries [][]byte
}

// A Piece is one block of a file's content, or its list of blocks.
type Piece struct {
	_       struct{} `cbor:",toarray"`
	Content log.Hash
	Index   uint32
	Data    []byte
}

// A Record is one thing in a file. One of the pointers is set.
type Record struct {
	Space log.SpaceID // it belongs to
	Part  *Part
	Holds *Holds
	Piece *Piece
}
