//go:build !windows

package desktop

import (
	"os"
	"path/filepath"
	"testing"
)

// TestAutostartFile: the state is the file's, also when somebody else changes it.
func TestAutostartFile(t *testing.T) {
	a := Autostart{Program: "/usr/lib/inselnetz/inselnetz", Args: []string{"--hidden"}, dir: filepath.Join(t.TempDir(), "new", "autostart")}
	is := func(want bool) {
		t.Helper()
		if on, err := a.On(); err != nil || on != want {
			t.Fatalf("on %v, %v; want %v", on, err, want)
		}
	}
	set := func(on bool) {
		t.Helper()
		if err := a.Set(on); err != nil {
			t.Fatal(err)
		}
	}
	is(false)
	set(false)
	set(true)
	is(true)
	path, _, err := a.file()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	is(false)
	set(true)
	is(true)
	set(false)
	is(false)
}
