package log

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
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
}

// outer is an encoded entry: [header, signature, payload | null].
type outer struct {
	_       struct{} `cbor:",toarray"`
	Header  []byte
	Sig     []byte
	Payload []byte
}

// Errors of decoding and checking. Details are wrapped around them.
var (
	ErrMalformed = errors.New("malformed entry")
	ErrTooLarge  = errors.New("entry too large")
	ErrSignature = errors.New("bad signature")
	ErrChain     = errors.New("entry does not continue its log")
)

var (
	enc = must(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, NilContainers: cbor.NilContainerAsNull, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden}.EncMode())
	dec = must(cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 4, MaxArrayElements: 1024, MaxMapPairs: 16, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Hash returns SHA-256("inselnetz/entry/1" ‖ header).
func (e *Entry) Hash() Hash { return e.hash }

func hashHeader(raw []byte) Hash {
	h := sha256.New()
	h.Write([]byte("inselnetz/entry/1"))
	h.Write(raw)
	return Hash(h.Sum(nil))
}

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
	raw, err := enc.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encode header: %w", err)
	}
	e := &Entry{Header: h, Raw: raw, Payload: payload, hash: hashHeader(raw)}
	copy(e.Sig[:], ed25519.Sign(key, e.hash[:]))
	if n := len(e.Bytes()); n > MaxEntry {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, n, MaxEntry)
	}
	return e, nil
}

// Bytes returns the encoded entry.
func (e *Entry) Bytes() []byte {
	b, err := enc.Marshal(outer{Header: e.Raw, Sig: e.Sig[:], Payload: e.Payload})
	if err != nil {
		panic(err) // byte strings always encode
	}
	return b
}

// Decode reads one encoded entry and nothing after it. It accepts exactly one
// encoding of each entry, so equal entries have equal bytes. It does not check
// the signature.
func Decode(b []byte) (*Entry, error) {
	if len(b) > MaxEntry {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(b), MaxEntry)
	}
	var o outer
	if err := dec.Unmarshal(b, &o); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	e, err := FromParts(o.Header, o.Sig, o.Payload)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(e.Bytes(), b) {
		return nil, fmt.Errorf("%w: not in canonical form", ErrMalformed)
	}
	return e, nil
}

// FromParts rebuilds an entry from its stored parts with the checks of Decode.
// A nil payload is an erased one.
func FromParts(header, sig, payload []byte) (*Entry, error) {
	e := &Entry{Raw: header, Payload: payload}
	if len(sig) != len(e.Sig) {
		return nil, fmt.Errorf("%w: signature of %d bytes", ErrMalformed, len(sig))
	}
	copy(e.Sig[:], sig)
	if err := dec.Unmarshal(header, &e.Header); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if again, err := enc.Marshal(e.Header); err != nil || !bytes.Equal(again, header) {
		return nil, fmt.Errorf("%w: header not in canonical form", ErrMalformed)
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	if payload != nil && (uint64(len(payload)) != e.Len || sha256.Sum256(payload) != e.Sum) {
		return nil, fmt.Errorf("%w: payload is not the signed one", ErrMalformed)
	}
	e.hash = hashHeader(header)
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
	if !ed25519.Verify(by[:], e.hash[:], e.Sig[:]) {
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
