package mesh

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/log"
)

// Limits of frames beyond MaxFrame. A reader refuses what exceeds them.
const (
	maxHeightsFrame = 2048    // heights in one frame
	maxSpaces       = 1024    // digests, or asked spaces, in one frame
	maxRanges       = 64      // ranges in one want
	maxLogs         = 100_000 // logs one peer may offer
	maxToldPeers    = 128     // peers in one addresses frame
	maxToldAddrs    = 8       // addresses of one peer
	maxPunchAddrs   = 9       // and one seen by another
	maxAddr         = 128     // bytes of an address or a PeerID
)

// Types of frames. A reader ignores types it does not know.
const (
	typeDigest  = 1
	typeAsk     = 2
	typeHeights = 3
	typeHave    = 4
	typeWant    = 5
	typeBatch   = 6
	typePush    = 7
	typeAddrs   = 8
	typePing    = 9
	typePong    = 10
	typeGoodbye = 11
	typeCall    = 12
	typeWhisper = 13
	typeNear    = 14
	typeRelay   = 15
	typeBring   = 16
	typeRefuse  = 17
	typePunch   = 18
)

// errFrame is what every refused frame wraps.
var errFrame = errors.New("malformed frame")

// FORMAT.md describes the frames; each begins with its type.
type (
	spaceDigest struct {
		_      struct{} `cbor:",toarray"`
		Space  log.SpaceID
		Digest [16]byte
	}
	digestFrame struct {
		_       struct{} `cbor:",toarray"`
		Type    uint64
		Digests []spaceDigest
	}
	askFrame struct {
		_      struct{} `cbor:",toarray"`
		Type   uint64
		Spaces []log.SpaceID
	}
	logHeight struct {
		_    struct{} `cbor:",toarray"`
		Log  log.LogID
		Seq  uint64
		Hash log.Hash
	}
	// heightsFrame is part of a full list; More says that another part follows.
	heightsFrame struct {
		_       struct{} `cbor:",toarray"`
		Type    uint64
		Space   log.SpaceID
		More    bool
		Heights []logHeight
	}
	// haveFrame tells what came on disk since.
	haveFrame struct {
		_       struct{} `cbor:",toarray"`
		Type    uint64
		Space   log.SpaceID
		Heights []logHeight
	}
	// wantFrame asks for one batchFrame of at most Max bytes of entries.
	wantFrame struct {
		_      struct{} `cbor:",toarray"`
		Type   uint64
		ID     uint64
		Max    uint64
		Ranges []log.Range
	}
	batchPart struct {
		_       struct{} `cbor:",toarray"`
		Card    log.PackedCard
		Entries [][]byte
	}
	batchFrame struct {
		_     struct{} `cbor:",toarray"`
		Type  uint64
		ID    uint64
		Parts []batchPart
	}
	pushFrame struct {
		_     struct{} `cbor:",toarray"`
		Type  uint64
		Card  log.PackedCard
		Entry []byte
	}
	peerAddrs struct {
		_     struct{} `cbor:",toarray"`
		Peer  string
		Addrs []string
	}
	addrsFrame struct {
		_     struct{} `cbor:",toarray"`
		Type  uint64
		Peers []peerAddrs
	}
	pingFrame struct {
		_    struct{} `cbor:",toarray"`
		Type uint64
		N    uint64
	}
	goodbyeFrame struct {
		_    struct{} `cbor:",toarray"`
		Type uint64
	}
	// callFrame asks the other end to dial for blocks.
	callFrame struct {
		_    struct{} `cbor:",toarray"`
		Type uint64
	}
	whisperFrame struct {
		_     struct{} `cbor:",toarray"`
		Type  uint64
		Space log.SpaceID
		Kind  uint8
		Data  []byte
	}
	// nearFrame tells which members the sender can carry to.
	nearFrame struct {
		_     struct{} `cbor:",toarray"`
		Type  uint64
		Peers []string
	}
	// relayFrame asks to be joined with a member.
	relayFrame struct {
		_     struct{} `cbor:",toarray"`
		Type  uint64
		Token token
		Peer  string
	}
	// bringFrame says that a member, and how many in between, wants to be joined.
	bringFrame struct {
		_     struct{} `cbor:",toarray"`
		Type  uint64
		Token token
		Peer  string
		Hops  uint64
	}
	// punchFrame agrees on a moment to send to each other's addresses.
	punchFrame struct {
		_     struct{} `cbor:",toarray"`
		Type  uint64
		Step  uint64
		N     uint64
		Addrs []string
	}
	// refuseFrame answers either: not this one.
	refuseFrame struct {
		_     struct{} `cbor:",toarray"`
		Type  uint64
		Token token
	}
)

var (
	frameEnc = mustMode(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, NilContainers: cbor.NilContainerAsNull, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden}.EncMode())
	frameDec = mustMode(cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 5, MaxArrayElements: 4096, MaxMapPairs: 16, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField}.DecMode())
)

func mustMode[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func encode(frame any) []byte {
	b, err := frameEnc.Marshal(frame)
	if err != nil {
		panic(err) // these types always encode
	}
	return b
}

// decode reads one frame. It returns nil and no error for a type it does not
// know. It accepts exactly one encoding of each frame.
func decode(b []byte) (any, error) {
	if len(b) < 2 || b[0] < 0x81 || b[0] > 0x97 || b[1] > 0x17 {
		return nil, fmt.Errorf("%w: not an array that begins with a type", errFrame)
	}
	switch b[1] {
	case typeDigest:
		return read(b, func(f *digestFrame) bool { return f.Digests != nil && len(f.Digests) <= maxSpaces })
	case typeAsk:
		return read(b, func(f *askFrame) bool { return f.Spaces != nil && len(f.Spaces) <= maxSpaces })
	case typeHeights:
		return read(b, func(f *heightsFrame) bool { return goodHeights(f.Heights) })
	case typeHave:
		return read(b, func(f *haveFrame) bool { return goodHeights(f.Heights) })
	case typeWant:
		return read(b, func(f *wantFrame) bool { return goodRanges(f.Ranges) && f.Max <= log.MaxBatch })
	case typeBatch:
		return read(b, goodBatch)
	case typePush:
		return read(b, func(f *pushFrame) bool { return len(f.Entry) > 0 && len(f.Entry) <= log.MaxEntry })
	case typeAddrs:
		return read(b, goodAddrs)
	case typePing, typePong:
		return read(b, func(*pingFrame) bool { return true })
	case typeGoodbye:
		return read(b, func(*goodbyeFrame) bool { return true })
	case typeCall:
		return read(b, func(*callFrame) bool { return true })
	case typeWhisper:
		return read(b, func(f *whisperFrame) bool { return f.Data != nil && len(f.Data) <= MaxWhisper })
	case typeNear:
		return read(b, goodNear)
	case typeRelay:
		return read(b, func(f *relayFrame) bool { return f.Peer != "" && len(f.Peer) <= maxAddr })
	case typeBring:
		return read(b, func(f *bringFrame) bool { return f.Peer != "" && len(f.Peer) <= maxAddr && f.Hops <= 255 })
	case typeRefuse:
		return read(b, func(*refuseFrame) bool { return true })
	case typePunch:
		return read(b, func(f *punchFrame) bool {
			return f.Step >= punchAsk && f.Step <= punchGo && len(f.Addrs) <= maxPunchAddrs && goodAddrTexts(f.Addrs)
		})
	}
	return nil, nil
}

func read[F any](b []byte, good func(*F) bool) (any, error) {
	f := new(F)
	if err := frameDec.Unmarshal(b, f); err != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	if !good(f) {
		return nil, fmt.Errorf("%w: type %d exceeds its limits", errFrame, b[1])
	}
	if !bytes.Equal(encode(f), b) {
		return nil, fmt.Errorf("%w: type %d not in canonical form", errFrame, b[1])
	}
	return f, nil
}

func goodHeights(hs []logHeight) bool {
	for _, h := range hs {
		if h.Seq < 1 || h.Seq > log.MaxSeq {
			return false
		}
	}
	return hs != nil && len(hs) <= maxHeightsFrame
}

func goodRanges(rs []log.Range) bool {
	for _, r := range rs {
		if r.From < 1 || r.To < r.From || r.To > log.MaxSeq {
			return false
		}
	}
	return len(rs) > 0 && len(rs) <= maxRanges
}

func goodBatch(f *batchFrame) bool {
	sum := 0
	for _, p := range f.Parts {
		if len(p.Entries) == 0 {
			return false
		}
		for _, e := range p.Entries {
			if len(e) == 0 || len(e) > log.MaxEntry {
				return false
			}
			sum += len(e)
		}
	}
	return f.Parts != nil && len(f.Parts) <= maxRanges && sum <= log.MaxBatch
}

func goodNear(f *nearFrame) bool {
	for _, p := range f.Peers {
		if p == "" || len(p) > maxAddr {
			return false
		}
	}
	return f.Peers != nil && len(f.Peers) <= maxToldPeers
}

func goodAddrs(f *addrsFrame) bool {
	for _, p := range f.Peers {
		if p.Peer == "" || len(p.Peer) > maxAddr || len(p.Addrs) > maxToldAddrs || !goodAddrTexts(p.Addrs) {
			return false
		}
	}
	return f.Peers != nil && len(f.Peers) <= maxToldPeers
}

func goodAddrTexts(list []string) bool {
	return list != nil && !slices.ContainsFunc(list, func(a string) bool { return a == "" || len(a) > maxAddr })
}
