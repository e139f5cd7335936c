package desktop

import (
	"errors"
	"strings"
	"syscall"

	"golang.org/x/sys/windows/registry"
)

const (
	runName = "Inselnetz"
	runKey  = `Software\Microsoft\Windows\CurrentVersion\Run`
	// The task manager's list: the first byte of a value is odd for switched off.
	approvedKey = `Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run`
)

func (a Autostart) line() string {
	var parts []string
	for _, p := range a.command() {
		parts = append(parts, syscall.EscapeArg(p))
	}
	return strings.Join(parts, " ")
}

// On reports whether the system starts the program at login.
func (a Autostart) On() (bool, error) {
	k, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer k.Close()
	line, _, err := k.GetStringValue(runName)
	if errors.Is(err, registry.ErrNotExist) {
		return false, nil
	}
	if err != nil || line != a.line() {
		return false, err
	}
	approved, err := registry.OpenKey(registry.CURRENT_USER, approvedKey, registry.QUERY_VALUE)
	if err != nil {
		return true, nil // nobody switched anything there
	}
	defer approved.Close()
	state, _, err := approved.GetBinaryValue(runName)
	return err != nil || len(state) == 0 || state[0]%2 == 0, nil
}

// Set switches it.
func (a Autostart) Set(on bool) error {
	k, _, err := registry.CreateKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if err != nil {
		return err
	}
	defer k.Close()
	if approved, err := registry.OpenKey(registry.CURRENT_USER, approvedKey, registry.SET_VALUE); err == nil {
		_ = approved.DeleteValue(runName) // most have none
		_ = approved.Close()
	}
	if on {
		return k.SetStringValue(runName, a.line())
	}
	if err := k.DeleteValue(runName); !errors.Is(err, registry.ErrNotExist) {
		return err
	}
	return nil
}
