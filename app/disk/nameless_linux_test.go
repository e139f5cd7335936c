package disk_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"inselnetz/app/disk"
)

func named(t *testing.T, f disk.FS, path string) error {
	t.Helper()
	h, err := f.(disk.Maker).Make()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("not on this disk")
	}
	must(t, err)
	_, err = h.WriteAt([]byte("x"), 0)
	must(t, err)
	err = h.Name(path)
	must(t, h.Close())
	return err
}

// TestNamelessIsNotTold gives names and hears nothing of it, but of all that
// others do under these names.
func TestNamelessIsNotTold(t *testing.T) {
	root := t.TempDir()
	at := func(p string) string { return filepath.Join(root, p) }
	must(t, os.MkdirAll(at("d"), 0o755))
	must(t, os.MkdirAll(at(disk.Hidden), 0o755))
	f, w := watching(t, root)
	for _, p := range []string{"d/own", "d/written", "d/gone", "d/again"} {
		must(t, named(t, f, p))
	}
	must(t, os.WriteFile(at("d/written"), []byte("y"), 0o644))
	must(t, os.Remove(at("d/gone")))
	must(t, os.Remove(at("d/again")))
	must(t, unix.Link(at("d/own"), at("d/again")))
	must(t, os.WriteFile(at("d/taken"), nil, 0o644))
	if err := named(t, f, "d/taken"); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	must(t, os.WriteFile(at("end"), nil, 0o644))
	seen := until(t, w, "end", disk.Closed)
	if _, told := seen["d/own"]; told {
		t.Error("told of an own name")
	}
	if seen["d/written"] != disk.Closed || seen["d/gone"] != disk.Gone || seen["d/again"] != disk.Closed || seen["d/taken"] != disk.Closed {
		t.Error(seen)
	}
	must(t, os.Remove(at("d/taken")))
	must(t, unix.Link(at("d/own"), at("d/taken"))) // the name that was refused is not expected any more
	until(t, w, "d/taken", disk.Closed)
}
