package folder

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// A sighting is a path whose state on the disk is not what the index says.
type sighting struct {
	path string
	in   disk.Info
	old  *rec // of the same kind or not; nil: the path is new
}

// A survey is what a look at the disk found. It changes nothing but the names of
// files that are not in Unicode's normal form.
type survey struct {
	f       *Folder
	rules   rules
	seen    []sighting // files and links
	missing []*rec
	dirs    []sighting // directories without a record
	empty   []string   // directories with nothing in them
	walked  map[string]bool
}

// Scan looks at the given paths, or at everything, and publishes what the user
// changed. What changes while it is read is left for the next time.
func (f *Folder) Scan(ctx context.Context, paths ...string) error {
	f.using.RLock()
	defer f.using.RUnlock()
	f.work.Lock()
	defer f.work.Unlock()
	return f.scan(ctx, paths)
}

// scan is Scan for a holder of work.
func (f *Folder) scan(ctx context.Context, paths []string) error {
	if err := f.attached(); err != nil {
		return err
	}
	if !f.kept() {
		return nil
	}
	defer f.busy("scan")()
	f.readRules()
	s := &survey{f: f, rules: f.rules, walked: map[string]bool{}}
	all := len(paths) == 0
	if all {
		f.clearErrors("")
		s.walk(ctx, "")
	} else {
		for _, p := range slices.Compact(slices.Sorted(slices.Values(paths))) {
			f.clearErrors(p)
			s.look(ctx, p)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// A disk that went away looks like a folder where everything was deleted.
	if err := f.marker(); err != nil {
		return err
	}
	err := f.publishSurvey(ctx, s)
	if err == nil && all {
		f.mu.Lock()
		f.settled = true
		f.mu.Unlock()
	}
	return err
}

// walk looks at everything below a directory.
func (s *survey) walk(ctx context.Context, dir string) {
	if ctx.Err() != nil || s.walked[dir] {
		return
	}
	s.walked[dir] = true
	infos, err := s.f.fs.List(dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) && dir != "" {
			s.gone(dir)
			return
		}
		s.f.pathError(dir, err, "")
		return
	}
	s.f.noteLocks(dir, infos)
	known := s.f.index.in(dir)
	found := 0
	var below []string
	for i := range infos {
		in := &infos[i]
		if dir == "" && in.Name == hidden {
			continue
		}
		if r := known[in.Name]; r != nil {
			found++
		}
		if sub, ok := s.entry(dir, in, known[in.Name]); ok {
			below = append(below, sub)
		}
	}
	if len(infos) == 0 && dir != "" {
		s.empty = append(s.empty, dir)
	}
	if found < len(known) {
		for _, name := range slices.Sorted(maps.Keys(known)) {
			if _, ok := slices.BinarySearchFunc(infos, name, func(in disk.Info, n string) int { return strings.Compare(in.Name, n) }); !ok {
				s.lost(known[name])
			}
		}
	}
	for _, sub := range below {
		s.walk(ctx, sub)
	}
}

// entry looks at one entry of a directory and returns the path of a directory
// to walk.
func (s *survey) entry(dir string, in *disk.Info, r *rec) (sub string, ok bool) {
	var path string
	if r != nil {
		path = r.Path
	} else {
		path = join(dir, in.Name)
	}
	if r != nil && r.Kind != tree.Dir && !r.Racy && s.f.unchanged(r, *in) && !ignored(s.rules, path) {
		return "", false
	}
	if builtIn(in.Name) && path != IgnoreFile || ignored(s.rules, path) {
		s.forget(r)
		return "", false
	}
	if s.f.skips(path) {
		return "", false
	}
	path, err := s.name(path, in)
	if err != nil {
		s.f.pathError(join(dir, in.Name), err, suggest(join(dir, in.Name)))
		return "", false
	}
	if r == nil {
		r = s.f.index.get(path)
	}
	switch in.Kind {
	case disk.Dir:
		if r == nil || r.Kind != tree.Dir {
			if r != nil {
				s.missing = append(s.missing, r)
			}
			s.dirs = append(s.dirs, sighting{path, *in, nil})
		}
		return path, true
	case disk.File, disk.Link:
		if r != nil && r.Kind == tree.Dir {
			s.gone(path)
		}
		if r == nil || r.Racy || !s.f.unchanged(r, *in) {
			s.seen = append(s.seen, sighting{path, *in, r})
		}
	default:
		s.f.pathError(path, errors.New("neither a file nor a directory"), "")
	}
	return "", false
}

// name returns the path under which an entry is shared. One in another normal
// form of Unicode is renamed if that name is free.
func (s *survey) name(path string, in *disk.Info) (string, error) {
	want, err := normal(path)
	if err != nil || want == path {
		return path, err
	}
	if err := s.f.fs.RenameNew(path, want); err != nil {
		if errors.Is(err, fs.ErrExist) {
			if there, e := s.f.fs.Stat(want); e == nil && there.Inode == in.Inode && in.Inode != 0 {
				return want, nil // a file system to which both are one
			}
			err = errors.Join(ErrName, errors.New("the same name in another normal form is there"))
		}
		return "", err
	}
	return want, nil
}

// forget drops the record of what is ignored now: it stays with the others as
// it is.
func (s *survey) forget(r *rec) {
	if r == nil {
		return
	}
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.index.drop(r.Path)
}

// lost notes that what a record tells of is not there any more.
func (s *survey) lost(r *rec) {
	if ignored(s.rules, r.Path) || s.f.skips(r.Path) {
		s.forget(r)
		return
	}
	if r.Kind == tree.Dir {
		s.gone(r.Path)
	}
	s.missing = append(s.missing, r)
}

// gone notes all records below a path as missing.
func (s *survey) gone(dir string) {
	s.f.index.below(dir, func(r *rec) { s.missing = append(s.missing, r) })
}

// look looks at one path, whatever is there.
func (s *survey) look(ctx context.Context, path string) {
	if !disk.Valid(path) || within(path, hidden) || s.f.skips(path) {
		return
	}
	// A directory that is not known yet is looked at from its top, so that it is
	// found whole.
	if s.walked[parent(path)] {
		return
	}
	if path != "" && !ignored(s.rules, path) {
		top := path
		for p := parent(path); p != ""; p = parent(p) {
			if r := s.f.index.get(p); r == nil {
				top = p
			}
		}
		if s.walked[top] {
			return
		}
		path = top
	}
	if path == "" {
		s.walk(ctx, "")
		return
	}
	dir, name := disk.Split(path)
	in, err := s.f.fs.Stat(path)
	if err == nil && s.f.folds {
		if real, ok := s.f.nameOnDisk(path); ok && real != path { // what is there has another name
			s.look(ctx, real)
			err = fs.ErrNotExist
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.f.noteLock(dir, name, false)
		r := s.f.index.get(path)
		if r != nil {
			s.lost(r)
		}
		if list, err := s.f.fs.List(dir); err == nil && dir != "" && len(list) == 0 {
			s.empty = append(s.empty, dir)
		}
		return
	case err != nil:
		s.f.pathError(path, err, "")
		return
	}
	in.Name = name
	s.f.noteLock(dir, name, true)
	if sub, ok := s.entry(dir, &in, s.f.index.get(path)); ok {
		s.walk(ctx, sub)
	}
}

// unchanged tells whether an entry is what the record says.
func (f *Folder) unchanged(r *rec, in disk.Info) bool {
	if !f.execs {
		in.Exec = r.Exec
	}
	return r.seen(in)
}
