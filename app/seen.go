package app

import (
	"encoding/json"
	"time"

	"inselnetz/mesh"
)

const metaSeen = "seen/" // + PeerID: when a member was last reached, ms since 1970, as JSON

// seenEvery is how often the time of a device that stays here is written down:
// what a crash may take of it.
const seenEvery = 30 * time.Minute

// noteSeen writes down who is here, now and then, and who just went.
func (w *Workspace) noteSeen() {
	w.mu.RLock()
	m := w.mesh
	w.mu.RUnlock()
	if m == nil {
		return
	}
	now := w.opts.Now().UnixMilli()
	here := map[mesh.PeerID]bool{}
	for _, p := range m.Peers() {
		if p.Here && !p.Stranger {
			here[p.PeerID] = true
		}
	}
	w.mu.Lock()
	var write []mesh.PeerID
	for p := range here {
		if at, ok := w.noted[p]; !ok || now-at > seenEvery.Milliseconds() {
			w.noted[p] = now
			write = append(write, p)
		}
	}
	for p := range w.noted {
		if !here[p] {
			delete(w.noted, p)
			write = append(write, p)
		}
	}
	w.mu.Unlock()
	for _, p := range write {
		if err := w.putJSON(metaSeen+string(p), now); err != nil {
			w.log.Warn("note when a device was seen", "err", err)
		}
	}
}

// seenAt returns when a device was last reached, as far as it was written down.
func (w *Workspace) seenAt(p mesh.PeerID) (at int64) {
	if raw, err := w.store.Get(metaSeen + string(p)); err == nil {
		_ = json.Unmarshal(raw, &at) // a damaged note is no note
	}
	return at
}
