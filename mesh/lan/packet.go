package lan

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/chacha20poly1305"

	"inselnetz/crdt/log"
)

// Packet layout, see FORMAT.md.
const (
	packetMagic   = "insel"
	packetVersion = 1
	typeMember    = 1
	typeDoor      = 2

	headerSize    = len(packetMagic) + 2
	beaconPlain   = 288 // every member beacon is as long as every other
	maxPacket     = 1200
	maxClaims     = 8
	maxPeerBytes  = 64
	maxDoorName   = 64
	maxBeaconKeys = 8
)

const flagGone = 1

var errPacket = errors.New("not a packet of ours")

// A beacon is what a member tells the other members.
type beacon struct {
	Instance [16]byte // of this start of the program
	Counter  uint64   // grows with every packet of an instance
	Burst    uint32   // grows when the sender has news: a start, another address
	Gone     bool     // goodbye
	Port     uint16   // TCP and QUIC
	Peer     string   // libp2p peer id, binary
	Claims   []netip.Addr
}

// A notice is what a device with an open door tells everybody.
type notice struct {
	Name string
	Port uint16
	Peer string
}

// appendBeacon encodes b without padding.
func appendBeacon(p []byte, b beacon) []byte {
	p = append(p, b.Instance[:]...)
	p = binary.BigEndian.AppendUint64(p, b.Counter)
	p = binary.BigEndian.AppendUint32(p, b.Burst)
	var flags byte
	if b.Gone {
		flags |= flagGone
	}
	p = append(p, flags)
	p = binary.BigEndian.AppendUint16(p, b.Port)
	p = append(p, byte(len(b.Peer)))
	p = append(p, b.Peer...)
	p = append(p, byte(len(b.Claims)))
	for _, a := range b.Claims {
		raw := a.AsSlice()
		p = append(p, byte(len(raw)))
		p = append(p, raw...)
	}
	return p
}

// readBeacon is the inverse of appendBeacon and padding.
func readBeacon(p []byte) (beacon, error) {
	var b beacon
	r := reader{p: p}
	copy(b.Instance[:], r.take(16))
	b.Counter = binary.BigEndian.Uint64(r.fixed(8))
	b.Burst = binary.BigEndian.Uint32(r.fixed(4))
	flags := r.fixed(1)[0]
	b.Gone = flags&flagGone != 0
	b.Port = binary.BigEndian.Uint16(r.fixed(2))
	b.Peer = string(r.short(maxPeerBytes))
	n := int(r.fixed(1)[0])
	if n > maxClaims {
		return b, errPacket
	}
	for range n {
		a, ok := netip.AddrFromSlice(r.short(16))
		if !ok || a.Is4In6() {
			return b, errPacket
		}
		b.Claims = append(b.Claims, a)
	}
	if r.bad || b.Peer == "" || b.Port == 0 || flags&^flagGone != 0 || len(bytes.Trim(r.p, "\x00")) != 0 {
		return b, errPacket
	}
	return b, nil
}

// beaconKey derives the key of beacons from a network key.
func beaconKey(k log.Key) []byte {
	key, err := hkdf.Key(sha256.New, k[:], nil, "inselnetz/beacon/1", chacha20poly1305.KeySize)
	if err != nil {
		panic("lan: hkdf: " + err.Error()) // the length is a constant
	}
	return key
}

func header(kind byte) []byte {
	return append([]byte(packetMagic), packetVersion, kind)
}

// sealBeacon makes a member packet of constant length.
func sealBeacon(key []byte, b beacon) ([]byte, error) {
	plain := appendBeacon(make([]byte, 0, beaconPlain), b)
	if len(plain) > beaconPlain || len(b.Peer) > maxPeerBytes || len(b.Claims) > maxClaims {
		return nil, errPacket
	}
	plain = plain[:beaconPlain]
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	head := header(typeMember)
	p := append(head, make([]byte, aead.NonceSize())...)
	nonce := p[headerSize:]
	rand.Read(nonce)
	return aead.Seal(p, nonce, plain, head), nil
}

// openBeacon reads a member packet with the first key that fits.
func openBeacon(keys [][]byte, p []byte) (beacon, error) {
	const size = headerSize + chacha20poly1305.NonceSizeX + beaconPlain + chacha20poly1305.Overhead
	if len(p) != size || packetType(p) != typeMember {
		return beacon{}, errPacket
	}
	nonce := p[headerSize : headerSize+chacha20poly1305.NonceSizeX]
	for _, k := range keys {
		aead, err := chacha20poly1305.NewX(k)
		if err != nil {
			return beacon{}, err
		}
		if plain, err := aead.Open(nil, nonce, p[headerSize+len(nonce):], p[:headerSize]); err == nil {
			return readBeacon(plain)
		}
	}
	return beacon{}, errPacket
}

// packetType returns the type of a packet of this version, 0 for all else.
func packetType(p []byte) byte {
	if len(p) < headerSize || string(p[:len(packetMagic)]) != packetMagic || p[len(packetMagic)] != packetVersion {
		return 0
	}
	return p[headerSize-1]
}

// sealNotice makes a door packet; nothing of it is secret.
func sealNotice(n notice) []byte {
	p := header(typeDoor)
	p = binary.BigEndian.AppendUint16(p, n.Port)
	p = append(p, byte(len(n.Peer)))
	p = append(p, n.Peer...)
	p = append(p, byte(len(n.Name)))
	return append(p, n.Name...)
}

// openNotice reads a door packet. A name that could mislead the eye is refused.
func openNotice(p []byte) (notice, error) {
	if len(p) > maxPacket || packetType(p) != typeDoor {
		return notice{}, errPacket
	}
	r := reader{p: p[headerSize:]}
	n := notice{Port: binary.BigEndian.Uint16(r.fixed(2))}
	n.Peer = string(r.short(maxPeerBytes))
	n.Name = string(r.short(maxDoorName))
	if r.bad || len(r.p) != 0 || n.Port == 0 || n.Peer == "" || n.Name == "" || cleanName(n.Name) != n.Name {
		return notice{}, errPacket
	}
	return n, nil
}

// cleanName shortens a name to what a notice carries: printable text without
// marks that turn its direction.
func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	for len(s) > maxDoorName {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return strings.TrimSpace(s)
}

// A reader takes fields off a packet; once one is missing it is bad and yields
// zeros.
type reader struct {
	p   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || len(r.p) < n {
		r.bad = true
		return nil
	}
	b := r.p[:n]
	r.p = r.p[n:]
	return b
}

func (r *reader) fixed(n int) []byte {
	if b := r.take(n); b != nil {
		return b
	}
	return make([]byte, n)
}

func (r *reader) short(limit int) []byte {
	n := int(r.fixed(1)[0])
	if n > limit {
		r.bad = true
	}
	return r.take(n)
}
