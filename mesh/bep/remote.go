package bep

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/syncthing/syncthing/lib/protocol"
)

const (
	maxCost    = 256 << 20 // bytes of memory for what a device has and we may need
	maxRefused = 1000
	ignored    = 1 // in has: it ignores the path, or cannot have it there
)

// indexed takes in what a device says it has; whole says that it is the first
// part of everything.
func (s *share) indexed(id DeviceID, files []protocol.FileInfo, whole bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.remotes[id]
	if whole {
		for p := range r.wants {
			if e := s.entries[p]; e != nil {
				s.touch(e) // held back so far, see since
			}
		}
		maps.DeleteFunc(r.wants, func(_ string, w *want) bool { return !w.accepted })
		r.old, r.wants, r.cost = r.wants, map[string]*want{}, 0
		clear(r.has)
		clear(r.refused)
	}
	if !whole && r.first == nil && r.known && len(r.wants) == 0 {
		r.inSync = s.now().UnixMilli() // until just now it wanted nothing
	}
	for i := range files {
		s.announced(r, files[i])
	}
	if r.cost > s.most {
		return errHuge
	}
	r.indexed = time.Now()
	r.known = true
	if r.first != nil {
		close(r.first)
		r.first = nil
	}
	r.poke()
	return nil
}

// announced takes in what a device says of one path. s.mu is held.
func (s *share) announced(r *remote, f protocol.FileInfo) {
	p, w, err := wanted(f)
	if err != nil {
		if !f.Deleted && !f.RawInvalid {
			r.refuse(p, err.Error())
		}
		return
	}
	pending := r.wants[p] != nil
	r.drop(p)
	delete(r.refused, p)
	e := s.entries[p]
	if f.RawInvalid {
		if e != nil {
			r.has[p] = ignored
		}
		return
	}
	if e == nil {
		if w.kind == Gone && s.ready {
			return
		}
		r.want(p, w)
		return
	}
	r.has[p] = digest(w.vector)
	switch w.vector.Compare(e.vector) {
	case protocol.Equal:
		if e.seq > 0 && !e.shared {
			e.settled()
			s.dirty = true
		}
	case protocol.Lesser:
		if pending {
			s.touch(e) // held back so far, see since
		}
	default:
		r.want(p, w)
	}
}

// want notes that a device has something we may need.
func (r *remote) want(p string, w *want) {
	if o := r.old[p]; o != nil && o.vector.Equal(w.vector) {
		w.accepted = o.accepted
	}
	r.wants[p] = w
	r.cost += w.cost(p)
}

func (r *remote) drop(p string) {
	if w := r.wants[p]; w != nil {
		r.cost -= w.cost(p)
		delete(r.wants, p)
	}
}

func (r *remote) refuse(p, why string) {
	if len(r.refused) < maxRefused {
		r.refused[clean(p)] = why
	}
}

// clean makes a path of a stranger fit for people and JSON.
func clean(p string) string {
	if len(p) > 256 {
		p = p[:256] + "…"
	}
	return strings.ToValidUTF8(p, "\ufffd")
}

// A task is a want that something must be done for.
type task struct {
	path string
	want *want
	kind Kind // of what is here
}

// plan settles what needs no work and returns the rest: what is to be done now,
// in order, and how long until something may be tried again. s.mu is held by
// nobody.
func (s *share) plan(r *remote) (tasks []task, again time.Duration) {
	s.mu.Lock()
	held := false
	defer func() {
		s.mu.Unlock()
		if held {
			s.notify()
		}
	}()
	if !s.ready {
		return nil, 0
	}
	now := s.now()
	var todo []task
	for p, w := range r.wants {
		if s.busy[p] != nil {
			continue
		}
		e := s.entries[p]
		if e != nil {
			r.has[p] = digest(w.vector)
		}
		switch st := decide(e, w); st {
		case stepNone:
			s.none(r, p, e, w)
		case stepAdopt, stepMerge, stepKeep:
			s.settle(r, p, e, w, st)
		default:
			t := task{path: p, want: w}
			if e != nil {
				t.kind = e.file.Kind
			}
			todo = append(todo, t)
		}
	}
	held = s.brake(r, todo, now)
	for _, t := range todo {
		if r.held != 0 && !t.want.accepted {
			continue
		}
		if wait := t.want.retry.Sub(now); wait > 0 {
			if again == 0 || wait < again {
				again = wait
			}
			continue
		}
		tasks = append(tasks, t)
	}
	slices.SortFunc(tasks, func(a, b task) int {
		if d := phase(a) - phase(b); d != 0 {
			return d
		}
		if c := strings.Compare(a.path, b.path); phase(a) == phaseRmdir {
			return -c // what is in a directory before it
		} else {
			return c
		}
	})
	s.finished(r, now)
	return tasks, again
}

// Phases of what is to be done: directories before what goes into them, new files
// before the old ones go from whose contents they may be made, and directories
// empty before they go.
const (
	phaseMkdir = iota
	phasePut
	phaseRemove
	phaseRmdir
	phaseReplace // a file where a directory was
)

func phase(t task) int {
	switch {
	case t.want.kind == Dir:
		return phaseMkdir
	case t.want.kind == Gone && t.kind == Dir:
		return phaseRmdir
	case t.want.kind == Gone:
		return phaseRemove
	case t.kind == Dir:
		return phaseReplace
	}
	return phasePut
}

// none ends a want that is no news. s.mu is held.
func (s *share) none(r *remote, p string, e *entry, w *want) {
	if e != nil {
		if w.vector.Equal(e.vector) {
			e.settled()
		} else {
			s.touch(e) // what stands against it was held back while it was looked at
		}
	}
	r.drop(p)
}

// settle ends a want without work on the folder. s.mu is held.
func (s *share) settle(r *remote, p string, e *entry, w *want, st step) {
	v := after(st, e, w, true, s.own, s.now())
	if st == stepKeep {
		v = raise(merge(e.vector, w.vector), s.own, s.now())
	}
	changed := !v.Equal(w.vector)
	e.vector = v
	if e.file.Kind != Gone && !w.noPerms && w.kind == e.file.Kind {
		e.perms = w.perms
	}
	if changed {
		e.shared = false
	} else {
		e.settled()
	}
	s.touch(e)
	r.drop(p)
}

// brake decides whether the device is held from now on, given what it wants to
// do. s.mu is held.
func (s *share) brake(r *remote, todo []task, now time.Time) bool {
	ms := now.UnixMilli()
	r.events = recent(r.events, ms)
	if r.held != 0 {
		return false
	}
	events := slices.Clone(r.events)
	news := news{sums: map[[32]byte]string{}, odd: odds(r.events)}
	for _, t := range todo {
		if t.want.kind == Plain && t.kind == Gone {
			news.sums[t.want.sum] = t.path
			if s.beside(r, t, 0) != 0 {
				news.odd[stemOf(t.path)] = true
			}
		}
	}
	for _, t := range todo {
		if t.want.accepted {
			continue
		}
		if what := s.marks(t, news); what != 0 {
			events = append(events, event{At: believed(t.want.changed, r.inSync, ms), Path: t.path, What: what})
		}
	}
	window, crypt := tooMuch(events, s.living)
	if window > 0 {
		s.hold(r, ms, window, crypt)
	}
	return window > 0
}

// hold holds a device. s.mu is held.
func (s *share) hold(r *remote, ms, window int64, crypt bool) {
	r.held, r.from, r.crypt = ms, ms-window, crypt
	s.dirty = true
	if r.stop != nil {
		r.stop() // what is on the way is held too
	}
	s.log.Warn("a Syncthing device changes too much at once and is held", "peer", r.id.String(), "encrypted", crypt)
}

// news is what comes new with a change: contents, of which a deletion may be half
// of a move, and paths beside which there is one with an odd ending.
type news struct {
	sums map[[32]byte]string
	odd  map[string]bool
}

// odds returns the paths beside which a device made files with odd endings.
func odds(events []event) map[string]bool {
	odd := map[string]bool{}
	for _, e := range events {
		if e.What&markBeside != 0 {
			odd[stemOf(e.Path)] = true
		}
	}
	return odd
}

// marks says what a task counts for the brake. s.mu is held.
func (s *share) marks(t task, n news) mark {
	e := s.entries[t.path]
	if e == nil || e.file.Kind == Gone || e.file.Kind == Dir || sameContent(e.file, t.want) {
		return 0
	}
	if t.want.kind != Gone {
		return markChange
	}
	if e.file.Kind == Plain && e.file.Size > 0 {
		if p, ok := n.sums[e.file.Sum]; ok && extOf(p) == extOf(t.path) {
			return 0 // moved
		}
		if tw := s.sums[e.file.Sum]; tw.n > 1 && extOf(tw.path) == extOf(t.path) {
			return 0 // its content stays in the folder
		}
	}
	return markDelete | s.odd(t.path, n.odd)
}

func (*share) odd(path string, odd map[string]bool) mark {
	if odd[path] {
		return markOdd
	}
	return 0
}

// beside says whether a new file stands beside one of ours with one ending more,
// which no other file of the folder has, and another content. counted is 1 if it
// is among the entries already. s.mu is held.
func (s *share) beside(r *remote, t task, counted int) mark {
	ext, stem := extOf(t.path), stemOf(t.path)
	if t.want.kind != Plain || ext == "" || extOf(stem) == "" {
		return 0
	}
	old := s.entries[stem]
	if old == nil || old.file.Kind == Plain && sameContent(old.file, t.want) {
		return 0
	}
	others := s.exts[ext] - counted
	for _, e := range r.events {
		if e.What&markBeside != 0 && extOf(e.Path) == ext {
			others--
		}
	}
	if others > 0 {
		return 0
	}
	return markBeside
}

// finished notes that nothing is left to do in either direction, if so. s.mu is
// held.
func (s *share) finished(r *remote, now time.Time) {
	if r.waits != WaitsNot || !r.known || len(r.wants) > 0 {
		return
	}
	if ms := now.UnixMilli(); s.ours(r) == 0 {
		if ms-r.inSync > 60_000 {
			s.dirty = true
		}
		r.inSync = ms
	}
}

// ours counts what a device does not have yet of what we have. s.mu is held.
func (s *share) ours(r *remote) (n int) {
	for p, e := range s.entries {
		has, ok := r.has[p]
		if ok && (has == ignored || has == e.stamp) || !ok && e.file.Kind == Gone || r.wants[p] != nil || internal(p) {
			continue
		}
		n++
	}
	return n
}

// status says how it stands with a device.
func (s *share) status(id DeviceID) FolderStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.remotes[id]
	st := FolderStatus{Share: s.ID, Waits: r.waits, Ours: s.ours(r)}
	var held Held
	for p, w := range r.wants {
		if r.held != 0 && !w.accepted {
			held.count(s.entries[p], p, w)
			continue
		}
		st.Theirs++
		if w.kind == Plain {
			st.Bytes += w.size
		}
		if w.err != "" && len(st.Errors) < 100 {
			st.Errors = append(st.Errors, PathError{p, w.err})
		}
	}
	for _, p := range slices.Sorted(maps.Keys(r.refused)) {
		if len(st.Errors) < 100 {
			st.Errors = append(st.Errors, PathError{p, r.refused[p]})
		}
	}
	if r.held != 0 {
		held.Since, held.Encrypted, held.Away = time.UnixMilli(r.held), r.crypt, !r.known
		slices.Sort(held.Paths)
		held.Paths = held.Paths[:min(len(held.Paths), 100)]
		st.Held = &held
	}
	st.InSync = s.ready && r.known && r.waits == WaitsNot && st.Theirs == 0 && st.Ours == 0 && r.held == 0
	return st
}

func (h *Held) count(e *entry, p string, w *want) {
	switch {
	case w.kind == Dir && (e == nil || e.file.Kind == Gone), e != nil && e.file.Kind == Dir && w.kind == Gone:
		return // people count files
	case e == nil || e.file.Kind == Gone:
		h.New++
		return
	case w.kind == Gone:
		h.Deleted++
	default:
		h.Changed++
	}
	h.Paths = append(h.Paths, p)
}

// failed keeps a want for later, after something failed. s.mu is held.
func (w *want) failed(err error, now time.Time) {
	w.tries++
	w.err = err.Error()
	w.retry = now.Add(min(10*time.Minute, 5*time.Second<<min(w.tries, 8)))
}

func (k Kind) String() string {
	switch k {
	case Gone:
		return "gone"
	case Plain:
		return "file"
	case Dir:
		return "directory"
	case Link:
		return "link"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}
