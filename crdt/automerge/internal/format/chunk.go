package format

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"errors"
	"io"
)

// Types of chunks.
const (
	DocumentChunk   byte = 0 // a whole history, in columns
	ChangeChunk     byte = 1 // one change
	CompressedChunk byte = 2 // one change, deflated
	BundleChunk     byte = 3 // some changes, in columns
)

var magic = [4]byte{0x85, 0x6f, 0x4a, 0x83}

// headerSize is the most a chunk's header takes: magic, checksum, type, length.
const headerSize = 4 + 4 + 1 + 10

// A Chunk is one piece of a file. Files are chunks laid end to end.
type Chunk struct {
	Type byte   // never CompressedChunk: such a change is inflated
	Body []byte // part of the bytes read, unless it was inflated
	Hash Hash   // the change's name if Type is ChangeChunk
	Size int    // bytes of the whole chunk as stored
}

// ErrChecksum is wrapped by the refusal of a chunk whose bytes were damaged.
var ErrChecksum = errors.New("checksum does not match")

// ReadChunk reads the chunk at the start of b: magic 85 6f 4a 83, four bytes
// of checksum, type, length of the body as uLEB, body. The checksum is the
// beginning of the hash.
func ReadChunk(b []byte, lim *Limits) (Chunk, error) {
	r := reader{b: b}
	if m := r.take(4, "magic bytes"); r.err == nil && !bytes.Equal(m, magic[:]) {
		return Chunk{}, malformed("no Automerge chunk: begins with %x", m)
	}
	sum := r.take(4, "checksum")
	typ := r.take(1, "type")
	body := r.take(r.uint("length"), "body")
	if r.err != nil {
		return Chunk{}, r.err
	}
	c := Chunk{Type: typ[0], Body: body, Size: len(b) - len(r.b)}
	switch c.Type {
	case DocumentChunk, ChangeChunk, BundleChunk:
	case CompressedChunk:
		c.Type = ChangeChunk
		var in inflater
		var err error
		budget := lim.For(len(b)).Inflated
		if c.Body, err = in.inflate(body, &budget); err != nil {
			return Chunk{}, err
		}
	default:
		return Chunk{}, malformed("a chunk of type %d", c.Type)
	}
	c.Hash = HashOf(c.Type, c.Body)
	if !bytes.Equal(c.Hash[:4], sum) {
		return Chunk{}, malformed("%w", ErrChecksum)
	}
	return c, nil
}

// HashOf is SHA-256 over type, length as uLEB and body. Compression does not
// change it: for a compressed change it is that of the change.
func HashOf(typ byte, body []byte) Hash {
	var buf [512]byte
	head := appendU(append(buf[:0], typ), uint64(len(body)))
	if len(head)+len(body) <= len(buf) { // most changes; a hash.Hash would be an allocation
		return sha256.Sum256(append(head, body...))
	}
	h := sha256.New()
	h.Write(head)
	h.Write(body)
	var sum Hash
	h.Sum(sum[:0])
	return sum
}

// AppendChunk appends a chunk of that type and body.
func AppendChunk(dst []byte, typ byte, body []byte) []byte {
	h := HashOf(typ, body)
	return appendChunk(dst, h, typ, body)
}

func appendChunk(dst []byte, h Hash, typ byte, body []byte) []byte {
	dst = append(dst, magic[:]...)
	dst = append(dst, h[:4]...)
	dst = append(dst, typ)
	dst = appendU(dst, uint64(len(body)))
	return append(dst, body...)
}

// AppendCompressed appends a change's body as a compressed chunk.
func AppendCompressed(dst, body []byte) []byte {
	var d deflater
	return appendChunk(dst, HashOf(ChangeChunk, body), CompressedChunk, d.deflate(body))
}

// inflater inflates raw DEFLATE streams. Its zero value is ready.
type inflater struct {
	src bytes.Reader
	r   io.ReadCloser
}

// inflate inflates b to at most budget bytes, which it takes off budget. Bytes
// after the end of the stream are ignored, as the reference does.
func (in *inflater) inflate(b []byte, budget *int) ([]byte, error) {
	// Text shrinks to a third or fourth. What shrinks to less is measured first:
	// growing as it comes would need several times the memory.
	out, err := in.into(make([]byte, 0, min(4*len(b)+64, *budget)), b)
	if err == errFull {
		n := 0
		if n, err = in.measure(b, *budget); err == nil {
			out, err = in.into(make([]byte, 0, n), b)
		}
	}
	if err != nil {
		return nil, err
	}
	*budget -= len(out)
	return out, nil
}

var errFull = errors.New("no more room")

func (in *inflater) reset(b []byte) {
	in.src.Reset(b)
	if in.r == nil {
		in.r = flate.NewReader(&in.src)
	} else {
		_ = in.r.(flate.Resetter).Reset(&in.src, nil) // never fails
	}
}

// into inflates b into the capacity of out.
func (in *inflater) into(out, b []byte) ([]byte, error) {
	in.reset(b)
	for {
		if len(out) == cap(out) {
			var more [1]byte
			if n, err := in.r.Read(more[:]); n > 0 {
				return nil, errFull
			} else if err == nil {
				continue
			} else if err != io.EOF {
				return nil, malformed("DEFLATE: %w", err)
			}
			return out, nil
		}
		n, err := in.r.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, malformed("DEFLATE: %w", err)
		}
	}
}

// measure is how many bytes b inflates to, if at most budget.
func (in *inflater) measure(b []byte, budget int) (int, error) {
	in.reset(b)
	var buf [4096]byte
	for total := 0; ; {
		n, err := in.r.Read(buf[:])
		if total += n; total > budget {
			return 0, beyond("inflated bytes", uint64(total), uint64(budget))
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return 0, malformed("DEFLATE: %w", err)
		}
	}
}

// deflater writes raw DEFLATE streams. Its zero value is ready.
type deflater struct {
	out bytes.Buffer
	w   *flate.Writer
}

// deflate returns b deflated, valid until the next call.
func (d *deflater) deflate(b []byte) []byte {
	d.out.Reset()
	if d.w == nil {
		d.w, _ = flate.NewWriter(&d.out, flate.DefaultCompression) // fails for unknown levels only
	} else {
		d.w.Reset(&d.out)
	}
	d.w.Write(b) // a bytes.Buffer takes everything
	d.w.Close()
	return d.out.Bytes()
}
