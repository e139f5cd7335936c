package app

import (
	"fmt"
	"os"
	"syscall"
)

// fileNumber tells a file from its copies: volume and file index.
func fileNumber(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var info syscall.ByHandleFileInformation
	if err := syscall.GetFileInformationByHandle(syscall.Handle(f.Fd()), &info); err != nil {
		return "", err
	}
	return fmt.Sprint(info.VolumeSerialNumber, ":", info.FileIndexHigh, ":", info.FileIndexLow), nil
}
