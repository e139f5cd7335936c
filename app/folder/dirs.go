package folder

import (
	"errors"
	"io/fs"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// mark makes files executable or not.
func (f *Folder) mark(p *plan) (n int) {
	for _, j := range p.marks {
		in, err := f.fs.Stat(j.path)
		if err == nil && !f.sure(j.old, in) || errors.Is(err, fs.ErrNotExist) {
			p.look = append(p.look, j.path)
			continue
		}
		now := *j.old
		now.Exec, now.twin = j.v.Exec, nil
		if err == nil && f.execs {
			if err = f.fs.Mark(j.path, now.Time, now.Exec); err == nil {
				in, err = f.fs.Stat(j.path)
				now.Time = in.Time
			}
		}
		if err != nil {
			f.fail(p, j.path, err)
			continue
		}
		n++
		f.mu.Lock()
		node, _ := f.tree.Node(j.path)
		now.Base = baseOf(&node)
		if now.is(&node.Shown.Version) {
			f.index.put(&now)
		} else {
			f.index.drop(j.path) // something came meanwhile: look again
		}
		f.settle(j.path)
		f.mu.Unlock()
	}
	return n
}

func (f *Folder) mkdirs(p *plan) (n int, err error) {
	for _, j := range p.dirs {
		err := f.parents(j.path)
		if err == nil {
			err = f.mkdir(j.path)
		}
		if err != nil {
			if errors.Is(err, disk.ErrFull) {
				return n, err
			}
			f.fail(p, j.path, err)
			continue
		}
		n++
		f.mu.Lock()
		node, _ := f.tree.Node(j.path)
		f.index.put(&rec{Path: j.path, Kind: tree.Dir, Base: baseOf(&node), Inode: f.inode(j.path)})
		f.settle(j.path)
		f.mu.Unlock()
	}
	return n, nil
}

// mkdir makes a directory. Where names that differ in case are one, a directory
// that is there under another one is renamed if nothing is known of it.
func (f *Folder) mkdir(path string) error {
	if f.folds {
		if name, ok := f.nameOnDisk(path); ok && name != path && f.index.get(name) == nil {
			return f.fs.Rename(name, path)
		}
	}
	return f.fs.Mkdir(path)
}

// nameOnDisk returns the path under which a folding disk has a path.
func (f *Folder) nameOnDisk(path string) (string, bool) {
	dir, name := disk.Split(path)
	list, err := f.fs.List(dir)
	if err != nil {
		return "", false
	}
	found := ""
	for _, in := range list {
		if in.Name == name {
			return path, true
		}
		if tree.Key(in.Name) == tree.Key(name) {
			found = in.Name
		}
	}
	return join(dir, found), found != ""
}

func (f *Folder) inode(path string) uint64 {
	in, err := f.fs.Stat(path)
	if err != nil {
		return 0
	}
	return in.Inode
}

// parents makes the directories above a path. work is held.
func (f *Folder) parents(path string) error {
	dir := parent(path)
	if dir == "" {
		return nil
	}
	if r := f.index.get(dir); r != nil && r.Kind == tree.Dir {
		return nil
	}
	if err := f.parents(dir); err != nil {
		return err
	}
	if err := f.mkdir(dir); err != nil {
		return err
	}
	inode := f.inode(dir)
	f.mu.Lock()
	defer f.mu.Unlock()
	r := &rec{Path: dir, Kind: tree.Dir, Inode: inode}
	if node, ok := f.tree.Node(dir); ok && node.Shown.Kind == tree.Dir {
		r.Base = baseOf(&node)
	}
	f.index.put(r)
	return nil
}
