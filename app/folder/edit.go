package folder

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"inselnetz/app/disk"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// announce publishes versions and adds them; the disk follows by Apply.
func (f *Folder) announce(ctx context.Context, vs []tree.Version) ([]tree.Known, error) {
	if !f.mayWrite() {
		return nil, ErrReadOnly
	}
	if f.store() == nil {
		return nil, ErrMissing
	}
	for i := range vs {
		if err := tree.CheckPath(vs[i].Path); err != nil {
			return nil, err
		}
	}
	if len(vs) == 0 {
		return nil, nil
	}
	if err := f.keep.Sync(); err != nil {
		return nil, err
	}
	var out []tree.Known
	for part := range slices.Chunk(vs, batchFiles) {
		known, err := f.host.Publish(ctx, part)
		f.Add(known)
		out = append(out, known...)
		if err != nil {
			return out, fmt.Errorf("publish: %w", err)
		}
	}
	return out, nil
}

// heads returns the parents of who changes a path now.
func (f *Folder) heads(path string) []tree.VersionID {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n, ok := f.tree.Node(path); ok {
		return n.Heads
	}
	n, _ := f.tree.Gone(path)
	return n.Heads
}

// Put publishes the content of r as path. base are the versions it replaces;
// nil: those that are there now. time is the modification time, ns since 1970.
func (f *Folder) Put(ctx context.Context, path string, base []tree.VersionID, time int64, r io.Reader) (tree.Known, error) {
	v := tree.Version{Path: path, Kind: tree.File, Time: time, Parents: base}
	f.mu.Lock()
	if n, ok := f.tree.Node(path); ok && n.Shown.Kind == tree.File {
		v.Exec = n.Shown.Exec
	}
	f.mu.Unlock()
	if base == nil {
		v.Parents = f.heads(path)
	}
	return f.Announce(ctx, v, r)
}

// Announce publishes a version as it is given, with exactly its parents: a
// directory, a link, a deletion, or a file whose content r gives (Size, Sum and
// Blocks are worked out; a zero Time is now).
func (f *Folder) Announce(ctx context.Context, v tree.Version, r io.Reader) (tree.Known, error) {
	f.using.RLock()
	defer f.using.RUnlock()
	if err := tree.CheckPath(v.Path); err != nil {
		return tree.Known{}, err
	}
	if !f.mayWrite() {
		return tree.Known{}, ErrReadOnly
	}
	if f.store() == nil {
		return tree.Known{}, ErrMissing
	}
	if v.Kind == tree.File {
		if v.Time == 0 {
			v.Time = f.host.Now().UnixNano()
		}
		blocks, size, err := f.takeIn(ctx, r)
		if err != nil {
			return tree.Known{}, err
		}
		v.Size, v.Sum, v.Blocks = size, tree.SumOf(blocks), inline(blocks)
	}
	known, err := f.announce(ctx, []tree.Version{v})
	if err != nil {
		return tree.Known{}, err
	}
	return known[0], nil
}

// takeIn reads a content into the keep. How it is cut into blocks depends on its
// size, so a large one is written to a file first.
func (f *Folder) takeIn(ctx context.Context, r io.Reader) (blocks []tree.Sum, size int64, err error) {
	first := make([]byte, small+1)
	n, err := io.ReadFull(r, first)
	switch {
	case err == io.EOF:
		return nil, 0, nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		blocks = blocksOf(first[:n])
		return blocks, int64(n), f.keep.Put(tree.SumOf(blocks), first[:n])
	case err != nil:
		return nil, 0, err
	}
	tmp := f.temp()
	h, err := f.fs.Create(tmp, 0)
	if err != nil {
		return nil, 0, err
	}
	blocks, size, err = f.pour(ctx, h, first, r)
	if err = errors.Join(err, h.Close()); err != nil {
		f.fs.Remove(tmp)
		return nil, 0, err
	}
	if len(blocks) > tree.MaxInline {
		if err := f.keep.Put(tree.SumOf(blocks).List(), listOf(blocks)); err != nil {
			return nil, 0, err
		}
	}
	return blocks, size, f.keep.Adopt(tree.SumOf(blocks), size, tmp)
}

// pour writes first and the rest of r to h and hashes it. Blocks of the smallest
// size are hashed on the way; a file so large that its blocks are larger is read
// again.
func (f *Folder) pour(ctx context.Context, h disk.Handle, first []byte, r io.Reader) (blocks []tree.Sum, size int64, err error) {
	r = io.MultiReader(strings.NewReader(string(first)), r)
	buf := make([]byte, tree.MinBlock)
	for ctx.Err() == nil {
		n, err := io.ReadFull(r, buf)
		if n > 0 {
			if size+int64(n) > tree.MaxSize {
				return nil, 0, fmt.Errorf("%w: more than %d TiB", disk.ErrLarge, int64(tree.MaxSize)>>40)
			}
			if _, err := h.WriteAt(buf[:n], size); err != nil {
				return nil, 0, err
			}
			blocks = append(blocks, sha256.Sum256(buf[:n]))
			size += int64(n)
		}
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	if tree.BlockSize(size) != tree.MinBlock {
		blocks, err = hashBlocks(ctx, h, size, f.workers, nil)
	}
	return blocks, size, err
}

// Mkdir publishes an empty directory.
func (f *Folder) Mkdir(ctx context.Context, path string) error {
	f.mu.Lock()
	node, living := f.tree.Node(path)
	f.mu.Unlock()
	if living {
		if node.Shown.Kind == tree.Dir {
			return nil
		}
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	_, err := f.announce(ctx, []tree.Version{{Path: path, Kind: tree.Dir, Parents: f.heads(path)}})
	return err
}

// as returns a version of path with the content of another one.
func as(path string, of *tree.Version, parents []tree.VersionID) tree.Version {
	v := *of
	v.Path, v.Parents = path, parents
	return v
}

// Rename moves a file or a directory with all in it. to must be free.
func (f *Folder) Rename(ctx context.Context, from, to string) error {
	f.using.RLock()
	defer f.using.RUnlock()
	if within(to, from) {
		return fmt.Errorf("%s cannot be moved into itself", from)
	}
	f.mu.Lock()
	var vs []tree.Version
	_, there := f.tree.Node(from)
	_, taken := f.tree.Node(to)
	for n := range f.tree.All(from) {
		if n.Shown.ID != (tree.VersionID{}) {
			vs = append(vs, as(to+n.Path[len(from):], &n.Shown.Version, n.Heads))
		}
	}
	f.mu.Unlock()
	switch {
	case !there:
		return fmt.Errorf("%s: %w", from, fs.ErrNotExist)
	case taken:
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	_, err := f.announce(ctx, vs)
	return err
}

// Remove deletes files and directories with all in them.
func (f *Folder) Remove(ctx context.Context, paths ...string) error {
	var vs []tree.Version
	done := map[string]bool{}
	f.mu.Lock()
	for _, path := range paths {
		for n := range f.tree.All(path) {
			if n.Shown.ID != (tree.VersionID{}) && !done[n.Path] {
				done[n.Path] = true
				vs = append(vs, tree.Version{Path: n.Path, Kind: tree.Gone, Parents: n.Heads})
			}
		}
	}
	f.mu.Unlock()
	if len(vs) == 0 {
		return fmt.Errorf("%s: %w", strings.Join(paths, ", "), fs.ErrNotExist)
	}
	_, err := f.announce(ctx, vs)
	return err
}

// Restore publishes the content of version id as path, in place of what is
// there. The content must be to be had now.
func (f *Folder) Restore(ctx context.Context, path string, id tree.VersionID) error {
	f.using.RLock()
	defer f.using.RUnlock()
	f.mu.Lock()
	v, ok := f.tree.Known(id)
	f.mu.Unlock()
	if !ok {
		return fmt.Errorf("version %v: %w", id, fs.ErrNotExist)
	}
	if v.Kind == tree.Gone {
		return f.Remove(ctx, path)
	}
	if !f.mayWrite() {
		return ErrReadOnly
	}
	if f.store() == nil {
		return ErrMissing
	}
	f.wanted(v.Sum)
	if err := f.fetchKeep(ctx, v); err != nil {
		return err
	}
	_, err := f.announce(ctx, []tree.Version{as(path, &v.Version, f.heads(path))})
	return err
}

// Changes counts what Rewind does.
type Changes struct {
	Restored int // were gone
	Changed  int // had another content
	Removed  int // were not there then
	Lost     int // contents that nobody in reach has: left as they are
	Sample   []string
}

func (c *Changes) note(n *int, path string) {
	*n++
	if len(c.Sample) < 20 {
		c.Sample = append(c.Sample, path)
	}
}

// Rewind publishes what brings everything below dir back to what it was at a
// time; dry only counts. It can be undone by a Rewind to just before it.
func (f *Folder) Rewind(ctx context.Context, dir string, at log.HLC, dry bool) (Changes, error) {
	f.using.RLock()
	defer f.using.RUnlock()
	var c Changes
	if f.store() == nil {
		return c, ErrMissing
	}
	var vs []tree.Version
	then := map[string]bool{}
	f.mu.Lock()
	was := f.tree.At(dir, at)
	f.mu.Unlock()
	for _, w := range was {
		then[w.Path] = true
		f.mu.Lock()
		node, living := f.tree.Node(w.Path)
		gone, _ := f.tree.Gone(w.Path)
		f.mu.Unlock()
		if living && node.Shown.SameContent(&w.Version) && len(node.Others) == 0 {
			continue
		}
		if !dry {
			f.wanted(w.Sum)
			if err := f.fetchKeep(ctx, w.Known); err != nil {
				if !errors.Is(err, ErrNobody) {
					return c, err
				}
				c.note(&c.Lost, w.Path)
				continue
			}
		}
		if living {
			vs = append(vs, as(w.Path, &w.Version, node.Heads))
			c.note(&c.Changed, w.Path)
		} else {
			vs = append(vs, as(w.Path, &w.Version, gone.Heads))
			if w.Kind != tree.Dir {
				c.note(&c.Restored, w.Path)
			}
		}
	}
	f.mu.Lock()
	for n := range f.tree.All(dir) {
		if !then[n.Path] && n.Shown.ID != (tree.VersionID{}) {
			vs = append(vs, tree.Version{Path: n.Path, Kind: tree.Gone, Parents: n.Heads})
			if n.Shown.Kind != tree.Dir {
				c.note(&c.Removed, n.Path)
			}
		}
	}
	f.mu.Unlock()
	if dry {
		return c, nil
	}
	_, err := f.announce(ctx, vs)
	return c, err
}

// Resolve ends the conflict at path in favour of the candidate keep. If beside
// is not nil, each other candidate becomes a file of its own in the same
// directory under the name that beside gives it (made free by a number).
func (f *Folder) Resolve(ctx context.Context, path string, keep tree.VersionID, beside func(tree.Known) string) error {
	f.using.RLock()
	defer f.using.RUnlock()
	f.mu.Lock()
	node, ok := f.tree.Node(path)
	if !ok {
		f.mu.Unlock()
		return fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	all := append([]tree.Known{node.Shown}, node.Others...)
	i := slices.IndexFunc(all, func(k tree.Known) bool { return k.ID == keep })
	if i < 0 {
		f.mu.Unlock()
		return fmt.Errorf("%v is no candidate of %s: %w", keep, path, fs.ErrNotExist)
	}
	vs := []tree.Version{as(path, &all[i].Version, node.Heads)}
	taken := map[string]bool{}
	for n, k := range all {
		if n == i || beside == nil || k.Kind == tree.Gone {
			continue
		}
		to := free(join(parent(path), beside(k)), func(p string) bool {
			_, there := f.tree.Node(p)
			return there || taken[p] || f.index != nil && f.index.get(p) != nil
		})
		taken[to] = true
		vs = append(vs, as(to, &k.Version, nil))
	}
	f.mu.Unlock()
	_, err := f.announce(ctx, vs)
	return err
}
