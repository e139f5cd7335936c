package bep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"sort"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/syncthing/syncthing/lib/protocol"
)

// A share is what the gateway knows of one Share: what it shows, under which
// versions, and how far each device is.
//
// mu is never held while the Folder is asked. A path in busy is being changed by
// whoever put it there; nobody else touches its entry.
type share struct {
	Share
	own    protocol.ShortID
	index  protocol.IndexID
	now    func() time.Time
	most   int64 // bytes of memory for what one device has and we may need
	log    *slog.Logger
	notify func()

	mu      sync.Mutex
	entries map[string]*entry
	loaded  map[string]savedEntry // of the last run, not seen in the folder yet
	kids    map[string]int        // living entries by directory
	exts    map[string]int        // living plain files by ending, lower case
	sums    map[[32]byte]twin
	living  int // plain files and links
	seq     int64
	changes []change      // ascending; older ones of a path are void
	moved   chan struct{} // closed when changes grew; nil: nobody waits
	busy    map[string]*busy
	remotes map[DeviceID]*remote
	dirty   bool            // State should be saved
	ready   bool            // entries are what the folder shows
	up      chan struct{}   // closed when ready
	lost    map[string]bool // directories of what the last refresh found lost
	anew    func()          // has all devices connect anew, and so tell what they have
}

// busy is a path that is being changed.
type busy struct {
	again bool // it was seen to change meanwhile
}

type twin struct {
	path string // of one file with a content
	n    int    // how many there are
}

type change struct {
	seq  int64
	path string
}

// A remote is a device with which a share is shared.
type remote struct {
	id      DeviceID
	name    string
	wants   map[string]*want  // what it has that we may need
	old     map[string]*want  // of these before its last whole index, those that were accepted
	cost    int64             // of wants, bytes
	has     map[string]uint64 // digest of the version it has, for paths of ours
	refused map[string]string // paths that are not taken, why
	known   bool              // its index came since the program began
	waits   Waits
	inSync  int64 // when it was last, ms since 1970; 0: never
	held    int64 // since when the brake holds, ms since 1970; 0: it does not
	from    int64 // since when it did too much, ms since 1970
	crypt   bool  // it looks encrypted
	events  []event
	wake    chan struct{}
	work    sync.Mutex         // held while tasks are done; before mu
	stop    context.CancelFunc // ends the tasks being done; nil: none are
	indexed time.Time          // when the last index message came
	first   chan struct{}      // closed when the first one of a connection comes; nil then
}

func newShare(s Share, own DeviceID, devices []Device, now func() time.Time, log *slog.Logger, notify func()) *share {
	sh := &share{
		Share: s, own: own.Short(), index: protocol.NewIndexID(), now: now, most: maxCost,
		log: log.With("folder", s.ID), notify: notify,
		entries: map[string]*entry{}, loaded: map[string]savedEntry{}, kids: map[string]int{}, exts: map[string]int{},
		sums: map[[32]byte]twin{}, busy: map[string]*busy{}, remotes: map[DeviceID]*remote{}, up: make(chan struct{}), anew: func() {},
	}
	for _, d := range devices {
		for _, id := range d.Folders {
			if id == s.ID {
				sh.remotes[d.ID] = &remote{
					id: d.ID, name: d.Name, waits: WaitsDevice, wants: map[string]*want{}, has: map[string]uint64{},
					refused: map[string]string{}, wake: make(chan struct{}, 1),
				}
			}
		}
	}
	return sh
}

// refresh takes in what the folder shows now.
func (s *share) refresh(ctx context.Context) error {
	seen := make(map[string]bool)
	var batch []File
	flush := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, f := range batch {
			s.see(f)
		}
		batch = batch[:0]
	}
	err := s.Folder.Files(ctx, func(f File) bool {
		if checkPath(f.Path) != nil {
			return true
		}
		seen[f.Path] = true
		if batch = append(batch, f); len(batch) == 1000 {
			flush()
		}
		return ctx.Err() == nil
	})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("read folder: %w", err)
	}
	flush()
	return s.missing(ctx, seen)
}

// missing takes in what the folder does not show any more.
func (s *share) missing(ctx context.Context, seen map[string]bool) error {
	s.mu.Lock()
	var gone []string
	s.lost = map[string]bool{}
	for p, e := range s.entries {
		if e.file.Kind != Gone && !seen[p] {
			gone = append(gone, p)
		}
	}
	for p := range s.loaded {
		if !seen[p] {
			gone = append(gone, p)
		}
	}
	s.mu.Unlock()
	sort.Sort(sort.Reverse(sort.StringSlice(gone))) // what is in a directory before it
	for _, p := range gone {
		// Asked again: it may have come since the list was made.
		f, err := s.Folder.Look(ctx, p)
		if err != nil {
			return fmt.Errorf("look at %s: %w", p, err)
		}
		s.mu.Lock()
		s.see(f)
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lost) > 0 {
		s.log.Warn("the folder lost files that Syncthing devices have: they are asked again")
		s.anew()
	}
	if !s.ready {
		s.ready = true
		close(s.up)
	}
	return nil
}

// see takes in what the folder shows at a path, unless somebody is changing it, who
// then looks again. s.mu is held.
func (s *share) see(f File) {
	if busy, ok := s.busy[f.Path]; ok {
		busy.again = true
		return
	}
	s.show(f)
}

// reserve takes a path for whoever is going to change it; false: somebody has it.
// s.mu is held.
func (s *share) reserve(p string) bool {
	if s.busy[p] != nil {
		return false
	}
	s.busy[p] = &busy{}
	return true
}

// release gives a path back, and looks at what others did to it meanwhile.
func (s *share) release(ctx context.Context, p string) {
	s.mu.Lock()
	again := s.busy[p].again
	delete(s.busy, p)
	for _, r := range s.remotes {
		if r.wants[p] != nil {
			r.poke() // it passed the path over
		}
	}
	s.mu.Unlock()
	if !again {
		return
	}
	f, err := s.Folder.Look(ctx, p)
	if err != nil {
		s.log.Warn("cannot look at a file", "err", err)
		return
	}
	f.Path = p
	s.mu.Lock()
	defer s.mu.Unlock()
	s.see(f)
}

// show takes in what the folder shows at a path and returns the entry, nil if
// nothing is known of it. s.mu is held.
func (s *share) show(f File) *entry {
	e := s.entries[f.Path]
	if e == nil {
		e = s.recall(f)
	}
	switch {
	case e == nil && f.Kind == Gone:
		return nil
	case e == nil:
		s.set(f, nil, raise(protocol.Vector{}, s.own, s.now()))
	case s.unknown(e, f):
		s.forget(e, f)
		return nil
	case sameFile(e.file, f):
		if e.file.Base != f.Base || e.file.Version != f.Version {
			e.file.Base, e.file.Version = f.Base, f.Version
			s.dirty = true
		}
	default:
		e.leave()
		s.set(f, e, raise(e.vector, s.own, s.now()))
	}
	return s.entries[f.Path]
}

// unknown says that a folder does not know any more what it showed: it was
// restored from an old copy, or lost. That is no deletion, which would have left a
// version. A directory goes without one when nothing is in it. s.mu is held.
func (s *share) unknown(e *entry, f File) bool {
	return f.Kind == Gone && f.Base == "" && e.file.Kind != Gone && (e.file.Kind != Dir || s.lost[f.Path])
}

// forget has a path be as if it had never been. s.mu is held.
func (s *share) forget(e *entry, f File) {
	if e.file.Path != "" {
		s.tally(e.file, -1)
	}
	delete(s.entries, f.Path)
	for _, r := range s.remotes {
		delete(r.has, f.Path)
	}
	if s.lost != nil {
		s.lost[path.Dir(f.Path)] = true
	}
	s.dirty = true
}

// recall makes the entry of a path that was saved by an earlier run. s.mu is held.
func (s *share) recall(f File) *entry {
	old, ok := s.loaded[f.Path]
	if !ok {
		return nil
	}
	delete(s.loaded, f.Path)
	vector, err := unpackVector(old.Vector)
	if err != nil {
		return nil
	}
	e := &entry{
		file: File{Kind: old.Kind, Time: old.Time, Base: string(old.Base)}, // no path: not tallied yet
		was:  old.Was, vector: vector, perms: old.Perms, shared: old.Shared,
	}
	if len(old.Common) == 2 {
		if v, err := unpackVector([]byte(old.Common[1])); err == nil {
			e.common = &common{base: string(old.Common[0]), vector: v}
		}
	}
	if s.unknown(e, f) {
		s.forget(e, f)
		return nil
	}
	s.entries[f.Path] = e
	if string(mark16(f)) != string(old.Mark) {
		e.leave()
		s.set(f, e, raise(e.vector, s.own, s.now()))
		return e
	}
	s.set(f, e, e.vector)
	return e
}

// set makes f what we say of its path, with a version, and has it announced. e is
// the entry, nil for a new one. s.mu is held.
func (s *share) set(f File, e *entry, v protocol.Vector) {
	if e == nil {
		e = &entry{}
		s.entries[f.Path] = e
	}
	s.tally(e.file, -1)
	if f.Kind == Gone {
		if e.file.Kind != Gone {
			e.was, e.perms = e.file.Kind, 0
			f.Time = s.now().UnixNano()
		} else {
			f.Time = e.file.Time
		}
	}
	e.file, e.vector = f, v
	s.tally(f, 1)
	s.touch(e)
}

// touch has an entry announced again. s.mu is held.
func (s *share) touch(e *entry) {
	s.seq++
	e.seq = s.seq
	s.changes = append(s.changes, change{s.seq, e.file.Path})
	if len(s.changes) > 1000+2*len(s.entries) {
		kept := make([]change, 0, len(s.entries))
		for _, c := range s.changes {
			if e := s.entries[c.path]; e != nil && e.seq == c.seq {
				kept = append(kept, c)
			}
		}
		s.changes = kept
	}
	e.stamp = digest(e.vector)
	s.dirty = true
	if s.moved != nil {
		close(s.moved)
		s.moved = nil
	}
}

// tally counts a file in or out. s.mu is held.
func (s *share) tally(f File, n int) {
	if f.Kind == Gone || f.Path == "" {
		return
	}
	dir := path.Dir(f.Path)
	if s.kids[dir] += n; s.kids[dir] == 0 {
		delete(s.kids, dir)
	}
	if f.Kind == Dir {
		return
	}
	s.living += n
	if f.Kind != Plain {
		return
	}
	ext := extOf(f.Path)
	if s.exts[ext] += n; s.exts[ext] == 0 {
		delete(s.exts, ext)
	}
	t := s.sums[f.Sum]
	t.n += n
	if n > 0 || t.path == f.Path {
		t.path = f.Path
	}
	if t.n == 0 {
		delete(s.sums, f.Sum)
	} else {
		s.sums[f.Sum] = t
	}
}

// since returns up to n changes above a sequence number with their files, the
// sequence number up to which these are all, and a channel that is closed when
// there are more. What a device has something against is left out: that is
// settled first, so that it does not see a conflict and settle it its own way.
func (s *share) since(id DeviceID, seq int64, n int) (out []entry, upto int64, more <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.remotes[id]
	upto = seq
	i := sort.Search(len(s.changes), func(i int) bool { return s.changes[i].seq > seq })
	for ; i < len(s.changes) && len(out) < n; i++ {
		c := s.changes[i]
		upto = c.seq
		if e := s.entries[c.path]; e != nil && e.seq == c.seq && r.wants[c.path] == nil && !internal(c.path) {
			out = append(out, *e)
			out[len(out)-1].vector = e.vector.Copy()
		}
	}
	if s.moved == nil {
		s.moved = make(chan struct{})
	}
	return out, upto, s.moved
}

// load takes in what an earlier run saved.
func (s *share) load(data []byte) error {
	st, err := decodeState(data)
	if err != nil {
		return err
	}
	for _, e := range st.Entries {
		s.loaded[e.Path] = e
	}
	for _, d := range st.Devices {
		r := s.remotes[DeviceID(d.ID)]
		if r == nil {
			continue
		}
		r.inSync, r.held, r.from, r.crypt = d.InSync, d.Held, d.From, d.Why
		for _, e := range d.Events {
			r.events = append(r.events, event{e.At, e.Path, e.What, string(e.Before), string(e.After)})
		}
	}
	return nil
}

// save returns what State should keep, nil if it keeps that already.
func (s *share) save() ([]byte, error) {
	s.mu.Lock()
	if !s.dirty {
		s.mu.Unlock()
		return nil, nil
	}
	s.dirty = false
	var st saved
	for p, e := range s.entries {
		se := savedEntry{
			Path: p, Kind: e.file.Kind, Was: e.was, Time: e.file.Time, Mark: mark16(e.file), Vector: packVector(e.vector),
			Perms: e.perms, Shared: e.shared, Base: cbor.ByteString(e.file.Base),
		}
		if e.common != nil {
			se.Common = []cbor.ByteString{cbor.ByteString(e.common.base), cbor.ByteString(packVector(e.common.vector))}
		}
		st.Entries = append(st.Entries, se)
	}
	for _, e := range s.loaded {
		st.Entries = append(st.Entries, e)
	}
	for _, r := range s.remotes {
		id := r.id
		d := savedDevice{ID: id[:], InSync: r.inSync, Held: r.held, From: r.from, Why: r.crypt}
		for _, e := range r.events {
			d.Events = append(d.Events, savedEvent{At: e.At, Path: e.Path, What: e.What, Before: cbor.ByteString(e.Before), After: cbor.ByteString(e.After)})
		}
		st.Devices = append(st.Devices, d)
	}
	s.mu.Unlock()
	sort.Slice(st.Entries, func(i, j int) bool { return st.Entries[i].Path < st.Entries[j].Path })
	sort.Slice(st.Devices, func(i, j int) bool { return string(st.Devices[i].ID) < string(st.Devices[j].ID) })
	return encodeState(st)
}

// keep saves the state now and then until ctx ends, and once more.
func (s *share) keep(ctx context.Context, state State) error {
	wait := 3 * time.Second
	for {
		done := false
		select {
		case <-ctx.Done():
			done = true
		case <-time.After(wait):
		}
		began := time.Now()
		data, err := s.save()
		if err == nil && data != nil {
			err = state.Save(s.ID, data)
		}
		if err != nil {
			s.log.Warn("cannot keep what Syncthing devices know", "err", err)
			s.mu.Lock()
			s.dirty = true
			s.mu.Unlock()
		}
		wait = max(3*time.Second, 50*time.Since(began))
		if done {
			return ctx.Err()
		}
	}
}

// watch follows the folder until ctx ends.
func (s *share) watch(ctx context.Context) error {
	for {
		err := s.refresh(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		again := (<-chan time.Time)(nil)
		if err != nil {
			s.log.Warn("cannot read what is shared with Syncthing devices", "err", err)
			again = time.After(10 * time.Second)
		}
		s.wakeAll()
		s.notify()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.Folder.Changed():
		case <-again:
		}
		// Several changes make one round; a whole round costs a walk over all files.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func (s *share) wakeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.remotes {
		r.poke()
	}
}

// poke has the remote's wants looked at again.
func (r *remote) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

var errHuge = errors.New("its list of files is too long")
