package stick

import (
	"crypto/cipher"
	"errors"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// chunkSize is the number of plain bytes that are sealed at once.
const chunkSize = 64 << 10

const sealedChunk = chunkSize + chacha20poly1305.Overhead

// A sealer encrypts a stream in chunks. Each carries its number, the last one a
// mark, so that none can be left out, moved or cut off unnoticed.
type sealer struct {
	w    io.Writer
	aead cipher.AEAD
	n    uint64
	buf  []byte
	out  []byte
}

func newAEAD(key []byte) cipher.AEAD {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		panic(err) // the length is fixed
	}
	return aead
}

func (s *sealer) Write(p []byte) (int, error) {
	all := len(p)
	for len(p) > 0 {
		if len(s.buf) == chunkSize {
			if err := s.flush(false); err != nil {
				return all - len(p), err
			}
		}
		n := min(len(p), chunkSize-len(s.buf))
		s.buf, p = append(s.buf, p[:n]...), p[n:]
	}
	return all, nil
}

// Close writes the last chunk.
func (s *sealer) Close() error { return s.flush(true) }

func (s *sealer) flush(last bool) error {
	s.out = s.aead.Seal(s.out[:0], nonce(s.n, last), s.buf, nil)
	s.n++
	s.buf = s.buf[:0]
	_, err := s.w.Write(s.out)
	return err
}

// An opener decrypts what a sealer wrote.
type opener struct {
	r     io.Reader
	aead  cipher.AEAD
	n     uint64
	in    []byte // read and not opened: at most one byte more than a chunk
	plain []byte // opened and not given out
	space []byte // plain's memory
	err   error
}

func (o *opener) Read(p []byte) (int, error) {
	for len(o.plain) == 0 {
		if o.err != nil {
			return 0, o.err
		}
		o.next()
	}
	n := copy(p, o.plain)
	o.plain = o.plain[n:]
	return n, nil
}

// next opens a chunk. Whether it is the last one shows by a byte after it.
func (o *opener) next() {
	have := len(o.in)
	o.in = append(o.in, make([]byte, sealedChunk+1-have)...)
	n, err := io.ReadFull(o.r, o.in[have:])
	o.in = o.in[:have+n]
	last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !last {
		o.err = err
		return
	}
	sealed := o.in[:min(len(o.in), sealedChunk)]
	plain, err := o.aead.Open(o.space[:0], nonce(o.n, last), sealed, nil)
	if err != nil || last && len(plain) == 0 && o.n > 0 {
		o.err = ErrDamaged
		return
	}
	o.n++
	o.plain, o.space = plain, plain
	if last {
		o.err = io.EOF
	}
	o.in = append(o.in[:0], o.in[len(sealed):]...)
}
