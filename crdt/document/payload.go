package document

import (
	"encoding/binary"
	"errors"
	"fmt"

	"inselnetz/crdt/automerge"
	"inselnetz/crdt/log"
)

// Limits of an entry of kind log.KindDocument.
const (
	PayloadVersion = 1
	MaxChange      = 48 << 10 // bytes of a change that fits one entry with others around it
	MaxChunks      = 60 << 10 // bytes of all changes of one entry
)

// Errors of DecodePayload and Changes. Details are wrapped around them.
var (
	ErrMalformed = errors.New("malformed document changes")
	ErrVersion   = errors.New("document changes of a newer version")
	ErrActor     = errors.New("change in another's name")
)

// A Payload is what an entry of kind log.KindDocument holds. It is written as
// deterministic CBOR: [1, doc, n, chunks].
type Payload struct {
	Doc    ID     // 16 bytes
	N      uint64 // see ActorOf
	Chunks []byte // changes as chunks of Automerge, end to end; at least one
}

const (
	uintMajor  = 0 << 5
	bytesMajor = 2 << 5
	listMajor  = 4 << 5
)

// Encode writes it.
func (p Payload) Encode() []byte {
	b := make([]byte, 0, len(p.Chunks)+40)
	b = appendHead(b, listMajor, 4)
	b = appendHead(b, uintMajor, PayloadVersion)
	b = append(appendHead(b, bytesMajor, uint64(len(p.Doc))), p.Doc[:]...)
	b = appendHead(b, uintMajor, p.N)
	return append(appendHead(b, bytesMajor, uint64(len(p.Chunks))), p.Chunks...)
}

// appendHead appends a major of CBOR with its number in the shortest form.
func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= 0xff:
		return append(b, major|24, byte(n))
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= 0xffffffff:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

// DecodePayload reads what Encode wrote, in that form only. It does not look into
// the changes and shares b. The error is ErrVersion for what a later program wrote,
// else ErrMalformed.
func DecodePayload(b []byte) (Payload, error) {
	r := reader{b: b}
	fields, version := r.head(listMajor), r.head(uintMajor)
	if !r.bad && fields > 0 && version > PayloadVersion {
		return Payload{}, fmt.Errorf("%w: %d", ErrVersion, version) // whatever follows
	}
	var p Payload
	id := r.bytes()
	r.bad = r.bad || len(id) != len(p.Doc)
	copy(p.Doc[:], id)
	p.N = r.head(uintMajor)
	p.Chunks = r.bytes()
	if r.bad || fields != 4 || version != PayloadVersion || len(r.b) > 0 || len(p.Chunks) == 0 || len(p.Chunks) > MaxChunks {
		return Payload{}, fmt.Errorf("%w: not in canonical form", ErrMalformed)
	}
	return p, nil
}

// A reader takes values from the front of b. After the first one that is not as
// asked for it takes nothing more.
type reader struct {
	b   []byte
	bad bool
}

// head takes a head of this major, in the shortest form.
func (r *reader) head(major byte) uint64 {
	if r.bad || len(r.b) == 0 || r.b[0]&^31 != major {
		r.bad = true
		return 0
	}
	n := uint64(r.b[0] & 31)
	if n < 24 {
		r.b = r.b[1:]
		return n
	}
	if n > 27 || len(r.b) < 1+1<<(n-24) {
		r.bad = true
		return 0
	}
	size := 1 << (n - 24)
	n = 0
	for _, c := range r.b[1 : 1+size] {
		n = n<<8 | uint64(c)
	}
	r.bad = len(appendHead(nil, major, n)) != 1+size
	r.b = r.b[1+size:]
	return n
}

// bytes takes a byte string, without copying.
func (r *reader) bytes() []byte {
	n := r.head(bytesMajor)
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	s := r.b[:n:n]
	r.b = r.b[n:]
	return s
}

// Changes reads the changes. They are refused, all of them, if one is damaged or by
// another actor than the one that this log writes as.
func (p Payload) Changes(l log.LogID, limits *automerge.Limits) ([]*automerge.Change, error) {
	actor := ActorOf(l, p.Doc, p.N)
	var out []*automerge.Change
	for rest := p.Chunks; len(rest) > 0; {
		n, err := chunkSize(rest)
		if err != nil {
			return nil, err
		}
		c, err := automerge.ParseChange(rest[:n], limits)
		if err != nil {
			return nil, fmt.Errorf("%w: change %d: %w", ErrMalformed, len(out), err)
		}
		if c.Actor() != actor {
			return nil, fmt.Errorf("%w: change %d is by %s, the log writes as %s", ErrActor, len(out), c.Actor(), actor)
		}
		out = append(out, c)
		rest = rest[n:]
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: no change", ErrMalformed)
	}
	return out, nil
}

// chunkHead is the bytes of a chunk before its length: magic, checksum, type.
const chunkHead = 4 + 4 + 1

// chunkSize is the bytes that the first chunk takes. Automerge checks the rest.
func chunkSize(b []byte) (int, error) {
	if len(b) > chunkHead {
		body, n := binary.Uvarint(b[chunkHead:])
		if n > 0 && body <= uint64(len(b)-chunkHead-n) {
			return chunkHead + n + int(body), nil
		}
	}
	return 0, fmt.Errorf("%w: a chunk is cut off", ErrMalformed)
}
