package lan

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// watch is as on Linux (route(4)): the socket tells of routes too, which costs a
// look now and then.
func watch(ctx context.Context, changed func()) {
	fd, err := unix.Socket(unix.AF_ROUTE, unix.SOCK_RAW, unix.AF_UNSPEC)
	if err != nil {
		return
	}
	unix.CloseOnExec(fd)
	if unix.SetNonblock(fd, true) != nil {
		unix.Close(fd)
		return
	}
	f := os.NewFile(uintptr(fd), "route")
	defer f.Close()
	readNotices(ctx, f, changed, func(err error) bool { return errors.Is(err, unix.ENOBUFS) })
}
