package log

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
)

// A ForkProof is two signed headers with the same log and sequence number. It
// proves by itself that the device wrote both.
type ForkProof struct {
	_          struct{} `cbor:",toarray"`
	A, B       []byte   // encoded headers, the one with the lower hash first
	SigA, SigB [ed25519.SignatureSize]byte
}

// NewForkProof returns the proof that a and b make.
func NewForkProof(a, b *Entry) ForkProof {
	if bytes.Compare(a.hash[:], b.hash[:]) > 0 {
		a, b = b, a
	}
	return ForkProof{A: a.Raw, B: b.Raw, SigA: a.Sig, SigB: b.Sig}
}

// Bytes returns the encoded proof.
func (p ForkProof) Bytes() []byte {
	b := appendHead(nil, listMajor, 4)
	b = appendBytes(b, p.A)
	b = appendBytes(b, p.B)
	b = appendBytes(b, p.SigA[:])
	return appendBytes(b, p.SigB[:])
}

// DecodeForkProof reads one encoded proof and nothing after it, in the only form
// there is. Check says whether it holds.
func DecodeForkProof(b []byte) (ForkProof, error) {
	if len(b) > MaxEntry {
		return ForkProof{}, fmt.Errorf("%w: fork proof of %d bytes", ErrTooLarge, len(b))
	}
	var p ForkProof
	r := reader{b: bytes.Clone(b)}
	fields := r.list(4)
	p.A, p.B = r.bytes(), r.bytes()
	r.fill(p.SigA[:])
	r.fill(p.SigB[:])
	if r.bad || fields != 4 || len(r.b) != 0 {
		return ForkProof{}, fmt.Errorf("%w: fork proof not in canonical form", ErrMalformed)
	}
	if _, _, err := p.entries(); err != nil {
		return ForkProof{}, err
	}
	return p, nil
}

// entries returns both headers if they compete for one place.
func (p ForkProof) entries() (a, b *Entry, err error) {
	if a, err = FromParts(p.A, p.SigA[:], nil); err != nil {
		return nil, nil, err
	}
	if b, err = FromParts(p.B, p.SigB[:], nil); err != nil {
		return nil, nil, err
	}
	if a.Log != b.Log || a.Seq != b.Seq || bytes.Compare(a.hash[:], b.hash[:]) >= 0 {
		return nil, nil, fmt.Errorf("%w: not two entries of one place, the lower first", ErrChain)
	}
	return a, b, nil
}

// Place returns the log and the number that both headers claim. It is zero if
// the proof is malformed.
func (p ForkProof) Place() (LogID, uint64) {
	a, _, err := p.entries()
	if err != nil {
		return LogID{}, 0
	}
	return a.Log, a.Seq
}

// Check reports whether the proof holds against the device, which is the one on
// the log's card.
func (p ForkProof) Check(by DeviceID) error {
	a, b, err := p.entries()
	if err != nil {
		return err
	}
	if err := a.Verify(by); err != nil {
		return err
	}
	return b.Verify(by)
}
