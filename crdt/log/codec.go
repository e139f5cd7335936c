package log

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Entries are read and written by hand, in the one form FORMAT.md allows: imports
// run at tens of thousands a second, and this takes a third of the time of a
// library that also has to refuse all other forms. The tests hold it against
// that library.

// Majors of CBOR used by the format, and null.
const (
	uintMajor  = 0 << 5
	bytesMajor = 2 << 5
	listMajor  = 4 << 5
	null       = 0xf6
)

// appendHead appends a major with its number in the shortest form.
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

func appendBytes(b, s []byte) []byte { return append(appendHead(b, bytesMajor, uint64(len(s))), s...) }

// append appends the encoded header.
func (h *Header) append(b []byte) []byte {
	b = appendHead(b, listMajor, 11)
	b = appendHead(b, uintMajor, h.Version)
	b = appendBytes(b, h.Log[:])
	b = appendHead(b, uintMajor, h.Seq)
	b = appendBytes(b, h.Prev[:])
	b = appendHead(b, uintMajor, uint64(h.HLC))
	b = appendHead(b, listMajor, uint64(len(h.Ctl)))
	for i := range h.Ctl {
		b = appendBytes(b, h.Ctl[i][:])
	}
	b = appendHead(b, listMajor, uint64(len(h.Deps)))
	for i := range h.Deps {
		b = appendHead(b, listMajor, 2)
		b = appendBytes(b, h.Deps[i].Log[:])
		b = appendHead(b, uintMajor, h.Deps[i].Seq)
	}
	if h.Key == nil {
		b = append(b, null)
	} else {
		b = appendBytes(b, h.Key[:])
	}
	b = appendHead(b, uintMajor, uint64(h.Kind))
	b = appendHead(b, uintMajor, h.Len)
	return appendBytes(b, h.Sum[:])
}

// A reader takes encoded values from the front of b. After the first one that
// is not as asked for it takes nothing more.
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
	n, size, least := uint64(r.b[0]&31), 0, uint64(0)
	switch n {
	case 24:
		size, least = 1, 24
	case 25:
		size, least = 2, 1<<8
	case 26:
		size, least = 4, 1<<16
	case 27:
		size, least = 8, 1<<32
	}
	if n > 27 || len(r.b) < 1+size { // 28 to 31: reserved, or of no stated length
		r.bad = true
		return 0
	}
	if size > 0 {
		n = 0
		for _, c := range r.b[1 : 1+size] {
			n = n<<8 | uint64(c)
		}
	}
	r.b = r.b[1+size:]
	r.bad = n < least
	return n
}

func (r *reader) uint() uint64 { return r.head(uintMajor) }

// bytes takes a byte string and returns it without copying.
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

// fill takes a byte string of exactly this length.
func (r *reader) fill(to []byte) {
	if s := r.bytes(); len(s) == len(to) {
		copy(to, s)
	} else {
		r.bad = true
	}
}

// list takes the head of a list of at most max items.
func (r *reader) list(max uint64) int {
	n := r.head(listMajor)
	if r.bad || n > max {
		r.bad = true
		return 0
	}
	return int(n)
}

// null takes a null, or returns false and takes nothing.
func (r *reader) null() bool {
	if r.bad || len(r.b) == 0 || r.b[0] != null {
		return false
	}
	r.b = r.b[1:]
	return true
}

// room returns a list of n items, in here if they fit.
func room[T any](here []T, n int) []T {
	if n <= len(here) {
		return here[:n:n]
	}
	return make([]T, n)
}

// readHeader reads e.Raw into e.Header.
func (e *Entry) readHeader() error {
	r := reader{b: e.Raw}
	h := &e.Header
	fields := r.list(64)
	if h.Version = r.uint(); !r.bad && h.Version != Version {
		return h.check() // says so, whatever follows
	}
	r.fill(h.Log[:])
	h.Seq = r.uint()
	r.fill(h.Prev[:])
	h.HLC = HLC(r.uint())
	h.Ctl = room(e.ctl[:], r.list(MaxRefs))
	for i := range h.Ctl {
		r.fill(h.Ctl[i][:])
	}
	h.Deps = room(e.deps[:], r.list(MaxRefs))
	for i := range h.Deps {
		r.bad = r.list(2) != 2 || r.bad
		r.fill(h.Deps[i].Log[:])
		h.Deps[i].Seq = r.uint()
	}
	if !r.null() {
		h.Key = &e.key
		r.fill(e.key[:])
	}
	h.Kind = Kind(r.uint())
	h.Len = r.uint()
	r.fill(h.Sum[:])
	if r.bad || fields != 11 || len(r.b) != 0 {
		return fmt.Errorf("%w: header not in canonical form", ErrMalformed)
	}
	return h.check()
}

// Bytes returns the encoded entry.
func (e *Entry) Bytes() []byte {
	b := make([]byte, 0, 1+3+len(e.Raw)+2+len(e.Sig)+5+len(e.Payload))
	b = appendHead(b, listMajor, 3)
	b = appendBytes(b, e.Raw)
	b = appendBytes(b, e.Sig[:])
	if e.Payload == nil {
		return append(b, null)
	}
	return appendBytes(b, e.Payload)
}

// Decode reads one encoded entry and nothing after it. It accepts exactly one
// encoding of each entry, so equal entries have equal bytes. It does not check
// the signature. The entry does not share b.
func Decode(b []byte) (*Entry, error) {
	if len(b) > MaxEntry {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(b), MaxEntry)
	}
	r := reader{b: bytes.Clone(b)}
	fields := r.list(3)
	header, sig := r.bytes(), r.bytes()
	var payload []byte
	if !r.null() {
		payload = r.bytes()
	}
	if r.bad || fields != 3 || len(r.b) != 0 {
		return nil, fmt.Errorf("%w: not in canonical form", ErrMalformed)
	}
	return FromParts(header, sig, payload)
}

// FromParts rebuilds an entry from its stored parts with the checks of Decode.
// A nil payload is an erased one. The entry shares header and payload.
func FromParts(header, sig, payload []byte) (*Entry, error) {
	e := &Entry{Raw: header, Payload: payload}
	if len(sig) != ed25519.SignatureSize {
		return nil, fmt.Errorf("%w: signature of %d bytes", ErrMalformed, len(sig))
	}
	copy(e.Sig[:], sig)
	if err := e.readHeader(); err != nil {
		return nil, err
	}
	if payload != nil && (uint64(len(payload)) != e.Len || sha256.Sum256(payload) != e.Sum) {
		return nil, fmt.Errorf("%w: payload is not the signed one", ErrMalformed)
	}
	e.hash = hashHeader(header)
	return e, nil
}

// hashHeader returns SHA-256("inselnetz/entry/1" ‖ header).
func hashHeader(raw []byte) Hash {
	var room [1200]byte // more than a header needs, so that nothing is allocated
	return sha256.Sum256(append(append(room[:0], "inselnetz/entry/1"...), raw...))
}
