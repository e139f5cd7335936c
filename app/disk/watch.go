package disk

import (
	"context"
	"errors"
	"strings"
	"sync"
)

// What happened to a path.
type What uint8

const (
	Closed  What = iota + 1 // whole: its writer closed it, or it was moved here; directories: new, look at all in it
	Touched                 // changed, maybe not whole yet
	Gone
	Lost // changes were missed below this path: look at everything there
)

func (w What) String() string {
	if w > Lost {
		return "?"
	}
	return [...]string{"?", "closed", "touched", "gone", "lost"}[w]
}

// An Event is a change that somebody made, ourselves included.
type Event struct {
	Path string
	What What
}

// Hidden is the directory below the root that is not watched.
const Hidden = ".inselnetz"

// A Watcher tells of changes below a root.
type Watcher struct {
	// C gives the changes since the last receive, one Event a path, in the order
	// of the paths' last change. It is closed when watching ended.
	C <-chan []Event
	// Closes tells whether writers' closing is seen; else every change comes as
	// Touched and only quiet says that a file is whole.
	Closes bool

	feed *Feed
}

// Err tells why changes are missed, in words for a log, or nil. Whoever gets
// an error must look for himself at times.
func (w *Watcher) Err() error {
	w.feed.mu.Lock()
	defer w.feed.mu.Unlock()
	return w.feed.err
}

// Watch reports changes below the root of fsys until ctx ends, but none below
// the hidden directory. It sees what changes after it returned. An FS that is
// not this package's watches by a method of this name.
func Watch(ctx context.Context, fsys FS) (*Watcher, error) {
	if w, ok := fsys.(interface {
		Watch(context.Context) (*Watcher, error)
	}); ok {
		return w.Watch(ctx)
	}
	return nil, &Error{Op: "watch", Kind: errors.ErrUnsupported}
}

// maxWaiting is how many paths wait for a slow receiver before their events
// become one Lost of the root.
const maxWaiting = 1 << 17

// A Feed is the giving end of a Watcher.
type Feed struct {
	wake chan struct{}

	mu      sync.Mutex
	err     error
	waiting map[string]int // place of the path's event in events
	events  []Event        // superseded ones have What 0
}

// NewFeed returns a Watcher and what feeds it; both end with ctx.
func NewFeed(ctx context.Context, closes bool) (*Feed, *Watcher) {
	c := make(chan []Event)
	f := &Feed{wake: make(chan struct{}, 1), waiting: map[string]int{}}
	go func() {
		defer close(c)
		for {
			select {
			case <-f.wake:
			case <-ctx.Done():
				return
			}
			if events := f.take(); len(events) > 0 {
				select {
				case c <- events:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return f, &Watcher{C: c, Closes: closes, feed: f}
}

// Put adds an event; it does not block. Paths below the hidden directory are
// left out.
func (f *Feed) Put(path string, what What) {
	if hidden(path) {
		return
	}
	f.mu.Lock()
	if i, ok := f.waiting[path]; ok {
		if f.events[i].What == Lost {
			what = Lost
		}
		f.events[i].What = 0
	}
	f.waiting[path] = len(f.events)
	f.events = append(f.events, Event{path, what})
	if len(f.events) > 2*len(f.waiting)+64 {
		f.squeeze()
	}
	if len(f.waiting) > maxWaiting {
		clear(f.waiting)
		f.events = append(f.events[:0], Event{"", Lost})
		f.waiting[""] = 0
	}
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Fail sets what Watcher.Err tells.
func (f *Feed) Fail(err error) {
	f.mu.Lock()
	f.err = err
	f.mu.Unlock()
}

func (f *Feed) squeeze() {
	n := 0
	for _, e := range f.events {
		if e.What != 0 {
			f.events[n], f.waiting[e.Path] = e, n
			n++
		}
	}
	f.events = f.events[:n]
}

func (f *Feed) take() []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.squeeze()
	out := f.events
	f.events, f.waiting = nil, map[string]int{}
	return out
}

func hidden(path string) bool {
	return path == Hidden || strings.HasPrefix(path, Hidden+"/")
}
