// Package log keeps the entry format of one device's signed, hash-chained
// sequence in one space, and works out which entries a peer still lacks.
package log

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Limits of the format. A reader refuses what exceeds them.
const (
	Version  = 1         // first field of every header
	MaxEntry = 64 << 10  // bytes of one encoded entry
	MaxBatch = 256 << 10 // bytes of the entries in one message between devices
	MaxRefs  = 16        // control heads, and dependencies, of one entry
	MaxSeq   = 1 << 48   // highest sequence number
	MaxRun   = 256       // entries covered by one checked signature on bulk import
)

// What an entry's payload holds. A reader keeps and forwards kinds it does not
// know and shows nothing of them.
const (
	KindControl  Kind = 1 // crdt/access
	KindChat     Kind = 2 // crdt/chat
	KindDocument Kind = 3 // crdt/document
	KindFile     Kind = 4 // crdt/tree
)

type (
	// Hash is a SHA-256 sum.
	Hash [32]byte
	// WorkspaceID is the hash of the workspace's genesis entry.
	WorkspaceID Hash
	// DeviceID is a device's Ed25519 public key.
	DeviceID [32]byte
	// SpaceID names a space. The zero value is the control space.
	SpaceID [16]byte
	// Incarnation tells apart the logs one device began in one space.
	Incarnation [16]byte
	// LogID names a log; see Card.ID.
	LogID [16]byte
	// KeyID commits to a space key; see Key.ID.
	KeyID [16]byte
	// Ref is the first half of an entry's hash.
	Ref [16]byte
	// Kind says how to read a payload.
	Kind uint64
	// HLC is a hybrid logical clock reading: milliseconds since 1970 in the
	// upper 48 bits, a counter in the lower 16. It orders, it proves nothing.
	HLC uint64
)

// Control is the space of membership operations.
var Control SpaceID

// Everyone returns the id of the workspace's space of all members.
func Everyone(w WorkspaceID) SpaceID {
	h := sha256.Sum256(append([]byte("inselnetz/space/everyone/1"), w[:]...))
	return SpaceID(h[:16])
}

// A Card is the full identity of a log. The genesis entry lies in a log whose
// card has a zero workspace, because the workspace is named after that entry.
type Card struct {
	_           struct{} `cbor:",toarray"`
	Workspace   WorkspaceID
	Space       SpaceID
	Device      DeviceID
	Incarnation Incarnation
}

// ID returns SHA-256("inselnetz/log/1" ‖ workspace ‖ space ‖ device ‖
// incarnation), first 16 bytes.
func (c Card) ID() LogID {
	p := c.Pack()
	b := append(make([]byte, 0, 15+len(p)), "inselnetz/log/1"...)
	h := sha256.Sum256(append(b, p[:]...))
	return LogID(h[:16])
}

// A PackedCard is a Card as it travels: workspace ‖ space ‖ device ‖ incarnation.
type PackedCard [32 + 16 + 32 + 16]byte

// Pack returns the bytes of a Card.
func (c Card) Pack() (p PackedCard) {
	b := append(p[:0], c.Workspace[:]...)
	b = append(b, c.Space[:]...)
	b = append(b, c.Device[:]...)
	copy(p[len(b):], c.Incarnation[:])
	return p
}

// Unpack returns the Card of its bytes.
func (p PackedCard) Unpack() Card {
	return Card{
		Workspace:   WorkspaceID(p[:32]),
		Space:       SpaceID(p[32:48]),
		Device:      DeviceID(p[48:80]),
		Incarnation: Incarnation(p[80:96]),
	}
}

func (h Hash) String() string        { return hex.EncodeToString(h[:]) }
func (w WorkspaceID) String() string { return hex.EncodeToString(w[:]) }
func (d DeviceID) String() string    { return text(d[:]) }
func (s SpaceID) String() string     { return text(s[:]) }
func (l LogID) String() string       { return text(l[:]) }
func (k KeyID) String() string       { return text(k[:]) }

// Ref returns the first half of h, as entries name control heads.
func (h Hash) Ref() Ref { return Ref(h[:16]) }

var base = base32.StdEncoding.WithPadding(base32.NoPadding)

func text(b []byte) string { return strings.ToLower(base.EncodeToString(b)) }

// ParseDeviceID reads what DeviceID.String wrote.
func ParseDeviceID(s string) (DeviceID, error) {
	var d DeviceID
	err := parse(d[:], s)
	return d, err
}

// ParseSpaceID reads what SpaceID.String wrote.
func ParseSpaceID(s string) (SpaceID, error) {
	var d SpaceID
	err := parse(d[:], s)
	return d, err
}

// ParseLogID reads what LogID.String wrote.
func ParseLogID(s string) (LogID, error) {
	var d LogID
	err := parse(d[:], s)
	return d, err
}

func parse(to []byte, s string) error {
	b, err := base.DecodeString(strings.ToUpper(s))
	if err != nil || len(b) != len(to) || text(b) != s {
		return fmt.Errorf("%q is not an id of %d bytes", s, len(to))
	}
	copy(to, b)
	return nil
}

// ErrWeakKey is returned for a public key that anyone can sign for.
var ErrWeakKey = errors.New("weak device key")

// Check refuses keys of small order and keys not in canonical form: signatures
// under them prove nothing.
func (d DeviceID) Check() error {
	y := d
	y[31] &= 0x7f // without the sign bit
	if !belowP(y) {
		return ErrWeakKey
	}
	for _, s := range smallOrder {
		if y == s {
			return ErrWeakKey
		}
	}
	return nil
}

// belowP reports whether the little-endian y is below 2^255-19.
func belowP(y [32]byte) bool {
	if y[31] != 0x7f || y[0] < 0xed {
		return true
	}
	for _, b := range y[1:31] {
		if b != 0xff {
			return true
		}
	}
	return false
}

// smallOrder holds the y coordinates of the curve's eight points of small
// order: 1, -1, 0 and the two of order eight (RFC 7748 and the torsion
// subgroup of edwards25519).
var smallOrder = [][32]byte{
	{1},
	unhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	{},
	unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
	unhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
}

func unhex(s string) (out [32]byte) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 {
		panic("crdt/log: bad constant " + s)
	}
	return [32]byte(b)
}

// DeviceOf returns the id of the device that holds key.
func DeviceOf(key ed25519.PrivateKey) DeviceID { return DeviceID(key.Public().(ed25519.PublicKey)) }
