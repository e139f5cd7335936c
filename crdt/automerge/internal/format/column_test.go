package format

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"inselnetz/crdt/automerge/internal/opid"
)

// seed is SEED, or one of today's own, printed either way.
func seed(t testing.TB) *rand.Rand {
	n := rand.Uint64()
	if s := os.Getenv("SEED"); s != "" {
		var err error
		if n, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SEED=%d", n)
	return rand.New(rand.NewPCG(n, 0))
}

func TestLEB(t *testing.T) {
	for _, v := range []uint64{0, 1, 127, 128, 16383, 16384, math.MaxUint32, math.MaxInt64, math.MaxUint64} {
		b := appendU(nil, v)
		if got, n := readU(append(b, 9)); got != v || n != len(b) {
			t.Errorf("%d: read %d of %d bytes", v, got, n)
		}
	}
	for _, v := range []int64{0, 1, -1, 63, 64, -64, -65, 8191, 8192, math.MaxInt64, math.MinInt64} {
		b := appendS(nil, v)
		if got, n := readS(append(b, 9)); got != v || n != len(b) {
			t.Errorf("%d: read %d of %d bytes", v, got, n)
		}
	}
	for name, b := range map[string][]byte{
		"empty": {}, "cut": {0x80}, "overlong 0": {0x80, 0}, "overlong 5": {0x85, 0},
		"65 bits":  {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2},
		"11 bytes": {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0},
	} {
		if v, n := readU(b); n != 0 {
			t.Errorf("unsigned, %s: %d", name, v)
		}
	}
	for name, b := range map[string][]byte{
		"empty": {}, "cut": {0x80}, "overlong 0": {0x80, 0}, "overlong -1": {0xff, 0x7f}, "overlong 5": {0x85, 0},
		"65 bits": {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
	} {
		if v, n := readS(b); n != 0 {
			t.Errorf("signed, %s: %d", name, v)
		}
	}
}

// plainly encodes a column by the words of the format: -1 is null.
func plainly(rows []int64, k kind) []byte {
	var out []byte
	value := func(v int64) {
		e := runEncoder{val: v, kind: k}
		if k == text {
			e.str = strconv.AppendInt(nil, v, 10)
		}
		out = e.encode(out)
	}
	run := func(i int) int {
		j := i
		for j < len(rows) && rows[j] == rows[i] {
			j++
		}
		return j - i
	}
	some := false
	for i := 0; i < len(rows); {
		n := run(i)
		switch {
		case rows[i] < 0:
			out = appendU(append(out, 0), uint64(n))
		case n > 1:
			some = true
			out = appendS(out, int64(n))
			value(rows[i])
		default:
			some = true
			for n = 1; i+n < len(rows) && rows[i+n] >= 0 && run(i+n) == 1; n++ {
			}
			out = appendS(out, -int64(n))
			for _, v := range rows[i : i+n] {
				value(v)
			}
		}
		i += n
	}
	if !some {
		return nil
	}
	return out
}

func TestRuns(t *testing.T) {
	rng := seed(t)
	for range 5000 {
		rows := make([]int64, rng.IntN(20))
		for i := range rows {
			rows[i] = int64(rng.IntN(4)) - 1
		}
		for _, k := range []kind{unsigned, signed, text} {
			e := runEncoder{kind: k}
			e.reset()
			for i := 0; i < len(rows); {
				n := 1
				for k != text && i+n < len(rows) && rows[i+n] == rows[i] && rng.IntN(2) == 0 {
					n++
				}
				switch {
				case rows[i] < 0:
					e.null(n)
				case k == text:
					e.text(strconv.AppendInt(nil, rows[i], 10))
				case n == 1:
					e.put(rows[i])
				default:
					e.putN(rows[i], n)
				}
				i += n
			}
			got, want := bytes.Clone(e.finish()), plainly(rows, k)
			if !bytes.Equal(got, want) {
				t.Fatalf("kind %d: %v is %x, want %x", k, rows, got, want)
			}
			var f failure
			c := newRuns(got, "test", k, true, &f)
			for i, v := range rows {
				has := c.next()
				if has && k == text {
					c.val, _ = strconv.ParseUint(string(c.str), 10, 64)
				}
				if want != nil && (has != (v >= 0) || has && int64(c.val) != v) {
					t.Fatalf("kind %d: row %d of %v is %d, %v", k, i, rows, c.val, has)
				}
			}
			if c.done(); f.err != nil {
				t.Fatalf("%v: %v", rows, f.err)
			}
		}
	}
}

func TestRunsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		col  []byte
		rows int
		k    kind
	}{
		"repeat of one":            {[]byte{1, 5}, 1, unsigned},
		"equal literals":           {[]byte{0x7e, 5, 5}, 2, unsigned},
		"two literal runs":         {[]byte{0x7f, 5, 0x7f, 6}, 2, unsigned},
		"repeats that are one":     {[]byte{2, 5, 2, 5}, 4, unsigned},
		"literal then its repeat":  {[]byte{0x7f, 5, 2, 5}, 3, unsigned},
		"repeat then its literal":  {[]byte{2, 5, 0x7f, 5}, 3, unsigned},
		"no nulls":                 {[]byte{2, 5, 0, 0}, 2, unsigned},
		"nulls twice":              {[]byte{0, 1, 0, 1, 2, 5}, 4, unsigned},
		"nothing but nulls":        {[]byte{0, 2}, 2, unsigned},
		"too few":                  {[]byte{2, 5}, 3, unsigned},
		"too many":                 {[]byte{3, 5}, 2, unsigned},
		"bytes left":               {[]byte{2, 5, 0x7f}, 2, unsigned},
		"cut in a value":           {[]byte{2, 0x85}, 2, unsigned},
		"overlong value":           {[]byte{2, 0x85, 0}, 2, unsigned},
		"cut in a text":            {[]byte{0x7f, 3, 'a', 'b'}, 1, text},
		"no UTF-8":                 {[]byte{0x7f, 1, 0xff}, 1, text},
		"equal texts":              {[]byte{0x7e, 1, 'a', 1, 'a'}, 2, text},
		"2^62 nulls":               {[]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f}, 2, unsigned},
		"smallest number of items": {[]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f, 1}, 2, signed},
	} {
		var f failure
		c := newRuns(tt.col, "test", tt.k, true, &f)
		for range tt.rows {
			c.next()
		}
		if c.done(); !errors.Is(f.err, ErrMalformed) {
			t.Errorf("%s: %v", name, f.err)
		}
	}
	for name, tt := range map[string]struct {
		col  []byte
		rows int
	}{
		"empty run later": {[]byte{1, 0, 1}, 2}, "too few": {[]byte{1}, 2}, "too many": {[]byte{3}, 2}, "cut": {[]byte{0x80}, 1},
	} {
		var f failure
		c := newBools(tt.col, "test", &f)
		for range tt.rows {
			c.next()
		}
		if c.done(); !errors.Is(f.err, ErrMalformed) {
			t.Errorf("booleans, %s: %v", name, f.err)
		}
	}
}

// FuzzColumn: what a strict reader takes, the encoder writes.
func FuzzColumn(f *testing.F) {
	f.Add([]byte{2, 5, 0x7f, 6, 0, 3, 0x7e, 1, 2}, uint8(0))
	f.Add([]byte{0x7e, 1, 'a', 0, 2, 1, 'b'}, uint8(2))
	f.Add([]byte{0, 2, 3, 1}, uint8(3))
	f.Fuzz(func(t *testing.T, col []byte, how uint8) {
		var fail failure
		k := kind(how % 4)
		if k == 3 {
			c, e := newBools(col, "fuzz", &fail), boolEncoder{}
			for rows := 0; c.left > 0 || len(c.buf) > 0; rows++ {
				v := c.next()
				if fail.err != nil || rows > 1<<12 {
					return
				}
				e.put(v, 1)
			}
			if got := e.finish(); !bytes.Equal(got, col) {
				t.Fatalf("%x read and written is %x", col, got)
			}
			return
		}
		c, e := newRuns(col, "fuzz", k, true, &fail), runEncoder{kind: k}
		for rows := 0; c.left > 0 || len(c.buf) > 0; rows++ {
			has := c.next()
			switch {
			case fail.err != nil || rows > 1<<12:
				return
			case !has:
				e.null(1)
			case k == text:
				e.text(c.str)
			default:
				e.put(int64(c.val))
			}
		}
		if c.done(); fail.err != nil {
			return
		}
		if got := e.finish(); !bytes.Equal(got, col) {
			t.Fatalf("%x read and written is %x", col, got)
		}
	})
}

// TestSingle: a change of one operation is the same written at once and by columns.
func TestSingle(t *testing.T) {
	rng := seed(t)
	actors := [][]byte{{5}, {2, 2}, {9}, {3}}
	rank := []uint32{2, 0, 3, 1}
	var w ChangeWriter
	for i := range 3000 {
		id := func() opid.ID { return opid.ID{Ctr: 1 + rng.Uint32N(1<<(1+rng.IntN(31))), Actor: uint32(rng.IntN(4))} }
		author := uint32(rng.IntN(4))
		h := &Change{Seq: 1 + uint64(i), StartOp: 1 + rng.Uint32N(1000), Time: int64(i), Extra: []byte{7}[:rng.IntN(2)]}
		op := Op{Obj: id(), Elem: id(), Action: Delete}
		char := []byte([]string{"a", "ü", "€", "😀"}[rng.IntN(4)])
		w.Reset(author, rank)
		if rng.IntN(2) == 0 {
			op = Op{Obj: op.Obj, Elem: op.Elem, Insert: true, Action: Set, Value: Value{Str, char}}
			if rng.IntN(4) == 0 {
				op.Elem = opid.ID{}
			}
			w.Chars(op.Obj, op.Elem, id(), char, 1)
		} else {
			op.Refs = []opid.ID{op.Elem}
			w.Deletes(op.Obj, op.Elem, 1, 1)
		}
		got := w.AppendBody(nil, h, actors)
		w.Reset(author, rank)
		w.Add(&op)
		if want := w.AppendBody(nil, h, actors); !bytes.Equal(got, want) {
			t.Fatalf("%+v by %d: %x, want %x", op, author, got, want)
		}
		if i%3 == 0 { // and followed by another
			w.Reset(author, rank)
			w.Deletes(op.Obj, opid.ID{Ctr: 7}, 1, 1)
			w.Add(&op)
			got := w.AppendBody(nil, h, actors)
			w.Reset(author, rank)
			w.Add(&Op{Obj: op.Obj, Elem: opid.ID{Ctr: 7}, Action: Delete, Refs: []opid.ID{{Ctr: 7}}})
			w.Add(&op)
			if want := w.AppendBody(nil, h, actors); !bytes.Equal(got, want) {
				t.Fatalf("%+v after another: %x, want %x", op, got, want)
			}
		}
	}
}
