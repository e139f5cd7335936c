package disk

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// futimens sets the times of an open file, for which x/sys has no call.
func futimens(fd int, time int64) error {
	ts := times(time)
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// lease asks the kernel for a lease to read and gives it back. There is none
// (EAGAIN) while somebody has the file open for writing. Who opens it in between
// waits for us.
func lease(fd int) error {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK)
	}
	return err
}

// writing tells whether somebody is about to write more into a file.
func writing(fd int, path string, st *unix.Stat_t) bool {
	age := time.Now().UnixNano() - st.Mtim.Nano()
	return age < int64(Quiet) && age > -int64(Quiet) && !hidden(path) && lease(fd) == unix.EAGAIN
}
