package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"time"

	"inselnetz/app/disk"
	"inselnetz/app/folder"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// PutFile writes a file into a folder. base is the version it replaces: nil is
// whatever is there; with free it must replace nothing and gets a free name. at
// is the file's own time in ms, 0 is now.
func (w *Workspace) PutFile(ctx context.Context, space log.SpaceID, p string, base *tree.VersionID, free bool, at int64, r io.Reader) (FileRow, error) {
	s, err := w.sharedFolder(space)
	if err != nil {
		return FileRow{}, err
	}
	if at == 0 {
		at = w.opts.Now().UnixMilli()
	}
	var parents []tree.VersionID
	s.f.View(func(t *tree.Tree) {
		n, there := t.Node(p)
		if free && there {
			p = freeName(t, p)
		}
		if base != nil && (!there || n.Shown.ID != *base) {
			parents = []tree.VersionID{*base}
		}
	})
	if _, err := s.f.Put(ctx, p, parents, at*int64(time.Millisecond), r); err != nil {
		return FileRow{}, w.fileProblem(s, p, err)
	}
	return w.FileRow(space, p)
}

// freeName returns a name beside p that nothing has.
func freeName(t *tree.Tree, p string) string {
	ext := path.Ext(p)
	if strings.TrimSuffix(path.Base(p), ext) == "" {
		ext = ""
	}
	stem := strings.TrimSuffix(p, ext)
	for n := 2; ; n++ {
		name := fmt.Sprintf("%s (%d)%s", stem, n, ext)
		if _, there := t.Node(name); !there {
			return name
		}
	}
}

// FileRow returns one path.
func (w *Workspace) FileRow(space log.SpaceID, p string) (FileRow, error) {
	d, err := w.FileDetail(space, p)
	return d.Row, err
}

// FileContent opens a version's content; nil is the present one. It may have to
// be fetched.
func (w *Workspace) FileContent(ctx context.Context, space log.SpaceID, p string, version *tree.VersionID) (io.ReadSeekCloser, tree.Known, error) {
	s, err := w.sharedFolder(space)
	if err != nil {
		return nil, tree.Known{}, err
	}
	var k tree.Known
	ok := false
	s.f.View(func(t *tree.Tree) {
		if version != nil {
			k, ok = t.Known(*version)
			return
		}
		var n tree.Node
		if n, ok = t.Node(p); !ok {
			n, ok = t.Gone(p)
		}
		k = n.Shown
	})
	if !ok || k.Kind != tree.File {
		return nil, k, problem("no-file", p)
	}
	r, err := s.f.Content(ctx, k)
	return r, k, w.fileProblem(s, p, err)
}

// MakeDir makes an empty directory.
func (w *Workspace) MakeDir(ctx context.Context, space log.SpaceID, p string) (FileRow, error) {
	s, err := w.sharedFolder(space)
	if err != nil {
		return FileRow{}, err
	}
	if err := s.f.Mkdir(ctx, p); err != nil {
		return FileRow{}, w.fileProblem(s, p, err)
	}
	return w.FileRow(space, p)
}

// RenameFile moves a file, or a directory with all in it, to a free name.
func (w *Workspace) RenameFile(ctx context.Context, space log.SpaceID, from, to string) (FileRow, error) {
	s, err := w.sharedFolder(space)
	if err != nil {
		return FileRow{}, err
	}
	if err := s.f.Rename(ctx, from, to); err != nil {
		return FileRow{}, w.fileProblem(s, to, err)
	}
	return w.FileRow(space, to)
}

// RemoveFiles moves files, and directories with all in them, to the trash.
func (w *Workspace) RemoveFiles(ctx context.Context, space log.SpaceID, paths []string) error {
	s, err := w.sharedFolder(space)
	if err != nil {
		return err
	}
	return w.fileProblem(s, strings.Join(paths, ", "), s.f.Remove(ctx, paths...))
}

// RestoreFile brings a version of a path back, as a new one; nil is the last one
// before it was deleted.
func (w *Workspace) RestoreFile(ctx context.Context, space log.SpaceID, p string, version *tree.VersionID) (FileRow, error) {
	s, err := w.sharedFolder(space)
	if err != nil {
		return FileRow{}, err
	}
	if version == nil {
		var removed log.HLC
		s.f.View(func(t *tree.Tree) {
			if n, ok := t.Gone(p); ok && n.Shown.Kind != tree.Dir {
				version = &n.Shown.ID
			}
			removed = removedAt(t, p)
		})
		if version == nil && removed == 0 {
			return FileRow{}, problem("no-file", p)
		}
		if version == nil {
			if _, err := s.f.Rewind(ctx, p, removed-1, false); err != nil {
				return FileRow{}, w.fileProblem(s, p, err)
			}
			return w.FileRow(space, p)
		}
	}
	if err := s.f.Restore(ctx, p, *version); err != nil {
		return FileRow{}, w.fileProblem(s, p, err)
	}
	return w.FileRow(space, p)
}

// removedAt returns when a directory was last removed: the clock of the first
// deletion in it of the last row of them by one device, 0 if there is none.
func removedAt(t *tree.Tree, dir string) (first log.HLC) {
	var by log.DeviceID
	for _, n := range t.Trash(dir) { // newest first
		d := n.Deleted
		if d == nil {
			continue
		}
		if first != 0 && (d.Device != by || first.Millis()-d.Clock.Millis() > momentGap.Milliseconds()) {
			break
		}
		first, by = d.Clock, d.Device
	}
	return first
}

// Rewind brings a directory back to what it was at a time in ms; dry only says
// what would happen. It returns the time to rewind to if it was a mistake.
func (w *Workspace) Rewind(ctx context.Context, space log.SpaceID, dir string, at int64, dry bool) (folder.Changes, int64, error) {
	s, err := w.sharedFolder(space)
	if err != nil {
		return folder.Changes{}, 0, err
	}
	undo := w.opts.Now().UnixMilli()
	s.f.View(func(t *tree.Tree) {
		for _, k := range t.Recent(dir, 1) { // a clock ahead of this one may have written last
			undo = max(undo, k.Clock.Millis())
		}
	})
	c, err := s.f.Rewind(ctx, dir, log.HLC(uint64(at)<<16|0xffff), dry)
	return c, undo, w.fileProblem(s, dir, err)
}

// ResolveFile ends a conflict in favour of one version; with both, the others
// become files beside it.
func (w *Workspace) ResolveFile(ctx context.Context, space log.SpaceID, p string, keep tree.VersionID, both bool) (FileRow, error) {
	s, err := w.sharedFolder(space)
	if err != nil {
		return FileRow{}, err
	}
	var beside func(tree.Known) string
	if both {
		st := w.snapshot()
		beside = func(k tree.Known) string {
			name := path.Base(p)
			ext := path.Ext(name)
			at := time.UnixMilli(k.Clock.Millis()).Format("2006-01-02 15.04")
			return fileName(fmt.Sprintf("%s (%s, %s)%s", strings.TrimSuffix(name, ext), w.fileBy(st, k.Device).Name, at, ext))
		}
	}
	if err := s.f.Resolve(ctx, p, keep, beside); err != nil {
		return FileRow{}, w.fileProblem(s, p, err)
	}
	return w.FileRow(space, p)
}

// DecideHold accepts the held changes of a device, or discards them and brings
// back what was before.
func (w *Workspace) DecideHold(ctx context.Context, space log.SpaceID, dev log.DeviceID, accept bool) error {
	s, err := w.sharedFolder(space)
	if err != nil {
		return err
	}
	if dev == w.self {
		return problem("hold-own")
	}
	return w.fileProblem(s, "", s.f.Decide(ctx, dev, accept))
}

// FilePlace returns where a path lies on this device's disk.
func (w *Workspace) FilePlace(space log.SpaceID, p string) (string, error) {
	s, err := w.sharedFolder(space)
	if err != nil {
		return "", err
	}
	set := s.settings()
	if p != "" && s.f.Here(p) != folder.Here || !set.Kept {
		return "", problem("file-not-here", p)
	}
	return filepath.Join(set.Dir, filepath.FromSlash(p)), nil
}

// fileProblem gives errors of files their sentence.
func (w *Workspace) fileProblem(s *shared, p string, err error) error {
	var known *Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, folder.ErrReadOnly):
		return because("files-read-only", err)
	case errors.Is(err, folder.ErrMissing):
		return because("files-missing", err, s.settings().Dir)
	case errors.Is(err, folder.ErrNobody), errors.Is(err, folder.ErrNone):
		return because("file-nobody", err, path.Base(p))
	case errors.Is(err, tree.ErrPath):
		return &Problem{Code: "file-bad-name", Args: []any{path.Base(p)}, Field: "path", Err: err}
	case errors.Is(err, fs.ErrNotExist):
		return because("no-file", err, p)
	case errors.Is(err, fs.ErrExist):
		return &Problem{Code: "file-taken", Args: []any{path.Base(p)}, Field: "to", Err: err}
	case errors.Is(err, disk.ErrFull):
		return because("disk-full", err)
	case errors.Is(err, disk.ErrDenied), errors.Is(err, disk.ErrBusy):
		return because("file-denied", err, path.Base(p))
	}
	return storeProblem(err, w.dir)
}

// pathProblem says why a path on the disk is not in sync.
func pathProblem(e folder.PathError) FileProblem {
	name := path.Base(e.Path)
	switch {
	case errors.Is(e.Err, folder.ErrName), errors.Is(e.Err, tree.ErrPath):
		return FileProblem{"file-own-name", []any{name, e.Suggest}, e.Path}
	case errors.Is(e.Err, disk.ErrFull):
		return FileProblem{"file-disk-full", []any{name}, e.Path}
	case errors.Is(e.Err, disk.ErrDenied):
		return FileProblem{"file-no-access", []any{name}, e.Path}
	case errors.Is(e.Err, disk.ErrBusy):
		return FileProblem{"file-in-use", []any{name}, e.Path}
	case e.Suggest != "":
		return FileProblem{"file-name", []any{name, e.Suggest}, e.Path}
	}
	return FileProblem{"file-failed", []any{name, e.Err.Error()}, e.Path}
}
