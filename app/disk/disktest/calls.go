package disktest

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"inselnetz/app/disk"
)

// List implements disk.FS.
func (f *FS) List(dir string) ([]disk.Info, error) {
	if err := f.enter("List", dir); err != nil {
		return nil, err
	}
	defer f.leave()
	d, err := f.s.dir(dir)
	if err != nil {
		return nil, failed("List", dir, err)
	}
	out := make([]disk.Info, 0, len(d.kids))
	for _, n := range d.kids {
		out = append(out, n.info())
	}
	slices.SortFunc(out, func(a, b disk.Info) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Stat implements disk.FS.
func (f *FS) Stat(path string) (disk.Info, error) {
	if err := f.enter("Stat", path); err != nil {
		return disk.Info{}, err
	}
	defer f.leave()
	_, _, n, err := f.s.find(path)
	if err == nil && n == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		return disk.Info{}, failed("Stat", path, err)
	}
	return n.info(), nil
}

// Read implements disk.FS.
func (f *FS) Read(path string, buf []byte) ([]byte, disk.Info, error) {
	if err := f.enter("Read", path); err != nil {
		return buf, disk.Info{}, err
	}
	n, err := f.s.file(path)
	if err != nil {
		f.leave()
		return buf, disk.Info{}, failed("Read", path, err)
	}
	if f.busy(n, path) {
		f.leave()
		return buf, disk.Info{}, failed("Read", path, disk.ErrBusy)
	}
	before, half := n.info(), len(n.data)/2
	if before.Size > disk.ReadMax {
		f.leave()
		return buf, before, failed("Read", path, disk.ErrLarge)
	}
	out := append(buf, n.data[:half]...)
	f.leave()
	if f.At != nil {
		f.At("Reading", path)
	}
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.dead.Load() {
		return buf, disk.Info{}, ErrDead
	}
	if after := n.info(); after.Size != before.Size || after.Time != before.Time {
		return buf, after, failed("Read", path, disk.ErrChanged)
	}
	return append(out, n.data[half:]...), before, nil
}

// Open implements disk.FS.
func (f *FS) Open(path string) (disk.Handle, error) { return f.handle("Open", path, false) }

// Edit implements disk.FS.
func (f *FS) Edit(path string) (disk.Handle, error) { return f.handle("Edit", path, true) }

func (f *FS) handle(op, path string, write bool) (disk.Handle, error) {
	if err := f.enter(op, path); err != nil {
		return nil, err
	}
	defer f.leave()
	n, err := f.s.file(path)
	if err == nil && !write && f.busy(n, path) {
		err = disk.ErrBusy
	}
	if err != nil {
		return nil, failed(op, path, err)
	}
	return f.opened(&handle{fs: f, n: n, path: path, write: write}), nil
}

// busy tells whether somebody else has a file open for writing and has changed
// it lately.
func (f *FS) busy(n *node, path string) bool {
	age := time.Duration(f.s.opts.Now().UnixNano() - n.meta.time)
	if age >= disk.Quiet || age <= -disk.Quiet || strings.HasPrefix(path, disk.Hidden+"/") {
		return false
	}
	for life, handles := range n.writers {
		if life != f.dead && handles > 0 && !life.Load() {
			return true
		}
	}
	return false
}

// opened counts handles that are open for writing.
func (f *FS) opened(h *handle) *handle {
	if h.write {
		if h.n.writers == nil {
			h.n.writers = map[*atomic.Bool]int{}
		}
		h.n.writers[f.dead]++
	}
	return h
}

// Create implements disk.FS.
func (f *FS) Create(path string, size int64) (disk.Handle, error) {
	n, err := f.add("Create", path, disk.File, "")
	if err != nil {
		return nil, err
	}
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.opened(&handle{fs: f, n: n, path: path, write: true, wrote: true}), nil
}

// Symlink implements disk.FS.
func (f *FS) Symlink(target, path string) error {
	_, err := f.add("Symlink", path, disk.Link, target)
	return err
}

func (f *FS) add(op, path string, kind disk.Kind, target string) (*node, error) {
	if err := f.enter(op, path); err != nil {
		return nil, err
	}
	defer f.leave()
	dir, name, n, err := f.s.find(path)
	if err == nil && n != nil {
		err = fs.ErrExist
	}
	if err == nil && f.s.used >= f.s.opts.Total {
		err = disk.ErrFull
	}
	if err != nil {
		return nil, failed(op, path, err)
	}
	n = f.s.make(kind)
	n.meta.target = target
	n.savedMeta = n.meta
	f.s.link(assign{dir, name, n})
	if kind == disk.File {
		f.s.tell(n, disk.Touched)
	} else {
		f.s.tell(n, disk.Closed)
	}
	return n, nil
}

// Mkdir implements disk.FS.
func (f *FS) Mkdir(path string) error {
	if err := f.enter("Mkdir", path); err != nil {
		return err
	}
	defer f.leave()
	d := f.s.root
	for name := range strings.SplitSeq(path, "/") {
		if path == "" {
			break
		}
		n, ok := d.kids[f.s.key(name)]
		if len(name) > longest {
			return failed("Mkdir", path, errLong)
		}
		if !ok {
			n = f.s.make(disk.Dir)
			n.savedMeta = n.meta
			f.s.link(assign{d, name, n})
			f.s.tell(n, disk.Closed)
		}
		if n.kind != disk.Dir {
			return failed("Mkdir", path, disk.ErrBlocked)
		}
		d = n
	}
	return nil
}

// Remove implements disk.FS.
func (f *FS) Remove(path string) error {
	if err := f.enter("Remove", path); err != nil {
		return err
	}
	defer f.leave()
	dir, name, n, err := f.s.find(path)
	switch {
	case err != nil:
	case n == nil:
		err = fs.ErrNotExist
	case n == f.s.root:
		err = disk.ErrDenied
	case len(n.kids) > 0:
		err = disk.ErrNotEmpty
	}
	if err != nil {
		return failed("Remove", path, err)
	}
	f.s.tell(n, disk.Gone)
	f.s.link(assign{dir, name, nil})
	return nil
}

// Readlink implements disk.FS.
func (f *FS) Readlink(path string) (string, error) {
	if err := f.enter("Readlink", path); err != nil {
		return "", err
	}
	defer f.leave()
	_, _, n, err := f.s.find(path)
	switch {
	case err != nil:
	case n == nil:
		err = fs.ErrNotExist
	case n.kind != disk.Link:
		err = fs.ErrInvalid
	default:
		return n.meta.target, nil
	}
	return "", failed("Readlink", path, err)
}

// Mark implements disk.FS.
func (f *FS) Mark(path string, time int64, exec bool) error {
	if err := f.enter("Mark", path); err != nil {
		return err
	}
	defer f.leave()
	_, _, n, err := f.s.find(path)
	if err == nil && n == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		return failed("Mark", path, err)
	}
	f.s.mark(n, time, exec)
	return nil
}

func (s *state) mark(n *node, time int64, exec bool) {
	n.meta.time, n.meta.exec = s.coarse(time), exec && n.kind == disk.File
	s.dirty[n] = true
	s.tell(n, disk.Touched)
}

// Rename implements disk.FS.
func (f *FS) Rename(from, to string) error { return f.rename("Rename", from, to) }

// RenameNew implements disk.FS.
func (f *FS) RenameNew(from, to string) error { return f.rename("RenameNew", from, to) }

func (f *FS) rename(op, from, to string) error {
	if err := f.enter(op, to); err != nil {
		return err
	}
	defer f.leave()
	fd, fname, a, td, tname, b, err := f.s.pair(from, to)
	switch {
	case err != nil:
	case b == nil || a == b:
	case op == "RenameNew":
		err = fs.ErrExist
	case a.kind != disk.Dir && b.kind == disk.Dir:
		err = disk.ErrNotFile
	case a.kind == disk.Dir && b.kind != disk.Dir:
		err = disk.ErrBlocked
	case len(b.kids) > 0:
		err = disk.ErrNotEmpty
	}
	if err != nil {
		return failed(op, to, err)
	}
	if fd == td && fname == tname {
		return nil
	}
	f.s.tell(a, disk.Gone)
	if fd == td && a == b { // the case of its letters
		f.s.link(assign{td, tname, a})
	} else {
		f.s.link(assign{fd, fname, nil}, assign{td, tname, a})
	}
	f.s.tell(a, disk.Closed)
	return nil
}

// pair finds what is moved and what is at its new place, maybe nil.
func (s *state) pair(from, to string) (fd *node, fname string, a *node, td *node, tname string, b *node, err error) {
	if fd, fname, a, err = s.find(from); err != nil {
		return
	}
	if td, tname, b, err = s.find(to); err != nil {
		return
	}
	switch {
	case a == nil:
		err = fs.ErrNotExist
	case fd == nil || td == nil:
		err = disk.ErrDenied
	case a.kind == disk.Dir && below(td, a):
		err = fs.ErrInvalid
	}
	return
}

func below(n, dir *node) bool {
	for ; n != nil; n = n.parent {
		if n == dir {
			return true
		}
	}
	return false
}

// Exchange implements disk.FS.
func (f *FS) Exchange(a, b string) error {
	if err := f.enter("Exchange", b); err != nil {
		return err
	}
	defer f.leave()
	ad, aname, x, bd, bname, y, err := f.s.pair(a, b)
	switch {
	case f.s.opts.NoExchange:
		err = errors.ErrUnsupported
	case err != nil:
	case y == nil:
		err = fs.ErrNotExist
	case y.kind == disk.Dir && below(ad, y):
		err = fs.ErrInvalid
	}
	if err != nil {
		return failed("Exchange", b, err)
	}
	if x == y {
		return nil
	}
	f.s.link(assign{ad, aname, y}, assign{bd, bname, x})
	f.s.tell(x, disk.Closed)
	f.s.tell(y, disk.Closed)
	return nil
}

// Clone implements disk.FS.
func (f *FS) Clone(from, to string) error {
	if !f.s.opts.Clones {
		return failed("Clone", to, errors.ErrUnsupported)
	}
	if err := f.enter("Clone", to); err != nil {
		return err
	}
	defer f.leave()
	src, err := f.s.file(from)
	if err != nil {
		return failed("Clone", from, err)
	}
	dir, name, n, err := f.s.find(to)
	if err == nil && n != nil {
		err = fs.ErrExist
	}
	if err != nil {
		return failed("Clone", to, err)
	}
	n = f.s.make(disk.File)
	n.savedMeta = n.meta
	n.data, n.share, src.share = src.data, true, true
	f.s.used += int64(len(n.data))
	f.s.dirty[n] = true
	f.s.link(assign{dir, name, n})
	f.s.tell(n, disk.Closed)
	return nil
}

// SyncDir implements disk.FS.
func (f *FS) SyncDir(dir string) error {
	if err := f.enter("SyncDir", dir); err != nil {
		return err
	}
	defer f.leave()
	d, err := f.s.dir(dir)
	if err != nil {
		return failed("SyncDir", dir, err)
	}
	f.s.saveNames(d)
	return nil
}

// SyncAll implements disk.FS.
func (f *FS) SyncAll() error {
	if err := f.enter("SyncAll", ""); err != nil {
		return err
	}
	defer f.leave()
	for _, c := range f.s.pending {
		f.s.apply(c)
	}
	f.s.pending = nil
	for n := range f.s.dirty {
		f.s.saveFile(n)
	}
	return nil
}

// Space implements disk.FS.
func (f *FS) Space() (free, total int64, err error) {
	if err := f.enter("Space", ""); err != nil {
		return 0, 0, err
	}
	defer f.leave()
	return max(0, f.s.opts.Total-f.s.used), f.s.opts.Total, nil
}

// Hide implements disk.FS.
func (f *FS) Hide(path string) error {
	if err := f.enter("Hide", path); err != nil {
		return err
	}
	defer f.leave()
	return nil
}
