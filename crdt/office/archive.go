package office

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// An archive is a ZIP file of which a bounded amount can be read.
type archive struct {
	files  map[string]*zip.File
	first  string // name of the first entry
	left   int64  // bytes that may still be inflated
	tokens int    // of XML that were read
}

var (
	zipStart = []byte("PK\x03\x04")
	zipEntry = []byte("PK\x01\x02") // before each entry of the directory
	oleStart = []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	// oleSecret is the name of the stream that holds an encrypted DOCX, see
	// [MS-OFFCRYPTO] 2.3.4.4.
	oleSecret = []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")
)

// openArchive reads the directory of a file. One that is no archive is no document
// of today's programs; what those of old wrote, and what is encrypted, lies in an
// OLE file.
func openArchive(b []byte) (*archive, error) {
	switch {
	case len(b) > MaxFile:
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(b), MaxFile)
	case bytes.HasPrefix(b, oleStart) && bytes.Contains(b, oleSecret):
		return nil, ErrEncrypted
	case bytes.HasPrefix(b, oleStart):
		return nil, fmt.Errorf("%w: written by an old program (.doc)", ErrNotOffice)
	case !bytes.HasPrefix(b, zipStart):
		return nil, fmt.Errorf("%w: no archive", ErrNotOffice)
	case bytes.Count(b, zipEntry) > maxEntries: // the directory says anything, and all of it is read
		return nil, fmt.Errorf("%w: more than %d entries", ErrTooLarge, maxEntries)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	a := &archive{files: map[string]*zip.File{}, left: maxTotal}
	for _, f := range z.File {
		if f.Flags&1 != 0 {
			return nil, ErrEncrypted
		}
		if a.first == "" {
			a.first = f.Name
		}
		if name := strings.TrimPrefix(f.Name, "/"); a.files[name] == nil {
			a.files[name] = f
		}
	}
	return a, nil
}

// errNoPart is that an archive has no such entry.
var errNoPart = fmt.Errorf("%w: a part is missing", ErrMalformed)

// open gives the contents of an entry, of which limit bytes can be read.
func (a *archive) open(name string, limit int64) (io.Reader, error) {
	f := a.files[name]
	if f == nil {
		return nil, fmt.Errorf("%w: %s", errNoPart, name)
	}
	if f.UncompressedSize64 > uint64(limit) {
		return nil, fmt.Errorf("%w: %s has %d bytes, at most %d", ErrTooLarge, name, f.UncompressedSize64, limit)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, name, err)
	}
	return &bounded{r: r, part: limit, all: &a.left, name: name}, nil
}

// bytes are the contents of an entry.
func (a *archive) bytes(name string, limit int64) ([]byte, error) {
	r, err := a.open(name, limit)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// A bounded reader fails when it is read further than it may be.
type bounded struct {
	r    io.Reader
	part int64
	all  *int64
	name string
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.part -= int64(n)
	*b.all -= int64(n)
	if b.part < 0 || *b.all < 0 {
		return 0, fmt.Errorf("%w: %s", ErrTooLarge, b.name)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %s: %w", ErrMalformed, b.name, err)
	}
	return n, err
}

// A source gives the bytes of XML and fails when one token has too many.
type source struct {
	*bufio.Reader
	token int
	err   error // the first one; the decoder hides some
}

func (s *source) ReadByte() (byte, error) {
	if s.token++; s.token > maxToken {
		s.err = fmt.Errorf("%w: an element of more than %d bytes", ErrTooLarge, maxToken)
		return 0, s.err
	}
	c, err := s.Reader.ReadByte()
	if err != nil && err != io.EOF && s.err == nil {
		s.err = err
	}
	return c, err
}
