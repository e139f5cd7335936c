package folder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"inselnetz/app/disk"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// fetchAtOnce is how many small contents are asked for at once.
const fetchAtOnce = 4096

// asideFrom is from which size on contents are fetched without holding up others.
const asideFrom = 8 << 20

// bring gets the contents that a plan needs and puts them in their places.
// Of many they may get their names only when the effort ends.
func (f *Folder) bring(ctx context.Context, p *plan, aside func(*job), w *effort) error {
	if len(p.place)+len(p.store) == 0 {
		return nil
	}
	c := w.c
	few := len(p.place) <= lone
	if few || c == nil {
		c = f.newCommitter(len(p.place))
	}
	if !few {
		w.c = c
		for _, j := range p.place {
			w.taken[j.path] = true
		}
	}
	b := &bringer{f: f, c: c, p: p}
	err := b.all(ctx, aside)
	if few {
		err = errors.Join(err, c.close())
		p.look = append(p.look, c.look...)
	}
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
		if b.f.Spares(&j.v.Version) {
			b.note(j.path, errSpared)
			continue
		}
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
	case errors.Is(err, errSpared):
		b.f.setTodo(path, todoSpare)
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
		r, err := b.c.writeTemp(j, nil)
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
	r, err := b.c.writeTemp(j, data)
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
		switch {
		case s.v.Size <= tree.MinBlock:
		case f.Spares(&s.v.Version) && !f.sound(&s.v.Version):
			b.note(s.path, errSpared)
		default:
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
				r, err := b.c.writeTemp(j, data)
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
