package format

import (
	"encoding/binary"
	"unicode/utf8"
)

// appendU appends v as unsigned LEB128.
func appendU(b []byte, v uint64) []byte {
	return binary.AppendUvarint(b, v)
}

// appendS appends v as signed LEB128.
func appendS(b []byte, v int64) []byte {
	for v < -64 || v > 63 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}

// readU reads an unsigned LEB128 at the start of b and returns how many bytes
// it has; 0 if b does not start with a shortest one of at most 64 bits.
func readU(b []byte) (v uint64, n int) {
	for i, c := range b {
		if i == 9 && c > 1 {
			return 0, 0
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if i > 0 && c == 0 {
				return 0, 0
			}
			return v, i + 1
		}
	}
	return 0, 0
}

// readS is readU for signed LEB128.
func readS(b []byte) (v int64, n int) {
	var before byte
	for i, c := range b {
		if i == 9 && c != 0 && c != 0x7f {
			return 0, 0
		}
		v |= int64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if i > 0 && (c == 0 && before&0x40 == 0 || c == 0x7f && before&0x40 != 0) {
				return 0, 0
			}
			if i < 9 && c&0x40 != 0 {
				v |= -1 << (7 * (i + 1))
			}
			return v, i + 1
		}
		before = c
	}
	return 0, 0
}

// A reader takes fields off the front of b. After the first failure it keeps
// the error and returns zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(text string, args ...any) {
	if r.err == nil {
		r.err = malformed(text, args...)
	}
	r.b = nil
}

func (r *reader) uint(what string) uint64 {
	v, n := readU(r.b)
	if n == 0 {
		r.fail("%s is no shortest LEB128", what)
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) int(what string) int64 {
	v, n := readS(r.b)
	if n == 0 {
		r.fail("%s is no shortest LEB128", what)
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) take(n uint64, what string) []byte {
	if n > uint64(len(r.b)) {
		r.fail("%s of %d bytes, %d left", what, n, len(r.b))
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

// count reads how many things of at least size bytes each follow.
func (r *reader) count(size, limit int, what string) int {
	n := r.uint("number of " + what)
	if n > uint64(len(r.b)/size) {
		r.fail("%d %s in %d bytes", n, what, len(r.b))
		return 0
	}
	if n > uint64(limit) {
		r.err = beyond(what, n, uint64(limit))
		return 0
	}
	return int(n)
}

func (r *reader) hashes(what string) []Hash {
	n := r.count(len(Hash{}), len(r.b), what)
	if n == 0 {
		return nil
	}
	hs := make([]Hash, n)
	for i := range hs {
		copy(hs[i][:], r.take(32, what))
	}
	return hs
}

func (r *reader) actor(lim *Limits) []byte {
	n := r.uint("length of an actor")
	if n > uint64(lim.Actor) && r.err == nil {
		r.err = beyond("bytes of an actor", n, uint64(lim.Actor))
	}
	return r.take(n, "actor")
}

func (r *reader) actors(lim *Limits, what string) [][]byte {
	n := r.count(1, lim.Actors, what)
	if n == 0 {
		return nil
	}
	as := make([][]byte, n)
	for i := range as {
		as[i] = r.actor(lim)
	}
	return as
}

// checkValue reports why raw is no value of that type.
func checkValue(typ uint8, raw []byte) error {
	n := len(raw)
	switch typ {
	case Null, False, True:
		n = 0
	case Uint:
		_, n = readU(raw)
	case Int, Counter, Timestamp:
		_, n = readS(raw)
	case Float:
		n = 8
	case Str:
		if !utf8.Valid(raw) {
			return malformed("a string is no UTF-8")
		}
	}
	if n != len(raw) || n == 0 && typ >= Uint && typ <= Float || n == 0 && (typ == Counter || typ == Timestamp) {
		return malformed("a value of type %d has %d bytes", typ, len(raw))
	}
	return nil
}
