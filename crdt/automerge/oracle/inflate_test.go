package oracle

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// saved is what a file says, chunk by chunk, with every column inflated: two
// programs that deflate differently save the same. It is read without the help
// of the engine's own reader.
func saved(b []byte) (string, error) {
	var out strings.Builder
	for len(b) > 0 {
		if len(b) < 10 || !bytes.Equal(b[:4], []byte{0x85, 0x6f, 0x4a, 0x83}) {
			return "", fmt.Errorf("no chunk at %d bytes before the end", len(b))
		}
		r := &cursor{b: b[9:]}
		typ, body := b[8], r.take(r.uint())
		if r.err != nil {
			return "", r.err
		}
		fmt.Fprintf(&out, "chunk %d\n", typ)
		if err := savedChunk(&out, typ, body); err != nil {
			return "", fmt.Errorf("chunk of type %d: %w", typ, err)
		}
		b = r.b
	}
	return out.String(), nil
}

func savedChunk(out *strings.Builder, typ byte, body []byte) error {
	switch typ {
	case 0:
		return savedDocument(out, body)
	case 2:
		plain, err := io.ReadAll(flate.NewReader(bytes.NewReader(body)))
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "inflated %x\n", plain)
	case 3:
		return savedBundle(out, body)
	default:
		fmt.Fprintf(out, "body %x\n", body)
	}
	return nil
}

func savedDocument(out *strings.Builder, body []byte) error {
	r := &cursor{b: body}
	for range r.uint() {
		fmt.Fprintf(out, "actor %x\n", r.take(r.uint()))
	}
	for range r.uint() {
		fmt.Fprintf(out, "head %x\n", r.take(32))
	}
	changes, ops := r.columns(), r.columns()
	r.data(out, "changes", changes)
	r.data(out, "ops", ops)
	fmt.Fprintf(out, "rest %x\n", r.b)
	return r.err
}

func savedBundle(out *strings.Builder, body []byte) error {
	r := &cursor{b: body}
	for range r.uint() {
		fmt.Fprintf(out, "dep %x\n", r.take(32))
	}
	for range r.uint() {
		fmt.Fprintf(out, "actor %x\n", r.take(r.uint()))
	}
	r.data(out, "changes", r.columns())
	r.data(out, "ops", r.columns())
	fmt.Fprintf(out, "rest %x\n", r.b)
	return r.err
}

// A cursor reads on; the first error stays.
type cursor struct {
	b   []byte
	err error
}

type column struct{ spec, size uint64 }

func (r *cursor) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.err = errors.Join(r.err, io.ErrUnexpectedEOF)
		r.b = nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *cursor) take(n uint64) []byte {
	if uint64(len(r.b)) < n {
		r.err = errors.Join(r.err, io.ErrUnexpectedEOF)
		r.b = nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *cursor) columns() []column {
	var list []column
	for range r.uint() {
		list = append(list, column{r.uint(), r.uint()})
		if r.err != nil {
			break
		}
	}
	return list
}

const deflated = 1 << 3 // bit of a column's spec

func (r *cursor) data(out *strings.Builder, what string, list []column) {
	for _, c := range list {
		b := r.take(c.size)
		if c.spec&deflated != 0 {
			var err error
			if b, err = io.ReadAll(flate.NewReader(bytes.NewReader(b))); err != nil {
				r.err = errors.Join(r.err, err)
			}
		}
		fmt.Fprintf(out, "%s %d %x\n", what, c.spec&^deflated, b)
	}
}

// The reader of files is itself held against the JavaScript release, which can
// save the same document with its columns plain.
func TestSavedIsTheSameInflated(t *testing.T) {
	n := startNode(t)
	deflatedOnes := 0
	for seed := range uint64(30) {
		for _, end := range play(t, n, roll(seed)).Ends {
			small, err := saved(end.Saved)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := saved(end.Plain)
			if err != nil {
				t.Fatal(err)
			}
			if small != plain {
				t.Errorf("seed %d: plain and deflated file differ:\n%s\n%s", seed, plain, small)
			}
			if !bytes.Equal(end.Saved, end.Plain) {
				deflatedOnes++
			}
		}
	}
	if deflatedOnes == 0 {
		t.Error("no file had a deflated column")
	}
}
