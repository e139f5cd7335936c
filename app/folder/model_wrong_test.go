package folder_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"inselnetz/app/disk"
)

// A mistake makes a disk that does something wrong, so that the engine on it is
// like one with that mistake.
type mistake func(p *peer) disk.FS

// TestModelSeesMistakes holds the model against engines with known mistakes: it
// must find them.
func TestModelSeesMistakes(t *testing.T) {
	for name, wrong := range map[string]mistake{
		"nothing is flushed":             func(p *peer) disk.FS { return &unflushed{p.fs, true, true} },
		"contents are not flushed":       func(p *peer) disk.FS { return &unflushed{p.fs, true, false} },
		"names are not flushed":          func(p *peer) disk.FS { return &unflushed{p.fs, false, true} },
		"files are written in place":     func(p *peer) disk.FS { return &inPlace{p.fs} },
		"reading does not see changes":   func(p *peer) disk.FS { return &careless{p.fs} },
		"what is replaced is not looked": func(p *peer) disk.FS { return &blind{p.fs, map[string]disk.Info{}} },
		"what was there is not kept":     func(p *peer) disk.FS { return &forgetful{p.fs} },
		"a full disk is not told":        func(p *peer) disk.FS { return &boastful{p.fs} },
	} {
		t.Run(name, func(t *testing.T) {
			const most = 300
			for seed := range int64(most) {
				if w := live(seed, wrong); w.broken != "" && live(seed, nil).broken == "" {
					t.Logf("SEED=%d: %s", seed, w.broken)
					return
				}
			}
			t.Errorf("not found in %d worlds", most)
		})
	}
}

// unflushed says it made durable what it did not.
type unflushed struct {
	disk.FS
	contents, names bool
}

type unflushedFile struct{ disk.Handle }

func (unflushedFile) Sync() error { return nil }

func (h unflushedFile) CopyFrom(src disk.Handle, off, n int64) error {
	if s, ok := src.(unflushedFile); ok {
		src = s.Handle
	}
	return h.Handle.CopyFrom(src, off, n)
}

func (f *unflushed) wrap(h disk.Handle, err error) (disk.Handle, error) {
	if err != nil || !f.contents {
		return h, err
	}
	return unflushedFile{h}, nil
}

func (f *unflushed) Open(path string) (disk.Handle, error) { return f.wrap(f.FS.Open(path)) }
func (f *unflushed) Edit(path string) (disk.Handle, error) { return f.wrap(f.FS.Edit(path)) }
func (f *unflushed) Create(path string, size int64) (disk.Handle, error) {
	return f.wrap(f.FS.Create(path, size))
}

func (f *unflushed) SyncDir(dir string) error {
	if f.names {
		return nil
	}
	return f.FS.SyncDir(dir)
}

func (f *unflushed) SyncAll() error { return nil }

// inPlace writes into files that the user sees.
type inPlace struct{ disk.FS }

func isHidden(path string) bool { return strings.HasPrefix(path, disk.Hidden) }

func (f *inPlace) Exchange(a, b string) error { return errors.ErrUnsupported }

func (f *inPlace) Rename(from, to string) error {
	b, in, err := f.FS.Read(from, nil)
	if err != nil || !isHidden(from) || isHidden(to) {
		return f.FS.Rename(from, to)
	}
	h, err := f.FS.Create(to, 0)
	if errors.Is(err, fs.ErrExist) {
		h, err = f.FS.Edit(to)
	}
	if err != nil {
		return err
	}
	_, e1 := h.WriteAt(b[:len(b)/2], 0)
	_, e2 := h.WriteAt(b[len(b)/2:], int64(len(b)/2))
	return errors.Join(e1, e2, h.Truncate(int64(len(b))), h.Mark(in.Time, in.Exec), h.Sync(), h.Close(), f.FS.Remove(from))
}

func (f *inPlace) RenameNew(from, to string) error {
	if _, err := f.FS.Stat(to); err == nil {
		return fs.ErrExist
	}
	if in, err := f.FS.Stat(from); err == nil && in.Kind == disk.File && isHidden(from) && !isHidden(to) {
		return f.Rename(from, to)
	}
	return f.FS.RenameNew(from, to)
}

// careless does not notice what changes while it reads.
type careless struct{ disk.FS }

func (f *careless) Read(path string, buf []byte) ([]byte, disk.Info, error) {
	h, err := f.FS.Open(path)
	if err != nil {
		return buf, disk.Info{}, err
	}
	defer h.Close()
	in, err := h.Stat()
	if err != nil {
		return buf, in, err
	}
	b := make([]byte, in.Size)
	if n, _ := h.ReadAt(b[:len(b)/2], 0); n < len(b)/2 {
		return buf, in, disk.ErrChanged
	}
	if n, _ := h.ReadAt(b[len(b)/2:], int64(len(b)/2)); n < len(b)-len(b)/2 {
		return buf, in, disk.ErrChanged
	}
	return append(buf, b...), in, nil
}

// blind takes files to be as they were when last listed.
type blind struct {
	disk.FS
	were map[string]disk.Info
}

func (f *blind) List(dir string) ([]disk.Info, error) {
	list, err := f.FS.List(dir)
	for _, in := range list {
		path := in.Name
		if dir != "" {
			path = dir + "/" + path
		}
		f.were[path] = in
	}
	return list, err
}

func (f *blind) Stat(path string) (disk.Info, error) {
	in, err := f.FS.Stat(path)
	if was, ok := f.were[path]; ok && err == nil && was.Kind == in.Kind && in.Kind == disk.File {
		return was, nil
	}
	return in, err
}

// moved takes along what was seen of a file.
func (f *blind) moved(from, to string) {
	was, ok := f.were[from]
	delete(f.were, from)
	delete(f.were, to)
	if ok {
		f.were[to] = was
	}
}

func (f *blind) Rename(from, to string) error {
	err := f.FS.Rename(from, to)
	if err == nil {
		f.moved(from, to)
	}
	return err
}

func (f *blind) RenameNew(from, to string) error {
	err := f.FS.RenameNew(from, to)
	if err == nil {
		f.moved(from, to)
	}
	return err
}

func (f *blind) Exchange(a, b string) error {
	err := f.FS.Exchange(a, b)
	if err == nil {
		x, y := f.were[a], f.were[b]
		f.were[a], f.were[b] = y, x
		for _, p := range []string{a, b} {
			if f.were[p] == (disk.Info{}) {
				delete(f.were, p)
			}
		}
	}
	return err
}

// forgetful loses what a file was when it is replaced or removed.
type forgetful struct{ disk.FS }

func (f *forgetful) lose(path string) {
	if h, err := f.FS.Edit(path); err == nil {
		if in, err := h.Stat(); err == nil && in.Size > 0 {
			h.WriteAt([]byte{0}, in.Size/2)
			h.Mark(in.Time, in.Exec)
		}
		h.Close()
	}
}

func (f *forgetful) Exchange(a, b string) error {
	err := f.FS.Exchange(a, b)
	if err == nil {
		f.lose(a)
	}
	return err
}

func (f *forgetful) Rename(from, to string) error {
	err := f.FS.Rename(from, to)
	if err == nil && !isHidden(from) && isHidden(to) {
		f.lose(to)
	}
	return err
}

// boastful says it wrote what the full disk did not take.
type boastful struct{ disk.FS }

type boastfulFile struct{ disk.Handle }

func (h boastfulFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := h.Handle.WriteAt(p, off)
	if errors.Is(err, disk.ErrFull) {
		return len(p), nil
	}
	return n, err
}

func (h boastfulFile) CopyFrom(src disk.Handle, off, n int64) error {
	if s, ok := src.(boastfulFile); ok {
		src = s.Handle
	}
	return h.Handle.CopyFrom(src, off, n)
}

func (f *boastful) Create(path string, size int64) (disk.Handle, error) {
	h, err := f.FS.Create(path, size)
	if err != nil {
		return h, err
	}
	return boastfulFile{h}, nil
}

func (f *boastful) Open(path string) (disk.Handle, error) { return f.FS.Open(path) }
