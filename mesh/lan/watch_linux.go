package lan

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// watch calls changed whenever the system says that an interface or an address
// came, went or became another, until ctx ends (rtnetlink(7)). Where the system
// does not say it returns at once: interfaces are looked at every lookEvery anyway.
func watch(ctx context.Context, changed func()) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return
	}
	f := os.NewFile(uintptr(fd), "netlink")
	defer f.Close()
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR)
	if unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}) != nil {
		return
	}
	readNotices(ctx, f, changed, func(err error) bool { return errors.Is(err, unix.ENOBUFS) })
}
