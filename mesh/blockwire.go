package mesh

import (
	"encoding/binary"
	"fmt"

	"inselnetz/crdt/log"
)

// Frames of ProtoBlocks; FORMAT.md describes them. They are not CBOR: most of what
// they carry is data that goes straight from a file to a file.
const (
	blockAsk    = 1
	blockCancel = 2
	blockData   = 3
	blockLack   = 4

	askHead   = 1 + 1 + 16
	askItem   = 4 + 32 + 4 + 4
	partHead  = 16
	maxAskOne = 1024 // pieces in one ask
	maxBlocks = 4096 // pieces asked of one peer and not answered

	// sealing is how much longer than its plain bytes a piece may come.
	sealing = 1 << 10
)

// An askBlocks asks for pieces. Numbers grow over all that is asked on a Conn; each
// piece is answered once, by data or by lack.
type askBlocks struct {
	urgent bool
	space  log.SpaceID
	pieces []askPiece
}

type askPiece struct {
	number uint32
	name   Name
	index  uint32
	size   uint32 // plain bytes expected; 0: not known
}

func (a askBlocks) encode() []byte {
	b := make([]byte, 0, askHead+len(a.pieces)*askItem)
	b = append(b, blockAsk, 0)
	if a.urgent {
		b[1] = 1
	}
	b = append(b, a.space[:]...)
	for _, p := range a.pieces {
		b = binary.BigEndian.AppendUint32(b, p.number)
		b = append(b, p.name[:]...)
		b = binary.BigEndian.AppendUint32(b, p.index)
		b = binary.BigEndian.AppendUint32(b, p.size)
	}
	return b
}

func decodeAsk(b []byte) (a askBlocks, err error) {
	n := (len(b) - askHead) / askItem
	if n < 1 || n > maxAskOne || len(b) != askHead+n*askItem || b[0] != blockAsk || b[1] > 1 {
		return a, fmt.Errorf("%w: ask of %d bytes", errFrame, len(b))
	}
	a = askBlocks{urgent: b[1] == 1, space: log.SpaceID(b[2:askHead]), pieces: make([]askPiece, n)}
	for i := range a.pieces {
		p := b[askHead+i*askItem:]
		q := askPiece{binary.BigEndian.Uint32(p), Name(p[4:36]), binary.BigEndian.Uint32(p[36:]), binary.BigEndian.Uint32(p[40:])}
		if q.size > MaxPiece || i > 0 && q.number <= a.pieces[i-1].number {
			return a, fmt.Errorf("%w: piece %d of %d bytes", errFrame, q.number, q.size)
		}
		a.pieces[i] = q
	}
	return a, nil
}

// encodeNumbers makes a cancel or a lack.
func encodeNumbers(kind byte, numbers []uint32) []byte {
	b := make([]byte, 1, 1+4*len(numbers))
	b[0] = kind
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

func decodeNumbers(b []byte) ([]uint32, error) {
	n := (len(b) - 1) / 4
	if n < 1 || n > maxBlocks || len(b) != 1+4*n {
		return nil, fmt.Errorf("%w: list of %d bytes", errFrame, len(b))
	}
	list := make([]uint32, n)
	for i := range list {
		list[i] = binary.BigEndian.Uint32(b[1+4*i:])
	}
	return list, nil
}

// A part is a piece of a piece in a data frame, before its bytes.
type part struct {
	number uint32
	total  uint32 // bytes of the piece as it is sent
	offset uint32
	length uint32
}

func (p part) put(b []byte) {
	binary.BigEndian.PutUint32(b, p.number)
	binary.BigEndian.PutUint32(b[4:], p.total)
	binary.BigEndian.PutUint32(b[8:], p.offset)
	binary.BigEndian.PutUint32(b[12:], p.length)
}

func partOf(b []byte) part {
	return part{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])}
}

// check refuses parts no honest device sends; room is what is left of the frame.
func (p part) check(room int) error {
	if p.length < 1 || p.total > MaxPiece+sealing || p.length > p.total || p.offset > p.total-p.length || int64(p.length) > int64(room) {
		return fmt.Errorf("%w: part of %d bytes at %d of %d", errFrame, p.length, p.offset, p.total)
	}
	return nil
}

// longest is how many bytes a piece may have on its way.
func longest(size int) int {
	if size == 0 {
		size = MaxPiece
	}
	return size + sealing
}
