package folder

import (
	"errors"
	"io/fs"
	"sync"
	"time"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// A ready is a job whose content lies in a temporary file, or in one without a
// name.
type ready struct {
	*job
	tmp  string        // "": it has no name
	file disk.Nameless // open; with a name it is nil
	info disk.Info     // of the temporary file; its name aside, of the final one
}

// A committer gathers temporary files, makes them durable in batches and gives
// them their names. With one worker it does so when a batch is full and at the
// end, in the caller's goroutine; else in one of its own.
type committer struct {
	f    *Folder
	few  bool // the whole lot is so small that each file is flushed alone
	fast bool // files get their names only at the end
	wake chan struct{}
	done chan struct{}

	placed []ready // have their names, which are not durable yet; of the goroutine that commits

	mu    sync.Mutex
	batch []ready
	bytes int64
	limit int // files in a batch
	look  []string
	err   error
	end   bool
}

func (f *Folder) newCommitter(files int) *committer {
	c := &committer{f: f, few: files <= lone}
	c.fast = !c.few && f.hurry()
	if f.workers > 1 && !c.few {
		c.wake, c.done = make(chan struct{}, 1), make(chan struct{})
		go c.run()
	}
	return c
}

// run commits full batches, and what there is when nothing came for a while.
func (c *committer) run() {
	defer close(c.done)
	t := time.NewTicker(batchWait)
	defer t.Stop()
	for {
		idle := false
		select {
		case <-c.wake:
		case <-t.C:
			idle = true
		}
		c.mu.Lock()
		end, full := c.end, c.full()
		c.mu.Unlock()
		if full || idle || end {
			c.commit()
		}
		if end {
			return
		}
	}
}

func (c *committer) full() bool {
	return len(c.batch) >= max(c.limit, batchFiles) || c.bytes >= batchBytes
}

// add takes a finished temporary file; it may be called from several goroutines.
func (c *committer) add(r ready) {
	c.mu.Lock()
	c.batch = append(c.batch, r)
	c.bytes += r.v.Size
	full := c.full()
	c.mu.Unlock()
	if !full {
		return
	}
	if c.wake == nil {
		c.commit()
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// close commits the rest.
func (c *committer) close() error {
	if c.wake != nil {
		c.mu.Lock()
		c.end = true
		c.mu.Unlock()
		select {
		case c.wake <- struct{}{}:
		default:
		}
		<-c.done
	}
	c.commit()
	if len(c.placed) > 0 {
		err := c.f.keep.SyncAll()
		if err == nil {
			err = c.f.lasting(c.placed)
		}
		c.note(nil, err)
	}
	return c.err
}

func (c *committer) note(look []string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look = append(c.look, look...)
	if c.err == nil {
		c.err = err
	}
}

// commit gives what was gathered its names. One flush makes the contents of this
// batch durable and the names of the one before.
func (c *committer) commit() {
	c.mu.Lock()
	batch := c.batch
	c.batch, c.bytes = nil, 0
	c.limit = batchNext
	failed := c.err
	c.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	if failed == nil && !c.few {
		if failed = c.f.keep.SyncAll(); failed == nil {
			failed = c.f.lasting(c.placed)
			c.placed = nil
		}
		c.note(nil, failed)
	}
	if failed != nil {
		c.f.discard(batch)
		return
	}
	placed, look, err := c.f.commit(batch, c.few)
	if !c.few {
		c.placed = placed
	}
	c.note(look, err)
}

// commit gives a batch whose contents are durable its names. It returns what was
// placed and paths that are not what the index says. few: names are made durable
// one by one, and that is the end of it; else lasting has to follow a flush.
func (f *Folder) commit(batch []ready, few bool) (placed []ready, look []string, err error) {
	f.work.Lock()
	defer f.work.Unlock()
	if err := f.marker(); err != nil {
		f.discard(batch)
		return nil, nil, err
	}
	dirs := map[string]bool{}
	for i, r := range batch {
		ok, e := f.put(r)
		switch {
		case errors.Is(e, disk.ErrFull):
			f.discard(batch[i:])
			err = e
		case e != nil:
			p := &plan{}
			f.fail(p, r.path, e)
			look = append(look, p.look...)
			if !errors.Is(e, errKeep) {
				f.discard(batch[i : i+1])
			}
		case ok:
			placed = append(placed, r)
			dirs[parent(r.path)] = true
		default:
			look = append(look, r.path)
			f.discard(batch[i : i+1])
		}
		if err != nil {
			break
		}
	}
	f.mu.Lock()
	for _, r := range placed {
		f.index.place(r.rec())
	}
	f.mu.Unlock()
	if len(placed) == 0 || !few {
		return placed, look, err
	}
	if e := f.namesDurable(dirs); e != nil {
		return placed, look, errors.Join(err, e)
	}
	return placed, look, errors.Join(err, f.lasting(placed))
}

// rec is the record of a placed file.
func (r *ready) rec() *rec {
	now := &rec{Path: r.path, Kind: r.v.Kind, Size: r.v.Size, Exec: r.v.Exec, Sum: r.v.Sum, Time: r.info.Time, Inode: r.info.Inode, Base: r.heads}
	if r.v.Kind == tree.Link {
		now.Sum, now.Size = linkSum(r.v.Target), 0
	}
	return now
}

// lasting ends jobs whose files have their names for good.
func (f *Folder) lasting(placed []ready) error {
	if len(placed) == 0 {
		return nil
	}
	f.mu.Lock()
	for _, r := range placed {
		f.index.lasting(r.path)
		if f.todo[r.path] == todoTaken && !r.lacking {
			delete(f.todo, r.path)
			delete(f.errs, r.path)
		} else {
			f.settle(r.path)
		}
	}
	err := f.index.write()
	f.mu.Unlock()
	f.changed()
	return err
}

// namesDurable flushes directories, those above them too: they may be new.
func (f *Folder) namesDurable(dirs map[string]bool) error {
	if err := f.keep.Sync(); err != nil {
		return err
	}
	up := map[string]bool{}
	for dir := range dirs {
		for ; !up[dir]; dir = parent(dir) {
			up[dir] = true
			if err := f.fs.SyncDir(dir); err != nil {
				return err
			}
			if dir == "" {
				break
			}
		}
	}
	return nil
}

// errKeep says that a temporary file may hold what the user wrote.
var errKeep = errors.New("the exchange could not be undone")

// put gives a temporary file its name, unless the path is not what the index
// says. What was there goes into the keep.
func (f *Folder) put(r ready) (placed bool, err error) {
	if !f.current(r.job) {
		return false, nil
	}
	if r.old == nil {
		if err := f.parents(r.path); err != nil {
			return false, err
		}
		err := f.name(&r)
		if errors.Is(err, fs.ErrExist) {
			return false, nil
		}
		return err == nil, err
	}
	in, err := f.fs.Stat(r.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if f.mayWrite() {
			return false, nil // the user removed it
		}
		if err := f.parents(r.path); err != nil {
			return false, err
		}
		if err = f.fs.RenameNew(r.tmp, r.path); errors.Is(err, fs.ErrExist) {
			return false, nil
		}
		return err == nil, err
	case err != nil:
		return false, err
	case !f.sure(r.old, in):
		return false, nil
	}
	err = f.fs.Exchange(r.tmp, r.path)
	if errors.Is(err, errors.ErrUnsupported) {
		return f.putAway(r)
	}
	if err != nil {
		return false, err
	}
	if in, err = f.fs.Stat(r.tmp); err == nil && !f.unchanged(r.old, in) { // the user was faster
		err = f.fs.Exchange(r.tmp, r.path)
		if err == nil {
			return false, nil
		}
	}
	if err != nil {
		f.stuck = append(f.stuck, r.tmp[len(tmpAt)+1:])
		return false, errors.Join(errKeep, err)
	}
	return true, f.stash(r.old, r.tmp)
}

// putAway is put where two files cannot change places: there is a moment without
// the file.
func (f *Folder) putAway(r ready) (placed bool, err error) {
	away := f.tempOf(r.path)
	if err := f.fs.Rename(r.path, away); err != nil {
		return false, err
	}
	in, err := f.fs.Stat(away)
	if err != nil || !f.unchanged(r.old, in) {
		return false, errors.Join(err, f.returns(away, r.path))
	}
	if err := f.fs.RenameNew(r.tmp, r.path); err != nil {
		return false, errors.Join(err, f.returns(away, r.path))
	}
	return true, f.stash(r.old, away)
}

// discard gives up temporary files. Their contents were fetched for nothing only
// if they cannot go into the keep.
func (f *Folder) discard(batch []ready) {
	for _, r := range batch {
		if r.file != nil && !f.nameTemp(&r) {
			continue
		}
		if r.v.Kind == tree.File && r.v.Size > 0 && f.keep.Adopt(r.v.Sum, r.v.Size, r.tmp) == nil {
			continue
		}
		if err := f.fs.Remove(r.tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.log.Debug("temporary file stays", "err", err)
		}
	}
}

// writeTemp puts a whole content into a temporary file, flushed if there are few.
func (c *committer) writeTemp(j *job, data []byte) (ready, error) {
	f := c.f
	if c.fast {
		h, err := f.nameless(j)
		if h != nil || err != nil {
			return writeNameless(j, h, data, err)
		}
	}
	r := ready{job: j, tmp: f.tempFor(j.path, j.v.Sum)}
	if j.v.Kind == tree.Link {
		if err := f.fs.Symlink(j.v.Target, r.tmp); err != nil {
			return r, err
		}
		in, err := f.fs.Stat(r.tmp)
		r.info = in
		return r, err
	}
	h, err := f.fs.Create(r.tmp, int64(len(data)))
	if err != nil {
		return r, err
	}
	if len(data) > 0 {
		_, err = h.WriteAt(data, 0)
	}
	r.info, err = f.finishTemp(h, &j.v.Version, c.few, err)
	if err != nil {
		if e := f.fs.Remove(r.tmp); e != nil {
			f.log.Debug("temporary file stays", "err", e)
		}
	}
	return r, err
}

// finishTemp marks, flushes and closes a written file.
func (f *Folder) finishTemp(h disk.Handle, v *tree.Version, flush bool, err error) (disk.Info, error) {
	if err == nil {
		err = h.Mark(v.Time, v.Exec)
	}
	if err == nil && flush {
		err = h.Sync()
	}
	var in disk.Info
	if err == nil {
		in, err = h.Stat()
	}
	return in, errors.Join(err, h.Close())
}
