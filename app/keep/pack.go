package keep

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"io"

	"inselnetz/crdt/tree"
)

// A record of a pack is a header and, of contents, its bytes. FORMAT.md.
const (
	magic      = "IKP1"
	headerSize = 60
	// maxPacked is the largest content that a pack may hold, in bytes.
	maxPacked = 16<<20 + 4096 // the largest block, and what sealing adds to it
	// maxPack is the largest pack, in bytes; places in it are 32 bits.
	maxPack = 1 << 30
)

const (
	recContent = 1
	recLoose   = 2 // says that a file of its own is durable
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type header struct {
	dataCRC uint32
	kind    uint32
	size    uint64 // of the content
	sum     tree.Sum
	since   uint32 // s since 1970
}

// length is the bytes of the whole record.
func (h *header) length() int64 {
	if h.kind == recContent {
		return headerSize + int64(h.size)
	}
	return headerSize
}

func (h *header) append(b []byte) []byte {
	at := len(b)
	b = append(b, magic...)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, h.dataCRC)
	b = binary.BigEndian.AppendUint32(b, h.kind)
	b = binary.BigEndian.AppendUint64(b, h.size)
	b = append(b, h.sum[:]...)
	b = binary.BigEndian.AppendUint32(b, h.since)
	binary.BigEndian.PutUint32(b[at+4:], crc32.Checksum(b[at+8:], castagnoli))
	return b
}

func decodeHeader(b []byte) (h header, ok bool) {
	if len(b) < headerSize || string(b[:4]) != magic || binary.BigEndian.Uint32(b[4:]) != crc32.Checksum(b[8:headerSize], castagnoli) {
		return h, false
	}
	h.dataCRC = binary.BigEndian.Uint32(b[8:])
	h.kind = binary.BigEndian.Uint32(b[12:])
	h.size = binary.BigEndian.Uint64(b[16:])
	h.sum = tree.Sum(b[24:56])
	h.since = binary.BigEndian.Uint32(b[56:])
	switch h.kind {
	case recContent:
		return h, h.size > 0 && h.size <= maxPacked
	case recLoose:
		return h, h.size > 0 && h.size < 1<<62
	}
	return h, false // of a later version: its length is not known
}

// scan reads the records of a pack from a place on. It yields the good ones and
// returns where the last of them ends and how many stretches of damage there
// are before that. Once something is damaged the bytes of a content may be
// taken for a record, so good asks whether a content has its name, too.
func scan(r io.ReaderAt, at, size int64, good func(tree.Sum, []byte) bool, yield func(at int64, h header)) (end int64, damaged int, err error) {
	end = at
	var buf []byte
	bad := false // since end
	for at+headerSize <= size {
		if buf, err = window(r, buf, at, headerSize); err != nil {
			return end, damaged, err
		}
		h, ok := decodeHeader(buf)
		if !ok || at+h.length() > size {
			bad = true
			if at, err = find(r, at+1, size); err != nil {
				return end, damaged, err
			}
			continue
		}
		if buf, err = window(r, buf, at, h.length()); err != nil {
			return end, damaged, err
		}
		data := buf[headerSize:]
		if h.kind == recContent && (crc32.Checksum(data, castagnoli) != h.dataCRC || !good(h.sum, data)) {
			bad = true
			at += h.length() // the header is good, so is the length
			continue
		}
		if bad {
			damaged, bad = damaged+1, false
		}
		yield(at, h)
		at += h.length()
		end = at
	}
	return end, damaged, nil
}

// window reads n bytes at a place of r, whole.
func window(r io.ReaderAt, buf []byte, at, n int64) ([]byte, error) {
	if int64(cap(buf)) < n {
		buf = make([]byte, max(n, 64<<10))
	}
	buf = buf[:n]
	if m, err := r.ReadAt(buf, at); m < len(buf) {
		if err == io.EOF || err == nil {
			err = io.ErrUnexpectedEOF
		}
		return buf, err
	}
	return buf, nil
}

// find returns where the next header may begin, or size.
func find(r io.ReaderAt, at, size int64) (int64, error) {
	buf := make([]byte, 256<<10)
	for at+headerSize <= size {
		n := min(int64(len(buf)), size-at)
		if _, err := window(r, buf, at, n); err != nil {
			return size, err
		}
		for from := 0; ; {
			i := bytes.Index(buf[from:n], []byte(magic))
			if i < 0 {
				break
			}
			from += i
			if from+headerSize > int(n) && at+n < size {
				break // look again with all of it in view
			}
			if _, ok := decodeHeader(buf[from:n]); ok {
				return at + int64(from), nil
			}
			from++
		}
		if at+n >= size {
			return size, nil
		}
		at += n - headerSize
	}
	return size, nil
}

// holds tells whether bytes are the content, or the list of blocks, with a name.
func holds(sum tree.Sum, data []byte) bool {
	h := newSummer(int64(len(data)))
	h.Write(data)
	return h.is(sum)
}

// A summer works out both names that bytes can have: of a content, and of a
// list or block, which is their SHA-256.
type summer struct {
	size  int
	whole interface {
		io.Writer
		Sum([]byte) []byte
	}
	block []byte
	sums  []tree.Sum
}

func newSummer(size int64) *summer {
	return &summer{size: tree.BlockSize(size), whole: sha256.New()}
}

func (s *summer) Write(p []byte) (int, error) {
	n := len(p)
	s.whole.Write(p)
	for len(p) > 0 {
		if len(s.block) == 0 && len(p) >= s.size {
			s.sums = append(s.sums, sha256.Sum256(p[:s.size]))
			p = p[s.size:]
			continue
		}
		m := min(len(p), s.size-len(s.block))
		s.block, p = append(s.block, p[:m]...), p[m:]
		if len(s.block) == s.size {
			s.sums, s.block = append(s.sums, sha256.Sum256(s.block)), s.block[:0]
		}
	}
	return n, nil
}

func (s *summer) is(sum tree.Sum) bool {
	if tree.Sum(s.whole.Sum(nil)) == sum {
		return true
	}
	sums := s.sums
	if len(s.block) > 0 {
		sums = append(sums[:len(sums):len(sums)], sha256.Sum256(s.block))
	}
	return tree.SumOf(sums) == sum
}
