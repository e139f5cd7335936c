package bep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

const (
	workers = 8                      // files taken at once
	atOnce  = 2000                   // tasks before we look what else there is
	quiet   = 300 * time.Millisecond // without index messages before we begin: the brake should see all
	hurry   = 5 * time.Second        // begin at the latest
)

// A puller takes what one device has into a share.
type puller struct {
	*share
	r      *remote
	c      asker
	budget *semaphore.Weighted
}

// run takes what the device has until ctx ends.
func (p *puller) run(ctx context.Context) error {
	var again time.Duration
	for {
		var timer <-chan time.Time
		if again > 0 {
			timer = time.After(again)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.r.wake:
			if err := p.calm(ctx); err != nil {
				return err
			}
		case <-timer:
		}
		var tasks []task
		tasks, again = p.plan(p.r)
		// Part by part: what comes meanwhile should not wait for hours.
		p.all(ctx, tasks[:min(len(tasks), atOnce)])
		if len(tasks) > 0 {
			p.r.poke() // what came meanwhile, and whether we are in sync now
		}
		p.notify()
	}
}

// calm waits until the device is done talking.
func (p *puller) calm(ctx context.Context) error {
	until := time.Now().Add(hurry)
	for {
		p.mu.Lock()
		wait := quiet - time.Since(p.r.indexed)
		p.mu.Unlock()
		wait = min(wait, time.Until(until))
		if wait <= 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// all does tasks phase by phase.
func (p *puller) all(ctx context.Context, tasks []task) {
	p.r.work.Lock()
	defer p.r.work.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.mu.Lock()
	p.r.stop = cancel
	p.mu.Unlock()
	for len(tasks) > 0 && ctx.Err() == nil {
		ph := phase(tasks[0])
		n := slices.IndexFunc(tasks, func(t task) bool { return phase(t) != ph })
		if n < 0 {
			n = len(tasks)
		}
		var g errgroup.Group
		if ph == phasePut || ph == phaseRemove {
			g.SetLimit(workers)
		} else {
			g.SetLimit(1)
		}
		for _, t := range tasks[:n] {
			g.Go(func() error {
				p.one(ctx, t)
				return nil
			})
		}
		g.Wait()
		tasks = tasks[n:]
	}
}

// one does a task, and notes what became of it.
func (p *puller) one(ctx context.Context, t task) {
	if ctx.Err() != nil || !p.take(t) {
		return
	}
	err := p.try(ctx, t)
	p.mu.Lock()
	held := false
	switch {
	case err == nil, ctx.Err() != nil:
	case errors.Is(err, errHeld):
		held = true
	case errors.Is(err, ErrRefused):
		if p.r.wants[t.path] == t.want {
			p.r.drop(t.path)
			p.r.refuse(t.path, err.Error())
			if e := p.entries[t.path]; e != nil {
				p.touch(e)
			}
		}
	default:
		t.want.failed(err, p.now())
		p.log.Info("cannot take a file of a Syncthing device", "peer", p.r.id.String(), "err", err)
	}
	p.mu.Unlock()
	p.release(context.WithoutCancel(ctx), t.path)
	if held {
		p.notify()
	}
}

// take reserves the path of a task; false: somebody else is at it, or the brake
// holds since.
func (p *puller) take(t task) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.r.wants[t.path] != t.want || p.r.held != 0 && !t.want.accepted {
		return false
	}
	return p.reserve(t.path)
}

var errHeld = errors.New("held")

// try does a task whose path is reserved.
func (p *puller) try(ctx context.Context, t task) error {
	cur, err := p.Folder.Look(ctx, t.path)
	if err != nil {
		return fmt.Errorf("look at %s: %w", t.path, err)
	}
	cur.Path = t.path
	p.mu.Lock()
	e := p.show(cur) // the last moment to learn what changed here
	st := decide(e, t.want)
	base := cur.Base
	if st == stepConflict {
		base = ""
		if c := e.common; c != nil && c.vector.LesserEqual(t.want.vector) {
			base = c.base
		}
	}
	switch st {
	case stepNone:
		p.none(p.r, t.path, e, t.want)
	case stepAdopt, stepMerge, stepKeep:
		p.settle(p.r, t.path, e, t.want, st)
	}
	kids := p.kids[t.path]
	p.mu.Unlock()
	if st != stepTake && st != stepRevive && st != stepConflict {
		return nil
	}
	now, sum, err := p.do(ctx, t, cur, base, kids)
	if err != nil {
		return err
	}
	now.Path = t.path
	p.done(t, st, cur, now, sum)
	return nil
}

// do changes the folder. It returns what is at the path then, and the name of a
// file's content.
func (p *puller) do(ctx context.Context, t task, cur File, base string, kids int) (now File, sum [32]byte, err error) {
	w := t.want
	switch w.kind {
	case Gone:
		if cur.Kind == Dir && kids > 0 {
			return cur, sum, nil // what is in it, the device did not know
		}
		now, err = p.Folder.Remove(ctx, t.path, base)
	case Dir:
		now, err = p.Folder.Mkdir(ctx, t.path, base)
	case Link:
		now, err = p.Folder.Link(ctx, t.path, w.target, base)
	case Plain:
		return p.put(ctx, t, cur, base)
	}
	if err != nil {
		return now, sum, fmt.Errorf("%s: %w", t.path, err)
	}
	return now, sum, nil
}

// put takes a file.
func (p *puller) put(ctx context.Context, t task, cur File, base string) (now File, sum [32]byte, err error) {
	w := t.want
	src := open(ctx, p.c, p.budget, p.ID, p.Folder, t, p.alike(t, cur))
	defer src.Close()
	if err := p.inspect(ctx, t, cur, src); err != nil {
		return now, sum, err
	}
	f := File{Path: t.path, Kind: Plain, Size: w.size, Time: w.time, Exec: w.exec(cur.Kind == Plain && cur.Exec)}
	whole := &counter{r: src}
	if now, err = p.Folder.Put(ctx, f, base, whole); err != nil {
		return now, sum, fmt.Errorf("%s: %w", t.path, err)
	}
	if whole.n != w.size {
		return now, sum, fmt.Errorf("%s: the folder took %d of %d bytes", t.path, whole.n, w.size)
	}
	return now, src.Sum(), nil
}

// A counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// alike returns a file of ours from which blocks of a want may be taken.
func (p *puller) alike(t task, cur File) File {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.want.sum != [32]byte{} {
		if e := p.entries[p.sums[t.want.sum].path]; e != nil && e.file.Kind == Plain && e.file.Sum == t.want.sum {
			return e.file
		}
	}
	return cur
}

// inspect looks at the beginning of a change and holds the device if several look
// encrypted.
func (p *puller) inspect(ctx context.Context, t task, cur File, src *source) error {
	if cur.Kind != Plain || t.want.accepted || sameContent(cur, t.want) || t.want.size < minSample || cur.Size == 0 {
		return nil
	}
	head, err := src.Peek(sample)
	if err != nil {
		return err
	}
	before := make([]byte, min(cur.Size, sample))
	if err := p.Folder.Read(ctx, cur, 0, before); err != nil {
		before = nil // not to be had now: the other rules still count
	}
	if !looksScrambled(t.path, before, head) {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	ms := p.now().UnixMilli()
	ev := event{At: believed(t.want.changed, p.r.inSync, ms), Path: t.path, What: markScrambled}
	if window, crypt := tooMuch(append(slices.Clone(p.r.events), ev), p.living); crypt {
		if p.r.held == 0 {
			p.hold(p.r, ms, window, true)
		}
		return errHeld
	}
	p.r.events = append(p.r.events, ev)
	return nil
}

// done notes what a task made.
func (p *puller) done(t task, st step, cur, now File, sum [32]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, w := p.entries[t.path], t.want
	took := now.Kind == w.kind
	switch w.kind {
	case Plain:
		took = took && now.Size == w.size && now.Sum == sum
	case Link:
		took = took && now.Target == w.target
	}
	v := after(st, e, w, took, p.own, p.now())
	p.set(now, e, v)
	e = p.entries[t.path]
	if w.kind == now.Kind && !w.noPerms {
		e.perms = w.perms
	}
	e.shared, e.common = v.Equal(w.vector), nil
	p.r.has[t.path] = digest(w.vector)
	if p.r.wants[t.path] == w {
		p.r.drop(t.path)
	}
	if what := p.did(t, cur); what != 0 {
		ms := p.now().UnixMilli()
		p.r.events = append(p.r.events, event{believed(w.changed, p.r.inSync, ms), t.path, what, cur.Version, now.Version})
	}
}

// did says what a task that is done counts for the brake. mu is held.
func (p *puller) did(t task, cur File) mark {
	switch {
	case t.want.accepted || cur.Kind == Dir || sameContent(cur, t.want):
		return 0
	case cur.Kind == Gone:
		return p.beside(p.r, t, 1)
	case t.want.kind != Gone:
		return markChange
	}
	if tw := p.sums[cur.Sum]; cur.Kind == Plain && cur.Size > 0 && tw.n > 0 && extOf(tw.path) == extOf(t.path) {
		return 0 // its content stays in the folder
	}
	return markDelete | p.odd(t.path, odds(p.r.events))
}
