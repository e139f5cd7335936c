package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"inselnetz/app/disk"
	"inselnetz/app/folder"
	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
	"inselnetz/crdt/tree"
)

// files are the shared folders of this device's spaces.
type files struct {
	soon  chan struct{} // spaces, rights or settings may have changed
	match sync.Mutex    // one at a time starts and stops folders
	busy  atomic.Bool   // there was work lately

	mu     sync.RWMutex
	shared map[log.SpaceID]*shared
	kept   map[log.DeviceID]map[log.LogID]uint64 // contents of these logs' entries up to there are on that device
	open   map[log.DeviceID]map[fileRef]bool     // what people have open in their programs
}

// A fileRef names a path of a space's folder.
type fileRef struct {
	space log.SpaceID
	path  string
}

// shared is one running folder.
type shared struct {
	w     *Workspace
	space log.SpaceID
	set   folderSet
	disk  disk.FS
	f     *folder.Folder
	pull  chan struct{} // there may be new entries
	stop  context.CancelFunc
	done  chan struct{}
	tell  coalescer
	dirs  dirSums

	catMu sync.Mutex
	cat   *catalog // what storage-only devices were offered

	pulling sync.Mutex           // guards the rest
	upto    map[log.LogID]uint64 // entries that the folder has; nil: none yet
	writes  map[log.LogID]bool   // logs that count
	aside   bool                 // some could not be read yet
}

// A folderSet is what this device was told about a space's folder.
type folderSet struct {
	Kept bool     `json:"kept"`
	Dir  string   `json:"dir"`
	Skip []string `json:"skip,omitempty"`
	Made bool     `json:"made"` // the directory was set up once: if it is missing, something is wrong
}

const metaFolder = "folder/" // + SpaceID: its folderSet as JSON

func newFiles() files {
	return files{
		soon: make(chan struct{}, 1), shared: map[log.SpaceID]*shared{},
		kept: map[log.DeviceID]map[log.LogID]uint64{}, open: map[log.DeviceID]map[fileRef]bool{},
	}
}

// filesSoon has runFiles look again at which folders there are.
func (w *Workspace) filesSoon() {
	select {
	case w.files.soon <- struct{}{}:
	default:
	}
}

// folderOf returns the running folder of a space, nil if there is none.
func (w *Workspace) folderOf(space log.SpaceID) *shared {
	w.files.mu.RLock()
	defer w.files.mu.RUnlock()
	return w.files.shared[space]
}

func (w *Workspace) folders() []*shared {
	w.files.mu.RLock()
	defer w.files.mu.RUnlock()
	return slices.Collect(maps.Values(w.files.shared))
}

// runFiles keeps a folder running for every space that has one here.
func (w *Workspace) runFiles(ctx context.Context) error {
	select {
	case <-w.member:
	case <-ctx.Done():
		return nil
	}
	w.loadKept()
	defer func() {
		for _, s := range w.folders() {
			w.stopFolder(s)
		}
	}()
	for {
		w.matchFolders(ctx)
		select {
		case <-w.files.soon:
		case <-time.After(time.Minute): // a disk may have come back
		case <-ctx.Done():
			return nil
		}
	}
}

// matchFolders starts and stops folders as the spaces of this device ask for.
func (w *Workspace) matchFolders(ctx context.Context) {
	w.files.match.Lock()
	defer w.files.match.Unlock()
	st := w.snapshot()
	want := map[log.SpaceID]bool{}
	for _, id := range w.withFolder(st) {
		want[id] = true
	}
	for _, s := range w.folders() {
		if !want[s.space] {
			w.stopFolder(s)
		} else {
			s.look()
		}
		delete(want, s.space)
	}
	for id := range want {
		if err := w.startFolder(ctx, id); err != nil && ctx.Err() == nil {
			w.log.Warn("open folder", "space", id, "err", err)
			w.note("folder-broken", w.spaceTitle(st, id, access.PersonID{}), err.Error())
		}
	}
	w.matchCarried(ctx)
	w.changed("files", "")
}

// withFolder returns the spaces of this person that have a folder: direct ones
// have none.
func (w *Workspace) withFolder(st *access.State) []log.SpaceID {
	return slices.DeleteFunc(w.readable(st), func(id log.SpaceID) bool {
		s, named := st.Spaces[id]
		return named && s.Kind == access.Direct
	})
}

// startFolder opens a space's folder and lets it run.
func (w *Workspace) startFolder(ctx context.Context, space log.SpaceID) error {
	set, err := w.folderSetOf(space)
	if err != nil {
		return err
	}
	dir := set.Dir
	if !set.Kept && !set.Made {
		dir = filepath.Join(w.dir, "folders", space.String())
	}
	first := !set.Made
	if first {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	fsys, err := w.opts.OpenDisk(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", folder.ErrMissing, dir)
	} else if err != nil {
		return err
	}
	s := &shared{w: w, space: space, set: set, disk: fsys, pull: make(chan struct{}, 1), done: make(chan struct{})}
	s.f, err = folder.Open(ctx, folder.Options{
		FS: fsys, Host: (*host)(s), Device: w.self, Space: space, Create: first,
		Kept: set.Kept, Skip: set.Skip, Archive: w.opts.Archive, Spare: w.spare(), Log: w.log, MayWrite: s.mayWrite, OnChange: s.changed, Seen: w.inSyncAt,
	})
	if err != nil {
		return errors.Join(err, fsys.Close())
	}
	if first && set.Kept {
		s.set.Made = true
		if err := w.putJSON(metaFolder+space.String(), s.set); err != nil {
			return errors.Join(err, s.f.Close(), fsys.Close())
		}
	}
	if err := s.load(ctx); err != nil {
		return errors.Join(err, s.f.Close(), fsys.Close())
	}
	w.unnote("folder-broken")
	run, stop := context.WithCancel(ctx)
	s.stop = stop
	w.files.mu.Lock()
	w.files.shared[space] = s
	w.files.mu.Unlock()
	s.f.SetSpare(w.spare()) // it may have changed meanwhile
	go s.run(run)
	return nil
}

// stopFolder ends a folder; its files stay where they are.
func (w *Workspace) stopFolder(s *shared) {
	s.stop()
	<-s.done
	w.files.mu.Lock()
	delete(w.files.shared, s.space)
	w.files.mu.Unlock()
	if err := errors.Join(s.f.Close(), s.disk.Close()); err != nil {
		w.log.Warn("close folder", "space", s.space, "err", err)
	}
}

func (s *shared) run(ctx context.Context) {
	defer close(s.done)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-s.pull:
				if err := s.load(ctx); err != nil && ctx.Err() == nil {
					s.w.log.Warn("read entries of files", "space", s.space, "err", err)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	if err := s.f.Run(ctx); err != nil && ctx.Err() == nil {
		s.w.log.Warn("folder stopped", "space", s.space, "err", err)
		s.w.note("folder-broken", s.w.spaceTitle(s.w.snapshot(), s.space, access.PersonID{}), err.Error())
	}
	wg.Wait()
}

// look has the folder take in what came.
func (s *shared) look() {
	select {
	case s.pull <- struct{}{}:
	default:
	}
}

// load hands the folder the versions that count and that it does not have. If
// some count no more, it begins anew.
func (s *shared) load(ctx context.Context) error {
	s.pulling.Lock()
	defer s.pulling.Unlock()
	st := s.w.snapshot()
	writes, fell := s.w.counting(st, s.space, s.upto, s.writes)
	anew := fell || s.aside
	after := s.upto
	if anew {
		after = nil
	}
	r := &reader{ws: s.w.ws, state: st, keys: s.w.keyring()}
	var list []tree.Known
	var verdicts []folder.Verdict
	aside := false
	upto, err := s.w.store.Files(ctx, s.space, after, func(card log.Card, e *log.Entry) error {
		if !writes[card.ID()] {
			return nil
		}
		plain, err := r.Plain(card, e)
		if err != nil {
			aside = aside || errors.Is(err, store.ErrNoKey)
			return nil
		}
		ops, err := tree.Decode(plain)
		if err != nil {
			s.w.log.Debug("entry of files that nobody can read", "log", e.Log, "seq", e.Seq, "err", err)
			return nil
		}
		author := tree.Author{Device: card.Device, Clock: e.HLC}
		for n, op := range ops {
			switch op := op.(type) {
			case tree.Version:
				list = append(list, tree.Known{ID: tree.VersionID{Log: e.Log, Seq: e.Seq, N: uint32(n)}, Author: author, Version: op})
			case tree.Verdict:
				verdicts = append(verdicts, folder.Verdict{Author: author, Verdict: op})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	first := s.upto == nil
	s.upto, s.writes, s.aside = upto, writes, aside
	switch {
	case first, !anew:
		if first || len(list)+len(verdicts) > 0 {
			s.f.Add(list, verdicts...)
		}
	default:
		s.f.Reset(list, verdicts...)
	}
	return nil
}

// appendOwn appends an own entry, which the folder adds itself: load does not read
// it again if it is the next one of its log. On an error the entry is written if
// Own is set.
func (s *shared) appendOwn(ctx context.Context, plain []byte) (store.Applied, error) {
	s.pulling.Lock()
	defer s.pulling.Unlock()
	a, err := s.w.append(ctx, s.space, log.KindFile, plain, "")
	if a.Own == nil {
		return a, err
	}
	id, seq := a.Own.Log, a.Own.Seq
	if before, ok := s.upto[id]; seq == 1 && !ok && s.upto != nil || ok && before == seq-1 {
		s.upto[id], s.writes[id] = seq, true
	}
	return a, err
}

// counting tells which logs of a space count, and whether one counts less than it
// did, so that what was folded of them must be folded anew.
func (w *Workspace) counting(st *access.State, space log.SpaceID, had map[log.LogID]uint64, did map[log.LogID]bool) (writes map[log.LogID]bool, fell bool) {
	writes = map[log.LogID]bool{}
	for id, upto := range w.store.FilesUpto(space) {
		card, ok := w.store.Card(id)
		writes[id] = ok && w.writer(st, card)
		if was, known := had[id]; known && (upto < was || writes[id] != did[id]) {
			fell = true
		}
	}
	for id := range had {
		if _, ok := writes[id]; !ok {
			fell = true
		}
	}
	return writes, fell
}

// writer reports whether what a log says about files or documents counts: its device may
// write in the space, or could until the log was ended.
func (w *Workspace) writer(st *access.State, card log.Card) bool {
	if _, ended := st.Limit(card); ended {
		return true // the store hands out no more than counts
	}
	l := st.Level(card.Space, card.Device)
	_, gone := st.Gone[card.Device]
	return gone || l == access.Manage || l == access.Write
}

// mayWrite reports whether others take what this device changes.
func (s *shared) mayWrite() bool {
	st := s.w.snapshot()
	if st == nil || st.Stopped {
		return false
	}
	l := st.Level(s.space, s.w.self)
	return l == access.Manage || l == access.Write
}

// changed tells pages and other devices, not for every single file.
func (s *shared) changed() {
	s.tell.want(300*time.Millisecond, func() {
		s.dirs.stale()
		s.w.changed("files", s.space.String())
		s.w.tellFiles(s)
	})
	s.w.working()
}

const (
	restAfter = 20 * time.Second
	usualGC   = 100 // percent, as Go has it
	workGC    = 300
)

// working takes more memory while there is much to do, and gives it back soon
// after: a small machine has better uses for it.
func (w *Workspace) working() {
	if !w.files.busy.CompareAndSwap(false, true) {
		return
	}
	if was := debug.SetGCPercent(workGC); was != usualGC && was != workGC {
		debug.SetGCPercent(was) // somebody wants it so
	}
	w.resting.want(restAfter, func() {
		w.files.busy.Store(false)
		if was := debug.SetGCPercent(usualGC); was != workGC {
			debug.SetGCPercent(was)
		}
		debug.FreeOSMemory()
	})
}

// folderSetOf returns the settings of a space's folder, those it begins with if
// nobody set anything.
func (w *Workspace) folderSetOf(space log.SpaceID) (folderSet, error) {
	var set folderSet
	if err := w.getJSON(metaFolder+space.String(), &set); err != nil {
		return set, err
	}
	if set.Dir != "" || w.FilesPlace() == "" {
		return set, nil
	}
	set.Kept = true
	return set, w.placeFolder(space, &set)
}

// placeFolder gives a folder a free directory in the usual place.
func (w *Workspace) placeFolder(space log.SpaceID, set *folderSet) error {
	st := w.snapshot()
	name := access.ShowName(st.Office)
	if space != w.everyone() {
		name = w.spaceTitle(st, space, access.PersonID{})
	}
	name = fileName(name)
	taken := map[string]bool{}
	for _, s := range w.folders() {
		taken[s.settings().Dir] = true
	}
	for n := 1; ; n++ {
		set.Dir = filepath.Join(w.FilesPlace(), name)
		if n > 1 {
			set.Dir = filepath.Join(w.FilesPlace(), fmt.Sprintf("%s (%d)", name, n))
		}
		list, err := os.ReadDir(set.Dir)
		if !taken[set.Dir] && (errors.Is(err, fs.ErrNotExist) || err == nil && len(list) == 0) {
			break
		}
		if n > 1000 {
			return fmt.Errorf("no free directory for %q in %s", name, w.FilesPlace())
		}
	}
	return w.putJSON(metaFolder+space.String(), *set)
}

// fileName makes a name that every system can store of any text.
func fileName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`<>:"/\|?*`, r) {
			return '-'
		}
		return r
	}, s)
	for len(s) > 100 {
		s = s[:len(s)-1]
	}
	s = strings.Trim(strings.ToValidUTF8(s, ""), " .-")
	if s == "" {
		s = "Inselnetz"
	}
	if tree.Storable(s, tree.Windows) != 0 {
		s += "_"
	}
	return s
}

// SetFolder says whether a space's files lie on this device's disk, and in which
// directory; empty: as it is, or in the usual place. A directory that has files
// already is shared with what is in it; one that is left keeps its files.
func (w *Workspace) SetFolder(space log.SpaceID, kept bool, dir string) error {
	w.files.match.Lock()
	defer w.files.match.Unlock()
	st := w.snapshot()
	if st == nil || !slices.Contains(w.withFolder(st), space) {
		return problem("no-folder")
	}
	set, err := w.folderSetOf(space) // it may not be running, because its disk is gone
	if err != nil {
		return storeProblem(err, w.dir)
	}
	s := w.folderOf(space)
	old := set
	set.Kept = kept
	switch {
	case kept && dir != "" && dir != set.Dir:
		if err := w.mayLieIn(space, dir); err != nil {
			return err
		}
		set.Dir, set.Made = dir, false
	case kept && set.Dir == "":
		if w.FilesPlace() == "" {
			return &Problem{Code: "bad-directory", Args: []any{""}, Field: "dir"}
		}
		if err := w.placeFolder(space, &set); err != nil {
			return storeProblem(err, w.FilesPlace())
		}
	}
	if err := w.putJSON(metaFolder+space.String(), set); err != nil {
		return storeProblem(err, w.dir)
	}
	if s != nil && set.Made == old.Made && (set.Made || set.Kept == old.Kept) {
		s.setTo(set)
		s.f.SetKept(kept)
		s.changed()
		return nil
	}
	if s != nil {
		w.stopFolder(s) // runFiles opens it where it lies now
	}
	w.filesSoon()
	return nil
}

// mayLieIn refuses directories in which a folder must not lie.
func (w *Workspace) mayLieIn(space log.SpaceID, dir string) error {
	if !filepath.IsAbs(dir) {
		return &Problem{Code: "bad-directory", Args: []any{dir}, Field: "dir"}
	}
	taken := liesIn(dir, w.dir) || liesIn(w.dir, dir)
	for _, o := range w.folders() {
		other := o.settings().Dir
		taken = taken || o.space != space && other != "" && (liesIn(dir, other) || liesIn(other, dir))
	}
	if taken {
		return &Problem{Code: "directory-taken", Args: []any{dir}, Field: "dir"}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &Problem{Code: "bad-directory", Args: []any{dir}, Field: "dir", Err: err}
	}
	return nil
}

// liesIn reports whether one directory is, or lies in, another.
func liesIn(dir, parent string) bool {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		dir, parent = strings.ToLower(dir), strings.ToLower(parent)
	}
	rel, err := filepath.Rel(parent, dir)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func (s *shared) settings() folderSet {
	s.w.files.mu.RLock()
	defer s.w.files.mu.RUnlock()
	return s.set
}

func (s *shared) setTo(set folderSet) {
	s.w.files.mu.Lock()
	defer s.w.files.mu.Unlock()
	s.set = set
}

// SkipPath says whether a path of a folder is kept on this device.
func (w *Workspace) SkipPath(space log.SpaceID, path string, kept bool) error {
	s := w.folderOf(space)
	if s == nil {
		return problem("no-folder")
	}
	set := s.settings()
	set.Skip = slices.DeleteFunc(slices.Clone(set.Skip), func(p string) bool { return p == path || strings.HasPrefix(p, path+"/") })
	if !kept {
		set.Skip = append(set.Skip, path)
		slices.Sort(set.Skip)
	}
	if err := w.putJSON(metaFolder+space.String(), set); err != nil {
		return storeProblem(err, w.dir)
	}
	s.setTo(set)
	s.f.SetSkip(set.Skip)
	s.changed()
	return nil
}
