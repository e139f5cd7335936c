package disk

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Calls of the kernel without os.File between: a file costs half.

// noLinks makes openat2 refuse links anywhere in a path.
const noLinks = unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_BENEATH

type linux struct {
	root     int // open for reading; never changes
	dirs     dirs
	makes    makes
	oneCall  bool // openat2 is there (Linux 5.6)
	closed   atomic.Bool
	foldOnce sync.Once
	folds    bool
}

// Open opens the tree below the directory root, which exists.
func Open(root string) (FS, error) {
	fd, err := again(func() (int, error) {
		return unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, wrap("open", root, err)
	}
	l := &linux{root: fd}
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: noLinks}
	if probe, err := unix.Openat2(fd, ".", &how); err == nil {
		l.oneCall = true
		unix.Close(probe)
	}
	return l, nil
}

func again[T any](f func() (T, error)) (T, error) {
	for {
		if v, err := f(); err != unix.EINTR {
			return v, err
		}
	}
}

func again0(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}

func wrap(op, path string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := err.(*Error); ok {
		return err
	}
	if _, ok := err.(unix.Errno); !ok {
		return &Error{Op: op, Path: path, Kind: err}
	}
	return &Error{Op: op, Path: path, Kind: kind(err), Err: err}
}

// open opens a path; no part of it may be a link.
func (l *linux) open(path string, flags int, mode uint32) (int, error) {
	if !Valid(path) {
		return -1, fs.ErrInvalid
	}
	if path == "" {
		path = "."
	}
	flags |= unix.O_CLOEXEC | unix.O_NOFOLLOW
	if !l.oneCall {
		return l.walk(path, flags, mode)
	}
	how := unix.OpenHow{Flags: uint64(flags), Mode: uint64(mode), Resolve: noLinks}
	for {
		fd, err := unix.Openat2(l.root, path, &how)
		if err != unix.EINTR && err != unix.EAGAIN {
			return fd, err
		}
	}
}

// walk is open for kernels without openat2.
func (l *linux) walk(path string, flags int, mode uint32) (int, error) {
	dir := l.root
	defer func() {
		if dir != l.root {
			unix.Close(dir)
		}
	}()
	for {
		name, rest, more := strings.Cut(path, "/")
		if !more {
			return again(func() (int, error) { return unix.Openat(dir, name, flags, mode) })
		}
		next, err := again(func() (int, error) {
			return unix.Openat(dir, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		})
		if err != nil {
			return -1, err
		}
		if dir != l.root {
			unix.Close(dir)
		}
		dir, path = next, rest
	}
}

// in returns the directory of a path and the name in it. The directory is given
// back with done.
func (l *linux) in(path string) (d *dir, name string, err error) {
	if !Valid(path) {
		return nil, "", fs.ErrInvalid
	}
	parent, name := Split(path)
	if name == "" {
		name = "."
	}
	d, err = l.dir(parent)
	return d, name, err
}

// at calls f with the directory of a path and the name in it.
func (l *linux) at(op, path string, f func(dir int, name string) error) error {
	d, name, err := l.in(path)
	if err == nil {
		err = again0(func() error { return f(d.fd, name) })
		l.done(d)
	}
	return wrap(op, path, err)
}

func info(name string, st *unix.Stat_t) Info {
	i := Info{Name: name, Time: st.Mtim.Nano(), Inode: st.Ino}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		i.Kind, i.Size, i.Exec = File, st.Size, st.Mode&0o100 != 0
	case unix.S_IFDIR:
		i.Kind = Dir
	case unix.S_IFLNK:
		i.Kind = Link
	}
	return i
}

var direntBufs = sync.Pool{New: func() any { return new([64 << 10]byte) }}

func (l *linux) List(dir string) ([]Info, error) {
	fd, err := l.open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, wrap("list", dir, err)
	}
	defer unix.Close(fd)
	buf := direntBufs.Get().(*[64 << 10]byte)
	defer direntBufs.Put(buf)
	var out []Info
	var names []string
	var st unix.Stat_t
	for {
		n, err := again(func() (int, error) { return unix.ReadDirent(fd, buf[:]) })
		if err != nil {
			return nil, wrap("list", dir, err)
		}
		if n <= 0 {
			break
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names[:0])
		out = slices.Grow(out, len(names))
		for _, name := range names {
			err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
			if err == unix.ENOENT {
				continue // gone meanwhile
			}
			if err != nil {
				return nil, wrap("stat", dir+"/"+name, err)
			}
			out = append(out, info(name, &st))
		}
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (l *linux) Stat(path string) (Info, error) {
	d, name, err := l.in(path)
	if err != nil {
		return Info{}, wrap("stat", path, err)
	}
	defer l.done(d)
	var st unix.Stat_t
	if err := again0(func() error { return unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) }); err != nil {
		return Info{}, wrap("stat", path, err)
	}
	if path == "" {
		name = ""
	}
	return info(name, &st), nil
}

// file opens a file and nothing else.
func (l *linux) file(path string, flags int) (fd int, st unix.Stat_t, err error) {
	// Without O_NONBLOCK a pipe would keep us until somebody writes to it.
	flags |= unix.O_NONBLOCK
	fd, err = l.open(path, flags|unix.O_NOATIME, 0)
	if err == unix.EPERM { // the file is somebody else's
		fd, err = l.open(path, flags, 0)
	}
	if err != nil {
		if err == unix.ELOOP {
			if _, serr := l.Stat(path); serr == nil {
				return -1, st, ErrNotFile // the last part is the link
			}
		}
		return -1, st, err
	}
	if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = ErrNotFile
	}
	if err != nil {
		unix.Close(fd)
		return -1, st, err
	}
	return fd, st, nil
}

func (l *linux) Read(path string, buf []byte) ([]byte, Info, error) {
	fd, before, err := l.file(path, unix.O_RDONLY)
	if err != nil {
		return buf, Info{}, wrap("read", path, err)
	}
	defer unix.Close(fd)
	_, name := Split(path)
	i := info(name, &before)
	if writing(fd, path, &before) {
		return buf, i, wrap("read", path, ErrBusy)
	}
	if i.Size > ReadMax {
		return buf, i, wrap("read", path, ErrLarge)
	}
	out := slices.Grow(buf, int(i.Size))
	out = out[:len(buf)+int(i.Size)]
	for at := len(buf); at < len(out); {
		n, err := unix.Read(fd, out[at:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return buf, i, wrap("read", path, err)
		}
		if n == 0 {
			return buf, i, wrap("read", path, ErrChanged)
		}
		at += n
	}
	var after unix.Stat_t
	if err := unix.Fstat(fd, &after); err != nil {
		return buf, i, wrap("read", path, err)
	}
	if after.Size != before.Size || after.Mtim != before.Mtim || after.Ctim != before.Ctim {
		return buf, info(name, &after), wrap("read", path, ErrChanged)
	}
	return out, i, nil
}

func (l *linux) Open(path string) (Handle, error) {
	fd, st, err := l.file(path, unix.O_RDONLY)
	if err == nil && writing(fd, path, &st) {
		unix.Close(fd)
		err = ErrBusy
	}
	return handle(fd, path, wrap("open", path, err))
}

func (l *linux) Edit(path string) (Handle, error) {
	fd, _, err := l.file(path, unix.O_RDWR)
	return handle(fd, path, wrap("edit", path, err))
}

func (l *linux) Create(path string, size int64) (Handle, error) {
	fd, err := l.open(path, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o666)
	if err == unix.ELOOP {
		if _, serr := l.Stat(path); serr == nil {
			err = unix.EEXIST
		}
	}
	if err != nil {
		return nil, wrap("create", path, err)
	}
	if size > reserveAbove {
		err := again0(func() error { return unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, 0, size) })
		if kind(err) == ErrFull || kind(err) == ErrLarge {
			unix.Close(fd)
			l.Remove(path)
			return nil, wrap("create", path, err)
		}
	}
	h, _ := handle(fd, path, nil)
	h.(*file).fresh = true
	return h, nil
}

func (l *linux) Mkdir(path string) error {
	err := l.at("mkdir", path, func(dir int, name string) error { return unix.Mkdirat(dir, name, 0o777) })
	switch {
	case err == nil || path == "":
		return nil
	case errors.Is(err, ErrBlocked):
		return err
	case errors.Is(err, fs.ErrNotExist):
		parent, _ := Split(path)
		if err := l.Mkdir(parent); err != nil {
			return err
		}
		return l.Mkdir(path)
	case errors.Is(err, fs.ErrExist):
		i, serr := l.Stat(path)
		if serr == nil && i.Kind != Dir {
			return wrap("mkdir", path, ErrBlocked)
		}
		return serr
	}
	return err
}

func (l *linux) Remove(path string) error {
	if path == "" {
		return wrap("remove", path, ErrDenied)
	}
	return l.at("remove", path, func(dir int, name string) error {
		err := unix.Unlinkat(dir, name, 0)
		if err == unix.EISDIR {
			err = unix.Unlinkat(dir, name, unix.AT_REMOVEDIR)
		}
		return err
	})
}

func (l *linux) Symlink(target, path string) error {
	return l.at("symlink", path, func(dir int, name string) error { return unix.Symlinkat(target, dir, name) })
}

func (l *linux) Readlink(path string) (target string, err error) {
	err = l.at("readlink", path, func(dir int, name string) error {
		var buf [unix.PathMax]byte
		n, err := unix.Readlinkat(dir, name, buf[:])
		if err == nil {
			target = string(buf[:n])
		}
		return err
	})
	return target, err
}

func (l *linux) Mark(path string, time int64, exec bool) error {
	return l.at("mark", path, func(dir int, name string) error {
		var st unix.Stat_t
		if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
		if mode, change := withExec(&st, exec); change {
			fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			err = unix.Fchmod(fd, mode)
			unix.Close(fd)
			if err != nil {
				return err
			}
		}
		ts := times(time)
		return unix.UtimesNanoAt(dir, name, ts[:], unix.AT_SYMLINK_NOFOLLOW)
	})
}

func times(t int64) [2]unix.Timespec {
	ts := unix.NsecToTimespec(t)
	if ts.Nsec < 0 {
		ts.Sec, ts.Nsec = ts.Sec-1, ts.Nsec+1e9
	}
	return [2]unix.Timespec{ts, ts}
}

// withExec returns the rights of a file with or without that of execution for
// all who may read it, and whether that is a change.
func withExec(st *unix.Stat_t, exec bool) (mode uint32, change bool) {
	if st.Mode&unix.S_IFMT != unix.S_IFREG || (st.Mode&0o100 != 0) == exec {
		return 0, false
	}
	mode = st.Mode & 0o7777
	if exec {
		return mode | 0o100 | (mode&0o444)>>2, true
	}
	return mode &^ 0o111, true
}

// pair calls f with both directories and names.
func (l *linux) pair(op, from, to string, f func(fd int, fname string, td int, tname string) error) error {
	if from == "" || to == "" {
		return wrap(op, to, ErrDenied)
	}
	fdir, _ := Split(from)
	tdir, tname := Split(to)
	return l.at(op, from, func(fd int, fname string) error {
		if fdir == tdir && Valid(to) {
			return f(fd, fname, fd, tname)
		}
		return l.at(op, to, func(td int, tname string) error { return f(fd, fname, td, tname) })
	})
}

func (l *linux) Rename(from, to string) error {
	err := l.pair("rename", from, to, func(fd int, fname string, td int, tname string) error {
		return unix.Renameat(fd, fname, td, tname)
	})
	return err
}

func (l *linux) RenameNew(from, to string) error {
	return l.pair("rename", from, to, func(fd int, fname string, td int, tname string) error {
		err := unix.Renameat2(fd, fname, td, tname, unix.RENAME_NOREPLACE)
		if err == unix.EEXIST && fd == td && fname != tname && strings.EqualFold(fname, tname) && l.Folds() {
			return unix.Renameat(fd, fname, td, tname) // the case of its letters
		}
		if err != unix.EINVAL && err != unix.ENOSYS {
			return err
		}
		// The file system cannot; a hard link does not replace either.
		if err = unix.Linkat(fd, fname, td, tname, 0); err == nil {
			return unix.Unlinkat(fd, fname, 0)
		}
		if err == unix.EEXIST {
			return err
		}
		var st unix.Stat_t // directories, and where there are no hard links
		if unix.Fstatat(td, tname, &st, unix.AT_SYMLINK_NOFOLLOW) == nil {
			return unix.EEXIST
		}
		return unix.Renameat(fd, fname, td, tname)
	})
}

func (l *linux) Exchange(a, b string) error {
	return l.pair("exchange", a, b, func(fd int, fname string, td int, tname string) error {
		err := unix.Renameat2(fd, fname, td, tname, unix.RENAME_EXCHANGE)
		if err == unix.EINVAL {
			err = unix.EOPNOTSUPP
		}
		return err
	})
}

func (l *linux) Clone(from, to string) error {
	src, _, err := l.file(from, unix.O_RDONLY)
	if err != nil {
		return wrap("clone", from, err)
	}
	defer unix.Close(src)
	dst, err := l.open(to, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o666)
	if err != nil {
		return wrap("clone", to, err)
	}
	err = again0(func() error { return unix.IoctlFileClone(dst, src) })
	unix.Close(dst)
	if err != nil {
		l.Remove(to)
		switch err {
		case unix.EXDEV, unix.EINVAL, unix.ENOTTY, unix.EPERM:
			err = unix.EOPNOTSUPP
		}
	}
	return wrap("clone", to, err)
}

func (l *linux) SyncDir(dir string) error {
	fd, err := l.open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err == nil {
		err = again0(func() error { return unix.Fsync(fd) })
		unix.Close(fd)
	}
	return wrap("sync", dir, err)
}

// SyncAll waits for what others wrote on the same disk too.
func (l *linux) SyncAll() error {
	return wrap("sync", "", again0(func() error { return unix.Syncfs(l.root) }))
}

func (l *linux) Space() (free, total int64, err error) {
	var st unix.Statfs_t
	if err := again0(func() error { return unix.Fstatfs(l.root, &st) }); err != nil {
		return 0, 0, wrap("space", "", err)
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize), nil
}

func (l *linux) Folds() bool {
	l.foldOnce.Do(func() { l.folds = probeFolds(l) })
	return l.folds
}

func (l *linux) Hide(string) error { return nil }

// Close must not run while another call does.
func (l *linux) Close() error {
	if l.closed.Swap(true) {
		return wrap("close", "", fs.ErrClosed)
	}
	l.dirs.close()
	l.makes.close()
	return wrap("close", "", unix.Close(l.root))
}
