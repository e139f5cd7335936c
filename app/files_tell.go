package app

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/mesh"
)

// What devices whisper to each other about files.
const (
	whisperKept    = 1 // contents up to here are on my disk: (log(16), seq as uvarint) …
	whisperOpen    = 2 // my user has these paths open: (length as uvarint, path) …, all there are
	whisperCarried = 3 // to storage-only devices: there are new pieces
	whisperPage    = 4 // a page has a document open: see encodePage
)

const maxOpen = 64 // paths in a whisper

const metaKept = "kept/" // + DeviceID: what was whispered last, as a whisper of whisperKept

// tellFiles tells the others what a folder has and what is open in it.
func (w *Workspace) tellFiles(s *shared) {
	m := w.network()
	if m == nil {
		return
	}
	for _, part := range encodeKept(s.f.UpTo()) {
		m.Whisper(s.space, whisperKept, part)
	}
	m.Whisper(s.space, whisperOpen, encodeOpen(s.f.OpenHere()))
	for _, dev := range w.carriersHere() {
		m.WhisperTo(dev, s.space, whisperCarried, nil)
	}
}

// came tells a device that joined what holds.
func (w *Workspace) came(dev log.DeviceID) {
	w.job(func(context.Context) {
		m := w.network()
		if m == nil {
			return
		}
		w.sayPages(dev)
		for _, s := range w.folders() {
			if w.snapshot().Level(s.space, dev) == access.None {
				continue
			}
			for _, part := range encodeKept(s.f.UpTo()) {
				m.WhisperTo(dev, s.space, whisperKept, part)
			}
			if open := s.f.OpenHere(); len(open) > 0 {
				m.WhisperTo(dev, s.space, whisperOpen, encodeOpen(open))
			}
			s.f.Wake()
		}
		if carrier(w.snapshot(), w.self) {
			w.carrySoon()
		}
	})
}

// heard takes a whisper.
func (w *Workspace) heard(from log.DeviceID, space log.SpaceID, kind uint8, data []byte) {
	switch kind {
	case whisperKept:
		kept, err := decodeKept(data)
		if err != nil {
			w.log.Debug("whisper that makes no sense", "from", from, "err", err)
			return
		}
		w.noteKept(from, space, kept)
	case whisperOpen:
		paths, err := decodeOpen(data)
		if err != nil {
			w.log.Debug("whisper that makes no sense", "from", from, "err", err)
			return
		}
		w.noteOpen(from, space, paths)
	case whisperCarried:
		w.carrySoon()
	case whisperPage:
		if err := w.heardPage(from, space, data); err != nil {
			w.log.Debug("whisper that makes no sense", "from", from, "err", err)
		}
	}
}

// noteKept notes which contents are on another device.
func (w *Workspace) noteKept(from log.DeviceID, space log.SpaceID, kept map[log.LogID]uint64) {
	w.files.mu.Lock()
	all := w.files.kept[from]
	if all == nil {
		all = map[log.LogID]uint64{}
		w.files.kept[from] = all
	}
	for id, seq := range kept {
		card, ok := w.store.Card(id)
		if ok && card.Space == space {
			all[id] = seq
		}
	}
	w.files.mu.Unlock()
	w.keptSoon.want(2*time.Second, w.saveKept)
	if s := w.folderOf(space); s != nil {
		s.f.Wake()
	}
	w.changed("files", space.String())
}

// saveKept writes down who has what, for when they are away.
func (w *Workspace) saveKept() {
	w.files.mu.RLock()
	list := map[log.DeviceID][][]byte{}
	for dev, kept := range w.files.kept {
		list[dev] = encodeKept(kept)
	}
	w.files.mu.RUnlock()
	for dev, parts := range list {
		if err := w.store.Put(metaKept+dev.String(), slices.Concat(parts...)); err != nil {
			w.log.Debug("note who keeps what", "err", err)
			return
		}
	}
}

// loadKept reads what saveKept wrote.
func (w *Workspace) loadKept() {
	for dev := range w.snapshot().Devices {
		raw, err := w.store.Get(metaKept + dev.String())
		if err != nil {
			continue
		}
		if kept, err := decodeKept(raw); err == nil {
			w.files.mu.Lock()
			w.files.kept[dev] = kept
			w.files.mu.Unlock()
		}
	}
}

// keepers returns the other devices that have all contents of an entry.
func (w *Workspace) keepers(id log.LogID, seq uint64) []log.DeviceID {
	w.files.mu.RLock()
	defer w.files.mu.RUnlock()
	var out []log.DeviceID
	for dev, kept := range w.files.kept {
		if kept[id] >= seq {
			out = append(out, dev)
		}
	}
	slices.SortFunc(out, func(a, b log.DeviceID) int { return slices.Compare(a[:], b[:]) })
	return out
}

// noteOpen notes what somebody has open in a program.
func (w *Workspace) noteOpen(from log.DeviceID, space log.SpaceID, paths []string) {
	w.files.mu.Lock()
	open := w.files.open[from]
	if open == nil {
		open = map[fileRef]bool{}
		w.files.open[from] = open
	}
	before := maps.Clone(open)
	maps.DeleteFunc(open, func(r fileRef, _ bool) bool { return r.space == space })
	for _, p := range paths {
		open[fileRef{space, p}] = true
	}
	same := maps.Equal(before, open)
	w.files.mu.Unlock()
	if !same {
		w.changed("files", space.String())
	}
}

// openBy says which devices have a path open, those here alone.
func (w *Workspace) openBy(space log.SpaceID, path string) []log.DeviceID {
	w.files.mu.RLock()
	defer w.files.mu.RUnlock()
	var out []log.DeviceID
	for dev, open := range w.files.open {
		if open[fileRef{space, path}] {
			out = append(out, dev)
		}
	}
	return out
}

// A device that has been here for settleTime has handed over what it wrote
// before; what comes from then on was written at most lately ago.
const (
	settleTime = 10 * time.Minute
	lately     = time.Minute
)

// inSyncAt is when this device was last known to hold all that another wrote:
// nobody can say later to have written it before.
func (w *Workspace) inSyncAt(dev log.DeviceID) time.Time {
	d, ok := w.snapshot().Devices[dev]
	m := w.network()
	if !ok || m == nil {
		return time.Time{}
	}
	now := w.opts.Now()
	for _, p := range m.Peers() {
		if p.Device == dev && p.Here && now.Sub(p.Since) > settleTime {
			return now.Add(-lately)
		}
	}
	return time.UnixMilli(w.seenAt(mesh.PeerID(d.Card.Peer)))
}

func (w *Workspace) network() *mesh.Mesh {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.mesh
}

// encodeKept splits heights into whispers.
func encodeKept(kept map[log.LogID]uint64) [][]byte {
	var parts [][]byte
	var b []byte
	for _, id := range slices.SortedFunc(maps.Keys(kept), func(a, b log.LogID) int { return slices.Compare(a[:], b[:]) }) {
		if len(b)+len(id)+binary.MaxVarintLen64 > mesh.MaxWhisper {
			parts, b = append(parts, b), nil
		}
		b = binary.AppendUvarint(append(b, id[:]...), kept[id])
	}
	if len(b) > 0 {
		parts = append(parts, b)
	}
	return parts
}

var errWhisper = errors.New("malformed whisper")

func decodeKept(b []byte) (map[log.LogID]uint64, error) {
	out := map[log.LogID]uint64{}
	for len(b) > 0 {
		if len(b) < 17 {
			return nil, errWhisper
		}
		id := log.LogID(b[:16])
		seq, n := binary.Uvarint(b[16:])
		if n <= 0 || seq > log.MaxSeq {
			return nil, errWhisper
		}
		out[id] = seq
		b = b[16+n:]
	}
	return out, nil
}

func encodeOpen(paths []string) []byte {
	b := []byte{}
	for _, p := range paths[:min(len(paths), maxOpen)] {
		if len(b)+len(p)+binary.MaxVarintLen64 > mesh.MaxWhisper {
			break
		}
		b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
	}
	return b
}

func decodeOpen(b []byte) ([]string, error) {
	var out []string
	for len(b) > 0 {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) || len(out) == maxOpen {
			return nil, errWhisper
		}
		out = append(out, strings.ToValidUTF8(string(b[n:n+int(size)]), "\uFFFD"))
		b = b[n+int(size):]
	}
	return out, nil
}
