package log

import (
	"bytes"
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
// Heights that no log can have are left aside.
func Missing(ours, theirs Heights) (want []Range, forked []LogID) {
	for _, id := range slices.SortedFunc(maps.Keys(theirs), func(a, b LogID) int { return bytes.Compare(a[:], b[:]) }) {
		t, o := theirs[id], ours[id]
		switch {
		case t.Seq < 1 || t.Seq > MaxSeq:
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
	for _, e := range run { // all links first: they cost a thousandth of a signature
		if e.Log != id {
			return nil, fmt.Errorf("%w: another log in a run", ErrChain)
		}
		if err := e.Extends(at); err != nil {
			return nil, err
		}
		at = Height{Seq: e.Seq, Hash: e.hash}
	}
	for i, e := range run {
		if (i+1)%MaxRun == 0 || i == len(run)-1 {
			if err := e.Verify(by); err != nil {
				return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
			}
			checked = append(checked, i)
		}
	}
	return checked, nil
}
