package app

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// homeNotes are what Home remembers between two looks.
type homeNotes struct {
	setup sync.Mutex // one at a time makes what a kind of office brings

	mu    sync.Mutex // guards the rest
	visit *visitNote // nil: not read yet
	saved int64      // when visit was written down, ms
	files map[log.SpaceID]homeFiles
}

// homeFiles is what others changed in a folder, for one state of it.
type homeFiles struct {
	turn  uint64
	since int64
	files []HomeFile
	more  int
}

const metaVisit = "visit" // visitNote as JSON

// A visitNote tells visits apart. A visit lasts as long as the page is looked at
// now and then; what changed is told from the end of the one before.
type visitNote struct {
	Since int64 `json:"since"` // the end of the visit before, ms; news are newer
	Seen  int64 `json:"seen"`  // the page was last looked at, ms
}

const (
	visitGap  = 30 * time.Minute // without a look, the next one begins a visit
	visitSave = time.Minute      // what a crash may take of a visit
	mostNews  = 8                // of documents and of files that Home names
)

// A Home is how the office stands for whoever uses this device.
type Home struct {
	Info        Info
	Here        int // people that are here, this one too
	People      int
	DevicesHere int
	Devices     int
	Role        access.Role
	Since       int64     // end of the visit before, ms
	Points      []Point   // what is open
	Silent      bool      // nobody ever wrote a message that this person reads
	Channels    []Channel // with unread messages: mentions first
	Documents   []DocRow
	DocsMore    int // documents beyond those
	Files       []HomeFile
	FilesMore   int // files beyond those, in other folders too
}

// A Point is something that is open beside the notices.
type Point struct {
	What  string // "hold", "conflicts", "folder-missing", "kind", "invite", "always-on", "only-here"
	Name  string // of the device, the phone or the folder; empty: of the folder of all
	Space log.SpaceID
	N     int
	At    int64 // ms; 0 unknown
}

// A HomeFile is a file that somebody else changed.
type HomeFile struct {
	Space  log.SpaceID
	Folder string // its name; empty: of all
	Path   string
	At     int64 // ms
	By     FileBy
}

// Home returns how the office stands. It does not count as a visit by itself.
func (w *Workspace) Home(ctx context.Context) (Home, error) {
	st := w.snapshot()
	if st == nil {
		return Home{}, problem("not-member")
	}
	out := Home{Info: w.Info(), Role: st.Devices[w.self].Role, Since: w.visit().Since}
	people, _ := w.People()
	for _, p := range people {
		out.People++
		if p.Presence == Here {
			out.Here++
		}
		for _, d := range p.Devices {
			out.Devices++
			if d.Presence == Here {
				out.DevicesHere++
			}
		}
	}
	channels, err := w.Channels(ctx)
	if err != nil {
		return Home{}, err
	}
	out.Channels = unreadFirst(channels)
	out.Silent = !slices.ContainsFunc(channels, func(c Channel) bool { return c.LastAt > 0 })
	if err := w.homeDocuments(ctx, st, &out); err != nil {
		return Home{}, err
	}
	w.homeFolders(st, &out)
	w.homePoints(st, &out)
	return out, nil
}

// unreadFirst leaves channels with unread messages: with mentions first, then
// direct ones, then the newest.
func unreadFirst(all []Channel) []Channel {
	var out []Channel
	for _, c := range all {
		if c.Unread > 0 {
			out = append(out, c)
		}
	}
	rank := func(c Channel) int {
		switch {
		case c.Mentioned:
			return 0
		case c.Kind == KindDirect:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(out, func(a, b Channel) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.LastAt, a.LastAt))
	})
	return out
}

// homeDocuments finds what others changed since the visit before and this person
// has not seen since.
func (w *Workspace) homeDocuments(ctx context.Context, st *access.State, out *Home) error {
	for _, space := range w.readable(st) {
		s, err := w.shelf(space)
		if err != nil {
			continue // left meanwhile
		}
		s.mu.Lock()
		err = s.load(ctx)
		for id, p := range s.docs {
			if err != nil {
				break
			}
			if d, ok := st.Known(p.by); !ok || d.Person == st.Devices[w.self].Person {
				continue
			}
			row, ok := s.row(id, p)
			closed := w.lastSeen(row.Ref)
			seen := slices.Equal(closed.heads, p.doc.Heads())
			if ok && !row.Meta.Archived && !seen && (row.New || row.Changed > out.Since) {
				out.Documents = append(out.Documents, row)
			}
		}
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
	slices.SortFunc(out.Documents, func(a, b DocRow) int {
		return cmp.Or(cmp.Compare(b.Changed, a.Changed), slices.Compare(a.Ref.ID[:], b.Ref.ID[:]))
	})
	out.DocsMore = max(0, len(out.Documents)-mostNews)
	out.Documents = out.Documents[:min(len(out.Documents), mostNews)]
	return nil
}

// homeFolders finds what others changed in folders, and what stands still there.
func (w *Workspace) homeFolders(st *access.State, out *Home) {
	for _, space := range w.withFolder(st) {
		info, err := w.Folder(space)
		if err != nil {
			continue
		}
		for _, h := range info.Holds {
			name := h.By.Device
			if h.By.Name != "" && name == "" {
				name = h.By.Name
			}
			out.Points = append(out.Points, Point{What: "hold", Name: name, Space: space, N: h.Files + h.Applied, At: h.Since.UnixMilli()})
		}
		if info.State.Missing {
			out.Points = append(out.Points, Point{What: "folder-missing", Name: info.Name, Space: space})
		}
		if n := info.State.Conflicts; n > 0 {
			out.Points = append(out.Points, Point{What: "conflicts", Name: info.Name, Space: space, N: n})
		}
		if s := w.folderOf(space); s != nil {
			files, more := w.changedFiles(st, s, out.Since)
			for _, f := range files {
				f.Folder = info.Name
				out.Files = append(out.Files, f)
			}
			out.FilesMore += more
		}
	}
	slices.SortStableFunc(out.Files, func(a, b HomeFile) int { return cmp.Compare(b.At, a.At) })
	out.FilesMore += max(0, len(out.Files)-mostNews)
	out.Files = out.Files[:min(len(out.Files), mostNews)]
}

// changedFiles are the newest files of a folder that others changed since, and how
// many more there are. A folder is looked through once after it changed.
func (w *Workspace) changedFiles(st *access.State, s *shared, since int64) ([]HomeFile, int) {
	s.dirs.mu.Lock()
	turn := s.dirs.turn
	s.dirs.mu.Unlock()
	w.home.mu.Lock()
	defer w.home.mu.Unlock()
	if had, ok := w.home.files[s.space]; ok && had.turn == turn && had.since == since {
		return had.files, had.more
	}
	now := homeFiles{turn: turn, since: since}
	mine := map[log.DeviceID]bool{}
	for id, d := range st.Devices {
		mine[id] = d.Person == st.Devices[w.self].Person
	}
	var found []tree.Node
	s.f.View(func(t *tree.Tree) {
		for n := range t.All("") {
			if n.Shown.Kind != tree.Dir && n.Shown.Clock.Millis() > since && !mine[n.Shown.Device] {
				found = append(found, n)
			}
		}
	})
	slices.SortFunc(found, func(a, b tree.Node) int { return b.Shown.Compare(a.Shown) })
	now.more = max(0, len(found)-mostNews)
	for _, n := range found[:len(found)-now.more] {
		now.files = append(now.files, HomeFile{Space: s.space, Path: n.Path, At: n.Shown.Clock.Millis(), By: w.fileBy(st, n.Shown.Device)})
	}
	if w.home.files == nil {
		w.home.files = map[log.SpaceID]homeFiles{}
	}
	w.home.files[s.space] = now
	return now.files, now.more
}

// homePoints says what is open of the set-up, to those who can do something.
func (w *Workspace) homePoints(st *access.State, out *Home) {
	add := func(code string, n int) { out.Points = append(out.Points, Point{What: code, N: n}) }
	if out.Info.CanInvite {
		var n setupNote
		_ = w.getJSON(metaSetup, &n) // a damaged note is none
		if n.Path == PathFound && !n.Filled {
			add("kind", 0)
		}
		if out.Devices < 2 {
			add("invite", 0)
		}
		if len(alwaysOn(st)) == 0 {
			add("always-on", out.Devices)
		}
	}
	if out.Devices > 1 && out.DevicesHere < 2 {
		if n := w.onlyHere(); n > 0 {
			add("only-here", n)
		}
	}
}

// onlyHere counts the spaces in which this device wrote something last that no
// other device said it has. What devices do by themselves does not count.
func (w *Workspace) onlyHere() (n int) {
	w.own.mu.Lock()
	cards := slices.Collect(maps.Values(w.own.logs))
	w.own.mu.Unlock()
	for _, c := range cards {
		h, ok := w.store.Heights(c.Space)[c.ID()]
		if ok && c.Space != log.Control && h.Seq > 0 && !slices.ContainsFunc(w.store.Held(c.ID(), h.Seq), func(d log.DeviceID) bool { return d != w.self }) {
			n++
		}
	}
	return n
}

// visit returns the present visit; the first ever begins now.
func (w *Workspace) visit() visitNote {
	w.home.mu.Lock()
	defer w.home.mu.Unlock()
	return *w.readVisit()
}

// readVisit reads the visit once; the caller holds home.mu.
func (w *Workspace) readVisit() *visitNote {
	if w.home.visit == nil {
		v := visitNote{}
		_ = w.getJSON(metaVisit, &v) // a damaged note is none
		if v.Seen == 0 {
			now := w.opts.Now().UnixMilli()
			v = visitNote{Since: now, Seen: now}
		}
		w.home.visit = &v
	}
	return w.home.visit
}

// Look notes that somebody looks at the page. After a while without a look it
// begins a visit; all says that everything up to now is known.
func (w *Workspace) Look(all bool) error {
	now := w.opts.Now().UnixMilli()
	w.home.mu.Lock()
	defer w.home.mu.Unlock()
	v := w.readVisit()
	began := now-v.Seen > visitGap.Milliseconds()
	switch {
	case all:
		v.Since = now
	case began:
		v.Since = v.Seen
	}
	v.Since = min(v.Since, now) // the clock may have been ahead
	v.Seen = now
	if !all && !began && w.home.saved != 0 && now-w.home.saved < visitSave.Milliseconds() && now >= w.home.saved {
		return nil
	}
	if err := w.putJSON(metaVisit, v); err != nil {
		return storeProblem(err, w.dir)
	}
	w.home.saved = now
	if all || began {
		w.changed("home", "")
	}
	return nil
}
