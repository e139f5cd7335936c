package stick

import (
	"bytes"
	"crypto/ed25519"
	"slices"

	"inselnetz/crdt/log"
)

// maxHolds bounds the heights of one record.
const maxHolds = 2048

// A Height is that of one log.
type Height struct {
	_    struct{} `cbor:",toarray"`
	Log  log.LogID
	Seq  uint64
	Hash log.Hash
}

// Holds is a device's signed word of what it has on its disk. Whoever brings the
// file knows by it what the next one need not hold.
type Holds struct {
	_       struct{} `cbor:",toarray"`
	Device  log.DeviceID
	At      int64 // ms since 1970
	Heights []Height
	Sig     [ed25519.SignatureSize]byte
}

// NewHolds makes and signs such words, each small enough for a record.
func NewHolds(key ed25519.PrivateKey, at int64, heights log.Heights) []*Holds {
	var list []Height
	for id, h := range heights {
		list = append(list, Height{Log: id, Seq: h.Seq, Hash: h.Hash})
	}
	slices.SortFunc(list, func(a, b Height) int { return bytes.Compare(a.Log[:], b.Log[:]) })
	var out []*Holds
	for part := range slices.Chunk(list, maxHolds) {
		h := &Holds{Device: log.DeviceOf(key), At: at, Heights: part}
		copy(h.Sig[:], ed25519.Sign(key, h.signed()))
		out = append(out, h)
	}
	return out
}

// True reports whether the device that is named signed it.
func (h *Holds) True() bool {
	return h.Device.Check() == nil && ed25519.Verify(h.Device[:], h.signed(), h.Sig[:])
}

// All returns the heights.
func (h *Holds) All() log.Heights {
	out := log.Heights{}
	for _, at := range h.Heights {
		out[at.Log] = log.Height{Seq: at.Seq, Hash: at.Hash}
	}
	return out
}

func (h *Holds) signed() []byte {
	bare := Holds{Device: h.Device, At: h.At, Heights: h.Heights}
	return append([]byte("inselnetz/stick/1/holds/"), encode(bare)...)
}

func (h *Holds) good() bool {
	for i, at := range h.Heights {
		if at.Seq < 1 || at.Seq > log.MaxSeq || i > 0 && bytes.Compare(h.Heights[i-1].Log[:], at.Log[:]) >= 0 {
			return false
		}
	}
	return len(h.Heights) > 0 && len(h.Heights) <= maxHolds
}
