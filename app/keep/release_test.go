package keep

import (
	"errors"
	"io/fs"
	"testing"

	"inselnetz/app/disk/disktest"
)

// What Release gave away may be changed: after a crash at any call no content is
// under its name that is not what it says.
func TestRelease(t *testing.T) {
	data, sum := content(10) // loose
	small, other := content(2)
	for step := 1; ; step++ {
		mem := disktest.New(uint64(step), disktest.Options{})
		s, err := Open(mem, "keep", Options{Small: 1000})
		must(t, err)
		must(t, s.Put(sum, data))
		must(t, s.Put(other, small))
		if err := s.Release(sum, "file"); !errors.Is(err, ErrNone) {
			t.Fatalf("released before it was durable: %v", err)
		}
		must(t, s.Sync())
		if err := s.Release(other, "file"); !errors.Is(err, ErrNone) {
			t.Fatalf("released out of a pack: %v", err)
		}
		calls := 0
		mem.At = func(string, string) {
			if calls++; calls == step {
				mem.Kill()
			}
		}
		err = s.Release(sum, "file")
		if err == nil {
			if h, err := mem.Edit("file"); err == nil {
				h.WriteAt([]byte("something else"), 0)
				h.Sync()
				h.Close()
			}
		}
		alive := !mem.Dead()
		if _, ok := s.Has(sum); alive && ok {
			t.Error("it is still there")
		}
		mem = mem.Crash()
		s, err = Open(mem, "keep", Options{Small: 1000})
		must(t, err)
		if got, err := get(s, sum); err == nil && string(got) != string(data) {
			t.Fatalf("after a crash at call %d the content is another", step)
		} else if err != nil {
			if _, serr := mem.Stat("file"); errors.Is(serr, fs.ErrNotExist) {
				t.Fatalf("after a crash at call %d both names are gone", step)
			}
		}
		if alive {
			return
		}
	}
}
