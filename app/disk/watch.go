package disk

import (
	"context"
	"errors"
	"fmt"
)

// What happened to a path.
type What uint8

const (
	Closed  What = iota + 1 // whole: its writer closed it, or it was moved here; directories: new
	Touched                 // changed, maybe not whole yet
	Gone
	Lost // changes were missed below this path: look at everything there
)

// An Event is a change that somebody made, ourselves included.
type Event struct {
	Path string
	What What
}

// A Watcher tells of changes below a root.
type Watcher struct {
	// C gives the changes since the last receive, one Event a path, in the order
	// of the paths' last change. It is closed when watching ended.
	C <-chan []Event
	// Closes tells whether writers' closing is seen; else every change comes as
	// Touched and only quiet says that a file is whole.
	Closes bool

	err func() error
}

// NewWatcher is for implementations of FS that watch by themselves: those with a
// method Watch(context.Context) (*Watcher, error). err may be nil.
func NewWatcher(c <-chan []Event, closes bool, err func() error) *Watcher {
	return &Watcher{C: c, Closes: closes, err: err}
}

// Err tells why changes are missed, in words for a log, or nil. Whoever gets
// an error must look for himself at times.
func (w *Watcher) Err() error {
	if w.err == nil {
		return nil
	}
	return w.err()
}

// Watch reports changes below the root of fsys until ctx ends, but none below
// the hidden directory. It sees what changes after it returned.
func Watch(ctx context.Context, fsys FS) (*Watcher, error) {
	if w, ok := fsys.(interface {
		Watch(context.Context) (*Watcher, error)
	}); ok {
		return w.Watch(ctx)
	}
	return nil, fmt.Errorf("watch: %w", errors.ErrUnsupported)
}

// Hidden is the directory below the root that is not watched.
const Hidden = ".inselnetz"
