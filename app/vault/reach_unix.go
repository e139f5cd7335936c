//go:build unix && !darwin

package vault

import (
	"fmt"
	"os"
	"path/filepath"
)

// reachable reports whether there is a session bus. Without one the library
// would start a bus of its own, and leave it running.
func reachable() bool {
	if addr := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); addr != "" && addr != "autolaunch:" {
		return true
	}
	dir := fmt.Sprintf("/run/user/%d", os.Getuid())
	for _, name := range []string{"bus", "dbus-session"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}
