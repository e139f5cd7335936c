package disk

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An extent is struct fiemap_extent of linux/fiemap.h.
type extent struct {
	logical, physical, length uint64
	_                         [2]uint64
	flags                     uint32
	_                         [3]uint32
}

type fiemap struct {
	start, length                  uint64
	flags, mapped, count, reserved uint32
	extents                        [256]extent
}

const (
	fsIocFiemap    = 0xc020660b
	fiemapSync     = 1
	extentLast     = 0x1
	extentMerged   = 0x1000
	extentShared   = 0x2000
	xfsMagic       = 0x58465342
	btrfsMagic     = 0x9123683e
	extentHarmless = extentLast | extentMerged | extentShared
)

// Shares asks the kernel where both files lie (FIEMAP). Only XFS and btrfs are
// believed: their addresses are unique within the file system, and what several
// files share they never write in place. What is not plain data (compressed,
// inline, not yet written) does not count.
func (f *file) Shares(other Handle) ([]Range, error) {
	o, ok := other.(*file)
	if !ok {
		return nil, wrap("compare", f.path, errors.ErrUnsupported)
	}
	var st unix.Statfs_t
	if err := again0(func() error { return unix.Fstatfs(int(f.fd.Load()), &st) }); err != nil {
		return nil, wrap("compare", f.path, err)
	}
	if magic := uint32(st.Type); magic != xfsMagic && magic != btrfsMagic {
		return nil, wrap("compare", f.path, errors.ErrUnsupported)
	}
	theirs, err := extents(int(o.fd.Load()))
	if err != nil {
		return nil, wrap("compare", o.path, err)
	}
	ours, err := extents(int(f.fd.Load()))
	if err != nil {
		return nil, wrap("compare", f.path, err)
	}
	return common(ours, theirs), nil
}

// extents returns where a file lies, after it was written out.
func extents(fd int) (all []extent, err error) {
	m := new(fiemap)
	for {
		start := m.start
		*m = fiemap{start: start, length: 1<<63 - 1 - start, flags: fiemapSync, count: uint32(len(m.extents))}
		err := again0(func() error {
			if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), fsIocFiemap, uintptr(unsafe.Pointer(m))); errno != 0 {
				return errno
			}
			return nil
		})
		if err != nil || m.mapped == 0 {
			return all, err
		}
		part := m.extents[:min(int(m.mapped), len(m.extents))]
		all = append(all, part...)
		last := part[len(part)-1]
		if m.start = last.logical + last.length; last.flags&extentLast != 0 || m.start <= start {
			return all, nil
		}
	}
}

// common returns the ranges that lie at the same place; both lists are in order.
func common(a, b []extent) (out []Range) {
	for len(a) > 0 && len(b) > 0 {
		x, y := a[0], b[0]
		from, to := max(x.logical, y.logical), min(x.logical+x.length, y.logical+y.length)
		if from < to && shared(x) && shared(y) && x.physical-x.logical == y.physical-y.logical {
			if n := len(out); n > 0 && out[n-1].Off+out[n-1].Len == int64(from) {
				out[n-1].Len += int64(to - from)
			} else {
				out = append(out, Range{int64(from), int64(to - from)})
			}
		}
		if x.logical+x.length <= y.logical+y.length {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}

func shared(e extent) bool { return e.flags&extentShared != 0 && e.flags&^extentHarmless == 0 }
