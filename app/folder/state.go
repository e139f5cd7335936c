package folder

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"inselnetz/app/disk"
	"inselnetz/app/keep"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// A Where says where a path's content is as seen from this device.
type Where uint8

const (
	Unknown    Where = iota // no such path
	Here                    // on the disk here
	NotKept                 // not kept on this device
	Fetching                // being fetched
	Waiting                 // no device in reach has it
	CannotKeep              // this disk cannot have such a name
	InUse                   // open in a program here, which keeps it as it is
	Held                    // a change is held by the brake
	Spared                  // large: fetched when somebody asks; see SetSpare
	Blocked                 // something else is in its place, or the disk failed; see State.Errors
)

// A PathError is why a path on the disk is not in sync.
type PathError struct {
	Path    string
	Err     error
	Suggest string // a name that would do, or ""
}

// A State is how the folder is.
type State struct {
	Missing bool   // the directory is not there: nothing is read or written
	Busy    string // "", "scan", "apply", "house"

	Files int   // living files
	Bytes int64 // their size

	LackFiles int // files whose content is to be fetched
	LackBytes int64
	DoneBytes int64 // came in since the program began
	Rate      int64 // bytes a second that come in
	Waiting   int   // of LackFiles: nobody in reach has them now

	Spared      int // files, not among LackFiles, that wait until somebody asks
	SparedBytes int64

	Conflicts int
	Held      int // versions held by the brake

	LocalOnly []string    // changes that stay here alone: no right to write; the first 100
	Errors    []PathError // the first 100
	KeepBytes int64       // older contents and guard copies
	Watch     error       // why changes are not seen at once, or nil
}

// State says how the folder is.
func (f *Folder) State() State {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := State{Missing: f.missing, Conflicts: len(f.tree.Conflicts()), Watch: f.watchErr}
	s.Files, _ = f.tree.Len()
	for _, what := range []string{"scan", "apply", "house"} {
		if f.doing[what] > 0 {
			s.Busy = what
			break
		}
	}
	now := f.host.Now()
	if d := now.Sub(f.lackAt); d < 0 || d > max(lackEvery, f.costly()) || len(f.todo) < lackFew {
		f.lack, f.lackAt = f.lacks(), now
	}
	s.Spared, s.SparedBytes = f.lack.Spared, f.lack.SparedBytes
	s.LackFiles, s.LackBytes, s.Waiting, s.Bytes = f.lack.LackFiles, f.lack.LackBytes, f.lack.Waiting, f.lack.Bytes
	if d := now.Sub(f.rateAt); d >= time.Second || d < 0 {
		came := f.came.Load()
		f.rate = int64(float64(came-f.rateFrom) / max(d.Seconds(), 1))
		f.rateAt, f.rateFrom = now, came
	}
	s.Rate = f.rate
	s.DoneBytes = f.came.Load()
	s.LocalOnly = slices.Sorted(maps.Keys(f.local))
	s.LocalOnly = s.LocalOnly[:min(len(s.LocalOnly), maxErrors)]
	for _, path := range slices.Sorted(maps.Keys(f.errs)) {
		s.Errors = append(s.Errors, f.errs[path])
	}
	s.Held = len(f.held)
	if f.keep != nil {
		s.KeepBytes = f.keep.Used()
	}
	return s
}

// How often a long list of what is to be done is counted.
const (
	lackEvery = time.Second
	lackFew   = 500
)

// lacks counts what is to be fetched, and what there is; mu is held.
func (f *Folder) lacks() (s State) {
	for path, why := range f.todo {
		node, ok := f.tree.Node(path)
		if !ok || node.Shown.Kind != tree.File {
			continue
		}
		if r := f.index; r == nil || r.get(path) == nil {
			s.Bytes += node.Shown.Size
		}
		if why == todoSpare {
			s.Spared++
			s.SparedBytes += f.spared(&node)
			continue
		}
		s.LackFiles++
		s.LackBytes += node.Shown.Size
		if why == todoWait {
			s.Waiting++
		}
	}
	if f.onDisk && len(f.skip) == 0 && f.index != nil {
		s.Bytes += f.index.bytes
		return s
	}
	s.Bytes = 0
	for n := range f.tree.All("") {
		s.Bytes += n.Shown.Size
	}
	return s
}

// Here says where the content of a path is.
func (f *Folder) Here(path string) Where {
	f.mu.Lock()
	defer f.mu.Unlock()
	node, ok := f.tree.Node(path)
	if !ok {
		return Unknown
	}
	switch {
	case !f.onDisk || f.skipped(path):
		return NotKept
	case !f.storable(&node):
		return CannotKeep
	}
	switch why := f.todo[path]; {
	case f.inUse(path):
		return InUse
	case why == todoWait:
		return Waiting
	case why == todoHeld:
		return Held
	case why == todoSpare:
		return Spared
	case why == todoFail:
		return Blocked
	case why == todoNew || why == todoFetch || why == todoTaken:
		return Fetching
	}
	return Here
}

// UpTo says up to which entry of each log all contents are durable here or were
// replaced.
func (f *Folder) UpTo() map[log.LogID]uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.host.Now()
	if len(f.todo) > 0 && f.upto != nil && now.Sub(f.uptoAt) < max(uptoEvery, f.costly()) && now.After(f.uptoAt) {
		return maps.Clone(f.upto) // lower than it could be, never higher
	}
	f.upto, f.uptoAt = f.upToNow(), now
	return maps.Clone(f.upto)
}

// costly is how long to wait between two looks through a long list of what is to
// be done, so that they take little of the time; mu is held.
func (f *Folder) costly() time.Duration { return time.Duration(len(f.todo)) * 100 * time.Microsecond }

// lasts tells whether a content is here for good; mu is held.
func (f *Folder) lasts(k *tree.Known) bool {
	if r := f.index.bySum(k.Sum); r != nil && !f.index.young[r.Path] {
		return true
	}
	return k.Size == 0 || f.keep.Durable(k.Sum)
}

// uptoEvery is how often the numbers of UpTo are worked out while much is open.
const uptoEvery = 500 * time.Millisecond

// upToNow works out UpTo; mu is held.
func (f *Folder) upToNow() map[log.LogID]uint64 {
	out := maps.Clone(f.tops)
	lack := func(k *tree.Known) {
		if up, ok := out[k.ID.Log]; ok && up >= k.ID.Seq {
			out[k.ID.Log] = k.ID.Seq - 1
		}
	}
	if f.keep == nil {
		return map[log.LogID]uint64{}
	}
	look := func(node *tree.Node) {
		for i := range node.Others {
			if k := &node.Others[i]; k.Kind == tree.File && !f.lasts(k) {
				lack(k)
			}
		}
		if k := &node.Shown; k.Kind == tree.File && !f.lasts(k) {
			lack(k)
		}
	}
	if !f.onDisk || len(f.skip) > 0 {
		for node := range f.tree.All("") {
			look(&node)
		}
		return out
	}
	for path := range f.todo {
		if node, ok := f.tree.Node(path); ok {
			look(&node)
		}
	}
	return out
}

// OpenHere returns the documents that a program on this device has open.
func (f *Folder) OpenHere() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Compact(slices.Sorted(maps.Values(f.locks)))
}

// Has tells whether Read can serve a content whole.
func (f *Folder) Has(sum tree.Sum) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keep != nil && f.has(sum, 1)
}

// Each yields every content that Read can serve here now, with its size.
func (f *Folder) Each(yield func(sum tree.Sum, size int64) bool) {
	f.mu.Lock()
	if f.keep == nil {
		f.mu.Unlock()
		return
	}
	type content struct {
		sum  tree.Sum
		size int64
	}
	all := make([]content, 0, len(f.index.sums))
	for sum, r := range f.index.sums {
		all = append(all, content{sum, r.Size})
	}
	f.mu.Unlock()
	for _, c := range all {
		if !yield(c.sum, c.size) {
			return
		}
	}
	f.keep.Each(func(i keep.Item) bool {
		f.mu.Lock()
		there := f.index.bySum(i.Sum) != nil
		f.mu.Unlock()
		return there || yield(i.Sum, i.Size)
	})
}

const maxErrors = 100

// pathError notes why a path is not in sync; mu is not held.
func (f *Folder) pathError(path string, err error, suggest string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.errs[path]; ok || len(f.errs) < maxErrors {
		f.errs[path] = PathError{Path: path, Err: err, Suggest: suggest}
	}
	f.log.Debug("path is not in sync", "path", path, "err", err)
}

// clearErrors forgets what was wrong at and below a path.
func (f *Folder) clearErrors(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.errs)+len(f.local) == 0 {
		return
	}
	maps.DeleteFunc(f.errs, func(p string, _ PathError) bool { return within(p, path) })
	maps.DeleteFunc(f.local, func(p string, _ bool) bool { return within(p, path) })
}

// localOnly notes a change that is not published; mu is not held.
func (f *Folder) localOnly(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.local[path] = true
}

// unsettled notes a path that has to be looked at again.
func (f *Folder) unsettled(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.retry[path] = true
}

// busy notes what goes on until the returned function is called.
func (f *Folder) busy(what string) func() {
	f.mu.Lock()
	f.doing[what]++
	f.mu.Unlock()
	return func() {
		f.mu.Lock()
		if f.doing[what]--; f.doing[what] == 0 {
			delete(f.doing, what)
		}
		f.mu.Unlock()
	}
}

// readRules reads the ignore file again if it changed.
func (f *Folder) readRules() {
	text, _, err := f.fs.Read(IgnoreFile, nil)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			text = nil
		} else {
			return // as before
		}
	}
	if string(text) == f.rulesText {
		return
	}
	rs, err := parseRules(text)
	if err != nil {
		f.pathError(IgnoreFile, err, "")
	}
	f.mu.Lock()
	f.rules, f.rulesText = rs, string(text)
	f.retry[""] = true // everything is to be looked at with other eyes
	f.revisit()
	f.mu.Unlock()
}

// noteLocks sees which documents of a directory are open in a program here.
func (f *Folder) noteLocks(dir string, infos []disk.Info) {
	names := func(yield func(string) bool) {
		for i := range infos {
			if !yield(infos[i].Name) {
				return
			}
		}
	}
	open := map[string]string{}
	for i := range infos {
		if n := infos[i].Name; n[0] == '~' || n[0] == '.' {
			if doc := lockOf(n, names); doc != "" {
				open[join(dir, n)] = join(dir, doc)
			}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for lock := range f.locks {
		if parent(lock) == dir {
			delete(f.locks, lock)
		}
	}
	maps.Copy(f.locks, open)
}

// noteLock is noteLocks for one name that came or went.
func (f *Folder) noteLock(dir, name string, there bool) {
	if !builtIn(name) {
		return
	}
	path, doc := join(dir, name), ""
	if there {
		infos, err := f.fs.List(dir)
		if err != nil {
			return
		}
		doc = lockOf(name, func(yield func(string) bool) {
			for i := range infos {
				if !yield(infos[i].Name) {
					return
				}
			}
		})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	was := f.locks[path]
	if doc == "" {
		delete(f.locks, path)
	} else {
		doc = join(dir, doc)
		f.locks[path] = doc
	}
	if was != doc && f.todo[was] == todoInUse {
		f.todo[was] = todoNew
		f.poke()
	}
}

// inUse tells whether a program here has a document open; mu is held.
func (f *Folder) inUse(path string) bool {
	for _, doc := range f.locks {
		if doc == path {
			return true
		}
	}
	return false
}
