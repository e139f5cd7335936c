package stick

import (
	"bytes"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/log"
)

// Types of records. One that is not known is passed over.
const (
	typeAbout  = 1
	typeSpace  = 2
	typePart   = 3
	typeHolds  = 4
	typePiece  = 5
	typeSealed = 6
)

// Limits of records.
const (
	headLen   = 1 + 4            // of a record: type, length
	maxPiece  = 16<<20 + 64      // bytes of a Piece's data
	maxRecord = maxPiece + 4<<10 // bytes after the head
)

// partBody is a Part as it is written.
type partBody struct {
	_       struct{} `cbor:",toarray"`
	Card    log.PackedCard
	Entries [][]byte
}

var (
	enc = mode(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, NilContainers: cbor.NilContainerAsNull, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden}.EncMode())
	dec = mode(cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 5, MaxArrayElements: 4096, MaxMapPairs: 16, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField}.DecMode())
)

func mode[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func encode(v any) []byte {
	b, err := enc.Marshal(v)
	if err != nil {
		panic(err) // these types always encode
	}
	return b
}

// exactly decodes what has one encoding only.
func exactly[T any](b []byte, good func(*T) bool) (*T, error) {
	v := new(T)
	if err := dec.Unmarshal(b, v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if !good(v) || !bytes.Equal(encode(v), b) {
		return nil, fmt.Errorf("%w: record exceeds its limits", ErrDamaged)
	}
	return v, nil
}

func goodPart(p *partBody) bool {
	sum := 0
	for _, e := range p.Entries {
		if len(e) == 0 || len(e) > log.MaxEntry {
			return false
		}
		sum += len(e)
	}
	return len(p.Entries) > 0 && sum <= log.MaxBatch
}

// decodeRecord reads what belongs to a space. It returns nil for a type that is
// not known.
func decodeRecord(space log.SpaceID, kind byte, body []byte) (*Record, error) {
	switch kind {
	case typePart:
		p, err := exactly(body, goodPart)
		if err != nil {
			return nil, err
		}
		card := p.Card.Unpack()
		if card.Space != space {
			return nil, fmt.Errorf("%w: log of another space", ErrDamaged)
		}
		return &Record{Space: space, Part: &Part{Card: card, Entries: p.Entries}}, nil
	case typeHolds:
		h, err := exactly(body, (*Holds).good)
		if err != nil {
			return nil, err
		}
		return &Record{Space: space, Holds: h}, nil
	case typePiece:
		p, err := exactly(body, func(p *Piece) bool { return len(p.Data) > 0 && len(p.Data) <= maxPiece })
		if err != nil {
			return nil, err
		}
		return &Record{Space: space, Piece: p}, nil
	}
	return nil, nil
}
