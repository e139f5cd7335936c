package mesh

import (
	"slices"
	"sync"
	"time"

	"inselnetz/crdt/log"
)

// Limits of what waits to be sent to one peer.
const (
	maxPushQueue   = 512 << 10 // bytes waiting above which a push is dropped
	maxUrgentQueue = 4 << 20   // bytes waiting above which the session ends
	maxServed      = 16        // wants of one peer waiting to be served
	frameCost      = 64        // bytes that a waiting frame takes beside its own
)

// A served is a want of the peer, reduced to what it may have.
type served struct {
	id     uint64
	max    int
	ranges []log.Range
	cards  []log.Card
}

// An outbox is what waits to be sent to one peer. Urgent frames go first, in
// order; lists of heights and batches are made only when their turn comes, so a
// slow peer costs no memory and history never delays what is live.
type outbox struct {
	kick chan struct{}

	mu      sync.Mutex
	urgent  [][]byte
	bytes   int
	asked   []log.SpaceID
	wants   []served
	last    bool      // close once urgent is empty
	sending time.Time // since when one frame is being sent; zero if none
}

func newOutbox() *outbox { return &outbox{kick: make(chan struct{}, 1)} }

func (o *outbox) wake() {
	select {
	case o.kick <- struct{}{}:
	default:
	}
}

// put queues a frame; it reports false when the peer takes far too little.
func (o *outbox) put(frame []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bytes+len(frame)+frameCost > maxUrgentQueue {
		return false
	}
	o.urgent = append(o.urgent, frame)
	o.bytes += len(frame) + frameCost
	o.wake()
	return true
}

// push queues a frame that may be dropped.
func (o *outbox) push(frame []byte) bool {
	o.mu.Lock()
	full := o.bytes+len(frame)+frameCost > maxPushQueue
	o.mu.Unlock()
	return !full && o.put(frame)
}

func (o *outbox) ask(space log.SpaceID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Contains(o.asked, space) {
		o.asked = append(o.asked, space)
		o.wake()
	}
}

// serve queues a want. Of too many the oldest is dropped: on a slow link the peer
// gave it up already.
func (o *outbox) serve(w served) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.wants) >= maxServed {
		_, o.wants = pop(o.wants)
	}
	o.wants = append(o.wants, w)
	o.wake()
}

// finish lets the writer send what is urgent and then end.
func (o *outbox) finish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last, o.asked, o.wants = true, nil, nil
	o.wake()
}

// next takes what is to be done now: a frame, a space whose heights were asked
// for, or a want.
func (o *outbox) next() (frame []byte, space *log.SpaceID, want *served, end bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case len(o.urgent) > 0:
		frame, o.urgent = pop(o.urgent)
		o.bytes -= len(frame) + frameCost
	case o.last:
		end = true
	case len(o.asked) > 0:
		var id log.SpaceID
		id, o.asked = pop(o.asked)
		space = &id
	case len(o.wants) > 0:
		var w served
		w, o.wants = pop(o.wants)
		want = &w
	}
	return frame, space, want, end
}

// pop takes the first of a list and keeps no memory of it.
func pop[T any](list []T) (first T, rest []T) {
	var none T
	first, list[0] = list[0], none
	return first, list[1:]
}

func (o *outbox) send(c Conn, frame []byte) error {
	o.mu.Lock()
	o.sending = time.Now()
	o.mu.Unlock()
	err := c.Send(frame)
	o.mu.Lock()
	o.sending = time.Time{}
	o.mu.Unlock()
	return err
}

// stuck reports whether one frame has been on its way for too long.
func (o *outbox) stuck(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.sending.IsZero() && now.Sub(o.sending) > maxStuck
}
