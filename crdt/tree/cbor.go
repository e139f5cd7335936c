package tree

import "encoding/binary"

// Versions are read and written by hand, in the one form FORMAT.md allows: a
// folder has 100,000 of them at start. The tests hold it against a library.

// Majors of CBOR used by the format, and the values without a number.
const (
	uintMajor  = 0 << 5
	minusMajor = 1 << 5
	bytesMajor = 2 << 5
	textMajor  = 3 << 5
	listMajor  = 4 << 5
	mapMajor   = 5 << 5
	otherMajor = 7 << 5
	no         = 0xf4
	yes        = 0xf5
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

func appendText(b []byte, s string) []byte {
	return append(appendHead(b, textMajor, uint64(len(s))), s...)
}

func appendInt(b []byte, n int64) []byte {
	if n < 0 {
		return appendHead(b, minusMajor, uint64(^n))
	}
	return appendHead(b, uintMajor, uint64(n))
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, yes)
	}
	return append(b, no)
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

// int takes a signed number of 64 bits.
func (r *reader) int() int64 {
	minus := len(r.b) > 0 && r.b[0]&^31 == minusMajor
	var n uint64
	if minus {
		n = r.head(minusMajor)
	} else {
		n = r.head(uintMajor)
	}
	if n >= 1<<63 {
		r.bad = true
	}
	if minus {
		return ^int64(n)
	}
	return int64(n)
}

func (r *reader) bool() bool {
	if r.bad || len(r.b) == 0 || r.b[0] != yes && r.b[0] != no {
		r.bad = true
		return false
	}
	v := r.b[0] == yes
	r.b = r.b[1:]
	return v
}

// text takes a byte or text string and returns it without copying.
func (r *reader) text(major byte) []byte {
	n := r.head(major)
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
	if s := r.text(bytesMajor); len(s) == len(to) {
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

// skip takes one value of any kind that is nested at most depth deep: numbers
// and lengths in the shortest form, no tags, nothing of unstated length.
func (r *reader) skip(depth int) {
	if r.bad || len(r.b) == 0 || depth == 0 {
		r.bad = true
		return
	}
	major := r.b[0] &^ 31
	switch major {
	case uintMajor, minusMajor:
		r.head(major)
	case bytesMajor, textMajor:
		r.text(major)
	case listMajor, mapMajor:
		n := r.head(major)
		if n > uint64(len(r.b)) {
			r.bad = true
		}
		if major == mapMajor {
			n *= 2
		}
		for ; n > 0 && !r.bad; n-- {
			r.skip(depth - 1)
		}
	case otherMajor:
		size := map[byte]int{20: 1, 21: 1, 22: 1, 25: 3, 26: 5, 27: 9}[r.b[0]&31] // false, true, null, floats
		if size == 0 || size > len(r.b) {
			r.bad = true
			return
		}
		r.b = r.b[size:]
	default:
		r.bad = true
	}
}
