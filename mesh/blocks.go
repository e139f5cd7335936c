package mesh

import (
	"errors"

	"inselnetz/crdt/log"
)

// A Name is the name of a content, as crdt/tree makes it, or as a carrier knows it.
type Name [32]byte

// ListIndex asks for a content's list of blocks instead of a block.
const ListIndex = 1<<32 - 1

// MaxPiece is the longest piece, in bytes: a block of 16 MiB, sealed.
const MaxPiece = 16<<20 + 64

// A Piece is one block of a content, or its list, as a reader knows it before it
// has it.
type Piece struct {
	Content Name
	Index   uint32   // number of the block, or ListIndex
	Size    int      // bytes, at most MaxPiece; 0 where it is not known
	Hash    [32]byte // SHA-256 of the plain bytes; zero where it is not known: they are not checked
}

// ErrNone: a piece is not here.
var ErrNone = errors.New("piece is not here")

// Contents is what this device has of files. Methods may be called from several
// goroutines.
type Contents interface {
	// Read appends a piece, as that device is to get it, to buf; ErrNone if it is
	// not here. It may write into buf's spare capacity and must not keep buf.
	Read(to log.DeviceID, space log.SpaceID, content Name, index uint32, buf []byte) ([]byte, error)
	// Ask returns the name under which a device knows a content (another one for
	// a carrier), false: that device cannot have it. It must answer from memory.
	Ask(from log.DeviceID, space log.SpaceID, content Name, index uint32) (Name, bool)
	// Take returns the plain bytes of what a device sent (opens what a carrier
	// kept), possibly within data; it need not check the hash.
	Take(from log.DeviceID, space log.SpaceID, p Piece, data []byte) ([]byte, error)
}
