package disktest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync/atomic"

	"inselnetz/app/disk"
)

type handle struct {
	fs     *FS
	n      *node
	path   string // when it was opened, for the hooks
	write  bool
	wrote  bool // under the lock of the disk
	closed atomic.Bool
}

func (h *handle) enter(op string) error {
	if h.closed.Load() {
		return failed(op, h.path, fs.ErrClosed)
	}
	return h.fs.enter(op, h.path)
}

func (h *handle) leave() { h.fs.leave() }

// ReadAt implements disk.Handle.
func (h *handle) ReadAt(p []byte, off int64) (int, error) {
	if err := h.enter("ReadAt"); err != nil {
		return 0, err
	}
	defer h.leave()
	if off < 0 {
		return 0, failed("ReadAt", h.path, fs.ErrInvalid)
	}
	if off >= int64(len(h.n.data)) {
		return 0, io.EOF
	}
	n := copy(p, h.n.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements disk.Handle.
func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	err := h.enter("WriteAt")
	part := err != nil && !h.fs.Dead() && !h.closed.Load()
	if err != nil && !part {
		return 0, err
	}
	if part { // a write that fails has written some of it
		h.fs.s.mu.Lock()
		p = p[:h.fs.s.rng.IntN(len(p)+1)]
	}
	defer h.leave()
	n, werr := h.put(p, off)
	if err == nil && werr != nil {
		err = failed("WriteAt", h.path, werr)
	}
	return n, err
}

func (h *handle) put(p []byte, off int64) (int, error) {
	if !h.write {
		return 0, disk.ErrDenied
	}
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	s, n := h.fs.s, h.n
	h.wrote = true
	var err error
	if end := off + int64(len(p)); end > int64(len(n.data)) {
		if end, err = s.grow(int64(len(n.data)), end); err != nil {
			p = p[:max(0, end-off)]
		}
		n.own()
		n.data = append(n.data, make([]byte, end-int64(len(n.data)))...)
	}
	n.own()
	if len(p) > 0 {
		copy(n.data[off:], p)
	}
	s.wrote(n)
	return len(p), err
}

// own makes the data of a node its own before a write.
func (n *node) own() {
	if n.share {
		n.data, n.share = slices.Clone(n.data), false
	}
}

func (s *state) wrote(n *node) {
	n.meta.time = s.now()
	s.dirty[n] = true
	s.tell(n, disk.Touched)
}

// Stat implements disk.Handle.
func (h *handle) Stat() (disk.Info, error) {
	if err := h.enter("Handle.Stat"); err != nil {
		return disk.Info{}, err
	}
	defer h.leave()
	return h.n.info(), nil
}

// Truncate implements disk.Handle.
func (h *handle) Truncate(size int64) error {
	if err := h.enter("Truncate"); err != nil {
		return err
	}
	defer h.leave()
	if !h.write {
		return failed("Truncate", h.path, disk.ErrDenied)
	}
	// A longer file is a hole at its end: no room is taken. We count it anyway.
	if _, err := h.fs.s.grow(int64(len(h.n.data)), size); err != nil {
		return failed("Truncate", h.path, err)
	}
	h.wrote = true
	h.n.own()
	if n := size - int64(len(h.n.data)); n > 0 {
		h.n.data = append(h.n.data, make([]byte, n)...)
	}
	h.n.data = h.n.data[:size:size]
	h.fs.s.wrote(h.n)
	return nil
}

// CopyFrom implements disk.Handle.
func (h *handle) CopyFrom(src disk.Handle, off, n int64) error {
	err := h.enter("CopyFrom")
	if err != nil && (h.fs.Dead() || h.closed.Load()) {
		return err
	}
	if err != nil {
		h.fs.s.mu.Lock()
		n = h.fs.s.rng.Int64N(n + 1)
	}
	defer h.leave()
	from := src.(*handle).n.data
	if off < 0 || n < 0 || off+n > int64(len(from)) {
		return failed("CopyFrom", h.path, io.ErrUnexpectedEOF)
	}
	if _, werr := h.put(slices.Clone(from[off:off+n]), off); err == nil && werr != nil {
		err = failed("CopyFrom", h.path, werr)
	}
	return err
}

// shareGrain is the grain of what clones share, in bytes.
const shareGrain = 4096

// Shares implements disk.Handle.
func (h *handle) Shares(other disk.Handle) ([]disk.Range, error) {
	o, ok := other.(*handle)
	if !ok || !h.fs.s.opts.Clones {
		return nil, failed("Shares", h.path, errors.ErrUnsupported)
	}
	if err := h.enter("Shares"); err != nil {
		return nil, err
	}
	defer h.leave()
	var out []disk.Range
	a, b := h.n.data, o.n.data
	for at := 0; at < min(len(a), len(b)); at += shareGrain {
		if x, y := a[at:min(at+shareGrain, len(a))], b[at:min(at+shareGrain, len(b))]; !bytes.Equal(x, y) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Off+out[n-1].Len == int64(at) {
			out[n-1].Len += shareGrain
		} else {
			out = append(out, disk.Range{Off: int64(at), Len: shareGrain})
		}
	}
	return out, nil
}

// Mark implements disk.Handle.
func (h *handle) Mark(time int64, exec bool) error {
	if err := h.enter("Handle.Mark"); err != nil {
		return err
	}
	defer h.leave()
	h.fs.s.mark(h.n, time, exec)
	return nil
}

// Flush implements disk.Handle.
func (h *handle) Flush() error {
	if err := h.enter("Flush"); err != nil {
		return err
	}
	h.leave()
	return nil
}

// Sync implements disk.Handle.
func (h *handle) Sync() error {
	if err := h.enter("Sync"); err != nil {
		return err
	}
	defer h.leave()
	h.fs.s.saveFile(h.n)
	return nil
}

// Close implements disk.Handle. An error leaves the file closed.
func (h *handle) Close() error {
	if h.closed.Load() {
		return failed("Close", h.path, fs.ErrClosed)
	}
	err := h.enter("Close")
	h.closed.Store(true)
	if err != nil {
		h.fs.s.mu.Lock()
	}
	defer h.leave()
	if h.write {
		h.n.writers[h.fs.dead]--
	}
	if err != nil {
		return err
	}
	if h.wrote {
		h.fs.s.tell(h.n, disk.Closed)
	}
	return nil
}
