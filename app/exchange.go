package app

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// exchange is the file for a device without a network that is being written or
// read. There is one at a time.
type exchange struct {
	mu    sync.Mutex
	going string             // "export", "import"; empty: none
	last  string             // how the last export ended: "whole", "broken"; empty: there was none
	stop  context.CancelFunc // ends it
	done  atomic.Uint64      // entries
	all   atomic.Uint64      // entries there are, as far as it is known
	told  coalescer
}

// ExchangeState is how far it is.
type ExchangeState struct {
	Going string // "export", "import"; empty: none
	Done  uint64 // entries
	All   uint64 // entries; 0: not known yet
	Last  string // how the last export ended: "whole", "broken"; empty: there was none
}

// exchangeTold is how often pages hear of progress.
const exchangeTold = 200 * time.Millisecond

// Exchange returns whether a file is being written or read just now.
func (w *Workspace) Exchange() ExchangeState {
	x := &w.exchange
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.going == "" {
		return ExchangeState{Last: x.last}
	}
	return ExchangeState{Going: x.going, Done: x.done.Load(), All: x.all.Load()}
}

// StopExchange ends what is going on. What was imported stays.
func (w *Workspace) StopExchange() {
	x := &w.exchange
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.stop != nil {
		x.stop()
	}
}

// beginExchange takes the turn; end gives it back.
func (w *Workspace) beginExchange(ctx context.Context, what string) (_ context.Context, end func(), err error) {
	x := &w.exchange
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.going != "" {
		return nil, nil, problem("stick-busy")
	}
	ctx, stop := context.WithCancel(ctx)
	x.going, x.stop = what, stop
	x.done.Store(0)
	x.all.Store(0)
	w.changed("stick", "")
	return ctx, func() {
		stop()
		x.mu.Lock()
		x.going, x.stop = "", nil
		x.mu.Unlock()
		w.changed("stick", "")
	}, nil
}

// exported notes how an export ended.
func (w *Workspace) exported(err error) {
	w.exchange.mu.Lock()
	defer w.exchange.mu.Unlock()
	if w.exchange.last = "whole"; err != nil {
		w.exchange.last = "broken"
	}
}

// exchanged counts entries.
func (w *Workspace) exchanged(n int) {
	w.exchange.done.Add(uint64(n))
	w.exchange.told.want(exchangeTold, func() { w.changed("stick", "") })
}

// currentKeys are the keys of a space that nobody holds who was removed from it;
// none if that cannot be said.
func (w *Workspace) currentKeys(st *access.State, space log.SpaceID) []log.Key {
	_, id, ok := st.Current(space)
	if k, held := w.keyring()[id]; ok && held && !st.Stale(space) && !w.overstayed(st) {
		return []log.Key{k.Key}
	}
	return nil
}

// overstayed reports whether a guest's time is over, who is not removed yet and
// holds keys.
func (w *Workspace) overstayed(st *access.State) bool {
	for _, d := range st.Devices {
		if w.expired(d) {
			return true
		}
	}
	return false
}

// currentNetwork is the same of the network, which guests and carriers know too.
func (w *Workspace) currentNetwork(st *access.State) (out []log.Key) {
	everyone := w.everyone()
	epoch, id, ok := st.Current(everyone)
	if !ok || st.Stale(everyone) || w.overstayed(st) {
		return nil
	}
	ring := w.keyring()
	if k, held := ring[id]; held {
		return []log.Key{st.NetworkKey(k).Key}
	}
	for _, k := range ring {
		if k.Space == access.Network && k.Epoch == epoch {
			out = append(out, k.Key)
		}
	}
	return out
}

// heldKeys are all keys of a space, to try them.
func (w *Workspace) heldKeys(space log.SpaceID) (out []log.Key) {
	for _, k := range w.keyring() {
		if k.Space == space {
			out = append(out, k.Key)
		}
	}
	return out
}

// WriteProblem says why a file could not be written where somebody wants it, a
// stick for example; nil if there is nothing more to say than the error does.
func WriteProblem(err error) *Problem {
	switch {
	case isFull(err):
		return because("write-full", err)
	case errors.Is(err, fs.ErrPermission), isReadOnly(err):
		return because("write-not-allowed", err)
	case errors.Is(err, fs.ErrNotExist), isPulledOut(err):
		return because("write-gone", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return because("write-broken", err)
	}
	return nil
}
