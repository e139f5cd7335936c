package app

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"inselnetz/app/folder"
	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// FileBy is who made a version.
type FileBy struct {
	Person access.PersonID
	Name   string
	Self   bool
	Device string // its name
}

// A FolderInfo is a shared folder as it is on this device.
type FolderInfo struct {
	Space    log.SpaceID
	Name     string // of the space; empty for the space of all
	Kept     bool
	Dir      string
	CanWrite bool
	Skipped  []string
	State    folder.State
	Holds    []FileHold
	Problems []FileProblem
	Trash    int
}

// A FileHold is a device whose changes wait for a decision.
type FileHold struct {
	folder.Hold
	By    FileBy
	Phone string // id of a stock Syncthing device instead
}

// A FileProblem is why something is not in sync: a word, what to fill into its
// sentence, and the path it is about.
type FileProblem struct {
	Code string
	Args []any
	Path string
}

// A FileRow is a path as a list shows it.
type FileRow struct {
	Node    tree.Node
	Dir     bool
	Count   int   // files in a directory
	Size    int64 // of a directory all in it
	Changed int64 // ms
	By      FileBy
	Where   folder.Where
	Alone   bool // own change that others do not take
	Suggest string
	OpenBy  string
	Copies  int
}

// A FileVersion is one state of a path.
type FileVersion struct {
	tree.Known
	By    FileBy
	State string // "now", "here", "elsewhere", "lost"
}

// A FileDetail is all there is to know of a path.
type FileDetail struct {
	Row      FileRow
	Gone     bool
	Days     int // versions are kept here for so long
	Devices  []string
	Versions []FileVersion
	Others   []FileVersion
	Problems []FileProblem
}

// dirSums are what directories hold in all, worked out anew when asked for after
// a change.
type dirSums struct {
	mu    sync.Mutex
	good  bool
	dirs  map[string]dirSum
	trash int
	made  time.Time
	took  time.Duration
	turn  uint64 // counts changes of the folder
}

type dirSum struct {
	files int
	bytes int64
	last  tree.Known // the newest version in it
}

func (d *dirSums) stale() {
	d.mu.Lock()
	d.good = false
	d.turn++
	d.mu.Unlock()
}

// gone returns how much is in the trash. It may be a little old while very much
// changes: a folder's line is asked for again and again then.
func (d *dirSums) gone(t *tree.Tree) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.good && time.Since(d.made) > 20*d.took {
		d.make(t)
	}
	return d.trash
}

// of returns what is in a directory.
func (d *dirSums) of(t *tree.Tree, dir string) dirSum {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.good {
		d.make(t)
	}
	return d.dirs[dir]
}

// make works the sums out; mu is held.
func (d *dirSums) make(t *tree.Tree) {
	start := time.Now()
	d.dirs, d.good = map[string]dirSum{}, true
	for n := range t.All("") {
		if n.Shown.Kind == tree.Dir {
			continue
		}
		for at := n.Path; at != ""; {
			at = parentOf(at)
			s := d.dirs[at]
			s.files++
			s.bytes += n.Shown.Size
			if s.files == 1 || n.Shown.Compare(s.last) > 0 {
				s.last = n.Shown
			}
			d.dirs[at] = s
		}
	}
	d.trash = len(t.Trash(""))
	d.made, d.took = time.Now(), time.Since(start)
}

func parentOf(p string) string {
	i := strings.LastIndexByte(p, '/')
	return p[:max(i, 0)]
}

// Folders returns the shared folders of this person's spaces: the one of the
// space of all first, then by name.
func (w *Workspace) Folders() ([]FolderInfo, error) {
	st := w.snapshot()
	if st == nil {
		return nil, problem("not-member")
	}
	var out []FolderInfo
	for _, id := range w.withFolder(st) {
		if info, err := w.Folder(id); err == nil {
			out = append(out, info)
		}
	}
	slices.SortFunc(out, func(a, b FolderInfo) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), slices.Compare(a.Space[:], b.Space[:]))
	})
	return out, nil
}

// Folder returns one of them.
func (w *Workspace) Folder(space log.SpaceID) (FolderInfo, error) {
	if s, err := w.sharedFolder(space); err == nil {
		return w.folderInfo(w.snapshot(), s), nil
	}
	st := w.snapshot()
	if st == nil || !slices.Contains(w.withFolder(st), space) {
		return FolderInfo{}, problem("no-folder")
	}
	// It does not run: just begun, or its disk is not there.
	set, err := w.folderSetOf(space)
	if err != nil || !set.Made {
		return FolderInfo{}, problem("no-folder")
	}
	out := FolderInfo{Space: space, Kept: set.Kept, Dir: set.Dir, Skipped: set.Skip, State: folder.State{Missing: true}}
	if _, named := st.Spaces[space]; named {
		out.Name = w.spaceName(st, space)
	}
	out.Problems = w.folderProblems(out)
	return out, nil
}

func (w *Workspace) sharedFolder(space log.SpaceID) (*shared, error) {
	if w.snapshot() == nil {
		return nil, problem("not-member")
	}
	s := w.folderOf(space)
	if s == nil {
		return nil, problem("no-folder")
	}
	return s, nil
}

func (w *Workspace) folderInfo(st *access.State, s *shared) FolderInfo {
	set := s.settings()
	out := FolderInfo{Space: s.space, Kept: set.Kept, CanWrite: s.mayWrite(), Skipped: set.Skip, State: s.f.State()}
	if _, named := st.Spaces[s.space]; named {
		out.Name = w.spaceName(st, s.space)
	}
	if set.Kept {
		out.Dir = set.Dir
	}
	s.f.View(func(t *tree.Tree) {
		out.Trash = s.dirs.gone(t)
	})
	for _, h := range s.f.Holds() {
		out.Holds = append(out.Holds, FileHold{Hold: h, By: w.fileBy(st, h.Device)})
	}
	out.Holds = append(out.Holds, w.phoneHolds(s.space)...)
	out.Problems = w.folderProblems(out)
	return out
}

// folderProblems says why a folder is not in sync.
func (w *Workspace) folderProblems(f FolderInfo) []FileProblem {
	var out []FileProblem
	add := func(code, path string, args ...any) { out = append(out, FileProblem{code, args, path}) }
	s := f.State
	if s.Missing {
		add("files-missing", "", f.Dir)
	}
	for _, h := range f.Holds {
		add("files-held", "", h.By.Device, h.Files+h.Applied)
	}
	if s.Waiting > 0 {
		add("files-waiting", "", s.Waiting)
	}
	if s.Conflicts > 0 {
		add("files-conflict", "", s.Conflicts)
	}
	for _, p := range s.LocalOnly {
		add("files-alone", p)
	}
	for _, e := range s.Errors {
		p := pathProblem(e)
		out = append(out, p)
	}
	if s.Watch != nil {
		add("files-watch", "", s.Watch.Error())
	}
	return out
}

// fileBy says whose device it is.
func (w *Workspace) fileBy(st *access.State, dev log.DeviceID) FileBy {
	d, _ := st.Known(dev)
	return FileBy{
		Person: d.Person, Name: access.ShowName(st.People[d.Person].Name), Self: d.Person == st.Devices[w.self].Person,
		Device: access.ShowName(d.Card.Name),
	}
}

// FileList returns what is in a directory: directories first, then by name.
func (w *Workspace) FileList(space log.SpaceID, dir string) ([]FileRow, error) {
	s, err := w.sharedFolder(space)
	if err != nil {
		return nil, err
	}
	var rows []FileRow
	found := dir == ""
	s.f.View(func(t *tree.Tree) {
		if !found {
			n, ok := t.Node(dir)
			found = ok && n.Shown.Kind == tree.Dir
		}
		for _, n := range t.List(dir) {
			rows = append(rows, s.row(t, n))
		}
	})
	if !found {
		return nil, problem("no-file", dir)
	}
	w.fill(s, rows)
	slices.SortStableFunc(rows, func(a, b FileRow) int {
		if a.Dir != b.Dir {
			if a.Dir {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(strings.ToLower(path.Base(a.Node.Path)), strings.ToLower(path.Base(b.Node.Path))), cmp.Compare(a.Node.Path, b.Node.Path))
	})
	return rows, nil
}

// row is what the tree says about a path.
func (s *shared) row(t *tree.Tree, n tree.Node) FileRow {
	r := FileRow{Node: n, Dir: n.Shown.Kind == tree.Dir, Size: n.Shown.Size}
	by := n.Shown
	if r.Dir {
		sum := s.dirs.of(t, n.Path)
		r.Count, r.Size = sum.files, sum.bytes
		if sum.files > 0 {
			by = sum.last
		}
	}
	r.Changed = by.Clock.Millis()
	r.By.Device = string(by.Device[:]) // until fill names it
	return r
}

// fill adds what the tree does not know.
func (w *Workspace) fill(s *shared, rows []FileRow) {
	st := w.snapshot()
	alone := map[string]bool{}
	for _, p := range s.f.State().LocalOnly {
		alone[p] = true
	}
	for i := range rows {
		r := &rows[i]
		r.By = w.fileBy(st, log.DeviceID([]byte(r.By.Device)))
		r.Where = s.f.Here(r.Node.Path)
		r.Alone = alone[r.Node.Path]
		if r.Node.Problem != 0 {
			r.Suggest = path.Base(tree.Suggest(r.Node.Path))
		}
		for _, dev := range w.openBy(s.space, r.Node.Path) {
			r.OpenBy = w.fileBy(st, dev).Name
		}
		if !r.Dir {
			r.Copies = len(w.keepers(r.Node.Shown.ID.Log, r.Node.Shown.ID.Seq))
			if r.Where == folder.Here {
				r.Copies++
			}
		}
	}
}

// FileDetail returns all there is to know of a path, present or in the trash.
func (w *Workspace) FileDetail(space log.SpaceID, p string) (FileDetail, error) {
	s, err := w.sharedFolder(space)
	if err != nil {
		return FileDetail{}, err
	}
	out := FileDetail{Days: int(folder.Retention / (24 * time.Hour))}
	var history []tree.Known
	found := false
	s.f.View(func(t *tree.Tree) {
		n, ok := t.Node(p)
		if !ok {
			n, ok = t.Gone(p)
			out.Gone = ok
		}
		if found = ok; !ok {
			return
		}
		out.Row = s.row(t, n)
		history = t.History(p)
	})
	if !found {
		return out, problem("no-file", p)
	}
	rows := []FileRow{out.Row}
	w.fill(s, rows)
	out.Row = rows[0]
	st := w.snapshot()
	shown := out.Row.Node.Shown
	if out.Row.Where == folder.Here {
		out.Devices = append(out.Devices, access.ShowName(st.Devices[w.self].Card.Name))
	}
	for _, dev := range w.keepers(shown.ID.Log, shown.ID.Seq) {
		out.Devices = append(out.Devices, w.fileBy(st, dev).Device)
	}
	for _, k := range history {
		out.Versions = append(out.Versions, w.fileVersion(st, s, k, !out.Gone && k.ID == shown.ID))
	}
	for _, k := range out.Row.Node.Others {
		out.Others = append(out.Others, w.fileVersion(st, s, k, false))
	}
	for _, pr := range w.folderProblems(FolderInfo{State: s.f.State()}) {
		if pr.Path == p {
			out.Problems = append(out.Problems, pr)
		}
	}
	out.Problems = append(out.Problems, rowProblems(out.Row)...)
	return out, nil
}

func (w *Workspace) fileVersion(st *access.State, s *shared, k tree.Known, now bool) FileVersion {
	v := FileVersion{Known: k, By: w.fileBy(st, k.Device)}
	switch {
	case now:
		v.State = "now"
	case k.Kind != tree.File || k.Sum == (tree.Sum{}) || s.f.Has(k.Sum):
		v.State = "here"
	case w.someoneHere(w.keepers(k.ID.Log, k.ID.Seq)):
		v.State = "elsewhere"
	default:
		v.State = "lost"
	}
	return v
}

// someoneHere reports whether one of these devices is connected.
func (w *Workspace) someoneHere(devs []log.DeviceID) bool {
	m := w.network()
	if m == nil {
		return false
	}
	for _, p := range m.Peers() {
		if p.Here && slices.Contains(devs, p.Device) {
			return true
		}
	}
	return false
}

// rowProblems says why a path is not in sync here.
func rowProblems(r FileRow) []FileProblem {
	p := r.Node.Path
	switch r.Where {
	case folder.Waiting:
		return []FileProblem{{"file-waits", nil, p}}
	case folder.CannotKeep:
		return []FileProblem{{"file-name", []any{path.Base(p), r.Suggest}, p}}
	case folder.InUse:
		return []FileProblem{{"file-in-use", []any{path.Base(p)}, p}}
	case folder.Held:
		return []FileProblem{{"file-held", nil, p}}
	case folder.Spared:
		return []FileProblem{{"file-spared", nil, p}}
	}
	return nil
}

// FileTrash returns what was deleted and can be brought back, newest first.
func (w *Workspace) FileTrash(space log.SpaceID, dir string) ([]FileRow, error) {
	return w.fileRows(space, func(s *shared, t *tree.Tree) (rows []FileRow) {
		for _, n := range t.Trash(dir) {
			if n.Shown.Kind == tree.Dir {
				continue
			}
			r := s.row(t, n)
			if n.Deleted != nil {
				r.Changed = n.Deleted.Clock.Millis()
				r.By.Device = string(n.Deleted.Device[:])
			}
			rows = append(rows, r)
		}
		return rows
	})
}

// FileConflicts returns the paths with several contents.
func (w *Workspace) FileConflicts(space log.SpaceID) ([]FileRow, error) {
	return w.fileRows(space, func(s *shared, t *tree.Tree) (rows []FileRow) {
		for _, p := range t.Conflicts() {
			if n, ok := t.Node(p); ok {
				rows = append(rows, s.row(t, n))
			}
		}
		return rows
	})
}

func (w *Workspace) fileRows(space log.SpaceID, which func(*shared, *tree.Tree) []FileRow) ([]FileRow, error) {
	s, err := w.sharedFolder(space)
	if err != nil {
		return nil, err
	}
	var rows []FileRow
	s.f.View(func(t *tree.Tree) { rows = which(s, t) })
	w.fill(s, rows)
	return rows, nil
}

// A FileMoment is some changes close together by one person.
type FileMoment struct {
	At    int64 // ms, of the last one
	By    FileBy
	Files int
	Gone  int
}

const (
	maxMoments = 200
	momentGap  = 2 * time.Minute
)

// FileMoments returns when something changed below a directory, newest first.
func (w *Workspace) FileMoments(space log.SpaceID, dir string) ([]FileMoment, error) {
	s, err := w.sharedFolder(space)
	if err != nil {
		return nil, err
	}
	var all []tree.Known
	s.f.View(func(t *tree.Tree) { all = t.Recent(dir, 50_000) })
	st := w.snapshot()
	var out []FileMoment
	var dev log.DeviceID
	last := int64(0)
	for _, k := range all { // newest first
		at := k.Clock.Millis()
		if n := len(out); n > 0 && dev == k.Device && last-at < momentGap.Milliseconds() {
			out[n-1].Files++
			if k.Kind == tree.Gone {
				out[n-1].Gone++
			}
		} else {
			if n == maxMoments {
				break
			}
			m := FileMoment{At: at, By: w.fileBy(st, k.Device), Files: 1}
			if k.Kind == tree.Gone {
				m.Gone = 1
			}
			out, dev = append(out, m), k.Device
		}
		last = at
	}
	return out, nil
}
