package disk

import (
	"errors"
	"io"
	"io/fs"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

type file struct {
	fd    atomic.Int32
	path  string
	fresh bool // made by us, so certainly no program
}

func handle(fd int, path string, err error) (Handle, error) {
	if err != nil {
		return nil, err
	}
	f := &file{path: path}
	f.fd.Store(int32(fd))
	return f, nil
}

func (f *file) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		m, err := unix.Pread(int(f.fd.Load()), p[n:], off+int64(n))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return n, wrap("read", f.path, err)
		}
		if m == 0 {
			return n, io.EOF
		}
		n += m
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		m, err := unix.Pwrite(int(f.fd.Load()), p[n:], off+int64(n))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			if err == unix.EBADF && f.fd.Load() >= 0 {
				err = unix.EACCES // open for reading
			}
			return n, wrap("write", f.path, err)
		}
		n += m
	}
	return n, nil
}

func (f *file) Stat() (Info, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.fd.Load()), &st); err != nil {
		return Info{}, wrap("stat", f.path, err)
	}
	_, name := Split(f.path)
	return info(name, &st), nil
}

func (f *file) Truncate(size int64) error {
	return wrap("truncate", f.path, again0(func() error { return unix.Ftruncate(int(f.fd.Load()), size) }))
}

// flushEach is how much a copy writes before it makes the kernel begin to
// write out, so that the flush at its end is short.
const flushEach = 16 << 20

func (f *file) CopyFrom(src Handle, off, n int64) error {
	from, ok := src.(*file)
	if !ok {
		return wrap("copy", f.path, errors.ErrUnsupported)
	}
	dst, to, end := int(f.fd.Load()), off, off+n
	for off < end {
		m, err := unix.CopyFileRange(int(from.fd.Load()), &off, dst, &to, int(min(end-off, flushEach)), 0)
		switch err {
		case nil:
		case unix.EINTR:
			continue
		case unix.ENOSYS, unix.EXDEV, unix.EINVAL, unix.EOPNOTSUPP, unix.EPERM:
			return copyRange(f, src, off, end-off)
		default:
			return wrap("copy", f.path, err)
		}
		if m == 0 {
			return wrap("copy", from.path, io.ErrUnexpectedEOF)
		}
		if n > flushEach {
			f.Flush()
		}
	}
	return nil
}

func (f *file) Mark(time int64, exec bool) error {
	fd := int(f.fd.Load())
	if exec || !f.fresh {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return wrap("mark", f.path, err)
		}
		if mode, change := withExec(&st, exec); change {
			f.fresh = false
			if err := unix.Fchmod(fd, mode); err != nil {
				return wrap("mark", f.path, err)
			}
		}
	}
	return wrap("mark", f.path, futimens(fd, time))
}

func (f *file) Flush() error {
	return wrap("flush", f.path, again0(func() error {
		return unix.SyncFileRange(int(f.fd.Load()), 0, 0, unix.SYNC_FILE_RANGE_WRITE)
	}))
}

func (f *file) Sync() error {
	return wrap("sync", f.path, again0(func() error { return unix.Fsync(int(f.fd.Load())) }))
}

func (f *file) Close() error {
	fd := f.fd.Swap(-1)
	if fd < 0 {
		return wrap("close", f.path, fs.ErrClosed)
	}
	return wrap("close", f.path, unix.Close(int(fd)))
}
