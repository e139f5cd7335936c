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
	dirty map[heldKey]uint64 // not on disk yet
}

type heldKey struct {
	log log.LogID
	dev log.DeviceID
}

// maxDirty is how many changes wait before an import or append takes them along.
const maxDirty = 256

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

// SetHeld notes what a device said it holds of this store's logs. Logs not held
// here are ignored.
func (s *Store) SetHeld(dev log.DeviceID, heights log.Heights) {
	s.mu.RLock()
	known := map[log.LogID]uint64{}
	for id, h := range heights {
		if s.logs[id] != nil {
			known[id] = h.Seq
		}
	}
	s.mu.RUnlock()
	h := &s.held
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, seq := range known {
		if h.set(dev, id, seq) {
			if h.dirty == nil {
				h.dirty = map[heldKey]uint64{}
			}
			h.dirty[heldKey{id, dev}] = seq
		}
	}
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
