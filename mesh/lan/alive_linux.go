package lan

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// heardTCP tells how long ago anything came on a TCP connection, be it the answer
// to a keepalive alone (tcp(7), TCP_INFO).
func heardTCP(raw syscall.RawConn) (ago time.Duration, ok bool) {
	err := raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil {
			ago, ok = time.Duration(min(info.Last_ack_recv, info.Last_data_recv))*time.Millisecond, true
		}
	})
	return ago, ok && err == nil
}
