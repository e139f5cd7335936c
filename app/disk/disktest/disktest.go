// Package disktest is a disk in memory for tests: it loses at a crash what was
// not made durable, as a journaled file system does, and fails when told to.
package disktest

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"inselnetz/app/disk"
)

// ErrDead is what an FS answers after Kill or Crash.
var ErrDead = errors.New("the process that had this disk is dead")

// Options are the properties of a disk. The zero value is a case-sensitive disk
// of 1 TB that can exchange but not clone, as ext4.
type Options struct {
	Folds      bool             // names that differ in case only are one
	NoExchange bool             // Exchange is not supported
	NoNameless bool             // Make is not supported
	Clones     bool             // Clone is supported
	NoCloses   bool             // watching does not tell when a writer closes
	Coarse     int64            // ns to which times are cut, 0: none
	Total      int64            // bytes of the disk
	Now        func() time.Time // nil: time.Now
}

// FS is a disk in memory; it implements disk.FS and can be watched. All that
// happens at random is drawn from its seed.
type FS struct {
	// Fail, if not nil, is asked before each call whether it fails. An error from
	// WriteAt and CopyFrom comes after a part was done. Op is the name of the
	// method, of handles too; of those with two paths it is the new one. Close of
	// the FS and Folds are not asked.
	Fail func(op, path string) error
	// At, if not nil, is called before each call, and as "Reading" in the middle
	// of a Read, with no lock held. It may edit by User or end the FS by Kill or
	// Crash: the call then fails with ErrDead.
	At func(op, path string)

	s    *state
	dead *atomic.Bool
}

// state is the disk itself, which outlives those who have it open.
type state struct {
	opts Options

	mu       sync.Mutex
	rng      *rand.Rand
	root     *node
	pending  []change // of names that are not durable yet, in order
	dirty    map[*node]bool
	used     int64
	last     int64 // latest time given
	inode    uint64
	free     []uint64 // inode numbers of removed files
	watchers map[*disk.Feed]bool
}

// node is a file, directory or link.
type node struct {
	inode  uint64
	kind   disk.Kind
	parent *node
	name   string

	writers map[*atomic.Bool]int // handles open for writing, by the life they belong to

	meta  meta
	data  []byte // copied before a write if shared
	share bool
	kids  map[string]*node // by folded name

	savedMeta meta // what a crash leaves
	savedData []byte
	savedKids map[string]saved
}

type saved struct {
	name string
	node *node
}

type meta struct {
	time   int64
	exec   bool
	target string
}

// New returns an empty disk.
func New(seed uint64, opts Options) *FS {
	if opts.Total == 0 {
		opts.Total = 1e12
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &state{opts: opts, rng: rand.New(rand.NewPCG(seed, 0x6469736b)), dirty: map[*node]bool{}, inode: 1, watchers: map[*disk.Feed]bool{}}
	s.root = &node{inode: 1, kind: disk.Dir, kids: map[string]*node{}, savedKids: map[string]saved{}}
	s.root.meta.time = s.now()
	s.root.savedMeta = s.root.meta
	return s.open()
}

func (s *state) open() *FS { return &FS{s: s, dead: new(atomic.Bool)} }

// User returns the disk as another program sees it: with no hooks, and still
// there when the FS is dead.
func (f *FS) User() *FS { return f.s.open() }

// Kill ends the process that uses the FS: all it wrote is there. The disk goes
// on in what it returns, without hooks.
func (f *FS) Kill() *FS {
	f.dead.Store(true)
	f.s.mu.Lock() // whoever is in a call leaves it first
	defer f.s.mu.Unlock()
	return f.s.open()
}

// Crash cuts the power: of names and contents that are not durable some are
// lost, at random. The disk goes on in what it returns, without hooks.
func (f *FS) Crash() *FS {
	f.dead.Store(true)
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.s.crash()
	return f.s.open()
}

// Dead tells whether the FS was killed or has crashed.
func (f *FS) Dead() bool { return f.dead.Load() }

// Copy returns another disk with the same contents, durable and not, without
// hooks. Copy().Crash() is what a crash now would leave.
func (f *FS) Copy() *FS {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.s.copy().open()
}

// Resize sets the size of the disk, which may be less than what is on it.
func (f *FS) Resize(total int64) {
	f.s.mu.Lock()
	f.s.opts.Total = total
	f.s.mu.Unlock()
}

// Close implements disk.FS.
func (f *FS) Close() error { return nil }

// Folds implements disk.FS.
func (f *FS) Folds() bool { return f.s.opts.Folds }

// Watch implements what disk.Watch asks for.
func (f *FS) Watch(ctx context.Context) (*disk.Watcher, error) {
	if err := f.enter("Watch", ""); err != nil {
		return nil, err
	}
	defer f.leave()
	feed, w := disk.NewFeed(ctx, !f.s.opts.NoCloses)
	f.s.watchers[feed] = true
	s := f.s
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		delete(s.watchers, feed)
		s.mu.Unlock()
	})
	return w, nil
}

// enter calls the hooks and takes the lock, which leave gives back.
func (f *FS) enter(op, path string) error {
	if f.dead.Load() {
		return ErrDead
	}
	if f.At != nil {
		f.At(op, path)
		if f.dead.Load() {
			return ErrDead
		}
	}
	if f.Fail != nil {
		if err := f.Fail(op, path); err != nil {
			return failed(op, path, err)
		}
	}
	if !disk.Valid(path) {
		return failed(op, path, fs.ErrInvalid)
	}
	f.s.mu.Lock()
	if f.dead.Load() {
		f.s.mu.Unlock()
		return ErrDead
	}
	return nil
}

func (f *FS) leave() { f.s.mu.Unlock() }

func failed(op, path string, err error) error {
	if errors.Is(err, ErrDead) {
		return err
	}
	return &disk.Error{Op: strings.ToLower(op), Path: path, Kind: err}
}

// now never gives the same time twice, unless times are coarse.
func (s *state) now() int64 {
	s.last = max(s.opts.Now().UnixNano(), s.last+100)
	return s.coarse(s.last)
}

func (s *state) coarse(t int64) int64 {
	if c := s.opts.Coarse; c > 0 {
		t -= ((t % c) + c) % c
	}
	return t
}

func (s *state) key(name string) string {
	if s.opts.Folds {
		return strings.ToLower(name)
	}
	return name
}

// dir finds a directory.
func (s *state) dir(path string) (*node, error) {
	n := s.root
	for name := range strings.SplitSeq(path, "/") {
		if path == "" {
			break
		}
		next, ok := n.kids[s.key(name)]
		if !ok {
			return nil, fs.ErrNotExist
		}
		if next.kind != disk.Dir {
			return nil, disk.ErrBlocked
		}
		n = next
	}
	return n, nil
}

// longest is the longest name in bytes, as on the disks of Unix.
const longest = 255

var errLong = errors.New("name too long")

// find returns the node at a path, and the directory it is or would be in.
func (s *state) find(path string) (dir *node, name string, n *node, err error) {
	if path == "" {
		return nil, "", s.root, nil
	}
	parent, name := disk.Split(path)
	if dir, err = s.dir(parent); err != nil {
		return nil, name, nil, err
	}
	if len(name) > longest {
		return dir, name, nil, errLong
	}
	return dir, name, dir.kids[s.key(name)], nil
}

func (s *state) file(path string) (*node, error) {
	_, _, n, err := s.find(path)
	switch {
	case err != nil:
		return nil, err
	case n == nil:
		return nil, fs.ErrNotExist
	case n.kind != disk.File:
		return nil, disk.ErrNotFile
	}
	return n, nil
}

func (s *state) make(kind disk.Kind) *node {
	n := &node{kind: kind}
	// Numbers come back, as they do on real disks.
	if last := len(s.free) - 1; last >= 0 && s.rng.IntN(4) == 0 {
		n.inode, s.free = s.free[last], s.free[:last]
	} else {
		s.inode++
		n.inode = s.inode
	}
	n.meta.time = s.now()
	if kind == disk.Dir {
		n.kids, n.savedKids = map[string]*node{}, map[string]saved{}
	}
	return n
}

func (n *node) info() disk.Info {
	i := disk.Info{Name: n.name, Kind: n.kind, Time: n.meta.time, Inode: n.inode}
	if n.kind == disk.File {
		i.Size, i.Exec = int64(len(n.data)), n.meta.exec
	}
	return i
}

// path returns where a node is; false if it was removed.
func (s *state) path(n *node) (string, bool) {
	var parts []string
	for ; n != s.root; n = n.parent {
		if n == nil {
			return "", false
		}
		parts = append(parts, n.name)
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/"), true
}

func (s *state) tell(n *node, what disk.What) {
	if len(s.watchers) == 0 {
		return
	}
	if path, ok := s.path(n); ok {
		s.tellPath(path, what)
	}
}

func (s *state) tellPath(path string, what disk.What) {
	if s.opts.NoCloses && what == disk.Closed {
		what = disk.Touched
	}
	for feed := range s.watchers {
		feed.Put(path, what)
	}
}

// grow accounts for a file that becomes larger or smaller; it tells how much
// of it there is room for.
func (s *state) grow(from, to int64) (int64, error) {
	if room := max(0, s.opts.Total-s.used); to-from > room {
		s.used += room
		return from + room, disk.ErrFull
	}
	s.used += to - from
	return to, nil
}

var _ disk.FS = (*FS)(nil)
