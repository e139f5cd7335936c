package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Open opens the tree below the directory root, which exists.
func Open(root string) (FS, error) { return openPortable(root) }

// dirs calls f with the directories of two paths, open, and the names there.
func dirsOf(p *portable, from, to string, f func(fd int, fname string, td int, tname string) error) error {
	fdir, fname := Split(from)
	tdir, tname := Split(to)
	a, err := p.root.Open(p.local(fdir))
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := p.root.Open(p.local(tdir))
	if err != nil {
		return err
	}
	defer b.Close()
	return f(int(a.Fd()), fname, int(b.Fd()), tname)
}

func renameNew(p *portable, from, to string) error {
	err := dirsOf(p, from, to, func(fd int, fname string, td int, tname string) error {
		return unix.RenameatxNp(fd, fname, td, tname, unix.RENAME_EXCL)
	})
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EEXIST) { // the latter maybe for the case of its letters
		return renameSlowly(p, from, to)
	}
	return err
}

func exchange(p *portable, a, b string) error {
	err := dirsOf(p, a, b, func(fd int, fname string, td int, tname string) error {
		return unix.RenameatxNp(fd, fname, td, tname, unix.RENAME_SWAP)
	})
	if errors.Is(err, unix.ENOTSUP) {
		err = errors.ErrUnsupported
	}
	return err
}

func clone(p *portable, from, to string) error {
	err := dirsOf(p, from, to, func(fd int, fname string, td int, tname string) error {
		return unix.Clonefileat(fd, fname, td, tname, unix.CLONE_NOFOLLOW)
	})
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EXDEV) {
		err = errors.ErrUnsupported
	}
	return err
}

func space(root string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(root, &st); err != nil {
		return 0, 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize), nil
}

func reserve(*os.File, int64) error { return nil }

// softSync hands a file to the drive, which may still hold it in its cache.
func softSync(f *os.File) error { return unix.Fsync(int(f.Fd())) }

// hardSync empties the drive's cache: os.File.Sync does that here, for the
// whole drive. Network disks refuse it.
func hardSync(p *portable) error {
	err := p.sync("", os.O_RDONLY, (*os.File).Sync)
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL) {
		return p.sync("", os.O_RDONLY, softSync)
	}
	return err
}
