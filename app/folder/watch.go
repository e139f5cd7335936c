package folder

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// How long a path is left alone before it is looked at. A file is whole when its
// writer closed it; where that is not told, when it was quiet.
const (
	afterClose = 10 * time.Millisecond
	afterGone  = 100 * time.Millisecond
	afterTouch = 200 * time.Millisecond // no close is ever told
	stillOpen  = 2 * time.Second        // a close should have come
	often      = 2 * time.Second        // seen again within this: wait longer each time
	oftenFirst = 200 * time.Millisecond
	oftenMost  = 10 * time.Second
)

// quiet decides when paths are looked at. It belongs to one goroutine.
type quiet struct {
	closes bool
	wait   map[string]*waiting
	due    dueHeap
	last   map[string]lately
}

type waiting struct {
	path string
	at   time.Time
	i    int // in the heap
}

type lately struct {
	at    time.Time
	pause time.Duration
}

func newQuiet(closes bool) *quiet {
	return &quiet{closes: closes, wait: map[string]*waiting{}, last: map[string]lately{}}
}

// note takes in an event. Each one puts a path's time off anew.
func (q *quiet) note(e disk.Event, now time.Time) {
	d := afterClose
	switch e.What {
	case disk.Gone:
		d = afterGone
	case disk.Touched:
		if d = afterTouch; q.closes {
			d = stillOpen
		}
	case disk.Lost:
		d = 0
	}
	if l, ok := q.last[e.Path]; ok && now.Sub(l.at) < often+l.pause && e.What != disk.Lost {
		d = max(d, max(2*l.pause, oftenFirst))
	}
	q.later(e.Path, now.Add(d))
}

// later sets a path's time.
func (q *quiet) later(path string, at time.Time) {
	if w := q.wait[path]; w != nil {
		w.at = at
		heap.Fix(&q.due, w.i)
		return
	}
	w := &waiting{path: path, at: at}
	q.wait[path] = w
	heap.Push(&q.due, w)
}

// next is when the first path is due.
func (q *quiet) next() (time.Time, bool) {
	if len(q.due) == 0 {
		return time.Time{}, false
	}
	return q.due[0].at, true
}

// take returns what is due.
func (q *quiet) take(now time.Time) []string {
	var out []string
	for len(q.due) > 0 && !q.due[0].at.After(now) {
		w := heap.Pop(&q.due).(*waiting)
		delete(q.wait, w.path)
		out = append(out, w.path)
		l, ok := q.last[w.path]
		if ok && now.Sub(l.at) < often+l.pause {
			l.pause = min(max(2*l.pause, oftenFirst), oftenMost)
		} else {
			l.pause = 0
		}
		l.at = now
		q.last[w.path] = l
	}
	if len(q.last) > 10000 {
		maps.DeleteFunc(q.last, func(_ string, l lately) bool { return now.Sub(l.at) >= often+l.pause })
	}
	slices.Sort(out)
	return out
}

type dueHeap []*waiting

func (h dueHeap) Len() int { return len(h) }
func (h dueHeap) Less(i, j int) bool {
	return cmp.Or(h[i].at.Compare(h[j].at), cmp.Compare(h[i].path, h[j].path)) < 0
}
func (h dueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i]; h[i].i, h[j].i = i, j }
func (h *dueHeap) Push(x any)   { w := x.(*waiting); w.i = len(*h); *h = append(*h, w) }
func (h *dueHeap) Pop() any {
	old := *h
	w := old[len(old)-1]
	*h = old[:len(old)-1]
	return w
}

// How often Run does things unasked.
const (
	pollWatched = time.Hour
	pollBlind   = time.Minute
	pollMissing = 5 * time.Second
	retryFailed = 30 * time.Second
	asideAtOnce = 2
)

// Run watches, scans, applies and keeps house until ctx ends.
func (f *Folder) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return f.runScans(ctx) })
	g.Go(func() error { return f.runApplies(ctx) })
	g.Go(func() error { return f.runHouse(ctx) })
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// runScans looks at what changes, and at everything at the beginning and now and
// then.
func (f *Folder) runScans(ctx context.Context) error {
	// Where nothing is kept there is nothing to watch.
	for !f.kept() {
		select {
		case <-f.keptSoon:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w, err := disk.Watch(ctx, f.fs)
	var events <-chan []disk.Event
	q := newQuiet(false)
	if err == nil {
		events, q.closes = w.C, w.Closes
	}
	f.setWatch(err)
	poll := time.NewTimer(0)
	defer poll.Stop()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if at, ok := q.next(); ok {
			timer.Reset(max(0, time.Until(at)))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case batch, ok := <-events:
			if !ok {
				events = nil
				if ctx.Err() == nil {
					f.setWatch(errors.New("watching ended"))
					poll.Reset(0)
				}
				continue
			}
			now := time.Now()
			for _, e := range batch {
				q.note(e, now)
			}
			if e := w.Err(); e != nil {
				f.setWatch(e)
			}
		case <-timer.C:
			paths := q.take(time.Now())
			if len(paths) == 0 {
				continue
			}
			if paths[0] == "" {
				paths = nil
			}
			f.scanSoon(ctx, q, paths)
		case <-poll.C:
			err := f.scanSoon(ctx, q, nil)
			switch {
			case errors.Is(err, ErrMissing):
				poll.Reset(pollMissing)
			case f.opts.Poll > 0:
				poll.Reset(f.opts.Poll)
			case events == nil || w.Err() != nil:
				poll.Reset(pollBlind)
			default:
				poll.Reset(pollWatched)
			}
		}
	}
}

// scanSoon scans and sees to it that what was not settled is seen again.
func (f *Folder) scanSoon(ctx context.Context, q *quiet, paths []string) error {
	err := f.Scan(ctx, paths...)
	now := time.Now()
	if err != nil && ctx.Err() == nil && !errors.Is(err, ErrMissing) {
		f.log.Warn("folder was not scanned", "err", err)
		if len(paths) == 0 {
			paths = []string{""}
		}
		for _, p := range paths {
			q.later(p, now.Add(oftenMost))
		}
	}
	f.mu.Lock()
	retry := f.retry
	f.retry = map[string]bool{}
	todo := len(f.todo) > 0
	f.mu.Unlock()
	for p := range retry {
		q.note(disk.Event{Path: p, What: disk.Touched}, now)
	}
	if todo {
		f.poke()
	}
	return err
}

func (f *Folder) setWatch(err error) {
	f.mu.Lock()
	f.watchErr = err
	f.mu.Unlock()
	if err != nil {
		f.log.Warn("changes are not seen at once", "err", err)
	}
	f.changed()
}

// runApplies brings the disk to the tree whenever there is something to do.
func (f *Folder) runApplies(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	places := make(chan struct{}, asideAtOnce)
	aside := func(j *job) { f.fetchAside(ctx, &wg, places, j) }
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	wait := time.Second
	for {
		all := false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.kick:
		case <-timer.C:
			all = true
		}
		f.endStale()
		err := f.apply(ctx, all, aside)
		f.mu.Lock()
		left := len(f.todo) > 0
		f.mu.Unlock()
		switch {
		case err != nil && ctx.Err() == nil:
			if !errors.Is(err, ErrMissing) {
				f.log.Warn("folder was not brought up to date", "err", err)
				f.pathError("", err, "")
			}
			timer.Reset(wait)
			wait = min(2*wait, retryFailed)
		case left:
			timer.Reset(retryFailed)
			wait = time.Second
		default:
			wait = time.Second
		}
	}
}

// A fetching is a large content on its way.
type fetching struct {
	path   string
	cancel context.CancelFunc
}

// fetchAside fetches a large content while everything else goes on.
func (f *Folder) fetchAside(ctx context.Context, wg *sync.WaitGroup, places chan struct{}, j *job) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fetching[j.v.Sum] != nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	f.fetching[j.v.Sum] = &fetching{path: j.path, cancel: cancel}
	wg.Go(func() {
		defer cancel()
		var r ready
		var err error
		select {
		case places <- struct{}{}:
			r, err = f.fetchLarge(ctx, j)
			<-places
		case <-ctx.Done():
			err = ctx.Err()
		}
		var look []string
		if err == nil {
			_, look, err = f.commit([]ready{r}, true)
		}
		if len(look) > 0 {
			err = errors.Join(err, f.Scan(ctx, look...))
		}
		then := todoNew
		switch {
		case errors.Is(err, ErrNobody):
			then = todoWait
		case err != nil && ctx.Err() == nil && !errors.Is(err, errAgain):
			then = todoFail
		}
		f.mu.Lock()
		delete(f.fetching, j.v.Sum)
		for path, why := range f.todo {
			if node, ok := f.tree.Node(path); why == todoFetch && (path == j.path || ok && node.Shown.Sum == j.v.Sum) {
				f.todo[path] = then
			}
		}
		f.mu.Unlock()
		if err != nil && ctx.Err() == nil && then == todoFail {
			f.pathError(j.path, err, "")
		}
		f.changed()
		f.poke()
	})
}

// endStale stops fetching what is not wanted any more.
func (f *Folder) endStale() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for sum, x := range f.fetching {
		node, ok := f.tree.Node(x.path)
		if !ok || node.Shown.Kind != tree.File || node.Shown.Sum != sum {
			x.cancel()
		}
	}
}
