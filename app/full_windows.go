package app

import (
	"errors"
	"syscall"
)

// isFull reports whether an error means that the disk or a quota is used up:
// ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL, ERROR_DISK_QUOTA_EXCEEDED.
func isFull(err error) bool {
	var no syscall.Errno
	return errors.As(err, &no) && (no == 39 || no == 112 || no == 1295)
}
