//go:build unix

package app

import (
	"fmt"
	"os"
	"syscall"
)

// fileNumber tells a file from its copies: the inode number. The device number
// is no help: a NAS counts its disks anew at each start.
func fileNumber(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	s, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return "", fmt.Errorf("no file number for %s", path)
	}
	return fmt.Sprint(s.Ino), nil
}
