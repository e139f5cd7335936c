package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"inselnetz/app"
)

// A hub tells every listener what changed. Equal changes that wait together are
// told once; a listener that does not read costs one map and never makes
// anybody wait.
type hub struct {
	mu        sync.Mutex
	seq       uint64
	listeners map[*listener]struct{}
}

type listener struct {
	wake    chan struct{} // holds one token when pending is not empty
	pending map[app.Change]uint64
}

// A bulk import makes thousands of changes a second, and each makes a page ask
// again. A listener hears of some at once, and of more only so often.
const (
	burst = 20                    // deliveries at once
	pause = 20 * time.Millisecond // and then one in this time
)

func (h *hub) run(ctx context.Context, changes <-chan app.Change) error {
	for {
		select {
		case c := <-changes:
			h.tell(c)
		case <-ctx.Done():
			return nil
		}
	}
}

func (h *hub) tell(c app.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	for l := range h.listeners {
		l.pending[c] = h.seq
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

func (h *hub) add() *listener {
	l := &listener{wake: make(chan struct{}, 1), pending: map[app.Change]uint64{}}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners == nil {
		h.listeners = map[*listener]struct{}{}
	}
	h.listeners[l] = struct{}{}
	return l
}

func (h *hub) remove(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
}

func (h *hub) take(l *listener) []Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	events := make([]Event, 0, len(l.pending))
	for c, seq := range l.pending {
		events = append(events, Event{Seq: seq, What: c.What, ID: c.ID})
		delete(l.pending, c)
	}
	return events
}

// Listen calls f for every event until ctx ends.
func (s *Server) Listen(ctx context.Context, f func(Event) error) error {
	l := s.hub.add()
	defer s.hub.remove(l)
	return s.deliver(ctx, l, f)
}

func (s *Server) deliver(ctx context.Context, l *listener, f func(Event) error) error {
	credit := time.Now().Add(-burst * pause) // the time up to which deliveries are used up
	for {
		select {
		case <-l.wake:
		case <-ctx.Done():
			return nil
		}
		now := time.Now()
		if earliest := now.Add(-burst * pause); credit.Before(earliest) {
			credit = earliest
		}
		credit = credit.Add(pause)
		select {
		case <-time.After(credit.Sub(now)): // at once while there is credit
		case <-ctx.Done():
			return nil
		}
		for _, e := range s.hub.take(l) {
			if err := f(e); err != nil {
				return err
			}
		}
	}
}

// events answers GET /api/events with a stream of Event.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	c := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	l := s.hub.add() // before the stream counts as open: from then on nothing is missed
	defer s.hub.remove(l)
	// the first line makes the browser's stream count as open
	if _, err := fmt.Fprint(w, "retry: 1000\n\n"); err != nil || c.Flush() != nil {
		return
	}
	_ = s.deliver(r.Context(), l, func(e Event) error { // ends when the page goes
		b, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", e.Seq, b); err != nil {
			return err
		}
		return c.Flush()
	})
}
