package main

import (
	"os"
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
