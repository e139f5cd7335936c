package tree

import (
	"errors"

	"inselnetz/crdt/log"
)

// Limits of the format; FORMAT.md describes it.
const (
	FormatVersion = 1
	MaxOps        = 4096 // in one entry
	MaxParents    = 16
	MaxPath       = 1024 // bytes of a path
	MaxName       = 255  // bytes of a name in it
	MaxDepth      = 100  // names in a path
	MaxTarget     = 1024 // bytes of a link's target
	MaxLogs       = 64   // logs in a verdict

	// MaxPayload is how many bytes Encode may give for an entry with the most
	// control heads and dependencies, sealed.
	MaxPayload = 63 << 10
)

// Errors of Encode and Decode. Details are wrapped around them.
var (
	ErrMalformed = errors.New("malformed file operations")
	ErrVersion   = errors.New("file operations of a newer version")
	ErrPath      = errors.New("path cannot be shared")
)

// An Op is a Version, a Verdict, or an Unknown operation of a later program.
type Op interface{ op() }

// A Verdict is what people decided about versions of a device that were held:
// those in its logs up to the numbers given.
type Verdict struct {
	Device log.DeviceID
	Upto   []log.Dep // ascending by log, no one twice
	Accept bool
}

// Unknown is an operation this program does not know. It changes nothing.
type Unknown struct {
	Code uint64
	Raw  []byte // the operation as encoded
}

func (Version) op() {}
func (Verdict) op() {}
func (Unknown) op() {}

// Encode returns the payload of an entry with these operations. It refuses what
// Decode would refuse.
func Encode(ops []Op) ([]byte, error) { return nil, errors.ErrUnsupported }

// Decode reads a payload. It accepts exactly one encoding of the operations it
// knows, so encoding them again gives the same bytes.
func Decode(b []byte) ([]Op, error) { return nil, errors.ErrUnsupported }

// A Payload is an encoded list of operations.
type Payload struct {
	Bytes []byte
	Ops   []Op
}

// Pack encodes operations into as few payloads of at most max bytes as their
// order allows; at most MaxPayload if max is 0.
func Pack(ops []Op, max int) ([]Payload, error) { return nil, errors.ErrUnsupported }

// CheckPath returns why a path cannot be shared, wrapped in ErrPath, or nil.
func CheckPath(path string) error { return errors.ErrUnsupported }
