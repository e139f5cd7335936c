package disk_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"inselnetz/app/disk"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until collects events until one of path and what comes.
func until(t *testing.T, w *disk.Watcher, path string, what disk.What) map[string]disk.What {
	t.Helper()
	seen := map[string]disk.What{}
	late := time.After(20 * time.Second)
	for {
		select {
		case events := <-w.C:
			done := false
			for _, e := range events {
				seen[e.Path] = e.What
				done = done || e.Path == path && e.What == what
			}
			if done {
				return seen
			}
		case <-late:
			t.Fatalf("%s %s did not come, but %v", what, path, seen)
		}
	}
}

func watching(t *testing.T, root string) (disk.FS, *disk.Watcher) {
	f, err := disk.Open(root)
	must(t, err)
	w := watch(t, f)
	if !w.Closes || w.Err() != nil {
		t.Error(w.Closes, w.Err())
	}
	return f, w
}

func watch(t *testing.T, f disk.FS) *disk.Watcher {
	t.Cleanup(func() { f.Close() })
	ctx, cancel := context.WithCancel(context.Background())
	w, err := disk.Watch(ctx, f)
	must(t, err)
	t.Cleanup(func() {
		cancel()
		for range w.C {
		}
	})
	return w
}

func TestWatch(t *testing.T) {
	root := t.TempDir()
	at := func(p string) string { return filepath.Join(root, p) }
	must(t, os.MkdirAll(at("old/deep"), 0o755))
	must(t, os.MkdirAll(at(disk.Hidden+"/tmp"), 0o755))
	f, w := watching(t, root)

	must(t, os.WriteFile(at("old/deep/a"), []byte("1"), 0o644))
	until(t, w, "old/deep/a", disk.Closed)

	h, err := os.OpenFile(at("old/deep/a"), os.O_WRONLY, 0)
	must(t, err)
	h.WriteString("2")
	until(t, w, "old/deep/a", disk.Touched)
	must(t, os.Chmod(at("old/deep/a"), 0o755)) // still being written
	until(t, w, "old/deep/a", disk.Touched)
	h.Close()
	until(t, w, "old/deep/a", disk.Closed)
	must(t, os.Chtimes(at("old/deep/a"), time.Unix(1, 0), time.Unix(1, 0)))
	until(t, w, "old/deep/a", disk.Closed) // nobody writes

	must(t, os.MkdirAll(at("new/x/y"), 0o755))
	must(t, os.WriteFile(at("new/x/y/f"), nil, 0o644))
	must(t, os.WriteFile(at("new/g"), nil, 0o644))
	seen := until(t, w, "new/g", disk.Closed)
	if seen["new/x/y/f"] != disk.Closed {
		seen = until(t, w, "new/x/y/f", disk.Closed)
	}
	must(t, os.WriteFile(at("new/x/y/h"), nil, 0o644))
	until(t, w, "new/x/y/h", disk.Closed)

	must(t, os.Rename(at("new/x"), at("old/z")))
	seen = until(t, w, "old/z", disk.Lost)
	if seen["new/x"] != disk.Gone {
		t.Error("the old name:", seen)
	}
	must(t, os.WriteFile(at("old/z/y/i"), nil, 0o644))
	until(t, w, "old/z/y/i", disk.Closed)
	must(t, os.Remove(at("old/z/y/i")))
	until(t, w, "old/z/y/i", disk.Gone)

	// Into the hidden directory and out of it, and exchanged with something there.
	must(t, os.WriteFile(at(disk.Hidden+"/tmp/t"), nil, 0o644))
	must(t, f.Exchange(disk.Hidden+"/tmp/t", "new/g"))
	must(t, f.RenameNew(disk.Hidden+"/tmp/t", "new/back"))
	seen = until(t, w, "new/back", disk.Closed)
	if what, ok := seen["new/g"]; ok && what != disk.Closed {
		t.Error("a file that was exchanged is", what)
	}
	must(t, f.Rename("old/z", disk.Hidden+"/z"))
	until(t, w, "old/z", disk.Gone)
	must(t, os.WriteFile(at(disk.Hidden+"/z/y/j"), nil, 0o644)) // not seen
	must(t, os.Symlink("nowhere", at("link")))
	must(t, os.Link(at("new/back"), at("hard")))
	seen = until(t, w, "hard", disk.Closed)
	if len(seen) > 2 || len(seen) == 2 && seen["link"] != disk.Closed {
		t.Error(seen)
	}
	// A directory from elsewhere on the disk, whole.
	other := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(other, "d/e"), 0o755))
	must(t, os.WriteFile(filepath.Join(other, "d/e/f"), nil, 0o644))
	must(t, os.Rename(filepath.Join(other, "d"), at("d")))
	seen = until(t, w, "d", disk.Closed)
	if len(seen) > 2 {
		t.Error("one event is enough:", seen)
	}
	must(t, os.WriteFile(at("d/e/g"), nil, 0o644))
	until(t, w, "d/e/g", disk.Closed)
	// A directory that somebody has open while it is removed and made again.
	open, err := os.Open(at("d/e"))
	must(t, err)
	defer open.Close()
	must(t, os.RemoveAll(at("d/e")))
	must(t, os.Mkdir(at("d/e"), 0o755))
	until(t, w, "d/e", disk.Closed)
	must(t, os.WriteFile(at("d/e/again"), nil, 0o644))
	until(t, w, "d/e/again", disk.Closed)

	must(t, os.Symlink(other, at("trap")))
	must(t, os.WriteFile(filepath.Join(other, "f"), nil, 0o644))
	must(t, os.RemoveAll(at("d")))
	seen = until(t, w, "d", disk.Gone)
	for p := range seen {
		if strings.HasPrefix(p, "trap/") {
			t.Error("a link was followed")
		}
	}
}

// TestWatchMirror keeps a copy of a tree by its events alone, while somebody
// does what comes to his mind.
func TestWatchMirror(t *testing.T) {
	t.Run("inotify", func(t *testing.T) { mirror(t, disk.Open) })
	t.Run("portable", func(t *testing.T) { mirror(t, disk.OpenPortable) })
}

func mirror(t *testing.T, open func(string) (disk.FS, error)) {
	for seed := range uint64(6) {
		if s := os.Getenv("SEED"); s != "" {
			seed, _ = strconv.ParseUint(s, 10, 64)
		}
		root, outside := t.TempDir(), t.TempDir()
		f, err := open(root)
		must(t, err)
		w := watch(t, f)
		stop := make(chan bool)
		go func() {
			defer close(stop)
			disturb(root, outside, rand.New(rand.NewPCG(seed, 1)))
		}()
		mirror := map[string]disk.Kind{}
		var refresh func(path string, deep bool)
		refresh = func(path string, deep bool) {
			i, err := f.Stat(path)
			if err != nil || deep {
				maps.DeleteFunc(mirror, func(p string, _ disk.Kind) bool { return p == path || strings.HasPrefix(p, path+"/") || path == "" })
			}
			if err != nil {
				return
			}
			mirror[path] = i.Kind
			if deep && i.Kind == disk.Dir {
				list, _ := f.List(path)
				for _, k := range list {
					if p := strings.TrimPrefix(path+"/"+k.Name, "/"); p != disk.Hidden {
						refresh(p, true)
					}
				}
			}
		}
		take := func(events []disk.Event) {
			for _, e := range events {
				if strings.HasPrefix(e.Path, disk.Hidden) {
					t.Error("event in the hidden directory:", e)
				}
				refresh(e.Path, true)
			}
		}
		for done := false; !done; {
			select {
			case events := <-w.C:
				take(events)
			case <-stop:
				done = true
			}
		}
		must(t, os.WriteFile(filepath.Join(root, "end"), nil, 0o644))
		for mirror["end"] == 0 {
			take(<-w.C)
		}
		real := map[string]disk.Kind{}
		filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			rel, _ := filepath.Rel(root, p)
			if rel == disk.Hidden {
				return filepath.SkipDir
			}
			if i, err := f.Stat(rel); err == nil && rel != "." {
				real[rel] = i.Kind
			}
			return nil
		})
		delete(mirror, "")
		if !maps.Equal(mirror, real) {
			t.Fatalf("SEED=%d: events gave\n%v, there is\n%v", seed, mirror, real)
		}
	}
}

func disturb(root, outside string, rng *rand.Rand) {
	name := func() string {
		s := root
		for range 1 + rng.IntN(3) {
			s += "/" + string('a'+rune(rng.IntN(4)))
		}
		if rng.IntN(15) == 0 {
			s = outside + "/" + string('a'+rune(rng.IntN(3)))
		}
		if rng.IntN(15) == 0 {
			s = root + "/" + disk.Hidden + "/" + string('a'+rune(rng.IntN(3)))
		}
		return s
	}
	os.Mkdir(root+"/"+disk.Hidden, 0o755)
	for range 3000 {
		switch p := name(); rng.IntN(8) {
		case 0:
			os.MkdirAll(p, 0o755)
		case 1:
			os.RemoveAll(p)
		case 2:
			os.Symlink("a", p)
		case 3, 4:
			os.Rename(p, name())
		default:
			os.WriteFile(p, []byte("x"), 0o644)
		}
	}
}

func TestWatchOverflow(t *testing.T) {
	root, err := os.MkdirTemp("/dev/shm", "watch") // many names: not on a disk if possible
	if err != nil {
		root = t.TempDir()
	}
	defer os.RemoveAll(root)
	_, w := watching(t, root)
	b, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		t.Skip(err)
	}
	queue, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	if queue > 50000 {
		t.Skip("queue of", queue)
	}
	// Much faster than it can be read: many names and no contents.
	for i := range 2 * queue {
		if err := os.Symlink("x", fmt.Sprintf("%s/%d", root, i)); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
	}
	must(t, os.MkdirAll(root+"/d/e", 0o755))
	must(t, os.WriteFile(root+"/d/e/f", nil, 0o644))
	seen := map[string]disk.What{}
	late := time.After(20 * time.Second)
	for seen["d/e/f"] == 0 && seen[""] != disk.Lost {
		select {
		case events := <-w.C:
			for _, e := range events {
				seen[e.Path] = e.What
			}
		case <-late:
			t.Fatal("neither the file nor that it was lost came")
		}
	}
	must(t, os.WriteFile(root+"/d/e/g", nil, 0o644))
	until(t, w, "d/e/g", disk.Closed)
}
