package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/document"
	"inselnetz/crdt/log"
)

// The ways into an office that the wizard knows.
const (
	PathFound = "found" // names, kind, sheet, second PC, this PC, what is open
	PathJoin  = "join"  // door or link, name, number and words, this PC, what is open
)

// Steps of the wizard that others ask about.
const (
	stepKind = 2 // of PathFound: the first one inside the office
	stepPC   = 4 // of PathJoin: the first one inside the office
)

var pathSteps = map[string]int{PathFound: 6, PathJoin: 5}

// Kinds of offices. Each but the last brings content worth having.
const (
	KindLaw      = "law"
	KindPractice = "practice"
	KindDriving  = "driving"
	KindOther    = "other"
)

// KindsOfOffice in the order in which people choose.
var KindsOfOffice = []string{KindLaw, KindPractice, KindDriving, KindOther}

const (
	metaSetup = "setup" // setupNote as JSON
	metaStays = "stays" // whether this device is meant to stay on, as JSON
	metaPlace = "place" // directory in which new folders lie, as JSON; none: Options.Files
)

// A setupNote is how far the wizard is on this device. It is on disk before each
// step begins, so that a page that is opened anew goes on there.
type setupNote struct {
	Path   string   `json:"path"` // empty: nobody uses the wizard
	Step   int      `json:"step"`
	Over   bool     `json:"over"`
	Kind   string   `json:"kind"`   // of office, once chosen
	Filled bool     `json:"filled"` // what the kind brings is there
	Made   []string `json:"made"`   // kind and id of what was brought
}

// A Setup is how far the wizard is on this device, and what it asks about.
type Setup struct {
	Path      string // empty: nobody uses the wizard, or it is over
	Step      int    // from 1; which is shown, or comes next
	Steps     int
	Kind      string // of office; empty: not chosen
	MayChoose bool   // this person may choose the kind
	Stays     bool   // this device is meant to stay on
	Place     string // directory in which new folders lie; empty: none
	CanPlace  bool   // it may be another one
	Folder    string // where the files of all lie on this device; empty: nowhere, or not yet
	Full      bool   // it has files already, and stays where it is
}

// Setup says how far the wizard is.
func (w *Workspace) Setup() Setup {
	var n setupNote
	_ = w.getJSON(metaSetup, &n) // a damaged note is none: the wizard is a courtesy
	st := w.snapshot()
	out := Setup{
		Steps: pathSteps[n.Path], Kind: n.Kind, Stays: w.StaysOn(), Place: w.FilesPlace(), CanPlace: w.opts.Files != "",
		MayChoose: st != nil && st.CanInvite(w.self) && !st.Stopped,
	}
	if out.Steps > 0 && !n.Over {
		out.Path, out.Step = n.Path, min(max(n.Step, 1), out.Steps)
		if st != nil { // a member has the first ones behind it, whatever was noted last
			out.Step = max(out.Step, map[string]int{PathFound: stepKind, PathJoin: stepPC}[n.Path])
		}
	}
	if !n.Filled {
		out.Kind = ""
	}
	if st != nil {
		if s := w.folderOf(w.everyone()); s != nil && s.settings().Kept {
			out.Folder, out.Full = s.settings().Dir, s.f.State().Files > 0
		}
	}
	return out
}

// SetUp notes where the wizard is; an empty path ends it.
func (w *Workspace) SetUp(path string, step int) error {
	w.home.setup.Lock()
	defer w.home.setup.Unlock()
	var n setupNote
	if err := w.getJSON(metaSetup, &n); err != nil {
		return storeProblem(err, w.dir)
	}
	switch {
	case path == "":
		n.Over = true
	case pathSteps[path] == 0 || step < 1 || step > pathSteps[path]:
		return problem("bad-request", "path")
	default:
		n.Path, n.Step, n.Over = path, step, false
	}
	if err := w.putJSON(metaSetup, n); err != nil {
		return storeProblem(err, w.dir)
	}
	w.changed("setup", "")
	return nil
}

// SetKind chooses the kind of office and makes the channels and documents that it
// brings, in a language. What is there already is not made again, nor what was
// made once and has another name by now: after a crash in the middle the rest
// follows.
func (w *Workspace) SetKind(ctx context.Context, kind, lang string) error {
	st := w.snapshot()
	switch {
	case st == nil:
		return problem("not-member")
	case !st.CanInvite(w.self):
		return problem("not-permitted")
	case !slices.Contains(KindsOfOffice, kind):
		return problem("bad-request", "kind")
	}
	w.home.setup.Lock()
	defer w.home.setup.Unlock()
	var n setupNote
	if err := w.getJSON(metaSetup, &n); err != nil {
		return storeProblem(err, w.dir)
	}
	n.Kind, n.Filled = kind, false
	if err := w.putJSON(metaSetup, n); err != nil {
		return storeProblem(err, w.dir)
	}
	for _, b := range KindBrings(kind, lang) {
		if slices.Contains(n.Made, kind+"/"+b.ID) {
			continue
		}
		if err := w.bring(ctx, kind, b); err != nil {
			return err
		}
		n.Made = append(n.Made, kind+"/"+b.ID)
		if err := w.putJSON(metaSetup, n); err != nil {
			return storeProblem(err, w.dir)
		}
	}
	n.Filled = true
	if err := w.putJSON(metaSetup, n); err != nil {
		return storeProblem(err, w.dir)
	}
	w.changed("setup", "")
	return nil
}

// bring makes one thing of a kind of office in the space of all, unless it is
// there: a crash may have come before it was noted.
func (w *Workspace) bring(ctx context.Context, kind string, b Brought) error {
	space := w.everyone()
	if b.Channel {
		rows, err := w.store.Channels(ctx, space, w.me())
		if err != nil {
			return storeProblem(err, w.dir)
		}
		for _, r := range rows {
			if strings.EqualFold(r.Name, b.Name) {
				return nil
			}
		}
		_, err = w.say(ctx, space, chat.Create{Name: b.Name}, "")
		return err
	}
	rows, err := w.Documents(ctx, space)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if strings.EqualFold(r.Meta.Title, b.Name) {
			return nil
		}
	}
	// The same id on the same device, so that a second try finds the first.
	sum := sha256.Sum256(slices.Concat([]byte("inselnetz/setup/1"), w.ws[:], w.self[:], []byte(kind+"/"+b.ID)))
	_, err = w.createDocument(ctx, space, document.ID(sum[:16]), document.Meta{Title: b.Name, Template: b.Template}, b.Blocks)
	return err
}

// StaysOn reports whether this device is meant to stay on, which it tells the
// others. An archive is, unless somebody said otherwise.
func (w *Workspace) StaysOn() bool {
	stays := w.opts.Archive
	_ = w.getJSON(metaStays, &stays) // a damaged note is none
	return stays
}

// SetStaysOn says whether this device is meant to stay on.
func (w *Workspace) SetStaysOn(ctx context.Context, stays bool) error {
	if err := w.putJSON(metaStays, stays); err != nil {
		return storeProblem(err, w.dir)
	}
	w.changed("setup", "")
	st := w.snapshot()
	if st == nil {
		return nil // told once this device is a member
	}
	if payload, differs := st.Facts(w.self, w.disk(), stays); differs {
		return w.control(ctx, payload)
	}
	return nil
}

// FilesPlace is the directory in which new folders lie; empty: nowhere.
func (w *Workspace) FilesPlace() string {
	place := ""
	if w.opts.Files != "" {
		_ = w.getJSON(metaPlace, &place) // a damaged note is none
	}
	if place == "" {
		return w.opts.Files
	}
	return place
}

// SetFilesPlace makes new folders lie in a directory, and those that have no files
// yet. Others stay where they are: nothing is moved and nothing is deleted.
func (w *Workspace) SetFilesPlace(dir string) error {
	dir = strings.TrimSpace(dir)
	bad := func(err error) error {
		return &Problem{Code: "bad-directory", Args: []any{dir}, Field: "place", Err: err}
	}
	switch {
	case w.opts.Files == "" || !filepath.IsAbs(dir):
		return bad(nil)
	case filepath.Clean(dir) == w.FilesPlace():
		return nil
	}
	dir = filepath.Clean(dir)
	taken := dir != w.opts.Files && liesIn(dir, w.dir)
	for _, o := range w.folders() {
		taken = taken || o.settings().Kept && liesIn(dir, o.settings().Dir)
	}
	if taken {
		return &Problem{Code: "directory-taken", Args: []any{dir}, Field: "place"}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return bad(err)
	}
	try, err := os.MkdirTemp(dir, ".inselnetz-*") // there may be no right to write
	if err != nil {
		return bad(err)
	}
	if err := os.Remove(try); err != nil {
		return bad(err)
	}
	w.files.match.Lock()
	defer w.files.match.Unlock()
	if err := w.putJSON(metaPlace, dir); err != nil {
		return storeProblem(err, w.dir)
	}
	if st := w.snapshot(); st != nil {
		err = w.placeAnew(st)
	}
	w.changed("setup", "")
	w.changed("files", "")
	return err
}

// placeAnew puts folders without files where new ones lie. The caller holds
// files.match.
func (w *Workspace) placeAnew(st *access.State) error {
	var errs []error
	for _, space := range w.withFolder(st) {
		var set folderSet
		if err := w.getJSON(metaFolder+space.String(), &set); err != nil || !set.Kept {
			continue // not there yet: it begins in the new place
		}
		s := w.folderOf(space)
		if s == nil || s.f.State().Files > 0 || s.f.State().Held > 0 || hasFiles(set.Dir) {
			continue
		}
		set.Dir, set.Made = "", false
		w.stopFolder(s)
		if err := w.placeFolder(space, &set); err != nil {
			errs = append(errs, storeProblem(err, w.FilesPlace()))
		}
	}
	w.filesSoon()
	return errors.Join(errs...)
}

// hasFiles reports whether a directory has something in it that is not the
// program's own, or cannot be read.
func hasFiles(dir string) bool {
	list, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return false
	}
	return err != nil || slices.ContainsFunc(list, func(e os.DirEntry) bool { return !strings.HasPrefix(e.Name(), ".inselnetz") })
}

// alwaysOn are the devices that are meant to stay on.
func alwaysOn(st *access.State) (out []log.DeviceID) {
	for id, d := range st.Devices {
		if d.Stays {
			out = append(out, id)
		}
	}
	return out
}
