package app

import (
	"context"
	"os/exec"
	"strings"
	"time"
)

// FileVault covers the disk that the system and the users' folders lie on.
func diskEncrypted(string) (state, how string) {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	out, err := exec.CommandContext(ctx, "/usr/bin/fdesetup", "status").Output()
	switch {
	case err != nil:
		return DiskUnknown, "fdesetup: " + err.Error()
	case strings.Contains(string(out), "FileVault is On"):
		return DiskYes, "FileVault"
	case strings.Contains(string(out), "FileVault is Off"):
		return DiskNo, "FileVault"
	}
	return DiskUnknown, "FileVault"
}
