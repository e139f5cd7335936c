package app

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
	"inselnetz/mesh"
)

func TestWhispersOfFiles(t *testing.T) {
	kept := map[log.LogID]uint64{}
	for i := range 1000 {
		kept[log.LogID{byte(i), byte(i >> 8)}] = uint64(i) * uint64(i)
	}
	got := map[log.LogID]uint64{}
	for _, part := range encodeKept(kept) {
		if len(part) > mesh.MaxWhisper {
			t.Errorf("a whisper of %d bytes", len(part))
		}
		some, err := decodeKept(part)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(got, some)
	}
	if !maps.Equal(got, kept) {
		t.Errorf("%d of %d arrive", len(got), len(kept))
	}
	paths := []string{"Brief.docx", "Akte Müller/Ä.odt", strings.Repeat("x", 1000)}
	if got, err := decodeOpen(encodeOpen(paths)); err != nil || !slices.Equal(got, paths) {
		t.Errorf("open files arrive as %q, %v", got, err)
	}
	many := slices.Repeat([]string{strings.Repeat("x", 1000)}, 100)
	if b := encodeOpen(many); len(b) > mesh.MaxWhisper {
		t.Errorf("a whisper of %d bytes", len(b))
	}
}

func FuzzWhispersOfFiles(f *testing.F) {
	f.Add(encodeOpen([]string{"a", "b"}))
	f.Add(encodeKept(map[log.LogID]uint64{{1}: 5})[0])
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if paths, err := decodeOpen(b); err == nil && len(paths) > maxOpen {
			t.Errorf("%d paths", len(paths))
		}
		if kept, err := decodeKept(b); err == nil && len(b) > 0 && len(kept) == 0 {
			t.Error("something that says nothing")
		}
	})
}

// Whatever people call spaces and files, a name made of it can be stored
// everywhere.
func TestFileName(t *testing.T) {
	for in, want := range map[string]string{
		"Kanzlei Petersen & Wolf": "Kanzlei Petersen & Wolf", "": "Inselnetz", "..": "Inselnetz", "CON": "CON_", "a/b\\c": "a-b-c",
		"Was? Wie: so*": "Was- Wie- so", "  Akte.  ": "Akte", "\x00\x1f": "Inselnetz", strings.Repeat("ä", 200): strings.Repeat("ä", 50),
	} {
		got := fileName(in)
		if got != want {
			t.Errorf("fileName(%q) = %q, want %q", in, got, want)
		}
		if p := tree.Storable(got, tree.Windows); p != 0 || tree.CheckPath(got) != nil {
			t.Errorf("fileName(%q) = %q cannot be stored: %v, %v", in, got, p, tree.CheckPath(got))
		}
	}
}

func TestLiesIn(t *testing.T) {
	base := filepath.Join(t.TempDir(), "a")
	for dir, want := range map[string]bool{
		base: true, filepath.Join(base, "b"): true, base + "b": false, filepath.Dir(base): false, filepath.Join(base, "..", "c"): false,
	} {
		if got := liesIn(dir, base); got != want {
			t.Errorf("liesIn(%q, %q) = %v", dir, base, got)
		}
	}
}

// A second file of a name gets a free one.
func TestFreeName(t *testing.T) {
	tr := tree.New()
	add := func(i int, p string) {
		tr.Add(tree.Known{ID: tree.VersionID{Log: log.LogID{1}, Seq: uint64(i)}, Version: tree.Version{Path: p, Kind: tree.File}})
	}
	for i, p := range []string{"a/Brief.docx", "a/Brief (2).docx", ".profil", "ohne"} {
		add(i+1, p)
	}
	for in, want := range map[string]string{"a/Brief.docx": "a/Brief (3).docx", ".profil": ".profil (2)", "ohne": "ohne (2)"} {
		if got := freeName(tr, in); got != want {
			t.Errorf("freeName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestDecodeKeptRefuses(t *testing.T) {
	good := encodeKept(map[log.LogID]uint64{{1}: 300})[0]
	for _, b := range [][]byte{good[:16], good[:17], append(bytes.Clone(good), 0), append(make([]byte, 16), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)} {
		if _, err := decodeKept(b); err == nil {
			t.Errorf("%x is taken", b)
		}
	}
}
