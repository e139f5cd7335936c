package log

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
)

// A Dep names an entry of another log that the author knew.
type Dep struct {
	_   struct{} `cbor:",toarray"`
	Log LogID
	Seq uint64
}

// A Header is the signed part of an entry; FORMAT.md describes its fields.
type Header struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Log     LogID
	Seq     uint64 // from 1
	Prev    Hash   // of seq-1; zero for seq 1
	HLC     HLC
	Ctl     []Ref // heads of the control space known to the author, ascending
	Deps    []Dep // ascending by log, at most one a log
	Key     *KeyID
	Kind    Kind
	Len     uint64 // bytes of the payload
	Sum     Hash   // SHA-256 of the payload, which may have been erased
}

// An Entry is one item of a log as it travels and lies on disk.
type Entry struct {
	Header
	Raw     []byte // the encoded header, whose bytes are signed
	Sig     [ed25519.SignatureSize]byte
	Payload []byte // nil once erased
	hash    Hash

	// What Key, Ctl and Deps point to after decoding, when they are as short as
	// they mostly are.
	key  KeyID
	ctl  [2]Ref
	deps [2]Dep
}

// Errors of decoding and checking. Details are wrapped around them.
var (
	ErrMalformed = errors.New("malformed entry")
	ErrTooLarge  = errors.New("entry too large")
	ErrSignature = errors.New("bad signature")
	ErrChain     = errors.New("entry does not continue its log")
)

// Hash returns SHA-256("inselnetz/entry/1" ‖ header).
func (e *Entry) Hash() Hash { return e.hash }

// New makes and signs an entry. It fills in Version, Len and Sum.
func New(key ed25519.PrivateKey, h Header, payload []byte) (*Entry, error) {
	if payload == nil {
		payload = []byte{}
	}
	h.Version, h.Len, h.Sum = Version, uint64(len(payload)), sha256.Sum256(payload)
	if h.Ctl == nil {
		h.Ctl = []Ref{}
	}
	if h.Deps == nil {
		h.Deps = []Dep{}
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	raw := h.append(nil)
	e := &Entry{Header: h, Raw: raw, Payload: payload, hash: hashHeader(raw)}
	copy(e.Sig[:], ed25519.Sign(key, e.hash[:]))
	if n := len(e.Bytes()); n > MaxEntry {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, n, MaxEntry)
	}
	return e, nil
}

func (h *Header) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }
	switch {
	case h.Version != Version:
		return fmt.Errorf("%w: version %d, this program knows %d", ErrMalformed, h.Version, Version)
	case h.Seq < 1 || h.Seq > MaxSeq:
		return bad("sequence number out of range")
	case (h.Seq == 1) != (h.Prev == Hash{}):
		return bad("first entry and no predecessor belong together")
	case h.Ctl == nil || h.Deps == nil:
		return bad("null list")
	case len(h.Ctl) > MaxRefs || len(h.Deps) > MaxRefs:
		return bad("too many references")
	case h.Len > MaxEntry:
		return bad("payload too long")
	}
	for i, d := range h.Deps {
		if d.Seq < 1 || d.Seq > MaxSeq || d.Log == h.Log || i > 0 && bytes.Compare(h.Deps[i-1].Log[:], d.Log[:]) >= 0 {
			return bad("dependencies")
		}
	}
	for i := range h.Ctl {
		if i > 0 && bytes.Compare(h.Ctl[i-1][:], h.Ctl[i][:]) >= 0 {
			return bad("control heads")
		}
	}
	return nil
}

// Verify checks the signature against the log's device.
func (e *Entry) Verify(by DeviceID) error {
	// Anyone can sign for a weak key.
	if by.Check() != nil || !ed25519.Verify(by[:], e.hash[:], e.Sig[:]) {
		return ErrSignature
	}
	return nil
}

// Erased returns a copy of e without its payload; hash and signature hold.
func (e *Entry) Erased() *Entry {
	c := *e
	c.Payload = nil
	return &c
}
