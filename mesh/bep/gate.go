package bep

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"
)

// Message types of BEP.
const (
	msgClusterConfig = iota
	msgIndex
	msgIndexUpdate
	msgRequest
	msgResponse
	msgDownloadProgress
	msgPing
	msgClose
)

const (
	maxIndex  = 16 << 20 // bytes of an index message; stock ones have 250 KiB and a file
	maxItems  = 400_000  // parts in a message: a file of 1 TiB has 65,536 blocks
	maxAnswer = 16<<20 + 4<<10
)

// limits are the most bytes of a message, unpacked, by type. A message of a type
// that is not here is skipped.
var limits = map[uint64]int{
	msgClusterConfig: 1 << 20,
	msgIndex:         maxIndex,
	msgIndexUpdate:   maxIndex,
	msgRequest:       64 << 10,
	msgResponse:      maxAnswer,
	msgPing:          1 << 10,
	msgClose:         64 << 10,
}

var errFrame = errors.New("malformed message")

// A gate checks what comes from the other device before Syncthing's library sees
// it. The library believes lengths of up to 4 GiB, starts a goroutine per request
// and panics on device ids and packed messages that are too short, in goroutines
// where nobody can recover.
//
// A gate yields whole, unpacked messages; Read fails at the first bad one.
type gate struct {
	r      *bufio.Reader
	slots  chan struct{} // one for each request that waits for its answer
	done   <-chan struct{}
	frame  []byte // a checked message
	rest   []byte // what was not read of it
	packed []byte
}

func newGate(r io.Reader, requests int, done <-chan struct{}) *gate {
	return &gate{r: bufio.NewReaderSize(r, 64<<10), slots: make(chan struct{}, requests), done: done}
}

func (g *gate) Read(p []byte) (int, error) {
	for len(g.rest) == 0 {
		if err := g.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}

// next reads one message into rest, or skips one.
func (g *gate) next() error {
	typ, packed, err := g.header()
	if err != nil {
		return err
	}
	var four [4]byte
	if _, err := io.ReadFull(g.r, four[:]); err != nil {
		return err
	}
	n := int64(binary.BigEndian.Uint32(four[:]))
	limit, known := limits[typ]
	switch {
	case !known && n <= maxIndex:
		_, err := io.CopyN(io.Discard, g.r, n)
		return err
	case n > int64(limit)+4:
		return fmt.Errorf("message of %d bytes: %w", n, errFrame)
	}
	// Our own header: two bytes of length, the type, four bytes of length.
	g.frame = append(g.frame[:0], 0, 2, 1<<3, byte(typ), 0, 0, 0, 0)
	if packed {
		g.packed, err = readN(g.r, g.packed[:0], int(n))
		if err == nil {
			g.frame, err = unpack(g.frame, g.packed, limit)
		}
	} else {
		g.frame, err = readN(g.r, g.frame, int(n))
	}
	if err != nil {
		return err
	}
	body := g.frame[8:]
	if err := check(typ, body); err != nil {
		return err
	}
	binary.BigEndian.PutUint32(g.frame[4:], uint32(len(body)))
	if typ == msgRequest {
		select {
		case g.slots <- struct{}{}:
		case <-g.done:
			return io.ErrClosedPipe
		}
	}
	g.rest = g.frame
	if cap(g.packed) > 1<<20 {
		g.packed = nil
	}
	return nil
}

// answered frees the slot of a request.
func (g *gate) answered() {
	select {
	case <-g.slots:
	default:
	}
}

// header reads the header of a message: its type, and whether it is packed.
func (g *gate) header() (typ uint64, packed bool, err error) {
	var b [64]byte
	if _, err := io.ReadFull(g.r, b[:2]); err != nil {
		return 0, false, err
	}
	n := int(binary.BigEndian.Uint16(b[:]))
	if n > len(b) {
		return 0, false, fmt.Errorf("header of %d bytes: %w", n, errFrame)
	}
	if _, err := io.ReadFull(g.r, b[:n]); err != nil {
		return 0, false, err
	}
	err = fields(b[:n], func(num, val uint64, _ []byte) error {
		switch num {
		case 1:
			typ = val
		case 2:
			if val > 1 {
				return errFrame
			}
			packed = val == 1
		}
		return nil
	})
	return typ, packed, err
}

// readN appends n bytes of r to b, growing it as they come.
func readN(r io.Reader, b []byte, n int) ([]byte, error) {
	for n > 0 {
		step := min(n, max(1<<20, len(b)))
		at := len(b)
		b = append(b, make([]byte, step)...)
		if _, err := io.ReadFull(r, b[at:]); err != nil {
			return b, err
		}
		n -= step
	}
	return b, nil
}

// unpack appends the content of a packed message to b.
func unpack(b, packed []byte, limit int) ([]byte, error) {
	if len(packed) < 4 {
		return b, fmt.Errorf("packed message of %d bytes: %w", len(packed), errFrame)
	}
	n := binary.BigEndian.Uint32(packed)
	if int64(n) > int64(limit) {
		return b, fmt.Errorf("message of %d bytes: %w", n, errFrame)
	}
	at := len(b)
	b = append(b, make([]byte, n)...)
	got, err := lz4.UncompressBlock(packed[4:], b[at:])
	if err != nil || got != int(n) {
		return b, fmt.Errorf("unpack: %w", errFrame)
	}
	return b, nil
}

// parts says which fields of a message hold messages: those are counted.
type parts map[uint64]parts

var (
	fileParts = parts{9: {1: {}}, 14: {1: {}, 2: {}, 3: {1: {}}, 4: {1: {}}, 5: {1: {}}, 6: {1: {}}}, 16: {}}
	schemas   = map[uint64]parts{
		msgClusterConfig: {1: {16: {}}},
		msgIndex:         {2: fileParts},
		msgIndexUpdate:   {2: fileParts},
	}
)

// check refuses messages that would cost much more memory than they have bytes,
// and device ids on which the library panics.
func check(typ uint64, body []byte) error {
	schema, ok := schemas[typ]
	if !ok {
		return nil
	}
	left := maxItems
	if err := count(body, schema, &left); err != nil {
		return err
	}
	if typ != msgClusterConfig {
		return nil
	}
	return fields(body, func(num, _ uint64, folder []byte) error {
		if num != 1 {
			return nil
		}
		return fields(folder, func(num, _ uint64, device []byte) error {
			if num != 16 {
				return nil
			}
			ok := false
			err := fields(device, func(num, _ uint64, id []byte) error {
				if num != 1 {
					return nil
				}
				if ok = len(id) == 32; !ok {
					return fmt.Errorf("device id of %d bytes: %w", len(id), errFrame)
				}
				return nil
			})
			if err == nil && !ok {
				err = fmt.Errorf("device without id: %w", errFrame)
			}
			return err
		})
	})
}

func count(b []byte, p parts, left *int) error {
	return fields(b, func(num, _ uint64, val []byte) error {
		if *left--; *left < 0 {
			return fmt.Errorf("too many parts: %w", errFrame)
		}
		if sub, ok := p[num]; ok && len(sub) > 0 {
			return count(val, sub, left)
		}
		return nil
	})
}

// fields calls f for each field of a protobuf message with its number and its
// value: a number or bytes.
func fields(b []byte, f func(num, val uint64, data []byte) error) error {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 || tag>>3 >= 1<<29 {
			return errFrame
		}
		b = b[n:]
		var val uint64
		var data []byte
		switch tag & 7 {
		case 0:
			if val, n = binary.Uvarint(b); n <= 0 {
				return errFrame
			}
		case 1:
			n = 8
		case 2:
			size, m := binary.Uvarint(b)
			if m <= 0 || size > uint64(len(b)-m) {
				return errFrame
			}
			n = m + int(size)
			data = b[m:n]
		case 5:
			n = 4
		default:
			return errFrame
		}
		if n > len(b) {
			return errFrame
		}
		if err := f(tag>>3, val, data); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// A replies watches what the library writes: each message comes in one Write, and
// an answer to a request frees a slot of the gate.
type replies struct {
	io.Writer
	gate *gate
}

func (r replies) Write(p []byte) (int, error) {
	if len(p) >= 2 {
		if n := int(binary.BigEndian.Uint16(p)); len(p) >= 2+n {
			_ = fields(p[2:2+n], func(num, val uint64, _ []byte) error {
				if num == 1 && val == msgResponse {
					r.gate.answered()
				}
				return nil
			})
		}
	}
	return r.Writer.Write(p)
}
