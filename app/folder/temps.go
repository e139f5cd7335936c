package folder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// Temporary files are named by what a crash may leave in them:
//
//	n<number>                a content on its way into the keep
//	n<number>.<path>.<sum>   a new content for a path, or what was there before
//	o<number>.<path>         what was taken away from a path
//	<sum>                    a large content of which blocks are missing
//
// Numbers are in base 36; path and sum stand for the first eight bytes of the
// path's SHA-256 and of the content's Sum, in hex.

// temp returns the path of a new temporary file.
func (f *Folder) temp() string { return tmpAt + "/n" + strconv.FormatUint(f.temps.Add(1), 36) }

// tempFor is temp for the new content of a path.
func (f *Folder) tempFor(path string, sum tree.Sum) string {
	return f.temp() + "." + short(sha256.Sum256([]byte(path))) + "." + short(sum)
}

// tempOf returns where the content of a path is taken away to.
func (f *Folder) tempOf(path string) string {
	return tmpAt + "/o" + strconv.FormatUint(f.temps.Add(1), 36) + "." + short(sha256.Sum256([]byte(path)))
}

func short(sum [32]byte) string { return hex.EncodeToString(sum[:8]) }

// A leftover is the name of a temporary file that a crash left.
type leftover struct {
	taken     bool // o…
	n         uint64
	path, sum string
}

func parseLeftover(name string) (l leftover, ok bool) {
	if name == "" || name[0] != 'n' && name[0] != 'o' {
		return l, false
	}
	l.taken = name[0] == 'o'
	number, rest, _ := strings.Cut(name[1:], ".")
	l.path, l.sum, _ = strings.Cut(rest, ".")
	n, err := strconv.ParseUint(number, 36, 64)
	l.n = n
	return l, err == nil
}

// sweep takes care of temporary files that a crash left. Contents go into the
// keep, where House drops what no version names; but what the user wrote in the
// moment in which it was taken away goes back to him. It ends before anything
// else begins.
func (f *Folder) sweep(ctx context.Context) error {
	list, err := f.fs.List(tmpAt)
	if err != nil {
		return err
	}
	for _, in := range list {
		if l, ok := parseLeftover(in.Name); ok && l.n < 1<<62 {
			f.temps.Store(max(f.temps.Load(), l.n))
		}
	}
	for _, in := range list {
		if len(in.Name) == 64 {
			continue // it goes on where it ended
		}
		if err := f.sweepOne(ctx, in); err != nil {
			f.log.Warn("temporary file stays", "err", err)
			f.stuck = append(f.stuck, in.Name)
		}
	}
	f.shorts = nil
	return f.keep.Sync()
}

// unstick tries again what could not be put back. work is held.
func (f *Folder) unstick(ctx context.Context) {
	stuck := f.stuck
	f.stuck = nil
	for _, name := range stuck {
		in, err := f.fs.Stat(tmpAt + "/" + name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if in.Name = name; err == nil {
			err = f.sweepOne(ctx, in)
		}
		if err != nil {
			f.stuck = append(f.stuck, name)
		}
	}
	f.shorts = nil
}

func (f *Folder) sweepOne(ctx context.Context, in disk.Info) error {
	path := tmpAt + "/" + in.Name
	l, ok := parseLeftover(in.Name)
	if !ok || in.Kind != disk.File || in.Size == 0 && !l.taken {
		if in.Kind == disk.Link && l.path != "" {
			return f.sweepLink(path, l)
		}
		return f.fs.Remove(path)
	}
	blocks, _, err := f.hashFile(ctx, path, nil)
	if err != nil {
		return err
	}
	sum := tree.SumOf(blocks)
	if short(sum) == l.sum || l.path == "" {
		// as intended
	} else if r := f.byShort(l.path); r != nil && (r.Kind != tree.File || sum != r.Sum) && (l.taken || f.holdsNow(ctx, r.Path, l.sum)) {
		return f.giveBack(path, r.Path)
	}
	if len(blocks) > tree.MaxInline {
		if err := f.keep.Put(sum.List(), listOf(blocks)); err != nil {
			return err
		}
	}
	return f.keep.Adopt(sum, in.Size, path)
}

// sweepLink is sweepOne of a link.
func (f *Folder) sweepLink(path string, l leftover) error {
	if target, err := f.fs.Readlink(path); err == nil && l.taken {
		if r := f.byShort(l.path); r != nil && (r.Kind != tree.Link || r.Sum != linkSum(target)) {
			return f.giveBack(path, r.Path)
		}
	}
	return f.fs.Remove(path)
}

// byShort returns the record of the path that a temporary file is named after.
func (f *Folder) byShort(path string) *rec {
	if path == "" {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shorts == nil {
		f.shorts = map[string]string{}
		f.index.below("", func(r *rec) { f.shorts[short(sha256.Sum256([]byte(r.Path)))] = r.Path })
	}
	return f.index.get(f.shorts[path])
}

// holdsNow tells whether a path has the content with that short name: then the
// exchange was done, and the temporary file holds what was there before.
func (f *Folder) holdsNow(ctx context.Context, path, sum string) bool {
	blocks, _, err := f.hashFile(ctx, path, nil)
	return err == nil && short(tree.SumOf(blocks)) == sum
}

// giveBack puts what the user wrote where it was, or beside it.
func (f *Folder) giveBack(tmp, path string) error {
	dir := parent(path)
	if err := f.fs.Mkdir(dir); dir != "" && err != nil {
		return err
	}
	err := f.fs.RenameNew(tmp, path)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	_, name := disk.Split(path)
	stem, ext := split(name)
	beside := free(join(dir, stem+" (gerettet)"+ext), func(p string) bool {
		_, err := f.fs.Stat(p)
		return !errors.Is(err, fs.ErrNotExist)
	})
	f.log.Warn("a file was changed while it was replaced; both are there", "path", beside)
	return f.fs.RenameNew(tmp, beside)
}

// returns renames what was taken away back; if that fails it is tried again.
func (f *Folder) returns(tmp, path string) error {
	err := f.fs.RenameNew(tmp, path)
	if err != nil {
		f.stuck = append(f.stuck, tmp[len(tmpAt)+1:])
	}
	return err
}
