package app

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
)

// diskEncrypted asks the shell: unlike everything else that knows of BitLocker,
// it needs no administrator.
func diskEncrypted(dir string) (state, how string) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return DiskUnknown, err.Error()
	}
	drive := filepath.VolumeName(abs)
	if len(drive) != 2 || drive[1] != ':' {
		return DiskUnknown, "no drive letter"
	}
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return DiskUnknown, err.Error()
	}
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	cmd := exec.CommandContext(ctx, filepath.Join(system, `WindowsPowerShell\v1.0\powershell.exe`), "-NoProfile", "-NonInteractive", "-Command",
		"(New-Object -ComObject Shell.Application).NameSpace('"+drive+"').Self.ExtendedProperty('System.Volume.BitLockerProtection')")
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NO_WINDOW}
	out, err := cmd.Output()
	if err != nil {
		return DiskUnknown, "BitLocker: " + err.Error()
	}
	return bitLocker(strings.TrimSpace(string(out))), "BitLocker"
}
