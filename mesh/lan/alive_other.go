//go:build !linux

package lan

import (
	"syscall"
	"time"
)

// heardTCP: the system does not say when a keepalive was answered.
func heardTCP(syscall.RawConn) (time.Duration, bool) { return 0, false }
