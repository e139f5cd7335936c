package bep

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"
	"github.com/syncthing/syncthing/lib/protocol"
)

// stateVersion is the first field of what State keeps. Another one is as none:
// what is equal is found equal again.
const stateVersion = 1

// saved is what State keeps of a share; doc.go describes it.
type saved struct {
	_       struct{} `cbor:",toarray"`
	Version uint
	Entries []savedEntry
	Devices []savedDevice
}

type savedEntry struct {
	_      struct{} `cbor:",toarray"`
	Path   string
	Kind   Kind
	Was    Kind
	Time   int64
	Mark   []byte // of what was shown, see mark16
	Vector []byte // 16 bytes per counter
	Perms  uint16
	Shared bool
	Base   cbor.ByteString
	Common []cbor.ByteString // base and vector, or empty
}

type savedDevice struct {
	_      struct{} `cbor:",toarray"`
	ID     []byte
	InSync int64 // ms since 1970
	Held   int64 // since, ms since 1970; 0: not
	From   int64 // when its window began, ms since 1970
	Why    bool  // looks encrypted
	Events []savedEvent
}

type savedEvent struct {
	_      struct{} `cbor:",toarray"`
	At     int64
	Path   string
	What   mark
	Before cbor.ByteString
	After  cbor.ByteString
}

// mark16 stands for what was shown at a path.
func mark16(f File) []byte {
	h := sha256.New()
	var b [18]byte
	b[0] = byte(f.Kind)
	if f.Kind == Plain || f.Kind == Link {
		binary.BigEndian.PutUint64(b[1:], uint64(f.Size))
		binary.BigEndian.PutUint64(b[9:], uint64(f.Time))
		if f.Exec {
			b[17] = 1
		}
	}
	h.Write(b[:])
	h.Write(f.Sum[:])
	h.Write([]byte(f.Target))
	return h.Sum(nil)[:16]
}

func packVector(v protocol.Vector) []byte {
	b := make([]byte, 0, 16*len(v.Counters))
	for _, c := range v.Counters {
		b = binary.BigEndian.AppendUint64(b, uint64(c.ID))
		b = binary.BigEndian.AppendUint64(b, c.Value)
	}
	return b
}

func unpackVector(b []byte) (v protocol.Vector, err error) {
	if len(b)%16 != 0 {
		return v, errors.New("malformed version")
	}
	for c := range slices.Chunk(b, 16) {
		v.Counters = append(v.Counters, protocol.Counter{
			ID: protocol.ShortID(binary.BigEndian.Uint64(c)), Value: binary.BigEndian.Uint64(c[8:]),
		})
	}
	return v, checkVector(v)
}

// encodeState and decodeState are each other's inverse.
func encodeState(s saved) ([]byte, error) {
	s.Version = stateVersion
	return cbor.Marshal(s)
}

var stateMode = func() cbor.DecMode {
	m, err := cbor.DecOptions{MaxArrayElements: 1 << 24, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}()

func decodeState(data []byte) (s saved, err error) {
	if len(data) == 0 {
		return saved{}, nil
	}
	if err := stateMode.Unmarshal(data, &s); err != nil {
		return saved{}, fmt.Errorf("state: %w", err)
	}
	if s.Version != stateVersion {
		return saved{}, fmt.Errorf("state: version %d", s.Version)
	}
	for i, e := range s.Entries {
		if checkPath(e.Path) != nil || e.Kind > Link || e.Was > Link || len(e.Mark) != 16 {
			return saved{}, fmt.Errorf("state: entry %d", i)
		}
		if _, err := unpackVector(e.Vector); err != nil {
			return saved{}, fmt.Errorf("state: entry %d: %w", i, err)
		}
		if len(e.Common) == 2 {
			if _, err := unpackVector([]byte(e.Common[1])); err != nil {
				return saved{}, fmt.Errorf("state: entry %d: %w", i, err)
			}
		} else if len(e.Common) != 0 {
			return saved{}, fmt.Errorf("state: entry %d", i)
		}
	}
	for _, d := range s.Devices {
		if len(d.ID) != 32 {
			return saved{}, errors.New("state: device id")
		}
	}
	return s, nil
}
