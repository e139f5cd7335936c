package log

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// A Height is the last entry of a log that someone holds.
type Height struct {
	_    struct{} `cbor:",toarray"`
	Seq  uint64
	Hash Hash
}

// Heights maps a log to its height; a log not in it is not held at all.
type Heights map[LogID]Height

// A Range is the entries From to To of a log, both included.
type Range struct {
	_    struct{} `cbor:",toarray"`
	Log  LogID
	From uint64
	To   uint64
}

// Missing returns what theirs has beyond ours, in ascending order of log, and
// the logs where both end at the same number with different hashes: a fork.
func Missing(ours, theirs Heights) (want []Range, forked []LogID) {
	for _, id := range slices.SortedFunc(maps.Keys(theirs), func(a, b LogID) int { return bytes.Compare(a[:], b[:]) }) {
		t, o := theirs[id], ours[id]
		switch {
		case t.Seq > o.Seq:
			want = append(want, Range{Log: id, From: o.Seq + 1, To: t.Seq})
		case t.Seq == o.Seq && t.Hash != o.Hash:
			forked = append(forked, id)
		}
	}
	return want, forked
}

// Digest returns 16 bytes that are equal exactly when two Heights are.
func (h Heights) Digest() [16]byte {
	s := sha256.New()
	s.Write([]byte("inselnetz/heights/1"))
	for _, id := range slices.SortedFunc(maps.Keys(h), func(a, b LogID) int { return bytes.Compare(a[:], b[:]) }) {
		at := h[id]
		s.Write(id[:])
		var seq [8]byte
		binary.BigEndian.PutUint64(seq[:], at.Seq)
		s.Write(seq[:])
		s.Write(at.Hash[:])
	}
	return [16]byte(s.Sum(nil)[:16])
}

// Extends reports an error unless e is the entry after at in its log.
func (e *Entry) Extends(at Height) error {
	if e.Seq != at.Seq+1 || e.Prev != at.Hash {
		return fmt.Errorf("%w: entry %d after %d", ErrChain, e.Seq, at.Seq)
	}
	return nil
}

// VerifyRun checks that run continues log id of device by after at, every link by
// its hash, and the signature of every MaxRun-th entry and the last one; the
// signature of an entry speaks for all entries before it. checked holds the
// indexes whose signature was checked.
func VerifyRun(by DeviceID, id LogID, at Height, run []*Entry) (checked []int, err error) {
	for i, e := range run {
		if e.Log != id {
			return nil, fmt.Errorf("%w: another log in a run", ErrChain)
		}
		if err := e.Extends(at); err != nil {
			return nil, err
		}
		at = Height{Seq: e.Seq, Hash: e.hash}
		if (i+1)%MaxRun == 0 || i == len(run)-1 {
			if err := e.Verify(by); err != nil {
				return nil, err
			}
			checked = append(checked, i)
		}
	}
	return checked, nil
}

// A ForkProof is two signed headers with the same log and sequence number. It
// proves by itself that the device wrote both.
type ForkProof struct {
	_          struct{} `cbor:",toarray"`
	A, B       []byte   // encoded headers
	SigA, SigB [ed25519.SignatureSize]byte
}

// NewForkProof returns the proof that a and b make, the lower hash first.
func NewForkProof(a, b *Entry) ForkProof {
	if bytes.Compare(a.hash[:], b.hash[:]) > 0 {
		a, b = b, a
	}
	return ForkProof{A: a.Raw, B: b.Raw, SigA: a.Sig, SigB: b.Sig}
}

// Check reports whether the proof holds against the device.
func (p ForkProof) Check(by DeviceID) error {
	a, err := FromParts(p.A, p.SigA[:], nil)
	if err != nil {
		return err
	}
	b, err := FromParts(p.B, p.SigB[:], nil)
	if err != nil {
		return err
	}
	if a.Log != b.Log || a.Seq != b.Seq || a.hash == b.hash {
		return fmt.Errorf("%w: not two entries of one place", ErrChain)
	}
	if err := a.Verify(by); err != nil {
		return err
	}
	return b.Verify(by)
}

// Stamp places an entry in the order people see: above everything it knew, and
// else at its clock. past holds the stamps of the entry before it and of its
// dependencies. A clock far in the future cannot use up the range.
func Stamp(clock HLC, past ...uint64) uint64 {
	s := min(uint64(clock), 1<<62)
	for _, p := range past {
		s = max(s, p+1)
	}
	return s
}

// Tick returns a reading for the next own entry: the wall clock in milliseconds
// since 1970, but after last and after seen, the highest reading of others;
// seen is not followed more than an hour ahead of the wall clock.
func Tick(wallMillis int64, last, seen HLC) HLC {
	const hour = 3600_000 << 16
	now := HLC(max(wallMillis, 0)) << 16
	if seen > now && seen-now < hour {
		now = seen + 1
	}
	return max(now, last+1)
}

// Millis returns the reading's wall clock in milliseconds since 1970.
func (c HLC) Millis() int64 { return int64(c >> 16) }
