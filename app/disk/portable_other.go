//go:build unix && !darwin

package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func renameNew(p *portable, from, to string) error { return renameSlowly(p, from, to) }

func exchange(*portable, string, string) error { return errors.ErrUnsupported }

func clone(*portable, string, string) error { return errors.ErrUnsupported }

func space(root string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(root, &st); err != nil {
		return 0, 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize), nil
}

func reserve(*os.File, int64) error { return nil }

func softSync(f *os.File) error { return f.Sync() }

func hardSync(*portable) error { return nil }
