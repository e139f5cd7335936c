package access

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/log"
)

// payload is the content of a control entry, for encoding.
type payload struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Ops     []cbor.RawMessage
}

var (
	errVoid    = errors.New("void operation")
	errUnknown = errors.New("operation of a newer program")
)

var enc = must(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden}.EncMode())

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func encode(v any) []byte { return must(enc.Marshal(v)) } // own fixed types always encode

func encodePayload(ops ...any) []byte {
	p := payload{Version: opVersion, Ops: []cbor.RawMessage{}}
	for _, op := range ops {
		p.Ops = append(p.Ops, encode(op))
	}
	return encode(p)
}

// checked returns a payload made here, unless it would be void when read.
func checked(payload []byte) ([]byte, error) {
	if _, err := decodePayload(payload); err != nil {
		return nil, err
	}
	return payload, nil
}

// decodePayload returns the operations of a control entry, each a pointer to
// one of the types of this package. With errUnknown it returns those before the
// first unknown one; with errVoid none, since no honest program writes such an
// entry. It reads by hand and not by reflection: an office opens with ten
// thousand of them.
func decodePayload(b []byte) ([]operation, error) {
	r := &reader{b: b}
	n := r.head(arrayMajor)
	version := r.uint()
	if r.bad || n == 0 {
		return nil, fmt.Errorf("%w: no list with a version", errVoid)
	}
	if version != opVersion {
		for ; n > 1 && !r.bad; n-- {
			r.skip(1)
		}
		if r.bad || len(r.b) > 0 {
			return nil, fmt.Errorf("%w: not in canonical form", errVoid)
		}
		return nil, fmt.Errorf("%w: version %d", errUnknown, version)
	}
	count := r.list(maxOps)
	if n != 2 || r.bad || count == 0 {
		return nil, fmt.Errorf("%w: not a list of operations", errVoid)
	}
	ops, approvals, begins := make([]operation, 0, count), 0, 0
	var unknown error
	for range count {
		op, err := r.operation()
		switch {
		case errors.Is(err, errUnknown):
			if unknown == nil {
				unknown = err
			}
		case err != nil:
			return nil, err
		case unknown == nil:
			ops = append(ops, op)
		}
		switch op.(type) {
		case *approve:
			approvals++ // each costs a signature to check
		case *beginSpace:
			begins++ // and each of these a place with all devices
		}
	}
	if len(r.b) > 0 || approvals > maxApprovals || begins > maxBegins {
		return nil, fmt.Errorf("%w: trailing bytes or too many operations of a kind", errVoid)
	}
	return ops, unknown
}

// operation reads one operation.
func (r *reader) operation() (operation, error) {
	whole := r.b
	n, kind := r.head(arrayMajor), r.uint()
	if r.bad || n == 0 {
		return nil, fmt.Errorf("%w: no type", errVoid)
	}
	op, fields := newOp(kind)
	if op == nil {
		if r.b = whole; !r.skip(1) {
			return nil, fmt.Errorf("%w: not in canonical form", errVoid)
		}
		return nil, fmt.Errorf("%w: type %d", errUnknown, kind)
	}
	if n != fields {
		return nil, fmt.Errorf("%w: type %d with %d fields", errVoid, kind, n)
	}
	if op.read(r); r.bad {
		return nil, fmt.Errorf("%w: type %d not in canonical form", errVoid, kind)
	}
	if err := op.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", errVoid, err)
	}
	if a, ok := op.(*admit); ok && !a.Role.known() {
		return nil, fmt.Errorf("%w: role %d", errUnknown, a.Role)
	}
	if l, ok := op.(*lower); ok && !l.Role.known() {
		return nil, fmt.Errorf("%w: role %d", errUnknown, l.Role)
	}
	return op, nil
}

// Major types of CBOR.
const (
	uintMajor  = 0
	bytesMajor = 2
	textMajor  = 3
	arrayMajor = 4
	mapMajor   = 5
	tagMajor   = 6
	otherMajor = 7
)

// maxNested is how deep operations of later programs may be nested.
const maxNested = 64

// A reader reads CBOR in its deterministic form. Once something is amiss it is
// bad and reads nothing more.
type reader struct {
	b   []byte
	bad bool
}

// any reads the head of an item: its major type and number.
func (r *reader) any() (major byte, n uint64) {
	if r.bad || len(r.b) == 0 {
		r.bad = true
		return 0, 0
	}
	first := r.b[0]
	size, low := 0, uint64(first&0x1f)
	switch {
	case low < 24:
	case low < 28:
		size = 1 << (low - 24)
	default: // reserved, or without length
		r.bad = true
		return 0, 0
	}
	if len(r.b) < 1+size {
		r.bad = true
		return 0, 0
	}
	n = low
	if size > 0 {
		n = 0
		for _, c := range r.b[1 : 1+size] {
			n = n<<8 | uint64(c)
		}
		least := [9]uint64{1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}[size]
		if first>>5 == otherMajor {
			least = [9]uint64{1: 32}[size] // RFC 8949 3.3: simple values; floats may be any
		}
		r.bad = r.bad || n < least
	}
	r.b = r.b[1+size:]
	return first >> 5, n
}

func (r *reader) head(major byte) uint64 {
	m, n := r.any()
	r.bad = r.bad || m != major
	return n
}

func (r *reader) uint() uint64 { return r.head(uintMajor) }

// array reads the head of a list of exactly n items.
func (r *reader) array(n uint64) { r.bad = r.head(arrayMajor) != n || r.bad }

// list reads the head of a list of at most so many items.
func (r *reader) list(most int) int {
	n := r.head(arrayMajor)
	if r.bad = r.bad || n > uint64(most) || n > uint64(len(r.b)); r.bad {
		return 0
	}
	return int(n)
}

func (r *reader) take(n uint64) []byte {
	if r.bad = r.bad || n > uint64(len(r.b)); r.bad {
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// fill reads a byte string of exactly that length.
func (r *reader) fill(to []byte) {
	n := r.head(bytesMajor)
	if r.bad = r.bad || n != uint64(len(to)); !r.bad {
		copy(to, r.take(n))
	}
}

// bytes reads a byte string; the result is not a copy.
func (r *reader) bytes() []byte { return r.take(r.head(bytesMajor)) }

func (r *reader) text() string {
	b := r.take(r.head(textMajor))
	r.bad = r.bad || !utf8.Valid(b)
	return string(b)
}

// null reads null, if that is what is next.
func (r *reader) null() bool {
	if len(r.b) > 0 && r.b[0] == 0xf6 {
		r.b = r.b[1:]
		return true
	}
	return false
}

// skip reads any item, nested at most maxNested deep.
func (r *reader) skip(depth int) bool {
	major, n := r.any()
	switch {
	case r.bad:
	case depth > maxNested, major == tagMajor:
		r.bad = true
	case major == bytesMajor, major == textMajor:
		r.take(n)
	case major == arrayMajor, major == mapMajor:
		for i := uint64(0); i < n && !r.bad; i++ {
			if r.skip(depth + 1); major == mapMajor {
				r.skip(depth + 1)
			}
		}
	}
	return !r.bad
}

// many reads a list.
func many[T any](r *reader, most int, read func(*reader, *T)) []T {
	n := r.list(most)
	out := make([]T, n)
	for i := range out {
		if read(r, &out[i]); r.bad {
			return nil
		}
	}
	return out
}

func (r *reader) person(p *Person) {
	r.array(2)
	r.fill(p.ID[:])
	p.Name = r.text()
}

func (r *reader) card(c *DeviceCard) {
	r.array(4)
	r.fill(c.Sign[:])
	r.fill(c.Box[:])
	c.Peer, c.Name = r.text(), r.text()
}

func (r *reader) wrap(w *Wrap) {
	r.array(4)
	r.fill(w.Space[:])
	w.Epoch = r.uint()
	r.fill(w.Key[:])
	r.fill(w.Sealed[:])
}

func (r *reader) deviceWrap(w *deviceWrap) {
	r.array(2)
	r.fill(w.Device[:])
	r.fill(w.Sealed[:])
}

func (r *reader) oldKey(k *oldKey) {
	r.array(2)
	r.fill(k.ID[:])
	r.fill(k.Sealed[:])
}

func (r *reader) cut(c *Cut) {
	r.array(4)
	r.fill(c.Space[:])
	r.fill(c.Log[:])
	c.Seq = r.uint()
	r.fill(c.Hash[:])
}

func (r *reader) cuts() []Cut { return many(r, maxCuts, (*reader).cut) }

func (r *reader) member(m *member) {
	r.array(2)
	r.fill(m.Person[:])
	m.Level = Level(r.uint())
}

func (r *reader) leaver(l *leaver) {
	r.array(2)
	r.fill(l.Person[:])
	l.Cuts = r.cuts()
}

func (r *reader) keyID(k *log.KeyID) { r.fill(k[:]) }

func (r *reader) deviceID(d *log.DeviceID) { r.fill(d[:]) }

func (r *reader) erasedRef(e *erasedRef) {
	r.array(4)
	r.fill(e.Device[:])
	r.fill(e.Incarnation[:])
	e.Seq = r.uint()
	r.fill(e.Hash[:])
}

func (r *reader) deputy(d *Deputy) {
	r.array(3)
	r.fill(d.Person[:])
	d.Keys = many(r, maxKeys, (*reader).deviceID)
	r.fill(d.Box[:])
}

func (r *reader) step(s *Step) {
	r.array(6)
	s.Generation = r.uint()
	r.fill(s.Previous[:])
	if !r.null() {
		s.Policy = &Policy{}
		r.array(2)
		s.Policy.Need = r.uint()
		s.Policy.Deputies = many(r, maxDeputies, (*reader).deputy)
	}
	s.Remove = many(r, maxStep, func(r *reader, d *StepRemoval) {
		r.array(2)
		r.fill(d.Device[:])
		d.Cuts = r.cuts()
	})
	s.Owners = many(r, maxStep, func(r *reader, o *StepOwner) {
		r.array(2)
		r.card(&o.Card)
		r.person(&o.Person)
	})
	s.Access = many(r, maxStep, func(r *reader, a *StepAccess) {
		r.array(2)
		r.fill(a.Space[:])
		r.fill(a.Person[:])
	})
}
