// Package folder keeps the shared directory of one space on this device: it
// announces what the user changes, brings the disk to what others announced, and
// keeps what was there before.
//
// It never publishes a file that is still being written, never replaces one that
// changed meanwhile, and never loses a content that was announced. FORMAT.md
// describes what lies below the hidden directory and the order of writes.
package folder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"inselnetz/app/disk"
	"inselnetz/app/keep"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// Errors that callers branch on.
var (
	// ErrMissing says that the directory, or the disk it lies on, is not there.
	ErrMissing = errors.New("the folder is not there")
	// ErrOther says that the directory holds the folder of another space.
	ErrOther = errors.New("the directory belongs to another folder")
	// ErrNone says that a content is not on this device.
	ErrNone = errors.New("not on this device")
	// ErrNobody says that no device in reach has a content now.
	ErrNobody = errors.New("no device in reach has it")
	// ErrReadOnly says that this device may not write in the space.
	ErrReadOnly = errors.New("no right to write here")
)

// ListIndex is the index under which the list of a content's block hashes is
// read and fetched.
const ListIndex = 1<<32 - 1

// A Piece is a block of a content or, with ListIndex, its list.
type Piece struct {
	Content tree.Sum
	Index   uint32
	Size    int // bytes
	Hash    tree.Sum
}

// A Host is what a Folder needs of the rest of the program.
type Host interface {
	// Publish makes own entries of versions. They are durable when it returns. It
	// must not wait for anything that holds the Folder; Add may be called.
	Publish(ctx context.Context, vs []tree.Version) ([]tree.Known, error)
	// Fetch gets pieces from other devices, those in by first. got may be called
	// from several goroutines with verified data, valid during the call; missing
	// says that nobody in reach has a piece now. It returns when each piece was
	// told by one of them.
	Fetch(ctx context.Context, pieces []Piece, by []log.DeviceID, got func(i int, data []byte) error, missing func(i int)) error
	// Verdict makes an own entry of a decision, as Publish does.
	Verdict(ctx context.Context, v tree.Verdict) (Verdict, error)
	Now() time.Time
}

// Retention is how long older contents are kept unless Options say otherwise.
const Retention = 90 * 24 * time.Hour

// Options describe a Folder. FS, Host and Device are required.
type Options struct {
	FS     disk.FS
	Host   Host
	Device log.DeviceID
	Space  log.SpaceID
	Create bool // set the directory up for this space if it is not yet

	Kept      bool          // files are on the disk here; else only what is asked for, in the keep
	Skip      []string      // paths that are not kept here, with all below them
	Spare     int64         // see SetSpare
	Archive   bool          // fetch and keep every version, without a budget
	Budget    int64         // bytes of older contents; 0: min(10 % of the disk, 10 GB)
	Retention time.Duration // for which older contents are kept; 0: 90 days

	// Seen tells when this device was last known to be in sync with another one;
	// the brake takes no change to be older. nil: never.
	Seen func(log.DeviceID) time.Time
	// Elsewhere tells whether another device is known to hold a version's content
	// for good, so that a device that does not keep the folder may let go of it.
	// nil: whatever another device announced.
	Elsewhere func(tree.Known) bool

	Workers  int           // goroutines that hash and write; 0: as many as processors
	Poll     time.Duration // between full scans; 0: an hour, a minute where changes are not told
	MayWrite func() bool   // nil: always
	OnChange func()        // something that people see changed; must not block; nil: nobody asks
	Log      *slog.Logger  // nil discards
}

// A Verdict is what a person decided about a device that the brake held.
type Verdict struct {
	tree.Author
	tree.Verdict
}

// A Folder is one space's folder on this device. Its methods may be called from
// several goroutines.
//
// Locks, outer first: plan (one Apply at a time), using (see there), work (the disk and the index
// change by whoever holds it), mu (everything in memory; never held while
// waiting for the Host or for more than a look at the disk).
type Folder struct {
	opts     Options
	fs       disk.FS
	host     Host
	log      *slog.Logger
	workers  int
	platform tree.Platform
	execs    bool // the disk knows what is executable
	folds    bool

	plan  turn         // held while contents are fetched, too
	using sync.RWMutex // held for reading from putting into the keep until a version names it
	work  sync.Mutex
	temps atomic.Uint64
	came  atomic.Int64  // bytes fetched
	large chan struct{} // a large content has no guard copy

	mu             sync.Mutex
	tree           *tree.Tree
	keep           *keep.Store // set by attach, then constant; nil while missing
	index          *index      // changed by holders of work and mu
	rules          rules       // as index
	rulesText      string
	onDisk         bool          // Options.Kept
	keptSoon       chan struct{} // SetKept was called
	skip           []string
	todo           map[string]todo
	marked         bool // files may be without a name: see nameless.go
	careful        bool // they must not be
	settled        bool // a whole scan was done: a file without a record is new
	missing        bool
	doing          map[string]int
	local          map[string]bool
	errs           map[string]PathError
	retry          map[string]bool // changed while they were read
	locks          map[string]string
	tops           map[log.LogID]uint64
	fetching       map[tree.Sum]*fetching
	building       map[tree.Sum]chan struct{}
	brake          *Brake
	saved          int // how the brake differs from what is saved
	savedAt        time.Time
	held           map[tree.VersionID]tree.Known
	undone         map[log.LogID]uint64    // of this device's own logs, by verdicts
	cut            map[tree.VersionID]bool // versions that were here and do not count any more
	wishes         bool                    // there are new ones
	wish           map[tree.Sum]tree.Known // contents that an archive lacks
	kick           chan struct{}           // Run's applier has something to do
	upto           map[log.LogID]uint64    // UpTo, as of uptoAt
	uptoAt         time.Time
	shorts         map[string]string // while leftovers are looked at: paths by short sum
	stuck          []string          // temporary files that hold what could not be put back
	lack           State             // counts of it, as of lackAt
	lackAt         time.Time
	rate, rateFrom int64
	rateAt         time.Time
	watchErr       error
	wake           bool              // what waited for others is tried again
	spare          int64             // see SetSpare
	asked          map[tree.Sum]bool // larger contents that a person wants all the same
}

// A todo is why a path is not as the tree says.
type todo uint8

const (
	todoNew   todo = iota + 1 // not tried yet
	todoWait                  // nobody in reach had it
	todoInUse                 // open in a program
	todoFetch                 // being fetched aside
	todoFail                  // see errs
	todoHeld                  // by the brake
	todoSpare                 // large, and nobody asked for it: see SetSpare
	todoTaken                 // Apply is at it, and no version came since
)

// The hidden directory and what is in it.
const (
	hidden   = disk.Hidden
	markerAt = hidden + "/folder"
	indexAt  = hidden + "/index"
	keepAt   = hidden + "/keep"
	tmpAt    = hidden + "/tmp"
	hurryAt  = hidden + "/hurry"
)

// Open opens the folder whose directory is the root of opts.FS. If the marker
// is missing and opts.Create is not set, the Folder is open but Missing.
func Open(ctx context.Context, opts Options) (*Folder, error) {
	f := &Folder{
		plan: make(turn, 1),
		opts: opts, fs: opts.FS, host: opts.Host, log: opts.Log, workers: opts.Workers,
		platform: platform(), execs: runtime.GOOS != "windows", folds: opts.FS.Folds(),
		tree: tree.New(), onDisk: opts.Kept, skip: slices.Clone(opts.Skip), todo: map[string]todo{},
		doing: map[string]int{}, large: make(chan struct{}, 1), local: map[string]bool{}, errs: map[string]PathError{}, retry: map[string]bool{},
		locks: map[string]string{}, tops: map[log.LogID]uint64{}, kick: make(chan struct{}, 1), keptSoon: make(chan struct{}, 1), fetching: map[tree.Sum]*fetching{},
		brake: NewBrake(), held: map[tree.VersionID]tree.Known{}, cut: map[tree.VersionID]bool{}, undone: map[log.LogID]uint64{},
		building: map[tree.Sum]chan struct{}{}, wish: map[tree.Sum]tree.Known{},
		spare: opts.Spare, asked: map[tree.Sum]bool{},
	}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	if f.workers <= 0 {
		f.workers = max(2, runtime.GOMAXPROCS(0))
	}
	if opts.Retention <= 0 {
		f.opts.Retention = Retention
	}
	if err := f.attach(ctx, opts.Create); err != nil && !errors.Is(err, ErrMissing) {
		return nil, err
	}
	return f, nil
}

// badge is the file that says whose folder this is.
type badge struct {
	Version int    `json:"version"`
	Space   string `json:"space"`
	Device  string `json:"device"`
}

// attach opens what lies in the hidden directory.
func (f *Folder) attach(ctx context.Context, create bool) error {
	b, _, err := f.fs.Read(markerAt, nil)
	want := badge{Version: 1, Space: f.opts.Space.String(), Device: f.opts.Device.String()}
	var have badge
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if !create {
			f.setMissing(true)
			return ErrMissing
		}
	case err != nil:
		return err
	default:
		if have, err = parseMark(b); err != nil {
			return err
		}
		if have.Space != want.Space {
			return fmt.Errorf("%w: %s", ErrOther, have.Space)
		}
	}
	if have != want {
		if err := f.writeMark(want); err != nil {
			return err
		}
	}
	if err := f.fs.Mkdir(tmpAt); err != nil {
		return err
	}
	store, err := keep.Open(f.fs, keepAt, keep.Options{Log: f.log, Now: f.host.Now, Small: small})
	if err != nil {
		return err
	}
	x := newIndex(f.fs, indexAt)
	if err := x.load(); err != nil {
		return errors.Join(err, store.Close())
	}
	_, hurried := f.fs.Stat(hurryAt)
	f.mu.Lock()
	f.careful = !errors.Is(hurried, fs.ErrNotExist)
	f.keep, f.index, f.missing = store, x, false
	x.below("", func(r *rec) {
		if f.skipped(r.Path) {
			x.drop(r.Path)
		} else {
			f.todo[r.Path] = todoNew
		}
	})
	f.mu.Unlock()
	if err := f.loadBrake(); err != nil {
		return err
	}
	return f.sweep(ctx)
}

func parseMark(b []byte) (badge, error) {
	var m badge
	if err := json.Unmarshal(b, &m); err != nil || m.Version < 1 {
		return m, fmt.Errorf("%s is damaged: %q", markerAt, b[:min(len(b), 80)])
	}
	if m.Version > 1 {
		return m, fmt.Errorf("%s was written by a newer program", markerAt)
	}
	return m, nil
}

func (f *Folder) writeMark(m badge) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := f.fs.Mkdir(hidden); err != nil {
		return err
	}
	if err := f.fs.Hide(hidden); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		f.log.Debug("hidden directory stays visible", "err", err)
	}
	return f.replace(markerAt, append(b, '\n'))
}

// replace writes a small file of the hidden directory so that it is there whole
// or as it was.
func (f *Folder) replace(path string, data []byte) error {
	tmp := path + ".new"
	if err := f.fs.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	h, err := f.fs.Create(tmp, 0)
	if err != nil {
		return err
	}
	_, err = h.WriteAt(data, 0)
	if err == nil {
		err = h.Sync()
	}
	if e := h.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = f.fs.Rename(tmp, path)
	}
	if err == nil {
		err = f.fs.SyncDir(hidden)
	}
	if err == nil {
		err = f.fs.SyncDir("")
	}
	return err
}

// attached makes sure that the directory is there and open.
func (f *Folder) attached() error {
	if f.keep == nil {
		return f.attach(context.Background(), false)
	}
	return f.marker()
}

// marker returns ErrMissing if the directory went away.
func (f *Folder) marker() error {
	_, err := f.fs.Stat(markerAt)
	gone := errors.Is(err, fs.ErrNotExist)
	if gone || err == nil {
		f.setMissing(gone)
	}
	if gone {
		return ErrMissing
	}
	return err
}

func (f *Folder) setMissing(m bool) {
	f.mu.Lock()
	was := f.missing
	f.missing = m
	f.mu.Unlock()
	if was != m {
		f.changed()
	}
}

// A turn is a lock that is held while others on the network are waited for. Who
// waits for it waits as for a message, so that the time of a simulation goes on.
type turn chan struct{}

func (t turn) Lock()   { t <- struct{}{} }
func (t turn) Unlock() { <-t }

// Close ends what Open began. Run must have returned.
func (f *Folder) Close() error {
	f.plan.Lock()
	defer f.plan.Unlock()
	f.work.Lock()
	defer f.work.Unlock()
	if f.store() == nil {
		return nil
	}
	err := f.saveBrake(true)
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(err, f.index.write(), f.index.close(), f.keep.Close())
}

// Add takes in versions and verdicts that others announced, or all at start.
// It does not touch the disk; Apply does.
func (f *Folder) Add(vs []tree.Known, verdicts ...Verdict) {
	f.mu.Lock()
	f.add(f.pass(vs))
	f.decide(verdicts) // after what they put back
	f.mu.Unlock()
	f.changed()
	f.poke()
}

// Reset is Add to an empty tree: a log was cut. Files that only versions made
// which are not there any more are taken away like deleted ones.
func (f *Folder) Reset(vs []tree.Known, verdicts ...Verdict) {
	f.mu.Lock()
	for n := range f.tree.All("") {
		f.todo[n.Path] = todoNew
	}
	old := f.tree
	f.tree = tree.New()
	clear(f.tops)
	clear(f.held)
	f.upto = nil
	f.add(f.pass(vs))
	f.decide(verdicts)
	if f.index != nil {
		f.index.below("", func(r *rec) {
			f.todo[r.Path] = todoNew
			for _, id := range r.Base {
				_, was := old.Known(id)
				_, held := f.held[id]
				if _, is := f.tree.Known(id); was && !is && !held {
					f.cut[id] = true
				}
			}
		})
	}
	f.mu.Unlock()
	f.changed()
	f.poke()
}

// add adds versions to the tree; mu is held.
func (f *Folder) add(vs []tree.Known) {
	for i := range vs {
		f.tops[vs[i].ID.Log] = max(f.tops[vs[i].ID.Log], vs[i].ID.Seq)
		if f.opts.Archive && vs[i].Kind == tree.File && vs[i].Size > 0 {
			f.wish[vs[i].Sum], f.wishes = vs[i], true
		}
	}
	for _, path := range f.tree.Add(vs...) {
		f.todo[path] = todoNew
	}
}

// poke tells Run that there is something to apply.
func (f *Folder) poke() {
	select {
	case f.kick <- struct{}{}:
	default:
	}
}

// Wake tries again what could not be had: other devices came into reach.
func (f *Folder) Wake() {
	f.mu.Lock()
	f.wake = true
	f.mu.Unlock()
	f.poke()
}

// changed tells the app that something visible changed. mu is not held.
func (f *Folder) changed() {
	if f.opts.OnChange != nil {
		f.opts.OnChange()
	}
}

func (f *Folder) mayWrite() bool { return f.opts.MayWrite == nil || f.opts.MayWrite() }

func (f *Folder) kept() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.onDisk
}

// skips tells whether a path is not kept here.
func (f *Folder) skips(path string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.skipped(path)
}

// skipped is skips for a holder of mu.
func (f *Folder) skipped(path string) bool {
	for _, s := range f.skip {
		if within(path, s) {
			return true
		}
	}
	return false
}

// View shows the tree to see, which must not keep it nor call the Folder.
func (f *Folder) View(see func(*tree.Tree)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	see(f.tree)
}

// SetKept says whether files are on the disk here.
func (f *Folder) SetKept(kept bool) {
	f.mu.Lock()
	f.onDisk = kept
	f.revisit()
	f.mu.Unlock()
	select {
	case f.keptSoon <- struct{}{}:
	default:
	}
	f.poke()
}

// SetSkip says which paths are not kept here, with all below them.
func (f *Folder) SetSkip(skip []string) {
	f.mu.Lock()
	f.skip = slices.Clone(skip)
	f.revisit()
	f.mu.Unlock()
	f.poke()
}

// revisit looks at every path again; mu is held.
func (f *Folder) revisit() {
	for n := range f.tree.All("") {
		if f.todo[n.Path] != todoFetch {
			f.todo[n.Path] = todoNew
		}
	}
}
