//go:build unix

package disk

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	hasExec   = true
	syncsDirs = true
	nonblock  = unix.O_NONBLOCK
	syncFlag  = os.O_RDONLY // how a file is opened to be flushed
)

func systemKind(err error) error {
	var n unix.Errno
	if errors.As(err, &n) {
		return kind(n)
	}
	return nil
}

func inodeOf(fi fs.FileInfo) uint64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Ino)
	}
	return 0
}

func writer(*os.File) error { return nil }

func markOpen(*os.File, int64) (bool, error) { return false, nil }

func hide(*portable, string) error { return nil }
