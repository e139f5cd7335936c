package folder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"inselnetz/app/disk"
	"inselnetz/app/keep"
	"inselnetz/crdt/tree"
)

// Read appends a block of a content, or its list, to buf; ErrNone if it is not
// here. The hash is not checked.
func (f *Folder) Read(content tree.Sum, index uint32, buf []byte) ([]byte, error) {
	if f.store() == nil {
		return buf, ErrNone
	}
	if index == ListIndex {
		return f.readList(content, buf)
	}
	if size, ok := f.keep.Has(content); ok {
		out, err := f.readKept(content, size, index, buf)
		if err == nil || !errors.Is(err, keep.ErrNone) && !errors.Is(err, keep.ErrDamaged) {
			return out, err
		}
	}
	f.mu.Lock()
	var at []*rec
	for r := f.index.bySum(content); r != nil && len(at) < 4; r = r.twin {
		at = append(at, r)
	}
	f.mu.Unlock()
	for _, r := range at {
		if out, err := f.readDisk(r, index, buf); err == nil {
			return out, nil
		}
	}
	return buf, ErrNone
}

func (f *Folder) readKept(content tree.Sum, size int64, index uint32, buf []byte) ([]byte, error) {
	off, n, ok := span(size, index)
	if !ok {
		return buf, ErrNone
	}
	at := len(buf)
	buf = slices.Grow(buf, n)[:at+n]
	got, err := f.keep.ReadAt(content, buf[at:], off)
	if got < n {
		if err == nil || err == io.EOF {
			err = keep.ErrDamaged
		}
		return buf[:at], err
	}
	return buf, nil
}

// readDisk reads a block of a file of the user's that is as the index says.
func (f *Folder) readDisk(r *rec, index uint32, buf []byte) ([]byte, error) {
	off, n, ok := span(r.Size, index)
	if !ok {
		return buf, ErrNone
	}
	if r.Size <= tree.MinBlock {
		out, in, err := f.fs.Read(r.Path, buf)
		if err == nil && !f.unchanged(r, in) {
			return buf, disk.ErrChanged
		}
		return out, err
	}
	h, err := f.fs.Open(r.Path)
	if err != nil {
		return buf, err
	}
	defer h.Close()
	at := len(buf)
	buf = slices.Grow(buf, n)[:at+n]
	if got, err := h.ReadAt(buf[at:], off); got < n {
		return buf[:at], errors.Join(disk.ErrChanged, err)
	}
	in, err := h.Stat()
	if err == nil && !f.unchanged(r, in) {
		err = disk.ErrChanged
	}
	if err != nil {
		return buf[:at], err
	}
	return buf, nil
}

// span is where a block lies in a content of size bytes.
func span(size int64, index uint32) (off int64, n int, ok bool) {
	bs := int64(tree.BlockSize(size))
	off = int64(index) * bs
	if off >= size {
		return 0, 0, false
	}
	return off, int(min(bs, size-off)), true
}

func (f *Folder) readList(content tree.Sum, buf []byte) ([]byte, error) {
	list, err := f.listHere(content)
	if err != nil {
		return buf, ErrNone
	}
	return append(buf, list...), nil
}

// store returns the keep, nil while the folder is missing.
func (f *Folder) store() *keep.Store {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keep
}

// Content opens a version's content: from the folder, the keep, or other
// devices. ErrNobody if it cannot be had now.
func (f *Folder) Content(ctx context.Context, v tree.Known) (io.ReadSeekCloser, error) {
	if f.store() == nil {
		return nil, ErrMissing
	}
	f.wanted(v.Sum)
	if err := f.fetchKeep(ctx, v); err != nil {
		return nil, err
	}
	if v.Size <= small { // now, before a program here writes over it
		data, err := f.wholeSmall(&v.Version)
		if err != nil {
			return nil, err
		}
		return whole{bytes.NewReader(data)}, nil
	}
	return &reader{f: f, v: v, block: -1}, nil
}

// sound tells whether a content is here as far as a look can tell: in the keep,
// or in a file that is as the index says.
func (f *Folder) sound(v *tree.Version) bool {
	if _, ok := f.keep.Has(v.Sum); ok || v.Size == 0 {
		return true
	}
	f.mu.Lock()
	var at []*rec
	for r := f.index.bySum(v.Sum); r != nil && len(at) < 4; r = r.twin {
		at = append(at, r)
	}
	f.mu.Unlock()
	for _, r := range at {
		if in, err := f.fs.Stat(r.Path); err == nil && f.unchanged(r, in) {
			return true
		}
	}
	return false
}

type whole struct{ *bytes.Reader }

func (whole) Close() error { return nil }

// A reader reads a content block by block from this device.
type reader struct {
	f     *Folder
	v     tree.Known
	off   int64
	block int64 // the one in buf
	buf   []byte
}

func (r *reader) Read(p []byte) (int, error) {
	if r.off >= r.v.Size {
		return 0, io.EOF
	}
	bs := int64(tree.BlockSize(r.v.Size))
	if b := r.off / bs; b != r.block {
		buf, err := r.f.Read(r.v.Sum, uint32(b), r.buf[:0])
		if err != nil {
			return 0, err
		}
		r.buf, r.block = buf, b
	}
	in := r.off - r.block*bs
	if in >= int64(len(r.buf)) {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, r.buf[in:])
	r.off += int64(n)
	return n, nil
}

func (r *reader) Seek(off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		off += r.off
	case io.SeekEnd:
		off += r.v.Size
	}
	if off < 0 {
		return 0, errors.New("seek before the beginning")
	}
	r.off = off
	return off, nil
}

func (r *reader) Close() error { return nil }
