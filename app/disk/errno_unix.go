//go:build unix

package disk

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// kind returns what an error number means to callers, nil for the rest.
func kind(err error) error {
	switch err {
	case unix.ENOENT:
		return fs.ErrNotExist
	case unix.EEXIST:
		return fs.ErrExist
	case unix.ENOTEMPTY:
		return ErrNotEmpty
	case unix.ENOTDIR, unix.ELOOP:
		return ErrBlocked
	case unix.EISDIR, unix.ENXIO:
		return ErrNotFile
	case unix.ENOSPC, unix.EDQUOT:
		return ErrFull
	case unix.EFBIG:
		return ErrLarge
	case unix.EACCES, unix.EPERM, unix.EROFS:
		return ErrDenied
	case unix.EBUSY, unix.ETXTBSY:
		return ErrBusy
	case unix.EBADF:
		return fs.ErrClosed
	case unix.ENOSYS, unix.EOPNOTSUPP:
		return errors.ErrUnsupported
	}
	return nil
}
