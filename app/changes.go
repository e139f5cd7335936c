package app

import (
	"sync"
	"time"
)

// A Change says what became different. Whoever cares asks again.
type Change struct {
	What string // "status", "people", "doors", "join", "invite", "channels", "channel", "delivery", "files", "documents", "document", "stick"
	ID   string // of the channel, of the space of documents, of the document that is open; else empty
}

// A hub passes changes to its subscribers. A subscriber that does not keep up
// makes nobody wait; the API's own hub keeps what is pending.
type hub struct {
	mu   sync.Mutex
	subs map[chan Change]struct{}
}

// Subscribe returns changes from now on, until stop is called.
func (w *Workspace) Subscribe() (changes <-chan Change, stop func()) {
	c := make(chan Change, 4096)
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	if w.hub.subs == nil {
		w.hub.subs = map[chan Change]struct{}{}
	}
	w.hub.subs[c] = struct{}{}
	return c, func() {
		w.hub.mu.Lock()
		defer w.hub.mu.Unlock()
		delete(w.hub.subs, c)
	}
}

func (w *Workspace) changed(what, id string) {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	for c := range w.hub.subs {
		select {
		case c <- Change{What: what, ID: id}:
		default:
		}
	}
}

// A coalescer lets an action happen at most once in a while, and at least once
// after the last time it was wanted.
type coalescer struct {
	mu      sync.Mutex
	waiting bool
}

// want arranges for f to run after a pause, once for all that want it meanwhile.
func (c *coalescer) want(pause time.Duration, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting {
		return
	}
	c.waiting = true
	time.AfterFunc(pause, func() {
		c.mu.Lock()
		c.waiting = false
		c.mu.Unlock()
		f()
	})
}
