package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// defaultData is the platform's usual directory for a program's data.
func defaultData() string {
	if d := os.Getenv("INSELNETZ_DATA"); d != "" {
		return d
	}
	home, _ := os.UserHomeDir() // without one the paths are relative to here
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(orElse(os.Getenv("LOCALAPPDATA"), home), "Inselnetz", "Daten")
	case "darwin":
		return filepath.Join(home, "Library", "Application Support", "Inselnetz")
	default:
		return filepath.Join(orElse(os.Getenv("XDG_DATA_HOME"), filepath.Join(home, ".local", "share")), "inselnetz")
	}
}

// filesPlace is the directory in which shared folders lie; empty: none.
func filesPlace(flag, data string) string {
	switch {
	case flag == "-":
		return ""
	case flag != "":
		if abs, err := filepath.Abs(flag); err == nil {
			return abs
		}
		return flag
	case data != defaultData():
		if abs, err := filepath.Abs(data); err == nil {
			data = abs
		}
		return filepath.Join(data, "files")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(data, "files")
	}
	return filepath.Join(home, "Inselnetz")
}

// opener opens files with this computer's programs, nil if there is no display.
func opener() func(path string) error {
	name, args := "xdg-open", []string(nil)
	switch runtime.GOOS {
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler"}
	case "darwin":
		name = "open"
	default:
		if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
			return nil
		}
	}
	if _, err := exec.LookPath(name); err != nil {
		return nil
	}
	return func(path string) error {
		cmd := exec.Command(name, append(args, path)...)
		if err := cmd.Start(); err != nil {
			return err
		}
		go cmd.Wait() // it goes on by itself
		return nil
	}
}

// defaultState is a directory that a backup or copy of the data directory does
// not take along.
func defaultState() string {
	if d := os.Getenv("INSELNETZ_STATE"); d != "" {
		return d
	}
	home, _ := os.UserHomeDir()
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(orElse(os.Getenv("APPDATA"), home), "Inselnetz", "Stand")
	case "darwin":
		return filepath.Join(home, "Library", "Preferences", "Inselnetz")
	default:
		return filepath.Join(orElse(os.Getenv("XDG_STATE_HOME"), filepath.Join(home, ".local", "state")), "inselnetz")
	}
}

// defaultLanguage follows the environment; German where it says nothing.
func defaultLanguage() string {
	for _, v := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if s := os.Getenv(v); strings.HasPrefix(s, "en") {
			return "en"
		} else if s != "" && s != "C" && s != "C.UTF-8" && s != "POSIX" {
			return "de"
		}
	}
	return "de"
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
