package store

import (
	"bytes"
	"slices"
	"sync"

	"inselnetz/crdt/log"
)

// held is what other devices said they have on disk. Losing some of it costs
// nothing: they say it again when they connect.
type held struct {
	mu    sync.Mutex
	logs  map[log.LogID]map[log.DeviceID]uint64
	dirty map[heldKey]uint64                    // not on disk yet
	early map[log.LogID]map[log.DeviceID]uint64 // of logs that are not here yet
	ahead int                                   // numbers in early
}

type heldKey struct {
	log log.LogID
	dev log.DeviceID
}

// maxDirty is how many changes wait before an import or append takes them along.
const maxDirty = 256

// maxEarly bounds what is remembered of logs that are not here yet: somebody may
// tell of one before its first entry arrives, and tells it once.
const maxEarly = 4096

func (h *held) set(dev log.DeviceID, id log.LogID, seq uint64) bool {
	if h.logs == nil {
		h.logs = map[log.LogID]map[log.DeviceID]uint64{}
	}
	if h.logs[id] == nil {
		h.logs[id] = map[log.DeviceID]uint64{}
	}
	old, ok := h.logs[id][dev]
	h.logs[id][dev] = seq
	return !ok || old != seq
}

// SetHeld notes what a device said it holds. Of logs that are not held here it
// counts once they are.
func (s *Store) SetHeld(dev log.DeviceID, heights log.Heights) {
	s.mu.RLock() // to the end: a log must not arrive in between
	defer s.mu.RUnlock()
	h := &s.held
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, at := range heights {
		if s.logs[id] == nil {
			h.foresee(dev, id, at.Seq)
			continue
		}
		h.note(dev, id, at.Seq)
	}
}

func (h *held) note(dev log.DeviceID, id log.LogID, seq uint64) {
	if h.set(dev, id, seq) {
		if h.dirty == nil {
			h.dirty = map[heldKey]uint64{}
		}
		h.dirty[heldKey{id, dev}] = seq
	}
}

// foresee keeps a number of a log that is not here yet.
func (h *held) foresee(dev log.DeviceID, id log.LogID, seq uint64) {
	if _, ok := h.early[id][dev]; !ok {
		if h.ahead >= maxEarly {
			return
		}
		h.ahead++
	}
	if h.early == nil {
		h.early = map[log.LogID]map[log.DeviceID]uint64{}
	}
	if h.early[id] == nil {
		h.early[id] = map[log.DeviceID]uint64{}
	}
	h.early[id][dev] = seq
}

// came takes what was said of a log that is here now. The caller holds the
// store's mu.
func (h *held) came(id log.LogID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for dev, seq := range h.early[id] {
		h.note(dev, id, seq)
		h.ahead--
	}
	delete(h.early, id)
}

// Held returns the devices that said they hold an entry, in ascending order.
func (s *Store) Held(id log.LogID, seq uint64) []log.DeviceID {
	h := &s.held
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []log.DeviceID
	for dev, n := range h.logs[id] {
		if n >= seq {
			out = append(out, dev)
		}
	}
	slices.SortFunc(out, func(a, b log.DeviceID) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// HeldBy returns how far a device said it holds a log; 0 if it did not say.
func (s *Store) HeldBy(dev log.DeviceID, id log.LogID) uint64 {
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	return s.held.logs[id][dev]
}

// keepHeld stores what is not on disk yet.
func (t *tx) keepHeld() error {
	h := &t.s.held
	h.mu.Lock()
	todo := h.dirty
	h.dirty = nil
	h.mu.Unlock()
	for k, seq := range todo {
		lg := t.log(k.log)
		if lg == nil {
			continue
		}
		if err := t.c.exec("INSERT OR REPLACE INTO held(device, log, seq) VALUES(?, ?, ?)", k.dev[:], lg.id, seq); err != nil {
			return err
		}
	}
	return nil
}

func (h *held) much() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.dirty) >= maxDirty
}
