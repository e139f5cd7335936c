package disk

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"unicode"
)

// reserveAbove is the size from which room is reserved: below, it costs more
// than it saves.
const reserveAbove = 8 << 20

// copyRange is Handle.CopyFrom by reading and writing.
func copyRange(dst, src Handle, off, n int64) error {
	buf := make([]byte, min(n, 1<<20))
	for n > 0 {
		m, err := src.ReadAt(buf[:min(n, int64(len(buf)))], off)
		if m == 0 {
			if err == io.EOF || err == nil {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		if _, err := dst.WriteAt(buf[:m], off); err != nil {
			return err
		}
		off, n = off+int64(m), n-int64(m)
	}
	return nil
}

// probeFolds looks whether an entry of the root is found under its name in
// other letters; if there is none with letters it makes one for a moment.
func probeFolds(f FS) bool {
	list, err := f.List("")
	if err != nil {
		return false
	}
	names := map[string]bool{}
	for _, i := range list {
		names[i.Name] = true
	}
	for _, i := range list {
		other := swapCase(i.Name)
		if other == i.Name || names[other] {
			continue
		}
		j, err := f.Stat(other)
		return err == nil && j.Inode == i.Inode && j.Size == i.Size && j.Time == i.Time
	}
	const probe = ".inselnetz-probe"
	h, err := f.Create(probe, 0)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return false
	}
	if err == nil {
		h.Close()
		defer f.Remove(probe)
	}
	_, err = f.Stat(swapCase(probe))
	return err == nil
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}
