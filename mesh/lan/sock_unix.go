//go:build unix

package lan

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// shareSocket lets several programs on one computer hear the same port, and lets
// the socket send broadcasts.
func shareSocket(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		for _, opt := range []int{unix.SO_REUSEADDR, unix.SO_REUSEPORT, unix.SO_BROADCAST} {
			if e := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, opt, 1); e != nil && err == nil {
				err = e
			}
		}
	}); e != nil {
		return e
	}
	return err
}
