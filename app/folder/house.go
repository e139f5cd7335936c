package folder

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"math"
	"runtime/debug"
	"slices"
	"time"

	"inselnetz/app/disk"
	"inselnetz/app/keep"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

const (
	budgetMost   = 10 << 30       // of the default budget, bytes
	strayAge     = 24 * time.Hour // contents that no version names go after this
	guardAtOnce  = 512 << 20      // bytes of guard copies in one go
	houseAtOnce  = 256            // paths looked at in one go
	spareBlocks  = 4              // of the disk's size stays free of guard copies: a quarter
	budgetShare  = 10             // a tenth of the disk
	guardLargest = 4 << 30        // larger files get a guard copy only where that is free

	houseFirst = time.Minute
	houseEvery = 10 * time.Minute
	housePause = 15 * time.Second // after a large content came
	houseShare = 20               // times as long as the last one took it rests at least
)

// worth is why a content in the keep is kept, most important last.
type worth uint8

const (
	worthNone    worth = iota // no version names it
	worthGuard                // lies on the disk too
	worthOld                  // was replaced
	worthLast                 // was replaced, and nothing better is kept of that path
	worthCurrent              // shown or a candidate, and not on the disk here
)

// A use is what is known of a content in the keep.
type use struct {
	worth worth
	since int64 // ms: when it was replaced, 0 if it was not
}

// runHouse keeps house now and then, and sooner when a large content has no guard
// copy yet: with one the next change of it is quick.
func (f *Folder) runHouse(ctx context.Context) error {
	next := time.Now().Add(houseFirst)
	var rested time.Time
	timer := time.NewTimer(houseFirst)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.large:
			at := time.Now().Add(housePause)
			if at.Before(rested) {
				at = rested
			}
			if at.Before(next) {
				next = at
				timer.Reset(time.Until(at))
			}
			continue
		case <-timer.C:
		}
		start := time.Now()
		if err := f.House(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrMissing) {
			f.log.Warn("folder was not tidied", "err", err)
		}
		// It looked at every file once; without this the room for that stays taken
		// for as long as nothing else happens.
		debug.FreeOSMemory()
		now := time.Now()
		rested, next = now.Add(houseShare*now.Sub(start)), now.Add(houseEvery)
		timer.Reset(houseEvery)
	}
}

// guardSoon has House look for a large content that needs a guard copy.
func (f *Folder) guardSoon() {
	select {
	case f.large <- struct{}{}:
	default:
	}
}

// House throws away what is too old or too much, compacts, and makes guard copies.
func (f *Folder) House(ctx context.Context) error {
	defer f.busy("house")()
	left, err := f.tidy(ctx)
	if err != nil || left < 0 {
		return err
	}
	return f.guards(ctx, left) // may take long: nothing waits for it
}

// tidy throws away and compacts. It returns how many bytes of the budget are left,
// less than 0 if this is no time for that.
func (f *Folder) tidy(ctx context.Context) (left int64, err error) {
	f.plan.Lock() // nobody is about to use what is thrown away
	defer f.plan.Unlock()
	f.work.Lock()
	err = f.attached()
	if err == nil {
		err = f.saveBrake(true)
	}
	f.work.Unlock()
	if err != nil {
		return -1, err
	}
	if !f.using.TryLock() {
		return -1, nil // somebody is about to announce what lies in the keep
	}
	uses, err := f.uses(ctx)
	if err == nil {
		left, err = f.throwAway(uses)
	}
	f.using.Unlock()
	if err == nil {
		err = f.staleParts()
	}
	if err == nil {
		err = f.keep.Compact(ctx)
	}
	return max(left, 0), err
}

// uses says of every content in the keep what it is good for.
func (f *Folder) uses(ctx context.Context) (map[tree.Sum]use, error) {
	uses := map[tree.Sum]use{}
	f.keep.Each(func(i keep.Item) bool { uses[i.Sum] = use{}; return true })
	f.mu.Lock()
	var living, gone []string
	for n := range f.tree.All("") {
		if n.Shown.Kind == tree.File {
			living = append(living, n.Path)
		}
	}
	for _, n := range f.tree.Trash("") {
		gone = append(gone, n.Path)
	}
	f.mu.Unlock()
	for i, list := range [][]string{living, gone} {
		for part := range slices.Chunk(list, houseAtOnce) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			f.mu.Lock()
			for _, path := range part {
				f.usesOf(uses, path, i == 0)
			}
			f.mu.Unlock()
		}
	}
	f.mu.Lock()
	for _, k := range f.held {
		credit(uses, &k, use{worth: worthCurrent})
	}
	f.mu.Unlock()
	f.strays(uses)
	return uses, nil
}

// strays makes sure that what seems to be named by no version is not: a file can
// be hidden behind a directory that has its path now.
func (f *Folder) strays(uses map[tree.Sum]use) {
	stray, found := f.host.Now().Add(-strayAge).UnixMilli(), false
	f.keep.Each(func(i keep.Item) bool {
		found = uses[i.Sum].worth == worthNone && i.Since < stray
		return !found
	})
	if !found {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range f.tree.Recent("", math.MaxInt32) {
		if uses[k.Sum].worth == worthNone {
			credit(uses, &k, use{worth: worthOld, since: f.replacedAt(k.ID)})
		}
	}
}

// credit raises the worth of a version's content and of its list.
func credit(uses map[tree.Sum]use, v *tree.Known, u use) {
	if v.Kind != tree.File || v.Size == 0 {
		return
	}
	raise := func(sum tree.Sum, u use) {
		if have, ok := uses[sum]; ok {
			uses[sum] = use{max(have.worth, u.worth), max(have.since, u.since)}
		}
	}
	raise(v.Sum, u)
	if tree.BlockCount(v.Size) > tree.MaxInline {
		if u.worth == worthGuard {
			u.worth = worthCurrent // the list does not lie on the disk
		}
		raise(v.Sum.List(), u)
	}
}

// usesOf marks the contents of all versions of a path; mu is held.
func (f *Folder) usesOf(uses map[tree.Sum]use, path string, living bool) {
	current := map[tree.VersionID]bool{}
	if living {
		node, ok := f.tree.Node(path)
		if !ok {
			return
		}
		for _, k := range append([]tree.Known{node.Shown}, node.Others...) {
			current[k.ID] = true
			u := use{worth: worthCurrent}
			if r := f.index.bySum(k.Sum); r != nil && k.Kind == tree.File {
				u.worth = worthGuard
			} else if !f.onDisk || f.skipped(path) {
				if f.elsewhere(k) {
					u.worth = worthGuard
				}
			}
			credit(uses, &k, u)
		}
	}
	last := false
	for _, k := range f.tree.History(path) { // newest first
		if current[k.ID] || k.Kind != tree.File {
			continue
		}
		u := use{worth: worthOld, since: f.replacedAt(k.ID)}
		if !last {
			u.worth = worthLast
			last = true
		}
		credit(uses, &k, u)
	}
}

func (f *Folder) elsewhere(k tree.Known) bool {
	if f.opts.Elsewhere != nil {
		return f.opts.Elsewhere(k)
	}
	return k.Device != f.opts.Device
}

// replacedAt is when the first version that replaced this one was made, in ms.
func (f *Folder) replacedAt(id tree.VersionID) int64 {
	var first log.HLC
	for _, c := range f.tree.ChildrenOf(id) {
		if k, ok := f.tree.Known(c); ok && (first == 0 || k.Clock < first) {
			first = k.Clock
		}
	}
	return first.Millis()
}

// throwAway drops what is too old, then what is too much, and returns how many
// bytes of the budget are left.
func (f *Folder) throwAway(uses map[tree.Sum]use) (left int64, err error) {
	now := f.host.Now().UnixMilli()
	old, stray := now-f.opts.Retention.Milliseconds(), now-strayAge.Milliseconds()
	type content struct {
		keep.Item
		use
	}
	var rest []content
	var sum int64
	var drop []tree.Sum
	f.keep.Each(func(i keep.Item) bool {
		u, known := uses[i.Sum]
		switch {
		case !known || u.worth == worthCurrent:
		case u.worth == worthNone && i.Since < stray:
			drop = append(drop, i.Sum)
		case u.worth != worthNone && u.worth != worthGuard && max(u.since, i.Since) < old:
			drop = append(drop, i.Sum)
		case u.worth != worthNone:
			u.since = max(u.since, i.Since)
			rest = append(rest, content{i, u})
			sum += i.Size
		}
		return true
	})
	budget := f.budget()
	if !f.opts.Archive && sum > budget {
		slices.SortFunc(rest, func(a, b content) int {
			return cmp.Or(cmp.Compare(a.worth, b.worth), cmp.Compare(a.since, b.since), bytes.Compare(a.Sum[:], b.Sum[:]))
		})
		for _, c := range rest {
			if sum <= budget || c.worth == worthLast {
				break
			}
			drop = append(drop, c.Sum)
			sum -= c.Size
		}
	}
	for _, s := range drop {
		if err := f.keep.Drop(s); err != nil && !errors.Is(err, keep.ErrNone) {
			return 0, err
		}
	}
	return budget - sum, nil
}

// budget is how many bytes contents beside the current ones may take.
func (f *Folder) budget() int64 {
	if f.opts.Budget > 0 {
		return f.opts.Budget
	}
	_, total, err := f.fs.Space()
	if err != nil || total <= 0 {
		return budgetMost
	}
	return min(total/budgetShare, budgetMost)
}

// staleParts removes halves of large contents that nobody wants any more.
func (f *Folder) staleParts() error {
	list, err := f.fs.List(tmpAt)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	f.mu.Lock()
	for path := range f.todo {
		if n, ok := f.tree.Node(path); ok {
			wanted[n.Shown.Sum.String()] = true
			for _, o := range n.Others {
				wanted[o.Sum.String()] = true
			}
		}
	}
	for sum := range f.building {
		wanted[sum.String()] = true
	}
	for sum := range f.wish {
		wanted[sum.String()] = true
	}
	f.mu.Unlock()
	now := f.host.Now().UnixNano()
	for _, in := range list {
		if len(in.Name) == 64 && !wanted[in.Name] && now-in.Time > int64(strayAge) {
			if err := f.fs.Remove(tmpAt + "/" + in.Name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// guards copies files on the disk into the keep, newest first, so that they can
// be had back when a program here writes over them.
func (f *Folder) guards(ctx context.Context, left int64) error {
	free, total, err := f.fs.Space()
	if err != nil {
		return nil // no hurry
	}
	left = min(left, free-total/spareBlocks)
	var list []*rec
	f.mu.Lock()
	f.index.below("", func(r *rec) {
		if r.Kind == tree.File && r.Size > 0 && r.Size <= min(left, guardLargest) && (!r.Racy || r.Size <= small) {
			if _, ok := f.keep.Has(r.Sum); !ok {
				list = append(list, r)
			}
		}
	})
	f.mu.Unlock()
	slices.SortFunc(list, func(a, b *rec) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(a.Path, b.Path))
	})
	var sum int64
	for _, r := range list {
		// The first may be larger than that, else it would never have its turn.
		if sum += r.Size; sum > left || sum > r.Size && sum > guardAtOnce || ctx.Err() != nil {
			break
		}
		var err error
		if r.Size <= small {
			if data, in, e := f.fs.Read(r.Path, nil); e != nil || !f.unchanged(r, in) || tree.SumOf(blocksOf(data)) != r.Sum {
				continue // the next scan sees to it
			} else {
				err = f.keep.Put(r.Sum, data)
			}
		} else {
			err = f.keep.CopyIn(ctx, r.Sum, r.info(), r.Path)
		}
		if errors.Is(err, disk.ErrFull) {
			return nil
		}
		if err != nil {
			f.log.Debug("no guard copy", "err", err)
		}
	}
	return f.keep.Sync()
}
