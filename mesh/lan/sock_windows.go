package lan

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// shareSocket lets several programs on one computer hear the same port, and lets
// the socket send broadcasts.
func shareSocket(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		for _, opt := range []int{windows.SO_REUSEADDR, windows.SO_BROADCAST} {
			if e := windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, opt, 1); e != nil && err == nil {
				err = e
			}
		}
	}); e != nil {
		return e
	}
	return err
}
