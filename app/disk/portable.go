package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// portable is an FS by os.Root, which keeps every path below the root. Of links
// within the root it sees to itself.
type portable struct {
	root *os.Root
	name string

	foldOnce sync.Once
	folds    bool

	syncing sync.Mutex // one SyncAll at a time: the second must not return before the first

	mu      sync.Mutex
	changes int64
	unsaved map[string]int64       // files written and not flushed, by path, with the number of the change
	dirs    map[string]int64       // directories whose names are not flushed
	open    map[*portableFile]bool // files open for writing
}

func openPortable(root string) (FS, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, failure("open", root, err)
	}
	return &portable{root: r, name: root, unsaved: map[string]int64{}, dirs: map[string]int64{}, open: map[*portableFile]bool{}}, nil
}

// failure makes an Error of what the os package says.
func failure(op, path string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := err.(*Error); ok {
		return err
	}
	for _, k := range []error{
		ErrBlocked, ErrNotFile, ErrChanged, ErrLarge, ErrDenied, ErrNotEmpty, errors.ErrUnsupported, fs.ErrInvalid, io.ErrUnexpectedEOF,
	} {
		if err == k {
			return &Error{Op: op, Path: path, Kind: k}
		}
	}
	k := systemKind(err)
	for _, std := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrClosed} {
		if k == nil && errors.Is(err, std) {
			k = std
		}
	}
	if k == nil && errors.Is(err, fs.ErrPermission) {
		k = ErrDenied
	}
	var pe *fs.PathError
	var le *os.LinkError
	if errors.As(err, &pe) {
		err = pe.Err
	} else if errors.As(err, &le) {
		err = le.Err
	}
	return &Error{Op: op, Path: path, Kind: k, Err: err}
}

// parents sees that a path leads through directories only.
func (p *portable) parents(path string) error {
	if !Valid(path) {
		return fs.ErrInvalid
	}
	for i := range len(path) {
		if path[i] != '/' {
			continue
		}
		fi, err := p.root.Lstat(path[:i])
		if err != nil {
			return err
		}
		if !fi.IsDir() {
			return ErrBlocked
		}
	}
	return nil
}

func (p *portable) local(path string) string {
	if path == "" {
		return "."
	}
	return path
}

func (p *portable) lstat(path string) (fs.FileInfo, error) {
	if err := p.parents(path); err != nil {
		return nil, err
	}
	return p.root.Lstat(p.local(path))
}

func infoOf(name string, fi fs.FileInfo) Info {
	i := Info{Name: name, Time: fi.ModTime().UnixNano(), Inode: inodeOf(fi)}
	switch m := fi.Mode(); {
	case m.IsRegular():
		i.Kind, i.Size, i.Exec = File, fi.Size(), hasExec && m&0o100 != 0
	case m.IsDir():
		i.Kind = Dir
	case m&fs.ModeSymlink != 0:
		i.Kind = Link
	}
	return i
}

func (p *portable) List(dir string) ([]Info, error) {
	fi, err := p.lstat(dir)
	if err == nil && !fi.IsDir() {
		err = ErrBlocked
	}
	if err != nil {
		return nil, failure("list", dir, err)
	}
	d, err := p.root.Open(p.local(dir))
	if err != nil {
		return nil, failure("list", dir, err)
	}
	defer d.Close()
	all, err := d.Readdir(-1) // what vanished meanwhile is left out
	if err != nil {
		return nil, failure("list", dir, err)
	}
	out := make([]Info, len(all))
	for i, fi := range all {
		out[i] = infoOf(fi.Name(), fi)
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (p *portable) Stat(path string) (Info, error) {
	fi, err := p.lstat(path)
	if err != nil {
		return Info{}, failure("stat", path, err)
	}
	_, name := Split(path)
	return infoOf(name, fi), nil
}

// file opens a file and nothing else.
func (p *portable) file(path string, flag int) (*os.File, fs.FileInfo, error) {
	was, err := p.lstat(path)
	if err == nil && !was.Mode().IsRegular() {
		err = ErrNotFile
	}
	if err != nil {
		return nil, nil, err
	}
	f, err := p.root.OpenFile(path, flag|nonblock, 0)
	if err != nil {
		return nil, nil, err
	}
	fi, err := f.Stat()
	if err == nil && !os.SameFile(was, fi) {
		err = ErrChanged
	}
	if err == nil && flag == os.O_RDONLY && time.Since(fi.ModTime()).Abs() < Quiet && !hidden(path) {
		err = writer(f)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, fi, nil
}

func (p *portable) Read(path string, buf []byte) ([]byte, Info, error) {
	f, before, err := p.file(path, os.O_RDONLY)
	if err != nil {
		return buf, Info{}, failure("read", path, err)
	}
	defer f.Close()
	_, name := Split(path)
	i := infoOf(name, before)
	if i.Size > ReadMax {
		return buf, i, failure("read", path, ErrLarge)
	}
	out := slices.Grow(buf, int(i.Size))[:len(buf)+int(i.Size)]
	if _, err := io.ReadFull(f, out[len(buf):]); err == io.EOF || err == io.ErrUnexpectedEOF {
		return buf, i, failure("read", path, ErrChanged)
	} else if err != nil {
		return buf, i, failure("read", path, err)
	}
	after, err := f.Stat()
	if err == nil && (after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime())) {
		err = ErrChanged
	}
	if err != nil {
		return buf, i, failure("read", path, err)
	}
	return out, i, nil
}

func (p *portable) Open(path string) (Handle, error) {
	f, _, err := p.file(path, os.O_RDONLY)
	if err != nil {
		return nil, failure("open", path, err)
	}
	return &portableFile{f: f, fs: p, path: path}, nil
}

func (p *portable) Edit(path string) (Handle, error) {
	f, _, err := p.file(path, os.O_RDWR)
	if err != nil {
		return nil, failure("edit", path, err)
	}
	return p.writing(f, path), nil
}

func (p *portable) writing(f *os.File, path string) Handle {
	h := &portableFile{f: f, fs: p, path: path, write: true}
	p.mu.Lock()
	p.open[h] = true
	p.mu.Unlock()
	return h
}

func (p *portable) Create(path string, size int64) (Handle, error) {
	if err := p.parents(path); err != nil {
		return nil, failure("create", path, err)
	}
	f, err := p.root.OpenFile(p.local(path), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, failure("create", path, err)
	}
	if size > reserveAbove {
		if err := reserve(f, size); systemKind(err) == ErrFull || systemKind(err) == ErrLarge {
			f.Close()
			p.Remove(path)
			return nil, failure("create", path, err)
		}
	}
	p.named(path)
	return p.writing(f, path), nil
}

// change numbers a change. The caller has mu.
func (p *portable) change() int64 {
	p.changes++
	return p.changes
}

// named notes that the directory of a path changed.
func (p *portable) named(paths ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, path := range paths {
		dir, _ := Split(path)
		p.dirs[dir] = p.change()
	}
}

func (p *portable) Mkdir(path string) error {
	if path == "" {
		return nil
	}
	if err := p.parents(path); errors.Is(err, fs.ErrNotExist) && err != ErrBlocked {
		dir, _ := Split(path)
		if err := p.Mkdir(dir); err != nil {
			return err
		}
	} else if err != nil {
		return failure("mkdir", path, err)
	}
	err := p.root.Mkdir(path, 0o777)
	if errors.Is(err, fs.ErrExist) {
		fi, err := p.root.Lstat(path)
		if err == nil && !fi.IsDir() {
			err = ErrBlocked
		}
		return failure("mkdir", path, err)
	}
	p.named(path)
	return failure("mkdir", path, err)
}

func (p *portable) Remove(path string) error {
	if path == "" {
		return failure("remove", path, ErrDenied)
	}
	err := p.parents(path)
	if err == nil {
		err = p.root.Remove(path)
	}
	if err == nil {
		p.mu.Lock()
		delete(p.unsaved, path)
		p.mu.Unlock()
		p.named(path)
	}
	return failure("remove", path, err)
}

func (p *portable) Symlink(target, path string) error {
	err := p.parents(path)
	if err == nil {
		err = p.root.Symlink(target, p.local(path))
		p.named(path)
	}
	return failure("symlink", path, err)
}

func (p *portable) Readlink(path string) (string, error) {
	err := p.parents(path)
	if err != nil {
		return "", failure("readlink", path, err)
	}
	target, err := p.root.Readlink(p.local(path))
	return target, failure("readlink", path, err)
}

func (p *portable) Mark(path string, t int64, exec bool) error {
	fi, err := p.lstat(path)
	if err != nil {
		return failure("mark", path, err)
	}
	if fi.Mode().IsRegular() && hasExec && (fi.Mode()&0o100 != 0) != exec {
		mode := fi.Mode().Perm() &^ 0o111
		if exec {
			mode |= 0o100 | (mode&0o444)>>2
		}
		if err := p.root.Chmod(path, mode); err != nil {
			return failure("mark", path, err)
		}
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		return nil // Chtimes would go through it
	}
	return failure("mark", path, p.root.Chtimes(p.local(path), time.Unix(0, t), time.Unix(0, t)))
}

// moved follows files that are not flushed to their new names.
func (p *portable) moved(from, to string) {
	p.named(from, to)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range []map[string]int64{p.unsaved, p.dirs} {
		for path, n := range m {
			if rest, ok := strings.CutPrefix(path, from); ok && (rest == "" || rest[0] == '/') {
				delete(m, path)
				m[to+rest] = max(n, m[to+rest])
			}
		}
	}
}

func (p *portable) ends(op, from, to string) error {
	if from == "" || to == "" {
		return failure(op, to, ErrDenied)
	}
	if err := p.parents(from); err != nil {
		return failure(op, from, err)
	}
	return failure(op, to, p.parents(to))
}

func (p *portable) Rename(from, to string) error {
	if err := p.ends("rename", from, to); err != nil {
		return err
	}
	if fi, err := p.root.Lstat(to); err == nil && fi.IsDir() {
		if was, err := p.root.Lstat(from); err == nil && !was.IsDir() {
			return failure("rename", to, ErrNotFile)
		}
	}
	if err := p.root.Rename(from, to); err != nil {
		return failure("rename", to, err)
	}
	p.moved(from, to)
	return nil
}

func (p *portable) RenameNew(from, to string) error {
	if err := p.ends("rename", from, to); err != nil {
		return err
	}
	if err := renameNew(p, from, to); err != nil {
		return failure("rename", to, err)
	}
	p.moved(from, to)
	return nil
}

// renameSlowly is renameNew where there is no call for it: somebody may take
// the name between our look and our rename.
func renameSlowly(p *portable, from, to string) error {
	if fi, err := p.root.Lstat(to); err == nil {
		was, err := p.root.Lstat(from)
		if err != nil {
			return err
		}
		if !os.SameFile(was, fi) { // else the case of its letters
			return fs.ErrExist
		}
	}
	return p.root.Rename(from, to)
}

func (p *portable) Exchange(a, b string) error {
	if err := p.ends("exchange", a, b); err != nil {
		return err
	}
	if err := exchange(p, a, b); err != nil {
		return failure("exchange", b, err)
	}
	p.named(a, b)
	p.mu.Lock()
	if n := max(p.unsaved[a], p.unsaved[b]); n > 0 {
		p.unsaved[a], p.unsaved[b] = n, n
	}
	p.mu.Unlock()
	return nil
}

func (p *portable) Clone(from, to string) error {
	if err := p.ends("clone", from, to); err != nil {
		return err
	}
	if err := clone(p, from, to); err != nil {
		return failure("clone", to, err)
	}
	p.named(to)
	p.mu.Lock()
	p.unsaved[to] = p.change()
	p.mu.Unlock()
	return nil
}

func (p *portable) Space() (free, total int64, err error) {
	free, total, err = space(p.name)
	return free, total, failure("space", "", err)
}

func (p *portable) Folds() bool {
	p.foldOnce.Do(func() { p.folds = probeFolds(p) })
	return p.folds
}

func (p *portable) Hide(path string) error {
	if err := p.parents(path); err != nil {
		return failure("hide", path, err)
	}
	return failure("hide", path, hide(p, path))
}

func (p *portable) Close() error { return failure("close", "", p.root.Close()) }

type portableFile struct {
	f     *os.File
	fs    *portable
	path  string
	write bool
	// Number of writes, and how many of them are flushed.
	writes, saved atomic.Int64
}

func (h *portableFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := h.f.ReadAt(b, off)
	if err == io.EOF {
		return n, err
	}
	return n, failure("read", h.path, err)
}

func (h *portableFile) WriteAt(b []byte, off int64) (int, error) {
	if !h.write {
		return 0, failure("write", h.path, ErrDenied)
	}
	h.writes.Add(1)
	n, err := h.f.WriteAt(b, off)
	return n, failure("write", h.path, err)
}

func (h *portableFile) Stat() (Info, error) {
	fi, err := h.f.Stat()
	if err != nil {
		return Info{}, failure("stat", h.path, err)
	}
	_, name := Split(h.path)
	return infoOf(name, fi), nil
}

func (h *portableFile) Truncate(size int64) error {
	h.writes.Add(1)
	return failure("truncate", h.path, h.f.Truncate(size))
}

func (h *portableFile) CopyFrom(src Handle, off, n int64) error {
	return copyRange(h, src, off, n)
}

func (h *portableFile) Shares(Handle) ([]Range, error) {
	return nil, failure("compare", h.path, errors.ErrUnsupported)
}

func (h *portableFile) Mark(t int64, exec bool) error {
	if ok, err := markOpen(h.f, t); ok {
		return failure("mark", h.path, err)
	}
	return h.fs.Mark(h.path, t, exec)
}

func (h *portableFile) Flush() error { return nil }

func (h *portableFile) Sync() error { return h.flush((*os.File).Sync) }

func (h *portableFile) flush(how func(*os.File) error) error {
	n := h.writes.Load()
	err := how(h.f)
	if err == nil {
		h.saved.Store(n)
	}
	return failure("sync", h.path, err)
}

func (h *portableFile) unsaved() bool { return h.saved.Load() < h.writes.Load() }

func (h *portableFile) Close() error {
	if h.write {
		h.fs.mu.Lock()
		delete(h.fs.open, h)
		if h.unsaved() {
			h.fs.unsaved[h.path] = h.fs.change()
		}
		h.fs.mu.Unlock()
	}
	return failure("close", h.path, h.f.Close())
}

var _ FS = (*portable)(nil)
