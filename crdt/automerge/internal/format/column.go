package format

import (
	"bytes"
	"unicode/utf8"
)

// failure is where the columns of one chunk leave their first error.
type failure struct{ err error }

func (f *failure) set(err error) {
	if f.err == nil {
		f.err = err
	}
}

// kind of what a run-length encoded column holds.
type kind uint8

const (
	unsigned kind = iota
	signed
	text
)

// run of a run-length encoded column.
type run uint8

const (
	noRun   run = iota
	repeat      // one value, several times
	literal     // values one by one
	nulls
)

// runs reads a run-length encoded column. It is strict if it must be in the
// canonical form, in which every sequence of values has one encoding: repeats
// of two or more, no two equal neighbours otherwise, no two runs that would be
// one. A column of zero bytes is null in every row.
type runs struct {
	buf     []byte // what is left
	left    uint64 // rows left in run
	val     uint64 // value of this row; as int64 if signed
	str     []byte // value of this row if text
	sum     int64  // of the values so far, for delta columns
	fail    *failure
	name    string
	maxLen  int // of a text
	run     run
	kind    kind
	strict  bool
	present bool
	valued  bool // the row before had a value, so this one's must differ
	some    bool // some row had a value
}

func newRuns(buf []byte, name string, k kind, strict bool, f *failure) runs {
	return runs{buf: buf, kind: k, name: name, strict: strict, fail: f, present: len(buf) > 0, maxLen: 1 << 30}
}

// next goes to the next row and reports whether it has a value, which is then
// in val or str.
func (c *runs) next() bool {
	if c.left > 0 && c.run != literal {
		c.left--
		return c.run == repeat
	}
	return c.step()
}

// delta is next for a column of differences; the value is in sum.
func (c *runs) delta() bool {
	if c.next() {
		c.sum += int64(c.val)
		return true
	}
	return false
}

func (c *runs) refuse(text string, args ...any) bool {
	c.fail.set(malformed("column %s: "+text, append([]any{c.name}, args...)...))
	c.buf, c.left, c.run, c.present = nil, 0, noRun, false
	return false
}

func (c *runs) step() bool {
	if c.left == 0 {
		if !c.present {
			return false
		}
		if !c.header() {
			return false
		}
		if c.run != literal {
			c.left--
			return c.run == repeat
		}
	}
	c.left--
	return c.value()
}

// header reads the beginning of a run.
func (c *runs) header() bool {
	n, size := readS(c.buf)
	if size == 0 {
		if len(c.buf) == 0 {
			return c.refuse("too few rows")
		}
		return c.refuse("length of a run")
	}
	c.buf = c.buf[size:]
	before := c.run
	switch {
	case n > 0:
		c.run, c.left = repeat, uint64(n)
		if c.strict && n == 1 {
			return c.refuse("a repeat of one")
		}
		return c.value()
	case n < 0:
		c.run, c.left = literal, uint64(-n)
		if c.strict && before == literal {
			return c.refuse("two literal runs in a row")
		}
		return true
	}
	k, size := readU(c.buf)
	if size == 0 || k == 0 {
		return c.refuse("length of a run of nulls")
	}
	c.buf = c.buf[size:]
	c.run, c.left = nulls, k
	if c.strict && before == nulls {
		return c.refuse("two runs of nulls in a row")
	}
	c.valued = false
	return true
}

// value reads a value.
func (c *runs) value() bool {
	same := false
	switch c.kind {
	case unsigned:
		v, n := readU(c.buf)
		if n == 0 {
			return c.refuse("a value is no shortest LEB128")
		}
		same, c.val, c.buf = v == c.val, v, c.buf[n:]
	case signed:
		v, n := readS(c.buf)
		if n == 0 {
			return c.refuse("a value is no shortest LEB128")
		}
		same, c.val, c.buf = uint64(v) == c.val, uint64(v), c.buf[n:]
	case text:
		v, n := readU(c.buf)
		if n == 0 || v > uint64(len(c.buf)-n) {
			return c.refuse("length of a text")
		}
		if v > uint64(c.maxLen) {
			c.fail.set(beyond("bytes of a text", v, uint64(c.maxLen)))
			return c.refuse("text")
		}
		s := c.buf[n : n+int(v) : n+int(v)]
		if !utf8.Valid(s) {
			return c.refuse("no UTF-8")
		}
		same, c.str, c.buf = bytes.Equal(s, c.str), s, c.buf[n+int(v):]
	}
	if same && c.valued && c.strict {
		return c.refuse("equal neighbours outside of a repeat")
	}
	c.valued, c.some = true, true
	return true
}

// done checks that the rows read were all there are.
func (c *runs) done() {
	if c.left > 0 || len(c.buf) > 0 {
		c.refuse("too many rows")
	} else if c.strict && c.present && !c.some {
		c.refuse("nothing but nulls")
	}
}

// rows counts the rows of a column, all of which must have values, up to limit.
func (c runs) rows(limit int) int {
	total := uint64(0)
	for len(c.buf) > 0 && c.header() {
		if c.run == nulls {
			c.refuse("null")
			return 0
		}
		if total += c.left; c.left > uint64(limit) || total > uint64(limit) {
			c.fail.set(beyond("rows of column "+c.name, max(c.left, total), uint64(limit)))
			return 0
		}
		if c.run == literal {
			for ; c.left > 0 && c.value(); c.left-- {
			}
		}
	}
	if c.fail.err != nil {
		return 0
	}
	return int(total)
}

// bools reads a column of booleans: lengths of runs, false and true in turn. A
// column of zero bytes is false in every row.
type bools struct {
	buf     []byte
	left    uint64
	fail    *failure
	name    string
	val     bool
	begun   bool
	present bool
	some    bool // some row was true
}

func newBools(buf []byte, name string, f *failure) bools {
	return bools{buf: buf, name: name, fail: f, present: len(buf) > 0}
}

func (c *bools) next() bool {
	if c.left > 0 {
		c.left--
		return c.val
	}
	return c.step()
}

func (c *bools) refuse(text string) bool {
	c.fail.set(malformed("column %s: %s", c.name, text))
	c.buf, c.left, c.val, c.present = nil, 0, false, false
	return false
}

func (c *bools) step() bool {
	for c.left == 0 {
		if !c.present {
			return false
		}
		if len(c.buf) == 0 {
			return c.refuse("too few rows")
		}
		n, size := readU(c.buf)
		if size == 0 || n == 0 && c.begun {
			return c.refuse("length of a run")
		}
		c.buf = c.buf[size:]
		c.left, c.val = n, c.begun && !c.val
		c.begun = true
		c.some = c.some || c.val
	}
	c.left--
	return c.val
}

func (c *bools) done() {
	if c.left > 0 || len(c.buf) > 0 {
		c.refuse("too many rows")
	}
}
