package disktest

import (
	"errors"
	"io/fs"
	"testing"

	"inselnetz/app/disk"
)

// Make implements disk.Maker.
func (f *FS) Make() (disk.Nameless, error) {
	if f.s.opts.NoNameless {
		return nil, failed("Make", "", errors.ErrUnsupported)
	}
	if err := f.enter("Make", ""); err != nil {
		return nil, err
	}
	defer f.leave()
	if f.s.used >= f.s.opts.Total {
		return nil, failed("Make", "", disk.ErrFull)
	}
	n := f.s.make(disk.File)
	n.savedMeta = n.meta
	h := &nameless{handle: handle{fs: f, n: n, write: true}}
	f.opened(&h.handle)
	return h, nil
}

type nameless struct {
	handle
	named bool
}

// Name implements disk.Nameless.
func (h *nameless) Name(path string) error {
	if h.closed.Load() {
		return failed("Name", path, fs.ErrClosed)
	}
	if err := h.fs.enter("Name", path); err != nil {
		return err
	}
	defer h.leave()
	dir, name, n, err := h.fs.s.find(path)
	if err == nil && n != nil {
		err = fs.ErrExist
	}
	if err != nil {
		return failed("Name", path, err)
	}
	h.fs.s.link(assign{dir, name, h.n})
	h.path, h.named = path, true
	return nil
}

// Close implements disk.Handle.
func (h *nameless) Close() error {
	err := h.handle.Close()
	h.fs.s.mu.Lock()
	defer h.fs.s.mu.Unlock()
	if !h.named && !errors.Is(err, fs.ErrClosed) && !h.fs.Dead() {
		h.fs.s.used -= int64(len(h.n.data))
		delete(h.fs.s.dirty, h.n)
	}
	return err
}

func suiteNameless(t *testing.T, f disk.FS) {
	m, ok := f.(disk.Maker)
	if !ok {
		return // this kind of disk does not claim it
	}
	must(t, f.Mkdir(disk.Hidden))
	if h, err := m.Make(); errors.Is(err, errors.ErrUnsupported) {
		return // nor this one
	} else {
		must(t, err)
		must(t, h.Close())
	}
	whole := func(content string) disk.Nameless {
		h, err := m.Make()
		must(t, err)
		_, err = h.WriteAt([]byte(content), 0)
		must(t, err)
		must(t, h.Mark(1e18, true))
		return h
	}
	must(t, f.Mkdir("d"))
	h := whole("new")
	want(t, h.Name("nowhere/f"), fs.ErrNotExist)
	before, err := h.Stat()
	must(t, err)
	must(t, h.Name("d/f"))
	must(t, f.SyncAll())
	must(t, h.Close())
	after, err := f.Stat("d/f")
	must(t, err)
	if before.Name = "f"; before != after || Content(t, f, "d/f") != "new" {
		t.Errorf("it was %+v and is %+v", before, after)
	}
	h = whole("other")
	want(t, h.Name("d/f"), fs.ErrExist)
	want(t, h.Name("d"), fs.ErrExist)
	must(t, h.Name("d/g"))
	must(t, h.Close())
	must(t, whole("given up").Close())
	if list, err := f.List("d"); err != nil || len(list) != 2 || Content(t, f, "d/f") != "new" {
		t.Error(list, err)
	}
}
