package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"inselnetz/app/disk"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// fetchAtOnce is how many small contents are asked for at once.
const fetchAtOnce = 4096

// aside is from which size on contents are fetched without holding up others.
const asideFrom = 8 << 20

// A ready is a job whose content lies in a temporary file.
type ready struct {
	*job
	tmp  string
	info disk.Info // of the temporary file; its name aside, of the final one
}

// A committer gathers temporary files, makes them durable in batches and gives
// them their names. With one worker it does so when a batch is full and at the
// end, in the caller's goroutine; else in one of its own.
type committer struct {
	f    *Folder
	few  bool // the whole lot is so small that each file is flushed alone
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
	c.limit = min(2*max(c.limit, batchFiles), batchMost)
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
		err := f.fs.RenameNew(r.tmp, r.path)
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
		if r.v.Kind == tree.File && r.v.Size > 0 && f.keep.Adopt(r.v.Sum, r.v.Size, r.tmp) == nil {
			continue
		}
		if err := f.fs.Remove(r.tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.log.Debug("temporary file stays", "err", err)
		}
	}
}

// writeTemp puts a whole content into a temporary file.
func (f *Folder) writeTemp(j *job, data []byte, flush bool) (ready, error) {
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
	r.info, err = f.finishTemp(h, &j.v.Version, flush, err)
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

// bring gets the contents that a plan needs and puts them in their places.
func (f *Folder) bring(ctx context.Context, p *plan, aside func(*job)) error {
	if len(p.place)+len(p.store) == 0 {
		return nil
	}
	c := f.newCommitter(len(p.place))
	b := &bringer{f: f, c: c, p: p}
	err := b.all(ctx, aside)
	err = errors.Join(err, c.close())
	p.look = append(p.look, c.look...)
	return err
}

// A bringer gets the contents of a plan.
type bringer struct {
	f *Folder
	c *committer
	p *plan

	mu   sync.Mutex
	fail error
}

func (b *bringer) all(ctx context.Context, aside func(*job)) error {
	var small, large []*job
	for _, j := range b.p.place {
		if err := ctx.Err(); err != nil {
			return err
		}
		if b.stopped() != nil {
			break
		}
		done, err := b.local(ctx, j)
		switch {
		case done || err != nil:
			b.note(j.path, err)
		case tree.BlockCount(j.v.Size) == 1:
			small = append(small, j)
		default:
			large = append(large, j)
		}
	}
	b.fetchSmall(ctx, small)
	if len(b.p.store) > 0 {
		b.fetchStore(ctx)
	}
	seen := map[tree.Sum]bool{}
	for _, j := range large {
		if b.stopped() != nil || ctx.Err() != nil {
			break
		}
		if seen[j.v.Sum] {
			continue // in the next round it is here
		}
		seen[j.v.Sum] = true
		if aside != nil && j.v.Size >= asideFrom {
			b.f.setTodo(j.path, todoFetch)
			aside(j)
			continue
		}
		r, err := b.f.fetchLarge(ctx, j)
		if err == nil {
			b.c.add(r)
		}
		b.note(j.path, err)
	}
	return errors.Join(b.stopped(), ctx.Err())
}

func (b *bringer) stopped() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fail
}

// end ends the whole Apply, as when nothing can be written any more.
func (b *bringer) end(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail == nil {
		b.fail = err
	}
	return b.fail
}

// note takes in how a path's content came; a full disk ends the Apply.
func (b *bringer) note(path string, err error) {
	if path == "" && !errors.Is(err, disk.ErrFull) {
		return // a content that only an archive wants
	}
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, errHeld):
	case errors.Is(err, errAgain):
		b.f.setTodo(path, todoNew)
	case errors.Is(err, ErrNobody):
		b.f.setTodo(path, todoWait)
	case errors.Is(err, disk.ErrFull):
		b.end(err)
	default:
		b.f.setTodo(path, todoFail)
		b.f.pathError(path, fmt.Errorf("not brought up to date: %w", err), "")
	}
}

func (f *Folder) setTodo(path string, why todo) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.todo[path] = why
}

// local makes a temporary file of what is on this device.
func (b *bringer) local(ctx context.Context, j *job) (done bool, err error) {
	f := b.f
	if j.v.Kind == tree.Link || j.v.Size == 0 {
		r, err := f.writeTemp(j, nil, b.c.few)
		if err == nil {
			b.c.add(r)
		}
		return err == nil, err
	}
	f.mu.Lock()
	from := f.index.bySum(j.v.Sum)
	f.mu.Unlock()
	_, kept := f.keep.Has(j.v.Sum)
	if from == nil && !kept {
		return false, nil
	}
	if j.v.Size > small {
		r, err := f.copyLarge(ctx, j, from, kept)
		if err == nil {
			b.c.add(r)
		}
		if errors.Is(err, disk.ErrFull) || errors.Is(err, context.Canceled) {
			return false, err
		}
		return err == nil, nil // what is damaged here is fetched
	}
	data, err := f.wholeSmall(&j.v.Version)
	if err != nil {
		return false, nil
	}
	r, err := f.writeTemp(j, data, b.c.few)
	if err == nil {
		b.c.add(r)
	}
	return err == nil, err
}

// wholeSmall reads a content of at most small bytes from this device and
// verifies it.
func (f *Folder) wholeSmall(v *tree.Version) ([]byte, error) {
	buf := make([]byte, 0, v.Size)
	n := tree.BlockCount(v.Size)
	for i := range n {
		var err error
		if buf, err = f.Read(v.Sum, uint32(i), buf); err != nil {
			return nil, err
		}
	}
	if int64(len(buf)) != v.Size || tree.SumOf(blocksOf(buf)) != v.Sum {
		return nil, ErrNone
	}
	return buf, nil
}

// fetchStore gets contents that are to be in the keep only: small ones many at
// once, large ones one after the other.
func (b *bringer) fetchStore(ctx context.Context) {
	f := b.f
	var small []stored
	for _, s := range b.p.store {
		if s.v.Size <= tree.MinBlock && !f.sound(&s.v.Version) {
			small = append(small, s)
		}
	}
	for part := range slices.Chunk(small, fetchAtOnce) {
		pieces := make([]Piece, len(part))
		var by []log.DeviceID
		for i, s := range part {
			pieces[i] = Piece{Content: s.v.Sum, Size: int(s.v.Size), Hash: s.v.Sum}
			if s.v.Device != f.opts.Device && !slices.Contains(by, s.v.Device) && len(by) < 16 {
				by = append(by, s.v.Device)
			}
		}
		err := f.host.Fetch(ctx, pieces, by, func(i int, data []byte) error {
			f.came.Add(int64(len(data)))
			if err := f.keep.Put(part[i].v.Sum, data); err != nil {
				return b.end(err)
			}
			return b.stopped()
		}, func(i int) { b.note(part[i].path, ErrNobody) })
		if err != nil && ctx.Err() == nil {
			b.end(fmt.Errorf("fetch: %w", err))
		}
		if b.stopped() != nil || ctx.Err() != nil {
			return
		}
	}
	for _, s := range b.p.store {
		if b.stopped() != nil || ctx.Err() != nil {
			return
		}
		if s.v.Size > tree.MinBlock {
			b.note(s.path, f.fetchKeep(ctx, s.v))
		}
	}
	if b.end(f.keep.Sync()) != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range b.p.store {
		if s.path != "" && f.has(s.v.Sum, s.v.Size) {
			f.settle(s.path)
		}
	}
}

// fetchSmall gets contents of one block each, many at once, from other devices.
func (b *bringer) fetchSmall(ctx context.Context, jobs []*job) {
	f := b.f
	bySum := map[tree.Sum][]*job{}
	var order []tree.Sum
	for _, j := range jobs {
		if len(bySum[j.v.Sum]) == 0 {
			order = append(order, j.v.Sum)
		}
		bySum[j.v.Sum] = append(bySum[j.v.Sum], j)
	}
	for part := range slices.Chunk(order, fetchAtOnce) {
		if b.stopped() != nil || ctx.Err() != nil {
			return
		}
		pieces := make([]Piece, len(part))
		var by []log.DeviceID
		for i, sum := range part {
			v := &bySum[sum][0].v
			pieces[i] = Piece{Content: sum, Size: int(v.Size), Hash: sum}
			if v.Device != f.opts.Device && !slices.Contains(by, v.Device) && len(by) < 16 {
				by = append(by, v.Device)
			}
		}
		err := f.host.Fetch(ctx, pieces, by, func(i int, data []byte) error {
			f.came.Add(int64(len(data)))
			for _, j := range bySum[pieces[i].Content] {
				if f.sample(j, data) {
					continue
				}
				r, err := f.writeTemp(j, data, b.c.few)
				if err != nil {
					return b.end(err)
				}
				b.c.add(r)
			}
			return b.stopped()
		}, func(i int) {
			for _, j := range bySum[pieces[i].Content] {
				b.note(j.path, ErrNobody)
			}
		})
		if err != nil && ctx.Err() == nil && b.stopped() == nil {
			b.end(fmt.Errorf("fetch: %w", err))
		}
	}
}
