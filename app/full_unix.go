//go:build unix

package app

import (
	"errors"
	"syscall"
)

// isFull reports whether an error means that the disk or a quota is used up.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
