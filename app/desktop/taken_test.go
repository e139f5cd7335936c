package desktop

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// TestTaken: what a directory holds comes with its place, and only tokens that
// were given open something.
func TestTaken(t *testing.T) {
	top := filepath.Join(t.TempDir(), "Akten")
	for _, d := range []string{"Behrens/leer", "Behrens/Anlagen"} {
		if err := os.MkdirAll(filepath.Join(top, filepath.FromSlash(d)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"Behrens/Anlagen/K1.txt": "eins", "Liste.txt": "", "draußen.txt": "x"} {
		if err := os.WriteFile(filepath.Join(top, filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if runtime.GOOS != "windows" { // a link in a directory could lead anywhere
		if err := os.Symlink("/etc/hostname", filepath.Join(top, "Behrens", "Verweis")); err != nil {
			t.Fatal(err)
		}
	}
	var taken Taken
	got, err := taken.Take([]string{top, filepath.Join(top, "Liste.txt")})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range got.Files {
		paths = append(paths, f.Path)
	}
	if want := []string{"Akten/Behrens/Anlagen/K1.txt", "Akten/Liste.txt", "Akten/draußen.txt", "Liste.txt"}; !slices.Equal(paths, want) {
		t.Errorf("files %q, want %q", paths, want)
	}
	if !slices.Equal(got.Empty, []string{"Akten/Behrens/leer"}) {
		t.Errorf("empty %q", got.Empty)
	}
	f, info, err := taken.Open(got.Files[0].Token)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if text, err := io.ReadAll(f); string(text) != "eins" || err != nil || info.Size() != got.Files[0].Size || info.ModTime().UnixMilli() != got.Files[0].Time {
		t.Errorf("%q, %v, %d bytes", text, err, info.Size())
	}
	for _, token := range []string{"", "../Liste.txt", top} {
		if _, _, err := taken.Open(token); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("token %q: %v", token, err)
		}
	}
	if _, err := taken.Take([]string{filepath.Join(top, "fehlt")}); err == nil {
		t.Error("a file that is not there was taken")
	}
}
