package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// Bounds of what is published or committed at once.
const (
	batchFiles = 1000 // of the first batch
	batchNext  = 2000 // of the next ones, more while the one before is not done
	batchMost  = 8000
	batchBytes = 256 << 20
	batchWait  = 500 * time.Millisecond
	lone       = 8 // so few are flushed one by one
)

// guardFirst is up to which size an own content is copied into the keep before
// it is published; larger ones are copied by House.
const guardFirst = 64 << 20

// An item is a path with what the index will say of it and, if the user changed
// it, the version to publish.
type item struct {
	sighting
	rec *rec          // nil: nothing is there any more
	v   *tree.Version // nil: nothing to publish
}

// publishSurvey publishes what a survey found: contents and moves first, then
// what is gone, so that a file that was moved is found in its new place.
func (f *Folder) publishSurvey(ctx context.Context, s *survey) error {
	p := &publisher{f: f, inodes: map[uint64]*rec{}, sums: map[tree.Sum][]*rec{}, moved: map[string]bool{}, write: f.mayWrite()}
	slices.SortFunc(s.seen, func(a, b sighting) int { return strings.Compare(a.path, b.path) })
	s.seen = slices.CompactFunc(s.seen, func(a, b sighting) bool { return a.path == b.path })
	slices.SortFunc(s.missing, func(a, b *rec) int { return strings.Compare(a.Path, b.Path) })
	s.missing = slices.Compact(s.missing)
	for _, r := range s.missing {
		if r.Kind == tree.File && r.Size > 0 {
			p.sums[r.Sum] = append(p.sums[r.Sum], r)
		}
		if r.Inode != 0 && r.Kind != tree.Link {
			p.inodes[r.Inode] = r
		}
	}
	emptied := map[string]bool{}
	for _, d := range s.dirs {
		p.dir(d)
		emptied[d.path] = true
	}
	err := p.contents(ctx, s.seen)
	if e := p.wait(); err == nil {
		err = e
	}
	if err == nil {
		for _, r := range s.missing {
			p.lost(r)
			emptied[parent(r.Path)] = true
		}
		if err = p.flush(ctx); err == nil {
			for _, dir := range slices.Compact(slices.Sorted(slices.Values(s.empty))) {
				p.hollow(dir, emptied[dir])
			}
			err = p.flush(ctx)
		}
	}
	f.mu.Lock()
	if e := f.index.write(); err == nil {
		err = e
	}
	f.mu.Unlock()
	return err
}

// A publisher gathers items and publishes them in batches. It belongs to a
// holder of work.
type publisher struct {
	f      *Folder
	inodes map[uint64]*rec     // missing files and directories
	sums   map[tree.Sum][]*rec // missing files
	moved  map[string]bool     // old paths of what was found elsewhere
	write  bool

	batch []item
	bytes int64
	limit int        // files in a batch
	last  chan error // of the batch that is being published aside, or nil
}

// contents hashes files on several goroutines and publishes them in order of
// completion; with one worker, in the order given.
func (p *publisher) contents(ctx context.Context, seen []sighting) error {
	rest := seen[:0:0]
	for _, n := range seen {
		if !p.movedHere(n) {
			rest = append(rest, n)
		}
	}
	if p.f.workers <= 1 || len(rest) < 4 {
		var buf []byte
		for _, n := range rest {
			it, b, err := p.f.read(ctx, n, buf[:0])
			buf = b
			if err := p.take(ctx, it, err); err != nil {
				return err
			}
		}
		return nil
	}
	type result struct {
		it  item
		err error
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	out := make(chan result, batchMost/2)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range p.f.workers {
		wg.Go(func() {
			var buf []byte
			for reading.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(len(rest)) {
					return
				}
				it, b, err := p.f.read(reading, rest[i], buf[:0])
				buf = b
				select {
				case out <- result{it, err}:
				case <-reading.Done():
				}
			}
		})
	}
	go func() { wg.Wait(); close(out) }()
	var first error
	for r := range out {
		if first == nil {
			if first = p.take(ctx, r.it, r.err); first != nil {
				stop()
			}
		}
	}
	if first == nil {
		first = ctx.Err()
	}
	return first
}

// take decides what a read content means and adds it to the batch.
func (p *publisher) take(ctx context.Context, it item, err error) error {
	if err != nil {
		return p.f.unread(it.path, err)
	}
	p.decide(&it)
	return p.add(ctx, it)
}

// unread says why a path was not read; an error is returned only if the whole
// scan must end.
func (f *Folder) unread(path string, err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, disk.ErrFull):
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, disk.ErrChanged), errors.Is(err, disk.ErrNotFile):
		f.unsettled(path) // it will be seen again
	default:
		f.unsettled(path)
		f.pathError(path, err, "")
	}
	return nil
}

// movedHere takes a new file that is a missing one by inode, size and time as
// that one, unread.
func (p *publisher) movedHere(n sighting) bool {
	r := p.inodes[n.in.Inode]
	if n.old != nil || r == nil || n.in.Kind != disk.File || !p.f.unchanged(r, n.in) || r.Racy || p.moved[r.Path] {
		return false
	}
	now := *r
	now.Path, now.twin = n.path, nil
	it := item{sighting: n, rec: &now, v: p.f.again(r)}
	if it.v == nil {
		return false
	}
	p.decide(&it)
	p.batch = append(p.batch, it)
	return true
}

// again returns a version with the content of a record.
func (f *Folder) again(r *rec) *tree.Version {
	v := &tree.Version{Path: r.Path, Kind: r.Kind, Size: r.Size, Time: r.Time, Exec: r.Exec, Sum: r.Sum}
	if n := tree.BlockCount(r.Size); n >= 2 && n <= tree.MaxInline {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, id := range r.Base {
			if k, ok := f.tree.Known(id); ok && k.Sum == r.Sum {
				v.Blocks = k.Blocks
			}
		}
		if v.Blocks == nil {
			return nil
		}
	}
	return v
}

// decide says what a content found on the disk is: one that is known, a moved
// file, or an edit of the user's.
func (p *publisher) decide(it *item) {
	f, r, v := p.f, it.rec, it.v
	v.Path, r.Path = it.path, it.path
	f.mu.Lock()
	defer f.mu.Unlock()
	node, living := f.tree.Node(it.path)
	if living && node.Shown.Kind == v.Kind && node.Shown.SameContent(v) {
		r.Base, it.v = node.Heads, nil
		return
	}
	if it.old != nil && it.old.Kind == r.Kind && it.old.Sum == r.Sum && it.old.Size == r.Size && it.old.Exec == r.Exec {
		r.Base, it.v = it.old.Base, nil
		return
	}
	if it.old != nil {
		v.Parents = it.old.Base
		return
	}
	if living || !f.settled {
		for _, k := range f.tree.History(it.path) {
			if k.Kind == v.Kind && k.SameContent(v) {
				r.Base, it.v = []tree.VersionID{k.ID}, nil
				f.todo[it.path] = todoNew
				return
			}
		}
	}
	from := p.source(v)
	if from == nil {
		from = p.overwritten(it)
	}
	if from != nil {
		v.Parents = from.Base
		p.moved[from.Path] = true
		return
	}
	if gone, ok := f.tree.Gone(it.path); ok && !living {
		v.Parents = gone.Heads
	}
}

// source returns the missing file whose content is found in a new place.
func (p *publisher) source(v *tree.Version) *rec {
	if v.Kind != tree.File || v.Size == 0 {
		return nil
	}
	for _, r := range p.sums[v.Sum] {
		if !p.moved[r.Path] && len(r.Base) > 0 {
			return r
		}
	}
	for r := p.f.index.bySum(v.Sum); r != nil; r = r.twin {
		if r.Path == v.Path || p.moved[r.Path] || len(r.Base) == 0 {
			continue
		}
		if _, err := p.f.fs.Stat(r.Path); errors.Is(err, fs.ErrNotExist) {
			p.sums[v.Sum] = append(p.sums[v.Sum], r) // its old place was not looked at
			return r
		}
	}
	return nil
}

// overwritten returns the missing file that was written over and then renamed:
// the same file on the disk under a name that shows where it comes from. (An
// inode alone proves nothing, they are given again.)
func (p *publisher) overwritten(it *item) *rec {
	if it.in.Inode == 0 || it.in.Kind != disk.File {
		return nil
	}
	if r := p.inodes[it.in.Inode]; r != nil && r.Kind == tree.File && !p.moved[r.Path] && akin(r.Path, it.path) {
		return r
	}
	was := it.path // X.ext may have been X, whose place was not looked at yet
	if i := strings.LastIndexByte(was, '.'); i > 0 {
		was = was[:i]
	}
	r := p.f.index.get(was)
	if r == nil || r.Kind != tree.File || r.Inode != it.in.Inode || p.moved[was] {
		return nil
	}
	if _, err := p.f.fs.Stat(was); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return r
}

// akin tells whether a name looks like another one changed: moved, or with
// another or one more extension.
func akin(a, b string) bool {
	dirA, nameA := disk.Split(a)
	dirB, nameB := disk.Split(b)
	if dirA != dirB {
		return nameA == nameB
	}
	stem, _ := split(nameA)
	return strings.HasPrefix(nameB, stem) || strings.HasSuffix(nameB, nameA)
}

// dir notes a new directory. What is in it implies it; one that was moved takes
// along what it was.
func (p *publisher) dir(d sighting) {
	f := p.f
	r := &rec{Path: d.path, Kind: tree.Dir, Inode: d.in.Inode}
	it := item{sighting: d, rec: r}
	f.mu.Lock()
	if node, ok := f.tree.Node(d.path); ok && node.Shown.Kind == tree.Dir {
		r.Base = baseOf(&node)
	} else if old := p.inodes[d.in.Inode]; old != nil && old.Kind == tree.Dir && len(old.Base) > 0 && !p.moved[old.Path] {
		it.v = &tree.Version{Path: d.path, Kind: tree.Dir, Parents: old.Base}
		p.moved[old.Path] = true
	}
	f.mu.Unlock()
	p.batch = append(p.batch, it)
}

// hollow publishes an empty directory that nothing implies, unless somebody
// removed it and Apply did not come to it yet. emptied: what was in it went, or
// it is new.
func (p *publisher) hollow(dir string, emptied bool) {
	f := p.f
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.index.get(dir)
	if r == nil || r.Kind != tree.Dir || !emptied && len(r.Base) > 0 {
		return
	}
	if _, living := f.tree.Node(dir); living {
		return // published already, or what is in it comes with the next Apply
	}
	v := &tree.Version{Path: dir, Kind: tree.Dir}
	if node, ok := f.tree.Gone(dir); ok {
		v.Parents = node.Heads
	}
	now := *r
	now.twin = nil
	p.batch = append(p.batch, item{sighting: sighting{path: dir}, rec: &now, v: v})
}

// lost notes what is not there any more.
func (p *publisher) lost(r *rec) {
	f := p.f
	it := item{sighting: sighting{path: r.Path, old: r}}
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.index.get(r.Path); now != nil && now != r {
		return // something else came in its place
	}
	if p.moved[r.Path] {
		p.batch = append(p.batch, it)
		return
	}
	if node, ok := f.tree.Node(r.Path); ok && len(r.Base) > 0 && (r.Kind != tree.Dir || node.Shown.ID != (tree.VersionID{})) {
		it.v = &tree.Version{Path: r.Path, Kind: tree.Gone, Parents: r.Base}
	}
	p.batch = append(p.batch, it)
}

func (p *publisher) add(ctx context.Context, it item) error {
	p.batch = append(p.batch, it)
	p.bytes += it.in.Size
	p.limit = max(p.limit, batchFiles)
	if len(p.batch) < p.limit && p.bytes < batchBytes {
		return nil
	}
	if p.last != nil && len(p.last) == 0 && len(p.batch) < batchMost && p.bytes < batchBytes {
		return nil // the one before takes its time
	}
	p.limit = batchNext
	err := p.wait()
	batch := p.batch
	p.batch, p.bytes = nil, 0
	if err != nil || p.f.workers <= 1 {
		return errors.Join(err, p.publishAll(ctx, batch))
	}
	last := make(chan error, 1)
	p.last = last
	go func() { last <- p.publishAll(ctx, batch) }() // wait waits for it
	return nil
}

// wait waits for the batch that is being published aside.
func (p *publisher) wait() error {
	if p.last == nil {
		return nil
	}
	err := <-p.last
	p.last = nil
	return err
}

// flush makes durable what was gathered, publishes it and then renews the index.
func (p *publisher) flush(ctx context.Context) error {
	err := p.wait()
	batch := p.batch
	p.batch, p.bytes = nil, 0
	if err != nil {
		return err
	}
	return p.publishAll(ctx, batch)
}

func (p *publisher) publishAll(ctx context.Context, batch []item) error {
	if len(batch) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	defer p.f.changed()
	for part := range slices.Chunk(batch, batchMost) {
		if err := p.publish(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (p *publisher) publish(ctx context.Context, batch []item) error {
	f := p.f
	var vs []tree.Version
	kept := batch[:0:0]
	for _, it := range batch {
		if it.v == nil {
			kept = append(kept, it)
			continue
		}
		if !p.write {
			f.localOnly(it.path)
			continue
		}
		vs = append(vs, *it.v)
		kept = append(kept, it)
	}
	if err := f.durable(kept, len(vs) > 0 || len(kept) < len(batch)); err != nil {
		return err
	}
	var known []tree.Known
	if len(vs) > 0 {
		var err error
		if known, err = f.host.Publish(ctx, vs); err != nil {
			f.Add(known) // those are written
			return fmt.Errorf("publish: %w", err)
		}
		if len(known) != len(vs) {
			return fmt.Errorf("publish: %d versions of %d", len(known), len(vs))
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.add(known)
	for _, it := range kept {
		if it.v != nil {
			k := known[0]
			known = known[1:]
			if it.rec != nil {
				it.rec.Base = []tree.VersionID{k.ID}
				it.rec.Path = k.Path // one string for both
			}
		}
		delete(f.local, it.path)
		if it.rec == nil {
			f.index.drop(it.path)
		} else {
			f.index.put(it.rec)
		}
	}
	return f.index.write()
}

// durable flushes what a batch tells of: the user's files, their names and the
// keep. A power cut after it takes nothing back that was announced.
func (f *Folder) durable(batch []item, announced bool) error {
	if len(batch) > lone {
		return f.keep.SyncAll()
	}
	if announced {
		if err := f.keep.Sync(); err != nil {
			return err
		}
	}
	dirs := map[string]bool{}
	for _, it := range batch {
		dirs[parent(it.path)] = true
		if it.rec == nil || it.rec.Kind != tree.File {
			continue
		}
		h, err := f.fs.Open(it.path)
		if err != nil {
			continue // gone again
		}
		err = h.Sync()
		h.Close()
		if err != nil && !errors.Is(err, disk.ErrDenied) && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	for dir := range dirs {
		if err := f.fs.SyncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
