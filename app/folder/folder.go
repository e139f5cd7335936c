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
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"inselnetz/app/disk"
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
	Now() time.Time
}

// Options describe a Folder. FS, Host and Device are required.
type Options struct {
	FS     disk.FS
	Host   Host
	Device log.DeviceID
	Space  log.SpaceID
	Create bool // set the directory up for this space if it is not yet

	Kept      bool          // files are on the disk here; else only what is asked for, in the keep
	Skip      []string      // paths that are not kept here, with all below them
	Archive   bool          // keep every version, without a budget
	Budget    int64         // bytes of older contents; 0: min(10 % of the disk, 10 GB)
	Retention time.Duration // for which older contents are kept; 0: 90 days

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
// Locks, outer first: plan (one Apply at a time), work (the disk and the index
// change by whoever holds it), mu (everything in memory; never held while
// waiting for the disk or the Host).
type Folder struct {
	opts Options
	fs   disk.FS
	host Host
	log  *slog.Logger

	plan sync.Mutex
	work sync.Mutex

	mu   sync.Mutex
	tree *tree.Tree
}

// Open opens the folder whose directory is the root of opts.FS. If the marker
// is missing and opts.Create is not set, the Folder is open but Missing.
func Open(ctx context.Context, opts Options) (*Folder, error) { return nil, errors.ErrUnsupported }

// Close ends what Open began. Run must have returned.
func (f *Folder) Close() error { return errors.ErrUnsupported }

// Add takes in versions and verdicts that others announced, or all at start.
// It does not touch the disk; Apply does.
func (f *Folder) Add(vs []tree.Known, verdicts ...Verdict) {}

// Reset is Add to an empty tree: a log was cut.
func (f *Folder) Reset(vs []tree.Known, verdicts ...Verdict) {}

// Run watches, scans, applies and keeps house until ctx ends.
func (f *Folder) Run(ctx context.Context) error { return errors.ErrUnsupported }

// Scan looks at the given paths, or at everything, and publishes what the user
// changed.
func (f *Folder) Scan(ctx context.Context, paths ...string) error { return errors.ErrUnsupported }

// Apply brings the disk to the tree as far as contents can be had now.
func (f *Folder) Apply(ctx context.Context) error { return errors.ErrUnsupported }

// House throws away what is too old or too much, makes guard copies, and
// compacts.
func (f *Folder) House(ctx context.Context) error { return errors.ErrUnsupported }

// Wake tries again what could not be had: other devices came into reach.
func (f *Folder) Wake() {}

// Put publishes the content of r as path. base are the versions it replaces;
// nil: those that are there now. time is the modification time, ns since 1970.
func (f *Folder) Put(ctx context.Context, path string, base []tree.VersionID, time int64, r io.Reader) (tree.Known, error) {
	return tree.Known{}, errors.ErrUnsupported
}

// Mkdir publishes an empty directory.
func (f *Folder) Mkdir(ctx context.Context, path string) error { return errors.ErrUnsupported }

// Rename moves a file or a directory with all in it. to must be free.
func (f *Folder) Rename(ctx context.Context, from, to string) error { return errors.ErrUnsupported }

// Remove deletes files and directories with all in them.
func (f *Folder) Remove(ctx context.Context, paths ...string) error { return errors.ErrUnsupported }

// Restore publishes the content of version v as path, in place of what is there.
func (f *Folder) Restore(ctx context.Context, path string, v tree.VersionID) error {
	return errors.ErrUnsupported
}

// Changes counts what Rewind does.
type Changes struct{ Restored, Changed, Removed int }

// Rewind publishes what brings everything below dir back to what it was at a
// time; dry only counts. It can be undone by a Rewind to just before it.
func (f *Folder) Rewind(ctx context.Context, dir string, at log.HLC, dry bool) (Changes, error) {
	return Changes{}, errors.ErrUnsupported
}

// Resolve ends the conflict at path in favour of the candidate keep. If beside
// is not nil, each other candidate becomes a file of its own in the same
// directory under the name that beside gives it (made free by a number).
func (f *Folder) Resolve(ctx context.Context, path string, keep tree.VersionID, beside func(tree.Known) string) error {
	return errors.ErrUnsupported
}

// Content opens a version's content: from the folder, the keep, or other
// devices. ErrNobody if it cannot be had now.
func (f *Folder) Content(ctx context.Context, v tree.Known) (io.ReadSeekCloser, error) {
	return nil, errors.ErrUnsupported
}

// Read appends a block of a content, or its list, to buf; ErrNone if it is not
// here. The hash is not checked.
func (f *Folder) Read(content tree.Sum, index uint32, buf []byte) ([]byte, error) {
	return buf, errors.ErrUnsupported
}

// View shows the tree to see, which must not keep it nor call the Folder.
func (f *Folder) View(see func(*tree.Tree)) {}

// SetKept says whether files are on the disk here.
func (f *Folder) SetKept(kept bool) {}

// SetSkip says which paths are not kept here.
func (f *Folder) SetSkip(skip []string) {}
