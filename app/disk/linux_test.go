//go:build linux

package disk_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"inselnetz/app/disk"
	"inselnetz/app/disk/disktest"
)

func TestSuiteOldKernel(t *testing.T) {
	disktest.Suite(t, func(t *testing.T) disk.FS {
		f, err := disk.OpenOld(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return f
	})
}

func TestSuitePortable(t *testing.T) {
	disktest.Suite(t, func(t *testing.T) disk.FS {
		f, err := disk.OpenPortable(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return f
	})
}

// TestHostileLinks swaps a directory for a link that leads out, again and
// again, while all calls go through it: outside nothing is read or changed.
func TestHostileLinks(t *testing.T) {
	for name, open := range map[string]func(string) (disk.FS, error){"linux": disk.Open, "old": disk.OpenOld, "portable": disk.OpenPortable} {
		t.Run(name, func(t *testing.T) {
			root, outside := t.TempDir(), t.TempDir()
			f, err := open(root)
			must(t, err)
			defer f.Close()
			for _, d := range []string{root + "/real/sub", outside + "/sub", root + "/other"} {
				must(t, os.MkdirAll(d, 0o755))
			}
			for _, p := range []string{"/file", "/sub/file"} {
				must(t, os.WriteFile(outside+p, []byte("secret"), 0o600))
			}
			before := picture(t, outside)
			must(t, os.Symlink(outside, root+"/trap"))
			must(t, os.Rename(root+"/real", root+"/dir"))
			stop := make(chan bool)
			var wg sync.WaitGroup
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default: // dir is a directory, then a link, then a directory
						unix.Renameat2(unix.AT_FDCWD, root+"/dir", unix.AT_FDCWD, root+"/trap", unix.RENAME_EXCHANGE)
					}
				}
			})
			rng := rand.New(rand.NewPCG(1, 1))
			through, blocked := 0, 0
			for range 6000 {
				dir := []string{"dir", "dir/sub"}[rng.IntN(2)]
				path := dir + "/" + []string{"file", "new", "x"}[rng.IntN(3)]
				var err error
				switch rng.IntN(16) {
				case 0, 1:
					var h disk.Handle
					if h, err = f.Create(path, 0); err == nil {
						h.WriteAt([]byte("ours"), 0)
						h.Mark(5, true)
						h.Close()
					}
				case 2:
					err = f.Remove(path)
				case 3:
					err = f.Mark(path, 1, true)
				case 4:
					touch(f, "other/f")
					err = f.Rename("other/f", path)
				case 5:
					err = f.Rename(path, "other/g")
				case 6:
					touch(f, "other/f")
					err = f.RenameNew("other/f", path)
				case 7:
					err = f.Mkdir(dir + "/newdir/deep")
				case 8:
					err = f.Symlink("x", path)
				case 9:
					touch(f, "other/f")
					err = f.Exchange(path, "other/f")
				case 10:
					var b []byte
					if b, _, err = f.Read(path, nil); string(b) == "secret" {
						t.Fatal("read outside")
					}
				case 11:
					var h disk.Handle
					if h, err = f.Edit(path); err == nil {
						h.WriteAt([]byte("edited"), 0)
						h.Close()
					}
				case 12:
					var l []disk.Info
					l, err = f.List(dir)
					for _, i := range l {
						if i.Size == 6 && i.Name == "file" && i.Kind == disk.File && !i.Exec && i.Time == before["/file"].Time {
							t.Fatal("listed outside")
						}
					}
				case 13:
					err = f.Remove(dir + "/newdir/deep")
				case 14:
					err = f.Clone(path, "other/h")
					f.Remove("other/h")
				case 15:
					var h disk.Handle
					if h, err = f.Open(path); err == nil {
						var b [6]byte
						h.ReadAt(b[:], 0)
						if string(b[:]) == "secret" {
							t.Fatal("opened outside")
						}
						h.Close()
					}
				}
				switch {
				case err == nil:
					through++
				case errors.Is(err, disk.ErrBlocked):
					blocked++
				}
			}
			close(stop)
			wg.Wait()
			after := picture(t, outside)
			if len(before) != len(after) {
				t.Error("names outside changed")
			}
			for p, i := range before {
				if after[p] != i {
					t.Errorf("%s was %+v and is %+v", p, i, after[p])
				}
			}
			t.Log(through, "went through,", blocked, "were blocked")
			if through == 0 || blocked == 0 {
				t.Error("nothing was tried")
			}
		})
	}
}

func touch(f disk.FS, path string) {
	if h, err := f.Create(path, 0); err == nil {
		h.Close()
	}
}

// TestBusy reads a file while somebody writes it.
func TestBusy(t *testing.T) {
	root := t.TempDir()
	f, err := disk.Open(root)
	must(t, err)
	defer f.Close()
	w, err := os.Create(root + "/file")
	must(t, err)
	w.WriteString("half")
	_, _, err = f.Read("file", nil)
	if !errors.Is(err, disk.ErrBusy) {
		t.Error("read while it is written:", err)
	}
	if _, err = f.Open("file"); !errors.Is(err, disk.ErrBusy) {
		t.Error("opened while it is written:", err)
	}
	// Held open for ever, as databases do.
	past := time.Now().Add(-disk.Quiet - time.Second)
	must(t, os.Chtimes(root+"/file", past, past))
	if disktest.Content(t, f, "file") != "half" {
		t.Error("not read")
	}
	w.WriteString("whole")
	w.Close()
	if s := disktest.Content(t, f, "file"); s != "halfwhole" {
		t.Error(s)
	}
	// Programs that open it in the moment of the look only wait for that.
	stop := make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if _, _, err := f.Read("file", nil); err != nil && !errors.Is(err, disk.ErrBusy) && !errors.Is(err, disk.ErrChanged) {
					t.Error(err)
				}
			}
		}
	})
	for range 2000 {
		w, err := os.OpenFile(root+"/file", os.O_WRONLY, 0)
		must(t, err)
		w.WriteString("x")
		w.Close()
	}
	close(stop)
	wg.Wait()
}

// TestPortableSyncs sees that an FS without a call for the whole disk flushes
// what was written, under its new name too, and says what it could not flush.
func TestPortableSyncs(t *testing.T) {
	root := t.TempDir()
	f, err := disk.OpenPortable(root)
	must(t, err)
	defer f.Close()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 50 {
				dir := fmt.Sprintf("d%d/%d", w, i%3)
				if err := f.Mkdir(dir); err != nil {
					t.Error(err)
				}
				tmp, path := fmt.Sprintf("tmp%d", w), fmt.Sprintf("%s/f%d", dir, i)
				h, err := f.Create(tmp, 0)
				if err != nil {
					t.Error(err)
					return
				}
				h.WriteAt([]byte("x"), 0)
				if i%5 == 0 {
					err = f.SyncAll() // while it is open
				}
				if err = errors.Join(err, h.Close(), f.Rename(tmp, path)); err != nil {
					t.Error(err)
				}
				if i%7 == 0 {
					if err := f.SyncAll(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	must(t, f.SyncAll())
	if n := disk.Unsaved(f); n != 0 {
		t.Error(n, "files or directories are not flushed")
	}
	touch(f, "gone")
	disktest.Write(t, f, "a/b", "x")
	must(t, f.Rename("a", "c"))
	if n := disk.Unsaved(f); n == 0 {
		t.Error("nothing to flush?")
	}
	must(t, os.Remove(root+"/c/b"))
	must(t, f.SyncAll()) // what the user removed needs no flush
	if n := disk.Unsaved(f); n != 0 {
		t.Error(n, "are not flushed")
	}
}

type look struct {
	disk.Info
	Content string
	Mode    fs.FileMode
}

func picture(t *testing.T, dir string) map[string]look {
	out := map[string]look{}
	f, err := disk.Open(dir)
	must(t, err)
	defer f.Close()
	must(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, p)
		if rel == "." {
			return err
		}
		i, err := f.Stat(rel)
		must(t, err)
		fi, err := os.Lstat(p)
		must(t, err)
		l := look{Info: i, Mode: fi.Mode()}
		if i.Kind == disk.File {
			b, _ := os.ReadFile(p)
			l.Content = string(b)
		}
		out["/"+rel] = l
		return nil
	}))
	return out
}
