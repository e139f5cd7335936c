package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// A job brings one path to what the tree says.
type job struct {
	path    string
	v       tree.Known       // what to have there
	old     *rec             // what the index says is there
	heads   []tree.VersionID // of the path
	lacking bool             // other contents of the path are to be had too
}

// A plan is what has to be done to the disk. It is worked out in memory; the
// disk is looked at when it is carried out.
type plan struct {
	dirs   []*job   // directories to make, parents first
	remove []*rec   // what must not be there, deepest first
	leave  []*rec   // as remove, but only not kept here
	place  []*job   // files and links whose content must be brought
	marks  []*job   // files of which only the executable bit changes
	store  []stored // contents to have in the keep only
	look   []string // paths to scan: they are not what the index says
	failed int
}

// stored is a content that a path needs in the keep: of a conflict, the ones
// that are not shown.
type stored struct {
	path string
	v    tree.Known
}

// Apply brings the disk to the tree as far as contents can be had now.
func (f *Folder) Apply(ctx context.Context) error { return f.apply(ctx, true, nil) }

// apply is Apply. Without all, what waits for other devices is left. aside, if
// not nil, takes large contents to be fetched without holding up others.
func (f *Folder) apply(ctx context.Context, all bool, aside func(*job)) error {
	f.plan.Lock()
	defer f.plan.Unlock()
	defer f.busy("apply")()
	defer f.shrink()
	defer f.calm()
	looked := map[string]bool{}
	for round := range 6 {
		w := &effort{taken: map[string]bool{}}
		err := f.try(ctx, all && round == 0, aside, w)
		if err != nil {
			return err
		}
		again := w.look[:0:0]
		for _, path := range slices.Compact(slices.Sorted(slices.Values(w.look))) {
			if looked[path] {
				f.inTheWay(path)
			} else {
				again = append(again, path)
			}
			looked[path] = true
		}
		if len(again) > 0 {
			if err := f.Scan(ctx, again...); err != nil {
				return err
			}
		}
		if !w.did && len(again) == 0 {
			break
		}
	}
	return nil
}

// shrink gives back the room of a long list that is done.
func (f *Folder) shrink() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.todo) == 0 {
		f.todo = map[string]todo{}
	}
}

// inTheWay says of a path that is not done that a look at it did not help:
// something that is not shared is there.
func (f *Folder) inTheWay(path string) {
	f.mu.Lock()
	_, open := f.todo[path]
	if r := f.index.get(path); r != nil && r.Racy {
		f.retry[path], open = true, false // only a moment
	}
	if open {
		f.todo[path] = todoFail
	}
	f.mu.Unlock()
	if open {
		f.pathError(path, errors.New("something that is not shared is in its place"), "")
	}
}

// arrange works out a plan for all paths but those at work, and does what needs
// no content. work is held.
func (f *Folder) arrange(ctx context.Context, all bool, taken map[string]bool) (*plan, error) {
	if err := f.attached(); err != nil {
		return nil, err
	}
	if err := f.saveBrake(false); err != nil {
		return nil, err
	}
	f.unstick(ctx)
	p := f.evaluate(all, taken)
	if err := f.leave(p); err != nil {
		return p, err
	}
	moved, err := f.renames(p)
	if err != nil {
		return p, err
	}
	removed, err := f.removals(ctx, p)
	if err != nil {
		return p, err
	}
	made, err := f.mkdirs(p)
	if err != nil {
		return p, err
	}
	marked := f.mark(p)
	if moved+removed+made+marked == 0 {
		f.mu.Lock()
		defer f.mu.Unlock()
		return p, f.index.write()
	}
	// What went into the keep and the new names must last before the index says so.
	if err := f.keep.SyncAll(); err != nil {
		return p, err
	}
	f.mu.Lock()
	err = f.index.write()
	f.mu.Unlock()
	f.changed()
	return p, err
}

// evaluate compares the tree with the index, but for paths at work.
func (f *Folder) evaluate(all bool, taken map[string]bool) *plan {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &plan{}
	all = all || f.wake
	f.wake = false
	for _, path := range slices.Sorted(maps.Keys(f.todo)) {
		switch why := f.todo[path]; {
		case taken[path], why == todoFetch, why == todoSpare && !(all && f.arrived(path)), why == todoWait && !all, why == todoInUse && f.inUse(path), why == todoFail && !all:
			continue
		}
		f.judge(p, path)
	}
	for _, sum := range slices.SortedFunc(maps.Keys(f.wish), func(a, b tree.Sum) int { return bytes.Compare(a[:], b[:]) }) {
		k := f.wish[sum]
		if _, ok := f.keep.Has(sum); ok {
			delete(f.wish, sum)
		} else if (all || f.wishes) && f.index.bySum(sum) == nil {
			p.store = append(p.store, stored{"", k})
		}
	}
	f.wishes = false
	slices.SortFunc(p.remove, func(a, b *rec) int { return strings.Compare(b.Path, a.Path) })
	slices.SortFunc(p.leave, func(a, b *rec) int { return strings.Compare(b.Path, a.Path) })
	return p
}

// judge adds to the plan what one path needs; mu is held.
func (f *Folder) judge(p *plan, path string) {
	r := f.index.get(path)
	node, living := f.tree.Node(path)
	lacking := false
	for _, o := range node.Others {
		if living && o.Kind == tree.File && !f.has(o.Sum, o.Size) {
			p.store = append(p.store, stored{path, o})
			lacking = true
		}
	}
	finish := func() {
		if !lacking {
			delete(f.todo, path)
			delete(f.errs, path)
		}
	}
	kept := f.onDisk && !f.skipped(path)
	if node.Path = path; f.holds(&node, living) && (living && (r == nil || !r.is(&node.Shown.Version)) || !living && r != nil) {
		f.todo[path] = todoHeld
		return
	}
	wanted := living && kept && f.storable(&node) && !ignored(f.rules, path)
	switch {
	case !wanted && r == nil:
		finish()
	case !wanted && living && !kept:
		p.leave = append(p.leave, r)
	case !wanted && ignored(f.rules, path):
		f.index.drop(path) // it stays as it is
		finish()
	case !wanted && !living && !f.knowsAll(r.Base):
		delete(f.todo, path) // a part of the history is not here (yet)
	case !wanted:
		if f.inUse(path) {
			f.todo[path] = todoInUse
			return
		}
		p.remove = append(p.remove, r)
	case r != nil && r.is(&node.Shown.Version):
		if base := baseOf(&node); !slices.Equal(r.Base, base) {
			now := *r
			now.Base, now.twin = base, nil
			f.index.put(&now)
		}
		finish()
	case f.inUse(path):
		f.todo[path] = todoInUse
	case node.Shown.Kind == tree.Dir:
		if r != nil {
			p.remove = append(p.remove, r)
		}
		p.dirs = append(p.dirs, &job{path: path, v: node.Shown})
	case r != nil && r.Kind == tree.File && node.Shown.Kind == tree.File && r.Sum == node.Shown.Sum && r.Size == node.Shown.Size:
		p.marks = append(p.marks, &job{path: node.Path, v: node.Shown, old: r})
	case f.fetching[node.Shown.Sum] != nil && node.Shown.Kind == tree.File:
		f.todo[path] = todoFetch
	default:
		if r != nil && r.Kind == tree.Dir {
			p.remove = append(p.remove, r)
			r = nil
		}
		p.place = append(p.place, &job{path: node.Path, v: node.Shown, old: r, heads: node.Heads, lacking: lacking})
		f.todo[path] = todoTaken
	}
}

// knowsAll tells whether the tree has all these versions; mu is held.
func (f *Folder) knowsAll(ids []tree.VersionID) bool {
	for _, id := range ids {
		if _, ok := f.tree.Known(id); !ok && !f.cut[id] {
			return false
		}
	}
	return true
}

// baseOf returns the versions that a path as shown stands for: none if it is a
// directory only for what is in it.
func baseOf(n *tree.Node) []tree.VersionID {
	if n.Shown.ID == (tree.VersionID{}) {
		return nil
	}
	return n.Heads
}

// is tells whether a record is what a version wants on the disk.
func (r *rec) is(v *tree.Version) bool {
	if r.Kind != v.Kind {
		return false
	}
	switch r.Kind {
	case tree.File:
		return r.Sum == v.Sum && r.Size == v.Size && r.Exec == v.Exec
	case tree.Link:
		return r.Sum == linkSum(v.Target)
	}
	return true
}

// has tells whether a content is on this device; mu is held.
func (f *Folder) has(sum tree.Sum, size int64) bool {
	if size == 0 || f.index.bySum(sum) != nil {
		return true
	}
	_, ok := f.keep.Has(sum)
	return ok
}

// leave takes away what is not kept here any more. The records go first: a
// crash must not make it look as if the user had deleted the files.
func (f *Folder) leave(p *plan) error {
	if len(p.leave) == 0 {
		return nil
	}
	p.leave = slices.DeleteFunc(p.leave, func(r *rec) bool {
		in, err := f.fs.Stat(r.Path)
		if errors.Is(err, fs.ErrNotExist) {
			return false
		}
		if err == nil && !f.sure(r, in) {
			err = errors.New("it was changed here and is therefore left")
		}
		if err != nil {
			f.setTodo(r.Path, todoFail)
			f.pathError(r.Path, err, "")
		}
		return err != nil
	})
	f.mu.Lock()
	for _, r := range p.leave {
		f.index.drop(r.Path)
	}
	err := f.index.write()
	f.mu.Unlock()
	if err == nil {
		err = f.index.sync()
	}
	if err != nil {
		return err
	}
	for _, r := range p.leave {
		if err := f.takeAway(r); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.pathError(r.Path, err, "")
		}
		f.mu.Lock()
		delete(f.todo, r.Path)
		f.mu.Unlock()
	}
	return f.keep.SyncAll()
}

// renames moves files on the disk whose content is wanted elsewhere and nowhere
// where they are.
func (f *Folder) renames(p *plan) (moved int, err error) {
	if len(p.remove) == 0 || len(p.place) == 0 {
		return 0, nil
	}
	from := map[tree.Sum][]*rec{}
	for _, r := range p.remove {
		if r.Kind == tree.File && r.Size > 0 {
			from[r.Sum] = append(from[r.Sum], r)
		}
	}
	gone := map[*rec]bool{}
	rest := p.place[:0:0]
	for _, j := range p.place {
		rs := from[j.v.Sum]
		if j.old != nil || len(rs) == 0 || j.v.Kind != tree.File || !f.move(rs[len(rs)-1], j) {
			rest = append(rest, j)
			continue
		}
		gone[rs[len(rs)-1]] = true
		from[j.v.Sum] = rs[:len(rs)-1]
		moved++
	}
	p.place = rest
	p.remove = slices.DeleteFunc(p.remove, func(r *rec) bool { return gone[r] })
	for r := range gone {
		p.hollow(f, r.Path)
	}
	return moved, nil
}

// move renames one file; if anything is not as the index says it does nothing.
func (f *Folder) move(r *rec, j *job) bool {
	in, err := f.fs.Stat(r.Path)
	if err != nil || !f.sure(r, in) || !f.current(j) {
		return false
	}
	if f.parents(j.path) != nil || f.fs.RenameNew(r.Path, j.path) != nil {
		return false
	}
	if after, err := f.fs.Stat(j.path); err != nil || !f.unchanged(r, after) {
		f.unsettled(j.path) // the user was faster
		f.unsettled(r.Path)
		return false
	}
	now := *r
	now.Path, now.twin = j.path, nil
	if r.Exec != j.v.Exec {
		if f.fs.Mark(j.path, r.Time, j.v.Exec) == nil || !f.execs {
			now.Exec = j.v.Exec
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.index.drop(r.Path)
	f.settle(r.Path)
	node, _ := f.tree.Node(j.path)
	now.Base = node.Heads
	f.index.put(&now)
	f.settle(j.path)
	return true
}

// settle takes a path off the list if it is as the tree says; mu is held.
func (f *Folder) settle(path string) {
	r := f.index.get(path)
	node, living := f.tree.Node(path)
	for _, o := range node.Others {
		if o.Kind == tree.File && !f.has(o.Sum, o.Size) {
			f.todo[path] = todoNew
			return
		}
	}
	if !living && r == nil || living && r != nil && r.is(&node.Shown.Version) && slices.Equal(r.Base, baseOf(&node)) {
		delete(f.todo, path)
		delete(f.errs, path)
	}
}

// removals takes away what is not there any more for the tree. Contents go into
// the keep.
func (f *Folder) removals(ctx context.Context, p *plan) (n int, err error) {
	for i := 0; i < len(p.remove); i++ { // grows by directories that become hollow
		r := p.remove[i]
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
		done, err := f.removal(p, r)
		switch {
		case err != nil && errors.Is(err, disk.ErrFull):
			return n, err
		case err != nil:
			f.fail(p, r.Path, err)
		case done:
			n++
			p.hollow(f, r.Path)
		}
	}
	return n, nil
}

func (f *Folder) removal(p *plan, r *rec) (done bool, err error) {
	in, err := f.fs.Stat(r.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return false, err
	case !f.sure(r, in):
		p.look = append(p.look, r.Path)
		return false, nil
	default:
		if err := f.takeAway(r); errors.Is(err, disk.ErrNotEmpty) {
			// Something new or ignored is in it: the directory stays.
			p.look = append(p.look, r.Path)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.index.drop(r.Path)
	f.settle(r.Path)
	return true, nil
}

// takeAway removes what a record tells of from the disk; a content goes into
// the keep unless it is there.
func (f *Folder) takeAway(r *rec) error {
	if r.Kind == tree.Dir {
		err := f.fs.Remove(r.Path)
		if errors.Is(err, disk.ErrNotEmpty) && f.sweepJunk(r.Path) {
			err = f.fs.Remove(r.Path)
		}
		return err
	}
	// By way of a temporary file: what the user writes until the last moment is
	// seen before anything is given up.
	tmp := f.tempOf(r.Path)
	if err := f.fs.Rename(r.Path, tmp); err != nil {
		return err
	}
	in, err := f.fs.Stat(tmp)
	if err == nil && !f.unchanged(r, in) {
		f.unsettled(r.Path)
		err = disk.ErrChanged
	}
	if err != nil {
		return errors.Join(err, f.returns(tmp, r.Path))
	}
	return f.stash(r, tmp)
}

// stash keeps the content of a record, which lies in a temporary file now.
func (f *Folder) stash(r *rec, tmp string) error {
	if r.Kind == tree.Link || r.Size == 0 {
		return f.fs.Remove(tmp)
	}
	return f.keep.Adopt(r.Sum, r.Size, tmp)
}

// sweepJunk removes what systems leave in directories, if there is nothing else.
func (f *Folder) sweepJunk(dir string) bool {
	list, err := f.fs.List(dir)
	if err != nil {
		return false
	}
	for _, in := range list {
		if !junk(in.Name) || in.Kind != disk.File {
			return false
		}
	}
	for _, in := range list {
		if f.fs.Remove(join(dir, in.Name)) != nil {
			return false
		}
	}
	return true
}

// hollow adds the directories above a removed path that nothing implies now.
func (p *plan) hollow(f *Folder, path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	dir := parent(path)
	if dir == "" {
		return
	}
	if _, living := f.tree.Node(dir); living {
		return
	}
	if r := f.index.get(dir); r != nil && r.Kind == tree.Dir && len(f.index.in(dir)) == 0 && !slices.Contains(p.remove, r) {
		p.remove = append(p.remove, r)
	}
}

// current tells whether a job's version still is what the path is to be.
func (f *Folder) current(j *job) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.todo[j.path] == todoTaken { // nothing came since the plan was made
		return f.index.get(j.path) == j.old
	}
	node, living := f.tree.Node(j.path)
	return living && node.Shown.SameContent(&j.v.Version) && f.onDisk && !f.skipped(j.path) && f.index.get(j.path) == j.old
}

// fail notes why a path could not be brought to what it should be.
func (f *Folder) fail(p *plan, path string, err error) {
	p.failed++
	if errors.Is(err, disk.ErrBlocked) || errors.Is(err, fs.ErrExist) {
		p.look = append(p.look, path)
		for dir := parent(path); dir != ""; dir = parent(dir) {
			p.look = append(p.look, dir)
		}
	}
	f.mu.Lock()
	f.todo[path] = todoFail
	f.mu.Unlock()
	f.pathError(path, fmt.Errorf("not brought up to date: %w", err), "")
}
