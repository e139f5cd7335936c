//go:build !windows

package desktop

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

const agentLabel = "de.inselnetz.desktop"

// file is where the entry lies and what it says: in XDG's autostart directory,
// on macOS among the LaunchAgents.
func (a Autostart) file() (path, text string, err error) {
	if runtime.GOOS == "darwin" {
		dir := a.dir
		if dir == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", "", err
			}
			dir = filepath.Join(home, "Library", "LaunchAgents")
		}
		return filepath.Join(dir, agentLabel+".plist"), agentPlist(agentLabel, a.command()), nil
	}
	dir := a.dir
	if dir == "" {
		config, err := os.UserConfigDir()
		if err != nil {
			return "", "", err
		}
		dir = filepath.Join(config, "autostart")
	}
	return filepath.Join(dir, "inselnetz.desktop"), xdgEntry(a.command()), nil
}

// On reports whether the system starts the program at login.
func (a Autostart) On() (bool, error) {
	path, text, err := a.file()
	if err != nil {
		return false, err
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if runtime.GOOS == "darwin" {
		return string(raw) == text, err
	}
	return xdgOn(string(raw), a.command()), err
}

// Set switches it.
func (a Autostart) Set(on bool) error {
	path, text, err := a.file()
	if err != nil {
		return err
	}
	if !on {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
