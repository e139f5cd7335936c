package folder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// read hashes what was seen and puts its content into the keep.
func (f *Folder) read(ctx context.Context, n sighting, buf []byte) (item, []byte, error) {
	it := item{sighting: n}
	r := &rec{Path: n.path, Kind: kindOf(n.in.Kind), Time: n.in.Time, Inode: n.in.Inode}
	v := &tree.Version{Path: n.path, Kind: r.Kind}
	it.rec, it.v = r, v
	if r.Kind == tree.Link {
		target, err := f.fs.Readlink(n.path)
		v.Target, r.Sum = target, linkSum(target)
		if err == nil && len(target) > tree.MaxTarget {
			err = fmt.Errorf("%w: its target is too long", ErrName)
		}
		return it, buf, err
	}
	blocks, buf, err := f.hash(ctx, &it, buf)
	if err != nil {
		return it, buf, err
	}
	if r.Sum = tree.SumOf(blocks); f.racy(it.in.Time) {
		// It may have been written again while it was read, and look as before.
		blocks, buf, err = f.hash(ctx, &it, buf[:0])
		if err == nil && tree.SumOf(blocks) != r.Sum {
			err = disk.ErrChanged
		}
		if err != nil {
			return it, buf, err
		}
		r.Racy = true
	}
	r.Size, r.Time, r.Inode, r.Exec = it.in.Size, it.in.Time, it.in.Inode, it.in.Exec
	if !f.execs && n.old != nil {
		r.Exec = n.old.Exec
	}
	v.Size, v.Time, v.Exec, v.Sum, v.Blocks = r.Size, r.Time, r.Exec, r.Sum, inline(blocks)
	if n.old != nil && n.old.Kind == tree.File && n.old.Sum == r.Sum && n.old.Size == r.Size {
		return it, buf, nil // touched only
	}
	return it, buf, f.guard(ctx, n.path, r, blocks, buf)
}

// hash reads a file once and says how it was meanwhile.
func (f *Folder) hash(ctx context.Context, it *item, buf []byte) (blocks []tree.Sum, data []byte, err error) {
	if it.in.Size > small {
		blocks, it.in, err = f.hashFile(ctx, it.path, it.old)
		return blocks, buf, err
	}
	buf, it.in, err = f.fs.Read(it.path, buf)
	if err == nil && len(buf) > 8*small {
		return nil, nil, disk.ErrChanged // it grew since it was seen: next time
	}
	return blocksOf(buf), buf, err
}

// guard puts an own content into the keep, so that it stays when the user
// overwrites the file.
func (f *Folder) guard(ctx context.Context, path string, r *rec, blocks []tree.Sum, data []byte) error {
	if len(blocks) > tree.MaxInline {
		if err := f.keep.Put(r.Sum.List(), listOf(blocks)); err != nil {
			return err
		}
	}
	switch {
	case r.Size == 0:
		return nil
	case r.Size <= small:
		return f.keep.Put(r.Sum, data)
	case r.Size <= guardFirst:
		return f.keep.CopyIn(ctx, r.Sum, r.info(), path)
	}
	tmp := f.temp()
	if f.fs.Clone(path, tmp) != nil {
		f.guardSoon()
		return nil // no cheap copy here; House makes one
	}
	if in, err := f.fs.Stat(path); err != nil || !f.unchanged(r, in) {
		return errors.Join(disk.ErrChanged, f.fs.Remove(tmp)) // the clone may hold more than was hashed
	}
	return f.keep.Adopt(r.Sum, r.Size, tmp)
}

// coarse is the grain of times on common disks.
const coarse = 20 * time.Millisecond

// racy tells whether a file changed so lately that a further change might leave
// its times as they are.
func (f *Folder) racy(mtime int64) bool {
	age := f.host.Now().UnixNano() - mtime
	if mtime%int64(time.Second) == 0 {
		return age < int64(2*time.Second+coarse)
	}
	return age < int64(coarse)
}
