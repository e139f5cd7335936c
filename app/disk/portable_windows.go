package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Open opens the tree below the directory root, which exists.
func Open(root string) (FS, error) { return openPortable(root) }

const (
	hasExec   = false
	syncsDirs = false // directories cannot be flushed; the log of NTFS keeps their order
	nonblock  = 0
	syncFlag  = os.O_RDWR // flushing asks for the right to write
)

func systemKind(err error) error {
	var n windows.Errno
	if !errors.As(err, &n) {
		return nil
	}
	switch n {
	case windows.ERROR_FILE_NOT_FOUND, windows.ERROR_PATH_NOT_FOUND:
		return fs.ErrNotExist
	case windows.ERROR_FILE_EXISTS, windows.ERROR_ALREADY_EXISTS:
		return fs.ErrExist
	case windows.ERROR_DIR_NOT_EMPTY:
		return ErrNotEmpty
	case windows.ERROR_DIRECTORY:
		return ErrBlocked
	case windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED:
		return ErrFull
	case windows.ERROR_FILE_TOO_LARGE:
		return ErrLarge
	case windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION, windows.ERROR_USER_MAPPED_FILE:
		return ErrBusy
	case windows.ERROR_ACCESS_DENIED, windows.ERROR_WRITE_PROTECT, windows.ERROR_PRIVILEGE_NOT_HELD:
		return ErrDenied
	case windows.ERROR_NOT_SUPPORTED, windows.ERROR_INVALID_FUNCTION:
		return errors.ErrUnsupported
	}
	return nil
}

func inodeOf(fs.FileInfo) uint64 { return 0 } // costs a handle for each file

var reopenFile = windows.NewLazySystemDLL("kernel32.dll").NewProc("ReOpenFile")

// writer tells by ErrBusy if somebody has a file open for writing: it opens the
// file again in a way that bears no writers.
func writer(f *os.File) error {
	h, _, err := reopenFile.Call(f.Fd(), windows.GENERIC_READ, windows.FILE_SHARE_READ|windows.FILE_SHARE_DELETE, 0)
	if windows.Handle(h) != windows.InvalidHandle {
		return windows.CloseHandle(windows.Handle(h))
	}
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return err
	}
	return nil
}

// markOpen sets the time by the handle: set by the name, closing the handle
// could set it again.
func markOpen(f *os.File, t int64) (bool, error) {
	ft := windows.NsecToFiletime(t)
	return true, windows.SetFileTime(windows.Handle(f.Fd()), nil, nil, &ft)
}

func renameNew(p *portable, from, to string) error {
	a, err := windows.UTF16PtrFromString(p.full(from))
	if err != nil {
		return err
	}
	b, err := windows.UTF16PtrFromString(p.full(to))
	if err != nil {
		return err
	}
	return windows.MoveFileEx(a, b, windows.MOVEFILE_WRITE_THROUGH)
}

// full returns a path for calls that os.Root lacks; its parents were looked at.
func (p *portable) full(path string) string {
	full, err := filepath.Abs(filepath.Join(p.root.Name(), filepath.FromSlash(path)))
	if err != nil || len(full) < windows.MAX_PATH-12 {
		return filepath.Join(p.root.Name(), filepath.FromSlash(path))
	}
	return `\\?\` + full
}

func exchange(*portable, string, string) error { return errors.ErrUnsupported }

func clone(*portable, string, string) error { return errors.ErrUnsupported }

func space(root string) (free, total int64, err error) {
	dir, err := windows.UTF16PtrFromString(root)
	if err != nil {
		return 0, 0, err
	}
	var ours, all uint64
	err = windows.GetDiskFreeSpaceEx(dir, &ours, &all, nil)
	return int64(ours), int64(all), err
}

// reserve sets aside room for a file without making it longer.
func reserve(f *os.File, size int64) error {
	info := struct{ AllocationSize int64 }{size}
	return windows.SetFileInformationByHandle(windows.Handle(f.Fd()), windows.FileAllocationInfo, (*byte)(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
}

func hide(p *portable, path string) error {
	name, err := windows.UTF16PtrFromString(p.full(path))
	if err != nil {
		return err
	}
	attrs, err := windows.GetFileAttributes(name)
	if err != nil {
		return err
	}
	return windows.SetFileAttributes(name, attrs|windows.FILE_ATTRIBUTE_HIDDEN)
}

func softSync(f *os.File) error { return f.Sync() }

func hardSync(*portable) error { return nil }
